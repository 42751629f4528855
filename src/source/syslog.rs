//! Syslog: the bytes of one line to stamp, host, identifier, pid and text, whatever wrote the header.
//!
//! Reads RFC 3164 and RFC 3339 files, postlogd, RFC 5424, both as sent on the wire (`<22>`), the text modes of
//! journalctl, FreeBSD `<mail.info>`, Solaris `[ID ...]`, AIX's `mail:info`, and what containers, relays and tools put in
//! front (`container.rs`, `prefix.rs`); also metalog's `[ident] text`. A record inside a record is read to the innermost header; the outer stamp is kept beside the
//! inner one (grammar 2.1).
//!
//! Limits: a line without identifier is all text; a host that is missing is empty, and then the identifier must
//! end in a colon or a pid.

use super::container::{self, RuntimeMark};
use super::prefix;
use super::stamp::{self, Stamp};
use memchr::memchr3;

/// Headers inside headers; more than a relay, a container and the program does not happen.
const DEPTH: u8 = 4;

/// One line, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Head<'a> {
    /// Innermost stamp; absent when it is damaged.
    pub(super) stamp: Option<Stamp<'a>>,
    /// Outermost stamp of a nested record.
    pub(super) outer: Option<Stamp<'a>>,
    pub(super) host: &'a str,
    pub(super) ident: &'a str,
    pub(super) pid: Option<u32>,
    pub(super) text: &'a str,
    /// The record comes in pieces and this is one: see `container.rs`.
    pub(super) piece: Option<RuntimeMark<'a>>,
}

/// Reads a line; `None` when it has no header.
pub(super) fn read(line: &str) -> Option<Head<'_>> {
    read_nested(line, DEPTH)
}

fn read_nested(line: &str, depth: u8) -> Option<Head<'_>> {
    let depth = depth.checked_sub(1)?;
    if let Some((stamp, rest)) = stamp::read(line) {
        return Some(after_stamp(stamp, rest, depth));
    }
    if let Some(rest) = priority(line) {
        return after_priority(rest, depth);
    }
    if let Some(rest) = container::compose(line).or_else(|| octet_count(line))
        && let Some(head) = read_nested(rest, depth)
    {
        return Some(head);
    }
    behind_prefix(line, depth).or_else(|| damaged_stamp(line))
}

/// Reads the line behind what a tool put before it; only a header with an identifier counts as one.
#[cold]
fn behind_prefix(line: &str, depth: u8) -> Option<Head<'_>> {
    prefix::rests(line).find_map(|rest| {
        let head = read_nested(rest, depth)?;
        let is_notice = head.text.starts_with(LAST_REPEATED);
        (head.stamp.is_some() && (!head.ident.is_empty() || is_notice)).then_some(head)
    })
}

/// How the notice begins that has no identifier.
const LAST_REPEATED: &str = "last message repeated ";

fn after_stamp<'a>(stamp: Stamp<'a>, rest: &'a str, depth: u8) -> Head<'a> {
    if let Some(piece) = container::cri(rest) {
        let head = payload_of(stamp, piece.payload, depth);
        return Head {
            piece: Some(piece),
            ..head
        };
    }
    let rest = facility(rest);
    if let Some(head) = inner_at(stamp, rest, depth) {
        return head;
    }
    let found = addressed(rest);
    if let Some(head) = found.and_then(|head| inner_at(stamp, head.text, depth)) {
        return head;
    }
    let mut head = match found {
        Some(head) => head,
        None => match passed_on(stamp, rest, depth) {
            Some(head) => return head,
            None => among_words(rest, 2).unwrap_or_else(|| unaddressed(rest)),
        },
    };
    head.stamp = Some(stamp);
    head.text = message_id_tag(head.text);
    head
}

/// Reads what a tool put its own stamp before, and more: `STAMP {app="postfix"} LINE`, `STAMP name.1.id@node | LINE`.
#[cold]
fn passed_on<'a>(outer: Stamp<'a>, rest: &'a str, depth: u8) -> Option<Head<'a>> {
    prefix::rests(rest).find_map(|inner| inner_at(outer, inner, depth))
}

