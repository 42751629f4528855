//! Erases one mail address from every table, in slices that hold up nobody.
//!
//! | what names the address | what becomes of it |
//! |---|---|
//! | recipient, recipient before rewriting | the row goes with its attempts; with the last recipient goes the message |
//! | sender, login of a message | the message stays for its other recipients; sender, login, client, helo, message-id and subject go, its raw lines too |
//! | refusal, login, raw line, what a mail store did | the row goes |
//! | a text that quotes it (replies, samples) | the address in it is replaced by [`PSEUDONYM`] |
//!
//! Compared without regard to case; also quoted (`"alice"@example.org`) and as VERP and SRS write it
//! (`bounce+alice=example.org@lists.example`, `SRS0=x=y=example.org=alice@relay.example`); a message whose sender is the address within
//! SRS or BATV is one of that sender.
//!
//! A running service remembers messages, sessions and last lines: it notes the address and does what is left at its
//! next start, before it remembers anything.
//!
//! Limits: messages in the queue stay as they are, for the next line about them needs their row: their number is told.
//! What is deleted leaves the file when it is compacted (`compact.rs`).

use super::Store;
pub use super::address::{Address, PSEUDONYM};
use super::error::Error;
use super::retain::{Gone, add, note};
use crate::model::table::Param;
use crate::model::tables::{self, Erase, Holds, Table};
use duckdb::types::Value;
use duckdb::{Connection, ToSql, params};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

const AIM: Duration = Duration::from_millis(150);
const LEAST: i64 = 20_000;
const MOST: i64 = 2_000_000;
const FIRST: i64 = 100_000;

/// One pass over one table.
struct Pass {
    table: &'static str,
    columns: Vec<&'static str>,
    deed: Erase,
}

/// Returns the passes: attempts come before recipients go, for they name no address of their own.
fn passes() -> &'static [Pass] {
    static PASSES: LazyLock<Vec<Pass>> = LazyLock::new(|| {
        let named = tables::tables()
            .iter()
            .filter(|table| !matches!(table.erase, Erase::Nothing | Erase::Json));
        let pass = |table: &'static Table| Pass {
            table: table.name,
            columns: table.naming().collect(),
            deed: table.erase,
        };
        named.map(pass).collect()
    });
    &PASSES
}

/// Returns the columns of a table that hold a whole address.
fn addresses(table: &str) -> Vec<&'static str> {
    let table = tables::table(table);
    table.into_iter().flat_map(Table::addresses).collect()
}

const OPEN: &str = "CREATE OR REPLACE TEMP TABLE erase_open AS \
                    SELECT id FROM delivery_from WHERE removed IS NULL UNION SELECT unnest(?::BIGINT[])";
const TOUCHED: &str = "CREATE OR REPLACE TEMP TABLE erase_touched (from_id BIGINT)";

/// What an erasure came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Erased {
    /// Rows that went, by table.
    pub gone: Gone,
    /// Rows that were changed, by table.
    pub changed: Gone,
    /// Messages in the queue that name the address and stay.
    pub open: u64,
}

/// An erasure in slices: call [`Eraser::step`] until it says that it was the last.
#[derive(Debug)]
pub struct Eraser {
    address: Address,
    /// A service is running: its correlator remembers messages and sessions, and writes them down again.
    is_live: bool,
    pass: usize,
    at: i64,
    rows: i64,
    is_prepared: bool,
    /// What was done so far.
    pub erased: Erased,
}

impl Eraser {
    /// Begins an erasure.
    #[must_use]
    pub fn new(address: Address, is_live: bool) -> Self {
        Self {
            address,
            is_live,
            pass: 0,
            at: 0,
            rows: FIRST,
            is_prepared: false,
            erased: Erased::default(),
        }
    }

