//! Mail that maillog sends, with a sendmail that records it: by commands, by the service, and killed at any step.

use crate::program::{Place, text};
use crate::service::Service;
use nix::sys::utsname::uname;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

/// Makes a sendmail of this text, and settings that name it.
fn settings(place: &Place, script: &str) -> String {
    let program = place.path("sendmail");
    fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let file = place.path("maillog.toml");
    let text = format!(
        "[mail]\nfqdn = \"mx1.example.org\"\nfrom = \"Zoë Ö <post@example.org>\"\nsendmail = \"{}\"\nper_address = 500\n",
        program.display()
    );
    fs::write(&file, text).unwrap();
    file.to_str().unwrap().to_owned()
}

/// A sendmail that appends what it gets.
fn recording(place: &Place) -> (String, PathBuf) {
    let got = place.path("got");
    (settings(place, &format!("cat >> {}", got.display())), got)
}

fn ingest(place: &Place, log: &str) {
    let file = place.path("mail.log");
    fs::write(&file, log).unwrap();
    place.succeed(&["ingest", "-q", "--year", "2026", file.to_str().unwrap()]);
}

const LOG: &str = "Nov 21 03:21:45 mx1 postfix/qmgr[12]: 4jc6Pz2LgJz1SS28: from=<a@late.test>, size=328, nrcpt=1 (queue active)\n";

/// Reads two mails of a file by another library, and prints how many Message-IDs they have.
const PARSE: &str = r"
import email, email.policy, sys
text = open(sys.argv[1], 'rb').read()
mails = text.split(b'Date: ')[1:]
assert len(mails) == 2, len(mails)
for raw in mails:
    assert all(len(line) <= 78 for line in raw.split(b'\n')), raw
    mail = email.message_from_bytes(b'Date: ' + raw, policy=email.policy.default)
    assert not mail.defects, mail.defects
    assert mail['From'].addresses[0].display_name == 'Zo\u00eb \u00d6', mail['From']
    assert mail['From'].addresses[0].addr_spec == 'post@example.org'
    assert [a.addr_spec for a in mail['To'].addresses] == ['anne@example.com', 'bob@example.com']
    assert mail['To'].addresses[0].display_name == '\u00c4nne'
    assert mail['Auto-Submitted'] == 'auto-generated'
    assert mail['X-Loop'] == 'maillog@mx1.example.org'
    assert mail['Date'].datetime.tzinfo is not None
    assert mail['Message-ID'].endswith('@mx1.example.org>')
    assert mail.get_content_type() == 'text/plain' and mail.get_content_charset() == 'utf-8'
    assert mail.get_content().startswith('This is a test')
print(len({m.split(b'Message-ID: ')[1].split(b'\n')[0] for m in mails}))
";

#[test]
fn a_command_sends_and_another_library_reads_it() {
    let place = Place::new();
    let (settings, got) = recording(&place);
    let test = [
        "--config",
        &settings,
        "mail",
        "send-test",
        "Änne <anne@example.com>",
        "bob@example.com",
    ];
    let missing = place.run(&test);
    assert_eq!(missing.code, Some(2));
    assert!(missing.stderr.contains("no database"), "{}", missing.stderr);
    ingest(&place, LOG);
    let sent = place.run(&test);
    assert_eq!(sent.code, Some(0), "{}", sent.stderr);
    assert!(
        sent.stderr.contains("mail to anne@example.com: taken by "),
        "{}",
        sent.stderr
    );
    let python = Command::new("python3")
        .args(["-c", PARSE, got.to_str().unwrap()])
        .output();
    let Ok(python) = python else {
        crate::skip::skip("mail parsed by Python (no python3)");
        return;
    };
    let said = String::from_utf8_lossy(&python.stderr);
    assert_eq!(String::from_utf8_lossy(&python.stdout), "2\n", "{said}");
    let listed = place.succeed(&["mail", "outbox", "-o", "json"]);
    let first: serde_json::Value = serde_json::from_str(listed.lines().next().unwrap()).unwrap();
    assert_eq!(text(&first, "state"), "sent");
    assert_eq!(text(&first, "recipient"), "anne@example.com");
    assert_eq!(
        place.number("SELECT count(*) FROM outbox WHERE message = ''"),
        2
    );
    assert!(
        place
            .succeed(&["mail", "outbox"])
            .contains("anne@example.com")
    );
    assert_eq!(
        place.run(&["mail", "outbox", "--state", "failed"]).code,
        Some(1)
    );
}

