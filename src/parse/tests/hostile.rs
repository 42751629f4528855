//! Lines by people who know our keywords: each tries to say what Postfix did not.

use super::event;
use crate::model::event::{Delivery, Event, Policy};

const FAKE: &str = ", relay=mx.bank.example[192.0.2.1]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 64AB9120A53)";
const REAL: &str = ", relay=mx.example.net[192.0.2.25]:25, delay=1.5, delays=0.6/0/0.5/0.4, dsn=5.1.1, status=bounced (host mx.example.net[192.0.2.25] said: 550 5.1.1 no (in reply to RCPT TO command))";

fn delivery(text: &str) -> Delivery<'_> {
    match event("postfix/smtp", text) {
        Event::Delivery(delivery) => delivery,
        other => panic!("{other:?}"),
    }
}

fn policy(text: &str) -> Policy<'_> {
    match event("postfix/smtpd", text) {
        Event::Policy(policy) => policy,
        other => panic!("{other:?}"),
    }
}

fn is_other(ident: &str, text: &str) -> bool {
    matches!(event(ident, text), Event::Other { .. })
}

#[test]
fn escaped_quote_in_a_recipient_does_not_end_the_quote() {
    let text = format!(r#"64AB9120A53: to=<"a\">{FAKE}"@example.com>{REAL}"#);
    assert_eq!(delivery(&text).status, "bounced");
    assert!(!delivery(&text).ambiguous);
}

#[test]
fn quote_of_the_original_recipient_is_honoured() {
    let text =
        format!(r#"64AB9120A53: to=<bob@example.com>, orig_to=<"x>{FAKE}"@example.com>{REAL}"#);
    let delivery = delivery(&text);
    assert_eq!(
        (delivery.status, delivery.recipient),
        ("bounced", "bob@example.com")
    );
}

#[test]
fn unquoted_recipient_with_a_record_is_ambiguous() {
    let text = format!("64AB9120A53: to=<a>{FAKE}@example.com>{REAL}");
    let delivery = delivery(&text);
    assert!(delivery.ambiguous);
    // Of the two, the address with a domain counts; `a` has none.
    assert_eq!(delivery.status, "bounced");
}

#[test]
fn unquoted_recipient_with_a_domain_in_front_of_a_record_is_ambiguous() {
    let text = format!("64AB9120A53: to=<a@example.com>{FAKE}@example.com>{REAL}");
    assert!(delivery(&text).ambiguous);
}

#[test]
fn original_recipient_alone_makes_nothing_ambiguous() {
    let text = format!("64AB9120A53: to=<bob@example.com>, orig_to=<root>{REAL}");
    let one = delivery(&text);
    assert_eq!(
        (one.recipient, one.orig_to, one.ambiguous),
        ("bob@example.com", Some("root"), false)
    );
    let text =
        format!("64AB9120A53: to=<bob@example.com>, orig_to=<x@example.com>, orig_to=<root>{REAL}");
    assert!(delivery(&text).ambiguous);
}

#[test]
fn record_in_a_reply_with_bracket_is_ambiguous_but_the_first_counts() {
    let text = format!("64AB9120A53: to=<bob@example.com>{REAL} <x>{FAKE}");
    let delivery = delivery(&text);
    assert_eq!(delivery.status, "bounced");
    assert!(delivery.ambiguous);
}

#[test]
fn record_in_a_reply_to_a_quoted_recipient_is_not_ambiguous() {
    let text = format!("64AB9120A53: to=<\"bob b\"@example.com>{REAL} <x>{FAKE}");
    let delivery = delivery(&text);
    assert_eq!(delivery.status, "bounced");
    assert!(!delivery.ambiguous);
}

#[test]
fn reply_cannot_close_a_stray_quote_of_an_unquoted_recipient() {
    let text = format!("64AB9120A53: to=<a\"b@example.com>{REAL} \" <x>{FAKE}");
    let delivery = delivery(&text);
    assert_eq!(
        (delivery.recipient, delivery.status),
        ("a\"b@example.com", "bounced")
    );
}

#[test]
fn record_without_full_fields_is_no_second_reading() {
    let text = format!(
        "64AB9120A53: to=<bob@example.com>{REAL} <x>, relay=mx.bank.example, status=sent (ok)"
    );
    assert!(!delivery(&text).ambiguous);
}

#[test]
fn refused_mail_claims_no_remote_id() {
    let text = "64AB9120A53: to=<bob@example.com>, relay=mx.example.net[192.0.2.25]:25, delay=1, delays=0/0/0/1, dsn=4.0.0, status=deferred (host mx.example.net[192.0.2.25] said: 450 queued as 0CC56120A61)";
    assert_eq!(delivery(text).remote_queue_id, None);
}

#[test]
fn remote_server_cannot_claim_a_local_forward() {
    let text = "64AB9120A53: to=<bob@example.com>, relay=mx.example.net[192.0.2.25]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (forwarded as 0CC56120A61)";
    let delivery = delivery(text);
    assert!(!delivery.is_forward);
    assert_eq!(delivery.remote_queue_id, None);
}

#[test]
fn remote_reply_in_the_middle_claims_no_id() {
    let text = "64AB9120A53: to=<bob@example.com>, relay=mx.example.net[192.0.2.25]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 queued as 0CC56120A61, or so)";
    assert_eq!(delivery(text).remote_queue_id, None);
}

#[test]
fn cut_record_has_no_status() {
    let whole = format!("64AB9120A53: to=<bob@example.com>{REAL}");
    let status = whole.find("(host").unwrap();
    for end in 14..status {
        let cut = whole.get(..end).unwrap();
        assert!(is_other("postfix/smtp", cut), "{cut}");
    }
    for end in status + 1..=whole.len() {
        assert_eq!(delivery(whole.get(..end).unwrap()).status, "bounced");
    }
}

#[test]
fn absurd_numbers_are_not_believed() {
    for text in [
        "64AB9120A53: from=<a@example.com>, size=9007199254740993, nrcpt=1 (queue active)",
        "64AB9120A53: from=<a@example.com>, size=1, nrcpt=1000001 (queue active)",
        "64AB9120A53: from=<a@example.com>, size=99999999999999999999999, nrcpt=1 (queue active)",
        "64AB9120A53: from=<a@example.com>, size=-1, nrcpt=1 (queue active)",
    ] {
        assert!(is_other("postfix/qmgr", text), "{text}");
    }
    let text = "64AB9120A53: to=<b@example.com>, relay=none, delay=999999999, delays=0/0/0/0, dsn=2.0.0, status=sent (x)";
    assert!(is_other("postfix/smtp", text));
}

#[test]
fn tail_in_the_helo_position_of_a_recipient_is_not_the_tail() {
    let policy = policy(
        r#"NOQUEUE: reject: RCPT from unknown[203.0.113.5]: 550 5.1.1 <"; from=<a@example.net> to=<b@example.org> proto=SMTP helo=<q>"@example.org>: Recipient address rejected: User unknown in virtual mailbox table; from=<s@example.net> to=<"; from=<a@example.net> to=<b@example.org> proto=SMTP helo=<q>"@example.org> proto=ESMTP helo=<real>"#,
    );
    assert_eq!(policy.tail.sender, Some("s@example.net"));
    assert_eq!(policy.tail.helo_name, Some("real"));
    assert_eq!(policy.tail.protocol_name, Some("ESMTP"));
}

#[test]
fn list_text_with_semicolons_stays_text() {
    let policy = policy(
        "NOQUEUE: reject: RCPT from unknown[203.0.113.5]: 554 5.7.1 Service unavailable; Client host [203.0.113.5] blocked using list.example; see https://example.com/?a; from=<fake@example.com>; from=<a@example.net> to=<b@example.org> proto=ESMTP helo=<x>",
    );
    assert_eq!(policy.tail.sender, Some("a@example.net"));
    assert_eq!(policy.dnsbl, Some("list.example"));
    assert!(policy.reason.ends_with("; from=<fake@example.com>"));
}

#[test]
fn quoted_word_of_the_client_names_no_list() {
    let policy = policy(
        r#"NOQUEUE: reject: RCPT from unknown[203.0.113.5]: 554 5.7.1 <"x] blocked using list.example"@example.net>: Sender address rejected: Access denied; from=<"x] blocked using list.example"@example.net> to=<b@example.org> proto=ESMTP helo=<x>"#,
    );
    assert_eq!(policy.dnsbl, None);
}

#[test]
fn sender_of_a_list_refusal_does_not_choose_the_list() {
    let policy = policy(
        r#"NOQUEUE: reject: RCPT from unknown[203.0.113.5]: 554 5.7.1 Service unavailable; Sender address ["] blocked using good.example"@example.net] blocked using list.example; from=<"] blocked using good.example"@example.net> to=<b@example.org> proto=ESMTP helo=<x>"#,
    );
    assert_eq!(policy.dnsbl, Some("list.example"));
}

#[test]
fn code_comes_from_the_left_of_the_text_only() {
    let policy = policy(
        "NOQUEUE: reject: RCPT from unknown[203.0.113.5]: bare <LF> received 550 5.7.1 no; from=<a@example.net> to=<b@example.org> proto=ESMTP helo=<x>",
    );
    assert_eq!((policy.reply_code, policy.dsn), (None, None));
}

#[test]
fn user_name_with_sasl_words_stays_one_name() {
    let policy = policy(
        "NOQUEUE: reject: RCPT from unknown[203.0.113.5]: 553 5.7.1 no; from=<a@example.net> to=<b@example.org> proto=ESMTP helo=<x> sasl_method=PLAIN sasl_username=a; from=<b@example.org> to=<c@example.org>",
    );
    assert_eq!(
        policy.tail.sasl_username,
        Some("a; from=<b@example.org> to=<c@example.org>")
    );
    assert_eq!(policy.tail.sender, Some("a@example.net"));
}

#[test]
fn subject_with_an_id_and_keywords_is_text() {
    let text = "64AB9120A53: info: header Subject: 0CC56120A61: removed from local; from=<a@example.net> to=<b@example.org> proto=ESMTP helo=<x>";
    let Event::Content(content) = event("postfix/cleanup", text) else {
        panic!();
    };
    assert_eq!(content.subject, Some("0CC56120A61: removed"));
    assert!(content.other_readings.is_empty());
}

#[test]
fn tail_behind_the_two_hundredth_byte_is_the_administrators() {
    let subject = "x".repeat(150);
    let text = format!(
        "64AB9120A53: replace: header Subject: {subject} from mx.example.com[198.51.100.7]; from=<a@example.net> to=<b@example.org> proto=ESMTP helo=<x>: Subject: {subject} from mx.bank.example[192.0.2.1]; from=<c@bank.example> to=<b@example.org> proto=ESMTP helo=<y>"
    );
    let Event::Content(content) = event("postfix/cleanup", &text) else {
        panic!();
    };
    assert_eq!(content.origin, Some("mx.example.com[198.51.100.7]"));
    assert!(content.reason.unwrap().contains("mx.bank.example"));
}

#[test]
fn check_line_without_readable_tail_keeps_only_its_text() {
    let text = format!("64AB9120A53: warning: header X-Long: {}", "é".repeat(300));
    let Event::Content(content) = event("postfix/cleanup", &text) else {
        panic!();
    };
    assert_eq!((content.origin, content.tail.helo_name), (None, None));
    assert!(content.text.len() <= 201);
}

#[test]
fn check_of_the_smtp_client_says_nothing_about_reception() {
    let text = "64AB9120A53: replace: header Received: x from mx.example.com[198.51.100.7]; from=<a@example.net> to=<b@example.org> proto=ESMTP helo=<x>: y";
    assert!(matches!(event("postfix/smtp", text), Event::Note { .. }));
}

#[test]
fn programs_say_only_what_they_can_know() {
    for (ident, text) in [
        ("postfix/smtpd", "64AB9120A53: removed"),
        ("postfix/smtp", "64AB9120A53: removed"),
        ("postfix/cleanup", "64AB9120A53: removed"),
        (
            "postfix/smtp",
            "64AB9120A53: client=mx.example.com[198.51.100.7]",
        ),
        ("postfix/smtpd", "64AB9120A53: uid=0 from=<root>"),
        (
            "postfix/local",
            "64AB9120A53: from=<a@example.com>, size=1, nrcpt=1 (queue active)",
        ),
        ("postfix/qmgr", "64AB9120A53: removed (canceled)"),
        ("postfix/cleanup", "64AB9120A53: requeued"),
    ] {
        assert!(is_other(ident, text), "{ident}: {text}");
    }
    assert_eq!(event("cron", "64AB9120A53: removed"), Event::Foreign);
}

#[test]
fn keywords_count_at_the_left_only() {
    for text in [
        "x 64AB9120A53: removed",
        "64AB9120A53:removed",
        " 64AB9120A53: removed",
        "64AB9120A53: removed later",
        "64AB9120A53: Removed",
        "removed",
    ] {
        let event = event("postfix/qmgr", text);
        assert!(!matches!(event, Event::Removed { .. }), "{text}");
    }
}

#[test]
fn mechanism_and_name_of_a_failed_login_stay_apart() {
    let text = "warning: unknown[203.0.113.5]: SASL PLAIN authentication failed: x authentication failed: bad, sasl_username=y";
    let Event::AuthFailure {
        sasl_method,
        reason,
        sasl_username,
        ..
    } = event("postfix/smtpd", text)
    else {
        panic!("{:?}", event("postfix/smtpd", text));
    };
    assert_eq!(
        (sasl_method, reason, sasl_username),
        ("PLAIN", "x authentication failed: bad", Some("y"))
    );
}

#[test]
fn escaped_payload_does_not_name_the_client() {
    let text = r"improper command pipelining after EHLO from unknown[203.0.113.5]: MAIL FROM:<a> from mx.bank.example[192.0.2.1]\r\n";
    let Event::Refusal { client, .. } = event("postfix/smtpd", text) else {
        panic!();
    };
    assert_eq!(client.address, "203.0.113.5");
    let text = r"PREGREET 14 after 0 from [203.0.113.5]:41022: EHLO from [192.0.2.1]:25\r\n";
    let Event::Postscreen { client, .. } = event("postfix/postscreen", text) else {
        panic!();
    };
    assert_eq!(client.address, "203.0.113.5");
}

#[test]
fn neighbours_are_not_fooled_by_addresses() {
    let text = r#"(00610-03) Passed CLEAN {RelayedInbound}, [198.51.100.7]:52100 [198.51.100.7] <", Queue-ID: FFFFFF, "@example.com> -> <bob@example.org>, Queue-ID: 64AB9120A53, Message-ID: <x, queued_as: AAAAAA, @example.com>, mail_id: fdK6, Hits: -1.2, size: 1365, queued_as: 0CC56120A61, 603 ms"#;
    let Event::Neighbour(neighbour) = event("amavis", text) else {
        panic!();
    };
    assert_eq!(neighbour.queue_id, Some("64AB9120A53"));
    assert_eq!(neighbour.queued_as, Some("0CC56120A61"));
    let text = "<a1b2c3>; task; rspamd_task_write_log: id: <x>, qid: <FFFFFF>, ip: 1@example.com>, qid: <64AB9120A53>, ip: 198.51.100.7, from: <joe@example.com>, (default: F (no action): [1.20/15.00] []), len: 1365";
    let Event::Neighbour(neighbour) = event("rspamd", text) else {
        panic!();
    };
    assert_eq!((neighbour.queue_id, neighbour.message_id), (None, None));
}
