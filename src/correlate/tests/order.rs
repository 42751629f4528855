//! Lines that bear the same stamp may come in any order: the rows are the same.

use super::batches::stories;
use super::reader::Reader;
use super::tables::{Tables, fields};
use crate::correlate::{Correlator, Settings};
use crate::model::entry::Entry;
use crate::model::event::{Direction, Event};
use crate::model::row::{Attempt, DeliveryFrom};
use crate::model::time::{SECOND, Time};
use crate::parse::{parse, queue_id};
use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};

/// Permutations of each story in one run.
const TRIES: u64 = 12;

fn tables(entries: &[Entry<'_>]) -> Tables {
    let mut correlator = Correlator::new(Settings {
        log_line_from: Some(Time(0)),
        ..Settings::default()
    });
    for entry in entries {
        correlator.feed(entry, &parse(entry));
    }
    correlator.settle();
    let mut tables = Tables::default();
    tables.apply(correlator.drain());
    tables
}

/// The rows by content: ids are those of queue files.
fn rows(t: &Tables) -> Vec<String> {
    let name = |id: i64| {
        t.from.get(&id).map_or_else(String::new, |m| {
            format!("{}/{}/{}/{}", m.host, m.instance, m.queue_id, m.time.0)
        })
    };
    let mut rows: Vec<String> = t.from.values().map(|m| message(t, m, &name)).collect();
    rows.extend(t.noqueues.values().map(|r| {
        let mut r = r.clone();
        let from = r.from_id.take().map(name);
        r.id = 0;
        format!("noqueue {}{} of {from:?}", r.time.0, fields(&r))
    }));
    rows.extend(t.neighbours.values().map(|r| {
        let mut r = r.clone();
        r.id = 0;
        format!("{}{}", r.host, fields(&r))
    }));
    // What is a label is known once cleanup or the queue manager has named the instance.
    rows.extend(t.auths.values().map(|r| {
        let mut r = r.clone();
        r.id = 0;
        r.service = r.service.rsplit('/').next().unwrap_or_default().into();
        format!("auth {}{}", r.time.0, fields(&r))
    }));
    // Which of many texts is the sample does not matter.
    rows.extend(t.events.values().map(|r| {
        let mut r = r.clone();
        r.sample = "".into();
        format!("{}{}", r.host, fields(&r))
    }));
    // Before 3.10 the line of a client that is gone names no message.
    let named = t
        .log_lines
        .iter()
        .filter(|r| !r.line.contains("]: lost connection after"));
    rows.extend(named.map(|r| {
        let owner = (
            r.from_id.map(name),
            r.noqueue_id.is_some(),
            r.neighbour_id.is_some(),
        );
        format!("{} {owner:?}", r.line)
    }));
    rows.sort();
    rows
}

fn message(t: &Tables, m: &DeliveryFrom, name: &impl Fn(i64) -> String) -> String {
    let row = DeliveryFrom {
        id: 0,
        parent_id: None,
        root_id: 0,
        ..m.clone()
    };
    let attempts = |id: i64| {
        let of_row = t.attempts.values().filter(|a| a.to_id == id);
        let mut all: Vec<(Time, &Attempt)> = of_row.map(|a| (a.time, &a.state)).collect();
        all.sort_by_key(|(time, state)| (*time, format!("{state:?}")));
        all.iter()
            .map(|(time, state)| format!("{}{}", time.0, fields(state)))
            .collect::<String>()
    };
    let mut to: Vec<String> = t
        .recipients(m.id)
        .map(|r| {
            let earlier = attempts(r.id);
            let mut r = r.clone();
            (r.id, r.from_id) = (0, 0);
            format!(
                "{}..{}{}\n    earlier {earlier}",
                r.first_time.0,
                r.time.0,
                fields(&r)
            )
        })
        .collect();
    to.sort();
    format!(
        "{}..{} {}/{}{} of {:?} in {}\n  {}",
        row.time.0,
        row.removed.map_or(0, |t| t.0),
        row.host,
        row.queue_id,
        fields(&row),
        m.parent_id.map(name),
        name(m.root_id),
        to.join("\n  ")
    )
}

/// What only the order of lines of one second tells. Such lines keep their place; all others of a message may have any.
///
/// - Two `message-id=` of one message: cleanup logs each such header, the first one is the message's.
/// - `client=` of a process that had two clients: it names the client and not the session.
/// - `client=` of a process with lines that name no message (`NOQUEUE: hold`): these are about the next one.
/// - Records of an agent that tells of TLS: such a line names the server and not the mail.
struct Told(BTreeMap<(Option<Time>, &'static str, String), usize>);

impl Told {
    fn by(entries: &[Entry<'_>]) -> Self {
        let mut told = Self(BTreeMap::new());
        for e in entries {
            let process = || format!("{}/{}[{:?}]", e.host, e.ident, e.pid);
            match parse(e) {
                Event::MessageId { queue_id, .. } => told.count(e, "id", queue_id.to_owned()),
                Event::Connect { .. } if told.has(e, "end", process()) => {
                    told.count(e, "session", process());
                    told.count(e, "session", process());
                }
                Event::Connect { .. } => told.count(e, "session", process()),
                Event::Disconnect { .. } => told.count(e, "end", process()),
                Event::ProxyAccept { .. } | Event::Accept { queue_id: None, .. } => {
                    told.count(e, "nobody", process());
                }
                Event::Policy(p) if p.queue_id.is_none() => told.count(e, "nobody", process()),
                Event::Tls {
                    direction: Direction::Outbound,
                    ..
                } => {
                    told.count(e, "tls", process());
                }
                _ => {}
            }
        }
        told
    }

    fn key(e: &Entry<'_>, what: &'static str, who: String) -> (Option<Time>, &'static str, String) {
        (e.time, what, who)
    }

    fn count(&mut self, e: &Entry<'_>, what: &'static str, who: String) {
        *self.0.entry(Self::key(e, what, who)).or_default() += 1;
    }

    fn number(&self, e: &Entry<'_>, what: &'static str, who: String) -> usize {
        self.0.get(&Self::key(e, what, who)).copied().unwrap_or(0)
    }

    fn has(&self, e: &Entry<'_>, what: &'static str, who: String) -> bool {
        self.number(e, what, who) > 0
    }

    /// Tells whether a line names a message and may have any place within its second.
    fn is_free(&self, e: &Entry<'_>) -> bool {
        let text = e.text.strip_prefix("warning: ").unwrap_or(e.text);
        let process = || format!("{}/{}[{:?}]", e.host, e.ident, e.pid);
        let is_told = match parse(e) {
            Event::MessageId { queue_id, .. } => self.number(e, "id", queue_id.to_owned()) > 1,
            Event::Accept { .. } => {
                self.number(e, "session", process()) > 1
                    || self.number(e, "end", process()) > 1
                    || self.has(e, "nobody", process())
            }
            Event::Delivery(_) | Event::AttemptNote { .. } => self.has(e, "tls", process()),
            _ => false,
        };
        queue_id::split(text).is_some() && !is_told
    }
}

/// Random numbers by a seed (splitmix64).
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % n as u64).unwrap()
    }
}

/// The places of lines of messages, by host and stamp.
fn places(entries: &[Entry<'_>]) -> Vec<Vec<usize>> {
    let told = Told::by(entries);
    let mut by_stamp: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (at, entry) in entries.iter().enumerate() {
        if told.is_free(entry) {
            let places = by_stamp.entry((entry.host, entry.time));
            places.or_default().push(at);
        }
    }
    by_stamp.into_values().filter(|p| p.len() > 1).collect()
}

/// An order in which lines of one stamp have changed places.
fn shuffled(count: usize, places: &[Vec<usize>], seed: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    let mut random = Random(seed);
    for places in places {
        for n in (1..places.len()).rev() {
            order.swap(places[n], places[random.below(n + 1)]);
        }
    }
    order
}

/// Puts lines back into their order as long as the rows stay wrong: what is left is what matters.
fn shrunk(order: &[usize], places: &[Vec<usize>], fails: impl Fn(&[usize]) -> bool) -> Vec<usize> {
    let mut order = order.to_vec();
    let mut size = places.len().div_ceil(2);
    loop {
        for some in places.chunks(size) {
            let mut tried = order.clone();
            for at in some.iter().flatten() {
                tried[*at] = *at;
            }
            if fails(&tried) {
                order = tried;
            }
        }
        if size == 1 {
            break;
        }
        size = size.div_ceil(2);
    }
    let mut is_done = false;
    while !is_done {
        is_done = true;
        for pair in places.iter().flat_map(|p| p.windows(2)) {
            let (a, b) = (pair[0], pair[1]);
            if order[a] > order[b] {
                order.swap(a, b);
                if fails(&order) {
                    is_done = false;
                } else {
                    order.swap(a, b);
                }
            }
        }
    }
    order
}

/// Tells what differs when lines of one second change places, or nothing.
fn difference(log: &str, seed: u64) -> Option<String> {
    let mut reader = Reader::new(2026);
    // Whole seconds are what syslog writes.
    let entries: Vec<Entry<'_>> = log
        .lines()
        .filter_map(|line| reader.entry(line))
        .map(|mut e| {
            e.time = e.time.map(|t| Time(t.0.div_euclid(SECOND) * SECOND));
            e
        })
        .collect();
    let straight = rows(&tables(&entries));
    let other = |order: &[usize]| {
        let entries: Vec<Entry<'_>> = order.iter().map(|n| entries[*n]).collect();
        rows(&tables(&entries))
    };
    let places = places(&entries);
    let order = shuffled(entries.len(), &places, seed);
    if other(&order) == straight {
        return None;
    }
    let order = shrunk(&order, &places, |order| other(order) != straight);
    let moved: Vec<String> = order
        .iter()
        .enumerate()
        .filter(|(at, n)| *at != **n)
        .map(|(at, n)| format!("{n:5} -> {at:5} {}", entries[*n].raw))
        .collect();
    let other = other(&order);
    let missing: Vec<_> = straight.iter().filter(|r| !other.contains(r)).collect();
    let added: Vec<_> = other.iter().filter(|r| !straight.contains(r)).collect();
    let head = log.lines().next().unwrap_or_default();
    let (missing, added) = (lines(&missing), lines(&added));
    Some(format!(
        "{head}\nMAILLOG_SEED={seed}\n{}\n--- in order:\n{missing}\n--- so:\n{added}\n",
        moved.join("\n")
    ))
}

fn lines(rows: &[&String]) -> String {
    let rows: Vec<&str> = rows.iter().map(|r| r.as_str()).collect();
    rows.join("\n")
}

/// Another one in every run, unless `MAILLOG_SEED` gives it; in CI the same, for a change is not to fail for what was there before.
fn first_seed() -> u64 {
    let asked = std::env::var("MAILLOG_SEED").ok();
    let asked = asked.and_then(|seed| seed.parse().ok());
    let fixed = std::env::var_os("CI").map(|_| 1);
    asked
        .or(fixed)
        .unwrap_or_else(|| RandomState::new().hash_one(0))
}

#[test]
fn lines_of_one_second_may_come_in_any_order() {
    let seed = first_seed();
    let mut wrong = Vec::new();
    for story in stories() {
        let found = (0..TRIES).find_map(|n| difference(&story, seed.wrapping_add(n)));
        wrong.extend(found);
    }
    assert!(
        wrong.is_empty(),
        "{}\n{} stories",
        wrong.join("\n"),
        wrong.len()
    );
}

/// The session before never ended in the log: what comes before `connect` is not its.
#[test]
fn a_message_that_comes_before_its_connection_has_its_tls() {
    const LOG: &str = "\
Jan  5 00:00:00 mx1 postfix/smtpd[1]: connect from unknown[192.0.2.1]
Jan  5 00:00:52 mx1 postfix/smtpd[39]: connect from unknown[192.0.2.2]
Jan  5 00:00:52 mx1 postfix/smtpd[39]: Anonymous TLS connection established from unknown[192.0.2.2]: TLSv1.2 with cipher A (128/128 bits)
Jan  5 00:01:09 mx1 postfix/smtpd[39]: connect from a.example[198.51.100.7]
Jan  5 00:01:09 mx1 postfix/smtpd[39]: Anonymous TLS connection established from a.example[198.51.100.7]: TLSv1.3 with cipher B (128/128 bits)
Jan  5 00:01:09 mx1 postfix/smtpd[39]: 4dkvb96TGDz23Vy: client=a.example[198.51.100.7]
Jan  5 00:01:10 mx1 postfix/qmgr[2]: 4dkvb96TGDz23Vy: from=<a@a.example>, size=5, nrcpt=1 (queue active)
";
    let lines: Vec<&str> = LOG.lines().collect();
    let tls = |order: &[usize]| {
        let mut reader = Reader::new(2026);
        let entries: Vec<Entry<'_>> = order
            .iter()
            .filter_map(|n| reader.entry(lines[*n]))
            .collect();
        let rows = tables(&entries).from;
        rows.into_values().map(|m| m.tls).collect::<Vec<_>>()
    };
    let expected = vec![Some("TLSv1.3 B".into())];
    for order in [[3, 4, 5], [3, 5, 4], [5, 3, 4]] {
        let order = [&[0, 1, 2], &order[..], &[6]].concat();
        assert_eq!(tls(&order), expected, "{order:?}");
    }
}

/// A log of four hosts as the rig's generator writes it, another one in every run.
#[test]
fn lines_of_a_generated_log_may_come_in_any_order() {
    const GENERATOR: &str = "../shared/postfix-rig/loggen";
    if !std::path::Path::new(GENERATOR).exists() {
        return crate::skip::skip(&format!("no {GENERATOR}"));
    }
    let seed = first_seed();
    let arguments = [
        "--lines", "1500", "--rate", "40", "--format", "rfc3164", "--seed",
    ];
    let generator = std::process::Command::new(GENERATOR)
        .args(arguments)
        .arg((seed % 1000).to_string())
        .output()
        .unwrap();
    let log = String::from_utf8_lossy(&generator.stdout);
    assert!(log.lines().count() > 1000, "{generator:?}");
    let found = (0..2).find_map(|n| difference(&log, seed.wrapping_add(n)));
    assert!(found.is_none(), "{}", found.unwrap_or_default());
}
