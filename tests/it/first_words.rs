//! What a newcomer types first, and what people type who know another program: each is answered.

use crate::program::{Outcome, Place, int};
use std::fs;
use std::process::Stdio;

const NOW: [&str; 2] = ["--now", "2026-11-22T00:00:00Z"];

fn filled() -> Place {
    Place::filled(&["testlogs/demo", NOW[0], NOW[1]])
}

fn run(place: &Place, args: &[&str]) -> Outcome {
    place.run(&[args, &NOW].concat())
}

fn expect(place: &Place, args: &[&str], code: i32, words: &str) -> Outcome {
    let outcome = run(place, args);
    let all = format!("{}{}", outcome.stdout, outcome.stderr);
    assert_eq!(outcome.code, Some(code), "{args:?}: {all}");
    assert!(all.contains(words), "{args:?}: no {words:?} in {all}");
    outcome
}

#[test]
fn a_status_is_a_status() {
    let place = filled();
    let count = |term: &str| {
        let outcome = run(&place, &["find", term, "--all", "-o", "count"]);
        outcome.stdout.trim().parse::<u64>().unwrap_or_default()
    };
    for status in ["bounced", "sent", "deferred", "rejected"] {
        assert_eq!(
            count(status),
            count(&format!("status:{status}")),
            "{status}"
        );
        assert!(count(status) > 0, "{status}");
    }
    expect(
        &place,
        &["find", "sent", "2026-11-21", "-n", "1"],
        0,
        "sent read as status (status:)",
    );
    expect(
        &place,
        &["find", "connection", "refused", "--all"],
        0,
        "refused read as text of the reply",
    );
}

