//! Server: the service's door for queries, in the PostgreSQL wire protocol. The only async code of the service.
//!
//! ```text
//! listen (Unix socket, TCP) -> access -> session -> statement, dialect -> run (a thread, a connection of DuckDB)
//!                                           ^                                 |
//!                                           +------ value <- rows, blocks ----+
//! ```
//! Promises: a client only reads ([`store::Session`](crate::store::Session) lets nothing else through); what a client
//! sends, or fails to send or to read, ends at worst its own session; sessions, queries at once, time and rows are
//! bounded; rows go out as they come.
//!
//! Of `pgwire` (0.42) only the types and SCRAM are used. Its server streams rows, but its decoder panics on a `Bind` that is cut off, and
//! sessions here answer for places, deadlines and memory, of which it knows nothing.
//!
//! A part of the service that wants to be told something by our own client (`maillog prune`) names a verb when the
//! server starts: [`Hooks::verb`]. The client sends `CALL name('argument')` ([`crate::client::Client::call`]); root and
//! the owner may. The verb gets the argument (JSON by habit) on a thread of its own and answers with a table, shown as
//! texts.
//!
//! What is asked is noted in the table `audit` (`audit.rs`). A user in a scope (`[scope.NAME]`) has no SQL: only searches and the statements
//! that belong to them are run, on connections that see no more than the scope ([`crate::ask::scope`]).
//!
//! Limits: a transaction of a client is no snapshot; there are no savepoints, no `COPY` in binary, no `PREPARE` in SQL.

mod access;
mod admission;
mod admit;
mod audit;
mod catalog;
mod dialect;
mod failure;
mod guess;
mod ingest;
mod lex;
mod listen;
mod login_queue;
mod message;
mod param;
mod portal;
mod request_error;
mod run;
mod secret;
mod session;
mod session_budget;
mod setting;
mod statement;
mod turnstile;
mod value;
mod wait;
mod wire;

pub use failure::Failure;

use crate::config::Serve;
use crate::ingest::feed::Feeds;
use crate::ingest::small::SmallRows;
use crate::model::kind::Kind;
use crate::model::table::{Cell, Table};
use crate::store::Sessions;
use admission::Current;
use anyhow::{Context, Result, anyhow};
use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_rustls::rustls::crypto::ring;
use turnstile::User;

/// Threads for what is rare and short: files that are read again, feeds that end.
const SPARE: usize = 16;

/// Sessions that are for root and the owner alone.
const RESERVED: usize = 3;

/// What the service does on demand: gets the argument, answers with a table.
pub type Verb = Arc<dyn Fn(&str) -> Result<Table, Failure> + Send + Sync>;

/// What the owner may do through the server beside asking.
#[derive(Default, Clone)]
pub struct Hooks {
    feeds: Option<Feeds>,
    verbs: HashMap<String, Verb>,
    audit: Option<SmallRows>,
}

impl Hooks {
    /// Lets log be added.
    #[must_use]
    pub fn feeds(mut self, feeds: Feeds) -> Self {
        self.feeds = Some(feeds);
        self
    }

    /// Lets what is asked be noted.
    #[must_use]
    pub fn audit(mut self, rows: SmallRows) -> Self {
        self.audit = Some(rows);
        self
    }

    /// Adds a verb: its name begins with `maillog_`.
    #[must_use]
    pub fn verb(
        mut self,
        name: &str,
        verb: impl Fn(&str) -> Result<Table, Failure> + Send + Sync + 'static,
    ) -> Self {
        self.verbs.insert(name.to_owned(), Arc::new(verb));
        self
    }
}

/// The server; cheap to clone. It runs as long as the process, unless something breaks.
#[derive(Clone)]
pub struct Server {
    inner: Arc<Inner>,
    ended: Arc<Mutex<Receiver<anyhow::Error>>>,
}

