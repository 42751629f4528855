//! What a package brings along is true: settings with their defaults, the unit's sandbox, the manual of both.

use crate::program::Place;
use maillog::config::{Config, Environment};
use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

const SAMPLE: &str = include_str!("../../contrib/maillog.toml");
const PAGE: &str = include_str!("../../man/maillog.toml.5");
const UNIT: &str = include_str!("../../contrib/maillog.service");
const SERVICE_PAGE: &str = include_str!("../../man/maillog.service.8");

/// Returns the sample with its settings uncommented: those with a default, and the examples where asked for.
fn uncommented(with_examples: bool) -> String {
    let setting = |line: &&str| {
        let name = line.trim_start_matches(|c: char| c.is_ascii_lowercase() || c == '_');
        name.len() < line.len() && name.starts_with(" = ")
    };
    SAMPLE
        .lines()
        .filter_map(|line| {
            let example = line.strip_prefix("#~").filter(|_| with_examples);
            let default = || line.strip_prefix('#').filter(setting);
            let plain = || Some(line).filter(|l| !l.starts_with('#'));
            example.or_else(default).or_else(plain)
        })
        .map(|line| format!("{line}\n"))
        .collect()
}

/// Resolves settings as the service's user does.
fn resolve(place: &Place, text: &str) -> anyhow::Result<Config> {
    let path = place.path("maillog.toml");
    fs::write(&path, text)?;
    let env = Environment {
        is_service: true,
        ..Environment::default()
    };
    Config::resolve(None, Some(&path), &env)
}

/// Returns the names that a table knows, as the error about an unknown one lists them.
fn known(place: &Place, table: &str) -> Vec<String> {
    let header = if table.is_empty() {
        String::new()
    } else {
        format!("[{table}]\n")
    };
    let text = format!("{header}no_such_setting = 1\n");
    let error = resolve(place, &text).unwrap_err();
    let error = format!("{error:#}");
    let (_, list) = error.split_once("expected ").expect("a list of names");
    list.split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

/// Returns every setting, tables as `table.name`.
fn settings(place: &Place) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for name in known(place, "") {
        let is_table = resolve(place, &format!("{name} = 1\n"))
            .is_err_and(|e| format!("{e:#}").contains("expected struct"));
        if is_table {
            let inner = known(place, &name);
            all.extend(inner.into_iter().map(|inner| format!("{name}.{inner}")));
        } else if name == "scope" {
            // Tables of it have names of the administrator.
            let inner = known(place, "scope.NAME");
            all.extend(inner.into_iter().map(|inner| format!("scope.NAME.{inner}")));
        } else {
            all.insert(name);
        }
    }
    all
}

#[test]
fn defaults_in_the_sample_are_those_of_the_program() {
    let place = Place::new();
    let mut stated = resolve(&place, &uncommented(false)).unwrap();
    assert!(stated.database_is_named, "the sample states the database");
    stated.database_is_named = false;
    assert_eq!(stated, resolve(&place, "").unwrap());
    resolve(&place, &uncommented(true)).unwrap();
    assert_eq!(
        resolve(&place, SAMPLE).unwrap(),
        resolve(&place, "").unwrap(),
        "as installed it changes nothing"
    );
}

#[test]
fn every_setting_is_in_the_sample_and_in_the_manual() {
    let place = Place::new();
    let mut table = String::new();
    let mut sampled = BTreeSet::new();
    for line in uncommented(true).lines() {
        if let Some(name) = line.strip_prefix('[') {
            table = format!("{}.", name.trim_end_matches(']'));
        } else if let Some((name, _)) = line.split_once(" = ") {
            sampled.insert(format!("{table}{name}"));
        }
    }
    let known = settings(&place);
    assert!(known.contains("database"), "{known:?}");
    assert_eq!(sampled, known, "sample against program");
    let items: BTreeSet<String> = PAGE
        .lines()
        .filter_map(|line| line.strip_prefix(".It Cm "))
        .map(str::to_owned)
        .collect();
    assert_eq!(items, known, "maillog.toml(5) against program");
}

