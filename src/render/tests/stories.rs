//! Stories: the sentence and the timeline for each way a mail can end.

use super::super::story;
use super::{at, berlin, table, text, write_story};
use crate::model::table::{Cell, Table};
use crate::story::{StoryInput, refusals};

/// A table from rows of `column=value` pairs; what a row does not name is NULL.
pub(super) fn rows(list: &[Vec<(&str, Cell)>]) -> Table {
    let mut columns: Vec<&str> = list.iter().flatten().map(|(name, _)| *name).collect();
    columns.sort_unstable();
    columns.dedup();
    let cell = |row: &Vec<(&str, Cell)>, column: &str| {
        row.iter()
            .rfind(|(name, _)| *name == column)
            .map_or(Cell::Null, |(_, cell)| cell.clone())
    };
    let cells = list
        .iter()
        .map(|row| columns.iter().map(|column| cell(row, column)).collect())
        .collect();
    table(&columns, cells)
}

pub(super) fn message<'a>(
    id: i64,
    queue_id: &str,
    status: &str,
    more: Vec<(&'a str, Cell)>,
) -> Vec<(&'a str, Cell)> {
    let mut row = vec![
        ("id", Cell::Int(id)),
        ("queue_id", text(queue_id)),
        ("status", text(status)),
        ("time", at(0)),
        ("updated", at(9)),
        ("host", text("mx1")),
        ("log_incomplete", Cell::Bool(false)),
    ];
    row.extend(more);
    row
}

pub(super) fn received<'a>() -> Vec<(&'a str, Cell)> {
    vec![
        ("service", text("submission/smtpd")),
        ("client_name", text("mail.example.com")),
        ("client_address", text("192.0.2.1")),
        ("sasl_username", text("bob")),
        ("sasl_method", text("PLAIN")),
        ("sender", text("bob@example.net")),
        ("message_id", text("<1@example.net>")),
        ("size", Cell::Int(12_345)),
        ("removed", at(9)),
    ]
}

pub(super) fn recipient<'a>(
    id: i64,
    from: i64,
    address: &str,
    status: &str,
    more: Vec<(&'a str, Cell)>,
) -> Vec<(&'a str, Cell)> {
    let mut row = vec![
        ("id", Cell::Int(id)),
        ("from_id", Cell::Int(from)),
        ("recipient", text(address)),
        ("status", text(status)),
        ("time", at(8)),
        ("first_time", at(1)),
        ("attempts", Cell::Int(1)),
        ("relay", text("mx.example.net[198.51.100.1]:25")),
    ];
    row.extend(more);
    row
}

