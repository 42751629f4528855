//! What holds for any text: no panic, and a delivery record reads back as it was printed.

use super::{entry, event};
use crate::model::event::Event;
use crate::parse::{parse, template};
use proptest::prelude::*;

const IDENTS: [&str; 20] = [
    "postfix/smtpd",
    "postfix/submission/smtpd",
    "postfix/smtp",
    "postfix/lmtp",
    "postfix/cleanup",
    "postfix/qmgr",
    "postfix/pickup",
    "postfix/bounce",
    "postfix/postscreen",
    "postfix/postsuper",
    "postfix/local",
    "postfix/master",
    "postfix/postfix-script",
    "postfix/newdaemon",
    "amavis",
    "rspamd",
    "dovecot",
    "opendkim",
    "spamd",
    "systemd-journald",
];

/// Pieces of lines, so that random texts get deep into the scanners.
const PIECES: [&str; 44] = [
    "4fQnFR2wTjz8tX9: ",
    "64AB9120A53: ",
    "NOQUEUE: ",
    "warning: ",
    "to=<",
    "from=<",
    ">, relay=",
    "none",
    "mx[192.0.2.1]:25",
    ", orig_to=<",
    ", delay=1",
    ", delays=0/0/0/1",
    ", tls=may",
    ", dsn=2.0.0",
    ", status=sent (",
    "250 2.0.0 Ok: queued as 64AB9120A53",
    ")",
    ">, size=1, nrcpt=1 (queue active)",
    "client=",
    ", sasl_username=",
    ", orig_client=",
    "reject: RCPT from ",
    ": 554 5.7.1 ",
    "; ",
    "from=<a@example.com> ",
    "to=<b@example.org> ",
    "proto=ESMTP ",
    "helo=<x>",
    " sasl_method=PLAIN",
    "info: header Subject: ",
    " from ",
    "local;",
    "message-id=<",
    "removed",
    "uid=0 from=<",
    "\"",
    "\\",
    "@",
    "<",
    ">",
    "é",
    "[",
    "]",
    ": ",
];

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        proptest::collection::vec(
            prop_oneof![
                proptest::sample::select(&PIECES[..]).prop_map(str::to_owned),
                ".{0,3}"
            ],
            0..20
        )
        .prop_map(|pieces| pieces.concat()),
    ]
}

/// A local part as Postfix 3.5 prints it: quoted as a whole when it is no dot-string.
fn printed(local: &str) -> String {
    let is_atom = |part: &str| {
        !part.is_empty()
            && part
                .chars()
                .all(|c| !c.is_control() && !" ()<>@,;:\\\"[]".contains(c))
    };
    if local.split('.').all(is_atom) {
        return local.to_owned();
    }
    format!("\"{}\"", local.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Anything printable: newlines never reach a log.
fn printable(most: usize) -> impl Strategy<Value = String> {
    proptest::collection::vec(
        prop_oneof![
            8 => "[ -~]{1,8}",
            1 => "\\PC{1,3}",
            2 => proptest::sample::select(&PIECES[..]).prop_map(str::to_owned)
        ],
        0..most,
    )
    .prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_text_under_any_program_panics(ident in proptest::sample::select(&IDENTS[..]), text in text()) {
        let entry = entry(ident, &text);
        let event = parse(&entry);
        if let Event::Policy(policy) = &event {
            prop_assert!(!policy.rule.is_empty());
        }
        prop_assert!(serde_json::to_string(&event).is_ok());
        prop_assert!(template(&text).len() <= 200);
    }

    #[test]
    fn no_identifier_panics(ident in any::<String>(), text in text()) {
        event(&ident, &text);
    }

    #[test]
    fn a_quoted_recipient_and_any_reply_read_back(
        local in printable(5),
        orig in proptest::option::of(printable(3)),
        reply in printable(12),
        delay in 0_u32..400_000,
    ) {
        // A quote makes the form certain; without one, other readings make the line ambiguous.
        let recipient = format!("{}@example.com", printed(&format!("{local} ")));
        let orig_to = orig.map(|orig| format!("{}@example.org", printed(&format!("{orig} "))));
        let shown = orig_to.as_ref().map_or_else(String::new, |orig| format!("orig_to=<{orig}>, "));
        let text = format!("64AB9120A53: to=<{recipient}>, {shown}relay=mx.example.net[192.0.2.25]:25, conn_use=2, delay={delay}, delays=0.1/0.01/2/3.5, tls=dane:may?, dsn=5.1.1, status=bounced ({reply})");
        let Event::Delivery(delivery) = event("postfix/smtp", &text) else {
            return Err(TestCaseError::fail(text));
        };
        prop_assert_eq!(delivery.recipient, recipient);
        prop_assert_eq!(delivery.orig_to, orig_to.as_deref());
        prop_assert!((delivery.delay - f64::from(delay)).abs() < f64::EPSILON);
        prop_assert_eq!(delivery.relay.port, Some(25));
        prop_assert_eq!(delivery.tls, Some("dane:may?"));
        prop_assert_eq!(delivery.status, "bounced");
        prop_assert_eq!(delivery.reason, reply);
        prop_assert_eq!(delivery.remote_queue_id, None);
        prop_assert!(!delivery.ambiguous);
    }

    #[test]
    fn a_sender_reads_back_from_the_queue_manager(sender in printable(6), size in 0_u64..1 << 40, nrcpt in 0_u32..1000) {
        let text = format!("64AB9120A53: from=<{sender}>, size={size}, nrcpt={nrcpt} (queue active)");
        prop_assert_eq!(
            event("postfix/qmgr", &text),
            Event::Active { queue_id: "64AB9120A53", sender: &sender, size, nrcpt }
        );
    }

    #[test]
    fn a_refusal_reads_back(what in printable(6), local in printable(3)) {
        let recipient = format!("{}@example.org", printed(&local));
        let text = format!("NOQUEUE: reject: RCPT from unknown[203.0.113.5]: 554 5.7.1 <{what}>: Relay access denied; from=<s@example.net> to=<{recipient}> proto=ESMTP helo=<real>");
        let Event::Policy(policy) = event("postfix/smtpd", &text) else {
            return Err(TestCaseError::fail(text));
        };
        prop_assert_eq!(policy.tail.sender, Some("s@example.net"));
        prop_assert_eq!(policy.tail.recipient, Some(recipient.as_str()));
        prop_assert_eq!(policy.tail.helo_name, Some("real"));
        prop_assert_eq!(policy.reply_code, Some(554));
    }
}