#[test]
fn the_sandbox_of_the_unit_is_rated_as_the_manual_says() {
    let rated = Command::new("systemd-analyze")
        .args(["security", "--offline=true", "contrib/maillog.service"])
        .output();
    let Some(rated) = rated.ok().filter(|o| o.status.success()) else {
        crate::skip::skip("rating of the unit (no systemd-analyze security --offline)");
        return;
    };
    let rated = String::from_utf8_lossy(&rated.stdout);
    let (_, level) = rated
        .split_once("exposure level for maillog.service: ")
        .expect("a rating");
    let level = level.split_whitespace().next().unwrap();
    let number: f64 = level.parse().unwrap();
    assert!(number <= 1.5, "exposure {number}");
    let claim = format!("rates its exposure {level} of 10");
    let page = SERVICE_PAGE.replace('\n', " ");
    assert!(
        page.contains(&claim),
        "maillog.service(8) does not say: {claim}"
    );
}

#[test]
fn the_unit_starts_what_the_program_knows() {
    let command = UNIT
        .lines()
        .find_map(|line| line.strip_prefix("ExecStart=/usr/bin/maillog "))
        .expect("ExecStart");
    let place = Place::new();
    let words: Vec<&str> = command.split(' ').chain(["--help"]).collect();
    place.succeed(&words);
}

/// Every script of ours that the shell runs: path and text.
fn shell_scripts() -> Vec<(String, String)> {
    let folders = ["scripts", "contrib", "contrib/debian", "bench"];
    let entries = folders
        .iter()
        .flat_map(|folder| fs::read_dir(folder).unwrap());
    let files = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file());
    let texts =
        files.filter_map(|path| Some((path.display().to_string(), fs::read_to_string(path).ok()?)));
    let is_shell = |text: &str| {
        let first = text.lines().next().unwrap_or_default();
        first.starts_with("#!") && (first.ends_with("sh") || first.contains("sh "))
    };
    texts.filter(|(_, text)| is_shell(text)).collect()
}

#[test]
fn a_script_fails_when_a_part_of_it_fails() {
    let scripts = shell_scripts();
    assert!(scripts.len() >= 6, "{scripts:?}");
    for (path, text) in scripts {
        let code: Vec<&str> = text
            .lines()
            .filter(|line| !line.trim_start().starts_with('#'))
            .collect();
        let has_pipe = code
            .iter()
            .any(|line| line.replace("||", "").contains(" | "));
        let first_set = code.iter().find(|line| line.starts_with("set -")).copied();
        assert!(
            first_set.is_some_and(|set| set.contains('e')),
            "{path}: no set -e"
        );
        let is_safe = text.starts_with("#!/bin/bash\n") && first_set == Some("set -euo pipefail");
        assert!(!has_pipe || is_safe, "{path}: a pipe hides a failure");
    }
}

#[test]
fn licences_are_all_there_or_the_script_fails() {
    let place = Place::new();
    let licences = || Command::new("scripts/licenses");
    let Ok(told) = licences().output() else {
        return crate::skip::skip("licences (no python3)");
    };
    if told.status.success() {
        let text = String::from_utf8_lossy(&told.stdout).into_owned();
        assert!(
            text.contains("\nserde 1.") && text.len() > 100_000,
            "{}",
            text.len()
        );
    }
    // A cache without the crates, and no network.
    let told = licences()
        .env("CARGO_HOME", place.path("nothing"))
        .env("CARGO_NET_OFFLINE", "true")
        .output()
        .unwrap();
    assert_ne!(told.status.code(), Some(0));
    let said = String::from_utf8_lossy(&told.stderr);
    assert!(
        said.contains("licenses: cargo does not say") && !said.contains("Traceback"),
        "{said}"
    );
}
