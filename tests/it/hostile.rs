//! What strangers write into a log stays true and harmless in every format.

use crate::program::Place;

/// Returns whether a terminal would obey it or a reader not see it.
fn is_harmful(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
}

fn filled() -> Place {
    let now = "2026-11-21T00:00:00Z";
    Place::filled(&["testlogs/hostile/mail.log", "--year", "2026", "--now", now])
}

#[test]
fn no_format_hands_a_terminal_what_a_stranger_wrote() {
    let place = filled();
    for format in [
        "table", "short", "story", "ticket", "raw", "json", "csv", "tsv", "qid", "count",
    ] {
        for more in [&[][..], &["--mask"], &["--all-hops"]] {
            let ask = [
                "find",
                "--all",
                "-o",
                format,
                "from:*",
                "OR",
                "status:refused",
            ];
            let outcome = place.run(&[&ask[..], more].concat());
            assert_eq!(outcome.code, Some(0), "{format}: {}", outcome.stderr);
            for text in [&outcome.stdout, &outcome.stderr] {
                let harmful = text.chars().find(|c| is_harmful(*c));
                assert_eq!(harmful, None, "{format} {more:?}: {text:?}");
            }
        }
    }
    // What is asked comes back in messages.
    for query in ["to:\u{1b}[2J@example.org", "\u{202e}gro", "\"\u{9b}2J"] {
        let outcome = place.run(&["find", "--all", query]);
        let harmful = outcome.stderr.chars().find(|c| is_harmful(*c));
        assert_eq!(harmful, None, "{:?}", outcome.stderr);
    }
}

#[test]
fn status_played_in_addresses_and_replies_is_none() {
    let place = filled();
    let status = |query: &str| {
        let outcome = place.run(&[
            "find",
            "--all",
            "-o",
            "tsv",
            "--fields",
            "status,queue_id",
            query,
        ]);
        outcome
            .stdout
            .lines()
            .skip(1)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(status("qid:64AB9120A01"), ["bounced\t64AB9120A01"]);
    assert_eq!(status("carol@example.org"), ["deferred\t64AB9120A03"]);
    assert_eq!(status("erin@example.org"), ["bounced\t64AB9120A05"]);
    assert_eq!(status("bob@example.org"), ["reject\t"]);
    assert_eq!(
        status("status:sent"),
        ["sent\t64AB9120A04", "sent\t64AB9120A06"]
    );
    // Two kilobytes of reply are there word for word.
    let ticket = place.succeed(&["find", "--all", "-o", "ticket", "erin@example.org"]);
    assert_eq!(
        ticket.matches("all work and no play").count(),
        100,
        "{ticket}"
    );
}

#[test]
fn masked_answer_names_nobody_else() {
    let place = filled();
    for format in [
        "short", "story", "ticket", "json", "csv", "tsv", "raw", "table",
    ] {
        let answer = place.succeed(&["find", "--all", "-o", format, "--mask", "carol@example.org"]);
        assert!(
            answer.contains("carol@example.org") || format == "raw",
            "{format}: {answer}"
        );
        assert!(!answer.contains("eve@example.com"), "{format}: {answer}");
    }
}
