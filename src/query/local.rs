//! Local: addresses whose local part needs quotes or looks like something else, as the log shows them and as people type them.
//!
//! Since 3.5 Postfix logs `"john smith"@example.org` with the quotes, before (and with `info_log_address_format = internal`) without. So
//! both spellings are looked for. A local part may begin with a slash (`/C=DE/S=Meier/@x400.example.org`), as a regular expression does:
//! behind the last slash of an address stands an @.

use super::domain::is_domain;

/// Returns the length of the quoted local part that the text begins with; what follows it is `@` and a domain.
pub(super) fn quoted(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    if bytes.first() != Some(&b'"') {
        return None;
    }
    let mut at = 1;
    loop {
        match bytes.get(at)? {
            b'\\' => at += 2,
            b'"' => break,
            _ => at += 1,
        }
    }
    let domain = text.get(at + 1..)?.strip_prefix('@')?;
    let is_domain = domain.starts_with(|c: char| c.is_alphanumeric() || "[*?".contains(c));
    is_domain.then_some(at + 1)
}

/// Returns the length of the quoted local part of `"a b"@c` or `<"a b"@c>`, bracket included; nothing in it is a wildcard.
pub(super) fn quoted_part(word: &str) -> usize {
    let inside = word.strip_prefix('<').unwrap_or(word);
    quoted(inside).map_or(0, |len| len + word.len() - inside.len())
}

/// Returns whether all of the text is `"a b"@c` or `<"a b"@c>`.
pub(super) fn is_quoted_address(text: &str) -> bool {
    let inside = text.strip_prefix('<').and_then(|t| t.strip_suffix('>'));
    let inside = inside.unwrap_or(text);
    let domain = quoted(inside).and_then(|len| inside.get(len + 1..));
    domain.is_some_and(is_domain)
}

/// Returns the length of the address that the text begins with, where it begins with a slash but is no regular expression.
pub(super) fn slashed(text: &str) -> Option<usize> {
    let is_end = |c: char| c.is_whitespace() || matches!(c, '(' | ')' | ',' | '"');
    let word = text.split(is_end).next()?;
    let slashes: Vec<usize> = slashes(word).collect();
    let last = *slashes.last()?;
    let (_, domain) = word.get(last + 1..)?.split_once('@')?;
    // With one slash only it may be the beginning of an expression that holds blanks.
    let is_alone = slashes.len() > 1 || slashes_from(text, word.len()).next().is_none();
    (is_alone && is_domain(domain)).then_some(word.len())
}

/// Places of slashes that no backslash stands before.
fn slashes(text: &str) -> impl Iterator<Item = usize> {
    slashes_from(text, 0)
}

fn slashes_from(text: &str, from: usize) -> impl Iterator<Item = usize> {
    let found = text.match_indices('/').map(|(at, _)| at);
    found.filter(move |at| *at >= from && !text.get(..*at).is_some_and(|t| t.ends_with('\\')))
}

/// Returns the other spelling of an address: without the quotes of its local part, or with quotes where they are needed.
pub(super) fn other(address: &str) -> Option<String> {
    if let Some(len) = quoted(address) {
        let local = address.get(1..len - 1)?;
        let mut plain = String::with_capacity(address.len());
        let mut chars = local.chars();
        while let Some(c) = chars.next() {
            plain.push(if c == '\\' { chars.next()? } else { c });
        }
        plain.push_str(address.get(len..)?);
        return Some(plain);
    }
    let (local, domain) = address.rsplit_once('@')?;
    if local.is_empty() || domain.is_empty() || local.contains('"') || is_dot_string(local) {
        return None;
    }
    Some(format!("\"{}\"@{domain}", local.replace('\\', "\\\\")))
}

/// Returns whether the local part is logged without quotes: atoms with single dots between.
fn is_dot_string(local: &str) -> bool {
    let is_atom =
        |c: char| !c.is_ascii() || c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c);
    local
        .split('.')
        .all(|atom| !atom.is_empty() && atom.chars().all(is_atom))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_of_a_local_part() {
        for (address, spelled) in [
            ("\"john smith\"@example.org", Some("john smith@example.org")),
            ("john smith@example.org", Some("\"john smith\"@example.org")),
            ("a,b@example.org", Some("\"a,b\"@example.org")),
            ("a..b@example.org", Some("\"a..b\"@example.org")),
            ("\"a\\\"b\"@example.org", Some("a\"b@example.org")),
            ("\"a@b\"@example.org", Some("a@b@example.org")),
            ("a.b+c=d/e@example.org", None),
            ("jörg@example.org", None),
            ("@example.org", None),
            ("john smith", None),
            ("", None),
        ] {
            assert_eq!(other(address).as_deref(), spelled, "{address}");
        }
    }

    #[test]
    fn an_address_with_slashes_is_no_regular_expression() {
        let x400 = "/C=DE/A=DBP/P=X/S=Meier/@x400.example.org";
        for (text, len) in [
            (x400, Some(x400.len())),
            (&format!("{x400},b"), Some(x400.len())),
            ("/S=Meier/G=Jo@example.org status:sent", Some(25)),
            ("/null@example.org", Some(17)),
            ("/null@example.org x/", None),
            ("/user@example/", None),
            ("/a@example.org/i", None),
            ("/a\\/b@example.org c/", None),
            ("/over ?quota/", None),
            ("/a/", None),
            ("/", None),
        ] {
            assert_eq!(slashed(text), len, "{text}");
        }
    }
}
