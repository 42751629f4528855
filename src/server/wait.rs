//! Wait: what a session hears from a question that runs, and when its time is over.

use super::failure::Failure;
use super::run::{self, Running};
use crate::model::kind::Column;
use std::sync::Arc;

impl Running {
    /// Waits for the columns.
    pub(super) async fn head(&mut self) -> Result<Arc<Vec<Column>>, Failure> {
        match self.item().await {
            Some(run::Item::Head(found)) => {
                let columns = self.columns.get_or_insert_with(|| Arc::new(found));
                Ok(Arc::clone(columns))
            }
            Some(run::Item::Block(block)) => {
                self.left = block;
                Ok(Arc::default())
            }
            Some(run::Item::End(end)) => {
                self.end = Some(end.clone());
                end.map(|()| Arc::default())
            }
            None => Err(self.lost()),
        }
    }

    /// Waits for the next block; false at the end.
    pub(super) async fn more(&mut self) -> Result<bool, Failure> {
        if !self.left.is_empty() {
            return Ok(true);
        }
        if let Some(end) = &self.end {
            return end.clone().map(|()| false);
        }
        match self.item().await {
            Some(run::Item::Block(block)) => {
                self.left = block;
                Ok(true)
            }
            Some(run::Item::Head(_)) => Ok(true),
            Some(run::Item::End(end)) => {
                self.end = Some(end.clone());
                end.map(|()| false)
            }
            None => Err(self.lost()),
        }
    }

    fn lost(&mut self) -> Failure {
        let failure = Failure::new("XX000", "the question stopped unexpectedly");
        self.end = Some(Err(failure.clone()));
        failure
    }

    /// Waits for an item; stops the question when its time is over.
    async fn item(&mut self) -> Option<run::Item> {
        if let Ok(item) = tokio::time::timeout_at(self.deadline, self.items.recv()).await {
            return item;
        }
        // Blocks that were waiting are passed over until the thread has really ended.
        loop {
            self.stop.stop();
            let pause = std::time::Duration::from_millis(100);
            let item = tokio::time::timeout(pause, self.items.recv()).await;
            if let Ok(None | Some(run::Item::End(_))) = item {
                break;
            }
        }
        let failure = Failure::new("57014", "canceling statement due to statement timeout")
            .hint("ask for a shorter time, or raise it: SET statement_timeout = '5min'");
        Some(run::Item::End(Err(failure)))
    }
}
