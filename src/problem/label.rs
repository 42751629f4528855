//! Label: the name by which people speak of a report: `M20261128SH-7QK2A`.
//!
//! M, the day in UTC, the initials of the type (summary or extra) and of the severity, and five random letters or digits.

use super::severity::Severity;
use crate::model::time::Time;

/// What a report is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Everything for one contact.
    Summary,
    /// One source.
    Extra,
}

impl Kind {
    /// Returns the word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Summary => "summary",
            Self::Extra => "extra",
        }
    }
}

/// Characters of the random part.
const ALPHABET: &[u8; 36] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
/// Random characters.
const LENGTH: usize = 5;

/// Returns a label; `random` are numbers of the system's generator.
#[must_use]
pub fn label(at: Time, kind: Kind, severity: Severity, random: [u32; LENGTH]) -> String {
    let day = at.to_utc().map(|t| t.format("%Y%m%d").to_string());
    let initial = |word: &str| word.chars().next().unwrap_or('-').to_ascii_uppercase();
    let drawn = random.iter().map(|number| {
        let at = *number as usize % ALPHABET.len();
        char::from(ALPHABET.get(at).copied().unwrap_or(b'0'))
    });
    format!(
        "M{}{}{}-{}",
        day.unwrap_or_default(),
        initial(kind.name()),
        initial(severity.name()),
        drawn.collect::<String>()
    )
}

/// Returns the subject of the mail: `[label] Severity - what`, with the source of an extra.
#[must_use]
pub fn subject(label: &str, severity: Severity, what: &str, source: Option<&str>) -> String {
    let name = severity.name();
    let (first, rest) = name.split_at(1);
    let severity = format!("{}{rest}", first.to_ascii_uppercase());
    match source {
        None => format!("[{label}] {severity} - {what}"),
        Some(source) => format!("[{label}] {severity} - {what} - {source}"),
    }
}
