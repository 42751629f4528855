//! Who was asked for comes first in a story and a ticket, and is never left out.

use super::stories::{message, received, recipient, rows};
use super::{berlin, text, write_story, write_ticket};
use crate::model::table::{Cell, Table};
use crate::render::mask::Mask;
use crate::story::StoryInput;

/// A mail to so many, of which each tenth bounced.
fn to_many(n: i64) -> StoryInput {
    let list: Vec<_> = (1..=n)
        .map(|id| {
            let status = if id % 10 == 0 { "bounced" } else { "sent" };
            let more = vec![("reason", text(&format!("reply to r{id}")))];
            recipient(id, 1, &format!("r{id}@example.org"), status, more)
        })
        .collect();
    StoryInput {
        messages: rows(&[message(1, "3A1973E542", "done", received())]),
        recipients: rows(&list),
        ..StoryInput::default()
    }
}

fn asked_for(mail: StoryInput, ids: &[i64], by_name: bool) -> StoryInput {
    let hit = |id: &i64| vec![Cell::Int(*id), Cell::Null, Cell::Null];
    StoryInput {
        asked: Table {
            columns: ["id", "recipient", "orig_to"].map(str::to_owned).to_vec(),
            rows: ids.iter().map(hit).collect(),
        },
        asked_by_name: by_name,
        ..mail
    }
}

fn story(mail: &StoryInput) -> String {
    let mut out = Vec::new();
    write_story(mail, &berlin(None), &mut out);
    String::from_utf8(out).unwrap()
}

