//! The queue as rows: the listing that is stored, where log and queue disagree, and the rows that actions leave in `audit`.

use crate::program::{Place, text};
use crate::queue::{NOW, act, acting, place, scripts, with_path};
use std::fs;

const LOG: &str = "\
Nov 21 03:21:45 mx postfix/smtpd[10]: 4jc6Pz2LgJz1SS28: client=mail.example.org[192.0.2.7], sasl_method=PLAIN, sasl_username=alice
Nov 21 03:21:45 mx postfix/qmgr[12]: 4jc6Pz2LgJz1SS28: from=<alice@late.test>, size=328, nrcpt=2 (queue active)
Nov 21 03:21:46 mx postfix/smtp[13]: 4jc6Pz2LgJz1SS28: to=<\"john smith\"@late.test>, relay=none, delay=1, delays=0/0/1/0, dsn=4.4.1, status=deferred (connect to 127.0.0.1[127.0.0.1]:1: Connection refused)
Nov 21 03:20:00 mx postfix/qmgr[12]: 4jc6Px2Mjhz1SS99: from=<gone@late.test>, size=328, nrcpt=1 (queue active)
";

/// Imports the log of some of the mails.
fn import(place: &Place) {
    let log = place.path("mail.log");
    fs::write(&log, LOG).unwrap();
    let args = ["ingest", "-q", log.to_str().unwrap(), "--year", "2026"];
    place.succeed(&[&args[..], &NOW].concat());
}

#[test]
fn a_listing_that_is_stored_is_two_views_that_join_to_the_log() {
    let place = place();
    let queue = place.path("mailq.json");
    let bin = scripts(&place, &format!("cat {}", queue.display()));
    let args = [&["queue", "snapshot"], &NOW[..]].concat();
    let (code, _, stderr) = with_path(&place, &bin, &args);
    assert_eq!(code, Some(2));
    assert!(stderr.contains("no database"), "{stderr}");
    import(&place);
    let (code, stdout, stderr) = with_path(&place, &bin, &args);
    assert_eq!(
        (code, stdout.as_str()),
        (Some(0), "3 mails stored\n"),
        "{stderr}"
    );
    let rows = place.select(
        "SELECT queue_id, status, attempts, sasl_username, client_address, cause FROM queue ORDER BY arrival_time DESC, queue_id",
    );
    assert_eq!(rows.len(), 3);
    assert_eq!(rows[1]["sasl_username"], "alice");
    assert_eq!(rows[1]["attempts"], 1);
    assert_eq!(rows[1]["status"], "hold");
    assert_eq!(rows[0]["attempts"], serde_json::Value::Null);
    let joined = place.select(
        "SELECT r.recipient, t.attempts FROM queue_recipient r JOIN delivery_to t USING (from_id, recipient)",
    );
    assert_eq!(joined.len(), 1);
    assert_eq!(text(&joined[0], "recipient"), "\"john smith\"@late.test");
    let status = place.succeed(&["status"]);
    for line in [
        "not in the queue      1  4jc6Px2Mjhz1SS99",
        "not in the log        2  4jc6P",
    ] {
        assert!(status.contains(line), "{line}: {status}");
    }
    let trend = [&["query", "queue_trend", "-o", "tsv"], &NOW[..]].concat();
    let since = [
        &trend[..],
        &["--since", "2026-11-21", "--until", "2026-11-23"],
    ]
    .concat();
    let shown = place.succeed(&since);
    let fields: Vec<&str> = shown.lines().last().unwrap().split('\t').collect();
    assert_eq!(fields[2..8], ["3", "1", "1", "0", "1", "4"], "{shown}");
    let domain = [&since[..], &["--domain", "late.test"]].concat();
    let shown = place.succeed(&domain);
    let fields: Vec<&str> = shown.lines().last().unwrap().split('\t').collect();
    assert_eq!(fields[2..8], ["2", "1", "0", "0", "1", "2"], "{shown}");
    // The next listing takes its place.
    fs::write(&queue, "").unwrap();
    let (_, stdout, _) = with_path(&place, &bin, &args);
    assert_eq!(stdout, "0 mails stored\n");
    assert_eq!(place.number("SELECT count(*) FROM queue"), 0);
}

#[test]
fn a_listing_that_fails_leaves_the_one_before() {
    let place = place();
    import(&place);
    let queue = place.path("mailq.json");
    let bin = scripts(&place, &format!("cat {}", queue.display()));
    let args = [&["queue", "snapshot"], &NOW[..]].concat();
    assert_eq!(with_path(&place, &bin, &args).0, Some(0));
    let bin = scripts(
        &place,
        &format!(
            "head -n 1 {}; echo 'postqueue: fatal: no' >&2; exit 69",
            queue.display()
        ),
    );
    let (code, _, stderr) = with_path(&place, &bin, &args);
    assert_eq!(code, Some(2));
    assert!(
        stderr.contains("postqueue failed: postqueue: fatal: no"),
        "{stderr}"
    );
    assert_eq!(place.number("SELECT count(*) FROM queue"), 3);
}

