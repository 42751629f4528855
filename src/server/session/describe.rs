//! Describe: what columns a statement or a portal has, before there are rows. Planning has the same time as running.

use super::Session;
use super::about::texts;
use super::query::patiently;
use crate::model::kind::{Column, Kind};
use crate::server::admission::Abandon;
use crate::server::failure::Failure;
use crate::server::message;
use crate::server::portal::{self, Prepared};
use crate::server::request_error::{RequestError, RequestResult};
use crate::server::statement::{SLEEP, Statement};
use crate::server::wire::Stream;
use crate::server::{param, value};
use crate::store::Verb;
use pgwire::api::Type;
use std::sync::Arc;
use tokio::time::Instant;

impl<S: Stream> Session<S> {
    pub(super) async fn describe_statement(&mut self, name: &str) -> RequestResult {
        let prepared = self.held.prepared(name)?;
        let types: Vec<u32> = prepared.types.iter().map(Type::oid).collect();
        let columns = self.columns(&prepared).await?;
        message::parameters(&mut self.wire.out, &types);
        self.tell_columns(columns.as_deref(), &message::Formats::default());
        Ok(())
    }

    pub(super) async fn describe_portal(&mut self, name: &str) -> RequestResult {
        let mut portal = self.held.take_portal(name)?;
        let columns = match portal
            .running
            .as_ref()
            .and_then(|running| running.columns.clone())
        {
            Some(columns) => Some(columns),
            None if portal.asks().is_some() => Some(self.begin(&mut portal).await?),
            None => self.columns(&portal.prepared).await?,
        };
        self.tell_columns(columns.as_deref(), &portal.formats);
        self.held.portals.insert(name.to_owned(), portal);
        Ok(())
    }

    /// Returns the columns that a statement has; none when it has no rows.
    async fn columns(
        &mut self,
        prepared: &Prepared,
    ) -> Result<Option<Arc<Vec<Column>>>, RequestError> {
        if let Some(known) = prepared.columns() {
            return Ok(Some(known));
        }
        let columns = match &prepared.statement {
            Statement::Ask(Verb::Select, sql) => {
                self.may_run(&prepared.statement)?;
                self.described(sql, prepared).await?
            }
            Statement::Ask(..) => texts(&["explain_key", "explain_value"]),
            Statement::Show(Some(name)) => texts(&[name]),
            Statement::Show(None) => texts(&["name", "setting", "description"]),
            Statement::Call(..) => texts(&["result"]),
            Statement::Sleep(_) => texts(&[SLEEP]),
            Statement::Fetch {
                cursor,
                is_move: false,
                ..
            } => {
                let portal = self.held.portals.get(cursor);
                return Ok(portal.and_then(|portal| portal.running.as_ref()?.columns.clone()));
            }
            _ => return Ok(None),
        };
        let bytes = columns.iter().map(portal::column).sum();
        // A client that lets very much be described is told of it each time anew.
        Ok(Some(match self.held.check(bytes) {
            Ok(()) => prepared.set_columns(columns),
            Err(_) => Arc::new(columns),
        }))
    }

    /// Asks the database for the columns of a query.
    async fn described(
        &mut self,
        sql: &str,
        prepared: &Prepared,
    ) -> Result<Vec<Column>, RequestError> {
        let deadline = Instant::now() + self.settings.timeout();
        let (stop, slot) = self.slot(deadline).await?;
        let _abandon = Abandon(Arc::clone(&stop));
        let mut params: Vec<_> = prepared.types.iter().map(param::example).collect();
        params.extend(prepared.given.iter().cloned());
        let (pool, stopped, asked) = (Arc::clone(&self.pool), Arc::clone(&stop), sql.to_owned());
        let described = tokio::task::spawn_blocking(move || {
            let described = pool.describe(&asked, &params, &stopped);
            drop(slot);
            described
        });
        let described = stop.awaited(described, deadline);
        let described = patiently(&mut self.wire, &self.pool, &stop, described).await??;
        let described = described.map_err(|error| Failure::new("XX000", error.to_string()))?;
        let is_packed = self.settings.is_packed();
        Ok(described.map_err(|error| stop.told(&error, sql, is_packed))?)
    }

    pub(super) fn tell_columns(
        &mut self,
        columns: Option<&Vec<Column>>,
        formats: &message::Formats,
    ) {
        let Some(columns) = columns else {
            return message::bare(&mut self.wire.out, b'n');
        };
        let is_packed = self.settings.is_packed();
        let fields = columns.iter().map(|column| {
            let text = Column {
                name: column.name.clone(),
                kind: Kind::Text,
            };
            value::field(if is_packed { &text } else { column })
        });
        let fields: Vec<_> = fields.collect();
        message::fields(&mut self.wire.out, &fields, formats);
    }
}
