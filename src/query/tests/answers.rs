//! The statements against a database: all of them run, and the answers are right.

use super::{everything, statements::QUERIES};
use crate::model::hits;
use crate::model::row::{Attempt, Changes, DeliveryAttempt, DeliveryFrom, DeliveryTo, Noqueue};
use crate::model::table::{Cell, Param, Table};
use crate::model::time::{SECOND, Time};
use crate::query::found::{Found, rows_of};
use crate::query::{Options, compile_text, story};
use crate::store::{Batch, Store};

/// 2026-11-20 10:00:00 UTC.
const T: Time = Time(1_795_168_800_000_000);

fn at(seconds: i64) -> Time {
    T.plus(seconds * SECOND)
}

fn message(id: i64, queue_id: &str) -> DeliveryFrom {
    DeliveryFrom {
        id,
        host: "mx1".into(),
        instance: "postfix".into(),
        queue_id: queue_id.into(),
        time: at(0),
        updated: at(5),
        removed: Some(at(5)),
        client_name: Some("mail.example.com".into()),
        client_address: Some("192.0.2.1".into()),
        sender: Some("bob@example.net".into()),
        message_id: Some(format!("<{id}@example.net>").into()),
        size: Some(1000),
        origin: "smtpd".into(),
        root_id: id,
        status: "done".into(),
        ..DeliveryFrom::default()
    }
}

fn child(id: i64, queue_id: &str, parent: i64, link: &str) -> DeliveryFrom {
    DeliveryFrom {
        client_name: Some("localhost".into()),
        client_address: Some("127.0.0.1".into()),
        parent_id: Some(parent),
        parent_link: Some(link.into()),
        root_id: parent,
        ..message(id, queue_id)
    }
}

fn recipient(id: i64, from: &DeliveryFrom, address: &str, status: &str) -> DeliveryTo {
    let (dsn, code, reason) = match status {
        "deferred" => ("4.2.2", 452, "452 4.2.2 mailbox full"),
        "bounced" => ("5.1.1", 550, "550 5.1.1 user unknown"),
        _ => ("2.0.0", 250, "250 2.0.0 Ok: queued as 9F00000009"),
    };
    DeliveryTo {
        id,
        from_id: from.id,
        host: from.host.clone(),
        instance: from.instance.clone(),
        queue_id: from.queue_id.clone(),
        recipient: address.into(),
        time: at(4),
        first_time: at(1),
        attempts: 1,
        state: Attempt {
            relay: Some("mx.example.net[198.51.100.1]:25".into()),
            relay_name: Some("mx.example.net".into()),
            relay_address: Some("198.51.100.1".into()),
            delay: Some(1.5),
            status: status.into(),
            dsn: Some(dsn.into()),
            reply_code: Some(code),
            reason: Some(reason.into()),
            ..Attempt::default()
        },
        ..DeliveryTo::default()
    }
}

fn refusal(id: i64, recipient: Option<&str>, action: &str) -> Noqueue {
    Noqueue {
        id,
        time: at(2),
        host: "mx1".into(),
        instance: "postfix".into(),
        service: "smtpd".into(),
        action: action.into(),
        protocol_state: "RCPT".into(),
        client_address: recipient.map(|_| "2001:db8::7".into()),
        helo_name: recipient.map(|_| "[192.0.2.1]".into()),
        recipient: recipient.map(Into::into),
        reply_code: recipient.map(|_| 554),
        dsn: recipient.map(|_| "5.7.1".into()),
        rule: recipient.map(|_| "relay".into()),
        reason: "554 5.7.1 Relay access denied".into(),
        count: 1,
        ..Noqueue::default()
    }
}

