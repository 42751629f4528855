//! Nice: the same command with a lower priority, by nice(1).

use anyhow::{Context, Result};
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Set in the environment of the process that has the priority already.
const MARK: &str = "MAILLOG_NICE";

/// Runs this program once more in the place of this process, if another priority is asked for.
///
/// # Errors
/// When there is no nice(1).
pub(super) fn apply(nice: i32) -> Result<()> {
    if nice == 0 || std::env::var_os(MARK).is_some() {
        return Ok(());
    }
    let program = std::env::current_exe().context("cannot find this program")?;
    let error = Command::new("nice")
        .args(["-n", &nice.to_string()])
        .arg(program)
        .args(std::env::args_os().skip(1))
        .env(MARK, "1")
        .exec();
    Err(error).context("cannot run nice(1); leave out --nice")
}
