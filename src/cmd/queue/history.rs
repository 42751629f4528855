//! The join of the queue to the log: attempts, cause, client and log-in of each mail, and where both disagree.
//!
//! A mail is its message by queue id and by the time of its arrival: the first message of that id that is not older than the mail. A
//! requeued mail keeps its arrival under its new id.

use super::super::Context as Run;
use super::options::Shared;
use crate::answers::Answers;
use crate::ask::story::text;
use crate::model::table::{Cell, Param};
use crate::model::time::{MINUTE, SECOND, Time};
use crate::notice;
use crate::queue::backoff::Backoff;
use crate::queue::mail::History;
use crate::queue::{Mail, Status};
use crate::{service, store};
use anyhow::Result;
use hashbrown::{HashMap, HashSet};

/// Mails that one statement joins to the log: this limits the memory for its parameters and its answer.
pub(super) const BATCH: usize = 20_000;

/// The log tells whole seconds, and its clock may be another.
const SLACK: i64 = 5 * SECOND;

/// A message that left the queue so short a time ago may have been listed before.
const GRACE: i64 = MINUTE;

/// `$1` the ids, `$2` the arrival of the oldest mail.
const MESSAGES: &str = "\
WITH
    found AS (
        SELECT
            f.queue_id, f.id, f.host, f.instance, f.root_id, f.time, f.removed, f.status, f.message_id, f.subject,
            f.sasl_username, f.client_name, f.client_address
        FROM delivery_from f
        WHERE f.time >= $2 AND f.queue_id IN (SELECT unnest($1::VARCHAR[]))
    ),
    tried AS (
        SELECT
            t.from_id,
            max(t.attempts)::BIGINT AS attempts,
            min(t.first_time) FILTER (WHERE t.status IN ('deferred', 'SOFTBOUNCE')) AS first_deferral,
            max(t.time) AS last_attempt,
            arg_max(t.cause, t.time) AS cause
        FROM delivery_to t
        WHERE t.attempts > 0
            AND t.from_id BETWEEN (SELECT min(id) FROM found) AND (SELECT max(id) FROM found)
            AND t.from_id IN (SELECT id FROM found)
        GROUP BY t.from_id
    )
SELECT
    f.queue_id, f.time, f.id, f.root_id, f.removed, t.attempts, t.first_deferral, t.last_attempt, t.cause, f.host, f.instance, f.status,
    f.message_id, f.subject, coalesce(f.sasl_username, r.sasl_username) AS sasl_username,
    CASE WHEN r.id IS NULL THEN f.client_name ELSE coalesce(r.client_name, f.client_name) END AS client_name,
    CASE WHEN r.id IS NULL THEN f.client_address ELSE coalesce(r.client_address, f.client_address) END AS client_address
FROM found f
LEFT JOIN tried t ON t.from_id = f.id
LEFT JOIN delivery_from r ON r.id = f.root_id AND r.id <> f.id";

/// Messages that the log believes queued, last heard of before `$1`, but those with the ids `$2`.
const BELIEVED: &str = "\
SELECT queue_id, host, instance
FROM delivery_from
WHERE removed IS NULL AND status IN ('queued', 'held') AND updated < $1 AND queue_id NOT IN (SELECT unnest($2::VARCHAR[]))
ORDER BY time, id";

/// Opens the database; none, and a word on it, where there is none.
pub(super) fn open(shared: &Shared, run: &Run) -> Option<Answers> {
    if shared.no_history {
        return None;
    }
    match Answers::open(&run.config.database_to_read(), run.zone.name()) {
        Ok(answers) => Some(answers),
        Err(store::Error::Missing { .. }) => {
            notice::say("without history: no database of the log here (maillog ingest makes one)");
            None
        }
        Err(error) => {
            notice::say(&format!("without history: {error}"));
            None
        }
    }
}

/// Adds to each mail what the log knows of it; returns whether there is a log.
pub(super) fn join(mails: &mut [Mail], shared: &Shared, run: &Run) -> Result<bool> {
    let Some(log) = Log::open(shared, run) else {
        return Ok(false);
    };
    for batch in mails.chunks_mut(BATCH) {
        log.join(batch)?;
    }
    Ok(true)
}

