//! Counted: numbers of things, for people.

/// `1 message`, `2,300 messages`.
pub(super) fn many(n: u64, one: &str) -> String {
    format!("{} {one}{}", count(n), if n == 1 { "" } else { "s" })
}

/// Groups the digits of a count by three.
pub(super) fn count(n: u64) -> String {
    indicatif::HumanCount(n).to_string()
}
