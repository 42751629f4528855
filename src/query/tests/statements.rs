//! What is asked of the database, for each kind of term.

use super::{compile_all, everything, options};
use crate::model::table::Param;
use crate::query::field::FieldKind;
use crate::query::fields::FIELDS;
use crate::query::{Options, Plan, compile_text};
use std::fmt::Write;

/// Queries of every kind; also run against a database (`answers.rs`).
pub(super) const QUERIES: &[&str] = &[
    "alice@example.org",
    "<alice@example.org>",
    "@example.org",
    "example.org",
    ".example.org",
    "3A1973E542",
    "4fQnFR2wTjz8tX9",
    "<20261120.1@example.com>",
    "192.0.2.1",
    "2001:db8::/32",
    "mailbox",
    "\"mailbox full\"",
    "/over ?quota/i",
    "*@example.org",
    "<>",
    "alice@example.org,bob@example.net",
    "to:alice",
    "to:al?ce@*.example.org",
    "to:\"a*b@example.org\"",
    "to:/^a.*@example\\.org$/",
    "to:alice@",
    "to:=alice@example.org",
    "to:!=alice@example.org",
    "to:~exam",
    "from:<>",
    "from:\"\"",
    "-from:<>",
    "NOT (to:a@example.org OR from:b@example.org)",
    "addr:alice@example.org",
    "orig_to:alice@example.org",
    "to:a..b@example.org",
    "user:alice",
    "user:@example.org",
    "qid:3a1973e542",
    "qid:3A19*",
    "chain:3A1973E542",
    "remote_qid:4fQnFR2wTjz8tX9",
    "msgid:<a,b(c)@example.com>",
    "msgid:20261120.1@example.com",
    "msgid:20261120",
    "status:bounced,deferred",
    "status:softbounce",
    "status:queued",
    "status:refused",
    "status:rejected",
    "status:milter-reject",
    "status:filtered",
    "-status:sent",
    "ever:deferred",
    "cause:full,unknown",
    "-cause:=spf",
    "cause:mailbox*",
    "-ever:deferred",
    "client:192.0.2.0/24",
    "client:192.0.2.",
    "client:2001:db8::1",
    "client:mail.example.com",
    "client:.example.com",
    "client:mail",
    "helo:[192.0.2.1]",
    "relay:mx.example.net",
    "relay:198.51.100.0/24",
    "dsn:5.7",
    "dsn:4.7.1",
    "code:5",
    "code:45x,550",
    "code:500..553",
    "code:>=500",
    "text:\"user unknown\"",
    "text:100%_sure",
    "text:quota*exceeded",
    "subject:report",
    "size:>10M",
    "size:20K..1.5M",
    "size:..500",
    "nrcpt:>=10",
    "attempts:2",
    "delay:>5min",
    "delay:1h..2h",
    "d1:>1",
    "d2:>1",
    "d3:<1.5s",
    "d4:<=1min",
    "tls:TLSv1.3",
    "proto:esmtp",
    "rule:relay,dnsbl",
    "dnsbl:zen.example",
    "action:reject",
    "host:mx1",
    "instance:postfix-out",
    "service:smtpd",
    "origin:pickup",
    "since:yesterday",
    "until:2026-11-20",
    "date:2026-11",
    "date:2026-11-18..2026-11-20",
    "date:>2026-11-18",
    "-date:yesterday",
    "since:\"2 hours ago\" until:now",
    "(to:a@example.org date:2026-11-01) OR (to:b@example.org date:2026-11-03)",
    "a@example.org AND (from:b@example.net OR -client:192.0.2.9) status:sent",
    "size:>1 rule:relay",
    "\"john smith\"@example.org",
    "<\"john smith\"@example.org>",
    "to:<\"john * smith\"@example.org>,\"a b\"@*.org",
    "to:\"a,b@example.org\"",
    "/C=DE/A=DBP/P=X/S=Meier/@x400.example.org",
    "to:Jo\u{308}rg@mu\u{308}ller.example",
    "subject:\"Gr\u{fc}\u{df}e\"",
    "monday",
    "24.11.",
    "date:\"last week\"",
    "mx.example.org[192.0.2.25]:25",
    "unknown[192.0.2.1]",
    "private/dovecot-lmtp",
    "addr:SRS0=a=b=example.net=ann@fwd.example.org",
];

