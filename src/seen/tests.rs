//! Streams that tell the same: what is kept of them together.

use super::*;
use crate::correlate::{Correlator, Settings};
use crate::model::entry::Trust;
use crate::model::event::Event;
use crate::model::time::{SECOND, Time};
use crate::model::zone::Zone;
use crate::source::{Chunk, Decoder, Hints, Options};
use proptest::prelude::*;
use std::sync::Mutex;

/// A line: second, host, text.
type Line<'a> = (i64, &'a str, &'a str);

fn entry((second, host, text): Line<'_>) -> Entry<'_> {
    Entry {
        time: Some(Time(second * SECOND + 123_456)),
        time_ambiguous: false,
        host,
        ident: "postfix/smtpd",
        pid: Some(7),
        text,
        repeated: 0,
        truncated: false,
        trust: Trust::Unproven,
        raw: text,
    }
}

/// What a database has of the streams.
#[derive(Default)]
struct Database {
    blocks: Mutex<BTreeMap<i64, (u64, Row)>>,
    fetches: Mutex<usize>,
}

impl Database {
    fn store(&self, no: u64, news: News) {
        let mut blocks = self.blocks.lock().unwrap();
        for id in news.gone {
            assert!(blocks.remove(&id).is_some(), "{id} was never stored");
        }
        for row in news.rows {
            assert!(blocks.insert(row.stored.id, (no, row)).is_none());
        }
    }

    fn restore(self: &Arc<Self>, streams: &[(u64, bool, Vec<&str>)]) -> Seen {
        let blocks = self.blocks.lock().unwrap();
        let of = |no: u64| blocks.values().filter(move |(of, _)| *of == no);
        let sources = streams.iter().map(|(no, is_journal, hosts)| Source {
            name: format!("stream {no}"),
            is_journal: *is_journal,
            hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
            begins: of(*no).map(|(_, row)| *row.stored.span.start()).min(),
            blocks: of(*no).map(|(_, row)| row.stored.clone()).collect(),
        });
        let sources = sources.collect();
        drop(blocks);
        let database = Arc::clone(self);
        let fetch = move |ids: &[i64]| {
            *database.fetches.lock().unwrap() += 1;
            let blocks = database.blocks.lock().unwrap();
            let found = ids
                .iter()
                .filter_map(|id| Some((*id, blocks.get(id)?.1.keys.clone())));
            Ok(found.collect())
        };
        Seen::restore(sources, Box::new(fetch))
    }
}

fn empty() -> Seen {
    let fetch: Fetch = Box::new(|_| Ok(Vec::new()));
    let mut seen = Seen::restore(Vec::new(), fetch);
    for no in 0..4 {
        seen.begin(no, &format!("stream {no}"), false, Recent::new());
    }
    seen
}

/// Tells lines; returns how many of them were new.
fn tell(seen: &mut Seen, no: u64, lines: &[Line<'_>]) -> usize {
    seen.turn_to(no);
    let is_new = |line: &&Line<'_>| seen.tell(&entry(**line)).unwrap().is_none();
    lines.iter().filter(is_new).count()
}

const REMOVED: &str = "3A1973E542: removed";
const CONNECT: &str = "connect from unknown[192.0.2.1]";

#[test]
fn a_stream_alone_drops_nothing() {
    let mut seen = empty();
    let lines = [(5, "mail", CONNECT); 3];
    assert_eq!(tell(&mut seen, 0, &lines), 3);
    assert_eq!(tell(&mut seen, 0, &lines), 3);
}

#[test]
fn what_another_stream_told_is_known_and_its_name_told() {
    let mut seen = empty();
    tell(&mut seen, 0, &[(5, "mail", CONNECT)]);
    seen.turn_to(1);
    let known = seen.tell(&entry((5, "mail", CONNECT))).unwrap();
    assert_eq!(known.map(|no| seen.name(no)), Some("stream 0"));
    assert_eq!(tell(&mut seen, 2, &[(5, "mail", CONNECT); 2]), 1);
}

#[test]
fn what_is_read_anew_is_new_and_told_for_others() {
    let mut seen = empty();
    let line = [(5, "mail", CONNECT)];
    tell(&mut seen, 0, &line);
    seen.begin(1, "again", false, Recent::new());
    seen.read_anew(true);
    assert_eq!(tell(&mut seen, 1, &line), 1);
    assert_eq!(tell(&mut seen, 2, &line), 0);
}

#[test]
fn the_stream_that_has_a_line_most_often_decides() {
    let mut seen = empty();
    assert_eq!(tell(&mut seen, 0, &[(5, "mail", CONNECT); 2]), 2);
    assert_eq!(tell(&mut seen, 1, &[(5, "mail", CONNECT); 5]), 3);
    assert_eq!(tell(&mut seen, 0, &[(5, "mail", CONNECT); 4]), 1);
    assert_eq!(tell(&mut seen, 2, &[(5, "mail", CONNECT); 6]), 0);
}

#[test]
fn a_line_that_names_a_message_is_the_same_on_any_host_within_a_second() {
    for (second, host, new) in [
        (5, "mail", 0),
        (5, "docker-host", 0),
        (6, "mail", 0),
        (4, "", 0),
        (7, "mail", 1),
    ] {
        let mut seen = empty();
        tell(&mut seen, 0, &[(5, "mail", REMOVED)]);
        let found = tell(&mut seen, 1, &[(second, host, REMOVED)]);
        assert_eq!(found, new, "{second} {host}");
    }
}

#[test]
fn a_line_that_names_none_is_the_same_on_its_host_in_its_second() {
    for (second, host, new) in [
        (5, "mail", 0),
        (5, "MAIL.example.com", 0),
        (5, "", 0),
        (5, "mail2", 1),
        (6, "mail", 1),
    ] {
        let mut seen = empty();
        tell(&mut seen, 0, &[(5, "mail", CONNECT)]);
        let found = tell(&mut seen, 1, &[(second, host, CONNECT)]);
        assert_eq!(found, new, "{second} {host}");
    }
}

#[test]
fn a_line_without_a_host_gets_one_by_any_stream() {
    let mut seen = empty();
    tell(&mut seen, 0, &[(5, "", CONNECT)]);
    assert_eq!(tell(&mut seen, 1, &[(5, "mail.example.com", CONNECT)]), 0);
    let mut seen = empty();
    tell(
        &mut seen,
        0,
        &[(5, "mail.example.com", CONNECT), (5, "b", CONNECT)],
    );
    assert_eq!(tell(&mut seen, 1, &[(5, "", CONNECT); 3]), 1);
}

#[test]
fn the_journal_may_be_a_second_off_and_so_may_a_log_that_goes_on_both_sides() {
    let mut seen = empty();
    seen.begin(1, "journal", true, Recent::new());
    tell(&mut seen, 0, &[(5, "mail", CONNECT)]);
    assert_eq!(tell(&mut seen, 1, &[(6, "mail", CONNECT); 2]), 1);
    let mut seen = empty();
    tell(
        &mut seen,
        0,
        &[
            (1, "mail", REMOVED),
            (5, "mail", CONNECT),
            (9, "mail", REMOVED),
        ],
    );
    assert_eq!(tell(&mut seen, 1, &[(6, "mail", CONNECT); 2]), 1);
}

#[test]
fn a_file_that_goes_on_in_the_second_of_the_last_ones_end_keeps_its_lines() {
    let mut seen = empty();
    tell(&mut seen, 0, &[(4, "mail", REMOVED), (5, "mail", CONNECT)]);
    let next = [(5, "mail", CONNECT), (6, "mail", CONNECT)];
    assert_eq!(tell(&mut seen, 1, &next), 2);
    // One that began before is told the same log.
    let other = [
        (4, "mail", REMOVED),
        (5, "mail", CONNECT),
        (5, "mail", CONNECT),
    ];
    assert_eq!(tell(&mut seen, 2, &other), 0);
}

#[test]
fn a_stream_without_overlap_costs_no_fetch_and_one_with_it_few() {
    let texts: Vec<String> = (0..5000).map(|n| format!("{n:05X}7: removed")).collect();
    let lines: Vec<Line<'_>> = texts
        .iter()
        .zip(100..)
        .map(|(t, s)| (s, "mail", t.as_str()))
        .collect();
    let database = Arc::new(Database::default());
    let mut seen = database.restore(&[]);
    seen.begin(0, "a", false, Recent::new());
    for (lines, part) in lines.chunks(700).zip(0..) {
        assert_eq!(tell(&mut seen, 0, lines), lines.len());
        database.store(0, seen.take(0, part).unwrap());
    }
    let blocks = database.blocks.lock().unwrap().len();
    assert!(blocks <= 6, "{blocks}");
    let mut seen = database.restore(&[(0, false, vec!["mail"])]);
    seen.begin(1, "b", false, Recent::new());
    let later: Vec<Line<'_>> = lines.iter().map(|(s, h, t)| (s + 9000, *h, *t)).collect();
    assert_eq!(tell(&mut seen, 1, &later), later.len());
    assert_eq!(*database.fetches.lock().unwrap(), 0);
    assert_eq!(tell(&mut seen, 1, &lines), 0);
    assert_eq!(*database.fetches.lock().unwrap(), 1);
}

/// What happens to streams.
#[derive(Debug, Clone)]
enum Step {
    /// The stream tells its next lines.
    Tell(usize, usize),
    /// Everything is stored.
    Commit,
    /// What was not stored is forgotten, and told again.
    Crash,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0..3_usize, 1..9_usize).prop_map(|(no, lines)| Step::Tell(no, lines)),
        2 => Just(Step::Commit),
        1 => Just(Step::Crash),
    ];
    proptest::collection::vec(step, 1..60)
}

