//! The join of the queue to the log: attempts, cause, client and log-in of each mail, and where both disagree.
//!
//! A mail is its message by queue id and by the time of its arrival: the first message of that id that is not older than the mail. A
//! requeued mail keeps its arrival under its new id.

use super::super::Context as Run;
use super::options::Shared;
use crate::answers::Answers;
use crate::ask::story::{column, int, text, time};
use crate::model::table::{Cell, Param, Table};
use crate::model::time::{MINUTE, SECOND, Time};
use crate::notice;
use crate::query::time::parse_length;
use crate::queue::Mail;
use crate::queue::mail::History;
use crate::store;
use anyhow::Result;
use hashbrown::HashMap;

/// Ids that one statement asks for.
const BATCH: usize = 20_000;

/// The log tells whole seconds, and its clock may be another.
const SLACK: i64 = 5 * SECOND;

/// A message that left the queue so short a time ago may have been listed before.
const GRACE: i64 = MINUTE;

/// `$1` the ids, `$2` the arrival of the oldest mail.
const MESSAGES: &str = "\
SELECT
    f.queue_id, f.id, f.host, f.root_id, f.time, f.removed, f.status, f.message_id, f.subject,
    coalesce(f.sasl_username, r.sasl_username) AS sasl_username,
    CASE WHEN r.id IS NULL OR r.id = f.id THEN f.client_name ELSE coalesce(r.client_name, f.client_name) END AS client_name,
    CASE WHEN r.id IS NULL OR r.id = f.id THEN f.client_address ELSE coalesce(r.client_address, f.client_address) END AS client_address
FROM delivery_from f LEFT JOIN delivery_from r ON r.id = f.root_id AND r.id <> f.id
WHERE f.time >= $2 AND f.queue_id IN (SELECT unnest($1::VARCHAR[]))
ORDER BY f.queue_id, f.time, f.id";

/// `$1` ids of messages, between `$2` and `$3`.
const ATTEMPTS: &str = "\
SELECT
    from_id,
    max(attempts)::BIGINT AS attempts,
    min(first_time) FILTER (WHERE status IN ('deferred', 'SOFTBOUNCE')) AS first_deferral,
    max(time) AS last_attempt,
    arg_max(cause, time) AS cause
FROM delivery_to
WHERE from_id BETWEEN $2 AND $3 AND from_id IN (SELECT unnest($1::BIGINT[])) AND attempts > 0
GROUP BY from_id
ORDER BY from_id";

/// Messages that the log believes queued, last heard of before `$1`.
const BELIEVED: &str = "\
SELECT queue_id, time, host
FROM delivery_from
WHERE removed IS NULL AND status IN ('queued', 'held') AND updated < $1
ORDER BY time, id";

/// How long Postfix waits between attempts.
#[derive(Debug, Clone, Copy)]
struct Backoff {
    least: i64,
    most: i64,
}

impl Backoff {
    fn of(shared: &Shared, run: &Run) -> Self {
        let [least, most] = shared
            .postfix(run)
            .settings(["minimal_backoff_time", "maximal_backoff_time"]);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "settings are below a century"
        )]
        let micros = |text: Option<String>, default: i64| {
            let seconds = text.and_then(|text| parse_length(&text));
            let seconds = seconds.filter(|s| *s >= 0.0 && *s < 3e9);
            seconds.map_or(default * SECOND, |s| s as i64 * SECOND)
        };
        Self {
            least: micros(least, 300),
            most: micros(most, 4000),
        }
    }

    /// Returns when the next attempt is due: Postfix waits as long as the mail is old, within its limits.
    fn next(self, last: Time, arrival: Time) -> Time {
        let wait = last
            .since(arrival)
            .clamp(self.least, self.most.max(self.least));
        last.plus(wait)
    }
}

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
    let Some(answers) = open(shared, run) else {
        return Ok(false);
    };
    let backoff = Backoff::of(shared, run);
    let oldest = mails.iter().filter_map(|mail| mail.arrival).min();
    let oldest = oldest.unwrap_or(Time(0)).plus(-SLACK);
    for batch in mails.chunks_mut(BATCH) {
        join_batch(&answers, batch, oldest, backoff)?;
    }
    Ok(true)
}

fn join_batch(answers: &Answers, mails: &mut [Mail], oldest: Time, backoff: Backoff) -> Result<()> {
    let ids = mails
        .iter()
        .map(|mail| Param::Text(mail.queue_id.to_string()));
    let ids = Param::List(ids.collect());
    let messages = answers.select(MESSAGES, &[ids, Param::Time(oldest)])?;
    let (id, at) = (column(&messages, "queue_id"), column(&messages, "time"));
    let mut by_id: HashMap<&str, Vec<&[Cell]>> = HashMap::new();
    for row in &messages.rows {
        by_id
            .entry(text(row, id).unwrap_or_default())
            .or_default()
            .push(row);
    }
    for mail in &mut *mails {
        let Some(arrival) = mail.arrival else {
            continue;
        };
        let rows = by_id.get(mail.queue_id.as_str());
        let is_its = |row: &&&[Cell]| time(row, at).is_some_and(|t| t >= arrival.plus(-SLACK));
        if let Some(row) = rows.and_then(|rows| rows.iter().find(is_its)) {
            mail.history = Some(Box::new(history(&messages, row)));
        }
    }
    attempts(answers, mails, backoff)
}

