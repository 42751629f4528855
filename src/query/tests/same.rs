//! What is found by ids, in slices and page by page is what the plain statement finds.

use super::reference;
use super::statements::QUERIES;
use crate::ingest::tests::filled;
use crate::model::table::{Cell, Table};
use crate::model::time::{DAY, HOUR, Time};
use crate::model::zone::Zone;
use crate::query::found::{Found, Slice, rows_of};
use crate::query::{Options, Plan, compile_text, count_by};
use crate::store::Store;
use std::fs;

/// After the demo log.
const NOW: Time = Time(1_795_300_000_000_000);

pub(crate) fn store() -> Store {
    filled(&logs())
}

/// The demo log, and every story: filters, aliases, requeues, relays, each with its odd lines.
pub(crate) fn logs() -> Vec<String> {
    let mut logs: Vec<String> = ["testlogs/demo/mail.log.1", "testlogs/demo/mail.log"]
        .iter()
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    let mut stories: Vec<_> = fs::read_dir("testlogs/stories")
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    stories.sort();
    logs.extend(stories.iter().map(|path| fs::read_to_string(path).unwrap()));
    logs
}

/// `SplitMix64`.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % limit as u64).unwrap()
    }

    pub(crate) fn pick<'a>(&mut self, list: &'a [String]) -> &'a str {
        list.get(self.below(list.len())).unwrap()
    }
}

pub(crate) fn texts(store: &Store, sql: &str) -> Vec<String> {
    let rows = store.select(sql, &[]).unwrap().rows;
    let text = |row: Vec<Cell>| match row.into_iter().next() {
        Some(Cell::Text(text)) => Some(text),
        _ => None,
    };
    rows.into_iter().filter_map(text).collect()
}

/// Terms that are true of some rows, and that have none, of every field.
#[expect(clippy::too_many_lines, reason = "a list of terms")]
pub(crate) fn terms(store: &Store) -> Vec<String> {
    let mut terms: Vec<String> = QUERIES.iter().map(|q| (*q).to_owned()).collect();
    for (field, sql) in [
        (
            "to",
            "SELECT DISTINCT recipient FROM delivery_to ORDER BY 1",
        ),
        (
            "to",
            "SELECT DISTINCT '@' || split_part(recipient, '@', -1) FROM delivery_to ORDER BY 1",
        ),
        (
            "orig_to",
            "SELECT DISTINCT orig_to FROM delivery_to WHERE orig_to IS NOT NULL ORDER BY 1",
        ),
        (
            "from",
            "SELECT DISTINCT sender FROM delivery_from WHERE sender <> '' ORDER BY 1",
        ),
        (
            "addr",
            "SELECT DISTINCT sender FROM delivery_from WHERE sender <> '' ORDER BY 1",
        ),
        (
            "qid",
            "SELECT DISTINCT queue_id FROM delivery_from ORDER BY 1",
        ),
        (
            "chain",
            "SELECT DISTINCT queue_id FROM delivery_from WHERE parent_id IS NOT NULL ORDER BY 1",
        ),
        (
            "remote_qid",
            "SELECT DISTINCT remote_queue_id FROM delivery_to WHERE remote_queue_id IS NOT NULL ORDER BY 1",
        ),
        (
            "msgid",
            "SELECT DISTINCT message_id FROM delivery_from WHERE message_id IS NOT NULL ORDER BY 1",
        ),
        (
            "relay",
            "SELECT DISTINCT relay_name FROM delivery_to WHERE relay_name IS NOT NULL ORDER BY 1",
        ),
        (
            "client",
            "SELECT DISTINCT client_name FROM delivery_from WHERE client_name IS NOT NULL ORDER BY 1",
        ),
        (
            "client",
            "SELECT DISTINCT client_address FROM delivery_from WHERE client_address IS NOT NULL ORDER BY 1",
        ),
        (
            "user",
            "SELECT DISTINCT sasl_username FROM delivery_from WHERE sasl_username IS NOT NULL ORDER BY 1",
        ),
        ("host", "SELECT DISTINCT host FROM delivery_from ORDER BY 1"),
        (
            "origin",
            "SELECT DISTINCT origin FROM delivery_from ORDER BY 1",
        ),
        (
            "status",
            "SELECT DISTINCT status FROM delivery_to ORDER BY 1",
        ),
        (
            "cause",
            "SELECT DISTINCT cause FROM delivery_to WHERE cause IS NOT NULL ORDER BY 1",
        ),
        (
            "dsn",
            "SELECT DISTINCT dsn FROM delivery_to WHERE dsn IS NOT NULL ORDER BY 1",
        ),
    ] {
        let found = texts(store, sql);
        terms.extend(
            found
                .iter()
                .map(|text| format!("{field}:{}", crate::query::ast::quoted(text))),
        );
        if matches!(field, "msgid") {
            terms.extend(found.iter().filter(|id| id.starts_with('<')).cloned());
        }
    }
    terms.extend(
        [
            "sent",
            "text:queued",
            "user:*",
            "nrcpt:>1",
            "code:2",
            "code:5",
            "delay:>1",
            "relay:127.0.0.1",
            "to:*",
            "subject:*",
            "from:*",
        ]
        .map(str::to_owned),
    );
    terms
}

