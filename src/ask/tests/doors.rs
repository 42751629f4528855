//! No row and no address outside a scope is in an answer, whatever is asked: the doors of `ask/scope.rs`, one after the other.

use crate::ask::Ask;
use crate::ask::session::Scoped;
use crate::ingest::tests::filled_keeping;
use crate::model::scope::Scope;
use crate::model::table::{Cell, Param, Table};
use crate::query::found::{Found, Slice, rows_of};
use crate::query::tests::same::{self, Random};
use crate::query::{Plan, compile, compile_text, count_by, story};
use crate::store::Store;
use std::collections::{BTreeMap, BTreeSet};

/// The whole database, as the tests know it, beside a session that is in a scope.
struct Seen {
    scope: Scope,
    session: Scoped,
    /// Addresses of each recipient, message and refusal that is seen, by its id.
    recipients: BTreeMap<i64, Vec<String>>,
    messages: BTreeMap<i64, Vec<String>>,
    refusals: BTreeMap<i64, Vec<String>>,
}

fn texts(row: &[Cell]) -> Vec<String> {
    let text = |cell: &Cell| match cell {
        Cell::Text(text) => Some(text.clone()),
        _ => None,
    };
    row.iter().filter_map(text).collect()
}

fn number(cell: &Cell) -> i64 {
    match cell {
        Cell::Int(number) => *number,
        other => panic!("{other:?}"),
    }
}

impl Seen {
    /// Says in plain words what the views say in SQL.
    fn of(store: &Store, scope: &Scope) -> Self {
        let session = store.sessions().unwrap().open().unwrap();
        let session = Scoped::new(session, scope).unwrap();
        let all = |sql: &str| store.select(sql, &[]).unwrap().rows;
        let is_allowed = |cell: &Cell| matches!(cell, Cell::Text(text) if scope.allows(text));
        let mut seen = Self {
            scope: scope.clone(),
            session,
            recipients: BTreeMap::new(),
            messages: BTreeMap::new(),
            refusals: BTreeMap::new(),
        };
        let mut senders = BTreeMap::new();
        for row in all(
            "SELECT id, sender, sasl_username, orig_sender, message_id, resent_message_id FROM delivery_from",
        ) {
            if row[1..3].iter().any(is_allowed) {
                seen.messages.insert(number(&row[0]), texts(&row));
            }
            senders.insert(number(&row[0]), row);
        }
        for row in all("SELECT id, from_id, recipient, orig_to, recipient_within FROM delivery_to")
        {
            let message = &senders[&number(&row[1])];
            let is_sent = message[1..3].iter().any(is_allowed);
            if is_sent || row[2..4].iter().any(is_allowed) {
                let mut own = texts(&row);
                own.extend(texts(message));
                seen.recipients.insert(number(&row[0]), own.clone());
                seen.messages
                    .entry(number(&row[1]))
                    .or_default()
                    .extend(own);
            }
        }
        for row in all(
            "SELECT id, sender, recipient, sasl_username, orig_sender, recipient_within FROM noqueue",
        ) {
            if row[1..4].iter().any(is_allowed) {
                seen.refusals.insert(number(&row[0]), texts(&row));
            }
        }
        seen
    }

    fn ask(&self, sql: &str, params: &[Param]) -> Table {
        let asked = self.session.rows(sql, params);
        asked.unwrap_or_else(|error| panic!("{error:?}\n{sql}"))
    }

    /// Each hit is one that is seen, with no address but its own and those that are allowed.
    fn check_hits(&self, table: &Table, what: &str) -> BTreeSet<(bool, bool, i64)> {
        let place = |name: &str| table.columns.iter().position(|c| c == name).unwrap();
        let (kind, to, id, from_id) = (
            place("kind"),
            place("recipient"),
            place("id"),
            place("from_id"),
        );
        let mut found = BTreeSet::new();
        for row in &table.rows {
            let is_refusal = row[kind] == Cell::Text("refused".to_owned());
            let is_recipient = !is_refusal && row[to] != Cell::Null;
            let known = match (is_refusal, is_recipient) {
                (true, _) => self.refusals.get(&number(&row[id])),
                (_, true) => self.recipients.get(&number(&row[id])),
                _ => self.messages.get(&number(&row[id])),
            };
            let own = known.unwrap_or_else(|| panic!("{what}: not in {}: {row:?}", self.scope));
            if !is_refusal {
                assert!(self.messages.contains_key(&number(&row[from_id])), "{what}");
            }
            self.check_cells(row, own, what);
            found.insert((is_refusal, is_recipient, number(&row[id])));
        }
        found
    }

