//! `maillog prune` as people type it, and totals that outlive rows.

use crate::program::{Place, int, text};
use std::collections::BTreeMap;

const LOG: [&str; 3] = [
    "testlogs/demo/mail.log",
    "testlogs/demo/mail.log.1",
    "testlogs/demo/mail.log.2.gz",
];
/// After everything in the log, and after all retention.
const LATER: &str = "2028-01-01T00:00:00Z";

fn filled() -> Place {
    let place = Place::new();
    ingest(&place);
    place
}

fn ingest(place: &Place) -> String {
    let mut args = vec!["ingest", "--json"];
    args.extend(LOG);
    place.succeed(&args)
}

/// Totals by name and labels.
fn totals(place: &Place) -> BTreeMap<(String, String), i64> {
    let rows = place.select("SELECT name, labels, value::BIGINT AS value FROM counter");
    rows.iter()
        .map(|row| {
            let key = (text(row, "name").to_owned(), text(row, "labels").to_owned());
            (key, int(row, "value"))
        })
        .collect()
}

fn total(totals: &BTreeMap<(String, String), i64>, name: &str) -> i64 {
    let of_name = totals.iter().filter(|((known, _), _)| known == name);
    of_name.map(|(_, value)| value).sum()
}

#[test]
fn totals_agree_with_the_tables_and_outlive_them() {
    let place = filled();
    let before = totals(&place);
    for (name, sql) in [
        ("postfix_deliveries_total", "SELECT count(*) FROM attempt"),
        (
            "postfix_smtp_messages_processed_total",
            "SELECT count(*) FROM attempt WHERE agent = 'smtp' OR agent LIKE '%/smtp'",
        ),
        (
            "postfix_rejects_total",
            "SELECT sum(count)::BIGINT FROM noqueue WHERE action IN ('reject', 'milter-reject', 'proxy-reject', 'hangup')",
        ),
        (
            "postfix_login_failures_total",
            "SELECT coalesce(sum(count), 0)::BIGINT FROM auth WHERE NOT ok",
        ),
        (
            "postfix_qmgr_messages_removed_total",
            "SELECT count(*) FROM delivery_from WHERE removed IS NOT NULL AND status IN ('done', 'expired', 'discarded')",
        ),
        (
            "maillog_ingest_lines_total",
            "SELECT sum(lines)::BIGINT FROM coverage",
        ),
    ] {
        assert_eq!(total(&before, name), place.number(sql), "{name}");
    }
    let bytes: i64 = std::fs::read_dir("testlogs/demo")
        .map_or(0, |_| total(&before, "maillog_ingest_bytes_total"));
    let summary: serde_json::Value = serde_json::from_str(&ingest(&place)).unwrap();
    assert_eq!(int(&summary, "lines"), 0);
    assert!(bytes > 100_000);
    assert_eq!(totals(&place), before, "reading it again counts nothing");

    place.succeed(&["prune", "--now", LATER]);
    assert_eq!(
        place.number(
            "SELECT count(*) FROM delivery_to WHERE from_id NOT IN (SELECT id FROM delivery_from)"
        ),
        0
    );
    assert_eq!(
        place.number("SELECT count(*) FROM delivery_from WHERE removed IS NOT NULL"),
        place.number("SELECT json_array_length(state, '$.closed') FROM open_message"),
        "only what the correlator remembers is left"
    );
    let mut after = totals(&place);
    assert!(total(&after, "maillog_pruned_rows_total") > 1000);
    after.retain(|(name, _), _| name != "maillog_pruned_rows_total");
    assert_eq!(after, before);
    // The cursors are there still: nothing comes back.
    let summary: serde_json::Value = serde_json::from_str(&ingest(&place)).unwrap();
    assert_eq!(int(&summary, "lines"), 0);
}

#[test]
fn what_the_preview_tells_goes_and_open_messages_stay() {
    let place = filled();
    let open = place.number("SELECT count(*) FROM delivery_from WHERE removed IS NULL");
    let lines = "SELECT count(*) FROM log_line WHERE from_id IN (SELECT id FROM delivery_from WHERE removed IS NULL)";
    let open_lines = place.number(lines);
    assert!(open > 0 && open_lines > 0);
    let args = ["prune", "--now", LATER, "--table", "noqueue", "-o", "json"];
    let told = place.succeed(&[&args[..], &["--dry-run"]].concat());
    assert_eq!(place.number("SELECT count(*) FROM noqueue"), 45);
    assert!(
        told.contains("\"rows\":45") || told.contains("\"rows\": 45"),
        "{told}"
    );
    assert!(place.succeed(&args).contains("45"));
    assert_eq!(place.number("SELECT count(*) FROM noqueue"), 0);
    place.succeed(&["prune", "--now", LATER, "--older-than", "1h"]);
    assert_eq!(
        place.number("SELECT count(*) FROM delivery_from WHERE removed IS NULL"),
        open
    );
    assert_eq!(place.number(lines), open_lines);
    assert_eq!(place.number("SELECT count(*) FROM event"), 0);
}

#[test]
fn an_address_is_erased_down_to_the_last_byte() {
    let place = filled();
    let address = "hold-release@ok.test";
    let found = place.run(&["find", address, "--all"]);
    assert_eq!(found.code, Some(0));
    let upper = address.to_uppercase();
    place.succeed(&["prune", "--address", &upper, "--compact"]);
    assert_eq!(place.run(&["find", address, "--all"]).code, Some(1));
    for entry in std::fs::read_dir(place.path("")).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap().to_ascii_lowercase();
        let hit = bytes
            .windows(address.len())
            .any(|w| w == address.as_bytes());
        assert!(!hit, "{}", path.display());
    }
    // Everything else is there.
    assert_eq!(place.number("SELECT count(*) FROM noqueue"), 45);
    let summary: serde_json::Value = serde_json::from_str(&ingest(&place)).unwrap();
    assert_eq!(int(&summary, "lines"), 0);
}

#[test]
fn nonsense_is_refused_before_anything_goes() {
    let place = filled();
    for (args, said) in [
        (
            vec!["--table", "mails"],
            "--table mails: not one of deliveries, noqueue",
        ),
        (
            vec!["--older-than", "soon"],
            "--older-than soon: write days (30)",
        ),
        (vec!["--older-than", "-3"], "unexpected argument"),
        (
            vec!["--address", "alice"],
            "--address alice: not of the form user@domain",
        ),
        (
            vec!["--address", "a@b.example", "--table", "auth"],
            "cannot be used with",
        ),
    ] {
        let outcome = place.run(&[&["prune", "--now", LATER][..], &args].concat());
        assert_eq!(outcome.code, Some(2), "{args:?}");
        assert!(
            outcome.stderr.contains(said),
            "{args:?}: {}",
            outcome.stderr
        );
    }
    assert_eq!(place.number("SELECT count(*) FROM noqueue"), 45);
    let nowhere = Place::new();
    let outcome = nowhere.run(&["prune"]);
    assert_eq!(outcome.code, Some(2));
    assert!(
        outcome.stderr.contains("no database at"),
        "{}",
        outcome.stderr
    );
    assert!(!nowhere.path("maillog.duckdb").exists());
}
