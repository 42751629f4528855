//! An import or a service that is killed at any moment and run again stores what one import stores.
//!
//! `MAILLOG_CRASHES=200 cargo test --release --test it crash` kills the service 200 times.

use crate::program::{Place, say, shared};
use crate::random::Random;
use crate::resume;
use crate::service::Service;
use crate::tables::Tables;
use nix::sys::signal::Signal;
use std::fs;
use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// More than one batch, so that there are moments between two.
const LINES: &str = "400000";
/// A present that is not that of the run: what is stored may depend on it.
const NOW: &str = "2026-11-22T00:00:00Z";
/// Imports that are killed, each up to three times before it may end.
const IMPORTS: usize = 5;

fn start(place: &Place, log: &Path) -> Command {
    let mut command = place.command(&["ingest", "--quiet", "--now", NOW]);
    command.arg(log).stdout(Stdio::null());
    command
}

#[test]
fn an_import_that_is_killed_and_run_again_equals_one_import() {
    let Some(rig) = shared("postfix-rig", "imports that are killed") else {
        return;
    };
    let whole = Place::new();
    let log = whole.path("big.log");
    let generated = Command::new(rig.join("loggen"))
        .args([
            "--lines", LINES, "--rate", "0.5", "--format", "rfc3339", "--out",
        ])
        .arg(&log)
        .arg("--truth")
        .arg(whole.path("truth.json"))
        .status()
        .unwrap();
    assert!(generated.success());
    let begun = Instant::now();
    assert!(start(&whole, &log).status().unwrap().success());
    let mut duration = usize::try_from(begun.elapsed().as_millis()).unwrap();
    let expected = Tables::of(&whole);

    let mut random = Random(2);
    let (mut kills, mut midway) = (0, 0);
    for import in 0..IMPORTS {
        let place = Place::new();
        for _ in 0..3 {
            let mut child = start(&place, &log).spawn().unwrap();
            std::thread::sleep(Duration::from_millis(random.below(duration) as u64));
            child.kill().unwrap();
            if child.wait().unwrap().signal().is_some() {
                kills += 1;
            } else {
                // The machine has become faster since it was measured.
                duration = duration * 2 / 3 + 1;
            }
        }
        let stored = place.run(&["sql", "-o", "tsv", "SELECT count(*) > 0 FROM delivery_to"]);
        midway += usize::from(stored.stdout.contains("true"));
        assert!(start(&place, &log).status().unwrap().success());
        expected.expect_same(&Tables::of(&place), &format!("killed import {import}"));
    }
    say(&format!(
        "{kills} of {} kills hit; {midway} of {IMPORTS} last runs began on stored rows; one import takes {duration} ms",
        IMPORTS * 3
    ));
    assert!(kills >= IMPORTS);
}

/// A log that is written and rotated as chance has it, so that one import of all of it is the measure.
struct Living<'p> {
    place: &'p Place,
    name: &'static str,
    log: &'p [u8],
    written: usize,
    rotated: Vec<String>,
    rotations: usize,
    random: Random,
}

impl<'p> Living<'p> {
    fn new(place: &'p Place, name: &'static str, log: &'p [u8], seed: u64) -> Self {
        fs::create_dir_all(place.path("logs")).unwrap();
        Self {
            place,
            name,
            log,
            written: 0,
            rotated: Vec::new(),
            rotations: 0,
            random: Random(seed),
        }
    }

    fn path(&self) -> PathBuf {
        self.place.path(&format!("logs/{}", self.name))
    }

    /// Appends up to `limit` bytes, wherever that cuts a line.
    fn write(&mut self, limit: usize) {
        let end = (self.written + 1 + self.random.below(limit)).min(self.log.len());
        let mut options = fs::OpenOptions::new();
        let path = self.path();
        let mut file = options.append(true).create(true).open(path).unwrap();
        file.write_all(&self.log[self.written..end]).unwrap();
        self.written = end;
    }

    /// Renames the log, or copies it and cuts it short, or compresses what it was before.
    fn rotate(&mut self) {
        let path = self.path();
        let name = format!("logs/{}-{:04}", self.name, self.rotations);
        // A line that goes on in the next file is nobody's.
        let is_whole = self.written == 0 || self.log.get(self.written - 1) == Some(&b'\n');
        match self.random.below(3) {
            0 if path.exists() && is_whole => fs::rename(&path, self.place.path(&name)).unwrap(),
            1 if path.exists() && is_whole => {
                fs::copy(&path, self.place.path(&name)).unwrap();
                let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
                file.set_len(0).unwrap();
            }
            _ if !self.rotated.is_empty() => {
                let oldest = self.place.path(&self.rotated.remove(0));
                let gzip = Command::new("gzip").arg(oldest).status().unwrap();
                assert!(gzip.success());
                return;
            }
            _ => return,
        }
        self.rotated.push(name);
        self.rotations += 1;
    }

