//! `maillog ingest --follow`: what is stored of a log that lives equals one import of it.
//!
//! How each kind of change is survived is tested beside `source::follow`, without a database.

use crate::program::Place;
use crate::resume;
use crate::service::Service;
use crate::tables::Tables;
use serde_json::json;
use std::fs;
use std::io::Write as _;
use std::process::Command;

const LINES: &str = "SELECT coalesce(sum(lines), 0)::BIGINT FROM coverage";

/// The log of the demo by its lines.
fn lines() -> Vec<String> {
    let text = String::from_utf8(resume::demo()).unwrap();
    text.split_inclusive('\n').map(str::to_owned).collect()
}

fn append(place: &Place, name: &str, text: &str) {
    let mut options = fs::OpenOptions::new();
    let file = options.append(true).create(true).open(place.path(name));
    file.unwrap().write_all(text.as_bytes()).unwrap();
}

fn rename(place: &Place, from: &str, to: &str) {
    fs::rename(place.path(from), place.path(to)).unwrap();
}

/// Follows files of the place.
fn follow<'p>(place: &'p Place, names: &[&str]) -> Service<'p> {
    let paths: Vec<String> = names
        .iter()
        .map(|name| place.path(name).display().to_string())
        .collect();
    let mut args = vec!["--follow"];
    args.extend(paths.iter().map(String::as_str));
    Service::start(place, &args)
}

/// Returns what one import of the file stores.
fn imported(name: &str, text: &str) -> Tables {
    let place = Place::new();
    append(&place, name, text);
    place.succeed(&["ingest", "--quiet", place.path(name).to_str().unwrap()]);
    Tables::of(&place)
}

#[test]
fn a_log_that_is_rotated_while_it_is_followed_equals_one_import() {
    let lines = lines();
    let expected = imported("mail.log", &lines.concat());
    let place = Place::new();
    let pieces: Vec<String> = lines
        .chunks(lines.len() / 8 + 1)
        .map(<[_]>::concat)
        .collect();
    append(&place, "mail.log", &pieces[0]);
    let mut service = follow(&place, &["mail.log"]);
    // What was rotated before anybody saw it is another's business.
    service.until(
        LINES,
        i64::try_from(pieces[0].matches('\n').count()).unwrap(),
    );
    let (half, rest) = pieces[1].split_at(pieces[1].len() / 2);
    append(&place, "mail.log", half);
    append(&place, "mail.log", rest);
    // Renamed, with more in it than was read; then compressed.
    append(&place, "mail.log", &pieces[2]);
    rename(&place, "mail.log", "mail.log.1");
    append(&place, "mail.log", &pieces[3]);
    service.restart();
    let gzip = Command::new("gzip").arg(place.path("mail.log.1")).status();
    assert!(gzip.unwrap().success());
    // Copied and cut short.
    append(&place, "mail.log", &pieces[4]);
    fs::copy(place.path("mail.log"), place.path("mail.log.2")).unwrap();
    let log = fs::OpenOptions::new()
        .write(true)
        .open(place.path("mail.log"));
    log.unwrap().set_len(0).unwrap();
    append(&place, "mail.log", &pieces[5]);
    // While nobody looks.
    service.kill();
    append(&place, "mail.log", &pieces[6]);
    rename(&place, "mail.log", "mail.log.3");
    append(&place, "mail.log", &pieces[7]);
    service.restart();
    service.until(LINES, i64::try_from(lines.len()).unwrap());
    service.kill();
    expected.expect_same(&Tables::of(&place), "followed through rotation");
    assert_eq!(service.said().matches("was truncated").count(), 0);
}

#[test]
fn logs_of_docker_are_followed_through_their_rotation() {
    let lines: Vec<String> = lines()
        .iter()
        .map(|line| json!({"log": line, "stream": "stdout", "time": "2026-11-21T03:21:37.5Z"}))
        .map(|object| format!("{object}\n"))
        .collect();
    let expected = imported("0a-json.log", &lines.concat());
    let place = Place::new();
    let mut service = follow(&place, &["containers/*/*-json.log"]);
    service.until_said("waiting for");
    fs::create_dir_all(place.path("containers/0a")).unwrap();
    let log = "containers/0a/0a-json.log";
    let pieces: Vec<String> = lines
        .chunks(lines.len() / 3 + 1)
        .map(<[_]>::concat)
        .collect();
    for (number, piece) in pieces.iter().enumerate() {
        append(&place, log, piece);
        if number == 0 {
            // What is rotated before anybody saw it is another's business.
            service.until(LINES, i64::try_from(piece.matches('\n').count()).unwrap());
        }
        if number < 2 {
            rename(&place, log, &format!("{log}.{}", 2 - number));
        }
    }
    service.until(LINES, i64::try_from(lines.len()).unwrap());
    service.kill();
    expected.expect_same(&Tables::of(&place), "containers");
}

#[test]
fn a_log_that_was_cut_short_unread_is_said_and_counted() {
    let lines = lines();
    let place = Place::new();
    append(&place, "mail.log", &lines[..500].concat());
    let mut service = follow(&place, &["mail.log"]);
    service.until(LINES, 500);
    let log = fs::OpenOptions::new()
        .write(true)
        .open(place.path("mail.log"));
    log.unwrap().set_len(0).unwrap();
    append(&place, "mail.log", &lines[500..800].concat());
    service.until(LINES, 800);
    service.until_said("may be missing");
    service.until("SELECT sum(lost)::BIGINT FROM coverage", 1);
    service.until(
        "SELECT count(*) FROM event WHERE sample LIKE '%may be missing%' AND host <> ''",
        1,
    );
}

#[test]
fn each_line_is_found_as_it_comes() {
    let lines = lines();
    let place = Place::new();
    append(&place, "mail.log", &lines[..100].concat());
    let mut service = follow(&place, &["mail.log"]);
    service.until(LINES, 100);
    // How soon is measured by bench/latency.
    for count in 101..=105 {
        append(&place, "mail.log", &lines[count - 1]);
        service.until(LINES, i64::try_from(count).unwrap());
    }
}

#[test]
fn standard_input_is_not_followed() {
    let outcome = Place::new().run(&["ingest", "--follow", "-"]);
    assert_eq!(outcome.code, Some(2));
    assert!(
        outcome.stderr.contains("--follow works with files only"),
        "{}",
        outcome.stderr
    );
}
