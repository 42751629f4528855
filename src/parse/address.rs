//! Addresses between `<` and `>`, of which outsiders choose every byte (grammar 3.2 and 9.2.4).
//!
//! Postfix: `global/info_log_addr_form.c`, `global/quote_822_local.c`. Since 3.5 a local part that is no
//! dot-string is quoted as a whole; before, and with `internal`, nothing is. A quote opens only where such a
//! local part can begin: elsewhere it is an ordinary character, or a remote server could close it.

use memchr::memchr;

/// All places where an address can end, from the left.
#[derive(Debug, Clone)]
pub(super) struct Ends<'a> {
    text: &'a str,
    from: usize,
}

impl<'a> Iterator for Ends<'a> {
    type Item = (&'a str, &'a str);

    /// Returns the address and what follows its `>`.
    fn next(&mut self) -> Option<Self::Item> {
        let found = memchr(b'>', self.text.as_bytes().get(self.from..)?)?;
        let end = self.from + found;
        self.from = end + 1;
        Some((self.text.get(..end)?, self.text.get(self.from..)?))
    }
}

/// Returns the ends of the address that the text begins with; none lies inside its quoted local part.
pub(super) fn ends(text: &str) -> Ends<'_> {
    Ends {
        text,
        from: quoted(text).unwrap_or(0),
    }
}

/// Returns the ends of the address without regard to quotes.
pub(super) fn unquoted_ends(text: &str) -> Ends<'_> {
    Ends { text, from: 0 }
}

/// Returns the length of the quoted local part, source route included, that the text begins with.
pub(super) fn quoted(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let open = match bytes.first()? {
        b'"' => 0,
        b'@' => source_route(bytes)?,
        _ => return None,
    };
    let mut at = open + 1;
    loop {
        match bytes.get(at)? {
            b'\\' => at += 2,
            b'"' => break,
            _ => at += 1,
        }
    }
    matches!(bytes.get(at + 1)?, b'@' | b'>').then_some(at + 1)
}

/// Returns the length of `@a,@b:` in front of a quoted local part.
fn source_route(bytes: &[u8]) -> Option<usize> {
    let end = bytes
        .iter()
        .position(|byte| matches!(byte, b':' | b'"' | b'<' | b'>' | b' '))?;
    (bytes.get(end..end + 2)? == b":\"").then_some(end + 1)
}

/// Takes one address and its `>` as reject lines hold it: quoted, or without quotes and angle brackets.
pub(super) fn strict(text: &str) -> Option<(&str, &str)> {
    if let Some(local) = quoted(text) {
        let domain = text.get(local..)?;
        let end = domain
            .bytes()
            .position(|byte| matches!(byte, b'"' | b'<' | b'>' | b' '))?;
        let rest = domain.get(end..)?.strip_prefix('>')?;
        return Some((text.get(..local + end)?, rest));
    }
    let end = text
        .bytes()
        .position(|byte| matches!(byte, b'"' | b'<' | b'>'))?;
    Some((text.get(..end)?, text.get(end..)?.strip_prefix('>')?))
}

/// Returns whether the address ends in something that can be a domain: a host name or an address literal.
pub(super) fn has_plausible_domain(address: &str) -> bool {
    let Some((_, domain)) = address.rsplit_once('@') else {
        return false;
    };
    let literal = domain.starts_with('[') && domain.ends_with(']');
    !domain.is_empty()
        && domain.bytes().all(|byte| {
            byte.is_ascii_alphanumeric()
                || matches!(byte, b'.' | b'-' | b'_')
                || !byte.is_ascii()
                || literal && matches!(byte, b'[' | b']' | b':')
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(text: &str) -> Option<&str> {
        ends(text).next().map(|(address, _)| address)
    }

    #[test]
    fn no_end_lies_inside_a_quoted_local_part() {
        assert_eq!(first("joe@example.com>, x"), Some("joe@example.com"));
        assert_eq!(
            first("\"a>b\"@example.com>, x"),
            Some("\"a>b\"@example.com")
        );
        assert_eq!(
            first("\"a\\\">b\"@example.com>"),
            Some("\"a\\\">b\"@example.com")
        );
        assert_eq!(first("\"root>\">"), Some("\"root>\""));
        assert_eq!(
            first("@a.example:\"x>y\"@b.example>"),
            Some("@a.example:\"x>y\"@b.example")
        );
    }

    #[test]
    fn a_quote_elsewhere_is_an_ordinary_character() {
        assert_eq!(first("a\"b@example.com> \"x\">"), Some("a\"b@example.com"));
        assert_eq!(first("\"a@example.com> \" x>"), Some("\"a@example.com"));
        assert_eq!(first("\"a"), None);
        assert_eq!(first("\"a\\"), None);
    }

    #[test]
    fn a_strict_address_has_no_brackets_outside_quotes() {
        assert_eq!(strict("> x"), Some(("", " x")));
        assert_eq!(
            strict("name with spaces@example.org> x"),
            Some(("name with spaces@example.org", " x"))
        );
        assert_eq!(
            strict("\"<>\"@example.org>"),
            Some(("\"<>\"@example.org", ""))
        );
        assert_eq!(strict("a<b@example.org>"), None);
        assert_eq!(strict("\"a\"@exa mple.org>"), None);
    }
}
