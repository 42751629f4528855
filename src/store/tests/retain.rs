use super::*;
use crate::model::retain::{Cutoffs, Group};
use crate::model::time::DAY;
use crate::store::compact::{self, compact};
use crate::store::erase::Address;
use crate::store::retain::Gone;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

fn done(id: i64) -> DeliveryFrom {
    DeliveryFrom {
        removed: Some(T0.plus(id * SECOND)),
        status: "done".into(),
        ..message(id)
    }
}

fn line(from_id: i64, text: &str) -> LogLine {
    LogLine {
        time: T0.plus(from_id * SECOND),
        host: "mx1".into(),
        from_id: Some(from_id),
        noqueue_id: None,
        line: text.to_owned(),
    }
}

fn before(group: Group, time: Time) -> Cutoffs {
    let mut cutoffs = Cutoffs::default();
    cutoffs.set(group, Some(time));
    cutoffs
}

fn prune(store: &mut Store, cutoffs: Cutoffs) -> Gone {
    store.prune(cutoffs, none_closed).unwrap()
}

#[test]
fn what_belongs_to_a_message_goes_with_it_and_open_ones_stay() {
    let mut store = Store::open_in_memory().unwrap();
    let parts = |id: i64| (recipient(10 * id, id), line(id, "raw"));
    let attempt = |id: i64| DeliveryAttempt {
        id,
        to_id: 10 * id,
        from_id: id,
        time: T0,
        state: attempt("deferred"),
    };
    // 2 is in the queue, 3 is young, 4 is closed but the correlator has it.
    let changes = Changes {
        from_inserts: vec![done(1), message(2), done(100), done(4)],
        to_inserts: [1, 2, 100, 4].map(|id| parts(id).0).to_vec(),
        attempts: [1, 2, 100, 4].map(attempt).to_vec(),
        log_lines: [1, 2, 100, 4].map(|id| parts(id).1).to_vec(),
        ..Changes::default()
    };
    store.commit(batch(changes)).unwrap();
    let kept = |_: &State| Ok::<_, std::fmt::Error>(vec![4]);
    let gone = store
        .prune(before(Group::Deliveries, T0.plus(50 * SECOND)), kept)
        .unwrap();
    let one = |table| (table, 1);
    let expected = [
        "delivery_to",
        "delivery_attempt",
        "log_line",
        "delivery_from",
    ]
    .map(one);
    assert_eq!(gone, expected);
    for (table, column) in [
        ("delivery_from", "id"),
        ("delivery_to", "from_id"),
        ("delivery_attempt", "from_id"),
        ("log_line", "from_id"),
    ] {
        let left = format!("SELECT string_agg({column}, ' ' ORDER BY {column}) FROM {table}");
        assert_eq!(text(&store, &left), "2 4 100", "{table}");
    }
    let total = "SELECT sum(value)::BIGINT FROM counter WHERE name = 'maillog_pruned_rows_total'";
    assert_eq!(number(&store, total), 4);
}

#[test]
fn raw_lines_go_early_but_not_those_of_open_messages() {
    let mut store = Store::open_in_memory().unwrap();
    let refusal = LogLine {
        from_id: None,
        noqueue_id: Some(1),
        ..line(3, "refused")
    };
    let changes = Changes {
        from_inserts: vec![done(1), message(2)],
        log_lines: vec![
            line(1, "of a closed one"),
            line(2, "of an open one"),
            refusal,
        ],
        ..Changes::default()
    };
    store.commit(batch(changes)).unwrap();
    prune(&mut store, before(Group::Lines, T0.plus(DAY)));
    assert_eq!(text(&store, "SELECT line FROM log_line"), "of an open one");
    assert_eq!(count(&store, "delivery_from"), 2);
}

