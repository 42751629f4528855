//! Qid: the queue ids of a result, each once, one a line; to be handed to `postcat`, `postsuper` or `grep -f`.

use super::row::rows;
use crate::model::table::Table;
use std::collections::HashSet;
use std::io::{self, Write};

/// Writes the queue ids in the order of the rows.
pub(super) fn write(table: &Table, out: &mut dyn Write) -> io::Result<()> {
    let mut seen = HashSet::new();
    for row in rows(table) {
        if let Some(id) = row
            .raw("queue_id")
            .filter(|id| !id.is_empty() && seen.insert(*id))
        {
            writeln!(out, "{}", super::escape::terminal(id))?;
        }
    }
    Ok(())
}
