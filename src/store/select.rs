//! One `SELECT` with bound parameters -> Table, or row by row; nothing else is let through.
//!
//! DuckDB's own parser says what a text is, and it runs in a read-only transaction; files, settings and
//! extensions are out of reach since the database was opened (`open.rs`).
//!
//! Limits: `PIVOT` and `EXPLAIN` are no `SELECT` for DuckDB.

use super::allowed_functions;
use super::cell;
use super::error::{self, Error};
use super::param::value;
use super::statement_limits;
use crate::model::table::{Cell, Param, Table};
use duckdb::{Connection, Statement, params, params_from_iter};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// The present, as stored times are.
pub const CLOCK: &str = include_str!("clock.sql");

/// A connection that only selects; belongs to one thread at a time.
pub struct Session {
    pub(super) conn: Connection,
    pub(super) path: Option<PathBuf>,
}

/// Stops what a session is doing, from another thread or a signal's.
#[derive(Clone)]
pub struct Interrupt(Arc<duckdb::InterruptHandle>);

impl Interrupt {
    /// Makes the running query end with [`Error::Interrupted`]; does nothing when none runs.
    pub fn interrupt(&self) {
        self.0.interrupt();
    }
}

/// Gives any number of threads their own session on one open database; cheap to clone.
#[derive(Clone)]
pub struct Sessions(Arc<Mutex<Session>>);

impl Sessions {
    pub(super) fn new(session: Session) -> Self {
        Self(Arc::new(Mutex::new(session)))
    }

    /// Returns a further session, of its own connection.
    pub fn open(&self) -> Result<Session, Error> {
        let first = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let path = first.path.as_deref();
        let conn = first.conn.try_clone();
        let conn = conn.map_err(|error| Error::sort(path, "", &error))?;
        Ok(Session::new(conn, path))
    }
}

impl Session {
    pub(super) fn new(conn: Connection, path: Option<&Path>) -> Self {
        Self {
            conn,
            path: path.map(Path::to_path_buf),
        }
    }

    /// Makes what statements of people use: the present, as stored times are. Our own bring theirs, and need not wait for it.
    pub fn furnish_clock(&self) -> Result<(), Error> {
        self.furnish(CLOCK)
    }

    /// Returns what stops the queries of this session.
    pub fn interrupt(&self) -> Interrupt {
        Interrupt(self.conn.interrupt_handle())
    }

    /// Runs one `SELECT` and returns all of its rows.
    pub fn select(&self, sql: &str, params: &[Param]) -> Result<Table, Error> {
        let mut rows = Vec::new();
        let columns = self.select_each(sql, params, |_, row| {
            rows.push(row);
            ControlFlow::Continue(())
        })?;
        Ok(Table { columns, rows })
    }

    /// Runs one `SELECT` and hands its rows on as they come, with the names of the columns, until `row` breaks.
    ///
    /// Returns the names of the columns. Rows are not kept, whatever their number.
    pub fn select_each(
        &self,
        sql: &str,
        params: &[Param],
        mut row: impl FnMut(&[String], Vec<Cell>) -> ControlFlow<()>,
    ) -> Result<Vec<String>, Error> {
        self.refuse_others(sql)?;
        self.each(sql, params, &mut row)
    }

    /// Runs a `SELECT` that is this program's own text, whole, and returns all of its rows: it is not looked at before, which takes
    /// as long as many a statement.
    pub fn select_own(&self, sql: &str, params: &[Param]) -> Result<Table, Error> {
        let mut rows = Vec::new();
        let columns = self.each(sql, params, &mut |_, row| {
            rows.push(row);
            ControlFlow::Continue(())
        })?;
        Ok(Table { columns, rows })
    }

    /// The same, and hands its rows on as they come, until `row` breaks. Returns the names of the columns.
    pub fn select_own_each(
        &self,
        sql: &str,
        params: &[Param],
        row: &mut impl FnMut(&[String], Vec<Cell>) -> ControlFlow<()>,
    ) -> Result<Vec<String>, Error> {
        self.each(sql, params, row)
    }

    fn each(
        &self,
        sql: &str,
        params: &[Param],
        row: &mut impl FnMut(&[String], Vec<Cell>) -> ControlFlow<()>,
    ) -> Result<Vec<String>, Error> {
        let sort = |error: duckdb::Error| Error::sort(self.path.as_deref(), sql, &error);
        let begin = "BEGIN TRANSACTION READ ONLY";
        self.conn.execute_batch(begin).map_err(sort)?;
        let columns = self
            .conn
            .prepare(sql)
            .and_then(|mut statement| each(&mut statement, params, row))
            .map_err(sort);
        // Ends what only read; after an error the transaction may be gone already.
        let _ = self.conn.execute_batch("ROLLBACK");
        columns
    }

