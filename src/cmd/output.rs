//! Where results go: stdout, or a pager on a terminal; colour and width, as git decides them.

use crate::render::{Format, Style};
use anyhow::{Context, Result};
use clap::ValueEnum;
use std::io::{IsTerminal, Write};
use std::process::{Child, Command, Stdio};

/// `--color`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Also in a pipe.
    Always,
    /// No colour.
    Never,
}

impl Color {
    /// Returns whether to colour what goes to stdout.
    #[must_use]
    pub fn is_on(self, is_terminal: bool) -> bool {
        let is_set = |name| std::env::var_os(name).is_some_and(|v| !v.is_empty());
        let is_dumb = std::env::var_os("TERM").is_some_and(|t| t == "dumb");
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => is_terminal && !is_set("NO_COLOR") && !is_dumb,
        }
    }
}

/// Stdout, perhaps through a pager.
pub struct Output {
    out: Box<dyn Write>,
    pager: Option<Child>,
    /// How to draw.
    pub style: Style,
    /// Stdout is a terminal.
    pub is_terminal: bool,
}

impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Output")
            .field("is_terminal", &self.is_terminal)
            .finish_non_exhaustive()
    }
}

impl Output {
    /// Opens stdout, through the pager when it is a terminal and `paged`.
    #[must_use]
    pub fn open(style: Style, paged: bool) -> Self {
        let is_terminal = std::io::stdout().is_terminal();
        let mut pager = (is_terminal && paged).then(start_pager).flatten();
        let out: Box<dyn Write> = match pager.as_mut().and_then(|p| p.stdin.take()) {
            Some(stdin) => Box::new(std::io::BufWriter::new(stdin)),
            None => Box::new(std::io::BufWriter::new(std::io::stdout().lock())),
        };
        let out: Box<dyn Write> = if is_terminal && !is_utf8() {
            Box::new(Ascii(out))
        } else {
            out
        };
        Self {
            out,
            pager,
            style,
            is_terminal,
        }
    }

    /// Returns what to write to.
    pub fn writer(&mut self) -> &mut dyn Write {
        &mut self.out
    }

    /// Writes out what is left and waits for the pager to be left.
    ///
    /// # Errors
    /// When stdout cannot take it; a closed pipe is an error of kind `BrokenPipe` for the caller to judge.
    pub fn finish(mut self) -> Result<()> {
        let written = self.out.flush();
        drop(self.out);
        if let Some(mut pager) = self.pager.take() {
            pager.wait().context("cannot wait for the pager")?;
        }
        written.context("cannot write the result")
    }
}

/// Writes the sign of what was cut off as a terminal without UTF-8 can show it; as wide, so that columns stay.
struct Ascii<W>(W);

/// UTF-8 of it; no text that is written in parts ends within.
const CUT: &[u8] = "…".as_bytes();

impl<W: Write> Write for Ascii<W> {
    fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
        let mut from = 0;
        for at in memchr::memmem::find_iter(text, CUT) {
            self.0.write_all(text.get(from..at).unwrap_or_default())?;
            self.0.write_all(b"~")?;
            from = at + CUT.len();
        }
        self.0.write_all(text.get(from..).unwrap_or_default())?;
        Ok(text.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

/// Returns what the pager is told beside what the user tells it: the text is UTF-8 whatever the locale; and who may run
/// only maillog as root is to get no shell and no file from `less`.
fn pager_settings(
    is_set: impl Fn(&str) -> bool,
    is_root: bool,
) -> Vec<(&'static str, &'static str)> {
    let mut settings = vec![("LESS", "FRX"), ("LESSCHARSET", "utf-8"), ("LV", "-c")];
    settings.retain(|(name, _)| !is_set(name));
    if is_root || is_set("SUDO_UID") || is_set("PKEXEC_UID") {
        settings.push(("LESSSECURE", "1"));
    }
    settings
}

/// Starts `MAILLOG_PAGER`, else `PAGER`, else `less`. None when it is `cat`, empty or cannot be started.
fn start_pager() -> Option<Child> {
    let named = ["MAILLOG_PAGER", "PAGER"]
        .iter()
        .find_map(|name| std::env::var(name).ok());
    let pager = named.unwrap_or_else(|| "less".to_owned());
    if matches!(pager.trim(), "" | "cat") {
        return None;
    }
    let mut command = Command::new("sh");
    command.arg("-c").arg(&pager).stdin(Stdio::piped());
    let is_set = |name: &str| std::env::var_os(name).is_some();
    command.envs(pager_settings(is_set, nix::unistd::geteuid().is_root()));
    if !is_program(pager.split_whitespace().next()?) {
        return None;
    }
    command.spawn().ok()
}

/// `sh -c` of a missing program would swallow the result, so look for it first.
fn is_program(name: &str) -> bool {
    if name.contains('/') || name.contains('=') {
        return true;
    }
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join(name).is_file()))
}

/// Returns the columns of the terminal that stdout is, if it is one.
#[must_use]
pub fn terminal_width() -> Option<u16> {
    let columns = || std::env::var("COLUMNS").ok()?.parse().ok();
    terminal_size::terminal_size()
        .map(|(width, _)| width.0)
        .or_else(columns)
}

/// Returns whether the locale says that text is UTF-8.
#[must_use]
pub fn is_utf8() -> bool {
    let set = |name| std::env::var(name).ok().filter(|v| !v.is_empty());
    ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .find_map(set)
        .is_some_and(|locale| {
            let locale = locale.to_lowercase();
            locale.contains("utf-8") || locale.contains("utf8")
        })
}

/// Refuses a form that only the hits of a search have.
///
/// # Errors
/// Names the forms that there are.
pub fn of_table(format: Option<Format>) -> anyhow::Result<()> {
    let Some(format) = format.filter(|format| format.is_of_hits()) else {
        return Ok(());
    };
    let name = clap::ValueEnum::to_possible_value(&format);
    let name = name.map_or_else(String::new, |value| value.get_name().to_owned());
    anyhow::bail!("-o {name} is for maillog find only; use table, record, json, csv, tsv or count")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn less_is_told_the_charset_and_to_be_secure_for_root() {
        let settings = |set: &[&str], is_root| pager_settings(|name| set.contains(&name), is_root);
        let usual = [("LESS", "FRX"), ("LESSCHARSET", "utf-8"), ("LV", "-c")];
        assert_eq!(settings(&[], false), usual);
        let secure = ("LESSSECURE", "1");
        for (set, is_root) in [
            (&[][..], true),
            (&["SUDO_UID"], false),
            (&["PKEXEC_UID"], false),
        ] {
            assert_eq!(settings(set, is_root), [&usual[..], &[secure]].concat());
        }
        // Not even when it is set to something else.
        assert_eq!(
            settings(&["LESS", "LESSCHARSET", "LV", "LESSSECURE"], true),
            [secure]
        );
    }

    #[test]
    fn what_was_cut_off_is_shown_in_ascii() {
        let mut written = Vec::new();
        let mut out = Ascii(&mut written);
        write!(out, "a…é…b…").unwrap();
        out.flush().unwrap();
        assert_eq!(String::from_utf8(written).unwrap(), "a~é~b~");
    }
}