/// Reads what a container runtime passed on: a complete record, or bare text.
pub(super) fn read_payload<'a>(stamp: Option<Stamp<'a>>, payload: &'a str) -> Head<'a> {
    match stamp {
        Some(stamp) => payload_of(stamp, payload, DEPTH - 1),
        None => read_nested(payload, DEPTH - 1).unwrap_or(Head {
            text: payload,
            ..Head::default()
        }),
    }
}

fn payload_of<'a>(stamp: Stamp<'a>, payload: &'a str, depth: u8) -> Head<'a> {
    inner_at(stamp, payload, depth).unwrap_or_else(|| {
        let mut head = tag(payload)
            .filter(|(_, pid, _)| pid.is_some())
            .map_or_else(
                || Head {
                    text: payload,
                    ..Head::default()
                },
                |(ident, pid, text)| Head {
                    ident,
                    pid,
                    text,
                    ..Head::default()
                },
            );
        head.stamp = Some(stamp);
        head
    })
}

/// Reads a complete record that is the message of another one.
pub(super) fn inner<'a>(outer: Stamp<'a>, text: &'a str) -> Option<Head<'a>> {
    inner_at(outer, text, DEPTH - 1)
}

/// Reads a complete record behind another stamp; only a header with an identifier counts as one.
fn inner_at<'a>(outer: Stamp<'a>, text: &'a str, depth: u8) -> Option<Head<'a>> {
    if !stamp::may_begin(text) {
        return None;
    }
    let mut head = read_nested(text, depth).filter(|head| !head.ident.is_empty())?;
    if head.stamp.is_some() {
        head.outer = Some(outer);
    } else {
        head.stamp = Some(outer);
    }
    Some(head)
}

/// Splits `host ident[pid]: text`; the host may be missing.
fn addressed(rest: &str) -> Option<Head<'_>> {
    if rest.starts_with(LAST_REPEATED) {
        return Some(tagged("", "", None, rest));
    }
    if let Some((ident, text)) = bracketed(rest) {
        return Some(tagged("", ident, None, text));
    }
    let (first, after) = split_at_byte(rest, b' ').unwrap_or((rest, ""));
    if first.as_bytes().contains(&b'\t') {
        return None;
    }
    if let Some((ident, pid, text)) = sole_tag(first, rest) {
        return Some(tagged("", ident, pid, text));
    }
    let after = facility(after.trim_start_matches(' '));
    let (ident, pid, text) =
        tag(after).filter(|(ident, pid, _)| pid.is_some() || !prefix::is_level(ident))?;
    Some(tagged(host(first), ident, pid, text))
}

/// Reads a line without identifier: `host text`.
#[cold]
fn unaddressed(rest: &str) -> Head<'_> {
    let (first, after) = split_at_byte(rest, b' ').unwrap_or((rest, ""));
    let text = facility(after.trim_start_matches(' '));
    if is_rspamd(first) {
        return tagged("", "rspamd", None, text);
    }
    tagged(host(first), "", None, text)
}

/// Tells whether a word is how rspamd names its process in a log of its own: `#38(rspamd_proxy)`.
fn is_rspamd(word: &str) -> bool {
    let named = word.strip_prefix('#').and_then(|w| w.strip_suffix(')'));
    named
        .and_then(|w| w.split_once('('))
        .is_some_and(|(pid, kind)| {
            let is_pid = !pid.is_empty() && pid.bytes().all(|byte| byte.is_ascii_digit());
            is_pid && kind.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        })
}

/// Returns what stands where the host belongs, if it can be one.
fn host(word: &str) -> &str {
    if prefix::is_host(word) { word } else { "" }
}

fn tagged<'a>(host: &'a str, ident: &'a str, pid: Option<u32>, text: &'a str) -> Head<'a> {
    Head {
        host,
        ident,
        pid,
        text,
        ..Head::default()
    }
}

