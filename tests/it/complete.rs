//! Completion in the shells themselves: the scripts run, and what they offer is looked at.

use crate::program::Place;
use std::process::Command;

const PROGRAM: &str = env!("CARGO_BIN_EXE_maillog");

/// A database with hosts, and a query of the user's own.
fn filled() -> Place {
    let place = Place::filled(&["testlogs/demo", "--now", "2026-11-22T00:00:00Z"]);
    let folder = place.path("config/maillog/queries");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(
        folder.join("mine_alone.sql"),
        "-- summary: mine\nSELECT 1 AS one\n",
    )
    .unwrap();
    place
}

/// Runs a shell's script; none, with a word, where the shell is not here.
fn run(place: &Place, shell: &str, args: &[&str]) -> Option<Vec<String>> {
    if Command::new(shell).arg("--version").output().is_err() {
        crate::skip::skip(&format!("completion in {shell} (it is not here)"));
        return None;
    }
    let output = Command::new(shell)
        .args(args)
        .env("MAILLOG_DB", place.path("maillog.duckdb"))
        .env("XDG_CONFIG_HOME", place.path("config"))
        .env("HOME", place.path("home"))
        .env("TZ", "UTC")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    Some(text.lines().map(str::to_owned).collect())
}

/// Completes as bash calls the function: `replaced` is what stands behind the last break of a word, which a colon is, too.
fn bash(place: &Place, line: &str, replaced: &str) -> Option<Vec<String>> {
    let script = place.path("maillog.bash");
    std::fs::write(&script, place.succeed(&["generate", "bash"])).unwrap();
    let text = "source \"$1\"; COMP_LINE=$3; COMP_POINT=${#COMP_LINE}; COMP_WORDS=($3); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        _maillog \"$2\" \"$4\" '' 2>/dev/null; printf '%s\\n' \"${COMPREPLY[@]}\"";
    let script = script.to_str().unwrap();
    run(
        place,
        "bash",
        &[
            "--norc", "-c", text, "bash", script, PROGRAM, line, replaced,
        ],
    )
}

#[test]
fn bash_offers_what_stands_behind_the_colon() {
    let place = filled();
    let cases: [(&str, &str, &[&str]); 11] = [
        ("maillog find status:boun", "boun", &["bounced"]),
        (
            "maillog find -status:sent,boun",
            "sent,boun",
            &["sent,bounced"],
        ),
        (
            "maillog find \"status:boun",
            "status:boun",
            &["status:bounced"],
        ),
        ("maillog find stat", "stat", &["status:"]),
        ("maillog find -stat", "-stat", &["-status:"]),
        ("maillog find rule:grey", "grey", &["greylist"]),
        ("maillog find --count-by caus", "caus", &["cause"]),
        (
            "maillog find --fields time,recip",
            "time,recip",
            &["time,recipient"],
        ),
        ("maillog find -o jso", "jso", &["json"]),
        ("maillog query qsh", "qsh", &["qshape"]),
        ("maillog query mine", "mine", &["mine_alone"]),
    ];
    for (line, replaced, expected) in cases {
        let Some(offered) = bash(&place, line, replaced) else {
            return;
        };
        assert_eq!(offered, expected, "{line}");
    }
}

/// On a busy machine the database may not answer in the time that a word at the cursor is worth.
#[test]
fn hosts_are_those_of_the_database() {
    let place = filled();
    let end = std::time::Instant::now() + std::time::Duration::from_mins(1);
    loop {
        let offered = place.succeed(&["complete", "fish", "--", "maillog", "find", "host:mx"]);
        if offered.lines().any(|word| word == "host:mx1") {
            return;
        }
        assert!(
            std::time::Instant::now() < end,
            "no host:mx1 in {offered:?}"
        );
    }
}

#[test]
fn zsh_offers_words_with_and_without_a_blank_behind() {
    let place = filled();
    let script = place.path("maillog.zsh");
    std::fs::write(&script, place.succeed(&["generate", "zsh"])).unwrap();
    let text = "compdef() { }; _files() { print files }; source $1
        compadd() { print -r -- ${(P)@[-1]} }
        words=(\"$2\" ${=3}); CURRENT=$#words; PREFIX=$words[CURRENT]; _maillog";
    let script = script.to_str().unwrap();
    let zsh = |words: &str| run(&place, "zsh", &["-fc", text, "zsh", script, PROGRAM, words]);
    for (words, expected) in [
        ("find status:boun", "status:bounced"),
        ("find stat", "status:"),
        ("query qsh", "qshape"),
        ("ingest x", "files"),
    ] {
        let Some(offered) = zsh(words) else {
            return;
        };
        assert_eq!(offered, [expected], "{words}");
    }
}

#[test]
fn fish_shows_what_words_mean() {
    let place = filled();
    let script = place.path("maillog.fish");
    std::fs::write(&script, place.succeed(&["generate", "fish"])).unwrap();
    let (script, directory) = (
        script.to_str().unwrap(),
        PROGRAM.trim_end_matches("/maillog"),
    );
    let fish = |line: &str| {
        let text = format!("set -x PATH {directory} $PATH; source {script}; complete -C '{line}'");
        run(&place, "fish", &["--no-config", "-c", &text])
    };
    for (line, expected) in [
        ("maillog find status:boun", "status:bounced"),
        (
            "maillog find cause:unknown_us",
            "cause:unknown_user\tThere is no such mailbox.",
        ),
        ("maillog query mine", "mine_alone\tMine"),
    ] {
        let Some(offered) = fish(line) else {
            return;
        };
        assert!(
            offered.iter().any(|word| word.starts_with(expected)),
            "{line}: {offered:?}"
        );
    }
}

#[test]
fn a_missing_or_foreign_database_is_passed_over_silently() {
    let place = Place::new();
    let outcome = place.run(&["complete", "fish", "--", "maillog", "find", "host:"]);
    assert_eq!(
        (
            outcome.code,
            outcome.stdout.as_str(),
            outcome.stderr.as_str()
        ),
        (Some(0), "", "")
    );
    assert!(!place.path("maillog.duckdb").exists());
}
