//! Outbox: the task that sends mail; and the same for a command where no service runs.

use super::Shared;
use super::queue;
use super::task::{Run, Task, TaskResult, When};
use crate::config::{Config, Mail};
use crate::ingest::writer::Jobs;
use crate::mail::hand_over::Carrier;
use crate::mail::outgoing::{self, SILENCE, Spool, Trace};
use crate::mail::settings::{self, Setup};
use crate::model::outbox::{OutboxChange, OutboxMark, OutboxRow, OutboxState};
use crate::model::small::SmallRow;
use crate::model::table::Table as Answer;
use crate::model::time::Time;
use crate::server::{Failure, Hooks};
use crate::store::{Session, Store};
use anyhow::{Result, bail};
use std::thread;
use std::time::Duration;

/// Between two looks for mail that is due.
const LOOK: Duration = Duration::from_secs(2);

/// Returns the task.
pub(super) fn task() -> Task {
    Task::new("outbox", "mail is not sent", When::Always, run)
}

/// Checks the settings, as far as they do not need the names of the machine.
///
/// # Errors
/// When a value is not what it has to be.
pub fn check(settings: &Mail) -> Result<()> {
    settings::setup(settings, "localhost").map(drop)
}

/// Who sends and how, and the names by which the log of this machine is known.
#[derive(Debug, Clone)]
pub struct Outbox {
    /// Who sends, and how.
    pub setup: Setup,
    hosts: Vec<String>,
}

impl Outbox {
    /// Reads the settings, and asks the system and Postfix for names.
    ///
    /// # Errors
    /// When a value is not what it has to be.
    pub fn of(config: &Config) -> Result<Self> {
        let names = queue::names(&queue::postfix(&config.queue));
        let is_full = |name: &&String| name.contains('.');
        let known = [&names.host, &names.myhostname];
        let host = known.into_iter().find(is_full).unwrap_or(&names.host);
        let setup = settings::setup(&config.mail, host)?;
        let is_local = match &setup.rules.carrier {
            Carrier::Sendmail(_) => true,
            Carrier::Smtp { host, .. } => {
                ["localhost", "127.0.0.1", "::1"].contains(&host.as_str())
            }
        };
        // The log of another machine is not waited for: whether it is read here nobody knows.
        let hosts = if is_local {
            vec![names.host, names.myhostname]
        } else {
            Vec::new()
        };
        Ok(Self { setup, hosts })
    }

    /// Sends what is due in a database that this process has alone; returns how many mails were taken.
    ///
    /// # Errors
    /// When the database fails.
    pub fn send(&self, store: &mut Store, now: &dyn Fn() -> Time) -> Result<usize> {
        let mut spool = Alone {
            store,
            hosts: &self.hosts,
        };
        outgoing::begin(&mut spool, now())?;
        outgoing::turn(&mut spool, &self.setup.rules, now)
    }
}

fn run(run: &Run<'_>) -> Result<TaskResult> {
    let shared = run.shared;
    let outbox = Outbox::of(&shared.config)?;
    let mut spool = Served {
        session: shared.sessions.open()?,
        jobs: shared.jobs.clone(),
        hosts: outbox.hosts,
    };
    let now = || shared.rules.present.now();
    outgoing::begin(&mut spool, now())?;
    loop {
        outgoing::turn(&mut spool, &outbox.setup.rules, &now)?;
        // Shown as failed as long as something waits that was not taken; what is due is tried again meanwhile.
        if let Some((mails, said)) = spool.session.stuck_mail()? {
            bail!("mails that wait: {mails}; the last: {said}");
        }
        run.is_up();
        thread::sleep(LOOK);
    }
}

/// Lets our own commands hand mail to the service: the verb `maillog_mail`.
pub(super) fn verb(hooks: Hooks, shared: &Shared) -> Hooks {
    let rows = shared.jobs.small_rows().clone();
    hooks.verb("maillog_mail", move |argument| {
        let changes: Result<Vec<OutboxChange>, _> = serde_json::from_str(argument);
        let changes = changes.map_err(|_| {
            Failure::new("22023", "the service does not understand this request")
                .hint("the service runs another version of maillog: restart it")
        })?;
        if rows.store(changes.into_iter().map(SmallRow::Outbox).collect()) {
            return Ok(Answer::default());
        }
        Err(Failure::new("58000", "the database stopped"))
    })
}

/// The spool of a service.
struct Served {
    session: Session,
    jobs: Jobs,
    hosts: Vec<String>,
}

impl Spool for Served {
    fn due(&mut self, state: OutboxState, now: Time) -> Result<Vec<OutboxRow>> {
        Ok(self.session.due_mail(state, now)?)
    }

    fn mark(&mut self, mark: OutboxMark) -> Result<()> {
        // Only the hand-over waits for its mark; what became of it joins the next commit.
        let is_before = mark.state == OutboxState::Sending;
        let rows = vec![SmallRow::Outbox(OutboxChange::Mark(mark))];
        let small = self.jobs.small_rows();
        let is_handed_over = if is_before {
            small.store(rows)
        } else {
            small.add(rows)
        };
        if is_handed_over {
            return Ok(());
        }
        bail!("the database stopped")
    }

    fn handed_over(&mut self, recipient: &str, since: Time) -> Result<(i64, i64)> {
        Ok(self.session.handed_over(recipient, since)?)
    }

    fn trace(&mut self, message_id: &str, time: Time) -> Result<Trace> {
        trace(&self.session, message_id, time, &self.hosts)
    }
}

/// The spool of a process that has the database alone.
struct Alone<'s> {
    store: &'s mut Store,
    hosts: &'s [String],
}

impl Spool for Alone<'_> {
    fn due(&mut self, state: OutboxState, now: Time) -> Result<Vec<OutboxRow>> {
        Ok(self.store.queries().due_mail(state, now)?)
    }

    fn mark(&mut self, mark: OutboxMark) -> Result<()> {
        Ok(self.store.change_outbox(vec![OutboxChange::Mark(mark)])?)
    }

    fn handed_over(&mut self, recipient: &str, since: Time) -> Result<(i64, i64)> {
        Ok(self.store.queries().handed_over(recipient, since)?)
    }

    fn trace(&mut self, message_id: &str, time: Time) -> Result<Trace> {
        trace(self.store.queries(), message_id, time, self.hosts)
    }
}

fn trace(session: &Session, message_id: &str, time: Time, hosts: &[String]) -> Result<Trace> {
    let (is_logged, is_later) = session.mail_in_log(message_id, time, time.plus(SILENCE), hosts)?;
    Ok(match (is_logged, is_later) {
        (true, _) => Trace::Logged,
        (false, true) => Trace::Absent,
        (false, false) => Trace::Open,
    })
}
