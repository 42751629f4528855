//! Years that are not logged, hours that are there twice or not at all.

use super::{Hints, NOW, Owned, decode, decode_counted, options};
use crate::source::survey::Survey;

fn lines(stamps: &[&str]) -> String {
    let lines: Vec<_> = stamps
        .iter()
        .map(|stamp| format!("{stamp} mail postfix/qmgr[812]: 64AB9120A53: removed\n"))
        .collect();
    lines.concat()
}

fn utc(entries: &[Owned]) -> Vec<String> {
    entries
        .iter()
        .map(|entry| entry.utc().trim_end_matches(".000000").to_owned())
        .collect()
}

fn read(stamps: &[&str], zone: &str, first_year: Option<i32>) -> Vec<String> {
    utc(&decode(lines(stamps), &options(zone), Hints { first_year }))
}

fn surveyed(text: &str, written: &str) -> Option<i32> {
    let written = chrono::DateTime::parse_from_rfc3339(written)
        .unwrap()
        .to_utc();
    let mut survey = Survey::default();
    survey.head(text.as_bytes());
    if !survey.is_settled() {
        survey = Survey::default();
        survey.body(text.as_bytes());
    }
    survey.first_year(written.into())
}

#[test]
fn december_to_january_begins_a_year_and_late_lines_stay_in_the_old_one() {
    let stamps = [
        "Dec 31 23:59:58",
        "Jan  1 00:00:01",
        "Dec 31 23:59:59",
        "Jan  1 00:00:02",
        "Jan  2 00:00:00",
    ];
    assert_eq!(
        read(&stamps, "UTC", Some(2023)),
        [
            "2023-12-31T23:59:58",
            "2024-01-01T00:00:01",
            "2023-12-31T23:59:59",
            "2024-01-01T00:00:02",
            "2024-01-02T00:00:00"
        ]
    );
}

#[test]
fn several_years_are_counted_through() {
    let stamps = [
        "Mar  1 00:00:00",
        "Nov  1 00:00:00",
        "Feb  1 00:00:00",
        "Aug  1 00:00:00",
        "Jan  1 00:00:00",
        "Feb 29 12:00:00",
    ];
    assert_eq!(
        read(&stamps, "UTC", Some(2022)),
        [
            "2022-03-01T00:00:00",
            "2022-11-01T00:00:00",
            "2023-02-01T00:00:00",
            "2023-08-01T00:00:00",
            "2024-01-01T00:00:00",
            "2024-02-29T12:00:00"
        ]
    );
}

#[test]
fn files_put_together_in_the_wrong_order_stay_in_their_year() {
    let stamps = [
        "Mar 10 00:00:00",
        "Mar 14 00:00:00",
        "Mar  3 00:00:00",
        "Mar  9 00:00:00",
    ];
    let years = read(&stamps, "UTC", Some(2025));
    assert!(
        years.iter().all(|time| time.starts_with("2025-03-")),
        "{years:?}"
    );
}

#[test]
fn no_year_is_begun_that_has_not_come_yet() {
    // A clock that was wrong for one line.
    let stamps = ["Mar 10 00:00:00", "Dec 24 00:00:00", "Mar 10 00:00:01"];
    assert_eq!(
        read(&stamps, "UTC", Some(2026)),
        [
            "2026-03-10T00:00:00",
            "2025-12-24T00:00:00",
            "2026-03-10T00:00:01"
        ]
    );
}

#[test]
fn a_stamp_in_the_future_is_kept_and_counted() {
    let text = lines(&["Nov 20 00:00:00", "Nov 25 00:00:00"]);
    let (entries, counts) = decode_counted(
        text,
        &options("UTC"),
        Hints {
            first_year: Some(2026),
        },
    );
    assert_eq!(
        utc(&entries),
        ["2026-11-20T00:00:00", "2026-11-25T00:00:00"]
    );
    assert_eq!(counts.future, 1);
}

#[test]
fn without_hint_the_first_line_is_the_latest_that_is_not_in_the_future() {
    assert_eq!(
        read(&["Nov 21 02:00:00"], "UTC", None),
        ["2026-11-21T02:00:00"]
    );
    assert_eq!(
        read(&["Dec  1 02:00:00"], "UTC", None),
        ["2025-12-01T02:00:00"]
    );
    assert_eq!(
        read(&["Feb 29 02:00:00"], "UTC", None),
        ["2024-02-29T02:00:00"]
    );
}

