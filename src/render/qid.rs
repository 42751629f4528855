//! Qid: the queue ids of a result, each once, one a line; to be handed to `postcat`, `postsuper` or `grep -f`.

use crate::model::table::Table;
use std::collections::HashSet;
use std::io::{self, Write};

/// Writes the queue ids in the order of the rows, but those that were seen before.
pub(super) fn write(
    table: &Table,
    seen: &mut HashSet<String>,
    out: &mut dyn Write,
) -> io::Result<()> {
    for row in table.named() {
        if let Some(id) = row.raw("queue_id").filter(|id| !id.is_empty())
            && !seen.contains(id)
        {
            seen.insert(id.to_owned());
            writeln!(out, "{}", super::escape::terminal(id))?;
        }
    }
    Ok(())
}
