//! Wait: what a session hears from a query that runs, and when its time is over.

use super::failure::Failure;
use super::run::{Block, Item, Running};
use crate::model::kind::Column;
use std::sync::Arc;

impl Running {
    /// Waits for the columns.
    pub(super) async fn head(&mut self) -> Result<Arc<Vec<Column>>, Failure> {
        match self.item().await {
            Some(Item::Head(found)) => {
                let columns = self.columns.get_or_insert_with(|| Arc::new(found));
                Ok(Arc::clone(columns))
            }
            Some(Item::Block(block)) => {
                self.left = block;
                Ok(Arc::default())
            }
            None => self.ended().map(|()| Arc::default()),
        }
    }

    /// Waits for the next block; false at the end.
    pub(super) async fn more(&mut self) -> Result<bool, Failure> {
        if !self.left.is_empty() {
            return Ok(true);
        }
        match self.item().await {
            Some(Item::Block(block)) => {
                self.left = block;
                Ok(true)
            }
            Some(Item::Head(_)) => Ok(true),
            None => self.ended().map(|()| false),
        }
    }

    /// Makes it end with an error; what waits of it is let go.
    pub(super) fn fail(&mut self, failure: Failure) {
        self.stop.stop();
        // Takes its items along, and tells the thread that nobody waits.
        self.items = tokio::sync::mpsc::channel(1).1;
        self.left = Block::default();
        self.end = Some(Err(failure));
        self.slot = None;
    }

    fn ended(&self) -> Result<(), Failure> {
        self.end.clone().unwrap_or(Ok(()))
    }

    /// Waits for an item; none at the end. Stops the query when its time is over.
    async fn item(&mut self) -> Option<Item> {
        if self.end.is_some() {
            return None;
        }
        let stop = Arc::clone(&self.stop);
        match stop.awaited(self.items.recv(), self.deadline).await {
            Ok(Some(item)) => return Some(item),
            Ok(None) => {
                let lost = || Err(Failure::new("XX000", "the query stopped unexpectedly"));
                self.end = Some(self.last.get().cloned().unwrap_or_else(lost));
                self.slot = None;
            }
            Err(failure) => self.fail(failure),
        }
        None
    }
}
