//! Portal: a prepared statement, and one with its parameters that runs or waits.

use super::failure::Failure;
use super::message::Formats;
use super::run::Running;
use super::statement::{CopyForm, Statement};
use crate::model::kind::Column;
use crate::model::table::Param;
use crate::store::Verb;
use pgwire::api::Type;
use std::sync::{Arc, OnceLock};
use tokio::time::Instant;

/// A statement with the types of its parameters.
pub(super) struct Prepared {
    pub statement: Statement,
    pub types: Vec<Type>,
    columns: OnceLock<Arc<Vec<Column>>>,
}

impl Prepared {
    pub(super) fn new(statement: Statement, types: Vec<Type>) -> Self {
        Self {
            statement,
            types,
            columns: OnceLock::new(),
        }
    }

    /// Returns the columns that the client was told of.
    pub(super) fn columns(&self) -> Option<Arc<Vec<Column>>> {
        self.columns.get().cloned()
    }

    pub(super) fn set_columns(&self, columns: Vec<Column>) -> Arc<Vec<Column>> {
        Arc::clone(self.columns.get_or_init(|| Arc::new(columns)))
    }
}

/// A statement with its parameters.
pub(super) struct Portal {
    pub prepared: Arc<Prepared>,
    pub params: Vec<Param>,
    pub formats: Formats,
    pub running: Option<Running>,
    /// Made by `DECLARE`: it lives as long as the transaction, or until it is closed.
    pub is_cursor: bool,
}

impl Portal {
    pub(super) fn new(prepared: Arc<Prepared>, params: Vec<Param>, formats: Formats) -> Self {
        Self {
            prepared,
            params,
            formats,
            running: None,
            is_cursor: false,
        }
    }

    /// Returns the cursor that a `DECLARE` makes.
    pub(super) fn cursor(&self) -> Self {
        let sql = match &self.prepared.statement {
            Statement::Declare(_, sql) => sql.clone(),
            _ => String::new(),
        };
        let prepared = Prepared::new(
            Statement::Ask(Verb::Select, sql),
            self.prepared.types.clone(),
        );
        let portal = Self::new(Arc::new(prepared), self.params.clone(), Formats::default());
        Self {
            is_cursor: true,
            ..portal
        }
    }

    /// Returns the question, and how it is copied.
    pub(super) fn asks(&self) -> Option<(Verb, &str, Option<&CopyForm>)> {
        match &self.prepared.statement {
            Statement::Ask(verb, sql) => Some((*verb, sql, None)),
            Statement::CopyOut { sql, form } => Some((Verb::Select, sql, Some(form))),
            _ => None,
        }
    }

    /// Returns when a question that waits for its client is stopped.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let running = self
            .running
            .as_ref()
            .filter(|running| running.end.is_none());
        running.map(|running| running.deadline)
    }

    /// Stops a question whose time is over.
    pub(super) fn expire(&mut self, now: Instant) {
        if let Some(running) = self.running.as_mut()
            && running.end.is_none()
            && running.deadline <= now
        {
            running.stop.stop();
            running.items.close();
            let failure = Failure::new("57014", "canceling statement due to statement timeout")
                .hint("the rows of a cursor have to be fetched before statement_timeout is over");
            running.end = Some(Err(failure));
        }
    }
}