#[test]
fn many_slices_leave_exactly_what_is_young_whatever_the_order_of_rows() {
    let mut store = Store::open_in_memory().unwrap();
    // Younger and older rows in turns, as after a backfill.
    let refusals = |ids: std::ops::Range<i64>| -> Vec<Noqueue> {
        ids.map(|id| Noqueue {
            id,
            time: T0.plus(if id % 3 == 0 { DAY } else { -DAY }),
            host: "mx1".into(),
            instance: "postfix".into(),
            service: "smtpd".into(),
            action: "reject".into(),
            protocol_state: "RCPT".into(),
            reason: "550".into(),
            count: 1,
            ..Noqueue::default()
        })
        .collect()
    };
    for part in 0..6 {
        let changes = Changes {
            noqueues: refusals(part * 30_000..(part + 1) * 30_000),
            ..Changes::default()
        };
        store.commit(batch(changes)).unwrap();
    }
    let gone = prune(&mut store, before(Group::Noqueue, T0));
    assert_eq!(gone, [("noqueue", 120_000)]);
    assert_eq!(count(&store, "noqueue"), 60_000);
    assert_eq!(
        number(&store, "SELECT count(*) FROM noqueue WHERE id % 3 <> 0"),
        0
    );
    assert_eq!(prune(&mut store, before(Group::Noqueue, T0)), []);
}

#[test]
fn nothing_vouches_for_time_that_is_gone_and_the_cursor_stays() {
    let mut store = Store::open_in_memory().unwrap();
    let first = Batch {
        cursors: vec![cursor(None, "a", 5)],
        coverage: vec![coverage("a", 0, 10), coverage("a", 48, 10)],
        anchors: vec![(
            file_key("a"),
            vec![crate::model::cursor::Anchor {
                hash: 1,
                position: 2,
            }],
        )],
        unparsed: vec![UnparsedRow {
            service: "smtpd".into(),
            template: "?".into(),
            sample: "what".into(),
            first_time: Some(T0),
            last_time: Some(T0),
            count: 1,
        }],
        ..batch(Changes {
            events: vec![event(T0)],
            ..Changes::default()
        })
    };
    store.commit(first).unwrap();
    let mut cutoffs = before(Group::Deliveries, T0.plus(DAY));
    cutoffs.set(Group::Event, Some(T0.plus(2 * DAY)));
    prune(&mut store, cutoffs);
    assert_eq!(count(&store, "coverage"), 1);
    assert_eq!(count(&store, "event"), 0);
    assert_eq!(count(&store, "unparsed"), 0);
    assert_eq!(count(&store, "anchor"), 1);
    cutoffs.ledger = Some(T0.plus(DAY));
    prune(&mut store, cutoffs);
    assert_eq!(count(&store, "anchor"), 0);
    assert_eq!(store.sources().unwrap().len(), 1);
    // A year and more after the last row that it can have brought, the source itself.
    cutoffs.set(Group::Deliveries, Some(T0.plus(400 * DAY)));
    cutoffs.ledger = Some(T0.plus(400 * DAY));
    prune(&mut store, cutoffs);
    assert_eq!(store.sources().unwrap().len(), 0);
    // It is remembered nowhere: the next commit gives it a row again.
    let again = Batch {
        cursors: vec![cursor(None, "a", 6)],
        ..batch(Changes::default())
    };
    store.commit(again).unwrap();
    assert_eq!(store.sources().unwrap().len(), 1);
}

fn event(day: Time) -> EventRow {
    EventRow {
        day: Time(day.0.div_euclid(DAY) * DAY),
        host: "mx1".into(),
        instance: "postfix".into(),
        service: "smtpd".into(),
        level: "warning".into(),
        template: "bad * from *".into(),
        sample: "bad <Alice@Example.ORG> from x".into(),
        first_time: day,
        last_time: day,
        count: 1,
    }
}

