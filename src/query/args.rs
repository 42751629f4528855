//! Args: shell arguments -> query text.
//!
//! The shell takes quotes away, so an argument with blanks is judged by its form:
//! - It is a day with a name (`last week`), also as several arguments (`Nov 24`): a time.
//! - It was copied from a mail or a log: see `pasted.rs`.
//! - It holds query syntax (OR, AND, NOT, a known `field:` behind a blank, a double quote): it is query text, as if typed without quotes.
//! - `field:some words` where the field takes text or a time: the words are one value (`subject:"annual report"`, `since:"2 hours ago"`).
//! - Any other `field:…`: query text; so is `alice@example.org yesterday`, in which no word is one of a reply.
//! - Else it is a phrase, searched as text.
//!
//! Limits: an argument without blanks is query text always; to search for parentheses or quotes, quote them twice.

use super::ast::quoted;
use super::lex::field_name;
use super::pasted::pasted;
use super::{bare, day, fields};
use std::ffi::OsString;

/// Joins arguments to a query text.
#[must_use]
pub fn join<S: AsRef<str>>(args: &[S]) -> String {
    let args: Vec<&str> = args.iter().map(|arg| arg.as_ref().trim()).collect();
    let mut parts = Vec::new();
    let mut rest = args.as_slice();
    while let [arg, others @ ..] = rest {
        if let Some((day, len)) = day_of(rest) {
            parts.push(day);
            rest = rest.get(len..).unwrap_or_default();
            continue;
        }
        parts.push(part(arg));
        rest = others;
    }
    parts.retain(|part| !part.is_empty());
    parts.join(" ")
}

/// Most words of a day: `24 Nov 2026`.
const DAY_WORDS: usize = 3;

/// Returns the day that the words begin with, as a term, and how many words it is.
fn day_of(words: &[&str]) -> Option<(String, usize)> {
    let lengths = (1..=words.len().min(DAY_WORDS)).rev();
    lengths
        .filter_map(|len| Some((words.get(..len)?.join(" "), len)))
        .find(|(day, _)| day.contains(char::is_whitespace) && day::is_named(day))
        .map(|(day, len)| (format!("date:{}", quoted(&day)), len))
}

fn part(arg: &str) -> String {
    let arg = arg.trim();
    if let Some(meant) = pasted(arg) {
        return meant;
    }
    if !arg.contains(char::is_whitespace) || has_syntax(arg) {
        return arg.to_owned();
    }
    if let Some(names) = names(arg) {
        return names;
    }
    let (sign, term) = arg.strip_prefix('-').map_or(("", arg), |term| ("-", term));
    let known = field_name(term).and_then(|name| Some((name, fields::find(name)?)));
    let Some((name, field)) = known else {
        // A regular expression may hold blanks.
        return if is_regex(arg) {
            arg.to_owned()
        } else {
            quoted(arg)
        };
    };
    let value = term.get(name.len() + 1..).unwrap_or_default();
    if !field.kind.takes_blanks() || is_regex(value) {
        let value = pasted(value).filter(|_| !is_regex(value));
        return value.map_or_else(|| arg.to_owned(), |value| format!("{sign}{name}:{value}"));
    }
    let operator = super::ast::Op::ALL
        .into_iter()
        .map(super::ast::Op::text)
        .find(|op| value.starts_with(op))
        .unwrap_or_default();
    let value = value.strip_prefix(operator).unwrap_or(value);
    let value = match value.split_once("..").filter(|_| field.kind.is_ordered()) {
        Some((low, high)) => format!("{}..{}", end(low), end(high)),
        None => quoted(value),
    };
    format!("{sign}{name}:{operator}{value}")
}

/// An open end of a range stays open.
fn end(text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        quoted(text)
    }
}

/// Returns the words as query text if every one is an address, a domain, an id, a network or a day.
fn names(arg: &str) -> Option<String> {
    let words: Vec<&str> = arg.split_whitespace().collect();
    let mut terms = Vec::new();
    let mut rest = words.as_slice();
    while let [word, others @ ..] = rest {
        if let Some((day, len)) = day_of(rest) {
            terms.push(day);
            rest = rest.get(len..).unwrap_or_default();
            continue;
        }
        terms.push(bare::is_name(word).then(|| (*word).to_owned())?);
        rest = others;
    }
    Some(terms.join(" "))
}

fn is_regex(text: &str) -> bool {
    text.len() > 2 && text.starts_with('/') && (text.ends_with('/') || text.ends_with("/i"))
}

fn has_syntax(arg: &str) -> bool {
    let mut words = arg.split_whitespace();
    let first = words.next().unwrap_or_default();
    let is_field = |word: &str| {
        let word = word.trim_start_matches(['(', '-']);
        field_name(word).is_some_and(|name| fields::find(name).is_some())
    };
    let is_keyword = |word: &str| matches!(word.trim_start_matches('('), "OR" | "AND" | "NOT");
    // Of quotes only those count that begin a value.
    let begins_quote = |word: &str| word.starts_with('"') || word.contains(":\"");
    is_keyword(first)
        || begins_quote(first)
        || (first.starts_with('(') && is_field(first))
        || words.any(|word| is_field(word) || is_keyword(word) || begins_quote(word))
}

/// Returns the arguments with each negated term `-field:value` written so that no option parser takes it for a flag.
///
/// The order stays, because OR makes it matter. Known fields count, and names that can be nothing but a mistyped field: a flag has one
/// letter, and a value that begins with a small letter, digits and a colon belongs to no flag of ours. What follows `--` is left alone.
#[must_use]
pub fn protect<I: IntoIterator<Item = OsString>>(args: I) -> Vec<OsString> {
    let mut is_over = false;
    args.into_iter()
        .map(|arg| {
            is_over |= arg == "--";
            match arg.to_str().filter(|_| !is_over).and_then(negated) {
                Some(term) => term.into(),
                None => arg,
            }
        })
        .collect()
}

fn negated(arg: &str) -> Option<String> {
    let term = arg
        .strip_prefix('-')
        .filter(|term| !term.starts_with('-'))?;
    let name = field_name(term)?;
    let is_likely = name.len() > 1
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b == b'_' || b.is_ascii_digit());
    (fields::find(name).is_some() || fields::header(name).is_some() || is_likely)
        .then(|| format!("NOT {}", part(term)))
}
