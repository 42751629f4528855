//! Every line of testlogs/replies.txt has its cause, said by us and by another server.

use super::*;
use proptest::prelude::*;

const REPLIES: &str = include_str!("../../testlogs/replies.txt");

struct Case<'a> {
    cause: &'a str,
    dnsbl: Option<&'a str>,
    dsn: Option<&'a str>,
    rule: Option<&'a str>,
    text: &'a str,
}

fn cases() -> impl Iterator<Item = Case<'static>> {
    let lines = REPLIES.lines();
    lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let (head, text) = line.split_once(" | ").unwrap_or_else(|| panic!("{line}"));
            let mut words = head.split_whitespace();
            let cause = words.next().unwrap();
            let (cause, dnsbl) = match cause.split_once('=') {
                Some((cause, dnsbl)) => (cause, Some(dnsbl)),
                None => (cause, None),
            };
            let mut case = Case {
                cause,
                dnsbl,
                dsn: None,
                rule: None,
                text,
            };
            for word in words {
                match word.split_once('=') {
                    Some(("dsn", dsn)) => case.dsn = Some(dsn),
                    Some(("rule", rule)) => case.rule = Some(rule),
                    _ => panic!("{line}"),
                }
            }
            case
        })
}

/// Returns the status code that Postfix logs for a reply.
fn logged_dsn(text: &str) -> Option<String> {
    let class = text
        .chars()
        .next()
        .filter(|c| matches!(c, '2' | '4' | '5'))?;
    let words = text.get(4..)?.split([' ', '\t']).next()?;
    Some(
        if words.split('.').count() == 3 && words.starts_with(class) {
            words.trim_end_matches(':').to_owned()
        } else {
            format!("{class}.0.0")
        },
    )
}

fn find(text: &str, dsn: Option<&str>, rule: Option<&str>) -> (&'static str, Option<String>) {
    let evidence = Evidence {
        reason: text,
        dsn,
        rule,
        dnsbl: None,
    };
    let found = Causes::default().find(&evidence);
    (found.cause, found.dnsbl.map(str::to_owned))
}