#[test]
fn what_is_not_taken_waits_and_says_why() {
    let place = Place::new();
    ingest(&place, LOG);
    let settings = settings(&place, "echo disk full >&2; exit 75");
    let sent = place.run(&[
        "--config",
        &settings,
        "mail",
        "send-test",
        "bob@example.com",
    ]);
    assert_eq!(sent.code, Some(2));
    assert!(
        sent.stderr.contains("mail to bob@example.com waits: "),
        "{}",
        sent.stderr
    );
    assert!(
        sent.stderr.contains("failed with status 75: disk full"),
        "{}",
        sent.stderr
    );
    let (settings, got) = recording(&place);
    // It is not due yet, unless somebody says so.
    let other = place.run(&[
        "--config",
        &settings,
        "mail",
        "send-test",
        "carol@example.com",
    ]);
    assert_eq!(other.code, Some(0), "{}", other.stderr);
    assert_eq!(
        place.number("SELECT count(*) FROM outbox WHERE state = 'waiting'"),
        1
    );
    place.succeed(&["--config", &settings, "mail", "retry"]);
    assert_eq!(
        place.number("SELECT count(*) FROM outbox WHERE state = 'sent'"),
        2
    );
    assert_eq!(
        fs::read_to_string(got)
            .unwrap()
            .matches("Message-ID: ")
            .count(),
        2
    );
}

#[test]
fn what_is_no_address_and_no_mail_is_refused() {
    let place = Place::new();
    ingest(&place, LOG);
    let (settings, got) = recording(&place);
    let unknown = place.run(&["--config", &settings, "mail", "retry", "x@example.org"]);
    assert_eq!(unknown.code, Some(2));
    assert!(
        unknown
            .stderr
            .contains("no mail <x@example.org> that waits or failed"),
        "{}",
        unknown.stderr
    );
    for wrong in ["bob", "a,b@example.com", "a\nBcc: b@example.com"] {
        let refused = place.run(&["--config", &settings, "mail", "send-test", wrong]);
        assert_eq!(refused.code, Some(2));
        assert!(
            refused.stderr.contains("not a mail address"),
            "{}",
            refused.stderr
        );
    }
    assert!(!got.exists());
}

/// The log lines of a mail, dated a while after now.
fn lines(message_id: &str, number: usize, minutes: i64) -> String {
    let name = uname().unwrap();
    let host = name.nodename().to_string_lossy();
    let time = chrono::Utc::now() + chrono::Duration::minutes(minutes);
    let time = time.format("%Y-%m-%dT%H:%M:%S.%6f+00:00");
    format!(
        "{time} {host} postfix/cleanup[7]: 4jc6Pz2Lg{number:04}z1: message-id={message_id}\n\
         {time} {host} postfix/qmgr[12]: 4jc6Pz2Lg{number:04}z1: from=<post@example.org>, size=328, nrcpt=1 (queue active)\n\
         {time} {host} postfix/smtp[13]: 4jc6Pz2Lg{number:04}z1: to=<bob@example.com>, relay=x.test[192.0.2.1]:25, delay=1, delays=0/0/1/0, dsn=2.0.0, status=sent (250 ok)\n\
         {time} {host} postfix/qmgr[12]: 4jc6Pz2Lg{number:04}z1: removed\n"
    )
}

