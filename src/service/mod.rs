//! Service: everything that runs beside each other for years in the one process that holds the database.
//!
//! ```text
//! sources (a thread each) -> pump -> storing thread -> database <- sessions of tasks: server, metrics, retention, ...
//!                                         ^ rows of tasks join its commits
//! ```
//! Promises: nothing of what is committed depends on how the service ends; being killed is the way to stop it. A
//! failure of the database (no space, no memory) ends in a restart of the whole process after a while, so that
//! every lock and connection is really gone; what was not committed is read again. A task that is not essential fails
//! alone: log is read and stored all the same.
//!
//! | file | duty |
//! |---|---|
//! | `open` | the database to itself: waits for other programs, refuses a second instance |
//! | `journal` | the systemd journal as a source |
//! | `task` | what a task is, and when it runs |
//! | `calendar` | times of the clock on the wall |
//! | `supervisor` | runs tasks, tries again what failed, stores last runs |
//! | `serve` | task: the server for queries |
//! | `memory_guard` | task: the memory of the process |
//! | `metrics` | task: what Prometheus is told, over HTTP |
//! | `retain` | task: the hourly work, pruning and rewriting the file |
//! | `queue` | task: Postfix's queue, listed each minute |
//! | `outbox` | task: mail that maillog sends |
//! | `signature` | task: the server that counts spam by digests |
//! | `systemd_notify` | messages to systemd: ready, status, watchdog |
//! | `restart` | starting again after a failure, later each time |

pub mod calendar;
#[cfg(feature = "journal")]
pub mod journal;
mod memory_guard;
mod metrics;
mod open;
pub mod outbox;
pub mod queue;
mod restart;
pub mod retain;
mod serve;
mod signature;
mod supervisor;
mod systemd_notify;
pub mod task;
#[cfg(test)]
mod tests;

use crate::config::Config;
use crate::ingest::feed::Feeds;
use crate::ingest::health::Health;
use crate::ingest::import;
use crate::ingest::memory_relief::MemoryRelief;
use crate::ingest::progress::Progress;
use crate::ingest::pump::{Pump, Rules};
use crate::ingest::writer::{self, Jobs};
use crate::server;
use crate::signature::listen::Signals;
use crate::store::{Sessions, Store};
use anyhow::{Context, Result};
use std::convert::Infallible;
use std::sync::Arc;
use supervisor::{Pace, Supervisor};
use systemd_notify::Notify;
use task::Task;

pub use supervisor::Restart;

/// What the parts of the service share; cheap to clone.
#[derive(Clone)]
pub struct Shared {
    /// Gives connections that only read, one for each thread that wants one.
    pub sessions: Sessions,
    /// Runs something on the database between two commits, and takes rows that join one.
    pub jobs: Jobs,
    /// Opens a further stream of log.
    pub feeds: Feeds,
    /// How ingestion is doing.
    pub health: Arc<Health>,
    /// The settings.
    pub config: Arc<Config>,
    /// Stops queries when memory runs short.
    pub relief: MemoryRelief,
    /// Tells the signature server what an administrator wants of it.
    pub signature: Signals,
    /// How stamps are read, and what time it is.
    pub rules: Rules,
    /// Starts the service afresh: after a failure, to rewrite the database, or to forget an address.
    pub restart: Restart,
    /// Tasks that a test has fail.
    #[cfg(test)]
    kills: tests::Kills,
}

/// A live source: runs in a thread of its own until the pump has ended ([`feed::Closed`](crate::ingest::feed::Closed)).
///
/// What goes wrong with what it reads it tells itself and tries again; an error that it returns starts the service afresh.
pub type Source = Box<dyn FnOnce(&Shared) -> Result<()> + Send>;

/// Returns what runs beside reading and storing, in the order of its start.
fn tasks(config: &Config) -> Vec<Task> {
    let mut tasks = vec![
        serve::task(),
        memory_guard::task(),
        retain::task(),
        outbox::task(),
    ];
    if config.queue.snapshots {
        tasks.push(queue::task());
    }
    tasks.extend(config.metrics.listen.map(metrics::task));
    tasks.extend(config.signature.listen.map(signature::task));
    tasks
}

/// Runs the service until it is killed.
///
/// # Errors
/// What no waiting helps against: a second instance, no permission, a foreign file.
pub fn run(config: &Config, rules: Rules, sources: Vec<Source>) -> Result<Infallible> {
    server::check(&config.serve)
        .and_then(|()| outbox::check(&config.mail))
        .context("cannot use the settings")?;
    let notify = Notify::start();
    let _instance = open::sole_instance(&config.database, &notify)?;
    let run = restart::Run::begin(&notify);
    let mut store = open::open(config, &notify)?;
    retain::finish_erasures(&mut store, &notify);
    if store.wishes_compaction()? {
        drop(store);
        retain::compact(config);
        store = open::open(config, &notify)?;
    }
    let supervisor = Supervisor::new(Pace::USUAL);
    let shared = begin(config, rules, store, &supervisor)?;
    let text = format!("started; database {}", config.database.display());
    run.tell_start(&text, &shared.health);
    notify.running(&shared.health, sources.len());
    for source in sources {
        let shared = shared.clone();
        supervisor.part("source", move || source(&shared));
    }
    let error = supervisor.first();
    Err(run.start_afresh(&error))
}

/// Starts storing, reading and the tasks; what is read comes from [`Shared::feeds`].
///
/// # Errors
/// When the database fails.
fn begin(
    config: &Config,
    rules: Rules,
    mut store: Store,
    supervisor: &Supervisor,
) -> Result<Shared> {
    let (streams, correlator, seen) = import::restore(&store, rules)?;
    let tasks = tasks(config);
    let names: Vec<&str> = tasks.iter().map(|task| task.name).collect();
    let last = store
        .task_runs(&names)
        .context("cannot read when tasks were last done")?;
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
        relief: MemoryRelief::default(),
        signature: Signals::default(),
        rules,
        restart: supervisor.restart(),
        #[cfg(test)]
        kills: supervisor.kills.clone(),
    };
    let (health, ids) = (Arc::clone(&shared.health), streams.source_ids());
    let relief = shared.relief.clone();
    supervisor.part("database", move || {
        writer::keep(store, ids, &todo, &health, Some(relief)).map(drop)
    });
    let health = Arc::clone(&shared.health);
    let domains = config.metrics.domains.clone();
    supervisor.part("reader of log", move || {
        let progress = Progress::start(None, false);
        Pump::new(rules, correlator, streams, seen, jobs, &health, progress)
            .with_domains(&domains)
            .pump(&fed)
            .map(drop)
    });
    supervisor.tasks(tasks, &last, &shared);
    Ok(shared)
}