#[test]
fn every_reply_has_its_cause() {
    let mut wrong = Vec::new();
    for case in cases() {
        let made_up = logged_dsn(case.text);
        let dsn = case.dsn.or(made_up.as_deref());
        let mut texts = vec![case.text.to_owned()];
        let is_reply = case.text.starts_with(|first: char| first.is_ascii_digit());
        if is_reply && case.rule.is_none() {
            let text = case.text;
            texts.push(format!(
                "host mx.example.net[192.0.2.25] said: {text} (in reply to RCPT TO command)"
            ));
            texts.push(format!(
                "host mx.example.net[2001:db8::25] refused to talk to me: {text}"
            ));
            texts.push(format!("delivery temporarily suspended: host mx.example.net[192.0.2.25] said: {text} (in reply to end of DATA command)"));
        }
        for text in texts {
            let (cause, dnsbl) = find(&text, dsn, case.rule);
            if cause != case.cause || dnsbl.as_deref() != case.dnsbl {
                wrong.push(format!("{cause} {dnsbl:?} | {text}"));
                break;
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{}\n{} wrong",
        wrong.join("\n"),
        wrong.len()
    );
}

#[test]
fn every_cause_has_a_line() {
    for cause in all() {
        assert!(
            cases().any(|case| case.cause == cause.name),
            "{}",
            cause.name
        );
    }
}

#[test]
fn every_provider_pattern_decides_a_line() {
    // Those of single providers and programs; the general ones behind them are many ways to say one thing.
    let decided: Vec<String> = cases()
        .map(|case| {
            let mut text = String::new();
            mask::mask(said(case.text).text, &mut text);
            text
        })
        .collect();
    let mut unused = Vec::new();
    let specific = pattern::TEXT
        .split("# --- SPF, DKIM, DMARC in any words")
        .next();
    for line in specific.unwrap().lines() {
        let Some(found) = pattern::read(line) else {
            continue;
        };
        if !decided.iter().any(|text| found.fits(text)) {
            unused.push(line);
        }
    }
    assert!(
        unused.is_empty(),
        "no line in testlogs/replies.txt for\n{}",
        unused.join("\n")
    );
}

/// Words that tell every kind of cause, where strangers can put them.
const LIES: [&str; 8] = [
    "mailbox full",
    "user unknown",
    "blocked using zen.spamhaus.org",
    "greylisted",
    "virus found",
    "loops back to myself",
    "Connection timed out",
    "554 5.7.1 spam",
];

#[test]
fn what_strangers_choose_decides_nothing() {
    let places = [
        "550 5.7.77 <\"LIE\"@example.org>: no",
        "550 5.7.77 <LIE@example.org>: no",
        "550 5.7.77 \"LIE\"@example.org: no",
        "550 5.7.77 no, 'LIE' no",
        "554 5.7.77 <LIE>: no",
        "554 5.7.77 <host[192.0.2.1]>: no <LIE>",
    ];
    for lie in LIES {
        for place in places {
            let text = place.replace("LIE", lie);
            assert_eq!(find(&text, None, None).0, OTHER, "{text}");
            let joined = text.replace(lie, &lie.replace(' ', "-"));
            assert_eq!(find(&joined, None, None).0, OTHER, "{joined}");
        }
        let host = lie.replace(' ', "-");
        let text =
            format!("host {host}.example.net[192.0.2.1] said: 550 no (in reply to DATA command)");
        assert_eq!(find(&text, Some("5.0.0"), None).0, OTHER, "{text}");
        let text = format!("unknown user: \"{lie}\"");
        assert_eq!(find(&text, None, None).0, "unknown_user", "{text}");
    }
}

#[test]
fn like_texts_are_judged_once_and_memory_is_bounded() {
    let mut causes = Causes::default();
    for n in 0..500 {
        let reason = format!(
            "550 5.1.1 <user{n}@example.org>: no such thing {}",
            "x".repeat(n % 7)
        );
        let evidence = Evidence {
            reason: &reason,
            dsn: Some("5.1.1"),
            ..Evidence::default()
        };
        assert_eq!(causes.find(&evidence).cause, "unknown_user");
    }
    assert_eq!(causes.known.len(), 7);
    for n in 0..u32::try_from(2 * MAX_KNOWN).unwrap() {
        let word = char::from_u32(0x4e00 + n).unwrap();
        let reason = format!("550 {word}");
        causes.find(&Evidence {
            reason: &reason,
            ..Evidence::default()
        });
    }
    assert!(causes.known.len() <= MAX_KNOWN);
}

#[test]
fn the_same_words_have_another_cause_with_another_code_and_from_another_side() {
    let mut causes = Causes::default();
    let mut cause = |reason, dsn, rule| {
        causes
            .find(&Evidence {
                reason,
                dsn: Some(dsn),
                rule,
                dnsbl: None,
            })
            .cause
    };
    assert_eq!(
        cause("host x[192.0.2.1] said: 450 no", "4.2.2", None),
        "mailbox_full"
    );
    assert_eq!(
        cause("host x[192.0.2.1] said: 450 no", "4.3.5", None),
        "remote_fault"
    );
    assert_eq!(cause("450 no", "4.3.5", Some("policy")), "local_fault");
    assert_eq!(cause("450 no", "4.0.0", Some("greylist")), "greylisted");
    assert_eq!(cause("no", "4.3.5", None), "local_fault");
}

#[test]
fn a_list_known_already_is_kept() {
    let evidence = Evidence {
        reason: "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using bl.example.org; spamhaus",
        dnsbl: Some("bl.example.org"),
        rule: Some("dnsbl"),
        dsn: Some("5.7.1"),
    };
    let found = Causes::default().find(&evidence);
    assert_eq!(
        (found.cause, found.dnsbl),
        ("blocklisted", Some("bl.example.org"))
    );
}

proptest! {
    #[test]
    fn any_text_has_a_cause_of_the_list(text in "\\PC{0,300}", dsn in proptest::option::of("[245]\\.[0-9]{1,2}\\.[0-9]{1,3}")) {
        let cause = find(&text, dsn.as_deref(), None).0;
        prop_assert!(named(cause).is_some());
    }

    #[test]
    fn signs_and_words_in_any_order_do_no_harm(parts in proptest::collection::vec(
        proptest::sample::select(vec!["<", ">", "\"", "'", "[", "]", "(", ")", "@", "\\", " ", "550", "5.1.1", "-", "=", ":", ".", "x", "é", "://", "www.", "host ", " said: ", " (in reply to "]), 0..40)) {
        let text = parts.concat();
        prop_assert!(named(find(&text, None, None).0).is_some());
    }
}
