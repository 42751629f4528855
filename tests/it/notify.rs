//! What systemd hears of the service, and the trouble that a service meets at three in the morning.

use crate::program::Place;
use crate::service::Service;
use std::fs::{self, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Longest wait for what has to happen.
const DEADLINE: Duration = Duration::from_mins(1);
const REFUSALS: &str = "SELECT count(*) FROM noqueue";

/// A service manager: a socket that hears what the service tells.
struct Manager {
    socket: UnixDatagram,
    heard: Vec<String>,
}

impl Manager {
    fn new(place: &Place) -> Self {
        let socket = UnixDatagram::bind(place.path("notify")).unwrap();
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        Self {
            socket,
            heard: Vec::new(),
        }
    }

    /// Starts the service as systemd does, with a watchdog of two seconds.
    fn start(place: &Place, args: &[&str]) -> Child {
        let said = OpenOptions::new()
            .create(true)
            .append(true)
            .open(place.path("said"))
            .unwrap();
        place
            .command(&[&["ingest"], args].concat())
            .env("NOTIFY_SOCKET", place.path("notify"))
            .env("WATCHDOG_USEC", "2000000")
            .stderr(said)
            .spawn()
            .unwrap()
    }

    /// Hears one message.
    fn hear(&mut self) -> &str {
        let mut buffer = [0; 4096];
        let length = self
            .socket
            .recv(&mut buffer)
            .expect("nothing is heard any more");
        self.heard
            .push(String::from_utf8_lossy(&buffer[..length]).into_owned());
        self.heard.last().unwrap()
    }

    /// Hears until one of the messages has the text.
    fn until(&mut self, text: &str) {
        let begun = Instant::now();
        while !self.hear().contains(text) {
            assert!(
                begun.elapsed() < DEADLINE,
                "never heard {text}: {:?}",
                self.heard
            );
        }
    }
}

/// Ends a process whatever happens.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn refusal(number: usize) -> String {
    format!(
        "2026-11-21T10:00:00.{number:06}+00:00 mx1 postfix/smtpd[7]: NOQUEUE: reject: RCPT from unknown[192.0.2.9]: 550 5.1.1 \
         <to{number}@example.com>: no; from=<a@example.org> to=<to{number}@example.com> proto=ESMTP helo=<x.example>\n"
    )
}

fn add(log: &Path, numbers: std::ops::Range<usize>) {
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(log)
        .unwrap();
    let text: String = numbers.map(refusal).collect();
    file.write_all(text.as_bytes()).unwrap();
}

#[test]
fn systemd_hears_that_it_is_ready_what_it_does_and_that_it_lives() {
    let place = Place::new();
    let log = place.path("mail.log");
    add(&log, 0..3);
    let mut manager = Manager::new(&place);
    let _service = Killed(Manager::start(&place, &["--follow", log.to_str().unwrap()]));
    manager.until("READY=1");
    manager.until("STATUS=following");
    // Idle for longer than the watchdog waits.
    let idle = Instant::now();
    let mut pings = 0;
    while idle.elapsed() < Duration::from_secs(3) {
        pings += usize::from(manager.hear().contains("WATCHDOG=1"));
    }
    assert!(pings >= 4, "{:?}", manager.heard);
    let ready = manager.heard.iter().filter(|h| h.contains("READY=1"));
    assert_eq!(ready.count(), 1);
}

