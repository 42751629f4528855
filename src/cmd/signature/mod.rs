//! `maillog signature`: digests of mail, and what servers of pyzor's protocol count by them.

mod ask;
mod detach;
mod digest;
mod genkey;
mod home;
mod keep;
mod local;
mod log;
mod nice;
mod own;
mod serve;

use super::{Context as Run, Exit};
use crate::signature::client::Operation;
use anyhow::Result;
use clap::{Args, Subcommand};
use home::Options;

/// Ask servers that count spam by digests, or be one, as pyzor does
///
/// A digest stands for the text of a mail. Servers count how often a digest was reported as spam or as ham. Commands, files, output and
/// exit status are those of pyzor 1.1.2.
#[derive(Debug, Args)]
#[command(
    after_long_help = EXAMPLES,
    disable_help_subcommand = true,
    help_template = "{about}\n{usage-heading} {usage}\n\n{all-args}{after-help}"
)]
pub struct Signature {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    options: Options,
}

const EXAMPLES: &str = "Examples:
  maillog signature check < mail.eml
  maillog signature report --style mbox < spam.mbox
  maillog signature digest < mail.eml";

/// What can be done with digests.
#[derive(Debug, Clone, Subcommand)]
#[command(rename_all = "snake_case")]
enum Command {
    /// Ask whether the servers are there
    Ping,
    /// Ask for the highest counts, to test a set-up
    Pong,
    /// Ask how often mail was reported
    Check,
    /// Ask how often and when mail was reported
    Info,
    /// Report mail as spam
    Report,
    /// Report mail as ham
    Whitelist,
    /// Print digests
    Digest,
    /// Print the lines that a digest is made of
    Predigest,
    /// Make a key from a passphrase
    Genkey,
    /// Put mail on the local whitelist
    LocalWhitelist,
    /// Take mail off the local whitelist
    LocalUnwhitelist,
    Serve(Box<serve::Serve>),
    List(own::List),
    Purge(own::Purge),
    Import(own::Import),
    /// Print all digests of our own server as CSV
    Export,
}

impl Signature {
    /// Runs the command.
    ///
    /// # Errors
    /// When a file or standard input cannot be read, or no server is configured.
    pub fn run(self, run: &Run) -> Result<Exit> {
        let options = &self.options;
        nice::apply(options.nice)?;
        match self.command {
            Command::Ping => ask::run(Operation::Ping, options, run),
            Command::Pong => ask::run(Operation::Pong, options, run),
            Command::Check => ask::run(Operation::Check, options, run),
            Command::Info => ask::run(Operation::Info, options, run),
            Command::Report => ask::run(Operation::Report, options, run),
            Command::Whitelist => ask::run(Operation::Whitelist, options, run),
            Command::Digest => digest::run(options, run),
            Command::Predigest => digest::lines(run),
            Command::Genkey => genkey::run(run),
            Command::LocalWhitelist => local::add(options),
            Command::LocalUnwhitelist => local::remove(options),
            Command::Serve(serve) => serve.run(options, run),
            Command::List(list) => list.run(run),
            Command::Purge(purge) => purge.run(run),
            Command::Import(import) => import.run(run),
            Command::Export => own::export(run),
        }
    }
}
