//! Rows of small producers, written in the transaction of the batch that they came with: one arm a table.

use super::error::Error;
use super::{Store, audit, outbox, queue, signature, task};
use crate::model::small::SmallRow;
use duckdb::Connection;

impl Store {
    /// Writes rows in a transaction of their own: for a producer without the service.
    ///
    /// # Errors
    /// When the database fails; nothing is written then.
    pub fn write_small(&mut self, rows: Vec<SmallRow>) -> Result<(), Error> {
        self.transact("write rows", |conn| write(conn, rows))
    }
}

/// Writes the rows.
pub(super) fn write(conn: &Connection, rows: Vec<SmallRow>) -> duckdb::Result<()> {
    let (mut task_runs, mut asked, mut listed) = (Vec::new(), Vec::new(), Vec::new());
    let mut mails = Vec::new();
    let (mut digests, mut uses, mut packets) = (Vec::new(), Vec::new(), Vec::new());
    for row in rows {
        match row {
            SmallRow::TaskRun(run) => task_runs.push(run),
            SmallRow::Audit(row) => asked.push(row),
            SmallRow::Queue(snapshot) => listed.push(*snapshot),
            SmallRow::Outbox(change) => mails.push(change),
            SmallRow::Signature(row) => digests.push(row),
            SmallRow::SignatureUse(row) => uses.push(row),
            SmallRow::SignaturePackets(row) => packets.push(row),
        }
    }
    task::write(conn, task_runs)?;
    audit::write(conn, &asked)?;
    outbox::write(conn, mails)?;
    signature::write(conn, digests)?;
    signature::write_uses(conn, uses)?;
    signature::write_packets(conn, &packets)?;
    listed
        .into_iter()
        .try_for_each(|snapshot| queue::write(conn, snapshot))
}
