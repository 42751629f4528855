//! Short: one line a hit, for pipes: `time status queue_id <sender> -> <recipient> via host: dsn reason`.

use super::Style;
use super::color::tone;
use super::eyes::via;
use super::row::{Row, Shown, orig_to};
use crate::model::table::Table;
use chrono::SecondsFormat;
use std::io::{self, Write};

/// Writes one line a hit.
pub(super) fn write(hits: &Table, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    for hit in hits.named() {
        writeln!(out, "{}", line(&hit, style))?;
    }
    Ok(())
}

fn line(hit: &Row<'_>, style: &Style) -> String {
    let time = hit.time("time").and_then(|t| style.zone.local(t));
    let time = time.map_or_else(
        || "-".into(),
        |t| t.to_rfc3339_opts(SecondsFormat::Secs, false),
    );
    let status = hit.raw("status").unwrap_or_default();
    let mut line = format!(
        "{time} {} {} {} -> {}",
        tone(status).paint(&hit.text("status"), style.color),
        or_dash(hit.text("queue_id")),
        bracketed(hit, "sender"),
        bracketed(hit, "recipient"),
    );
    // Who was asked for may be found behind an alias only.
    if let Some(orig_to) = orig_to(hit) {
        line.push_str(&format!(" orig_to=<{orig_to}>"));
    }
    let via = via(hit);
    if !via.is_empty() {
        line.push_str(" via ");
        line.push_str(&via);
    }
    let said = hit.said();
    if !said.is_empty() {
        line.push_str(": ");
        line.push_str(&said);
    }
    line
}

fn or_dash(text: String) -> String {
    if text.is_empty() { "-".into() } else { text }
}

/// `<address>`; `-` when it was not seen, so that it cannot be taken for the null sender.
fn bracketed(hit: &Row<'_>, column: &str) -> String {
    hit.raw(column)
        .map_or_else(|| "-".into(), |_| format!("<{}>", hit.text(column)))
}
