//! Offer: words up to the cursor -> what may stand there, from the command line's own description and the table of fields.

use super::{Offer, logged};
use crate::cmd::{Cli, Context};
use crate::model::hits;
use crate::query::fields::{self, FIELDS};
use crate::query::values::{TIMES, Values, values};
use crate::queue;
use clap::{Arg, Command, CommandFactory, ValueHint};

/// Where the cursor stands.
struct Place<'a> {
    command: &'a Command,
    /// The option whose value it is.
    option: Option<&'a Arg>,
    /// Words before it that are no options.
    words: usize,
    /// Behind `--` nothing is an option.
    is_over: bool,
    /// Named by `--db`.
    database: Option<&'a str>,
    /// It is a part of `maillog queue`.
    is_of_queue: bool,
}

/// Returns what may stand at the last word.
pub(super) fn offer(words: &[String], run: &Context) -> Offer {
    let mut root = Cli::command();
    root.build();
    let (current, before) = match words.split_last() {
        Some((current, before)) => (current.as_str(), before.get(1..).unwrap_or_default()),
        None => ("", [].as_slice()),
    };
    let place = find(&root, before);
    if let Some(option) = place.option {
        return of_option(option, current, "", &place, run);
    }
    if !place.is_over && current.starts_with("--") {
        if let Some((name, value)) = current.split_once('=') {
            let option = long(place.command, name.trim_start_matches('-'));
            return option.map_or(Offer::Words(Vec::new()), |option| {
                of_option(option, value, &format!("{name}="), &place, run)
            });
        }
        return starting(current, flags(place.command));
    }
    if !place.is_over && current == "-" {
        return starting(current, flags(place.command));
    }
    let is_root = place.command.get_name() == root.get_name();
    if place.command.get_name() == "find" {
        return of_term(current, &place, run);
    }
    let takes_terms = place
        .command
        .get_positionals()
        .any(|arg| arg.get_id() == "terms");
    let is_begun = place.words > 0 || current.contains(':') || !place.command.has_subcommands();
    if place.is_of_queue && takes_terms && is_begun {
        return of_queue_term(current);
    }
    if place.words == 0 && place.command.has_subcommands() {
        let commands = place.command.get_subcommands();
        let shown = commands.filter(|command| !(is_root && command.is_hide_set()));
        return starting(
            current,
            shown.map(|c| (c.get_name().to_owned(), about(c.get_about()))),
        );
    }
    let positionals: Vec<&Arg> = place.command.get_positionals().collect();
    match positionals.get(place.words).or(positionals.last()) {
        Some(arg) => of_option(arg, current, "", &place, run),
        None => Offer::Words(Vec::new()),
    }
}

/// Follows the words before the cursor.
fn find<'a>(root: &'a Command, before: &'a [String]) -> Place<'a> {
    let mut place = Place {
        command: root,
        option: None,
        words: 0,
        is_over: false,
        database: None,
        is_of_queue: false,
    };
    for word in before.iter().map(String::as_str) {
        if let Some(option) = place.option.take() {
            if option.get_id() == "db" {
                place.database = Some(word);
            }
        } else if place.is_over {
            place.words += 1;
        } else if word == "--" {
            place.is_over = true;
        } else if let Some(name) = word.strip_prefix("--") {
            match name.split_once('=') {
                Some(("db", value)) => place.database = Some(value),
                Some(_) => {}
                None => place.option = long(place.command, name).filter(|arg| takes_value(arg)),
            }
        } else if word.starts_with('-') && word.len() > 1 && !word.contains(':') {
            place.option = short(place.command, word);
        } else if let Some(command) = place
            .command
            .find_subcommand(word)
            .filter(|_| place.words == 0)
        {
            place.command = command;
            place.is_of_queue |= word == "queue";
        } else {
            place.words += 1;
        }
    }
    place
}

fn takes_value(arg: &Arg) -> bool {
    arg.get_action().takes_values()
}

fn long<'a>(command: &'a Command, name: &str) -> Option<&'a Arg> {
    command
        .get_arguments()
        .find(|arg| arg.get_long() == Some(name))
}

/// Returns the option at the end of `-fn` that wants the next word.
fn short<'a>(command: &'a Command, word: &str) -> Option<&'a Arg> {
    let mut letters = word.chars().skip(1);
    while let Some(letter) = letters.next() {
        let arg = command
            .get_arguments()
            .find(|arg| arg.get_short() == Some(letter))?;
        if takes_value(arg) {
            return letters.next().is_none().then_some(arg);
        }
    }
    None
}

fn flags(command: &Command) -> impl Iterator<Item = (String, String)> {
    let shown = command.get_arguments().filter(|arg| !arg.is_hide_set());
    shown.filter_map(|arg| Some((format!("--{}", arg.get_long()?), about(arg.get_help()))))
}

fn about(text: Option<&clap::builder::StyledStr>) -> String {
    let text = text.map(ToString::to_string).unwrap_or_default();
    text.lines().next().unwrap_or_default().to_owned()
}

fn starting(typed: &str, all: impl Iterator<Item = (String, String)>) -> Offer {
    Offer::Words(all.filter(|(word, _)| word.starts_with(typed)).collect())
}

fn owned(words: impl IntoIterator<Item = (&'static str, &'static str)>) -> Vec<(String, String)> {
    let owned = |(word, means): (&str, &str)| (word.to_owned(), means.to_owned());
    words.into_iter().map(owned).collect()
}

