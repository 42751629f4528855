//! Lines that are known and have no bearing on mail: statistics, chatter, protocol traces (grammar section 13).
//!
//! Never given a line that begins with a queue id or NOQUEUE: those are understood or shown as not understood.
//! Traces (`-v`, `debug_peer_list`, TLS log level 2 and up) are told by the class of their beginning.

use crate::model::event::Event;

/// Beginnings of ordinary chatter.
const CHATTER: &[&str] = &[
    "statistics: ",
    "addr ",
    "CONNECT from ",
    "CONNECT to ",
    "DISCONNECT ",
    "cache ",
    "close database ",
    "using backwards-compatible default setting ",
    "discarding EHLO keywords: ",
    "Host offered STARTTLS: ",
    "certificate verification failed for ",
    "Host certificate ",
    "idle timeout -- exiting",
    "TLS handshake failed for service=",
    "reloaded ",
    "smtp_connect_timeout",
    "setting up TLS connection ",
    "initializing the ",
    "Compiled against ",
    "Run-time linked against ",
    "process generation: ",
    "watchdog_",
    "starting ",
    "exiting ",
    "end of ",
    "logfile_",
    "rewrite stream disconnect",
];

/// Beginnings of traces which have no function name.
const TRACES: &[&str] = &[
    "> ",
    "< ",
    ">>> ",
    "<<< ",
    "send attr ",
    "input attribute ",
    "connection established",
    "connection closed",
    "connect to subsystem ",
    "connecting to ",
    "initial envelope ",
    "extracted envelope ",
    "regular_text ",
    "cleanup flags = ",
    "open incoming/",
    "open active/",
    "open maildrop/",
    "open hold/",
    "open deferred/",
    "begin ",
    "end ",
    "lookup ",
    "pref ",
    "mynetworks: ",
    "trigger ",
    "read from ",
    "write to ",
    "SSL_accept:",
    "SSL_connect:",
    "SSL3 alert ",
    "looking up session ",
    "looking for session ",
    "save session ",
    "reloaded session ",
    "remove session ",
    "Issuing session ticket",
    "Decrypting session ticket",
    "subject_CN=",
    "subject=",
    "depth=",
    "Server certificate ",
    "Client certificate ",
    "TLS cipher list ",
    "auto_clnt_",
];

/// Returns [`Event::Ignored`] for a line that is known not to matter.
#[must_use]
pub(super) fn parse(text: &str) -> Option<Event<'_>> {
    let known = is_trace_of_function(text)
        || CHATTER
            .iter()
            .chain(TRACES)
            .any(|words| text.starts_with(words))
        || text.contains(" socket: wanted attribute: ")
        || text.contains(" has changed -- restarting")
        || is_hex_dump(text);
    known.then_some(Event::Ignored)
}

/// Whether the text begins as the traces of `-v` do: with a C name that holds an underscore, such as
/// `smtpd_check_addr: addr=...`, `master_notify: status 0` or `unknown_address_tempfail_action = ...`.
fn is_trace_of_function(text: &str) -> bool {
    let end = text
        .bytes()
        .position(|byte| !(byte.is_ascii_alphanumeric() || byte == b'_'))
        .unwrap_or(text.len());
    let (Some(name), Some(rest)) = (text.get(..end), text.get(end..)) else {
        return false;
    };
    name.contains('_')
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && [":", " = ", "["].iter().any(|next| rest.starts_with(next))
}

/// Whether the text is a line of the dumps of TLS log level 4: `0010 16 03 01 ...`.
fn is_hex_dump(text: &str) -> bool {
    let Some((offset, rest)) = text.split_once(' ') else {
        return false;
    };
    let is_hex = |word: &str| word.bytes().all(|byte| byte.is_ascii_hexdigit());
    offset.len() == 4
        && is_hex(offset)
        && rest
            .trim_start()
            .get(..2)
            .is_some_and(|byte| byte.len() == 2 && is_hex(byte) || byte == "- ")
}
