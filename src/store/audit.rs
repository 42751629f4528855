//! Audit: who asked what. Rows are only added.

use super::Store;
use super::columns::{Columns, Stored};
use super::error::Error;
use super::stage::stage;
use crate::model::audit::AuditRow;
use duckdb::Connection;

impl Store {
    /// Adds rows in a transaction of their own: for a command without the service.
    ///
    /// # Errors
    /// When the database fails.
    pub fn add_audit(&mut self, rows: &[AuditRow]) -> Result<(), Error> {
        self.transact("add to audit", |conn| write(conn, rows))
    }
}

/// Adds the rows.
pub(super) fn write(conn: &Connection, rows: &[AuditRow]) -> duckdb::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let staged = stage(conn, rows)?;
    conn.execute_batch(&format!(
        "INSERT INTO audit BY NAME FROM {staged}; TRUNCATE {staged}"
    ))
}

impl Stored for AuditRow {
    const TABLE: &'static str = "audit";

    fn columns(rows: &[Self]) -> Columns<'_, Self> {
        Columns::of(rows)
            .time("time", |r| r.time)
            .text("who", |r| &r.who)
            .text("origin", |r| &r.origin)
            .text("what", |r| &r.what)
            .text("scope", |r| &r.scope)
            .field("hits", |r| &r.hits)
    }
}
