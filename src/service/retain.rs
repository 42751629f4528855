//! The hourly work: what is past retention goes, slice by slice between two commits; the file shrinks when most is free.

use super::Shared;
use super::restart::Planned;
use super::systemd_notify::Notify;
use super::task::{Run, Task, TaskResult, When};
use crate::config::Config;
use crate::ingest::writer::Jobs;
use crate::model::audit::AuditRow;
use crate::model::retain::Cutoffs;
use crate::model::small::SmallRow;
use crate::model::table::{Cell, Table};
use crate::notice::{self, Level};
use crate::server::{Failure, Hooks};
use crate::store::compact::{self, Compacted};
use crate::store::erase::{Address, Erased, Eraser};
use crate::store::kept::KeptLog;
use crate::store::order;
use crate::store::retain::{self, Gone, Pruner};
use crate::store::{Error, Limits, Store};
use anyhow::{Context, Result, anyhow};
use std::thread;
use std::time::{Duration, SystemTime};

/// After the start, when catching up with the log comes first.
const FIRST: Duration = Duration::from_mins(2);
const HOURLY: Duration = Duration::from_hours(1);
/// Between two slices: what waits to be stored comes first.
const PAUSE: Duration = Duration::from_millis(50);

/// Returns the task.
pub(super) fn task() -> Task {
    let when = When::Every {
        first: FIRST,
        every: HOURLY,
    };
    Task::new(
        "retention",
        "rows past retention are not deleted",
        when,
        run,
    )
}

/// Prunes; asks for a restart where the file is to be rewritten.
fn run(run: &Run<'_>) -> Result<TaskResult> {
    let shared = run.shared;
    let cutoffs = shared.config.retain.cutoffs(shared.rules.present.now());
    let gone = match prune(&shared.jobs, cutoffs) {
        Err(error) if is_out_of_memory(&error) => {
            let what = "pruning ran out of memory and continues in an hour; raise memory_mib in /etc/maillog.toml";
            notice::tell(Level::Warning, what);
            return Ok(TaskResult::with("ran out of memory"));
        }
        gone => gone?,
    };
    compact_if_mostly_free(shared)?;
    if gone.iter().all(|(_, rows)| *rows == 0) {
        return Ok(TaskResult::with("nothing was past retention"));
    }
    let text = format!("past retention: {}", list(&gone));
    notice::say(&text);
    Ok(TaskResult::with(text))
}

fn is_out_of_memory(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(Error::OutOfMemory))
}

/// What our own `maillog prune` may have done: by name `maillog_prune`, `maillog_erase`, `maillog_compact` and
/// `maillog_afresh`; and by what it learns of the end: `maillog_life` tells one process of the service from the next,
/// `maillog_erased` what that one erased for a ticket. `maillog_keep` is for `maillog ingest --keep`.
pub(super) fn verbs(hooks: Hooks, shared: &Shared) -> Hooks {
    let jobs = shared.jobs.clone();
    let erasing = shared.jobs.clone();
    let asking = shared.jobs.clone();
    let keeping = shared.jobs.clone();
    let noting = shared.jobs.small_rows().clone();
    let begun = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let life = begun.unwrap_or_default().as_nanos().to_string();
    let compacting = shared.clone();
    let starting = shared.restart.clone();
    hooks
        .verb("maillog_prune", move |argument| {
            let cutoffs = order::cutoffs(argument).ok_or_else(misunderstood)?;
            Ok(order::gone_table(
                &prune(&jobs, cutoffs).map_err(|error| failed(&error))?,
            ))
        })
        .verb("maillog_erase", move |argument| {
            let order = serde_json::from_str(argument);
            let order: order::Erasure = order.map_err(|_| misunderstood())?;
            let address = Address::parse(&order.address).ok_or_else(misunderstood)?;
            Ok(order::erased_table(
                &erase(&erasing, address, &order.ticket).map_err(|error| failed(&error))?,
            ))
        })
        .verb("maillog_audit", move |argument| {
            let row: AuditRow = serde_json::from_str(argument).map_err(|_| misunderstood())?;
            if noting.store(vec![SmallRow::Audit(row)]) {
                return Ok(Table::default());
            }
            Err(failed(&stopped()))
        })
        .verb("maillog_life", move |_| Ok(one(life.clone())))
        .verb("maillog_erased", move |ticket| {
            erased(&asking, ticket).map_err(|error| failed(&error))
        })
        .verb("maillog_keep", move |argument| {
            let kept: KeptLog = serde_json::from_str(argument).map_err(|_| misunderstood())?;
            let done = keeping.run(move |store| store.keep(&kept));
            let done = done.ok_or_else(stopped).and_then(|done| Ok(done?));
            done.map_err(|error| failed(&error))?;
            Ok(Table::default())
        })
        .verb("maillog_compact", move |_| {
            wish_compaction(&compacting).map_err(|error| failed(&error))?;
            compacting
                .restart
                .because(Planned("to rewrite the database file").into());
            Ok(Table::default())
        })
        .verb("maillog_afresh", move |_| {
            starting.because(Planned("to erase an address").into());
            Ok(Table::default())
        })
}

fn one(text: String) -> Table {
    Table {
        columns: vec!["result".to_owned()],
        rows: vec![vec![Cell::Text(text)]],
    }
}

