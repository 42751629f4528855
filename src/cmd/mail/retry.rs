//! `maillog mail retry`: what waits is tried now, and what failed once more.

use super::super::{Context as Run, Exit};
use super::sending;
use crate::model::outbox::OutboxChange;
use crate::model::table::Param;
use crate::notice;
use crate::service::outbox::Outbox;
use anyhow::{Result, bail};
use clap::Args;

/// Try now to send what waits, or one mail that failed.
#[derive(Debug, Args)]
pub(super) struct Retry {
    /// Message-ID of a mail that waits, failed, or of which nothing is known [default: all that wait]
    #[arg(value_name = "MESSAGE_ID")]
    message_id: Option<String>,
}

impl Retry {
    pub(super) fn run(self, run: &Run) -> Result<Exit> {
        let outbox = Outbox::of(&run.config)?;
        let bracketed = |id: String| {
            if id.starts_with('<') {
                id
            } else {
                format!("<{id}>")
            }
        };
        let message_id = self.message_id.map(bracketed);
        if let Some(id) = &message_id {
            let sql = "SELECT count(*) AS mails FROM outbox WHERE state IN ('waiting', 'unknown', 'failed') AND message_id = $1";
            let found = run.reader()?.select(sql, &[Param::Text(id.clone())])?;
            if found.named().next().and_then(|row| row.int("mails")) == Some(0) {
                bail!("no mail {id} that waits or failed; see maillog mail outbox");
            }
        }
        let time = run.later().now;
        let change = OutboxChange::Retry { message_id, time };
        sending::change(vec![change], &outbox, run)?;
        notice::say("done; see maillog mail outbox");
        Ok(Exit::Found)
    }
}
