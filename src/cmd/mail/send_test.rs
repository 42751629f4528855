//! `maillog mail send-test`: a mail that says nothing, to try the settings.

use super::super::{Context as Run, Exit};
use super::sending;
use crate::mail::letter::Letter;
use crate::mail::mailbox::Mailbox;
use anyhow::Result;
use clap::Args;

/// Send a mail that says nothing, to try the settings.
#[derive(Debug, Args)]
pub(super) struct SendTest {
    /// Who gets it
    #[arg(value_name = "ADDRESS", required = true)]
    to: Vec<Mailbox>,
}

impl SendTest {
    pub(super) fn run(self, run: &Run) -> Result<Exit> {
        let letter = Letter {
            kind: "test",
            to: self.to,
            subject: "Test of maillog".to_owned(),
            text: "This is a test: maillog can send mail.\n\nmaillog mail outbox shows what became of it.\n".to_owned(),
            ..Letter::default()
        };
        sending::send(&[letter], run)
    }
}