/// A log as each of three streams has it: by second, how often which line.
fn logs() -> impl Strategy<Value = Vec<Vec<(i64, usize)>>> {
    let line = (0..12_i64, 0..3_usize);
    let log = proptest::collection::vec(line, 0..40);
    proptest::collection::vec(log, 3).prop_map(|mut logs| {
        for log in &mut logs {
            log.sort_by_key(|(second, _)| *second);
        }
        logs
    })
}

const TEXTS: [&str; 3] = [REMOVED, "3A1973E543: removed", CONNECT];

/// Far enough apart that no second is near another.
fn line((second, text): (i64, usize)) -> Line<'static> {
    (second * 10, "mail", TEXTS[text])
}

fn most(logs: &[Vec<(i64, usize)>]) -> BTreeMap<(i64, usize), usize> {
    let mut most = BTreeMap::new();
    for log in logs {
        let mut counts = BTreeMap::<_, usize>::new();
        for line in log {
            *counts.entry(*line).or_default() += 1;
        }
        for (line, count) in counts {
            let most = most.entry(line).or_default();
            *most = count.max(*most);
        }
    }
    most
}

proptest! {
    /// However streams take turns, are stored and interrupted: each line is kept as often as the stream that has it most
    /// often has it.
    #[test]
    fn lines_are_kept_as_often_as_one_stream_has_them(logs in logs(), steps in steps()) {
        let database = Arc::new(Database::default());
        // Streams that are said to begin early do not go on where another ended.
        let streams = |database: &Arc<Database>, recent: &[Recent; 3]| {
            let mut seen = database.restore(&[0, 1, 2].map(|no| (no, false, vec!["mail"])));
            for (no, recent) in (0..).zip(recent) {
                seen.begin(no, "log", false, recent.clone());
                let _ = seen.tell(&entry((-1, "mail", &format!("{no}: begins"))));
            }
            seen
        };
        let mut recent: [Recent; 3] = Default::default();
        let mut seen = streams(&database, &recent);
        let mut kept: Vec<(i64, usize)> = Vec::new();
        let (mut at, mut stored) = ([0; 3], ([0; 3], 0));
        let mut part = 0;
        let rest = (0..3).map(|no| Step::Tell(no, 99));
        for step in steps.into_iter().chain(rest) {
            match step {
                Step::Tell(no, count) => {
                    seen.turn_to(no as u64);
                    let lines = logs[no].get(at[no]..).unwrap_or_default();
                    for told in lines.iter().take(count) {
                        at[no] += 1;
                        if seen.tell(&entry(line(*told))).unwrap().is_none() {
                            kept.push(*told);
                        }
                    }
                }
                Step::Commit => {
                    part += 1;
                    for no in 0..3 {
                        database.store(no, seen.take(no, part).unwrap());
                        recent[usize::try_from(no).unwrap()] = seen.recent(no);
                    }
                    seen.stored(part);
                    stored = (at, kept.len());
                }
                Step::Crash => {
                    at = stored.0;
                    kept.truncate(stored.1);
                    seen = streams(&database, &recent);
                }
            }
        }
        let mut counts = BTreeMap::new();
        for line in kept {
            *counts.entry(line).or_default() += 1;
        }
        prop_assert_eq!(counts, most(&logs));
    }
}

