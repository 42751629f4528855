//! Sending: mail of a command goes to the service, or out from here where none runs.

use super::super::{Context as Run, Exit};
use crate::client::Client;
use crate::mail::letter::Letter;
use crate::mail::outgoing;
use crate::model::outbox::OutboxChange;
use crate::model::table::{Param, Table};
use crate::notice::{self, Level};
use crate::service::outbox::Outbox;
use crate::store::Store;
use anyhow::{Result, bail};
use std::thread;
use std::time::{Duration, Instant};

/// How long a command waits for the service to send its mail; it is sent later, too.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(200);

/// Sends letters, and says of each mail what became of it. Exit status 2 when one failed or waits.
pub(in crate::cmd) fn send(letters: &[Letter], run: &Run) -> Result<Exit> {
    let outbox = Outbox::of(&run.config)?;
    let mut rows = Vec::new();
    for letter in letters {
        rows.extend(outgoing::rows(
            letter,
            &outbox.setup.identity,
            run.later().now,
            run.zone,
        )?);
    }
    let ids: Vec<String> = rows.iter().map(|row| row.message_id.clone()).collect();
    let add = |row| OutboxChange::Add(Box::new(row));
    change(rows.into_iter().map(add).collect(), &outbox, run)?;
    Ok(tell(&fates(&ids, run)?, &ids))
}

/// Changes the outbox; sends what is due where no service does it.
pub(super) fn change(changes: Vec<OutboxChange>, outbox: &Outbox, run: &Run) -> Result<()> {
    let database = &run.config.database;
    if let Some(service) = Client::connect(database, None)? {
        service.call("maillog_mail", &serde_json::to_string(&changes)?)?;
        return Ok(());
    }
    if !database.exists() {
        bail!(
            "no database {}: maillog ingest makes one",
            database.display()
        );
    }
    let mut store = Store::open_writer(database)?;
    store.change_outbox(changes)?;
    outbox.send(&mut store, &|| run.later().now)?;
    Ok(())
}

/// Returns the rows of these mails, once none of them is about to be handed over for the first time.
fn fates(ids: &[String], run: &Run) -> Result<Table> {
    let sql = "SELECT message_id, recipient, state, result, next_try FROM outbox \
               WHERE list_contains($1::VARCHAR[], message_id) ORDER BY made, recipient";
    let ids = Param::List(ids.iter().cloned().map(Param::Text).collect());
    let begun = Instant::now();
    loop {
        let table = run.reader()?.select(sql, std::slice::from_ref(&ids))?;
        let is_new = |row: crate::model::table::Row<'_>| {
            let is_untried = row.raw("state") == Some("waiting") && row.raw("result").is_none();
            is_untried || row.raw("state") == Some("sending")
        };
        if !table.named().any(is_new) || begun.elapsed() > PATIENCE {
            return Ok(table);
        }
        thread::sleep(LOOK);
    }
}

fn tell(fates: &Table, ids: &[String]) -> Exit {
    let mut is_sent = true;
    for row in fates.named() {
        let text = |name| row.raw(name).unwrap_or_default();
        let (to, result) = (text("recipient"), text("result"));
        match text("state") {
            "sent" => notice::say(&format!("mail to {to}: {result}")),
            "failed" => {
                is_sent = false;
                notice::tell(Level::Error, &format!("mail to {to} is not sent: {result}"));
            }
            _ => {
                is_sent = false;
                notice::tell(
                    Level::Warning,
                    &format!("mail to {to} waits: {result}; see maillog mail outbox"),
                );
            }
        }
    }
    if fates.rows.len() < ids.len() {
        notice::say("a mail for the same occasion was sent before: not sent again");
    }
    if is_sent { Exit::Found } else { Exit::Failed }
}