#[test]
fn survey_lets_the_last_line_be_before_the_file_was_written() {
    let text = lines(&[
        "Nov 10 00:00:00",
        "Dec 31 23:00:00",
        "Jan  1 00:00:00",
        "Jan  9 00:00:00",
    ]);
    assert_eq!(surveyed(&text, "2024-01-09T00:10:00Z"), Some(2023));
    assert_eq!(surveyed(&text, "2024-01-08T23:59:00Z"), Some(2023));
    assert_eq!(surveyed(&text, "2024-01-07T00:00:00Z"), Some(2022));
}

#[test]
fn survey_puts_a_leap_day_into_a_leap_year() {
    let text = lines(&["Dec 10 00:00:00", "Feb 29 00:00:00", "Mar  1 00:00:00"]);
    assert_eq!(surveyed(&text, "2026-11-21T00:00:00Z"), Some(2023));
}

#[test]
fn survey_believes_a_long_queue_id_before_the_file_time() {
    let text = "Dec 30 10:20:11 mail postfix/anvil[3]: x\nMar  4 10:20:11 mail postfix/qmgr[812]: 4fQnFR2wTjz8tX9: removed\n";
    assert_eq!(surveyed(text, "2031-11-21T00:00:00Z"), Some(2025));
}

#[test]
fn survey_of_lines_with_years_tells_nothing() {
    let text = "2026-03-04T10:20:11Z mail postfix/qmgr[812]: 4fQnFR2wTjz8tX9: removed\n";
    assert_eq!(surveyed(text, "2031-11-21T00:00:00Z"), None);
}

#[test]
fn summer_time_is_applied() {
    assert_eq!(
        read(
            &["Mar  4 10:20:11", "Jul  4 10:20:11"],
            "Europe/Berlin",
            Some(2026)
        ),
        ["2026-03-04T09:20:11", "2026-07-04T08:20:11"]
    );
    assert_eq!(
        read(&["Mar  4 10:20:11"], "+05:30", Some(2026)),
        ["2026-03-04T04:50:11"]
    );
}

#[test]
fn the_repeated_hour_is_told_by_order() {
    let stamps = [
        "Oct 25 01:59:59",
        "Oct 25 02:10:00",
        "Oct 25 02:59:59",
        "Oct 25 02:00:00",
        "Oct 25 02:59:58",
        "Oct 25 02:30:00",
        "Oct 25 03:00:00",
    ];
    let entries = decode(
        lines(&stamps),
        &options("Europe/Berlin"),
        Hints {
            first_year: Some(2026),
        },
    );
    assert_eq!(
        utc(&entries),
        [
            "2026-10-24T23:59:59",
            "2026-10-25T00:10:00",
            "2026-10-25T00:59:59",
            "2026-10-25T01:00:00",
            "2026-10-25T00:59:58",
            "2026-10-25T01:30:00",
            "2026-10-25T02:00:00"
        ]
    );
    let doubts: Vec<_> = entries.iter().map(|entry| entry.ambiguous).collect();
    assert_eq!(doubts, [false, true, true, true, true, true, false]);
}

#[test]
fn a_long_queue_id_tells_the_second_pass() {
    // 2026-10-25T01:20:11 UTC, the second time that clocks in Berlin show 02:20:11.
    let line = "Oct 25 02:20:11 mail postfix/smtpd[1]: 4jBzT70001z8tX9: client=x[192.0.2.1]\n";
    let entries = decode(
        line,
        &options("Europe/Berlin"),
        Hints {
            first_year: Some(2026),
        },
    );
    assert_eq!(utc(&entries), ["2026-10-25T01:20:11"]);
}

#[test]
fn the_skipped_hour_counts_as_if_the_clock_had_not_been_put_forward() {
    let entries = decode(
        lines(&["Mar 29 02:30:00"]),
        &options("Europe/Berlin"),
        Hints {
            first_year: Some(2026),
        },
    );
    assert_eq!(utc(&entries), ["2026-03-29T01:30:00"]);
    assert!(entries[0].ambiguous);
}

#[test]
fn an_abbreviation_settles_the_repeated_hour() {
    let text = "Sun 2026-10-25 02:30:00 CET mail postfix/qmgr[812]: x\nSun 2026-10-25 02:30:00 CEST mail postfix/qmgr[812]: x\n";
    let entries = decode(text, &options("Europe/Berlin"), Hints::default());
    assert_eq!(
        utc(&entries),
        ["2026-10-25T01:30:00", "2026-10-25T00:30:00"]
    );
    assert!(!entries[0].ambiguous);
}

#[test]
fn now_is_what_the_tests_think_it_is() {
    assert_eq!(
        NOW.to_utc().unwrap().to_rfc3339(),
        "2026-11-21T03:00:00+00:00"
    );
}
