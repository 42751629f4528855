//! Tests of the correlator: stories as log files, batches and restarts, truth of the rig and its generator.

mod agents;
mod batches;
mod cases;
mod order;
mod reader;
mod state;
mod stories;
mod tables;
mod truth;
