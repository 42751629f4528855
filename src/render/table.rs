//! Table: columns for a terminal, shortened to its width.
//!
//! Limits: a result with more columns than the terminal can show eight letters of each is wider than the terminal.

use super::color::Tone;
use super::row;
use super::{Style, escape};
use crate::model::table::{Cell, Table};
use std::io::{self, Write};
use tabled::builder::Builder;
use tabled::grid::util::string::{get_char_width, get_string_width};
use tabled::settings::object::{Cell as Place, Columns, Rows};
use tabled::settings::{Alignment, Color, Padding, Style as Borders};

/// A column is not made narrower than this: less would say nothing.
const LEAST: usize = 8;
/// Blanks between two columns.
const GAP: usize = 2;

/// Writes any table; nothing when it has no rows.
pub(super) fn write(table: &Table, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let right: Vec<bool> = (0..table.columns.len())
        .map(|column| is_numeric(table, column))
        .collect();
    let rows = table
        .rows
        .iter()
        .map(|cells| cells.iter().map(|cell| row::cell(cell, style)).collect())
        .collect();
    draw(
        Drawing {
            columns: table.columns.clone(),
            rows,
            right,
            tones: Vec::new(),
        },
        style,
        out,
    )
}

/// Texts ready to be drawn.
pub(super) struct Drawing {
    /// Headers.
    pub(super) columns: Vec<String>,
    /// Harmless texts.
    pub(super) rows: Vec<Vec<String>>,
    /// Columns to be set flush right.
    pub(super) right: Vec<bool>,
    /// Row, column, tone.
    pub(super) tones: Vec<(usize, usize, Tone)>,
}

/// Writes what is ready to be drawn.
pub(super) fn draw(drawing: Drawing, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    if drawing.rows.is_empty() || drawing.columns.is_empty() {
        return Ok(());
    }
    let columns: Vec<String> = drawing
        .columns
        .iter()
        .map(|name| escape::terminal(name).into_owned())
        .collect();
    let widths = fit(
        &natural(&columns, &drawing.rows),
        style.width.map(usize::from),
    );
    let mut builder = Builder::default();
    for texts in std::iter::once(&columns).chain(&drawing.rows) {
        builder.push_record(
            texts
                .iter()
                .zip(&widths)
                .map(|(text, width)| shorten(text, *width)),
        );
    }
    let mut table = builder.build();
    table
        .with(Borders::empty())
        .with(Padding::new(0, GAP, 0, 0));
    for (column, _) in drawing
        .right
        .iter()
        .enumerate()
        .filter(|(_, right)| **right)
    {
        table.modify(Columns::one(column), Alignment::right());
    }
    if style.color {
        table.modify(Rows::first(), Color::BOLD);
        for (row, column, tone) in drawing.tones {
            if let Some(color) = tone.color() {
                table.modify(Place::new(row + 1, column), color);
            }
        }
    }
    for line in table.to_string().lines() {
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

fn is_numeric(table: &Table, column: usize) -> bool {
    let mut cells = table
        .rows
        .iter()
        .filter_map(|row| row.get(column))
        .filter(|cell| **cell != Cell::Null)
        .peekable();
    cells.peek().is_some()
        && cells.all(|cell| matches!(cell, Cell::Int(_) | Cell::Big(_) | Cell::Float(_)))
}

fn natural(columns: &[String], rows: &[Vec<String>]) -> Vec<usize> {
    let mut widths: Vec<usize> = columns.iter().map(|name| get_string_width(name)).collect();
    for texts in rows {
        for (width, text) in widths.iter_mut().zip(texts) {
            *width = (*width).max(get_string_width(text));
        }
    }
    widths
}

/// Takes from the widest column until all fit or none can give any more.
fn fit(natural: &[usize], width: Option<usize>) -> Vec<usize> {
    let mut widths = natural.to_vec();
    let Some(width) = width else { return widths };
    // The gap after the last column is cut off.
    let room = (width + GAP).saturating_sub(GAP * widths.len());
    loop {
        let excess = widths.iter().sum::<usize>().saturating_sub(room);
        let widest = widths.iter().copied().max().unwrap_or(0);
        if excess == 0 || widest <= LEAST {
            return widths;
        }
        let next = widths
            .iter()
            .copied()
            .filter(|w| *w < widest)
            .max()
            .unwrap_or(0)
            .max(LEAST);
        let fair = widest.saturating_sub(excess).max(next);
        if let Some(last) = widths.iter_mut().rev().find(|w| **w == widest) {
            // One less than the others of the same width, where there are some.
            *last = fair.min(widest - 1);
        }
    }
}

/// Returns the text in at most `width` columns, with `…` where something was cut off.
pub(super) fn shorten(text: &str, width: usize) -> String {
    if get_string_width(text) <= width {
        return text.to_owned();
    }
    let mut short = String::new();
    let mut used = 1;
    for c in text.chars() {
        used += get_char_width(c);
        if used > width {
            break;
        }
        short.push(c);
    }
    short.push('…');
    short
}