#[test]
fn the_preview_counts_what_pruning_deletes() {
    let mut store = Store::open_in_memory().unwrap();
    let changes = Changes {
        from_inserts: vec![done(1), message(2), done(100)],
        to_inserts: [1, 2, 100].map(|id| recipient(id, id)).to_vec(),
        log_lines: [1, 2, 100].map(|id| line(id, "raw")).to_vec(),
        events: vec![event(T0), event(T0.plus(9 * DAY))],
        ..Changes::default()
    };
    store.commit(batch(changes)).unwrap();
    let mut cutoffs = Cutoffs::default();
    for group in Group::ALL {
        cutoffs.set(group, Some(T0.plus(50 * SECOND)));
    }
    cutoffs.set(Group::Event, Some(T0.plus(DAY)));
    let (sql, params) = crate::store::retain::preview(&cutoffs);
    let table = store.select(&sql, &params).unwrap();
    let told: Vec<(String, i64)> = table
        .rows
        .iter()
        .map(|row| match &row[..2] {
            [Cell::Text(table), Cell::Int(rows)] => (table.clone(), *rows),
            other => panic!("{other:?}"),
        })
        .collect();
    let mut gone: Vec<(String, i64)> = prune(&mut store, cutoffs)
        .into_iter()
        .map(|(table, rows)| (table.to_owned(), i64::try_from(rows).unwrap()))
        .collect();
    gone.sort();
    let mut sorted = told;
    sorted.sort();
    assert_eq!(sorted, gone);
}

const TO: &str = "Alice.O'Neil@Example.ORG";

