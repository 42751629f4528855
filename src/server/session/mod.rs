//! Session: one client's conversation after it was let in: statements, portals, transactions and their states.
//!
//! A transaction of a client holds nothing in the database: each statement sees what is committed when it begins.
//! What is left of it are its rules: after an error nothing runs until it ends. The files beside this one do what the messages ask.

mod about;
mod call;
mod cursor;
mod describe;
mod query;

use crate::model::audit::AuditRow;
use crate::model::table::{Cell, Param, Table};
use crate::server::admission::Current;
use crate::server::failure::Failure;
use crate::server::ingest::Intake;
use crate::server::message::{self, Bind, Of, Request, Transaction};
use crate::server::portal::{self, Portal, Prepared};
use crate::server::request_error::{RequestError, RequestResult};
use crate::server::run::Pool;
use crate::server::session_budget::{self, SessionBudget};
use crate::server::setting::Settings;
use crate::server::statement::{self, SLEEP, Statement};
use crate::server::turnstile::User;
use crate::server::wire::{Stream, Wire};
use crate::server::{Inner, admit, dialect, guess, lex, param};
use crate::store::Verb;
use pgwire::api::Type;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Who logged in, and from where.
pub(super) struct Login {
    /// The name that the client gave.
    pub(super) user: String,
    /// Who it is, and whose mail that user may see.
    pub(super) who: Arc<User>,
    /// From where the client came.
    pub(super) origin: String,
}

impl Login {
    /// Returns the note of what is asked.
    fn note(&self, what: &str) -> AuditRow {
        AuditRow {
            time: chrono::Utc::now().into(),
            who: self.who.name.clone(),
            origin: self.origin.clone(),
            what: what.to_owned(),
            scope: self.who.scope.to_string(),
            hits: None,
        }
    }
}

/// One client.
pub(super) struct Session<S> {
    pub(super) wire: Wire<S>,
    pub(super) inner: Arc<Inner>,
    pub(super) login: Login,
    /// It handed over a search: the statements that follow belong to it.
    pub(super) has_asked: bool,
    pub(super) pid: i32,
    pub(super) current: Arc<Current>,
    pub(super) settings: Settings,
    pub(super) pool: Arc<Pool>,
    pub(super) transaction: Transaction,
    pub(super) held: SessionBudget,
    pub(super) intake: Intake,
}

