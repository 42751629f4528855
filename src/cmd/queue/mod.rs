//! `maillog queue`: what is in Postfix's queue at this moment, beside what the log knows of it.

mod act;
mod clusters;
mod history;
mod list;
mod load;
mod options;
mod saved;
mod shell;
mod show;
mod snapshot;
mod summary;
mod words;

use super::{Context as Run, Exit};
use crate::queue::action::Verb;
use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use options::Shared;

/// Show and handle the mail that is queued now
///
/// Terms are those of maillog find, asked of the mail in Postfix's queue: from: to: status: size: reason: cause: qid: date: age: client:
/// user: subject: header.NAME: and bare words; see maillog-queue(1). Without a term it is every mail.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES, disable_help_subcommand = true)]
pub struct Queue {
    #[command(subcommand)]
    command: Option<Command>,
    /// What to look for
    #[arg(value_name = "TERM", hide_short_help = true)]
    terms: Vec<String>,
    #[command(flatten)]
    shared: Shared,
}

const EXAMPLES: &str = "Examples:
  maillog queue from:shop@example.com
  maillog queue summary --from-file mailq.txt
  maillog queue show 4fQnFR2wTjz8tX9";

/// What can be done with the queue.
#[derive(Debug, Subcommand)]
enum Command {
    /// List mails (also without a subcommand)
    List(Terms),
    /// Tell all of one mail: its state, and its story
    Show(show::Show),
    /// Count: sizes, ages, who and what is there most
    Summary(Terms),
    /// Find groups of mails that have much in common
    Clusters(clusters::Cluster),
    /// Put mails on hold
    Hold(act::Act),
    /// Release mails from hold
    Release(act::Act),
    /// Give mails new queue files and ids
    Requeue(act::Act),
    /// Delete mails; Postfix sends no notice
    Delete(act::Act),
    /// Return mails to their senders at the next attempt
    Expire(act::Act),
    /// Try to deliver mails now
    Flush(act::Act),
    /// Select, show and act in a shell
    Shell,
    /// Store the queue as it is now, for SQL
    Snapshot,
}

/// A query.
#[derive(Debug, Args)]
struct Terms {
    /// What to look for; without it every mail
    #[arg(value_name = "TERM")]
    terms: Vec<String>,
}

impl Queue {
    /// Runs the command.
    ///
    /// # Errors
    /// When the query is wrong (drawn with a caret), or Postfix does not answer.
    pub fn run(self, run: &Run) -> Result<Exit> {
        let shared = self.shared;
        let Some(command) = self.command else {
            return list::run(&self.terms, &shared, run);
        };
        if let Some(term) = self.terms.first() {
            bail!(
                "{term}: write the terms behind the subcommand; for the word itself write reason:WORD"
            );
        }
        match command {
            Command::List(query) => list::run(&query.terms, &shared, run),
            Command::Show(show) => show.run(&shared, run),
            Command::Summary(query) => summary::run(&query.terms, &shared, run),
            Command::Clusters(clusters) => clusters.run(&shared, run),
            Command::Hold(act) => act.run(Verb::Hold, &shared, run),
            Command::Release(act) => act.run(Verb::Release, &shared, run),
            Command::Requeue(act) => act.run(Verb::Requeue, &shared, run),
            Command::Delete(act) => act.run(Verb::Delete, &shared, run),
            Command::Expire(act) => act.run(Verb::Expire, &shared, run),
            Command::Flush(act) => act.run(Verb::Flush, &shared, run),
            Command::Shell => shell::run(&shared, run),
            Command::Snapshot => snapshot::run(&shared, run),
        }
    }
}
