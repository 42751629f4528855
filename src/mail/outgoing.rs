//! Outgoing: the spool. A mail is written down before it is handed over, and marked after it.
//!
//! ```text
//! waiting -> sending -> sent
//!    ^          |-----> failed     refused for good, given up, over a limit
//!    |----------|                  not taken now: later each time
//!    |--- unknown <----|           maillog or the mail server ended in between: the log decides
//! ```
//! Promises: no mail is handed over twice, wherever maillog is killed. Where a kill falls between the hand-over and the
//! mark, the mail is looked for in the log of this machine by its Message-ID: when it is there, it was sent; when the log
//! goes on without it for [`SILENCE`] and has later mail, it was not, and is sent now.
//!
//! Limits: where the log of the mail server is not read here, such a mail stays `unknown`, and is not sent again.

use super::hand_over::{Carrier, Handed, Parcel};
use super::identity::Identity;
use super::letter::Letter;
use super::schedule;
use crate::model::outbox::{OutboxMark, OutboxRow, OutboxState};
use crate::model::row::Text;
use crate::model::time::{DAY, MINUTE, Time};
use crate::model::zone::Zone;
use anyhow::Result;
use std::collections::BTreeSet;

/// How much later the log must have mail that is not ours, before ours counts as never handed over.
pub const SILENCE: i64 = 10 * MINUTE;

/// What the log says of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trace {
    /// The log has its Message-ID.
    Logged,
    /// The log of this machine goes on for [`SILENCE`] without it.
    Absent,
    /// The log says nothing yet.
    Open,
}

/// Where mails are kept.
pub trait Spool {
    /// Returns the mails that are in this state and due, the oldest first.
    ///
    /// # Errors
    /// When the database fails.
    fn due(&mut self, state: OutboxState, now: Time) -> Result<Vec<OutboxRow>>;

    /// Changes a row. When it returns, [`OutboxState::Sending`] is committed; other states may come with a later commit.
    ///
    /// # Errors
    /// When the database fails.
    fn mark(&mut self, mark: OutboxMark) -> Result<()>;

    /// Returns how many mails were handed over since a time: to the recipient, and to all.
    ///
    /// # Errors
    /// When the database fails.
    fn handed_over(&mut self, recipient: &str, since: Time) -> Result<(i64, i64)>;

    /// Looks for a mail in the log that was being handed over at `time`.
    ///
    /// # Errors
    /// When the database fails.
    fn trace(&mut self, message_id: &str, time: Time) -> Result<Trace>;
}

/// How mail is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// Who takes it.
    pub carrier: Carrier,
    /// Our name.
    pub fqdn: String,
    /// Mails to one address within 24 hours, at most.
    pub per_address: i64,
    /// Mails within 24 hours, at most.
    pub per_day: i64,
    /// How long a mail is tried, in microseconds.
    pub give_up_after: i64,
}

/// Returns the rows of a letter: a mail of its own for each recipient, so that each has its own fate.
///
/// # Errors
/// When the system gives no random numbers.
pub fn rows(letter: &Letter, identity: &Identity, now: Time, zone: Zone) -> Result<Vec<OutboxRow>> {
    let mut rows = Vec::new();
    let mut seen = BTreeSet::new();
    for recipient in letter.to.iter().chain(&letter.cc) {
        if !seen.insert(recipient.address().to_lowercase()) {
            continue;
        }
        let id = message_id(now, &identity.fqdn)?;
        rows.push(OutboxRow {
            made: now,
            time: now,
            kind: letter.kind.to_owned(),
            occasion: letter.occasion.as_deref().map(Text::from),
            sender: identity.envelope.clone(),
            recipient: recipient.address().to_owned(),
            subject: letter.subject.clone(),
            message: letter.message(&id, identity, now, zone),
            state: OutboxState::Waiting.text().to_owned(),
            tries: 0,
            next_try: Some(now),
            result: None,
            message_id: id,
        });
    }
    Ok(rows)
}

/// Returns a Message-ID that no other mail has.
fn message_id(now: Time, fqdn: &str) -> Result<String> {
    let mut random = [0; 16];
    getrandom::fill(&mut random)?;
    let random: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    let date = now.to_utc().unwrap_or_default().format("%Y%m%d%H%M%S");
    Ok(format!("<{date}.{random}@{fqdn}>"))
}

