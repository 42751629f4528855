//! Mask: other people's addresses hidden in a result, so that it can be handed on.
//!
//! Every address but those asked for becomes `hidden-1@example.org`: the domain stays, because it is the matter of most queries; the
//! same address is the same number in all of one answer. Login names are hidden like addresses. In texts (replies, subjects, log lines)
//! addresses are found by their form, and a hidden address's local part wherever it stands as a word of its own.
//! Limits: names of people in subjects and replies stay; a Message-ID stays, for it is how mail is traced.

use crate::model::hits;
use crate::model::table::{Cell, Table};
use crate::model::tables::{self, Holds};
use crate::model::within;
use std::collections::HashMap;
use std::sync::LazyLock;
use unicode_normalization::UnicodeNormalization;

/// Columns of answers that hold one address or login name, beside those of tables.
const ADDRESSES: [&str; 1] = ["user"];

/// Columns of answers with text in which addresses may stand, beside those of tables and of hits. Of other columns nothing is a person's.
const TEXTS: [&str; 1] = ["remote_reply"];

/// What a column of an answer holds.
fn holds(name: &str) -> Holds {
    static KNOWN: LazyLock<HashMap<&str, Holds>> = LazyLock::new(|| {
        let columns = tables::tables().iter().flat_map(|table| &table.columns);
        let hidden = columns
            .filter(|column| matches!(column.holds, Holds::Address | Holds::Quote))
            .map(|column| (column.name.as_str(), column.holds));
        let addresses = ADDRESSES.map(|name| (name, Holds::Address));
        let texts = TEXTS.map(|name| (name, Holds::Quote));
        let of_hits = hits::COLUMNS
            .iter()
            .map(|column| (column.name, column.holds()));
        let of_hits = of_hits.filter(|(_, holds)| matches!(holds, Holds::Address | Holds::Quote));
        let all = hidden.chain(of_hits);
        all.chain(addresses).chain(texts).collect()
    });
    KNOWN.get(name).copied().unwrap_or(Holds::Plain)
}

/// A local part shorter than this is too likely a plain word to be looked for in texts.
const LEAST_WORD: usize = 3;

/// Words of Postfix, of replies, and of roles: as local parts they tell of nobody, and hiding them would spoil the text.
const PLAIN: [&str; 44] = [
    "abuse",
    "address",
    "admin",
    "alias",
    "bounce",
    "bounced",
    "bounces",
    "contact",
    "deferred",
    "delivered",
    "discard",
    "error",
    "expired",
    "forwarded",
    "from",
    "held",
    "host",
    "info",
    "list",
    "local",
    "mail",
    "mailbox",
    "mailer-daemon",
    "news",
    "nobody",
    "noreply",
    "office",
    "postmaster",
    "queue",
    "queued",
    "recipient",
    "rejected",
    "root",
    "said",
    "sales",
    "sender",
    "sent",
    "service",
    "status",
    "support",
    "team",
    "test",
    "unknown",
    "user",
];

/// Hides what was not asked for, the same way in everything it is given.
#[derive(Debug, Default)]
pub struct Mask {
    /// Lower case.
    asked: Vec<String>,
    numbers: HashMap<String, usize>,
    /// Local parts of what is hidden, lower case, and their numbers.
    words: HashMap<String, usize>,
    /// Addresses whose local part is quoted and may hold anything: as they stand in texts, and what is shown instead.
    quoted: Vec<(String, String)>,
}

impl Mask {
    /// Makes one that leaves these addresses as they are, with plus-tag or without.
    #[must_use]
    pub fn new<S: AsRef<str>>(asked: &[S]) -> Self {
        Self {
            asked: asked.iter().map(|a| base(a.as_ref())).collect(),
            ..Self::default()
        }
    }

    /// Hides addresses in the table.
    pub fn apply(&mut self, table: &mut Table) {
        let columns: Vec<Holds> = table.columns.iter().map(|name| holds(name)).collect();
        let is = |what: Holds, column: usize| columns.get(column) == Some(&what);
        // Addresses first: their local parts are looked for in the texts.
        for row in &mut table.rows {
            for (_, cell) in row
                .iter_mut()
                .enumerate()
                .filter(|(i, _)| is(Holds::Address, *i))
            {
                if let Cell::Text(text) = cell {
                    *text = self.address(text);
                }
            }
        }
        for row in &mut table.rows {
            for (_, cell) in row
                .iter_mut()
                .enumerate()
                .filter(|(i, _)| is(Holds::Quote, *i))
            {
                if let Cell::Text(text) = cell {
                    *text = self.text(text);
                }
            }
        }
    }

