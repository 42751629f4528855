//! Journals that grow, rotate, lose files and break while the service follows them, made by systemd-journal-remote and
//! judged by journalctl.

use crate::program::{Place, say};
use crate::random::Random;
use crate::resume;
use crate::service::Service;
use crate::tables::Tables;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

const REMOTE: &str = "/lib/systemd/systemd-journal-remote";
const BOOT: &str = "c681767187715d4da7d2a31276ab470d";
/// All lines that were read, of any kind.
const LINES: &str = "SELECT coalesce(sum(lines), 0)::BIGINT FROM coverage";

fn is_missing() -> bool {
    let missing = !Path::new(REMOTE).exists();
    if missing {
        say("systemd-journal-remote is not installed: growing journals are not tested");
    }
    missing
}

/// An entry to be written.
#[derive(Clone)]
struct Entry {
    micros: i64,
    host: String,
    ident: String,
    pid: String,
    message: Vec<u8>,
    unit: &'static str,
}

impl Entry {
    fn new(micros: i64, ident: &str, message: &[u8]) -> Self {
        Self {
            micros,
            host: "mx1".to_owned(),
            ident: ident.to_owned(),
            pid: "7".to_owned(),
            message: message.to_vec(),
            unit: "postfix@-.service",
        }
    }

    fn export(&self, out: &mut Vec<u8>) {
        let mut text = String::new();
        let mono = self.micros - 1_790_000_000_000_000;
        let _ = write!(
            text,
            "__REALTIME_TIMESTAMP={0}\n__MONOTONIC_TIMESTAMP={mono}\n_BOOT_ID={BOOT}\n_TRANSPORT=syslog\n\
             _SOURCE_REALTIME_TIMESTAMP={0}\n_HOSTNAME={1}\nSYSLOG_IDENTIFIER={2}\n_COMM={3}\nSYSLOG_PID={4}\n_UID=0\n\
             _SYSTEMD_UNIT={5}\n",
            self.micros,
            self.host,
            self.ident,
            self.ident.rsplit('/').next().unwrap(),
            self.pid,
            self.unit,
        );
        out.extend_from_slice(text.as_bytes());
        out.extend_from_slice(b"MESSAGE\n");
        out.extend_from_slice(&(self.message.len() as u64).to_le_bytes());
        out.extend_from_slice(&self.message);
        out.extend_from_slice(b"\n\n");
    }
}

/// The entries of the demo's log.
fn demo() -> (String, Vec<Entry>) {
    let log = String::from_utf8(resume::demo()).unwrap();
    let mut lines: Vec<&str> = log.lines().collect();
    // journald stores entries in the order in which they come.
    lines.sort_by_key(|line| line.split_once(' ').unwrap().0);
    let entries = lines.iter().map(|line| {
        let mut parts = line.splitn(4, ' ');
        let mut part = || parts.next().unwrap();
        let (stamp, host, tag, text) = (part(), part(), part(), part());
        let (ident, pid) = tag.trim_end_matches(':').split_once('[').unwrap();
        Entry {
            micros: micros(stamp),
            host: host.to_owned(),
            pid: pid.trim_end_matches(']').to_owned(),
            ..Entry::new(0, ident, text.as_bytes())
        }
    });
    let entries = entries.collect();
    (lines.join("\n") + "\n", entries)
}

/// Reads `2026-11-21T03:21:40.000426+00:00`, all of one month.
fn micros(stamp: &str) -> i64 {
    let number = |from: usize, to: usize| stamp.get(from..to).unwrap().parse::<i64>().unwrap();
    assert!(
        stamp.starts_with("2026-11-") && stamp.ends_with("+00:00"),
        "{stamp}"
    );
    // 2026-11-01T00:00:00Z
    let seconds = 1_793_491_200
        + (number(8, 10) - 1) * 86_400
        + number(11, 13) * 3600
        + number(14, 16) * 60
        + number(17, 19);
    seconds * 1_000_000 + number(20, 26)
}

/// Adds entries to a journal file.
fn add(file: &Path, entries: &[Entry]) {
    let mut export = Vec::new();
    for entry in entries {
        entry.export(&mut export);
    }
    let mut remote = Command::new(REMOTE)
        .arg(format!("--output={}", file.display()))
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    remote.stdin.take().unwrap().write_all(&export).unwrap();
    assert!(remote.wait().unwrap().success());
}

/// Returns how many entries journalctl finds.
fn judged(directory: &Path) -> usize {
    let output = Command::new("journalctl")
        .args(["-o", "cat", "--output-fields=_BOOT_ID", "-q", "-D"])
        .arg(directory)
        .output()
        .unwrap();
    output.stdout.split(|b| *b == b'\n').count() - 1
}

