//! Reading the rows of `find` by column name.

use super::escape;
use crate::model::table::{Cell, Table};
use crate::model::time::Time;
use std::borrow::Cow;

/// One row with the names of its columns.
#[derive(Debug, Clone, Copy)]
pub struct Hit<'t> {
    columns: &'t [String],
    row: &'t [Cell],
}

/// Returns the rows of a table.
pub fn hits(table: &Table) -> impl Iterator<Item = Hit<'_>> {
    table.rows.iter().map(|row| Hit {
        columns: &table.columns,
        row,
    })
}

impl<'t> Hit<'t> {
    /// Returns a cell; NULL for a column that is not there.
    #[must_use]
    pub fn cell(&self, column: &str) -> &'t Cell {
        let index = self.columns.iter().position(|c| c == column);
        index.and_then(|i| self.row.get(i)).unwrap_or(&Cell::Null)
    }

    /// Returns text as stored.
    #[must_use]
    pub fn raw(&self, column: &str) -> Option<&'t str> {
        match self.cell(column) {
            Cell::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns text, safe to show.
    #[must_use]
    pub fn text(&self, column: &str) -> Option<Cow<'t, str>> {
        self.raw(column).map(escape::terminal)
    }

    /// Returns an address in brackets, safe to show; `-` where none is known.
    #[must_use]
    pub fn address(&self, column: &str) -> String {
        self.text(column)
            .map_or_else(|| "-".to_owned(), |a| format!("<{a}>"))
    }

    /// Returns a whole number.
    #[must_use]
    pub fn int(&self, column: &str) -> Option<i64> {
        match self.cell(column) {
            Cell::Int(n) => Some(*n),
            _ => None,
        }
    }

    /// Returns a time.
    #[must_use]
    pub fn time(&self, column: &str) -> Option<Time> {
        match self.cell(column) {
            Cell::Time(time) => Some(*time),
            _ => None,
        }
    }

    /// Returns `name[address]` of the client, safe to show.
    #[must_use]
    pub fn client(&self) -> Option<String> {
        let address = self.text("client_address")?;
        let name = self.text("client_name").unwrap_or_default();
        Some(format!("{name}[{address}]"))
    }

    /// Tells whether the row is a refusal.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        self.raw("kind") == Some("refused")
    }

    /// Returns what was done to the recipient: the status, or for a refusal the action.
    #[must_use]
    pub fn status(&self) -> Cow<'t, str> {
        self.text("status")
            .or_else(|| self.text("message_status"))
            .unwrap_or(Cow::Borrowed("unknown"))
    }
}
