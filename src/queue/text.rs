//! Text: the lines of `postqueue -p`, which `mailq` is, -> mails.
//!
//! ```text
//! ----Queue ID----- --Size-- ---Arrival Time---- --Sender/Recipient------
//! 4jc6Pz2LgJz1SS28!#     328 Sat Nov 28 10:45:43 alice@example.org
//!                        (connect to 192.0.2.1[192.0.2.1]:25: Connection refused)
//!                                                "john smith"@example.net
//! ```
//! An error holds for the recipients after it, until another one or an empty `()` (`postqueue/showq_compat.c`). Where a line begins decides
//! what it is: a mail begins in the first column, or after a blank line where the whole listing was indented. So a recipient that looks
//! like a mail of its own is none.
//! Limits: the text names no year (see `date`) and not the queues incoming and maildrop, which have no flag: these are `deferred` here.

use super::date;
use super::listing::{Options, Texts};
use super::mail::{Mail, NULL_SENDER, Status};
use std::sync::Arc;

/// The mail that is being read.
#[derive(Debug, Default)]
pub(super) struct Block {
    mail: Option<Mail>,
    reason: Option<Arc<str>>,
    /// The last line was blank, or there was none.
    is_after_blank: bool,
    /// Mails since the header, to be compared with the footer.
    mails: u64,
    has_header: bool,
}

/// What came of a line.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// The mail that ended with it.
    pub(super) before: Option<Mail>,
    /// Why it is no part of a listing.
    pub(super) odd: Option<&'static str>,
}

impl Block {
    /// Returns whether a mail is being read.
    pub(super) fn is_open(&self) -> bool {
        self.mail.is_some()
    }

    /// Ends the mail that is being read.
    pub(super) fn finish(&mut self) -> Option<Mail> {
        self.reason = None;
        self.mail.take()
    }

    pub(super) fn take(&mut self, line: &str, options: &Options, texts: &mut Texts) -> Taken {
        let is_after_blank = std::mem::replace(&mut self.is_after_blank, false);
        let words = line.trim_start();
        let is_indented = words.len() < line.len();
        if words.trim_end().is_empty() {
            self.is_after_blank = true;
            return Taken {
                before: self.finish(),
                odd: None,
            };
        }
        let is_outside = self.mail.is_none();
        if words.starts_with('-') && (!is_indented || is_outside) {
            return self.rule(words);
        }
        if !is_indented || is_outside || is_after_blank {
            // An indented line without a blank one before it may be a recipient that somebody invented.
            if let Some(mail) = head(words, options) {
                let before = self.finish();
                self.mails += 1;
                self.mail = Some(mail);
                return Taken { before, odd: None };
            }
        }
        let Some(mail) = &mut self.mail else {
            let is_empty = words.trim_end() == "Mail queue is empty";
            return Taken {
                before: None,
                odd: (!is_empty).then_some("not a line of a queue listing"),
            };
        };
        let words = words.trim_end();
        if let Some(reason) = words.strip_prefix('(')
            && (is_indented || words.ends_with(')'))
        {
            let reason = reason.strip_suffix(')').unwrap_or(reason);
            self.reason = (!reason.is_empty()).then(|| texts.shared(reason));
            return Taken::default();
        }
        let is_word = !words.contains(char::is_whitespace) || words.starts_with('"');
        if !is_indented && !is_word {
            return Taken {
                before: None,
                odd: Some("not a line of a queue listing"),
            };
        }
        let reason = self.reason.as_deref();
        let mut recipient = texts.recipient(words, None);
        recipient.reason = reason.map(|reason| texts.shared(reason));
        mail.recipients.push(recipient);
        Taken::default()
    }

    /// A header or footer.
    fn rule(&mut self, words: &str) -> Taken {
        let before = self.finish();
        let told = told_requests(words);
        let odd = told.filter(|told| self.has_header && *told != self.mails);
        self.has_header = told.is_none();
        self.mails = 0;
        Taken {
            before,
            odd: odd.map(|_| "the listing tells another number of mails than it has"),
        }
    }
}

/// Reads the number of `-- 540 Kbytes in 500 Requests.`
fn told_requests(footer: &str) -> Option<u64> {
    let rest = footer.strip_prefix("-- ")?;
    let (_, rest) = rest.split_once(" in ")?;
    rest.split_once(" Request")?.0.parse().ok()
}

/// Returns the first word and what follows the blanks behind it.
fn word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    text.split_at(end)
}

/// Reads the line that begins a mail.
fn head(line: &str, options: &Options) -> Option<Mail> {
    let (id, rest) = word(line);
    let (size, rest) = word(rest);
    let plain = id.trim_end_matches(['*', '!', '#']);
    let flags = id.get(plain.len()..).unwrap_or_default();
    // What ids are made of changed before and may change again.
    let is_id = !plain.is_empty() && plain.bytes().all(|b| b.is_ascii_alphanumeric());
    let is_size = !size.is_empty() && size.bytes().all(|b| b.is_ascii_digit());
    let mut date = [""; 4];
    let mut rest = rest;
    for field in &mut date {
        (*field, rest) = word(rest);
    }
    let [.., clock] = date;
    if !is_id || !is_size || clock.is_empty() {
        return None;
    }
    let mut mail = Mail::new(plain);
    mail.status = match () {
        () if flags.contains('*') => Status::Active,
        () if flags.contains('!') => Status::Hold,
        () => Status::Deferred,
    };
    mail.forced_expire = flags.contains('#');
    mail.size = size.parse().ok();
    mail.arrival = date::parse(date, options.now, options.zone);
    mail.sender = match rest.trim() {
        "" => None,
        NULL_SENDER => Some("".into()),
        sender => Some(sender.into()),
    };
    if mail.size.is_none() || mail.arrival.is_none() || mail.sender.is_none() {
        mail.odd = Some("size, date or sender cannot be read");
    }
    Some(mail)
}
