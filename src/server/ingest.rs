//! Ingest: what the owner may do beside asking: verbs of the service, and log that another `maillog ingest` reads.
//!
//! A feed is opened with `CALL maillog_open('...')`, which answers from where to read; then `COPY maillog_ingest FROM
//! STDIN` carries pieces of it, any number of times, and `CALL maillog_end('...')` waits until all is stored.

use super::failure::Failure;
use super::message::{self, Request};
use super::session::{Done, Session, Trouble};
use super::wire::Stream;
use crate::ingest::feed::Feed;
use crate::model::table::{Cell, Table};
use std::sync::Arc;

/// The feed that a session has open.
#[derive(Default)]
pub(super) struct Intake {
    pub feed: Option<Feed>,
}

impl<S: Stream> Session<S> {
    /// Runs one of the verbs of the service.
    pub(super) async fn call(&mut self, name: &str, argument: &str) -> Result<Table, Trouble> {
        self.owner_only(&format!("CALL {name}"))?;
        let Some(verb) = self.inner.hooks.verbs.get(name).map(Arc::clone) else {
            return Err(
                Failure::new("42883", format!("procedure {name}(text) does not exist")).into(),
            );
        };
        let argument = argument.to_owned();
        let called = tokio::task::spawn_blocking(move || verb(&argument));
        let called = self.wire.while_open(called).await?;
        Ok(called.map_err(|error| Failure::new("XX000", error.to_string()))??)
    }

    fn owner_only(&self, what: &str) -> Result<(), Failure> {
        if self.is_owner {
            return Ok(());
        }
        let message = format!("cannot run {what}: only root and the owner of the database may");
        Err(Failure::new("42501", message))
    }

    /// Takes log from the client.
    pub(super) async fn copy_in(&mut self, _options: &str) -> Done {
        self.owner_only("COPY")?;
        if self.intake.feed.is_none() {
            return Err(Failure::new("55000", "no feed is open").into());
        }
        message::copy(&mut self.wire.out, b'G', 1);
        self.wire.flush().await?;
        loop {
            match self.wire.request().await? {
                Some(Request::CopyDone) => break,
                Some(Request::CopyFail(reason)) => {
                    return Err(
                        Failure::new("57014", format!("COPY from stdin failed: {reason}")).into(),
                    );
                }
                Some(Request::CopyData(_) | Request::Flush | Request::Sync) => {}
                None => return Err(Trouble::Gone(std::io::ErrorKind::UnexpectedEof.into())),
                Some(_) => {
                    return Err(Failure::new("08P01", "unexpected message during COPY")
                        .fatal()
                        .into());
                }
            }
        }
        message::complete(&mut self.wire.out, "COPY 0");
        Ok(())
    }
}

/// Returns a table of one text.
#[expect(dead_code, reason = "in work")]
fn one(text: String) -> Table {
    Table {
        columns: vec!["result".to_owned()],
        rows: vec![vec![Cell::Text(text)]],
    }
}
