//! Signature: digests with their counts, and who asked the signature server what.

use super::Store;
use super::columns::{Readable, Stored};
use super::error::Error;
use super::stage::{append, stage};
use crate::metrics::{Count, label};
use crate::model::signature::{SignaturePackets, SignatureRow, SignatureUse};
use crate::signature::counter::Record;
use crate::signature::stored;
use duckdb::{Connection, params};
use hashbrown::HashMap;

/// Rows that are read at a time: a million digests as rows would take the memory of the digests three times.
const ROWS: i64 = 100_000;

impl Store {
    /// Hands over all digests, in no order.
    ///
    /// # Errors
    /// When the database fails.
    pub fn each_signature(&self, mut each: impl FnMut(&SignatureRow)) -> Result<(), Error> {
        let last = "SELECT coalesce(max(rowid), -1) FROM signature";
        let last = self.rows(last, [], super::read::id)?;
        let last = last.first().copied().unwrap_or(-1);
        let columns = SignatureRow::columns(&[]).names().join(", ");
        let sql = format!("SELECT {columns} FROM signature WHERE rowid BETWEEN ? AND ?");
        let mut first = 0;
        while first <= last {
            let rows = self.rows(&sql, params![first, first + ROWS - 1], SignatureRow::read)?;
            rows.iter().for_each(&mut each);
            first += ROWS;
        }
        Ok(())
    }

    /// Adds what another server knows, in a transaction of its own.
    ///
    /// # Errors
    /// When the database fails; nothing is stored then.
    pub fn merge_signatures(&mut self, rows: &[SignatureRow]) -> Result<(), Error> {
        let mut merged: HashMap<&str, Record> = HashMap::new();
        for row in rows {
            let record = merged.entry(&row.digest).or_default();
            *record = record.merged(stored::record(row));
        }
        self.each_signature(|known| {
            if let Some(record) = merged.get_mut(known.digest.as_str()) {
                *record = record.merged(stored::record(known));
            }
        })?;
        let rows = merged.into_iter();
        let rows: Vec<_> = rows.map(|(digest, of)| stored::row(digest, of)).collect();
        self.transact("add digests", |conn| write(conn, rows))
    }

    /// Deletes digests, in a transaction of its own.
    ///
    /// # Errors
    /// When the database fails; nothing is deleted then.
    pub fn forget_signatures(&mut self, rows: &[SignatureRow]) -> Result<(), Error> {
        let gone = |row: &SignatureRow| stored::row(&row.digest, Record::default());
        let rows: Vec<_> = rows.iter().map(gone).collect();
        self.transact("delete digests", |conn| write(conn, rows))
    }
}

/// Puts the digests in the place of what was known of them; of several rows of one digest the last counts.
pub(super) fn write(conn: &Connection, rows: Vec<SignatureRow>) -> duckdb::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let by_digest: HashMap<_, SignatureRow> = rows
        .into_iter()
        .map(|row| (row.digest.clone(), row))
        .collect();
    let rows: Vec<SignatureRow> = by_digest.into_values().collect();
    let staged = stage(conn, &rows)?;
    let columns = SignatureRow::columns(&[]);
    let set: Vec<String> = columns
        .names()
        .into_iter()
        .filter(|name| *name != "digest")
        .map(|name| format!("{name} = staged.{name}"))
        .collect();
    // In place: rows that are deleted and written anew would leave their space behind each second.
    conn.execute_batch(&format!(
        "MERGE INTO signature AS stored USING {staged} AS staged ON stored.digest = staged.digest \
         WHEN MATCHED AND staged.count = 0 AND staged.wl_count = 0 THEN DELETE \
         WHEN MATCHED THEN UPDATE SET {} \
         WHEN NOT MATCHED AND (staged.count > 0 OR staged.wl_count > 0) THEN INSERT BY NAME; \
         TRUNCATE {staged}",
        set.join(", ")
    ))
}

/// Adds rows of use.
pub(super) fn write_uses(conn: &Connection, rows: Vec<SignatureUse>) -> duckdb::Result<()> {
    append(conn, rows)
}

/// Adds to the totals for Prometheus. Operations and codes are few: no series is one too many.
pub(super) fn write_packets(conn: &Connection, packets: &[SignaturePackets]) -> duckdb::Result<()> {
    let of = |packets: &SignaturePackets| {
        let code = packets.code.to_string();
        #[expect(clippy::cast_precision_loss, reason = "no second has so many packets")]
        let value = packets.count as f64;
        Count {
            name: "maillog_signature_packets_total".to_owned(),
            labels: label::join(&[("operation", packets.operation), ("code", &*code)]),
            value,
        }
    };
    let counts: Vec<Count> = packets.iter().map(of).collect();
    super::counter::merge(conn, &counts)
}
