//! A user who may see the mail of one address: every door of the program, with a running service.

use crate::crowd::of_nobody;
use crate::program::{Outcome, Place};
use crate::service::Service;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::process::Stdio;

/// Whose mail it is.
const OWN: &str = "hold-release@ok.test";

fn run(place: &Place, args: &[&str]) -> Outcome {
    let mut command = of_nobody(place, args);
    let output = command.stdout(Stdio::piped()).output().unwrap();
    Outcome {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "one door after the other")]
fn a_user_in_a_scope_sees_its_mail_through_every_door_and_no_other() {
    let place = Place::filled(&["testlogs/demo"]);
    let database = place.path("maillog.duckdb");
    if chown(&database, None, Some(65534)).is_err() {
        return crate::skip::skip("a user in a scope (not root)");
    }
    // The file itself is out of reach.
    fs::set_permissions(&database, fs::Permissions::from_mode(0o640)).unwrap();
    fs::set_permissions(place.path(""), fs::Permissions::from_mode(0o755)).unwrap();
    let all = place.succeed(&["find", "--all", "-o", "tsv", "--fields", "sender,recipient"]);
    let own = place.succeed(&["find", &format!("addr:{OWN}"), "--all", "-o", "json"]);
    let audience = place.succeed(&["find", OWN, "--all", "-o", "tsv", "--fields", "sender"]);
    chown(&database, None, Some(0)).unwrap();
    let others: Vec<&str> = all
        .split(['\t', '\n'])
        .filter(|word| word.contains('@') && *word != OWN && !audience.contains(word))
        .collect();
    assert!(others.len() > 100, "{}", others.len());
    let no_other = |outcome: &Outcome, what: &str| {
        let said = format!("{}{}", outcome.stdout, outcome.stderr);
        let named = others.iter().find(|other| said.contains(**other));
        assert!(named.is_none(), "{what}: {named:?} in {said}");
    };

    let config = place.path("maillog.toml");
    let settings = format!("[scope.support]\nmail = [\"{OWN}\"]\nusers = [\"nobody\"]\n");
    fs::write(&config, settings).unwrap();
    let log = place.path("mail.log");
    fs::write(&log, "").unwrap();
    let options = ["--config", config.to_str().unwrap()];
    let mut service = Service::start_with(&place, &options, &["--follow", log.to_str().unwrap()]);
    service.until("SELECT 1", 1);

    let seen = run(&place, &["find", "--all", "-o", "json"]);
    assert_eq!(seen.code, Some(0), "{}", seen.stderr);
    assert!(
        seen.stderr
            .contains(&format!("searching only mail of {OWN}"))
    );
    assert_eq!(seen.stdout, own);
    for format in [
        "table", "short", "story", "ticket", "json", "csv", "tsv", "raw", "qid", "count",
    ] {
        for terms in [
            &["--all"][..],
            &[OWN, "--all"],
            &["-status:deferred", "--all", "-n", "5"],
        ] {
            let args = [&["find", "-o", format], terms].concat();
            let seen = run(&place, &args);
            assert!(seen.code != Some(2), "{args:?}: {}", seen.stderr);
            no_other(&seen, &format!("{args:?}"));
        }
    }
    for field in ["to", "from", "text", "qid"] {
        let seen = run(
            &place,
            &["find", "--all", "--count-by", field, "-o", "json"],
        );
        assert_eq!(seen.code, Some(0), "{}", seen.stderr);
        no_other(&seen, field);
    }
    let followed = run(
        &place,
        &["find", OWN, "--all", "--follow", "--timeout", "2s"],
    );
    assert_eq!(followed.code, Some(0), "{}", followed.stderr);
    no_other(&followed, "--follow");
    no_other(
        &run(
            &place,
            &["find", "--all", "--until-final", "--timeout", "1s"],
        ),
        "--until-final",
    );
    // What is there and not seen is not there: no near miss, no other reading, and no proof.
    let other = others
        .iter()
        .find(|other| other.ends_with("@ok.test"))
        .unwrap();
    for term in [other, "hold-releas@ok.test", "@ok.test", "ok.test"] {
        let seen = run(&place, &["find", &format!("-to:{OWN}"), term, "--all"]);
        assert_eq!(seen.code, Some(1), "{term}: {}", seen.stdout);
        assert!(
            seen.stderr.contains(&format!("no such mail of {OWN}")),
            "{}",
            seen.stderr
        );
        let named: Vec<&&str> = others
            .iter()
            .filter(|other| **other != term && seen.stderr.contains(**other))
            .collect();
        assert!(named.is_empty(), "{term}: {named:?}");
    }
    let summary = run(&place, &["summary", "--since", "all", "-o", "json"]);
    assert_eq!(summary.code, Some(0), "{}", summary.stderr);
    assert!(
        summary
            .stdout
            .contains(&format!("You see mail of {OWN} only"))
    );
    no_other(&summary, "summary");
    let status = run(&place, &["status"]);
    assert_eq!(status.code, Some(0), "{}", status.stderr);
    assert!(
        !status.stdout.contains("testlogs/demo"),
        "{}",
        status.stdout
    );
    no_other(&status, "status");
    for args in [
        &["sql", "SELECT * FROM delivery_to"][..],
        &["sql", "SELECT * FROM duckdb_tables()"],
        &["query", "recipients_count", "--all"],
        &["query", "audit"],
        &["prune", "--address", OWN],
    ] {
        let refused = run(&place, args);
        assert_eq!(refused.code, Some(2), "{args:?}: {}", refused.stdout);
        no_other(&refused, &format!("{args:?}"));
    }
    let refused = run(&place, &["query", "recipients_count", "--all"]);
    let said = format!("you may see mail of {OWN} only: SQL and reports need all mail");
    assert!(refused.stderr.contains(&said), "{}", refused.stderr);
    asked(&place, &mut service);
}

/// What was asked is in the table `audit`.
fn asked(place: &Place, service: &mut Service<'_>) {
    service.until(
        "SELECT (count(*) > 0)::BIGINT FROM audit WHERE who = 'nobody' AND what LIKE '%@ok.test'",
        1,
    );
    let rows = place.succeed(&[
        "query", "audit", "--user", "nobody", "--top", "1000", "-o", "json",
    ]);
    let rows: Vec<Value> = rows
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let found = rows.iter().find(|row| row["what"] == format!("find {OWN}"));
    let found = found.unwrap_or_else(|| panic!("{rows:?}"));
    assert_eq!(
        (&found["origin"], &found["scope"]),
        (&"unix".into(), &OWN.into())
    );
    assert!(found["hits"].as_i64().unwrap() > 0, "{found}");
    assert!(rows.iter().all(|row| row["who"] == "nobody"));
}
