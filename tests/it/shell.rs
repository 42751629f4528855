//! The SQL shell on a terminal: `script` of util-linux gives it one.

use crate::program::Place;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// How long an answer may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// What the line editor writes when a line is complete, and when it asks for the next one: bracketed paste off and on.
const ACCEPTED: &str = "\u{1b}[?2004l";
const PROMPTING: &str = "\u{1b}[?2004h";

/// A shell on a terminal, and what it has written so far.
struct Terminal {
    child: Child,
    keys: ChildStdin,
    bytes: Receiver<Vec<u8>>,
    screen: String,
}

impl Terminal {
    /// Starts the shell; none, with a word, where there is no `script`.
    fn start(place: &Place) -> Option<Self> {
        if Command::new("script").arg("--version").output().is_err() {
            crate::skip::skip("the SQL shell on a terminal (no script(1) to give it one)");
            return None;
        }
        // Without exec a shell between the two would end by the Ctrl-C that is meant for ours.
        let shell = format!("exec {} sql", env!("CARGO_BIN_EXE_maillog"));
        let mut child = Command::new("script")
            .args(["-qec", &shell, "/dev/null"])
            .env("SHELL", "/bin/sh")
            .env("MAILLOG_DB", place.path("maillog.duckdb"))
            .env("XDG_STATE_HOME", place.path("state"))
            .env("TERM", "xterm")
            .env("PAGER", "cat")
            .env("TZ", "UTC")
            .env("NO_COLOR", "1")
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let keys = child.stdin.take().unwrap();
        let mut stdout = child.stdout.take().unwrap();
        let (send, bytes) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = stdout.read(&mut buffer) {
                if send.send(buffer[..length].to_vec()).is_err() {
                    return;
                }
            }
        });
        let mut terminal = Self {
            child,
            keys,
            bytes,
            screen: String::new(),
        };
        terminal.wait_for(PROMPTING);
        Some(terminal)
    }

    /// Types the text.
    fn press(&mut self, keys: &str) {
        self.screen.clear();
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Waits until the text was written since the last key.
    fn wait_for(&mut self, text: &str) {
        let end = Instant::now() + PATIENCE;
        while !self.screen.contains(text) {
            let left = end.saturating_duration_since(Instant::now());
            let bytes = self.bytes.recv_timeout(left);
            let Ok(bytes) = bytes else {
                panic!("no {text:?} in:\n{}", self.screen);
            };
            self.screen.push_str(&String::from_utf8_lossy(&bytes));
        }
    }

    /// Types a line, waits for the answer, and for the prompt after it: what is typed before that may be lost.
    fn answer(&mut self, line: &str, text: &str) {
        self.press(&format!("{line}\r"));
        self.wait_for(ACCEPTED);
        self.screen = self.screen.split_once(ACCEPTED).unwrap().1.to_owned();
        self.wait_for(text);
        self.wait_for(PROMPTING);
    }

    fn leave(mut self) {
        self.press("\\q\r");
        assert!(self.child.wait().unwrap().success());
    }
}

fn filled() -> Place {
    Place::filled(&["testlogs/demo", "--now", "2026-11-22T00:00:00Z"])
}

#[test]
fn statements_have_several_lines_and_commands_one() {
    let place = filled();
    let Some(mut shell) = Terminal::start(&place) else {
        return;
    };
    shell.press("SELECT 'first' AS a,\r");
    shell.wait_for("    ...> ");
    shell.answer(
        ".help",
        "cannot run .help: the statement before it is not finished",
    );
    shell.answer("'last' || '-' || 'word' AS b;", "last-word");
    shell.answer("\\d delivery_to", "delay_transmission");
    shell.answer("\\dt noq*", "(1 row)");
    shell.answer(".mode json", "");
    shell.answer("SELECT 6 * 7 AS n, NULL AS z;", "{\"n\":42,\"z\":null}");
    shell.answer(".mode table", "");
    shell.answer("\\x", "expanded on");
    shell.answer("SELECT 40 + 2 AS answer;", "- row 1");
    shell.answer(".find bo.0117@ok.test --all -o qid", "4jWctm4v1Fz5rrN");
    shell.answer(".query totals --all -o csv", "received,");
    shell.answer(".explain SELECT recipient FROM delivery_to", "delivery_to");
    shell.answer(".nonsense", "no command .nonsense; .help lists them");
    shell.leave();
}

#[test]
fn nothing_can_be_written_from_the_shell() {
    let place = filled();
    let Some(mut shell) = Terminal::start(&place) else {
        return;
    };
    for statement in [
        "DELETE FROM delivery_to;",
        "DROP TABLE meta;",
        "SET threads = 4;",
        "COPY delivery_to TO '/tmp/x';",
        "ATTACH 'x';",
    ] {
        shell.answer(statement, "only a single SELECT is allowed here");
    }
    shell.answer(
        "SELECT * FROM read_text('/etc/passwd');",
        "is not allowed here",
    );
    shell.answer("SELECT 'still ' || 'here' AS x;", "still here");
    shell.leave();
}

#[test]
fn control_c_stops_the_query_and_not_the_shell() {
    let place = filled();
    let Some(mut shell) = Terminal::start(&place) else {
        return;
    };
    shell.press("SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range * b.range % 7 = 3;\r");
    shell.wait_for("Ctrl-C stops the query");
    shell.press("\u{3}");
    shell.wait_for("interrupted");
    shell.wait_for(PROMPTING);
    shell.answer("SELECT 'still ' || 'here' AS x;", "still here");
    shell.leave();
}

#[test]
fn an_open_shell_keeps_nobody_from_writing_and_sees_what_is_new() {
    let place = filled();
    let Some(mut shell) = Terminal::start(&place) else {
        return;
    };
    shell.answer(
        "SELECT 'rows: ' || count(*) AS n FROM noqueue WHERE host = 'new';",
        "rows: 0",
    );
    std::fs::write(
        place.path("new.log"),
        "2026-11-21T10:00:00+00:00 new postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[192.0.2.1]: 550 5.1.1 \
         <a@example.com>: Recipient address rejected: User unknown; from=<b@example.com> to=<a@example.com> \
         proto=SMTP helo=<x>\n",
    )
    .unwrap();
    place.succeed(&["ingest", place.path("new.log").to_str().unwrap()]);
    shell.answer(
        "SELECT 'rows: ' || count(*) AS n FROM noqueue WHERE host = 'new';",
        "rows: 1",
    );
    shell.leave();
}

#[test]
fn statements_are_remembered_for_their_author_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = filled();
    let Some(mut shell) = Terminal::start(&place) else {
        return;
    };
    shell.answer("SELECT 'keep ' || 'this' AS x;", "keep this");
    shell.leave();
    let history = place.path("state/maillog/sql_history");
    let mode = history.metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0);
    let file = std::fs::File::open(history).unwrap();
    let remembered = BufReader::new(file).lines().map_while(Result::ok);
    assert!(remembered.into_iter().any(|line| line.contains("'keep '")));
}

#[test]
fn tab_completes_tables_and_columns() {
    let place = filled();
    let Some(mut shell) = Terminal::start(&place) else {
        return;
    };
    shell.press("SELECT max(delivery_to.attem");
    shell.wait_for("attempts");
    shell.press("\t");
    shell.wait_for("delivery_to.attempts");
    shell.answer(") + 1000 AS m FROM delivery_to;", "(1 row)");
    shell.leave();
}
