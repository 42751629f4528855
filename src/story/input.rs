//! Input: the rows of one mail that its story is built from.

use crate::model::table::Table;

/// All of a chain, as `query::story` fetches it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StoryInput {
    /// Its messages.
    pub messages: Table,
    /// Their recipients.
    pub recipients: Table,
    /// Attempts that were not the last of their recipient.
    pub attempts: Table,
    /// Earlier refusals of the same client, sender and recipient.
    pub refusals: Table,
    /// Its recipients that the search found: `id`, `recipient`, and `orig_to` as asked for.
    pub asked: Table,
    /// The search named recipients.
    pub asked_by_name: bool,
    /// Tell each recipient, not only those asked for.
    pub tells_all: bool,
    /// What mail stores and filters did with its messages, and postsuper.
    pub neighbours: Table,
    /// Who acted upon its messages while they were queued: `time`, `who`, `action`, `queue_id`.
    pub actions: Table,
    /// What came through after this mail was not taken; none where it was taken, or nothing can be said.
    pub later: Option<Table>,
}
