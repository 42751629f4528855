//! Repetition: trouble that comes back every second is said at once, then ever more rarely with a count.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Silence after the first time; it grows tenfold with each summary.
const FIRST_SILENCE: Duration = Duration::from_mins(1);
/// The longest silence.
const LONGEST_SILENCE: Duration = Duration::from_hours(1);
/// Times a minute that a trouble may change its text and still be said at once.
const CHANGES: u32 = 5;
/// Kinds of trouble known at one time; the ones silent for longest are forgotten.
const KINDS: usize = 256;

/// What has been said of each kind of trouble.
#[derive(Debug, Default)]
pub(super) struct Repeat {
    kinds: BTreeMap<String, Kind>,
}

#[derive(Debug)]
struct Kind {
    text: String,
    said: Instant,
    silence: Duration,
    /// Times since it was said.
    unsaid: u64,
    /// Times in all.
    times: u64,
    /// Times that it was said at once since the last summary because its text was another.
    changes: u32,
}

impl Repeat {
    pub(super) const fn new() -> Self {
        Self {
            kinds: BTreeMap::new(),
        }
    }

    /// Returns what to say of a trouble met now.
    pub(super) fn meet(&mut self, key: &str, text: &str, now: Instant) -> Option<String> {
        let Some(kind) = self.kinds.get_mut(key) else {
            self.make_room();
            self.kinds.insert(key.to_owned(), Kind::new(text, now));
            return Some(text.to_owned());
        };
        kind.times += 1;
        kind.unsaid += 1;
        let is_due = now.duration_since(kind.said) >= kind.silence;
        let is_new = kind.text != text && kind.changes < CHANGES;
        if !is_due && !is_new {
            return None;
        }
        text.clone_into(&mut kind.text);
        let said = match kind.unsaid {
            1 => text.to_owned(),
            n => format!("{text} ({n} times since the last report)"),
        };
        kind.said = now;
        kind.unsaid = 0;
        if is_due {
            kind.silence = (kind.silence * 10).min(LONGEST_SILENCE);
            kind.changes = 0;
        } else {
            kind.changes += 1;
        }
        Some(said)
    }

    /// Returns what to say of the end of a trouble, when it was met.
    pub(super) fn end(&mut self, key: &str, text: &str) -> Option<String> {
        let kind = self.kinds.remove(key)?;
        Some(match kind.times {
            1 => text.to_owned(),
            n => format!("{text} (after {n} failures)"),
        })
    }

    fn make_room(&mut self) {
        if self.kinds.len() < KINDS {
            return;
        }
        let oldest = self.kinds.iter().min_by_key(|(_, kind)| kind.said);
        if let Some(key) = oldest.map(|(key, _)| key.clone()) {
            self.kinds.remove(&key);
        }
    }
}

impl Kind {
    fn new(text: &str, now: Instant) -> Self {
        Self {
            text: text.to_owned(),
            said: now,
            silence: FIRST_SILENCE,
            unsaid: 0,
            times: 1,
            changes: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_every_second_is_said_ever_more_rarely_with_a_count() {
        let (mut repeat, start) = (Repeat::new(), Instant::now());
        let mut said = Vec::new();
        for second in 0..10_000 {
            let now = start + Duration::from_secs(second);
            if let Some(text) = repeat.meet("store", "no space left", now) {
                said.push((second, text));
            }
        }
        let seconds: Vec<u64> = said.iter().map(|(second, _)| *second).collect();
        assert_eq!(seconds, [0, 60, 660, 4260, 7860]);
        assert_eq!(said[0].1, "no space left");
        assert_eq!(said[1].1, "no space left (60 times since the last report)");
        assert_eq!(
            repeat.end("store", "the database works again").unwrap(),
            "the database works again (after 10000 failures)"
        );
        assert!(repeat.end("store", "the database works again").is_none());
        assert!(
            repeat
                .meet(
                    "store",
                    "no space left",
                    start + Duration::from_secs(10_001)
                )
                .is_some(),
            "what comes back after its end is new"
        );
    }

    #[test]
    fn another_text_is_said_at_once_but_not_if_it_is_another_each_time() {
        let (mut repeat, now) = (Repeat::new(), Instant::now());
        assert!(repeat.meet("store", "no space left", now).is_some());
        assert!(repeat.meet("store", "no space left", now).is_none());
        assert!(repeat.meet("store", "permission denied", now).is_some());
        let said = (0..1000)
            .filter_map(|n| repeat.meet("store", &format!("line {n}"), now))
            .count();
        assert_eq!(said, 4);
    }

    #[test]
    fn kinds_are_bounded_and_independent() {
        let (mut repeat, now) = (Repeat::new(), Instant::now());
        for n in 0..10_000 {
            assert!(repeat.meet(&format!("kind {n}"), "x", now).is_some());
        }
        assert_eq!(repeat.kinds.len(), KINDS);
    }
}