    /// Does one slice; tells whether it was the last.
    ///
    /// # Errors
    /// When the database fails; nothing of the slice is done then.
    pub fn step(&mut self, store: &mut Store) -> Result<bool, Error> {
        if store.in_transaction {
            return Ok(false);
        }
        let _owner = store.as_owner();
        if !self.is_prepared {
            self.prepare(store)?;
        }
        let Some(pass) = passes().get(self.pass) else {
            self.finish(store)?;
            return Ok(true);
        };
        let start = Instant::now();
        let (address, at, end) = (&self.address, self.at, self.at + self.rows);
        let (gone, changed, is_end) = store.transact("erase", |conn| {
            let mut run = Run {
                conn,
                address,
                gone: Gone::new(),
                changed: Gone::new(),
            };
            let last: Option<i64> = conn.query_row(
                &format!("SELECT max(rowid) FROM {}", pass.table),
                [],
                |row| row.get(0),
            )?;
            run.slice(pass, at, end)?;
            Ok((run.gone, run.changed, last.is_none_or(|last| end > last)))
        })?;
        add(&mut self.erased.gone, gone);
        add(&mut self.erased.changed, changed);
        self.at = end;
        if is_end {
            self.pass += 1;
            self.at = 0;
            self.rows = FIRST;
        } else if start.elapsed() > AIM * 2 {
            self.rows = (self.rows / 2).max(LEAST);
        } else if start.elapsed() < AIM / 2 {
            self.rows = (self.rows * 2).min(MOST);
        }
        Ok(false)
    }

    fn prepare(&mut self, store: &Store) -> Result<(), Error> {
        let closed = if self.is_live {
            store.closed_in_memory()?
        } else {
            Vec::new()
        };
        let list = Value::List(closed.into_iter().map(Value::BigInt).collect());
        let prepared = store
            .conn
            .execute(OPEN, params![list])
            .and_then(|_| store.conn.execute_batch(TOUCHED));
        prepared.map_err(|error| store.sort(OPEN, &error))?;
        self.is_prepared = true;
        Ok(())
    }

    /// Messages that lost their last recipient, and what no table row but a state holds.
    fn finish(&mut self, store: &Store) -> Result<(), Error> {
        let (address, is_live) = (&self.address, self.is_live);
        let (gone, changed, open) = store.transact("erase", |conn| {
            let mut run = Run {
                conn,
                address,
                gone: Gone::new(),
                changed: Gone::new(),
            };
            run.emptied()?;
            if !is_live {
                run.states()?;
            }
            let open = run.open()?;
            conn.execute_batch("DROP TABLE temp.erase_open; DROP TABLE temp.erase_touched")?;
            Ok((run.gone, run.changed, open))
        })?;
        add(&mut self.erased.gone, gone);
        add(&mut self.erased.changed, changed);
        self.erased.open = open;
        Ok(())
    }
}

impl Store {
    /// Erases the address in one go: for a command that has the database to itself.
    ///
    /// # Errors
    /// When the database fails; what went before stays erased.
    pub fn erase(&mut self, address: Address) -> Result<Erased, Error> {
        let mut eraser = Eraser::new(address, false);
        while !eraser.step(self)? {}
        // What was learned of the state's text is no longer so.
        self.state = None;
        Ok(eraser.erased)
    }
}

/// One slice at work.
struct Run<'a> {
    conn: &'a Connection,
    address: &'a Address,
    gone: Gone,
    changed: Gone,
}

