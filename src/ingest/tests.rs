//! Several feeds at the same time.

use super::clock::Present;
use super::feed::{Ending, Feed, Feeds, Opening};
use super::health::Health;
use super::import;
use super::progress::Progress;
use super::pump::{Pump, Rules};
use super::stats::Summary;
use super::writer::{self, Jobs};
use crate::model::cursor::SourceKey;
use crate::model::table::Cell;
use crate::model::time::Time;
use crate::model::zone::Zone;
use crate::source::{self, Chunk, Hints, Options};
use crate::store::Store;

const LOG: &str = include_str!("../../testlogs/demo/mail.log");

/// Runs what feeds do against an empty database, which it then returns with the counts of all.
fn run(feeding: impl FnOnce(&Feeds, &Jobs) + Send) -> (Store, Summary) {
    run_keeping(0, feeding)
}

/// The same; raw lines are kept so many days.
fn run_keeping(
    retain_lines_days: u32,
    feeding: impl FnOnce(&Feeds, &Jobs) + Send,
) -> (Store, Summary) {
    let now = Time(1_795_300_000_000_000);
    let rules = Rules {
        options: Options {
            zone: Zone::parse("UTC").unwrap(),
            year: None,
            now,
        },
        present: Present::Fixed(now),
        retain_lines_days,
    };
    let store = Store::open_in_memory().unwrap();
    let (streams, correlator, seen) = import::restore(&store, rules).unwrap();
    let ((feeds, fed), (jobs, todo)) = (Feeds::channel(), Jobs::channel());
    let health = &Health::default();
    std::thread::scope(|scope| {
        let ids = streams.source_ids();
        let storing = scope.spawn(move || writer::keep(store, ids, &todo, health, None).unwrap());
        let others = jobs.clone();
        scope.spawn(move || feeding(&feeds, &others));
        let progress = Progress::start(None, false);
        let pump = Pump::new(rules, correlator, streams, seen, jobs, health, progress);
        let summary = pump.pump(&fed).unwrap();
        (storing.join().unwrap(), summary)
    })
}

fn open(feeds: &Feeds, log: &str, is_counted: bool) -> Feed {
    let feed = feeds
        .open(Opening {
            name: "mail.log".to_owned(),
            key: source::fingerprint(log.as_bytes()),
            head: log.as_bytes().to_vec(),
            piece: None,
            size: 0,
            is_counted,
            is_named: false,
            is_again: false,
        })
        .unwrap();
    feed.begin(Hints::default()).unwrap();
    feed
}

fn give(feed: &mut Feed, from: usize, to: usize) {
    let chunk = Chunk {
        data: LOG.as_bytes()[from..to].to_vec(),
        offset: from as u64,
        read: 0,
        is_last: false,
    };
    feed.chunk(chunk, true).unwrap();
}

/// Returns a database with these logs, one after the other.
pub(crate) fn filled(logs: &[String]) -> Store {
    filled_keeping(0, logs)
}

/// The same; raw lines are kept so many days.
pub(crate) fn filled_keeping(retain_lines_days: u32, logs: &[String]) -> Store {
    let (store, _) = run_keeping(retain_lines_days, |feeds, _| {
        for log in logs {
            let mut feed = open(feeds, log, false);
            let chunk = Chunk {
                data: log.as_bytes().to_vec(),
                offset: 0,
                read: 0,
                is_last: false,
            };
            feed.chunk(chunk, true).unwrap();
            feed.end(Ending::Pause).unwrap();
        }
    });
    store
}

/// Waits until everything is committed that was given so far.
fn commit(feeds: &Feeds) {
    let feed = feeds.open(Opening {
        name: "-".to_owned(),
        key: SourceKey::Stdin,
        head: Vec::new(),
        piece: None,
        size: 0,
        is_counted: true,
        is_named: false,
        is_again: false,
    });
    feed.unwrap().settle(Ending::Finish).unwrap();
}

fn recipients(store: &Store) -> Vec<Vec<Cell>> {
    let sql = "SELECT queue_id, recipient, time, status, attempts FROM delivery_to ORDER BY ALL";
    store.select(sql, &[]).unwrap().rows
}

