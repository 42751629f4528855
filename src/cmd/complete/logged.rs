//! Logged: names that the logs brought (hosts, instances, services), quickly and silently or not at all.

use crate::answers::Answers;
use crate::ask::own;
use crate::cmd::Context;
use crate::model::table::Cell;
use std::path::PathBuf;
use std::sync::mpsc::channel;
use std::time::Duration;

/// Nobody waits longer for a word at the cursor.
const PATIENCE: Duration = Duration::from_millis(700);

/// Returns the values of the column; `database` where the line names one.
pub(super) fn values(column: &'static str, database: Option<&str>, run: &Context) -> Vec<String> {
    let path = database.map_or_else(|| run.config.database_to_read(), PathBuf::from);
    let (send, receive) = channel();
    // A database that is slow to open is left behind.
    std::thread::spawn(move || {
        let sql = own::names(column).unwrap_or_default();
        let table = Answers::glance(&path).and_then(|store| store.select_once(&sql, &[]));
        let _ = send.send(table.map(|table| table.rows).unwrap_or_default());
    });
    let rows = receive.recv_timeout(PATIENCE).unwrap_or_default();
    let names = rows
        .into_iter()
        .filter_map(|row| match row.into_iter().next() {
            Some(Cell::Text(name)) => Some(name),
            _ => None,
        });
    // Whoever writes into the log may have chosen them.
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    names
        .filter(|name| !name.is_empty() && name.chars().all(is_plain))
        .collect()
}
