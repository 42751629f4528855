//! Host: names that stand where the host does and cannot be one.
//!
//! Limits: a real host may be called `mail`, `news` or `info`. Facilities are words that hosts are named by, so they are
//! odd only together with a severity; severities are odd alone.

/// What a name is instead of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Odd {
    /// `INFO`, `mail.warning`, `<22>`.
    Severity,
    /// `Nov`, `Tue`, `2026`, `10:20:11`.
    Time,
    /// `1234`, `[1234]`.
    Number,
    /// `postfix/smtpd[1234]:`, `stdout`.
    Program,
    /// Signs that no name has.
    Sign,
}

const SEVERITIES: [&str; 17] = [
    "emerg",
    "emergency",
    "panic",
    "alert",
    "crit",
    "critical",
    "err",
    "error",
    "fatal",
    "warn",
    "warning",
    "notice",
    "info",
    "informational",
    "debug",
    "trace",
    "verbose",
];

const FACILITIES: [&str; 12] = [
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv",
    "ftp",
];

const DATES: [&str; 19] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec", "Mon",
    "Tue", "Wed", "Thu", "Fri", "Sat", "Sun",
];

/// Returns what the name is, when it cannot be that of a host. The empty one is none.
#[must_use]
pub fn odd(host: &str) -> Option<Odd> {
    if host.is_empty() {
        return None;
    }
    if is_severity(host.trim_matches(['[', ']', '<', '>', '(', ')', ':', ','])) {
        return Some(Odd::Severity);
    }
    if DATES.contains(&host.trim_end_matches(',')) || is_time(host) {
        return Some(Odd::Time);
    }
    let digits = host.trim_start_matches(['[', '<', '#']);
    let digits = digits.trim_end_matches([']', '>', ':']);
    // A container's id may consist of digits alone; it has twelve.
    if !digits.is_empty() && digits.len() < 12 && digits.bytes().all(|b| b.is_ascii_digit()) {
        return Some(if host.starts_with('<') {
            Odd::Severity
        } else {
            Odd::Number
        });
    }
    if is_program(host) {
        return Some(Odd::Program);
    }
    // Relays write host/relay, source@host and host~relay.
    let is_fit = |c: char| {
        c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '%' | '/' | '@' | '~' | '+')
    };
    let is_name = host.chars().all(is_fit) && !host.ends_with(':') || is_bracketed_address(host);
    (!is_name).then_some(Odd::Sign)
}

/// `info`, `mail.info`, `mail:info`, `mail/warning`, `local0.err`.
fn is_severity(word: &str) -> bool {
    let is = |word: &str| SEVERITIES.iter().any(|s| s.eq_ignore_ascii_case(word));
    let is_facility = |word: &str| {
        FACILITIES.iter().any(|f| f.eq_ignore_ascii_case(word))
            || word
                .strip_prefix("local")
                .is_some_and(|rest| matches!(rest.as_bytes(), [b'0'..=b'7']))
    };
    let parts = word.split_once(['.', ':', '/', '|']);
    is(word) || parts.is_some_and(|(facility, severity)| is_facility(facility) && is(severity))
}

/// `10:20:11`, `10:20:11.5`, `2026-11-24`, `2026-11-24T10:20:11Z`.
fn is_time(word: &str) -> bool {
    let shape: String = word
        .chars()
        .take(10)
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    let is_clock = |shape: &str| matches!(shape.get(..8), Some("00:00:00"));
    // An IPv6 address of such groups has more of them.
    (is_clock(&shape) && word.matches(':').count() == 2) || shape == "0000-00-00"
}

fn is_program(word: &str) -> bool {
    let is_tag = word.contains('[') && !word.starts_with('[') && word.contains(']');
    is_tag
        || word.starts_with("postfix/")
        || word.starts_with("postfix-") && word.ends_with(':')
        || matches!(word, "stdout" | "stderr" | "-")
}

fn is_bracketed_address(host: &str) -> bool {
    let inner = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
    inner.is_some_and(|inner| inner.parse::<std::net::IpAddr>().is_ok())
}
