//! Fields: the cells of one row of a result, taken one after the other.

use crate::model::row::Text;
use crate::model::time::Time;
use duckdb::Row;
use duckdb::types::FromSql;
use std::cell::Cell;

/// The cells of one row, taken one after the other.
pub(super) struct Fields<'r> {
    row: &'r Row<'r>,
    next: Cell<usize>,
}

impl<'r> Fields<'r> {
    pub(super) fn of(row: &'r Row<'r>) -> Self {
        Self {
            row,
            next: Cell::new(0),
        }
    }

    pub(super) fn get<T: FromSql>(&self) -> duckdb::Result<T> {
        let column = self.next.replace(self.next.get() + 1);
        self.row.get(column)
    }

    /// Passes over cells that are made anew from others.
    pub(super) fn pass_over(&self, cells: usize) {
        self.next.set(self.next.get() + cells);
    }

    pub(super) fn text(&self) -> duckdb::Result<Text> {
        self.get::<String>().map(Text::from)
    }

    pub(super) fn maybe_time(&self) -> duckdb::Result<Option<Time>> {
        Ok(self.get::<Option<i64>>()?.map(Time))
    }
}