pub(crate) fn query(random: &mut Random, terms: &[String]) -> String {
    let mut text = String::new();
    for i in 0..=random.below(3) {
        if i > 0 {
            text.push_str([" ", " OR ", " "][random.below(3)]);
        }
        text.push_str(["", "", "", "-"][random.below(4)]);
        if random.below(4) == 0 {
            text.push_str(&format!(
                "({} OR {})",
                random.pick(terms),
                random.pick(terms)
            ));
        } else {
            text.push_str(random.pick(terms));
        }
    }
    text
}

pub(crate) fn options(random: &mut Random) -> Options {
    let time = |random: &mut Random| {
        let time = NOW.plus(-i64::try_from(random.below(300)).unwrap() * HOUR);
        let time = if random.below(3) == 0 {
            time.plus(-250 * DAY)
        } else {
            time
        };
        Some(time.to_utc().unwrap().to_rfc3339())
    };
    let since = if random.below(3) == 0 {
        time(random)
    } else {
        None
    };
    let until = if random.below(4) == 0 {
        time(random)
    } else {
        None
    };
    Options {
        now: NOW,
        zone: Zone::UTC,
        since,
        until,
        all: true,
        limit: (random.below(2) == 0).then(|| 1 + random.below(30) as u64),
        all_hops: random.below(6) == 0,
    }
}

fn ask(store: &Store, statement: &crate::query::Statement) -> Table {
    store
        .select(&statement.sql, &statement.params)
        .unwrap_or_else(|error| panic!("{error:?}\n{}", statement.sql))
}

fn plain(store: &Store, plan: &Plan, limit: Option<u64>) -> Table {
    let search = &plan.search;
    ask(
        store,
        &reference::statement(&search.rule, search.hops, limit),
    )
}

fn ids(store: &Store, plan: &Plan, slice: Slice, limit: Option<u64>) -> Vec<Found> {
    let number = |cell: &Cell| match cell {
        Cell::Int(number) => *number,
        other => panic!("{other:?}"),
    };
    let table = ask(store, &plan.search.ids(slice, limit));
    let found = |row: &Vec<Cell>| Found {
        part: u8::try_from(number(&row[1])).unwrap(),
        id: number(&row[2]),
        from_id: number(&row[3]),
        hop_id: number(&row[4]),
    };
    table.rows.iter().map(found).collect()
}

/// Slices of all times, in their order, cut where rows are and where none are.
fn slices(random: &mut Random, plain: &Table) -> Vec<Slice> {
    let mut ends: Vec<Option<Time>> = vec![None];
    let mut cuts: Vec<Time> = (0..random.below(4))
        .map(|_| {
            match plain
                .rows
                .get(random.below(plain.rows.len().max(1)))
                .map(|row| &row[0])
            {
                Some(Cell::Time(time)) => time.plus(i64::try_from(random.below(3)).unwrap() - 1),
                _ => NOW.plus(-i64::try_from(random.below(9)).unwrap() * HOUR),
            }
        })
        .collect();
    cuts.sort();
    ends.extend(cuts.into_iter().map(Some));
    ends.push(None);
    ends.windows(2)
        .map(|ends| Slice {
            from: ends[0],
            until: ends[1],
        })
        .collect()
}

