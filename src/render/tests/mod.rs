//! Tests of the whole stage: tables in, bytes out.

mod asked;
mod formats;
mod harmless;
mod marks;
mod stories;

use super::{Format, Style};
use crate::model::table::{Cell, Table};
use crate::model::time::{SECOND, Time};
use crate::model::zone::Zone;
use crate::story::{Story, StoryInput};
use chrono_tz::Tz;

/// 2026-11-20 10:00:00 UTC, 11:00 in Berlin.
pub(super) const T: Time = Time(1_795_168_800_000_000);

pub(super) fn at(seconds: i64) -> Cell {
    Cell::Time(T.plus(seconds * SECOND))
}

pub(super) fn text(text: &str) -> Cell {
    Cell::Text(text.into())
}

pub(super) fn table(columns: &[&str], rows: Vec<Vec<Cell>>) -> Table {
    Table {
        columns: columns.iter().map(|c| (*c).to_owned()).collect(),
        rows,
    }
}

pub(super) fn berlin(width: Option<u16>) -> Style {
    Style {
        color: false,
        width,
        zone: Zone::Named(Tz::Europe__Berlin),
    }
}

/// What a search returns, with the columns that people look at.
pub(super) fn hits() -> Table {
    let columns = [
        "time",
        "kind",
        "queue_id",
        "status",
        "sender",
        "recipient",
        "client_name",
        "client_address",
        "relay",
        "dsn",
        "reason",
    ];
    // `~` is NULL.
    let rows = [
        "mail|3A1973E542|sent|bob@example.net|alice@example.org|mail.example.com|192.0.2.1|mx.example.net[198.51.100.1]:25|2.0.0|\
         250 2.0.0 Ok: queued as 4fQnFR2wTjz8tX9",
        "mail|3A1973E543|queued|~|~|~|~|~|~|~",
        "refused|~|reject||名前@例え.example|unknown|2001:db8::7|~|5.7.1|Relay\u{1b}[2J access\r\ndenied",
        "mail|3A1973E542|deferred|bob@example.net|carol@example.org|~|~|none|4.4.1|\
         connect to mx.example.org[203.0.113.7]:25: Connection timed out",
    ];
    let cell = |value: &str| {
        if value == "~" {
            Cell::Null
        } else {
            text(value)
        }
    };
    let row = |(i, row): (i64, &str)| {
        std::iter::once(at(i))
            .chain(row.split('|').map(cell))
            .collect()
    };
    table(&columns, (0..).zip(rows).map(row).collect())
}

pub(super) fn shown(table: &Table, format: Format, style: &Style) -> String {
    let mut out = Vec::new();
    super::table(table, format, style, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

pub(super) fn shown_hits(table: &Table, format: Format, style: &Style) -> String {
    let mut out = Vec::new();
    super::hits(table, format, style, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// Writes the story; nothing where there is none.
pub(super) fn write_story(input: &StoryInput, style: &Style, out: &mut Vec<u8>) {
    if let Some(story) = Story::of(input) {
        super::story::write(&story, style, out).unwrap();
    }
}

/// Writes the ticket; nothing where there is none.
pub(super) fn write_ticket(input: &StoryInput, style: &Style, out: &mut Vec<u8>) {
    if let Some(story) = Story::of(input) {
        super::ticket::write(&story, style, out).unwrap();
    }
}
