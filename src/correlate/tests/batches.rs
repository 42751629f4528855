//! The rows do not depend on where batches end, nor on restarts between them.

use super::reader::Reader;
use super::tables::Tables;
use crate::correlate::{Correlator, Settings};
use crate::model::entry::Entry;
use crate::parse::parse;
use proptest::prelude::*;

fn settings() -> Settings {
    Settings {
        log_line_from: Some(crate::model::time::Time(0)),
        ..Settings::default()
    }
}

/// Feeds the entries, drains after those in `cuts`, and starts anew there where the flag says so.
fn run(entries: &[Entry<'_>], cuts: &[(usize, bool)]) -> Tables {
    let mut correlator = Correlator::new(settings());
    let mut tables = Tables::default();
    for (n, entry) in entries.iter().enumerate() {
        correlator.feed(entry, &parse(entry));
        for (_, is_restart) in cuts.iter().filter(|(at, _)| *at == n) {
            tables.apply(correlator.drain());
            if *is_restart {
                correlator = tables.restart(settings());
            }
        }
    }
    tables.apply(correlator.drain());
    tables
}

pub(super) fn stories() -> Vec<String> {
    let mut paths: Vec<_> = std::fs::read_dir("testlogs/stories")
        .unwrap()
        .map(|f| f.unwrap().path())
        .collect();
    paths.sort();
    let log = paths
        .iter()
        .filter(|p| p.extension().is_some_and(|e| e == "log"));
    log.map(|p| std::fs::read_to_string(p).unwrap()).collect()
}

fn assert_same(whole: &Tables, cut: &Tables) {
    if whole == cut {
        return;
    }
    assert_eq!(whole.show(), cut.show());
    assert_eq!(whole.state, cut.state);
    assert_eq!(whole, cut);
}

#[test]
fn drained_or_restarted_after_every_line_the_stories_are_the_same() {
    for story in stories() {
        let mut reader = Reader::new(2026);
        let entries: Vec<_> = story.lines().filter_map(|l| reader.entry(l)).collect();
        let whole = run(&entries, &[]);
        let every = |flag| (0..entries.len()).map(|n| (n, flag)).collect::<Vec<_>>();
        assert_same(&whole, &run(&entries, &every(false)));
        assert_same(&whole, &run(&entries, &every(true)));
    }
}

/// Deals the lines of several stories into one log, each story in its own order.
fn interleave<'a>(stories: &[Vec<Entry<'a>>], picks: &[usize]) -> Vec<Entry<'a>> {
    let mut left: Vec<_> = stories.iter().map(|s| s.iter()).collect();
    let mut out = Vec::new();
    let mut picks = picks.iter().cycle();
    while !left.is_empty() {
        let at = picks.next().unwrap() % left.len();
        match left[at].next() {
            Some(entry) => out.push(*entry),
            None => drop(left.remove(at)),
        }
    }
    out
}

proptest! {
    #[test]
    fn interleaved_stories_are_the_same_however_cut(
        chosen in prop::collection::vec(0usize..1000, 1..6),
        picks in prop::collection::vec(0usize..1000, 1..60),
        cuts in prop::collection::vec((0usize..160, any::<bool>()), 0..8),
    ) {
        let all = stories();
        let chosen: Vec<Vec<Entry<'_>>> = chosen
            .iter()
            .map(|n| {
                let mut reader = Reader::new(2026);
                all[n % all.len()].lines().filter_map(|l| reader.entry(l)).collect()
            })
            .collect();
        let entries = interleave(&chosen, &picks);
        assert_same(&run(&entries, &[]), &run(&entries, &cuts));
    }

    #[test]
    fn any_order_of_any_lines_is_survived(
        picks in prop::collection::vec((0usize..1000, 0usize..1000), 1..80),
        cuts in prop::collection::vec((0usize..80, any::<bool>()), 0..4),
    ) {
        let all = stories();
        let lines: Vec<Vec<&str>> = all.iter().map(|s| s.lines().collect()).collect();
        let mut entries = Vec::new();
        for (story, line) in &picks {
            let story = &lines[story % lines.len()];
            let mut reader = Reader::new(2026);
            entries.extend(reader.entry(story[line % story.len()]));
        }
        assert_same(&run(&entries, &[]), &run(&entries, &cuts));
    }
}