#[expect(clippy::too_many_lines, reason = "a row of each kind")]
fn filled() -> Changes {
    let to = |id, from_id, address: &str, reason: &str| DeliveryTo {
        recipient: address.into(),
        state: Attempt {
            reason: Some(reason.into()),
            ..attempt("sent")
        },
        ..recipient(id, from_id)
    };
    let sent = DeliveryFrom {
        sender: Some("alice.o'neil@example.org".into()),
        sasl_username: Some(TO.into()),
        message_id: Some("<home-pc.alice@laptop>".into()),
        helo_name: Some("alices-laptop".into()),
        ..done(2)
    };
    let bounce = DeliveryFrom {
        sender: Some("list-7-alice.o'neil=example.org@lists.example.com".into()),
        ..done(4)
    };
    let refusal = |id, recipient: &str, reason: &str| Noqueue {
        id,
        time: T0,
        host: "mx1".into(),
        instance: "postfix".into(),
        service: "smtpd".into(),
        action: "reject".into(),
        protocol_state: "RCPT".into(),
        recipient: Some(recipient.into()),
        reason: reason.into(),
        count: 1,
        ..Noqueue::default()
    };
    Changes {
        from_inserts: vec![done(1), sent, done(3), bounce],
        to_inserts: vec![
            to(1, 1, TO, "250 ok"),
            to(
                2,
                1,
                "bob@example.net",
                "250 ok, also <alice.o'neil@example.org>,<ALICE.O'NEIL@example.org>.",
            ),
            to(3, 2, "bob@example.net", "250 ok"),
            to(4, 3, "\"alice.o'neil\"@example.org", "250 ok"),
            to(
                5,
                4,
                "malice.o'neil@example.org",
                "250 SRS0=a=b=example.org=alice.o'neil@relay.example",
            ),
            to(6, 4, "alice.o'neil@example.org.example.com", "250 ok"),
        ],
        attempts: vec![DeliveryAttempt {
            id: 1,
            to_id: 1,
            from_id: 1,
            time: T0,
            state: attempt("deferred"),
        }],
        noqueues: vec![
            refusal(1, TO, "550"),
            refusal(
                2,
                "bob@example.net",
                "550 <alice.o'neil@example.org>: Sender rejected",
            ),
            refusal(3, "bob@example.net", "550"),
        ],
        auths: vec![Auth {
            id: 1,
            time: T0,
            host: "mx1".into(),
            instance: "postfix".into(),
            service: "smtpd".into(),
            sasl_username: Some(TO.into()),
            count: 1,
            ..Auth::default()
        }],
        events: vec![EventRow {
            sample: format!("bad <{TO}> from x").into(),
            ..event(T0)
        }],
        log_lines: vec![
            line(1, "to=<Alice.O'Neil@Example.ORG>, relay=x"),
            line(2, "client=home[198.51.100.9]"),
            line(4, "to=<malice.o'neil@example.org>"),
        ],
        state: state(&format!(r#"{{"users":["{TO}"],"rest":"kept"}}"#)),
        ..Changes::default()
    }
}

#[test]
fn an_erased_address_is_in_no_row_and_other_recipients_are_untouched() {
    let mut store = Store::open_in_memory().unwrap();
    store.commit(batch(filled())).unwrap();
    let without_key = "SELECT
        (SELECT count(*) FROM delivery_to WHERE recipient_key IS DISTINCT FROM address_key(recipient)
            OR orig_to_key IS DISTINCT FROM address_key(orig_to))
        + (SELECT count(*) FROM delivery_from WHERE sender_key IS DISTINCT FROM address_key(sender))
        + (SELECT count(*) FROM noqueue WHERE sender_key IS DISTINCT FROM address_key(sender)
            OR recipient_key IS DISTINCT FROM address_key(recipient))";
    assert_eq!(number(&store, without_key), 0);
    let erased = store
        .erase(Address::parse(TO).unwrap(), none_closed)
        .unwrap();
    assert_eq!(erased.open, 0);
    let recipients = "SELECT string_agg(recipient, ' ' ORDER BY id) FROM delivery_to";
    assert_eq!(
        text(&store, recipients),
        "bob@example.net bob@example.net malice.o'neil@example.org alice.o'neil@example.org.example.com"
    );
    let reason = |id| {
        text(
            &store,
            &format!("SELECT reason FROM delivery_to WHERE id = {id}"),
        )
    };
    assert_eq!(reason(2), "250 ok, also <erased@invalid>,<erased@invalid>.");
    assert_eq!(reason(5), "250 SRS0=a=b=invalid=erased@relay.example");
    assert_eq!(count(&store, "delivery_attempt"), 0);
    // 3 had no other recipient.
    let messages = "SELECT string_agg(id || ' ' || sender, ', ' ORDER BY id) FROM delivery_from";
    assert_eq!(
        text(&store, messages),
        "1 alice@example.org, 2 erased@invalid, 4 list-7-erased=invalid@lists.example.com"
    );
    assert_eq!(number(&store, without_key), 0);
    let nothing = "SELECT count(*) FROM delivery_from WHERE id = 2 AND coalesce(sasl_username, client_address, \
                   helo_name, message_id) IS NULL";
    assert_eq!(number(&store, nothing), 1);
    assert_eq!(text(&store, "SELECT string_agg(id, ' ') FROM noqueue"), "3");
    assert_eq!(count(&store, "auth"), 0);
    assert_eq!(
        text(&store, "SELECT sample FROM event"),
        "bad <erased@invalid> from x"
    );
    assert_eq!(
        text(&store, "SELECT line FROM log_line"),
        "to=<malice.o'neil@example.org>"
    );
    let state = "SELECT state FROM open_message";
    assert_eq!(
        text(&store, state),
        r#"{"users":["erased@invalid"],"rest":"kept"}"#
    );
}

#[test]
fn messages_in_the_queue_keep_their_rows_and_are_counted() {
    let mut store = Store::open_in_memory().unwrap();
    let changes = Changes {
        from_inserts: vec![message(1), message(2), done(3)],
        to_inserts: vec![DeliveryTo {
            recipient: "alice@example.org".into(),
            ..recipient(1, 2)
        }],
        ..Changes::default()
    };
    store.commit(batch(changes)).unwrap();
    let erased = store
        .erase(Address::parse("alice@example.org").unwrap(), none_closed)
        .unwrap();
    assert_eq!(erased.open, 2);
    assert_eq!(count(&store, "delivery_to"), 1);
    let left = "SELECT count(*) FROM delivery_from WHERE sender = 'alice@example.org'";
    assert_eq!(number(&store, left), 2);
}

#[test]
fn only_whole_addresses_can_be_erased() {
    for text in ["alice", "@example.org", "alice@", "a\nb@example.org", ""] {
        assert_eq!(Address::parse(text), None, "{text:?}");
    }
    assert_eq!(
        Address::parse("<alice@example.org>"),
        Address::parse(" alice@example.org ")
    );
}

fn holds(path: &Path, needle: &[u8]) -> bool {
    let data = fs::read(path).unwrap_or_default();
    let lower = data.to_ascii_lowercase();
    memchr::memmem::find(&lower, needle).is_some()
}

#[test]
fn after_compaction_no_byte_of_any_file_has_the_address() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("it's [a] file.db");
    let mut store = Store::open_writer(&path).unwrap();
    store.commit(batch(filled())).unwrap();
    let wal = dir.path().join("it's [a] file.db.wal");
    assert!(holds(&wal, b"alice.o'neil@example.org"));
    store.checkpoint().unwrap();
    assert!(holds(&path, b"alice.o'neil@example.org"));
    store
        .erase(Address::parse(TO).unwrap(), none_closed)
        .unwrap();
    store.checkpoint().unwrap();
    drop(store);
    compact(&path, Limits::WRITER).unwrap();
    let mut names: Vec<_> = fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["it's [a] file.db"]);
    let whole: [&[u8]; 3] = [
        b"<alice.o'neil@example.org>",
        b"-alice.o'neil=example.org",
        b"alices-laptop",
    ];
    for needle in whole {
        assert!(!holds(&path, needle), "{}", String::from_utf8_lossy(needle));
    }
    assert!(
        holds(&path, b"malice.o'neil@example.org"),
        "the copy is readable text"
    );
}

