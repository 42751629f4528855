//! Within: the address that another one was made of by SRS, BATV or VERP.
//!
//! | form | address within |
//! |---|---|
//! | `SRS0=HHH=TT=example.net=ann@fwd.example.org` (also `SRS0+`, `SRS0-`, in small letters) | `ann@example.net` |
//! | `SRS1=HHH=first.example==HHH=TT=example.net=ann@second.example` | `ann@example.net` |
//! | `bob+SRS=HHH=TT=example.net=ann@fwd.example.org` (Exchange Online) | `ann@example.net` |
//! | `prvs=1234567890=ann@example.net`, `prvs=ann/1234567890@…`, `btv1==HHH==ann@…`, `msprvs1=HHH=ann@…` | `ann@example.net` |
//! | `list-return-12-alice=example.net@lists.example.org`, `list-bounces+alice=example.net@…`, `bounces+123-ab-alice=example.net@…` | the base: `list-return@lists.example.org` |
//!
//! Of VERP the sender's own part is taken, for it is who sent; [`carried`] is the recipient whose address stands in it.
//! Limits: an opaque local part is not guessed, and what was rewritten more than [`DEEPEST`] times is not read.

/// An address is rewritten by each host that forwards it; a longer chain is made up.
const DEEPEST: usize = 4;

/// Returns the address within; none where the address is an ordinary one.
#[must_use]
pub fn of(address: &str) -> Option<String> {
    // Nearly all addresses end here.
    if !address.contains('=') {
        return None;
    }
    let mailbox = mailbox(address);
    let (local, domain) = mailbox.as_deref().unwrap_or(address).rsplit_once('@')?;
    let base = verp(local).map(|(base, _)| format!("{base}@{domain}"));
    base.or(mailbox)
}

/// Returns the mailbox behind SRS or BATV; none of VERP, whose address names two people.
#[must_use]
pub fn mailbox(address: &str) -> Option<String> {
    let mut found: Option<String> = None;
    for _ in 0..DEEPEST {
        let outer = found.as_deref().unwrap_or(address);
        match rewritten(outer) {
            Some(inner) => found = Some(inner),
            None => break,
        }
    }
    found
}

/// Returns the recipient that a VERP address carries: `alice@example.net` of `list-return-12-alice=example.net@lists.example.org`.
///
/// Where the local part has more before the recipient, as in `bounces+123-ab-alice=example.net`, that stays in front of it.
#[must_use]
pub fn carried(address: &str) -> Option<String> {
    let (local, _) = address.rsplit_once('@')?;
    let (_, inner) = verp(local)?;
    let (name, domain) = inner.rsplit_once('=')?;
    Some(format!("{name}@{domain}"))
}

fn rewritten(address: &str) -> Option<String> {
    let (local, domain) = address.rsplit_once('@')?;
    srs(local).or_else(|| batv(local, domain))
}

/// Takes a prefix off in any case of letters.
fn after<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

fn is_separator(c: char) -> bool {
    matches!(c, '=' | '+' | '-')
}

fn srs(local: &str) -> Option<String> {
    if let Some(rest) = after(local, "SRS0") {
        return srs0(rest.strip_prefix(is_separator)?);
    }
    if let Some(rest) = after(local, "SRS1") {
        let (_, rest) = rest.strip_prefix(is_separator)?.split_once('=')?;
        let (first, rest) = rest.split_once('=')?;
        return srs0(rest.strip_prefix(is_separator)?).filter(|_| is_domain(first));
    }
    // `bob+SRS=…`: the mailbox that forwards stands in front.
    let at = local.to_ascii_lowercase().find("+srs=")?;
    srs0(local.get(at + "+srs=".len()..)?)
}

/// Reads `HHH=TT=example.net=ann`.
fn srs0(rest: &str) -> Option<String> {
    let mut parts = rest.splitn(4, '=');
    let (hash, stamp) = (parts.next()?, parts.next()?);
    let (domain, local) = (parts.next()?, parts.next()?);
    let is_whole = !hash.is_empty() && !stamp.is_empty() && !local.is_empty();
    (is_whole && is_domain(domain)).then(|| format!("{local}@{domain}"))
}

