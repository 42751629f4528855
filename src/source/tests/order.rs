//! Stamps against each other: two in one line, forms that change, stale ones, and logs whose newest line comes first.

use super::prefixes::case;
use super::{Hints, NOW, Owned, decode, options};
use crate::model::entry::Entry;
use crate::source::{Decoder, Error, collect};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

/// Writes a file of that age in days and reads it as an import does.
fn read_file(name: &str, log: &[u8], zone: &str, age: i64) -> Result<Vec<Owned>, Error> {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join(name);
    fs::write(&path, log).unwrap();
    let written = NOW.plus(-age * crate::model::time::DAY).0;
    let written = SystemTime::UNIX_EPOCH + Duration::from_micros(written.unsigned_abs());
    File::options()
        .append(true)
        .open(&path)
        .unwrap()
        .set_modified(written)
        .unwrap();
    read_path(&path, zone)
}

fn read_path(path: &Path, zone: &str) -> Result<Vec<Owned>, Error> {
    let options = options(zone);
    let (inputs, _) = collect(&[OsString::from(path)], &options)?;
    let mut entries = Vec::new();
    for input in inputs {
        let mut decoder = Decoder::new(&options, input.hints(&options), None);
        let mut sink = |entry: &Entry<'_>| entries.push(Owned::from(entry));
        for chunk in input.read_from(0)? {
            decoder.decode(&chunk?, &mut sink);
        }
        decoder.finish(&mut sink);
    }
    Ok(entries)
}

/// Reads a log through a named pipe, as standard input is read.
fn read_pipe(log: &[u8], zone: &str) -> Result<Vec<Owned>, Error> {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("pipe");
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| File::create(&path).unwrap().write_all(log).unwrap());
        read_path(&path, zone)
    })
}

fn utc(entries: &[Owned]) -> Vec<String> {
    entries.iter().map(Owned::utc).collect()
}

fn only(line: &str, zone: &str) -> String {
    decode(line, &options(zone), Hints::default())[0].utc()
}

#[test]
fn case_03_docker_in_syslog() {
    for zone in ["Europe/Berlin", "UTC", "+02:00"] {
        let Some(entries) = case("03-docker-in-syslog.log", zone) else {
            return;
        };
        assert!(entries.iter().all(|e| e.host == "mail"));
        assert_eq!(entries[0].utc(), "2026-05-02T20:56:13.000000", "{zone}");
        assert_eq!(entries[9].utc(), "2026-05-02T20:56:21.000000", "{zone}");
    }
}

/// Zone, outer stamp, inner stamp, the writer's time.
const PAIRS: &[(&str, &str, &str, &str)] = &[
    // The host in the zone, the container on UTC: east, west, half hours, summer and winter.
    (
        "Europe/Berlin",
        "May 02 22:56:14",
        "May  2 20:56:13",
        "2026-05-02T20:56:13",
    ),
    (
        "Europe/Berlin",
        "Nov 02 21:56:14",
        "Nov  2 20:56:13",
        "2026-11-02T20:56:13",
    ),
    (
        "America/New_York",
        "May 02 16:56:14",
        "May  2 20:56:13",
        "2026-05-02T20:56:13",
    ),
    (
        "Asia/Kolkata",
        "May 03 02:26:14",
        "May  2 20:56:13",
        "2026-05-02T20:56:13",
    ),
    (
        "Asia/Kathmandu",
        "May 03 02:41:14",
        "May  2 20:56:13",
        "2026-05-02T20:56:13",
    ),
    // The container in the zone, the host on UTC.
    (
        "Europe/Berlin",
        "May 02 20:56:14",
        "May  2 22:56:13",
        "2026-05-02T20:56:13",
    ),
    // Both in the zone, at once and a while later.
    (
        "Europe/Berlin",
        "May 02 22:56:14",
        "May  2 22:56:13",
        "2026-05-02T20:56:13",
    ),
    (
        "Europe/Berlin",
        "May 02 23:01:14",
        "May  2 22:56:13",
        "2026-05-02T20:56:13",
    ),
    // Each in a zone of its own.
    (
        "Europe/Berlin",
        "May 02 22:56:14",
        "May  2 16:56:13",
        "2026-05-02T20:56:13",
    ),
    // Around the new year.
    (
        "Europe/Berlin",
        "Jan 01 00:30:14",
        "Dec 31 23:30:13",
        "2025-12-31T23:30:13",
    ),
    (
        "UTC",
        "May 02 22:56:14",
        "May  2 20:56:13",
        "2026-05-02T20:56:13",
    ),
];