    fn check_cells(&self, row: &[Cell], own: &[String], what: &str) {
        let own: Vec<&str> = own.iter().map(String::as_str).collect();
        for text in texts(row) {
            // A Message-ID may be anything.
            if own.contains(&text.as_str()) {
                continue;
            }
            assert_eq!(
                self.scope.hide(&text, &own),
                text,
                "{what} in {}: {row:?}",
                self.scope
            );
        }
    }

    /// No address but those of rows that are seen.
    fn check_all(&self, table: &Table, what: &str) {
        let all = [&self.recipients, &self.messages, &self.refusals];
        let own: Vec<String> = all
            .iter()
            .flat_map(|map| map.values().flatten().cloned())
            .collect();
        for row in &table.rows {
            self.check_cells(row, &own, what);
        }
    }
}

/// Scopes of some of the addresses and domains that there are.
fn scope(random: &mut Random, addresses: &[String]) -> Scope {
    let words: Vec<String> = (0..=random.below(3))
        .map(|_| {
            let address = random.pick(addresses);
            let domain = address.rsplit('@').next().unwrap();
            match random.below(4) {
                0 => address.to_owned(),
                1 => domain
                    .split_once('.')
                    .filter(|(_, parent)| parent.contains('.'))
                    .map_or(format!(".{domain}"), |(_, parent)| format!(".{parent}")),
                _ => domain.to_owned(),
            }
        })
        .collect();
    Scope::of(&words).unwrap()
}

fn addresses(store: &Store) -> Vec<String> {
    same::texts(
        store,
        "SELECT DISTINCT address FROM (SELECT recipient AS address FROM delivery_to UNION ALL SELECT orig_to FROM delivery_to \
         UNION ALL SELECT sender FROM delivery_from UNION ALL SELECT sasl_username FROM delivery_from \
         UNION ALL SELECT recipient FROM noqueue UNION ALL SELECT sender FROM noqueue) \
         WHERE regexp_full_match(address, '[a-z0-9.+-]+@[a-z0-9-]+([.][a-z0-9-]+)+') ORDER BY 1",
    )
}

fn ids(seen: &Seen, plan: &Plan, limit: Option<u64>) -> Vec<Found> {
    let asked = plan.search.ids(Slice::WHOLE, limit);
    let table = seen.ask(&asked.sql, &asked.params);
    let found = |row: &Vec<Cell>| Found {
        part: u8::try_from(number(&row[1])).unwrap(),
        id: number(&row[2]),
        from_id: number(&row[3]),
        hop_id: number(&row[4]),
    };
    table.rows.iter().map(found).collect()
}

