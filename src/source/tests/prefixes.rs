//! What tools and collectors put before a line or in the place of its host.

use super::{Hints, Owned, decode, options};
use std::fs;
use std::path::Path;

const ISO: &str = "2026-11-20T19:20:44.573590+05:30 esmtp27 postfix/smtpd[277165]: 5D00140001: client=unknown[192.0.2.84]";
const BSD: &str =
    "Nov 20 13:50:44 esmtp27 postfix/smtpd[277165]: 5D00140001: client=unknown[192.0.2.84]";

fn only(line: &str) -> Owned {
    let hints = Hints {
        first_year: Some(2026),
    };
    let mut entries = decode(line, &options("UTC"), hints);
    assert_eq!(entries.len(), 1, "{line}");
    entries.remove(0)
}

fn is_read(line: &str) {
    let entry = only(line);
    // A collector's stamp that says more of the same second wins.
    let expected = if line.contains(":45.") {
        "2026-11-20T13:50:45."
    } else {
        "2026-11-20T13:50:44"
    };
    assert!(entry.utc().starts_with(expected), "{line}: {}", entry.utc());
    assert_eq!(entry.host, "esmtp27", "{line}");
    assert_eq!(entry.ident, "postfix/smtpd", "{line}");
    assert_eq!(entry.pid, Some(277_165), "{line}");
    assert_eq!(
        entry.text, "5D00140001: client=unknown[192.0.2.84]",
        "{line}"
    );
}

/// What stands before a line that a tool leaves as it is.
const BEFORE: &[&str] = &[
    // grep, zgrep: name, line, both, with -A and -C, of standard input, with blanks, colons and stamps in names.
    "/var/log/mail.log:",
    "/var/log/mail.log.2.gz:",
    "mail.log-",
    "12:",
    "12-",
    "/var/log/mail.log:12:",
    "/var/log/mail.log-12-",
    "(standard input):",
    "my old logs/mail log:",
    "logs:2026/mail:1.log:7:",
    "backup 2026-11-19 12:00:00 of mx/mail.log:",
    "/var/log/mail.log-20261120:",
    "/var/log/mail-2026-11-20.log:",
    "logs\\mail.log:",
    "\u{1b}[35m\u{1b}[Kmail.log\u{1b}[m\u{1b}[K\u{1b}[36m\u{1b}[K:\u{1b}[m\u{1b}[K",
    // Kubernetes: stern, kubectl logs --prefix, both with --timestamps.
    "mail-0 postfix ",
    "mail-0 › postfix ",
    "\u{1b}[32mmail-0\u{1b}[0m \u{1b}[33mpostfix\u{1b}[0m ",
    "[pod/mail-0/postfix] ",
    "[pod/mail-5d9c7c7b8-x2x7k/postfix] 2026-11-20T13:50:45.573590123Z ",
    "mail-0 postfix 2026-11-20T13:50:45.573590123Z ",
    "2026-11-20T13:50:45.573590123Z [pod/mail-0/postfix] ",
    // Docker.
    "mail-1  | ",
    "mail-1  | 2026-11-20T13:50:45.573590123Z ",
    "\u{1b}[36mmail-1  |\u{1b}[0m ",
    "mail.1.w5zkjb8o7d2ytx1j4v9f0a3qe@node-7    | ",
    "2026-11-20T13:50:45.573590123Z mail.1.w5zkjb8o7d2ytx1j4v9f0a3qe@node-7    | ",
    // Loki.
    "2026-11-20T13:50:45Z {app=\"postfix\", host=\"x\"} ",
    "2026-11-20T13:50:45Z {} ",
    "2026-11-20T13:50:45+00:00 {filename=\"/var/log/mail.log\", job=\"a b\"} ",
    // rsyslog's and syslog-ng's own.
    "Nov 20 13:50:45 loghost ",
    "<22>",
    "Nov 20 13:50:45 dockerhost docker[32360]: ",
];

#[test]
fn a_line_is_read_behind_whatever_tools_put_before_it() {
    for before in BEFORE {
        is_read(&format!("{before}{ISO}"));
        is_read(&format!("{before}{BSD}"));
    }
}

#[test]
fn tools_may_be_piped_into_each_other() {
    for first in [
        "mail.log:",
        "12-",
        "mail-1  | ",
        "[pod/mail-0/postfix] ",
        "mail-0 postfix ",
    ] {
        for second in BEFORE.iter().filter(|before| !before.starts_with("<22>")) {
            is_read(&format!("{first}{second}{ISO}"));
        }
    }
    is_read(&format!("mail.log:<22>{BSD}"));
}