impl Run<'_> {
    fn slice(&mut self, pass: &Pass, at: i64, end: i64) -> duckdb::Result<()> {
        let rows = format!(
            "rowid >= {at} AND rowid < {end} AND {}",
            self.address.named_in(&pass.columns)
        );
        let stage = format!(
            "CREATE OR REPLACE TEMP TABLE erase_rows AS SELECT rowid AS row FROM {} WHERE {rows}",
            pass.table
        );
        if self.conn.execute(&stage, [])? == 0 || self.staged()? == 0 {
            return Ok(());
        }
        let found = "rowid BETWEEN (SELECT min(row) FROM temp.erase_rows) AND (SELECT max(row) FROM temp.erase_rows) \
                     AND rowid IN (SELECT row FROM temp.erase_rows)";
        match pass.deed {
            Erase::Nothing | Erase::Json => Ok(()),
            Erase::Delete => self.delete(pass.table, found),
            Erase::Replace => self.replace(pass, found),
            Erase::Recipients => {
                let closed = format!("{found} AND from_id NOT IN (SELECT id FROM temp.erase_open)");
                self.recipients(&closed)?;
                self.replace(pass, &closed)
            }
            Erase::Messages => {
                let closed = format!("{found} AND id NOT IN (SELECT id FROM temp.erase_open)");
                self.messages(&closed)?;
                self.replace(pass, &closed)
            }
        }
    }

    fn staged(&self) -> duckdb::Result<i64> {
        self.conn
            .query_row("SELECT count(*) FROM temp.erase_rows", [], |row| row.get(0))
    }

    fn delete(&mut self, table: &'static str, condition: &str) -> duckdb::Result<()> {
        let rows = self
            .conn
            .execute(&format!("DELETE FROM {table} WHERE {condition}"), [])?;
        if rows > 0 {
            let gone = vec![(table, rows as u64)];
            note(self.conn, &gone)?;
            add(&mut self.gone, gone);
        }
        Ok(())
    }

    fn replace(&mut self, pass: &Pass, condition: &str) -> duckdb::Result<()> {
        let (table, set) = (pass.table, self.address.replaced(&pass.columns));
        let still = self.address.named_in(&pass.columns);
        self.update(table, &set, &format!("{condition} AND {still}"), &[])
    }

    fn update(
        &mut self,
        table: &'static str,
        set: &str,
        condition: &str,
        values: &[&dyn ToSql],
    ) -> duckdb::Result<()> {
        let sql = format!("UPDATE {table} SET {set} WHERE {condition}");
        let rows = self.conn.execute(&sql, values)?;
        if rows > 0 {
            add(&mut self.changed, vec![(table, rows as u64)]);
        }
        Ok(())
    }

    /// Rows of the recipient go with their attempts; their messages are looked at later.
    fn recipients(&mut self, condition: &str) -> duckdb::Result<()> {
        let is = self.address.is_one_of(&addresses("delivery_to"));
        let stage = format!(
            "CREATE OR REPLACE TEMP TABLE erase_to AS SELECT id, from_id FROM delivery_to WHERE {condition} AND {is}"
        );
        self.conn.execute_batch(&stage)?;
        self.conn
            .execute_batch("INSERT INTO temp.erase_touched SELECT from_id FROM temp.erase_to")?;
        let of_message = |column: &str, source: &str| {
            format!(
                "{column} BETWEEN (SELECT min({source}) FROM temp.erase_to) AND (SELECT max({source}) FROM temp.erase_to)"
            )
        };
        let attempts = format!(
            "{} AND to_id IN (SELECT id FROM temp.erase_to)",
            of_message("from_id", "from_id")
        );
        self.delete("delivery_attempt", &attempts)?;
        let rows = format!(
            "{} AND id IN (SELECT id FROM temp.erase_to)",
            of_message("id", "id")
        );
        self.delete("delivery_to", &rows)
    }

    /// Who sent it goes out of the row; raw lines of the message tell of nobody else as much.
    fn messages(&mut self, condition: &str) -> duckdb::Result<()> {
        let is = self.address.is_one_of(&addresses("delivery_from"));
        let stage = format!(
            "CREATE OR REPLACE TEMP TABLE erase_sent AS SELECT id FROM delivery_from WHERE {condition} AND {is}"
        );
        self.conn.execute_batch(&stage)?;
        let among = |column: &str| {
            format!(
                "{column} BETWEEN (SELECT min(id) FROM temp.erase_sent) AND (SELECT max(id) FROM temp.erase_sent) \
                 AND {column} IN (SELECT id FROM temp.erase_sent)"
            )
        };
        self.delete("log_line", &among("from_id"))?;
        let of_sender = tables::table("delivery_from").into_iter();
        let nothing: Vec<String> = of_sender
            .flat_map(Table::of_sender)
            .map(|column| format!("{column} = NULL"))
            .collect();
        let set = format!(
            "{}, sender = '{PSEUDONYM}', sender_key = address_key('{PSEUDONYM}')",
            nothing.join(", ")
        );
        self.update("delivery_from", &set, &among("id"), &[])
    }

    /// Messages whose last recipient went.
    fn emptied(&mut self) -> duckdb::Result<()> {
        let ends = "BETWEEN (SELECT min(from_id) FROM temp.erase_touched) AND (SELECT max(from_id) FROM temp.erase_touched)";
        self.conn.execute_batch(&format!(
            "CREATE OR REPLACE TEMP TABLE erase_empty AS SELECT DISTINCT from_id AS id FROM temp.erase_touched \
             WHERE from_id NOT IN (SELECT from_id FROM delivery_to WHERE from_id {ends} \
             AND from_id IN (SELECT from_id FROM temp.erase_touched))"
        ))?;
        for (table, column) in [("log_line", "from_id"), ("delivery_from", "id")] {
            self.delete(
                table,
                &format!("{column} {ends} AND {column} IN (SELECT id FROM temp.erase_empty)"),
            )?;
        }
        self.conn.execute_batch("DROP TABLE temp.erase_empty")
    }

    /// The correlator's state and that of the readers: JSON.
    fn states(&mut self) -> duckdb::Result<()> {
        let Some(address) = self.address.in_json() else {
            return Ok(());
        };
        for table in tables::tables().iter().filter(|t| t.erase == Erase::Json) {
            let states = table.columns.iter().filter(|c| c.holds == Holds::Json);
            let states: Vec<&str> = states.map(|column| column.name.as_str()).collect();
            let (set, named) = (address.replaced(&states), address.named_in(&states));
            self.update(table.name, &set, &named, &[])?;
        }
        Ok(())
    }

    /// Counts the messages that stay although they name the address.
    fn open(&self) -> duckdb::Result<u64> {
        let (sender, recipient) = (
            self.address.named_in(&addresses("delivery_from")),
            self.address.named_in(&addresses("delivery_to")),
        );
        let sql = format!(
            "SELECT count(*) FROM (SELECT id FROM delivery_from WHERE id IN (SELECT id FROM temp.erase_open) AND {sender} \
             UNION SELECT from_id FROM delivery_to WHERE from_id IN (SELECT id FROM temp.erase_open) AND {recipient}) \
             WHERE id IN (SELECT id FROM delivery_from WHERE removed IS NULL)"
        );
        self.conn.query_row(&sql, [], |row| row.get(0))
    }
}

