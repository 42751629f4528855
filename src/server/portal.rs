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
    /// Its own parameters, where the client sends none.
    pub given: Vec<Param>,
    /// What is noted when it is run; nothing where it belongs to what was noted.
    pub what: Option<String>,
    /// Bytes of the text that the client sent.
    length: usize,
    columns: OnceLock<Arc<Vec<Column>>>,
}

impl Prepared {
    pub(super) fn new(statement: Statement, types: Vec<Type>, length: usize) -> Self {
        Self {
            statement,
            types,
            given: Vec::new(),
            what: None,
            length,
            columns: OnceLock::new(),
        }
    }

    /// Returns about how much memory it takes.
    pub(super) fn bytes(&self) -> usize {
        // What was sent may be longer than what is asked, and what is asked than what was sent.
        let asked = match &self.statement {
            Statement::Ask(_, sql)
            | Statement::Declare(_, sql)
            | Statement::CopyOut { sql, .. } => sql.len(),
            _ => 0,
        };
        let columns = self
            .columns
            .get()
            .map_or(0, |columns| columns.iter().map(column).sum());
        let given = bytes(&self.given) + self.what.as_ref().map_or(0, String::len);
        size_of::<Self>()
            + self.length.max(asked)
            + size_of_val(self.types.as_slice())
            + columns
            + given
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
        let statement = Statement::Ask(Verb::Select, sql);
        let mut prepared = Prepared::new(statement, self.prepared.types.clone(), 0);
        prepared.what.clone_from(&self.prepared.what);
        let portal = Self::new(Arc::new(prepared), self.params.clone(), Formats::default());
        Self {
            is_cursor: true,
            ..portal
        }
    }

    /// Returns the query, and how it is copied.
    pub(super) fn asks(&self) -> Option<(Verb, &str, Option<&CopyForm>)> {
        match &self.prepared.statement {
            Statement::Ask(verb, sql) => Some((*verb, sql, None)),
            Statement::CopyOut { sql, form } => Some((Verb::Select, sql, Some(form))),
            _ => None,
        }
    }

    /// Returns when a query that waits for its client is stopped.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let running = self
            .running
            .as_ref()
            .filter(|running| running.end.is_none());
        running.map(|running| running.deadline)
    }

    /// Stops a query whose time is over.
    pub(super) fn expire(&mut self, now: Instant) {
        if let Some(running) = self.running.as_mut()
            && running.end.is_none()
            && running.deadline <= now
        {
            let failure = Failure::new("57014", "canceling statement due to statement timeout")
                .hint("fetch all rows of a cursor before statement_timeout ends");
            running.fail(failure);
        }
    }
}

/// Returns about how much memory parameters take.
pub(super) fn bytes(params: &[Param]) -> usize {
    let more = params.iter().map(|param| match param {
        Param::Text(text) => text.len(),
        Param::Blob(bytes) => bytes.len(),
        Param::List(params) => bytes(params),
        _ => 0,
    });
    size_of_val(params) + more.sum::<usize>()
}

/// Returns about how much memory a column takes.
pub(super) fn column(column: &Column) -> usize {
    size_of::<Column>() + column.name.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_counted_with_what_they_hold() {
        let list = Param::List(vec![Param::Text("x".repeat(1000)), Param::Null]);
        let all = bytes(&[list, Param::Blob(vec![0; 500]), Param::Int(1)]);
        assert!((1500..2000).contains(&all), "{all}");
    }
}