fn ticket(mail: &StoryInput) -> String {
    let mut out = Vec::new();
    write_ticket(mail, &berlin(None), &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn one_of_many_is_told_first_and_the_others_are_counted() {
    for n in [60, 3000] {
        for id in [1, 45, n] {
            let mail = asked_for(to_many(n), &[id], true);
            for told in [story(&mail), ticket(&mail)] {
                let first = told.lines().next().unwrap();
                assert!(first.starts_with(&format!("r{id}@example.org: ")), "{told}");
                assert!(
                    first.contains(&format!("reply to r{id}")) || id % 10 != 0,
                    "{told}"
                );
                assert!(!told.contains("r2@example.org"), "{told}");
                let bounced = n / 10 - i64::from(id % 10 == 0);
                let sent = n - 1 - bounced;
                assert!(
                    told.contains(&format!("{sent} sent, {bounced} bounced")),
                    "{told}"
                );
            }
            assert!(ticket(&mail).contains(&format!("reply to r{id}")));
        }
    }
}

#[test]
fn the_others_are_named_on_request() {
    let mail = StoryInput {
        tells_all: true,
        ..asked_for(to_many(60), &[45], true)
    };
    for told in [story(&mail), ticket(&mail)] {
        assert!(told.starts_with("r45@example.org: "), "{told}");
        assert!(
            (1..=60).all(|id| told.contains(&format!("r{id}@example.org"))),
            "{told}"
        );
        assert!(!told.contains(" more recipients") && !told.contains("other recipients"));
    }
}

#[test]
fn on_a_small_mail_the_one_asked_for_is_first() {
    let told = story(&asked_for(to_many(4), &[3], true));
    let names: Vec<&str> = told
        .lines()
        .map(|line| line.split('@').next().unwrap())
        .take(4)
        .collect();
    assert_eq!(names, ["r3", "r1", "r2", "r4"]);
}

#[test]
fn all_who_are_asked_for_are_told_however_many() {
    let all: Vec<i64> = (1..=60).collect();
    let told = story(&asked_for(to_many(60), &all, true));
    assert!(
        told.lines().nth(59).unwrap().starts_with("r60@example.org"),
        "{told}"
    );
    let forty: Vec<i64> = (21..=60).collect();
    let told = story(&asked_for(to_many(60), &forty, false));
    assert!(told.starts_with("r21@example.org"), "{told}");
    assert!(
        told.contains("20 other recipients: 18 sent, 2 bounced (--all-recipients names them)"),
        "{told}"
    );
}

#[test]
fn where_nobody_is_asked_for_the_first_are_told_and_the_timeline_has_all() {
    let all: Vec<i64> = (1..=60).collect();
    let told = story(&asked_for(to_many(60), &all, false));
    assert!(
        told.contains("and 40 more recipients, see below: 36 sent, 4 bounced"),
        "{told}"
    );
    assert!(told.contains("  r60@example.org bounced"), "{told}");
}

#[test]
fn who_is_asked_for_by_an_alias_or_behind_a_hop_is_named() {
    let mut mail = asked_for(to_many(60), &[45], true);
    mail.asked.rows[0][2] = text("staff@example.org");
    assert!(story(&mail).starts_with("r45@example.org (addressed as staff@example.org): "));
    // The search shows the row that handed the mail on.
    let back = vec![("parent_id", Cell::Int(1)), ("parent_link", text("filter"))];
    let mut hops = Vec::new();
    for id in 1..=20 {
        let name = format!("r{id}@example.org");
        hops.push(recipient(id, 1, &name, "filtered", vec![]));
        hops.push(recipient(100 + id, 2, &name, "sent", vec![]));
    }
    let mail = StoryInput {
        messages: rows(&[
            message(1, "3A1973E542", "done", received()),
            message(2, "3A1973E543", "done", back),
        ]),
        recipients: rows(&hops),
        ..StoryInput::default()
    };
    let told = story(&asked_for(mail, &[7], true));
    assert!(told.starts_with("r7@example.org: delivered"), "{told}");
    assert!(told.contains("19 other recipients: 19 sent"), "{told}");
    assert!(
        told.contains("3A1973E542  r7@example.org filtered"),
        "{told}"
    );
    assert!(told.contains("3A1973E543  r7@example.org sent"), "{told}");
    assert!(!told.contains("r8@example.org"), "{told}");
}

#[test]
fn who_got_the_notice_is_told_what_it_was_about() {
    let notice = vec![
        ("parent_id", Cell::Int(1)),
        ("parent_link", text("bounce")),
        ("sender", text("")),
    ];
    let srs = vec![("orig_to", text("SRS0=a=b=example.net=ann@fwd.example.org"))];
    let mail = StoryInput {
        messages: rows(&[
            message(1, "2C0E1A8001", "done", received()),
            message(2, "7D0F2A8002", "done", notice),
        ]),
        recipients: rows(&[
            recipient(
                11,
                1,
                "bad@example.com",
                "bounced",
                vec![("reason", text("550 no"))],
            ),
            recipient(12, 2, "ann@example.net", "sent", srs),
        ]),
        ..StoryInput::default()
    };
    let told = story(&asked_for(mail, &[12], true));
    let lines: Vec<&str> = told.lines().collect();
    assert!(
        lines[0].starts_with("ann@example.net (addressed as SRS0=a=b=example.net=ann@fwd.example.org): notice of failure about 2C0E1A8001, delivered to "),
        "{told}"
    );
    assert!(lines[1].starts_with("bad@example.com: bounced"), "{told}");
}

#[test]
fn the_mask_hides_all_but_who_was_asked_for() {
    let mut mail = StoryInput {
        tells_all: true,
        ..asked_for(to_many(60), &[45], true)
    };
    let mut mask = Mask::new(&["r45@example.org"]);
    for table in [&mut mail.messages, &mut mail.recipients, &mut mail.asked] {
        mask.apply(table);
    }
    let told = story(&mail);
    assert!(told.starts_with("r45@example.org: delivered"), "{told}");
    assert!(
        !told.contains("r44@") && !told.contains("reply to r44"),
        "{told}"
    );
    assert!(told.contains("hidden-46@example.org: delivered"), "{told}");
}
