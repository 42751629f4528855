//! The spool with a sendmail that records: killed at every step, each mail is handed over once.

use super::*;
use crate::mail::mailbox::Mailbox;
use crate::model::time::HOUR;
use anyhow::bail;
use std::cell::Cell;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

const NOW: Time = Time(1_795_514_400_000_000);

/// Rows, as a database keeps them over kills.
#[derive(Default)]
struct Memory {
    rows: Vec<OutboxRow>,
    /// Marks until the process is killed; it is killed before or after the mark is committed.
    marks_left: Option<usize>,
    is_killed_after: bool,
    /// What the log has.
    log: String,
    is_log_read: bool,
}

impl Spool for Memory {
    fn due(&mut self, state: OutboxState, now: Time) -> Result<Vec<OutboxRow>> {
        let rows = self.rows.iter();
        let due =
            rows.filter(|r| r.state == state.text() && r.next_try.is_none_or(|next| next <= now));
        Ok(due.cloned().collect())
    }

    fn mark(&mut self, mark: OutboxMark) -> Result<()> {
        let is_killed = self.marks_left == Some(0);
        self.marks_left = self.marks_left.map(|left| left.saturating_sub(1));
        if is_killed && !self.is_killed_after {
            bail!("killed");
        }
        let row = self
            .rows
            .iter_mut()
            .find(|r| r.message_id == mark.message_id)
            .unwrap();
        row.state = mark.state.text().to_owned();
        (row.time, row.tries, row.next_try, row.result) = (
            mark.time,
            mark.tries,
            mark.next_try,
            mark.result.map(Into::into),
        );
        if is_killed {
            bail!("killed");
        }
        Ok(())
    }

    fn handed_over(&mut self, recipient: &str, since: Time) -> Result<(i64, i64)> {
        let sent = || {
            self.rows
                .iter()
                .filter(|r| r.state == "sent" && r.time >= since)
        };
        let here = sent().filter(|r| r.recipient == recipient).count();
        Ok((here.try_into()?, sent().count().try_into()?))
    }

    fn trace(&mut self, message_id: &str, _: Time) -> Result<Trace> {
        Ok(match self.is_log_read {
            _ if self.log.contains(message_id) => Trace::Logged,
            true => Trace::Absent,
            false => Trace::Open,
        })
    }
}

fn identity() -> Identity {
    Identity {
        fqdn: "mx1.example.org".to_owned(),
        from: Mailbox::parse("maillog@mx1.example.org").unwrap(),
        envelope: "maillog@mx1.example.org".to_owned(),
    }
}

fn letter(to: &[&str]) -> Letter {
    Letter {
        kind: "test",
        to: to.iter().map(|to| Mailbox::parse(to).unwrap()).collect(),
        subject: "x".to_owned(),
        text: "y".to_owned(),
        ..Letter::default()
    }
}

fn rules(directory: &Path, script: &str) -> Rules {
    let file = directory.join("sendmail");
    fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    Rules {
        carrier: Carrier::Sendmail(file),
        fqdn: "mx1.example.org".to_owned(),
        per_address: 5,
        per_day: 8,
        give_up_after: 2 * HOUR,
    }
}

fn states(memory: &Memory) -> Vec<&str> {
    memory.rows.iter().map(|row| row.state.as_str()).collect()
}

#[test]
fn each_recipient_has_a_mail_of_its_own() {
    let mut letter = letter(&["a@example.org", "A@example.org", "b@example.org"]);
    letter.cc = vec![
        Mailbox::parse("b@example.org").unwrap(),
        Mailbox::parse("c@example.org").unwrap(),
    ];
    let rows = rows(&letter, &identity(), NOW, Zone::UTC).unwrap();
    let to: Vec<&str> = rows.iter().map(|row| row.recipient.as_str()).collect();
    assert_eq!(to, ["a@example.org", "b@example.org", "c@example.org"]);
    for row in &rows {
        assert!(
            row.message
                .contains(&format!("Message-ID: {}\r\n", row.message_id))
        );
        assert!(
            row.message_id.starts_with("<20261124100000.")
                && row.message_id.ends_with("@mx1.example.org>")
        );
    }
    assert_ne!(rows[0].message_id, rows[1].message_id);
}

