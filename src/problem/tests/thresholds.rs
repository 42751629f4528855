//! What is reported, what is not, and what is there again.

use crate::model::time::{DAY, HOUR, MINUTE, Time};
use crate::problem::severity::{Mode, NoWindow, Periods, Severity, Window, upper_bound, window};
use crate::problem::threshold::{Key, Occurrence, State};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const T0: Time = Time(1_000 * DAY);

fn occurrence(event: &str, class: &str, source: &str) -> Occurrence {
    Occurrence {
        event: event.to_owned(),
        class: class.to_owned(),
        sources: vec![source.to_owned()],
    }
}

/// One run at a time after T0; what came out in words.
fn run(state: &mut State, severity: Severity, after: i64, events: &[Occurrence]) -> String {
    let periods = severity.periods();
    let to = T0.plus(after);
    let window = Window {
        from: to.plus(-periods.every),
        to,
    };
    let outcome = state.run(events, window, periods);
    let name = |place: usize| events[place].event.clone();
    let new: Vec<String> = outcome.new.iter().map(|(place, _)| name(*place)).collect();
    let suppressed: Vec<String> = outcome
        .suppressed
        .iter()
        .map(|place| name(*place))
        .collect();
    let again: Vec<String> = outcome.recurring.values().flatten().cloned().collect();
    let part = |word: &str, events: &[String]| {
        (!events.is_empty()).then(|| format!("{word} {}", events.join(" ")))
    };
    let parts = [
        part("new", &new),
        part("suppressed", &suppressed),
        part("recurring", &again),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() {
        "nothing".to_owned()
    } else {
        parts.join(", ")
    }
}

fn a(event: &str) -> Vec<Occurrence> {
    vec![occurrence(event, "outbound-spam-7.1", "example.net")]
}

fn until(state: &State) -> Option<i64> {
    state.records.values().next().map(|r| r.until.since(T0))
}

#[test]
fn a_recurrence_before_the_tail_is_forgotten() {
    let (mut state, high) = (State::default(), Severity::High);
    assert_eq!(run(&mut state, high, 0, &a("a0")), "new a0");
    assert_eq!(run(&mut state, high, HOUR, &a("a1")), "suppressed a1");
    assert_eq!(run(&mut state, high, DAY, &[]), "nothing");
    assert_eq!(run(&mut state, high, DAY + 10 * MINUTE, &a("a2")), "new a2");
    assert_eq!(until(&state), Some(2 * DAY + 10 * MINUTE));
    assert!(state.held.is_empty());
}

#[test]
fn a_recurrence_before_and_in_the_tail_brings_both() {
    let (mut state, high) = (State::default(), Severity::High);
    assert_eq!(run(&mut state, high, 0, &a("a0")), "new a0");
    assert_eq!(run(&mut state, high, HOUR, &a("a1")), "suppressed a1");
    assert_eq!(run(&mut state, high, 13 * HOUR, &a("a2")), "suppressed a2");
    assert_eq!(run(&mut state, high, DAY, &[]), "recurring a1 a2");
    assert_eq!(until(&state), Some(2 * DAY));
    assert_eq!(
        run(&mut state, high, DAY + 10 * MINUTE, &a("a3")),
        "suppressed a3"
    );
    assert_eq!(run(&mut state, high, 2 * DAY, &[]), "nothing");
}

#[test]
fn what_has_no_tail_never_recurs() {
    let (mut state, critical) = (State::default(), Severity::Critical);
    assert_eq!(run(&mut state, critical, 0, &a("a0")), "new a0");
    assert_eq!(run(&mut state, critical, HOUR, &a("a1")), "suppressed a1");
    assert_eq!(run(&mut state, critical, 2 * HOUR, &[]), "nothing");
    let later = 2 * HOUR + 10 * MINUTE;
    assert_eq!(run(&mut state, critical, later, &a("a2")), "new a2");
}

#[test]
fn another_class_is_another_problem() {
    let (mut state, high) = (State::default(), Severity::High);
    assert_eq!(run(&mut state, high, 0, &a("a0")), "new a0");
    let other = [occurrence("b0", "outbound-policy-7.1", "example.net")];
    assert_eq!(run(&mut state, high, 13 * HOUR, &other), "new b0");
    assert_eq!(run(&mut state, high, DAY, &[]), "nothing");
}

#[test]
fn each_key_recurs_for_itself() {
    let (mut state, high) = (State::default(), Severity::High);
    let both = |n: u32| {
        let class = "outbound-spam-7.1";
        [
            occurrence(&format!("n{n}"), class, "example.net"),
            occurrence(&format!("c{n}"), class, "example.com"),
        ]
    };
    assert_eq!(run(&mut state, high, 0, &both(0)), "new n0 c0");
    assert_eq!(run(&mut state, high, HOUR, &both(1)), "suppressed n1 c1");
    let one = &both(2)[..1];
    assert_eq!(run(&mut state, high, 13 * HOUR, one), "suppressed n2");
    assert_eq!(run(&mut state, high, DAY, &[]), "recurring n1 n2");
}

#[test]
fn the_last_moment_of_the_silence_belongs_to_it_where_there_is_a_tail() {
    let (mut state, high) = (State::default(), Severity::High);
    assert_eq!(run(&mut state, high, 0, &a("a0")), "new a0");
    assert_eq!(
        run(&mut state, high, DAY, &a("a1")),
        "suppressed a1, recurring a1"
    );
    let (mut state, critical) = (State::default(), Severity::Critical);
    assert_eq!(run(&mut state, critical, 0, &a("a0")), "new a0");
    assert_eq!(run(&mut state, critical, 2 * HOUR, &a("a1")), "new a1");
}

#[test]
fn an_event_of_two_sources_is_new_if_one_is() {
    let (mut state, high) = (State::default(), Severity::High);
    assert_eq!(run(&mut state, high, 0, &a("a0")), "new a0");
    let mut two = a("a1");
    two[0].sources.push("example.com".to_owned());
    assert_eq!(run(&mut state, high, HOUR, &two), "new a1");
    let keys: Vec<(&str, &str)> = state.records.keys().map(Key::parts).collect();
    let class = "outbound-spam-7.1";
    assert_eq!(keys, [(class, "example.com"), (class, "example.net")]);
}

#[test]
fn the_window_begins_where_the_last_one_ended() {
    let high = Severity::High.periods();
    let regular = Mode::Regular {
        interval: 10 * MINUTE,
    };
    let now = T0.plus(7 * MINUTE + 123);
    assert_eq!(upper_bound(now, regular), T0);
    assert_eq!(upper_bound(now, Mode::ByHand), T0.plus(7 * MINUTE));
    let of = |from: i64| {
        Ok(Window {
            from: T0.plus(from),
            to: T0,
        })
    };
    assert_eq!(window(T0, None, high, regular), of(-10 * MINUTE));
    let last = Some(T0.plus(-HOUR));
    assert_eq!(window(T0, last, high, regular), of(-HOUR));
    let soon = Some(T0.plus(-9 * MINUTE));
    assert_eq!(window(T0, soon, high, regular), Err(NoWindow::TooSoon));
    assert_eq!(window(T0, soon, high, Mode::ByHand), of(-9 * MINUTE));
}

/// Minutes from one run to the next, and the events of that run: their kind.
fn runs() -> impl Strategy<Value = Vec<(i64, Vec<u8>)>> {
    let events = prop::collection::vec(0_u8..4, 0..4);
    prop::collection::vec((1_i64..300, events), 1..60)
}

proptest! {
    /// The counters add up, nothing is told twice within a silence, nothing suppressed is told twice.
    #[test]
    fn every_event_is_reported_or_suppressed(
        runs in runs(),
        silence in 1_i64..40,
        tail in 0_i64..40,
    ) {
        let periods = Periods {
            every: 10 * MINUTE,
            silence: silence * 30 * MINUTE,
            tail: tail.min(silence) * 30 * MINUTE,
        };
        let mut state = State::default();
        let (mut at, mut number) = (T0, 0);
        let mut told: BTreeMap<Key, Time> = BTreeMap::new();
        let mut again: BTreeSet<String> = BTreeSet::new();
        let mut suppressed: BTreeSet<String> = BTreeSet::new();
        for (pause, kinds) in runs {
            let from = at;
            at = at.plus(pause * MINUTE);
            let events: Vec<Occurrence> = kinds
                .iter()
                .map(|kind| {
                    number += 1;
                    let source = format!("s{}", kind % 2);
                    occurrence(&format!("e{number}"), &format!("c{}", kind / 2), &source)
                })
                .collect();
            let outcome = state.run(&events, Window { from, to: at }, periods);
            let new: BTreeSet<usize> = outcome.new.iter().map(|(place, _)| *place).collect();
            let not: BTreeSet<usize> = outcome.suppressed.iter().copied().collect();
            prop_assert!(new.is_disjoint(&not));
            prop_assert_eq!(new.len() + not.len(), events.len());
            suppressed.extend(not.iter().map(|place| events[*place].event.clone()));
            let mut keys: BTreeSet<Key> = outcome.recurring.keys().cloned().collect();
            for (place, sources) in &outcome.new {
                keys.extend(sources.iter().map(|s| Key::new(&events[*place].class, s)));
            }
            for key in keys {
                let last = told.insert(key, at);
                prop_assert!(last.is_none_or(|last| at.since(last) >= periods.silence));
            }
            for event in outcome.recurring.values().flatten() {
                prop_assert!(suppressed.contains(event), "{} was never suppressed", event);
                prop_assert!(again.insert(event.clone()), "{} is told twice", event);
            }
            prop_assert!(periods.tail > 0 || outcome.recurring.is_empty());
            prop_assert!(state.held.keys().all(|key| state.records.contains_key(key)));
        }
    }
}
