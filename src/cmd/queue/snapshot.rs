//! `maillog queue snapshot`: the queue as rows of the database, for SQL; the service makes the same each minute.

use super::super::{Context as Run, Exit};
use super::options::Shared;
use crate::client::Client;
use crate::model::table::Cell;
use crate::service::queue;
use crate::store::Store;
use anyhow::{Result, bail};

/// Runs the subcommand.
pub(super) fn run(shared: &Shared, run: &Run) -> Result<Exit> {
    if !shared.is_live() {
        bail!("only the queue of this host is stored: leave out --from-file");
    }
    let database = &run.config.database;
    let told = if let Some(service) = Client::connect(database, None)? {
        if shared.postfix_config.is_some() {
            bail!(
                "the service stores the queue of one instance: set config_directory below [queue] in its settings"
            );
        }
        let answer = service.call("maillog_queue", "")?;
        match answer.rows.first().and_then(|row| row.first()) {
            Some(Cell::Text(told)) => told.clone(),
            _ => bail!("the service did not say what it stored"),
        }
    } else {
        if !database.exists() {
            bail!(
                "no database {}: maillog ingest makes one",
                database.display()
            );
        }
        let snapshot = queue::take(&shared.postfix(run), run.later().now)?;
        let told = queue::told(&snapshot);
        Store::open_writer(database)?.write_queue(snapshot)?;
        told
    };
    let mut output = run.output(false);
    writeln!(output.writer(), "{told} stored")?;
    output.finish()?;
    Ok(Exit::Found)
}
