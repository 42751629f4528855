//! The database: the only place that names duckdb.
//!
//! What one commit brings (rows, open messages, cursors, coverage) is stored whole or not at all. Few verbs:
//! open, `sources`, `open_state`, `append`, `commit`, `checkpoint`, `select`, `status`; a [`Session`] selects on another thread.
//!
//! Limits: one process writes, and no other process reads meanwhile (DuckDB's lock).

pub mod address;
mod allowed_functions;
mod anchor;
mod answer;
mod audit;
mod cell;
mod columns;
pub mod compact;
mod counter;
pub mod erase;
mod error;
mod fields;
mod function;
pub mod kept;
mod ledger;
mod limits;
mod migrate;
pub mod noted;
mod open;
pub mod order;
pub mod outbox;
mod owner;
mod param;
mod pending;
mod place;
mod queue;
mod read;
pub mod retain;
mod scratch;
mod seen;
mod select;
mod signature;
mod small;
mod stage;
mod statement_limits;
pub mod status;
mod task;
mod write;

pub use answer::Verb;
pub use error::{CHANGED_BY, Error, Holder};
pub use function::register as register_functions;
pub use limits::Limits;
pub use owner::{AsOwner, Owner};
pub use seen::extend as extend_seen;
pub use select::{CLOCK, Interrupt, Session, Sessions};
pub use statement_limits::STACK;
pub use status::Status;
pub use write::Batch;

use crate::model::cursor::SourceKey;
use crate::model::row::State;
use crate::model::table::{Param, Table};
use duckdb::Connection;
use std::cell::Cell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// An open database.
pub struct Store {
    conn: Connection,
    session: Session,
    path: Option<PathBuf>,
    /// Numbers of the sources by every key that they had in this process; empty until they are needed.
    source_ids: HashMap<SourceKey, i64>,
    /// A transaction is open: rows were appended to it.
    in_transaction: bool,
    /// A transaction could not be ended: the database has to be opened again.
    is_unsettled: Cell<bool>,
    /// The last commit will be told, and settings can be changed until then.
    has_end: bool,
    pending: pending::Pending,
    /// The correlator's state as stored: what stays the same is not written again. None until it is needed.
    state: Option<State>,
    series: counter::Series,
    /// Makes room where memory is short.
    make_room: Option<Box<dyn Fn() + Send>>,
    /// Where its files are; none in memory.
    place: Option<place::Place>,
    /// Where it spills to, when nothing of it is to stay; goes after the connections.
    scratch: Option<scratch::Scratch>,
    /// Closing writes, too. The last to be dropped.
    closing: owner::Acting,
}

impl Drop for Store {
    fn drop(&mut self) {
        self.closing = self.owner().begin();
    }
}

impl Store {
    fn new(
        conn: Connection,
        session: Connection,
        path: Option<&Path>,
        place: Option<place::Place>,
    ) -> Self {
        Self {
            conn,
            session: Session::new(session, path),
            path: path.map(Path::to_path_buf),
            source_ids: HashMap::new(),
            in_transaction: false,
            is_unsettled: Cell::new(false),
            has_end: false,
            pending: pending::Pending::default(),
            state: None,
            series: counter::Series::default(),
            make_room: None,
            place,
            scratch: None,
            closing: owner::Acting::default(),
        }
    }

    /// Says what makes room when a transaction ran out of memory, before it is rolled back: that takes memory, too, and
    /// no query is to read what goes then (DuckDB 2.0 crashed once, in `UndoBufferPointer::Pin`).
    pub fn when_out_of_memory(&mut self, make_room: impl Fn() + Send + 'static) {
        self.make_room = Some(Box::new(make_room));
    }

    fn before_rollback(&self, error: &Error) {
        if let (Error::OutOfMemory, Some(make_room)) = (error, &self.make_room) {
            make_room();
        }
    }

    /// Returns a further connection for queries, to be used by another thread.
    pub fn session(&self) -> Result<Session, Error> {
        let conn = self.conn.try_clone();
        let conn = conn.map_err(|error| self.sort("", &error))?;
        Ok(Session::new(conn, self.path.as_deref()))
    }

    /// Returns what gives further connections for queries, after the store itself has gone to its thread.
    pub fn sessions(&self) -> Result<Sessions, Error> {
        self.session().map(Sessions::new)
    }

    /// Runs one `SELECT` and returns its rows; see [`Session::select`].
    pub fn select(&self, sql: &str, params: &[Param]) -> Result<Table, Error> {
        let _owner = self.as_owner();
        self.session.select(sql, params)
    }

    /// Runs a `SELECT` that is this program's own text; see [`Session::select_own`].
    pub fn select_own(&self, sql: &str, params: &[Param]) -> Result<Table, Error> {
        let _owner = self.as_owner();
        self.session.select_own(sql, params)
    }

    /// Returns the connection that [`Store::select`] uses.
    pub fn queries(&self) -> &Session {
        &self.session
    }

    /// Makes this thread, the one that writes from now on, write in the name of the database's owner.
    pub fn as_owner(&self) -> AsOwner {
        self.owner().act()
    }

    fn owner(&self) -> Owner {
        let place = self.place.as_ref();
        place.map_or_else(Owner::default, |place| place.owner)
    }

    /// Makes this thread write in the name of the owner, after a look at the files.
    fn to_write(&self) -> Result<AsOwner, Error> {
        if let Some(place) = &self.place {
            place.look_again()?;
        }
        Ok(self.as_owner())
    }

    /// Moves what the WAL holds into the database file.
    pub fn checkpoint(&mut self) -> Result<(), Error> {
        let _owner = self.to_write()?;
        self.run("CHECKPOINT")
    }

    /// Says that the next commit is the last one: where the store was opened for an import, it goes straight into the database, and not
    /// into the WAL first, with two threads, for nothing else has work any more. From then on settings are locked.
    pub fn expect_end(&mut self) -> Result<(), Error> {
        if std::mem::take(&mut self.has_end) {
            self.run(
                "SET preserve_insertion_order = true; SET threads = 2; SET checkpoint_threshold = '0KB';
                 SET lock_configuration = true",
            )?;
        }
        Ok(())
    }

    fn run(&self, sql: &str) -> Result<(), Error> {
        self.conn
            .execute_batch(sql)
            .map_err(|error| self.sort(sql, &error))
    }

    fn sort(&self, statement: &str, error: &duckdb::Error) -> Error {
        Error::sort(self.path.as_deref(), statement, error)
    }
}

#[cfg(test)]
mod tests;
