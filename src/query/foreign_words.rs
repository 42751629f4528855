//! Foreign words: names of fields that people know from other programs (Gmail, Outlook, log viewers), and what to write here.
//!
//! Where a name means exactly one of our fields it is an alias of it, see `fields.rs`; these need another value, or have no answer.

/// Names, and what to say.
const NAMES: [(&[&str], &str); 11] = [
    (
        &["has", "filename", "attachment", "attachments"],
        "the log does not mention attachments; use size:>1M to find large mail",
    ),
    (
        &[
            "label",
            "in",
            "category",
            "folder",
            "mailbox",
            "list",
            "deliveredto",
        ],
        "the log has no folders, labels or lists; leave the term out, or use to:",
    ),
    (
        &["cc", "bcc"],
        "the log has envelope recipients only; use to:",
    ),
    (
        &["larger", "larger_than", "bigger", "minsize"],
        "write size:>10M",
    ),
    (&["smaller", "smaller_than", "maxsize"], "write size:<10M"),
    (
        &["body", "content", "message", "phrase"],
        "the log does not contain the text of mail; text: searches replies, subject: searches subjects if Postfix logs them",
    ),
    (
        &["ip", "ip_address", "source", "src", "client_ip"],
        "use client:192.0.2.1 for the host that sent the mail, relay: for the host it was sent to",
    ),
    (
        &["mx", "server", "destination", "dst", "next_hop", "nexthop"],
        "write relay:",
    ),
    (
        &["domain", "with", "participants", "recipients", "who"],
        "use to:example.org, from:example.org, or addr:example.org for both",
    ),
    (&["result", "state", "outcome", "delivery"], "write status:"),
    (
        &[
            "error", "reply", "response", "log", "unit", "priority", "grep",
        ],
        "use text: for words of a reply, service: or instance: for the program that logged it",
    ),
];

/// Returns what to write instead of this name.
pub(super) fn hint(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase().replace('-', "_");
    let found = NAMES
        .iter()
        .find(|(names, _)| names.contains(&name.as_str()));
    found.map(|(_, hint)| *hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::fields;

    #[test]
    fn no_name_hides_a_field_or_another_hint() {
        let names: Vec<&str> = NAMES
            .iter()
            .flat_map(|(names, _)| names.iter().copied())
            .collect();
        for (i, name) in names.iter().enumerate() {
            assert!(fields::find(name).is_none(), "{name} is a field");
            assert!(!names[i + 1..].contains(name), "{name} is there twice");
            assert!(hint(&name.to_uppercase()).is_some(), "{name}");
        }
        assert_eq!(hint("from"), None);
    }
}