/// Asks in slices, each alone.
fn in_slices(store: &Store, plan: &Plan, slices: &[Slice], what: &str) {
    let found: Vec<Found> = slices
        .iter()
        .flat_map(|slice| ids(store, plan, *slice, None))
        .collect();
    let whole = ids(store, plan, Slice::WHOLE, None);
    let differ =
        |(at, (a, b)): (usize, (&Found, &Found))| (a != b).then(|| format!("{at}: {a:?} {b:?}"));
    let first = found.iter().zip(&whole).enumerate().find_map(differ);
    assert!(
        first.is_none() && found.len() == whole.len(),
        "{what} {slices:?}: {} and {} found, {first:?}",
        found.len(),
        whole.len()
    );
}

/// Counts by a field: the sum must be that of all hits.
fn counted_by(store: &Store, plan: &Plan, all: &Table, field: &str, what: &str) {
    let sum = |table: &Table| {
        let place = table.columns.iter().position(|c| c == "count").unwrap();
        let number = |row: &Vec<Cell>| if let Cell::Int(n) = row[place] { n } else { 0 };
        table.rows.iter().map(number).sum::<i64>()
    };
    let counted = count_by(plan.clone(), field, None).unwrap();
    let counted = store.select(&counted.sql, &counted.params).unwrap();
    assert_eq!(sum(&counted), sum(all), "{what} by {field}");
}

#[test]
fn no_recipient_is_later_than_its_message() {
    let late = "SELECT t.recipient FROM delivery_to t JOIN delivery_from f ON f.id = t.from_id WHERE t.time > f.updated";
    assert_eq!(texts(&store(), late), [""; 0]);
}

#[test]
fn every_way_finds_what_the_plain_statement_finds() {
    let store = store();
    let terms = terms(&store);
    let mut random = Random(7);
    let (mut asked, mut hits, mut carried) = (0, 0, 0);
    // More with MAILLOG_QUERIES; each is asked in some ten ways.
    let most = std::env::var("MAILLOG_QUERIES").map_or(80, |n| n.parse().unwrap());
    while asked < most {
        let text = query(&mut random, &terms);
        let options = options(&mut random);
        let Ok(plan) = compile_text(&text, &options) else {
            continue;
        };
        asked += 1;
        let what = format!("{text} {options:?}");
        let expected = plain(&store, &plan, options.limit);
        hits += expected.rows.len();
        let rows = store.select(&plan.sql, &plan.params).unwrap();
        let same = rows
            .rows
            .iter()
            .zip(&expected.rows)
            .position(|(a, b)| a != b);
        assert!(
            rows == expected,
            "{what}: {same:?} of {}",
            expected.rows.len()
        );
        let all = plain(&store, &plan, None);
        let whole = ids(&store, &plan, Slice::WHOLE, options.limit);
        carried += whole.iter().filter(|found| found.part == 3).count();
        assert_eq!(whole.len(), expected.rows.len(), "{what}");
        if !whole.is_empty() {
            let size = 1 + random.below(40);
            let mut pages: Vec<Vec<Cell>> = whole
                .chunks(size)
                .flat_map(|page| ask(&store, &rows_of(page, false)).rows)
                .collect();
            assert!(pages == expected.rows, "{what}");
            let newest_first = whole.rchunks(size);
            pages = newest_first
                .flat_map(|page| ask(&store, &rows_of(page, true)).rows)
                .collect();
            pages.reverse();
            assert!(pages == expected.rows, "{what} newest first");
        }
        let counted = ask(&store, &plan.search.count(Slice::WHOLE));
        assert_eq!(
            counted.rows,
            [[Cell::Int(all.rows.len().try_into().unwrap())]],
            "{what}"
        );
        if plan.search.has_slices() {
            let slices = slices(&mut random, &all);
            in_slices(&store, &plan, &slices, &what);
        }
        if options.limit.is_none() {
            let field = ["status", "to", "from", "qid", "date", "relay"][random.below(6)];
            counted_by(&store, &plan, &all, field, &what);
        }
    }
    // The questions are about something.
    assert!(hits > 10 * most && carried > 0, "{hits} {carried}");
}
