//! Mail that was refused at its end, and mail behind `sent`: one event, told with what came later, and what the store did.

use crate::program::{Place, shared, text};
use serde_json::Value;

/// Raw lines of what was logged the day before are kept.
const NOW: &str = "2026-03-05T00:00:00Z";

fn read(log: &str, now: &str) -> Place {
    Place::filled(&[log, "--year", "2026", "--now", now])
}

fn filled(log: &str) -> Place {
    read(log, NOW)
}

fn case(name: &str, now: &str) -> Option<Place> {
    let log = shared("cases/turn02", "a public case")?.join(format!("{name}.log"));
    Some(read(log.to_str().unwrap(), now))
}

fn find(place: &Place, format: &str, terms: &[&str]) -> String {
    let mut args = vec!["find", "--all", "-o", format];
    args.extend(terms);
    place.succeed(&args)
}

fn hits(place: &Place, terms: &[&str]) -> Vec<Value> {
    let json = find(place, "json", terms);
    json.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn assert_told(story: &str, words: &[&str]) {
    for word in words {
        assert!(story.contains(word), "no {word:?} in\n{story}");
    }
}

#[test]
fn put_off_by_a_milter_on_two_hosts_is_one_story_with_the_delivery() {
    let place = filled("testlogs/stories/turned_away_for_now.log");
    let story = find(&place, "story", &["bob@example.org"]);
    assert_told(
        &story,
        &[
            "delivered to mx1.example.org[private/dovecot-lmtp]",
            "greylisted on arrival at 2026-03-04 10:20:13 +00:00 and 1 time more, accepted at 2026-03-04 10:30:40 +00:00, 10 min 27 s later",
            "64AB9120A53",
            "9283B120A68",
        ],
    );
    assert!(!story.contains("refused"), "{story}");
    assert_eq!(find(&place, "count", &["bob@example.org"]).trim(), "3");
    assert_eq!(
        find(&place, "count", &["bob@example.org", "status:sent"]).trim(),
        "1"
    );
    assert_eq!(
        find(&place, "count", &["bob@example.org", "status:not_accepted"]).trim(),
        "2"
    );
    for hit in hits(&place, &["bob@example.org", "-status:sent"]) {
        assert_eq!(text(&hit, "status"), "not_accepted", "{hit}");
        assert_eq!(text(&hit, "cause"), "greylisted", "{hit}");
        assert_eq!(text(&hit, "sender"), "ann@example.net", "{hit}");
        assert_eq!(text(&hit, "message_id"), "<gl1@example.net>", "{hit}");
    }
    let story = find(&place, "story", &["9283B120A68"]);
    assert_told(
        &story,
        &[
            "bob@example.org: greylisted on 2026-03-04 10:20:15 +00:00, the client was asked to retry later: 4.7.1",
            "it was accepted at 2026-03-04 10:30:40 +00:00, 10 min 26 s later: 0CC56120A61",
        ],
    );
    let refused = hits(&place, &["bob@example.org", "rule:greylist"]);
    assert_eq!(refused.len(), 2, "{refused:?}");
    let raw = find(&place, "raw", &["9283B120A68"]);
    assert_eq!(raw.lines().count(), 3, "{raw}");
}

#[test]
fn what_cleanup_does_not_accept_is_found_by_its_recipient() {
    let place = filled("testlogs/stories/turned_away_for_now.log");
    for (to, queue_id, cause) in [
        ("carol@example.org", "5D2F1C2E4B", "local_fault"),
        ("dave@example.org", "5D2F1C2E4B", "local_fault"),
        ("postmaster@example.org", "425866779B", "local_fault"),
        ("erin@example.org", "425866779D", "storage"),
    ] {
        let found = hits(&place, &[to]);
        assert_eq!(found.len(), 1, "{to}: {found:?}");
        assert_eq!(text(&found[0], "queue_id"), queue_id, "{to}");
        assert_eq!(text(&found[0], "status"), "not_accepted", "{to}");
        assert_eq!(text(&found[0], "cause"), cause, "{to}");
    }
    let story = find(&place, "story", &["425866779C"]);
    assert_told(
        &story,
        &[
            "not accepted on",
            "sender_canonical_maps map lookup problem",
        ],
    );
}

#[test]
fn a_refusal_of_many_is_one_hit_for_each_that_the_log_names() {
    let place = filled("testlogs/stories/turned_away_many.log");
    let found = hits(&place, &["qid:64AB9120A53"]);
    let mut to: Vec<String> = found
        .iter()
        .map(|hit| format!("{} {}", text(hit, "recipient"), text(hit, "status")))
        .collect();
    to.sort_unstable();
    assert_eq!(
        to,
        [
            "alice@example.org rejected",
            "bob@example.org rejected",
            "carol@example.org rejected",
            "dave@example.org reject",
        ]
    );
    let story = find(&place, "story", &["alice@example.org"]);
    assert_told(&story, &["refused on", "5.7.1 Spam message rejected"]);
    let later = hits(&place, &["qid:9283B120A68"]);
    assert_eq!(text(&later[0], "status"), "not_accepted", "{later:?}");
}

#[test]
fn what_the_store_did_is_told_and_its_line_kept() {
    let place = filled("testlogs/stories/behind_sent.log");
    let story = find(&place, "story", &["archiv@example.org"]);
    assert_told(
        &story,
        &[
            "handed to dovecot, which discarded it",
            "rspamd: no action, score 1.2 of 15",
        ],
    );
    let story = find(&place, "story", &["bob+news@example.org"]);
    assert_told(&story, &["handed to dovecot, which filed it in 'Junk'"]);
    let ticket = find(&place, "ticket", &["bob+news@example.org"]);
    assert_told(&ticket, &["mail store", "dovecot: filed it in 'Junk'"]);
    let raw = find(&place, "raw", &["archiv@example.org"]);
    assert_told(&raw, &["dovecot: lmtp(archiv@example.org)", "rspamd["]);
    assert_eq!(raw.lines().count(), 7, "{raw}");
    let hit = &hits(&place, &["archiv@example.org"])[0];
    assert_eq!(text(hit, "store"), "dovecot: discarded");
    let other = &hits(&place, &["carol@example.org"])[0];
    assert!(other["store"].is_null(), "{other}");
    assert_eq!(text(other, "status"), "not_accepted");
}

#[test]
fn a_store_whose_log_is_read_later_and_elsewhere_is_told_the_same() {
    let log = std::fs::read_to_string("testlogs/stories/behind_sent.log").unwrap();
    let (store, postfix): (Vec<&str>, Vec<&str>) = log
        .lines()
        .filter(|line| !line.starts_with('#'))
        .partition(|line| line.contains("dovecot: "));
    let place = Place::new();
    for (name, lines) in [("mail.log", postfix), ("store.log", store)] {
        let path = place.path(name);
        let text = lines.join("\n").replace(" mail dovecot", " store dovecot");
        std::fs::write(&path, text + "\n").unwrap();
        let path = path.to_str().unwrap().to_owned();
        place.succeed(&["ingest", "-q", &path, "--year", "2026", "--now", NOW]);
    }
    let story = find(&place, "story", &["archiv@example.org"]);
    assert_told(&story, &["handed to dovecot, which discarded it"]);
    let raw = find(&place, "raw", &["bob+news@example.org"]);
    assert_told(&raw, &["store dovecot: lda(bob@example.org)"]);
}

#[test]
fn a_notice_that_only_its_parent_names_is_told() {
    let place = filled("testlogs/stories/notice_named_only.log");
    for (id, notice) in [
        (
            "64AB9120A53",
            "notice to the sender: 9283B120A68 to ann@example.net, delivered",
        ),
        ("0CC56120A61", "notice to the sender: 0CC57120A62"),
    ] {
        let story = find(&place, "story", &[id]);
        assert_told(&story, &[notice]);
        assert!(!story.contains("log of this mail is missing"), "{story}");
    }
}

#[test]
fn public_case_level_for_host() {
    let Some(place) = case("01-level-for-host", "2026-11-25T00:00:00Z") else {
        return;
    };
    let story = find(&place, "story", &["5D2F1C2E4B"]);
    assert_told(
        &story,
        &[
            "bob@example.org: not accepted",
            "virtual_alias_maps map lookup problem",
        ],
    );
    assert_eq!(find(&place, "count", &["5D2F1C2E4B"]).trim(), "1");
    assert_eq!(find(&place, "count", &["alice@example.org"]).trim(), "1");
}

#[test]
fn public_case_not_accepted_by_cleanup() {
    let Some(place) = case("14-not-accepted-by-cleanup", "2026-11-10T00:00:00Z") else {
        return;
    };
    let story = find(&place, "story", &["postmaster@example.org"]);
    assert_told(
        &story,
        &[
            "admin@example.org (addressed as postmaster@example.org): delivered to 127.0.0.1[127.0.0.1]:10025",
            "temporarily refused on arrival at 2026-11-09 13:08:27",
            "unreasonable virtual_alias_maps map nesting",
        ],
    );
    let story = find(&place, "story", &["4258667796"]);
    assert_told(
        &story,
        &[
            "postmaster@example.org: not accepted",
            "it was accepted at 2026-11-09 13:38:27",
        ],
    );
}

#[test]
fn public_case_sieve_after_sent() {
    let Some(place) = case("15-sieve-after-sent", "2026-11-12T00:00:00Z") else {
        return;
    };
    let story = find(&place, "story", &["archiv@example.org"]);
    assert_told(&story, &["handed to dovecot, which discarded it"]);
    let story = find(&place, "story", &["bob@example.org"]);
    assert_told(&story, &["handed to dovecot, which filed it in 'Junk'"]);
    for to in ["archiv@example.org", "bob@example.org"] {
        let raw = find(&place, "raw", &[to]);
        assert_told(&raw, &["dovecot: lmtp("]);
        assert_eq!(raw.lines().count(), 6, "{raw}");
    }
}

#[test]
fn public_case_rspamd_greylist() {
    let Some(place) = case("27-rspamd-greylist", "2026-11-06T00:00:00Z") else {
        return;
    };
    let story = find(&place, "story", &["bob@example.org"]);
    assert_told(
        &story,
        &[
            "bob@example.org: delivered",
            "436DE5E0E9A  bob@example.org greylisted on arrival",
            "8A499FF26B   bob@example.org greylisted on arrival",
            "rspamd: soft reject, score 4.54 of 15",
        ],
    );
    assert_eq!(story.matches("delivered to").count(), 1, "{story}");
    assert_eq!(
        find(&place, "count", &["bob@example.org", "status:sent"]).trim(),
        "1"
    );
}