    /// Learns the addresses of a table without changing it.
    pub fn learn(&mut self, table: &Table) {
        self.apply(&mut table.clone());
    }

    fn is_asked(&self, address: &str) -> bool {
        // What was hidden already stays so.
        let is_hidden = address
            .split('@')
            .next()
            .and_then(|local| local.strip_prefix("hidden-"));
        if is_hidden.is_some_and(|n| self.numbers.values().any(|known| known.to_string() == n)) {
            return true;
        }
        // What SRS and BATV made of an address is of the same person.
        if within::mailbox(address).is_some_and(|inner| self.asked.contains(&base(&inner))) {
            return true;
        }
        let base = base(address);
        self.asked.iter().any(|asked| {
            *asked == base
                || (!address.contains('@') && asked.split('@').next() == Some(base.as_str()))
        })
    }

    fn number(&mut self, address: &str) -> usize {
        let next = self.numbers.len() + 1;
        let key = address.to_lowercase();
        let local = local_part(&key).to_owned();
        let number = *self.numbers.entry(key).or_insert(next);
        let is_of_asked = self.asked.iter().any(|asked| local_part(asked) == local);
        if local.chars().count() >= LEAST_WORD && !is_of_asked && !PLAIN.contains(&local.as_str()) {
            self.words.entry(local).or_insert(number);
        }
        number
    }

    /// Returns the address, hidden unless it was asked for.
    fn address(&mut self, text: &str) -> String {
        if text.is_empty() || self.is_asked(text) {
            return text.to_owned();
        }
        let number = self.number(text);
        let hidden = match text.rsplit_once('@') {
            Some((_, domain)) => format!("hidden-{number}@{domain}"),
            None => format!("hidden-{number}"),
        };
        if text.contains('"') && !self.quoted.iter().any(|(known, _)| known == text) {
            self.quoted.push((text.to_owned(), hidden.clone()));
        }
        hidden
    }

    /// Returns the text with the addresses in it hidden.
    pub fn text(&mut self, text: &str) -> String {
        let mut text = text.to_owned();
        for (address, hidden) in &self.quoted {
            text = text.replace(address.as_str(), hidden);
        }
        let mut shown = String::with_capacity(text.len());
        let mut word = String::new();
        // Where a Message-ID stands in a log line it is no address.
        let mut before = String::new();
        for c in text.chars() {
            if is_part(c) {
                word.push(c);
                continue;
            }
            self.flush(&mut word, &mut before, &mut shown);
            before.push(c);
            shown.push(c);
        }
        self.flush(&mut word, &mut before, &mut shown);
        shown
    }

    fn flush(&mut self, word: &mut String, before: &mut String, shown: &mut String) {
        if word.is_empty() {
            return;
        }
        let is_message_id = before.ends_with("message-id=<");
        // Quotes and the end of a sentence stand beside an address.
        let bare = word.trim_start_matches(['\'', '`', '*']);
        let head = word.get(..word.len() - bare.len()).unwrap_or_default();
        let bare = bare.trim_end_matches(['.', '?', '!', '\'', '*']);
        let tail = word.get(head.len() + bare.len()..).unwrap_or_default();
        shown.push_str(head);
        // `to=a@b`, without brackets.
        let keyed = bare
            .split_once('=')
            .filter(|(key, rest)| is_key(key) && (is_address(rest) || key.starts_with("sasl_")));
        if is_message_id {
            shown.push_str(bare);
        } else if let Some((key, rest)) = keyed {
            let hidden = self.address(rest);
            shown.push_str(&format!("{key}={hidden}"));
        } else if is_address(bare) {
            let hidden = self.address(bare);
            shown.push_str(&hidden);
        } else {
            match self.words.get(&bare.to_lowercase()) {
                Some(number) => shown.push_str(&format!("hidden-{number}")),
                None => shown.push_str(bare),
            }
        }
        shown.push_str(tail);
        before.clear();
        before.push_str(word);
        word.clear();
    }
}

/// Keys of Postfix's log before an address.
fn is_key(key: &str) -> bool {
    matches!(
        key,
        "from"
            | "to"
            | "orig_to"
            | "sasl_username"
            | "sasl_sender"
            | "sender"
            | "recipient"
            | "user"
    )
}

