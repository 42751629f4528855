//! Damaged logs are noticed, and good ones are not.

use super::{Check, Finding, Lines, Odd, odd};
use crate::model::time::Time;
use crate::model::zone::Zone;
use crate::parse;
use crate::source::{self, Chunk, Decoder, Hints, Options};
use std::path::{Path, PathBuf};

const LOG: &str = include_str!("../../testlogs/demo/mail.log.1");

/// 2026-11-29.
const NOW: Time = Time(1_795_910_400_000_000);

fn options() -> Options {
    Options {
        zone: Zone::parse("UTC").unwrap(),
        year: None,
        now: NOW,
    }
}

/// Returns what looks wrong in the lines.
fn check(data: &[u8], hints: Hints) -> Vec<Finding> {
    let mut decoder = Decoder::new(&options(), hints, None);
    let mut lines = Lines::default();
    let mut sink = |entry: &crate::model::entry::Entry<'_>| {
        lines.see(entry, &parse::parse(entry), NOW);
    };
    let chunk = Chunk {
        data: data.to_vec(),
        offset: 0,
        read: 0,
        is_last: true,
    };
    decoder.decode(&chunk, &mut sink);
    decoder.finish(&mut sink);
    lines.findings("mail.log")
}

fn found(log: &str) -> Vec<Check> {
    let findings = check(log.as_bytes(), Hints::default());
    for finding in &findings {
        let text = finding.text();
        assert!(text.starts_with("mail.log: "), "{text}");
        assert!(text.contains(": maillog "), "{text}");
    }
    findings.iter().map(|f| f.check).collect()
}

/// Returns the log with each line as `change` makes it of its number, stamp, host and rest.
fn changed(change: impl Fn(usize, &str, &str, &str) -> String) -> String {
    let line = |(number, line): (usize, &str)| {
        let (stamp, rest) = line.split_once(' ').unwrap();
        let (host, rest) = rest.split_once(' ').unwrap();
        change(number, stamp, host, rest) + "\n"
    };
    LOG.lines().enumerate().map(line).collect()
}

#[test]
fn a_good_log_has_nothing_to_be_said() {
    assert_eq!(found(LOG), []);
    assert_eq!(found(""), []);
    for name in ["rfc3164", "rfc3339", "rfc5424", "journal-short-iso"] {
        let log = std::fs::read_to_string(format!("testlogs/formats/{name}.log")).unwrap();
        let hints = Hints {
            first_year: Some(2026),
        };
        assert_eq!(check(log.as_bytes(), hints), [], "{name}");
    }
}

#[test]
fn a_host_that_is_none_is_noticed() {
    for name in [
        "INFO",
        "crit",
        "mail.info:",
        "<22>",
        "Nov",
        "[1234]",
        "2026",
        "postfix/smtpd[12]:",
        "#38(normal)",
        "03:21:40",
    ] {
        let log = changed(|_, stamp, _, rest| format!("{stamp} {name} {rest}"));
        assert!(!found(&log).is_empty(), "{name}");
    }
}

#[test]
fn lines_without_host_or_time_are_noticed() {
    let bare = changed(|_, _, host, rest| format!("{host} {rest}"));
    assert!(found(&bare).contains(&Check::NoTime), "{:?}", found(&bare));
    let some = changed(|n, stamp, host, rest| {
        if n % 20 == 3 {
            rest.to_owned()
        } else {
            format!("{stamp} {host} {rest}")
        }
    });
    assert!(!found(&some).is_empty());
    let unhosted = changed(|n, stamp, host, rest| {
        if n % 9 == 0 {
            format!("{stamp} {rest}")
        } else {
            format!("{stamp} {host} {rest}")
        }
    });
    assert!(!found(&unhosted).is_empty());
}

#[test]
fn a_jump_of_a_year_is_noticed() {
    for year in ["2024", "2025", "2027"] {
        let log = changed(|n, stamp, host, rest| {
            if (300..400).contains(&n) {
                format!("{} {host} {rest}", stamp.replace("2026", year))
            } else {
                format!("{stamp} {host} {rest}")
            }
        });
        assert!(found(&log).contains(&Check::YearJump), "{year}");
        assert_eq!(found(&log).contains(&Check::Future), year == "2027");
    }
}

