use super::*;
use crate::store::migrate::{KNOWN, apply, version};
use duckdb::Connection;

fn shape(conn: &Connection) -> Vec<String> {
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
    ];
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
    apply(&conn, None, &[first]).unwrap();
    let before = shape(&conn);
    let error = apply(
        &conn,
        None,
        &[
            first,
            "CREATE TABLE good (x INTEGER)",
            "CREATE TABEL bad (x INTEGER)",
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
    ];
    apply(&conn, None, &list).unwrap();
    let error = apply(&conn, None, &list[..1]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the database was made by a newer maillog: schema 2, this one knows 1"
    );
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