#[test]
fn compaction_keeps_everything_and_gives_room_back() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("mail.db");
    let mut store = Store::open_writer(&path).unwrap();
    let changes = Changes {
        from_inserts: (0..200_000).map(done).collect(),
        to_inserts: (0..200_000).map(|id| recipient(id, id)).collect(),
        ..Changes::default()
    };
    store.commit(batch(changes)).unwrap();
    store
        .commit(Batch {
            cursors: vec![cursor(None, "a", 5)],
            ..batch(Changes::default())
        })
        .unwrap();
    store.checkpoint().unwrap();
    prune(
        &mut store,
        before(Group::Deliveries, T0.plus(190_000 * SECOND)),
    );
    store.wish_compaction().unwrap();
    assert!(store.wishes_compaction().unwrap());
    store.checkpoint().unwrap();
    let space = store.space().unwrap();
    assert!(space.free > space.total / 3, "{space:?}");
    drop(store);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let sizes = compact(&path, Limits::WRITER).unwrap();
    assert!(sizes.after < sizes.before / 3, "{sizes:?}");
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let store = Store::open_writer(&path).unwrap();
    assert!(!store.wishes_compaction().unwrap());
    assert_eq!(count(&store, "delivery_to"), 10_000);
    assert_eq!(count(&store, "queue_now"), 0);
    assert_eq!(store.sources().unwrap().len(), 1);
    let disorder = "SELECT count(*) FROM (SELECT id < lag(id) OVER (ORDER BY rowid) AS back FROM delivery_to) WHERE back";
    assert_eq!(number(&store, disorder), 0);
}

#[test]
fn no_room_is_told_before_anything_is_written() {
    let space = compact::Space {
        total: 1 << 60,
        free: 0,
    };
    let error = compact::check_room(Path::new("/tmp/x.db"), space).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("no room to rewrite /tmp/x.db: it takes "),
        "{error}"
    );
}

#[test]
fn a_database_in_use_is_not_compacted() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("mail.db");
    drop(Store::open_writer(&path).unwrap());
    let mut holder = start_holder(&path);
    let error = compact(&path, Limits::WRITER).unwrap_err();
    holder.kill().unwrap();
    holder.wait().unwrap();
    assert!(matches!(error, Error::Locked { .. }), "{error}");
}