#[test]
fn each_action_leaves_a_row_that_says_who_did_what_to_which_mails() {
    let place = place();
    import(&place);
    let bin = acting(&place);
    let hold = ["hold", "--recipient", "bob@late", "to:@late.test", "--yes"];
    let (code, _, stderr) = act(&place, &bin, &hold);
    assert_eq!(code, Some(0), "{stderr}");
    let (code, _, _) = act(&place, &bin, &["delete", "--all", "--dry-run"]);
    assert_eq!(code, Some(0));
    let failing = "#!/bin/sh\necho 'postsuper: fatal: disk' >&2\nexit 1\n";
    fs::write(bin.join("postsuper"), failing).unwrap();
    let (code, _, _) = act(&place, &bin, &["delete", "from:alice@late.test", "--yes"]);
    assert_eq!(code, Some(2));
    let rows = place.select("SELECT who, origin, what, scope, hits FROM audit ORDER BY what");
    assert_eq!(rows.len(), 2, "{rows:?}");
    assert_eq!(
        text(&rows[0], "what"),
        "queue delete: from:alice@late.test; mails 4jc6Pz2LgJz1SS28; failed: postsuper: fatal: disk"
    );
    assert_eq!(
        text(&rows[1], "what"),
        "queue hold: --recipient bob@late to:@late.test; mails 4jc6Pz1sFKz1SS0y; done: postsuper: Placed on hold: 1 message"
    );
    for row in &rows {
        assert_eq!(text(row, "origin"), "command");
        assert_eq!(text(row, "scope"), "all");
        assert_eq!(row["hits"], 1);
        assert!(!text(row, "who").is_empty());
    }
}

#[test]
fn the_story_says_who_held_and_released_a_mail() {
    let place = place();
    let bin = acting(&place);
    let log = place.path("mail.log");
    let read = |lines: &str| {
        fs::write(&log, lines).unwrap();
        let args = ["ingest", "-q", log.to_str().unwrap(), "--year", "2026"];
        place.succeed(&[&args[..], &NOW].concat());
    };
    let taken = "\
Nov 21 03:21:45 mx postfix/smtpd[10]: 4jc6Pz1sFKz1SS0y: client=mail.example.org[192.0.2.7]
Nov 21 03:21:45 mx postfix/qmgr[12]: 4jc6Pz1sFKz1SS0y: from=<>, size=305, nrcpt=1 (queue active)
Nov 21 04:00:00 mx postfix/postsuper[20]: 4jc6Pz1sFKz1SS0y: placed on hold
Nov 21 05:00:00 mx postfix/postsuper[21]: 4jc6Pz1sFKz1SS0y: released from hold
";
    read(taken);
    let (code, _, stderr) = act(&place, &bin, &["hold", "to:bob@late.test", "--yes"]);
    assert_eq!(code, Some(0), "{stderr}");
    let held = "Nov 22 00:00:00 mx postfix/postsuper[22]: 4jc6Pz1sFKz1SS0y: placed on hold\n";
    read(&format!("{taken}{held}"));
    let story = || {
        let find = ["find", "qid:4jc6Pz1sFKz1SS0y", "-o", "story"];
        place.succeed(&[&find[..], &NOW].concat())
    };
    let rows = place.select("SELECT who FROM audit");
    let who = text(&rows[0], "who");
    let lines = |story: &str| -> Vec<String> {
        let of = story.lines().filter(|line| line.contains("postsuper"));
        of.map(|line| line.trim().to_owned()).collect()
    };
    let expected = [
        "2026-11-21 04:00:00  4jc6Pz1sFKz1SS0y  postsuper: placed on hold".to_owned(),
        "2026-11-21 05:00:00  4jc6Pz1sFKz1SS0y  postsuper: released from hold".to_owned(),
        format!("2026-11-22 00:00:00  4jc6Pz1sFKz1SS0y  postsuper: placed on hold, by {who}"),
    ];
    let told = story();
    assert_eq!(lines(&told), expected, "{told}");
    let (code, _, stderr) = act(&place, &bin, &["delete", "to:bob@late.test", "--yes"]);
    assert_eq!(code, Some(0), "{stderr}");
    let removed = "Nov 22 00:00:00 mx postfix/postsuper[23]: 4jc6Pz1sFKz1SS0y: removed\n";
    read(&format!("{taken}{held}{removed}"));
    let told = story();
    assert!(told.contains(&format!("deleted, by {who}")), "{told}");
}
