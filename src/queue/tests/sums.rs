//! The summary and the clusters.

use super::super::cluster::{Clusters, Dimension};
use super::super::filter::Present;
use super::super::summary::{Seen, Summary};
use super::*;

fn sum(mails: &[Mail]) -> serde_json::Value {
    let mut summary = Summary::default();
    for mail in mails {
        summary.add(mail, options().now);
    }
    serde_json::Value::Object(summary.json())
}

/// 500 mails by 8 senders to 3 recipients of one domain, 16 of them with another error.
fn five_hundred() -> String {
    let senders = [100, 100, 50, 50, 50, 50, 50, 50];
    let senders = senders
        .iter()
        .enumerate()
        .flat_map(|(i, n)| std::iter::repeat_n(i + 1, *n));
    let recipients = [(3, 200), (2, 200), (1, 100)];
    let recipients = recipients
        .iter()
        .flat_map(|(i, n)| std::iter::repeat_n(*i, *n));
    let lines = senders.zip(recipients).enumerate().map(|(i, (sender, recipient))| {
        let error = if i % 31 == 0 && i < 16 * 31 { "Test error message" } else { "mail transport unavailable" };
        format!(
            "{{\"queue_name\": \"deferred\", \"queue_id\": \"{:X}\", \"arrival_time\": 1795862743, \"message_size\": {}, \"sender\": \"sender-{sender}@test-domain.tld\", \"recipients\": [{{\"address\": \"user-{recipient}@test-domain.tld\", \"delay_reason\": \"{error}\"}}]}}\n",
            0xA0000 + i,
            423 + i * 3,
        )
    });
    lines.collect()
}

#[test]
fn the_summary_of_five_hundred_mails_comes_out_exactly() {
    let top = |names: &[(&str, u64)]| {
        let list = names
            .iter()
            .map(|(name, n)| serde_json::json!({"name": name, "count": n, "mails": n}));
        serde_json::Value::Array(list.collect())
    };
    let (mails, odd) = read(&five_hundred());
    assert_eq!(odd, []);
    let sender = |i: u32, n| (format!("sender-{i}@test-domain.tld"), n);
    let senders = [
        sender(1, 100),
        sender(2, 100),
        sender(3, 50),
        sender(4, 50),
        sender(5, 50),
    ];
    let senders: Vec<(&str, u64)> = senders.iter().map(|(s, n)| (s.as_str(), *n)).collect();
    assert_eq!(
        sum(&mails),
        serde_json::json!({
            "total_mails": 500,
            "total_mails_size": 585_750,
            "average_mail_size": 1171.5,
            "max_mail_size": 1920,
            "min_mail_size": 423,
            "mails_by_age": {"last_24h": 500, "1_to_4_days_ago": 0, "older_than_4_days": 0, "unknown": 0},
            "status": {"active": 0, "deferred": 500, "hold": 0, "incoming": 0, "maildrop": 0, "corrupt": 0},
            "forced_expire": 0,
            "waiting_recipients": 500,
            "unique_senders": 8,
            "unique_sender_domains": 1,
            "unique_recipients": 3,
            "unique_recipient_domains": 1,
            "top_senders": top(&senders),
            "top_sender_domains": top(&[("test-domain.tld", 500)]),
            "top_recipients": top(&[("user-2@test-domain.tld", 200), ("user-3@test-domain.tld", 200), ("user-1@test-domain.tld", 100)]),
            "top_recipient_domains": top(&[("test-domain.tld", 500)]),
            "top_errors": top(&[("mail transport unavailable", 484), ("Test error message", 16)]),
        })
    );
}

#[test]
fn an_empty_queue_has_zeros() {
    let sum = sum(&read("Mail queue is empty\n").0);
    for name in [
        "total_mails",
        "total_mails_size",
        "average_mail_size",
        "max_mail_size",
        "min_mail_size",
        "unique_senders",
    ] {
        assert_eq!(sum[name], 0, "{name}");
    }
    assert_eq!(sum["status"]["hold"], 0);
    assert_eq!(sum["top_errors"], serde_json::json!([]));
}

