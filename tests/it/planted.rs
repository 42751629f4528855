//! Links, pipes and files that another user plants where root is about to write: nothing is followed, nothing waits.

use crate::program::{Outcome, Place};
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, lchown, symlink};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const NOBODY: u32 = 65534;
/// Longest time that a command may take; a pipe would hold it up for ever.
const DEADLINE: Duration = Duration::from_secs(20);
/// What is planted beside the database, as its name goes on.
const NAMES: [&str; 11] = [
    "",
    ".wal",
    ".wal.checkpoint",
    ".wal.recovery",
    ".tmp",
    ".compact",
    ".compact.wal",
    ".service",
    ".sock",
    ".sock/.s.PGSQL.5432",
    ".compact.wal.checkpoint",
];
/// Every command that uses a database.
const COMMANDS: [&[&str]; 12] = [
    &["ingest", "testlogs/demo/mail.log"],
    &["ingest", "testlogs/demo/mail.log"],
    &["find", "alice@example.com"],
    &["find", "--all", "-n", "3"],
    &["query", "messages"],
    &["summary"],
    &["sql", "SELECT count(*) FROM delivery_to"],
    &["status"],
    &["prune", "--dry-run"],
    &["prune", "--address", "alice@example.com"],
    &["prune", "--compact"],
    &["ingest", "--follow", "testlogs/demo/mail.log"],
];

/// A directory of another user and, out of that user's reach, what must stay as it is.
struct Trap {
    place: Place,
    dir: PathBuf,
    victim: PathBuf,
}

impl Trap {
    /// Makes it; none where only root could.
    fn new() -> Option<Self> {
        let place = Place::new();
        let dir = place.path("theirs");
        fs::create_dir(&dir).unwrap();
        if chown(&dir, Some(NOBODY), Some(NOBODY)).is_err() {
            crate::skip::skip("what another user plants (not root)");
            return None;
        }
        fs::set_permissions(place.path(""), fs::Permissions::from_mode(0o755)).unwrap();
        let safe = place.path("roots");
        fs::create_dir(&safe).unwrap();
        fs::set_permissions(&safe, fs::Permissions::from_mode(0o755)).unwrap();
        let victim = safe.join("victim");
        fs::write(&victim, "precious").unwrap();
        fs::set_permissions(&victim, fs::Permissions::from_mode(0o600)).unwrap();
        Some(Self { place, dir, victim })
    }

    fn database(&self) -> PathBuf {
        self.dir.join("g.duckdb")
    }

    fn name(&self, ending: &str) -> PathBuf {
        let path = self.dir.join(format!("g.duckdb{ending}"));
        let folder = path.parent().unwrap();
        if !folder.exists() {
            fs::create_dir(folder).unwrap();
            chown(folder, Some(NOBODY), Some(NOBODY)).unwrap();
        }
        path
    }

    /// Fills a database in the directory as its owner would.
    fn fill(&self) {
        let db = self.database();
        self.place.succeed(&[
            "--db",
            db.to_str().unwrap(),
            "ingest",
            "testlogs/demo/mail.log",
        ]);
    }

