//! What a start needs back: sources with their cursors, and the open messages with the correlator's state.

use super::Store;
use super::columns::Stored;
use super::error::Error;
use crate::model::cursor::{Cursor, StoredCursor};
use crate::model::row::{Attempt, DeliveryFrom, DeliveryTo, OpenState, State, Text};
use crate::model::time::Time;
use duckdb::types::{FromSql, Value};
use duckdb::{Params, Row, params};
use std::cell::Cell;

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

    /// Returns what the correlator needs to go on: its state, the open messages, and the closed ones that `closed`
    /// finds named in the state.
    pub fn open_state<E>(
        &self,
        closed: impl Fn(&State) -> Result<Vec<i64>, E>,
    ) -> Result<OpenState, Error>
    where
        E: std::fmt::Display,
    {
        let state = self.state()?;
        let closed = closed(&state).map_err(|error| Error::Data {
            table: "open_message",
            cause: error.to_string(),
        })?;
        // The ids first: a scan of two columns. Then the rows, which zone maps of the ids find.
        let mut ids: Vec<i64> =
            self.rows("SELECT id FROM delivery_from WHERE removed IS NULL", [], id)?;
        ids.extend(closed);
        let list = Value::List(ids.into_iter().map(Value::BigInt).collect());
        Ok(OpenState {
            state,
            messages: self.rows(&by_ids::<DeliveryFrom>("id"), params![list], delivery_from)?,
            recipients: self.rows(&by_ids::<DeliveryTo>("from_id"), params![list], delivery_to)?,
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

/// The cells of one row, taken one after the other.
pub(super) struct Fields<'r> {
    row: &'r Row<'r>,
    next: Cell<usize>,
}

impl<'r> Fields<'r> {
    fn of(row: &'r Row<'r>) -> Self {
        Self {
            row,
            next: Cell::new(0),
        }
    }

    pub(super) fn get<T: FromSql>(&self) -> duckdb::Result<T> {
        let column = self.next.replace(self.next.get() + 1);
        self.row.get(column)
    }

    /// Returns the flag behind the key of an address, which is made anew from the address.
    fn behind_key(&self) -> duckdb::Result<bool> {
        self.next.set(self.next.get() + 1);
        Ok(self.get::<Option<bool>>()?.unwrap_or_default())
    }

    fn text(&self) -> duckdb::Result<Text> {
        self.get::<String>().map(Text::from)
    }

    fn maybe_text(&self) -> duckdb::Result<Option<Text>> {
        Ok(self.get::<Option<String>>()?.map(Text::from))
    }

    fn time(&self) -> duckdb::Result<Time> {
        self.get().map(Time)
    }

    pub(super) fn maybe_time(&self) -> duckdb::Result<Option<Time>> {
        Ok(self.get::<Option<i64>>()?.map(Time))
    }

    fn attempt(&self) -> duckdb::Result<Attempt> {
        Ok(Attempt {
            agent: self.maybe_text()?,
            relay: self.maybe_text()?,
            relay_name: self.maybe_text()?,
            relay_address: self.maybe_text()?,
            relay_port: self.get()?,
            conn_use: self.get()?,
            delay: self.get()?,
            delay_before_qmgr: self.get()?,
            delay_in_qmgr: self.get()?,
            delay_conn_setup: self.get()?,
            delay_transmission: self.get()?,
            tls: self.maybe_text()?,
            dsn: self.maybe_text()?,
            status: self.text()?,
            reply_code: self.get()?,
            reason: self.maybe_text()?,
            remote_queue_id: self.maybe_text()?,
            cause: self.maybe_text()?,
            dnsbl: self.maybe_text()?,
        })
    }
}

// Fields of a struct are evaluated in the order written: the order of the columns.

fn id(fields: &Fields<'_>) -> duckdb::Result<i64> {
    fields.get()
}

fn delivery_from(fields: &Fields<'_>) -> duckdb::Result<DeliveryFrom> {
    Ok(DeliveryFrom {
        id: fields.get()?,
        host: fields.text()?,
        instance: fields.text()?,
        queue_id: fields.text()?,
        time: fields.time()?,
        updated: fields.time()?,
        removed: fields.maybe_time()?,
        service: fields.maybe_text()?,
        client_name: fields.maybe_text()?,
        client_address: fields.maybe_text()?,
        client_port: fields.get()?,
        helo_name: fields.maybe_text()?,
        protocol_name: fields.maybe_text()?,
        sasl_method: fields.maybe_text()?,
        sasl_username: fields.maybe_text()?,
        sasl_sender: fields.maybe_text()?,
        orig_queue_id: fields.maybe_text()?,
        orig_client: fields.maybe_text()?,
        sender: fields.maybe_text()?,
        message_id: fields.maybe_text()?,
        resent_message_id: fields.maybe_text()?,
        subject: fields.maybe_text()?,
        size: fields.get()?,
        nrcpt: fields.get()?,
        uid: fields.get()?,
        tls: fields.maybe_text()?,
        origin: fields.text()?,
        parent_id: fields.get()?,
        parent_link: fields.maybe_text()?,
        root_id: fields.get()?,
        status: fields.text()?,
        reason: fields.maybe_text()?,
        log_incomplete: fields.get()?,
        parent_inferred: fields.behind_key()?,
    })
}

fn delivery_to(fields: &Fields<'_>) -> duckdb::Result<DeliveryTo> {
    Ok(DeliveryTo {
        id: fields.get()?,
        from_id: fields.get()?,
        host: fields.text()?,
        instance: fields.text()?,
        queue_id: fields.text()?,
        recipient: fields.text()?,
        orig_to: fields.maybe_text()?,
        time: fields.time()?,
        first_time: fields.time()?,
        attempts: fields.get()?,
        state: fields.attempt()?,
    })
}
