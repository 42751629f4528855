//! Signature: the server that counts spam by digests, for clients of pyzor's protocol, over UDP.
//!
//! Counters live in memory; twice a second what changed joins the commits of the log. A crash loses less than a second of reports, a
//! SIGTERM none.

use super::Shared;
use super::task::{Run, Task, TaskResult, When};
use crate::config::Signature;
use crate::model::signature::SignatureRow;
use crate::model::small::SmallRow;
use crate::model::table::Table;
use crate::notice::{self, Level};
use crate::server::{Failure, Hooks};
use crate::signature::counter::Order;
use crate::signature::directory::Directory;
use crate::signature::forward::Forwarder;
use crate::signature::listen::{Batch, Server, Settings, Signals};
use crate::signature::{stored, table};
use crate::store::Error;
use anyhow::{Context, Result, anyhow};
use signal_hook::consts::{SIGTERM, SIGUSR1};
use signal_hook::{flag, low_level};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread;

/// Returns the task that listens on the address.
pub(super) fn task(address: SocketAddr) -> Task {
    let without = "digests of mail are not counted";
    Task::new("signature server", without, When::Always, move |run| {
        serve(run, address)
    })
}

/// Returns how the settings set a server up.
fn settings(address: SocketAddr, of: &Signature) -> Settings {
    Settings {
        address,
        password_file: of.password_file.clone(),
        access_file: of.access_file.clone(),
        clock_difference: of.clock_difference_seconds,
        cleanup_age: of.cleanup_age_seconds,
        rate_limit: of.rate_limit,
        digest_limit: of.max_digests,
    }
}

fn say(level: Level, text: &str) {
    notice::tell(level, &format!("signature server: {text}"));
}

/// Starts what sends reports on to the servers of a client.
fn forwarder(home: &Path) -> Result<Forwarder> {
    let directory = Directory::open(home.to_owned(), "client")?;
    let warn = |text: &str| say(Level::Warning, text);
    let client = directory.client(None, None, warn)?;
    Forwarder::start(client, directory.servers(None, warn)?).context("cannot start the forwarder")
}

fn serve(run: &Run<'_>, address: SocketAddr) -> Result<TaskResult> {
    let shared = run.shared;
    let config = &shared.config.signature;
    let home = config.forward_client_homedir.as_deref();
    let forwarder = home.map(forwarder).transpose()?;
    let server = Server::bind(settings(address, config));
    let server = server.with_context(|| format!("cannot listen on {address} (UDP)"))?;
    let mut server = restored(shared, server)?;
    let signals = shared.signature.clone();
    signals.end.store(false, Ordering::SeqCst);
    let reloads = flag::register(SIGUSR1, Arc::clone(&signals.reload));
    let reloads = reloads.context("cannot wait for SIGUSR1")?;
    let ends = Ends::begin(&signals.end)?;
    run.is_up();
    let (outlet, batches) = sync_channel(0);
    let forwarder = forwarder.as_ref();
    let served = thread::scope(|scope| {
        scope.spawn(move || store(shared, &batches, forwarder));
        let served = server.serve(&signals, &outlet, |_, _, answer| {
            if let (Some(kind), Some(forwarder)) = (answer.counted, forwarder) {
                forwarder.forward(kind, &answer.used.digests);
            }
        });
        drop(outlet);
        served
    });
    low_level::unregister(reloads);
    if served.is_ok() && ends.is_asked() {
        // All is stored: now the signal does what it does everywhere else in the service.
        let _ = low_level::emulate_default_handler(SIGTERM);
    }
    served?;
    Err(anyhow!("the server has ended"))
}

/// Fills the counters from the database.
fn restored(shared: &Shared, mut server: Server) -> Result<Server> {
    let filled = shared.jobs.run(move |store| {
        let counters = &mut server.counters;
        let read = store.each_signature(|row| counters.restore(&row.digest, stored::record(row)));
        read.map(|()| server)
    });
    let filled = filled.ok_or_else(|| anyhow!("the database stopped"))?;
    filled.context("cannot read the digests")
}

