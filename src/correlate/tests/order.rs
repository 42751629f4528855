//! Lines of messages that bear the same stamp may come in any order: the rows of mail are the same.

use super::batches::stories;
use super::reader::Reader;
use super::tables::Tables;
use crate::correlate::{Correlator, Settings};
use crate::model::entry::Entry;
use crate::model::event::Event;
use crate::parse::{parse, queue_id};
use std::collections::BTreeMap;

/// Stories whose rows depend on the order of lines of one second: two mails that only their order tells apart, lines that come
/// before the first of their message (a label, a warning), two records of one recipient, and a host that changed its name.
const ORDERED: [&str; 7] = [
    "# A label replaced the tag",
    "# A short id is used again",
    "# Message ids are free text",
    "# The envelope names a recipient twice",
    "# The queue lies on a volume",
    "# cleanup does not take a local mail now",
    "# sendmail -bs",
];

fn tables(entries: &[Entry<'_>]) -> Tables {
    let mut correlator = Correlator::new(Settings::default());
    for entry in entries {
        correlator.feed(entry, &parse(entry));
    }
    let mut tables = Tables::default();
    tables.apply(correlator.drain());
    tables
}

/// The rows of mail by content: ids are those of queue files. What a session told (TLS) comes by its own lines.
fn mail(t: &Tables) -> Vec<String> {
    let name = |id: i64| {
        t.from.get(&id).map_or_else(String::new, |m| {
            format!("{}/{}/{}/{}", m.host, m.instance, m.queue_id, m.time.0)
        })
    };
    let mut rows: Vec<String> = Vec::new();
    for m in t.from.values() {
        let row = crate::model::row::DeliveryFrom {
            id: 0,
            parent_id: None,
            root_id: 0,
            tls: None,
            ..m.clone()
        };
        let parent = m.parent_id.map(name);
        let mut to: Vec<String> = t
            .recipients(m.id)
            .map(|r| {
                let mut r = r.clone();
                let mut earlier: Vec<String> = t
                    .attempts
                    .values()
                    .filter(|a| a.to_id == r.id)
                    .map(|a| {
                        let mut a = a.clone();
                        (a.id, a.to_id, a.from_id, a.state.tls) = (0, 0, 0, None);
                        format!("{a:?}")
                    })
                    .collect();
                earlier.sort();
                (r.id, r.from_id, r.state.tls) = (0, 0, None);
                format!("{r:?} {earlier:?}")
            })
            .collect();
        to.sort();
        rows.push(format!(
            "{row:?} of {parent:?} in {}\n  {}",
            name(m.root_id),
            to.join("\n  ")
        ));
    }
    rows.sort();
    rows
}

/// Tells whether the line may change its place: not those of a message of which a warning, a refusal or a header check, which
/// start none, or the end of the session, which names none, has the same stamp.
fn is_of_message(entry: &Entry<'_>, all: &[Entry<'_>]) -> bool {
    let Some((id, _)) = queue_id::split(entry.text) else {
        return false;
    };
    let fixes = |e: &Entry<'_>| match parse(e) {
        Event::Abort { .. } => e.pid == entry.pid,
        Event::Note { queue_id, .. } => queue_id == Some(id),
        Event::Policy(p) => p.queue_id == Some(id),
        Event::Content(_) => e.text.contains(id),
        _ => {
            let warning = e.text.strip_prefix("warning: ");
            warning.is_some_and(|text| text.starts_with(id))
        }
    };
    !all.iter().any(|e| e.time == entry.time && fixes(e))
}

/// Shuffles the lines of messages among the places of lines with their stamp.
fn shuffled<'a>(entries: &[Entry<'a>], keys: &[u32]) -> Vec<Entry<'a>> {
    let mut out = entries.to_vec();
    let mut by_stamp: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (at, entry) in entries
        .iter()
        .enumerate()
        .filter(|(_, e)| is_of_message(e, entries))
    {
        by_stamp
            .entry((entry.host, entry.time))
            .or_default()
            .push(at);
    }
    let mut keys = keys.iter().cycle().copied();
    for places in by_stamp.values() {
        let mut order: Vec<(u32, usize)> = places
            .iter()
            .map(|at| (keys.next().unwrap_or(0), *at))
            .collect();
        order.sort_unstable();
        for (place, (_, from)) in places.iter().zip(order) {
            out[*place] = entries[from];
        }
    }
    out
}

fn assert_same_in_any_order(log: &str, keys: &[u32]) {
    let mut reader = Reader::new(2026);
    // The demo log numbers the lines within a second: whole seconds are what Postfix wrote.
    let entries: Vec<Entry<'_>> = log
        .lines()
        .filter_map(|line| reader.entry(line))
        .map(|mut e| {
            e.time = e
                .time
                .map(|t| crate::model::time::Time(t.0.div_euclid(1_000_000) * 1_000_000));
            e
        })
        .collect();
    let (straight, other) = (
        mail(&tables(&entries)),
        mail(&tables(&shuffled(&entries, keys))),
    );
    let missing: Vec<_> = straight.iter().filter(|row| !other.contains(row)).collect();
    let added: Vec<_> = other.iter().filter(|row| !straight.contains(row)).collect();
    assert!(
        missing.is_empty() && added.is_empty(),
        "{}\n--- in order:\n{missing:#?}\n--- shuffled:\n{added:#?}",
        log.lines().next().unwrap_or_default()
    );
}

#[test]
fn lines_of_one_second_may_come_in_any_order() {
    for story in stories() {
        if ORDERED.iter().any(|start| story.starts_with(start)) {
            continue;
        }
        for seed in 1_u32..24 {
            let keys: Vec<u32> = (1_u32..997)
                .map(|n| n.wrapping_mul(2_654_435_761).rotate_left(seed) ^ (seed << 7))
                .collect();
            assert_same_in_any_order(&story, &keys);
        }
    }
}

/// The number of messages of a generated log is that of its truth, however the lines of a second are mixed.
#[test]
fn a_generated_log_may_come_in_any_order() {
    let path = std::env::var("MAILLOG_LOGGEN").unwrap_or_default();
    if let Ok(log) = std::fs::read_to_string(&path) {
        let keys: Vec<u32> = (1_u32..9973)
            .map(|n| n.wrapping_mul(2_654_435_761))
            .collect();
        assert_same_in_any_order(&log, &keys);
    }
}