/// How that statement begins.
const PREVIEW: &str = "SELECT \"table\", deleted, changed FROM (SELECT ";

/// Returns whether a statement is one of [`preview`]: it has the address in its text.
#[must_use]
pub fn is_preview(sql: &str) -> bool {
    sql.starts_with(PREVIEW)
}

/// Returns the statement that tells how many rows name the address, and what would become of them.
#[must_use]
pub fn preview(address: &Address) -> (String, Vec<Param>) {
    let parts: Vec<String> = passes()
        .iter()
        .enumerate()
        .map(|(number, pass)| {
            let (named, is) = (
                address.named_in(&pass.columns),
                match pass.deed {
                    Erase::Delete => "true".to_owned(),
                    Erase::Recipients => address.is_one_of(&addresses("delivery_to")),
                    _ => "false".to_owned(),
                },
            );
            format!(
                "SELECT {number} AS number, '{}' AS \"table\", count(*) FILTER (WHERE {is}) AS deleted, \
                 count(*) FILTER (WHERE NOT {is}) AS changed FROM {} WHERE {named}",
                pass.table, pass.table
            )
        })
        .collect();
    let sql = format!(
        "SELECT \"table\", deleted, changed FROM ({}) WHERE deleted + changed > 0 ORDER BY number",
        parts.join(" UNION ALL ")
    );
    (sql, Vec::new())
}