#[expect(clippy::too_many_lines, reason = "a pump in little")]
/// Reads texts one after the other, each as a stream; returns what became of mail, without numbers of rows, and how many
/// lines were known.
fn rows(texts: &[&str]) -> (Vec<String>, usize) {
    let now = Time(1_795_305_600_000_000);
    let options = Options {
        zone: Zone::parse("UTC").unwrap(),
        year: None,
        now,
    };
    let mut correlator = Correlator::new(Settings::default());
    let mut seen = empty();
    let mut known = 0;
    for (no, text) in (0..).zip(texts) {
        seen.begin(no, "log", false, Recent::new());
        let mut decoder = Decoder::new(&options, Hints::default(), None);
        let chunk = Chunk {
            data: text.as_bytes().to_vec(),
            offset: 0,
            read: 0,
            is_last: true,
        };
        let mut sink = |entry: &Entry<'_>| {
            let event = crate::parse::parse(entry);
            if matches!(event, Event::Foreign | Event::Ignored) {
                return;
            }
            match seen.tell(entry).unwrap() {
                Some(_) => known += 1,
                None => correlator.feed(entry, &event),
            }
        };
        decoder.decode(&chunk, &mut sink);
        decoder.finish(&mut sink);
    }
    let changes = correlator.drain();
    let mut rows = Vec::new();
    for row in changes.from_inserts {
        let count = changes.to_inserts.iter().filter(|to| to.from_id == row.id);
        rows.push(format!(
            "{} {:?} {:?} {}",
            row.queue_id,
            row.time,
            row.removed,
            count.count()
        ));
    }
    for row in changes.to_inserts {
        rows.push(format!(
            "{} {} {} {:?}",
            row.queue_id, row.recipient, row.attempts, row.time
        ));
    }
    rows.extend(
        changes
            .attempts
            .iter()
            .map(|row| format!("attempt {:?}", row.time)),
    );
    rows.extend(
        changes
            .noqueues
            .iter()
            .map(|row| format!("{} {:?} {}", row.action, row.time, row.count)),
    );
    rows.extend(
        changes
            .connections
            .iter()
            .map(|row| format!("{:?} {:?}", row.time, row.commands)),
    );
    rows.extend(
        changes
            .events
            .iter()
            .map(|row| format!("{} {}", row.template, row.count)),
    );
    rows.sort();
    (rows, known)
}

