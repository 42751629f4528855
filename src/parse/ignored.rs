//! Lines that are known and have no bearing on mail: statistics, chatter, protocol traces (grammar section 13).
//!
//! Never given a line that begins with a queue id or NOQUEUE: those are understood or shown as not understood.
//! Traces (`-v`, `debug_peer_list`, TLS log level 2 and up) are told by the class of their beginning.

use super::client;
use crate::model::event::Event;

/// Beginnings of ordinary chatter.
const CHATTER: &[&str] = &[
    "statistics: ",
    "addr ",
    "cache ",
    "CONNECT from ",
    "CONNECT to ",
    "DISCONNECT ",
    "using backwards-compatible default setting ",
    "Postfix is running with backwards-compatible ",
    "See http://www.postfix.org/",
    "See https://www.postfix.org/",
    "To disable backwards compatibility use ",
    "discarding EHLO keywords: ",
    "Host offered STARTTLS: ",
    "certificate verification failed for ",
    "certificate peer name verification failed for ",
    "TLS handshake failed for service=",
    "TLS SNI ",
    "waiting for the Postfix mail system to terminate",
    "idle timeout -- exiting",
    "master disconnect -- exiting",
    // Plesk's agent in the place of local.
    "postfix-local: ",
];

/// Beginnings of traces that have no function name.
const TRACES: &[&str] = &[
    "> ",
    "< ",
    ">>> ",
    "<<< ",
    "send attr ",
    "input attribute ",
    "initial envelope ",
    "extracted envelope ",
    "connection established",
    "connection closed",
    "connect to subsystem ",
    "cleanup flags = ",
    "before input_transp_cleanup: ",
    "after input_transp_cleanup: ",
    "process generation: ",
    "Compiled against Berkeley DB",
    "Run-time linked against Berkeley DB",
    "host name lookup methods: ",
    "fsspace: ",
    "mynetworks: ",
    "pref ",
    "request: ",
    "request ignored",
    "wakeup ",
    "start move queue ",
    "start sorted recipient list",
    "end sorted recipient list",
    "end move queue ",
    "open incoming/",
    "open maildrop/",
    "initializing the server-side TLS engine",
    "initializing the client-side TLS engine",
    "setting up TLS connection ",
    "SSL_accept:",
    "SSL_connect:",
    "SSL3 alert ",
    "TLS cipher list ",
    "looking up session ",
    "looking for session ",
    "Issuing session ticket",
    "Decrypting session ticket",
    "read from ",
    "write to ",
];

/// Beginning and end of traces with a name in between.
const FRAMES: &[(&str, &str)] = &[
    ("begin ", " address list"),
    ("end ", " address list"),
    ("done ", " queue scan"),
    ("start ", " queue scan"),
    ("table ", " has changed -- restarting"),
    ("", " stream disconnect"),
];

/// Words of the TLS details that follow a peer: `mx.example.net[192.0.2.25]:25: re-using session with ...`.
const TLS_DETAILS: &[&str] = &[
    "subject_CN=",
    "subject=",
    "issuer=",
    "fingerprint",
    "certificate",
    "session",
    "subjectAltName",
    "CommonName",
    "TLSA",
    "peer credential",
];

/// Returns [`Event::Ignored`] for a line that is known not to matter.
#[must_use]
pub(super) fn parse(text: &str) -> Option<Event<'_>> {
    let known = CHATTER
        .iter()
        .chain(TRACES)
        .any(|words| text.starts_with(words))
        || is_trace_of_function(text)
        || FRAMES
            .iter()
            .any(|(start, end)| text.starts_with(start) && text.ends_with(end))
        || text.contains(" socket: wanted attribute: ")
        || is_resolver_trace(text)
        || is_tls_detail(text)
        || is_hex_dump(text);
    known.then_some(Event::Ignored)
}

/// Whether the text is `lookup {name} type {type} flags {n}` or `connecting to {name} port {n}`.
fn is_resolver_trace(text: &str) -> bool {
    text.starts_with("lookup ") && text.contains(" type ") && text.contains(" flags ")
        || text.starts_with("connecting to ") && text.contains(" port ")
}

/// Whether the text is a detail of the TLS session with the peer that it begins with.
fn is_tls_detail(text: &str) -> bool {
    client::named(text)
        .and_then(|(_, rest)| rest.strip_prefix(": "))
        .is_some_and(|rest| TLS_DETAILS.iter().any(|word| rest.contains(word)))
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
