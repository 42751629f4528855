//! Eyes: the columns of a search's result that a person wants to see on a terminal.

use super::Style;
use super::color::tone;
use super::row::{self, Row, rows};
use super::table::{Drawing, draw};
use crate::model::table::Table;
use crate::model::time::{SECOND, Time};
use std::io::{self, Write};

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

/// On terminals narrower than this the year is left out, or nothing would be left of addresses.
const NARROW: u16 = 100;

/// Writes one line a hit below headers; nothing when there are none.
pub(super) fn write(hits: &Table, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let mut drawing = Drawing {
        columns: COLUMNS.map(str::to_owned).to_vec(),
        rows: Vec::new(),
        right: Vec::new(),
        whole: vec![true, true, true],
        tones: Vec::new(),
    };
    for (i, hit) in rows(hits).enumerate() {
        let status = hit.raw("status").unwrap_or_default();
        drawing.tones.push((i, STATUS, tone(status)));
        drawing.rows.push(vec![
            hit.time("time").map(|t| time(t, style)).unwrap_or_default(),
            hit.text("queue_id"),
            hit.text("status"),
            hit.address("sender"),
            hit.address("recipient"),
            via(&hit),
            hit.said(),
        ]);
    }
    draw(drawing, style, out)
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
