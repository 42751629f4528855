//! The storing thread: parts of an import into one transaction, until it is large enough to be worth a commit.

use crate::model::cursor::StoredCursor;
use crate::model::row::Changes;
use crate::store::{Batch, Store};
use anyhow::{Context, Result};
use std::sync::mpsc::Receiver;

/// Rows of one commit of an import: from about here on DuckDB writes and compresses each column once.
const COMMIT_ROWS: usize = 450_000;

/// A part of what is to be stored.
#[derive(Debug)]
pub struct Part {
    /// What it adds.
    pub batch: Batch,
    /// Somebody may be waiting for it: commit now.
    pub is_urgent: bool,
}

/// Stores parts until the other side ends, and gives the store back.
///
/// # Errors
/// When the database fails; everything before the last commit is kept.
pub fn keep(mut store: Store, parts: &Receiver<Part>) -> Result<Store> {
    let mut held = Batch::default();
    let mut rows = 0;
    for Part {
        mut batch,
        is_urgent,
    } in parts
    {
        rows += count(&batch.changes);
        held.changes.state.clone_from(&batch.changes.state);
        let changes = std::mem::take(&mut batch.changes);
        hold(&mut held, batch);
        store.append(changes).context(FAILED)?;
        if is_urgent || rows >= COMMIT_ROWS {
            store.commit(std::mem::take(&mut held)).context(FAILED)?;
            rows = 0;
        }
    }
    if !held.cursors.is_empty() {
        store.commit(held).context(FAILED)?;
    }
    Ok(store)
}

const FAILED: &str = "cannot store what was read; everything up to the last commit is kept";

/// Adds what belongs to the commit and not to the rows; of two cursors of one source the later counts.
fn hold(held: &mut Batch, part: Batch) {
    held.now = part.now;
    held.coverage.extend(part.coverage);
    held.anchors.extend(part.anchors);
    held.unparsed.extend(part.unparsed);
    for cursor in part.cursors {
        let is_same = |other: &StoredCursor| other.cursor.key == cursor.cursor.key;
        held.cursors.retain(|other| !is_same(other));
        held.cursors.push(cursor);
    }
}

fn count(changes: &Changes) -> usize {
    changes.from_inserts.len()
        + changes.to_inserts.len()
        + changes.attempts.len()
        + changes.noqueues.len()
        + changes.connections.len()
        + changes.auths.len()
        + changes.log_lines.len()
}