#[test]
fn of_two_stamps_without_zone_the_inner_one_is_the_writers() {
    let line = |outer: &str, inner: &str| {
        format!("{outer} dockerhost docker[3]: {inner} mail postfix/qmgr[6]: A10B22C11: removed\n")
    };
    for (zone, outer, inner, expected) in PAIRS {
        assert_eq!(
            only(&line(outer, inner), zone),
            format!("{expected}.000000"),
            "{zone} {outer} {inner}"
        );
    }
}

#[test]
fn a_line_that_arrives_late_is_read_like_those_before_it() {
    let line = |outer: &str, inner: &str| {
        format!("{outer} dockerhost docker[3]: {inner} mail postfix/qmgr[6]: A10B22C11: removed\n")
    };
    let log = line("May 02 22:56:14", "May  2 20:56:13")
        + &line("May 02 23:16:14", "May  2 20:56:15")
        + &line("May 02 23:16:14", "May  2 21:16:13");
    let entries = decode(log, &options("Europe/Berlin"), Hints::default());
    let expected =
        ["20:56:13", "20:56:15", "21:16:13"].map(|clock| format!("2026-05-02T{clock}.000000"));
    assert_eq!(utc(&entries), expected);
}

#[test]
fn case_17_stamps_change_in_file() {
    let path = Path::new("../shared/cases/turn02/17-stamps-change-in-file.log");
    let Ok(log) = fs::read(path) else {
        return crate::skip::skip(&format!("no {}", path.display()));
    };
    for entries in [
        read_file("mail.log", &log, "Europe/Paris", 0).unwrap(),
        read_pipe(&log, "Europe/Paris").unwrap(),
    ] {
        assert_eq!(entries[0].utc(), "2024-10-03T12:00:01.000000");
        assert_eq!(entries[9].utc(), "2024-10-03T13:20:02.010000");
    }
}

#[test]
fn stamps_with_a_year_date_those_without_before_and_behind() {
    let old = |day: &str| format!("{day} 14:00:01 srv postfix/qmgr[6]: 9F1C34A001: removed\n");
    let new =
        |day: &str| format!("{day}T15:20:00+00:00 srv postfix/qmgr[6]: 9F1C34A001: removed\n");
    let cases = [
        (old("Oct  3") + &new("2024-10-03"), "2024-10-03 2024-10-03"),
        (old("Dec 31") + &new("2024-01-01"), "2023-12-31 2024-01-01"),
        (
            old("Nov  1") + &old("Jan 12") + &new("2024-02-03"),
            "2023-11-01 2024-01-12 2024-02-03",
        ),
        (
            new("2023-12-30") + &old("Jan  2") + &old("Jan  3"),
            "2023-12-30 2024-01-02 2024-01-03",
        ),
        (
            new("2024-10-03") + &old("Oct  4") + &new("2024-10-05"),
            "2024-10-03 2024-10-04 2024-10-05",
        ),
        (old("Oct  3").repeat(2000) + &new("2022-10-04"), ""),
        (
            format!("x.log:{}", old("Oct  3")) + "x.log:" + &new("2022-10-04"),
            "2022-10-03 2022-10-04",
        ),
    ];
    for (log, expected) in cases {
        for entries in [
            read_file("mail.log", log.as_bytes(), "UTC", 0).unwrap(),
            read_pipe(log.as_bytes(), "UTC").unwrap(),
        ] {
            let days: Vec<String> = entries
                .iter()
                .map(|e| e.utc().chars().take(10).collect())
                .collect();
            if expected.is_empty() {
                assert!(
                    days.iter().all(|day| day.starts_with("2022-10-0")),
                    "{:?}",
                    days[0]
                );
            } else {
                assert_eq!(days.join(" "), expected);
            }
        }
    }
}

#[test]
fn case_25_stale_repeated_line() {
    let path = Path::new("../shared/cases/turn02/25-stale-repeated-line.log");
    let Ok(log) = fs::read(path) else {
        return crate::skip::skip(&format!("no {}", path.display()));
    };
    for age in [0, 40, 400] {
        let entries = read_file("mail.log", &log, "UTC", age).unwrap();
        let year = if age == 0 {
            "2026"
        } else {
            entries[0].utc().chars().take(4).collect::<String>().leak()
        };
        assert!(
            entries.iter().all(|e| e.utc().starts_with(year)),
            "{age}: {:?}",
            utc(&entries)
        );
    }
}

