//! Deletes what is past retention, in slices that hold up nobody.
//!
//! A slice is one transaction over at most some ten thousand rows of one table, found by row number, so that its time
//! does not depend on the size of the table; how many rows it takes follows from how long the last one took.
//!
//! Promises: what belongs together goes together (a message with its recipients, attempts and raw lines), and nothing
//! of a message that is still open goes, nor of one that the correlator may still change. Killed between two slices,
//! the tables are whole.
//!
//! Limits: a checkpoint between two slices may move rows to lower numbers; the pass begins anew then. The file does not
//! shrink, its blocks are used again (`compact.rs` rewrites it).

use super::Store;
use super::error::Error;
use super::param::timestamp;
use crate::model::retain::{Cutoffs, Group};
use crate::model::table::Param;
use crate::model::tables::{self, Retain};
use crate::model::time::{DAY, Time};
use duckdb::types::Value;
use duckdb::{Connection, params};
use std::time::{Duration, Instant};

/// Time that a slice should take: ingestion waits for it.
const AIM: Duration = Duration::from_millis(150);
/// Rows of a slice, at least, at most, and of the first one.
const LEAST: i64 = 2_000;
const MOST: i64 = 200_000;
const FIRST: i64 = 20_000;
/// Days that a source is remembered after the last row that it can have brought has gone: a file read again after that
/// counts as new, and its rows go again.
const SOURCE_DAYS: i64 = 366;

/// Rows of messages in the queue, and of what hangs on them, stay whatever their age.
const OPEN: &str = "CREATE OR REPLACE TEMP TABLE retain_open AS \
                    SELECT id, true AS is_queued FROM delivery_from WHERE removed IS NULL";

/// So do those that were closed just where a log stands now (`$1` are all that the correlator has in memory): it may go
/// on. One of which nothing was read for a day, at `$2`, has ended there.
const CLOSED: &str = "SELECT f.id FROM delivery_from f \
                      WHERE f.id IN (SELECT unnest($1::BIGINT[])) AND ($2::TIMESTAMP IS NULL OR EXISTS (\
                      SELECT 1 FROM source s WHERE s.last_read > $2::TIMESTAMP - INTERVAL 1 DAY \
                      AND f.removed > coalesce(s.last_time, s.last_read) - INTERVAL 1 HOUR))";

/// What is kept for longer at `$1`.
const KEPT: &str = "(SELECT * FROM kept WHERE $1::TIMESTAMP IS NULL OR until > $1::TIMESTAMP)";

/// The closed messages that the correlator has in memory, as its state names them.
const IN_MEMORY: &str =
    "SELECT unnest((state->'$.closed')::BIGINT[]) AS id FROM open_message ORDER BY id";

/// One pass over one table.
#[derive(Debug, Clone, Copy)]
struct Pass {
    group: Group,
    table: &'static str,
    /// Which rows may go; `$1` is the time before which they do.
    condition: &'static str,
}

/// Returns the passes: raw lines come first, for most of them go long before their message.
fn passes() -> impl Iterator<Item = Pass> {
    tables::tables().iter().filter_map(|table| {
        let (group, condition) = match table.retain {
            Retain::Dated(group) => (group, "time < $1"),
            Retain::Line(group) | Retain::Refusal(group) => (
                group,
                "time < $1 AND (from_id IS NULL OR from_id NOT IN (SELECT id FROM temp.retain_open WHERE is_queued))",
            ),
            Retain::Message(group) => (
                group,
                "removed < $1 AND id NOT IN (SELECT id FROM temp.retain_open)",
            ),
            Retain::WithMessage | Retain::Ledger(_) | Retain::Needed => return None,
        };
        Some(Pass {
            group,
            table: table.name,
            condition,
        })
    })
}

/// Returns the condition that a row is not kept for longer: `host` and `time` are its columns, `kept` the table or query of what is.
fn not_kept(table: &str, time: &str, kept: &str) -> String {
    // Logs are kept for longer, not what was asked about them, nor what has no host: the queue of a moment, requests.
    if matches!(
        table,
        "audit" | "outbox" | "queued_mail" | "queued_recipient" | "signature_use"
    ) {
        return "true".to_owned();
    }
    format!(
        "NOT EXISTS (SELECT 1 FROM {kept} k WHERE coalesce(k.host = {table}.host, true) \
         AND {table}.{time} BETWEEN k.first_time AND k.last_time)"
    )
}