fn batv(local: &str, domain: &str) -> Option<String> {
    let inner = if let Some(rest) = after(local, "prvs=") {
        match rest.split_once('=') {
            Some((tag, inner)) if is_tag(tag) => inner,
            Some((inner, tag)) if is_tag(tag) => inner,
            // An early draft.
            _ => rest.split_once('/').filter(|(_, tag)| is_tag(tag))?.0,
        }
    } else if let Some(rest) = after(local, "btv1==") {
        rest.split_once("==")?.1
    } else {
        after(local, "msprvs1=")?.split_once('=')?.1
    };
    (!inner.is_empty()).then(|| format!("{inner}@{domain}"))
}

/// The tag of BATV: a number of the key, three digits of the day, the end of a hash.
fn is_tag(text: &str) -> bool {
    (6..=16).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_hexdigit())
        && text.bytes().any(|b| b.is_ascii_digit())
}

/// Words that end the base of a VERP address where no plus does.
const ENDS: [&str; 8] = [
    "return", "returns", "bounce", "bounces", "errors", "owner", "verp", "request",
];

/// Returns base and recipient of `base+alice=example.net` or `list-return-12-alice=example.net`.
fn verp(local: &str) -> Option<(&str, &str)> {
    let (_, domain) = local.rsplit_once('=')?;
    if !is_domain(domain) {
        return None;
    }
    if let Some((base, inner)) = local.split_once('+') {
        let is_whole = !base.is_empty() && !base.contains('=') && !inner.starts_with('=');
        return is_whole.then_some((base, inner));
    }
    let end = end_of_base(local)?;
    let (base, rest) = local.split_at_checked(end)?;
    // ezmlm has the number of the message in between.
    let mut inner = rest.strip_prefix('-')?;
    while let Some((number, more)) = inner.split_once('-')
        && number.bytes().all(|b| b.is_ascii_digit())
    {
        inner = more;
    }
    (!inner.starts_with('=')).then_some((base, inner))
}

/// Returns the place behind the word that ends the base: the first one with a number behind it, else the first.
fn end_of_base(local: &str) -> Option<usize> {
    let before = local.split('=').next()?;
    let mut first = None;
    let mut at = 0;
    let mut parts = before.split('-').peekable();
    while let Some(part) = parts.next() {
        let end = at + part.len();
        let is_end = ENDS.iter().any(|word| word.eq_ignore_ascii_case(part));
        // `owner-list` is a base that begins so.
        if is_end && !(at == 0 && part.eq_ignore_ascii_case("owner")) {
            let is_number =
                |next: &&str| !next.is_empty() && next.bytes().all(|b| b.is_ascii_digit());
            if parts.peek().is_some_and(is_number) {
                return Some(end);
            }
            first = first.or(Some(end));
        }
        at = end + 1;
    }
    first
}

