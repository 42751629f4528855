//! Account: what is counted of a record, and what of it is kept apart from mail.

use super::stats::{Class, Summary};
use super::stream::Stream;
use crate::metrics::{Outcome, Tally};
use crate::model::entry::Entry;
use crate::model::event::Event;
use crate::model::row::UnparsedRow;
use crate::model::time::{DAY, Time};
use crate::parse;
use std::collections::HashMap;

/// Bytes of a line that are shown as a sample.
const SAMPLE_BYTES: usize = 240;
/// Templates of lines not understood that one batch holds; more are counted under one name.
const UNPARSED_LIMIT: usize = 1000;

/// Counts the records of a source.
pub(super) fn count_lines(tally: &mut Tally, source: &str, counted: &Summary) {
    let parsed = counted.understood - counted.ignored;
    tally.lines(source, Outcome::Parsed, parsed);
    tally.lines(source, Outcome::Ignored, counted.ignored + counted.foreign);
    let unknown = counted.not_understood + counted.undated;
    tally.lines(source, Outcome::Unparsed, unknown);
    tally.lines(source, Outcome::Known, counted.known);
    if counted.lost > 0 {
        tally.gap(source, "lost");
    }
}

/// Enters a record that another source told before.
pub(super) fn know(stream: &mut Stream, summary: &mut Summary, entry: &Entry<'_>, other: &str) {
    summary.lines += 1;
    summary.known += 1;
    if !summary.known_from.contains(other) {
        summary.known_from.insert(other.to_owned());
    }
    if let Some(time) = entry.time {
        stream.ledger.know(entry.host, time);
        summary.see(time);
    }
}

/// Enters a record in the ledger of its source.
pub(super) fn account(
    stream: &mut Stream,
    summary: &mut Summary,
    entry: &Entry<'_>,
    event: &Event<'_>,
    class: Class,
    now: Time,
) {
    let Some(time) = entry.time else {
        let (lines, sample) = &mut stream.undated;
        if *lines == 0 {
            *sample = parse::template(entry.raw);
        }
        *lines += 1;
        let first = || head(entry.raw).to_owned();
        summary.undated_sample.get_or_insert_with(first);
        return;
    };
    stream.ledger.count(entry.host, time, class);
    summary.see(time);
    summary.future += u64::from(time.since(now) > DAY);
    if let Event::Loss { lines, .. } = event {
        stream.ledger.lose(entry.host, time, lines.unwrap_or(1));
        summary.lost += lines.unwrap_or(1);
    }
    if let Event::Other { text, .. } = event {
        note_unparsed(&mut stream.unparsed, entry, text);
    }
}

/// Keeps the first line of a source, as far as that is wanted; `lines` were counted of the part.
pub(super) fn first(sample: &mut Option<String>, lines: u64, entry: &Entry<'_>) {
    if lines == 1
        && let Some(sample) = sample.as_mut().filter(|sample| sample.is_empty())
    {
        head(entry.raw).clone_into(sample);
    }
}

/// Returns what is shown of a line.
fn head(line: &str) -> &str {
    line.get(..line.floor_char_boundary(SAMPLE_BYTES))
        .unwrap_or(line)
}

fn note_unparsed(
    unparsed: &mut HashMap<(String, String), UnparsedRow>,
    entry: &Entry<'_>,
    text: &str,
) {
    let mut key = (entry.program().to_owned(), parse::template(text));
    if unparsed.len() >= UNPARSED_LIMIT && !unparsed.contains_key(&key) {
        "(more templates)".clone_into(&mut key.1);
    }
    let row = unparsed
        .entry(key)
        .or_insert_with_key(|(service, template)| UnparsedRow {
            service: service.as_str().into(),
            template: template.as_str().into(),
            sample: text.into(),
            first_time: entry.time,
            last_time: entry.time,
            count: 0,
        });
    row.count += 1;
    row.first_time = row.first_time.min(entry.time).or(entry.time);
    row.last_time = row.last_time.max(entry.time);
}
