//! Memory guard: the memory of the process. What the functions of a query make is not counted by the database.

use super::task::{Run, Task, TaskResult, When};
use crate::notice::{self, Level};
use crate::store::Limits;
use anyhow::{Result, bail};
use std::fs;
use std::thread;
use std::time::Duration;

/// Between two looks.
const LOOK: Duration = Duration::from_millis(250);
/// Memory of the process beside that of the database, in MiB: half as much is what following takes.
const BESIDE: u64 = 512;
/// What queries may have at least, in MiB, when much stays in use without them.
const LEAST: u64 = 256;

/// Returns the task. Only a restart gives back memory that stays in use, so that it is essential.
pub(super) fn task() -> Task {
    let without = "the memory of the process is not limited";
    Task::new("memory guard", without, When::Always, run).essential()
}

/// Stops all queries whenever the process has more memory than the settings and [`BESIDE`] allow.
///
/// # Errors
/// When the memory stays in use without queries: for a restart.
fn run(run: &Run<'_>) -> Result<TaskResult> {
    let shared = run.shared;
    let limits = Limits::SERVICE.with_memory(shared.config.memory_mib);
    let usual = u64::from(limits.memory_mb) + BESIDE;
    let mut most = usual;
    run.is_up();
    loop {
        thread::sleep(LOOK);
        if resident_mib().is_none_or(|now| now <= most) {
            continue;
        }
        notice::tell(
            Level::Warning,
            &format!(
                "running queries use more than {most} MiB; cancelling them so that log lines can be stored"
            ),
        );
        shared.relief.make_room();
        thread::sleep(LOOK);
        shared.relief.give_back();
        let left = resident_mib().unwrap_or(0);
        if left > usual + LEAST {
            bail!("{left} MiB of memory stay in use after all queries were cancelled");
        }
        // What the allocator keeps is not asked back from the next query.
        most = usual.max(left + LEAST);
    }
}

/// Returns the resident memory of this process in MiB (`/proc/self/statm`, second field, in pages).
pub(super) fn resident_mib() -> Option<u64> {
    let statm = fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split(' ').nth(1)?.parse().ok()?;
    let size = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE).ok()??;
    Some(pages * u64::try_from(size).ok()? / (1 << 20))
}

#[cfg(test)]
mod tests {
    #[test]
    fn this_process_has_some_memory() {
        let mib = super::resident_mib().unwrap();
        assert!((1..1 << 20).contains(&mib), "{mib}");
    }
}
