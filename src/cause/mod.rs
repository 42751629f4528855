//! Cause: why a mail was not delivered or not taken, in one word of a fixed list.
//!
//! The list with its advice is `causes.toml`, the words that tell causes apart are `patterns.txt`; both are data.
//! Evidence is weighed in this order: the words of the reply, the enhanced status code and the reply code, the
//! class of our own refusal (`Policy::rule`), the codes that say little. What nothing tells is `other`; nothing
//! is guessed from the fate of the mail.
//!
//! Replies quote what strangers choose: addresses, HELO names, host names. `mask` hides them before any word is
//! compared, so a recipient called `<mailbox full@example.org>` is not why a mail was refused. Matching is linear in
//! the length of the text, and like texts are judged once.
//!
//! Limits: a name that the other side repeats without quotes, brackets or domain is read as its own words. A remote
//! server may lie; the text itself is stored beside the cause.
//!
//! | file | duty |
//! |---|---|
//! | `mask` | a reply without what is variable in it |
//! | `pattern` | `patterns.txt`: which words mean which cause |
//! | `code` | what codes and classes of rules mean |
//! | `list` | the names of causes and block lists |

mod code;
mod list;
mod mask;
mod pattern;
#[cfg(test)]
mod tests;

pub use list::{Cause, OTHER, all, meant, named};

use hashbrown::HashMap;

/// Templates remembered; then all are forgotten, for only a flood of made-up texts has so many.
const MAX_KNOWN: usize = 4096;

/// What is known of an attempt that failed, or of a refusal.
#[derive(Debug, Clone, Copy, Default)]
pub struct Evidence<'a> {
    /// The text, as logged.
    pub reason: &'a str,
    /// Enhanced status code.
    pub dsn: Option<&'a str>,
    /// Class of the rule by which we refused.
    pub rule: Option<&'a str>,
    /// Block list that is known already.
    pub dnsbl: Option<&'a str>,
}

/// What the evidence says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finding<'a> {
    /// Name of the cause, one of [`all`].
    pub cause: &'static str,
    /// The block list, where the cause is one and it is named: a domain.
    pub dnsbl: Option<&'a str>,
}

/// Finds causes, and remembers what it found for texts that are alike.
#[derive(Debug, Clone, Default)]
pub struct Causes {
    known: HashMap<String, Judgement>,
    template: String,
}

/// What a template says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Judgement {
    cause: &'static str,
    dnsbl: Option<&'static str>,
}

impl Causes {
    /// Returns the cause.
    pub fn find<'a>(&mut self, evidence: &Evidence<'a>) -> Finding<'a> {
        if let Some(cause) = evidence.rule.and_then(code::of_plain_rule) {
            let dnsbl = evidence.dnsbl;
            return Finding { cause, dnsbl };
        }
        let said = said(evidence.reason);
        self.template.clear();
        mask::mask(said.text, &mut self.template);
        let length = self.template.len();
        // The same words may come with other codes, from them or from us.
        let is_ours = evidence.rule.is_some() || !said.is_reply;
        self.template.push(if is_ours { '\r' } else { '\n' });
        for part in [evidence.rule, evidence.dsn] {
            self.template.push('\n');
            self.template.push_str(part.unwrap_or_default());
        }
        let judgement = if let Some(known) = self.known.get(self.template.as_str()) {
            *known
        } else {
            let text = self.template.get(..length).unwrap_or_default();
            let judgement = judge(text, is_ours, evidence);
            if self.known.len() >= MAX_KNOWN {
                self.known.clear();
            }
            self.known.insert(self.template.clone(), judgement);
            judgement
        };
        let is_list = judgement.cause == list::BLOCKLISTED;
        Finding {
            cause: judgement.cause,
            dnsbl: evidence
                .dnsbl
                .or_else(|| is_list.then(|| list::quoted(said.text)).flatten())
                .or(judgement.dnsbl),
        }
    }
}

fn judge(text: &str, is_ours: bool, evidence: &Evidence<'_>) -> Judgement {
    if let Some((cause, dnsbl)) = pattern::find(text) {
        let cause = code::of_side(cause, is_ours);
        return Judgement { cause, dnsbl };
    }
    let codes = code::Codes::of(text, is_ours, evidence.dsn);
    let cause = codes
        .strong()
        .or_else(|| code::of_rule(evidence.rule?))
        .or_else(|| codes.weak())
        .unwrap_or(OTHER);
    Judgement { cause, dnsbl: None }
}

/// The part of a reason that says why, and whether a server said it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Said<'a> {
    text: &'a str,
    is_reply: bool,
}

/// Takes off what Postfix writes around the words of others (`smtp/smtp_trouble.c`, `global/dsn_buf.c`).
fn said(reason: &str) -> Said<'_> {
    let mut text = reason;
    for prefix in ["delivery temporarily suspended: ", "Protocol error: "] {
        text = text.strip_prefix(prefix).unwrap_or(text);
    }
    let server = text
        .strip_prefix("host ")
        .or_else(|| text.strip_prefix("SASL authentication failed; server "));
    let reply = server.and_then(|server| {
        let (_, reply) = server.split_once(' ')?;
        reply
            .strip_prefix("said: ")
            .or_else(|| reply.strip_prefix("refused to talk to me: "))
    });
    let Some(reply) = reply else {
        let is_reply = text.starts_with(|first: char| first.is_ascii_digit());
        return Said { text, is_reply };
    };
    let text = match reply.rsplit_once(" (in reply to ") {
        Some((reply, stage)) if stage.ends_with(')') => reply,
        _ => reply,
    };
    Said {
        text,
        is_reply: true,
    }
}