/// Returns whether the character may stand in an address as it stands in texts; quotes and brackets end one.
fn is_part(c: char) -> bool {
    c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.@".contains(c)
}

fn is_address(word: &str) -> bool {
    word.rsplit_once('@').is_some_and(|(local, domain)| {
        !local.is_empty() && domain.chars().any(char::is_alphanumeric)
    })
}

fn local_part(address: &str) -> &str {
    let local = address.rsplit_once('@').map_or(address, |(local, _)| local);
    local.split('+').next().unwrap_or(local)
}

/// Returns the address in small composed letters, without its plus-tag and the quotes of its local part.
fn base(address: &str) -> String {
    let address = address.trim_start_matches('<').trim_end_matches('>');
    let address: String = address.to_lowercase().nfc().collect();
    let quoted = address
        .strip_prefix('"')
        .and_then(|rest| rest.rsplit_once("\"@"));
    if let Some((local, domain)) = quoted {
        return format!("{}@{domain}", local.replace('\\', ""));
    }
    match address.rsplit_once('@') {
        Some((_, domain)) => format!("{}@{domain}", local_part(&address)),
        None => local_part(&address).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &[[&str; 3]]) -> Table {
        Table {
            columns: ["sender", "recipient", "reason"]
                .map(str::to_owned)
                .to_vec(),
            rows: rows
                .iter()
                .map(|row| row.iter().map(|t| Cell::Text((*t).to_owned())).collect())
                .collect(),
        }
    }

    #[test]
    fn all_but_the_address_asked_for_is_hidden_alike_everywhere() {
        let mut hits = table(&[
            [
                "eve@example.com",
                "Bob+x@example.org",
                "550 <eve@example.com>: who is bob@example.org?",
            ],
            [
                "eve@example.com",
                "carol@example.org",
                "unknown user: \"carol\"; ask postmaster@example.net.",
            ],
            [
                "",
                "bob@example.org",
                "host said: to=<carol@example.org> carol,eve",
            ],
        ]);
        Mask::new(&["bob@example.org"]).apply(&mut hits);
        assert_eq!(
            hits,
            table(&[
                [
                    "hidden-1@example.com",
                    "Bob+x@example.org",
                    "550 <hidden-1@example.com>: who is bob@example.org?"
                ],
                [
                    "hidden-1@example.com",
                    "hidden-2@example.org",
                    "unknown user: \"hidden-2\"; ask hidden-3@example.net."
                ],
                [
                    "",
                    "bob@example.org",
                    "host said: to=<hidden-2@example.org> hidden-2,hidden-1"
                ],
            ])
        );
    }

    #[test]
    fn what_srs_made_of_the_address_asked_for_is_shown_and_of_others_is_hidden() {
        let mut mask = Mask::new(&["ann@example.net", "\"john smith\"@example.org"]);
        assert_eq!(
            mask.text(
                "<SRS0=a=b=example.net=ann@fwd.example.org> <prvs=1234567890=ann@example.net> \
                 <srs0=a=b=example.net=eve@fwd.example.org>"
            ),
            "<SRS0=a=b=example.net=ann@fwd.example.org> <prvs=1234567890=ann@example.net> <hidden-1@fwd.example.org>"
        );
        let mut hits = table(&[[
            "list-return-1-eve=example.com@lists.example.org",
            "john smith@example.org",
            "",
        ]]);
        mask.apply(&mut hits);
        assert_eq!(
            hits,
            table(&[["hidden-2@lists.example.org", "john smith@example.org", ""]])
        );
    }

    #[test]
    fn log_lines_keep_their_message_id() {
        let mut mask = Mask::new(&["bob@example.org"]);
        let line = "smtpd[1]: 3A1973E542: client=x[192.0.2.1], sasl_method=PLAIN, sasl_username=alice, message-id=<a.b@example.org>, \
                    from=<alice@example.net>, to=bob@example.org, orig_to=staff@example.org";
        assert_eq!(
            mask.text(line),
            "smtpd[1]: 3A1973E542: client=x[192.0.2.1], sasl_method=PLAIN, sasl_username=hidden-1, message-id=<a.b@example.org>, \
             from=<hidden-2@example.net>, to=bob@example.org, orig_to=hidden-3@example.org"
        );
    }
}