#[test]
fn a_command_that_is_killed_beside_the_hand_over_learns_from_the_log() {
    for is_taken in [true, false] {
        let place = Place::new();
        ingest(&place, LOG);
        let got = place.path("got");
        let take = format!("cat >> {}", got.display());
        let script = if is_taken {
            format!("{take}; kill -9 $PPID")
        } else {
            "kill -9 $PPID".to_owned()
        };
        let config = settings(&place, &script);
        let killed = place.run(&["--config", &config, "mail", "send-test", "bob@example.com"]);
        assert_eq!(killed.code, None, "{}", killed.stderr);
        let (config, _) = recording(&place);
        let retry = ["--config", &config, "mail", "retry"];
        place.succeed(&retry);
        assert_eq!(
            place.number("SELECT count(*) FROM outbox WHERE state = 'unknown'"),
            1
        );
        let rows = place.select("SELECT message_id FROM outbox");
        let id = text(&rows[0], "message_id");
        let log = if is_taken {
            lines(id, 1, 0)
        } else {
            String::new()
        };
        fs::write(
            place.path("new.log"),
            log + &lines("<other@example.org>", 2, 11),
        )
        .unwrap();
        place.succeed(&["ingest", "-q", place.path("new.log").to_str().unwrap()]);
        place.succeed(&retry);
        assert_eq!(
            place.number("SELECT count(*) FROM outbox WHERE state = 'sent'"),
            1,
            "{is_taken}"
        );
        assert_eq!(
            fs::read_to_string(&got).unwrap().matches(id).count(),
            1,
            "{is_taken}"
        );
        if is_taken {
            let listed = place.succeed(&["mail", "outbox", "-o", "json"]);
            assert!(listed.contains("\"outcome\":\"sent\""), "{listed}");
            let found = place.succeed(&["find", id, "--all", "-o", "count"]);
            assert_eq!(found.trim(), "1");
        }
    }
}

/// Returns the log of the mails that a sendmail took, and a later line of another one.
fn log_of(taken: &str) -> String {
    let ids = taken
        .lines()
        .filter_map(|line| line.strip_prefix("Message-ID: "));
    let log: String = ids
        .enumerate()
        .map(|(number, id)| lines(id, number, 0))
        .collect();
    log + &lines("<other@example.org>", 9999, 11)
}

/// Has the service write a mail down, and does not wait until it is sent.
fn write_down(place: &Place, config: &str, number: usize) {
    let to = format!("u{number}@example.com");
    let mut test = place.command(&["--config", config, "mail", "send-test", &to]);
    let mut test = test.stderr(std::process::Stdio::null()).spawn().unwrap();
    let begun = Instant::now();
    let sql = format!("SELECT count(*) FROM outbox WHERE recipient = '{to}'");
    while place.run(&["sql", "-o", "csv", &sql]).stdout.lines().last() != Some("1") {
        assert!(begun.elapsed() < Duration::from_mins(1));
    }
    let _ = test.kill();
    let _ = test.wait();
}

/// Kills in the test of the service.
const KILLS: u64 = 5;

#[test]
fn a_service_that_is_killed_sends_each_mail_once() {
    let place = Place::new();
    ingest(&place, LOG);
    let (got, log) = (place.path("got"), place.path("live.log"));
    fs::write(&log, "").unwrap();
    // It takes a mail in one step, as postdrop does: by a rename, or an append of one write.
    let config = settings(
        &place,
        &format!(
            "sleep 0.05; m=$(cat); sleep 0.05; printf '%s\\n' \"$m\" >> {}; sleep 0.05",
            got.display()
        ),
    );
    let mut service = Service::start_with(
        &place,
        &["--config", &config],
        &["--follow", log.to_str().unwrap()],
    );
    let mut mails: usize = 0;
    for kill in 0..KILLS {
        service.until_up();
        for _ in 0..3 {
            mails += 1;
            write_down(&place, &config, mails);
        }
        // Times that have nothing to do with each other.
        thread::sleep(Duration::from_millis(kill * 7919 % 1500));
        service.restart();
    }
    service.until_up();
    service.until(
        "SELECT count(*) FROM outbox WHERE state IN ('waiting', 'sending')",
        0,
    );
    let taken = fs::read_to_string(&got).unwrap();
    fs::write(&log, log_of(&taken)).unwrap();
    service.until("SELECT count(*) FROM outbox WHERE state <> 'sent'", 0);
    service.kill();
    let taken = fs::read_to_string(&got).unwrap();
    let rows = place.select("SELECT message_id, result FROM outbox");
    assert_eq!(rows.len(), mails);
    for row in &rows {
        let id = text(row, "message_id");
        assert_eq!(
            taken.matches(&format!("Message-ID: {id}\n")).count(),
            1,
            "{row}"
        );
    }
}
