//! Form: the spellings of a text that people take for the same, in the order in which they are tried.
//!
//! An accented letter may be one character or a letter with a mark behind it (NFC and NFD): keyboards and file names of some systems write
//! the second. The log has what the client sent, so both are looked for.

use super::{idn, local};
use unicode_normalization::UnicodeNormalization;

/// Returns the text in its own, its composed and its decomposed form, each once.
pub(super) fn unicode(text: &str) -> Vec<String> {
    let mut forms = vec![text.to_owned()];
    if !text.is_ascii() {
        for form in [text.nfc().collect(), text.nfd().collect()] {
            add(&mut forms, form);
        }
    }
    forms
}

/// Returns also both spellings of a domain in letters beyond ASCII.
pub(super) fn domain(text: &str) -> Vec<String> {
    let mut forms = unicode(text);
    // The DNS knows composed letters only.
    let composed: String = text.nfc().collect();
    if let Some(other) = idn::other(&composed) {
        for form in unicode(&other) {
            add(&mut forms, form);
        }
    }
    forms
}

/// Returns also the spellings of a local part with and without quotes.
pub(super) fn address(text: &str) -> Vec<String> {
    let mut forms = domain(text);
    for form in forms.clone() {
        if let Some(other) = local::other(&form) {
            add(&mut forms, other);
        }
    }
    forms
}

fn add(forms: &mut Vec<String>, form: String) {
    if !forms.contains(&form) {
        forms.push(form);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_once_and_the_own_first() {
        assert_eq!(unicode("bob"), ["bob"]);
        assert_eq!(unicode("Jo\u{308}rg"), ["Jo\u{308}rg", "J\u{f6}rg"]);
        assert_eq!(unicode("J\u{f6}rg"), ["J\u{f6}rg", "Jo\u{308}rg"]);
        assert_eq!(
            domain("a@mu\u{308}ller.example"),
            [
                "a@mu\u{308}ller.example",
                "a@m\u{fc}ller.example",
                "a@xn--mller-kva.example"
            ]
        );
        assert_eq!(
            address("a b@example.org"),
            ["a b@example.org", "\"a b\"@example.org"]
        );
    }
}
