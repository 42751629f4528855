//! Log is read once, however often, in whatever pieces, under whatever names and in whatever order it is imported.

use crate::program::{Place, say, shared};
use crate::random::Random;
use crate::tables::Tables;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A present that is near to the log: what is stored may depend on it.
const NOW: &str = "2026-11-22T00:00:00Z";
/// Beginnings of random walks; each makes its own cuts and orders.
const SEEDS: [u64; 2] = [1, 2];

fn ingest(place: &Place, files: &[PathBuf]) -> String {
    let mut args = vec!["ingest", "--json", "--now", NOW];
    args.extend(files.iter().map(|path| path.to_str().unwrap()));
    place.succeed(&args)
}

fn run(program: &str, args: &[&str], from: &Path) -> Vec<u8> {
    let file = fs::File::open(from).unwrap();
    let output = Command::new(program)
        .args(args)
        .stdin(file)
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success(), "{program} < {}", from.display());
    output.stdout
}

/// The real log of the demo as one text.
pub(crate) fn demo() -> Vec<u8> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("testlogs/demo");
    let mut log = run("gzip", &["-dc"], &dir.join("mail.log.2.gz"));
    log.extend(fs::read(dir.join("mail.log.1")).unwrap());
    log.extend(fs::read(dir.join("mail.log")).unwrap());
    log
}

/// Logs to try: the demo, and a generated one whose stamps have no year, over days, with deferred mail.
fn logs() -> Vec<(&'static str, Vec<u8>)> {
    let mut logs = vec![("testlogs/demo", demo())];
    if let Some(rig) = shared("postfix-rig", "a generated log in pieces") {
        let place = Place::new();
        let status = Command::new(rig.join("loggen"))
            .args([
                "--lines", "20000", "--rate", "0.25", "--format", "rfc3164", "--out",
            ])
            .arg(place.path("log"))
            .arg("--truth")
            .arg(place.path("truth"))
            .status()
            .unwrap();
        assert!(status.success());
        logs.push(("loggen", fs::read(place.path("log")).unwrap()));
    }
    logs
}

fn imported_at_once(log: &[u8]) -> (Place, Tables) {
    let place = Place::new();
    let path = place.path("whole.log");
    fs::write(&path, log).unwrap();
    ingest(&place, &[path]);
    let tables = Tables::of(&place);
    assert!(tables.count() > 100, "{tables:?}");
    (place, tables)
}

/// Returns where a line begins, at or after `at`.
fn line_start(log: &[u8], at: usize) -> usize {
    log[at..]
        .iter()
        .position(|b| *b == b'\n')
        .map_or(log.len(), |i| at + i + 1)
}

#[test]
fn importing_a_file_again_changes_nothing() {
    for (name, log) in logs() {
        let (place, _) = imported_at_once(&log);
        let before = Tables::with_ids(&place);
        for _ in 0..2 {
            let summary = ingest(&place, &[place.path("whole.log")]);
            assert!(summary.contains("\"lines\":0,"), "{summary}");
            before.expect_same(&Tables::with_ids(&place), name);
        }
    }
}

#[test]
fn a_file_that_grows_equals_one_import() {
    let mut steps = 0;
    for (name, log) in logs() {
        let (_, expected) = imported_at_once(&log);
        for seed in SEEDS {
            let mut random = Random(seed);
            let mut cuts: Vec<usize> = (0..8).map(|_| random.below(log.len())).collect();
            // Half of the cuts are between lines, the others wherever they fall, and one before the first line's end.
            cuts.iter_mut()
                .step_by(2)
                .for_each(|cut| *cut = line_start(&log, *cut));
            cuts.extend([40, log.len()]);
            cuts.sort_unstable();
            let place = Place::new();
            let path = place.path("mail.log");
            for cut in &cuts {
                fs::write(&path, &log[..*cut]).unwrap();
                ingest(&place, std::slice::from_ref(&path));
            }
            expected.expect_same(&Tables::of(&place), &format!("{name} cut at {cuts:?}"));
            steps += cuts.len();
        }
    }
    say(&format!("{steps} imports of growing files"));
}

#[test]
fn a_rotated_set_in_any_order_equals_one_import() {
    for (name, log) in logs() {
        let (_, expected) = imported_at_once(&log);
        let a = line_start(&log, log.len() / 3);
        let b = line_start(&log, log.len() / 3 * 2);
        let middle = line_start(&log, log.len() / 2);
        for seed in SEEDS {
            let place = Place::new();
            let mut random = Random(seed);
            let path = |name: &str| place.path(name);
            let mut all = |names: &[&str]| {
                let mut files: Vec<PathBuf> = names.iter().map(|name| place.path(name)).collect();
                random.shuffle(&mut files);
                ingest(&place, &files);
            };
            // The first file is read while it is written to, then rotated with lines that were not read yet.
            fs::write(path("mail.log"), &log[..a - 100]).unwrap();
            all(&["mail.log"]);
            fs::write(path("mail.log"), &log[..a]).unwrap();
            fs::rename(path("mail.log"), path("mail.log.1")).unwrap();
            fs::write(path("mail.log"), &log[a..middle]).unwrap();
            all(&["mail.log", "mail.log.1"]);
            // Then the second one, which grew too, while the first is compressed.
            fs::write(
                path("mail.log.2.gz"),
                run("gzip", &["-c"], &path("mail.log.1")),
            )
            .unwrap();
            fs::write(path("mail.log.1"), &log[a..b]).unwrap();
            fs::write(path("mail.log"), &log[b..]).unwrap();
            all(&["mail.log", "mail.log.1", "mail.log.2.gz"]);
            expected.expect_same(
                &Tables::of(&place),
                &format!("{name}, rotated, seed {seed}"),
            );
        }
        let place = Place::new();
        fs::write(place.path("mail.log.2"), &log[..a]).unwrap();
        fs::write(place.path("mail.log.1"), &log[a..b]).unwrap();
        fs::write(place.path("mail.log"), &log[b..]).unwrap();
        ingest(
            &place,
            &["mail.log", "mail.log.2", "mail.log.1"].map(|name| place.path(name)),
        );
        expected.expect_same(&Tables::of(&place), &format!("{name}, a set that is new"));
    }
}

