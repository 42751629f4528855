//! Property: `postqueue -j` and `postqueue -p` of the same queue give the same mails.
//!
//! Both are printed here as `postqueue/showq_json.c` and `showq_compat.c` do it.

use super::*;
use crate::model::time::SECOND;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// What Postfix knows of a mail.
#[derive(Debug, Clone)]
struct Entry {
    id: String,
    queue: &'static str,
    expires: bool,
    arrival: i64,
    size: u64,
    sender: String,
    recipients: Vec<(String, String)>,
}

fn address() -> impl Strategy<Value = String> {
    let local = prop_oneof![
        "[a-z0-9][a-z0-9.+=-]{0,20}",
        "[äöüßé例え]{1,8}",
        // Anything printable in quotes, blanks, @ and parentheses among it.
        "[ -!#-\\[\\]-~]{1,20}".prop_map(|text| format!("\"{text}\"")),
        Just("\"a@b\"".to_owned()),
        Just("\"MAILER-DAEMON\"".to_owned()),
        Just("-dash".to_owned()),
        Just("{\"queue_id\":".to_owned()),
    ];
    let domain = prop_oneof![
        "[a-z]{1,10}\\.example",
        Just("bücher.example".to_owned()),
        Just("[192.0.2.1]".to_owned()),
    ];
    prop_oneof![
        8 => (local, domain).prop_map(|(local, domain)| format!("{local}@{domain}")),
        1 => "[a-z][a-z0-9]{0,8}",
        1 => "[A-F0-9]{6,12}",
        1 => Just("MAILER-DAEMON@example.org".to_owned()),
    ]
}

fn reason() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => Just(String::new()),
        2 => Just("mail transport unavailable".to_owned()),
        1 => Just("host mx[192.0.2.1] said: 450 (in reply to RCPT TO command (x))".to_owned()),
        1 => Just("(in parentheses)".to_owned()),
        1 => Just(") unbalanced (".to_owned()),
        2 => "[!-~][ -~]{0,120}[!-~]",
        1 => "[a-zäöü]{1,30}",
    ]
}

fn id() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-9A-F]{4,14}",
        "[3-5][0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{9}z[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-y]{1,8}"
    ]
}

fn entry(now: i64) -> impl Strategy<Value = Entry> {
    let recipients = prop_oneof![
        19 => vec((address(), reason()), 1..8),
        1 => vec((address(), reason()), 1000),
    ];
    let arrival = prop_oneof![now - 360 * 86_400..=now, now - 3 * 86_400..=now];
    let size = prop_oneof![
        0_u64..100_000,
        Just(99_999_999),
        Just(5_000_000_000),
        Just(u64::from(u32::MAX) + 1)
    ];
    (
        id(),
        select(vec!["active", "deferred", "hold"]),
        any::<bool>(),
        arrival,
        size,
        prop_oneof![4 => address(), 1 => Just("MAILER-DAEMON".to_owned())],
        recipients,
    )
        .prop_map(
            |(id, queue, expires, arrival, size, sender, recipients)| Entry {
                id,
                queue,
                expires,
                arrival,
                size,
                sender,
                recipients,
            },
        )
}

fn json(entries: &[Entry]) -> String {
    let object = |entry: &Entry| {
        let recipients: Vec<serde_json::Value> = entry
            .recipients
            .iter()
            .map(|(address, reason)| match reason.as_str() {
                "" => serde_json::json!({ "address": address }),
                reason => serde_json::json!({ "address": address, "delay_reason": reason }),
            })
            .collect();
        let object = serde_json::json!({
            "queue_name": entry.queue, "queue_id": entry.id, "arrival_time": entry.arrival,
            "message_size": entry.size, "forced_expire": entry.expires, "sender": entry.sender, "recipients": recipients,
        });
        format!("{object}\n")
    };
    entries.iter().map(object).collect()
}

fn text(entries: &[Entry]) -> String {
    if entries.is_empty() {
        return "Mail queue is empty\n".to_owned();
    }
    let mut text =
        "----Queue ID----- --Size-- ---Arrival Time---- --Sender/Recipient------\n".to_owned();
    for entry in entries {
        let flag = match entry.queue {
            "active" => "*",
            "hold" => "!",
            _ => "",
        };
        let id = format!("{}{flag}{}", entry.id, if entry.expires { "#" } else { "" });
        let time = Time(entry.arrival * SECOND).to_utc().unwrap();
        let time = time.format("%a %b %e %H:%M:%S");
        text.push_str(&format!(
            "{id:<17} {:>8} {time} {}\n",
            entry.size, entry.sender
        ));
        let mut last = "";
        for (address, reason) in &entry.recipients {
            if reason != last {
                text.push_str(&format!("{:>78}\n", format!("({reason})")));
                last = reason;
            }
            text.push_str(&format!("{:<17} {:>8} {:<19} {address}\n", "", "", ""));
        }
        text.push('\n');
    }
    text + &format!("-- {} Kbytes in {} Requests.\n", 1, entries.len())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn both_listings_of_a_queue_give_the_same_mails(
        entries in vec(entry(options().now.0 / SECOND), 0..6)
    ) {
        let (from_json, odd) = read(&json(&entries));
        prop_assert_eq!(odd, vec![]);
        let (from_text, odd) = read(&text(&entries));
        prop_assert_eq!(odd, vec![]);
        prop_assert_eq!(from_json.len(), entries.len());
        prop_assert_eq!(&from_json, &from_text);
        for (mail, entry) in from_json.iter().zip(&entries) {
            prop_assert_eq!(&mail.queue_id, &entry.id);
            prop_assert_eq!(mail.recipients.len(), entry.recipients.len());
            prop_assert_eq!(mail.sender.as_deref() == Some(""), entry.sender == "MAILER-DAEMON");
            prop_assert!(mail.odd.is_none());
        }
    }

    #[test]
    fn any_bytes_are_read_to_their_end(bytes in vec(any::<u8>(), 0..2000)) {
        read_bytes(&bytes);
    }

    #[test]
    fn a_listing_cut_anywhere_gives_the_mails_before_the_cut(
        entries in vec(entry(options().now.0 / SECOND), 1..4), part in 0.0..1.0
    ) {
        for listing in [json(&entries), text(&entries)] {
            let whole = read(&listing).0;
            #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in the text")]
            let cut = (listing.len() as f64 * part) as usize;
            let (mails, _) = read_bytes(&listing.as_bytes()[..cut]);
            prop_assert!(mails.len() <= whole.len());
            let complete = mails.len().saturating_sub(1);
            prop_assert_eq!(&mails[..complete], &whole[..complete]);
        }
    }
}
