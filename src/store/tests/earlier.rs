//! Databases of every earlier schema, as files: each opens, keeps its rows, and has the shape of a new one.
//!
//! The files were made by `make_fixtures` when their schema was the newest, from the migrations up to theirs and rows written by SQL:
//! they hold fast what those migrations were. A migration that is edited later makes this fail.

use super::migrate::shape;
use super::*;
use crate::store::migrate::{KNOWN, MIGRATIONS, apply, version};
use duckdb::Connection;
use std::fs;
use std::path::{Path, PathBuf};

/// Rows in the tables and columns that every schema has.
const ROWS: &str = "
    INSERT INTO source (id, key, name, position, state, first_read, last_read) VALUES
        (1, '{\"Journal\":{\"machine\":\"m\"}}', 'journal', 7, '', '2026-11-20', '2026-11-20');
    INSERT INTO delivery_from (id, host, instance, queue_id, time, updated, sender, origin, root_id, status, log_incomplete) VALUES
        (1, 'h', 'postfix', '4jc6Pz2LgJz1SS28', '2026-11-20', '2026-11-20', 'ann@example.org', 'smtpd', 1, 'done', false);
    INSERT INTO delivery_to (id, from_id, host, instance, queue_id, recipient, time, first_time, attempts, dsn, status, reason) VALUES
        (1, 1, 'h', 'postfix', '4jc6Pz2LgJz1SS28', 'Bob@example.net', '2026-11-20', '2026-11-20', 2, '5.2.2', 'bounced',
         'host x[192.0.2.1] said: 552 5.2.2 Mailbox full'),
        (2, 1, 'h', 'postfix', '4jc6Pz2LgJz1SS28', 'carol@example.net', '2026-11-20', '2026-11-20', 1, '2.0.0', 'sent', '250 ok');
    INSERT INTO delivery_attempt (id, to_id, from_id, time, dsn, status, reason) VALUES
        (1, 1, 1, '2026-11-19', '4.4.1', 'deferred', 'connect to x[192.0.2.1]:25: Connection timed out');
    INSERT INTO noqueue (id, time, host, instance, service, action, protocol_state, sender, recipient, reason, count) VALUES
        (1, '2026-11-20', 'h', 'postfix', 'smtpd', 'reject', 'RCPT', 'eve@example.com', 'x@example.net', '554 5.7.1 Relay access denied', 1)";

/// What each of them must still say.
const KEPT: &str = "
    SELECT concat_ws(' ', 'from', id, queue_id, sender, status) FROM delivery_from
    UNION ALL SELECT concat_ws(' ', 'to', id, recipient, status, attempts, cause) FROM delivery_to
    UNION ALL SELECT concat_ws(' ', 'attempt', id, status) FROM delivery_attempt
    UNION ALL SELECT concat_ws(' ', 'refused', id, sender, recipient) FROM noqueue
    UNION ALL SELECT concat_ws(' ', 'source', id, name, position) FROM source ORDER BY ALL";

fn file(version: usize) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    folder.join(format!("schema_{version:04}.duckdb.zst"))
}

#[test]
fn a_database_of_every_earlier_schema_opens_and_keeps_its_rows() {
    let fresh = Store::open_in_memory().unwrap();
    let folder = tempfile::tempdir().unwrap();
    for number in 1..KNOWN {
        let packed = fs::read(file(number)).unwrap_or_else(|_| {
            panic!("no database of schema {number}: run `cargo test --release --lib make_fixtures -- --ignored`")
        });
        let path = folder.path().join(format!("{number}.duckdb"));
        fs::write(&path, zstd::decode_all(packed.as_slice()).unwrap()).unwrap();
        let before = Connection::open(&path).unwrap();
        assert_eq!(version(&before, None).unwrap(), number);
        drop(before);
        let store = Store::open_writer(&path).unwrap();
        assert_eq!(version(&store.conn, None).unwrap(), KNOWN, "from {number}");
        assert_eq!(shape(&store.conn), shape(&fresh.conn), "from {number}");
        let mut statement = store.conn.prepare(KEPT).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        let rows: Vec<String> = rows.map(Result::unwrap).collect();
        assert_eq!(
            rows,
            [
                "attempt 1 deferred",
                "from 1 4jc6Pz2LgJz1SS28 ann@example.org done",
                "refused 1 eve@example.com x@example.net",
                "source 1 journal 7",
                "to 1 Bob@example.net bounced 2 mailbox_full",
                "to 2 carol@example.net sent 1",
            ],
            "from {number}"
        );
    }
}

/// Makes the files that are missing; those that are there stay as they are.
#[test]
#[ignore = "writes tests/fixtures"]
fn make_fixtures() {
    let folder = tempfile::tempdir().unwrap();
    for number in (1..=KNOWN).filter(|number| !file(*number).exists()) {
        let path = folder.path().join(format!("{number}.duckdb"));
        let conn = Connection::open(&path).unwrap();
        crate::store::function::register(&conn).unwrap();
        apply(&conn, None, &MIGRATIONS[..1]).unwrap();
        conn.execute_batch(ROWS).unwrap();
        apply(&conn, None, &MIGRATIONS[..number]).unwrap();
        conn.execute_batch("CHECKPOINT").unwrap();
        drop(conn);
        let packed = zstd::encode_all(fs::File::open(&path).unwrap(), 19).unwrap();
        fs::write(file(number), packed).unwrap();
    }
}