/// Through a filter to alice; deferred null sender; no recipient yet; list forwarded to carol; filter that nothing came back from.
#[expect(clippy::too_many_lines, reason = "the rows that the answers are about")]
fn store() -> Store {
    let filtered = message(1, "3A1973E542");
    let from_filter = child(2, "3A1973E543", 1, "filter");
    let bounce = DeliveryFrom {
        sender: Some("".into()),
        ..message(3, "4fQnFR2wTjz8tX9")
    };
    let waiting = DeliveryFrom {
        status: "queued".into(),
        removed: None,
        sender: None,
        client_name: None,
        client_address: None,
        ..message(4, "5A00000001")
    };
    let list = message(5, "5A00000002");
    let forwarded = child(6, "5A00000003", 5, "forward");
    let lost = message(7, "5A00000004");
    let earlier = DeliveryAttempt {
        id: 18,
        to_id: 12,
        from_id: 2,
        time: at(1),
        state: Attempt {
            status: "deferred".into(),
            ..Attempt::default()
        },
    };
    let changes = Changes {
        to_inserts: vec![
            recipient(11, &filtered, "alice@example.org", "filtered"),
            recipient(12, &from_filter, "Alice@example.org", "sent"),
            DeliveryTo {
                attempts: 2,
                ..recipient(13, &bounce, "bob@example.net", "deferred")
            },
            recipient(15, &list, "list@example.org", "forwarded"),
            DeliveryTo {
                orig_to: Some("list@example.org".into()),
                ..recipient(16, &forwarded, "carol@example.com", "bounced")
            },
            recipient(17, &lost, "dave@example.org", "filtered"),
        ],
        from_inserts: vec![
            filtered,
            from_filter,
            bounce,
            waiting,
            list,
            forwarded,
            lost,
        ],
        attempts: vec![earlier],
        noqueues: vec![
            refusal(20, Some("alice@example.org"), "reject"),
            refusal(21, None, "milter-reject"),
        ],
        ..Changes::default()
    };
    let mut store = Store::open_in_memory().unwrap();
    store
        .commit(Batch {
            changes,
            now: at(6),
            ..Batch::default()
        })
        .unwrap();
    store
}

fn ids(table: &Table) -> Vec<i64> {
    let column = table.columns.iter().position(|name| name == "id").unwrap();
    let id = |row: &Vec<Cell>| match row[column] {
        Cell::Int(id) => id,
        ref other => panic!("{other:?}"),
    };
    table.rows.iter().map(id).collect()
}

