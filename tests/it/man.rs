//! The manual: a page per subcommand with all of its options and no others; the tables of the code word by word; well-formed.

use clap::CommandFactory as _;
use maillog::query::field::{Field, FieldKind};
use maillog::query::fields::FIELDS;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

const QUERY: &str = include_str!("../../man/maillog-query.7");

/// Returns a page of section 1.
fn page(name: &str) -> String {
    let path = format!("man/{name}.1");
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Returns whether the page has the word as one of its own, macros and punctuation apart.
fn names(page: &str, word: &str) -> bool {
    page.split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-')))
        .any(|part| part == word)
}

/// Returns the options of a page, as `-S` and `--since`, each with the name of its value.
fn described(page: &str) -> BTreeMap<String, String> {
    let items = page.lines().filter_map(|line| line.strip_prefix(".It Fl "));
    let mut options = BTreeMap::new();
    for item in items {
        let mut value = "";
        // The value stands behind the last spelling.
        for part in item.split(" , Fl ").collect::<Vec<_>>().iter().rev() {
            let (flag, after) = part.split_once(" Ar ").unwrap_or((part, value));
            value = after;
            assert_eq!(
                options.insert(format!("-{flag}"), value.to_owned()),
                None,
                "-{flag} is said twice"
            );
        }
    }
    options
}

/// Returns the options of a command in the same form.
fn known<'c>(options: impl Iterator<Item = &'c clap::Arg>) -> BTreeMap<String, String> {
    let mut known = BTreeMap::new();
    for option in options.filter(|option| !option.is_hide_set()) {
        let is_flag = !option.get_action().takes_values();
        let value = option.get_value_names().filter(|_| !is_flag);
        let value = value.map_or_else(String::new, |names| names[0].to_lowercase());
        let long = option.get_long().map(|long| format!("--{long}"));
        let short = option.get_short().map(|short| format!("-{short}"));
        known.extend(long.into_iter().chain(short).map(|o| (o, value.clone())));
    }
    known
}

/// Returns the program with all that clap adds to it.
fn program() -> clap::Command {
    let mut program = maillog::cmd::Cli::command();
    program.build();
    program
}

fn is_own(option: &clap::Arg) -> bool {
    !option.is_global_set() && option.get_id() != "help"
}

#[test]
fn every_subcommand_has_a_page_with_its_options_and_no_others() {
    let program = program();
    let main = page("maillog");
    let everywhere = |option: &&clap::Arg| option.is_global_set() || is_own(option);
    let mut expected = known(program.get_arguments().filter(everywhere));
    expected.extend(["-h", "--help"].map(|help| (help.to_owned(), String::new())));
    assert_eq!(described(&main), expected, "maillog(1)");
    let mut pages = BTreeSet::from(["maillog.1".to_owned()]);
    let shown = |c: &&clap::Command| !c.is_hide_set() && c.get_name() != "help";
    for command in program.get_subcommands().filter(shown) {
        let name = command.get_name();
        pages.insert(format!("maillog-{name}.1"));
        let text = page(&format!("maillog-{name}"));
        let mut own = known(command.get_arguments().filter(|option| is_own(option)));
        if name == "query" {
            // Its own are global for the canned queries, which add theirs.
            let shared = ["output", "explain"].map(|id| {
                let mut all = command.get_arguments();
                all.find(|option| option.get_id() == id).unwrap()
            });
            own = known(shared.into_iter());
            for query in command.get_subcommands() {
                own.extend(known(query.get_arguments().filter(|option| is_own(option))));
            }
        }
        if ["queue", "mail", "signature"].contains(&name) {
            // Its own are global for its subcommands, which add theirs.
            let ours = |option: &&clap::Arg| {
                option.get_id() != "help"
                    && program
                        .get_arguments()
                        .all(|o| o.get_id() != option.get_id())
            };
            own = known(command.get_arguments().filter(ours));
            for part in command.get_subcommands() {
                own.extend(known(part.get_arguments().filter(ours)));
            }
        }
        assert_eq!(described(&text), own, "maillog-{name}(1)");
        let about = command.get_about().unwrap().to_string();
        let mut letters = about.chars();
        let first: String = letters.next().unwrap().to_lowercase().collect();
        let about = first + letters.as_str();
        for (text, line) in [
            (&text, format!(".Nd {about}\n")),
            (&main, format!(".It Xr maillog-{name} 1\n{about}\n")),
        ] {
            assert!(text.contains(&line), "no {line} in a page");
        }
    }
    let found: BTreeSet<String> = std::fs::read_dir("man")
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".1"))
        .collect();
    assert_eq!(found, pages, "pages without a command, or the reverse");
}