/// Values of an option or argument; `head` is typed before them.
fn of_option(arg: &Arg, typed: &str, head: &str, place: &Place<'_>, run: &Context) -> Offer {
    let mut head = head.to_owned();
    let mut typed = typed;
    let names = arg.get_value_names().unwrap_or_default();
    let name = names.first().map_or("", |name| name.as_str());
    let all: Vec<(String, String)> = match (name, arg.get_long()) {
        (_, Some(column @ ("host" | "instance"))) => {
            let column = if column == "host" { "host" } else { "instance" };
            let names = logged::values(column, place.database, run);
            names
                .into_iter()
                .map(|name| (name, String::new()))
                .collect()
        }
        ("TIME", _) => owned(TIMES),
        ("FIELD", _) => owned(FIELDS.iter().map(|field| (field.name, field.help))),
        ("ZONE", _) => {
            let zones = chrono_tz::TZ_VARIANTS.iter();
            owned(zones.map(|zone| (zone.name(), "")))
        }
        ("NAMES", _) => {
            let start = typed.rfind(',').map_or(0, |at| at + 1);
            let (done, rest) = typed.split_at(start);
            head.push_str(done);
            typed = rest;
            owned(
                hits::COLUMNS
                    .iter()
                    .map(|column| (column.name, column.help)),
            )
        }
        _ => {
            let values = arg.get_possible_values();
            if values.is_empty() && is_file(arg) {
                return Offer::Files;
            }
            let shown = values.iter().filter(|value| !value.is_hide_set());
            shown
                .map(|value| (value.get_name().to_owned(), about(value.get_help())))
                .collect()
        }
    };
    let all = all.into_iter().filter(|(word, _)| word.starts_with(typed));
    Offer::Words(
        all.map(|(word, means)| (format!("{head}{word}"), means))
            .collect(),
    )
}

fn is_file(arg: &Arg) -> bool {
    let is_path = matches!(
        arg.get_value_hint(),
        ValueHint::AnyPath | ValueHint::FilePath | ValueHint::DirPath
    );
    let names = arg.get_value_names().unwrap_or_default();
    is_path || names.iter().any(|name| name.as_str() == "FILE")
}

/// A term of a search in the queue.
fn of_queue_term(typed: &str) -> Offer {
    let term = typed.trim_start_matches(['-', '(']);
    let sign = typed.get(..typed.len() - term.len()).unwrap_or_default();
    let Some((name, value)) = term.split_once(':') else {
        let fields = queue::fields::FIELDS.iter();
        return starting(
            typed,
            fields.map(|f| (format!("{sign}{}:", f.name), f.help.to_owned())),
        );
    };
    let start = value.rfind(',').map_or(0, |at| at + 1);
    let value = value.get(start..).unwrap_or_default();
    let head = typed.get(..typed.len() - value.len()).unwrap_or_default();
    let words = match queue::fields::find(name) {
        Some(field) if field.name == "status" => {
            let queues = queue::Status::ALL;
            let names = queues
                .iter()
                .map(queue::Status::name)
                .chain(queue::fields::WORDS);
            names.map(|name| (name.to_owned(), String::new())).collect()
        }
        Some(field) => match values(field) {
            Values::Words(words) => owned(words),
            Values::Logged(_) | Values::Any => Vec::new(),
        },
        None => Vec::new(),
    };
    let fitting = words
        .into_iter()
        .filter(|(word, _)| word.starts_with(value));
    Offer::Words(
        fitting
            .map(|(word, means)| (format!("{head}{word}"), means))
            .collect(),
    )
}

/// A term of a search: a field, or a value behind its colon; a sign and parentheses may stand before it.
fn of_term(typed: &str, place: &Place<'_>, run: &Context) -> Offer {
    let term = typed.trim_start_matches(['-', '(']);
    let sign = typed.get(..typed.len() - term.len()).unwrap_or_default();
    let Some((name, value)) = term.split_once(':') else {
        let fields = FIELDS
            .iter()
            .map(|f| (format!("{sign}{}:", f.name), f.help.to_owned()));
        let mut all: Vec<(String, String)> =
            fields.filter(|(word, _)| word.starts_with(typed)).collect();
        if all.is_empty() {
            // Other names only where none of ours begins so.
            let aliases = FIELDS
                .iter()
                .flat_map(|f| f.aliases.iter().map(|a| (*a, f.help)));
            all = aliases
                .map(|(alias, help)| (format!("{sign}{alias}:"), help.to_owned()))
                .filter(|(word, _)| word.starts_with(typed))
                .collect();
        }
        return Offer::Words(all);
    };
    let start = value.rfind(',').map_or(0, |at| at + 1);
    let value = value.get(start..).unwrap_or_default();
    let head = typed.get(..typed.len() - value.len()).unwrap_or_default();
    let all = match fields::find(name).map(values) {
        Some(Values::Words(words)) => owned(words),
        Some(Values::Logged(column)) => {
            let names = logged::values(column, place.database, run);
            names
                .into_iter()
                .map(|name| (name, String::new()))
                .collect()
        }
        Some(Values::Any) | None => Vec::new(),
    };
    let fitting = all.into_iter().filter(|(word, _)| word.starts_with(value));
    Offer::Words(
        fitting
            .map(|(word, means)| (format!("{head}{word}"), means))
            .collect(),
    )
}