#[test]
fn a_stale_stamp_of_a_repeat_notice_moves_nothing() {
    let line = |stamp: &str| format!("{stamp} mail postfix/qmgr[5]: 77AA040001: removed\n");
    let quoted = |stamp: &str| {
        format!(
            "{stamp} mail postfix/smtpd[29]: message repeated 2 times: [ connect from unknown[203.0.113.9]]\n"
        )
    };
    let bare = |stamp: &str| format!("{stamp} mail last message repeated 3 times\n");
    for notice in [
        quoted("Oct 11 00:00:01"),
        bare("Jul  1 00:00:01"),
        bare("Jan  5 00:00:01"),
        quoted("Dec 24 00:00:01"),
    ] {
        for (before, after) in [
            ("Nov 20 12:00:00", "Nov 20 12:00:02"),
            ("Feb  1 12:00:00", "Feb  1 12:00:02"),
        ] {
            let log = line(before) + &notice + &line(after) + &notice + &line(after);
            let entries = read_file("mail.log", log.as_bytes(), "UTC", 0).unwrap();
            let own: Vec<&Owned> = entries.iter().filter(|e| e.repeated == 0).collect();
            assert_eq!(own.len(), 3);
            let first = before.get(7..).unwrap();
            assert!(
                entries
                    .iter()
                    .all(|e| e.utc().starts_with("2026") && e.utc().get(11..19) >= Some(first)),
                "copies of a line are not older than the line: {:?}",
                utc(&entries)
            );
            let late = log.replacen(&line(before), "", 1);
            let entries = read_file("mail.log", late.as_bytes(), "UTC", 0).unwrap();
            assert!(
                entries
                    .iter()
                    .filter(|e| e.repeated == 0)
                    .all(|e| e.utc().starts_with("2026"))
            );
        }
    }
}

/// A message of six lines, and one more that was deferred for hours.
fn story() -> String {
    let lines = [
        "Nov 18 23:59:58 mx postfix/smtpd[1]: 9F1C34A001: client=app.example.com[198.51.100.30]",
        "Nov 18 23:59:58 mx postfix/cleanup[2]: 9F1C34A001: message-id=<f1@example.com>",
        "Nov 18 23:59:58 mx postfix/qmgr[3]: 9F1C34A001: from=<foi@example.com>, size=2222, nrcpt=1 (queue active)",
        "Nov 18 23:59:59 mx postfix/smtp[4]: 9F1C34A001: to=<a@example.org>, relay=none, delay=1, delays=1/0/0/0, dsn=4.4.1, status=deferred (x)",
        "Nov 19 04:00:00 mx postfix/qmgr[3]: 9F1C34A001: from=<foi@example.com>, size=2222, nrcpt=1 (queue active)",
        "Nov 19 04:00:01 mx postfix/smtp[4]: 9F1C34A001: to=<a@example.org>, relay=x[192.0.2.1]:25, delay=9, delays=9/0/0/0, dsn=2.0.0, status=sent (ok)",
        "Nov 19 04:00:01 mx postfix/qmgr[3]: 9F1C34A001: removed",
    ];
    lines.join("\n") + "\n"
}

fn turned(log: &str) -> String {
    log.lines()
        .rev()
        .fold(String::new(), |all, line| all + line + "\n")
}

/// Lines of a log as long as is wanted, a minute apart, from a year's end into the next.
fn long(lines: u32) -> String {
    (0..lines).fold(String::new(), |all, no| {
        let (day, hour, minute) = (1 + no / 1440 % 28, no / 60 % 24, no % 60);
        let month = ["Nov", "Dec", "Jan", "Feb", "Mar"][(no / 40_320) as usize % 5];
        all + &format!("{month} {day:2} {hour:02}:{minute:02}:00 mx postfix/smtpd[7]: connect from unknown[192.0.2.{}]\n", no % 250)
    })
}

