//! The summary: its sections, the commands behind its rows, what changed, and the numbers of pflogsumm.

use crate::program::{Place, text};
use crate::skip::skip;
use maillog::canned;
use serde_json::Value;
use std::fmt::Write as _;
use std::process::Command;

const NOW: &str = "2026-11-21T04:00:00Z";

fn demo() -> Place {
    let place = Place::new();
    place.succeed(&["ingest", "-q", "testlogs/demo", "--now", NOW]);
    place
}

#[test]
fn the_summary_has_all_sections_in_their_order() {
    let demo = demo();
    let json = demo.succeed(&[
        "summary",
        "--since",
        "all",
        "--messages",
        "--queue",
        "-o",
        "json",
        "--now",
        NOW,
    ]);
    let sections: Vec<Value> = json
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    let names: Vec<&str> = sections.iter().map(|s| text(s, "section")).collect();
    let ours = maillog::ask::summary::SECTIONS.iter();
    // What is reported is less than a day and an hour, but began in 1970 as far as anybody knows.
    let ours: Vec<&str> = ours.map(|section| section.name).collect();
    assert_eq!(
        names,
        [&["report", "changes", "figures"], &ours[..]].concat()
    );
    let all = canned::all().unwrap();
    for query in all.iter().filter(|query| query.title.is_some()) {
        assert!(ours.contains(&query.name), "{}", query.name);
    }
    for name in ours {
        let query = all.iter().find(|query| query.name == name).unwrap();
        assert!(query.title.is_some(), "{name} has no title");
    }
    let totals = sections.iter().find(|s| text(s, "section") == "totals");
    assert_eq!(totals.unwrap()["rows"][0]["number"], 156);
    for section in &sections {
        assert!(section["rows"].is_array() && section["title"].is_string());
        if let Some(finds) = section.get("find").and_then(Value::as_array) {
            assert_eq!(finds.len(), section["rows"].as_array().unwrap().len());
        }
    }
}

#[test]
fn the_command_behind_a_row_of_the_summary_finds_mail() {
    let demo = demo();
    let json = demo.succeed(&["summary", "--since", "all", "-o", "json", "--now", NOW]);
    let mut seen = std::collections::BTreeSet::new();
    for line in json.lines() {
        let section: Value = serde_json::from_str(line).unwrap();
        let name = text(&section, "section").to_owned();
        let finds = section.get("find").and_then(Value::as_array);
        for (row, find) in finds.into_iter().flatten().enumerate() {
            let Some(find) = find.as_str() else { continue };
            let is_zero = section["rows"][row]["number"] == 0;
            // Once a section is enough where all are made the same way; those with texts are looked at whole.
            let is_text =
                name.ends_with("_detail") || name == "causes" || name == "smtp_exceptions";
            if is_zero || (!is_text && !seen.insert(name.clone())) {
                continue;
            }
            let found = Command::new("sh")
                .args([
                    "-c",
                    &format!(
                        "{} -o count --now {NOW}",
                        find.replacen("maillog", "\"$0\"", 1)
                    ),
                ])
                .arg(env!("CARGO_BIN_EXE_maillog"))
                .env("MAILLOG_DB", demo.path("maillog.duckdb"))
                .output()
                .unwrap();
            let count = String::from_utf8_lossy(&found.stdout);
            let count: u64 = count.trim().parse().unwrap_or(0);
            assert!(
                count > 0,
                "{name}: {find}\n{}",
                String::from_utf8_lossy(&found.stderr)
            );
        }
    }
    assert!(seen.len() > 5, "{seen:?}");
}

/// A mail an hour to `ok.example` on a day; of those to `example.net` so many bounce. Hours without mail have a line all the same.
fn day(log: &mut String, date: &str, hours: std::ops::Range<u32>, mails: u32, bounces: u32) {
    for hour in hours {
        let at = |second: u32| format!("{date}T{hour:02}:00:{second:02}.000000+00:00 mx1 postfix");
        writeln!(log, "{}/smtpd[7]: connect from a.example[192.0.2.7]", at(0)).unwrap();
        writeln!(
            log,
            "{}/smtpd[7]: disconnect from a.example[192.0.2.7] ehlo=1 quit=1 commands=2",
            at(1)
        )
        .unwrap();
        let of_hour = |all: u32| all / 24 + u32::from(hour < all % 24);
        for n in 0..of_hour(mails) + of_hour(bounces) {
            let id = format!("{:X}", 0xA000_0000_u32 + hour * 1000 + n);
            let (to, rest) = if n < of_hour(mails) {
                ("a@ok.example", "dsn=2.0.0, status=sent (250 ok)".to_owned())
            } else {
                let why = if hour % 13 == 5 {
                    "550 5.1.1 gone"
                } else {
                    "550 5.7.1 blocked"
                };
                let said = format!(
                    "host mx.example.net[192.0.2.9] said: {why} (in reply to RCPT TO command)"
                );
                (
                    "b@example.net",
                    format!("dsn={}, status=bounced ({said})", why.get(4..9).unwrap()),
                )
            };
            writeln!(log, "{}/smtpd[7]: {id}: client=a.example[192.0.2.7]", at(2)).unwrap();
            writeln!(
                log,
                "{}/qmgr[8]: {id}: from=<s@a.example>, size=500, nrcpt=1 (queue active)",
                at(3)
            )
            .unwrap();
            writeln!(log, "{}/smtp[9]: {id}: to=<{to}>, relay=mx.example.net[192.0.2.9]:25, delay=1, delays=0/0/0/1, {rest}", at(4)).unwrap();
            writeln!(log, "{}/qmgr[8]: {id}: removed", at(5)).unwrap();
        }
    }
}

