//! Options: the command line of `maillog query`, a subcommand for each query.

use super::Query;
use crate::canned::{Canned, Declared, Kind, Listed};
use crate::render::Format;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, value_parser};

const EXAMPLES: &str =
    "Without a name, maillog lists the queries; maillog query NAME --help explains one.

Examples:
  maillog query senders_count --since yesterday --top 5
  maillog query qshape --at '2026-11-20 04:00'";

const OWN: &str = "To add a query of your own, write a file NAME.sql into ~/.config/maillog/queries, or into /etc/maillog/queries for \
all users. It replaces a query of the same name:
  -- summary: mail to me
  -- param: since time -7d
  SELECT time, sender FROM delivery_to JOIN delivery_from f ON f.id = from_id WHERE ...";

/// Summary and options, nothing about the single queries: there are many.
const TEMPLATE: &str = "{about-with-newline}\n{usage-heading} {usage}\n\n{all-args}{after-help}";

impl Args for Query {
    fn augment_args(command: Command) -> Command {
        command
            .about("Run a canned query, or list them")
            .long_about(None)
            .after_help(EXAMPLES)
            .after_long_help(format!("{EXAMPLES}\n\n{OWN}"))
            .help_template(TEMPLATE)
            .override_usage("maillog query [OPTIONS] [NAME] [PARAMETERS]")
            .disable_help_subcommand(true)
            .subcommand_value_name("NAME")
            .arg(
                Arg::new("output")
                    .short('o')
                    .long("output")
                    .global(true)
                    .display_order(900)
                    .value_name("FORMAT")
                    .value_parser(value_parser!(Format))
                    .hide_possible_values(true)
                    .help("table, json, csv or tsv [default: table on a terminal, tsv in a pipe]"),
            )
            .arg(
                Arg::new("explain")
                    .long("explain")
                    .global(true)
                    .display_order(901)
                    .action(ArgAction::SetTrue)
                    .help("Print the SQL and its parameters instead of running it"),
            )
            .defer(|command| command.subcommands(super::listed().iter().map(subcommand)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Query {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut query = Self::default();
        query.update_from_arg_matches(matches)?;
        Ok(query)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.output = matches.get_one("output").copied();
        self.explain = matches.get_flag("explain");
        let Some((name, matches)) = matches.subcommand() else {
            return Ok(());
        };
        self.name = Some(name.to_owned());
        for id in matches.ids().map(clap::Id::as_str) {
            if id == "all" {
                self.all = matches.get_flag(id);
            } else if let Some(param) = id.strip_prefix(PREFIX)
                && let Some(value) = matches.get_one::<String>(id)
            {
                self.given.insert(param.to_owned(), value.clone());
            }
        }
        Ok(())
    }
}

/// Tells parameters from the options of every subcommand.
const PREFIX: &str = "param:";

fn subcommand(listed: &Listed) -> Command {
    // The list of `maillog query` is the place to look for them: see `TEMPLATE`.
    let command = Command::new(listed.name).hide(true);
    match &listed.query {
        Ok(query) => options(command, query),
        // Whatever is typed behind it, the answer is the fault.
        Err(fault) => command.about(format!("broken: {fault}")).arg(
            Arg::new("ignored")
                .num_args(0..)
                .trailing_var_arg(true)
                .allow_hyphen_values(true)
                .hide(true),
        ),
    }
}

fn options(command: Command, query: &Canned) -> Command {
    let mut command = command
        .about(sentence(query.summary))
        .after_help(flowing(&query.help));
    for declared in &query.params {
        command = command.arg(option(declared));
    }
    if query.param("since").is_none() && query.param("all").is_none() {
        // Taken where there is nothing to lift, for people type it.
        let all = Arg::new("all").long("all").action(ArgAction::SetTrue);
        command = command.arg(all.hide(true));
    }
    if query.param("since").is_some() {
        let all = Arg::new("all")
            .long("all")
            .action(ArgAction::SetTrue)
            .conflicts_with("param:since")
            .help("Search everything that is stored");
        command = command.arg(all);
    }
    command
}

fn option(declared: &Declared) -> Arg {
    // Ids and names are kept by reference: see `Canned`.
    let id: &'static str = match declared.name {
        "since" => "param:since",
        name => format!("{PREFIX}{name}").leak(),
    };
    let mut help = declared.meaning().to_owned();
    match (declared.kind, declared.default) {
        (Kind::Zone, "") => help.push_str(" [default: yours]"),
        (_, "") => {}
        (_, default) => help.push_str(&format!(" [default: {default}]")),
    }
    let arg = Arg::new(id)
        .long(declared.name)
        .value_name(match declared.kind {
            Kind::Time => "TIME",
            Kind::Count => "COUNT",
            Kind::Number => "NUMBER",
            Kind::Text => "TEXT",
            Kind::Domain => "DOMAIN",
            Kind::Zone => "ZONE",
        })
        .required(declared.is_required)
        .allow_hyphen_values(matches!(
            declared.kind,
            Kind::Time | Kind::Zone | Kind::Number
        ))
        .help(help.trim().to_owned());
    match declared.name {
        "since" => arg.short('S'),
        "until" => arg.short('U'),
        _ => arg,
    }
}

/// Joins the lines of a paragraph, because the terminal breaks them elsewhere; indented lines stay as they are.
fn flowing(lines: &[&str]) -> String {
    let mut text = String::new();
    for line in lines {
        let is_kept = line.is_empty() || line.starts_with(' ');
        if !text.is_empty() && !text.ends_with('\n') {
            text.push(if is_kept { '\n' } else { ' ' });
        }
        text.push_str(line);
        if is_kept {
            text.push('\n');
        }
    }
    text.trim_matches('\n').to_owned()
}

fn sentence(summary: &str) -> String {
    let mut letters = summary.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}
