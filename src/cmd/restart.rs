//! Restart: waits until a service that restarts answers again, so that a command can tell how its work ended.

use crate::client::Client;
use crate::instance;
use crate::model::table::{Cell, Table};
use crate::notice;
use anyhow::{Result, bail};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

/// Between two looks.
const LOOK: Duration = Duration::from_millis(100);
/// How long the user waits without a word.
const UNTOLD: Duration = Duration::from_secs(5);
/// How long nobody may have the database before the service is given up: its manager may have to start it again.
const GONE: Duration = Duration::from_mins(1);

/// Returns what tells one process of the service from the next; none when it is of another version.
pub(super) fn life(service: &Client) -> Option<String> {
    cell(&service.call("maillog_life", "").ok()?)
}

/// Returns the only cell of a table.
pub(super) fn cell(table: &Table) -> Option<String> {
    match table.rows.first()?.first()? {
        Cell::Text(text) => Some(text.clone()),
        _ => None,
    }
}

/// Waits until another process of the service answers than the one of that life.
///
/// # Errors
/// When it does not come back.
pub(super) fn wait(database: &Path, life_before: &str) -> Result<Client> {
    let begun = Instant::now();
    let mut seen = begun;
    let mut is_told = false;
    loop {
        if let Ok(Some(service)) = Client::connect(database, None) {
            seen = Instant::now();
            if life(&service).is_some_and(|now| now != life_before) {
                return Ok(service);
            }
        } else if instance::runs(database) {
            seen = Instant::now();
        }
        if seen.elapsed() > GONE {
            bail!("the service has not restarted yet; it does the rest when it starts");
        }
        if begun.elapsed() > UNTOLD && !is_told {
            notice::say("waiting for the service: it restarts and does the rest");
            is_told = true;
        }
        thread::sleep(LOOK);
    }
}