#[test]
fn a_log_with_its_newest_line_first_is_read_in_order() {
    for log in [
        story(),
        long(500),
        long(70_000),
        story() + &long(3).replace("Nov  1", "Nov 20"),
    ] {
        let expected = read_file("mail.log", log.as_bytes(), "UTC", 1).unwrap();
        let backward = turned(&log);
        let texts = |entries: &[Owned]| -> Vec<String> {
            entries.iter().map(|e| e.utc() + &e.text).collect()
        };
        assert_eq!(
            texts(&read_file("export.log", backward.as_bytes(), "UTC", 1).unwrap()),
            texts(&expected)
        );
        let packed = zstd::encode_all(backward.as_bytes(), 1).unwrap();
        assert_eq!(
            texts(&read_file("export.zst", &packed, "UTC", 1).unwrap()),
            texts(&expected)
        );
        if log.len() < 1_000_000 {
            let expected = read_pipe(log.as_bytes(), "UTC").unwrap();
            assert_eq!(
                texts(&read_pipe(backward.as_bytes(), "UTC").unwrap()),
                texts(&expected)
            );
            let prefixed: String = backward
                .lines()
                .map(|line| format!("mail.log:{line}\n"))
                .collect();
            assert_eq!(
                texts(&read_pipe(prefixed.as_bytes(), "UTC").unwrap()),
                texts(&expected)
            );
        }
    }
}

#[test]
fn lines_out_of_order_turn_nothing_round() {
    let line = |clock: &str, host: &str| {
        format!("Nov 19 {clock} {host} postfix/smtpd[7]: connect from unknown[192.0.2.1]\n")
    };
    // Two hosts whose clocks differ; two of which one is late by hours; a step back; lines of one second.
    let hosts: String = (0..50)
        .map(|no| line(&format!("10:{no:02}:30"), "a") + &line(&format!("10:{no:02}:10"), "b"))
        .collect();
    let late: String = (0..300)
        .map(|no| {
            let at = |hour: u32| format!("{:02}:{:02}:00", hour + no / 60, no % 60);
            let lines = line(&at(8), "a") + &line(&at(5), "b");
            if no % 7 == 0 {
                lines
            } else {
                line(&at(8), "a")
            }
        })
        .collect();
    let step = line("12:00:00", "a") + &long(20).replace("Nov  1", "Nov 19");
    let jitter = line("10:00:01", "a") + &line("10:00:00", "a");
    let message = story()
        .lines()
        .take(3)
        .fold(String::new(), |all, line| all + line + "\n");
    let swapped = message.replacen("23:59:58", "23:59:59", 1);
    for log in [hosts, late, step, jitter, message, swapped, story()] {
        let entries = read_file("mail.log", log.as_bytes(), "UTC", 1).unwrap();
        let first = log.lines().next().unwrap().rsplit(": ").next().unwrap();
        assert!(entries[0].text.ends_with(first), "{log}");
        let raw: Vec<&str> = entries.iter().map(|e| e.raw.as_str()).collect();
        assert_eq!(raw, log.lines().collect::<Vec<_>>());
    }
}

/// Joins files as `cat` does.
fn cat(files: &[&String]) -> String {
    files.iter().map(|file| file.as_str()).collect()
}

/// Joins files as grep does, which writes their names before the lines.
fn grep(files: &[&String], is_numbered: bool) -> String {
    let mut all = String::new();
    for (no, file) in files.iter().enumerate() {
        for (line, text) in (1..).zip(file.lines()) {
            let line = if is_numbered {
                format!("{line}:")
            } else {
                String::new()
            };
            all += &format!("/var/log/mail-out.log.{no}:{line}{text}\n");
        }
    }
    all
}

