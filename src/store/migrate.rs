//! The schema/ list, in one transaction: each migration exactly once, and no database from the future.
//!
//! The version is the number of migrations applied; it stands in `meta` and changes with them or not at all.

use super::error::Error;
use duckdb::Connection;
use std::path::Path;

/// All migrations by name, oldest first; append only.
pub(super) const MIGRATIONS: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/schema.rs"));

/// Latest version of the schema: the one that this program reads and writes.
pub(super) const KNOWN: usize = MIGRATIONS.len();

/// Brings the database to the latest version.
pub(super) fn migrate(conn: &Connection, path: Option<&Path>) -> Result<(), Error> {
    apply(conn, path, MIGRATIONS)
}

/// Returns the version of the schema; 0 for an empty database.
pub(super) fn version(conn: &Connection, path: Option<&Path>) -> Result<usize, Error> {
    let sql = |error: &duckdb::Error| Error::sort(path, "", error);
    let foreign = || Error::Foreign {
        path: path.map_or_else(Default::default, Path::to_path_buf),
    };
    let noted = || -> duckdb::Result<Option<usize>> {
        let sql = "SELECT max(value) FROM meta WHERE key = 'maillog_schema'";
        let found: Option<String> = conn.query_row(sql, [], |row| row.get(0))?;
        Ok(found.and_then(|text| text.parse().ok()))
    };
    // Nearly always so; the tables about tables take DuckDB as long as a query.
    if let Ok(Some(version @ 1..)) = noted() {
        return Ok(version);
    }
    let relations = "SELECT count(*) FROM (SELECT table_name FROM duckdb_tables() WHERE NOT internal AND NOT temporary \
                     UNION ALL SELECT view_name FROM duckdb_views() WHERE NOT internal AND NOT temporary)";
    let count: i64 = conn
        .query_row(relations, [], |row| row.get(0))
        .map_err(|error| sql(&error))?;
    if count == 0 {
        return Ok(0);
    }
    let ours = "SELECT count(*) FROM duckdb_columns() \
                WHERE table_name = 'meta' AND column_name IN ('key', 'value') AND data_type = 'VARCHAR'";
    let columns: i64 = conn
        .query_row(ours, [], |row| row.get(0))
        .map_err(|error| sql(&error))?;
    if columns != 2 {
        return Err(foreign());
    }
    noted()
        .map_err(|error| sql(&error))?
        .filter(|version| *version > 0)
        .ok_or_else(foreign)
}

pub(super) fn apply(
    conn: &Connection,
    path: Option<&Path>,
    migrations: &[(&str, &str)],
) -> Result<(), Error> {
    let known = migrations.len();
    let found = version(conn, path)?;
    if found > known {
        return Err(Error::FromFuture { found, known });
    }
    let Some(missing) = migrations.get(found..).filter(|list| !list.is_empty()) else {
        return Ok(());
    };
    let run = |sql: &str| {
        conn.execute_batch(sql)
            .map_err(|error| Error::sort(path, sql, &error))
    };
    run("BEGIN TRANSACTION")?;
    let done = missing
        .iter()
        .try_for_each(|(_, sql)| run(sql))
        .and_then(|()| {
            run("DELETE FROM meta WHERE key = 'maillog_schema'")?;
            run(&format!(
                "INSERT INTO meta VALUES ('maillog_schema', '{known}')"
            ))?;
            run("COMMIT")
        });
    if done.is_err() {
        // The first error is the one to tell; a failed COMMIT has rolled back already.
        let _ = conn.execute_batch("ROLLBACK");
    }
    done
}
