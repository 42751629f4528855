//! Editor: the line editor with completion, hints and colours; it knows the lines of the statement before this one.

use super::dot;
use super::words::{Words, is_keyword};
use crate::lexer::{Kind, tokens};
use rustyline::completion::{Completer, Pair};
use rustyline::config::{BellStyle, Configurer as _};
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::{Hint, Hinter};
use rustyline::history::FileHistory;
use rustyline::validate::Validator;
use rustyline::{CompletionType, Context, Editor, Helper};
use std::borrow::Cow;

/// Statements that are remembered.
const HISTORY: usize = 5000;
/// Letters from which on a hint is shown: before that it would be a guess.
const LEAST: usize = 3;
/// Letters of what is said about a word.
const ABOUT: usize = 40;

/// The editor of the shell.
pub(super) type Edit = Editor<Assistant, FileHistory>;

/// Makes the editor.
///
/// # Errors
/// When the terminal cannot be used.
pub(super) fn new(words: Words, color: bool) -> rustyline::Result<Edit> {
    let mut editor = Editor::new()?;
    editor.set_completion_type(CompletionType::List);
    editor.set_bell_style(BellStyle::None);
    editor.set_max_history_size(HISTORY)?;
    editor.set_history_ignore_space(true);
    editor.set_helper(Some(Assistant {
        words,
        color,
        before: String::new(),
    }));
    Ok(editor)
}

/// What helps while a line is typed.
#[derive(Debug)]
pub(super) struct Assistant {
    words: Words,
    color: bool,
    /// The lines of the statement that were typed before this one.
    pub(super) before: String,
}

impl Helper for Assistant {}

impl Validator for Assistant {}

impl Assistant {
    /// Returns the start of the word before `at` in the line, and what it may become in the statement.
    fn at(&self, line: &str, at: usize) -> (usize, Vec<super::words::Word>) {
        let text = format!("{}{line}", self.before);
        let (start, words) = self.words.at(&text, self.before.len() + at);
        (start.saturating_sub(self.before.len()), words)
    }
}

impl Completer for Assistant {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        at: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let before = line.get(..at).unwrap_or(line);
        if dot::is_command(before) && !before.contains(char::is_whitespace) {
            let names = dot::names().into_iter().filter(|n| n.starts_with(before));
            let pairs = names.map(|name| pair(&name, &name)).collect();
            return Ok((0, pairs));
        }
        let (start, words) = self.at(line, at);
        let shown = |name: &str| name.trim_end_matches('(').to_owned();
        let pairs = words
            .iter()
            .map(|w| pair(&shown(&w.name), &w.name))
            .collect();
        Ok((start, pairs))
    }
}

fn pair(display: &str, replacement: &str) -> Pair {
    Pair {
        display: display.to_owned(),
        replacement: replacement.to_owned(),
    }
}

/// Grey text behind the cursor.
#[derive(Debug)]
pub(super) struct Grey {
    shown: String,
    completes: usize,
}

impl Hint for Grey {
    fn display(&self) -> &str {
        &self.shown
    }

    fn completion(&self) -> Option<&str> {
        self.shown.get(..self.completes).filter(|c| !c.is_empty())
    }
}

impl Hinter for Assistant {
    type Hint = Grey;

    fn hint(&self, line: &str, at: usize, _: &Context<'_>) -> Option<Grey> {
        if at < line.len() || line.is_empty() {
            return None;
        }
        if dot::is_command(line) {
            let (_, about) = dot::commands().into_iter().find(|(name, _)| name == line)?;
            return Some(Grey {
                shown: format!("  {about}"),
                completes: 0,
            });
        }
        let (start, words) = self.at(line, at);
        let typed = line.get(start..).unwrap_or_default();
        if typed.len() >= LEAST
            && let Some((word, rest)) = words
                .iter()
                .find_map(|w| Some((w, w.name.strip_prefix(typed)?)))
        {
            let about = if word.about.is_empty() {
                String::new()
            } else {
                format!("  {}", short(&word.about))
            };
            return Some(Grey {
                shown: format!("{rest}{about}"),
                completes: rest.len(),
            });
        }
        let call = self.words.call(&format!("{}{line}", self.before))?;
        Some(Grey {
            shown: format!("  {}", short(&call.about)),
            completes: 0,
        })
    }
}

/// Returns so much of the text as seldom breaks the line.
fn short(about: &str) -> &str {
    about
        .char_indices()
        .nth(ABOUT)
        .map_or(about, |(end, _)| about.get(..end).unwrap_or(about))
}

impl Highlighter for Assistant {
    fn highlight<'l>(&self, line: &'l str, _: usize) -> Cow<'l, str> {
        if !self.color {
            return Cow::Borrowed(line);
        }
        if dot::is_command(line) {
            return Cow::Owned(paint("35", line));
        }
        let painted = tokens(line).map(|token| {
            let part = line.get(token.span).unwrap_or_default();
            match token.kind {
                Kind::Word if is_keyword(part) => paint("1;34", part),
                Kind::Text => paint("32", part),
                Kind::Number => paint("36", part),
                Kind::Comment => paint("2", part),
                _ => part.to_owned(),
            }
        });
        Cow::Owned(painted.collect())
    }

    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        if self.color {
            Cow::Owned(paint("2", hint))
        } else {
            Cow::Borrowed(hint)
        }
    }

    fn highlight_char(&self, _: &str, _: usize, _: CmdKind) -> bool {
        self.color
    }
}

fn paint(code: &str, text: &str) -> String {
    format!("\u{1b}[{code}m{text}\u{1b}[0m")
}
