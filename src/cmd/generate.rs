//! `maillog generate` (hidden): shell completions, for packages. Those of bash, zsh and fish ask `maillog complete`.

use super::{Cli, Context as Run, Exit};
use anyhow::Result;
use clap::{Args, CommandFactory};
use clap_complete::Shell;

/// Print a completion script
#[derive(Debug, Args)]
#[command(hide = true)]
pub struct Generate {
    /// For which shell
    #[arg(value_enum)]
    pub shell: Shell,
}

impl Generate {
    /// Runs the command.
    ///
    /// # Errors
    /// When the script cannot be written.
    pub fn run(self, run: &Run) -> Result<Exit> {
        let mut script = Vec::new();
        match self.shell {
            Shell::Bash => script.extend(include_bytes!("../../contrib/completions/maillog.bash")),
            Shell::Zsh => script.extend(include_bytes!("../../contrib/completions/_maillog")),
            Shell::Fish => script.extend(include_bytes!("../../contrib/completions/maillog.fish")),
            other => clap_complete::generate(other, &mut Cli::command(), "maillog", &mut script),
        }
        let mut output = run.output(false);
        output.writer().write_all(&script)?;
        output.finish()?;
        Ok(Exit::Found)
    }
}