#[test]
fn compressed_copies_of_a_file_add_nothing() {
    let (place, expected) = imported_at_once(&demo());
    let mut tried = Vec::new();
    for program in ["gzip", "bzip2", "xz", "zstd"] {
        let version = Command::new(program)
            .arg("--version")
            .stdin(Stdio::null())
            .output();
        if version.is_err() {
            crate::skip::skip(&format!("no {program}"));
            continue;
        }
        // The name says nothing about the content.
        let copy = place.path(&format!("copy-{}", tried.len()));
        fs::write(&copy, run(program, &["-c"], &place.path("whole.log"))).unwrap();
        ingest(&place, std::slice::from_ref(&copy));
        expected.expect_same(&Tables::of(&place), program);
        // The other way round: the copy alone is the log.
        let alone = Place::new();
        ingest(&alone, &[copy]);
        expected.expect_same(&Tables::of(&alone), &format!("{program} alone"));
        tried.push(program);
    }
    say(&format!("copies by {}", tried.join(", ")));
}

#[test]
fn a_compressed_file_of_several_members_is_read_whole() {
    let log = demo();
    let (_, expected) = imported_at_once(&log);
    let place = Place::new();
    let middle = line_start(&log, log.len() / 2) - 7;
    let mut packed = Vec::new();
    for half in [&log[..middle], &log[middle..]] {
        fs::write(place.path("half"), half).unwrap();
        packed.extend(run("gzip", &["-c"], &place.path("half")));
    }
    fs::write(place.path("mail.log.gz"), packed).unwrap();
    ingest(&place, &[place.path("mail.log.gz")]);
    expected.expect_same(&Tables::of(&place), "two members of gzip");
}

#[test]
fn a_directory_a_glob_a_list_and_a_pipe_equal_one_import() {
    let log = demo();
    let (whole, expected) = imported_at_once(&log);
    let demo_dir = "testlogs/demo";
    for files in [
        vec![demo_dir],
        vec!["testlogs/demo/mail.*"],
        vec![demo_dir, "testlogs/demo/mail.log*"],
    ] {
        let place = Place::new();
        let mut args = vec!["ingest", "--now", NOW];
        args.extend(&files);
        place.succeed(&args);
        expected.expect_same(&Tables::of(&place), &files.join(" "));
    }
    let piped = Place::new();
    piped.ingest_stdin(&whole.path("whole.log"));
    expected.expect_same(&Tables::of(&piped), "standard input");
}

#[test]
fn line_ends_and_a_missing_last_one_change_nothing() {
    let log = demo();
    let (_, expected) = imported_at_once(&log);
    let place = Place::new();
    let text = String::from_utf8(log.clone()).unwrap();
    let crlf = place.path("crlf.log");
    fs::write(&crlf, text.replace('\n', "\r\n")).unwrap();
    ingest(&place, &[crlf]);
    expected.expect_same(&Tables::of(&place), "CRLF");

    // A last line without an end may still be written to. It is read when its end is there, and once.
    let place = Place::new();
    let path = place.path("mail.log");
    fs::write(&path, text.trim_end()).unwrap();
    ingest(&place, std::slice::from_ref(&path));
    ingest(&place, std::slice::from_ref(&path));
    fs::OpenOptions::new()
        .append(true)
        .open(&path)
        .unwrap()
        .write_all(b"\n")
        .unwrap();
    ingest(&place, &[path]);
    expected.expect_same(&Tables::of(&place), "an end that comes later");
}

#[test]
fn bytes_that_are_no_text_do_not_hide_their_neighbours() {
    let log = demo();
    let (whole, _) = imported_at_once(&log);
    let mut odd = b"\xff\xfe\x00 no line of a log \x80\n".to_vec();
    let middle = line_start(&log, log.len() / 2);
    odd.extend(&log[..middle]);
    odd.extend(b"2026-11-21T03:21:40.000000+00:00 mx1 dovecot: \xc3\x28 \xa0\xa1 \x00\x07\n");
    odd.extend(&log[middle..]);
    let place = Place::new();
    let path = place.path("mail.log");
    fs::write(&path, odd).unwrap();
    ingest(&place, &[path]);
    let deliveries = |place: &Place| {
        place.select("SELECT * EXCLUDE (id, from_id) FROM delivery_to ORDER BY ALL")
    };
    assert_eq!(deliveries(&place), deliveries(&whole));
    assert_eq!(
        place.number("SELECT sum(ignored)::BIGINT FROM coverage")
            - whole.number("SELECT sum(ignored)::BIGINT FROM coverage"),
        1
    );
}