impl<S: Stream> Session<S> {
    /// Talks until the client goes.
    pub(super) async fn serve(&mut self) -> io::Result<()> {
        self.furnish();
        let mut skips = false;
        loop {
            let request = match self.next_request().await {
                Ok(Some(request)) => request,
                Ok(None) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                    Failure::new("08P01", error.to_string())
                        .fatal()
                        .put(&mut self.wire.out);
                    self.wire.close().await;
                    return Ok(());
                }
                Err(error) => return Err(error),
            };
            let is_simple = matches!(request, Request::Query(_));
            match request {
                Request::Terminate => return Ok(()),
                Request::Sync => {
                    skips = false;
                    self.sync().await?;
                    continue;
                }
                _ if skips && !is_simple => continue,
                _ => {}
            }
            skips = false;
            let done = self.handle(request).await;
            self.current.set(None);
            match done {
                Ok(()) => {}
                Err(RequestError::Gone(error)) => return Err(error),
                Err(RequestError::Told(failure)) => {
                    failure.put(&mut self.wire.out);
                    if failure.is_fatal {
                        self.wire.close().await;
                        return Ok(());
                    }
                    if self.transaction == Transaction::Open {
                        self.transaction = Transaction::Failed;
                    }
                    skips = !is_simple;
                }
            }
            if is_simple {
                self.sync().await?;
            } else {
                self.wire.drain().await?;
            }
        }
    }

    /// Waits for the next message, and meanwhile stops what a client left unfinished for too long; none when it
    /// goes, or is idle for longer than it wished.
    async fn next_request(&mut self) -> io::Result<Option<Request>> {
        let idle = self.settings.idle(self.transaction);
        let idle = idle.map(|(idle, code, text)| (Instant::now() + idle, code, text));
        loop {
            let deadlines = self.held.portals.values().filter_map(Portal::deadline);
            let deadlines = deadlines.chain(idle.map(|(at, ..)| at));
            let Some(deadline) = deadlines.min() else {
                return self.wire.request().await;
            };
            if let Ok(request) = tokio::time::timeout_at(deadline, self.wire.request()).await {
                return request;
            }
            let now = Instant::now();
            if let Some((at, code, text)) = idle
                && at <= now
            {
                Failure::new(code, text).fatal().put(&mut self.wire.out);
                self.wire.close().await;
                return Ok(None);
            }
            self.held
                .portals
                .values_mut()
                .for_each(|portal| portal.expire(now));
        }
    }

    async fn sync(&mut self) -> io::Result<()> {
        if self.transaction == Transaction::None {
            self.held.portals.retain(|_, portal| portal.is_cursor);
        }
        message::ready(&mut self.wire.out, self.transaction);
        self.wire.flush().await
    }

    async fn handle(&mut self, request: Request) -> RequestResult {
        match request {
            Request::Query(sql) => self.simple(&sql).await,
            Request::Parse { name, sql, types } => self.parse(name, &sql, &types),
            Request::Bind(bind) => self.bind(bind),
            Request::Describe {
                of: Of::Statement,
                name,
            } => self.describe_statement(&name).await,
            Request::Describe {
                of: Of::Portal,
                name,
            } => self.describe_portal(&name).await,
            Request::Execute { portal, rows } => self.execute(&portal, rows).await,
            Request::Close { of, name } => {
                match of {
                    Of::Statement => drop(self.held.prepared.remove(&name)),
                    Of::Portal => drop(self.held.portals.remove(&name)),
                }
                message::bare(&mut self.wire.out, b'3');
                Ok(())
            }
            Request::Flush => Ok(self.wire.flush().await?),
            // Left over from a copy that failed.
            Request::CopyData(_) | Request::CopyDone | Request::CopyFail(_) => Ok(()),
            Request::Password(_) | Request::Sync | Request::Terminate => {
                Err(Failure::new("08P01", "unexpected message").fatal().into())
            }
        }
    }

    async fn simple(&mut self, sql: &str) -> RequestResult {
        session_budget::check_text(sql)?;
        let statements = statement::split(sql);
        if statements.is_empty() {
            message::bare(&mut self.wire.out, b'I');
            return Ok(());
        }
        for tokens in statements {
            let offset = tokens.first().map_or(0, |token| token.at);
            let part = statement::part(sql, &tokens);
            let prepared = self
                .prepare(part, &[])
                .map_err(|failure| moved(failure, sql, offset))?;
            let mut portal =
                Portal::new(Arc::new(prepared), Vec::new(), message::Formats::default());
            let done = self.perform(&mut portal, 0, true).await;
            done.map_err(|trouble| match trouble {
                RequestError::Told(failure) => RequestError::Told(moved(failure, sql, offset)),
                gone @ RequestError::Gone(_) => gone,
            })?;
        }
        Ok(())
    }

    /// Reads one statement and the types of its parameters.
    fn prepare(&self, sql: &str, types: &[u32]) -> Result<Prepared, Failure> {
        let is_packed = self.settings.is_packed();
        if is_packed && let Some(prepared) = admit::search(sql)? {
            self.held.check(prepared.bytes())?;
            return Ok(prepared);
        }
        let tokens = statement::split(sql);
        let statement = match tokens.as_slice() {
            // Our own client only asks, and is told what is wrong in the words of the database.
            _ if is_packed && !is_own(&tokens) => match sql.strip_prefix("EXPLAIN ") {
                Some(explained) => match explained.strip_prefix("ANALYZE ") {
                    Some(analyzed) => Statement::Ask(Verb::Analyze, analyzed.to_owned()),
                    None => Statement::Ask(Verb::Explain, explained.to_owned()),
                },
                None => Statement::Ask(Verb::Select, sql.to_owned()),
            },
            [] => Statement::Nothing(""),
            [one] => statement::read(sql, one)?,
            _ => {
                let message = "cannot insert multiple commands into a prepared statement";
                return Err(Failure::new("42601", message));
            }
        };
        admit::check(&statement, &self.login.who.scope)?;
        let what = admit::what(&statement, self.login.who.is_owner, self.has_asked);
        let length = sql.len();
        let statement = match statement {
            Statement::Ask(verb, sql) => Statement::Ask(verb, self.rewrite(sql)),
            Statement::Declare(name, sql) => Statement::Declare(name, self.rewrite(sql)),
            Statement::CopyOut { sql, form } => Statement::CopyOut {
                sql: self.rewrite(sql),
                form,
            },
            other => other,
        };
        let guessed = guess::parameter_types(sql, &self.inner.columns);
        let count = guessed.len().max(types.len());
        let types = (0..count).map(|index| {
            let told = types
                .get(index)
                .copied()
                .filter(|oid| *oid != 0)
                .and_then(Type::from_oid);
            let guess = || guessed.get(index).cloned().flatten();
            told.filter(|kind| *kind != Type::UNKNOWN)
                .or_else(guess)
                .unwrap_or(Type::TEXT)
        });
        let mut prepared = Prepared::new(statement, types.collect(), length);
        prepared.what = what;
        self.held.check(prepared.bytes())?;
        Ok(prepared)
    }

    fn rewrite(&self, sql: String) -> String {
        if self.settings.is_packed() {
            return sql;
        }
        let words = dialect::Words {
            user: &self.login.user,
            setting: &|name| self.settings.show(name),
        };
        dialect::rewrite(&sql, &words)
    }

    fn parse(&mut self, name: String, sql: &str, types: &[u32]) -> RequestResult {
        self.held.check_prepared(&name)?;
        session_budget::check_text(sql)?;
        let prepared = self.prepare(sql, types)?;
        self.held.prepared.insert(name, Arc::new(prepared));
        message::bare(&mut self.wire.out, b'1');
        Ok(())
    }

    fn bind(&mut self, bind: Bind) -> RequestResult {
        let prepared = self.held.prepared(&bind.statement)?;
        let wanted = prepared.types.len();
        if bind.values.len() != wanted {
            let message = format!(
                "bind message supplies {} parameters, but prepared statement {:?} requires {wanted}",
                bind.values.len(),
                bind.statement
            );
            return Err(Failure::new("08P01", message).into());
        }
        session_budget::check_lists(&prepared.types, &bind.values)?;
        let read = |(index, value): (usize, &Option<bytes::Bytes>)| match (
            value,
            prepared.types.get(index),
        ) {
            (Some(bytes), Some(kind)) => param::param(kind, bytes, bind.formats.is_binary(index)),
            _ => Ok(Param::Null),
        };
        let params = bind
            .values
            .iter()
            .enumerate()
            .map(read)
            .collect::<Result<Vec<_>, _>>()?;
        self.held.check(portal::bytes(&params))?;
        self.held.check_portals()?;
        let portal = Portal::new(prepared, params, bind.results);
        self.held.portals.insert(bind.portal, portal);
        message::bare(&mut self.wire.out, b'2');
        Ok(())
    }

    async fn execute(&mut self, name: &str, rows: usize) -> RequestResult {
        let mut portal = self.held.take_portal(name)?;
        let done = self.perform(&mut portal, rows, false).await;
        self.held.portals.entry(name.to_owned()).or_insert(portal);
        done
    }

    /// Runs a portal, or goes on with it.
    async fn perform(
        &mut self,
        portal: &mut Portal,
        rows: usize,
        is_simple: bool,
    ) -> RequestResult {
        let prepared = Arc::clone(&portal.prepared);
        self.may_run(&prepared.statement)?;
        if portal.asks().is_some() {
            if portal.running.is_none() {
                let columns = self.begin(portal).await?;
                if let Statement::CopyOut { .. } = prepared.statement {
                    message::copy(&mut self.wire.out, b'H', columns.len());
                } else if is_simple {
                    self.tell_columns(Some(&columns), &portal.formats);
                }
            }
            return self.rows(portal, (rows > 0).then_some(rows)).await;
        }
        match &prepared.statement {
            Statement::Declare(name, _) => self.declare(name, portal).await,
            Statement::Fetch {
                cursor,
                rows,
                is_move,
            } => self.fetch(cursor, *rows, *is_move, is_simple).await,
            Statement::CopyIn => self.copy_in().await,
            Statement::Call(verb, argument) => {
                let table = self.call(verb, argument).await?;
                self.table(&table, is_simple, "CALL");
                Ok(())
            }
            Statement::Sleep(time) => {
                self.sleep(*time).await?;
                let columns = vec![SLEEP.to_owned()];
                let rows = vec![vec![Cell::Text(String::new())]];
                self.table(&Table { columns, rows }, is_simple, "SELECT 1");
                Ok(())
            }
            statement => self.session_statement(statement, is_simple),
        }
    }

    /// Sleeps for the client: no query runs meanwhile, so no place is taken.
    async fn sleep(&mut self, time: Duration) -> RequestResult {
        let deadline = Instant::now() + self.settings.timeout();
        let stop = self.inner.open.stop();
        self.current.set(Some(Arc::clone(&stop)));
        let slept = stop.awaited(tokio::time::sleep(time), deadline);
        Ok(self.wire.while_open(slept).await??)
    }

    /// After an error in a transaction only its end is run.
    pub(super) fn may_run(&self, statement: &Statement) -> Result<(), Failure> {
        let ends = matches!(
            statement,
            Statement::Commit | Statement::Rollback | Statement::Savepoint("ROLLBACK")
        );
        if self.transaction == Transaction::Failed && !ends {
            let message =
                "current transaction is aborted, commands ignored until end of transaction block";
            return Err(Failure::new("25P02", message));
        }
        Ok(())
    }
}

/// Returns whether the statement is one of those by which our own client adds log or prunes.
fn is_own(statements: &[Vec<lex::Token<'_>>]) -> bool {
    let words: Vec<&[lex::Token<'_>]> = statements.iter().map(Vec::as_slice).collect();
    match words.as_slice() {
        [[first, second, ..]] => {
            let is_ours = second.name().starts_with("maillog_");
            is_ours && (first.is("CALL") || first.is("COPY"))
        }
        _ => false,
    }
}

/// Moves the place of an error in a part to that in the whole text.
fn moved(mut failure: Failure, sql: &str, offset: usize) -> Failure {
    let before = sql.get(..offset).map_or(0, |before| before.chars().count());
    failure.position = failure.position.map(|position| position + before);
    failure
}
