//! The state in its parts: what older programs stored is taken, and a commit changes little of it.

use super::batches::stories;
use super::reader::Reader;
use super::tables::Tables;
use crate::correlate::{Correlator, Settings};
use crate::model::row::State;
use crate::parse::parse;
use serde_json::{Map, Value};

/// The state as programs before schema 5 stored it: one object.
fn in_one(state: &State) -> State {
    let mut all = Map::new();
    for text in state.values() {
        let Ok(Value::Object(part)) = serde_json::from_str(text) else {
            panic!("no object: {text}");
        };
        for (name, value) in part {
            match (all.get_mut(&name), value) {
                (Some(Value::Array(list)), Value::Array(more)) => list.extend(more),
                (_, value) => drop(all.insert(name, value)),
            }
        }
    }
    [("correlator".into(), Value::Object(all).to_string())].into()
}

#[test]
fn a_state_in_one_piece_is_taken() {
    let mut in_slots = 0;
    for story in stories() {
        let mut reader = Reader::new(2026);
        let mut correlator = Correlator::new(Settings::default());
        let mut tables = Tables::default();
        for entry in story.lines().filter_map(|line| reader.entry(line)) {
            correlator.feed(&entry, &parse(&entry));
            tables.apply(correlator.drain());
            let state = tables.state.clone();
            tables.state = in_one(&state);
            assert_eq!(tables.restart(Settings::default()).save(), state);
            in_slots += state.len() - 1;
        }
    }
    assert!(in_slots > 100, "{in_slots}");
}

/// A mail that is handed over to a relay of which no log is read: a link is awaited, and the message is remembered.
fn mail(number: u32) -> String {
    let (minute, second) = (number / 40 / 60, number / 40 % 60);
    let start = format!("Mar  4 10:{minute:02}:{second:02} mail postfix");
    let queue_id = format!("{:X}", 0xA_0000_0000_u64 + u64::from(number));
    format!(
        "{start}/pickup[1]: {queue_id}: uid=1000 from=<a@example.org>\n\
         {start}/cleanup[2]: {queue_id}: message-id=<{number}@example.org>\n\
         {start}/qmgr[3]: {queue_id}: from=<a@example.org>, size=9, nrcpt=1 (queue active)\n\
         {start}/smtp[4]: {queue_id}: to=<b@example.net>, relay=192.168.7.7[192.168.7.7]:25, delay=0.2, \
         delays=0.1/0/0/0.1, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as B{number:X})\n\
         {start}/qmgr[3]: {queue_id}: removed\n"
    )
}

#[test]
fn a_commit_changes_little_of_a_big_state() {
    let mut reader = Reader::new(2026);
    let mut correlator = Correlator::new(Settings::default());
    let mut before = State::new();
    let (mut all, mut changed) = (0, 0);
    // Past the ten minutes in which messages are forgotten and expectations end.
    for number in 0..40 * 60 * 13 {
        let log = mail(number);
        for entry in log.lines().filter_map(|line| reader.entry(line)) {
            correlator.feed(&entry, &parse(&entry));
        }
        if number % 400 == 0 {
            let state = correlator.drain().state;
            if number > 40 * 60 * 8 {
                let parts = state
                    .iter()
                    .filter(|(name, text)| before.get(*name) != Some(text));
                changed += parts.map(|(_, text)| text.len()).sum::<usize>();
                all += state.values().map(String::len).sum::<usize>();
            }
            before = state;
        }
    }
    assert!(all / before.len() > 10_000, "links are awaited");
    assert!(changed * 10 < all, "{changed} of {all} bytes");
}
