//! Threshold: what was reported is not reported again for a time; what is there again when that time ends is recurring.
//!
//! Promises: an event comes out of one run as reported or as suppressed, never as both and never as neither. Two reports
//! of one class and source lie at least the silence apart. A suppressed event is reported as recurring at most once.
//!
//! One state belongs to one contact and one severity: what another contact was told silences nobody else.

use super::severity::{Periods, Window};
use crate::model::time::Time;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Stands between class and source of a key.
const JOINT: &str = "+++";

/// What is reported, suppressed and recurring is told of by class and source.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Key(String);

impl Key {
    /// Returns the key of a class and a source.
    #[must_use]
    pub fn new(class: &str, source: &str) -> Self {
        Self(format!("{class}{JOINT}{source}"))
    }

    /// Returns the key as it is stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns class and source.
    #[must_use]
    pub fn parts(&self) -> (&str, &str) {
        self.0.split_once(JOINT).unwrap_or((&self.0, ""))
    }
}

/// What is remembered of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// When it was reported.
    pub reported: Time,
    /// From then on a recurrence counts.
    pub relapse: Time,
    /// Until then it is not repeated.
    pub until: Time,
}

impl Record {
    fn new(at: Time, periods: Periods) -> Self {
        let until = at.plus(periods.silence);
        Self {
            reported: at,
            relapse: until.plus(-periods.tail),
            until,
        }
    }

    /// Without a tail the last moment of the silence belongs to what follows: nothing will look back at it.
    fn is_live(&self, at: Time, periods: Periods) -> bool {
        if periods.tail == 0 {
            self.until > at
        } else {
            self.until >= at
        }
    }
}

/// An event that was suppressed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Held {
    /// The upper bound of the run that suppressed it.
    pub at: Time,
    /// The event.
    pub event: String,
}

/// An event as far as it decides whether it is reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occurrence {
    /// Which one it is, for as long as it is stored.
    pub event: String,
    /// What happened.
    pub class: String,
    /// Where it came from or went to; at least one.
    pub sources: Vec<String>,
}

/// What one contact was told of one severity, and what it was not told since.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// What was reported.
    pub records: BTreeMap<Key, Record>,
    /// What was suppressed since.
    pub held: BTreeMap<Key, BTreeSet<Held>>,
}

/// What a run reports.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Events that are new: their place among those given, and the sources for which they are.
    pub new: Vec<(usize, Vec<String>)>,
    /// Events that were suppressed in this run, by their place.
    pub suppressed: Vec<usize>,
    /// What is there again: events by key.
    pub recurring: BTreeMap<Key, Vec<String>>,
}

impl Outcome {
    /// Tells whether there is nothing to report.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.new.is_empty() && self.recurring.is_empty()
    }

    /// Returns the number of events that are recurring.
    #[must_use]
    pub fn relapsed(&self) -> usize {
        let events: BTreeSet<&String> = self.recurring.values().flatten().collect();
        events.len()
    }
}

impl State {
    /// Takes the events of a window; what is reported is remembered from its end on.
    pub fn run(&mut self, events: &[Occurrence], window: Window, periods: Periods) -> Outcome {
        let at = window.to;
        let mut outcome = Outcome::default();
        for (place, event) in events.iter().enumerate() {
            let keys = event
                .sources
                .iter()
                .map(|source| (source, Key::new(&event.class, source)));
            let (live, free): (Vec<_>, Vec<_>) = keys.partition(|(_, key)| {
                let record = self.records.get(key);
                record.is_some_and(|record| record.is_live(at, periods))
            });
            if !free.is_empty() || live.is_empty() {
                let sources = free.into_iter().map(|(source, _)| source.clone());
                outcome.new.push((place, sources.collect()));
                continue;
            }
            outcome.suppressed.push(place);
            for (_, key) in live {
                let event = event.event.clone();
                let held = self.held.entry(key).or_default();
                held.retain(|other| other.event != event);
                held.insert(Held { at, event });
            }
        }
        if periods.tail > 0 {
            outcome.recurring = self.recurring(at);
        }
        self.remember(events, &outcome, at, periods);
        self.clean(at);
        outcome
    }

    /// Returns what was suppressed for keys whose silence is over and that were there again in its tail.
    fn recurring(&self, at: Time) -> BTreeMap<Key, Vec<String>> {
        let over = self.records.iter().filter(|(_, record)| record.until <= at);
        let again = over.filter_map(|(key, record)| {
            let held = self.held.get(key)?;
            let is_again = held.iter().any(|held| held.at >= record.relapse);
            let since = held.iter().filter(|held| held.at >= record.reported);
            is_again.then(|| (key.clone(), since.map(|held| held.event.clone()).collect()))
        });
        again.collect()
    }

    fn remember(&mut self, events: &[Occurrence], outcome: &Outcome, at: Time, periods: Periods) {
        let new = outcome.new.iter().flat_map(|(place, sources)| {
            let class = events.get(*place).map_or("", |event| event.class.as_str());
            sources.iter().map(move |source| Key::new(class, source))
        });
        let reported: BTreeSet<Key> = new.chain(outcome.recurring.keys().cloned()).collect();
        for key in reported {
            // What was told is told; what was not can no longer be in the tail of this silence.
            self.held.remove(&key);
            self.records.insert(key, Record::new(at, periods));
        }
    }

    /// Forgets what is over.
    fn clean(&mut self, at: Time) {
        self.records.retain(|_, record| record.until >= at);
        let records = &self.records;
        self.held.retain(|key, held| {
            let since = records.get(key).map(|record| record.reported);
            held.retain(|held| since.is_some_and(|since| held.at >= since));
            !held.is_empty()
        });
    }

    /// Forgets every key whose source is this address, and every event that `is_gone`.
    pub fn erase(&mut self, source: &str, is_gone: impl Fn(&str) -> bool) {
        let is_its = |key: &Key| key.parts().1.eq_ignore_ascii_case(source);
        self.records.retain(|key, _| !is_its(key));
        self.held.retain(|key, held| {
            held.retain(|held| !is_gone(&held.event));
            !is_its(key) && !held.is_empty()
        });
    }
}
