//! Small rows: of a producer that writes little. They join the transaction in which rows of the log are stored, so
//! that they cost no commit.

use super::audit::AuditRow;
use super::outbox::OutboxChange;
use super::queue::Snapshot;
use super::signature::{SignaturePackets, SignatureRow, SignatureUse};
use super::task::TaskRun;

/// A row of a small producer, one variant a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SmallRow {
    /// The last run of a task; takes the place of the row of the same name.
    TaskRun(TaskRun),
    /// What somebody asked or did.
    Audit(AuditRow),
    /// The queue as it was listed; takes the place of the listing before, and its counts are added.
    Queue(Box<Snapshot>),
    /// A mail that is to be sent, or what became of one.
    Outbox(OutboxChange),
    /// A digest; takes the place of the row of the same digest.
    Signature(SignatureRow),
    /// Who asked the signature server what.
    SignatureUse(SignatureUse),
    /// Packets to the signature server; added to the metrics.
    SignaturePackets(SignaturePackets),
}
