//! Times as people type them; now is Saturday 2026-11-21 13:00 in Berlin.

use super::{NOW, options};
use crate::model::time::Time;
use crate::model::zone::Zone;
use crate::query::time::{parse, parse_length};
use crate::query::{Options, compile_text};
use chrono_tz::Tz;

const BERLIN: Zone = Zone::Named(Tz::Europe__Berlin);

fn start(text: &str) -> String {
    parse(text, NOW, BERLIN).map_or_else(|| "none".into(), |unit| BERLIN.show(unit.start))
}

fn end(text: &str) -> String {
    parse(text, NOW, BERLIN).map_or_else(|| "none".into(), |unit| BERLIN.show(unit.end))
}

#[test]
fn forms_of_journalctl() {
    for (text, expected) in [
        ("2026-11-20", "2026-11-20 00:00:00 +01:00"),
        ("2026-11-20 10:00", "2026-11-20 10:00:00 +01:00"),
        ("2026-11-20T10:00:05", "2026-11-20 10:00:05 +01:00"),
        ("2026-11-20 10:00:05.25", "2026-11-20 10:00:05.250 +01:00"),
        ("2026-11-20T10:00:00Z", "2026-11-20 11:00:00 +01:00"),
        ("2026-11-20 10:00 UTC", "2026-11-20 11:00:00 +01:00"),
        ("2026-11-20T10:00:00-05:00", "2026-11-20 16:00:00 +01:00"),
        (
            "2026-11-20T10:00:00.123456+0100",
            "2026-11-20 10:00:00.123456 +01:00",
        ),
        ("2026-07-20", "2026-07-20 00:00:00 +02:00"),
        ("now", "2026-11-21 13:00:00 +01:00"),
        ("today", "2026-11-21 00:00:00 +01:00"),
        ("Yesterday", "2026-11-20 00:00:00 +01:00"),
        ("tomorrow", "2026-11-22 00:00:00 +01:00"),
        ("-2h", "2026-11-21 11:00:00 +01:00"),
        ("+1d", "2026-11-22 13:00:00 +01:00"),
        ("2 hours ago", "2026-11-21 11:00:00 +01:00"),
        ("2h ago", "2026-11-21 11:00:00 +01:00"),
        ("1h 30min ago", "2026-11-21 11:30:00 +01:00"),
        ("-1h30min", "2026-11-21 11:30:00 +01:00"),
        ("-2m", "2026-11-21 12:58:00 +01:00"),
        ("-2M", "2026-09-21 13:00:00 +02:00"),
        ("1 year ago", "2025-11-21 13:00:00 +01:00"),
        ("-1w", "2026-11-14 13:00:00 +01:00"),
        ("-1.5h", "2026-11-21 11:30:00 +01:00"),
        ("10:30", "2026-11-21 10:30:00 +01:00"),
        ("10:30:15", "2026-11-21 10:30:15 +01:00"),
        ("23:59:60", "2026-11-21 23:59:59 +01:00"),
        ("@1795262400", "2026-11-21 13:00:00 +01:00"),
        ("2026-11", "2026-11-01 00:00:00 +01:00"),
        ("2026", "2026-01-01 00:00:00 +01:00"),
    ] {
        assert_eq!(start(text), expected, "{text}");
    }
}

