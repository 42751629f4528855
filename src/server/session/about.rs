//! About: statements about the session itself: transactions, settings, what is prepared.

use super::Session;
use crate::model::kind::{Column, Kind};
use crate::model::table::{Cell, Table};
use crate::server::catalog::Furniture;
use crate::server::failure::Failure;
use crate::server::message::{self, Transaction};
use crate::server::request_error::RequestResult;
use crate::server::run::{self, Form};
use crate::server::statement::Statement;
use crate::server::wire::Stream;

impl<S: Stream> Session<S> {
    pub(super) fn session_statement(
        &mut self,
        statement: &Statement,
        is_simple: bool,
    ) -> RequestResult {
        let tag = match statement {
            Statement::Show(name) => {
                let table = self.show(name.as_deref())?;
                self.table(&table, is_simple, "SHOW");
                return Ok(());
            }
            Statement::Set(name, value) => {
                self.set(name, value.as_deref())?;
                if value.is_some() { "SET" } else { "RESET" }
            }
            Statement::ResetAll => {
                self.settings.reset();
                self.furnish();
                "RESET"
            }
            Statement::Begin
            | Statement::Commit
            | Statement::Rollback
            | Statement::Savepoint(_) => self.transact(statement)?,
            Statement::DiscardAll => {
                self.settings.reset();
                self.held.prepared.clear();
                self.end();
                self.furnish();
                "DISCARD ALL"
            }
            Statement::Deallocate(name) => {
                match name {
                    Some(name) => drop(self.held.prepared.remove(name)),
                    None => self.held.prepared.clear(),
                }
                "DEALLOCATE"
            }
            Statement::CloseCursor(name) => {
                match name {
                    Some(name) => drop(self.held.portals.remove(name)),
                    None => self.held.portals.clear(),
                }
                "CLOSE CURSOR"
            }
            Statement::Nothing("") => {
                message::bare(&mut self.wire.out, b'I');
                return Ok(());
            }
            Statement::Nothing(tag) => tag,
            _ => return Err(Failure::new("0A000", "not offered").into()),
        };
        message::complete(&mut self.wire.out, tag);
        Ok(())
    }

    /// Begins and ends what the client takes for a transaction; returns the tag.
    fn transact(&mut self, statement: &Statement) -> Result<&'static str, Failure> {
        let before = self.transaction;
        Ok(match statement {
            Statement::Begin => {
                self.transaction = Transaction::Open;
                "BEGIN"
            }
            Statement::Savepoint(tag) if before == Transaction::None => {
                let message = format!("{tag} can only be used in transaction blocks");
                return Err(Failure::new("25P01", message));
            }
            Statement::Savepoint(tag) => {
                self.transaction = Transaction::Open;
                tag
            }
            _ => {
                self.end();
                let is_kept = *statement == Statement::Commit && before != Transaction::Failed;
                if is_kept { "COMMIT" } else { "ROLLBACK" }
            }
        })
    }

    fn end(&mut self) {
        self.transaction = Transaction::None;
        self.held.portals.clear();
    }

    fn set(&mut self, name: &str, value: Option<&str>) -> Result<(), Failure> {
        if let Some((name, value)) = self.settings.set(name, value)? {
            message::parameter(&mut self.wire.out, name, &value);
            if name == "TimeZone" {
                self.furnish();
            }
        }
        Ok(())
    }

    /// Gives new connections the names that clients of PostgreSQL expect, and the client's zone.
    pub(super) fn furnish(&self) {
        let database = self.inner.name.as_str();
        let furniture = if self.settings.is_packed() {
            Furniture::own(self.settings.zone())
        } else {
            Furniture::new(&self.login.user, self.pid, database, self.settings.zone())
        };
        self.pool.furnish(furniture);
    }

    fn show(&self, name: Option<&str>) -> Result<Table, Failure> {
        let text = |text: &str| Cell::Text(text.to_owned());
        let Some(name) = name else {
            let rows = self
                .settings
                .all()
                .map(|(name, value)| vec![text(name), Cell::Text(value), text("")]);
            let columns = ["name", "setting", "description"]
                .map(str::to_owned)
                .to_vec();
            return Ok(Table {
                columns,
                rows: rows.collect(),
            });
        };
        let Some(value) = self.settings.show(name) else {
            return Err(Failure::new(
                "42704",
                format!("unrecognized configuration parameter {name:?}"),
            ));
        };
        Ok(Table {
            columns: vec![name.to_owned()],
            rows: vec![vec![Cell::Text(value)]],
        })
    }

    /// Sends a small table of texts.
    pub(super) fn table(&mut self, table: &Table, with_columns: bool, tag: &str) {
        let names: Vec<&str> = table.columns.iter().map(String::as_str).collect();
        let columns = texts(&names);
        if with_columns {
            self.tell_columns(Some(&columns), &message::Formats::default());
        }
        for cells in &table.rows {
            run::row(
                &mut self.wire.out,
                &Form::Rows(message::Formats::default()),
                cells,
                &columns,
            );
        }
        message::complete(&mut self.wire.out, tag);
    }
}

/// Returns columns of texts.
pub(super) fn texts(names: &[&str]) -> Vec<Column> {
    let column = |name: &&str| Column {
        name: (*name).to_owned(),
        kind: Kind::Text,
    };
    names.iter().map(column).collect()
}