#[test]
fn a_database_in_use_is_waited_for_and_a_second_service_is_not() {
    let place = Place::new();
    let log = place.path("mail.log");
    add(&log, 0..3);
    let follow = ["--follow", log.to_str().unwrap()];
    let mut import = Killed(
        place
            .command(&["ingest", "-q", "-"])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap(),
    );
    let mut lines = import.0.stdin.take().unwrap();
    lines.write_all(refusal(7).as_bytes()).unwrap();
    let begun = Instant::now();
    while !place.run(&["status"]).stderr.contains("is in use by") {
        assert!(begun.elapsed() < DEADLINE, "the import does not begin");
    }
    let mut manager = Manager::new(&place);
    let service = Killed(Manager::start(&place, &follow));
    manager.until("STATUS=waiting: ");
    assert!(
        manager
            .heard
            .last()
            .unwrap()
            .contains("is in use by maillog (pid")
    );
    assert!(!manager.heard.iter().any(|h| h.contains("READY=1")));
    drop(lines);
    import.0.wait().unwrap();
    manager.until("READY=1");
    let second = place.run(&[&["ingest"], &follow[..]].concat());
    assert_eq!(second.code, Some(2));
    assert!(
        second.stderr.contains("another maillog service (pid "),
        "{}",
        second.stderr
    );
    let begun = Instant::now();
    while place.number(REFUSALS) != 4 {
        assert!(begun.elapsed() < DEADLINE, "{:?}", manager.heard);
    }
    drop(service);
    assert_eq!(place.number(REFUSALS), 4);
}

#[test]
fn settings_or_a_place_that_cannot_be_end_it_with_a_reason() {
    let place = Place::new();
    let log = place.path("mail.log");
    add(&log, 0..3);
    let file = place.path("maillog.toml");
    fs::write(&file, "[serve]\ngruop = 'x'\n").unwrap();
    let follow = ["ingest", "--follow", log.to_str().unwrap()];
    let wrong = place.run(&[&["--config", file.to_str().unwrap()], &follow[..]].concat());
    assert_eq!(wrong.code, Some(2));
    assert!(
        wrong.stderr.contains("cannot understand"),
        "{}",
        wrong.stderr
    );
    let below = log.join("m.duckdb");
    let wrong = place.run(&[&["--db", below.to_str().unwrap()], &follow[..]].concat());
    assert_eq!(wrong.code, Some(2));
    assert!(
        wrong.stderr.contains("mail.log is not a directory"),
        "{}",
        wrong.stderr
    );
}

/// A file system of its own size, until dropped.
struct Small(std::path::PathBuf);

impl Small {
    fn mount(path: &Path, size: &str) -> Option<Self> {
        fs::create_dir_all(path).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "none"])
            .arg(path)
            .stderr(Stdio::null())
            .status();
        mounted
            .is_ok_and(|status| status.success())
            .then(|| Self(path.to_path_buf()))
    }

    fn resize(&self, size: &str) {
        let remount = format!("remount,size={size}");
        let status = Command::new("mount")
            .args(["-o", &remount])
            .arg(&self.0)
            .status();
        assert!(status.unwrap().success());
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_is_said_waited_for_and_loses_nothing() {
    let place = Place::new();
    let Some(disk) = Small::mount(&place.path("disk"), "2m") else {
        crate::skip::skip("a full disk (cannot mount)");
        return;
    };
    let db = place.path("disk/maillog.duckdb");
    let log = place.path("mail.log");
    add(&log, 0..20_000);
    let follow = [
        "--db",
        db.to_str().unwrap(),
        "--follow",
        log.to_str().unwrap(),
    ];
    let service = Service::start(&place, &follow);
    service.until_said("no space left for");
    service.until_said("restarting in 1 s");
    add(&log, 20_000..20_100);
    service.until_said("failed 2 times in a row");
    disk.resize("200m");
    // Asked in the pauses of the service where there is no socket yet.
    let count = || {
        let asked = place.run(&["--db", db.to_str().unwrap(), "sql", "-o", "tsv", REFUSALS]);
        asked.stdout.lines().last().map(str::to_owned)
    };
    let begun = Instant::now();
    while count().as_deref() != Some("20100") {
        assert!(
            begun.elapsed() < DEADLINE,
            "{:?}: {}",
            count(),
            service.said()
        );
    }
    let mut said = String::new();
    fs::File::open(place.path("said"))
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    assert!(said.lines().count() < 20, "{said}");
}
