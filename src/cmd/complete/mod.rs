//! `maillog complete` (hidden): what may stand at the cursor, for the scripts in contrib/completions.
//!
//! A line a word, with its meaning behind a tab; for bash without, and cut to what bash replaces, for it takes a colon for the end of a
//! word. Exit status 0: these words (or none), 1: names of files are wanted.

mod line;
mod logged;
mod offer;

use super::{Context as Run, Exit};
use crate::render::escape;
use anyhow::Result;
use clap::{Args, ValueEnum};

/// Print what may stand at the cursor
#[derive(Debug, Args)]
#[command(hide = true)]
pub struct Complete {
    /// Who asks
    #[arg(value_enum)]
    pub shell: Asker,
    /// bash: the line up to the cursor, and the part of the last word that it replaces; else all words up to the cursor
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub words: Vec<String>,
}

/// Shells whose scripts ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Asker {
    /// The line as typed
    Bash,
    /// Words
    Zsh,
    /// Words
    Fish,
}

/// What may stand at the cursor.
#[derive(Debug, PartialEq, Eq)]
enum Offer {
    /// These, each with its meaning.
    Words(Vec<(String, String)>),
    Files,
}

impl Complete {
    /// Runs the command.
    ///
    /// # Errors
    /// When stdout does not take it.
    pub fn run(self, run: &Run) -> Result<Exit> {
        let (words, skip) = match self.shell {
            Asker::Bash => line::words(&self.words),
            Asker::Zsh | Asker::Fish => (self.words, 0),
        };
        let Offer::Words(offered) = offer::offer(&words, run) else {
            return Ok(Exit::Nothing);
        };
        let mut output = run.output(false);
        for (word, means) in offered {
            let (word, means) = (escape::terminal(&word), escape::terminal(&means));
            match self.shell {
                Asker::Bash => {
                    writeln!(output.writer(), "{}", word.get(skip..).unwrap_or_default())?;
                }
                _ if means.is_empty() => writeln!(output.writer(), "{word}")?,
                _ => writeln!(output.writer(), "{word}\t{means}")?,
            }
        }
        output.finish()?;
        Ok(Exit::Found)
    }
}
