//! Table: columns for a terminal, shortened to its width.
//!
//! Limits: a table of hits with more columns than the terminal can show eight letters of each is wider than the terminal.

use super::color::Tone;
use super::row;
use super::{Style, escape, wrap};
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

/// Columns of addresses and names: cut they may be anybody's.
const NAMES: [&str; 12] = [
    "address",
    "client_address",
    "network",
    "sender",
    "recipient",
    "orig_to",
    "sasl_username",
    "user",
    "queue_id",
    "domain",
    "host",
    "dsn",
];

/// Writes any table; nothing when it has no rows.
///
/// Numbers, times, addresses and names are never cut, other texts not to less than can be read: columns for which there is no room are
/// written below, a row in several lines.
pub(super) fn write(table: &Table, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let right: Vec<bool> = (0..table.columns.len())
        .map(|column| is_numeric(table, column))
        .collect();
    let whole: Vec<bool> = (0..table.columns.len())
        .map(|column| {
            let is_name = table
                .columns
                .get(column)
                .is_some_and(|name| NAMES.contains(&name.as_str()));
            is_name || right.get(column).is_some_and(|right| *right) || is_time(table, column)
        })
        .collect();
    let rows = table
        .rows
        .iter()
        .map(|cells| cells.iter().map(|cell| row::cell(cell, style)).collect())
        .collect();
    let drawing = Drawing {
        columns: table
            .columns
            .iter()
            .map(|name| escape::terminal(name).into_owned())
            .collect(),
        rows,
        right,
        whole,
        tones: Vec::new(),
    };
    let natural = natural(&drawing.columns, &drawing.rows);
    let least = natural.iter().zip(&drawing.whole);
    let least = least.map(|(width, whole)| {
        GAP + if *whole {
            *width
        } else {
            (*width).min(READABLE)
        }
    });
    match style.width.map(usize::from) {
        Some(width) if least.sum::<usize>() > width + GAP => {
            fold(&drawing, &natural, width, style, out)
        }
        _ => draw(drawing, style, out),
    }
}

/// Writes the columns that fit beside each other as a table, and the others of each row below it by their names.
fn fold(
    drawing: &Drawing,
    natural: &[usize],
    width: usize,
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    /// Before what is below.
    const INDENT: usize = 4;
    let mut room = width + GAP;
    let beside: Vec<bool> = natural
        .iter()
        .enumerate()
        .map(|(i, wants)| {
            let fits = wants + GAP <= room || i == 0;
            room = room.saturating_sub(if fits { wants + GAP } else { 0 });
            fits
        })
        .collect();
    let pick = |texts: &[String], side: bool| -> Vec<String> {
        let texts = texts
            .iter()
            .zip(&beside)
            .filter(|(_, beside)| **beside == side);
        texts.map(|(text, _)| text.clone()).collect()
    };
    let mut top = Vec::new();
    let table = Drawing {
        columns: pick(&drawing.columns, true),
        rows: drawing.rows.iter().map(|row| pick(row, true)).collect(),
        right: drawing
            .right
            .iter()
            .zip(&beside)
            .filter(|(_, b)| **b)
            .map(|(r, _)| *r)
            .collect(),
        whole: Vec::new(),
        tones: Vec::new(),
    };
    draw(table, style, &mut top)?;
    let top = String::from_utf8_lossy(&top);
    let mut lines = top.lines();
    if let Some(head) = lines.next() {
        writeln!(out, "{head}")?;
    }
    let names = pick(&drawing.columns, false);
    for (row, line) in drawing.rows.iter().zip(lines) {
        writeln!(out, "{line}")?;
        let texts = pick(row, false);
        let told = names
            .iter()
            .zip(&texts)
            .filter(|(_, text)| !text.is_empty());
        let told: Vec<String> = told.map(|(name, text)| format!("{name} {text}")).collect();
        let room = width.saturating_sub(INDENT);
        for line in wrap::lines(&told.join(", "), 0, 0, u16::try_from(room).ok()) {
            for line in pieces(&line, room) {
                writeln!(out, "{}{line}", " ".repeat(INDENT))?;
            }
        }
    }
    Ok(())
}

/// Returns the text in pieces of at most that many columns: a word may be longer than a line.
fn pieces(text: &str, width: usize) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut used = 0;
    for c in text.chars() {
        let wide = get_char_width(c);
        if used + wide > width.max(LEAST) {
            pieces.push(String::new());
            used = 0;
        }
        used += wide;
        if let Some(piece) = pieces.last_mut() {
            piece.push(c);
        }
    }
    pieces
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

impl Drawing {
    /// Takes a column out that says nothing.
    pub(super) fn drop_column(&mut self, column: usize) {
        let drop = |list: &mut Vec<bool>| {
            if column < list.len() {
                list.remove(column);
            }
        };
        for texts in std::iter::once(&mut self.columns).chain(&mut self.rows) {
            if column < texts.len() {
                texts.remove(column);
            }
        }
        drop(&mut self.right);
        drop(&mut self.whole);
    }
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

fn is_time(table: &Table, column: usize) -> bool {
    let mut cells = table.rows.iter().filter_map(|row| row.get(column));
    cells.any(|cell| matches!(cell, Cell::Time(_)))
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