/// Labels with a dot between them, the last one of letters.
fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label
                .chars()
                .all(|c| c.is_alphanumeric() || c == '-' || c == '_')
    };
    text.rsplit_once('.').is_some_and(|(_, top)| {
        top.chars().count() >= 2
            && (top.chars().all(char::is_alphabetic) || top.starts_with("xn--"))
    }) && text.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn srs_of_every_kind() {
        for (address, within) in [
            (
                "SRS0=xK3d=Xv=example.net=ann@fwd.example.org",
                Some("ann@example.net"),
            ),
            (
                "srs0=xk3d=xv=example.net=ann@fwd.example.org",
                Some("ann@example.net"),
            ),
            (
                "SRS0+xK3d=Xv=example.net=ann@fwd.example.org",
                Some("ann@example.net"),
            ),
            (
                "SRS0-xK3d=Xv=example.net=ann@fwd.example.org",
                Some("ann@example.net"),
            ),
            (
                "SRS0=x/+d=Xv=example.net=ann+tag=1@fwd.example.org",
                Some("ann+tag=1@example.net"),
            ),
            (
                "SRS1=HHH=first.example==xK3d=Xv=example.net=ann@second.example",
                Some("ann@example.net"),
            ),
            (
                "SRS1=HHH=first.example=+xK3d=Xv=example.net=ann@second.example",
                Some("ann@example.net"),
            ),
            (
                "srs1-hhh=first.example=-xk3d=xv=example.net=ann@second.example",
                Some("ann@example.net"),
            ),
            (
                "bob+SRS=ab1c2=XY=example.net=ann@fwd.example.org",
                Some("ann@example.net"),
            ),
            (
                "SRS0=a=b=fwd.example=SRS0=xK3d=Xv=example.net=ann@other.example",
                Some("ann@example.net"),
            ),
            (
                "SRS0=a=b=example.net=prvs=1234567890=ann@fwd.example.org",
                Some("ann@example.net"),
            ),
            ("SRS0=xK3d=Xv=example.net=@fwd.example.org", None),
            ("SRS0=xK3d=Xv=examplenet=ann@fwd.example.org", None),
            ("SRS0=xK3d=ann@fwd.example.org", None),
            ("SRS0@fwd.example.org", None),
            ("SRS1=HHH=first.example=xK3d@second.example", None),
            ("bounces+SRS=44ldt=IX@fwd.example.org", None),
            ("srs0ann@example.net", None),
        ] {
            assert_eq!(of(address).as_deref(), within, "{address}");
        }
    }

    #[test]
    fn batv_of_every_kind() {
        for (address, within) in [
            ("prvs=1234567890=ann@example.net", Some("ann@example.net")),
            (
                "PRVS=31234abcde=ann=x@example.net",
                Some("ann=x@example.net"),
            ),
            ("prvs=ann=1234abcdef@example.net", Some("ann@example.net")),
            ("prvs=ann/1234abcdef@example.net", Some("ann@example.net")),
            ("btv1==0123abcd==ann@example.net", Some("ann@example.net")),
            (
                "msprvs1=17495aBcDeF=bounces-123@example.net",
                Some("bounces-123@example.net"),
            ),
            ("prvs=ann@example.net", None),
            ("prvs=12345678=@example.net", None),
            ("btv1=x=ann@example.net", None),
            ("ann@example.net", None),
            ("ann", None),
            ("", None),
            ("=@=", None),
        ] {
            assert_eq!(of(address).as_deref(), within, "{address}");
        }
    }

    #[test]
    fn verp_is_its_base_and_carries_a_recipient() {
        for (address, base, recipient) in [
            (
                "list-return-12-alice=example.net@lists.example.org",
                Some("list-return@lists.example.org"),
                Some("alice@example.net"),
            ),
            (
                "list-bounces+alice=example.net@lists.example.org",
                Some("list-bounces@lists.example.org"),
                Some("alice@example.net"),
            ),
            (
                "bounces+123-abcd-alice=example.net@em.example",
                Some("bounces@em.example"),
                Some("123-abcd-alice@example.net"),
            ),
            (
                "owner-list+alice=x=mail.example.net@lists.example.org",
                Some("owner-list@lists.example.org"),
                Some("alice=x@mail.example.net"),
            ),
            (
                "my-return-list-return-7-a-b=example.net@lists.example.org",
                Some("my-return-list-return@lists.example.org"),
                Some("a-b@example.net"),
            ),
            (
                "list-return-12-jo-bounce-x=example.net@lists.example.org",
                Some("list-return@lists.example.org"),
                Some("jo-bounce-x@example.net"),
            ),
            ("owner-list-alice=example.net@lists.example.org", None, None),
            (
                "list-owner-alice=example.net@lists.example.org",
                Some("list-owner@lists.example.org"),
                Some("alice@example.net"),
            ),
            ("news-7-alice=example.net@lists.example.org", None, None),
            ("0102018f-abcd-000000@mail.example", None, None),
            ("alice=example.net@example.org", None, None),
            (
                "list-return-12-alice=examplenet@lists.example.org",
                None,
                None,
            ),
            ("a+b=c@example.org", None, None),
            ("+a=example.net@example.org", None, None),
        ] {
            assert_eq!(of(address).as_deref(), base, "{address}");
            assert_eq!(carried(address).as_deref(), recipient, "{address}");
        }
    }
}
