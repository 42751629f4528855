//! Escape: text from the log made harmless and visible for a terminal.
//!
//! Whoever sends mail chooses what stands in HELO, addresses, replies and subjects. What would move the cursor, change colours, hide
//! text or turn its direction is shown as `\x1b`, `\u{202e}`.
//! Limits: look-alike letters stay; a backslash stays single, so `\n` in the log and a line break look alike.

use std::borrow::Cow;
use std::fmt::Write;

/// Returns the text as one harmless line.
#[must_use]
pub fn terminal(text: &str) -> Cow<'_, str> {
    if !text.contains(is_harmful) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        push(&mut shown, c);
    }
    Cow::Owned(shown)
}

fn push(shown: &mut String, c: char) {
    let written = match c {
        '\n' => shown.write_str("\\n"),
        '\r' => shown.write_str("\\r"),
        '\t' => shown.write_str("\\t"),
        c if !is_harmful(c) => shown.write_char(c),
        c if c.is_ascii() => write!(shown, "\\x{:02x}", u32::from(c)),
        c => write!(shown, "\\u{{{:x}}}", u32::from(c)),
    };
    // Writing into a String cannot fail.
    let _: std::fmt::Result = written;
}

/// Returns whether a terminal would obey the character, or a reader not see it.
#[must_use]
pub fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_or_hides_is_spelt_out() {
        assert_eq!(terminal("\u{1b}[2J\u{9b}31m"), "\\x1b[2J\\u{9b}31m");
        assert_eq!(
            terminal("a\u{202e}b\u{200b}c\u{2028}d"),
            "a\\u{202e}b\\u{200b}c\\u{2028}d"
        );
        assert_eq!(
            terminal("one\r\ntwo\tthree\u{7f}\0"),
            "one\\r\\ntwo\\tthree\\x7f\\x00"
        );
        assert_eq!(terminal("\u{e0041}\u{feff}"), "\\u{e0041}\\u{feff}");
    }

    #[test]
    fn plain_and_foreign_text_stays() {
        assert!(matches!(
            terminal("müller@bücher.example 例え"),
            Cow::Borrowed("müller@bücher.example 例え")
        ));
    }
}