/// Rows that went, by table.
pub type Gone = Vec<(&'static str, u64)>;

/// One slice done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Slice {
    /// What went in it.
    pub gone: Gone,
    /// There is nothing more to do.
    pub is_last: bool,
}

/// A run of pruning: call [`Pruner::step`] until it says that it was the last.
#[derive(Debug)]
pub struct Pruner {
    cutoffs: Cutoffs,
    /// Index of the pass that is due.
    pass: usize,
    /// First row number to look at.
    at: i64,
    /// The current pass has deleted rows since it last began at the first row.
    is_fruitful: bool,
    rows: i64,
    is_prepared: bool,
}

impl Pruner {
    /// Begins a run.
    #[must_use]
    pub const fn new(cutoffs: Cutoffs) -> Self {
        Self {
            cutoffs,
            pass: 0,
            at: 0,
            is_fruitful: false,
            rows: FIRST,
            is_prepared: false,
        }
    }

    /// Deletes one slice.
    ///
    /// # Errors
    /// When the database fails; nothing of the slice is deleted then.
    pub fn step(&mut self, store: &mut Store) -> Result<Slice, Error> {
        if store.in_transaction {
            // Between two parts of an import: later.
            return Ok(Slice::default());
        }
        let _owner = store.as_owner();
        if !self.is_prepared {
            let closed = store.closed_in_memory()?;
            store.stage_kept(closed, self.cutoffs.now)?;
            self.is_prepared = true;
        }
        while let Some(pass) = passes().nth(self.pass) {
            let Some(cutoff) = self.cutoffs.of(pass.group) else {
                self.next_pass();
                continue;
            };
            let start = Instant::now();
            let found = store.transact("prune", |conn| {
                slice(conn, &pass, cutoff, self.at, self.rows)
            });
            if matches!(found, Err(Error::OutOfMemory)) && self.rows > LEAST {
                self.rows = (self.rows / 4).max(LEAST);
                return Ok(Slice::default());
            }
            let found = found?;
            if let Some((gone, next)) = found {
                self.at = next;
                self.is_fruitful = true;
                self.adapt(start.elapsed());
                return Ok(Slice {
                    gone,
                    is_last: false,
                });
            }
            if self.at > 0 && self.is_fruitful {
                // A checkpoint may have moved rows behind us.
                (self.at, self.is_fruitful) = (0, false);
                continue;
            }
            self.next_pass();
        }
        let cutoffs = self.cutoffs;
        let gone = store.transact("prune", |conn| ledgers(conn, &cutoffs))?;
        // What the store remembers of the sources may be gone.
        store.source_ids.clear();
        let _ = store.conn.execute_batch(
            "DROP TABLE IF EXISTS temp.retain_open; DROP TABLE IF EXISTS temp.retain_kept",
        );
        Ok(Slice {
            gone,
            is_last: true,
        })
    }

    const fn next_pass(&mut self) {
        self.pass += 1;
        self.at = 0;
        self.is_fruitful = false;
        self.rows = FIRST;
    }

    fn adapt(&mut self, took: Duration) {
        if took > AIM * 2 {
            self.rows = (self.rows / 2).max(LEAST);
        } else if took < AIM / 2 {
            self.rows = (self.rows * 2).min(MOST);
        }
    }
}

impl Store {
    /// Prunes in one go: for a command that has the database to itself.
    ///
    /// # Errors
    /// When the database fails; what went before stays deleted.
    pub fn prune(&mut self, cutoffs: Cutoffs) -> Result<Gone, Error> {
        let mut pruner = Pruner::new(cutoffs);
        let mut total = Gone::new();
        loop {
            let slice = pruner.step(self)?;
            add(&mut total, slice.gone);
            if slice.is_last {
                return Ok(total);
            }
        }
    }