/// Returns the sections of the report of a day by their names.
fn report(log: &str, date: &str) -> Vec<Value> {
    let place = Place::new();
    let file = place.path("mail.log");
    std::fs::write(&file, log).unwrap();
    let now = "2026-11-21T06:30:00Z";
    place.succeed(&["ingest", "-q", file.to_str().unwrap(), "--now", now]);
    let json = place.succeed(&[
        "summary",
        "--day",
        date,
        "-o",
        "json",
        "--timezone",
        "UTC",
        "--now",
        now,
    ]);
    json.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn notes(report: &[Value]) -> String {
    report[0]["rows"][0]["notes"].to_string()
}

const FRIDAYS: [&str; 4] = ["2026-10-23", "2026-10-30", "2026-11-06", "2026-11-13"];

#[test]
fn what_left_its_usual_range_is_said_in_one_sentence() {
    let mut log = String::new();
    for (friday, bounces) in FRIDAYS.iter().zip([0, 3, 1, 2]) {
        day(&mut log, friday, 0..24, 48, bounces);
    }
    day(&mut log, "2026-11-20", 0..24, 50, 41);
    let report = report(&log, "2026-11-20");
    let changes = report[1]["rows"].as_array().unwrap();
    let texts: Vec<&str> = changes.iter().map(|row| text(row, "text")).collect();
    assert!(
        texts.contains(&"bounces to example.net: 41, usually 0 to 3; 38 say 550 5.7.1 blocked"),
        "{texts:?}"
    );
    assert!(
        !texts.iter().any(|text| text.starts_with("bounces: ")),
        "{texts:?}"
    );
    assert!(
        !texts.iter().any(|text| text.contains("delivered")),
        "{texts:?}"
    );
    assert!(
        notes(&report).contains("Compared with the four Fridays before."),
        "{}",
        notes(&report)
    );
    let figures = report[2]["rows"].as_array().unwrap();
    let bounces = figures
        .iter()
        .find(|row| text(row, "figure") == "bounces")
        .unwrap();
    assert_eq!(
        bounces.to_string(),
        r#"{"figure":"bounces","number":41,"before_1":2,"before_2":1,"before_3":3,"before_4":0,"least":0,"most":3}"#
    );
}

#[test]
fn days_that_were_not_read_are_no_history() {
    let mut log = String::new();
    day(&mut log, FRIDAYS[1], 0..24, 48, 0);
    day(&mut log, FRIDAYS[2], 0..4, 48, 0);
    day(&mut log, FRIDAYS[3], 0..24, 48, 0);
    day(&mut log, "2026-11-20", 0..24, 48, 41);
    let report = report(&log, "2026-11-20");
    let notes = notes(&report);
    assert!(
        notes.contains("2026-11-06 (parts were not read)"),
        "{notes}"
    );
    assert!(
        notes.contains("2026-10-23 (before the log begins)"),
        "{notes}"
    );
    let figures = report[2]["rows"].as_array().unwrap();
    let bounces = figures
        .iter()
        .find(|row| text(row, "figure") == "bounces")
        .unwrap();
    assert!(bounces["before_2"].is_null() && bounces["before_4"].is_null());
    assert_eq!(
        (&bounces["before_1"], &bounces["least"]),
        (&Value::from(0), &Value::from(0))
    );
    assert!(!report[1]["rows"].as_array().unwrap().is_empty());
}

#[test]
fn an_empty_day_says_whether_it_was_read() {
    let mut log = String::new();
    day(&mut log, "2026-11-19", 0..24, 48, 0);
    day(&mut log, "2026-11-20", 0..24, 0, 0);
    let read = notes(&report(&log, "2026-11-18"));
    assert!(
        read.contains("No log was read for this time: what happened then is not known."),
        "{read}"
    );
    let read = notes(&report(&log, "2026-11-20"));
    assert!(read.contains("Nothing happened"), "{read}");
}

#[test]
fn pages_and_tables_of_a_report_are_whole() {
    let demo = demo();
    let args = ["summary", "--since", "all", "--now", NOW, "-o"];
    let html = demo.succeed(&[&args[..], &["html"]].concat());
    assert!(html.starts_with("<!DOCTYPE html>") && html.ends_with("</html>\n"));
    assert!(
        html.matches("<svg role=\"img\" aria-label=").count() >= 4,
        "pictures"
    );
    assert!(!html.contains("http-equiv") && !html.contains("<script") && !html.contains("<link"));
    for word in ["src=", "url(", "@import"] {
        assert!(!html.contains(word), "{word}");
    }
    let markdown = demo.succeed(&[&args[..], &["markdown"]].concat());
    assert!(
        markdown.contains("### Grand Totals \\(messages)") || markdown.contains("### Grand Totals")
    );
    let domain = demo.succeed(&[
        "summary", "--since", "all", "--domain", "ok.test", "--now", NOW,
    ]);
    assert!(domain.contains("Left out, because they cannot be told apart by domain (ok.test): "));
    assert!(!domain.contains("senders.test\n"), "{domain}");
}

#[test]
fn as_logged_has_the_numbers_of_pflogsumm() {
    for program in ["pflogsumm", "python3"] {
        let found = Command::new("sh")
            .args(["-c", &format!("command -v {program}")])
            .output();
        if !found.is_ok_and(|found| found.status.success()) {
            return skip(&format!("{program} is not installed"));
        }
    }
    let compared = Command::new("python3")
        .args(["bench/pflogsumm", "--small"])
        .env("MAILLOG", env!("CARGO_BIN_EXE_maillog"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&compared.stdout);
    assert!(compared.status.success(), "{said}");
}
