//! Metrics: what of the log is counted for Prometheus, under the names that dashboards of other exporters use.
//!
//! `Tally` counts lines as they are understood; what it has counted is stored with the rows of the same lines, in one
//! transaction, so that totals survive restarts and pruning and nothing is counted twice. `family` is the list of names.
//!
//! Promises: pure; the number of series is bounded whatever the log says, and no label is an address.
//!
//! | file | duty |
//! |---|---|
//! | `family` | names, kinds, help texts, buckets |
//! | `label` | text of the log as the value of a label |
//! | `rare` | counts by name and labels |
//! | `tally` | counts of the lines since the last commit |

pub mod family;
pub mod label;
mod rare;
mod tally;
#[cfg(test)]
mod tests;

pub use tally::{Outcome, Tally};

/// What is to be added to one series.
#[derive(Debug, Clone, PartialEq)]
pub struct Count {
    /// Name of the family; for histograms with `_bucket`, `_sum` or `_count`.
    pub name: String,
    /// Labels as Prometheus writes them, without braces: `status="sent"`.
    pub labels: String,
    /// How much.
    pub value: f64,
}

/// Returns a count as Prometheus has it.
#[expect(clippy::cast_precision_loss, reason = "counts of lines and bytes")]
fn number(count: u64) -> f64 {
    count as f64
}
