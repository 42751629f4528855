//! Mark: bars beside numbers and sparklines of lists, for eyes.
//!
//! Promises: as wide as is left on the terminal, never wider; nothing where it would say nothing (no room, no number above
//! zero). Without UTF-8 they are drawn in ASCII.

use super::{Style, row};
use crate::model::table::{Cell, Table};
use tabled::grid::util::string::get_string_width;

/// Which columns say more as a shape.
#[derive(Debug, Clone, Copy, Default)]
pub struct Marks<'a> {
    /// Columns of numbers with a bar beside them.
    pub bars: &'a [&'a str],
    /// Columns of lists of numbers, drawn in place of the numbers.
    pub sparks: &'a [&'a str],
    /// The terminal knows no block characters.
    pub is_ascii: bool,
}

/// A longer bar says no more.
const LONGEST: usize = 24;
/// A shorter one says nothing.
const SHORTEST: usize = 4;
/// Blanks between two columns of a table.
const GAP: usize = 2;

const EIGHTHS: [char; 9] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];
const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const ASCII_LEVELS: [char; 8] = ['_', '.', ':', '-', '=', '+', '*', '#'];

/// Returns the table with its marks drawn.
pub(super) fn draw(table: &Table, marks: &Marks<'_>, style: &Style) -> Table {
    let mut drawn = table.clone();
    for column in marks.sparks {
        if let Some(at) = position(&drawn, column) {
            sparks(&mut drawn, at, marks.is_ascii);
        }
    }
    let room = room(&drawn, marks.bars.len(), style);
    for column in marks.bars {
        if let (Some(at), Some(room)) = (position(&drawn, column), room) {
            bars(&mut drawn, at, room, marks.is_ascii);
        }
    }
    drawn
}

fn position(table: &Table, column: &str) -> Option<usize> {
    table.columns.iter().position(|name| name == column)
}

/// Returns how long each of so many bars may be.
fn room(table: &Table, count: usize, style: &Style) -> Option<usize> {
    let Some(width) = style.width.map(usize::from) else {
        return Some(LONGEST);
    };
    let mut used = 0;
    for (at, name) in table.columns.iter().enumerate() {
        let cells = table.rows.iter().filter_map(|row| row.get(at));
        let widest = cells
            .map(|cell| get_string_width(&row::cell(cell, style)))
            .max();
        used += GAP + widest.unwrap_or(0).max(get_string_width(name));
    }
    let left = (width + GAP).checked_sub(used)? / count.max(1);
    let room = left.checked_sub(GAP)?.min(LONGEST);
    (room >= SHORTEST).then_some(room)
}

fn bars(table: &mut Table, at: usize, room: usize, is_ascii: bool) {
    let numbers: Vec<f64> = table
        .rows
        .iter()
        .map(|row| row.get(at).and_then(number).unwrap_or(0.0))
        .collect();
    let most = numbers.iter().copied().fold(0.0, f64::max);
    if most <= 0.0 {
        return;
    }
    table.columns.insert(at + 1, String::new());
    for (row, number) in table.rows.iter_mut().zip(numbers) {
        let bar = bar(number / most, room, is_ascii);
        row.insert((at + 1).min(row.len()), Cell::Text(bar));
    }
}

/// Returns a bar for a share from 0 to 1 of the room; anything above nothing is seen.
fn bar(share: f64, room: usize, is_ascii: bool) -> String {
    let parts = if is_ascii { 1 } else { 8 };
    let length = steps(share, room * parts);
    if is_ascii {
        return "#".repeat(length);
    }
    let mut bar = "█".repeat(length / 8);
    bar.extend(EIGHTHS.get(length % 8).filter(|eighth| **eighth != ' '));
    bar
}

/// Returns the share of so many steps, at least one when there is anything.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "some hundred steps at most"
)]
fn steps(share: f64, most: usize) -> usize {
    if share <= 0.0 {
        return 0;
    }
    ((share.min(1.0) * most as f64).round() as usize).clamp(1, most)
}

fn sparks(table: &mut Table, at: usize, is_ascii: bool) {
    for row in &mut table.rows {
        if let Some(cell) = row.get_mut(at)
            && let Cell::List(cells) = cell
        {
            *cell = Cell::Text(spark(cells, is_ascii));
        }
    }
}

/// Returns a line of levels: the lowest for nothing, the highest for the most of this row.
fn spark(cells: &[Cell], is_ascii: bool) -> String {
    let levels = if is_ascii { ASCII_LEVELS } else { LEVELS };
    let numbers: Vec<f64> = cells.iter().map(|c| number(c).unwrap_or(0.0)).collect();
    let most = numbers.iter().copied().fold(0.0, f64::max);
    numbers
        .iter()
        .filter_map(|number| {
            let share = if most > 0.0 { number / most } else { 0.0 };
            levels.get(steps(share, levels.len() - 1))
        })
        .collect()
}

fn number(cell: &Cell) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "a length on the screen")]
    let number = match cell {
        Cell::Int(number) => *number as f64,
        Cell::Big(number) => *number as f64,
        Cell::Float(number) => *number,
        _ => return None,
    };
    number.is_finite().then_some(number)
}