const WITHOUT_HOST: &[&str] = &[
    "INFO    ",
    "WARNING ",
    "info ",
    "mail.info ",
    "mail:info ",
    "[mail.info] ",
    "[INFO] ",
    "(info) ",
    "<mail.info> ",
    "INFO: ",
    "4711 ",
    "#38(normal) ",
    "- ",
    "mail info ",
    "Mail.Info\t",
    "{app=\"postfix\", host=\"x\"} ",
    "| ",
    "2026 INFO ",
];

const WITH_HOST: &[&str] = &[
    "esmtp27 ",
    "INFO esmtp27 ",
    "esmtp27 INFO ",
    "esmtp27 mail.info ",
    "esmtp27 mail:info ",
    "mail.info esmtp27 ",
    "esmtp27 mail info ",
    "esmtp27 4711 ",
    "loghost esmtp27 ",
    "loghost esmtp27 mail.info ",
    "esmtp27 INFO: ",
    "esmtp27 [INFO] ",
    "esmtp27\t",
    "\tesmtp27\t",
    "[INFO] esmtp27 ",
    "mail:info Message forwarded from esmtp27: ",
    "loghost mail:info Message forwarded from esmtp27: ",
    "#38(normal) esmtp27 ",
];

#[test]
fn collectors_write_severities_where_the_host_belongs() {
    let (stamp, tag) = (
        "Nov 20 13:50:44",
        "postfix/smtpd[277165]: 5D00140001: client=unknown[192.0.2.84]",
    );
    for words in WITHOUT_HOST {
        let entry = only(&format!("{stamp} {words}{tag}"));
        let expected = if *words == "mail info " { "mail" } else { "" };
        assert_eq!(
            (entry.host.as_str(), entry.ident.as_str()),
            (expected, "postfix/smtpd"),
            "{words}"
        );
        assert_eq!(
            entry.text, "5D00140001: client=unknown[192.0.2.84]",
            "{words}"
        );
        assert!(entry.utc().starts_with("2026-11-20T13:50:44"), "{words}");
    }
    for words in WITH_HOST {
        is_read(&format!("{stamp} {words}{tag}"));
        is_read(&format!("mail.log:{stamp} {words}{tag}"));
    }
}

#[test]
fn a_template_may_put_more_blanks_behind_the_tag() {
    for blanks in [" ", "  ", "\t", " \t", "   "] {
        is_read(&BSD.replace("]: ", &format!("]:{blanks}")));
        let entry = only(&format!(
            "Nov 20 13:50:44 mx postfix/qmgr:{blanks}5D00140001: removed"
        ));
        assert_eq!(
            (entry.ident.as_str(), entry.text.as_str()),
            ("postfix/qmgr", "5D00140001: removed")
        );
    }
}

#[test]
fn the_unit_stands_for_the_identifier() {
    let entry =
        only("Fri 2026-11-20 13:50:44 UTC esmtp27 postfix@-.service[812]: 5D00140001: removed");
    assert_eq!(
        (entry.host.as_str(), entry.ident.as_str()),
        ("esmtp27", "postfix@-.service")
    );
    assert_eq!(entry.utc(), "2026-11-20T13:50:44.000000");
    let json =
        r#"{"labels":{"app":"postfix"},"line":"LINE","timestamp":"2026-11-20T13:50:45.1234567Z"}"#;
    is_read(&json.replace("LINE", ISO));
    is_read(&json.replace("LINE", BSD));
}

#[test]
fn a_line_without_its_own_time_has_none() {
    let lines = [
        "postfix/smtpd[277165]: connect from unknown[192.0.2.84]",
        "mail-1  | postfix/smtpd[277165]: connect from unknown[192.0.2.84]",
        "[pod/mail-0/postfix] postfix/smtpd[277165]: connect from unknown[192.0.2.84]",
        "[ 1234.567890] esmtp27 postfix/smtpd[277165]: connect from unknown[192.0.2.84]",
        "[ 1234.567890 <    0.000012 >] esmtp27 postfix/smtpd[277165]: connect from unknown[192.0.2.84]",
        "ov 20 13:50:44 esmtp27 postfix/smtpd[277165]: connect from unknown[192.0.2.84]",
        "20.11. 13:50:44 esmtp27 postfix/smtpd[277165]: connect from unknown[192.0.2.84]",
        "<22>postfix/smtpd[277165]: connect from unknown[192.0.2.84]",
        "<22>1 - esmtp27 postfix/smtpd 277165 - - connect from unknown[192.0.2.84]",
    ];
    for line in lines {
        let entries = decode(
            format!("{ISO}\n{line}\n"),
            &options("UTC"),
            Hints::default(),
        );
        assert_eq!(entries.len(), 2, "{line}");
        assert_eq!(entries[1].time, None, "{line}");
        assert_eq!(entries[1].ident, "postfix/smtpd", "{line}");
        assert!(
            ["", "esmtp27"].contains(&entries[1].host.as_str()),
            "{line}: {}",
            entries[1].host
        );
    }
}

