//! `maillog signature genkey`: a key from a passphrase, typed twice.

use super::super::{Context as Run, Exit};
use crate::notice::{self, Level};
use crate::signature::account;
use anyhow::{Context, Result, anyhow};
use std::io::{BufRead, IsTerminal, stdin};

/// Bytes that the salt is made of.
const RANDOM: usize = 20;

/// Prints salt and key; exit status 1 if the passphrases differ.
pub(super) fn run(run: &Run) -> Result<Exit> {
    let first = passphrase("Enter passphrase: ")?;
    if passphrase("Enter passphrase again: ")? != first {
        notice::tell(Level::Error, "the passphrases differ");
        return Ok(Exit::Nothing);
    }
    let mut random = [0; RANDOM];
    getrandom::fill(&mut random)
        .map_err(|error| anyhow!("the system gives no random numbers: {error}"))?;
    let (salt, key) = account::generate(&random, &first);
    let mut output = run.output(false);
    writeln!(output.writer(), "salt,key:\n{salt},{key}")?;
    output.finish()?;
    Ok(Exit::Found)
}

/// Reads a passphrase: from the terminal without showing it, else a line of standard input.
fn passphrase(prompt: &str) -> Result<String> {
    if stdin().is_terminal() {
        return rpassword::prompt_password(prompt).context("cannot read the passphrase");
    }
    let mut line = String::new();
    stdin()
        .lock()
        .read_line(&mut line)
        .context("cannot read the passphrase")?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
