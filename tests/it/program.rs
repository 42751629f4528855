//! The built program in a scratch place: run it, ask its tables, say what a test did.

use serde_json::Value;
use std::collections::HashMap;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, LazyLock, Mutex, OnceLock};
use tempfile::TempDir;

/// A directory with a database that nobody else uses.
pub(crate) struct Place {
    dir: TempDir,
}

/// What a run printed and how it ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        let dir = tempfile::Builder::new()
            .prefix("maillog-it.")
            .tempdir()
            .unwrap();
        Self { dir }
    }

    /// Returns a place whose database the program has filled: `maillog ingest` with these arguments.
    ///
    /// The import runs once; later places with the same arguments get a copy. For tests of what comes after an import.
    pub(crate) fn filled(ingest: &[&str]) -> Self {
        /// The file that an import made.
        type Made = Arc<OnceLock<Vec<u8>>>;
        static MADE: LazyLock<Mutex<HashMap<Vec<String>, Made>>> = LazyLock::new(Mutex::default);
        let key: Vec<String> = ingest.iter().map(ToString::to_string).collect();
        let made = Arc::clone(MADE.lock().unwrap().entry(key).or_default());
        let bytes = made.get_or_init(|| {
            let place = Self::new();
            place.succeed(&[&["ingest", "-q"], ingest].concat());
            let database = place.path("maillog.duckdb");
            assert!(!database.with_extension("duckdb.wal").exists());
            fs::read(database).unwrap()
        });
        let place = Self::new();
        let mut options = fs::OpenOptions::new();
        let options = options.write(true).create_new(true).mode(0o640);
        let mut file = options.open(place.path("maillog.duckdb")).unwrap();
        file.write_all(bytes).unwrap();
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Returns the program, ready to start in this place.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_maillog"));
        command
            .args(args)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env("MAILLOG_DB", self.path("maillog.duckdb"))
            .env("XDG_CONFIG_HOME", self.path("config"))
            .env("TZ", "UTC")
            .env("MAILLOG_NEAR_MISSES_MS", "60000")
            .env("NO_COLOR", "1")
            .env_remove("PAGER")
            .stdin(Stdio::null());
        command
    }

    /// Runs the program.
    pub(crate) fn run(&self, args: &[&str]) -> Outcome {
        let output = self.command(args).output().unwrap();
        Outcome {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Runs the program and expects success.
    pub(crate) fn succeed(&self, args: &[&str]) -> String {
        let outcome = self.run(args);
        assert_eq!(
            outcome.code,
            Some(0),
            "maillog {}: {}",
            args.join(" "),
            outcome.stderr
        );
        outcome.stdout
    }

    /// Imports one file through standard input.
    pub(crate) fn ingest_stdin(&self, file: &Path) {
        let status = self
            .command(&["ingest", "--json", "-"])
            .stdin(fs::File::open(file).unwrap())
            .stdout(Stdio::null())
            .status()
            .unwrap();
        assert!(status.success(), "maillog ingest - < {}", file.display());
    }

    /// Asks the tables: one object a row.
    pub(crate) fn select(&self, sql: &str) -> Vec<Value> {
        let text = self.succeed(&["sql", "-o", "json", sql]);
        let mut rows = Vec::new();
        for value in serde_json::Deserializer::from_str(&text).into_iter::<Value>() {
            match value.unwrap() {
                Value::Array(list) => rows.extend(list),
                row => rows.push(row),
            }
        }
        rows
    }

    /// Asks for one number.
    pub(crate) fn number(&self, sql: &str) -> i64 {
        let rows = self.select(sql);
        let cell = rows
            .first()
            .and_then(Value::as_object)
            .and_then(|row| row.values().next());
        cell.and_then(Value::as_i64)
            .unwrap_or_else(|| panic!("no number from {sql}: {rows:?}"))
    }
}

/// Returns the text of a column, empty when it is null.
pub(crate) fn text<'a>(row: &'a Value, column: &str) -> &'a str {
    row.get(column).and_then(Value::as_str).unwrap_or_default()
}

/// Returns a number of a row, 0 when it is null.
pub(crate) fn int(row: &Value, column: &str) -> i64 {
    row.get(column).and_then(Value::as_i64).unwrap_or_default()
}

/// Returns a directory beside the checkout that holds material of others, or says that it is not here.
pub(crate) fn shared(name: &str, for_what: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../shared")
        .join(name);
    if !path.is_dir() {
        crate::skip::skip(&format!("{for_what} (no ../shared/{name})"));
        return None;
    }
    Some(path)
}

/// Writes past the test harness, which swallows what passing tests print.
pub(crate) fn say(line: &str) {
    writeln!(std::io::stderr(), "    {line}").unwrap();
}

/// Differences between what was expected and what was found; fails with all of them.
#[derive(Default)]
pub(crate) struct Differences(Vec<String>);

impl Differences {
    #[expect(
        clippy::needless_pass_by_value,
        reason = "both sides are built in the call"
    )]
    pub(crate) fn compare<T: PartialEq + std::fmt::Debug>(
        &mut self,
        what: &str,
        truth: T,
        ours: T,
    ) {
        if truth != ours {
            self.0
                .push(format!("{what}: expected {truth:?}, found {ours:?}"));
        }
    }

    pub(crate) fn note(&mut self, what: String) {
        self.0.push(what);
    }

    pub(crate) fn none(&self, of: &str) {
        let all = self.0.join("\n");
        assert!(
            self.0.is_empty(),
            "{of}: {} differences\n{all}",
            self.0.len()
        );
    }
}
