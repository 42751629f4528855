//! Queue: the listing of Postfix's queue as rows: what changed since the listing before is written, and its counts are added.

use super::Store;
use super::columns::Stored;
use super::error::Error;
use super::param::timestamp;
use super::stage::append;
use crate::model::queue::{QueuedMail, QueuedRecipient, Snapshot};
use crate::model::row::Text;
use crate::model::time::{HOUR, Time};
use duckdb::types::Value;
use duckdb::{Connection, params};
use hashbrown::{HashMap, HashSet};

/// A row is written anew after so long although nothing changed: retention goes by when a row was written.
const REFRESH: i64 = 12 * HOUR;

impl Store {
    /// Writes a listing in a transaction of its own: for a command without the service.
    ///
    /// # Errors
    /// When the database fails.
    pub fn write_queue(&mut self, snapshot: Snapshot) -> Result<(), Error> {
        self.transact("write the queue", |conn| write(conn, snapshot))
    }
}

/// Writes a listing in the place of the one before.
pub(super) fn write(conn: &Connection, mut snapshot: Snapshot) -> duckdb::Result<()> {
    let known = known(conn, snapshot.listing.time.plus(-REFRESH))?;
    let same: HashSet<Text> = snapshot
        .mails
        .iter()
        .filter(|mail| known.get(&mail.queue_id) == Some(&Some(mail.digest)))
        .map(|mail| mail.queue_id.clone())
        .collect();
    snapshot.mails.retain(|m| !same.contains(&m.queue_id));
    snapshot.recipients.retain(|r| !same.contains(&r.queue_id));
    let gone = known.keys().filter(|id| !same.contains(*id));
    let gone: Vec<Value> = gone.map(|id| Value::Text(id.to_string())).collect();
    if !gone.is_empty() {
        let gone = Value::List(gone);
        for table in [QueuedMail::TABLE, QueuedRecipient::TABLE] {
            let sql =
                format!("DELETE FROM {table} WHERE queue_id IN (SELECT unnest(?::VARCHAR[]))");
            conn.execute(&sql, params![gone.clone()])?;
        }
    }
    append(conn, snapshot.mails)?;
    append(conn, snapshot.recipients)?;
    conn.execute_batch("DELETE FROM queue_listing")?;
    append(conn, vec![snapshot.listing])?;
    append(conn, snapshot.counts)
}

/// Returns the digests of the mails that are stored; none of one that was written before `since`.
fn known(conn: &Connection, since: Time) -> duckdb::Result<HashMap<Text, Option<i64>>> {
    let sql = "SELECT queue_id, CASE WHEN time >= $1 THEN digest END FROM queued_mail";
    let mut statement = conn.prepare(sql)?;
    let rows = statement.query_map(params![timestamp(since)], |row| {
        let id: String = row.get(0)?;
        Ok((Text::from(id), row.get(1)?))
    })?;
    rows.collect()
}