/// Reads `WORD WORD ident[pid]: text`: hosts, the last of which is the sender, and severities, numbers, marks, which name none.
///
/// Of more than `most` names it is not known which are names.
#[cold]
fn among_words(rest: &str, most: usize) -> Option<Head<'_>> {
    /// More words than collectors put before a tag.
    const WORDS: usize = 10;
    let (mut host, mut before, mut names) = ("", "", 0);
    let mut rest = rest;
    for _ in 0..WORDS {
        if let Some(forwarded) = rest.strip_prefix("Message forwarded from ") {
            // AIX.
            let (name, after) = forwarded.split_once(": ")?;
            let (ident, pid, text) = tag(after)?;
            return Some(tagged(name, ident, pid, text));
        }
        let (word, after) = rest.split_once([' ', '\t'])?;
        rest = after.trim_start_matches([' ', '\t']);
        if prefix::is_host(word) {
            names += 1;
            (before, host) = (host, word);
        } else if word == "|" {
            host = "";
        } else if prefix::is_level(word) && prefix::is_facility(host) && !before.is_empty() {
            // `mx1 mail info`: the facility is a word of its own.
            host = before;
        }
        if names > most {
            return None;
        }
        if let Some((ident, pid, text)) = tag(rest)
            && (pid.is_some() || (ident.contains('/') && names < 2))
        {
            return Some(tagged(host, ident, pid, text));
        }
    }
    None
}

/// Splits `[ident] text`, which is how metalog writes.
fn bracketed(rest: &str) -> Option<(&str, &str)> {
    let (ident, text) = rest.strip_prefix('[')?.split_once("] ")?;
    let is_word = !ident.is_empty() && !ident.contains([' ', '[', ':']) && !prefix::is_level(ident);
    let has_tag = || tag(text).is_some_and(|(_, pid, _)| pid.is_some());
    (is_word && !has_tag()).then_some((ident, text))
}

/// Reads the first word as identifier where the host is missing; an IPv6 address is not mistaken for one.
fn sole_tag<'a>(word: &str, rest: &'a str) -> Option<(&'a str, Option<u32>, &'a str)> {
    let closes = word.ends_with(':') || word.ends_with(']');
    let is_address = word.matches(':').count() > 1 && !word.contains('[');
    if !closes || is_address || word.starts_with('[') || prefix::is_level(word) {
        return None;
    }
    tag(rest)
}

/// Splits `ident[pid]: text`; the colon may be missing behind a pid.
fn tag(text: &str) -> Option<(&str, Option<u32>, &str)> {
    let end = memchr3(b':', b'[', b' ', text.as_bytes())?;
    let (ident, rest) = text.split_at_checked(end)?;
    if ident.is_empty() || ident.as_bytes().contains(&b'\t') {
        return None;
    }
    if let Some(rest) = rest.strip_prefix('[') {
        let (pid, rest) = split_at_byte(rest, b']')?;
        let colon = rest.strip_prefix(':');
        let number = pid.parse().ok();
        if number.is_none() && (colon.is_none() || pid.contains(' ')) {
            return None;
        }
        let text = colon.unwrap_or(rest);
        let spaced = text.is_empty() || text.starts_with([' ', '\t']) || colon.is_some();
        return spaced.then(|| (ident, number, behind_blanks(text)));
    }
    let text = rest.strip_prefix(':')?;
    let spaced = text.is_empty() || text.starts_with([' ', '\t', '[']);
    spaced.then(|| (ident, None, behind_blanks(text)))
}

/// Takes off the blank behind a tag, and those that a template of the collector adds.
#[inline]
fn behind_blanks(text: &str) -> &str {
    match text.as_bytes() {
        [b' ', b' ' | b'\t', ..] | [b'\t', ..] => text.trim_start_matches([' ', '\t']),
        [b' ', ..] => text.get(1..).unwrap_or(text),
        _ => text,
    }
}