#[test]
fn killed_at_each_step_each_mail_is_handed_over_once() {
    let mut kills = 0;
    for is_killed_after in [false, true] {
        for marks in 0..6 {
            let directory = tempfile::tempdir().unwrap();
            let got = directory.path().join("got");
            let rules = rules(directory.path(), &format!("cat >> {}", got.display()));
            let recipients = ["a@example.org", "b@example.org", "c@example.org"];
            let mut memory = Memory {
                rows: rows(&letter(&recipients), &identity(), NOW, Zone::UTC).unwrap(),
                marks_left: Some(marks),
                is_killed_after,
                ..Memory::default()
            };
            let killed = turn(&mut memory, &rules, &|| NOW);
            kills += usize::from(killed.is_err());
            memory.marks_left = None;
            // The next life: the log is not read yet, then it is.
            for hours in 0..3 {
                let now = NOW.plus(hours * HOUR);
                memory.log = fs::read_to_string(&got).unwrap_or_default();
                memory.is_log_read = hours > 0;
                begin(&mut memory, now).unwrap();
                turn(&mut memory, &rules, &|| now).unwrap();
            }
            assert_eq!(states(&memory), ["sent"; 3], "{marks} {is_killed_after}");
            let got = fs::read_to_string(&got).unwrap();
            for row in &memory.rows {
                let copies = got.matches(&row.message_id).count();
                assert_eq!(copies, 1, "{marks} {is_killed_after}: {:?}", row.result);
            }
        }
    }
    assert_eq!(kills, 12);
}

#[test]
fn without_a_log_it_is_not_sent_again() {
    let directory = tempfile::tempdir().unwrap();
    let got = directory.path().join("got");
    let rules = rules(directory.path(), &format!("cat >> {}", got.display()));
    let mut memory = Memory {
        rows: rows(&letter(&["a@example.org"]), &identity(), NOW, Zone::UTC).unwrap(),
        marks_left: Some(1),
        ..Memory::default()
    };
    turn(&mut memory, &rules, &|| NOW).unwrap_err();
    memory.marks_left = None;
    for day in 0..9 {
        let now = NOW.plus(day * DAY);
        begin(&mut memory, now).unwrap();
        turn(&mut memory, &rules, &|| now).unwrap();
    }
    assert_eq!(states(&memory), ["unknown"]);
    let said = memory.rows[0].result.as_deref().unwrap();
    assert_eq!(said, "maillog was stopped while it handed the mail over");
}

#[test]
fn what_is_not_taken_is_tried_later_each_time_and_given_up() {
    let directory = tempfile::tempdir().unwrap();
    let got = directory.path().join("got");
    let rules = rules(
        directory.path(),
        &format!("echo x >> {}; echo full >&2; exit 75", got.display()),
    );
    let mut memory = Memory {
        rows: rows(&letter(&["a@example.org"]), &identity(), NOW, Zone::UTC).unwrap(),
        ..Memory::default()
    };
    let now = Cell::new(NOW);
    for minute in 0..240 {
        now.set(NOW.plus(minute * MINUTE));
        turn(&mut memory, &rules, &|| now.get()).unwrap();
    }
    let row = &memory.rows[0];
    assert_eq!(row.state, "failed");
    let said = row.result.as_deref().unwrap();
    assert!(
        said.starts_with("given up: ") && said.ends_with("failed with status 75: full"),
        "{said}"
    );
    // After 1, 3, 7, 15, 31, 63 and 123 minutes.
    assert_eq!(fs::read_to_string(got).unwrap().lines().count(), 8);
    assert_eq!(row.tries, 8);
}

#[test]
fn limits_hold_for_an_address_and_for_all() {
    let directory = tempfile::tempdir().unwrap();
    let rules = rules(directory.path(), "exit 0");
    let mut memory = Memory::default();
    for to in ["a@example.org"; 7].into_iter().chain(["b@example.org"; 4]) {
        memory.rows.extend(rows_of(to));
    }
    turn(&mut memory, &rules, &|| NOW).unwrap();
    assert_eq!(
        states(&memory),
        [
            "sent", "sent", "sent", "sent", "sent", "failed", "failed", "sent", "sent", "sent",
            "failed"
        ]
    );
    let said = |at: usize| memory.rows[at].result.as_deref().unwrap();
    assert_eq!(
        said(5),
        "over the limit of 5 mails to one address a day, see per_address below [mail]"
    );
    assert_eq!(
        said(10),
        "over the limit of 8 mails a day, see per_day below [mail]"
    );
}

fn rows_of(to: &str) -> Vec<OutboxRow> {
    rows(&letter(&[to]), &identity(), NOW, Zone::UTC).unwrap()
}
