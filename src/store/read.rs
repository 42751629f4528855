//! What a start needs back: sources with their cursors, and the open messages with the correlator's state.

use super::Store;
use super::columns::{Readable, Stored};
use super::error::Error;
use super::fields::Fields;
use crate::model::cursor::{Cursor, StoredCursor};
use crate::model::row::{DeliveryFrom, DeliveryTo, OpenState, State};
use duckdb::types::Value;
use duckdb::{Params, params};

impl Store {
    /// Returns all sources with where reading of them stands.
    pub fn sources(&self) -> Result<Vec<StoredCursor>, Error> {
        let sql = "SELECT id, key, name, position, journal_cursor, last_time, state FROM source ORDER BY id";
        let rows = self.rows(sql, [], |fields| {
            let source_id = fields.get()?;
            let key: String = fields.get()?;
            let cursor = (
                fields.get()?,
                fields.get::<i64>()?,
                fields.get()?,
                fields.maybe_time()?,
            );
            Ok((source_id, key, cursor, fields.get()?))
        })?;
        rows.into_iter()
            .map(
                |(source_id, key, (name, position, journal, last_time), state)| {
                    let key = serde_json::from_str(&key).map_err(|error| Error::Data {
                        table: "source",
                        cause: error.to_string(),
                    })?;
                    let offset = u64::try_from(position).unwrap_or_default();
                    let cursor = Cursor {
                        key,
                        name,
                        offset,
                        journal,
                        last_time,
                        state,
                    };
                    Ok(StoredCursor {
                        source_id: Some(source_id),
                        cursor,
                    })
                },
            )
            .collect()
    }

    /// Returns what the correlator needs to go on: its state, the open messages, and the closed ones that the state names.
    pub fn open_state(&self) -> Result<OpenState, Error> {
        let state = self.state()?;
        let closed = self.closed_in_memory()?;
        // The ids first: a scan of two columns. Then the rows, which zone maps of the ids find.
        let mut ids: Vec<i64> =
            self.rows("SELECT id FROM delivery_from WHERE removed IS NULL", [], id)?;
        ids.extend(closed);
        let list = Value::List(ids.into_iter().map(Value::BigInt).collect());
        Ok(OpenState {
            state,
            messages: self.rows(
                &by_ids::<DeliveryFrom>("id"),
                params![list],
                DeliveryFrom::read,
            )?,
            recipients: self.rows(
                &by_ids::<DeliveryTo>("from_id"),
                params![list],
                DeliveryTo::read,
            )?,
        })
    }

    /// Returns the correlator's state as stored; empty for a new database.
    pub(super) fn state(&self) -> Result<State, Error> {
        let parts = self.rows("SELECT name, state FROM open_message", [], |fields| {
            Ok((fields.text()?, fields.get()?))
        })?;
        Ok(parts.into_iter().collect())
    }

    /// Learns the numbers of the sources, once.
    pub(super) fn load_sources(&mut self) -> Result<(), Error> {
        if self.source_ids.is_empty() {
            let sources = self.sources()?;
            let ids = sources.into_iter();
            self.source_ids = ids
                .filter_map(|stored| Some((stored.cursor.key, stored.source_id?)))
                .collect();
        }
        Ok(())
    }

    pub(super) fn rows<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl Fn(&Fields<'_>) -> duckdb::Result<T>,
    ) -> Result<Vec<T>, Error> {
        let rows = self.conn.prepare(sql).and_then(|mut statement| {
            statement
                .query_map(params, |row| read(&Fields::of(row)))?
                .collect()
        });
        rows.map_err(|error| self.sort(sql, &error))
    }
}

fn by_ids<R: Stored>(column: &str) -> String {
    let columns = R::columns(&[]);
    let columns = columns.names().join("\", \"");
    format!(
        "SELECT \"{columns}\" FROM {} WHERE {column} IN (SELECT unnest(?::BIGINT[])) ORDER BY id",
        R::TABLE
    )
}

pub(super) fn id(fields: &Fields<'_>) -> duckdb::Result<i64> {
    fields.get()
}
