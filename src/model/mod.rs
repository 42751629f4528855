//! The nouns that the stages share; no behaviour beyond constructors and display.

pub mod audit;
pub mod cursor;
pub mod date;
pub mod entry;
pub mod event;
pub mod hits;
pub mod ip;
pub mod key;
pub mod kind;
pub mod outbox;
pub mod packed;
pub mod queue;
pub mod retain;
pub mod row;
pub mod scope;
pub mod signature;
pub mod small;
pub mod table;
pub mod tables;
pub mod task;
pub mod time;
pub mod within;
pub mod zone;