#[test]
fn whatever_is_searched_only_what_is_seen_is_found() {
    let store = same::store();
    let (terms, addresses) = (same::terms(&store), addresses(&store));
    assert!(addresses.len() > 50, "{}", addresses.len());
    let mut random = Random(11);
    // More with MAILLOG_QUERIES.
    let most: usize = std::env::var("MAILLOG_QUERIES").map_or(30, |n| n.parse().unwrap());
    let (mut hits, mut hidden) = (0, 0);
    let mut seen = Seen::of(&store, &scope(&mut random, &addresses));
    for number_of in 0..most {
        if number_of % 5 == 4 {
            seen = Seen::of(&store, &scope(&mut random, &addresses));
        }
        let text = same::query(&mut random, &terms);
        let options = same::options(&mut random);
        let Ok(plan) = compile_text(&text, &options) else {
            continue;
        };
        let what = format!("{text} {options:?}");
        let all = store.select(&plan.sql, &plan.params).unwrap();
        let table = seen.ask(&plan.sql, &plan.params);
        seen.check_hits(&table, &what);
        (hits, hidden) = (hits + table.rows.len(), hidden + all.rows.len());
        let found = ids(&seen, &plan, options.limit);
        assert_eq!(found.len(), table.rows.len(), "{what}");
        if !found.is_empty() {
            let asked = rows_of(&found, false);
            assert!(seen.ask(&asked.sql, &asked.params) == table, "{what}");
        }
        if options.limit.is_none() {
            let counted = plan.search.count(Slice::WHOLE);
            let counted = seen.ask(&counted.sql, &counted.params);
            let number = usize::try_from(number(&counted.rows[0][0])).unwrap();
            assert_eq!(number, found.len(), "{what}");
            let field = [
                "status", "to", "from", "user", "text", "relay", "helo", "subject",
            ][random.below(8)];
            let counted = count_by(plan, field, None).unwrap();
            seen.check_all(
                &seen.ask(&counted.sql, &counted.params),
                &format!("{what} by {field}"),
            );
        }
    }
    assert!(hits > 0 && hidden > hits, "{hits} of {hidden}");
}

/// With the ids of everything that there is: rows cannot be had by guessing them.
#[test]
fn ids_of_others_fetch_nothing() {
    let store = same::store();
    let addresses = addresses(&store);
    let mut random = Random(5);
    let parts = [(0, "delivery_to"), (1, "delivery_from"), (2, "noqueue")];
    for _ in 0..4 {
        let seen = Seen::of(&store, &scope(&mut random, &addresses));
        for (part, table) in parts {
            let from_id = if part == 0 { "from_id" } else { "id" };
            let rows = store
                .select(&format!("SELECT id, {from_id} FROM {table}"), &[])
                .unwrap()
                .rows;
            let found: Vec<Found> = rows
                .iter()
                .map(|row| Found {
                    part,
                    id: number(&row[0]),
                    from_id: number(&row[1]),
                    hop_id: number(&row[0]),
                })
                .collect();
            let carried = found.iter().map(|found| Found { part: 3, ..*found });
            let carried: Vec<Found> = carried.filter(|_| part == 0).collect();
            for found in [found, carried] {
                if !found.is_empty() {
                    let asked = rows_of(&found, false);
                    seen.check_hits(&seen.ask(&asked.sql, &asked.params), table);
                }
            }
        }
    }
}

/// What is asked for by the sender or recipient that is allowed is all there.
#[test]
fn nothing_that_is_seen_is_missing() {
    let store = same::store();
    let addresses = addresses(&store);
    let mut random = Random(3);
    for _ in 0..4 {
        let seen = Seen::of(&store, &scope(&mut random, &addresses));
        let options = crate::query::Options {
            all_hops: true,
            ..same::options(&mut random)
        };
        let options = crate::query::Options {
            since: None,
            until: None,
            limit: None,
            ..options
        };
        let plan = compile::<&str>(&[], &options).unwrap();
        let found = seen.check_hits(&seen.ask(&plan.sql, &plan.params), "everything");
        let recipients: BTreeSet<i64> = found.iter().filter(|f| f.1).map(|f| f.2).collect();
        assert_eq!(
            recipients,
            seen.recipients.keys().copied().collect(),
            "{}",
            seen.scope
        );
        for (name, text) in [("to", "recipient"), ("from", "sender")] {
            for address in addresses
                .iter()
                .filter(|address| seen.scope.allows(address))
                .take(5)
            {
                let plan = compile_text(&format!("{name}:{address}"), &options).unwrap();
                let all = store.select(&plan.sql, &plan.params).unwrap();
                let in_scope = seen.ask(&plan.sql, &plan.params);
                assert_eq!(
                    in_scope.rows.len(),
                    all.rows.len(),
                    "{text} {address} in {}",
                    seen.scope
                );
            }
        }
    }
}

