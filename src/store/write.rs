//! Commit: rows, updates, deletions, cursors, coverage and state of one batch in one transaction, or nothing.
//!
//! Changed rows are appended to a temporary table and joined by id: ids only grow, so zone maps find the row groups.

use super::columns::Stored;
use super::error::Error;
use super::stage::{append, stage};
use super::{Store, counter, ledger, seen, small};
use crate::metrics::Count;
use crate::model::cursor::{Anchor, SourceKey, StoredCursor};
use crate::model::row::{
    Changes, CoverageRow, DeliveryFrom, DeliveryTo, Noqueue, State, UndatedRow, UnparsedRow,
};
use crate::model::small::SmallRow;
use crate::model::tables;
use crate::model::time::Time;
use crate::seen::News;
use duckdb::types::Value;
use duckdb::{Connection, params};
use std::path::Path;

/// What one commit stores.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Batch {
    /// What happened to mail.
    pub changes: Changes,
    /// Where reading stands after it.
    pub cursors: Vec<StoredCursor>,
    /// What was read.
    pub coverage: Vec<CoverageRow>,
    /// Anchors of what was read, by source.
    pub anchors: Vec<(SourceKey, Vec<Anchor>)>,
    /// Which lines were told, by source.
    pub seen: Vec<(SourceKey, News)>,
    /// What was not understood.
    pub unparsed: Vec<UnparsedRow>,
    /// What tells no time.
    pub undated: Vec<UndatedRow>,
    /// What is added to the totals of metrics.
    pub counts: Vec<Count>,
    /// What small producers add.
    pub small: Vec<SmallRow>,
    /// Time of the commit.
    pub now: Time,
}

impl Store {
    /// Adds changes to the transaction that the next [`Store::commit`] ends; nothing of it is visible before.
    ///
    /// For imports: many rows in one transaction are written once and compressed once, while few are in memory.
    /// After an error the whole transaction is gone, as after one of `commit`.
    pub fn append(&mut self, mut changes: Changes) -> Result<(), Error> {
        let _owner = self.as_owner();
        let appended = self.begin().and_then(|()| {
            self.pending.absorb(&mut changes);
            write_rows(&self.conn, changes).map_err(|error| self.sort("COMMIT", &error))
        });
        appended.map_err(|error| self.roll_back(error))
    }

    /// Stores the batch, and what was appended before, in one transaction; returns the numbers of the sources of
    /// `batch.cursors`, in order.
    ///
    /// After an error nothing of it is stored, and after [`Error::OutOfMemory`] it can be tried again. An update of a row
    /// that is no longer there (pruned) is passed over.
    pub fn commit(&mut self, batch: Batch) -> Result<Vec<i64>, Error> {
        let mut batch = batch;
        let state = std::mem::take(&mut batch.changes.state);
        let _owner = self.to_write()?;
        let written = self.begin().and_then(|()| self.write(batch, &state));
        let ledger = written.map_err(|error| self.roll_back(error))?;
        if let Err(error) = self.run("COMMIT") {
            self.settle(error, ledger.commit)?;
        }
        self.in_transaction = false;
        self.source_ids.extend(ledger.new_keys);
        if !state.is_empty() {
            self.state = Some(state);
        }
        Ok(ledger.source_ids)
    }

    fn begin(&mut self) -> Result<(), Error> {
        if !self.in_transaction {
            self.load_sources()?;
            if self.state.is_none() {
                self.state = Some(self.state()?);
            }
            self.run("BEGIN TRANSACTION")?;
            self.in_transaction = true;
        }
        Ok(())
    }

    fn roll_back(&mut self, error: Error) -> Error {
        self.pending.clear();
        self.in_transaction = false;
        self.undo(error)
    }

    /// Ends what somebody left who panicked: the transaction is rolled back, and what was remembered of the database is
    /// read again.
    ///
    /// # Errors
    /// When it cannot be rolled back: then nothing more is to be written before the database is opened again.
    pub fn abandon(&mut self) -> Result<(), Error> {
        let _owner = self.as_owner();
        self.pending.clear();
        self.in_transaction = false;
        self.state = None;
        self.source_ids.clear();
        self.series = counter::Series::default();
        match self.conn.execute_batch("ROLLBACK") {
            Err(error) if !error.to_string().contains("no transaction is active") => {
                Err(self.sort("ROLLBACK", &error))
            }
            _ => Ok(()),
        }
    }

    /// Rolls back what failed, and returns the error to tell.
    pub(super) fn undo(&self, error: Error) -> Error {
        self.before_rollback(&error);
        match self.conn.execute_batch("ROLLBACK") {
            // A failed COMMIT has rolled back already.
            Err(cause) if !cause.to_string().contains("no transaction is active") => {
                self.unsettled(error)
            }
            _ => error,
        }
    }