#[test]
fn the_beginning_of_an_address_leads_to_it() {
    let place = filled();
    let outcome = expect(&place, &["find", "hold-rel", "--all"], 1, "near misses");
    assert!(
        outcome.stderr.contains("addr:hold-rel"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn find_alone_says_what_it_needs() {
    let place = filled();
    expect(&place, &["find"], 2, "name an address, a queue id");
}

#[test]
fn where_there_is_nothing_the_log_is_named() {
    let place = Place::new();
    expect(
        &place,
        &["find", "a@example.com"],
        2,
        "maillog ingest /var/log/mail.log*",
    );
    let outcome = place
        .command(&["find", "a@example.com"])
        .env("MAILLOG_DB", "")
        .env("XDG_DATA_HOME", place.path("data"))
        .env("MAILLOG_CONFIG", "")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&outcome.stderr).into_owned();
    assert!(said.contains("no database at"), "{said}");
    assert!(said.contains("maillog.duckdb"), "{said}");
}

#[test]
fn forms_of_hits_are_refused_where_there_are_none() {
    let place = filled();
    for form in ["story", "ticket", "raw", "qid", "short"] {
        for command in [
            &["sql", "SELECT 1"][..],
            &["prune", "--dry-run"],
            &["query", "totals"],
            &["doctor"],
        ] {
            expect(
                &place,
                &[command, &["-o", form]].concat(),
                2,
                "is for maillog find only",
            );
        }
    }
    expect(&place, &["sql", "SELECT 42 AS n", "-o", "json"], 0, "42");
}

#[test]
fn a_plan_can_be_run() {
    let place = filled();
    expect(
        &place,
        &["sql", "EXPLAIN SELECT recipient FROM delivery_to"],
        0,
        "delivery_to",
    );
    for statement in [
        "EXPLAIN ANALYZE SELECT count(*) FROM delivery_to",
        "explain analyze\nSELECT count(*) FROM delivery_to",
    ] {
        expect(&place, &["sql", statement], 0, "Total Time");
    }
    expect(
        &place,
        &["sql", "EXPLAIN ANALYZE DELETE FROM delivery_to"],
        2,
        "only a single SELECT",
    );
}

#[test]
fn an_sqlite_file_is_named_as_one() {
    let place = Place::new();
    let file = place.path("other.db");
    let mut bytes = b"SQLite format 3\0".to_vec();
    bytes.resize(4096, 0);
    fs::write(&file, &bytes).unwrap();
    let file = file.to_str().unwrap();
    for command in [&["status"][..], &["ingest", "testlogs/demo"]] {
        expect(
            &place,
            &[&["--db", file], command].concat(),
            2,
            "is an SQLite database, not one of maillog",
        );
    }
    assert_eq!(fs::read(file).unwrap(), bytes);
}

#[test]
fn files_are_looked_at_without_an_import() {
    let place = Place::new();
    let file = ["--file", "testlogs/demo/mail.log.1"];
    let outcome = expect(
        &place,
        &[&["find", "bo.0117@ok.test", "-o", "json"][..], &file].concat(),
        0,
        "bo.0117@ok.test",
    );
    assert_eq!(outcome.stdout.lines().count(), 1);
    assert!(!place.path("maillog.duckdb").exists());
    expect(
        &place,
        &[&["find", "nobody@example.com"][..], &file].concat(),
        1,
        "nothing found; log read in that time",
    );
    expect(
        &place,
        &[&["find", "4jWctm4v1Fz5rrN", "-o", "raw"][..], &file].concat(),
        0,
        "4jWctm4v1Fz5rrN: ",
    );
    expect(
        &place,
        &["find", "x@example.com", "--file", "/nowhere/mail.log"],
        2,
        "/nowhere/mail.log",
    );
    // Several files are one log.
    let both = [
        "find",
        "to:@ok.test",
        "-o",
        "count",
        "--file",
        "testlogs/demo/mail.log",
        "--file",
        "testlogs/demo/mail.log.1",
    ];
    assert!(
        expect(&place, &both, 0, "")
            .stdout
            .trim()
            .parse::<u64>()
            .unwrap()
            > 20
    );
    let filled = filled();
    let before = filled.number("SELECT count(*) FROM source");
    expect(
        &filled,
        &[&["find", "bo.0117@ok.test"][..], &file].concat(),
        0,
        "",
    );
    assert_eq!(filled.number("SELECT count(*) FROM source"), before);
}

#[test]
fn all_is_taken_where_there_is_nothing_to_lift() {
    let place = filled();
    expect(&place, &["query", "unparsed", "--all"], 0, "");
    expect(&place, &["query", "storage", "--all"], 0, "");
}

#[test]
fn one_is_not_many() {
    let place = Place::new();
    let file = place.path("mail.log");
    fs::write(&file, "2026-11-21T10:00:00+00:00 mx1 postfix/qmgr[1]: 3A1973E542: from=<a@example.com>, size=1, nrcpt=1 (queue active)\n").unwrap();
    let outcome = expect(
        &place,
        &["ingest", file.to_str().unwrap()],
        0,
        "1 line read from 1 file",
    );
    assert!(
        outcome
            .stdout
            .contains("\n1 message, 0 recipients, 0 refusals, "),
        "{}",
        outcome.stdout
    );
}

#[test]
fn a_group_that_does_not_exist_ends_the_service() {
    let place = Place::new();
    let settings = place.path("maillog.toml");
    fs::write(&settings, "[serve]\ngroup = \"no-such-group\"\n").unwrap();
    let file = place.path("mail.log");
    fs::write(&file, "").unwrap();
    let service = place
        .command(&[
            "ingest",
            "--follow",
            file.to_str().unwrap(),
            "--config",
            settings.to_str().unwrap(),
        ])
        .stdout(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&service.stderr).into_owned();
    assert_eq!(service.status.code(), Some(2), "{said}");
    assert!(
        said.contains("the system has no group \"no-such-group\""),
        "{said}"
    );
}

#[test]
fn what_a_clock_shows_has_no_zone() {
    let place = filled();
    for form in ["json", "csv", "tsv"] {
        let sql = "SELECT time, in_zone(time, 'Asia/Tokyo') AS there FROM delivery_from ORDER BY id LIMIT 1";
        let told = expect(&place, &["sql", "-o", form, sql], 0, "12:21:36").stdout;
        assert_eq!(told.matches('Z').count(), 1, "{told}");
    }
}

#[test]
fn what_spoke_no_smtp_was_not_rejected() {
    let place = filled();
    let rows = place.select("SELECT count(*) AS n, coalesce(sum(count) FILTER (WHERE action = 'non-SMTP command'), 0)::BIGINT AS other, sum(count)::BIGINT AS all_of FROM noqueue");
    let (other, all) = (int(&rows[0], "other"), int(&rows[0], "all_of"));
    assert!(other > 0);
    let told = expect(
        &place,
        &["query", "totals", "--all", "-o", "csv"],
        0,
        "rejected",
    )
    .stdout;
    let rejected = told
        .lines()
        .find_map(|line| line.strip_prefix("rejected,"))
        .unwrap();
    assert_eq!(rejected.parse::<i64>().unwrap(), all - other);
}

#[test]
fn old_log_is_told_and_can_be_kept() {
    /// Two months behind the log; refusals are kept for 30 days, deliveries for 90.
    const LATER: [&str; 2] = ["--now", "2027-01-20T00:00:00Z"];
    /// Half a year.
    const LATE: [&str; 2] = ["--now", "2027-05-20T00:00:00Z"];
    const AFTER: [&str; 2] = ["--now", "2027-05-23T00:00:00Z"];
    let place = Place::new();
    let run = |args: &[&str], now: &[&str]| {
        let outcome = place.run(&[args, now].concat());
        assert_eq!(outcome.code, Some(0), "{args:?}: {}", outcome.stderr);
        outcome.stdout
    };
    let told = run(&["ingest", "testlogs/demo"], &NOW);
    assert!(!told.contains("past retention"), "{told}");
    let place = Place::new();
    let run = |args: &[&str], now: &[&str]| {
        let outcome = place.run(&[args, now].concat());
        assert_eq!(outcome.code, Some(0), "{args:?}: {}", outcome.stderr);
        outcome.stdout
    };
    let told = run(&["ingest", "testlogs/demo/mail.log.2.gz"], &LATER);
    assert!(
        told.contains("past retention: ") && told.contains("(kept 30 days)"),
        "{told}"
    );
    assert!(!told.contains("(kept 90 days)"), "{told}");
    assert!(
        told.contains("log lines older than 7 days are not stored"),
        "{told}"
    );
    let told = run(
        &["ingest", "testlogs/demo/mail.log.1", "--keep", "400"],
        &LATE,
    );
    assert!(!told.contains("past retention"), "{told}");
    let told = run(&["ingest", "testlogs/demo/mail.log"], &LATE);
    assert!(
        told.contains("(kept 90 days)") && told.contains("--keep DAYS"),
        "{told}"
    );
    // Kept are the host and time of the file, whoever told it.
    let count = |table: &str| place.number(&format!("SELECT count(*) FROM {table}"));
    let (messages, refusals) = (count("delivery_from"), count("noqueue"));
    let kept = place.number(
        "SELECT count(*) FROM delivery_from f JOIN kept k ON k.host = f.host AND f.time BETWEEN k.first_time AND k.last_time",
    );
    // Where it was read a moment ago a log may go on.
    run(&["prune"], &AFTER);
    assert!(kept > 0 && count("delivery_from") >= kept && count("delivery_from") < messages);
    assert!(count("noqueue") < refusals && count("noqueue") > 0);
    let told = run(&["prune", "--dry-run"], &AFTER);
    assert_eq!(told.lines().count(), 1, "{told}");
    // And no longer than that.
    run(&["prune", "--now", "2029-01-01T00:00:00Z"], &[]);
    assert_eq!(
        place.number("SELECT count(*) FROM delivery_from WHERE removed IS NOT NULL"),
        0
    );
    assert_eq!(count("kept"), 0);
}

#[test]
fn what_is_gone_can_be_read_again_and_what_is_there_cannot() {
    let place = filled();
    let file = "testlogs/demo/mail.log";
    let again = ["ingest", file, "--again"];
    expect(&place, &again, 2, "--again would count them twice");
    let messages = place.number("SELECT count(*) FROM delivery_from");
    place.succeed(&["prune", "--now", "2028-01-01T00:00:00Z"]);
    expect(&place, &["ingest", file], 0, "nothing new");
    let outcome = expect(
        &place,
        &["ingest", file, "--year", "2025"],
        0,
        "nothing new",
    );
    assert!(
        outcome.stderr.contains("stay as they are"),
        "{}",
        outcome.stderr
    );
    expect(
        &place,
        &["ingest", file, "--again"],
        0,
        "500 lines read from 1 file",
    );
    let now = place.number("SELECT count(*) FROM delivery_from");
    assert!(now > 10 && now <= messages, "{now} {messages}");
    expect(&place, &["ingest", file], 0, "nothing new");
    expect(&place, &again, 2, "--again would count them twice");
}
