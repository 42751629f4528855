//! What must not reach a terminal as it is: controls, bidirectional and invisible characters.

use std::borrow::Cow;
use std::fmt::Write;

/// Returns `text` with everything that could steer a terminal or deceive an eye written out: `\x1b`, `\u{202e}`.
///
/// Backslashes stay single: the result is for reading, not for reading back.
#[must_use]
pub fn terminal(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\t' => shown.push_str("\\t"),
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            c if !is_unsafe(c) => shown.push(c),
            // Writing to a string cannot fail.
            c if c.is_ascii() => drop(write!(shown, "\\x{:02x}", u32::from(c))),
            c => drop(write!(shown, "\\u{{{:x}}}", u32::from(c))),
        }
    }
    Cow::Owned(shown)
}

/// Tells controls (C0, DEL, C1), line and paragraph separators, bidirectional controls, and what has no width.
const fn is_unsafe(c: char) -> bool {
    matches!(c,
        '\0'..='\x1f' | '\x7f'..='\u{9f}' | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}'
        | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ordinary_text_is_not_copied() {
        assert!(matches!(
            terminal("müller@bücher.example 550 5.1.1 \\ ok"),
            Cow::Borrowed(_)
        ));
    }

    #[test]
    fn terminal_sequences_and_bidi_are_written_out() {
        assert_eq!(
            terminal("a\x1b[31mb\u{202e}c\u{9b}d\r\n"),
            "a\\x1b[31mb\\u{202e}c\\u{9b}d\\r\\n"
        );
    }

    proptest! {
        #[test]
        fn nothing_unsafe_is_left(text in "\\PC*|.*") {
            prop_assert!(!terminal(&text).chars().any(is_unsafe));
        }
    }
}