    /// Writes to the end of a line.
    fn finish_line(&mut self) {
        let rest = &self.log[self.written..];
        let end = rest
            .iter()
            .position(|byte| *byte == b'\n')
            .map_or(0, |end| end + 1);
        let mut options = fs::OpenOptions::new();
        let path = self.path();
        let mut file = options.append(true).create(true).open(path).unwrap();
        file.write_all(&rest[..end]).unwrap();
        self.written += end;
    }

    /// Lets a moment pass in which something happens.
    fn live(&mut self, limit: usize) {
        for _ in 0..=self.random.below(5) {
            match self.random.below(8) {
                0 => {
                    self.finish_line();
                    self.rotate();
                }
                1 => {
                    let milliseconds = self.random.below(400) as u64;
                    std::thread::sleep(Duration::from_millis(milliseconds));
                }
                _ => {
                    self.write(limit);
                    std::thread::sleep(Duration::from_millis(20));
                }
            }
        }
    }
}

/// A log of about so many lines that ended yesterday: what is young may be kept longer.
fn recent_log(lines: usize) -> Option<Vec<u8>> {
    let rig = shared("postfix-rig", "a service that is killed")?;
    let place = Place::new();
    let start = chrono::Utc::now() - chrono::TimeDelta::days(2);
    let rate = lines / 86_400 + 1;
    let generated = Command::new(rig.join("loggen"))
        .args(["--lines", &lines.to_string(), "--rate", &rate.to_string()])
        .args(["--start", &start.format("%Y-%m-%dT%H:%M:%S").to_string()])
        .args(["--format", "rfc3339", "--out"])
        .arg(place.path("log"))
        .arg("--truth")
        .arg(place.path("truth"))
        .status()
        .unwrap();
    assert!(generated.success());
    Some(fs::read(place.path("log")).unwrap())
}

fn import(log: &[u8]) -> Tables {
    let place = Place::new();
    fs::write(place.path("mail.log"), log).unwrap();
    let path = place.path("mail.log").display().to_string();
    place.succeed(&["ingest", "--quiet", &path]);
    Tables::of(&place)
}

fn lines_of(log: &[u8]) -> i64 {
    i64::try_from(log.split(|byte| *byte == b'\n').count() - 1).unwrap()
}

/// All lines that were read, of any kind.
const READ: &str = "SELECT coalesce(sum(lines), 0)::BIGINT FROM coverage";

#[test]
fn a_service_that_is_killed_while_the_log_lives_equals_one_import() {
    let crashes = std::env::var("MAILLOG_CRASHES").map_or(6, |count| count.parse().unwrap());
    let seed = std::env::var("MAILLOG_SEED").map_or(3, |seed| seed.parse().unwrap());
    let Some(log) = recent_log(20_000 + 3000 * crashes) else {
        return;
    };
    let expected = import(&log);
    let place = Place::new();
    let mut living = Living::new(&place, "mail.log", &log, seed);
    living.write(1000);
    living.finish_line();
    let path = place.path("logs/mail.log").display().to_string();
    let mut service = Service::start(&place, &["--follow", &path]);
    // What is rotated before the first commit was never followed.
    service.until(READ, lines_of(&log[..living.written]));
    let limit = log.len() / (crashes * 2) + 1;
    let done = AtomicBool::new(false);
    let (stops, answers) = std::thread::scope(|scope| {
        let asking = scope.spawn(|| ask_until(&done, &place));
        let mut stops = 0;
        for crash in 0..crashes {
            if crash % 3 == 0 {
                // Killed early and late.
                service.until_up();
            }
            living.live(limit);
            if crash % 5 == 1 {
                service.signal(Signal::SIGSTOP);
                living.live(limit);
                stops += 1;
                if living.random.below(2) == 0 {
                    service.signal(Signal::SIGCONT);
                    living.live(limit);
                }
            }
            service.kill();
            if living.random.below(2) == 0 {
                living.live(limit);
            }
            service.restart();
        }
        done.store(true, Ordering::Relaxed);
        (stops, asking.join().unwrap())
    });
    while living.written < log.len() {
        living.write(log.len());
    }
    service.until(READ, lines_of(&log));
    service.kill();
    expected.expect_same(&Tables::of(&place), "a service that was killed");
    say(&format!(
        "{crashes} kills, {stops} stops, {} rotations, {answers} answers meanwhile",
        living.rotations
    ));
    assert!(answers > 0);
    assert_eq!(
        service.said().matches("missing").count(),
        0,
        "{}",
        service.said()
    );
}

