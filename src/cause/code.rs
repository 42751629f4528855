//! Code: what enhanced status codes (RFC 3463 and the IANA list), reply codes and classes of rules mean.
//!
//! Codes by which nearly everything is refused (5.7.1, 4.2.0) are weak: anything else goes before them.
//!
//! What Postfix itself says by a code is about this host, what a server says about the server; a fault is `local_fault` or
//! `remote_fault` by that.

/// By subject and detail of the enhanced status code.
const STATUS: &[(&str, &str)] = &[
    ("1.1", "unknown_user"),
    ("1.2", "unknown_domain"),
    ("1.3", "bad_address"),
    ("1.4", "bad_address"),
    ("1.6", "unknown_user"),
    ("1.7", "sender_rejected"),
    ("1.8", "sender_rejected"),
    ("1.10", "unknown_domain"),
    ("2.1", "mailbox_disabled"),
    ("2.2", "mailbox_full"),
    ("2.3", "size"),
    ("2.4", "remote_fault"),
    ("3.1", "storage"),
    ("3.2", "remote_fault"),
    ("3.3", "protocol"),
    ("3.4", "size"),
    ("3.5", "remote_fault"),
    ("4.1", "connection"),
    ("4.2", "connection"),
    ("4.3", "dns"),
    ("4.4", "unknown_domain"),
    ("4.5", "rate_limited"),
    ("4.6", "loop"),
    ("4.7", "expired"),
    ("5.1", "protocol"),
    ("5.2", "protocol"),
    ("5.3", "rate_limited"),
    ("5.4", "protocol"),
    ("5.5", "protocol"),
    ("5.6", "protocol"),
    ("6.1", "content"),
    ("6.2", "content"),
    ("6.3", "content"),
    ("6.5", "content"),
    ("6.7", "protocol"),
    ("6.8", "protocol"),
    ("6.9", "protocol"),
    ("7.2", "restricted"),
    ("7.4", "tls"),
    ("7.5", "tls"),
    ("7.7", "content"),
    ("7.8", "auth_required"),
    ("7.9", "auth_required"),
    ("7.10", "tls"),
    ("7.11", "tls"),
    ("7.13", "auth_required"),
    ("7.14", "auth_required"),
    ("7.16", "size"),
    ("7.17", "unknown_user"),
    ("7.18", "unknown_domain"),
    ("7.20", "dkim"),
    ("7.21", "dkim"),
    ("7.22", "dkim"),
    ("7.23", "spf"),
    ("7.24", "spf"),
    ("7.25", "reverse_dns"),
    ("7.26", "unauthenticated"),
    ("7.27", "sender_rejected"),
    ("7.28", "rate_limited"),
    ("7.29", "unauthenticated"),
    ("7.30", "tls"),
    ("7.57", "auth_required"),
];

/// By subject and detail, when nothing else tells more.
const WEAK_STATUS: &[(&str, &str)] = &[
    ("3.0", "remote_fault"),
    ("5.0", "protocol"),
    ("6.0", "content"),
    ("7.0", "policy"),
    ("7.1", "policy"),
];

/// By reply code, when there is no enhanced status code that tells.
const REPLY: &[(&str, &str)] = &[
    ("421", "remote_fault"),
    ("432", "auth_required"),
    ("451", "remote_fault"),
    ("452", "storage"),
    ("454", "remote_fault"),
    ("500", "protocol"),
    ("501", "protocol"),
    ("502", "protocol"),
    ("503", "protocol"),
    ("504", "protocol"),
    ("521", "unknown_domain"),
    ("530", "auth_required"),
    ("534", "auth_required"),
    ("535", "auth_required"),
    ("538", "auth_required"),
    ("551", "unknown_user"),
    ("552", "mailbox_full"),
    ("553", "bad_address"),
    ("555", "protocol"),
    ("556", "unknown_domain"),
];

