//! Options of every command that reads files: the year and the zone that their timestamps lack.

use super::Context as Run;
use crate::model::zone::Zone;
use crate::source::Options;
use anyhow::Result;
use clap::Args;

/// How stamps are read that lack a year or a zone.
#[derive(Debug, Default, Args)]
pub struct Stamp {
    /// Year of the first line, if timestamps have none
    ///
    /// For each file [default: from file time, order and queue ids]
    #[arg(long, value_name = "YEAR", value_parser = clap::value_parser!(i32).range(1970..=9999))]
    pub year: Option<i32>,
    /// Zone of timestamps without one: Europe/Berlin, +02:00
    ///
    /// [default: the system's]
    #[arg(long, value_name = "ZONE")]
    pub timezone: Option<String>,
}

impl Stamp {
    /// Returns the reader's options.
    ///
    /// # Errors
    /// When the zone is unknown.
    pub fn options(&self, run: &Run) -> Result<Options> {
        let zone = match self.timezone.as_ref().or(run.config.timezone.as_ref()) {
            Some(name) => Zone::parse(name)?,
            None => run.zone,
        };
        Ok(Options {
            zone,
            year: self.year,
            now: run.now,
        })
    }
}
