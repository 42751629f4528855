//! Label: text of the log as the value of a label. What does not look like a word of Postfix becomes `other`.

/// For what is unknown, odd, or one too many.
pub const OTHER: &str = "other";

/// Longest value.
const LONGEST: usize = 48;

/// Returns a word that needs no escaping: letters, digits and a few signs; else `other`.
#[must_use]
pub fn word(text: &str) -> &str {
    let is_plain = |b: u8| {
        b.is_ascii_alphanumeric()
            || matches!(
                b,
                b' ' | b'-' | b'_' | b'.' | b'/' | b'+' | b':' | b'(' | b')'
            )
    };
    if text.len() <= LONGEST && text.bytes().all(is_plain) {
        text
    } else {
        OTHER
    }
}

/// Returns an enhanced status code, else `other`; empty stays empty.
#[must_use]
pub fn dsn(text: &str) -> &str {
    let mut parts = text.split('.');
    let is_code = matches!(parts.next(), Some("2" | "4" | "5"))
        && parts
            .by_ref()
            .take(2)
            .filter(|part| {
                (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit())
            })
            .count()
            == 2
        && parts.next().is_none();
    if is_code || text.is_empty() {
        text
    } else {
        OTHER
    }
}

/// SASL mechanisms that servers offer (IANA, Cyrus, Dovecot).
const METHODS: [&str; 22] = [
    "PLAIN",
    "LOGIN",
    "CRAM-MD5",
    "DIGEST-MD5",
    "NTLM",
    "GSSAPI",
    "GSS-SPNEGO",
    "EXTERNAL",
    "ANONYMOUS",
    "OTP",
    "SKEY",
    "SRP",
    "XOAUTH2",
    "OAUTHBEARER",
    "APOP",
    "RPA",
    "SCRAM-SHA-1",
    "SCRAM-SHA-1-PLUS",
    "SCRAM-SHA-256",
    "SCRAM-SHA-256-PLUS",
    "SCRAM-SHA-512",
    "SCRAM-SHA-512-PLUS",
];

/// Returns a SASL mechanism in its own spelling, else `other`: clients send what they like. Empty stays empty.
#[must_use]
pub fn method(text: &str) -> &'static str {
    if text.is_empty() {
        return "";
    }
    let known = METHODS
        .iter()
        .find(|known| known.eq_ignore_ascii_case(text));
    known.copied().unwrap_or(OTHER)
}

/// Returns the path that a log file has before it is rotated: `/var/log/mail.log` for `/var/log/mail.log.2.gz`.
#[must_use]
pub fn source(name: &str) -> &str {
    let mut path = name;
    for ending in [".gz", ".bz2", ".xz", ".zst"] {
        path = path.strip_suffix(ending).unwrap_or(path);
    }
    // `mail.log.1`, `mail.log-20261118`, `mail.log-1763683200`.
    if let Some(at) = path.rfind(['.', '-'])
        && let (stem, number) = path.split_at(at)
        && number.len() > 1
        && number.bytes().skip(1).all(|b| b.is_ascii_digit())
        && stem.len() > 1
    {
        path = stem;
    }
    word(path)
}

/// Joins names and values as Prometheus writes them.
#[must_use]
pub fn join(pairs: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (name, value) in pairs {
        if !text.is_empty() {
            text.push(',');
        }
        text.push_str(name);
        text.push_str("=\"");
        text.push_str(value);
        text.push('"');
    }
    text
}

/// Tells whether [`join`] makes this text of the pairs.
#[must_use]
pub fn is_join(text: &str, pairs: &[(&str, &str)]) -> bool {
    let mut rest = Some(text);
    for (at, (name, value)) in pairs.iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        for part in [comma, name, "=\"", value, "\""] {
            rest = rest.and_then(|rest| rest.strip_prefix(part));
        }
    }
    rest == Some("")
}

/// Reads what [`join`] wrote.
#[must_use]
pub fn split(labels: &str) -> Vec<(&str, &str)> {
    let parts = labels.split("\",").filter(|part| !part.is_empty());
    parts
        .filter_map(|part| {
            let (name, value) = part.split_once("=\"")?;
            Some((name, value.strip_suffix('"').unwrap_or(value)))
        })
        .collect()
}
