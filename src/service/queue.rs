//! Queue: Postfix's queue is listed each minute and stored: what is in it, and how much of it.

use super::Shared;
use super::task::{Run, Task, TaskResult, When};
use crate::config;
use crate::model::queue::{QueueListing, Snapshot};
use crate::model::small::SmallRow;
use crate::model::table::{Cell, Table as Answer};
use crate::model::time::{SECOND, Time};
use crate::model::zone::Zone;
use crate::queue::filter::Present;
use crate::queue::postfix::{Error, Postfix};
use crate::queue::snapshot::Taker;
use crate::queue::summary::Seen;
use crate::queue::{Item, Options};
use crate::server::{Failure, Hooks};
use anyhow::{Result, anyhow};
use nix::sys::utsname;
use std::time::Duration;

/// After the start, when catching up with the log comes first.
const FIRST: Duration = Duration::from_mins(1);
const EVERY: Duration = Duration::from_mins(1);

/// Returns the task.
pub(super) fn task() -> Task {
    let when = When::Every {
        first: FIRST,
        every: EVERY,
    };
    Task::new("queue", "Postfix's queue is not stored", when, run)
}

fn run(run: &Run<'_>) -> Result<TaskResult> {
    let now = run.shared.rules.present.now();
    match take(&postfix(&run.shared.config.queue), now) {
        Ok(snapshot) => Ok(TaskResult {
            result: told(&snapshot),
            rows: vec![SmallRow::Queue(Box::new(snapshot))],
        }),
        // Many hosts with logs have no Postfix.
        Err(Error::Missing(_)) => Ok(TaskResult::with("no Postfix on this host")),
        Err(error) => Err(explained(&error)),
    }
}

/// Returns Postfix's programs as the settings name them.
#[must_use]
pub fn postfix(settings: &config::Queue) -> Postfix {
    Postfix {
        config: settings.config_directory.clone(),
        commands: settings.command_directory.clone(),
        sudo: settings.sudo,
    }
}

/// Lists the queue.
///
/// # Errors
/// When Postfix does not list it.
pub fn take(postfix: &Postfix, now: Time) -> Result<Snapshot, Error> {
    let backoff = postfix.backoff();
    let names = names(postfix);
    let mut taker = Taker::new(QueueListing {
        time: now,
        host: names.host,
        myhostname: names.myhostname,
        instance: names.instance,
        minimal_backoff: backoff.least / SECOND,
        maximal_backoff: backoff.most / SECOND,
        ..QueueListing::default()
    });
    // Zones are for listings as text, in which no year stands: Postfix writes them in the machine's.
    let zone = Zone::System;
    let mut present = Present::new(now, zone);
    let mut seen = Seen::default();
    postfix.list(Options { now, zone }, &mut |item| match item {
        Item::Mail(mail) => {
            if seen.is_new(&mail) {
                taker.add(&mail, &mut present);
            }
        }
        Item::Odd(_) => taker.odd(),
    })?;
    Ok(taker.finish())
}

/// The names by which the log of this machine is known.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// The machine.
    pub host: String,
    /// The same in the settings of Postfix, which its own log file has.
    pub myhostname: String,
    /// The instance of Postfix.
    pub instance: String,
}

/// Returns the names, as far as the system and Postfix tell them.
#[must_use]
pub fn names(postfix: &Postfix) -> Names {
    let [instance, myhostname] = postfix.settings(["syslog_name", "myhostname"]);
    let instance = instance.unwrap_or_else(|| "postfix".to_owned());
    let host = utsname::uname().map(|name| name.nodename().to_string_lossy().into_owned());
    Names {
        host: host.unwrap_or_default(),
        myhostname: myhostname.unwrap_or_default(),
        // The log's program is `postfix/submission/smtpd`, its instance the first part.
        instance: instance.split('/').next().unwrap_or_default().to_owned(),
    }
}

/// Says what a snapshot has, in a few words.
#[must_use]
pub fn told(snapshot: &Snapshot) -> String {
    let listing = &snapshot.listing;
    let mails = match listing.mails {
        1 => "1 mail".to_owned(),
        mails => format!("{mails} mails"),
    };
    match listing.stored {
        stored if stored < listing.mails => {
            format!("{mails}, of which the first {stored} are stored")
        }
        _ => mails,
    }
}

/// Returns the error with its cure.
fn explained(error: &Error) -> anyhow::Error {
    match error.hint() {
        Some(hint) => anyhow!("{error}; {hint}"),
        None => anyhow!("{error}; see QUEUE in maillog.service(8)"),
    }
}

/// Lets our own `maillog queue snapshot` have the service list the queue now: the verb `maillog_queue`.
pub(super) fn verb(hooks: Hooks, shared: &Shared) -> Hooks {
    let shared = shared.clone();
    hooks.verb("maillog_queue", move |_| {
        let now = shared.rules.present.now();
        let snapshot = take(&postfix(&shared.config.queue), now);
        let snapshot = snapshot.map_err(|error| failed(&explained(&error)))?;
        let result = told(&snapshot);
        let row = SmallRow::Queue(Box::new(snapshot));
        if shared.jobs.small_rows().store(vec![row]) {
            return Ok(one(result));
        }
        Err(failed(&anyhow!("the database stopped")))
    })
}

fn failed(error: &anyhow::Error) -> Failure {
    Failure::new("58000", format!("{error:#}"))
}

fn one(text: String) -> Answer {
    Answer {
        columns: vec!["result".to_owned()],
        rows: vec![vec![Cell::Text(text)]],
    }
}