/// What all sessions share.
struct Inner {
    sessions: Sessions,
    turnstile: Arc<turnstile::Turnstile>,
    /// Queries that are open.
    open: Arc<admission::Open>,
    limits: setting::Limits,
    most_rows: u64,
    most_sessions: usize,
    /// Sessions by number, each with the secret that cancels its query.
    places: Mutex<HashMap<i32, Seated>>,
    next: AtomicI32,
    /// Kinds of the columns by name, where a name has one kind in all tables.
    columns: HashMap<String, Kind>,
    /// Name of the database.
    name: String,
    hooks: Hooks,
    /// What was asked.
    audit: audit::Audit,
    /// The settings, for those who come over TCP.
    serve: Serve,
    /// A test wants it to panic.
    #[cfg(test)]
    broken: tokio::sync::Notify,
}

/// Looks at what no waiting helps against.
///
/// # Errors
/// When the settings name a group that does not exist, or a scope is none.
pub fn check(serve: &Serve) -> Result<()> {
    access::check(serve)
}

impl Server {
    /// Opens the doors and serves in threads of its own.
    ///
    /// # Errors
    /// When the settings make no sense, or a door is taken.
    pub fn start(database: &Path, serve: &Serve, sessions: Sessions, hooks: Hooks) -> Result<Self> {
        let peers = access::Peers::new(database, serve)?;
        let tcp = match &serve.listen {
            Some(address) => Some((listen::bind_tcp(address)?, secret::Tcp::new(serve)?)),
            None => None,
        };
        let unix = listen::bind(database)?;
        let inner = Arc::new(Inner::new(database, serve, sessions, hooks)?);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .max_blocking_threads(inner.most_threads())
            .enable_all()
            .thread_stack_size(crate::store::STACK)
            .build()
            .context("cannot start the server")?;
        let serving = Arc::clone(&inner);
        let (tell, ended) = sync_channel(1);
        std::thread::Builder::new()
            .name("server".to_owned())
            .spawn(move || {
                let error = runtime.block_on(async move {
                    let mut parts = JoinSet::new();
                    parts.spawn(Arc::clone(&serving.open).insist());
                    if let Some(rows) = serving.hooks.audit.clone() {
                        parts.spawn(serving.audit.clone().deliver(rows));
                    }
                    #[cfg(test)]
                    parts.spawn(Arc::clone(&serving).break_down());
                    if let Some((listener, tcp)) = tcp {
                        let listener = tokio::net::TcpListener::from_std(listener)?;
                        parts.spawn(listen::tcp(listener, Arc::clone(&serving), tcp));
                    }
                    let unix = tokio::net::UnixListener::from_std(unix)?;
                    parts.spawn(listen::unix(unix, serving, peers));
                    // None of them ends by itself.
                    let _ = parts.join_next().await;
                    Ok(())
                });
                // Sessions end with it, and the doors are free again; queries that run find nobody to answer to.
                runtime.shutdown_background();
                let error: std::io::Result<()> = error;
                let error = error.err().map(anyhow::Error::new);
                let _ = tell.send(error.unwrap_or_else(|| anyhow!("the server stopped")));
            })
            .context("cannot start the server")?;
        let ended = Arc::new(Mutex::new(ended));
        Ok(Self { inner, ended })
    }

    /// Waits until the server has ended, and returns why. Its doors are free then.
    #[must_use]
    pub fn ended(&self) -> anyhow::Error {
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        ended
            .recv()
            .unwrap_or_else(|_| anyhow!("the server stopped unexpectedly"))
    }

    /// Makes what accepts connections panic.
    #[cfg(test)]
    pub(crate) fn break_down(&self) {
        self.inner.broken.notify_one();
    }

    /// Stops every query that is open, running or not: memory is needed. Their clients are told so.
    pub fn cancel_all(&self) {
        self.inner.open.stop_all();
    }

    /// Lets no further query run, or lets them run again; those that come wait.
    pub fn hold(&self, is_held: bool) {
        self.inner.turnstile.close(is_held);
    }

    /// Returns how many queries run, and do not wait for their turn or their client.
    pub fn running(&self) -> usize {
        self.inner.turnstile.taken()
    }
}