#[test]
fn units_end_where_the_next_one_begins() {
    for (text, expected) in [
        ("2026-11-20", "2026-11-21 00:00:00 +01:00"),
        ("yesterday", "2026-11-21 00:00:00 +01:00"),
        ("2026-11", "2026-12-01 00:00:00 +01:00"),
        ("2026-12", "2027-01-01 00:00:00 +01:00"),
        ("2026", "2027-01-01 00:00:00 +01:00"),
        ("10:30", "2026-11-21 10:31:00 +01:00"),
        ("10:30:15", "2026-11-21 10:30:16 +01:00"),
        ("2026-03-29", "2026-03-30 00:00:00 +02:00"),
    ] {
        assert_eq!(end(text), expected, "{text}");
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "one list")]
fn days_and_times_as_people_name_them() {
    for (text, first, after) in [
        ("monday", "2026-11-16", "2026-11-17"),
        ("Saturday", "2026-11-21", "2026-11-22"),
        ("sun", "2026-11-15", "2026-11-16"),
        ("last saturday", "2026-11-14", "2026-11-15"),
        ("last Friday", "2026-11-20", "2026-11-21"),
        ("this week", "2026-11-16", "2026-11-23"),
        ("last week", "2026-11-09", "2026-11-16"),
        ("this month", "2026-11-01", "2026-12-01"),
        ("last month", "2026-10-01", "2026-11-01"),
        ("this year", "2026-01-01", "2027-01-01"),
        ("last year", "2025-01-01", "2026-01-01"),
        ("Nov 20", "2026-11-20", "2026-11-21"),
        ("nov 21", "2026-11-21", "2026-11-22"),
        ("Nov 24", "2025-11-24", "2025-11-25"),
        ("24 Nov", "2025-11-24", "2025-11-25"),
        ("November 2", "2026-11-02", "2026-11-03"),
        ("2. November", "2026-11-02", "2026-11-03"),
        ("2nd Nov", "2026-11-02", "2026-11-03"),
        ("Nov 24 2024", "2024-11-24", "2024-11-25"),
        ("Nov 24, 2024", "2024-11-24", "2024-11-25"),
        ("24 Nov 2024", "2024-11-24", "2024-11-25"),
        ("24-Nov-2024", "2024-11-24", "2024-11-25"),
        ("2024 Nov 24", "2024-11-24", "2024-11-25"),
        ("Sun, 24 Nov 2024", "2024-11-24", "2024-11-25"),
        ("Feb 29", "2024-02-29", "2024-03-01"),
        ("October", "2026-10-01", "2026-11-01"),
        ("Dec 2025", "2025-12-01", "2026-01-01"),
        ("20.11.", "2026-11-20", "2026-11-21"),
        ("24.11.", "2025-11-24", "2025-11-25"),
        ("1.3.", "2026-03-01", "2026-03-02"),
        ("24.11.2024", "2024-11-24", "2024-11-25"),
        ("24.11.24", "2024-11-24", "2024-11-25"),
        ("2026-W47", "2026-11-16", "2026-11-23"),
        ("W48", "2025-11-24", "2025-12-01"),
        ("week 47", "2026-11-16", "2026-11-23"),
        ("yesterday UTC", "2026-11-20 01", "2026-11-21 01"),
    ] {
        assert!(start(text).starts_with(first), "{text}: {}", start(text));
        assert!(end(text).starts_with(after), "{text}: {}", end(text));
    }
    for (text, first, after) in [
        ("8am", "2026-11-21 08:00", "2026-11-21 09:00"),
        ("8 am", "2026-11-21 08:00", "2026-11-21 09:00"),
        ("8:30pm", "2026-11-21 20:30", "2026-11-21 20:31"),
        ("12am", "2026-11-21 00:00", "2026-11-21 01:00"),
        ("12:15 p.m.", "2026-11-21 12:15", "2026-11-21 12:16"),
        ("noon", "2026-11-21 12:00", "2026-11-21 12:01"),
        ("Nov 20 10:00", "2026-11-20 10:00", "2026-11-20 10:01"),
        ("24 Nov 2024 8am", "2024-11-24 08:00", "2024-11-24 09:00"),
        ("24th Nov 8am", "2025-11-24 08:00", "2025-11-24 09:00"),
        (
            "20.11. 10:00:05",
            "2026-11-20 10:00:05",
            "2026-11-20 10:00:06",
        ),
        ("yesterday 8:30", "2026-11-20 08:30", "2026-11-20 08:31"),
        ("yesterday at noon", "2026-11-20 12:00", "2026-11-20 12:01"),
        ("monday 8pm", "2026-11-16 20:00", "2026-11-16 21:00"),
        ("8pm monday", "2026-11-16 20:00", "2026-11-16 21:00"),
        (
            "Fri, 20 Nov 2026 10:00:00 +0000",
            "2026-11-20 11:00",
            "2026-11-20 11:00:01",
        ),
        (
            "Fri Nov 20 10:00:00 2026",
            "2026-11-20 10:00:00",
            "2026-11-20 10:00:01",
        ),
        ("last 2 hours", "2026-11-21 11:00", "2026-11-21 13:00"),
        ("last hour", "2026-11-21 12:00", "2026-11-21 13:00"),
        ("last 7 days", "2026-11-14 13:00", "2026-11-21 13:00"),
    ] {
        assert!(start(text).starts_with(first), "{text}: {}", start(text));
        assert!(end(text).starts_with(after), "{text}: {}", end(text));
    }
}

