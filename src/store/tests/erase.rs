//! Erasure of an address.

use super::retain::event;
use super::*;
use crate::store::erase::Address;

/// The address that is erased.
pub(super) const TO: &str = "Alice.O'Neil@Example.ORG";

/// Rows of each kind that name the address.
#[expect(clippy::too_many_lines, reason = "a row of each kind")]
pub(super) fn filled() -> Changes {
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
        neighbours: vec![
            neighbour(1, TO, None),
            neighbour(2, "bob@example.net", Some("alice.o'neil@example.org")),
            neighbour(3, "malice.o'neil@example.org", Some("Junk")),
        ],
        state: state(&format!(r#"{{"users":["{TO}"],"rest":"kept"}}"#)),
        ..Changes::default()
    }
}

fn neighbour(id: i64, recipient: &str, detail: Option<&str>) -> NeighbourRow {
    NeighbourRow {
        id,
        time: T0,
        host: "mx1".into(),
        program: "dovecot".into(),
        recipient: Some(recipient.into()),
        action: "stored".into(),
        detail: detail.map(Into::into),
        ..NeighbourRow::default()
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
    let erased = store.erase(Address::parse(TO).unwrap()).unwrap();
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
    assert_eq!(
        text(&store, "SELECT string_agg(id, ' ') FROM neighbour"),
        "3"
    );
    let state = "SELECT state FROM open_message";
    assert_eq!(
        text(&store, state),
        r#"{"users":["erased@invalid"],"rest":"kept"}"#
    );
}

#[test]
fn what_srs_and_batv_made_of_the_address_is_erased_too() {
    let mut store = Store::open_in_memory().unwrap();
    let from = |id, sender: &str| DeliveryFrom {
        sender: Some(sender.into()),
        client_name: Some("home.example".into()),
        ..done(id)
    };
    let to = |id, from_id, address: &str| DeliveryTo {
        recipient: address.into(),
        state: attempt("sent"),
        ..recipient(id, from_id)
    };
    let changes = Changes {
        from_inserts: vec![
            from(1, "SRS0=a=b=example.net=ann@fwd.example.org"),
            from(
                2,
                "srs1=a=first.example==a=b=example.net=ann@fwd.example.org",
            ),
            from(
                3,
                "SRS0=a=b=example.net=prvs=1234567890=ann@fwd.example.org",
            ),
            from(4, "SRS0=a=b=example.net=joann@fwd.example.org"),
        ],
        to_inserts: vec![
            to(1, 1, "bob@example.org"),
            to(2, 2, "bob@example.org"),
            to(3, 3, "bob@example.org"),
            to(4, 4, "prvs=1234567890=ann@example.net"),
            to(5, 4, "SRS0=a=b=example.net=ann@fwd.example.org"),
            to(6, 4, "bob@example.org"),
        ],
        log_lines: vec![line(
            3,
            "from=<SRS0=a=b=example.net=prvs=1234567890=ann@fwd.example.org>",
        )],
        ..Changes::default()
    };
    store.commit(batch(changes)).unwrap();
    let address = Address::parse("ann@example.net").unwrap();
    store.erase(address).unwrap();
    let senders = "SELECT string_agg(concat_ws(' ', id, sender, orig_sender, client_name), ', ' ORDER BY id) FROM delivery_from";
    assert_eq!(
        text(&store, senders),
        "1 erased@invalid, 2 erased@invalid, 3 erased@invalid, \
         4 SRS0=a=b=example.net=joann@fwd.example.org joann@example.net home.example"
    );
    let recipients = "SELECT string_agg(id, ' ' ORDER BY id) FROM delivery_to";
    assert_eq!(text(&store, recipients), "1 2 3 6");
    assert_eq!(count(&store, "log_line"), 0);
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
        .erase(Address::parse("alice@example.org").unwrap())
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