fn place_with_journal() -> Place {
    let place = Place::new();
    fs::create_dir(place.path("journal")).unwrap();
    place
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

#[test]
fn catching_up_following_and_importing_agree() {
    if is_missing() {
        return;
    }
    let (log, entries) = demo();
    let files = Place::new();
    fs::write(files.path("mail.log"), &log).unwrap();
    files.succeed(&["ingest", &text(&files.path("mail.log"))]);
    let expected = Tables::of(&files);
    assert!(expected.count() > 100);

    let place = place_with_journal();
    let (directory, file) = (place.path("journal"), place.path("journal/system.journal"));
    let mut random = Random(3);
    let third = entries.len() / 3;
    add(&file, &entries[..third]);
    let mut service = Service::start(&place, &["--directory", &text(&directory)]);
    let mut at = third;
    let mut kills = 0;
    while at < entries.len() {
        let end = (at + 1 + random.below(150)).min(entries.len());
        add(&file, &entries[at..end]);
        at = end;
        if random.below(2) == 0 {
            service.restart();
            kills += 1;
        }
    }
    assert_eq!(judged(&directory), entries.len());
    service.until(LINES, i64::try_from(entries.len()).unwrap());
    service.kill();
    say(&format!(
        "{kills} kills of a service that followed a journal"
    ));
    // All columns of all tables: the entries carry what the lines do.
    expected.expect_same(&Tables::of(&place), "following a journal");

    let once = Place::new();
    once.succeed(&["ingest", &text(&file)]);
    expected.expect_same(&Tables::of(&once), "importing a journal file");
}

#[test]
fn entries_of_rotated_files_are_read_and_those_removed_are_said_to_be_missing() {
    if is_missing() {
        return;
    }
    let (_, entries) = demo();
    let place = place_with_journal();
    let directory = place.path("journal");
    let file = |name: &str| directory.join(name);
    let (a, b, c) = (&entries[..200], &entries[200..400], &entries[400..600]);
    add(&file("system@a.journal"), a);
    let mut service = Service::start(&place, &["--directory", &text(&directory)]);
    service.until(LINES, 200);
    // A file more while it runs: a rotation.
    add(&file("system@b.journal"), b);
    service.until(LINES, 400);
    service.kill();
    assert_eq!(place.number("SELECT sum(lost)::BIGINT FROM coverage"), 0);
    // Rotated and vacuumed while it did not: what was read last is gone, and perhaps more.
    fs::remove_file(file("system@a.journal")).unwrap();
    fs::remove_file(file("system@b.journal")).unwrap();
    add(&file("system.journal"), c);
    service.restart();
    service.until(LINES, 600);
    service.restart();
    service.until(LINES, 600);
    service.kill();
    assert_eq!(place.number("SELECT sum(lost)::BIGINT FROM coverage"), 1);
    assert_eq!(
        place.number(
            "SELECT count FROM event WHERE level = 'loss' AND sample LIKE '%removed before maillog read them'"
        ),
        1
    );
    let said = service.said();
    assert_eq!(
        said.matches("removed before maillog read").count(),
        1,
        "{said}"
    );
}

#[test]
fn a_file_that_goes_after_it_was_read_is_no_loss() {
    if is_missing() {
        return;
    }
    let (_, entries) = demo();
    let place = place_with_journal();
    let directory = place.path("journal");
    let file = |name: &str| directory.join(name);
    add(&file("system@a.journal"), &entries[..100]);
    add(&file("system.journal"), &entries[100..200]);
    let mut service = Service::start(&place, &["--directory", &text(&directory)]);
    service.until(LINES, 200);
    fs::remove_file(file("system@a.journal")).unwrap();
    add(&file("system.journal"), &entries[200..300]);
    service.until(LINES, 300);
    service.restart();
    service.until(LINES, 300);
    service.kill();
    assert_eq!(place.number("SELECT sum(lost)::BIGINT FROM coverage"), 0);
}

#[test]
fn a_damaged_file_is_named_and_the_others_are_read() {
    if is_missing() {
        return;
    }
    let (_, entries) = demo();
    let place = place_with_journal();
    let directory = place.path("journal");
    let broken = directory.join("system@broken.journal");
    add(&broken, &entries[..50]);
    add(&directory.join("system.journal"), &entries[50..150]);
    let damaged = fs::OpenOptions::new().write(true).open(&broken).unwrap();
    damaged.set_len(100).unwrap();
    damaged
        .set_modified(SystemTime::now() - Duration::from_mins(1))
        .unwrap();
    let mut service = Service::start(&place, &["--directory", &text(&directory)]);
    service.until(LINES, 100);
    service.until_said("system@broken.journal is damaged");
}

#[test]
fn a_directory_that_comes_goes_and_comes_again_is_waited_for() {
    if is_missing() {
        return;
    }
    let (_, entries) = demo();
    let place = Place::new();
    let directory = place.path("journal");
    let mut service = Service::start(&place, &["--directory", &text(&directory)]);
    service.until_said("retrying");
    fs::create_dir(&directory).unwrap();
    service.until_said("no readable journal file");
    add(&directory.join("system.journal"), &entries[..100]);
    service.until(LINES, 100);
    fs::remove_dir_all(&directory).unwrap();
    fs::create_dir(&directory).unwrap();
    add(&directory.join("system.journal"), &entries[100..200]);
    service.until(LINES, 200);
}

#[test]
fn whoever_logs_as_postfix_is_read_and_nobody_else() {
    if is_missing() {
        return;
    }
    let place = place_with_journal();
    let directory = place.path("journal");
    let start = 1_795_231_300_000_000;
    let mut micros = start;
    let mut at = |ident: &str, message: &[u8]| {
        micros += 1000;
        Entry::new(micros, ident, message)
    };
    let nested = b"Nov 21 03:21:40 box mail/qmgr[12]: 4jWctr3YP4z5rsG: removed";
    let quoted =
        b"maillog: not understood: Nov 21 03:21:40 box postfix/qmgr[12]: 4jWctr3YP4z5rsG: removed";
    let wanted = [
        at("postfix/smtpd", b"connect from unknown[192.0.2.1]"),
        at("postfix-out/smtp", b"4jWctr3YP4z5rsG: passing"),
        at("eigener-name/qmgr", b"4jWctr3YP4z5rsG: removed"),
        at("submission/smtpd", b"connect from unknown[192.0.2.1]"),
        at("opendkim", b"4jWctr3YP4z5rsG: no signature data"),
        at("dovecot", b"lmtp(7): Connect from local"),
        at("3f2a9c01d3e4", nested),
    ];
    let foreign = [
        at("maillog", quoted),
        at("maillog", b"connect from postfix/smtpd"),
        at("kernel", b"postfix/smtpd[1]: out of memory"),
        at("sshd", b"Accepted publickey"),
        at("/usr/sbin/cron", b"(root) CMD"),
    ];
    // Identifiers that appear while it follows must be found, too.
    let file = directory.join("system.journal");
    add(&file, &foreign);
    add(&file, &wanted[..2]);
    let mut service = Service::start(&place, &["--directory", &text(&directory)]);
    service.until(LINES, 2);
    add(&file, &wanted[2..]);
    service.until(LINES, i64::try_from(wanted.len()).unwrap());
    service.kill();
    assert_eq!(
        place.number("SELECT sum(\"foreign\")::BIGINT FROM coverage"),
        0
    );
}

#[test]
fn odd_messages_do_not_hide_their_neighbours() {
    if is_missing() {
        return;
    }
    let place = place_with_journal();
    let file = place.path("journal/system.journal");
    let start = 1_795_231_300_000_000;
    let mut huge = b"4jWctr3YP4z5rsG: to=<a@example.com>, relay=none, status=bounced (".to_vec();
    huge.resize(3 << 20, b'x');
    let entry = |n: i64, ident: &str, message: &[u8]| Entry::new(start + n, ident, message);
    let entries = [
        entry(1, "postfix/smtpd", b"connect from unknown[192.0.2.1]"),
        entry(
            2,
            "postfix/cleanup",
            b"4jWctr3YP4z5rsG: message-id=<\xff\xfe\x00\x80@example.com>",
        ),
        entry(3, "postfix/smtp", &huge),
        entry(
            4,
            "postfix/smtpd",
            b"disconnect from unknown[192.0.2.1]\nconnect from unknown[192.0.2.2]",
        ),
        entry(
            5,
            "systemd-journald",
            b"Suppressed 1234 messages from postfix@-.service",
        ),
        entry(
            6,
            "systemd-journald",
            b"Suppressed 99 messages from other.service",
        ),
        // A clock that steps back by an hour.
        entry(
            -3_600_000_000,
            "postfix/smtpd",
            b"connect from unknown[192.0.2.3]",
        ),
        entry(7, "postfix/smtpd", b"disconnect from unknown[192.0.2.2]"),
    ];
    add(&file, &entries);
    let other = Entry {
        host: "mx2".to_owned(),
        ..entry(8, "postfix/smtpd", b"connect from unknown[192.0.2.9]")
    };
    add(&file, &[other]);
    let mut service = Service::start(&place, &["--directory", &text(&place.path("journal"))]);
    // Nine entries, one of them of two lines.
    service.until(LINES, 10);
    service.kill();
    assert_eq!(place.number("SELECT sum(lost)::BIGINT FROM coverage"), 1234);
    assert_eq!(place.number("SELECT count(DISTINCT host) FROM coverage"), 2);
    assert_eq!(
        place.number("SELECT count(*) FROM connection WHERE outcome <> ''"),
        2
    );
    let once = Place::new();
    once.succeed(&["ingest", &text(&file)]);
    Tables::of(&once).expect_same(&Tables::of(&place), "odd messages");
}

#[test]
fn only_the_units_and_the_time_that_are_wanted_are_read() {
    if is_missing() {
        return;
    }
    let place = place_with_journal();
    let start = 1_795_231_300_000_000;
    let entry = |n: i64, unit: &'static str| Entry {
        unit,
        ..Entry::new(
            start + n * 1_000_000,
            "postfix/smtpd",
            b"connect from unknown[192.0.2.1]",
        )
    };
    let units = [
        "postfix@-.service",
        "postfix@out.service",
        "session-4.scope",
    ];
    let entries: Vec<Entry> = (0..30)
        .zip(units.into_iter().cycle())
        .map(|(n, unit)| entry(n, unit))
        .collect();
    add(&place.path("journal/system.journal"), &entries);
    let directory = text(&place.path("journal"));
    let args = [
        "--directory",
        &directory,
        "--unit",
        "postfix@-*",
        "--unit",
        "*out*",
        "--since",
        "@1795231310",
    ];
    let mut service = Service::start(&place, &args);
    // Of the last twenty seconds, those of two units of three: 10, 12, 13, 15, ... 28.
    let wanted = (10..30).filter(|n| n % 3 != 2).count();
    service.until(LINES, i64::try_from(wanted).unwrap());
    service.kill();
}

