//! Cursor: `DECLARE`, `FETCH` and `MOVE`, by which clients take a long answer in parts.
//!
//! Limits: a cursor only goes forward, and its rows are text.

use super::Session;
use crate::server::failure::Failure;
use crate::server::message;
use crate::server::portal::{self, Portal};
use crate::server::request_error::RequestResult;
use crate::server::session_budget::no_portal;
use crate::server::wire::Stream;
use std::sync::Arc;

impl<S: Stream> Session<S> {
    pub(super) async fn declare(&mut self, name: &str, portal: &Portal) -> RequestResult {
        if self.held.portals.contains_key(name) {
            return Err(Failure::new("42P03", format!("cursor {name:?} already exists")).into());
        }
        self.held.check_portals()?;
        let mut cursor = portal.cursor();
        self.held
            .check(cursor.prepared.bytes() + portal::bytes(&cursor.params))?;
        self.begin(&mut cursor).await?;
        self.held.portals.insert(name.to_owned(), cursor);
        message::complete(&mut self.wire.out, "DECLARE CURSOR");
        Ok(())
    }

    pub(super) async fn fetch(
        &mut self,
        name: &str,
        rows: Option<usize>,
        is_move: bool,
        is_simple: bool,
    ) -> RequestResult {
        let Some(mut portal) = self.held.portals.remove(name) else {
            return Err(Failure::new("34000", format!("cursor {name:?} does not exist")).into());
        };
        let columns = portal
            .running
            .as_ref()
            .and_then(|running| running.columns.clone());
        if is_simple && !is_move {
            self.tell_columns(columns.as_deref(), &message::Formats::default());
        }
        let done = self.fetch_rows(&mut portal, rows, is_move).await;
        self.held.portals.insert(name.to_owned(), portal);
        done
    }

    async fn fetch_rows(
        &mut self,
        portal: &mut Portal,
        rows: Option<usize>,
        is_move: bool,
    ) -> RequestResult {
        let Some(running) = portal.running.as_mut() else {
            return Err(no_portal("").into());
        };
        self.current.set(Some(Arc::clone(&running.stop)));
        let mut sent = 0;
        while rows.is_none_or(|rows| sent < rows) {
            let (bytes, count) = running.left.take(rows.map(|rows| rows - sent));
            if !is_move {
                self.wire.out.extend_from_slice(&bytes);
            }
            sent += count;
            if let Some(asked) = running.asked.as_mut() {
                asked.hits += count;
            }
            self.wire.drain().await?;
            if rows == Some(sent) || !self.wire.while_open(running.more()).await?? {
                break;
            }
        }
        let verb = if is_move { "MOVE" } else { "FETCH" };
        message::complete(&mut self.wire.out, &format!("{verb} {sent}"));
        Ok(())
    }
}
