//! Entry: one record of the log, freed from its transport: time, host, identifier, pid, text.

use super::time::Time;
use serde::Serialize;

/// How far the sender of a record is proven (grammar 9.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Trust {
    /// The transport carries no proof: files, stdin, network.
    #[default]
    Unproven,
    /// The journal's trusted fields name a Postfix unit, or the right user and program.
    Verified,
    /// The trusted fields contradict the identifier: never changes the state of mail.
    Forged,
}

/// One log record. Text is valid UTF-8: invalid bytes were replaced by U+FFFD when it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Entry<'a> {
    /// When it was logged; a line with an identifier but a damaged stamp has the time of those before it.
    ///
    /// Absent when there is no header at all, or nothing came before.
    pub time: Option<Time>,
    /// The log gives two readings of the stamp (repeated hour in autumn); order chose this one.
    #[serde(skip_serializing_if = "is_false")]
    pub time_ambiguous: bool,
    /// Host name as logged, empty when the line has none.
    pub host: &'a str,
    /// The whole identifier: `postfix/submission/smtpd`, `dovecot`, `postfix-out/smtp`.
    pub ident: &'a str,
    /// Process id as logged.
    pub pid: Option<u32>,
    /// Text after identifier and pid, severity word included.
    pub text: &'a str,
    /// 0 normally; in a repeat notice, the number of copies that this entry stands for.
    ///
    /// They come on top of the record that was logged in full before and was an entry of its own: whoever counts
    /// adds [`Entry::copies`] for every entry. Host, identifier, pid and text are those of the repeated record,
    /// the time is that of the notice, the last copy.
    #[serde(skip_serializing_if = "is_zero")]
    pub repeated: u32,
    /// The line could not be told from a cut one (collector limit reached).
    #[serde(skip_serializing_if = "is_false")]
    pub truncated: bool,
    /// Proof of origin.
    pub trust: Trust,
    /// The line as read, without its end: what `find -o raw` shows.
    ///
    /// The journal (JSON, export) has no lines: there it is the same record as an RFC 3339 line; a container's JSON
    /// gives the line that the container wrote.
    #[serde(skip)]
    pub raw: &'a str,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_false(b: &bool) -> bool {
    !*b
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(n: &u32) -> bool {
    *n == 0
}

impl<'a> Entry<'a> {
    /// Returns how many records the entry stands for.
    #[must_use]
    pub fn copies(&self) -> u32 {
        self.repeated.max(1)
    }

    /// Returns the program: what follows the last slash of the identifier.
    #[must_use]
    pub fn program(&self) -> &'a str {
        // An identifier is a few bytes: a plain loop is faster than a searcher, and every line asks several times.
        let slash = self.ident.bytes().rposition(|byte| byte == b'/');
        slash
            .and_then(|at| self.ident.get(at + 1..))
            .unwrap_or(self.ident)
    }

    /// Returns the Postfix instance, the first component: `postfix-out` of `postfix-out/smtp`.
    ///
    /// Empty for an identifier without a slash. `submission/smtpd` gives `submission`: there the label
    /// replaced the instance, which only the queue id can tell (grammar 2.3).
    #[must_use]
    pub fn instance(&self) -> &'a str {
        self.first_slash()
            .and_then(|at| self.ident.get(..at))
            .unwrap_or("")
    }

    /// Returns label and program: `submission/smtpd` of `postfix/submission/smtpd`.
    #[must_use]
    pub fn service(&self) -> &'a str {
        self.first_slash()
            .and_then(|at| self.ident.get(at + 1..))
            .unwrap_or(self.ident)
    }

    fn first_slash(&self) -> Option<usize> {
        self.ident.bytes().position(|byte| byte == b'/')
    }
}
