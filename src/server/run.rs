//! Run: one query on a thread of its own, its rows as they come, never more of them in memory than a few blocks.
//!
//! A client that does not read makes the channel full; then the thread waits there, and lets another query run
//! meanwhile. Stopping works at every moment: before it runs, while it runs, and while it waits (`admission`).

use super::admission::{Slot, Stop};
use super::audit;
use super::catalog::{self, Furniture};
use super::failure::Failure;
use super::message::{self, Formats};
use super::statement::CopyForm;
use super::turnstile::{Turn, Turnstile, User};
use super::value;
use crate::ask::session::Restriction;
use crate::model::kind::{Column, Kind};
use crate::model::table::{Cell, Param};
use crate::store::{self, Sessions, Verb};
use bytes::{BufMut, Bytes, BytesMut};
use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Bytes that are collected before they are handed over.
const BLOCK: usize = 32 << 10;
/// Blocks that wait for the client.
const AHEAD: usize = 3;

/// A connection, and whether it knows the whole catalog.
struct Furnished {
    session: store::Session,
    /// What keeps it in the scope of its user.
    restriction: Option<Restriction>,
    has_catalog: bool,
}

/// Connections of one client to the database, made when they are needed.
pub(super) struct Pool {
    source: Sessions,
    idle: Mutex<Vec<Furnished>>,
    /// What each connection is furnished with.
    furniture: Mutex<Furniture>,
    turnstile: Arc<Turnstile>,
    /// Whose client it is.
    user: Arc<User>,
    most_rows: u64,
}

impl Pool {
    pub(super) fn new(
        source: Sessions,
        turnstile: Arc<Turnstile>,
        user: Arc<User>,
        most_rows: u64,
    ) -> Self {
        Self {
            source,
            idle: Mutex::default(),
            furniture: Mutex::default(),
            turnstile,
            user,
            most_rows,
        }
    }

    /// Returns what a query waits for before it computes; none when it does not wait.
    pub(super) fn obstacle(&self, stop: &Stop) -> Option<String> {
        self.turnstile.obstacle(stop)
    }

    /// Changes what connections are furnished with; those that are idle go.
    pub(super) fn furnish(&self, furniture: Furniture) {
        *self
            .furniture
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = furniture;
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    fn take(&self, with_catalog: bool) -> Result<Furnished, store::Error> {
        let idle = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let furniture = || {
            self.furniture
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone()
        };
        let mut found = if let Some(idle) = idle {
            idle
        } else {
            let session = self.source.open()?;
            let restriction = Restriction::put(&session, &self.user.scope)?;
            session.furnish(&furniture().first)?;
            Furnished {
                session,
                restriction,
                has_catalog: false,
            }
        };
        if with_catalog && !found.has_catalog {
            found.session.furnish(&furniture().catalog)?;
            found.has_catalog = true;
        }
        Ok(found)
    }

    fn give_back(&self, session: Furnished) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < 2 {
            idle.push(session);
        }
    }

    /// Describes the columns of a query.
    pub(super) fn describe(
        &self,
        sql: &str,
        params: &[Param],
        stop: &Stop,
    ) -> Result<Vec<Column>, store::Error> {
        self.with(stop, sql, |session, _| session.describe(sql, params))
    }

