//! Usage: what people type who know another program (journalctl, grep, psql, pflogsumm), answered with what does it here.

use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Subcommands of others, and ours.
const COMMANDS: [(&[&str], &str); 9] = [
    (
        &[
            "search", "grep", "log", "logs", "show", "trace", "track", "message", "who", "list",
            "ls",
        ],
        "maillog find TERM...",
    ),
    (&["tail", "follow", "watch"], "maillog find --follow"),
    (
        &["mailq", "postqueue", "qshape"],
        "maillog queue, or of the past maillog query queue_now, oldest, inflight, qshape",
    ),
    (
        &["report", "pflogsumm", "stats", "statistics", "digest"],
        "maillog summary --since yesterday",
    ),
    (
        &[
            "import", "load", "read", "add", "serve", "start", "daemon", "run",
        ],
        "maillog ingest FILE..., or without a file the service",
    ),
    (&["shell", "psql", "db", "select", "duckdb"], "maillog sql"),
    (
        &["delete", "forget", "erase", "vacuum", "clean", "expire"],
        "maillog prune --dry-run",
    ),
    (
        &["info", "stat", "schema", "tables"],
        "maillog status, maillog status --schema",
    ),
    (&["man", "docs"], "man maillog, maillog --help"),
];

/// Options of others, and what does the same.
const OPTIONS: [(&[&str], &str); 11] = [
    (
        &["-u", "--unit"],
        "use a term: service:smtpd, instance:postfix-out",
    ),
    (
        &["-g", "--grep"],
        "use a term: text:'mailbox full' or text:/regex/",
    ),
    (
        &["-p", "--priority"],
        "mail has no priority; use status:bounced,deferred, or maillog query warnings for warnings of Postfix",
    ),
    (&["-t", "--identifier"], "use a term: service:smtpd"),
    (&["--utc"], "TZ=UTC maillog ... shows times in UTC"),
    (&["-e", "--pager-end"], "-n 20 shows the newest 20"),
    (
        &["-b", "--boot", "-k", "--dmesg"],
        "use --since and --until to name a time",
    ),
    (&["--disk-usage"], "maillog status, maillog query storage"),
    (
        &["--vacuum-time", "--vacuum-size"],
        "maillog prune --older-than 30",
    ),
    (
        &["-c", "--command"],
        "write the statement as argument: maillog sql 'SELECT ...'",
    ),
    (
        &["-i", "--ignore-case"],
        "upper and lower case are the same already",
    ),
];

/// Formats of others, and ours.
const FORMATS: [(&[&str], &str); 5] = [
    (
        &["json-pretty", "pretty", "verbose", "yaml", "vertical"],
        "record",
    ),
    (&["json-sse", "json-seq", "ndjson", "jsonl"], "json"),
    (
        &[
            "cat",
            "line",
            "lines",
            "text",
            "short-iso",
            "short-full",
            "list",
        ],
        "short",
    ),
    (&["export", "log"], "raw"),
    (&["unaligned", "aligned", "wide"], "table"),
];

/// Returns the error with a tip for what was typed, where one is known.
#[must_use]
pub fn with_tip(mut error: clap::Error) -> clap::Error {
    let Some(tip) = tip(&error) else {
        return error;
    };
    let tips = ContextValue::StyledStrs(vec![tip.into()]);
    error.remove(ContextKind::SuggestedSubcommand);
    error.remove(ContextKind::SuggestedArg);
    error.remove(ContextKind::SuggestedValue);
    error.remove(ContextKind::TrailingArg);
    error.insert(ContextKind::Suggested, tips);
    error
}

fn tip(error: &clap::Error) -> Option<String> {
    let typed = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    match error.kind() {
        ErrorKind::InvalidSubcommand => command(typed(ContextKind::InvalidSubcommand)?),
        ErrorKind::MissingRequiredArgument if asks_for_term(error) => Some(
            "name an address, a queue id, a <message-id>, an IP address or a day, as in maillog find alice@example.org; \
             --since today shows all mail of a time"
                .to_owned(),
        ),
        ErrorKind::UnknownArgument => {
            let option = typed(ContextKind::InvalidArg)?;
            found(&OPTIONS, option.split('=').next()?).map(str::to_owned)
        }
        ErrorKind::InvalidValue => {
            let ours = found(&FORMATS, typed(ContextKind::InvalidValue)?)?;
            let is_format = typed(ContextKind::InvalidArg)?.contains("--output");
            is_format.then(|| format!("maillog calls it {ours}"))
        }
        _ => None,
    }
}

/// `maillog find` alone.
fn asks_for_term(error: &clap::Error) -> bool {
    let missing = error.get(ContextKind::InvalidArg);
    matches!(missing, Some(ContextValue::Strings(names)) if names.iter().any(|name| name.contains("TERM")))
}

/// A name of another program's command, or what is to be found without `find` before it.
fn command(typed: &str) -> Option<String> {
    if let Some(ours) = found(&COMMANDS, typed) {
        return Some(ours.to_owned());
    }
    let is_term = typed.contains(['@', '.', ':', '<']) || typed.bytes().any(|b| b.is_ascii_digit());
    is_term.then(|| "use maillog find to search".to_owned())
}

fn found<'t>(table: &'t [(&[&str], &'t str)], word: &str) -> Option<&'t str> {
    let found = table.iter().find(|(words, _)| words.contains(&word));
    found.map(|(_, tip)| *tip)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cmd::Cli;
    use clap::{CommandFactory as _, Parser as _};

    fn said(words: &[&str]) -> String {
        let words = std::iter::once("maillog").chain(words.iter().copied());
        let error = Cli::try_parse_from(words).expect_err("wrong usage");
        with_tip(error).to_string()
    }

    #[test]
    fn what_others_call_it_leads_to_what_it_is_called_here() {
        for (words, tip) in [
            (
                &["alice@example.org"][..],
                "tip: use maillog find to search",
            ),
            (&["mailq"], "tip: maillog queue, or"),
            (&["find"], "tip: name an address, a queue id"),
            (&["find", "-u", "smtpd", "x"], "service:smtpd"),
            (&["find", "--grep=full", "x"], "text:'mailbox full'"),
            (
                &["find", "-o", "json-pretty", "x"],
                "tip: maillog calls it record",
            ),
        ] {
            let said = said(words);
            assert!(said.contains(tip), "{words:?}: {said}");
            assert_eq!(said.matches("tip:").count(), 1, "{words:?}: {said}");
        }
        assert!(said(&["find", "--sinze", "x"]).contains("--since"));
    }

    #[test]
    fn no_tip_is_about_what_there_is() {
        let program = Cli::command();
        for (words, _) in COMMANDS {
            for word in words {
                assert!(program.find_subcommand(word).is_none(), "{word}");
            }
        }
    }
}
