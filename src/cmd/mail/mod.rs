//! `maillog mail`: the mail that maillog sends.

mod outbox;
mod retry;
mod send_test;
pub(super) mod sending;

use super::{Context as Run, Exit};
use anyhow::Result;
use clap::{Args, Subcommand};

/// Show and handle the mail that maillog sends
///
/// Mail is written into the database, handed to sendmail or an SMTP server, and retried. The service sends it; without a service the
/// command that makes a mail sends it. [mail] in the settings file says how.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES, disable_help_subcommand = true)]
pub struct Mail {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "Examples:
  maillog mail outbox
  maillog mail send-test alice@example.org";

/// What can be done.
#[derive(Debug, Subcommand)]
enum Command {
    /// List the mail that maillog sends or sent, with its outcome
    Outbox(outbox::Outbox),
    /// Try now to send what waits, or one mail that failed
    Retry(retry::Retry),
    /// Send a mail that says nothing, to try the settings
    SendTest(send_test::SendTest),
}

impl Mail {
    /// Runs the command.
    ///
    /// # Errors
    /// When the settings or an address are wrong, or the database fails.
    pub fn run(self, run: &Run) -> Result<Exit> {
        match self.command {
            Command::Outbox(outbox) => outbox.run(run),
            Command::Retry(retry) => retry.run(run),
            Command::SendTest(test) => test.run(run),
        }
    }
}