#[test]
fn a_second_service_is_refused_and_names_the_first() {
    let place = place_with_journal();
    let directory = text(&place.path("journal"));
    let service = Service::start(&place, &["--directory", &directory]);
    service.until_said("started");
    let second = place.run(&["ingest", "--directory", &directory]);
    assert_eq!(second.code, Some(2), "{second:?}");
    assert!(
        second.stderr.contains("another maillog service (pid "),
        "{}",
        second.stderr
    );
}

#[test]
fn a_database_that_another_program_has_is_waited_for() {
    if is_missing() {
        return;
    }
    let (log, entries) = demo();
    let place = place_with_journal();
    add(&place.path("journal/system.journal"), &entries[..100]);
    let mut other = place
        .command(&["ingest", "-q", "-"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = other.stdin.take().unwrap();
    // Older than the entries of the journal.
    let (first, _) = log.split_once('\n').unwrap();
    writeln!(pipe, "{}", first.replace("2026-11-21", "2026-11-20")).unwrap();
    let database = place.path("maillog.duckdb");
    while !database.exists() {
        std::thread::sleep(Duration::from_millis(20));
    }
    let mut service = Service::start(&place, &["--directory", &text(&place.path("journal"))]);
    service.until_said(&format!("is in use by maillog (pid {})", other.id()));
    drop(pipe);
    assert!(other.wait().unwrap().success());
    service.until_said("can be used again");
    service.until(LINES, 101);
    assert_eq!(service.said().matches("in use by").count(), 1, "told once");
}

#[test]
fn a_full_disk_is_waited_for_and_nothing_is_lost() {
    if is_missing() {
        return;
    }
    let (_, entries) = demo();
    let place = place_with_journal();
    let Some(mount) = Mount::small(&place) else {
        crate::skip::skip("a full disk under the service (no permission to mount)");
        return;
    };
    let small = mount.0.clone();
    let ballast = small.join("ballast");
    fs::write(&ballast, vec![1; 3_850_000]).unwrap();
    let database = text(&small.join("maillog.duckdb"));
    let file = place.path("journal/system.journal");
    add(&file, &entries);
    let directory = text(&place.path("journal"));
    let mut service =
        Service::start_with(&place, &["--db", &database], &["--directory", &directory]);
    service.until_said("no space left");
    service.until_said("restarting");
    fs::remove_file(&ballast).unwrap();
    let sum = "SELECT sum(lines)::BIGINT FROM coverage";
    service.until(sum, i64::try_from(entries.len()).unwrap());
    service.kill();
}

/// A file system of 4 MiB, unmounted at the end.
struct Mount(PathBuf);

impl Mount {
    fn small(place: &Place) -> Option<Self> {
        let path = place.path("small");
        fs::create_dir(&path).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=4m", "tmpfs"])
            .arg(&path)
            .output();
        mounted
            .is_ok_and(|mounted| mounted.status.success())
            .then_some(Self(path))
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
