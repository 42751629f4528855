//! What a person types and sees: every command of `tests/cmd` and of the README, and every way to be refused.
//!
//! `TRYCMD=overwrite cargo test --release --test it cli` writes what is printed now; read the difference.

use crate::program::Place;
use std::fs;

#[test]
fn commands_print_what_tests_cmd_and_the_readme_say() {
    let place = Place::filled(&["testlogs/demo", "--now", "2026-11-22T00:00:00Z"]);
    // trycmd wants a blank line at the end of a block, readers of the README do not.
    let readme = fs::read_to_string("README.md").unwrap();
    fs::write(
        place.path("README.md"),
        readme.replace("\n```\n", "\n\n```\n"),
    )
    .unwrap();
    let cases = trycmd::TestCases::new();
    cases
        .register_bin(
            "maillog",
            std::path::Path::new(env!("CARGO_BIN_EXE_maillog")),
        )
        .env("MAILLOG_DB", place.path("maillog.duckdb").to_str().unwrap())
        .env("XDG_CONFIG_HOME", place.path("config").to_str().unwrap())
        .env("LC_ALL", "C.UTF-8")
        .env("MAILLOG_NEAR_MISSES_MS", "60000")
        .env("TZ", "UTC")
        .env("PAGER", "cat")
        .env("COLUMNS", "100")
        .case("tests/cmd/*.trycmd")
        .case("testlogs/questions.md")
        .case(place.path("README.md"));
    cases.run();
}

/// Runs and expects an exit status and these words on stderr.
fn expect(place: &Place, args: &[&str], code: i32, words: &str) {
    let outcome = place.run(args);
    assert_eq!(
        outcome.code,
        Some(code),
        "maillog {}: {}",
        args.join(" "),
        outcome.stderr
    );
    assert!(
        outcome.stderr.contains(words),
        "maillog {} does not say {words:?} but: {}",
        args.join(" "),
        outcome.stderr
    );
    assert!(
        !outcome.stderr.contains("panicked") && !outcome.stderr.contains("\\n"),
        "maillog {}: {}",
        args.join(" "),
        outcome.stderr
    );
}

#[test]
fn a_database_that_cannot_be_one_is_refused_and_left_as_it_was() {
    let place = Place::new();
    let (foreign, dir) = (place.path("foreign"), place.path("dir"));
    fs::write(&foreign, "dear diary").unwrap();
    fs::create_dir(&dir).unwrap();
    let (foreign, dir) = (foreign.to_str().unwrap(), dir.to_str().unwrap());
    for ask in [
        &["find", "a@example.com"][..],
        &["status"],
        &["sql", "SELECT 1"],
        &["query", "totals"],
    ] {
        let with = |db: &'static str| [&["--db", db], ask].concat();
        expect(
            &place,
            &with("/nowhere/maillog.duckdb"),
            2,
            "no database at /nowhere/maillog.duckdb",
        );
        expect(
            &place,
            &[&["--db", foreign], ask].concat(),
            2,
            "is not a database of maillog",
        );
        expect(
            &place,
            &[&["--db", dir], ask].concat(),
            2,
            "is a directory, not a database",
        );
    }
    expect(
        &place,
        &["--db", foreign, "ingest", "testlogs/demo"],
        2,
        "is not a database of maillog",
    );
    expect(
        &place,
        &["--db", dir, "ingest", "testlogs/demo"],
        2,
        "is a directory, not a database",
    );
    assert_eq!(fs::read_to_string(foreign).unwrap(), "dear diary");
}

#[test]
fn asking_creates_no_database() {
    let place = Place::new();
    expect(
        &place,
        &["find", "a@example.com"],
        2,
        "run `maillog ingest /var/log/mail.log*` first",
    );
    assert_eq!(fs::read_dir(place.path("")).unwrap().count(), 0);
}

#[test]
fn log_that_cannot_be_read_is_named_with_the_reason() {
    let place = Place::new();
    expect(
        &place,
        &["ingest", "/nowhere/mail.log"],
        2,
        "cannot read /nowhere/mail.log",
    );
    expect(
        &place,
        &["parse", "/nowhere/mail.log"],
        2,
        "cannot read /nowhere/mail.log",
    );
    expect(
        &place,
        &["ingest", "/nowhere/*.log"],
        2,
        "no file matches /nowhere/*.log",
    );
    let empty = place.path("empty");
    fs::create_dir(&empty).unwrap();
    expect(
        &place,
        &["ingest", empty.to_str().unwrap()],
        2,
        "no log in the named files",
    );
    // Root reads whatever its mode is.
    let secret = place.path("secret.log");
    fs::write(&secret, "x\n").unwrap();
    fs::set_permissions(&secret, std::os::unix::fs::PermissionsExt::from_mode(0o000)).unwrap();
    if fs::read(&secret).is_err() {
        expect(
            &place,
            &["ingest", secret.to_str().unwrap()],
            2,
            "permission denied",
        );
    } else {
        crate::skip::skip("a file without permission (run by root)");
    }
}

#[test]
fn a_damaged_file_keeps_what_was_readable_and_is_read_to_its_end_when_whole() {
    let place = Place::new();
    let packed = fs::read("testlogs/demo/mail.log.2.gz").unwrap();
    let path = place.path("mail.log.2.gz");
    fs::write(&path, &packed[..packed.len() / 2]).unwrap();
    let name = path.to_str().unwrap();
    let lines = || place.number("SELECT sum(lines)::BIGINT FROM coverage");
    expect(&place, &["ingest", name], 2, "the file is cut off");
    assert!((300..700).contains(&lines()), "{}", lines());
    expect(&place, &["ingest", name], 2, "the file is cut off");
    fs::write(&path, packed).unwrap();
    expect(&place, &["ingest", name], 0, "");
    let whole = Place::new();
    whole.succeed(&["ingest", "testlogs/demo/mail.log.2.gz"]);
    crate::tables::Tables::of(&whole).expect_same(
        &crate::tables::Tables::of(&place),
        "a gzip file that was cut off",
    );
}

#[test]
fn colour_is_for_terminals_unless_it_is_asked_for() {
    let place = Place::filled(&["testlogs/demo"]);
    let find = ["find", "bo.0117@ok.test", "--all", "-o", "table"];
    let plain = |text: &str| !text.contains('\u{1b}');
    assert!(plain(&place.succeed(&find)));
    assert!(plain(
        &place.succeed(&[&find[..], &["--color", "never"]].concat())
    ));
    assert!(!plain(
        &place.succeed(&[&find[..], &["--color", "always"]].concat())
    ));
}
