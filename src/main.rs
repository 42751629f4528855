//! Parses the arguments, runs, turns an error into one line and an exit status.

use clap::Parser;
use maillog::cmd::{Cli, Exit, failure, usage};
use maillog::query;
use std::process::ExitCode;

/// Rows are made by one thread and freed by another, which costs glibc's allocator a lock and a search each: an import
/// takes a tenth less CPU time with this one (`bench/README.md`). DuckDB keeps glibc's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = query::protect(std::env::args_os());
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => usage::with_tip(error).exit(),
    };
    match cli.run() {
        Ok(Exit::Found) => ExitCode::SUCCESS,
        Ok(Exit::Nothing) => ExitCode::from(1),
        Ok(Exit::Failed) => ExitCode::from(2),
        Err(error) if failure::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            failure::tell(&error);
            ExitCode::from(2)
        }
    }
}
