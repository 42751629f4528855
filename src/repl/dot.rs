//! Dot: the commands of the shell itself, `.word` as in sqlite3 and `\word` as in psql.

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::foreign_words;
use crate::render::Format;

/// A line that begins with a dot or a backslash.
#[derive(Debug, Parser)]
#[command(
    multicall = true,
    disable_help_flag = true,
    disable_help_subcommand = true,
    subcommand_required = true,
    override_usage = "",
    help_template = "{usage}{subcommands}"
)]
pub(super) struct Line {
    /// What it says.
    #[command(subcommand)]
    pub(super) command: Dot,
}

/// On, off, or the other of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Switch {
    /// On
    On,
    /// Off
    Off,
}

impl Switch {
    /// Returns the new state.
    pub(super) fn apply(given: Option<Self>, before: bool) -> bool {
        given.map_or(!before, |switch| switch == Self::On)
    }
}

/// When a row is shown as a block of lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum Expanded {
    /// Always
    On,
    /// Never
    Off,
    /// When a table would be too wide
    #[default]
    Auto,
}

/// Words of a command that has its own syntax.
#[derive(Debug, Args)]
pub(super) struct Words {
    /// The words
    #[arg(
        value_name = "WORDS",
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    pub(super) words: Vec<String>,
}

/// The commands, in the order of help.
#[derive(Debug, Subcommand)]
pub(super) enum Dot {
    /// List the commands, or explain one
    #[command(name = ".help", aliases = ["\\?", "\\h", "help"])]
    Help {
        /// Command
        name: Option<String>,
    },
    /// List tables and views (\dt)
    #[command(name = ".tables", aliases = ["\\dt", "\\dt+", "\\dv", "\\dv+"])]
    Tables {
        /// Only names like this, with * and ?
        pattern: Option<String>,
    },
    /// Show the columns of a table, or list the tables (\d)
    #[command(name = ".schema", aliases = ["\\d", "\\d+"])]
    Schema {
        /// Table
        table: Option<String>,
    },
    /// Show or set the format of results: table, record, json, csv, tsv
    #[command(name = ".mode", aliases = ["\\a"])]
    Mode {
        /// Form
        format: Option<Format>,
    },
    /// Show each row as a block of lines: on, off, auto (\x)
    #[command(name = ".expanded", aliases = ["\\x"])]
    Expanded {
        /// When
        when: Option<Expanded>,
    },
    /// Write results to a file; without a name back to the terminal (\o)
    #[command(name = ".output", aliases = ["\\o"])]
    Output {
        /// File, made anew
        file: Option<String>,
    },
    /// Show how long each statement took (\timing)
    #[command(name = ".timer", aliases = ["\\timing"])]
    Timer {
        /// On or off
        switch: Option<Switch>,
    },
    /// Show how a statement would be run
    #[command(name = ".explain")]
    Explain(Words),
    /// Find mail, as maillog find does
    #[command(name = ".find")]
    Find(Words),
    /// Run a canned query, as maillog query does
    #[command(name = ".query")]
    Query(Words),
    /// Write the statement in an editor, then run it (\e)
    #[command(name = ".edit", aliases = ["\\e"])]
    Edit,
    /// Run the statements of a file (\i)
    #[command(name = ".read", aliases = ["\\i"])]
    Read {
        /// File
        file: String,
    },
    /// Leave; Ctrl-D does the same (\q)
    #[command(name = ".exit", aliases = [".quit", "\\q", "exit", "quit"])]
    Exit,
}

/// Returns whether the line is a command of the shell.
pub(super) fn is_command(line: &str) -> bool {
    let line = line.trim();
    line.starts_with(['.', '\\']) || matches!(line.trim_end_matches(';'), "exit" | "quit" | "help")
}

/// Reads the line.
///
/// # Errors
/// Says in one line what is wrong with it.
pub(super) fn parse(line: &str) -> Result<Dot, String> {
    let line = line.trim().trim_end_matches(';');
    let (name, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let mut words = vec![name.to_owned()];
    if name == ".explain" {
        words.push(rest.trim().to_owned());
    } else {
        let rest = shlex::split(rest).ok_or("a quote is not closed")?;
        words.extend(rest);
    }
    Line::try_parse_from(&words)
        .map(|line| line.command)
        .map_err(|error| wrong(name, &error))
}

fn wrong(name: &str, error: &clap::Error) -> String {
    use clap::error::ErrorKind;
    if error.kind() == ErrorKind::InvalidSubcommand {
        return match foreign_words::hint(name) {
            Some(hint) => format!("no command {name}: {hint}"),
            None => format!("no command {name}; .help lists them"),
        };
    }
    let text = error.to_string();
    let first = text.lines().next().unwrap_or_default();
    let first = first.strip_prefix("error: ").unwrap_or(first);
    format!("{name}: {first}; see .help {name}")
}

/// Returns the names of the commands with one line each.
pub(crate) fn commands() -> Vec<(String, String)> {
    use clap::CommandFactory as _;
    Line::command()
        .get_subcommands()
        .map(|c| {
            let about = c.get_about().map(ToString::to_string);
            (c.get_name().to_owned(), about.unwrap_or_default())
        })
        .collect()
}

/// Returns all names, for completion: those with a dot, and the aliases with a backslash.
pub(super) fn names() -> Vec<String> {
    use clap::CommandFactory as _;
    Line::command()
        .get_subcommands()
        .flat_map(|c| {
            std::iter::once(c.get_name().to_owned())
                .chain(c.get_all_aliases().map(str::to_owned))
                .collect::<Vec<_>>()
        })
        .filter(|name| name.starts_with(['.', '\\']))
        .collect()
}

/// Returns the help of one command.
pub(super) fn help(name: &str) -> Result<String, String> {
    use clap::CommandFactory as _;
    let dotted = format!(".{}", name.trim_start_matches('.'));
    let mut line = Line::command();
    let found = line
        .get_subcommands_mut()
        .find(|c| c.get_name() == dotted || c.get_all_aliases().any(|alias| alias == name));
    match found {
        Some(command) => Ok(command
            .clone()
            .disable_help_flag(true)
            .render_help()
            .to_string()),
        None => Err(format!("no command {name}; .help lists them")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_and_backslashes_mean_the_same() {
        assert!(matches!(
            parse("\\d delivery_to"),
            Ok(Dot::Schema { table: Some(t) }) if t == "delivery_to"
        ));
        assert!(matches!(
            parse(".timer on"),
            Ok(Dot::Timer {
                switch: Some(Switch::On)
            })
        ));
        assert!(matches!(parse("\\x"), Ok(Dot::Expanded { when: None })));
        assert!(matches!(parse("exit;"), Ok(Dot::Exit)));
    }

    #[test]
    fn words_of_find_are_split_as_a_shell_does() {
        let Ok(Dot::Find(words)) = parse(".find -status:sent subject:\"annual report\" -n 2")
        else {
            panic!("no find");
        };
        assert_eq!(
            words.words,
            ["-status:sent", "subject:annual report", "-n", "2"]
        );
    }

    #[test]
    fn what_is_wrong_is_said_in_one_line() {
        assert_eq!(
            parse(".nope").map(|_| ()),
            Err("no command .nope; .help lists them".to_owned())
        );
        let error = parse(".mode xml").map(|_| ()).expect_err("no such mode");
        assert!(error.starts_with(".mode: invalid value 'xml'"), "{error}");
        assert!(parse(".find 'a").is_err());
    }

    #[test]
    fn every_command_has_help() {
        for (name, about) in commands() {
            assert!(!about.is_empty(), "{name}");
            assert!(help(&name).is_ok(), "{name}");
        }
    }
}