    /// Puts what stays whatever its age into temporary tables: the queue, the closed messages where a log goes on, what is
    /// kept for longer.
    fn stage_kept(&self, closed: Vec<i64>, now: Option<Time>) -> Result<(), Error> {
        let list = Value::List(closed.into_iter().map(Value::BigInt).collect());
        let now = now.map_or(Value::Null, timestamp);
        let prepare = |sql: &str, values: &[&dyn duckdb::ToSql]| {
            let done = self.conn.execute(sql, values);
            done.map_err(|error| self.sort(sql, &error))
        };
        prepare(OPEN, params![])?;
        let closed = format!("INSERT INTO temp.retain_open SELECT id, false FROM ({CLOSED})");
        prepare(&closed, params![list, now.clone()])?;
        let kept = "CREATE OR REPLACE TEMP TABLE retain_kept AS SELECT * FROM kept \
                    WHERE $1::TIMESTAMP IS NULL OR until > $1::TIMESTAMP";
        prepare(kept, params![now])?;
        Ok(())
    }

    /// Returns the closed messages that the correlator may still change.
    pub(super) fn closed_in_memory(&self) -> Result<Vec<i64>, Error> {
        let ids = self.rows(IN_MEMORY, [], super::read::id);
        ids.map_err(|error| match error {
            Error::Sql { .. } => Error::Data {
                table: "open_message",
                cause: error.to_string(),
            },
            other => other,
        })
    }

    /// Runs `work` in a transaction of its own.
    pub(super) fn transact<T>(
        &self,
        what: &str,
        work: impl FnOnce(&Connection) -> duckdb::Result<T>,
    ) -> Result<T, Error> {
        let _owner = self.to_write()?;
        let run = |sql: &str| self.conn.execute_batch(sql);
        let done = run("BEGIN TRANSACTION")
            .and_then(|()| work(&self.conn))
            .and_then(|value| run("COMMIT").map(|()| value));
        done.map_err(|error| self.undo(self.sort(what, &error)))
    }
}

/// Adds up rows by table.
pub fn add(total: &mut Gone, more: Gone) {
    for (table, rows) in more {
        match total.iter_mut().find(|(known, _)| *known == table) {
            Some((_, sum)) => *sum += rows,
            None => total.push((table, rows)),
        }
    }
}

