//! Letter: what is to be sent, as a whole message (RFC 5322, MIME).
//!
//! Promises: the message is ASCII with CRLF at each line's end and no line over 998 characters, whatever the texts; the
//! texts read back as they were, control characters made visible. The crate `lettre` encodes the bodies.
//!
//! Limits: a text without HTML, or both; pictures belong to the HTML. No files to save.

use super::header;
use super::identity::Identity;
use super::mailbox::Mailbox;
use crate::model::time::Time;
use crate::model::zone::Zone;
use lettre::message::header::{ContentType, HeaderName, HeaderValue, Headers};
use lettre::message::{Attachment, MultiPart, SinglePart};

/// Characters of a message id from others that is answered to: longer ones are left out, for they cannot be folded.
const LONGEST_ID: usize = 250;
/// Message ids of a thread that are kept: the first and the last ones, as RFC 5537 3.4.4 does it.
const MOST_IDS: usize = 21;

/// What a program's mail says of itself, RFC 3834 5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Auto {
    /// Sent without being asked by mail.
    #[default]
    Generated,
    /// An answer to a mail.
    Replied,
}

/// A picture of the HTML, which names it as `cid:NAME`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Its name: letters, digits, dots and dashes.
    pub name: String,
    /// Its bytes, PNG.
    pub png: Vec<u8>,
}

/// The text as HTML.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Html {
    /// The page.
    pub page: String,
    /// Its pictures.
    pub pictures: Vec<Picture>,
}

/// What is to be sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Letter {
    /// What it is, a word for the list: `summary`, `report`, `reply`.
    pub kind: &'static str,
    /// The event that the letter is about (`summary 2026-11-27`): each recipient gets one letter for an event. None: no such limit.
    pub occasion: Option<String>,
    /// Who it is for.
    pub to: Vec<Mailbox>,
    /// Who else gets it.
    pub cc: Vec<Mailbox>,
    /// The subject.
    pub subject: String,
    /// The text.
    pub text: String,
    /// The same as HTML.
    pub html: Option<Html>,
    /// What it says of itself.
    pub auto: Auto,
    /// Message id that it answers.
    pub in_reply_to: Option<String>,
    /// Message ids of the thread before it.
    pub references: Vec<String>,
    /// Further fields.
    pub fields: Vec<(&'static str, String)>,
}

impl Letter {
    /// Returns the message.
    #[must_use]
    pub fn message(&self, id: &str, identity: &Identity, now: Time, zone: Zone) -> String {
        let mut message = self.headers(id, identity, now, zone).to_string();
        message.push_str("MIME-Version: 1.0\r\n");
        let text = SinglePart::plain(clean(&self.text));
        let body = match &self.html {
            None => text.formatted(),
            Some(html) => MultiPart::alternative()
                .singlepart(text)
                .multipart(related(html, identity))
                .formatted(),
        };
        message.push_str(&String::from_utf8_lossy(&body));
        if !message.ends_with("\r\n") {
            message.push_str("\r\n");
        }
        message
    }

    fn headers(&self, id: &str, identity: &Identity, now: Time, zone: Zone) -> Headers {
        let mut headers = Headers::new();
        let date = zone.local(now).unwrap_or_default();
        headers.insert_raw(header::text("Date", &date.to_rfc2822()));
        headers.insert_raw(header::mailboxes(
            "From",
            std::slice::from_ref(&identity.from),
        ));
        headers.insert_raw(header::mailboxes("To", &self.to));
        if !self.cc.is_empty() {
            headers.insert_raw(header::mailboxes("Cc", &self.cc));
        }
        headers.insert_raw(header::text("Subject", &self.subject));
        headers.insert_raw(ids("Message-ID", &[id]));
        let answered: Vec<&str> = self.in_reply_to.iter().filter_map(|id| known(id)).collect();
        if !answered.is_empty() {
            headers.insert_raw(ids("In-Reply-To", &answered));
        }
        let thread: Vec<&str> = self.references.iter().filter_map(|id| known(id)).collect();
        if let Some((first, rest)) = thread.split_first() {
            let rest = rest
                .get(rest.len().saturating_sub(MOST_IDS - 1)..)
                .unwrap_or(rest);
            headers.insert_raw(ids("References", &[&[*first], rest].concat()));
        }
        let auto = match self.auto {
            Auto::Generated => "auto-generated",
            Auto::Replied => "auto-replied",
        };
        headers.insert_raw(header::text("Auto-Submitted", auto));
        // Exchange ignores Auto-Submitted; this header stops its automatic replies.
        headers.insert_raw(header::text("X-Auto-Response-Suppress", "All"));
        headers.insert_raw(header::text("X-Loop", &identity.address("maillog")));
        for (name, value) in &self.fields {
            headers.insert_raw(header::text(name, value));
        }
        headers
    }
}

