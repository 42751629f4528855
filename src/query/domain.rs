//! Domain: whether a word has the form of one.

use crate::model::ip::parse_address;

/// Returns the domain of `.example.org` or `.org`: what lies below it is meant.
pub(super) fn parent_domain(word: &str) -> Option<&str> {
    let parent = word.strip_prefix('.')?;
    is_domain(&format!("x.{parent}")).then_some(parent)
}

/// Returns whether the word has the form of a domain: labels with dots, the last of letters.
pub(super) fn is_domain(word: &str) -> bool {
    let label = |l: &str| {
        !l.is_empty()
            && l.len() <= 63
            && l.chars()
                .all(|c| c.is_alphanumeric() || c == '-' || c == '_')
            && !l.starts_with('-')
            && !l.ends_with('-')
    };
    let top = |l: &str| {
        l.chars().count() >= 2 && (l.chars().all(char::is_alphabetic) || l.starts_with("xn--"))
    };
    word.len() <= 255
        && word.rsplit_once('.').is_some_and(|(_, last)| top(last))
        && word.split('.').all(label)
        && parse_address(word).is_none()
}
