//! Parses the arguments, runs, turns an error into one line and an exit status.

use clap::Parser;
use maillog::cmd::{Cli, Exit, failure, usage};
use maillog::query;
use std::process::ExitCode;

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