/// `split_once` for words of a few bytes, where a plain loop is faster.
fn split_at_byte(text: &str, byte: u8) -> Option<(&str, &str)> {
    let at = text.bytes().position(|other| other == byte)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// Skips FreeBSD's `<mail.info> ` and a priority that a relay left in place.
fn facility(rest: &str) -> &str {
    rest.strip_prefix('<')
        .and_then(|inside| inside.split_once("> "))
        .filter(|(inside, _)| inside.len() <= 20 && !inside.contains(' '))
        .map_or(rest, |(_, after)| after)
}

/// Skips Solaris' `[ID 197553 mail.info] `.
fn message_id_tag(text: &str) -> &str {
    text.strip_prefix("[ID ")
        .and_then(|inside| inside.split_once("] "))
        .filter(|(inside, _)| inside.len() <= 40)
        .map_or(text, |(_, after)| after)
}

/// Skips `<22>`.
fn priority(line: &str) -> Option<&str> {
    let (number, rest) = line.strip_prefix('<')?.split_once('>')?;
    let valid = (1..=3).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
    valid.then_some(rest)
}

/// Skips the length that syslog over TCP puts before each record.
fn octet_count(line: &str) -> Option<&str> {
    let (number, rest) = line.split_once(' ')?;
    let counted = number.len() <= 6 && number.bytes().all(|byte| byte.is_ascii_digit());
    (counted && rest.starts_with('<')).then_some(rest)
}

fn after_priority(rest: &str, depth: u8) -> Option<Head<'_>> {
    if let Some(head) = rest.strip_prefix("1 ").and_then(rfc5424) {
        return Some(head);
    }
    if let Some((stamp, rest)) = stamp::read(rest) {
        return Some(after_stamp(stamp, rest, depth));
    }
    let (ident, pid, text) = tag(rest)?;
    Some(Head {
        ident,
        pid,
        text,
        ..Head::default()
    })
}

/// `TIMESTAMP HOST IDENT PID MSGID STRUCTURED-DATA TEXT`, `-` for what is missing.
fn rfc5424(rest: &str) -> Option<Head<'_>> {
    let mut fields = rest.splitn(6, ' ');
    let (time, host, ident, pid, _message_id, rest) = (
        fields.next()?,
        fields.next()?,
        fields.next()?,
        fields.next()?,
        fields.next()?,
        fields.next()?,
    );
    let stamp = match time {
        "-" => None,
        time => Some(stamp::read(time)?.0),
    };
    let text = structured_data(rest)?;
    let present = |field| if field == "-" { "" } else { field };
    Some(Head {
        stamp,
        host: present(host),
        ident: present(ident),
        pid: pid.parse().ok(),
        text: text.strip_prefix('\u{feff}').unwrap_or(text),
        ..Head::default()
    })
}

/// Skips `-` or `[id name="value"]...`, where `\"`, `\\` and `\]` are escaped in values.
fn structured_data(rest: &str) -> Option<&str> {
    if let Some(text) = rest.strip_prefix('-') {
        return Some(text.strip_prefix(' ').unwrap_or(text));
    }
    let mut bytes = rest.bytes().enumerate();
    let (mut is_open, mut is_quoted) = (false, false);
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'[' if !is_open => is_open = true,
            b']' if !is_quoted => is_open = false,
            b'"' => is_quoted = !is_quoted,
            b'\\' if is_quoted => {
                bytes.next();
            }
            b' ' if !is_open => return rest.get(at + 1..),
            _ if !is_open => return None,
            _ => {}
        }
    }
    (!is_open).then_some("")
}

/// A line whose stamp is cut or garbled, but which names host, program and pid: `021-02-06T10:57:57 mail x[1]: y`.
fn damaged_stamp(line: &str) -> Option<Head<'_>> {
    if let Some((ident, pid @ Some(_), text)) = tag(line)
        && ident.contains('/')
    {
        return Some(Head {
            ident,
            pid,
            text,
            ..Head::default()
        });
    }
    among_words(line, usize::MAX).filter(|head| head.pid.is_some() && head.ident.contains('/'))
}

/// Tells whether a line is none of the log's records: journalctl's remarks and marks.
pub(super) fn is_remark(line: &str) -> bool {
    let Some(rest) = line.strip_prefix("--") else {
        return false;
    };
    let rest = rest.trim_start();
    // What grep -A, -B and -C put between groups.
    rest.is_empty()
        || [
            "Journal begins",
            "Logs begin",
            "Boot ",
            "Reboot",
            "No entries",
            "MARK",
            "cursor:",
        ]
        .iter()
        .any(|start| rest.starts_with(start))
}
