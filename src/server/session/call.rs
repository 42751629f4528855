//! Call: what root and the owner may do beside asking: verbs of the service, and adding log.

use super::Session;
use crate::model::table::Table;
use crate::server::failure::Failure;
use crate::server::ingest::stopped;
use crate::server::request_error::{RequestError, RequestResult};
use crate::server::wire::Stream;
use std::sync::Arc;
use tokio::task::spawn_blocking;

impl<S: Stream> Session<S> {
    /// Runs one of the verbs of the service.
    pub(super) async fn call(&mut self, name: &str, argument: &str) -> Result<Table, RequestError> {
        self.owner_only(&format!("CALL {name}"))?;
        match name {
            "maillog_open" => {
                let feeds = self.inner.hooks.feeds.clone();
                return self.intake.open(&mut self.wire, feeds, argument).await;
            }
            "maillog_end" => return self.intake.end(&mut self.wire, argument).await,
            _ => {}
        }
        let Some(verb) = self.inner.hooks.verbs.get(name).map(Arc::clone) else {
            let message = format!("procedure {name}(text) does not exist");
            return Err(Failure::new("42883", message).into());
        };
        // Without its argument: that of an erasure is an address.
        drop(self.question(&format!("call {name}")));
        let argument = argument.to_owned();
        let called = spawn_blocking(move || verb(&argument));
        let called = self.wire.while_open(called).await?;
        Ok(called.map_err(|error| stopped(&error))??)
    }

    fn owner_only(&self, what: &str) -> Result<(), Failure> {
        if self.login.who.is_owner {
            return Ok(());
        }
        let message =
            format!("cannot run {what}: only root and the owner of the database may run it");
        Err(Failure::new("42501", message))
    }

    /// Takes log from the client.
    pub(super) async fn copy_in(&mut self) -> RequestResult {
        self.owner_only("COPY")?;
        self.intake.copy_in(&mut self.wire).await
    }
}
