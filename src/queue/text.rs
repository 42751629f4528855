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
//! like a mail of its own is none. Postfix ends an error in its line; a mail program or an editor that wraps long lines may end it later.
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
    /// An error whose end has not come yet, and the number of recipients before it.
    wrapped: Option<(String, usize)>,
    /// The last line was blank, or there was none.
    is_after_blank: bool,
    /// Mails since the header, to be compared with the footer.
    mails: u64,
    has_header: bool,
    is_listing: bool,
}

/// Why a line is odd.
const NO_LINE: &str = "not a line of a queue listing";

/// Lines that an error may be wrapped into.
const MOST_WRAPPED: usize = 20;

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

    /// Returns whether there was a mail, a header, a footer, or the word that there is none.
    pub(super) fn is_listing(&self) -> bool {
        self.is_listing
    }

    /// Ends the mail that is being read.
    pub(super) fn finish(&mut self) -> Option<Mail> {
        self.reason = None;
        self.give_up_error();
        self.mail.take()
    }

    /// Leaves an error without its end as it is.
    fn give_up_error(&mut self) {
        if let (Some(_), Some(mail)) = (self.wrapped.take(), &mut self.mail) {
            mail.odd = mail.odd.or(Some("an error has no end"));
        }
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
                self.is_listing = true;
                self.mail = Some(mail);
                return Taken { before, odd: None };
            }
        }
        let words = words.trim_end();
        if self.mail.is_none() {
            let is_empty = words == "Mail queue is empty";
            self.is_listing |= is_empty;
            return Taken {
                before: None,
                odd: (!is_empty).then_some(NO_LINE),
            };
        }
        let odd = match words.strip_prefix('(') {
            Some(reason) => {
                self.error(reason, texts);
                false
            }
            None => !self.ends_error(words, texts) && !self.recipient(words, is_indented, texts),
        };
        Taken {
            before: None,
            odd: odd.then_some(NO_LINE),
        }
    }

    /// Takes the line that begins an error.
    fn error(&mut self, text: &str, texts: &mut Texts) {
        self.give_up_error();
        let reason = text.strip_suffix(')').unwrap_or_else(|| {
            let recipients = self.mail.as_ref().map_or(0, |mail| mail.recipients.len());
            self.wrapped = Some((text.to_owned(), recipients));
            text
        });
        self.reason = (!reason.is_empty()).then(|| texts.shared(reason));
    }

    /// Takes the last line of an error that was wrapped: what seemed recipients since its beginning are parts of it.
    fn ends_error(&mut self, words: &str, texts: &mut Texts) -> bool {
        let (Some((begun, before)), Some(mail)) = (&mut self.wrapped, &mut self.mail) else {
            return false;
        };
        if mail.recipients.len() - *before >= MOST_WRAPPED {
            self.give_up_error();
            return false;
        }
        let Some(end) = words.strip_suffix(')') else {
            return false;
        };
        for part in mail.recipients.drain(*before..) {
            begun.push(' ');
            begun.push_str(&part.address);
        }
        begun.push(' ');
        begun.push_str(end);
        self.reason = Some(texts.shared(begun));
        self.wrapped = None;
        true
    }

    /// Takes a recipient; returns whether the line is one.
    fn recipient(&mut self, words: &str, is_indented: bool, texts: &mut Texts) -> bool {
        let is_word = !words.contains(char::is_whitespace) || words.starts_with('"');
        // The middle of a wrapped error, as it may turn out.
        let may_be = is_indented || is_word || (self.wrapped.is_some() && !is_said(words));
        if let Some(mail) = self.mail.as_mut().filter(|_| may_be) {
            let mut recipient = texts.recipient(words, None);
            recipient.reason.clone_from(&self.reason);
            mail.recipients.push(recipient);
        }
        may_be
    }

    /// A header or footer.
    fn rule(&mut self, words: &str) -> Taken {
        let before = self.finish();
        self.is_listing = true;
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

/// Returns whether a program says it, as `postqueue: fatal: premature end-of-input`.
fn is_said(line: &str) -> bool {
    let levels = [": warning: ", ": error: ", ": fatal: ", ": panic: "];
    levels.iter().any(|level| line.contains(level))
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
    // A line of a log has a number behind its first word, too.
    let is_clock = clock.contains(':') && clock.bytes().all(|b| b.is_ascii_digit() || b == b':');
    if !is_id || !is_size || !is_clock {
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
