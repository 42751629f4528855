//! Foreign words: commands of psql and sqlite3 that the shell has not, and what does the same here.

/// Commands, and what to say.
const COMMANDS: [(&[&str], &str); 11] = [
    (
        &["l", "list", "c", "connect", "conninfo", "databases", "open"],
        "the shell has one database; maillog status shows its path, maillog --db FILE sql opens another",
    ),
    (
        &[
            "df", "dn", "du", "dg", "dx", "do", "dT", "da", "dp", "z", "db",
        ],
        "there are tables, views and functions only: .tables, .schema TABLE, and SELECT * FROM duckdb_functions()",
    ),
    (
        &["di", "indexes", "indices"],
        "there are no indexes; name a short time range to make a query fast",
    ),
    (
        &["copy", "export", "dump", "once"],
        ".output FILE and .mode csv, then the SELECT; or maillog sql -o csv 'SELECT ...' > FILE",
    ),
    (
        &["import", "restore", "save", "backup"],
        "the shell is read-only; import log with maillog ingest",
    ),
    (
        &["g", "gx", "gset", "gexec", "p", "r", "w"],
        "end the statement with ; to run it; .edit opens it in an editor",
    ),
    (
        &["watch", "repeat"],
        "watch -n 5 maillog sql 'SELECT ...' repeats the query; maillog find -f follows new mail",
    ),
    (
        &[
            "pset",
            "f",
            "t",
            "H",
            "headers",
            "separator",
            "nullvalue",
            "width",
            "set",
            "unset",
            "show",
        ],
        ".mode table, record, json, csv or tsv, and .expanded on, off or auto set the format",
    ),
    (
        &["!", "cd", "shell", "system"],
        "leave the shell with .exit, or suspend it with Ctrl-Z",
    ),
    (
        &[
            "s",
            "errverbose",
            "echo",
            "qecho",
            "prompt",
            "password",
            "encoding",
        ],
        "Ctrl-R searches the history",
    ),
    (
        &["sf", "sv", "ef", "ev"],
        ".schema NAME shows the columns; maillog query NAME --explain the SQL of a canned query",
    ),
];

/// Returns what does here what the command does there.
pub(super) fn hint(name: &str) -> Option<&'static str> {
    let name = name.trim_start_matches(['.', '\\']).trim_end_matches('+');
    let found = COMMANDS.iter().find(|(names, _)| names.contains(&name));
    found.map(|(_, hint)| *hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_shell_has_not_is_told_of() {
        let known = super::super::dot::names();
        for (names, _) in COMMANDS {
            for name in names {
                for typed in [format!("\\{name}"), format!(".{name}")] {
                    assert!(!known.contains(&typed), "{typed} is a command");
                    assert!(hint(&typed).is_some(), "{typed}");
                }
            }
        }
        assert_eq!(hint("\\qwertz"), None);
    }
}