#[test]
fn what_a_stranger_sends_is_not_taken_for_a_header() {
    let sent = "warning: mail.log:Nov 19 11:11:11 mx postfix/qmgr[1]: 5D00140001: removed";
    let lines = [
        format!("ov 20 13:50:44 mx2 postfix/smtpd[2]: {sent}"),
        format!("postfix/smtpd[2]: {sent}"),
        format!("mail-1  | postfix/smtpd[2]: {sent}"),
    ];
    for line in lines {
        let entry = only(&line);
        assert_eq!(
            (entry.time, entry.ident.as_str()),
            (None, "postfix/smtpd"),
            "{line}"
        );
        assert_eq!(entry.text, sent, "{line}");
    }
}

/// The lines of the demonstration, as they are and through each tool, are the same entries.
#[test]
fn shuffled_prefixes_change_nothing() {
    let log = fs::read_to_string("testlogs/demo/mail.log").unwrap();
    let hints = Hints {
        first_year: Some(2026),
    };
    let plain = decode(&log, &options("UTC"), hints);
    let shown = |entries: &[Owned]| -> Vec<_> {
        let entry = |e: &Owned| {
            (
                e.utc(),
                e.host.clone(),
                e.ident.clone(),
                e.pid,
                e.text.clone(),
            )
        };
        entries.iter().map(entry).collect()
    };
    let expected = shown(&plain);
    assert!(expected.len() > 100);
    // Those that add a stamp of their own tell another second than the line does.
    let before: Vec<&str> = BEFORE
        .iter()
        .copied()
        .filter(|before| !before.contains(":50:45"))
        .collect();
    for shift in 0..before.len() {
        let mut mixed = String::new();
        for (no, line) in log.lines().enumerate() {
            mixed += before[(no * 7 + shift) % before.len()];
            mixed += line;
            mixed += "\n";
            if no % 5 == 0 {
                mixed += "--\n";
            }
        }
        assert_eq!(
            shown(&decode(&mixed, &options("UTC"), hints)),
            expected,
            "shift {shift}"
        );
    }
}

#[test]
fn a_log_of_rspamd_s_own_names_its_process_where_the_host_belongs() {
    for kind in ["rspamd_proxy", "normal"] {
        let text = "<a1b2c3>; proxy; rspamd_task_write_log: id: <1@example.net>, qid: <5D00140001>";
        let entry = only(&format!("2026-11-20 13:50:44 #38({kind}) {text}"));
        let told = (&*entry.host, &*entry.ident, &*entry.text);
        assert_eq!(told, ("", "rspamd", text));
    }
    for word in ["#38(normal", "#x(normal)", "#(normal)", "#38(a b)"] {
        let entry = only(&format!("2026-11-20 13:50:44 {word} a text"));
        assert_ne!(entry.ident, "rspamd", "{word}");
    }
}

#[test]
fn case_01_level_for_host() {
    let Some(entries) = case("01-level-for-host.log", "UTC") else {
        return;
    };
    assert!(
        entries
            .iter()
            .all(|e| e.host.is_empty() && e.time.is_some())
    );
    assert!(entries.iter().all(|e| e.ident.starts_with("postfix/")));
}

#[test]
fn case_31_grep_output() {
    let Some(entries) = case("31-grep-output.log", "UTC") else {
        return;
    };
    assert!(entries.iter().all(|e| e.host == "esmtp27"));
    assert_eq!(entries[0].utc(), "2026-11-20T13:50:44.573590");
    assert_eq!(entries[5].utc(), "2026-11-20T18:51:14.590042");
}

/// Reads a public case, where they are at hand.
pub(super) fn case(name: &str, zone: &str) -> Option<Vec<Owned>> {
    let path = Path::new("../shared/cases/turn02").join(name);
    let Ok(log) = fs::read(&path) else {
        crate::skip::skip(&format!("no {}", path.display()));
        return None;
    };
    Some(decode(log, &options(zone), Hints::default()))
}