/// The log, and what Postfix's settings add to it.
pub(super) struct Log {
    answers: Answers,
    backoff: Backoff,
}

impl Log {
    /// Opens it; none where there is none, which is said.
    pub(super) fn open(shared: &Shared, run: &Run) -> Option<Self> {
        let answers = open(shared, run)?;
        let backoff = shared.postfix(run).backoff();
        Some(Self { answers, backoff })
    }

    /// Adds to each mail of a batch what the log knows of it.
    pub(super) fn join(&self, batch: &mut [Mail]) -> Result<()> {
        let oldest = batch.iter().filter_map(|mail| mail.arrival).min();
        let oldest = oldest.unwrap_or(Time(0)).plus(-SLACK);
        join_batch(&self.answers, batch, oldest, self.backoff)
    }
}

/// A message of the log, until a mail of the queue is found to be it.
struct Found {
    time: Time,
    history: Option<Box<History>>,
    /// The place of that mail.
    of: usize,
}

fn join_batch(answers: &Answers, mails: &mut [Mail], oldest: Time, backoff: Backoff) -> Result<()> {
    let ids = mails
        .iter()
        .map(|mail| Param::Text(mail.queue_id.to_string()));
    let ids = Param::List(ids.collect());
    let messages = answers.select(MESSAGES, &[ids, Param::Time(oldest)])?;
    let mut by_id: HashMap<String, Vec<Found>> = HashMap::with_capacity(messages.rows.len());
    for row in messages.rows {
        let Some((id, time, history)) = history(row) else {
            continue;
        };
        by_id.entry(id).or_default().push(Found {
            time,
            history: Some(Box::new(history)),
            of: 0,
        });
    }
    // An id that is listed twice, of an older and a newer mail: rarely both are the same message.
    let mut again = Vec::new();
    for (place, mail) in mails.iter_mut().enumerate() {
        let (Some(arrival), Some(found)) = (mail.arrival, by_id.get_mut(mail.queue_id.as_str()))
        else {
            continue;
        };
        found.sort_by_key(|found| found.time);
        let mut found = found.iter_mut();
        let Some(its) = found.find(|found| found.time >= arrival.plus(-SLACK)) else {
            continue;
        };
        match its.history.take() {
            Some(history) => {
                mail.history = Some(history);
                its.of = place;
            }
            None => again.push((place, its.of)),
        }
    }
    for (place, of) in again {
        let history = mails.get(of).and_then(|mail| mail.history.clone());
        if let Some(mail) = mails.get_mut(place) {
            mail.history = history;
        }
    }
    for mail in mails {
        let is_waiting = mail.status == Status::Deferred;
        if let (Some(history), Some(arrival)) = (&mut mail.history, mail.arrival) {
            let last = history.last_attempt.filter(|_| is_waiting);
            history.next_attempt = last.map(|last| backoff.next(last, arrival));
        }
    }
    Ok(())
}

/// Takes a row of [`MESSAGES`] apart: its id, its time, what the log knows of it.
fn history(row: Vec<Cell>) -> Option<(String, Time, History)> {
    let mut cells = row.into_iter();
    let mut next = || cells.next().unwrap_or(Cell::Null);
    let word = |cell: Cell| match cell {
        Cell::Text(text) => Some(text),
        _ => None,
    };
    let number = |cell: Cell| match cell {
        Cell::Int(number) => number,
        _ => 0,
    };
    let time = |cell: Cell| match cell {
        Cell::Time(time) => Some(time),
        _ => None,
    };
    let (queue_id, arrival) = (word(next())?, time(next())?);
    let history = History {
        from_id: number(next()),
        root_id: number(next()),
        removed: time(next()),
        attempts: number(next()),
        first_deferral: time(next()),
        last_attempt: time(next()),
        cause: word(next()),
        host: word(next()).unwrap_or_default(),
        instance: word(next()).unwrap_or_default(),
        status: word(next()).unwrap_or_default(),
        message_id: word(next()),
        subject: word(next()),
        user: word(next()),
        client_name: word(next()),
        client_address: word(next()),
        next_attempt: None,
    };
    Some((queue_id, arrival, history))
}