fn told(
    messages: &[Vec<(&str, Cell)>],
    recipients: &[Vec<(&str, Cell)>],
    attempts: &[Vec<(&str, Cell)>],
) -> String {
    let story = StoryInput {
        messages: rows(messages),
        recipients: rows(recipients),
        attempts: rows(attempts),
        ..StoryInput::default()
    };
    let mut out = Vec::new();
    write_story(&story, &berlin(None), &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn a_mail_that_waited_before_its_filter_arrived_when_it_came_to_us() {
    let sent = |from, seconds| {
        let more = vec![("delay", Cell::Float(0.2)), ("time", at(seconds))];
        recipient(12, from, "alice@example.org", "sent", more)
    };
    let handed = recipient(11, 1, "alice@example.org", "filtered", vec![]);
    let child = vec![("parent_id", Cell::Int(1)), ("parent_link", text("filter"))];
    let messages = [
        message(1, "3A1973E542", "done", received()),
        message(2, "4B1973E543", "done", child),
    ];
    let after = |seconds| {
        let story = told(&messages, &[handed.clone(), sent(2, seconds)], &[]);
        let (_, rest) = story.split_once("+01:00, ").unwrap();
        rest.split_once(" after").unwrap().0.to_owned()
    };
    assert_eq!(after(602), "10 min 2 s");
    // Stamps of whole seconds say less than Postfix's own count.
    assert_eq!(after(1), "0.2 s");
}

#[test]
fn delivered_at_the_second_attempt() {
    let parts = vec![
        ("dsn", text("2.0.0")),
        ("reason", text("250 2.0.0 Ok: queued as 9F00000009")),
        ("attempts", Cell::Int(2)),
        ("delay", Cell::Float(3725.5)),
        ("delay_before_qmgr", Cell::Float(0.1)),
        ("delay_in_qmgr", Cell::Float(3725.0)),
        ("delay_conn_setup", Cell::Float(0.2)),
        ("delay_transmission", Cell::Float(0.2)),
    ];
    let first = vec![
        ("to_id", Cell::Int(11)),
        ("from_id", Cell::Int(1)),
        ("time", at(1)),
        ("status", text("deferred")),
        ("relay", text("mx.example.net[198.51.100.1]:25")),
        ("dsn", text("4.7.1")),
        ("reason", text("450 4.7.1 Greylisted\u{1b}[2J")),
    ];
    insta::assert_snapshot!(told(
        &[message(1, "3A1973E542", "done", received())],
        &[recipient(11, 1, "alice@example.org", "sent", parts)],
        &[first]
    ));
}

#[test]
fn through_a_filter_and_bounced_with_a_notice() {
    let back = vec![
        ("parent_id", Cell::Int(1)),
        ("parent_link", text("filter")),
        ("time", at(2)),
        ("removed", at(9)),
    ];
    let notice = vec![
        ("parent_id", Cell::Int(2)),
        ("parent_link", text("bounce")),
        ("sender", text("")),
        ("time", at(9)),
    ];
    let reply = vec![
        ("dsn", text("5.1.1")),
        ("reason", text("550 5.1.1 user unknown")),
    ];
    insta::assert_snapshot!(told(
        &[
            message(1, "3A1973E542", "done", received()),
            message(2, "3A1973E543", "done", back),
            message(3, "3A1973E544", "queued", notice)
        ],
        &[
            recipient(
                11,
                1,
                "alice@example.org",
                "filtered",
                vec![("time", at(1))]
            ),
            recipient(12, 2, "alice@example.org", "bounced", reply),
            recipient(13, 3, "bob@example.net", "sent", vec![("time", at(10))]),
        ],
        &[]
    ));
}

#[test]
fn a_link_that_no_line_names_is_told_so() {
    let back = vec![
        ("parent_id", Cell::Int(1)),
        ("parent_link", text("filter")),
        ("parent_inferred", Cell::Bool(true)),
        ("time", at(2)),
    ];
    let recipient = |id, from, word| recipient(id, from, "alice@example.org", word, Vec::new());
    let story = told(
        &[
            message(1, "3A1973E542", "done", received()),
            message(2, "3A1973E543", "done", back),
        ],
        &[recipient(11, 1, "filtered"), recipient(12, 2, "sent")],
        &[],
    );
    let words =
        "continues 3A1973E542 (the log does not name it: same message id, sender and recipient, ";
    let story = story.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(story.contains(words.trim_end()), "{story}");
}

#[test]
fn one_sentence_for_each_outcome() {
    let outcomes = [
        "sent",
        "deferred",
        "SOFTBOUNCE",
        "bounced",
        "expired",
        "deleted",
        "discarded",
        "held",
        "rejected",
        "canceled",
        "filtered",
        "relayed",
        "forwarded",
        "requeued",
        "unknown",
        "strange\u{9b}",
    ];
    let verdicts: Vec<String> = outcomes
        .iter()
        .map(|status| {
            let more = vec![
                ("reason", text("the reason")),
                ("orig_to", text("list@example.org")),
            ];
            let story = told(
                &[message(1, "3A1973E542", "done", Vec::new())],
                &[recipient(11, 1, "a@example.org", status, more)],
                &[],
            );
            story.lines().next().unwrap().to_owned()
        })
        .collect();
    insta::assert_snapshot!(verdicts.join("\n"));
}

#[test]
fn a_deferred_recipient_of_a_mail_on_hold_is_not_tried() {
    let sentence = |state: &str| {
        let story = told(
            &[message(1, "3A1973E542", state, Vec::new())],
            &[recipient(11, 1, "a@example.org", "deferred", Vec::new())],
            &[],
        );
        story.lines().next().unwrap().to_owned()
    };
    let held = sentence("held");
    assert!(
        held.starts_with(
            "a@example.org: not delivered yet, on hold until an administrator releases it"
        ),
        "{held}"
    );
    assert!(!held.contains("keeps trying"), "{held}");
    assert!(sentence("queued").contains("Postfix keeps trying"));
}

#[test]
fn one_sentence_for_each_message_without_recipients() {
    let states = [
        "receiving",
        "queued",
        "held",
        "done",
        "expired",
        "deleted",
        "canceled",
        "rejected",
        "discarded",
        "corrupt",
        "requeued",
        "lost",
        "unknown",
    ];
    let verdicts: Vec<String> = states
        .iter()
        .map(|status| {
            let story = told(
                &[message(
                    1,
                    "3A1973E542",
                    status,
                    vec![("reason", text("the reason"))],
                )],
                &[],
                &[],
            );
            story.lines().next().unwrap().to_owned()
        })
        .collect();
    insta::assert_snapshot!(verdicts.join("\n"));
}

#[test]
fn what_was_refused_for_now_is_not_refused() {
    let replies = [
        (
            "451 4.7.1 Service unavailable - try again later",
            Some("4.7.1"),
        ),
        ("4.7.1", Some("4.7.1")),
        ("450 later", None),
        (
            "virtual_alias_maps map lookup problem for a@example.org -- message not accepted, try again later",
            None,
        ),
        ("5.7.1 no; 450 said the sender", Some("5.7.1")),
        ("554 no", None),
    ];
    let verdicts: Vec<String> = replies
        .into_iter()
        .map(|(reason, dsn)| {
            let code = dsn.map_or(Cell::Null, text);
            let more = vec![
                ("reason", text(reason)),
                ("dsn", code),
                ("attempts", Cell::Int(0)),
            ];
            let row = message(1, "3A1973E542", "rejected", vec![("reason", text(reason))]);
            let with = told(
                std::slice::from_ref(&row),
                &[recipient(11, 1, "a@example.org", "rejected", more)],
                &[],
            );
            let without = told(&[row], &[], &[]);
            let first = |story: String| story.lines().next().unwrap_or_default().to_owned();
            format!("{}\n{}", first(with), first(without))
        })
        .collect();
    insta::assert_snapshot!(verdicts.join("\n"));
}

#[test]
fn what_the_store_did_is_told_as_its_deed() {
    let deed = |action: &str, detail: &str| {
        vec![
            ("to_id", Cell::Int(11)),
            ("from_id", Cell::Int(1)),
            ("time", at(8)),
            ("program", text("dovecot")),
            ("action", text(action)),
            (
                "detail",
                if detail.is_empty() {
                    Cell::Null
                } else {
                    text(detail)
                },
            ),
        ]
    };
    let deeds = [
        vec![deed("discarded", "")],
        vec![deed("stored", "Junk")],
        vec![deed("stored", "INBOX")],
        vec![deed("stored", "INBOX"), deed("stored", "INBOX")],
        vec![deed("discarded", ""), deed("stored", "Keep")],
        vec![
            deed("redirected", "eve@example.net"),
            deed("stored", "INBOX"),
        ],
        vec![deed("rejected", "from <x@example.net> (no)")],
        vec![deed("duplicate", "")],
        vec![deed("replied", "ann@example.net"), deed("stored", "INBOX")],
        vec![deed("other", "something new\u{1b}[2J")],
    ];
    let filter = vec![
        ("from_id", Cell::Int(1)),
        ("time", at(2)),
        ("program", text("rspamd")),
        ("action", text("soft reject")),
        ("detail", text("4.54/15.00")),
    ];
    let stories: Vec<String> = deeds
        .into_iter()
        .map(|mut neighbours| {
            neighbours.push(filter.clone());
            let story = StoryInput {
                messages: rows(&[message(1, "3A1973E542", "done", received())]),
                recipients: rows(&[recipient(11, 1, "bob@example.org", "sent", Vec::new())]),
                neighbours: rows(&neighbours),
                ..StoryInput::default()
            };
            let mut out = Vec::new();
            write_story(&story, &berlin(None), &mut out);
            let told = String::from_utf8(out).unwrap();
            let told = told.lines().filter(|line| {
                line.starts_with("bob") || line.contains("dovecot") || line.contains("rspamd")
            });
            told.collect::<Vec<_>>().join("\n")
        })
        .collect();
    insta::assert_snapshot!(stories.join("\n\n"));
}

#[test]
fn missing_log_is_said() {
    let mut row = message(
        1,
        "3A1973E542",
        "unknown",
        vec![("origin", text("unknown"))],
    );
    row.retain(|(name, _)| *name != "log_incomplete");
    row.push(("log_incomplete", Cell::Bool(true)));
    let story = told(
        &[row],
        &[recipient(11, 1, "a@example.org", "sent", Vec::new())],
        &[],
    );
    assert!(
        story.contains("Part of the log of this mail is missing."),
        "{story}"
    );
    assert!(
        story.contains("first seen; its arrival is not in the log"),
        "{story}"
    );
}

#[test]
fn mail_to_very_many_is_told_shortly() {
    let recipients: Vec<_> = (0..50)
        .map(|n| recipient(100 + n, 1, &format!("r{n}@example.org"), "sent", Vec::new()))
        .collect();
    let story = told(
        &[message(1, "3A1973E542", "done", received())],
        &recipients,
        &[],
    );
    assert!(
        story.contains("and 30 more recipients, see below: 30 sent"),
        "{story}"
    );
    assert!(story.contains("r49@example.org sent"), "{story}");
}

#[test]
fn refusal_is_told_with_client_and_rule() {
    let mut out = Vec::new();
    let hits = rows(&[vec![
        ("kind", text("refused")),
        ("time", at(0)),
        ("recipient", text("alice@example.org")),
        ("sender", text("")),
        ("client_name", text("unknown")),
        ("client_address", text("203.0.113.5")),
        ("dsn", text("5.7.1")),
        ("reason", text("554 5.7.1 Relay access denied")),
        ("protocol_state", text("RCPT")),
        ("rule", text("relay")),
        ("helo_name", text("x\u{202e}y")),
        ("host", text("mx1")),
        ("count", Cell::Int(3)),
    ]]);
    story::write_refusals(&refusals(&hits, &[], &[]), &berlin(None), &mut out).unwrap();
    insta::assert_snapshot!(String::from_utf8(out).unwrap());
}

#[test]
fn nothing_to_tell_is_nothing() {
    assert_eq!(told(&[], &[], &[]), "");
}

#[test]
fn what_the_log_tells_in_one_second_is_told_in_its_order() {
    for (link, word) in [
        ("bounce", "bounced"),
        ("delay", "deferred"),
        ("status", "sent"),
    ] {
        let at_once = |more: Vec<(&'static str, Cell)>| {
            let mut all = vec![("time", at(9)), ("removed", at(9))];
            all.extend(more);
            all
        };
        let notice = at_once(vec![
            ("parent_id", Cell::Int(1)),
            ("parent_link", text(link)),
            ("sender", text("")),
        ]);
        let story = told(
            &[
                message(1, "3A1973E542", "done", at_once(received())),
                message(2, "5B2973E543", "done", notice),
            ],
            &[
                recipient(11, 1, "alice@example.org", word, vec![("time", at(9))]),
                recipient(12, 2, "bob@example.net", "sent", vec![("time", at(9))]),
            ],
            &[],
        );
        let place = |part: &str| {
            story
                .rfind(part)
                .unwrap_or_else(|| panic!("{part}: {story}"))
        };
        let order = [
            "received from".to_owned(),
            format!("alice@example.org {word} via"),
            " about 3A1973E542".to_owned(),
            "3A1973E542  left the queue".to_owned(),
            "bob@example.net sent via".to_owned(),
            "5B2973E543  left the queue".to_owned(),
        ];
        let places: Vec<usize> = order.iter().map(|part| place(part)).collect();
        assert!(places.is_sorted(), "{link}: {story}");
    }
}
