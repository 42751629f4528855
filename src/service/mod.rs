//! Service: everything that runs beside each other for years in the one process that holds the database.
//!
//! ```text
//! sources (a thread each) -> pump -> storing thread -> database <- sessions of server, metrics, retention
//! ```
//! Promises: nothing of what is committed depends on how the service ends; being killed is the way to stop it. A
//! failure of the database (no space, no memory) ends in a fresh start of the whole process after a while, so that
//! every lock and connection is really gone; what was not committed is read again.
//!
//! | file | duty |
//! |---|---|
//! | `open` | the database to itself: waits for other programs, refuses a second instance |
//! | `journal` | the systemd journal as a source |
//! | `again` | a task that cannot start yet, while log is read all the same |
//! | `guard` | the memory of the process |
//! | `notify` | what systemd is told: ready, status, watchdog |
//! | `metrics` | what Prometheus is told, over HTTP |
//! | `retain` | the hourly work: pruning, rewriting the file |
//! | `afresh` | starting again after a failure, later each time |

mod afresh;
mod again;
mod guard;
#[cfg(feature = "journal")]
pub mod journal;
mod metrics;
mod notify;
mod open;
pub mod retain;

use crate::config::Config;
use crate::ingest::feed::Feeds;
use crate::ingest::health::Health;
use crate::ingest::import;
use crate::ingest::keep::{self, Jobs};
use crate::ingest::progress::Progress;
use crate::ingest::pump::{Pump, Rules};
use crate::ingest::relief::{Relief, Wish};
use crate::server::{self, Hooks, Server};
use crate::store::Sessions;
use anyhow::{Context, Result, anyhow};
use notify::Notify;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

/// What the parts of the service share; cheap to clone.
#[derive(Clone)]
pub struct Shared {
    /// Gives connections that only read, one for each thread that wants one.
    pub sessions: Sessions,
    /// Runs something on the database between two commits.
    pub jobs: Jobs,
    /// Opens a further stream of log.
    pub feeds: Feeds,
    /// How ingestion is doing.
    pub health: Arc<Health>,
    /// The settings.
    pub config: Arc<Config>,
    /// Stops questions when memory runs short.
    pub relief: Relief,
    /// How stamps are read, and what time it is.
    pub rules: Rules,
    /// The service is to start afresh: to rewrite the database, or to forget an address.
    pub is_fresh_start_due: Arc<AtomicBool>,
}

/// A live source: runs in a thread of its own until the pump has ended ([`feed::Closed`](crate::ingest::feed::Closed)).
///
/// What goes wrong with what it reads it tells itself and tries again; an error that it returns starts the service afresh.
pub type Source = Box<dyn FnOnce(&Shared) -> Result<()> + Send>;

/// What runs beside reading and storing, as long as they do: its name and its thread.
const TASKS: [(&str, Task); 3] = [
    ("retention", retain::run),
    ("metrics", metrics::run),
    ("guard", guard::run),
];

/// A part of the service that runs until it fails.
type Task = fn(&Shared) -> Result<()>;