/// Returns what this process erased at its start for a ticket, as JSON; nothing when it could not, or nobody has it.
fn erased(jobs: &Jobs, ticket: &str) -> Result<Table> {
    let ticket = ticket.to_owned();
    let rows = jobs.run(move |store| store.take_erased(&ticket));
    let rows = rows
        .ok_or_else(stopped)?
        .context("cannot read the database")?;
    Ok(match rows {
        Some(rows) => one(serde_json::to_string(&rows)?),
        None => Table::default(),
    })
}

fn misunderstood() -> Failure {
    Failure::new("22023", "the service does not understand this request")
        .hint("the service runs another version of maillog: restart it")
}

fn failed(error: &anyhow::Error) -> Failure {
    Failure::new("58000", format!("{error:#}"))
}

fn list(gone: &Gone) -> String {
    let parts: Vec<String> = gone
        .iter()
        .map(|(table, rows)| format!("{rows} of {table}"))
        .collect();
    parts.join(", ")
}

/// Prunes; the storing thread does other work between the slices.
///
/// # Errors
/// When the database fails or the service ends.
pub fn prune(jobs: &Jobs, cutoffs: Cutoffs) -> Result<Gone> {
    let mut pruner = Pruner::new(cutoffs);
    let mut total = Gone::new();
    loop {
        let (back, slice) = jobs
            .run(move |store| {
                let slice = pruner.step(store);
                (pruner, slice)
            })
            .ok_or_else(stopped)?;
        pruner = back;
        let slice = slice.context("cannot prune")?;
        retain::add(&mut total, slice.gone);
        if slice.is_last {
            return Ok(total);
        }
        thread::sleep(PAUSE);
    }
}

/// Erases an address; what is left of it in memory is noted for the next start ([`finish_erasures`]).
///
/// # Errors
/// When the database fails or the service ends.
pub fn erase(jobs: &Jobs, address: Address, ticket: &str) -> Result<Erased> {
    let (noted, ticket) = (address.clone(), ticket.to_owned());
    let noted = jobs.run(move |store| store.note_erasure(&noted, &ticket));
    noted
        .ok_or_else(stopped)?
        .context("cannot store the address")?;
    let mut eraser = Eraser::new(address, true);
    loop {
        let (back, done) = jobs
            .run(move |store| {
                let done = eraser.step(store);
                (eraser, done)
            })
            .ok_or_else(stopped)?;
        eraser = back;
        if done.context("cannot erase the address")? {
            return Ok(eraser.erased);
        }
        thread::sleep(PAUSE);
    }
}

/// Erases what the service before remembered of addresses, before this one remembers anything. Told when it fails, and
/// tried again at the next start.
pub(super) fn finish_erasures(store: &mut Store, notify: &Notify) {
    let mut finish = || -> Result<(), Error> {
        let noted = store.noted_erasures()?;
        if noted.is_empty() {
            return Ok(());
        }
        for address in noted {
            let mut eraser = Eraser::new(address.clone(), false);
            while !eraser.step(store)? {
                notify.starting();
            }
            store.keep_erased(&address, &order::erased_rows(&eraser.erased))?;
        }
        store.forget_erasures()
    };
    if let Err(error) = finish() {
        notice::tell(
            Level::Warning,
            &format!("an address is not yet erased from the memory of the service: {error}"),
        );
    }
}

/// Asks for the database to be rewritten, which needs a restart of the service.
///
/// # Errors
/// When there is no room, or the database fails.
pub fn wish_compaction(shared: &Shared) -> Result<()> {
    let path = shared.config.database.clone();
    let wished = shared.jobs.run(move |store| -> Result<(), Error> {
        store.checkpoint()?;
        compact::check_room(&path, store.space()?)?;
        store.wish_compaction()
    });
    wished.ok_or_else(stopped)?.context("cannot compact")
}

fn compact_if_mostly_free(shared: &Shared) -> Result<()> {
    // What was deleted is free after the next checkpoint; one each hour would leave tables in small pieces.
    let space = shared.jobs.run(|store| store.space());
    let space = space
        .ok_or_else(stopped)?
        .context("cannot read the database")?;
    if !space.is_mostly_free() {
        return Ok(());
    }
    if let Err(error) = wish_compaction(shared) {
        notice::tell(Level::Warning, &format!("{error:#}"));
        return Ok(());
    }
    shared
        .restart
        .because(Planned("to rewrite the database file: more than half of it is free").into());
    Ok(())
}

fn stopped() -> anyhow::Error {
    anyhow!("the database stopped")
}

/// Rewrites the database at the start of the service; told, and never in the way.
pub(super) fn compact(config: &Config) {
    let limits = Limits::PRUNER.with_memory(config.memory_mib);
    match compact::compact(&config.database, limits) {
        Ok(Compacted { before, after }) => notice::tell(
            Level::Notice,
            &format!(
                "database file rewritten: {} MB before, {} MB now",
                before.div_ceil(1_000_000),
                after.div_ceil(1_000_000)
            ),
        ),
        Err(error) => notice::tell(
            Level::Warning,
            &format!("the database file was not rewritten: {error}"),
        ),
    }
}
