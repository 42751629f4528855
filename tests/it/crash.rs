//! An import that is killed at any moment and run again stores what one import stores.

use crate::program::{Place, say, shared};
use crate::random::Random;
use crate::tables::Tables;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// More than one batch, so that there are moments between two.
const LINES: &str = "400000";
/// A present that is not that of the run: what is stored may depend on it.
const NOW: &str = "2026-11-22T00:00:00Z";
/// Imports that are killed, each up to three times before it may end.
const IMPORTS: usize = 5;

fn start(place: &Place, log: &Path) -> Command {
    let mut command = place.command(&["ingest", "--quiet", "--now", NOW]);
    command.arg(log).stdout(Stdio::null());
    command
}

#[test]
fn an_import_that_is_killed_and_run_again_equals_one_import() {
    let Some(rig) = shared("postfix-rig", "imports that are killed") else {
        return;
    };
    let whole = Place::new();
    let log = whole.path("big.log");
    let generated = Command::new(rig.join("loggen"))
        .args([
            "--lines", LINES, "--rate", "0.5", "--format", "rfc3339", "--out",
        ])
        .arg(&log)
        .arg("--truth")
        .arg(whole.path("truth.json"))
        .status()
        .unwrap();
    assert!(generated.success());
    let begun = Instant::now();
    assert!(start(&whole, &log).status().unwrap().success());
    let duration = usize::try_from(begun.elapsed().as_millis()).unwrap();
    let expected = Tables::of(&whole);

    let mut random = Random(2);
    let (mut kills, mut midway) = (0, 0);
    for import in 0..IMPORTS {
        let place = Place::new();
        for _ in 0..3 {
            let mut child = start(&place, &log).spawn().unwrap();
            std::thread::sleep(Duration::from_millis(random.below(duration) as u64));
            child.kill().unwrap();
            kills += usize::from(child.wait().unwrap().signal().is_some());
        }
        let stored = place.run(&["sql", "-o", "tsv", "SELECT count(*) > 0 FROM delivery_to"]);
        midway += usize::from(stored.stdout.contains("true"));
        assert!(start(&place, &log).status().unwrap().success());
        expected.expect_same(&Tables::of(&place), &format!("killed import {import}"));
    }
    say(&format!(
        "{kills} of {} kills hit; {midway} of {IMPORTS} last runs began on stored rows; one import takes {duration} ms",
        IMPORTS * 3
    ));
    assert!(kills >= IMPORTS);
}
