//! Outbox: mail that maillog sends. Rows are added once, and changed as they are tried.

use super::Store;
use super::error::Error;
use super::param::timestamp;
use super::select::Session;
use super::stage::append;
use crate::model::outbox::{OutboxChange, OutboxMark, OutboxRow, OutboxState};
use crate::model::row::Text;
use crate::model::table::{Param, Row};
use crate::model::time::{HOUR, Time};
use duckdb::{Connection, params};

/// Rows that are read at once: a mail may have some MB.
const AT_ONCE: usize = 50;

impl Store {
    /// Changes the outbox in a transaction of its own: for a command without the service.
    ///
    /// # Errors
    /// When the database fails.
    pub fn change_outbox(&mut self, changes: Vec<OutboxChange>) -> Result<(), Error> {
        self.transact("write mail to be sent", |conn| write(conn, changes))
    }
}

/// Makes the changes, in their order.
pub(super) fn write(conn: &Connection, changes: Vec<OutboxChange>) -> duckdb::Result<()> {
    for change in changes {
        match change {
            OutboxChange::Add(row) => add(conn, *row)?,
            OutboxChange::Mark(mark) => apply(conn, &mark)?,
            OutboxChange::Retry { message_id, time } => retry(conn, message_id.as_deref(), time)?,
        }
    }
    Ok(())
}

fn add(conn: &Connection, row: OutboxRow) -> duckdb::Result<()> {
    let known: i64 = conn.query_row(
        "SELECT count(*) FROM outbox WHERE message_id = ? OR (occasion = ? AND lower(recipient) = lower(?))",
        params![row.message_id, row.occasion.as_deref(), row.recipient],
        |row| row.get(0),
    )?;
    if known > 0 {
        return Ok(());
    }
    append(conn, vec![row])
}

fn apply(conn: &Connection, mark: &OutboxMark) -> duckdb::Result<()> {
    let next = mark.next_try.map(timestamp);
    conn.execute(
        "UPDATE outbox SET state = ?, time = ?, tries = ?, next_try = ?, result = ?, \
         message = CASE WHEN ? THEN '' ELSE message END WHERE message_id = ?",
        params![
            mark.state.text(),
            timestamp(mark.time),
            mark.tries,
            next,
            mark.result,
            mark.state == OutboxState::Sent,
            mark.message_id
        ],
    )
    .map(drop)
}

/// A mail that is being handed over at this moment is left alone: it would be sent twice.
fn retry(conn: &Connection, message_id: Option<&str>, time: Time) -> duckdb::Result<()> {
    let now = timestamp(time);
    let set = "UPDATE outbox SET state = 'waiting', time = ?, next_try = ?";
    let done = match message_id {
        Some(id) => conn.execute(
            // It was made long ago: from now on it is tried as a new one.
            &format!(
                "{set}, made = ? WHERE message_id = ? AND state IN ('waiting', 'unknown', 'failed')"
            ),
            params![now, now, now, id],
        ),
        None => conn.execute(&format!("{set} WHERE state = 'waiting'"), params![now, now]),
    };
    done.map(drop)
}

impl Session {
    /// Returns the mails of a state that are due, the oldest first, as many as are read at once.
    ///
    /// # Errors
    /// When the database fails.
    pub fn due_mail(&self, state: OutboxState, now: Time) -> Result<Vec<OutboxRow>, Error> {
        let sql = format!(
            "SELECT message_id, made, time, kind, occasion, sender, recipient, subject, message, state, tries, next_try, result \
             FROM outbox WHERE state = $1 AND (next_try IS NULL OR next_try <= $2) \
             ORDER BY made, message_id LIMIT {AT_ONCE}"
        );
        let table = self.select_own(
            &sql,
            &[Param::Text(state.text().to_owned()), Param::Time(now)],
        )?;
        Ok(table.named().map(row).collect())
    }

    /// Returns how many mails wait that were not taken, and what was said last; none when there is none.
    ///
    /// # Errors
    /// When the database fails.
    pub fn stuck_mail(&self) -> Result<Option<(i64, String)>, Error> {
        let sql = "SELECT count(*) AS mails, arg_max(result, time) AS said FROM outbox \
                   WHERE state = 'waiting' AND tries > 0 AND result IS NOT NULL";
        let table = self.select_own(sql, &[])?;
        let row = table.named().next();
        let mails = row.and_then(|row| row.int("mails")).unwrap_or_default();
        let said = row.and_then(|row| row.raw("said")).unwrap_or_default();
        Ok((mails > 0).then(|| (mails, said.to_owned())))
    }

    /// Returns how many mails were handed over since a time, or may have been: to the recipient, and to all.
    ///
    /// # Errors
    /// When the database fails.
    pub fn handed_over(&self, recipient: &str, since: Time) -> Result<(i64, i64), Error> {
        let sql = "SELECT count(*) FILTER (WHERE lower(recipient) = lower($1)) AS here, count(*) AS whole FROM outbox \
                   WHERE state IN ('sent', 'sending', 'unknown') AND time >= $2";
        let table = self.select_own(
            sql,
            &[Param::Text(recipient.to_owned()), Param::Time(since)],
        )?;
        let count = |name| table.named().next().and_then(|row| row.int(name));
        Ok((
            count("here").unwrap_or_default(),
            count("whole").unwrap_or_default(),
        ))
    }

    /// Returns whether the log has a message of this Message-ID, and whether it has one of these hosts after a time.
    ///
    /// # Errors
    /// When the database fails.
    pub fn mail_in_log(
        &self,
        message_id: &str,
        handed: Time,
        later: Time,
        hosts: &[String],
    ) -> Result<(bool, bool), Error> {
        let sql = "SELECT count(*) FILTER (WHERE message_id = $1) > 0 AS logged, \
                   count(*) FILTER (WHERE time > $3 AND list_contains($4::VARCHAR[], lower(split_part(host, '.', 1)))) > 0 AS later \
                   FROM delivery_from WHERE time >= $2";
        let hosts = hosts
            .iter()
            .map(|host| Param::Text(first_label(host)))
            .collect();
        let params = [
            Param::Text(message_id.to_owned()),
            // The clock of the log may be another one.
            Param::Time(handed.plus(-HOUR)),
            Param::Time(later),
            Param::List(hosts),
        ];
        let table = self.select_own(sql, &params)?;
        let is = |name| table.named().next().is_some_and(|row| row.is_true(name));
        Ok((is("logged"), is("later")))
    }
}

fn first_label(host: &str) -> String {
    host.split('.').next().unwrap_or_default().to_lowercase()
}

fn row(row: Row<'_>) -> OutboxRow {
    let text = |name| row.raw(name).unwrap_or_default().to_owned();
    let maybe = |name| row.raw(name).map(Text::from);
    OutboxRow {
        message_id: text("message_id"),
        made: row.time("made").unwrap_or_default(),
        time: row.time("time").unwrap_or_default(),
        kind: text("kind"),
        occasion: maybe("occasion"),
        sender: text("sender"),
        recipient: text("recipient"),
        subject: text("subject"),
        message: text("message"),
        state: text("state"),
        tries: row.int("tries").unwrap_or_default(),
        next_try: row.time("next_try"),
        result: maybe("result"),
    }
}