/// What is known of a session that is open.
struct Seated {
    secret: i32,
    current: Arc<Current>,
    user: Arc<User>,
}

/// A session's place among all.
struct Place {
    inner: Arc<Inner>,
    pid: i32,
    secret: i32,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.inner
            .places
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.pid);
    }
}

impl Inner {
    fn new(database: &Path, serve: &Serve, sessions: Sessions, hooks: Hooks) -> Result<Self> {
        let name = database.file_stem().unwrap_or_default();
        Ok(Self {
            columns: columns(&sessions)?,
            sessions,
            turnstile: Arc::new(turnstile::Turnstile::new(serve.queries)),
            open: Arc::default(),
            limits: setting::Limits {
                usual: Duration::from_secs(serve.timeout_seconds),
                longest: Duration::from_secs(serve.longest_timeout_seconds),
            },
            most_rows: serve.rows,
            most_sessions: serve.sessions,
            places: Mutex::default(),
            next: AtomicI32::new(1),
            name: name.to_string_lossy().into_owned(),
            hooks,
            audit: audit::Audit::default(),
            serve: serve.clone(),
            #[cfg(test)]
            broken: tokio::sync::Notify::new(),
        })
    }

    #[cfg(test)]
    async fn break_down(self: Arc<Self>) {
        self.broken.notified().await;
        panic!("killed by a test");
    }

    /// Returns how many threads may be needed at once, so that none of them waits for those of others: a query's
    /// for each slot, one for each session that adds log or calls a verb, those that look up users, and a few.
    fn most_threads(&self) -> usize {
        2 * (self.most_sessions + RESERVED) + admission::BESIDE + listen::LOOK_UPS + SPARE
    }

    /// Makes room for a session; says how many there are when there are too many. A few are for root and the owner, more
    /// of them for our own client; and one user leaves a few to others.
    fn session(
        inner: &Arc<Self>,
        current: &Arc<Current>,
        user: &Arc<User>,
        is_our_client: bool,
    ) -> Result<Place, String> {
        let reserved = RESERVED.min(inner.most_sessions / 10);
        let most = match (user.is_owner, is_our_client) {
            (true, true) => inner.most_sessions + RESERVED,
            (true, false) => inner.most_sessions,
            (false, _) => inner.most_sessions - reserved,
        };
        let mut open = inner.places.lock().unwrap_or_else(PoisonError::into_inner);
        if open.len() >= most {
            return Err(format!("{} are open", open.len()));
        }
        let own = open.values().filter(|seated| seated.user == *user).count();
        if !user.is_owner && own >= most - reserved {
            return Err(format!("{own} of {} are open", user.name));
        }
        let pid = inner.next.fetch_add(1, Ordering::SeqCst) & i32::MAX;
        let secret = i32::from_be_bytes(random_bytes());
        let seated = Seated {
            secret,
            current: Arc::clone(current),
            user: Arc::clone(user),
        };
        open.insert(pid, seated);
        Ok(Place {
            inner: Arc::clone(inner),
            pid,
            secret,
        })
    }

    /// Stops the query of the session that has the secret.
    fn cancel(&self, pid: i32, secret: i32) {
        let open = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(seated) = open.get(&pid)
            && seated.secret == secret
        {
            seated.current.stop();
        }
    }
}

fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // Fails where the system has no randomness at all; then TLS does not work either.
    let _ = ring::default_provider().secure_random.fill(&mut bytes);
    bytes
}

/// Returns the kinds of columns whose name means the same in every table.
fn columns(sessions: &Sessions) -> Result<HashMap<String, Kind>> {
    let sql = "SELECT column_name, any_value(data_type) FROM duckdb_columns() WHERE NOT internal \
               GROUP BY column_name HAVING count(DISTINCT data_type) = 1";
    let table = sessions.open()?.select(sql, &[])?;
    let known = table.rows.iter().filter_map(|row| match row.as_slice() {
        [Cell::Text(name), Cell::Text(kind)] => Some((name.clone(), Kind::of_type(kind))),
        _ => None,
    });
    Ok(known.collect())
}