/// Says of the mails that a process before this one was handing over that this is not known: to be called before the first
/// [`turn`] of a process that alone has the spool.
///
/// # Errors
/// When the database fails.
pub fn begin(spool: &mut impl Spool, now: Time) -> Result<()> {
    for row in spool.due(OutboxState::Sending, now)? {
        // Its time stays that of the hand-over, for the log is asked about it.
        let said = "maillog was stopped while it handed the mail over".to_owned();
        let mark = mark(&row, row.time, OutboxState::Unknown, None, said);
        spool.mark(mark)?;
    }
    Ok(())
}

/// Sends what is due; returns how many mails were taken.
///
/// # Errors
/// When the database fails; no mail is in the middle of its hand-over then, unless the last mark failed.
pub fn turn(spool: &mut impl Spool, rules: &Rules, now: &dyn Fn() -> Time) -> Result<usize> {
    for row in spool.due(OutboxState::Unknown, now())? {
        decide(spool, &row, now())?;
    }
    let mut taken = 0;
    for row in spool.due(OutboxState::Waiting, now())? {
        taken += usize::from(send(spool, &row, rules, now)?);
    }
    Ok(taken)
}

/// Decides by the log about a mail of which it is not known whether it was handed over.
fn decide(spool: &mut impl Spool, row: &OutboxRow, now: Time) -> Result<()> {
    let (state, next_try, said) = match spool.trace(&row.message_id, row.time)? {
        Trace::Open => return Ok(()),
        Trace::Logged => (OutboxState::Sent, None, "found in the log"),
        Trace::Absent => (
            OutboxState::Waiting,
            Some(now),
            "not in the log: it was not handed over",
        ),
    };
    spool.mark(mark(row, now, state, next_try, said.to_owned()))
}

/// Hands one mail over; says whether it was taken.
fn send(
    spool: &mut impl Spool,
    row: &OutboxRow,
    rules: &Rules,
    now: &dyn Fn() -> Time,
) -> Result<bool> {
    let begun = now();
    if let Some(limit) = over_limit(spool, row, rules, begun)? {
        spool.mark(mark(row, begun, OutboxState::Failed, None, limit))?;
        return Ok(false);
    }
    let row = &OutboxRow {
        tries: row.tries + 1,
        ..row.clone()
    };
    let said = format!("being handed to {}", rules.carrier.text());
    spool.mark(mark(row, begun, OutboxState::Sending, None, said))?;
    let parcel = Parcel {
        sender: &row.sender,
        recipient: &row.recipient,
        message: &row.message,
    };
    let handed = rules.carrier.hand_over(parcel, &rules.fqdn);
    let ended = now();
    let is_taken = matches!(handed, Handed::Taken(_));
    let mark = match handed {
        Handed::Taken(said) => mark(row, ended, OutboxState::Sent, None, said),
        Handed::Never(said) => mark(row, ended, OutboxState::Failed, None, said),
        // The log is asked about the time when it began.
        Handed::Unknown(said) => mark(row, begun, OutboxState::Unknown, None, said),
        Handed::Later(said) => {
            match schedule::next(row.tries, row.made, ended, rules.give_up_after) {
                Some(next) => mark(row, ended, OutboxState::Waiting, Some(next), said),
                None => mark(
                    row,
                    ended,
                    OutboxState::Failed,
                    None,
                    format!("given up: {said}"),
                ),
            }
        }
    };
    spool.mark(mark)?;
    Ok(is_taken)
}

fn over_limit(
    spool: &mut impl Spool,
    row: &OutboxRow,
    rules: &Rules,
    now: Time,
) -> Result<Option<String>> {
    let (here, all) = spool.handed_over(&row.recipient, now.plus(-DAY))?;
    Ok(if here >= rules.per_address {
        Some(format!(
            "over the limit of {} mails to one address a day, see per_address below [mail]",
            rules.per_address
        ))
    } else if all >= rules.per_day {
        Some(format!(
            "over the limit of {} mails a day, see per_day below [mail]",
            rules.per_day
        ))
    } else {
        None
    })
}

fn mark(
    row: &OutboxRow,
    time: Time,
    state: OutboxState,
    next_try: Option<Time>,
    said: String,
) -> OutboxMark {
    OutboxMark {
        message_id: row.message_id.clone(),
        time,
        state,
        tries: row.tries,
        next_try,
        result: Some(said),
    }
}

#[cfg(test)]
mod tests;