/// Stores what the server hands over, until it ends.
fn store(shared: &Shared, batches: &Receiver<Batch>, forwarder: Option<&Forwarder>) {
    while let Ok(mut batch) = batches.recv() {
        for text in std::mem::take(&mut batch.notices) {
            say(Level::Notice, &text);
        }
        if let Some(text) = forwarder.and_then(Forwarder::losses) {
            say(Level::Warning, &text);
        }
        let rows = stored::rows(batch);
        let is_report = rows.iter().any(|row| matches!(row, SmallRow::Signature(_)));
        let is_taken = rows.is_empty() || shared.jobs.small_rows().add(rows);
        // A job begins with a commit: reports do not wait for one of the log.
        let is_stored = !is_report || shared.jobs.run(|_| ()).is_some();
        if !is_taken || !is_stored {
            return;
        }
    }
}

/// Lets our own `maillog signature import` and `purge` change what is counted: the verbs `maillog_signature_merge` and
/// `maillog_signature_forget`, with digests as CSV.
pub(super) fn verbs(hooks: Hooks, shared: &Shared) -> Hooks {
    let (merging, forgetting) = (shared.clone(), shared.clone());
    hooks
        .verb("maillog_signature_merge", move |argument| {
            let rows = asked(argument)?;
            merging.signature_server(|signals| {
                let merge =
                    |row: &SignatureRow| Order::Merge(row.digest.to_string(), stored::record(row));
                signals.order(rows.iter().map(merge));
            });
            let stored = merging.jobs.run(move |store| store.merge_signatures(&rows));
            answered(stored)
        })
        .verb("maillog_signature_forget", move |argument| {
            let rows = asked(argument)?;
            forgetting.signature_server(|signals| {
                let forget = |row: &SignatureRow| Order::Forget(row.digest.to_string());
                signals.order(rows.iter().map(forget));
            });
            let stored = forgetting
                .jobs
                .run(move |store| store.forget_signatures(&rows));
            answered(stored)
        })
}

impl Shared {
    /// Orders something of the server, if the service is one.
    fn signature_server(&self, order: impl FnOnce(&Signals)) {
        if self.config.signature.listen.is_some() {
            order(&self.signature);
        }
    }
}

fn asked(argument: &str) -> Result<Vec<SignatureRow>, Failure> {
    table::read(argument.as_bytes()).map_err(|why| Failure::new("22023", why))
}

fn answered(stored: Option<Result<(), Error>>) -> Result<Table, Failure> {
    let failed = |text: String| Failure::new("58000", text);
    match stored {
        Some(Ok(())) => Ok(Table::default()),
        Some(Err(error)) => Err(failed(error.to_string())),
        None => Err(failed("the database stopped".to_owned())),
    }
}

/// Has SIGTERM wait until the server has stored what it counted. Without a server, and the second time, it ends the process at once.
struct Ends(&'static Handlers);

/// The handlers of the process: one that is taken back would leave SIGTERM without any effect.
struct Handlers {
    is_idle: Arc<AtomicBool>,
    is_asked: Arc<AtomicBool>,
}

impl Ends {
    fn begin(end: &Arc<AtomicBool>) -> Result<Self> {
        static HANDLERS: OnceLock<Handlers> = OnceLock::new();
        if HANDLERS.get().is_none() {
            let handlers = Handlers {
                is_idle: Arc::new(AtomicBool::new(true)),
                is_asked: Arc::default(),
            };
            let idle = Arc::clone(&handlers.is_idle);
            flag::register_conditional_default(SIGTERM, idle)
                .and_then(|_| flag::register(SIGTERM, Arc::clone(&handlers.is_asked)))
                .and_then(|_| flag::register(SIGTERM, Arc::clone(&handlers.is_idle)))
                .context("cannot wait for SIGTERM")?;
            let _ = HANDLERS.set(handlers);
        }
        let handlers = HANDLERS.get().context("no handlers of signals")?;
        flag::register(SIGTERM, Arc::clone(end)).context("cannot wait for SIGTERM")?;
        handlers.is_idle.store(false, Ordering::SeqCst);
        Ok(Self(handlers))
    }

    fn is_asked(&self) -> bool {
        self.0.is_asked.load(Ordering::SeqCst)
    }
}

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.is_idle.store(true, Ordering::SeqCst);
    }
}