/// Returns a message id of somebody that can be written into a header.
fn known(id: &str) -> Option<&str> {
    let id = id.trim();
    let inside = id.strip_prefix('<')?.strip_suffix('>')?;
    let is_id = inside
        .bytes()
        .all(|b| b.is_ascii_graphic() && b != b'<' && b != b'>');
    (is_id && !inside.is_empty() && id.len() <= LONGEST_ID).then_some(id)
}

fn ids(name: &'static str, ids: &[&str]) -> HeaderValue {
    let name = HeaderName::new_from_ascii_str(name);
    HeaderValue::dangerous_new_pre_encoded(name, ids.join(" "), ids.join("\r\n "))
}

/// The page with its pictures; their ids are unique in the world (RFC 2392), so the page's `cid:NAME` get ours.
fn related(html: &Html, identity: &Identity) -> MultiPart {
    let mut page = clean(&html.page);
    for picture in &html.pictures {
        let id = format!("{}@{}", picture.name, identity.fqdn);
        for quote in ['"', '\''] {
            page = page.replace(
                &format!("{quote}cid:{}{quote}", picture.name),
                &format!("{quote}cid:{id}{quote}"),
            );
        }
    }
    let mut related = MultiPart::related().singlepart(SinglePart::html(page));
    for picture in &html.pictures {
        let id = format!("{}@{}", picture.name, identity.fqdn);
        let name = format!("{}.png", picture.name);
        // The type is a constant and always read.
        let png = ContentType::parse("image/png").unwrap_or(ContentType::TEXT_PLAIN);
        let part = Attachment::new_inline_with_name(id, name).body(picture.png.clone(), png);
        related = related.singlepart(part);
    }
    related
}