/// Runs the service until it is killed.
///
/// # Errors
/// What no waiting helps against: a second instance, no permission, a foreign file.
pub fn run(config: &Config, rules: Rules, sources: Vec<Source>) -> Result<Infallible> {
    server::check(&config.serve).context("cannot use the settings")?;
    let notify = Notify::start();
    let _instance = open::sole_instance(&config.database, &notify)?;
    let run = afresh::Run::begin(&notify);
    let mut store = open::open(config, &notify)?;
    retain::finish_erasures(&mut store, &notify);
    if store.wishes_compaction()? {
        drop(store);
        retain::compact(config);
        store = open::open(config, &notify)?;
    }
    let (streams, correlator, seen) = import::restore(&store, rules)?;
    let (feeds, fed) = Feeds::channel();
    let (jobs, todo) = Jobs::channel();
    let shared = Shared {
        sessions: store
            .sessions()
            .context("cannot open a second connection")?,
        jobs: jobs.clone(),
        feeds,
        health: Arc::new(Health::default()),
        config: Arc::new(config.clone()),
        relief: Relief::default(),
        rules,
        is_fresh_start_due: Arc::default(),
    };
    let failed = Failures::new();
    let (health, ids) = (Arc::clone(&shared.health), streams.source_ids());
    let relief = shared.relief.clone();
    failed.watch("database", move || {
        keep::keep(store, ids, &todo, &health, Some(relief)).map(drop)
    });
    let health = Arc::clone(&shared.health);
    let domains = config.metrics.domains.clone();
    failed.watch("reader of log", move || {
        let progress = Progress::start(None, false);
        Pump::new(rules, correlator, streams, seen, jobs, &health, progress)
            .with_domains(&domains)
            .pump(&fed)
            .map(drop)
    });
    start_tasks(&shared)?;
    let text = format!("started; database {}", config.database.display());
    run.tell_start(&text, &shared.health);
    notify.running(&shared.health, sources.len());
    for (name, task) in TASKS {
        let shared = shared.clone();
        failed.watch(name, move || task(&shared));
    }
    for source in sources {
        let shared = shared.clone();
        failed.watch("source", move || source(&shared));
    }
    let error = failed.first();
    Err(run.start_afresh(&error))
}

/// Starts what runs beside reading and storing. Each is one line: it starts its threads and returns.
///
/// # Errors
/// When one cannot start and waiting does not help.
fn start_tasks(shared: &Shared) -> Result<()> {
    let shared = shared.clone();
    again::start("questions cannot be answered", move || {
        let hooks = Hooks::default().feeds(shared.feeds.clone());
        let hooks = retain::verbs(hooks, &shared);
        let (config, sessions) = (&shared.config, shared.sessions.clone());
        let server = Server::start(&config.database, &config.serve, sessions, hooks)?;
        shared.relief.offer(move |wish| grant(&server, wish));
        Ok(())
    })
}

/// Stops all questions and waits for their end, but not for ever; or lets them run again.
fn grant(server: &Server, wish: Wish) {
    const PATIENCE: Duration = Duration::from_secs(5);
    let begun = Instant::now();
    server.hold(wish == Wish::Room);
    if wish == Wish::NoMore {
        return;
    }
    server.cancel_all();
    while server.running() > 0 && begun.elapsed() < PATIENCE {
        thread::sleep(Duration::from_millis(20));
    }
}

/// Collects how the threads end: none of them should.
struct Failures {
    tell: std::sync::mpsc::SyncSender<anyhow::Error>,
    told: Receiver<anyhow::Error>,
}

impl Failures {
    fn new() -> Self {
        let (tell, told) = sync_channel(16);
        Self { tell, told }
    }

    /// Runs a part of the service in a thread of its own.
    fn watch(&self, name: &'static str, part: impl FnOnce() -> Result<()> + Send + 'static) {
        let tell = self.tell.clone();
        let failed = self.tell.clone();
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || {
            let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(part));
            let error = match ended {
                Ok(Err(error)) => error,
                Ok(Ok(())) => anyhow!("the {name} stopped"),
                Err(_) => anyhow!("the {name} stopped unexpectedly"),
            };
            // The first failure is the one to tell; those that follow from it come too late.
            let _ = tell.send(error);
        });
        if let Err(e) = thread {
            let _ = failed.send(anyhow!("cannot start the {name}: {e}"));
        }
    }

    /// Waits for the first failure. Others follow from it at once, and may be told before it: one of the database is
    /// the cause then.
    fn first(&self) -> anyhow::Error {
        /// Longest time that the cause is told after what follows from it.
        const LATE: Duration = Duration::from_millis(500);
        let Ok(first) = self.told.recv() else {
            return anyhow!("the service stopped");
        };
        let mut errors = vec![first];
        while let Ok(next) = self.told.recv_timeout(LATE) {
            errors.push(next);
        }
        let is_store =
            |cause: &(dyn std::error::Error + 'static)| cause.is::<crate::store::Error>();
        let is_cause = |e: &anyhow::Error| e.chain().any(is_store);
        let cause = errors.iter().position(is_cause).unwrap_or(0);
        errors.swap_remove(cause)
    }
}
