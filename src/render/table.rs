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
pub(super) const GAP: usize = 2;

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
            whole: Vec::new(),
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
    /// Columns that say nothing when cut; they are cut last.
    pub(super) whole: Vec<bool>,
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
    let natural = natural(&columns, &drawing.rows);
    let widths = fit(&natural, &drawing.whole, style.width.map(usize::from));
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

/// What a column needs at least for a table to be readable, if it is that wide.
const READABLE: usize = 16;

/// Returns whether each column gets its width, or enough to be read.
pub(super) fn is_readable(table: &Table, style: &Style) -> bool {
    let Some(width) = style.width.map(usize::from) else {
        return true;
    };
    let rows: Vec<Vec<String>> = table
        .rows
        .iter()
        .map(|cells| cells.iter().map(|cell| row::cell(cell, style)).collect())
        .collect();
    let least: usize = natural(&table.columns, &rows)
        .iter()
        .map(|width| (*width).min(READABLE) + GAP)
        .sum();
    least <= width + GAP
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

pub(super) fn natural(columns: &[String], rows: &[Vec<String>]) -> Vec<usize> {
    let mut widths: Vec<usize> = columns.iter().map(|name| get_string_width(name)).collect();
    for texts in rows {
        for (width, text) in widths.iter_mut().zip(texts) {
            *width = (*width).max(get_string_width(text));
        }
    }
    widths
}

/// Takes from the widest column until all fit or none can give any more; from those that should stay whole at last.
fn fit(natural: &[usize], whole: &[bool], width: Option<usize>) -> Vec<usize> {
    let Some(width) = width else {
        return natural.to_vec();
    };
    // The gap after the last column is cut off.
    let room = (width + GAP).saturating_sub(GAP * natural.len());
    let mut widths: Vec<usize> = natural.iter().map(|w| (*w).min(room.max(LEAST))).collect();
    for spares in [true, false] {
        loop {
            let excess = widths.iter().sum::<usize>().saturating_sub(room);
            let may_give = |i: usize| !(spares && whole.get(i).is_some_and(|whole| *whole));
            let widest = widths
                .iter_mut()
                .enumerate()
                .filter(|(i, _)| may_give(*i))
                .map(|(_, w)| w)
                .max();
            match widest {
                Some(widest) if excess > 0 && *widest > LEAST => *widest -= 1,
                _ => break,
            }
        }
    }
    widths
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
