//! Eyes: the columns of a search's result that a person wants to see on a terminal.

use super::Style;
use super::color::tone;
use super::row::{self, Row, Shown};
use super::table::{Drawing, GAP, draw, natural, shorten};
use super::wrap;
use crate::model::table::Table;
use crate::model::time::{SECOND, Time};
use std::io::{self, Write};
use tabled::grid::util::string::get_string_width;

/// Headers; `via` is the next host of a mail, the client of a refusal.
const COLUMNS: [&str; 7] = [
    "time",
    "queue_id",
    "status",
    "sender",
    "recipient",
    "via",
    "reason",
];

/// Place of the status among them.
const STATUS: usize = 2;

/// On terminals narrower than this the year is left out.
const NARROW: u16 = 100;

/// A reply shortened to less than this says nothing.
const LEAST_REASON: usize = 48;

/// Lines of a reply at most, where it stands below.
const MOST_LINES: usize = 2;

/// Writes one line a hit below headers, or two where the addresses would have to be cut; nothing when there are none.
pub(super) fn write(hits: &Table, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let mut drawing = Drawing {
        columns: COLUMNS.map(str::to_owned).to_vec(),
        rows: Vec::new(),
        right: Vec::new(),
        whole: vec![true, true, true],
        tones: Vec::new(),
    };
    for (i, hit) in hits.named().enumerate() {
        let status = hit.raw("status").unwrap_or_default();
        drawing.tones.push((i, STATUS, tone(status)));
        drawing.rows.push(vec![
            hit.time("time").map(|t| time(t, style)).unwrap_or_default(),
            hit.text("queue_id"),
            hit.text("status"),
            hit.address("sender"),
            match row::orig_to(&hit) {
                Some(orig_to) => format!("{} (orig_to {orig_to})", hit.address("recipient")),
                None => hit.address("recipient"),
            },
            via(&hit),
            row::brief(&hit.said(), &via(&hit)),
        ]);
    }
    let widths = natural(&drawing.columns, &drawing.rows);
    let reason = widths.last().map_or(0, |w| (*w).min(LEAST_REASON));
    let others: usize = widths.iter().rev().skip(1).map(|w| w + GAP).sum();
    match style.width.map(usize::from) {
        Some(width) if others + reason > width => two_lines(&drawing, &widths, width, style, out),
        _ => draw(drawing, style, out),
    }
}

/// Time, status and both addresses, which are never cut; below them the queue id and the next host, and the reply in a line or two.
fn two_lines(
    drawing: &Drawing,
    widths: &[usize],
    width: usize,
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let column = |at: usize| widths.get(at).copied().unwrap_or(0);
    let (time_width, status_width) = (column(0), column(STATUS));
    let indent = time_width + GAP;
    for (row, (_, _, tone)) in drawing.rows.iter().zip(&drawing.tones) {
        let [time, queue_id, status, sender, recipient, via, reason] = row.as_slice() else {
            continue;
        };
        let pad =
            |text: &str, width: usize| " ".repeat(width.saturating_sub(get_string_width(text)));
        let start = format!(
            "{time}{}  {}{}  ",
            pad(time, time_width),
            tone.paint(status, style.color),
            pad(status, status_width)
        );
        let addresses = format!("{sender} -> {recipient}");
        let begins = indent + status_width + GAP;
        for (i, line) in wrap::lines(&addresses, begins, begins, style.width)
            .iter()
            .enumerate()
        {
            if i == 0 {
                writeln!(out, "{start}{line}")?;
            } else {
                writeln!(out, "{}{line}", " ".repeat(begins))?;
            }
        }
        let via = if via.is_empty() {
            String::new()
        } else {
            format!("via {via}")
        };
        let below = [queue_id.as_str(), via.as_str()].join(" ");
        let below = below.trim();
        let room = width.saturating_sub(indent).max(LEAST_REASON);
        let blanks = " ".repeat(indent);
        if below.is_empty()
            || reason.is_empty()
            || get_string_width(below) + get_string_width(reason) + 2 <= room
        {
            let between = if below.is_empty() || reason.is_empty() {
                ""
            } else {
                ": "
            };
            let line = format!("{below}{between}{reason}");
            lines_below(&line, &blanks, room, out)?;
        } else {
            lines_below(below, &blanks, room, out)?;
            lines_below(reason, &blanks, room, out)?;
        }
    }
    Ok(())
}

/// Writes the text in as many lines as it may have; what does not fit into these is cut.
fn lines_below(text: &str, blanks: &str, room: usize, out: &mut dyn Write) -> io::Result<()> {
    if text.is_empty() {
        return Ok(());
    }
    let mut lines = wrap::lines(text, 0, 0, u16::try_from(room).ok());
    if lines.len() > MOST_LINES {
        let rest = lines.split_off(MOST_LINES - 1).join(" ");
        lines.push(rest);
    }
    for line in lines {
        writeln!(out, "{blanks}{}", shorten(&line, room))?;
    }
    Ok(())
}

/// Returns the time without its fraction, which would cost seven columns and answer nothing here.
fn time(time: Time, style: &Style) -> String {
    let shown = row::time(
        Time(time.0.saturating_sub(time.0.rem_euclid(SECOND))),
        style.zone,
    );
    let is_narrow = style.width.is_some_and(|width| width < NARROW);
    match shown.split_once('-') {
        Some((year, day)) if is_narrow && year.len() == 4 => day.to_owned(),
        _ => shown,
    }
}

/// Returns the next host of a mail or, before there is one and for refusals, the client.
pub(super) fn via(hit: &Row<'_>) -> String {
    match hit.raw("relay") {
        Some(_) => hit.text("relay"),
        None => hit.client(),
    }
}
