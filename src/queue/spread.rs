//! Spread: a JSON object that a tool such as `jq` spread over many lines -> its text.
//!
//! It begins with a line that is a brace and ends with one at the same place. A line that is no JSON ends it early, for then it never was one.

use super::listing::MAX_LINE;

/// The lines so far.
#[derive(Debug)]
pub(super) struct Spread {
    indent: String,
    text: String,
    /// The number of its first line.
    pub(super) line: u64,
}

/// What a line is to the object.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// A part of it.
    Inside,
    /// Its last line.
    Last,
    /// None of it.
    Other,
}

impl Spread {
    /// Begins with a line; none where it is not a brace alone.
    pub(super) fn begin(line: &str, number: u64) -> Option<Self> {
        let indent = line.trim_end().strip_suffix('{')?;
        indent.trim().is_empty().then(|| Self {
            indent: indent.to_owned(),
            text: "{".to_owned(),
            line: number,
        })
    }

    /// Takes a line.
    pub(super) fn take(&mut self, line: &str) -> Part {
        let trimmed = line.trim();
        let value = trimmed.trim_end_matches(',');
        let is_json = trimmed.starts_with(['"', '{', '}', '[', ']', ','])
            || value.parse::<f64>().is_ok()
            || matches!(value, "true" | "false" | "null");
        let is_whole = trimmed.starts_with('{') && trimmed.len() > 1;
        let has_room = (self.text.len() + line.len()) as u64 <= MAX_LINE;
        if !is_json || is_whole || !has_room {
            return Part::Other;
        }
        self.text.push('\n');
        self.text.push_str(trimmed);
        let is_last = line
            .strip_prefix(self.indent.as_str())
            .is_some_and(|rest| rest.starts_with('}'));
        if is_last { Part::Last } else { Part::Inside }
    }

    /// Returns the object.
    pub(super) fn text(&self) -> &str {
        &self.text
    }
}