/// Deletes the next rows of the pass from row number `at` on; returns what went and where to go on, none at the end.
fn slice(
    conn: &Connection,
    pass: &Pass,
    cutoff: Time,
    at: i64,
    rows: i64,
) -> duckdb::Result<Option<(Gone, i64)>> {
    let Pass {
        table, condition, ..
    } = pass;
    let cutoff = timestamp(cutoff);
    let condition = format!(
        "{condition} AND {}",
        not_kept(table, "time", "temp.retain_kept")
    );
    let find = format!(
        "SELECT min(row), max(row) FROM \
         (SELECT rowid AS row FROM {table} WHERE rowid >= $2 AND {condition} LIMIT {rows})"
    );
    let range: (Option<i64>, Option<i64>) = conn.query_row(&find, params![cutoff, at], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?;
    let (Some(first), Some(last)) = range else {
        return Ok(None);
    };
    let mut gone = Gone::new();
    let condition = format!("rowid BETWEEN $2 AND $3 AND {condition}");
    if *table == "delivery_from" {
        messages(conn, &condition, params![cutoff, first, last], &mut gone)?;
    } else {
        let delete = format!("DELETE FROM {table} WHERE {condition}");
        count(
            &mut gone,
            table,
            conn.execute(&delete, params![cutoff, first, last])?,
        );
    }
    note(conn, &gone)?;
    Ok(Some((gone, last + 1)))
}

/// Deletes the messages that the condition names, with all that hangs on them.
fn messages(
    conn: &Connection,
    condition: &str,
    values: &[&dyn duckdb::ToSql],
    gone: &mut Gone,
) -> duckdb::Result<()> {
    let stage = format!(
        "CREATE OR REPLACE TEMP TABLE retain_gone AS SELECT id FROM delivery_from WHERE {condition}"
    );
    conn.execute(&stage, values)?;
    let ends = "SELECT coalesce(min(id), 0), coalesce(max(id), -1) FROM temp.retain_gone";
    let (low, high): (i64, i64) = conn.query_row(ends, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    // The bounds are what zone maps understand.
    let parts = tables::parts().map(|part| (part.name, "from_id"));
    for (table, column) in parts.chain([("delivery_from", "id")]) {
        let delete = format!(
            "DELETE FROM {table} WHERE {column} BETWEEN ? AND ? AND {column} IN (SELECT id FROM temp.retain_gone)"
        );
        count(gone, table, conn.execute(&delete, params![low, high])?);
    }
    conn.execute_batch("DROP TABLE temp.retain_gone")
}

/// Deletes from the small tables.
fn ledgers(conn: &Connection, cutoffs: &Cutoffs) -> duckdb::Result<Gone> {
    let mut gone = Gone::new();
    if let Some(cutoff) = cutoffs.of(Group::Event) {
        // A row stands for a whole day.
        let day = timestamp(Time(cutoff.0.div_euclid(DAY) * DAY));
        let condition = format!(
            "day < ? AND {}",
            not_kept("event", "day", "temp.retain_kept")
        );
        delete(conn, &mut gone, "event", &condition, &day)?;
        delete(
            conn,
            &mut gone,
            "unparsed",
            "last_time < ?",
            &timestamp(cutoff),
        )?;
    }
    if let Some(cutoff) = cutoffs.of(Group::Deliveries) {
        // What is gone cannot be vouched for: "nothing found" must not name that time.
        let hour = timestamp(cutoff.hour());
        let kept = not_kept("coverage", "first_time", "temp.retain_kept");
        delete(
            conn,
            &mut gone,
            "coverage",
            &format!("hour < ? AND {kept}"),
            &hour,
        )?;
    }
    if let Some(cutoff) = cutoffs.ledger {
        // By its anchors a piece of a log is recognised; all that it could bring is past retention.
        let sources = "source_id IN (SELECT id FROM source WHERE coalesce(last_time, last_read) < $1 AND last_read < $1)";
        delete(conn, &mut gone, "anchor", sources, &timestamp(cutoff))?;
        let told = "last_time < ? AND NOT EXISTS (SELECT 1 FROM temp.retain_kept k \
                    WHERE seen.last_time >= k.first_time AND seen.first_time <= k.last_time)";
        delete(conn, &mut gone, "seen", told, &timestamp(cutoff))?;
        let forgotten = timestamp(cutoff.plus(-SOURCE_DAYS * DAY));
        let unused = "coalesce(last_time, last_read) < $1 AND last_read < $1 \
                      AND id NOT IN (SELECT source_id FROM anchor) AND id NOT IN (SELECT source_id FROM coverage) \
                      AND id NOT IN (SELECT source_id FROM seen)";
        delete(conn, &mut gone, "source", unused, &forgotten)?;
    }
    note(conn, &gone)?;
    if let Some(now) = cutoffs.now {
        conn.execute("DELETE FROM kept WHERE until <= ?", params![timestamp(now)])?;
    }
    Ok(gone)
}

fn delete(
    conn: &Connection,
    gone: &mut Gone,
    table: &'static str,
    condition: &str,
    value: &Value,
) -> duckdb::Result<()> {
    let sql = format!("DELETE FROM {table} WHERE {condition}");
    count(gone, table, conn.execute(&sql, params![value])?);
    Ok(())
}

fn count(gone: &mut Gone, table: &'static str, rows: usize) {
    if rows > 0 {
        add(gone, vec![(table, rows as u64)]);
    }
}

/// Adds what went to the totals that metrics tell.
pub(super) fn note(conn: &Connection, gone: &Gone) -> duckdb::Result<()> {
    for (table, rows) in gone {
        let labels = format!("table=\"{table}\"");
        #[expect(clippy::cast_precision_loss, reason = "a count of rows")]
        let rows = *rows as f64;
        let name = "maillog_pruned_rows_total";
        let update = "UPDATE counter SET value = value + $3 WHERE name = $1 AND labels = $2";
        if conn.execute(update, params![name, labels, rows])? == 0 {
            conn.execute(
                "INSERT INTO counter VALUES ($1, $2, $3)",
                params![name, labels, rows],
            )?;
        }
    }
    Ok(())
}

/// What would go, a row a table: its name, the rows, their first and last time, and the time before which they go.
const COLUMNS: [&str; 5] = ["table", "rows", "first_time", "last_time", "before"];

/// Returns the statement that tells what pruning would delete, with its parameters.
#[must_use]
pub fn preview(cutoffs: &Cutoffs) -> (String, Vec<Param>) {
    let mut told = Preview::new(cutoffs.now);
    let gone = told.messages(cutoffs);
    let open = "IN (SELECT id FROM delivery_from WHERE removed IS NULL)";
    let free = format!("time < $before AND (from_id IS NULL OR from_id NOT {open})");
    let hour = "hour < date_trunc('hour', $before)";
    for table in tables::tables() {
        match table.retain {
            Retain::Refusal(group) => told.add(cutoffs.of(group), table.name, "time", &free),
            Retain::Dated(group) => {
                told.add(cutoffs.of(group), table.name, "time", "time < $before");
            }
            _ => {}
        }
    }
    for (group, table, time, condition) in [
        (
            Group::Event,
            "event",
            "first_time",
            "day < date_trunc('day', $before)",
        ),
        (
            Group::Event,
            "unparsed",
            "first_time",
            "last_time < $before",
        ),
    ] {
        told.add(cutoffs.of(group), table, time, condition);
    }
    // Those of a message go with it.
    let (lines, of_gone) = match (cutoffs.of(Group::Lines), gone) {
        (None, gone) => (
            cutoffs.of(Group::Deliveries),
            gone.unwrap_or_else(|| "false".to_owned()),
        ),
        (lines, None) => (lines, free.clone()),
        (lines, Some(gone)) => (lines, format!("{free} OR {gone}")),
    };
    told.add(lines, "log_line", "time", &of_gone);
    told.add(
        cutoffs.of(Group::Deliveries),
        "coverage",
        "first_time",
        hour,
    );
    told.finish()
}

/// A preview under construction.
struct Preview {
    parts: Vec<String>,
    params: Vec<Param>,
}

impl Preview {
    /// `$1` is the present.
    fn new(now: Option<Time>) -> Self {
        Self {
            parts: Vec::new(),
            params: vec![now.map_or(Param::Null, Param::Time)],
        }
    }

    /// Tells of the messages that go and returns the condition on `from_id` of what goes with them.
    fn messages(&mut self, cutoffs: &Cutoffs) -> Option<String> {
        let before = cutoffs.of(Group::Deliveries)?;
        let closed = CLOSED
            .replace("unnest($1::BIGINT[])", &format!("id FROM ({IN_MEMORY})"))
            .replace("$2", "$1");
        let kept = not_kept("delivery_from", "time", KEPT);
        let messages = format!("removed < $before AND id NOT IN ({closed}) AND {kept}");
        self.add(Some(before), "delivery_from", "time", &messages);
        let place = self.params.len();
        let messages = messages.replace("$before", &format!("${place}::TIMESTAMP"));
        let gone = format!("from_id IN (SELECT id FROM delivery_from WHERE {messages})");
        self.add(Some(before), "delivery_to", "time", &gone);
        self.add(Some(before), "delivery_attempt", "time", &gone);
        Some(gone)
    }

    /// Tells of the rows of a table; nothing of those that are kept for good.
    fn add(&mut self, before: Option<Time>, table: &str, time: &str, condition: &str) {
        let Some(before) = before else { return };
        self.params.push(Param::Time(before));
        let (place, order) = (self.params.len(), self.parts.len());
        let before = format!("${place}::TIMESTAMP");
        let condition = condition.replace("$before", &before);
        let by = match table {
            "event" => "day",
            "coverage" => "first_time",
            _ => "time",
        };
        let condition = match table {
            // What hangs on a message goes by the message, and this has no host.
            "unparsed" => condition,
            _ if tables::parts().any(|part| part.name == table && table != "log_line") => condition,
            _ => format!("({condition}) AND {}", not_kept(table, by, KEPT)),
        };
        self.parts.push(format!(
            "SELECT {order} AS number, '{table}' AS \"table\", count(*) AS rows, min({time}) AS first_time, \
             max({time}) AS last_time, {before} AS before FROM {table} WHERE {condition}"
        ));
    }

    fn finish(self) -> (String, Vec<Param>) {
        let columns = COLUMNS.map(|column| format!("\"{column}\"")).join(", ");
        if self.parts.is_empty() {
            let nothing = "SELECT '' AS \"table\", 0::BIGINT AS rows, NULL::TIMESTAMP AS first_time, \
                           NULL::TIMESTAMP AS last_time, NULL::TIMESTAMP AS before WHERE $1::TIMESTAMP IS NULL AND false";
            return (nothing.to_owned(), self.params);
        }
        let sql = format!(
            "SELECT {columns} FROM ({}) WHERE rows > 0 AND ($1::TIMESTAMP IS NULL OR true) ORDER BY number",
            self.parts.join(" UNION ALL ")
        );
        (sql, self.params)
    }
}
