//! A line that several sources tell counts once, in whatever order they are read.
//!
//! Files as rsyslog writes them (testlogs/twice), and a log as files, pipes, journal and containers have it: the demo, and
//! with `../shared` a generated one, of `MAILLOG_LINES` lines (60000 in bench/twice).

#![expect(
    clippy::string_slice,
    reason = "the lines are ASCII, and the test's own"
)]

use crate::program::{Differences, Place, say, shared};
use crate::resume::demo;
use crate::service::Service;
use crate::tables::Tables;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A present that is near to the log: what is stored may depend on it.
const NOW: &str = "2026-11-22T00:00:00Z";

fn ingest(place: &Place, files: &[&Path]) -> Value {
    let mut args = vec!["ingest", "--json", "--now", NOW];
    args.extend(files.iter().map(|path| path.to_str().unwrap()));
    serde_json::from_str(&place.succeed(&args)).unwrap()
}

fn pipe(place: &Place, file: &Path) -> Value {
    let output = place
        .command(&["ingest", "--json", "--now", NOW, "-"])
        .stdin(fs::File::open(file).unwrap())
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

fn known(summary: &Value) -> u64 {
    summary["known"].as_u64().unwrap()
}

/// Writes a file of the place.
fn write(place: &Place, name: &str, text: &str) -> PathBuf {
    let path = place.path(name);
    fs::write(&path, text).unwrap();
    path
}

/// What one import of the text alone stores.
fn alone(name: &str, text: &str) -> Tables {
    let place = Place::new();
    let path = write(&place, name, text);
    ingest(&place, &[&path]);
    Tables::of_mail(&place)
}

/// Logs to try, as RFC 3339 lines.
fn logs() -> Vec<(&'static str, String)> {
    let demo = String::from_utf8(demo()).unwrap();
    let one_host = demo
        .split_inclusive('\n')
        .filter(|line| line.contains(" mx1 "));
    let mut logs = vec![("one host", one_host.collect()), ("testlogs/demo", demo)];
    let lines = std::env::var("MAILLOG_LINES").unwrap_or("8000".to_owned());
    if let Some(rig) = shared("postfix-rig", "a generated log that is told twice") {
        let place = Place::new();
        let status = Command::new(rig.join("loggen"))
            .args([
                "--lines", &lines, "--rate", "2", "--format", "rfc3339", "--out",
            ])
            .arg(place.path("log"))
            .arg("--truth")
            .arg(place.path("truth"))
            .status()
            .unwrap();
        assert!(status.success());
        logs.push(("loggen", fs::read_to_string(place.path("log")).unwrap()));
    }
    logs
}

/// Returns the log with lines of other programs in it, as a file that holds everything has them.
fn with_others(log: &str) -> String {
    let mut text = String::new();
    for (number, line) in log.lines().enumerate() {
        if number % 3 == 0 {
            let (stamp, rest) = line.split_once(' ').unwrap();
            let host = rest.split(' ').next().unwrap();
            writeln!(text, "{stamp} {host} CRON[{number}]: (root) CMD (true)").unwrap();
        }
        writeln!(text, "{line}").unwrap();
    }
    text
}

/// The parts of an RFC 3339 line: microseconds, host, identifier, pid, text.
fn parts(line: &str) -> (i64, &str, &str, Option<&str>, &str) {
    let (stamp, rest) = line.split_once(' ').unwrap();
    let (host, rest) = rest.split_once(' ').unwrap();
    let (tag, text) = rest.split_once(": ").unwrap_or((rest, ""));
    let time = chrono::DateTime::parse_from_rfc3339(stamp).unwrap();
    let (ident, pid) = match tag.split_once('[') {
        Some((ident, pid)) => (ident, pid.strip_suffix(']')),
        None => (tag, None),
    };
    (time.timestamp_micros(), host, ident, pid, text)
}

/// The log as a journal exports it; an entry may have been taken in by journald a little later.
fn journal(log: &str, late: i64) -> String {
    let mut text = String::new();
    for line in log.lines() {
        let (time, host, ident, pid, message) = parts(line);
        writeln!(
            text,
            "__CURSOR=i={time}\n__REALTIME_TIMESTAMP={}\n_HOSTNAME={host}\nSYSLOG_IDENTIFIER={ident}",
            time + late
        )
        .unwrap();
        if let Some(pid) = pid {
            writeln!(text, "SYSLOG_PID={pid}").unwrap();
        }
        writeln!(text, "MESSAGE={message}\n").unwrap();
    }
    text
}

/// The log as Docker keeps what a container wrote.
fn docker(log: &str, line_of: impl Fn(&str) -> String) -> String {
    let object = |line: &str| {
        let stamp = line.split(' ').next().unwrap().replace("+00:00", "Z");
        let log = format!("{}\n", line_of(line));
        format!(
            "{}\n",
            json!({"log": log, "stream": "stdout", "time": stamp})
        )
    };
    log.lines().map(object).collect()
}

/// The line without stamp and host, as a container without syslog writes it.
fn bare(line: &str) -> String {
    line.splitn(3, ' ').nth(2).unwrap_or_default().to_owned()
}

/// The log as rsyslog's old format has it.
fn seconds(log: &str) -> String {
    let old = |line: &str| {
        let (stamp, rest) = line.split_once(' ').unwrap();
        let time = chrono::DateTime::parse_from_rfc3339(stamp).unwrap();
        format!("{} {rest}\n", time.format("%b %e %H:%M:%S"))
    };
    log.lines().map(old).collect()
}

#[test]
fn two_files_of_one_host_tell_one_message() {
    let (mail, syslog) = (
        Path::new("testlogs/twice/mail.log"),
        Path::new("testlogs/twice/syslog"),
    );
    let expected = alone("mail.log", &fs::read_to_string(mail).unwrap());
    let mut differences = Differences::default();
    let mut check = |how: &str, place: &Place| {
        let count = |sql: &str| place.number(&format!("SELECT count(*) FROM {sql}"));
        let found = [
            count("delivery_from WHERE removed IS NOT NULL"),
            count("delivery_to WHERE status = 'sent'"),
            count("delivery_attempt"),
            count("noqueue"),
            count("connection"),
            place.number("SELECT sum(count)::BIGINT FROM event"),
        ];
        differences.compare(how, [1, 3, 2, 2, 2, 1], found);
        expected.expect_same(&Tables::of_mail(place), how);
    };
    for (how, files) in [
        ("both", vec![vec![mail, syslog]]),
        ("both, the other way round", vec![vec![syslog, mail]]),
        ("one after the other", vec![vec![mail], vec![syslog]]),
        (
            "the other first",
            vec![vec![syslog], vec![mail], vec![syslog]],
        ),
        ("the directory", vec![vec![Path::new("testlogs/twice")]]),
    ] {
        let place = Place::new();
        for files in &files {
            ingest(&place, files);
        }
        check(how, &place);
        ingest(&place, &[mail, syslog]);
        check(&format!("{how}, and again"), &place);
        assert_eq!(known(&pipe(&place, syslog)), 18);
        check(&format!("{how}, and through a pipe"), &place);
    }
    for (how, piped) in [
        ("pipes", vec![mail, syslog]),
        ("pipes, the other first", vec![syslog, mail, syslog]),
        ("one pipe twice", vec![mail, mail]),
    ] {
        let place = Place::new();
        for file in piped {
            pipe(&place, file);
        }
        check(how, &place);
        ingest(&place, &[syslog, mail]);
        check(&format!("{how}, then files"), &place);
    }
    differences.none("two files");
}

#[test]
fn what_was_known_is_told() {
    let place = Place::new();
    let file = "testlogs/twice/mail.log";
    place.succeed(&["ingest", file]);
    let told = place.succeed(&["ingest", "testlogs/twice/syslog"]);
    let line =
        format!("18 lines were already read from another source and are stored once ({file})");
    assert!(told.contains(&line), "{told}");
    let rows = place
        .select("SELECT sum(lines)::BIGINT AS lines, sum(known)::BIGINT AS known FROM coverage");
    assert_eq!(rows, [json!({"lines": 18 + 12, "known": 18})]);
}

#[test]
fn a_log_that_comes_on_two_ways_equals_one_import() {
    for (name, log) in logs() {
        let host = log.lines().next().and_then(|line| line.split(' ').nth(1));
        let is_one_host = log.lines().all(|line| line.split(' ').nth(1) == host);
        let mut ways = vec![
            ("file", log.clone()),
            ("everything", with_others(&log)),
            ("journal", journal(&log, 0)),
            ("docker", docker(&log, str::to_owned)),
        ];
        if is_one_host {
            ways.push(("docker without a host", docker(&log, bare)));
        }
        let total = log.lines().count();
        for (first, a) in &ways {
            let expected = alone("first", a);
            for (second, b) in ways.iter().filter(|(second, _)| second != first) {
                let place = Place::new();
                let (a, b) = (write(&place, "a", a), write(&place, "b", b));
                ingest(&place, &[&a]);
                let told = ingest(&place, &[&b]);
                let how = format!("{name}: {first} and {second}");
                expected.expect_same(&Tables::of_mail(&place), &how);
                assert!(known(&told) > total as u64 / 2, "{how}: {told}");
                pipe(&place, &b);
                expected.expect_same(&Tables::of_mail(&place), &format!("{how}, and a pipe"));
            }
        }
        say(&format!("{name}: {total} lines on {} ways", ways.len()));
    }
}

#[test]
fn stamps_of_seconds_and_of_microseconds_are_one() {
    for (name, log) in logs() {
        let (exact, old) = (log.clone(), seconds(&log));
        for (first, second) in [(&exact, &old), (&old, &exact)] {
            let place = Place::new();
            let (a, b) = (write(&place, "a", first), write(&place, "b", second));
            ingest(&place, &[&a]);
            ingest(&place, &[&b]);
            alone("a", first).expect_same(&Tables::of_mail(&place), name);
        }
        // journald is a little late, over the end of a second now and then.
        let place = Place::new();
        let (a, b) = (
            write(&place, "a", &exact),
            write(&place, "b", &journal(&log, 30_000)),
        );
        ingest(&place, &[&a]);
        ingest(&place, &[&b]);
        alone("a", &exact).expect_same(&Tables::of_mail(&place), &format!("{name}, late"));
    }
}

#[test]
fn files_that_overlap_equal_one_import() {
    for (name, log) in logs() {
        let expected = alone("whole", &log);
        let lines: Vec<&str> = log.split_inclusive('\n').collect();
        let (third, half) = (lines.len() / 3, lines.len() / 2);
        let place = Place::new();
        let begin = write(&place, "begin", &lines[..third * 2].concat());
        let end = write(&place, "end", &lines[third..].concat());
        let middle = write(&place, "middle", &lines[half..half + 500].concat());
        ingest(&place, &[&end, &middle, &begin]);
        expected.expect_same(&Tables::of_mail(&place), &format!("{name}, in one command"));
        for again in [&middle, &end, &begin] {
            pipe(&place, again);
        }
        ingest(&place, &[&write(&place, "whole", &log)]);
        expected.expect_same(&Tables::of_mail(&place), &format!("{name}, and the whole"));
    }
}

#[test]
fn a_piece_whose_first_lines_repeat_each_other_adds_nothing() {
    let log = String::from_utf8(demo()).unwrap();
    let (head, rest) = log.split_at(log.len() / 2);
    let head = &head[..=head.rfind('\n').unwrap()];
    let stamp = head
        .lines()
        .last()
        .and_then(|line| line.split(' ').next())
        .unwrap();
    let line = format!("{stamp} mx1 postfix/smtpd[7]: connect from unknown[192.0.2.66]\n");
    let whole = format!(
        "{head}{}{}",
        line.repeat(300),
        &rest[rest.find('\n').unwrap() + 1..]
    );
    let expected = alone("whole", &whole);
    for run in [299, 200, 1] {
        let place = Place::new();
        let at = head.len() + (300 - run) * line.len();
        ingest(&place, &[&write(&place, "whole", &whole)]);
        ingest(&place, &[&write(&place, "piece", &whole[at..])]);
        expected.expect_same(&Tables::of_mail(&place), &format!("{run} lines alike"));
        let place = Place::new();
        pipe(&place, &write(&place, "whole", &whole));
        pipe(&place, &write(&place, "piece", &whole[at..]));
        expected.expect_same(
            &Tables::of_mail(&place),
            &format!("{run} lines alike, piped"),
        );
    }
}

#[test]
fn two_containers_hear_the_same_scanner() {
    let place = Place::new();
    let line = |pod: &str| {
        format!(
            "2026-11-21T10:00:00.5+00:00 {pod} postfix/smtpd[97]: NOQUEUE: reject: RCPT from unknown[203.0.113.9]: 554 5.7.1 \
             <x@elsewhere.test>: Relay access denied; from=<a@example.net> to=<x@elsewhere.test> proto=ESMTP helo=<x>\n"
        )
    };
    ingest(
        &place,
        &[
            &write(&place, "a", &line("mail-a")),
            &write(&place, "b", &line("mail-b")),
        ],
    );
    assert_eq!(place.number("SELECT count(*) FROM noqueue"), 2);
    // What the host has of both is known.
    let own = "2026-11-21T09:59:59+00:00 dockerhost systemd[1]: Started a timer.\n".to_owned();
    let relayed = write(&place, "syslog", &(own + &line("mail-b") + &line("mail-a")));
    assert_eq!(known(&ingest(&place, &[&relayed])), 2);
    assert_eq!(place.number("SELECT count(*) FROM noqueue"), 2);
}

#[test]
fn the_relay_of_a_containers_log_under_its_hosts_name_tells_its_messages_once() {
    let log = fs::read_to_string("testlogs/twice/mail.log").unwrap();
    let place = Place::new();
    ingest(&place, &[&write(&place, "container", &log)]);
    ingest(
        &place,
        &[&write(
            &place,
            "host",
            &log.replace(" mx1 ", " dockerhost "),
        )],
    );
    assert_eq!(place.number("SELECT count(*) FROM delivery_from"), 1);
    assert_eq!(place.number("SELECT count(*) FROM delivery_to"), 3);
    assert_eq!(place.number("SELECT count(*) FROM delivery_attempt"), 2);
}

#[test]
fn a_log_handed_to_the_service_that_has_it_adds_nothing() {
    let log = String::from_utf8(demo()).unwrap();
    let expected = alone("mail.log", &log);
    let place = Place::new();
    let half = log[..log.len() / 2].rfind('\n').unwrap() + 1;
    let path = write(&place, "mail.log", &log[..half]);
    let mut service = Service::start(&place, &["--follow", path.to_str().unwrap()]);
    let lines = i64::try_from(log[..half].lines().count()).unwrap();
    service.until(
        "SELECT coalesce(sum(lines), 0)::BIGINT FROM coverage",
        lines,
    );
    // It has what the service has not read yet, too.
    let other = write(&place, "syslog", &with_others(&log));
    let told: Value =
        serde_json::from_str(&place.succeed(&["ingest", "--json", other.to_str().unwrap()]))
            .unwrap();
    assert!(known(&told) > 500, "{told}");
    // Added to, as a syslog server does: a file that is written anew is cut short for a moment, and lines may be missing.
    let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(&log.as_bytes()[half..]).unwrap();
    let total = i64::try_from(log.lines().count()).unwrap();
    let read = "SELECT coalesce(sum(lines + known), 0)::BIGINT FROM coverage WHERE source_id = 1";
    service.until(read, total);
    service.kill();
    expected.expect_same(&Tables::of_mail(&place), "beside a service");
}