#[test]
fn files_in_any_order_are_read_in_the_order_of_time() {
    let log = long(40_000);
    let lines: Vec<&str> = log.split_inclusive('\n').collect();
    let part = |range: std::ops::Range<usize>| lines[range].concat();
    let [a, b, c] = [part(0..20_000), part(20_000..39_000), part(39_000..40_000)];
    let texts =
        |entries: &[Owned]| -> Vec<String> { entries.iter().map(|e| e.utc() + &e.text).collect() };
    let expected = texts(&read_file("mail.log", log.as_bytes(), "UTC", 1).unwrap());
    for files in [
        [&c, &b, &a],
        [&c, &a, &b],
        [&b, &a, &c],
        [&a, &c, &b],
        [&a, &b, &c],
    ] {
        let plain = cat(&files);
        let entries = read_file("all.log", plain.trim_end().as_bytes(), "UTC", 1).unwrap();
        assert!(texts(&entries) == expected, "cat");
        for is_numbered in [false, true] {
            let named = grep(&files, is_numbered);
            let entries = read_file("all.log", named.trim_end().as_bytes(), "UTC", 1).unwrap();
            assert!(texts(&entries) == expected, "grep");
            let packed = zstd::encode_all(named.as_bytes(), 1).unwrap();
            let entries = read_file("all.zst", &packed, "UTC", 1).unwrap();
            assert!(texts(&entries) == expected, "grep, packed");
            let entries = read_pipe(named.as_bytes(), "UTC").unwrap();
            assert!(texts(&entries) == expected, "grep, piped");
        }
    }
    // Files of a few lines, from which grep took a message: the border lies inside it.
    let story = story();
    let at = story.match_indices('\n').nth(2).unwrap().0 + 1;
    let (old, new) = story.split_at(at);
    let expected = texts(&read_file("mail.log", story.as_bytes(), "UTC", 1).unwrap());
    let named = grep(&[&new.to_owned(), &old.to_owned()], false);
    assert_eq!(
        texts(&read_file("x", named.as_bytes(), "UTC", 1).unwrap()),
        expected
    );
    assert_eq!(
        texts(&read_pipe(named.as_bytes(), "UTC").unwrap()),
        expected
    );
}

#[test]
fn what_cannot_be_turned_round_is_refused() {
    let record = |second: u32| {
        format!(
            "__CURSOR=s={second}\n__REALTIME_TIMESTAMP=17952000{second:02}000000\nMESSAGE=x\nSYSLOG_IDENTIFIER=postfix/qmgr\n_HOSTNAME=mx\n\n"
        )
    };
    let log: String = (10..30).rev().map(record).collect();
    let error = read_file("x.export", log.as_bytes(), "UTC", 0).unwrap_err();
    assert!(
        error.to_string().ends_with("its newest line comes first"),
        "{error}"
    );
    assert!(error.hint().unwrap().contains("without -r"));
    assert!(read_pipe(log.as_bytes(), "UTC").is_err());
    let json: String = (10..30).rev().map(|second| format!("{{\"__REALTIME_TIMESTAMP\":\"17952000{second:02}000000\",\"MESSAGE\":\"x\",\"SYSLOG_IDENTIFIER\":\"postfix/qmgr\"}}\n")).collect();
    let entries = read_file("x.json", json.as_bytes(), "UTC", 0).unwrap();
    assert!(entries.is_sorted_by_key(|e| e.time));
}

#[test]
fn verbose_output_of_journalctl_is_refused() {
    let log = "Fri 2026-11-20 13:50:44.573590 UTC [s=a1;i=1;b=b2;m=3;t=4;x=5]\n    PRIORITY=6\n    MESSAGE=5D00140001: removed\n";
    assert!(
        read_file("x.log", log.as_bytes(), "UTC", 0)
            .unwrap_err()
            .hint()
            .unwrap()
            .contains("-o export")
    );
    assert!(read_pipe(log.as_bytes(), "UTC").is_err());
}

#[test]
fn years_and_days_may_come_in_any_order() {
    let stamps = [
        "2013 Jun 10 06:27:30.123",
        "2013 Jun  1 06:27:30.123",
        "2013/06/10 06:27:30.123",
        "2013-06-10_06:27:30.123",
        "10 Jun 2013 06:27:30.123",
        "10-Jun-2013 06:27:30.123",
        "10/Jun/2013:06:27:30.123",
        "Jun 10 2013 06:27:30.123",
        "2013 Jun 10 06:27:30,123",
    ];
    for stamp in stamps {
        for behind in [
            "mx postfix/qmgr[5]: 77AA040001: removed",
            "INFO postfix/qmgr[5]: 77AA040001: removed",
        ] {
            let day = if stamp.contains("  1") { "01" } else { "10" };
            assert_eq!(
                only(&format!("{stamp} {behind}"), "UTC"),
                format!("2013-06-{day}T06:27:30.123000"),
                "{stamp}"
            );
            assert_eq!(
                only(&format!("mail.log:{stamp} {behind}"), "UTC"),
                format!("2013-06-{day}T06:27:30.123000"),
                "{stamp}"
            );
        }
    }
    assert_eq!(
        only("10/Jun/2013:06:27:30 +0200 mx postfix/qmgr[5]: x", "UTC"),
        "2013-06-10T04:27:30.000000"
    );
    assert_eq!(
        only("2013 Feb 29 06:27:30 mx postfix/qmgr[5]: x", "UTC"),
        ""
    );
}
