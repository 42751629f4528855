//! Logs from public repositories (`../shared/testlogs`): imported without an error, and almost every line understood;
//! and the same records in each shape of testlogs/formats, stored alike.

use crate::program::{Differences, Place, int, say, shared, text};
use std::path::{Path, PathBuf};

fn files_under(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_under(&path));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}

#[test]
fn public_samples_are_imported_and_understood() {
    let Some(samples) = shared("testlogs", "public samples") else {
        return;
    };
    let place = Place::new();
    let mut total = 0;
    for directory in std::fs::read_dir(&samples).unwrap() {
        let directory = directory.unwrap().path();
        if directory.is_dir() {
            let files = files_under(&directory);
            let mut args = vec!["ingest", "--json"];
            args.extend(files.iter().map(|file| file.to_str().unwrap()));
            // Licences among them are not understood.
            let outcome = place.run(&args);
            assert!(matches!(outcome.code, Some(0 | 1)), "{outcome:?}");
            total += files.len();
        }
    }
    let rows = place.select(
        "SELECT sum(lines)::BIGINT AS lines, sum(\"foreign\")::BIGINT AS others, sum(not_understood)::BIGINT AS strange FROM coverage",
    );
    let counts = rows.first().unwrap();
    let strange = int(counts, "strange");
    let postfix = int(counts, "lines") - int(counts, "others");
    for row in place.select("SELECT service, template, count FROM unparsed ORDER BY count DESC, service, template LIMIT 40") {
        say(&format!("not understood {} times: {}: {}", int(&row, "count"), text(&row, "service"), text(&row, "template")));
    }
    say(&format!(
        "public samples: {total} files, {postfix} lines of Postfix, {strange} not understood"
    ));
    assert!(
        strange * 1000 < postfix * 2,
        "{strange} of {postfix} lines not understood"
    );
}

#[test]
fn same_records_in_other_shapes_are_stored_alike() {
    let tables = [
        "SELECT host, instance, queue_id, service, client_address, sender, message_id, subject, size, nrcpt, origin, status
         FROM delivery_from ORDER BY ALL",
        "SELECT host, queue_id, recipient, orig_to, attempts, agent, relay, delay, dsn, status, reason FROM delivery_to ORDER BY ALL",
        "SELECT host, service, pid, action, protocol_state, client_address, sender, recipient, reply_code, reason, count
         FROM noqueue ORDER BY ALL",
        "SELECT level, template, sum(count)::BIGINT AS count FROM event GROUP BY ALL ORDER BY ALL",
        "SELECT sum(lines)::BIGINT AS lines, sum(understood)::BIGINT AS understood FROM coverage",
    ];
    let formats = files_under(Path::new("testlogs/formats"));
    let mut first = None;
    let mut differences = Differences::default();
    for file in &formats {
        let place = Place::new();
        place.succeed(&["ingest", "--json", "--year", "2026", file.to_str().unwrap()]);
        let rows: Vec<_> = tables.iter().map(|sql| place.select(sql)).collect();
        let expected = first.get_or_insert_with(|| rows.clone());
        for (a, b) in expected.iter().flatten().zip(rows.iter().flatten()) {
            differences.compare(&file.display().to_string(), a, b);
        }
        differences.compare(
            &format!("{}: rows", file.display()),
            expected.iter().map(Vec::len).collect::<Vec<_>>(),
            rows.iter().map(Vec::len).collect(),
        );
    }
    assert!(formats.len() > 3);
    differences.none("testlogs/formats");
    say(&format!(
        "testlogs/formats: {} shapes of the same records, stored alike",
        formats.len()
    ));
}