    /// Runs a command with the database; killed at the deadline.
    fn run(&self, db: &Path, args: &[&str]) -> Outcome {
        let all = [&["--db", db.to_str().unwrap()][..], args].concat();
        let mut command = self.place.command(&all);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A service goes on as long as all is well.
        let is_service = args.contains(&"--follow");
        let patience = if is_service {
            Duration::from_secs(2)
        } else {
            DEADLINE
        };
        let begun = Instant::now();
        let mut is_late = false;
        while child.try_wait().unwrap().is_none() {
            if begun.elapsed() > patience {
                is_late = true;
                child.kill().unwrap();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        assert!(!is_late || is_service, "{args:?} waits");
        let output = child.wait_with_output().unwrap();
        Outcome {
            code: output.status.code(),
            stdout: String::new(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Nothing outside of the directory was changed or made.
    fn is_unharmed(&self, what: &str) {
        assert_eq!(
            fs::read_to_string(&self.victim).unwrap(),
            "precious",
            "{what}"
        );
        let data = fs::metadata(&self.victim).unwrap();
        let rights = (data.uid(), data.gid(), data.mode() & 0o7777);
        assert_eq!(rights, (0, 0, 0o600), "{what}");
        let left: Vec<_> = fs::read_dir(self.victim.parent().unwrap())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(left, ["victim"], "{what}");
    }
}

/// Puts something at a name with the hands of the owner of the directory.
fn plant(path: &Path, make: impl FnOnce(&Path)) {
    let _ = fs::remove_file(path);
    let _ = fs::remove_dir_all(path);
    make(path);
    lchown(path, Some(NOBODY), Some(NOBODY)).unwrap();
}

#[test]
fn root_follows_no_link_in_a_directory_of_another() {
    for ending in NAMES {
        let Some(trap) = Trap::new() else { return };
        if !ending.is_empty() {
            trap.fill();
        }
        let name = trap.name(ending);
        let targets = [trap.victim.clone(), trap.victim.with_file_name("new")];
        for (number, args) in COMMANDS.into_iter().enumerate() {
            let target = &targets[number % 2];
            plant(&name, |path| symlink(target, path).unwrap());
            let said = trap.run(&trap.database(), args).stderr;
            trap.is_unharmed(&format!(
                "{ending} -> {} {args:?}: {said}",
                target.display()
            ));
        }
    }
}

#[test]
fn root_says_which_link_it_does_not_follow() {
    let Some(trap) = Trap::new() else { return };
    let name = trap.name(".service");
    plant(&name, |path| symlink(&trap.victim, path).unwrap());
    let args = ["ingest", "--follow", "testlogs/demo/mail.log"];
    let outcome = trap.run(&trap.database(), &args);
    let said = "g.duckdb.service: it is a symbolic link that belongs to nobody";
    assert!(outcome.stderr.contains(said), "{}", outcome.stderr);
    assert_eq!(outcome.code, Some(2));
}

#[test]
fn pipes_sockets_directories_and_hard_links_are_refused_at_once() {
    let Some(trap) = Trap::new() else { return };
    for ending in ["", ".wal", ".service"] {
        let name = trap.name(ending);
        for args in COMMANDS {
            plant(&name, |path| {
                nix::unistd::mkfifo(path, nix::sys::stat::Mode::S_IRWXU).unwrap();
            });
            let outcome = trap.run(&trap.database(), args);
            let is_question = !matches!(args[0], "ingest" | "prune");
            assert!(
                outcome.code == Some(2) || is_question || ending == ".service",
                "{ending} {args:?}: {outcome:?}"
            );
            plant(&name, |path| {
                drop(std::os::unix::net::UnixListener::bind(path).unwrap());
            });
            trap.run(&trap.database(), args);
            plant(&name, |path| fs::hard_link(&trap.victim, path).unwrap());
            // The link belongs to root again: it is root's file.
            chown(&trap.victim, Some(0), Some(0)).unwrap();
            trap.run(&trap.database(), args);
            trap.is_unharmed(&format!("{ending} {args:?}"));
        }
        fs::remove_file(&name).unwrap();
    }
}

#[test]
fn the_way_to_the_database_leads_over_no_link_of_another() {
    let Some(trap) = Trap::new() else { return };
    let way = trap.dir.join("way");
    plant(&way, |path| {
        symlink(trap.victim.parent().unwrap(), path).unwrap();
    });
    for args in COMMANDS {
        let outcome = trap.run(&way.join("g.duckdb"), args);
        trap.is_unharmed(&format!("{args:?}"));
        assert_eq!(outcome.code, Some(2), "{args:?}: {outcome:?}");
        let outcome = trap.run(&way.join("new/g.duckdb"), args);
        trap.is_unharmed(&format!("{args:?}"));
        assert_ne!(outcome.code, Some(0), "{args:?}: {outcome:?}");
    }
    // Root's own link is root's business.
    let own = trap.place.path("own");
    symlink(trap.place.path(""), &own).unwrap();
    trap.place.succeed(&[
        "--db",
        own.join("m.duckdb").to_str().unwrap(),
        "ingest",
        "testlogs/demo",
    ]);
}

#[test]
fn a_link_that_comes_and_goes_gains_nothing() {
    let Some(trap) = Trap::new() else { return };
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let aside = trap.dir.join("aside");
            let begun = Instant::now();
            let is_over = || stop.load(Ordering::Relaxed) || begun.elapsed() > DEADLINE * 5;
            while !is_over() {
                for ending in ["", ".wal", ".service", ".compact", ".wal.checkpoint"] {
                    for target in ["victim", "new"] {
                        let target = trap.victim.with_file_name(target);
                        let _ = fs::remove_file(&aside);
                        symlink(target, &aside).unwrap();
                        lchown(&aside, Some(NOBODY), Some(NOBODY)).unwrap();
                        fs::rename(&aside, trap.name(ending)).unwrap();
                        let _ = fs::remove_file(trap.name(ending));
                        std::thread::sleep(Duration::from_micros(300));
                    }
                }
            }
        });
        for _ in 0..10 {
            for args in [COMMANDS[0], COMMANDS[10]] {
                trap.run(&trap.database(), args);
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
    trap.is_unharmed("a race");
}

#[test]
fn the_history_of_the_shell_and_its_output_follow_no_link() {
    let Some(trap) = Trap::new() else { return };
    trap.place.succeed(&["ingest", "testlogs/demo"]);
    let out = trap.dir.join("out.csv");
    plant(&out, |path| symlink(&trap.victim, path).unwrap());
    let history = trap.dir.join("maillog/sql_history");
    fs::create_dir(history.parent().unwrap()).unwrap();
    chown(history.parent().unwrap(), Some(NOBODY), Some(NOBODY)).unwrap();
    plant(&history, |path| symlink(&trap.victim, path).unwrap());
    let shell = format!("exec {} sql", env!("CARGO_BIN_EXE_maillog"));
    let typed = std::process::Command::new("script")
        .args(["-qec", &shell, "/dev/null"])
        .env("SHELL", "/bin/sh")
        .env("MAILLOG_DB", trap.place.path("maillog.duckdb"))
        .env("XDG_STATE_HOME", &trap.dir)
        .env("TERM", "xterm")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut child) = typed else {
        return crate::skip::skip("the history of the shell (no script(1))");
    };
    let mut keys = child.stdin.take().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let screen = Arc::new(Mutex::new(String::new()));
    let shown = Arc::clone(&screen);
    let reading = std::thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(length @ 1..) = std::io::Read::read(&mut stdout, &mut bytes) {
            let text = String::from_utf8_lossy(&bytes[..length]).into_owned();
            shown.lock().unwrap().push_str(&text);
        }
    });
    let lines = [
        format!(".output {}", out.display()),
        "SELECT 1;".to_owned(),
        ".exit".to_owned(),
    ];
    for (before, line) in lines.iter().enumerate() {
        // What is typed before the prompt is thrown away.
        let begun = Instant::now();
        while screen.lock().unwrap().matches("\u{1b}[?2004h").count() <= before {
            assert!(
                begun.elapsed() < DEADLINE * 3,
                "no prompt: {}",
                screen.lock().unwrap()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        std::io::Write::write_all(&mut keys, format!("{line}\r").as_bytes()).unwrap();
    }
    child.wait().unwrap();
    reading.join().unwrap();
    let screen = screen.lock().unwrap();
    trap.is_unharmed(&screen);
    assert!(
        screen
            .matches("it is a symbolic link that belongs to nobody")
            .count()
            >= 2,
        "{screen}"
    );
}

#[test]
fn settings_that_are_no_file_are_refused_at_once() {
    let place = Place::new();
    let pipe = place.path("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let pipe = pipe.to_str().unwrap();
    for args in [
        ["--config", pipe, "status"],
        ["--db", pipe, "status"],
        ["--db", pipe, "ingest"],
        ["--db", "/dev/zero", "ingest"],
        ["--db", "/dev/zero", "status"],
    ] {
        let begun = Instant::now();
        let outcome = place.run(
            &[
                &args[..],
                &["testlogs/demo"][..usize::from(args[2] == "ingest")],
            ]
            .concat(),
        );
        assert_eq!(outcome.code, Some(2), "{outcome:?}");
        assert!(outcome.stderr.contains("not a plain file"), "{outcome:?}");
        assert!(begun.elapsed() < DEADLINE);
    }
}