    /// A commit of this number failed. Where it did so after the rows were durable, at DuckDB's temporary tables or its
    /// checkpoint, they are stored all the same, and must not be stored again.
    pub(super) fn settle(&mut self, error: Error, number: i64) -> Result<(), Error> {
        let error = self.roll_back(error);
        match ledger::commits(&self.conn) {
            Ok(stored) if stored == number => Ok(()),
            Ok(_) => Err(error),
            Err(_) => Err(self.unsettled(error)),
        }
    }

    /// What is in memory may no longer be what is in the file: nothing is to be tried before the database is opened again.
    fn unsettled(&self, error: Error) -> Error {
        self.is_unsettled.set(true);
        if !matches!(error, Error::OutOfMemory) {
            return error;
        }
        self.unusable("no memory to end a transaction")
    }

    fn unusable(&self, cause: &str) -> Error {
        let path = self
            .path
            .as_deref()
            .unwrap_or_else(|| Path::new(":memory:"));
        Error::Io {
            path: path.to_path_buf(),
            cause: cause.to_owned(),
        }
    }

    /// Looks whether the database can be used further, after somebody's work that may have failed: DuckDB refuses
    /// everything after some errors, and so do we when a transaction could not be ended.
    ///
    /// # Errors
    /// When it has to be opened again.
    pub fn look_after(&self) -> Result<(), Error> {
        if self.is_unsettled.get() {
            return Err(self.unusable("a transaction could not be ended"));
        }
        self.run("SELECT 1")
    }

    fn write(&mut self, batch: Batch, state: &State) -> Result<ledger::Written, Error> {
        let mut changes = batch.changes;
        self.pending.absorb(&mut changes);
        self.pending.release_all(&mut changes);
        let counts = self.series.admit(&self.conn, batch.counts);
        let sort = |error: duckdb::Error| self.sort("COMMIT", &error);
        let counts = counts.map_err(sort)?;
        let ledger = ledger::write_cursors(&self.conn, &self.source_ids, &batch.cursors, batch.now)
            .map_err(sort)?;
        let coverage = ledger.coverage(&self.source_ids, batch.coverage)?;
        let anchors = ledger.anchors(&self.source_ids, batch.anchors)?;
        let (told, gone) = ledger.seen(&self.source_ids, batch.seen)?;
        let undated = ledger.undated(&self.source_ids, batch.undated)?;
        write_rows(&self.conn, changes)
            .and_then(|()| append(&self.conn, anchors))
            .and_then(|()| append(&self.conn, told))
            .and_then(|()| seen::forget(&self.conn, &gone))
            .and_then(|()| match &self.state {
                Some(before) if !state.is_empty() => ledger::write_state(&self.conn, before, state),
                _ => Ok(()),
            })
            .and_then(|()| ledger::merge_coverage(&self.conn, &coverage))
            .and_then(|()| ledger::merge_unparsed(&self.conn, &batch.unparsed))
            .and_then(|()| ledger::add_undated(&self.conn, &undated))
            .and_then(|()| counter::merge(&self.conn, &counts))
            .and_then(|()| small::write(&self.conn, batch.small))
            .map_err(sort)?;
        Ok(ledger)
    }
}

/// Updates come first: they need not look through the rows appended after them. Deletions come last.
fn write_rows(conn: &Connection, changes: Changes) -> duckdb::Result<()> {
    update::<DeliveryFrom>(conn, &changes.from_updates)?;
    update::<DeliveryTo>(conn, &changes.to_updates)?;
    update::<Noqueue>(conn, &changes.noqueue_updates)?;
    append(conn, changes.from_inserts)?;
    append(conn, changes.to_inserts)?;
    append(conn, changes.attempts)?;
    append(conn, changes.noqueues)?;
    append(conn, changes.connections)?;
    append(conn, changes.auths)?;
    append(conn, changes.log_lines)?;
    append(conn, changes.neighbours)?;
    ledger::merge_events(conn, &changes.events)?;
    delete(conn, "delivery_to", "id", &changes.to_deletes)?;
    delete(conn, "delivery_from", "id", &changes.from_deletes)?;
    for part in tables::parts() {
        delete(conn, part.name, "from_id", &changes.from_deletes)?;
    }
    Ok(())
}

fn update<R: Stored>(conn: &Connection, rows: &[R]) -> duckdb::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let staged = stage(conn, rows)?;
    let columns = R::columns(&[]);
    let set: Vec<String> = columns
        .names()
        .into_iter()
        .filter(|name| *name != "id")
        .map(|name| format!("\"{name}\" = staged.\"{name}\""))
        .collect();
    let (table, set) = (R::TABLE, set.join(", "));
    conn.execute_batch(&format!(
        "UPDATE {table} SET {set} FROM {staged} AS staged WHERE {table}.id = staged.id; TRUNCATE {staged}"
    ))
}

fn delete(conn: &Connection, table: &str, column: &str, ids: &[i64]) -> duckdb::Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let list = Value::List(ids.iter().copied().map(Value::BigInt).collect());
    let sql = format!("DELETE FROM {table} WHERE {column} IN (SELECT unnest(?::BIGINT[]))");
    conn.execute(&sql, params![list])?;
    Ok(())
}
