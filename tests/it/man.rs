//! The manual names everything that can be typed, and is well-formed.

use clap::CommandFactory as _;
use maillog::query::fields::FIELDS;
use std::process::Command;

const MAILLOG: &str = include_str!("../../man/maillog.1");
const QUERY: &str = include_str!("../../man/maillog-query.7");

/// Returns whether the page has the word as one of its own, macros and punctuation apart.
fn names(page: &str, word: &str) -> bool {
    page.split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-')))
        .any(|part| part == word)
}

#[test]
fn every_subcommand_and_option_is_in_the_manual() {
    let mut missing = Vec::new();
    let program = maillog::cmd::Cli::command();
    let mut check = |of: &str, command: &clap::Command| {
        for option in command
            .get_arguments()
            .filter(|a| !a.is_hide_set() && a.get_id() != "help")
        {
            let Some(long) = option.get_long() else {
                continue;
            };
            if !names(MAILLOG, &format!("-{long}")) {
                missing.push(format!("{of} --{long}"));
            }
            if let Some(short) = option.get_short() {
                let flag = format!("Fl {short} ");
                if !MAILLOG.contains(&flag) {
                    missing.push(format!("{of} -{short}"));
                }
            }
        }
    };
    check("maillog", &program);
    // Each canned query is a subcommand with options of its own.
    let mut built = maillog::cmd::Cli::command();
    built.build();
    let queries = built.find_subcommand("query").unwrap().get_subcommands();
    let mut count = 0;
    for query in queries {
        check(query.get_name(), query);
        count += 1;
    }
    assert!(count > 60, "{count} queries");
    for command in program.get_subcommands().filter(|c| !c.is_hide_set()) {
        let name = command.get_name();
        check(name, command);
        assert!(
            MAILLOG.contains(&format!(".Ss maillog {name}\n")),
            "maillog {name}"
        );
    }
    assert!(missing.is_empty(), "not in maillog(1): {missing:?}");
}

#[test]
fn every_canned_query_is_in_the_manual() {
    for query in maillog::canned::all().unwrap() {
        let item = format!(".It Cm {}\n{}\n", query.name, query.summary);
        assert!(MAILLOG.contains(&item), "not in maillog(1): {item}");
    }
}

#[test]
fn every_field_and_status_is_in_the_manual_of_the_language() {
    let fields = FIELDS
        .iter()
        .flat_map(|field| field.aliases.iter().chain([&field.name]));
    let statuses = maillog::query::fields::RECIPIENT_STATUS
        .iter()
        .chain(&maillog::query::fields::MESSAGE_STATUS)
        .chain(&maillog::query::fields::REFUSAL_STATUS);
    let missing: Vec<_> = fields
        .chain(statuses)
        .filter(|word| !names(QUERY, word))
        .collect();
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
            crate::program::say(&format!("skipped: form of {page} (neither mandoc nor man)"));
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