fn history(table: &Table, row: &[Cell]) -> History {
    let word = |name: &str| text(row, column(table, name)).map(str::to_owned);
    let number = |name: &str| int(row, column(table, name)).unwrap_or_default();
    History {
        from_id: number("id"),
        host: word("host").unwrap_or_default(),
        root_id: number("root_id"),
        removed: time(row, column(table, "removed")),
        user: word("sasl_username"),
        client_name: word("client_name"),
        client_address: word("client_address"),
        subject: word("subject"),
        message_id: word("message_id"),
        status: word("status").unwrap_or_default(),
        ..History::default()
    }
}

fn attempts(answers: &Answers, mails: &mut [Mail], backoff: Backoff) -> Result<()> {
    let mut places: HashMap<i64, usize> = HashMap::new();
    for (place, mail) in mails.iter().enumerate() {
        if let Some(history) = &mail.history {
            places.insert(history.from_id, place);
        }
    }
    let ids: Vec<i64> = places.keys().copied().collect();
    let end = |id: Option<&i64>| id.map_or(Param::Null, |id| Param::Int(*id));
    if ids.is_empty() {
        return Ok(());
    }
    let params = [
        Param::List(ids.iter().copied().map(Param::Int).collect()),
        end(ids.iter().min()),
        end(ids.iter().max()),
    ];
    let table = answers.select(ATTEMPTS, &params)?;
    let [from_id, count, first, last, cause] = [
        "from_id",
        "attempts",
        "first_deferral",
        "last_attempt",
        "cause",
    ]
    .map(|name| column(&table, name));
    for row in &table.rows {
        let place = int(row, from_id).and_then(|id| places.get(&id));
        let Some(mail) = place.and_then(|place| mails.get_mut(*place)) else {
            continue;
        };
        let arrival = mail.arrival;
        let is_waiting = mail.status == crate::queue::Status::Deferred;
        if let Some(history) = &mut mail.history {
            history.attempts = int(row, count).unwrap_or_default();
            history.first_deferral = time(row, first);
            history.last_attempt = time(row, last);
            history.cause = text(row, cause).map(str::to_owned);
            let known = history.last_attempt.zip(arrival).filter(|_| is_waiting);
            history.next_attempt = known.map(|(last, arrival)| backoff.next(last, arrival));
        }
    }
    Ok(())
}

/// Says where queue and log disagree; `mails` is the whole queue at that time.
pub(super) fn tell_disagreement(
    mails: &[Mail],
    listed: Time,
    shared: &Shared,
    run: &Run,
) -> Result<()> {
    let unknown = mails.iter().filter(|mail| mail.history.is_none()).count();
    if unknown > 0 {
        notice::say(&format!(
            "{} of the queue not in the log: arrived before what it has, or not read yet",
            counted(unknown)
        ));
    }
    let gone = |mail: &&Mail| {
        let history = mail.history.as_ref();
        let removed = history.and_then(|history| history.removed);
        removed.is_some_and(|removed| removed.plus(GRACE) < listed)
    };
    let left = mails.iter().filter(gone).count();
    if left > 0 {
        notice::say(&format!(
            "{} of the queue left it, as the log says",
            counted(left)
        ));
    }
    let hosts: Vec<&str> = mails
        .iter()
        .filter_map(|mail| mail.history.as_ref())
        .map(|history| history.host.as_str())
        .collect();
    let Some(answers) = open(shared, run) else {
        return Ok(());
    };
    let believed = answers.select(BELIEVED, &[Param::Time(listed.plus(-GRACE))])?;
    let queued: hashbrown::HashSet<&str> = mails.iter().map(|m| m.queue_id.as_str()).collect();
    let host = column(&believed, "host");
    let missing = believed.rows.iter().filter(|row| {
        let is_queued =
            text(row, column(&believed, "queue_id")).is_some_and(|id| queued.contains(id));
        // The database may have the logs of other hosts.
        let is_ours = text(row, host).is_some_and(|host| hosts.contains(&host));
        is_ours && !is_queued
    });
    let ids: Vec<&str> = missing.filter_map(|row| text(row, Some(0))).collect();
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

fn counted(count: usize) -> String {
    match count {
        1 => "1 mail".to_owned(),
        n => format!("{n} mails"),
    }
}