    fn with<T>(
        &self,
        stop: &Stop,
        sql: &str,
        work: impl FnOnce(&store::Session, &Turn<'_>) -> Result<T, store::Error>,
    ) -> Result<T, store::Error> {
        let is_status = store::status::is_part(sql);
        let turn = self.turnstile.enter(&self.user, is_status, stop);
        let turn = turn.ok_or(store::Error::Interrupted)?;
        let found = self.take(catalog::is_named(sql))?;
        let runs = stop.runs(found.session.interrupt());
        let done = if stop.is_stopped() {
            Err(store::Error::Interrupted)
        } else {
            let fresh = found.restriction.as_ref();
            let fresh = fresh.map_or(Ok(()), |restriction| restriction.refresh(&found.session));
            fresh.and_then(|()| work(&found.session, &turn))
        };
        drop(runs);
        // Who was interrupted may have been so while it cleaned up: it is not used again.
        if !stop.is_stopped() {
            self.give_back(found);
        }
        done
    }
}

/// A query with all it needs.
pub(super) struct Question {
    pub verb: Verb,
    pub sql: String,
    pub params: Vec<Param>,
    pub form: Form,
    /// The columns that the client was told of already.
    pub told: Option<Arc<Vec<Column>>>,
    /// For messages of errors.
    pub is_packed: bool,
}

/// How rows are written.
#[derive(Debug, Clone)]
pub(super) enum Form {
    Rows(Formats),
    Packed,
    Copy(CopyForm),
}

/// What comes from the thread.
pub(super) enum Item {
    Head(Vec<Column>),
    Block(Block),
}

/// Rows as they are sent, and where each ends.
#[derive(Default)]
pub(super) struct Block {
    bytes: Bytes,
    ends: VecDeque<usize>,
    taken: usize,
}

impl Block {
    /// Takes up to so many rows off, none for all; returns them and their number.
    pub(super) fn take(&mut self, most: Option<usize>) -> (Bytes, usize) {
        let count = most.map_or(self.ends.len(), |most| most.min(self.ends.len()));
        let end = self.ends.drain(..count).next_back().unwrap_or(self.taken);
        let rows = self.bytes.split_to(end - self.taken);
        self.taken = end;
        (rows, count)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }
}

/// A query that runs, or waits for its client; stopped when dropped.
pub(super) struct Running {
    pub items: mpsc::Receiver<Item>,
    pub left: Block,
    pub columns: Option<Arc<Vec<Column>>>,
    pub stop: Arc<Stop>,
    pub deadline: Instant,
    /// How it ended, once all rows are taken.
    pub end: Option<Result<(), Failure>>,
    /// How it ended, behind the last item.
    pub last: Arc<OnceLock<Result<(), Failure>>>,
    pub slot: Option<Arc<Slot>>,
    /// What is noted of it.
    pub asked: Option<audit::Question>,
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.end.is_none() {
            self.stop.stop();
        }
    }
}

/// Starts a query.
pub(super) fn start(
    pool: &Arc<Pool>,
    question: Question,
    stop: Arc<Stop>,
    slot: Arc<Slot>,
    deadline: Instant,
) -> Running {
    let (sender, items) = mpsc::channel(AHEAD);
    let last = Arc::new(OnceLock::new());
    let running = Running {
        items,
        left: Block::default(),
        columns: question.told.clone(),
        stop: Arc::clone(&stop),
        deadline,
        end: None,
        last: Arc::clone(&last),
        slot: Some(Arc::clone(&slot)),
        asked: None,
    };
    let pool = Arc::clone(pool);
    tokio::task::spawn_blocking(move || {
        let task = Task {
            pool: &pool,
            stop: &stop,
            sender,
        };
        let end = task.run(&question);
        let _ = last.set(end);
        // Before the client hears of the end, so that it may open the next.
        drop(slot);
    });
    running
}

struct Task<'a> {
    pool: &'a Pool,
    stop: &'a Stop,
    sender: mpsc::Sender<Item>,
}

impl Task<'_> {
    fn run(&self, question: &Question) -> Result<(), Failure> {
        let columns = std::cell::RefCell::new(Vec::new());
        let mut block = Collected::default();
        let mut too_many = None;
        let mut rows = 0_u64;
        let done = self.pool.with(self.stop, &question.sql, |session, turn| {
            let head = |found: Vec<Column>| {
                (*columns.borrow_mut()).clone_from(question.told.as_deref().unwrap_or(&found));
                self.send(Item::Head(found), Some(turn));
            };
            let (sql, params) = (&question.sql, &question.params);
            session.answer(question.verb, sql, params, head, |cells| {
                rows += 1;
                if rows > self.pool.most_rows {
                    too_many = Some(too_many_rows(self.pool.most_rows));
                    return ControlFlow::Break(());
                }
                if rows == 1 {
                    question.form.begin(&columns.borrow(), &mut block.bytes);
                }
                block.add(&cells, &columns.borrow(), &question.form);
                if self.stop.is_stopped()
                    || (block.bytes.len() >= BLOCK && !self.send(block.take(), Some(turn)))
                {
                    return ControlFlow::Break(());
                }
                ControlFlow::Continue(())
            })
        });
        if let Some(failure) = too_many {
            return Err(failure);
        }
        if self.stop.is_stopped() && done.is_ok() {
            return Err(self.stop.failure());
        }
        done.map_err(|error| self.stop.told(&error, &question.sql, question.is_packed))?;
        if rows == 0 {
            question.form.begin(&columns.borrow(), &mut block.bytes);
        }
        if !block.bytes.is_empty() && !self.send(block.take(), None) && self.stop.is_stopped() {
            return Err(self.stop.failure());
        }
        Ok(())
    }

    /// Hands an item over; while that has to wait, another query may compute. False when nobody wants it any more.
    fn send(&self, item: Item, turn: Option<&Turn<'_>>) -> bool {
        let item = match self.sender.try_send(item) {
            Ok(()) => return true,
            Err(mpsc::error::TrySendError::Closed(_)) => return false,
            Err(mpsc::error::TrySendError::Full(item)) => item,
        };
        if let Some(turn) = turn {
            turn.leave();
        }
        let sent = self.stop.unless_stopped(self.sender.send(item));
        let is_sent = matches!(Handle::current().block_on(sent), Some(Ok(())));
        is_sent && turn.is_none_or(|turn| turn.again(self.stop))
    }
}

