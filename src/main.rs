//! Parses the arguments, runs, turns an error into one line and an exit status.

use clap::Parser;
use maillog::cmd::{Cli, Exit, failure};
use maillog::query;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = query::protect(std::env::args_os());
    match Cli::parse_from(arguments).run() {
        Ok(Exit::Found) => ExitCode::SUCCESS,
        Ok(Exit::Nothing) => ExitCode::from(1),
        Ok(Exit::Failed) => ExitCode::from(2),
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            failure::tell(&error);
            ExitCode::from(2)
        }
    }
}

/// The reader of the result has had enough (`| head`): that is success.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let io = cause
            .downcast_ref::<std::io::Error>()
            .map(std::io::Error::kind);
        let json = cause
            .downcast_ref::<serde_json::Error>()
            .and_then(serde_json::Error::io_error_kind);
        io.or(json) == Some(std::io::ErrorKind::BrokenPipe)
    })
}
