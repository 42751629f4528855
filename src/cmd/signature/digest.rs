//! `maillog signature digest` and `predigest`: what mail is known by, without asking anybody.

use super::super::{Context as Run, Exit};
use super::home::{self, Home, Options};
use crate::signature::digest;
use anyhow::Result;

/// Prints the digests of standard input.
pub(super) fn run(options: &Options, run: &Run) -> Result<Exit> {
    let digests = Home::new(options)?.digests()?;
    let mut output = run.output(false);
    for digest in digests {
        writeln!(output.writer(), "{digest}")?;
    }
    output.finish()?;
    Ok(Exit::Found)
}

/// Prints the lines that the digest of a mail is made of.
pub(super) fn lines(run: &Run) -> Result<Exit> {
    let digest = digest(&home::input()?);
    let mut output = run.output(false);
    for line in digest.lines {
        writeln!(output.writer(), "{line}")?;
    }
    output.finish()?;
    Ok(Exit::Found)
}