#[test]
fn ages_have_no_hole() {
    let hour = 3600;
    let mails: Vec<Mail> = [0, 23, 24, 47, 48, 95, 96, 2000, -1]
        .into_iter()
        .map(|hours: i64| {
            let mut mail = Mail::new("A1");
            mail.arrival = Some(options().now.plus(-hours * hour * 1_000_000));
            mail
        })
        .collect();
    let ages = &sum(&mails)["mails_by_age"];
    assert_eq!(ages["last_24h"], 3);
    assert_eq!(ages["1_to_4_days_ago"], 4);
    assert_eq!(ages["older_than_4_days"], 2);
}

#[test]
fn domains_are_those_behind_quotes_and_whatever_their_case() {
    let listing = "A1 5 Sat Nov 28 10:45:43 \"a@b\"@Example.ORG\n  (e)\n  x@example.net\n  y@EXAMPLE.net\n  root\n\n\
                   A2 5 Sat Nov 28 10:45:43 MAILER-DAEMON\n  (e)\n  x@Example.net\n";
    let sum = sum(&read(listing).0);
    assert_eq!(sum["unique_senders"], 2);
    assert_eq!(sum["unique_sender_domains"], 1);
    assert_eq!(sum["unique_recipients"], 3);
    assert_eq!(sum["unique_recipient_domains"], 1);
    assert_eq!(
        sum["top_recipient_domains"][0],
        serde_json::json!({"name": "example.net", "count": 3, "mails": 2})
    );
    assert_eq!(
        sum["top_errors"][0],
        serde_json::json!({"name": "e", "count": 4, "mails": 2})
    );
    assert_eq!(sum["top_senders"][1]["name"], "<>");
}

#[test]
fn a_mail_that_is_shown_twice_is_seen_once() {
    let mut seen = Seen::default();
    let mail = Mail::new("A1");
    let mut later = Mail::new("A1");
    later.arrival = Some(options().now);
    assert!(seen.is_new(&mail) && seen.is_new(&later) && !seen.is_new(&mail));
    assert_eq!(seen.again, 1);
}

#[test]
fn one_login_with_one_subject_stands_above_many_to_one_domain() {
    let mut clusters = Clusters::default();
    let mut present = Present::new(options().now, Zone::UTC);
    for i in 0..1400 {
        let mut mail = Mail::new(&format!("A{i}"));
        let is_spam = i % 7 < 2;
        let sender = if is_spam {
            "alice@example.org".to_owned()
        } else {
            format!("s{i}@example.org")
        };
        mail.sender = Some(sender.into());
        let domain = if is_spam {
            format!("d{}.example", i % 90)
        } else {
            "big.example".to_owned()
        };
        mail.recipients.push(super::super::Recipient {
            address: format!("r{i}@{domain}").into(),
            reason: None,
        });
        if is_spam {
            mail.client = Some(Box::new(super::super::mail::Client {
                name: None,
                address: Some(format!("192.0.2.{}", i % 200).into()),
                user: Some("alice".into()),
            }));
        }
        let body = if is_spam {
            "digest".to_owned()
        } else {
            format!("b{i}")
        };
        clusters.add(&mail, Some(&body), &mut present);
    }
    let groups = clusters.groups(None);
    assert_eq!(groups[0].mails, 400);
    let shared: Vec<String> = groups[0]
        .shared
        .iter()
        .map(|(dimension, value, count)| format!("{} {value} {count}", dimension.name()))
        .collect();
    assert_eq!(
        shared,
        [
            "user alice 400",
            "sender alice@example.org 400",
            "client 192.0.2.0/24 400",
            "body digest 400"
        ]
    );
    assert_eq!(groups[1].mails, 1000);
    assert_eq!(
        groups[1].shared,
        [(Dimension::Destination, "big.example".to_owned(), 1000)]
    );
    let by_sender = clusters.groups(Some(Dimension::Sender));
    assert_eq!(by_sender.len(), 1);
}
