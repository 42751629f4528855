//! Eyes: the columns of a search's result that a person wants to see on a terminal.

use super::Style;
use super::color::tone;
use super::row::{self, Row, rows};
use super::table::{Drawing, draw};
use crate::model::table::Table;
use std::io::{self, Write};

/// Headers; `via` is the next host of a mail, the client of a refusal.
const COLUMNS: [&str; 8] = [
    "time",
    "queue_id",
    "status",
    "sender",
    "recipient",
    "via",
    "dsn",
    "reason",
];

/// Place of the status among them.
const STATUS: usize = 2;

/// Writes one line a hit below headers; nothing when there are none.
pub(super) fn write(hits: &Table, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let mut drawing = Drawing {
        columns: COLUMNS.map(str::to_owned).to_vec(),
        rows: Vec::new(),
        right: vec![false; COLUMNS.len()],
        tones: Vec::new(),
    };
    for (i, hit) in rows(hits).enumerate() {
        drawing
            .tones
            .push((i, STATUS, tone(hit.raw("status").unwrap_or_default())));
        drawing.rows.push(vec![
            // Fractions would cost seven columns and answer nothing here.
            hit.time("time")
                .map(|t| {
                    row::time(
                        crate::model::time::Time(t.0 - t.0.rem_euclid(1_000_000)),
                        style.zone,
                    )
                })
                .unwrap_or_default(),
            hit.text("queue_id"),
            hit.text("status"),
            hit.address("sender"),
            hit.address("recipient"),
            via(&hit),
            hit.text("dsn"),
            hit.text("reason"),
        ]);
    }
    draw(drawing, style, out)
}

/// Returns the next host of a mail or, before there is one and for refusals, the client.
pub(super) fn via(hit: &Row<'_>) -> String {
    match hit.raw("relay") {
        Some(_) => hit.text("relay"),
        None => hit.client(),
    }
}
