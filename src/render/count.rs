//! Count: how many hits there are: recipients of mails, mails without any, refusals.

use crate::model::table::Table;
use std::io::{self, Write};

/// Writes the number.
pub(super) fn write(table: &Table, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", table.rows.len())
}