/// Returns a text with line feeds only, and with nothing that a mail program would act upon. It has no line feed at its end:
/// the message has one there.
fn clean(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    let visible = |c: char| match c {
        '\n' | '\t' => c,
        _ if c.is_control() => char::REPLACEMENT_CHARACTER,
        _ => c,
    };
    let text = text.strip_suffix('\n').unwrap_or(&text);
    // A mark of byte order is not part of a text: readers take it off.
    let text = text.trim_start_matches('\u{FEFF}');
    text.chars().map(visible).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use mailparse::{MailHeaderMap, ParsedMail, addrparse_header, parse_mail};
    use proptest::prelude::*;

    const NOW: Time = Time(1_795_514_400_123_456);

    fn identity() -> Identity {
        Identity {
            fqdn: "mx1.example.org".to_owned(),
            from: Mailbox::parse("Postfix Reports <maillog@mx1.example.org>").unwrap(),
            envelope: "maillog@mx1.example.org".to_owned(),
        }
    }

    fn letter(subject: &str, name: &str, text: &str) -> Letter {
        Letter {
            kind: "test",
            to: vec![named(name)],
            subject: subject.to_owned(),
            text: text.to_owned(),
            ..Letter::default()
        }
    }

    fn named(name: &str) -> Mailbox {
        let mut alice = Mailbox::parse("alice@example.org").unwrap();
        alice.name = Some(name.to_owned());
        alice
    }

    fn message(letter: &Letter) -> String {
        letter.message("<1.2@mx1.example.org>", &identity(), NOW, Zone::UTC)
    }

    /// Checks what holds for every message.
    fn check(message: &str) -> ParsedMail<'_> {
        assert!(message.is_ascii());
        assert!(message.ends_with("\r\n"));
        for line in message.split("\r\n") {
            assert!(!line.contains(['\r', '\n']), "{line:?}");
            assert!(line.len() <= 998, "{line:?}");
        }
        parse_mail(message.as_bytes()).unwrap()
    }

    fn names(mail: &ParsedMail<'_>) -> Vec<String> {
        mail.headers
            .iter()
            .map(mailparse::MailHeader::get_key)
            .collect()
    }

    const NAMES: [&str; 11] = [
        "Date",
        "From",
        "To",
        "Subject",
        "Message-ID",
        "Auto-Submitted",
        "X-Auto-Response-Suppress",
        "X-Loop",
        "MIME-Version",
        "Content-Type",
        "Content-Transfer-Encoding",
    ];

    #[test]
    fn a_plain_letter_is_short_and_plain() {
        let message = message(&letter("Summary of mx1", "Alice", "one\ntwo"));
        assert_eq!(
            message,
            "Date: Tue, 24 Nov 2026 10:00:00 +0000\r\n\
             From: \"Postfix Reports\" <maillog@mx1.example.org>\r\n\
             To: \"Alice\" <alice@example.org>\r\n\
             Subject: Summary of mx1\r\n\
             Message-ID: <1.2@mx1.example.org>\r\n\
             Auto-Submitted: auto-generated\r\n\
             X-Auto-Response-Suppress: All\r\n\
             X-Loop: maillog@mx1.example.org\r\n\
             MIME-Version: 1.0\r\n\
             Content-Type: text/plain; charset=utf-8\r\n\
             Content-Transfer-Encoding: 7bit\r\n\r\none\r\ntwo\r\n"
        );
    }

    #[test]
    fn html_and_pictures_stand_in_their_parts() {
        let mut letter = letter("Täglich", "Zoë", "text ü");
        letter.html = Some(Html {
            page: "<p>ü<img src=\"cid:hours\" alt=\"x\">".to_owned(),
            pictures: vec![Picture {
                name: "hours".to_owned(),
                png: vec![137, 80, 78, 71, 0, 255],
            }],
        });
        letter.auto = Auto::Replied;
        letter.in_reply_to = Some("<q@example.org>".to_owned());
        letter.references = vec![
            "<p@example.org>".to_owned(),
            "<bad id>".to_owned(),
            "<q@example.org>".to_owned(),
        ];
        let message = message(&letter);
        let mail = check(&message);
        assert_eq!(mail.ctype.mimetype, "multipart/alternative");
        assert_eq!(mail.subparts[0].get_body().unwrap(), "text ü");
        let related = &mail.subparts[1];
        assert_eq!(related.ctype.mimetype, "multipart/related");
        let page = related.subparts[0].get_body().unwrap();
        assert!(page.contains("src=\"cid:hours@mx1.example.org\""), "{page}");
        let picture = &related.subparts[1];
        assert_eq!(picture.ctype.mimetype, "image/png");
        assert_eq!(picture.get_body_raw().unwrap(), [137, 80, 78, 71, 0, 255]);
        assert_eq!(
            picture.headers.get_first_value("Content-ID").unwrap(),
            "<hours@mx1.example.org>"
        );
        assert_eq!(
            mail.headers.get_first_value("Auto-Submitted").unwrap(),
            "auto-replied"
        );
        assert_eq!(
            mail.headers.get_first_value("In-Reply-To").unwrap(),
            "<q@example.org>"
        );
        assert_eq!(
            mail.headers.get_first_value("References").unwrap(),
            "<p@example.org> <q@example.org>"
        );
        assert_eq!(mail.headers.get_first_value("Subject").unwrap(), "Täglich");
    }

    #[test]
    fn long_words_and_texts_are_folded() {
        let long = "a".repeat(3000);
        let umlauts = "ü".repeat(400);
        for subject in [
            long.as_str(),
            &umlauts,
            &format!("x {umlauts} y"),
            "=?utf-8?q?no?=",
            "\u{1F973}",
        ] {
            let message = message(&letter(subject, subject, subject));
            let mail = check(&message);
            let head = message.split("\r\n\r\n").next().unwrap();
            assert!(head.split("\r\n").all(|line| line.len() <= 78), "{head}");
            let read = mail.headers.get_first_value("Subject").unwrap();
            let expected: String = subject.chars().take(read.chars().count() - 1).collect();
            assert!(read.starts_with(&expected), "{read}");
            if subject.len() < 2000 {
                assert_eq!(read, subject);
            }
            assert_eq!(mail.get_body().unwrap().trim_end(), subject);
        }
    }

    #[test]
    fn a_line_break_makes_no_field() {
        let evil = "x\r\nBcc: victim@example.com\r\n\r\nbody\n\nmore\0";
        let mut letter = letter(evil, evil, evil);
        letter.in_reply_to = Some("<a\r\nBcc: x@y>".to_owned());
        letter.references = vec!["<a\nBcc: x@y>".to_owned()];
        letter.fields = vec![("List-Id", evil.to_owned())];
        let message = message(&letter);
        let mail = check(&message);
        let mut expected = NAMES.to_vec();
        expected.insert(8, "List-Id");
        assert_eq!(names(&mail), expected);
        assert_eq!(
            mail.headers.get_first_value("Subject").unwrap(),
            "x Bcc: victim@example.com body more\u{FFFD}"
        );
    }

    proptest! {
        #[test]
        fn whatever_the_texts_the_fields_are_ours(
            subject in "\\PC{0,200}|[ -~\r\n\t\0]{0,200}|(=\\?utf-8\\?b\\?[A-Za-z]{0,9}\\?= ?){0,9}",
            name in "\\PC{0,60}|[ -~\r\n\\\\\"<>@,;:]{0,60}",
            text in "(?s).{0,200}",
        ) {
            let message = message(&letter(&subject, &name, &text));
            let mail = check(&message);
            prop_assert_eq!(names(&mail), NAMES.to_vec());
            let clean = |text: &str| {
                let words: Vec<&str> = text.split_whitespace().collect();
                words.join(" ").replace(char::is_control, "\u{FFFD}")
            };
            prop_assert_eq!(mail.headers.get_first_value("Subject").unwrap_or_default(), clean(&subject));
            let to = addrparse_header(mail.headers.get_first_header("To").unwrap()).unwrap();
            let single = to.extract_single_info().unwrap();
            prop_assert_eq!(single.addr, "alice@example.org");
            prop_assert_eq!(single.display_name.unwrap_or_default(), clean(&name));
            let body = mail.get_body().unwrap().replace("\r\n", "\n");
            let body = body.strip_suffix('\n').unwrap_or(&body);
            let expected = super::clean(&text);
            let expected = expected.strip_suffix('\n').unwrap_or(&expected);
            prop_assert_eq!(body, expected);
        }
    }
}