/// By class of our own rule (`Policy::rule`).
const RULE: &[(&str, &str)] = &[
    ("auth", "auth_required"),
    ("bare_lf", "protocol"),
    ("body", "content"),
    ("client", "policy"),
    ("config", "local_fault"),
    ("content", "content"),
    ("dnsbl", "blocklisted"),
    ("greylist", "greylisted"),
    ("header", "content"),
    ("helo", "helo"),
    ("lookup", "local_fault"),
    ("milter", "policy"),
    ("mime", "content"),
    ("policy", "policy"),
    ("protocol", "protocol"),
    ("proxy", "policy"),
    ("rate", "rate_limited"),
    ("recipient", "policy"),
    ("relay", "relay_denied"),
    ("sender", "sender_rejected"),
    ("size", "size"),
    ("spf", "spf"),
    ("storage", "storage"),
    ("tls", "tls"),
    ("unknown_client", "reverse_dns"),
    ("unknown_sender", "sender_rejected"),
    ("unknown_user", "unknown_user"),
];

/// The codes of a reply.
#[derive(Debug, Clone, Copy)]
pub(super) struct Codes<'a> {
    reply: &'a str,
    /// Class of the status code: 4 or 5.
    class: &'a str,
    /// Subject and detail of the status code.
    status: &'a str,
    is_ours: bool,
}

impl<'a> Codes<'a> {
    /// Reads the reply code off a masked text; `dsn` is what Postfix logged.
    ///
    /// Postfix makes up `x.0.0` where a reply has none; that says nothing.
    pub(super) fn of(text: &'a str, is_ours: bool, dsn: Option<&'a str>) -> Self {
        let is_code = |code: &&str| code.bytes().all(|byte| byte.is_ascii_digit());
        let (class, status) = dsn.and_then(|dsn| dsn.split_once('.')).unwrap_or_default();
        Self {
            reply: text.get(..3).filter(is_code).unwrap_or_default(),
            class,
            status,
            is_ours,
        }
    }

    /// Returns what the codes mean where they mean one thing.
    pub(super) fn strong(&self) -> Option<&'static str> {
        match (self.class, self.status) {
            // Cannot route now: the name service's fault, ours or theirs.
            ("4", "4.4") if self.is_ours => Some("dns"),
            ("4", "4.4") => Some("remote_fault"),
            ("4" | "5", status) => self.among(STATUS, status),
            _ => None,
        }
    }

    /// Returns what they mean at best.
    pub(super) fn weak(&self) -> Option<&'static str> {
        self.among(WEAK_STATUS, self.status)
            .or_else(|| self.among(REPLY, self.reply))
    }

    fn among(&self, table: &[(&str, &'static str)], code: &str) -> Option<&'static str> {
        let found = table.iter().find(|(known, _)| *known == code);
        found.map(|(_, cause)| of_side(cause, self.is_ours))
    }
}

/// A fault is remote or local by whose words tell of it.
pub(super) fn of_side(cause: &'static str, is_ours: bool) -> &'static str {
    match cause {
        "remote_fault" if is_ours => "local_fault",
        cause => cause,
    }
}

/// Returns the cause of a rule that leaves no question: its class was told by our own words, or (our content checks) the text is
/// the sender's.
pub(super) fn of_plain_rule(rule: &str) -> Option<&'static str> {
    match rule {
        "header" | "body" | "mime" | "content" => Some("content"),
        "relay" => Some("relay_denied"),
        "dnsbl" => Some("blocklisted"),
        _ => None,
    }
}

/// Returns the cause for which a rule of that class refuses.
pub(super) fn of_rule(rule: &str) -> Option<&'static str> {
    RULE.iter()
        .find(|(class, _)| *class == rule)
        .map(|(_, cause)| *cause)
}

#[cfg(test)]
mod tests {
    use super::super::list;
    use super::*;

    #[test]
    fn tables_name_causes_there_are_and_no_code_twice() {
        let mut codes: Vec<&str> = Vec::new();
        for (code, cause) in [STATUS, WEAK_STATUS, REPLY, RULE].concat() {
            assert!(!codes.contains(&code), "{code}");
            codes.push(code);
            assert!(list::named(cause).is_some(), "{code}: {cause}");
        }
    }
}