#[test]
fn lines_in_another_order_are_noticed() {
    // The log of a day, line by line.
    let day: Vec<String> = (0..800)
        .map(|n| {
            let (hour, minute, second) = (n / 60, n % 60, n % 7);
            format!("2026-11-21T{hour:02}:{minute:02}:{second:02}+00:00 mx1 postfix/smtpd[1]: connect from unknown[192.0.2.1]\n")
        })
        .collect();
    assert_eq!(found(&day.concat()), []);
    let halves: String = (0..400)
        .flat_map(|n| [day[n].as_str(), day[n + 400].as_str()])
        .collect();
    assert_eq!(found(&halves), [Check::Order]);
    // A second file that is older, as `cat mail.log mail.log.1` writes it.
    let files = day[400..].concat() + &day[..400].concat();
    assert_eq!(found(&files), [Check::Back]);
    let shuffled: String = (0..800).map(|n| day[n * 37 % 800].as_str()).collect();
    assert_eq!(found(&shuffled), [Check::Order]);
    // Lines that overtake each other by a moment are in every log.
    let mut moments = day.clone();
    for pair in moments.chunks_mut(2) {
        pair.swap(0, 1);
    }
    let stamp = |n: usize| format!("2026-11-21T03:21:{:02}", n / 20);
    let moments: String = moments
        .iter()
        .enumerate()
        .map(|(n, line)| {
            let swapped = n ^ 1;
            format!("{}{}", stamp(swapped), line.get(19..).unwrap())
        })
        .collect();
    assert_eq!(found(&moments), []);
}

#[test]
fn lines_with_another_tag_are_noticed() {
    let cut = changed(|_, stamp, host, rest| {
        let (_, text) = rest.split_once(": ").unwrap();
        format!("{stamp} {host} {text}")
    });
    assert!(
        found(&cut)
            .iter()
            .any(|c| matches!(c, Check::Tag | Check::NoLine))
    );
    let renamed = changed(|_, stamp, host, rest| {
        let (_, text) = rest.split_once(": ").unwrap();
        format!("{stamp} {host} mta[12]: {text}")
    });
    assert!(found(&renamed).contains(&Check::Tag));
    let wrapped = changed(|_, stamp, host, rest| {
        format!("{stamp} {host} collector[12]: level=info msg={rest:?}")
    });
    assert!(found(&wrapped).contains(&Check::Tag) || found(&wrapped).is_empty());
}

#[test]
fn texts_that_no_rule_knows_are_noticed() {
    let log = changed(|n, stamp, host, rest| {
        if n % 50 == 0 {
            format!("{stamp} {host} postfix/qmgr[1]: 4jWctr3sjFz5rrS: hat uns verlassen")
        } else {
            format!("{stamp} {host} {rest}")
        }
    });
    assert_eq!(found(&log), [Check::Unknown]);
}

#[test]
fn a_log_of_others_is_told() {
    let log = "Nov 21 03:21:40 mx1 sshd[1]: Accepted publickey for root\n".repeat(3);
    assert_eq!(found(&log), [Check::NoLine]);
    assert_eq!(found("no log\nat all\n"), [Check::NoLine]);
}

#[test]
fn a_form_without_hosts_is_not_ill() {
    let bare = |line: &str| {
        let (stamp, rest) = line.split_once(' ').unwrap();
        let (host, rest) = rest.split_once(' ').unwrap();
        (host == "mx1").then(|| format!("{stamp} {rest}\n"))
    };
    let log: String = LOG.lines().filter_map(bare).collect();
    assert!(!found(&log).contains(&Check::NoHost));
    let mixed = format!("{log}{LOG}");
    assert!(found(&mixed).contains(&Check::NoHost));
    let severity: String = LOG
        .lines()
        .map(|l| format!("{}\n", l.replace(" mx1 ", " info ")))
        .collect();
    assert!(found(&severity).contains(&Check::NoHost));
}

