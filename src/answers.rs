//! Answers: the database as the commands see it, whether this process opened it or a service that has it is asked.

use crate::client::{Cancel, Client};
use crate::instance;
use crate::model::table::{Cell, Param, Table};
use crate::store::{Error, Interrupt, Status, Store, status};
use std::ops::ControlFlow;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

/// Where answers come from.
pub enum Answers {
    /// The file, which nobody else has.
    Here(Box<Store>),
    /// The service that has it.
    There(Box<Client>),
}

/// How long a query leaves the file to a service that does not answer yet.
const COURTESY: Duration = Duration::from_secs(2);
/// Time between two looks for it.
const LOOK: Duration = Duration::from_millis(50);

/// Before a query is asked again for which there was no memory; twice as long each time.
const PAUSE: Duration = Duration::from_millis(200);
/// A query that ran out of memory later than this may be what takes it.
const SHORT: Duration = Duration::from_secs(2);

/// Asks the service if one runs, waiting a while for it: one that waits for its database would never get it while
/// queries open the file one after the other.
fn leave_file(database: &Path, zone: Option<&str>) -> Option<Client> {
    let begun = Instant::now();
    while instance::runs(database) && begun.elapsed() < COURTESY {
        match Client::connect(database, zone) {
            Ok(Some(client)) => return Some(client),
            Ok(None) => thread::sleep(LOOK),
            // Told by who finds the file locked.
            Err(_) => return None,
        }
    }
    None
}

/// Stops a query, from another thread.
#[derive(Clone)]
pub enum Stop {
    /// In this process.
    Here(Interrupt),
    /// In the service.
    There(Cancel),
}

impl Stop {
    /// Makes the running query end with [`Error::Interrupted`]; does nothing when none runs.
    pub fn interrupt(&self) {
        match self {
            Self::Here(interrupt) => interrupt.interrupt(),
            Self::There(cancel) => cancel.interrupt(),
        }
    }
}

impl Answers {
    /// Opens the database, or asks the service that has it; `zone` is the user's.
    ///
    /// # Errors
    /// When it is missing, foreign, newer, broken, or held by somebody who does not answer.
    pub fn open(database: &Path, zone: Option<&str>) -> Result<Self, Error> {
        if let Some(client) = leave_file(database, zone) {
            return Ok(Self::There(Box::new(client)));
        }
        match Store::open_reader(database) {
            Ok(store) => Ok(Self::Here(Box::new(store))),
            // Who may not read the file may yet ask.
            Err(held @ (Error::Locked { .. } | Error::Permission { .. })) => {
                match Client::connect(database, zone) {
                    Ok(Some(client)) => Ok(Self::There(Box::new(client))),
                    Ok(None) => Err(held),
                    Err(error) => Err(error),
                }
            }
            Err(error) => Err(error),
        }
    }

    /// Opens the database as it is, for what nobody asked for: one of an older maillog is not brought up to date.
    ///
    /// # Errors
    /// As [`Answers::open`].
    pub fn glance(database: &Path) -> Result<Self, Error> {
        match Store::open_unchanged(database) {
            Err(held @ (Error::Locked { .. } | Error::Permission { .. })) => {
                let client = Client::connect(database, None)?;
                client.map_or(Err(held), |client| Ok(Self::There(Box::new(client))))
            }
            opened => opened.map(|store| Self::Here(Box::new(store))),
        }
    }

    /// Makes `now()`, `current_date` and the like for statements of people; the service's sessions have them.
    ///
    /// # Errors
    /// When the database fails.
    pub fn with_clock(self) -> Result<Self, Error> {
        if let Self::Here(store) = &self {
            store.queries().furnish_clock()?;
        }
        Ok(self)
    }

    /// Runs one `SELECT` of ours and returns all of its rows. When others have the memory of the service, a short one is
    /// asked again.
    ///
    /// # Errors
    /// When it is wrong, or the database fails.
    pub fn select(&self, sql: &str, params: &[Param]) -> Result<Table, Error> {
        self.patiently(|| self.select_once(sql, params))
    }

    /// Asks a short query again for which the service has no memory just now.
    ///
    /// # Errors
    /// What `ask` fails with at last.
    pub fn patiently<T>(&self, mut ask: impl FnMut() -> Result<T, Error>) -> Result<T, Error> {
        let mut pause = PAUSE;
        loop {
            let begun = Instant::now();
            let answer = ask();
            let is_crowded = matches!((self, &answer), (Self::There(_), Err(Error::OutOfMemory)));
            if !is_crowded || begun.elapsed() > SHORT || pause > PAUSE * 8 {
                return answer;
            }
            thread::sleep(pause);
            pause *= 2;
        }
    }

    /// Runs one `SELECT` of somebody's own and returns all of its rows.
    ///
    /// # Errors
    /// When it is none, is wrong, or the database fails.
    pub fn select_once(&self, sql: &str, params: &[Param]) -> Result<Table, Error> {
        match self {
            Self::Here(store) => store.select(sql, params),
            Self::There(client) => client.select(sql, params),
        }
    }

    /// Runs one `SELECT` and hands its rows on as they come, until `row` breaks. Returns the names of the columns.
    ///
    /// # Errors
    /// When it is none, is wrong, or the database fails.
    pub fn select_each(
        &self,
        sql: &str,
        params: &[Param],
        row: impl FnMut(&[String], Vec<Cell>) -> ControlFlow<()>,
    ) -> Result<Vec<String>, Error> {
        match self {
            Self::Here(store) => store.queries().select_each(sql, params, row),
            Self::There(client) => client.select_each(sql, params, row),
        }
    }

    /// Returns how one `SELECT` would be run, or how it was: it is run with `is_run`.
    ///
    /// # Errors
    /// When it is none, is wrong, or the database fails.
    pub fn explain(&self, sql: &str, is_run: bool) -> Result<Table, Error> {
        match self {
            Self::Here(store) => store.queries().explain(sql, is_run),
            Self::There(client) => {
                let analyze = if is_run { "ANALYZE " } else { "" };
                client.select(&format!("EXPLAIN {analyze}{sql}"), &[])
            }
        }
    }

    /// Returns whose mail is seen; none where it is all mail.
    pub fn scope(&self) -> Option<&str> {
        match self {
            Self::Here(_) => None,
            Self::There(client) => client.scope(),
        }
    }

    /// Returns what stops the queries asked here.
    pub fn interrupt(&self) -> Stop {
        match self {
            Self::Here(store) => Stop::Here(store.queries().interrupt()),
            Self::There(client) => Stop::There(client.cancel()),
        }
    }

    /// Returns the state of the database, with at most `most` templates and hours of loss.
    ///
    /// # Errors
    /// When the database fails.
    pub fn status(&self, most: u32) -> Result<Status, Error> {
        match self {
            Self::Here(store) => store.status(most),
            Self::There(client) => status::of(
                |sql, params| client.select(sql, params),
                Some(client.path()),
                most,
            ),
        }
    }
}
