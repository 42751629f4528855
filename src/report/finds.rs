//! Finds: the `maillog find` command behind a row of a section.
//!
//! Promises: what a log brought becomes a value in quotes, never a word of the query language or of a shell. Where a value has characters
//! that a terminal would obey or hide, there is no command, because it could not be typed.

use crate::check;
use crate::model::table::{Row, Table};
use crate::model::time::{HOUR, Time};
use crate::query::ast;
use crate::render::escape;
use crate::report::span::Span;
use crate::report::usual::Kind;

/// Shorter pieces of a text find too much.
const SHORTEST_PIECE: usize = 8;

/// Returns the command for each row of the section with this name; `context` are further terms that hold for the whole report.
#[must_use]
pub fn finds(section: &str, table: &Table, span: &Span, context: &[String]) -> Vec<Option<String>> {
    let command = |row: Row<'_>| {
        let (terms, options) = terms(section, row, span)?;
        Some(command(&[context, &terms].concat(), &options))
    };
    table.named().map(command).collect()
}

/// Returns the command for what a figure counts; none where no mail is behind it.
#[must_use]
pub fn of_figure(kind: Kind, subject: &str, span: &Span, context: &[String]) -> Option<String> {
    let mut terms = match kind {
        Kind::Delivered => words("status:sent"),
        Kind::Deferrals => words("ever:deferred"),
        Kind::Bounced => words("status:bounced"),
        Kind::Expired => words("status:expired"),
        Kind::Rejected => words("status:refused"),
        Kind::Delay => words("delay:>10s"),
        Kind::Received | Kind::LoginMail => Vec::new(),
        _ => return None,
    };
    if !subject.is_empty() {
        terms.push(match kind {
            Kind::Rejected if subject == "none" => return None,
            Kind::Rejected => term("rule", subject)?,
            Kind::LoginMail => term("user", subject)?,
            Kind::Received => term("host", subject)?,
            _ => domain("to", subject)?,
        });
    }
    Some(command(&[context, &terms].concat(), &span.options()))
}

/// Returns the command line: every word as a shell takes it.
fn command(terms: &[String], options: &str) -> String {
    let mut line = "maillog find".to_owned();
    for term in terms {
        line.push(' ');
        line.push_str(&check::quoted(term));
    }
    line.push(' ');
    line.push_str(options);
    line
}

/// Returns a term with a value that a log brought; none where it cannot be typed.
#[must_use]
pub fn term(field: &str, value: &str) -> Option<String> {
    if value.is_empty() || value.contains(escape::is_harmful) {
        return None;
    }
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-@+/".contains(c);
    let is_word =
        value.chars().all(is_plain) && value.starts_with(|c: char| c.is_ascii_alphanumeric());
    Some(if is_word {
        format!("{field}:{value}")
    } else {
        format!("{field}:{}", ast::quoted(value))
    })
}

/// Returns a term for an address of the domain.
#[must_use]
pub fn domain(field: &str, domain: &str) -> Option<String> {
    let is_plain = |c: char| c.is_alphanumeric() || "._-".contains(c);
    let fits = domain.starts_with(char::is_alphanumeric) && domain.chars().all(is_plain);
    (fits && !domain.contains(escape::is_harmful)).then(|| format!("{field}:@{domain}"))
}

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

/// Returns the terms of a row and the options of its time.
fn terms(section: &str, row: Row<'_>, span: &Span) -> Option<(Vec<String>, String)> {
    let whole = span.options();
    let terms = match section {
        "totals" => total(row.raw("what")?)?,
        "traffic_daily" => return hour_or_day(row.raw("day")?, span),
        "traffic_hourly" => return hour_or_day(row.raw("hour")?, span),
        "domains_to" => vec![domain("to", row.raw("domain")?)?],
        "domains_bounced" => [
            words("status:bounced"),
            vec![domain("to", row.raw("domain")?)?],
        ]
        .concat(),
        "domains_deferred" => [
            words("ever:deferred"),
            vec![domain("to", row.raw("domain")?)?],
        ]
        .concat(),
        "domains_from" => vec![match row.raw("domain")? {
            "<>" => "from:<>".to_owned(),
            name => domain("from", name)?,
        }],
        "senders_count" | "senders_size" => vec![address("from", row.raw("sender")?)?],
        "recipients_count" | "recipients_size" | "smtp_exceptions" => {
            vec![address("to", row.raw("recipient")?)?]
        }
        "mailbox_activity" => vec![address("addr", row.raw("address")?)?],
        "no_size" | "messages" | "queue_now" => vec![term("qid", row.raw("queue_id")?)?],
        // What a mail went through before its outcome has no other field.
        "deferred_detail" => words("ever:deferred"),
        "bounced_detail" => reasoned("status:bounced", row),
        "expired_detail" => reasoned("status:expired", row),
        "rejected_detail" => reasoned("status:refused", row),
        "causes" => cause(row)?,
        "reject_classes" if row.raw("rule") == Some("none") => return None,
        "reject_classes" => [
            words("status:refused"),
            vec![term("rule", row.raw("rule")?)?],
        ]
        .concat(),
        "dnsbl" => [words("rule:dnsbl"), vec![named(row.raw("dnsbl")?)?]].concat(),
        "auth_ok" => vec![term("user", row.raw("user")?)?],
        "greylist" if row.raw("network") == Some("all") => words("rule:greylist"),
        "greylist" => [
            words("rule:greylist"),
            vec![term("client", row.raw("network")?)?],
        ]
        .concat(),
        "tls_in" => vec![term("tls", row.raw("version")?)?],
        // What waited in the past cannot be searched: the outcome is known by now.
        "qshape" if span.is_open => queue(row.raw("domain")?)?,
        "held_detail" if row.raw("what") == Some("message held") => words("status:held"),
        "discarded_detail" if row.raw("what") == Some("message discarded") => {
            words("status:discarded")
        }
        _ => return None,
    };
    Some((terms, whole))
}

