//! One line a hit: time, status, sender -> recipient, where, why. For pipes, so nothing is shortened.

use super::Style;
use super::hit::{Hit, hits};
use crate::model::table::Table;
use std::io::{Result, Write};

/// Writes the hits of `find`.
///
/// # Errors
/// When `out` cannot take it.
pub fn write(table: &Table, style: &Style, out: &mut dyn Write) -> Result<()> {
    for hit in hits(table) {
        let time = hit
            .time("time")
            .map_or_else(|| "-".to_owned(), |t| stamp(t, style));
        write!(
            out,
            "{time} {} {} {} {} -> {}",
            hit.text("host")
                .filter(|h| !h.is_empty())
                .unwrap_or("-".into()),
            hit.text("queue_id").unwrap_or("NOQUEUE".into()),
            hit.status(),
            hit.address("sender"),
            hit.address("recipient")
        )?;
        if let Some(orig_to) = hit.text("orig_to") {
            write!(out, " (for <{orig_to}>)")?;
        }
        detail(&hit, out)?;
        writeln!(out)?;
    }
    Ok(())
}

/// Writes ` relay dsn (reason)`, as far as known; for a refusal the client instead of the relay.
fn detail(hit: &Hit<'_>, out: &mut dyn Write) -> Result<()> {
    let relay = hit.text("relay").filter(|r| *r != "none").map(String::from);
    let place = if hit.is_refusal() {
        hit.client()
    } else {
        relay
    };
    if let Some(place) = place {
        write!(out, " {place}")?;
    }
    if let Some(dsn) = hit.text("dsn") {
        write!(out, " {dsn}")?;
    }
    if let Some(reason) = hit.text("reason") {
        write!(out, " ({reason})")?;
    }
    Ok(())
}

/// Returns the time as journalctl's short-iso.
fn stamp(time: crate::model::time::Time, style: &Style) -> String {
    style.zone.local(time).map_or_else(
        || time.0.to_string(),
        |t| t.format("%Y-%m-%dT%H:%M:%S%:z").to_string(),
    )
}