const PLACE: &str = "MAILLOG_TEST_COMPACT";
const WHAT: &str = "MAILLOG_TEST_COMPACT_WHAT";

/// Not a test: the process that the tests here kill.
#[test]
fn other_process() {
    let (Some(path), Ok(what)) = (std::env::var_os(PLACE), std::env::var(WHAT)) else {
        return;
    };
    let path = Path::new(&path);
    if what == "hold" {
        let _store = Store::open_writer(path).unwrap();
        fs::write(path.with_extension("held"), "").unwrap();
        std::thread::park();
    }
    compact(path, Limits::WRITER).unwrap();
}

fn start(path: &Path, what: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "store::tests::retain::other_process",
            "--test-threads=1",
        ])
        .env(PLACE, path)
        .env(WHAT, what)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn start_holder(path: &Path) -> Child {
    let child = start(path, "hold");
    let deadline = std::time::Instant::now() + Duration::from_mins(1);
    while !path.with_extension("held").exists() {
        assert!(std::time::Instant::now() < deadline);
        std::thread::sleep(Duration::from_millis(5));
    }
    child
}

/// The story: power fails, or the process is killed, at any moment of a compaction. The name then stands for the old
/// file or the new one, whole, and the next start leaves no litter.
#[test]
fn a_killed_compaction_leaves_a_whole_database() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("mail.db");
    let mut store = Store::open_writer(&path).unwrap();
    let changes = Changes {
        from_inserts: (0..60_000).map(done).collect(),
        to_inserts: (0..60_000).map(|id| recipient(id, id)).collect(),
        ..Changes::default()
    };
    store.commit(batch(changes)).unwrap();
    store.checkpoint().unwrap();
    drop(store);
    let begun = std::time::Instant::now();
    assert!(start(&path, "compact").wait().unwrap().success());
    let whole = begun.elapsed();
    let mut killed = 0;
    for number in 1..=12_u32 {
        let mut child = start(&path, "compact");
        std::thread::sleep(whole * number / 12);
        child.kill().unwrap();
        killed += usize::from(!child.wait().unwrap().success());
        let store = Store::open_writer(&path).unwrap();
        assert_eq!(count(&store, "delivery_to"), 60_000, "kill {number}");
        assert_eq!(count(&store, "delivery_from"), 60_000, "kill {number}");
        drop(store);
        assert!(!path.with_extension("db.compact").exists());
        assert!(!path.with_extension("db.compact.wal").exists());
    }
    assert!(killed > 3, "{killed} kills came in time");
}

fn counts(names: impl Iterator<Item = String>) -> Batch {
    Batch {
        counts: names
            .map(|labels| crate::metrics::Count {
                name: "x_total".to_owned(),
                labels,
                value: 1.5,
            })
            .collect(),
        ..batch(Changes::default())
    }
}

#[test]
fn totals_add_up_over_commits_and_their_series_are_bounded() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("mail.db");
    let mut store = Store::open_writer(&path).unwrap();
    let label = |n: i64| format!("host=\"h{n}\"");
    store.commit(counts((0..150).map(label))).unwrap();
    store
        .commit(counts((0..150).chain(0..1).map(label)))
        .unwrap();
    drop(store);
    let mut store = Store::open_writer(&path).unwrap();
    store.commit(counts((0..1000).map(label))).unwrap();
    assert_eq!(count(&store, "counter"), 201);
    let value = |labels: &str| {
        let sql = format!("SELECT (value * 10)::BIGINT FROM counter WHERE labels = '{labels}'");
        number(&store, &sql)
    };
    assert_eq!(value("host=\"h0\""), 60);
    assert_eq!(value("host=\"h3\""), 45);
    assert_eq!(value("host=\"h199\""), 15);
    assert_eq!(value("host=\"other\""), 800 * 15);
}