/// What a query asks, without what all statements share.
fn shown(text: &str, plan: &Plan) -> String {
    let mut shown = format!("{text}\n");
    let hit = plan.sql.split_once(" AS (\n").unwrap().1;
    let hit = hit.split("\n)").next().unwrap();
    let is_list = |line: &&str| line.starts_with("  SELECT ") && line.contains(" AS time, ");
    for line in hit.lines().filter(|line| !is_list(line)) {
        writeln!(shown, "  {line}").unwrap();
    }
    for (i, param) in plan.params.iter().enumerate() {
        writeln!(shown, "  ${} = {}", i + 1, param_text(param)).unwrap();
    }
    for reading in &plan.reading {
        writeln!(shown, "  ! {reading}").unwrap();
    }
    shown
}

fn param_text(param: &Param) -> String {
    match param {
        Param::Time(t) => t.to_utc().unwrap().to_rfc3339(),
        other => format!("{other:?}"),
    }
}

#[test]
fn conditions_of_every_kind_of_term() {
    let all: Vec<String> = QUERIES
        .iter()
        .map(|text| shown(text, &compile_all(text).unwrap_or_else(|e| panic!("{e}"))))
        .collect();
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn whole_statement_with_limit_and_hops() {
    let newest = Options {
        limit: Some(20),
        ..options()
    };
    insta::assert_snapshot!(compile_text("alice@example.org", &newest).unwrap().sql);
    let hops = Options {
        all_hops: true,
        ..everything()
    };
    insta::assert_snapshot!(compile_text("status:refused", &hops).unwrap().sql);
}

#[test]
fn text_of_the_statement_does_not_depend_on_values() {
    let hostile = [
        "'; DROP TABLE delivery_to; --",
        "$1",
        "?",
        "\\",
        "%_",
        "\u{0}",
        "a' OR '1'='1",
        "#",
        "\"",
        "t.recipient",
        "\u{202e}x",
        "{}",
    ];
    for field in FIELDS.iter().filter(|field| {
        matches!(
            field.kind,
            FieldKind::Text | FieldKind::Word | FieldKind::User | FieldKind::Service
        )
    }) {
        let plain = compile_all(&format!("{}:\"harmless\"", field.name)).unwrap();
        for value in hostile {
            let text = format!("{}:{}", field.name, crate::query::ast::quoted(value));
            let plan = compile_all(&text).unwrap();
            assert_eq!(plan.sql, plain.sql, "{text}");
            assert!(
                plan.params
                    .iter()
                    .all(|p| matches!(p, Param::Text(t) if t.contains(value))),
                "{text}"
            );
        }
    }
}

#[test]
fn default_window_is_seven_days_unless_a_time_is_named() {
    let window = |text: &str, options: &Options| compile_text(text, options).unwrap().window;
    let week_ago = super::NOW.plus(-7 * crate::model::time::DAY);
    assert_eq!(window("a@example.org", &options()), (Some(week_ago), None));
    assert_eq!(window("a@example.org", &everything()), (None, None));
    assert_eq!(
        window("a@example.org -date:yesterday", &options()),
        (Some(week_ago), None)
    );
    assert_eq!(
        window("a@example.org OR since:-1h", &options()),
        (Some(week_ago), None)
    );
    assert_eq!(
        window("a@example.org until:now", &options()),
        (None, Some(super::NOW))
    );
    let since = Options {
        since: Some("-2h".into()),
        ..options()
    };
    assert_eq!(
        window("a@example.org", &since),
        (Some(super::NOW.plus(-2 * crate::model::time::HOUR)), None)
    );
    let hull = window("date:2026-11-01 OR date:2026-11-03", &options());
    let days = |w: (
        Option<crate::model::time::Time>,
        Option<crate::model::time::Time>,
    )| { w.1.unwrap().since(w.0.unwrap()) / crate::model::time::DAY };
    assert_eq!(days(hull), 3);
}

#[test]
fn every_field_has_a_query_here() {
    for field in &FIELDS {
        let is_asked = QUERIES
            .iter()
            .any(|text| text.contains(&format!("{}:", field.name)));
        assert!(is_asked, "no query asks for {}", field.name);
    }
}

#[test]
fn names_of_fields_are_found_in_any_writing_and_only_once() {
    let mut names: Vec<&str> = FIELDS
        .iter()
        .flat_map(|f| std::iter::once(f.name).chain(f.aliases.iter().copied()))
        .collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
    let sql = |text: &str| compile_all(text).unwrap().sql;
    assert_eq!(sql("Message-ID:<a@b>"), sql("msgid:<a@b>"));
    assert_eq!(sql("TO:a"), sql("rcpt:a"));
}

#[test]
fn a_domain_is_found_in_both_spellings() {
    for (text, other) in [
        ("to:müller@exämple.de", "müller@xn--exmple-cua.de"),
        ("to:xn--exmple-cua.de", "@exämple.de"),
        ("client:mail.exämple.de", "mail.xn--exmple-cua.de"),
    ] {
        let plan = compile_text(text, &options()).unwrap();
        let is_asked = plan
            .params
            .iter()
            .any(|param| param.to_string().contains(other));
        assert!(is_asked, "{text}: {:?}", plan.params);
    }
}

#[test]
fn a_message_id_may_stand_without_its_brackets() {
    let plan = compile_all("b7a3@mail.example.org").unwrap();
    let others: Vec<_> = plan.others.iter().map(|o| (&*o.text, o.is_tried)).collect();
    assert_eq!(others, [("msgid:b7a3@mail.example.org", false)]);
}

#[test]
fn a_bare_word_may_be_read_in_another_way() {
    let others = |text: &str| -> Vec<String> {
        let plan = compile_all(text).unwrap();
        let tried = plan.others.iter().filter(|other| other.is_tried);
        tried.map(|other| other.text.clone()).collect()
    };
    for (text, tried) in [
        ("4DB2640C31", &["remote_qid:4DB2640C31"][..]),
        ("4fQnFR2wTjz8tX9", &["remote_qid:4fQnFR2wTjz8tX9"]),
        (
            "mx.example.org status:sent",
            &["relay:mx.example.org status:sent"],
        ),
        ("192.0.2.25", &["relay:192.0.2.25"]),
        (
            "mx.example.org[192.0.2.25]:25",
            &["client:mx.example.org[192.0.2.25]:25"],
        ),
        ("unknown[2001:db8::25]", &["relay:unknown[2001:db8::25]"]),
        ("private/dovecot-lmtp", &["client:private/dovecot-lmtp"]),
        ("<a@example.org>", &["from:<a@example.org>"]),
        (
            "\"john smith@example.org\"",
            &[
                "to:\"john smith@example.org\"",
                "from:\"john smith@example.org\"",
            ],
        ),
        (
            "4DB2640C31,4DB2640C32",
            &["remote_qid:4DB2640C31,4DB2640C32"],
        ),
        ("4DB2640C31,example.org", &[]),
        ("-4DB2640C31", &[]),
        ("qid:4DB2640C31", &[]),
        ("alice@example.org", &[]),
        ("mailbox", &[]),
    ] {
        assert_eq!(others(text), tried, "{text}");
    }
    let plan = compile_all("mailbox").unwrap();
    let offered: Vec<&str> = plan
        .others
        .iter()
        .map(|other| other.text.as_str())
        .collect();
    assert_eq!(
        offered,
        [
            "addr:mailbox",
            "user:mailbox",
            "subject:mailbox",
            "relay:mailbox"
        ]
    );
}

#[test]
fn what_names_recipients_and_what_does_not() {
    for (text, names) in [
        ("alice@example.org", true),
        ("@example.org", true),
        ("to:al*", true),
        ("to:/x/", true),
        ("orig_to:staff@example.org", true),
        ("from:a@example.org", false),
        ("addr:a@example.org", false),
        ("-to:a@example.org", false),
        ("3A1973E542", false),
    ] {
        assert_eq!(compile_all(text).unwrap().names_recipient, names, "{text}");
    }
}

#[test]
fn a_word_for_a_status_is_one_unless_it_is_part_of_a_reply() {
    let read = |text: &str| super::compile_all(text).unwrap().reading.join("; ");
    for text in [
        "bounced",
        "Sent",
        "sent today",
        "deferred to:a@example.com",
        "-sent",
        "bounced,deferred",
    ] {
        let said = read(text);
        assert!(said.contains("read as status (status:)"), "{text}: {said}");
        assert!(!said.contains("text of the reply"), "{text}: {said}");
    }
    // In quotes it is text, and what stands beside it is not the same reply.
    assert!(read("\"user unknown\" bounced").contains("bounced read as status"));
    for text in [
        "connection refused",
        "\"bounced\"",
        "has been deferred",
        "lost",
        "unknown",
        "host rejected OR x@example.com",
    ] {
        let said = read(text);
        assert!(!said.contains("status:"), "{text}: {said}");
        assert!(said.contains("read as text of the reply"), "{text}: {said}");
    }
}