/// Every statement of stories, with everything that it can be asked.
#[test]
fn stories_and_raw_lines_have_no_other_address() {
    let store = filled_keeping(100_000, &same::logs());
    let addresses = addresses(&store);
    let mut random = Random(9);
    let ids = |table: &str| -> Vec<Param> {
        let rows = store
            .select(&format!("SELECT id FROM {table} ORDER BY id"), &[])
            .unwrap()
            .rows;
        rows.iter().map(|row| Param::Int(number(&row[0]))).collect()
    };
    let (messages, neighbours, refusals) = (ids("delivery_from"), ids("neighbour"), ids("noqueue"));
    let among = |ids: &[Param]| {
        [
            Param::List(ids.to_vec()),
            ids[0].clone(),
            ids[ids.len() - 1].clone(),
        ]
    };
    let lines = number(
        &store
            .select("SELECT count(*) FROM log_line", &[])
            .unwrap()
            .rows[0][0],
    );
    assert!(lines > 100, "{lines}");
    let (mut shown, mut refused) = (0, 0);
    for _ in 0..4 {
        let seen = Seen::of(&store, &scope(&mut random, &addresses));
        let all = among(&messages);
        for sql in [
            story::CHILDREN,
            story::MESSAGES,
            story::RECIPIENTS,
            story::ATTEMPTS,
            story::NEIGHBOURS,
        ] {
            seen.check_all(&seen.ask(sql, &all), sql);
        }
        let to = among(&ids("delivery_to"));
        // As nobody bounds it: every time and every message.
        let bounds = store.select(story::STORE_BOUNDS, &to).unwrap();
        let bounds = bounds.rows[0].iter().map(|cell| match cell {
            Cell::Int(id) => Param::Int(*id),
            Cell::Time(time) => Param::Time(*time),
            other => panic!("{other:?}"),
        });
        let bounded: Vec<Param> = to.iter().cloned().chain(bounds).collect();
        seen.check_all(&seen.ask(story::STORE, &bounded), story::STORE);
        seen.check_all(&seen.ask(story::STORE_BOUNDS, &to), story::STORE_BOUNDS);
        let both: Vec<Param> = all.iter().cloned().chain(among(&neighbours)).collect();
        let found = seen.ask(story::LINES, &both);
        shown += found.rows.len();
        seen.check_all(&found, story::LINES);
        let found = seen.ask(story::REFUSAL_LINES, &among(&refusals));
        refused += found.rows.len();
        seen.check_all(&found, story::REFUSAL_LINES);
    }
    assert!(shown > 20 && refused > 0, "{shown} {refused}");
}

/// Each table, as it stands: what no statement asks for today is not there either.
#[test]
fn every_table_is_behind_a_view() {
    let store = same::store();
    let addresses = addresses(&store);
    let seen = Seen::of(&store, &scope(&mut Random(2), &addresses));
    let tables = same::texts(
        &store,
        "SELECT table_name FROM duckdb_tables() WHERE NOT internal UNION SELECT view_name FROM duckdb_views() WHERE NOT internal AND NOT temporary ORDER BY 1",
    );
    assert!(tables.len() > 15);
    for table in tables {
        let found = seen.ask(&format!("SELECT * FROM {table}"), &[]);
        seen.check_all(&found, &table);
        let is_open = matches!(
            table.as_str(),
            "delivery_from"
                | "delivery_to"
                | "delivery_attempt"
                | "noqueue"
                | "auth"
                | "neighbour"
                | "log_line"
                | "coverage"
                | "meta"
                | "attempt"
                | "queue_now"
                | "store_action"
        );
        assert!(is_open || found.rows.is_empty(), "{table}");
        // Also by the name of its schema.
        seen.check_all(
            &seen.ask(&format!("SELECT * FROM main.{table}"), &[]),
            &table,
        );
    }
    let nobody = Seen::of(&store, &Scope::Nothing);
    for table in [
        "delivery_from",
        "delivery_to",
        "noqueue",
        "log_line",
        "attempt",
        "auth",
        "neighbour",
    ] {
        assert!(
            nobody
                .ask(&format!("SELECT * FROM {table}"), &[])
                .rows
                .is_empty(),
            "{table}"
        );
    }
}
