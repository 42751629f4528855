//! The story as types, without a word of its writers.

use super::{Arrival, Story, StoryInput, Verdict, What, refusals};
use crate::model::table::{Cell, Table};
use crate::model::time::{SECOND, Time};

/// A table; `~` is NULL, `@5` the fifth second, digits a whole number.
fn table(columns: &str, rows: &[&str]) -> Table {
    let cell = |word: &str| match (word, word.strip_prefix('@'), word.parse()) {
        ("~", ..) => Cell::Null,
        (_, Some(seconds), _) => Cell::Time(Time(seconds.parse::<i64>().unwrap() * SECOND)),
        (_, _, Ok(number)) => Cell::Int(number),
        (text, ..) => Cell::Text(text.to_owned()),
    };
    Table {
        columns: columns.split(' ').map(str::to_owned).collect(),
        rows: rows
            .iter()
            .map(|row| row.split(' ').map(cell).collect())
            .collect(),
    }
}

/// Refused for now, taken, through a filter, bounced behind it with a notice.
fn bounced() -> StoryInput {
    StoryInput {
        messages: table(
            "id queue_id time removed status parent_id parent_link client_name sender",
            &[
                "1 3A1 @10 @12 done ~ ~ mx.example.com bob@example.net",
                "2 3A2 @12 @14 done 1 filter localhost bob@example.net",
                "3 3A3 @14 @15 done 2 bounce ~ <>",
            ],
        ),
        recipients: table(
            "id from_id recipient status time attempts delay remote_queue_id reason",
            &[
                "11 1 alice@example.org filtered @12 1 ~ 3A2 250",
                "12 2 Alice@example.org bounced @14 1 ~ ~ 550",
                "13 3 bob@example.net sent @15 1 ~ 9F1 250",
            ],
        ),
        refusals: table(
            "id time recipient dsn reason count",
            &["7 @3 ALICE@example.org 4.7.1 Greylisted 2"],
        ),
        neighbours: table(
            "to_id from_id time program action",
            &["~ 2 @13 rspamd soft"],
        ),
        ..StoryInput::default()
    }
}

#[test]
fn who_is_told_is_the_recipient_with_the_fate() {
    let input = bounced();
    let story = Story::of(&input).unwrap();
    let [Verdict::Recipient(fate)] = story.verdicts.as_slice() else {
        panic!("{:?}", story.verdicts);
    };
    assert_eq!(fate.recipient.id, Some(12));
    let notice = fate.notice.unwrap();
    assert_eq!(notice.queue_id, Some("3A3"));
    assert_eq!(notice.to.unwrap().recipient, Some("bob@example.net"));
    let earlier = fate.earlier.unwrap();
    assert!(earlier.first.reply.is_greylisting());
    assert_eq!((earlier.more, fate.arrived), (0, Some(Time(10 * SECOND))));
    assert_eq!(story.first.queue_id, Some("3A1"));
    assert_eq!(story.rest, None);
}

#[test]
fn what_happened_is_in_the_order_of_time_and_of_postfix() {
    let input = bounced();
    let story = Story::of(&input).unwrap();
    let told: Vec<(&str, &str)> = story
        .timeline
        .iter()
        .map(|happening| {
            let what = match &happening.what {
                What::Refused(_) => "refused",
                What::Arrived(_, Arrival::Received) => "received",
                What::Arrived(_, Arrival::Continues { link, .. }) => *link,
                What::Arrived(..) => "entered",
                What::Deed(..) => "deed",
                What::Attempt(..) => "attempt",
                What::Ended(_) => "ended",
            };
            (happening.queue_id.unwrap_or("-"), what)
        })
        .collect();
    assert_eq!(
        told,
        [
            ("-", "refused"),
            ("3A1", "received"),
            ("3A2", "filter"),
            ("3A1", "attempt"),
            ("3A1", "ended"),
            ("3A2", "deed"),
            ("3A2", "attempt"),
            ("3A3", "bounce"),
            ("3A2", "ended"),
            ("3A3", "attempt"),
            ("3A3", "ended"),
        ]
    );
}

#[test]
fn without_a_message_there_is_no_story() {
    assert_eq!(Story::of(&StoryInput::default()), None);
}

#[test]
fn refusals_that_a_story_told_are_not_told_again() {
    let hits = table(
        "id kind time recipient",
        &[
            "1 refused @1 a@example.org",
            "2 mail @2 a@example.org",
            "3 refused @3 b@example.org",
        ],
    );
    let later = [(3, table("queue_id time", &["3A1 @9"]))];
    let told = refusals(&hits, &[1], &later);
    let [refused] = told.as_slice() else {
        panic!("{told:?}");
    };
    assert_eq!(refused.refusal.recipient, Some("b@example.org"));
    assert_eq!(refused.later.unwrap().queue_id, Some("3A1"));
}
