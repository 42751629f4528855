//! The adversarial examples of grammar 9.3 with their stated results, and the messages of section 14.

use super::event;
use crate::model::event::{Content, Delivery, Event, Notice, Policy, Removal};

const QID: &str = "4fQnFR2wTjz8tX9";

fn policy<'a>(ident: &'a str, text: &'a str) -> Policy<'a> {
    match event(ident, text) {
        Event::Policy(policy) => policy,
        other => panic!("{other:?}"),
    }
}

fn delivery<'a>(ident: &'a str, text: &'a str) -> Delivery<'a> {
    match event(ident, text) {
        Event::Delivery(delivery) => delivery,
        other => panic!("{other:?}"),
    }
}

fn content(text: &str) -> Content<'_> {
    match event("postfix/cleanup", text) {
        Event::Content(content) => content,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_tail_inside_text_and_recipient_is_not_the_tail() {
    let policy = policy(
        "postfix/smtpd",
        r#"NOQUEUE: reject: RCPT from unknown[203.0.113.5]: 554 5.7.1 <x>: foo; from=<a@b.example> to=<c@d.example> proto=ESMTP helo=<h>@evil.example>: Relay access denied; from=<s@evil.example> to=<"x>: foo; from=<a@b.example> to=<c@d.example> proto=ESMTP helo=<h>"@evil.example> proto=ESMTP helo=<real>"#,
    );
    assert_eq!(policy.tail.sender, Some("s@evil.example"));
    assert_eq!(policy.tail.helo_name, Some("real"));
    assert_eq!(policy.reply_code, Some(554));
    assert_eq!(policy.dsn, Some("5.7.1"));
    assert_eq!(
        policy.tail.recipient,
        Some(r#""x>: foo; from=<a@b.example> to=<c@d.example> proto=ESMTP helo=<h>"@evil.example"#)
    );
}

#[test]
fn a_delivery_inside_a_quoted_recipient_is_not_the_delivery() {
    let delivery = delivery(
        "postfix/smtp",
        r#"4fQnFR2wTjz8tX9: to=<"a>, relay=mx.bank.example[192.0.2.1]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (ok)"@evil.example>, relay=mx.evil.example[203.0.113.9]:25, delay=1.1, delays=0.1/0/0.5/0.5, dsn=5.1.1, status=bounced (host mx.evil.example[203.0.113.9] said: 550 5.1.1 no (in reply to RCPT TO command))"#,
    );
    assert_eq!(delivery.status, "bounced");
    assert_eq!(delivery.relay.name, Some("mx.evil.example"));
    assert!(!delivery.ambiguous);
}

#[test]
fn a_delivery_inside_a_reply_is_not_the_delivery() {
    let delivery = delivery(
        "postfix/smtp",
        "4fQnFR2wTjz8tX9: to=<bob@evil.example>, relay=mx.evil.example[203.0.113.9]:25, delay=1.1, delays=0.1/0/0.5/0.5, dsn=5.0.0, status=bounced (host mx.evil.example[203.0.113.9] said: 550 x), relay=mx.bank.example[192.0.2.1]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 queued as 64AB9120A53 (in reply to RCPT TO command))",
    );
    assert_eq!(delivery.status, "bounced");
    assert_eq!(delivery.remote_queue_id, None);
    assert_eq!(delivery.reply_code, Some(550));
}

#[test]
fn numbers_inside_a_sender_are_not_the_numbers() {
    let event = event(
        "postfix/qmgr",
        r#"4fQnFR2wTjz8tX9: from=<"x>, size=1, nrcpt=1 (queue active)"@evil.example>, size=2048, nrcpt=3 (queue active)"#,
    );
    assert_eq!(
        event,
        Event::Active {
            queue_id: QID,
            sender: r#""x>, size=1, nrcpt=1 (queue active)"@evil.example"#,
            size: 2048,
            nrcpt: 3,
        }
    );
}

#[test]
fn a_removal_inside_a_message_id_removes_nothing() {
    let event = event(
        "postfix/cleanup",
        "4fQnFR2wTjz8tX9: message-id=<a@b.example> 64AB9120A53: removed",
    );
    assert_eq!(
        event,
        Event::MessageId {
            queue_id: QID,
            message_id: "<a@b.example> 64AB9120A53: removed",
            resent: false,
        }
    );
}

#[test]
fn a_tail_inside_a_subject_belongs_to_the_subject() {
    let content = content(
        "4fQnFR2wTjz8tX9: info: header Subject: hi from bank.example[192.0.2.1]; from=<ceo@bank.example> to=<v@example.org> proto=ESMTP helo=<bank.example>: hi from mx.evil.example[203.0.113.9]; from=<s@evil.example> to=<v@example.org> proto=ESMTP helo=<mx.evil.example>",
    );
    assert_eq!(content.origin, Some("mx.evil.example[203.0.113.9]"));
    assert_eq!(content.tail.sender, Some("s@evil.example"));
    assert!(content.subject.unwrap().contains("helo=<bank.example>: hi"));
    let [other] = content.other_readings.as_slice() else {
        panic!("{content:?}");
    };
    assert_eq!(other.origin, "bank.example[192.0.2.1]");
}

#[test]
fn all_behind_the_first_label_is_the_user_name() {
    let event = event(
        "postfix/smtpd",
        "warning: unknown[203.0.113.5]: SASL PLAIN authentication failed: bad, sasl_username=x, sasl_username=root",
    );
    let Event::AuthFailure {
        sasl_username,
        reason,
        ..
    } = event
    else {
        panic!("{event:?}");
    };
    assert_eq!(sasl_username, Some("x, sasl_username=root"));
    assert_eq!(reason, "bad");
}

#[test]
fn postscreen_refusals_have_client_and_code_for_facts() {
    let policy = policy(
        "postfix/postscreen",
        "NOQUEUE: reject: RCPT from [203.0.113.5]:41022: 550 5.5.1 Protocol error; from=<a@b>, to=<v@example.org>, proto=SMTP, helo=<q>, to=<c@d.example>, proto=ESMTP, helo=<real>",
    );
    assert!(policy.is_postscreen);
    assert_eq!(policy.client.unwrap().address, "203.0.113.5");
    assert_eq!(policy.client.unwrap().port, Some(41022));
    assert_eq!(policy.reply_code, Some(550));
    assert_eq!(policy.dsn, Some("5.5.1"));
}

#[test]
fn a_filtered_message_is_read_through_both_hops() {
    let Event::Accept {
        queue_id,
        client,
        orig_queue_id,
        orig_client,
        ..
    } = event(
        "postfix/amavis/smtpd",
        "0CC56120A61: client=localhost[127.0.0.1], orig_queue_id=64AB9120A53, orig_client=mx.example.com[198.51.100.7]",
    )
    else {
        panic!();
    };
    assert_eq!(queue_id, Some("0CC56120A61"));
    assert_eq!(client.name, "localhost");
    assert_eq!(orig_queue_id, Some("64AB9120A53"));
    assert_eq!(orig_client, Some("mx.example.com[198.51.100.7]"));

    let hop = delivery(
        "postfix/smtp",
        "64AB9120A53: to=<bob@example.org>, relay=127.0.0.1[127.0.0.1]:10024, delay=0.8, delays=0.1/0.01/0/0.69, dsn=2.0.0, status=sent (250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as 0CC56120A61)",
    );
    assert_eq!(hop.remote_queue_id, Some("0CC56120A61"));
    assert!(!hop.is_forward && !hop.is_discard);
    assert_eq!(
        event("postfix/qmgr", "64AB9120A53: removed"),
        Event::Removed {
            queue_id: "64AB9120A53",
            removal: Removal::Done,
        }
    );
}

#[test]
fn an_expired_message_is_returned_by_a_notice() {
    assert_eq!(
        event(
            "postfix/qmgr",
            "64AB9120A53: from=<alice@example.org>, status=expired, returned to sender"
        ),
        Event::Expired {
            queue_id: "64AB9120A53",
            sender: "alice@example.org",
            status: "expired",
        }
    );
    assert_eq!(
        event(
            "postfix/bounce",
            "64AB9120A53: sender non-delivery notification: 3D090120AC0"
        ),
        Event::Notification {
            queue_id: "64AB9120A53",
            notice: Notice::NonDelivery,
            to_postmaster: false,
            notice_queue_id: "3D090120AC0",
        }
    );
    let attempt = delivery(
        "postfix/smtp",
        "64AB9120A53: to=<joe@example.com>, relay=none, delay=432330, delays=432300/0.02/30/0, dsn=4.4.1, status=deferred (connect to mx.example.com[198.51.100.7]:25: Connection timed out)",
    );
    assert_eq!((attempt.delay, attempt.delay_conn_setup), (432_330.0, 30.0));
    assert_eq!(attempt.relay.name, None);
}
