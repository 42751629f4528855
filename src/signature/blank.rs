//! White space as Python knows it: that of Unicode, and four separators of ASCII.

/// Returns whether a character is white space to Python.
pub(super) fn is_blank(character: char) -> bool {
    character.is_whitespace() || matches!(character, '\x1c'..='\x1f')
}

/// Returns text without white space at both ends.
pub(super) fn trim(text: &str) -> &str {
    text.trim_matches(is_blank)
}
