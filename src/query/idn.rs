//! Idn: a domain in letters of any script as the DNS writes it (`xn--…`), and back.
//!
//! Postfix logs what the client said, and that may be either.

/// Longest domain of the DNS, in letters of four bytes; keeps the work small.
const MOST: usize = 4 * 255;

/// Returns the other spelling of an address or domain; none where there is but one.
pub(super) fn other(text: &str) -> Option<String> {
    let (local, domain) = match text.rsplit_once('@') {
        Some((local, domain)) => (Some(local), domain),
        None => (None, text),
    };
    if domain.len() > MOST {
        return None;
    }
    let spelled = if domain.is_ascii() {
        let (letters, is_valid) = idna::domain_to_unicode(domain);
        is_valid.ok()?;
        letters
    } else {
        idna::domain_to_ascii(domain).ok()?
    };
    let is_other = !spelled.eq_ignore_ascii_case(domain);
    is_other.then(|| local.map_or_else(String::new, |local| format!("{local}@")) + &spelled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_lead_to_each_other() {
        for (letters, coded) in [
            ("müller@exämple.de", "müller@xn--exmple-cua.de"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("例え.テスト", "xn--r8jz45g.xn--zckzah"),
            ("a@пример.испытание", "a@xn--e1afmkfd.xn--80akhbyknj4f"),
            ("straße.example", "xn--strae-oqa.example"),
        ] {
            assert_eq!(other(letters).as_deref(), Some(coded));
            assert_eq!(other(coded).as_deref(), Some(letters));
        }
        assert_eq!(
            other("MÜLLER.example").as_deref(),
            Some("xn--mller-kva.example")
        );
    }

    #[test]
    fn what_has_one_spelling_has_no_other() {
        for text in [
            "alice@example.org",
            "",
            "@",
            "xn--",
            "müller@example.org",
            "xn--99999999999",
        ] {
            assert_eq!(other(text), None, "{text}");
        }
    }
}
