//! Record: the fields of a journal entry, or of a line that Docker or Loki wrote as JSON, as far as they matter.
//!
//! One record is filled again and again, so that reading a journal allocates nothing per entry.

use super::stamp::Stamp;
use crate::model::time::Time;

/// Fields of one record, by the names that journald (and, at the end, Docker and Loki) gives them.
#[derive(Debug, Default)]
pub(super) struct Record {
    /// `MESSAGE`; several of them, and the lines of each, are parted by newlines.
    pub(super) message: String,
    pub(super) has_message: bool,
    /// A `MESSAGE` was left out or cut, because it was too long.
    pub(super) is_cut: bool,
    pub(super) syslog_identifier: String,
    pub(super) syslog_pid: String,
    pub(super) pid: String,
    pub(super) hostname: String,
    pub(super) realtime: Option<i64>,
    pub(super) source_realtime: Option<i64>,
    pub(super) systemd_unit: String,
    pub(super) uid: Option<u32>,
    pub(super) comm: String,
    pub(super) exe: String,
    /// Docker: the line, its end included unless it is cut in pieces.
    pub(super) log: Option<String>,
    pub(super) stream: String,
    pub(super) time: String,
}

impl Record {
    /// Takes a field in; the first of several wins, but for messages.
    pub(super) fn set(&mut self, name: &str, value: &str) {
        match name {
            "MESSAGE" => self.add_message(value),
            "SYSLOG_IDENTIFIER" => first(&mut self.syslog_identifier, value),
            "SYSLOG_PID" => first(&mut self.syslog_pid, value),
            "_PID" => first(&mut self.pid, value),
            "_HOSTNAME" => first(&mut self.hostname, value),
            "__REALTIME_TIMESTAMP" => self.realtime = self.realtime.or(value.parse().ok()),
            "_SOURCE_REALTIME_TIMESTAMP" => {
                self.source_realtime = self.source_realtime.or(value.parse().ok());
            }
            "_SYSTEMD_UNIT" => first(&mut self.systemd_unit, value),
            "_UID" => self.uid = self.uid.or(value.parse().ok()),
            "_COMM" => first(&mut self.comm, value),
            "_EXE" => first(&mut self.exe, value),
            "log" => self.log = Some(value.to_owned()),
            // Loki's `logcli -o jsonl`: its lines are whole.
            "line" => self.log = Some(format!("{value}\n")),
            "stream" => first(&mut self.stream, value),
            "time" | "timestamp" => first(&mut self.time, value),
            _ => {}
        }
    }

    /// Tells whether `set` does anything with a field, so that others need not be decoded.
    pub(super) fn wants(name: &[u8]) -> bool {
        matches!(
            name,
            b"MESSAGE"
                | b"SYSLOG_IDENTIFIER"
                | b"SYSLOG_PID"
                | b"_PID"
                | b"_HOSTNAME"
                | b"__REALTIME_TIMESTAMP"
                | b"_SOURCE_REALTIME_TIMESTAMP"
                | b"_SYSTEMD_UNIT"
                | b"_UID"
                | b"_COMM"
                | b"_EXE"
                | b"log"
                | b"stream"
                | b"time"
                | b"line"
                | b"timestamp"
        )
    }

    /// Notes that the message is there, but its text is not.
    pub(super) fn lose_message(&mut self) {
        self.is_cut = true;
        self.has_message = true;
    }

    /// Empties the record; the memory of its texts stays.
    pub(super) fn clear(&mut self) {
        let mut kept = std::mem::take(self);
        for text in [
            &mut kept.message,
            &mut kept.syslog_identifier,
            &mut kept.syslog_pid,
            &mut kept.pid,
            &mut kept.hostname,
            &mut kept.systemd_unit,
            &mut kept.comm,
            &mut kept.exe,
        ] {
            text.clear();
        }
        *self = Self {
            has_message: false,
            is_cut: false,
            realtime: None,
            source_realtime: None,
            uid: None,
            log: None,
            stream: String::new(),
            time: String::new(),
            ..kept
        };
    }

    /// Returns when it was sent, or else when it was stored.
    pub(super) fn stamp(&self) -> Option<Stamp<'static>> {
        let micros = self.source_realtime.or(self.realtime)?;
        Some(Stamp::Absolute(Time(micros), 6))
    }

    /// Returns the identifier, or the program's name where it gave none.
    pub(super) fn ident(&self) -> &str {
        if self.syslog_identifier.is_empty() {
            &self.comm
        } else {
            &self.syslog_identifier
        }
    }

    /// Returns the pid as claimed, or else as known to the journal.
    pub(super) fn process(&self) -> Option<u32> {
        self.syslog_pid.parse().or(self.pid.parse()).ok()
    }

    fn add_message(&mut self, value: &str) {
        if self.has_message {
            self.message.push('\n');
        }
        self.has_message = true;
        self.message.push_str(value);
    }
}

fn first(field: &mut String, value: &str) {
    if field.is_empty() {
        field.push_str(value);
    }
}
