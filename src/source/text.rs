//! Text: bytes of a log -> text that a table takes.

use std::borrow::Cow;

/// Returns bytes as text; what is no UTF-8 is replaced, and so is NUL.
pub(super) fn readable(bytes: &[u8]) -> Cow<'_, str> {
    without_nul(String::from_utf8_lossy(bytes))
}

/// Replaces NUL, which no table takes.
pub(super) fn without_nul(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.contains('\0') {
        Cow::Owned(text.replace('\0', "\u{fffd}"))
    } else {
        text
    }
}
