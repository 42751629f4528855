//! Stage: rows -> a table, or a temporary table from which a statement takes them.
//!
//! Rows go through the Arrow appender, a DuckDB vector at a time, so that columns exist once and briefly.

use super::columns::Stored;
use duckdb::{Appender, Connection};

/// Rows of one Arrow batch: the size of DuckDB's vectors.
const CHUNK_ROWS: usize = 2048;

/// Puts the rows into an empty temporary table of the same columns, and returns its name.
pub(super) fn stage<R: Stored>(conn: &Connection, rows: &[R]) -> duckdb::Result<String> {
    let (table, staged) = (R::TABLE, format!("staged_{}", R::TABLE));
    conn.execute_batch(&format!(
        "CREATE TEMP TABLE IF NOT EXISTS {staged} AS FROM {table} LIMIT 0; TRUNCATE temp.{staged}"
    ))?;
    fill(
        conn.appender_to_catalog_and_db(&staged, "temp", "main")?,
        rows,
    )?;
    Ok(format!("temp.{staged}"))
}

/// Appends the rows.
fn fill<R: Stored>(mut appender: Appender<'_>, rows: &[R]) -> duckdb::Result<()> {
    for chunk in rows.chunks(CHUNK_ROWS) {
        let batch = R::columns(chunk).finish();
        let batch = batch.map_err(|error| duckdb::Error::ToSqlConversionFailure(error.into()))?;
        appender.append_record_batch(batch)?;
    }
    // Errors found when an appender is dropped are lost.
    appender.flush()
}

/// Appends the rows to their table. Takes them, so that their memory is free before the next table.
pub(super) fn append<R: Stored>(conn: &Connection, rows: Vec<R>) -> duckdb::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    fill(conn.appender(R::TABLE)?, &rows)?;
    drop(rows);
    Ok(())
}
