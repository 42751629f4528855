//! Options that the subcommands of `maillog queue` share.

use super::super::Context as Run;
use crate::queue::filter::{self, Filter};
use crate::queue::select::Selectors;
use crate::{notice, query};
use anyhow::{Result, anyhow};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Forms of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Form {
    /// Columns for a terminal
    Table,
    /// One line a mail, for pipes
    Short,
    /// All of each mail: state, recipients, errors
    Story,
    /// One JSON object a line
    Json,
    /// Comma-separated, for spreadsheets
    Csv,
    /// Tab-separated, for scripts
    Tsv,
    /// Queue ids
    Qid,
    /// The number of mails
    Count,
}

const SOURCE: &str = "Where the queue is read";
const SELECT: &str = "Selectors (as in pymailq)";

/// Options of every subcommand.
#[derive(Debug, Clone, Args)]
pub(super) struct Shared {
    /// Read a saved listing (postqueue -j, postqueue -p, mailq); - is standard input, a directory a spool
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        help_heading = SOURCE,
        hide_short_help = true
    )]
    pub(super) from_file: Option<PathBuf>,
    /// Configuration directory of the Postfix instance [default: that of postqueue]
    #[arg(long, global = true, value_name = "DIR", help_heading = SOURCE, hide_short_help = true)]
    pub(super) postfix_config: Option<PathBuf>,
    /// Do not look into the log's database
    #[arg(long, global = true, help_heading = SOURCE, hide_short_help = true)]
    pub(super) no_history: bool,
    /// Form of the answer
    ///
    /// table (the default on a terminal), short (the default in a pipe), story, json, csv, tsv, qid or count
    #[arg(
        short,
        long,
        global = true,
        value_enum,
        value_name = "FORMAT",
        hide_possible_values = true
    )]
    pub(super) output: Option<Form>,
    /// At most this many, the newest (of clusters the first)
    #[arg(
        short = 'n',
        long,
        global = true,
        value_name = "COUNT",
        hide_short_help = true
    )]
    pub(super) limit: Option<usize>,
    /// Sort by date, age, size, sender, recipient, status, reason, cause or qid; -date turns it round [default: date]
    #[arg(
        long,
        global = true,
        value_name = "ORDER",
        allow_hyphen_values = true,
        hide_short_help = true
    )]
    pub(super) sort: Option<String>,
    /// Count the mails by sender, recipient, reason, cause, user, ...
    #[arg(long, global = true, value_name = "RANK", hide_short_help = true)]
    pub(super) count_by: Option<String>,
    /// Part of the sender
    #[arg(long, global = true, value_name = "TEXT", help_heading = SELECT, hide_short_help = true)]
    pub(super) sender: Vec<String>,
    /// Part of a recipient
    #[arg(long, global = true, value_name = "TEXT", help_heading = SELECT, hide_short_help = true)]
    pub(super) recipient: Vec<String>,
    /// Queue: active, deferred, hold, incoming, maildrop
    #[arg(long, global = true, value_name = "QUEUE", help_heading = SELECT, hide_short_help = true)]
    pub(super) status: Vec<String>,
    /// Bytes: N exactly, +N at least, -N at most; twice for a range
    #[arg(long, global = true, value_name = "SIZE", allow_hyphen_values = true, help_heading = SELECT, hide_short_help = true)]
    pub(super) size: Vec<String>,
    /// Arrival: a day, A..B, +A (from), -B (before)
    #[arg(long, global = true, value_name = "DATE", allow_hyphen_values = true, help_heading = SELECT, hide_short_help = true)]
    pub(super) date: Option<String>,
    /// Part of an error
    #[arg(long, global = true, value_name = "TEXT", help_heading = SELECT, hide_short_help = true)]
    pub(super) error: Vec<String>,
    /// Part of a header
    #[arg(long, global = true, value_name = "NAME:TEXT", help_heading = SELECT, hide_short_help = true)]
    pub(super) header: Vec<String>,
    /// Queue ids
    #[arg(long, global = true, value_name = "ID,...", help_heading = SELECT, hide_short_help = true)]
    pub(super) qid: Vec<String>,
    /// The selectors name whole texts, not parts
    #[arg(long, global = true, help_heading = SELECT, hide_short_help = true)]
    pub(super) exact: bool,
}

impl Shared {
    /// Returns what the terms and selectors ask for, and says how bare words were read.
    pub(super) fn filter(&self, terms: &[String], run: &Run) -> Result<Filter> {
        let reading = filter::read(terms, &query_options(run))?;
        for note in &reading.notes {
            notice::say(note);
        }
        let selectors = self.selectors();
        let selected = selectors.filter(run.now, run.zone);
        let selected = selected.map_err(|error| anyhow!("cannot select mails: {error}"))?;
        Ok(reading.filter.and(selected))
    }

    /// Returns the selectors and terms as they were typed.
    pub(super) fn words(&self, terms: &[String]) -> String {
        let date: Vec<String> = self.date.iter().cloned().collect();
        let lists = [
            ("--sender", &self.sender),
            ("--recipient", &self.recipient),
            ("--status", &self.status),
            ("--size", &self.size),
            ("--date", &date),
            ("--error", &self.error),
            ("--header", &self.header),
            ("--qid", &self.qid),
        ];
        let selectors = lists.into_iter().flat_map(|(name, values)| {
            let typed = move |value: &String| format!("{name} {}", quoted(value));
            values.iter().map(typed).collect::<Vec<_>>()
        });
        let exact = self.exact.then(|| "--exact".to_owned());
        let words = selectors.chain(exact).chain(terms.iter().cloned());
        words.collect::<Vec<_>>().join(" ")
    }

    fn selectors(&self) -> Selectors {
        Selectors {
            sender: self.sender.clone(),
            recipient: self.recipient.clone(),
            status: self.status.clone(),
            size: self.size.clone(),
            date: self.date.clone(),
            error: self.error.clone(),
            header: self.header.clone(),
            qid: self.qid.clone(),
            exact: self.exact,
        }
    }
}

fn quoted(value: &str) -> String {
    shlex::try_quote(value).map_or_else(|_| value.to_owned(), Into::into)
}

/// What a query depends on beside its text.
pub(super) fn query_options(run: &Run) -> query::Options {
    query::Options {
        now: run.now,
        zone: run.zone,
        since: None,
        until: None,
        all: true,
        limit: None,
        all_hops: false,
    }
}
