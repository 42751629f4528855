//! `maillog queue` on saved listings and on a Postfix that scripts stand in for.

use crate::program::Place;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

const TEXT: &str = "\
----Queue ID----- --Size-- ---Arrival Time---- --Sender/Recipient------
4jc6Pz2LgJz1SS28!#     328 Sat Nov 21 03:21:45 alice@late.test
                       (connect to 127.0.0.1[127.0.0.1]:1: Connection refused)
                                               \"john smith\"@late.test
                                                  (mail transport unavailable)
                                               \"a@b\"@nowhere.test

4jc6Pz2Mjhz1SS2D*      314 Sat Nov 21 03:21:46 jörg@late.test
                                               müller@bücher.test

4jc6Pz1sFKz1SS0y       305 Fri Nov  6 00:00:00 MAILER-DAEMON
                                               bob@late.test

-- 1 Kbytes in 3 Requests.
";

const JSON: &str = r#"{"queue_name": "hold", "queue_id": "4jc6Pz2LgJz1SS28", "arrival_time": 1795231305, "message_size": 328, "forced_expire": true, "sender": "alice@late.test", "recipients": [{"address": "\"john smith\"@late.test", "delay_reason": "connect to 127.0.0.1[127.0.0.1]:1: Connection refused"}, {"address": "\"a@b\"@nowhere.test", "delay_reason": "mail transport unavailable"}]}
{"queue_name": "active", "queue_id": "4jc6Pz2Mjhz1SS2D", "arrival_time": 1795231306, "message_size": 314, "forced_expire": false, "sender": "jörg@late.test", "recipients": [{"address": "müller@bücher.test"}]}
{"queue_name": "deferred", "queue_id": "4jc6Pz1sFKz1SS0y", "arrival_time": 1793923200, "message_size": 305, "forced_expire": false, "sender": "MAILER-DAEMON", "recipients": [{"address": "bob@late.test"}]}
"#;

pub(crate) const NOW: [&str; 2] = ["--now", "2026-11-22T00:00:00Z"];

/// Returns the place with both kinds of listing.
pub(crate) fn place() -> Place {
    let place = Place::new();
    fs::write(place.path("mailq.txt"), TEXT).unwrap();
    fs::write(place.path("mailq.json"), JSON).unwrap();
    place
}

fn ask(place: &Place, file: &str, args: &[&str]) -> String {
    let file = place.path(file);
    let args = [
        &["queue"],
        args,
        &["--from-file", file.to_str().unwrap()],
        &NOW,
    ]
    .concat();
    place.succeed(&args)
}

#[test]
fn saved_listings_of_both_kinds_give_the_same_answers() {
    let place = place();
    for args in [
        &["summary", "-o", "json"][..],
        &["list", "-o", "json"],
        &["list", "-o", "csv"],
        &["list", "-o", "table"],
        &["-o", "story"],
        &[
            "clusters",
            "--by",
            "cause",
            "from:alice@late.test",
            "-o",
            "count",
        ],
    ] {
        let outcome = |file: &str| {
            let file = place.path(file);
            let args = [
                &["queue"],
                args,
                &["--from-file", file.to_str().unwrap()],
                &NOW,
            ]
            .concat();
            let outcome = place.run(&args);
            (outcome.code, outcome.stdout)
        };
        assert_eq!(outcome("mailq.txt"), outcome("mailq.json"), "{args:?}");
    }
    let summary: Value =
        serde_json::from_str(&ask(&place, "mailq.txt", &["summary", "-o", "json"])).unwrap();
    assert_eq!(summary["total_mails"], 3);
    assert_eq!(summary["status"]["hold"], 1);
    assert_eq!(summary["mails_by_age"]["last_24h"], 2);
    assert_eq!(summary["mails_by_age"]["older_than_4_days"], 1);
    assert_eq!(summary["not_understood"], 0);
}