#[test]
fn every_canned_query_is_in_the_manual() {
    let text = page("maillog-query");
    for query in maillog::canned::all().unwrap() {
        let item = format!(".It Cm {}\n{}\n", query.name, query.summary);
        assert!(text.contains(&item), "not in maillog-query(1): {item}");
    }
}

/// Returns what the manual calls the values of a field.
fn kind(field: &Field) -> &'static str {
    match field.kind {
        FieldKind::Address => "address",
        FieldKind::User => "login name",
        FieldKind::Host => "host",
        FieldKind::QueueId | FieldKind::Chain => "queue id",
        FieldKind::MessageId => "message id",
        FieldKind::Status | FieldKind::Ever => "status",
        FieldKind::Cause => "cause",
        FieldKind::Text => "text",
        FieldKind::Word => "word",
        FieldKind::Service => "service",
        FieldKind::Count => "number",
        FieldKind::Bytes => "size",
        FieldKind::Seconds => "length",
        FieldKind::Dsn | FieldKind::Code => "code",
        FieldKind::Since | FieldKind::Until | FieldKind::Date => "time",
    }
}

#[test]
fn the_fields_of_the_manual_are_those_of_the_language() {
    let (_, fields) = QUERY.split_once(".Sh FIELDS\n").unwrap();
    let (fields, _) = fields.split_once(".El\n").unwrap();
    let said: Vec<(&str, &str)> = fields
        .split(".It Cm ")
        .skip(1)
        .map(|item| item.split_once('\n').unwrap())
        .collect();
    for (field, (item, help)) in FIELDS.iter().zip(&said) {
        let spellings: Vec<&str> = [field.name].iter().chain(field.aliases).copied().collect();
        assert_eq!(
            *item,
            format!("{} Pq {}", spellings.join(" , "), kind(field))
        );
        let mut letters = field.help.trim_end_matches(" ...").chars();
        let first: String = letters.next().unwrap().to_uppercase().collect();
        let sentence = format!("{first}{}.", letters.as_str());
        let line = help.lines().next().unwrap();
        assert!(
            line.starts_with(sentence.trim_end_matches('.')),
            "{}: {line:?} is not {sentence:?}",
            field.name
        );
    }
    assert_eq!(said.len(), FIELDS.len());
}

#[test]
fn the_columns_of_the_manual_are_those_of_hits() {
    let find = page("maillog-find");
    let (_, columns) = find.split_once(".Sh COLUMNS\n").unwrap();
    let (_, columns) = columns.split_once(".Bl -tag -width Ds\n").unwrap();
    let (columns, _) = columns.split_once(".El\n").unwrap();
    let sentence = |help: &str| {
        let mut letters = help.chars();
        let first: String = letters.next().unwrap().to_uppercase().collect();
        format!("{first}{}.", letters.as_str())
    };
    let items = maillog::model::hits::COLUMNS
        .iter()
        .map(|column| format!(".It Cm {}\n{}\n", column.name, sentence(column.help)));
    assert_eq!(columns, items.collect::<String>());
}

#[test]
fn every_status_is_in_the_manual_of_the_language() {
    let statuses = maillog::query::status_words::RECIPIENT_STATUS
        .iter()
        .chain(&maillog::query::status_words::MESSAGE_STATUS)
        .chain(&maillog::query::status_words::REFUSAL_STATUS);
    let missing: Vec<_> = statuses.filter(|word| !names(QUERY, word)).collect();
    assert!(missing.is_empty(), "not in maillog-query(7): {missing:?}");
}

