//! What `find` makes of whole stories: one hit a mail, greylisting told as one, waiting for the outcome.

use crate::program::Place;
use std::process::Stdio;

fn filled(story: &str) -> Place {
    let file = format!("testlogs/stories/{story}.log");
    let now = "2026-03-05T00:00:00Z";
    Place::filled(&[&file, "--year", "2026", "--now", now])
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of questions and answers")]
fn mail_behind_filter_alias_requeue_or_relay_is_one_hit() {
    for (story, query, expected) in [
        (
            "content_filter",
            "bob@example.org",
            &["sent 0CC56120A61"][..],
        ),
        ("content_filter", "64AB9120A53", &["sent 0CC56120A61"]),
        (
            "content_filter_record_first",
            "bob@example.org",
            &["sent 3D090120AC0"],
        ),
        (
            "forwarded_chain",
            "bob@mail.example.org",
            &["sent 0CC57120A62"],
        ),
        (
            "forwarded_chain",
            "list@mail.example.org status:sent",
            &["sent 0CC57120A62"],
        ),
        ("alias_forward", "bob@example.org", &["sent 0CC56120A61"]),
        ("requeued", "bob@example.net", &["sent 4fQpZg0007z8tXb"]),
        (
            "relayed_bounce",
            "joe@example.com",
            &["bounced 4fQnFR2wTjz8tX9"],
        ),
        (
            "before_queue_filter",
            "bob@example.org",
            &["sent 0CC56120A61"],
        ),
        (
            "filter_splits_recipients",
            "eve@example.org",
            &["bounced 0CC57120A62"],
        ),
        (
            "filter_splits_recipients",
            "64AB9120A53",
            &["sent 0CC56120A61", "bounced 0CC57120A62"],
        ),
        (
            "content_filter",
            "chain:0CC56120A61",
            &["filtered 64AB9120A53", "sent 0CC56120A61"],
        ),
    ] {
        let ask = [
            "find",
            "--all",
            "-o",
            "tsv",
            "--fields",
            "status,qid",
            query,
        ];
        let found = filled(story).succeed(&ask).replace('\t', " ");
        let found: Vec<&str> = found.lines().skip(1).collect();
        assert_eq!(found, expected, "{query} in {story}");
    }
}

#[test]
fn greylisting_is_told_with_the_later_try() {
    let place = filled("greylisted_then_sent");
    let story = place.succeed(&["find", "--all", "-o", "story", "bob@example.org"]);
    let told = "greylisted on arrival at 2026-03-04 10:20:12 +00:00, accepted at 2026-03-04 10:26:12 +00:00, 6 min later";
    assert_eq!(story.matches(told).count(), 1, "{story}");
    assert!(!story.contains("refused on arrival"), "{story}");
    let refused = place.succeed(&[
        "find",
        "--all",
        "-o",
        "story",
        "bob@example.org status:refused",
    ]);
    let later = "a later mail from the same client was accepted at 2026-03-04 10:26:12 +00:00, 6 min later: 64AB9120A53";
    assert!(refused.contains(later), "{refused}");
}

#[test]
fn raw_lines_are_those_of_the_whole_chain() {
    let raw = filled("alias_forward").succeed(&["find", "--all", "-o", "raw", "bob@example.net"]);
    let log = std::fs::read_to_string("testlogs/stories/alias_forward.log").unwrap();
    let expected: Vec<&str> = log.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(raw.lines().count(), expected.len(), "{raw}");
    assert!(expected.iter().all(|line| raw.contains(line)), "{raw}");
}

#[test]
fn waiting_ends_with_the_outcome() {
    let place = Place::new();
    let log = std::fs::read_to_string("testlogs/stories/two_recipients_one_bounced.log").unwrap();
    let path = place.path("mail.log");
    let path_name = path.to_str().unwrap();
    let now = "2026-03-05T00:00:00Z";
    let ingest = ["ingest", "-q", path_name, "--year", "2026", "--now", now];
    let first: String = log.split_inclusive('\n').take(4).collect();
    std::fs::write(&path, first).unwrap();
    place.succeed(&ingest);
    let ask = [
        "find",
        "--all",
        "64AB9120A53",
        "--until-final",
        "--timeout",
        "100s",
    ];
    let waiting = place.command(&ask).stdout(Stdio::piped()).spawn().unwrap();
    // Whoever writes waits for its turn, so this may be refused for a moment.
    let deadline = std::time::Instant::now() + std::time::Duration::from_mins(1);
    std::fs::write(&path, &log).unwrap();
    while place.run(&ingest).code != Some(0) {
        assert!(
            std::time::Instant::now() < deadline,
            "the import never got its turn"
        );
    }
    let outcome = waiting.wait_with_output().unwrap();
    // One of the two was not delivered.
    assert_eq!(outcome.status.code(), Some(1));
    let said = String::from_utf8_lossy(&outcome.stdout);
    assert!(
        said.contains(" bounced ") && said.contains(" sent "),
        "{said}"
    );
    let over = place.run(&[
        "find",
        "--all",
        "nobody@example.org",
        "--until-final",
        "--timeout",
        "0s",
    ]);
    assert_eq!(over.code, Some(1));
    assert!(
        over.stderr.contains("no outcome before the timeout"),
        "{}",
        over.stderr
    );
}