fn too_many_rows(most: u64) -> Failure {
    Failure::new("54000", format!("the result has more than {most} rows"))
        .hint("choose a shorter time range, or raise rows below [serve] in /etc/maillog.toml")
}

#[derive(Default)]
struct Collected {
    bytes: BytesMut,
    ends: VecDeque<usize>,
}

impl Collected {
    fn add(&mut self, cells: &[Cell], columns: &[Column], form: &Form) {
        match form {
            Form::Copy(form) => copy_row(&mut self.bytes, form, cells, columns),
            form => row(&mut self.bytes, form, cells, columns),
        }
        self.ends.push_back(self.bytes.len());
    }

    fn take(&mut self) -> Item {
        Item::Block(Block {
            bytes: std::mem::take(&mut self.bytes).freeze(),
            ends: std::mem::take(&mut self.ends),
            taken: 0,
        })
    }
}

/// Puts a row.
pub(super) fn row(out: &mut BytesMut, form: &Form, cells: &[Cell], columns: &[Column]) {
    message::put(out, b'D', |out| {
        out.put_u16(u16::try_from(cells.len()).unwrap_or(u16::MAX));
        for (index, cell) in cells.iter().enumerate() {
            let kind = columns
                .get(index)
                .map_or(&Kind::Text, |column| &column.kind);
            match form {
                Form::Rows(formats) => value::put(out, cell, kind, formats.is_binary(index)),
                _ => value::put_packed(out, cell),
            }
        }
    });
}

impl Form {
    /// Puts what comes before the rows.
    fn begin(&self, columns: &[Column], out: &mut BytesMut) {
        if let Self::Copy(form) = self
            && form.has_header
        {
            let names = columns.iter().map(|column| Cell::Text(column.name.clone()));
            copy_row(out, form, &names.collect::<Vec<_>>(), &[]);
        }
    }
}

fn copy_row(out: &mut BytesMut, form: &CopyForm, cells: &[Cell], columns: &[Column]) {
    let fields = cells.iter().enumerate().map(|(index, cell)| {
        if *cell == Cell::Null {
            return form.null.clone();
        }
        let kind = columns
            .get(index)
            .map_or(&Kind::Text, |column| &column.kind);
        let text = value::text(cell, kind);
        if form.is_csv {
            csv(&text, form)
        } else {
            escaped(&text, form)
        }
    });
    let line = fields.collect::<Vec<_>>().join(&form.delimiter);
    message::put(out, b'd', |out| {
        out.put_slice(line.as_bytes());
        out.put_u8(b'\n');
    });
}

fn csv(text: &str, form: &CopyForm) -> String {
    let is_plain =
        !text.contains(['"', '\n', '\r']) && !text.contains(&form.delimiter) && *text != form.null;
    if is_plain && !text.is_empty() {
        return text.to_owned();
    }
    format!("\"{}\"", text.replace('"', "\"\""))
}

fn escaped(text: &str, form: &CopyForm) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => shown.push_str("\\\\"),
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            '\u{8}' => shown.push_str("\\b"),
            '\u{c}' => shown.push_str("\\f"),
            '\u{b}' => shown.push_str("\\v"),
            c if form.delimiter.contains(c) => {
                shown.push('\\');
                shown.push(c);
            }
            c => shown.push(c),
        }
    }
    shown
}
