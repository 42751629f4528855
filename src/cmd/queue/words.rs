//! The words of `maillog queue shell`: its commands with their help, and what completes them.

use crate::queue::{Status, sheet};
use rustyline::Helper;
use rustyline::completion::{Completer, Pair};
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::validate::Validator;

/// A subcommand, its arguments, and what it does.
pub(super) type Part = (&'static str, &'static str, &'static str);

/// Commands and their subcommands.
pub(super) const COMMANDS: [(&str, &[Part]); 7] = [
    (
        "store",
        &[
            (
                "load",
                "[FILE]",
                "load the queue, or a saved listing, and replay the filters",
            ),
            ("status", "", "tell what is loaded, and when"),
        ],
    ),
    (
        "select",
        &[
            (
                "query",
                "TERM...",
                "mails that a query finds, as maillog queue list does",
            ),
            ("status", "QUEUE", "mails in a queue"),
            (
                "sender",
                "TEXT [exact]",
                "by sender; a part of it, or exactly",
            ),
            ("recipient", "TEXT [exact]", "by recipient"),
            ("error", "TEXT", "by a part of an error"),
            (
                "size",
                "<-N|N|+N> [-N]",
                "by bytes: at most, exactly, at least",
            ),
            ("date", "DATE", "by arrival: a day, A..B, +A, -B"),
            (
                "header",
                "NAME TEXT [exact]",
                "by a header of the queue file",
            ),
            ("qids", "ID...", "by queue ids"),
            ("reset", "", "all mails again, without filters"),
            ("replay", "", "apply the filters to all mails again"),
            ("rmfilter", "N", "take a filter out, by its number"),
        ],
    ),
    (
        "show",
        &[
            (
                "selected",
                "[limit N] [sortby FIELD [asc|desc]] [rankby FIELD] [brief|long]",
                "the selected mails",
            ),
            ("filters", "", "the filters, by number"),
        ],
    ),
    (
        "inspect",
        &[("mails", "ID...", "all of these mails, with their headers")],
    ),
    (
        "super",
        &[
            (
                "delete",
                "[yes]",
                "delete the selected mails; Postfix sends no notice",
            ),
            ("hold", "[yes]", "put them on hold"),
            ("release", "[yes]", "release them from hold"),
            ("requeue", "[yes]", "give them new queue files and ids"),
            (
                "expire",
                "[yes]",
                "return them to their senders at the next attempt",
            ),
            ("flush", "[yes]", "try to deliver them now"),
        ],
    ),
    ("help", &[]),
    ("exit", &[]),
];

/// Words behind `show selected`.
pub(super) const MODIFIERS: [&str; 5] = ["limit", "sortby", "rankby", "brief", "long"];

/// Returns the help of a command, or of all commands.
pub(super) fn help(words: &[&str]) -> String {
    let wanted = words.first();
    let mut lines = Vec::new();
    for (command, parts) in COMMANDS {
        if wanted.is_some_and(|wanted| *wanted != command) {
            continue;
        }
        if parts.is_empty() {
            lines.push(command.to_owned());
        }
        for (name, arguments, means) in parts {
            let typed = format!("{command} {name} {arguments}");
            lines.push(format!("{}\n    {means}", typed.trim_end()));
        }
    }
    if lines.is_empty() {
        return help(&[]);
    }
    lines.join("\n")
}

/// Completes the words of commands.
pub(super) struct Words;

impl Helper for Words {}

impl Highlighter for Words {}

impl Validator for Words {}

impl Hinter for Words {
    type Hint = String;
}

impl Completer for Words {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        at: usize,
        _: &rustyline::Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let before = line.get(..at).unwrap_or(line);
        let start = before.rfind(' ').map_or(0, |blank| blank + 1);
        let typed = before.get(start..).unwrap_or_default();
        let words: Vec<&str> = before
            .get(..start)
            .unwrap_or_default()
            .split_whitespace()
            .collect();
        let fitting = candidates(&words)
            .into_iter()
            .filter(|word| word.starts_with(typed));
        let pairs = fitting.map(|word| Pair {
            replacement: format!("{word} "),
            display: word,
        });
        Ok((start, pairs.collect()))
    }
}

/// Returns what may follow these words.
fn candidates(words: &[&str]) -> Vec<String> {
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    match words {
        [] | ["help"] => COMMANDS
            .iter()
            .map(|(name, _)| (*name).to_owned())
            .collect(),
        [command] => {
            let parts = COMMANDS.iter().find(|(name, _)| name == command);
            let parts = parts.map_or(&[][..], |(_, parts)| parts);
            parts.iter().map(|(name, ..)| (*name).to_owned()).collect()
        }
        ["select", "status"] => Status::ALL.iter().map(|s| s.name().to_owned()).collect(),
        ["select", "sender" | "recipient" | "error", _] => owned(&["exact"]),
        ["select", "query", ..] => {
            let fields = crate::queue::fields::FIELDS.iter();
            fields.map(|field| format!("{}:", field.name)).collect()
        }
        ["show", "selected", .., "sortby"] => owned(&sheet::ORDERS),
        ["show", "selected", .., "rankby"] => owned(&sheet::RANKS),
        ["show", "selected", .., "sortby", _] => owned(&["asc", "desc"]),
        ["show", "selected", ..] => owned(&MODIFIERS),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_completed_where_they_may_stand() {
        assert!(candidates(&[]).contains(&"select".to_owned()));
        assert_eq!(candidates(&["store"]), ["load", "status"]);
        assert!(candidates(&["select", "status"]).contains(&"hold".to_owned()));
        assert!(candidates(&["select", "query"]).contains(&"from:".to_owned()));
        assert!(candidates(&["show", "selected", "rankby"]).contains(&"sender".to_owned()));
        assert_eq!(
            candidates(&["show", "selected", "sortby", "size"]),
            ["asc", "desc"]
        );
        assert!(candidates(&["inspect", "mails"]).is_empty());
        assert!(help(&["super"]).contains("super hold [yes]"));
        assert_eq!(help(&["nonsense"]), help(&[]));
    }
}