fn date(time: Time) -> String {
    BERLIN.show(time).split(' ').next().unwrap().to_owned()
}

#[test]
fn the_end_of_a_window_without_a_year_lies_behind_its_start() {
    let window = |since: &str, until: &str| {
        let options = Options {
            since: (!since.is_empty()).then(|| since.to_owned()),
            until: Some(until.to_owned()),
            ..options()
        };
        let (since, until) = compile_text("a@example.org", &options).unwrap().window;
        [since, until].map(|t| t.map_or_else(String::new, date))
    };
    assert_eq!(window("Nov 1", "Dec 1"), ["2026-11-01", "2026-12-01"]);
    assert_eq!(window("Nov 1", "Nov 22"), ["2026-11-01", "2026-11-22"]);
    assert_eq!(window("Dec 20", "Jan 5"), ["2025-12-20", "2026-01-05"]);
    assert_eq!(window("Jan 5", "Dec 20"), ["2026-01-05", "2026-12-20"]);
    assert_eq!(window("", "Nov 22"), ["", "2026-11-22"]);
    assert_eq!(window("", "Dec 24"), ["", "2025-12-24"]);
    let range = compile_text("date:\"Nov 1\"..\"Nov 30\"", &options()).unwrap();
    let end = range.window.1.map(date);
    assert_eq!(end.as_deref(), Some("2026-12-01"));
}

#[test]
fn an_empty_window_says_so() {
    let plan = compile_text("a@example.org since:-1h until:-2h", &options()).unwrap();
    assert!(
        plan.reading
            .iter()
            .any(|line| line.contains("the range is empty")),
        "{:?}",
        plan.reading
    );
}

#[test]
fn day_without_midnight_begins_when_the_gap_ends() {
    let santiago = Zone::Named(Tz::America__Santiago);
    let day = parse("2026-09-06", NOW, santiago).unwrap();
    assert_eq!(santiago.show(day.start), "2026-09-06 01:00:00 -03:00");
}

#[test]
fn what_is_no_time_is_none() {
    for text in [
        "",
        " ",
        "soon",
        "-",
        "+",
        "ago",
        " ago",
        "2 ago",
        "-2x",
        "-h",
        "2026-02-30",
        "2026-1x-01",
        "26-11-20",
        "25:00",
        "10:60",
        "10:30:61",
        "10:30:15.",
        "2026-11-20 10",
        "12026-01-01",
        "-99999999999999999999y",
        "-9999999y",
        "-99999999999999999h",
        "@",
        "@99999999999999999999",
        "@9999999999999",
        "2026-11-20T10:00:00+99:00",
        "-1.5M",
        "é",
        "2026-11-20é",
        "١٠:٣٠",
        "-..h",
        "10:3\u{0}",
        "11/20/2026",
        "20/11/2026",
        "someday",
        "last",
        "last someday",
        "this",
        "Nov 31",
        "Nov 0",
        "Nov 24 10",
        "24.13.",
        "32.1.",
        "24.11",
        "13am",
        "0pm",
        "am",
        "8:30xm",
        "8am 9am",
        "2026-W54",
        "W0",
        "monday tuesday",
        "last 2",
        "Nov 24 2026 2027",
    ] {
        assert_eq!(start(text), "none", "{text}");
    }
}

#[test]
fn lengths_of_time() {
    for (text, seconds) in [
        ("30", Some(30.0)),
        ("1.5", Some(1.5)),
        ("30s", Some(30.0)),
        ("5min", Some(300.0)),
        ("2h", Some(7200.0)),
        ("1h 30min", Some(5400.0)),
        ("250ms", Some(0.25)),
        ("1d", Some(86_400.0)),
        ("-5", None),
        ("inf", None),
        ("NaN", None),
        ("1e9", None),
        ("", None),
        ("h", None),
        ("5 apples", None),
    ] {
        assert_eq!(parse_length(text), seconds, "{text}");
    }
}
