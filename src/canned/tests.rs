use super::names::{SqlPart, pieces};
use super::*;
use std::fs;

#[test]
fn every_file_is_listed_and_readable() {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/queries");
    let mut files: Vec<String> = fs::read_dir(directory)
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .filter_map(|n| n.strip_suffix(".sql").map(str::to_owned))
        .collect();
    files.sort();
    let listed: Vec<&str> = all().unwrap().iter().map(|q| q.name).collect();
    assert_eq!(files, listed);
}

#[test]
fn every_query_has_a_group_a_short_summary_and_help() {
    for query in all().unwrap() {
        let group = query.group.unwrap_or(OWN);
        assert!(GROUPS.contains(&group), "{}: group {group:?}", query.name);
        assert!(query.summary.len() <= 80, "{}: summary is long", query.name);
        assert!(!query.help.is_empty(), "{}: no help", query.name);
        for param in &query.params {
            let has_help = !param.meaning().is_empty();
            assert!(has_help, "{}: no help for {}", query.name, param.name);
        }
    }
}

#[test]
fn names_in_comments_and_quotes_are_no_parameters() {
    let sql = "SELECT '$a ''$b', \"$c\" -- $d\n, $top, '^x$' /* $e */ || $topic";
    let names: Vec<&str> = pieces(sql)
        .into_iter()
        .filter_map(|piece| match piece {
            SqlPart::Name(name) => Some(name),
            SqlPart::Text(_) => None,
        })
        .collect();
    assert_eq!(names, ["top", "topic"]);
}

#[test]
fn one_name_may_begin_like_another() {
    let text =
        "-- summary: s\n-- param: top count 1\n-- param: topic text x -- t\nSELECT $topic, $top";
    let query = file::read("q", text).unwrap();
    assert_eq!(query.sql, "SELECT $2, $1");
}

#[test]
fn faults_are_said_in_one_line() {
    let faults = [
        ("q", "SELECT 1", "no line `-- summary: ...`"),
        ("q", "-- summary: s\n", "no statement"),
        ("q", "-- summary: s\nSELECT $x", "$x is no parameter"),
        ("q", "-- summary: s\n-- param: x text\nSELECT 1", "no $x"),
        (
            "q",
            "-- summary: s\n-- param: x int 1\nSELECT $x",
            "unknown type \"int\"",
        ),
        (
            "q",
            "-- summary: s\n-- param: x count\nSELECT $x",
            "write a default",
        ),
        (
            "q",
            "-- summary: s\n-- param: db text\nSELECT $db",
            "option --db",
        ),
        (
            "q",
            "-- summary: s\n-- param: x text\n-- param: x text\nSELECT $x",
            "declared twice",
        ),
        ("Q x", "-- summary: s\nSELECT 1", "is not a name"),
    ];
    for (name, text, expected) in faults {
        let fault = file::read(name, text).unwrap_err();
        assert!(fault.contains(expected), "{text:?}: {fault}");
        assert!(!fault.contains('\n'), "{fault}");
    }
}

#[test]
fn a_file_takes_the_place_of_a_query_and_a_broken_one_is_listed_with_its_fault() {
    let dir = tempfile::tempdir().unwrap();
    let (own, system) = (dir.path().join("own"), dir.path().join("system"));
    fs::create_dir_all(&own).unwrap();
    fs::create_dir_all(&system).unwrap();
    let write = |folder: &std::path::Path, name: &str, text: &str| {
        fs::write(folder.join(name), text).unwrap();
    };
    write(&own, "totals.sql", "-- summary: mine\nSELECT 1");
    write(&own, "broken.sql", "SELECT 1");
    write(&own, "binary.sql", "-- summary: s\n");
    fs::write(own.join("binary.sql"), [0xff, 0xfe]).unwrap();
    write(&own, "readme.txt", "no query");
    fs::create_dir(own.join("folder.sql")).unwrap();
    write(&system, "totals.sql", "-- summary: theirs\nSELECT 2");
    write(&system, "theirs.sql", "-- summary: theirs\nSELECT 2");
    let list = listed(&[own.clone(), dir.path().join("nowhere"), system]);
    let of = |name: &str| list.iter().find(|l| l.name == name).unwrap();
    assert_eq!(of("totals").query.as_ref().unwrap().summary, "mine");
    assert_eq!(of("totals").origin, Origin::File(own.join("totals.sql")));
    assert_eq!(of("theirs").query.as_ref().unwrap().summary, "theirs");
    assert!(of("broken").query.is_err());
    assert!(of("binary").query.is_err());
    assert_eq!(of("folder").query, Err("is no file".to_owned()));
    assert_eq!(of("traffic_hourly").origin, Origin::Program);
    assert!(!list.iter().any(|l| l.name == "readme"));
}

#[test]
fn a_users_folder_follows_the_environment() {
    let home = std::path::Path::new("/home/a");
    let of = |xdg: Option<&str>| folder::folders(xdg.map(std::path::Path::new), Some(home));
    assert_eq!(
        of(None)[0].to_str(),
        Some("/home/a/.config/maillog/queries")
    );
    assert_eq!(of(Some("/c"))[0].to_str(), Some("/c/maillog/queries"));
    assert_eq!(
        of(Some("relative"))[0].to_str(),
        Some("/home/a/.config/maillog/queries")
    );
    assert_eq!(folder::folders(None, None).len(), 1);
}
