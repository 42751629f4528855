//! Which lines were told (`crate::seen`): blocks of keys with the numbers of their sources.

use super::columns::{Columns, Stored};
use super::error::Error;
use super::{Session, Store};
use crate::model::cursor::SourceKey;
use crate::model::time::{SECOND, Time};
use crate::seen::{News, Row, Source};
use duckdb::types::Value;
use duckdb::{Connection, params, params_from_iter};
use std::collections::HashMap;

/// A block with the number of its source.
pub(super) struct StoredRow {
    pub(super) source_id: i64,
    pub(super) row: Row,
}

impl Stored for StoredRow {
    const TABLE: &'static str = "seen";

    fn columns(rows: &[Self]) -> Columns<'_, Self> {
        let lines = |r: &Self| i32::try_from(r.row.stored.lines).unwrap_or(i32::MAX);
        Columns::of(rows)
            .int("id", |r| r.row.stored.id)
            .int("source_id", |r| r.source_id)
            .time("first_time", |r| time(*r.row.stored.span.start()))
            .time("last_time", |r| time(*r.row.stored.span.end()))
            .value::<duckdb::arrow::datatypes::Int32Type>("lines", lines)
            .flag("is_piece", |r| r.row.stored.is_piece)
            .blob("keys", |r| &r.row.keys)
    }
}

fn time(second: i64) -> Time {
    Time(second.saturating_mul(SECOND))
}

fn second(time: i64) -> i64 {
    time.div_euclid(SECOND)
}

/// Deletes blocks that have become part of others.
pub(super) fn forget(conn: &Connection, ids: &[i64]) -> duckdb::Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let list = Value::List(ids.iter().copied().map(Value::BigInt).collect());
    let sql = "DELETE FROM seen WHERE id IN (SELECT unnest(?::BIGINT[]))";
    conn.execute(sql, params![list])?;
    Ok(())
}

/// Adds what is to be stored of a stream to what is to be stored of it already.
pub fn extend(held: &mut Vec<(SourceKey, News)>, news: Vec<(SourceKey, News)>) {
    for (key, mut news) in news {
        // What was not stored yet need not be deleted.
        for (_, before) in held.iter_mut() {
            before.rows.retain(|row| {
                let at = news.gone.iter().position(|id| *id == row.stored.id);
                at.map(|at| news.gone.swap_remove(at)).is_none()
            });
        }
        held.push((key, news));
    }
}

impl Store {
    /// Returns what is stored of the lines of each source, in the order of [`Store::sources`].
    pub fn seen(&self) -> Result<Vec<Source>, Error> {
        let mut places = HashMap::new();
        let mut sources = Vec::new();
        for stored in self.sources()? {
            places.insert(stored.source_id.unwrap_or_default(), sources.len());
            sources.push(Source {
                is_journal: matches!(stored.cursor.key, SourceKey::Journal { .. }),
                name: stored.cursor.name,
                ..Source::default()
            });
        }
        let hosts = "SELECT source_id, host, min(first_time) FROM coverage GROUP BY source_id, host ORDER BY ALL";
        let hosts: Vec<(i64, String, i64)> = self.rows(hosts, [], |fields| {
            Ok((fields.get()?, fields.get()?, fields.get()?))
        })?;
        for (source_id, host, begins) in hosts {
            let place = places.get(&source_id).and_then(|at| sources.get_mut(*at));
            if let Some(source) = place {
                let begins = second(begins);
                source.begins = Some(source.begins.map_or(begins, |other: i64| other.min(begins)));
                source.hosts.push(host);
            }
        }
        let blocks =
            "SELECT source_id, id, first_time, last_time, lines, is_piece FROM seen ORDER BY id";
        let blocks = self.rows(blocks, [], |fields| {
            let source_id: i64 = fields.get()?;
            let id = fields.get()?;
            let span = second(fields.get()?)..=second(fields.get()?);
            let lines = usize::try_from(fields.get::<i32>()?).unwrap_or_default();
            let is_piece = fields.get()?;
            Ok((
                source_id,
                crate::seen::Stored {
                    id,
                    span,
                    lines,
                    is_piece,
                },
            ))
        })?;
        for (source_id, block) in blocks {
            let place = places.get(&source_id).and_then(|at| sources.get_mut(*at));
            if let Some(source) = place {
                source.blocks.push(block);
            }
        }
        Ok(sources)
    }
}

impl Session {
    /// Returns the keys of these blocks, as far as they are there.
    pub fn seen_keys(&self, ids: &[i64]) -> Result<Vec<(i64, Vec<u8>)>, Error> {
        let (Some(first), Some(last)) = (ids.iter().min(), ids.iter().max()) else {
            return Ok(Vec::new());
        };
        // The bounds are what zone maps understand.
        let sql = "SELECT id, keys FROM seen WHERE id BETWEEN ? AND ? AND id IN (SELECT unnest(?::BIGINT[]))";
        let list = Value::List(ids.iter().copied().map(Value::BigInt).collect());
        let values = [Value::BigInt(*first), Value::BigInt(*last), list];
        let found = self.conn.prepare_cached(sql).and_then(|mut statement| {
            let rows = statement.query_map(params_from_iter(values), |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
            rows.collect()
        });
        found.map_err(|error| Error::sort(self.path.as_deref(), sql, &error))
    }
}
