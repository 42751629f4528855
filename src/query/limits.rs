//! Limits: how long and how deep a query may be; beyond them it is refused, whatever it asks.

/// Longest query, in bytes; what a person types or a script joins stays far below.
pub(super) const MAX_BYTES: usize = 64 * 1024;
/// Deepest nesting of parentheses and NOT; keeps recursion and the statement small.
pub(super) const MAX_DEPTH: usize = 50;
/// Most values in one query; each costs the database a comparison.
pub(super) const MAX_VALUES: usize = 1000;