#[test]
fn two_files_of_one_host_tell_one_message() {
    let mail = include_str!("../../testlogs/twice/mail.log");
    let syslog = include_str!("../../testlogs/twice/syslog");
    let (expected, _) = rows(&[mail]);
    assert_eq!(expected.len(), 1 + 3 + 2 + 2 + 2 + 1, "{expected:#?}");
    for texts in [
        vec![mail, syslog],
        vec![syslog, mail],
        vec![mail, mail, syslog],
        vec![syslog, syslog],
    ] {
        let (found, known) = rows(&texts);
        assert_eq!(found, expected);
        assert_eq!(known, 18 * (texts.len() - 1));
    }
}

#[test]
fn a_log_and_its_pieces_tell_what_it_tells() {
    let log = include_str!("../../testlogs/demo/mail.log");
    let (expected, _) = rows(&[log]);
    let lines: Vec<&str> = log.split_inclusive('\n').collect();
    let (begin, end) = (lines[..300].concat(), lines[200..].concat());
    assert_eq!(
        rows(&[&begin, &end]),
        (expected.clone(), 100 - ignored(&lines[200..300].concat()))
    );
    let (found, _) = rows(&[&begin, &end, &lines[100..250].concat()]);
    assert_eq!(found, expected);
}

/// Returns how many lines have no bearing.
fn ignored(log: &str) -> usize {
    log.lines().count() - rows(&[log, log]).1
}
