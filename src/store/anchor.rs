//! Anchors of what was read, by which a piece of a log is recognised (`source::anchor`).

use super::Store;
use super::columns::{Columns, Stored};
use super::error::Error;
use crate::model::cursor::Anchor;
use duckdb::params;
use duckdb::types::Value;

/// An anchor with the number of its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct StoredAnchor {
    pub(super) source_id: i64,
    pub(super) anchor: Anchor,
}

impl Stored for StoredAnchor {
    const TABLE: &'static str = "anchor";

    fn columns(rows: &[Self]) -> Columns<'_, Self> {
        let position = |r: &Self| i64::try_from(r.anchor.position).unwrap_or(i64::MAX);
        Columns::of(rows)
            .int("source_id", |r| r.source_id)
            .int("hash", |r| i64::from(r.anchor.hash))
            .int("position", position)
    }
}

impl Store {
    /// Returns the anchors that have one of these hashes, with the numbers of their sources.
    pub fn anchors_like(&self, hashes: &[u32]) -> Result<Vec<(i64, Anchor)>, Error> {
        let sql = "SELECT source_id, hash, position FROM anchor WHERE hash IN (SELECT unnest(?::BIGINT[]))";
        let list = Value::List(
            hashes
                .iter()
                .map(|h| Value::BigInt(i64::from(*h)))
                .collect(),
        );
        self.rows(sql, params![list], |fields| {
            Ok((fields.get()?, anchor(fields.get()?, fields.get()?)))
        })
    }

    /// Returns the anchors of a source from `start` up to but not at `end`, in order.
    pub fn anchors_between(
        &self,
        source_id: i64,
        start: u64,
        end: u64,
    ) -> Result<Vec<Anchor>, Error> {
        let sql = "SELECT hash, position FROM anchor WHERE source_id = ? AND position >= ? AND position < ? ORDER BY position";
        let place = |offset: u64| i64::try_from(offset).unwrap_or(i64::MAX);
        self.rows(
            sql,
            params![source_id, place(start), place(end)],
            |fields| Ok(anchor(fields.get()?, fields.get()?)),
        )
    }
}

/// Both numbers were stored from unsigned ones.
fn anchor(hash: i64, position: i64) -> Anchor {
    Anchor {
        hash: u32::try_from(hash).unwrap_or_default(),
        position: u64::try_from(position).unwrap_or_default(),
    }
}
