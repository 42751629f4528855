use super::*;
use crate::store::migrate::{KNOWN, MIGRATIONS, apply, version};
use duckdb::Connection;

pub(super) fn shape(conn: &Connection) -> Vec<String> {
    let sql = "SELECT concat_ws(' ', table_name, column_index, column_name, data_type, is_nullable) FROM duckdb_columns() \
               WHERE NOT internal ORDER BY ALL";
    let mut statement = conn.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn each_migration_runs_once_whatever_the_start() {
    let list = [
        "CREATE TABLE meta (key VARCHAR NOT NULL, value VARCHAR NOT NULL); CREATE TABLE a (x INTEGER)",
        "ALTER TABLE a ADD COLUMN y INTEGER",
        "CREATE TABLE b (z INTEGER)",
    ]
    .map(|sql| ("", sql));
    let fresh = Connection::open_in_memory().unwrap();
    apply(&fresh, None, &list).unwrap();
    for start in 0..=list.len() {
        let conn = Connection::open_in_memory().unwrap();
        if start > 0 {
            apply(&conn, None, &list[..start]).unwrap();
            conn.execute_batch("INSERT INTO a (x) VALUES (42)").unwrap();
        }
        apply(&conn, None, &list).unwrap();
        apply(&conn, None, &list).unwrap();
        assert_eq!(version(&conn, None).unwrap(), 3);
        assert_eq!(shape(&conn), shape(&fresh), "from {start}");
        let kept: i64 = conn
            .query_row("SELECT count(*) FROM a WHERE x = 42", [], |row| row.get(0))
            .unwrap();
        assert_eq!(kept, i64::from(start > 0));
    }
}

#[test]
fn failed_migration_changes_nothing() {
    let conn = Connection::open_in_memory().unwrap();
    let first = "CREATE TABLE meta (key VARCHAR, value VARCHAR)";
    apply(&conn, None, &[("", first)]).unwrap();
    let before = shape(&conn);
    let error = apply(
        &conn,
        None,
        &[
            ("", first),
            ("", "CREATE TABLE good (x INTEGER)"),
            ("", "CREATE TABEL bad (x INTEGER)"),
        ],
    )
    .unwrap_err();
    assert!(matches!(error, Error::Sql { .. }), "{error}");
    assert_eq!(shape(&conn), before);
    assert_eq!(version(&conn, None).unwrap(), 1);
}

#[test]
fn newer_database_is_refused() {
    let conn = Connection::open_in_memory().unwrap();
    let list = [
        "CREATE TABLE meta (key VARCHAR, value VARCHAR)",
        "CREATE TABLE a (x INTEGER)",
    ]
    .map(|sql| ("", sql));
    apply(&conn, None, &list).unwrap();
    let error = apply(&conn, None, &list[..1]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the database was made by a newer maillog: schema 2, this one knows 1"
    );
}

#[test]
fn causes_of_an_older_database_are_found_once() {
    let conn = Connection::open_in_memory().unwrap();
    crate::store::function::register(&conn).unwrap();
    apply(&conn, None, &MIGRATIONS[..1]).unwrap();
    let to = "INSERT INTO delivery_to (id, from_id, host, instance, queue_id, recipient, time, first_time, attempts, dsn, status, reason) VALUES
        (1, 1, 'h', 'i', 'Q', 'a@x', '2026-11-20', '2026-11-20', 1, '5.2.2', 'bounced', 'host x[192.0.2.1] said: 552 5.2.2 Mailbox full'),
        (2, 1, 'h', 'i', 'Q', 'b@x', '2026-11-20', '2026-11-20', 1, '2.0.0', 'sent', '250 ok, no spam'),
        (3, 1, 'h', 'i', 'Q', 'c@x', '2026-11-20', '2026-11-20', 1, '2.7.0', 'discarded', '250 2.7.0 Ok, discarded, id=1-1 - SPAM'),
        (4, 1, 'h', 'i', 'Q', 'd@x', '2026-11-20', '2026-11-20', 0, NULL, 'held', NULL),
        (5, 1, 'h', 'i', 'Q', 'e@x', '2026-11-20', '2026-11-20', 2, '5.7.1', 'bounced', 'host x[192.0.2.1] said: 554 see https://www.spamhaus.org/x')";
    conn.execute_batch(to).unwrap();
    let earlier = "INSERT INTO delivery_attempt (id, to_id, from_id, time, dsn, status, reason) VALUES
        (1, 5, 1, '2026-11-19', '4.4.1', 'deferred', 'connect to x[192.0.2.1]:25: Connection timed out')";
    conn.execute_batch(earlier).unwrap();
    let refusals = "INSERT INTO noqueue (id, time, host, instance, service, action, protocol_state, rule, dsn, reason, count) VALUES
        (1, '2026-11-20', 'h', 'i', 'smtpd', 'reject', 'RCPT', 'relay', '5.7.1', '554 5.7.1 <x@y>: Relay access denied', 1),
        (2, '2026-11-20', 'h', 'i', 'smtpd', 'non-SMTP command', '', NULL, NULL, 'non-SMTP command from x[192.0.2.1]: spam', 1)";
    conn.execute_batch(refusals).unwrap();
    apply(&conn, None, MIGRATIONS).unwrap();
    let sql = "SELECT concat_ws(' ', id, cause, dnsbl) FROM delivery_to
        UNION ALL SELECT concat_ws(' ', 'earlier', cause, dnsbl) FROM attempt WHERE NOT is_last
        UNION ALL SELECT concat_ws(' ', 'refusal', cause, dnsbl) FROM noqueue ORDER BY ALL";
    let mut statement = conn.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    let found: Vec<String> = rows.map(Result::unwrap).collect();
    assert_eq!(
        found,
        [
            "1 mailbox_full",
            "2",
            "3 spam",
            "4",
            "5 blocklisted spamhaus.org",
            "earlier timeout",
            "refusal protocol",
            "refusal relay_denied",
        ]
    );
}

#[test]
fn addresses_of_an_older_database_get_their_keys() {
    let conn = Connection::open_in_memory().unwrap();
    crate::store::function::register(&conn).unwrap();
    apply(&conn, None, &MIGRATIONS[..3]).unwrap();
    let rows = "INSERT INTO delivery_to (id, from_id, host, instance, queue_id, recipient, orig_to, time, first_time, attempts, status) VALUES
        (1, 1, 'h', 'i', 'Q', 'Bob@example.net', NULL, '2026-11-20', '2026-11-20', 1, 'sent'),
        (2, 1, 'h', 'i', 'Q', 'x@example.net', 'bob@EXAMPLE.net', '2026-11-20', '2026-11-20', 1, 'sent');
        INSERT INTO delivery_from (id, host, instance, queue_id, time, updated, sender, origin, root_id, status, log_incomplete) VALUES
        (1, 'h', 'i', 'Q', '2026-11-20', '2026-11-20', 'BOB@example.net', 'smtpd', 1, 'done', false);
        INSERT INTO noqueue (id, time, host, instance, service, action, protocol_state, sender, recipient, reason, count) VALUES
        (1, '2026-11-20', 'h', 'i', 'smtpd', 'reject', 'RCPT', 'bob@example.net', NULL, 'no', 1)";
    conn.execute_batch(rows).unwrap();
    apply(&conn, None, MIGRATIONS).unwrap();
    let key = crate::model::key::of("bob@example.net");
    let found = format!(
        "SELECT (SELECT count(*) FROM delivery_to WHERE recipient_key = {key} AND orig_to_key IS NULL OR orig_to_key = {key})
        + (SELECT count(*) FROM delivery_from WHERE sender_key = {key})
        + (SELECT count(*) FROM noqueue WHERE sender_key = {key} AND recipient_key IS NULL)"
    );
    let found: i64 = conn.query_row(&found, [], |row| row.get(0)).unwrap();
    assert_eq!(found, 4);
}

#[test]
fn addresses_within_those_of_an_older_database_are_found_once() {
    let conn = Connection::open_in_memory().unwrap();
    crate::store::function::register(&conn).unwrap();
    apply(&conn, None, &MIGRATIONS[..5]).unwrap();
    let rows = "INSERT INTO delivery_to (id, from_id, host, instance, queue_id, recipient, time, first_time, attempts, status) VALUES
        (1, 1, 'h', 'i', 'Q', 'prvs=1234567890=ann@example.net', '2026-11-20', '2026-11-20', 1, 'sent'),
        (2, 1, 'h', 'i', 'Q', 'a=b@example.net', '2026-11-20', '2026-11-20', 1, 'sent');
        INSERT INTO delivery_from (id, host, instance, queue_id, time, updated, sender, origin, root_id, status, log_incomplete) VALUES
        (1, 'h', 'i', 'Q', '2026-11-20', '2026-11-20', 'SRS0=a=b=example.net=ann@fwd.example.org', 'smtpd', 1, 'done', false),
        (2, 'h', 'i', 'Q', '2026-11-20', '2026-11-20', 'ann@example.net', 'smtpd', 2, 'done', false),
        (3, 'h', 'i', 'Q', '2026-11-20', '2026-11-20', NULL, 'smtpd', 3, 'done', false);
        INSERT INTO noqueue (id, time, host, instance, service, action, protocol_state, sender, recipient, reason, count) VALUES
        (1, '2026-11-20', 'h', 'i', 'smtpd', 'reject', 'RCPT', 'srs0=a=b=example.net=ann@fwd.example.org', NULL, 'no', 1),
        (2, '2026-11-20', 'h', 'i', 'smtpd', 'reject', 'RCPT', NULL, 'SRS0=a=b=example.net=ann@fwd.example.org', 'no', 1)";
    conn.execute_batch(rows).unwrap();
    apply(&conn, None, MIGRATIONS).unwrap();
    let key = crate::model::key::of("ann@example.net");
    let all = "SELECT recipient_within AS a, recipient_within_key AS k FROM delivery_to UNION ALL SELECT orig_sender, orig_sender_key
        FROM delivery_from UNION ALL SELECT orig_sender, orig_sender_key FROM noqueue UNION ALL SELECT recipient_within, recipient_within_key
        FROM noqueue";
    let count = |condition: &str| -> i64 {
        let sql = format!("SELECT count(*) FROM ({all}) WHERE {condition}");
        conn.query_row(&sql, [], |row| row.get(0)).unwrap()
    };
    assert_eq!(count(&format!("a = 'ann@example.net' AND k = {key}")), 4);
    assert_eq!(count("a IS NULL AND k IS NULL"), 5);
}

#[test]
fn schema_of_a_new_database_is_the_latest() {
    let store = Store::open_in_memory().unwrap();
    let version = text(
        &store,
        "SELECT value FROM meta WHERE key = 'maillog_schema'",
    );
    assert_eq!(version, KNOWN.to_string());
}

#[test]
fn migrations_are_numbered_without_a_gap() {
    for (number, (name, _)) in (1..).zip(MIGRATIONS) {
        assert!(name.starts_with(&format!("{number:04}_")), "{name}");
    }
}