#[test]
fn every_kind_of_query_runs() {
    let store = store();
    for text in QUERIES {
        for options in [
            everything(),
            Options {
                all_hops: true,
                limit: Some(3),
                ..super::options()
            },
        ] {
            let plan = compile_text(text, &options).unwrap();
            let table = store
                .select(&plan.sql, &plan.params)
                .unwrap_or_else(|e| panic!("{text}: {e:?}"));
            assert_eq!(table.columns.len(), hits::COLUMNS.len(), "{text}");
        }
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of questions and answers")]
fn answers_are_those_of_the_rows() {
    let store = store();
    for (text, expected) in [
        // A mail through a filter is one hit, told by where it ended.
        ("alice@example.org", &[20, 12][..]),
        ("client:192.0.2.1", &[12, 13, 16, 17]),
        ("client:mail.example.com -status:sent", &[13, 16, 17]),
        ("client:192.0.2.0/24 status:sent", &[12]),
        ("-client:192.0.2.1", &[20, 21, 4]),
        ("client:127.0.0.1", &[12, 16]),
        ("2001:db8::/32", &[20]),
        ("helo:192.0.2.1", &[20]),
        // Asked for by what only the handing over has, it is told by where it ended, too.
        ("3A1973E542", &[12]),
        ("3A1973E542 status:sent", &[12]),
        ("3A1973E542 status:bounced", &[]),
        ("5A00000002 list@example.org status:bounced", &[16]),
        ("to:list@example.org to:alice@example.org", &[]),
        ("-to:carol@example.com chain:5A00000002", &[15]),
        ("-to:carol@example.com from:bob@example.net", &[12, 17]),
        // What handed it on is found when asked for.
        ("chain:3A1973E543", &[11, 12]),
        ("status:filtered", &[11, 17]),
        ("list@example.org", &[16]),
        // Nothing came back: the handing over is all there is.
        ("dave@example.org", &[17]),
        ("-status:sent", &[20, 21, 13, 16, 17, 4]),
        ("-status:sent,refused", &[13, 16, 17, 4]),
        ("-status:rejected from:bob@example.net", &[12, 16, 17]),
        ("ever:deferred", &[12, 13]),
        ("-ever:deferred", &[20, 21, 16, 17, 4]),
        ("status:queued", &[4]),
        ("status:refused", &[20, 21]),
        ("status:REJECTED", &[20, 21]),
        ("status:milter-reject", &[21]),
        // A column that is NULL or missing matches nothing, and its negation everything.
        ("<>", &[13]),
        ("-from:<>", &[20, 21, 12, 16, 17, 4]),
        ("-to:alice@example.org", &[21, 13, 16, 17, 4]),
        (
            "NOT (to:alice@example.org OR status:deferred)",
            &[21, 16, 17, 4],
        ),
        ("--to:alice@example.org", &[20, 12]),
        ("-rule:relay", &[21, 12, 13, 16, 17, 4]),
        ("-size:>500", &[20, 21]),
        ("to:/^ALICE/i", &[20, 12]),
        ("to:/^Alice/", &[12]),
        ("to:?lice@*", &[20, 12]),
        ("example.org", &[20, 12, 16, 17]),
        (".org", &[20, 12, 16, 17]),
        ("code:5 dsn:5", &[20, 16]),
        ("code:45x", &[13]),
        ("\"mailbox full\"", &[13]),
        ("text:\"100%\"", &[]),
        ("text:\"mailbox_full\"", &[]),
        ("text:mail*full", &[13]),
        ("delay:>1s", &[12, 13, 16, 17]),
        ("delay:>2s", &[]),
        ("size:1000", &[12, 13, 16, 17, 4]),
        ("attempts:>=2", &[13]),
        ("relay:example.net", &[12, 13, 16, 17]),
        ("relay:=none", &[]),
        ("<1@example.net>", &[11]),
        ("msgid:3@example.net", &[13]),
        ("date:2026-11-20", &[20, 21, 12, 13, 16, 17, 4]),
        ("-date:2026-11-20", &[]),
        ("until:\"2026-11-20 10:00:02 UTC\"", &[12, 13, 16, 17, 4]),
        ("since:\"2026-11-20 10:00:03 UTC\"", &[12, 13, 16, 17, 4]),
        ("since:\"2026-11-20 10:00:06 UTC\"", &[]),
    ] {
        let plan = compile_text(text, &everything()).unwrap();
        assert_eq!(
            ids(&store.select(&plan.sql, &plan.params).unwrap()),
            expected,
            "{text}"
        );
    }
}

#[test]
fn limit_takes_the_newest() {
    let options = Options {
        limit: Some(2),
        ..everything()
    };
    let plan = compile_text("to:alice@example.org OR status:refused", &options).unwrap();
    assert_eq!(
        ids(&store().select(&plan.sql, &plan.params).unwrap()),
        [21, 12]
    );
}

#[test]
fn story_of_a_chain_has_all_its_messages() {
    let store = store();
    let chain = |ids: &[i64]| {
        let list = ids.iter().copied().map(Param::Int).collect();
        [Param::List(list), Param::Int(ids[0]), Param::Int(ids[1])]
    };
    let first = |sql: &str, params: &[Param]| -> Vec<Cell> {
        let rows = store.select(sql, params).unwrap().rows;
        rows.into_iter().map(|mut row| row.remove(0)).collect()
    };
    let ids = first(story::OF_ROOTS, &chain(&[1, 1]));
    assert_eq!(ids, [Cell::Int(1), Cell::Int(2)]);
    assert_eq!(first(story::CHILDREN, &chain(&[1, 2])), [Cell::Int(2)]);
    let count = |sql: &str| first(sql, &chain(&[1, 2])).len();
    assert_eq!(
        [
            count(story::MESSAGES),
            count(story::RECIPIENTS),
            count(story::ATTEMPTS)
        ],
        [2, 2, 1]
    );
}

#[test]
fn the_columns_of_hits_have_the_types_of_their_list() {
    let store = store();
    let names: Vec<String> = hits::names().into_iter().map(str::to_owned).collect();
    for part in 0..4 {
        let found = Found {
            part,
            id: 1,
            from_id: 1,
            hop_id: 1,
        };
        let rows = rows_of(&[found], false);
        let types: Vec<String> = hits::names()
            .iter()
            .map(|name| format!("typeof(any_value({name}))"))
            .collect();
        // No row is in it: all values are null, and have the type of their column.
        let sql = format!(
            "SELECT {} FROM ({}) WHERE false",
            types.join(", "),
            rows.sql
        );
        let told = store.select(&sql, &rows.params).unwrap();
        let expected: Vec<Cell> = hits::COLUMNS
            .iter()
            .map(|column| Cell::Text(column.sql_type.to_owned()))
            .collect();
        assert_eq!(told.rows, [expected], "{part}");
        assert_eq!(
            store.select(&rows.sql, &rows.params).unwrap().columns,
            names
        );
    }
}