#[test]
fn forms_and_selectors_answer_without_a_database() {
    let place = place();
    let ask = |args: &[&str]| ask(&place, "mailq.txt", args);
    assert_eq!(ask(&["list", "from:alice@late.test", "-o", "count"]), "1\n");
    assert_eq!(ask(&["--sender", "late", "-o", "count"]), "2\n");
    assert_eq!(
        ask(&["--size", "+306", "--size", "-320", "-o", "qid"]),
        "4jc6Pz2Mjhz1SS2D\n"
    );
    assert_eq!(ask(&["-n", "1", "-o", "qid"]), "4jc6Pz2Mjhz1SS2D\n");
    assert_eq!(
        ask(&["--sort", "-size", "-o", "qid"]),
        "4jc6Pz2LgJz1SS28\n4jc6Pz2Mjhz1SS2D\n4jc6Pz1sFKz1SS0y\n"
    );
    assert_eq!(
        ask(&["--count-by", "cause"]),
        "cause\tmails\nconnection\t1\nlocal_fault\t1\n"
    );
    assert_eq!(
        ask(&["from:<>", "-o", "short"]),
        "2026-11-06T00:00:00+00:00 deferred 4jc6Pz1sFKz1SS0y <> -> <bob@late.test> size=305\n"
    );
    let none = place.path("mailq.txt");
    let none = place.run(&[
        "queue",
        "--from-file",
        none.to_str().unwrap(),
        "from:nobody@example.org",
        "-o",
        "count",
    ]);
    assert_eq!((none.code, none.stdout.as_str()), (Some(1), "0\n"));
    let unknown = place.path("mailq.txt");
    let unknown = place.run(&[
        "queue",
        "--from-file",
        unknown.to_str().unwrap(),
        "user:alice",
    ]);
    assert_eq!(unknown.code, Some(2));
    assert!(
        unknown
            .stderr
            .contains("from the log or the queue files only"),
        "{}",
        unknown.stderr
    );
    assert!(
        fs::read_dir(place.path("")).unwrap().count() == 2,
        "no database was made"
    );
}