    /// Returns how one `SELECT` would be run, or how it was: it is run with `is_run`.
    pub fn explain(&self, sql: &str, is_run: bool) -> Result<Table, Error> {
        self.refuse_others(sql)?;
        let analyze = if is_run { "ANALYZE " } else { "" };
        let explain = format!("EXPLAIN {analyze}{sql}");
        let mut rows = Vec::new();
        let mut keep = |_: &[String], row| {
            rows.push(row);
            ControlFlow::Continue(())
        };
        let columns = self
            .conn
            .prepare(&explain)
            .and_then(|mut statement| each(&mut statement, &[], &mut keep))
            .map_err(|error| Error::sort(self.path.as_deref(), sql, &error))?;
        Ok(Table { columns, rows })
    }

    /// Refuses what is not one `SELECT`.
    ///
    /// Text that cannot be parsed is refused here, too: preparing it would run the statements before the error.
    pub(super) fn refuse_others(&self, sql: &str) -> Result<(), Error> {
        statement_limits::check(sql)?;
        let sort = |error: duckdb::Error| Error::sort(self.path.as_deref(), sql, &error);
        let look = "SELECT json ->> 'error_type', json ->> 'error_message', (json ->> 'position')::BIGINT, \
                    json_array_length(json -> 'statements'), json::VARCHAR FROM (SELECT json_serialize_sql(?) AS json)";
        let mut look = self.conn.prepare_cached(look).map_err(sort)?;
        let found = look.query_row(params![sql], |row| {
            Ok((
                row.get(0)?,
                row.get(1)?,
                row.get(2)?,
                row.get(3)?,
                row.get(4)?,
            ))
        });
        let found: (
            Option<String>,
            Option<String>,
            Option<usize>,
            Option<u64>,
            String,
        ) = found.map_err(sort)?;
        match found {
            (None, _, _, Some(1), tree) => {
                allowed_functions::check(&tree, |name| self.has_function(name))
            }
            (Some(_), Some(message), _, _, _) if message.contains(error::DEPTH) => {
                Err(Error::TooDeep)
            }
            (Some(kind), Some(message), position, _, _) if kind == "parser" => Err(Error::Sql {
                statement: sql.to_owned(),
                message: match position.and_then(|position| place(sql, position)) {
                    Some(place) => format!("{message}\n\n{place}"),
                    None => message,
                },
            }),
            _ => Err(Error::NotSelect),
        }
    }
}

impl Session {
    /// Tells whether DuckDB brings a function of that name along; so, too, when it cannot be asked.
    fn has_function(&self, name: &str) -> bool {
        let sql = "SELECT count(*) > 0 FROM duckdb_functions() WHERE lower(function_name) = lower(?) AND internal";
        let found = self.conn.query_row(sql, params![name], |row| row.get(0));
        found.unwrap_or(true)
    }
}

/// Returns the line of the text that the byte lies in, with a caret below, as DuckDB draws it.
fn place(sql: &str, position: usize) -> Option<String> {
    let (before, after) = sql.split_at_checked(position)?;
    let number = before.matches('\n').count() + 1;
    let start = before.rsplit('\n').next().unwrap_or_default();
    let rest = after.lines().next().unwrap_or_default();
    let label = format!("LINE {number}: ");
    let indent = " ".repeat(label.len() + start.chars().count());
    Some(format!("{label}{start}{rest}\n{indent}^"))
}

pub(super) fn each(
    statement: &mut Statement<'_>,
    params: &[Param],
    row: &mut impl FnMut(&[String], Vec<Cell>) -> ControlFlow<()>,
) -> duckdb::Result<Vec<String>> {
    let values = params_from_iter(params.iter().map(value));
    let batches = statement.stream_arrow(values)?;
    let schema = batches.get_schema();
    let columns: Vec<String> = schema.fields().iter().map(|f| f.name().clone()).collect();
    for batch in batches {
        let batch = batch?;
        for index in 0..batch.num_rows() {
            if row(&columns, cell::row(&batch, index)).is_break() {
                return Ok(columns);
            }
        }
    }
    Ok(columns)
}