#[test]
fn every_cause_is_in_the_manual_with_its_advice() {
    for cause in maillog::cause::all() {
        let also = cause.also.iter().map(|name| format!(" , {name}"));
        let item = format!(
            ".It Cm {}{}\n{}\n{}\n",
            cause.name,
            also.collect::<String>(),
            cause.means,
            cause.advice
        );
        assert!(QUERY.contains(&item), "not in maillog-query(7):\n{item}");
    }
}

#[test]
fn the_commands_of_the_shell_are_in_the_manual() {
    let text = page("maillog-sql");
    let said: Vec<(&str, &str)> = text
        .split(".It Ic ")
        .skip(1)
        .map(|item| item.split_once('\n').unwrap())
        .collect();
    let commands = maillog::repl::commands();
    for ((name, about), (item, help)) in commands.iter().zip(&said) {
        let help = help.lines().next().unwrap().replace("\\e", "\\");
        assert_eq!(
            (*item, help.trim_end_matches('.')),
            (name.as_str(), about.as_str())
        );
    }
    assert_eq!(said.len(), commands.len());
}

/// Returns the commands that the pages show as examples, as they are typed.
fn examples() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("man").unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let shown = text.lines().filter_map(|line| line.strip_prefix(".Dl "));
        for line in shown.filter(|line| line.contains("maillog ")) {
            let typed = line.replace("\\(dq", "\"").replace("\\e", "\\");
            found.push((path.display().to_string(), typed));
        }
    }
    found
}

#[test]
fn examples_are_understood() {
    let examples = examples();
    assert!(examples.len() > 25, "{}", examples.len());
    for (page, line) in examples {
        let (_, arguments) = line.split_once("maillog ").unwrap();
        let words = shlex::split(&format!("maillog {arguments}"))
            .unwrap_or_else(|| panic!("{page}: {line}"));
        if words.first().is_none_or(|word| word != "maillog") || line.contains("adduser") {
            continue;
        }
        let words = words.into_iter().map(std::ffi::OsString::from);
        let parsed =
            maillog::cmd::Cli::command().try_get_matches_from(maillog::query::protect(words));
        assert!(parsed.is_ok(), "{page}: {line}: {}", parsed.unwrap_err());
    }
}

#[test]
fn pages_are_well_formed() {
    for entry in std::fs::read_dir("man").unwrap() {
        let page = entry.unwrap().path();
        let page = page.to_str().unwrap();
        let mandoc = Command::new("mandoc")
            .args(["-T", "lint", "-W", "warning", page])
            .output();
        let man = || {
            Command::new("man")
                .args(["--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", page])
                .env("LC_ALL", "C.UTF-8")
                .output()
        };
        let Ok(output) = mandoc.or_else(|_| man()) else {
            crate::skip::skip(&format!("form of {page} (neither mandoc nor man)"));
            continue;
        };
        // mandoc writes its findings to stdout, man those to stderr and the page to stdout.
        let is_mandoc = !output.stdout.starts_with(b"x T");
        let said = [
            output.stderr,
            if is_mandoc { output.stdout } else { Vec::new() },
        ]
        .concat();
        let said = String::from_utf8_lossy(&said);
        assert!(
            output.status.success() && said.trim().is_empty(),
            "{page}: {said}"
        );
    }
}

#[test]
fn short_help_fits_a_screen() {
    let program = maillog::cmd::Cli::command().term_width(80);
    let mut commands = vec![program.clone()];
    commands.extend(program.get_subcommands().map(|c| c.clone().term_width(80)));
    for mut command in commands {
        let help = command.render_help().to_string();
        let name = command.get_name();
        // One line is the prompt's.
        assert!(help.lines().count() <= 23, "maillog {name} -h:\n{help}");
        let widest = help.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(80), "maillog {name} -h:\n{help}");
    }
}