/// Where queue and log disagree, as far as the mails of the queue were looked at.
#[derive(Debug, Default)]
pub(super) struct Disagreement {
    /// Mails that the log does not have.
    unknown: usize,
    /// Mails that left the queue, as the log says.
    left: usize,
    /// Hosts and instances of the mails.
    places: HashSet<(String, String)>,
}

impl Disagreement {
    /// Looks at mails that were joined.
    pub(super) fn add(&mut self, mails: &[Mail], listed: Time) {
        for mail in mails {
            let Some(known) = &mail.history else {
                self.unknown += 1;
                continue;
            };
            let gone = known.removed;
            self.left += usize::from(gone.is_some_and(|gone| gone.plus(GRACE) < listed));
            let place = (known.host.as_str(), known.instance.as_str());
            // Few places, many mails.
            if !self
                .places
                .iter()
                .any(|(host, instance)| (host.as_str(), instance.as_str()) == place)
            {
                self.places
                    .insert((known.host.clone(), known.instance.clone()));
            }
        }
    }

    /// Says it; `mails` is the whole queue.
    pub(super) fn tell(
        &self,
        mails: &[Mail],
        listed: Time,
        log: &Log,
        shared: &Shared,
        run: &Run,
    ) -> Result<()> {
        if self.unknown > 0 {
            notice::say(&format!(
                "{} of the queue not in the log: arrived before what it has, or not read yet",
                counted(self.unknown)
            ));
        }
        if self.left > 0 {
            notice::say(&format!(
                "{} of the queue left it, as the log says",
                counted(self.left)
            ));
        }
        let ids = mails
            .iter()
            .map(|mail| Param::Text(mail.queue_id.to_string()));
        let params = [Param::Time(listed.plus(-GRACE)), Param::List(ids.collect())];
        let believed = log.answers.select(BELIEVED, &params)?;
        let mut owned = Owned {
            places: &self.places,
            here: None,
        };
        let ids: Vec<&str> = believed
            .rows
            .iter()
            .filter_map(|row| {
                Some((
                    text(row, Some(0))?,
                    text(row, Some(1))?,
                    text(row, Some(2))?,
                ))
            })
            .filter(|(_, host, instance)| owned.has(host, instance, shared, run))
            .map(|(id, ..)| id)
            .collect();
        if !ids.is_empty() {
            let shown: Vec<&str> = ids.iter().copied().take(3).collect();
            let more = if ids.len() > shown.len() { ", ..." } else { "" };
            notice::say(&format!(
                "{} that the log believes queued not in the queue: {}{more}",
                counted(ids.len()),
                shown.join(", ")
            ));
        }
        Ok(())
    }
}

/// What of the log is of the queue that was listed: the database may have the logs of other hosts and instances.
struct Owned<'m> {
    /// Hosts and instances of its mails.
    places: &'m HashSet<(String, String)>,
    /// Names of this machine and its instance, once they are needed.
    here: Option<(Vec<String>, String)>,
}

impl Owned<'_> {
    fn has(&mut self, host: &str, instance: &str, shared: &Shared, run: &Run) -> bool {
        let mut places = self.places.iter();
        if places.any(|place| place.0 == host && place.1 == instance) {
            return true;
        }
        let (names, own) = self.here.get_or_insert_with(|| {
            let names = service::queue::names(&shared.postfix(run));
            let hosts = [names.host, names.myhostname];
            (
                hosts.iter().map(|name| label(name)).collect(),
                names.instance,
            )
        });
        own == instance && names.contains(&label(host))
    }
}

/// Returns the first part of a host's name: a log has it with or without its domain.
fn label(host: &str) -> String {
    let first = host.split('.').next();
    first.unwrap_or_default().to_lowercase()
}

fn counted(count: usize) -> String {
    match count {
        1 => "1 mail".to_owned(),
        n => format!("{n} mails"),
    }
}