fn sources(store: &Store) -> usize {
    store.sources().unwrap().len()
}

#[test]
fn two_readers_of_one_file_give_what_one_gives() {
    let all = LOG.len();
    let (one, summary) = run(|feeds, _| {
        let mut feed = open(feeds, LOG, false);
        give(&mut feed, 0, all);
        feed.end(Ending::Pause).unwrap();
    });
    assert!(summary.recipients > 100 && summary.lines == 500);
    let (two, same) = run(|feeds, _| {
        let mut first = open(feeds, LOG, false);
        give(&mut first, 0, 10_000);
        let mut second = open(feeds, LOG, false);
        // Cuts inside lines, pieces that the other has given in part or in whole.
        give(&mut second, 0, 20_001);
        give(&mut first, 10_000, 15_000);
        give(&mut first, 15_000, 30_007);
        // One ends inside a line on which the other goes on.
        first.end(Ending::Pause).unwrap();
        give(&mut second, 20_001, all);
        second.end(Ending::Pause).unwrap();
    });
    assert_eq!(recipients(&one), recipients(&two));
    assert_eq!(
        (same.lines, same.understood),
        (summary.lines, summary.understood)
    );
    assert_eq!((sources(&one), sources(&two)), (1, 1));
}

#[test]
fn a_feed_that_is_counted_is_told_its_own_rows_once_they_are_committed() {
    let (_, alone) = run(|feeds, _| {
        let mut feed = open(feeds, LOG, false);
        give(&mut feed, 0, LOG.len());
        feed.end(Ending::Pause).unwrap();
    });
    run(|feeds, jobs| {
        let mut live = feeds.open(Opening::journal("journal", "")).unwrap();
        live.begin(Hints::default()).unwrap();
        let mut feed = open(feeds, LOG, true);
        let mut at = 0;
        for (number, end) in [9_000, 20_000, 31_111, LOG.len()].into_iter().enumerate() {
            give(&mut feed, at, end);
            at = end;
            let record = format!(
                "__REALTIME_TIMESTAMP=179523130000{number}000\n_HOSTNAME=other\nSYSLOG_IDENTIFIER=postfix/smtpd\n\
                 MESSAGE=NOQUEUE: reject: RCPT from a[192.0.2.1]: 550 5.1.1 no; from=<> to=<a@example.com> \
                 proto=ESMTP helo=<a>\n\n"
            );
            live.records(record.into_bytes(), format!("i={number}"), true)
                .unwrap();
        }
        let told = feed.settle(Ending::Pause).unwrap();
        let counts = |s: &Summary| (s.lines, s.messages, s.recipients, s.refusals, s.files);
        assert_eq!(counts(&told), counts(&alone));
        assert!(!told.hosts.contains("other"), "{:?}", told.hosts);
        let stored = jobs.run(|store| {
            let table = store.select("SELECT count(*) FROM delivery_to", &[]);
            table.unwrap().rows[0][0].clone()
        });
        let expected = i64::try_from(alone.recipients).unwrap();
        assert_eq!(stored, Some(Cell::Int(expected)));
    });
}

#[test]
fn a_file_whose_fingerprint_grows_stays_one_source() {
    let (store, _) = run(|feeds, _| {
        let mut feed = open(feeds, LOG.get(..90).unwrap(), false);
        give(&mut feed, 0, 90);
        for end in [2_000, 9_000] {
            let key = source::fingerprint(&LOG.as_bytes()[..end]);
            feed.name("mail.log".to_owned(), Some(key)).unwrap();
            give(&mut feed, 90, end);
            commit(feeds);
        }
        feed.end(Ending::Pause).unwrap();
        // Rotated, and known by what it begins with.
        let feed = open(feeds, LOG, false);
        let whole = LOG.get(..9_000).unwrap().rfind('\n').unwrap() + 1;
        assert_eq!(feed.opened().offset, whole as u64);
        assert!(feed.opened().is_known);
        feed.end(Ending::Pause).unwrap();
    });
    assert_eq!(sources(&store), 1);
}
