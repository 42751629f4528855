//! Many queries of one user beside a service: everybody else still has a place, and who waits is told what for.

use crate::program::Place;
use crate::service::Service;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const NOBODY: u32 = 65534;
/// Longer than a command takes while the whole suite runs beside it; the endless queries run for longer.
const PATIENCE: Duration = Duration::from_mins(1);
/// Computes until it is stopped.
const ENDLESS: &str =
    "SELECT count(*) FROM range(1000000000) a, range(1000000) b WHERE a.range + b.range < 0";

/// A command of another user than root, who may ask.
pub(crate) fn of_nobody(place: &Place, args: &[&str]) -> Command {
    let program = place.path("maillog-of-all");
    if !program.exists() {
        fs::copy(env!("CARGO_BIN_EXE_maillog"), &program).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let mut command = Command::new(program);
    command
        .args(args)
        .uid(NOBODY)
        .gid(NOBODY)
        .current_dir("/")
        .env("MAILLOG_DB", place.path("maillog.duckdb"))
        .env("TZ", "UTC")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}

struct Running(Vec<Child>);

impl Drop for Running {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[test]
fn one_user_leaves_a_place_to_others_and_root_never_waits() {
    let place = Place::filled(&["testlogs/demo"]);
    if chown(place.path("maillog.duckdb"), None, Some(NOBODY)).is_err() {
        return crate::skip::skip("many queries of one user (not root)");
    }
    fs::set_permissions(place.path(""), fs::Permissions::from_mode(0o755)).unwrap();
    let log = place.path("mail.log");
    fs::write(&log, "").unwrap();
    let mut service = Service::start(&place, &["--follow", log.to_str().unwrap()]);
    service.until("SELECT 1", 1);
    let mut running = Running(Vec::new());
    for _ in 0..6 {
        let child = of_nobody(&place, &["sql", ENDLESS]).spawn().unwrap();
        running.0.push(child);
    }
    // Three run, three wait and say so.
    let (tell, told) = std::sync::mpsc::channel();
    for child in &mut running.0 {
        let (said, tell) = (BufReader::new(child.stderr.take().unwrap()), tell.clone());
        std::thread::spawn(move || {
            said.lines()
                .map_while(Result::ok)
                .try_for_each(|line| tell.send(line))
        });
    }
    let waits = "waiting for a free slot: 3 queries of nobody are running";
    for _ in 0..3 {
        let said = told.recv_timeout(PATIENCE).unwrap();
        assert!(said.contains(waits), "{said}");
    }
    let in_time = |args: &[&str]| {
        let begun = Instant::now();
        place.succeed(args);
        assert!(begun.elapsed() < PATIENCE, "{args:?}");
    };
    in_time(&["find", "hold-release@ok.test", "--all"]);
    in_time(&["status"]);
    // The fourth place is for anybody else; `status` has one, whoever asks.
    let begun = Instant::now();
    assert!(of_nobody(&place, &["status"]).status().unwrap().success());
    assert!(begun.elapsed() < PATIENCE);
    // Nobody was let in or sent away meanwhile.
    for child in &mut running.0 {
        assert!(child.try_wait().unwrap().is_none());
    }
    assert!(told.try_recv().is_err());
}

#[test]
fn sleeping_takes_no_place() {
    let place = Place::filled(&["testlogs/demo"]);
    let log = place.path("mail.log");
    fs::write(&log, "").unwrap();
    let mut service = Service::start(&place, &["--follow", log.to_str().unwrap()]);
    service.until("SELECT 1", 1);
    let socket = format!("{}.sock", place.path("maillog.duckdb").display());
    let psql = |statements: &[&str]| {
        let mut psql = Command::new("psql");
        psql.args(["-qAtX", "-h", &socket, "-U", "x", "maillog"]);
        psql.args(statements.iter().flat_map(|sql| ["-c", sql]));
        psql.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()
    };
    let mut running = Running(Vec::new());
    for _ in 0..8 {
        let Ok(child) = psql(&["SELECT 'here'", "SELECT pg_sleep(600)"]) else {
            return crate::skip::skip("pg_sleep (no psql)");
        };
        running.0.push(child);
    }
    for child in &mut running.0 {
        // Its first answer: the next statement sleeps.
        let mut answered = String::new();
        let stdout = child.stdout.as_mut().unwrap();
        BufReader::new(stdout).read_line(&mut answered).unwrap();
        assert_eq!(answered, "here\n");
    }
    place.succeed(&["find", "hold-release@ok.test", "--all"]);
    for child in &mut running.0 {
        assert!(
            child.try_wait().unwrap().is_none(),
            "it waited until they were done"
        );
    }
    let begun = Instant::now();
    let slept = psql(&["SELECT pg_sleep(0.5)"])
        .unwrap()
        .wait_with_output()
        .unwrap();
    assert!(slept.status.success() && begun.elapsed() > Duration::from_millis(500));
    // Within a query it would hold a place.
    for sql in ["SELECT pg_sleep(1) FROM range(9)", "SELECT sleep_ms(1)"] {
        let refused = psql(&[sql]).unwrap().wait_with_output().unwrap();
        assert!(
            String::from_utf8_lossy(&refused.stderr).contains("is not allowed here"),
            "{refused:?}"
        );
    }
    let stopped = psql(&["SET statement_timeout = '1s'; SELECT pg_sleep(60)"]).unwrap();
    let stopped = stopped.wait_with_output().unwrap();
    assert!(
        String::from_utf8_lossy(&stopped.stderr).contains("statement timeout"),
        "{stopped:?}"
    );
}
