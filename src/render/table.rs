//! Columns for eyes, fitted to the terminal's width.

use super::hit::{Hit, hits as rows};
use super::{Style, escape, json};
use crate::model::table::{Cell, Table};
use std::io::{Result, Write};
use tabled::builder::Builder;
use tabled::settings::object::{Cell as Place, Columns};
use tabled::settings::peaker::PriorityMax;
use tabled::settings::{Alignment, Color, Style as Lines, Width};

/// Writes any table: header, a line below it, one line a row.
///
/// # Errors
/// When `out` cannot take it.
pub fn write(table: &Table, style: &Style, out: &mut dyn Write) -> Result<()> {
    let mut builder = Builder::new();
    builder.push_record(
        table
            .columns
            .iter()
            .map(|c| escape::terminal(c).into_owned()),
    );
    for row in &table.rows {
        builder.push_record(row.iter().map(|cell| shown(cell, style)));
    }
    let numeric: Vec<usize> = (0..table.columns.len())
        .filter(|i| is_numeric(table, *i))
        .collect();
    draw(builder, style, out, |drawn| {
        for column in numeric {
            drawn.modify(Columns::one(column), Alignment::right());
        }
    })
}

/// Writes the hits of `find`: when, what, who to whom, where, why.
///
/// # Errors
/// When `out` cannot take it.
pub fn hits(table: &Table, style: &Style, out: &mut dyn Write) -> Result<()> {
    let mut builder = Builder::new();
    builder.push_record([
        "time",
        "status",
        "sender",
        "recipient",
        "queue id",
        "via",
        "dsn",
        "reason",
    ]);
    let mut colors = Vec::new();
    for hit in rows(table) {
        colors.push(color(&hit.status()));
        builder.push_record(record(&hit, style));
    }
    let is_coloured = style.color;
    draw(builder, style, out, |drawn| {
        for (row, color) in colors.into_iter().enumerate().filter(|_| is_coloured) {
            if let Some(color) = color {
                drawn.modify(Place::new(row + 1, 1), color);
            }
        }
    })
}

fn record(hit: &Hit<'_>, style: &Style) -> [String; 8] {
    let text = |column| hit.text(column).map(String::from).unwrap_or_default();
    let relay = hit.text("relay").filter(|r| *r != "none").map(String::from);
    let via = if hit.is_refusal() {
        hit.client()
    } else {
        relay
    };
    [
        hit.time("time")
            .map(|t| moment(t, style))
            .unwrap_or_default(),
        hit.status().into_owned(),
        hit.text("sender").map_or("-".into(), |s| {
            if s.is_empty() {
                "<>".into()
            } else {
                s.into_owned()
            }
        }),
        hit.text("recipient").map_or("-".into(), String::from),
        text("queue_id"),
        via.unwrap_or_default(),
        text("dsn"),
        text("reason"),
    ]
}

/// Green for delivered, red for failed for good, yellow for what may still come.
fn color(status: &str) -> Option<Color> {
    match status {
        "sent" | "filtered" | "relayed" | "forwarded" => Some(Color::FG_GREEN),
        "bounced" | "expired" | "deleted" => Some(Color::FG_RED),
        s if s.contains("reject") => Some(Color::FG_RED),
        "deferred" | "SOFTBOUNCE" | "held" | "queued" | "receiving" => Some(Color::FG_YELLOW),
        _ => None,
    }
}

/// Draws and fits. A single blank after the last column's text is not printed.
fn draw(
    builder: Builder,
    style: &Style,
    out: &mut dyn Write,
    adjust: impl FnOnce(&mut tabled::Table),
) -> Result<()> {
    let mut drawn = builder.build();
    drawn.with(Lines::psql());
    adjust(&mut drawn);
    if let Some(width) = style.width {
        drawn.with(
            Width::truncate(usize::from(width))
                .suffix("…")
                .priority(PriorityMax::right()),
        );
    }
    for line in drawn.to_string().lines() {
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// Tells whether a column holds numbers only.
fn is_numeric(table: &Table, column: usize) -> bool {
    let mut cells = table.rows.iter().filter_map(|row| row.get(column));
    let is_number = |cell: &Cell| {
        matches!(
            cell,
            Cell::Int(_) | Cell::Big(_) | Cell::Float(_) | Cell::Null
        )
    };
    let has_number = table
        .rows
        .iter()
        .filter_map(|row| row.get(column))
        .any(|c| *c != Cell::Null);
    has_number && cells.all(is_number)
}

fn shown(cell: &Cell, style: &Style) -> String {
    match cell {
        Cell::Time(time) => moment(*time, style),
        cell => escape::terminal(&json::exact(cell)).into_owned(),
    }
}

/// Returns the time in the user's zone, without the zone: the columns of one table share it.
fn moment(time: crate::model::time::Time, style: &Style) -> String {
    style.zone.local(time).map_or_else(
        || time.0.to_string(),
        |t| t.format("%Y-%m-%d %H:%M:%S").to_string(),
    )
}