#[test]
fn a_listing_may_be_packed_and_of_another_system() {
    let place = place();
    let packed = |program: &str| {
        let output = std::process::Command::new(program)
            .arg("-c")
            .arg(place.path("mailq.txt"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{program}");
        output.stdout
    };
    let utf_16: Vec<u8> = std::iter::once('\u{feff}')
        .chain(TEXT.chars())
        .collect::<String>()
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let expected = ask(&place, "mailq.txt", &["-o", "json"]);
    for bytes in [packed("gzip"), packed("bzip2"), packed("xz"), utf_16] {
        fs::write(place.path("packed"), bytes).unwrap();
        assert_eq!(ask(&place, "packed", &["-o", "json"]), expected);
    }
}

#[test]
fn what_is_no_listing_is_refused() {
    let place = place();
    let log = "Nov 21 03:21:45 mx postfix/smtp[9]: 4jc6Pz2LgJz1SS28: to=<r@late.test>, status=sent (ok)\n";
    fs::write(place.path("mail.log"), log).unwrap();
    fs::create_dir_all(place.path("empty/active-no")).unwrap();
    for (name, told) in [
        (
            "mail.log",
            "is no queue listing: save one with postqueue -j or mailq",
        ),
        (
            "empty",
            "is no spool of Postfix: it has no directory active, deferred or hold",
        ),
        ("missing", "missing: no such file or directory"),
    ] {
        let file = place.path(name);
        let outcome = place.run(&["queue", "summary", "--from-file", file.to_str().unwrap()]);
        assert_eq!(
            (outcome.code, outcome.stdout.as_str()),
            (Some(2), ""),
            "{name}"
        );
        assert!(outcome.stderr.contains(told), "{}", outcome.stderr);
    }
    // The queue may well be empty.
    for text in ["", "Mail queue is empty\n"] {
        fs::write(place.path("none"), text).unwrap();
        let summary = ask(&place, "none", &["summary", "-o", "json"]);
        assert!(summary.contains("\"total_mails\":0"), "{summary}");
    }
}

#[test]
fn one_mail_is_shown_with_its_recipients() {
    let place = place();
    assert_eq!(
        ask(&place, "mailq.txt", &["show", "4jc6Pz2LgJz1SS28!"]),
        "4jc6Pz2LgJz1SS28: on hold, forced to expire, arrived 2026-11-21 03:21:45 +00:00, 20h38 ago; 2 recipients waiting

  sender    alice@late.test
  size      328 bytes

  \"john smith\"@late.test: connection: connect to 127.0.0.1[127.0.0.1]:1: Connection refused
  \"a@b\"@nowhere.test: local_fault: mail transport unavailable
"
    );
}

#[test]
fn what_a_terminal_would_obey_is_escaped_and_odd_lines_are_told() {
    let place = Place::new();
    let listing = "hello\n{\"queue_name\":\"active\",\"queue_id\":\"A1\",\"arrival_time\":1,\"message_size\":1,\"sender\":\"\\u001b[2Jx\",\"recipients\":[{\"address\":\"\\u202ea@b\",\"delay_reason\":\"\\u0007\"}]}\n";
    fs::write(place.path("odd"), listing).unwrap();
    let file = place.path("odd");
    for form in ["table", "short", "story", "csv", "tsv", "json"] {
        let outcome = place.run(&["queue", "--from-file", file.to_str().unwrap(), "-o", form]);
        assert_eq!(outcome.code, Some(0));
        assert!(
            !outcome.stdout.contains(['\u{1b}', '\u{7}', '\u{202e}']),
            "{form}"
        );
        assert!(
            outcome
                .stderr
                .contains("line 1: not a line of a queue listing: hello"),
            "{}",
            outcome.stderr
        );
    }
    let summary = place.succeed(&["queue", "summary", "--from-file", file.to_str().unwrap()]);
    assert!(
        !summary.contains(['\u{1b}', '\u{7}', '\u{202e}']),
        "{summary}"
    );
}

/// Makes a Postfix of scripts: each prints a file and notes its arguments.
pub(crate) fn scripts(place: &Place, postqueue: &str) -> std::path::PathBuf {
    let bin = place.path("bin");
    fs::create_dir_all(&bin).unwrap();
    for (name, body) in [
        ("postqueue", postqueue),
        ("postconf", ":"),
        ("postcat", ":"),
    ] {
        let path = bin.join(name);
        fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    bin
}

pub(crate) fn with_path(
    place: &Place,
    bin: &std::path::Path,
    args: &[&str],
) -> (Option<i32>, String, String) {
    let path = format!("{}:/usr/bin:/bin", bin.display());
    let output = place.command(args).env("PATH", path).output().unwrap();
    (
        output.status.code(),
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

#[test]
fn a_postfix_without_json_is_asked_for_text() {
    let place = place();
    let text = place.path("mailq.txt");
    let bin = scripts(
        &place,
        &format!(
            "case \"$1\" in -j) echo 'postqueue: invalid option -- j' >&2; exit 1;; -p) cat {};; esac",
            text.display()
        ),
    );
    let args = [&["queue", "-o", "count"], &NOW[..]].concat();
    let (code, stdout, stderr) = with_path(&place, &bin, &args);
    assert_eq!((code, stdout.as_str()), (Some(0), "3\n"), "{stderr}");
}

#[test]
fn who_may_not_see_the_queue_is_told_what_to_set() {
    let place = place();
    let bin = scripts(
        &place,
        "echo 'postqueue: fatal: User alice(1000) is not allowed to view the mail queue' >&2; exit 69",
    );
    let (code, stdout, stderr) = with_path(&place, &bin, &["queue"]);
    assert_eq!((code, stdout.as_str()), (Some(2), ""));
    assert_eq!(
        stderr,
        "maillog: Postfix does not show the queue to alice\n  hint: add alice to authorized_mailq_users in main.cf, as root: postconf -e \"authorized_mailq_users = root, alice\"\n"
    );
}

#[test]
fn a_mail_in_the_queue_has_what_the_log_knows() {
    let place = place();
    let log = "\
Nov 21 03:21:45 mx postfix/smtpd[10]: 4jc6Pz2LgJz1SS28: client=mail.example.org[192.0.2.7], sasl_method=PLAIN, sasl_username=alice
Nov 21 03:21:45 mx postfix/cleanup[11]: 4jc6Pz2LgJz1SS28: message-id=<a@example.org>
Nov 21 03:21:45 mx postfix/qmgr[12]: 4jc6Pz2LgJz1SS28: from=<alice@late.test>, size=328, nrcpt=1 (queue active)
Nov 21 03:21:46 mx postfix/smtp[13]: 4jc6Pz2LgJz1SS28: to=<\"john smith\"@late.test>, relay=none, delay=1, delays=0/0/1/0, dsn=4.4.1, status=deferred (connect to 127.0.0.1[127.0.0.1]:1: Connection refused)
Nov 21 03:31:46 mx postfix/smtp[13]: 4jc6Pz2LgJz1SS28: to=<\"john smith\"@late.test>, relay=none, delay=601, delays=0/0/1/0, dsn=4.4.1, status=deferred (connect to 127.0.0.1[127.0.0.1]:1: Connection refused)
Nov 21 03:20:00 mx postfix/qmgr[12]: 4jc6Px2Mjhz1SS99: from=<gone@late.test>, size=328, nrcpt=1 (queue active)
";
    fs::write(place.path("mail.log"), log).unwrap();
    let log = place.path("mail.log");
    place.succeed(&[
        "ingest",
        "-q",
        log.to_str().unwrap(),
        "--now",
        "2026-11-22T00:00:00Z",
        "--year",
        "2026",
    ]);
    let text = place.path("mailq.json");
    let bin = scripts(&place, &format!("cat {}", text.display()));
    let args = [&["queue", "-o", "json"], &NOW[..]].concat();
    let (code, stdout, stderr) = with_path(&place, &bin, &args);
    assert_eq!(code, Some(0), "{stderr}");
    let mail: Value = stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .find(|mail| mail["queue_id"] == "4jc6Pz2LgJz1SS28")
        .unwrap();
    assert_eq!(mail["attempts"], 2);
    assert_eq!(mail["sasl_username"], "alice");
    assert_eq!(mail["client_address"], "192.0.2.7");
    assert_eq!(mail["first_deferral"], "2026-11-21T03:21:46Z");
    assert_eq!(mail["last_attempt"], "2026-11-21T03:31:46Z");
    // It is on hold: nothing is due.
    assert_eq!(mail["next_attempt"], Value::Null);
    assert!(
        stderr.contains("2 mails of the queue not in the log"),
        "{stderr}"
    );
    assert!(
        stderr.contains("1 mail that the log believes queued not in the queue: 4jc6Px2Mjhz1SS99"),
        "{stderr}"
    );
    let args = [&["queue", "user:alice", "-o", "qid"], &NOW[..]].concat();
    let (_, stdout, stderr) = with_path(&place, &bin, &args);
    assert_eq!(stdout, "4jc6Pz2LgJz1SS28\n", "{stderr}");
    let args = [&["queue", "show", "4jc6Pz2LgJz1SS28"], &NOW[..]].concat();
    let (_, stdout, _) = with_path(&place, &bin, &args);
    assert!(
        stdout.starts_with("4jc6Pz2LgJz1SS28: on hold, forced to expire, arrived"),
        "{stdout}"
    );
    assert!(
        stdout.contains("received from mail.example.org[192.0.2.7]"),
        "{stdout}"
    );
}

#[test]
fn without_a_database_the_queue_is_shown_and_the_lack_is_told() {
    let place = place();
    let text = place.path("mailq.json");
    let bin = scripts(&place, &format!("cat {}", text.display()));
    let args = [&["queue", "-o", "json"], &NOW[..]].concat();
    let (code, stdout, stderr) = with_path(&place, &bin, &args);
    assert_eq!((code, stdout.lines().count()), (Some(0), 3));
    assert!(stderr.contains("without history: no database"), "{stderr}");
}

/// A Postfix whose queue is a file; postsuper notes what it is told to do.
pub(crate) fn acting(place: &Place) -> std::path::PathBuf {
    let queue = place.path("mailq.json");
    let bin = scripts(
        place,
        &format!(
            "case \"$1\" in -i) echo \"flush $2\" >> {};; *) cat {};; esac",
            place.path("done").display(),
            queue.display()
        ),
    );
    let path = bin.join("postsuper");
    let body = format!(
        "#!/bin/sh\necho \"$@\" >> {0}\nsort >> {0}\necho 'postsuper: Placed on hold: 1 message' >&2\n",
        place.path("done").display()
    );
    fs::write(&path, body).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    // Whoever runs the tests may act.
    fs::write(place.path("maillog.toml"), "[queue]\nactions = true\n").unwrap();
    bin
}

pub(crate) fn act(
    place: &Place,
    bin: &std::path::Path,
    args: &[&str],
) -> (Option<i32>, String, String) {
    let config = place.path("maillog.toml");
    let args = [&["--config", config.to_str().unwrap(), "queue"], args, &NOW].concat();
    with_path(place, bin, &args)
}

fn done(place: &Place) -> String {
    fs::read_to_string(place.path("done")).unwrap_or_default()
}

#[test]
fn an_action_shows_its_plan_and_needs_consent() {
    let place = place();
    let bin = acting(&place);
    let (code, _, stderr) = act(&place, &bin, &["hold"]);
    assert_eq!(code, Some(2));
    assert!(
        stderr.contains("name the mails to hold; --all is every mail"),
        "{stderr}"
    );
    let (code, _, stderr) = act(
        &place,
        &bin,
        &["hold", "to:bob@late.test", "-n", "1", "--yes"],
    );
    assert_eq!(code, Some(2));
    assert!(stderr.contains("--limit is for lists"), "{stderr}");
    let (code, stdout, stderr) = act(&place, &bin, &["hold", "to:bob@late.test"]);
    assert_eq!(code, Some(2));
    assert!(
        stdout.starts_with("1 mail to be put on hold: 1 recipient, 305\n"),
        "{stdout}"
    );
    assert!(
        stderr.contains("no terminal on which to confirm"),
        "{stderr}"
    );
    let (code, stdout, _) = act(&place, &bin, &["hold", "--all", "--dry-run"]);
    assert_eq!(code, Some(0));
    assert!(
        stdout.contains("1 more passed over: on hold already"),
        "{stdout}"
    );
    assert_eq!(done(&place), "");
    let (code, _, stderr) = act(&place, &bin, &["hold", "to:bob@late.test", "--yes"]);
    assert_eq!(code, Some(0));
    assert!(
        stderr.contains("maillog: postsuper: Placed on hold: 1 message"),
        "{stderr}"
    );
    assert!(
        stderr.contains("audit: ") && stderr.contains(" hold 1 mail: done"),
        "{stderr}"
    );
    assert_eq!(done(&place), "-h -\n4jc6Pz1sFKz1SS0y\n");
}

#[test]
fn each_action_is_an_option_of_postsuper() {
    for (verb, said) in [
        ("release", "-H -\n4jc6Pz2LgJz1SS28\n"),
        (
            "requeue",
            "-r -\n4jc6Pz1sFKz1SS0y\n4jc6Pz2LgJz1SS28\n4jc6Pz2Mjhz1SS2D\n",
        ),
        (
            "delete",
            "-d -\n4jc6Pz1sFKz1SS0y\n4jc6Pz2LgJz1SS28\n4jc6Pz2Mjhz1SS2D\n",
        ),
        ("expire", "-e -\n4jc6Pz1sFKz1SS0y\n4jc6Pz2Mjhz1SS2D\n"),
        ("flush", "flush 4jc6Pz1sFKz1SS0y\n"),
    ] {
        let place = place();
        let bin = acting(&place);
        let (code, _, stderr) = act(&place, &bin, &[verb, "--all", "--yes"]);
        assert_eq!(code, Some(0), "{stderr}");
        assert_eq!(done(&place), said, "{verb}");
    }
}

#[test]
fn an_id_that_was_used_again_is_left_alone() {
    let place = place();
    let bin = acting(&place);
    // The second look shows another mail under the first id, and the last one gone.
    let later = JSON.replace("1795231305", "1795231399");
    let later: String = later
        .lines()
        .take(2)
        .map(|line| format!("{line}\n"))
        .collect();
    fs::write(place.path("later.json"), later).unwrap();
    let script = format!(
        "#!/bin/sh\nif [ -e {0} ]; then cat {1}; else touch {0}; cat {2}; fi\n",
        place.path("seen").display(),
        place.path("later.json").display(),
        place.path("mailq.json").display()
    );
    fs::write(bin.join("postqueue"), script).unwrap();
    let (code, _, stderr) = act(&place, &bin, &["delete", "--all", "--yes"]);
    assert_eq!(code, Some(0), "{stderr}");
    assert_eq!(done(&place), "-d -\n4jc6Pz2Mjhz1SS2D\n");
    assert!(
        stderr.contains("4jc6Pz1sFKz1SS0y left the queue meanwhile"),
        "{stderr}"
    );
    assert!(
        stderr.contains("4jc6Pz2LgJz1SS28 left alone: the id belongs to another mail now"),
        "{stderr}"
    );
    assert!(
        stderr.contains("delete 1 mail, 2 left alone: done"),
        "{stderr}"
    );
}

#[test]
fn mails_with_one_body_are_one_group() {
    let place = place();
    let bin = acting(&place);
    let file = |path: &str, body: &str| {
        format!(
            "*** ENVELOPE RECORDS {path} ***\nsender: a\n*** MESSAGE CONTENTS {path} ***\nSubject: {path}\n\n{body}\n\
             *** HEADER EXTRACTED {path} ***\n*** MESSAGE FILE END {path} ***\n"
        )
    };
    let printed = [
        file(
            "hold/4jc6Pz2LgJz1SS28",
            "You have won a prize, alice@example.org\nClaim it today",
        ),
        file(
            "active/4jc6Pz2Mjhz1SS2D",
            "You have won a prize, bob@example.net\nClaim it  today",
        ),
        file("deferred/4/4jc6Pz1sFKz1SS0y", "The minutes of our meeting"),
    ];
    fs::write(place.path("printed"), printed.concat()).unwrap();
    for (name, body) in [
        (
            "postcat",
            format!("cat {}", place.path("printed").display()),
        ),
        ("sudo", "shift; exec \"$@\"".to_owned()),
    ] {
        let path = bin.join(name);
        fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    fs::write(place.path("maillog.toml"), "[queue]\nsudo = true\n").unwrap();
    let args = ["clusters", "--by", "body", "--no-history", "-o", "json"];
    let (code, stdout, stderr) = act(&place, &bin, &args);
    assert_eq!(code, Some(0), "{stderr}");
    let groups: Vec<Value> = stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(groups.len(), 1, "{stdout}");
    assert_eq!(groups[0]["mails"], 2);
    assert_eq!(
        groups[0]["queue_ids"],
        serde_json::json!(["4jc6Pz2LgJz1SS28", "4jc6Pz2Mjhz1SS2D"])
    );
    let shared = groups[0]["shared"].as_array().unwrap();
    let body = shared.iter().find(|shared| shared["by"] == "body").unwrap();
    assert_eq!(body["value"].as_str().unwrap().len(), 40);
    let file = place.path("mailq.json");
    let saved = ["clusters", "--body", "--from-file", file.to_str().unwrap()];
    let (code, _, stderr) = act(&place, &bin, &saved);
    assert_eq!(code, Some(2));
    assert!(
        stderr.contains("bodies stand in the queue files only"),
        "{stderr}"
    );
}

#[test]
fn a_saved_listing_is_not_acted_upon() {
    let place = place();
    let bin = acting(&place);
    let file = place.path("mailq.json");
    let args = [
        "delete",
        "--all",
        "--yes",
        "--from-file",
        file.to_str().unwrap(),
    ];
    let (code, _, stderr) = act(&place, &bin, &args);
    assert_eq!(code, Some(2));
    assert!(
        stderr.contains("a saved listing cannot be changed"),
        "{stderr}"
    );
    assert_eq!(done(&place), "");
}

#[test]
fn the_shell_has_the_commands_of_pymailq() {
    let place = place();
    let bin = acting(&place);
    let script = "store status\nstore load\nstore status\nselect sender late\nselect size +320\nshow filters\n\
                  show selected rankby sender\nselect rmfilter 1\nshow selected limit 1 sortby size desc\n\
                  select status deferred\nselect replay\nselect reset\nselect qids 4jc6Pz1sFKz1SS0y\nsuper hold yes\nexit\n";
    fs::write(place.path("script"), script).unwrap();
    let config = place.path("maillog.toml");
    let args = [
        &["--config", config.to_str().unwrap(), "queue", "shell"],
        &NOW[..],
    ]
    .concat();
    let path = format!("{}:/usr/bin:/bin", bin.display());
    let output = place
        .command(&args)
        .env("PATH", path)
        .stdin(fs::File::open(place.path("script")).unwrap())
        .output()
        .unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{stdout}{stderr}");
    for said in [
        "store is not loaded\n3 mails loaded from queue\nstore loaded with 3 mails at 2026-11-22",
        "2 mails selected\n1 mails selected\n0: select sender late\n1: select size +320\n",
        "alice@late.test      1\n",
        "2 mails selected\nPreview of first 1 (1 more)\n",
        "0 mails selected\nfilters replayed: 0 mails\nselection reset to 3 mails\n1 mails selected\n1 mail to be put on hold",
    ] {
        assert!(stdout.contains(said), "{said:?} is not in:\n{stdout}");
    }
    assert_eq!(done(&place), "-h -\n4jc6Pz1sFKz1SS0y\n");
}

#[test]
fn subcommands_fields_and_queues_are_completed() {
    let place = Place::new();
    let offered = |words: &[&str]| {
        let words = [&["complete", "zsh", "--", "maillog", "queue"], words].concat();
        place.run(&words).stdout
    };
    assert!(offered(&["summ"]).starts_with("summary\t"));
    assert_eq!(offered(&["status:ho"]), "status:hold\n");
    assert!(offered(&["hold", "fr"]).starts_with("from:\t"));
    assert!(offered(&["list", "-status:held,de"]).contains("-status:held,deferred"));
    assert!(offered(&["--output", "st"]).starts_with("story\t"));
}

/// The manual names each field of the queue.
#[test]
fn the_manual_has_the_fields() {
    let page = fs::read_to_string("man/maillog-queue.1").unwrap();
    for field in &maillog::queue::fields::FIELDS {
        assert!(
            page.contains(&format!(".It Cm {}", field.name)),
            "{}",
            field.name
        );
    }
    for column in maillog::queue::sheet::COLUMNS {
        assert!(page.contains(&format!(".It Cm {column}\n")), "{column}");
    }
}