fn total(what: &str) -> Option<Vec<String>> {
    Some(words(match what {
        "delivered" => "status:sent",
        "forwarded" => "status:forwarded",
        "deferred" | "deferrals" => "ever:deferred",
        "bounced" => "status:bounced",
        "expired" => "status:expired",
        "held" => "status:held",
        "discarded" => "status:discarded",
        "deleted" => "status:deleted",
        "rejected" => "status:refused",
        _ => return None,
    }))
}

fn queue(domain: &str) -> Option<Vec<String>> {
    Some(match domain {
        "TOTAL" => words("status:deferred,held"),
        domain => [
            words("status:deferred,held"),
            vec![self::domain("to", domain)?],
        ]
        .concat(),
    })
}

/// The provider is the end of the relay's name, or the recipient's domain. The cause of a mail that was delivered later is not its own any
/// more.
fn cause(row: Row<'_>) -> Option<Vec<String>> {
    let provider = row.raw("provider")?;
    let to = domain("to", provider)?;
    let failed = "ever:deferred,bounced,expired".to_owned();
    Some(match provider {
        "yahoo.com" => vec![failed, "relay:*.yahoodns.net".to_owned()],
        _ => vec![failed, format!("({to} OR relay:*{provider})")],
    })
}

/// Failures of a relay for a reason, as far as both can be typed.
fn reasoned(what: &str, row: Row<'_>) -> Vec<String> {
    let mut terms = words(what);
    let relay = row.raw("relay").or(row.raw("relay_name"));
    let is_name = |relay: &&str| !matches!(*relay, "none" | "local" | "virtual");
    terms.extend(relay.filter(is_name).and_then(|relay| term("relay", relay)));
    let rule = row.raw("rule").filter(|rule| *rule != "none");
    terms.extend(rule.and_then(|rule| term("rule", rule)));
    terms.extend(row.raw("reason").and_then(text));
    terms
}

/// Returns a term for the longest piece of a reason that stands in the log as it is: between what is masked.
fn text(reason: &str) -> Option<String> {
    let is_cut = |c: char| escape::is_harmful(c);
    let pieces = reason.split("<...>").flat_map(|piece| piece.split(is_cut));
    let piece = pieces.map(str::trim).max_by_key(|piece| piece.len())?;
    (piece.len() >= SHORTEST_PIECE).then(|| format!("text:{}", ast::quoted(piece)))
}

/// Returns a term for a name within the text of a reply.
fn named(name: &str) -> Option<String> {
    let is_typed = !name.is_empty() && !name.contains(escape::is_harmful);
    is_typed.then(|| format!("text:{}", ast::quoted(name)))
}

fn address(field: &str, address: &str) -> Option<String> {
    match address {
        "<>" => Some(format!("{field}:<>")),
        address => term(field, address),
    }
}

/// A day, or an hour of one, as `traffic_daily` and `traffic_hourly` print them; none for an hour of an average day.
fn hour_or_day(text: &str, span: &Span) -> Option<(Vec<String>, String)> {
    let wall = |text: &str, format: &str| chrono::NaiveDateTime::parse_from_str(text, format).ok();
    let (start, length) = if let Some(hour) = wall(text, "%Y-%m-%d %H:%M") {
        (span.zone.instant(hour), HOUR)
    } else {
        let day = wall(&format!("{text} 00:00"), "%Y-%m-%d %H:%M")?;
        let next = day.checked_add_days(chrono::Days::new(1))?;
        let start = span.zone.instant(day);
        (start, span.zone.instant(next).since(start))
    };
    let part = Span {
        since: Time(start.0.max(span.since.0)),
        until: Time(start.0.saturating_add(length).min(span.last().0)),
        is_open: false,
        ..*span
    };
    (part.since < part.until).then(|| (Vec::new(), part.options()))
}

/// Returns the terms that hold for the whole report.
#[must_use]
pub fn context(domain: &str, host: &str, instance: &str) -> Vec<String> {
    let of_domain = match domain {
        "" => None,
        name => Some(self::domain("addr", name)),
    };
    let of = |field: &str, value: &str| (!value.is_empty()).then(|| term(field, value)).flatten();
    of_domain
        .flatten()
        .into_iter()
        .chain(of("host", host))
        .chain(of("instance", instance))
        .collect()
}
