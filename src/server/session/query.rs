//! Query: runs the query of a portal and sends its rows.

use super::Session;
use crate::model::kind::Column;
use crate::server::admission::{Slot, Stop};
use crate::server::message;
use crate::server::portal::Portal;
use crate::server::request_error::{RequestError, RequestResult};
use crate::server::run::{self, Form, Pool, Question};
use crate::server::session_budget::no_portal;
use crate::server::statement::Statement;
use crate::server::wire::{Stream, Wire};
use crate::server::{admit, audit};
use crate::store::Verb;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// After this time without a free slot a client gets a notice that says what its query waits for.
const UNTOLD: Duration = Duration::from_secs(2);

impl<S: Stream> Session<S> {
    /// Makes what runs next the one to cancel, and gets a slot for it.
    pub(super) async fn slot(
        &mut self,
        deadline: Instant,
    ) -> Result<(Arc<Stop>, Arc<Slot>), RequestError> {
        let open = &self.inner.open;
        let stop = open.stop();
        self.current.set(Some(Arc::clone(&stop)));
        let slot = open.slot(self.pid, &stop, deadline);
        let slot = self.wire.while_open(slot).await??;
        Ok((stop, slot))
    }

    /// Starts a portal's query and waits for its columns.
    pub(super) async fn begin(
        &mut self,
        portal: &mut Portal,
    ) -> Result<Arc<Vec<Column>>, RequestError> {
        self.may_run(&portal.prepared.statement)?;
        if portal.asks().is_none() {
            return Ok(Arc::default());
        }
        let deadline = Instant::now() + self.settings.timeout();
        let (stop, slot) = self.slot(deadline).await?;
        let Some((verb, sql, copy)) = portal.asks() else {
            return Ok(Arc::default());
        };
        let is_packed = self.settings.is_packed();
        let form = match copy {
            Some(copy) => Form::Copy(copy.clone()),
            None if is_packed => Form::Packed,
            None => Form::Rows(portal.formats.clone()),
        };
        let question = Question {
            verb,
            sql: sql.to_owned(),
            params: [portal.params.as_slice(), &portal.prepared.given].concat(),
            form,
            told: portal.prepared.columns(),
            is_packed,
        };
        let mut running = run::start(&self.pool, question, stop, slot, deadline);
        if let Some(what) = &portal.prepared.what {
            self.has_asked |= what.starts_with(admit::FIND);
            running.asked = Some(self.question(what));
        }
        let running = portal.running.insert(running);
        let stop = Arc::clone(&running.stop);
        let head = patiently(&mut self.wire, &self.pool, &stop, running.head());
        head.await?.map_err(RequestError::Told)
    }

    /// Returns what is noted of a question, as soon as it ends.
    pub(super) fn question(&self, what: &str) -> audit::Question {
        let row = self.login.note(what);
        audit::Question::new(&self.inner.audit, row)
    }

    /// Sends rows of a portal that runs.
    pub(super) async fn rows(&mut self, portal: &mut Portal, most: Option<usize>) -> RequestResult {
        let Some(running) = portal.running.as_mut() else {
            return Err(no_portal("").into());
        };
        self.current.set(Some(Arc::clone(&running.stop)));
        let mut sent = 0;
        let mut is_suspended = false;
        loop {
            let left = most.map(|most| most - sent);
            let (bytes, count) = running.left.take(left);
            self.wire.out.extend_from_slice(&bytes);
            sent += count;
            if let Some(asked) = running.asked.as_mut() {
                asked.hits += count;
            }
            self.wire.drain().await?;
            if most == Some(sent) {
                is_suspended = true;
                break;
            }
            if !self.wire.while_open(running.more()).await?? {
                break;
            }
        }
        let tag = match &portal.prepared.statement {
            Statement::CopyOut { .. } => {
                message::bare(&mut self.wire.out, b'c');
                format!("COPY {sent}")
            }
            Statement::Ask(Verb::Explain | Verb::Analyze, _) => "EXPLAIN".to_owned(),
            _ => format!("SELECT {sent}"),
        };
        if is_suspended {
            message::bare(&mut self.wire.out, b's');
        } else {
            message::complete(&mut self.wire.out, &tag);
        }
        Ok(())
    }
}

/// Waits for a query. If the query waits long for a free slot, the client gets a notice that names the running queries.
pub(super) async fn patiently<S: Stream, T>(
    wire: &mut Wire<S>,
    pool: &Pool,
    stop: &Stop,
    work: impl Future<Output = T>,
) -> io::Result<T> {
    let mut work = pin!(work);
    let soon = tokio::time::timeout(UNTOLD, &mut work);
    if let Ok(done) = wire.while_open(soon).await? {
        return Ok(done);
    }
    if let Some(obstacle) = pool.obstacle(stop) {
        let (kind, code) = ("NOTICE", "00000");
        let fields = [(b'S', kind), (b'V', kind), (b'C', code), (b'M', &obstacle)];
        message::report(&mut wire.out, b'N', &fields);
        wire.flush().await?;
    }
    wire.while_open(work).await
}
