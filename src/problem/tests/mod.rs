//! Tests of the module.

mod contacts;
mod events;
mod thresholds;
