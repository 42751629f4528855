//! List: the causes there are, with names, meaning and advice from `causes.toml`, and how block lists are named.

use serde::Deserialize;
use std::sync::LazyLock;

/// Name of the cause when nothing tells.
pub const OTHER: &str = "other";
/// Name of the cause that has a block list.
pub(super) const BLOCKLISTED: &str = "blocklisted";

/// A cause.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cause {
    /// Its name, as stored.
    pub name: String,
    /// What it is also asked for by.
    #[serde(default)]
    pub also: Vec<String>,
    /// What it means.
    pub means: String,
    /// What an administrator may do.
    pub advice: String,
}

#[derive(Deserialize)]
struct File {
    cause: Vec<Cause>,
}

static CAUSES: LazyLock<Vec<Cause>> = LazyLock::new(|| {
    // The tests see to it that the file can be read.
    toml::from_str::<File>(include_str!("causes.toml"))
        .map(|file| file.cause)
        .unwrap_or_default()
});

/// A cause by its name, which lives as long as the program.
#[derive(Debug, Clone, Copy)]
pub struct Named {
    /// The name.
    pub name: &'static str,
    /// Everything about it.
    pub cause: &'static Cause,
}

/// Returns all causes, in the order of the manual.
#[must_use]
pub fn all() -> &'static [Cause] {
    &CAUSES
}

/// Returns the cause of that name.
#[must_use]
pub fn named(name: &str) -> Option<Named> {
    all()
        .iter()
        .find(|cause| cause.name == name)
        .map(|cause| Named {
            name: &cause.name,
            cause,
        })
}

/// Returns the causes that a word of the query language means: the one of that name or other name, else all with a
/// word in their name that begins so (`full`, `mailbox`).
#[must_use]
pub fn meant(word: &str) -> Vec<&'static str> {
    let word = word.to_ascii_lowercase().replace(['-', ' '], "_");
    let names = |is: &dyn Fn(&Cause) -> bool| -> Vec<&'static str> {
        let found = all().iter().filter(|cause| is(cause));
        found.map(|cause| cause.name.as_str()).collect()
    };
    let exact = names(&|cause| cause.name == word || cause.also.contains(&word));
    if !exact.is_empty() || word.is_empty() {
        return exact;
    }
    names(&|cause| {
        let mut parts = cause.name.split('_');
        cause.name.starts_with(&word) || parts.any(|part| part.starts_with(&word))
    })
}

/// Words before the name of a block list.
const BEFORE: [&str; 10] = [
    "blocked using ",
    "blocked by ",
    "listed by ",
    "listed in ",
    "listed on ",
    "listed at ",
    "black list at ",
    "blacklist ",
    "found in ",
    "rejected by ",
];

/// Returns the block list that a reply names by its domain.
pub(super) fn quoted(text: &str) -> Option<&str> {
    let lower = text.to_ascii_lowercase();
    BEFORE.iter().find_map(|before| {
        let at = lower.rfind(before)? + before.len();
        let rest = text.get(at..)?;
        let end = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_')))
            .unwrap_or(rest.len());
        let name = rest.get(..end)?.trim_end_matches('.');
        let last = name.rsplit_once('.')?.1;
        (last.len() >= 2 && last.bytes().all(|byte| byte.is_ascii_alphabetic())).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_readable_and_every_name_is_one() {
        let file: File = toml::from_str(include_str!("causes.toml")).unwrap();
        let mut seen: Vec<&str> = Vec::new();
        for cause in &file.cause {
            for name in std::iter::once(&cause.name).chain(&cause.also) {
                assert!(!seen.contains(&name.as_str()), "{name} twice");
                assert!(
                    name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'),
                    "{name}"
                );
                seen.push(name);
            }
            assert!(cause.means.ends_with('.'), "{}", cause.name);
            assert!(cause.advice.ends_with('.'), "{}", cause.name);
        }
        assert!(seen.contains(&OTHER) && seen.contains(&BLOCKLISTED));
    }

    #[test]
    fn a_word_means_its_cause_or_all_that_have_it() {
        assert_eq!(meant("unknown_user"), ["unknown_user"]);
        assert_eq!(meant("Unknown-User"), ["unknown_user"]);
        assert_eq!(meant("full"), ["mailbox_full"]);
        assert_eq!(meant("mailbox"), ["mailbox_full", "mailbox_disabled"]);
        assert_eq!(meant("quota"), ["mailbox_full"]);
        assert_eq!(meant("unknown"), ["unknown_user", "unknown_domain"]);
        assert!(meant("qwertz").is_empty());
        assert!(meant("").is_empty());
    }

    #[test]
    fn a_block_list_is_named_by_what_follows_the_phrase() {
        let cases = [
            (
                "Client host [192.0.2.1] blocked using bl.example.org; see x",
                Some("bl.example.org"),
            ),
            (
                "found on 192.0.2.1 Listed by BL.example.net.",
                Some("BL.example.net"),
            ),
            ("is in a black list at list.example", Some("list.example")),
            ("blocked using our policy", None),
            ("blocked by policy.", None),
        ];
        for (text, list) in cases {
            assert_eq!(quoted(text), list, "{text}");
        }
    }
}