/// Returns the log with lines of other programs in it.
fn with_others(log: &[u8]) -> Vec<u8> {
    let mut all = Vec::new();
    for (number, line) in log.split_inclusive(|byte| *byte == b'\n').enumerate() {
        all.extend_from_slice(line);
        if number % 4 == 0 {
            let stamp = line.split(|byte| *byte == b' ').next().unwrap();
            all.extend_from_slice(stamp);
            all.extend_from_slice(b" mx1 CRON[7]: (root) CMD (true)\n");
        }
    }
    all
}

#[test]
fn a_service_that_is_killed_while_two_files_tell_the_same_equals_one_import() {
    let crashes = std::env::var("MAILLOG_CRASHES").map_or(6, |count| count.parse().unwrap());
    let seed = std::env::var("MAILLOG_SEED").map_or(4, |seed| seed.parse().unwrap());
    let Some(log) = recent_log(10_000 + 2000 * crashes) else {
        return;
    };
    let expected = {
        let place = Place::new();
        fs::write(place.path("mail.log"), &log).unwrap();
        let path = place.path("mail.log").display().to_string();
        place.succeed(&["ingest", "--quiet", &path]);
        Tables::of_mail(&place)
    };
    let place = Place::new();
    let other = with_others(&log);
    let mut both = [
        Living::new(&place, "mail.log", &log, seed),
        Living::new(&place, "syslog", &other, seed + 1),
    ];
    for living in &mut both {
        living.write(1000);
        living.finish_line();
    }
    let paths = both
        .each_ref()
        .map(|living| living.path().display().to_string());
    let mut service = Service::start(&place, &["--follow", &paths[0], &paths[1]]);
    let read = "SELECT coalesce(sum(lines + known), 0)::BIGINT FROM coverage";
    let lines = both
        .each_ref()
        .map(|living| lines_of(&living.log[..living.written]));
    service.until(read, lines[0] + lines[1]);
    for crash in 0..crashes {
        if crash % 3 == 0 {
            service.until_up();
        }
        for living in &mut both {
            living.live(living.log.len() / (crashes * 2) + 1);
        }
        service.kill();
        service.restart();
    }
    for living in &mut both {
        while living.written < living.log.len() {
            living.write(living.log.len());
        }
    }
    service.until(read, lines_of(&log) + lines_of(&other));
    service.kill();
    expected.expect_same(&Tables::of_mail(&place), "two files");
    let known = place.number("SELECT sum(known)::BIGINT FROM coverage");
    say(&format!("{crashes} kills, {known} lines were known"));
}

/// Asks again and again, beside the service or, while there is none, by itself; returns how often there was an answer.
fn ask_until(done: &AtomicBool, place: &Place) -> usize {
    let mut answers = 0;
    while !done.load(Ordering::Relaxed) {
        let asked = place.run(&["find", "@example.com", "--all", "-o", "count"]);
        // A service that dies or stands still is an error to tell, nothing else is.
        assert!(matches!(asked.code, Some(0..=2)), "{asked:?}");
        answers += usize::from(asked.code != Some(2));
        std::thread::sleep(Duration::from_millis(20));
    }
    answers
}

/// A small file system on a place, until it is dropped.
struct Small<'p>(&'p Place);

impl<'p> Small<'p> {
    fn mount(place: &'p Place, options: &str) -> Option<Self> {
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "tmpfs"])
            .arg(place.path(""))
            .stderr(Stdio::null())
            .status();
        mount
            .is_ok_and(|status| status.success())
            .then_some(Self(place))
    }

    /// Fills it to the last byte.
    fn fill(&self) {
        let mut ballast = fs::File::create(self.0.path("ballast")).unwrap();
        while ballast.write_all(&[0; 4096]).is_ok() {}
    }
}

impl Drop for Small<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount")
            .arg("--lazy")
            .arg(self.0.path(""))
            .status();
    }
}

#[test]
fn a_service_whose_disk_is_full_loses_nothing() {
    let (place, elsewhere) = (Place::new(), Place::new());
    let Some(small) = Small::mount(&place, "size=64m") else {
        return crate::skip::skip("a full disk (mounting a small one needs root)");
    };
    // What it says must not need the space that is not there.
    std::os::unix::fs::symlink(elsewhere.path("said"), place.path("said")).unwrap();
    let log = resume::demo();
    let expected = import(&log);
    let path = elsewhere.path("mail.log");
    fs::write(&path, &log[..log.len() / 2]).unwrap();
    let mut service = Service::start(&place, &["--follow", path.to_str().unwrap()]);
    service.until(READ, lines_of(&log[..log.len() / 2]));
    small.fill();
    // Added to: a file that is written anew is cut short for a moment.
    let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(&log[log.len() / 2..]).unwrap();
    service.until_said("space");
    fs::remove_file(place.path("ballast")).unwrap();
    service.until(READ, lines_of(&log));
    service.kill();
    expected.expect_same(&Tables::of(&place), "a disk that was full");
    say(service.said().lines().nth(1).unwrap_or_default());
}