#[test]
fn names_of_hosts_are_not_odd() {
    for host in [
        "mx1",
        "mail",
        "mail.example.com",
        "192.0.2.1",
        "2001:db8::1",
        "[2001:db8::1]",
        "info.example.com",
        "news",
        "user",
        "cron",
        "mail-7d9f",
        "123456789012",
        "mar",
        "sun",
        "may.example.com",
        "a1b2",
        "host/relay",
        "s_net@192.0.2.7",
        "mail_1",
        "ftp",
        "local0",
        "postfix",
        "postfix-7c9d",
        "",
        "m\u{fc}nchen",
        "10.0.0.1",
        "::1",
        "fe80::1%eth0",
    ] {
        assert_eq!(odd(host), None, "{host}");
    }
    for (host, kind) in [
        ("INFO", Odd::Severity),
        ("warning", Odd::Severity),
        ("mail.info", Odd::Severity),
        ("mail:info", Odd::Severity),
        ("<mail.info>", Odd::Severity),
        ("<22>", Odd::Severity),
        ("local5.err", Odd::Severity),
        ("[info]", Odd::Severity),
        ("Nov", Odd::Time),
        ("10:20:11", Odd::Time),
        ("2026-11-24", Odd::Time),
        ("1234", Odd::Number),
        ("[1234]:", Odd::Number),
        ("postfix/smtpd[12]:", Odd::Program),
        ("postfix/smtpd", Odd::Program),
        ("stdout", Odd::Program),
        ("#38(normal)", Odd::Sign),
        ("{app=mail}", Odd::Sign),
        ("key=value", Odd::Sign),
        ("tag:", Odd::Sign),
    ] {
        assert_eq!(odd(host), Some(kind), "{host}");
    }
}

#[test]
fn commands_are_fit_for_a_shell() {
    assert_eq!(super::quoted("/var/log/mail.log"), "/var/log/mail.log");
    assert_eq!(super::quoted("a b's"), "'a b'\\''s'");
    assert_eq!(super::quoted(""), "''");
}

/// Lines gathered from many logs, or damaged, and what there is to say of them.
const GATHERED: [(&str, Check); 11] = [
    ("crowdsec/postfix-logs/postfix-logs.log", Check::Back),
    ("digineo/mail.log", Check::YearJump),
    ("fail2ban/dovecot", Check::YearJump),
    ("fail2ban/dovecot", Check::Order),
    ("fail2ban/postfix", Check::YearJump),
    ("fail2ban/postfix", Check::Back),
    ("infohtreasure/maillog", Check::YearJump),
    ("infohtreasure/mailog2", Check::YearJump),
    ("infohtreasure/mailog2", Check::Back),
    // Days in the order of the tale.
    (
        "lightmeter/individual_files/14_reuse_of_queueid.log",
        Check::Back,
    ),
    // A line without its first digit.
    ("sekiltoyai/test-milter.log", Check::NoTime),
];

#[test]
fn of_logs_of_others_only_those_that_are_damaged_are_told() {
    let root = Path::new("../shared/testlogs");
    if !root.is_dir() {
        crate::skip::skip("logs of others (no ../shared)");
        return;
    }
    let mut files = Vec::new();
    collect(root, &mut files);
    collect(Path::new("../shared/postfix-rig/example-run"), &mut files);
    assert!(files.len() > 50);
    let mut said = Vec::new();
    for file in files {
        let (inputs, _) = source::collect(&[file.clone().into()], &options()).unwrap();
        let mut data = Vec::new();
        for chunk in inputs[0].read_from(0).unwrap() {
            data.extend(chunk.unwrap().data);
        }
        for finding in check(&data, inputs[0].hints(&options())) {
            said.push((file.clone(), finding.check));
        }
    }
    let expected = GATHERED.map(|(file, check)| (root.join(file), check));
    assert_eq!(said, expected);
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(directory).unwrap();
    let mut entries: Vec<PathBuf> = entries.map(|e| e.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let is_log = [
            ".log",
            ".gz",
            "maillog",
            "mailog2",
            "postfix",
            "dovecot",
            "mail.log.1",
        ];
        if path.is_dir() {
            collect(&path, files);
        } else if is_log.iter().any(|end| name.ends_with(end)) {
            files.push(path);
        }
    }
}
