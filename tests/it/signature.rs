//! Digests of mail: the client's commands, beside pyzor itself where it can be had.

use crate::program::{Outcome, Place};
use crate::skip::skip;
use maillog::signature::listen::{Server, Settings, Signals};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;

const MAIL: &[u8] = b"From: a@example.com\nSubject: x\n\nTest1 report1 Test2\n";
const DIGEST: &str = "b14b27d295fea0cc080917a9b6cf2f07ab4a1ad4";
const KEY: &str = "cf88277c5d4abdc0a3f56f416011966d04a3f462";
const PASSWORDS: &str = "bob : cf88277c5d4abdc0a3f56f416011966d04a3f462\n";
const ACCESS: &str = "all : bob : allow\ncheck report ping pong info : anonymous : allow\n";

/// A server in a thread of the test.
struct Ours {
    address: SocketAddr,
    signals: Signals,
    thread: Option<JoinHandle<()>>,
}

impl Ours {
    fn start(place: &Place) -> Self {
        let mut server = Server::bind(Settings {
            address: "127.0.0.1:0".parse().unwrap(),
            password_file: Some(place.path("passwd")),
            access_file: Some(place.path("access")),
            clock_difference: 300,
            cleanup_age: 0,
            rate_limit: 0,
            digest_limit: 1000,
        })
        .unwrap();
        let (address, signals) = (server.address().unwrap(), Signals::default());
        let ends = signals.clone();
        let thread = std::thread::spawn(move || {
            let served: Result<(), Ended> = server.serve(&ends, |_, _| {}, |_| Ok(()));
            assert!(served.is_ok());
        });
        Self {
            address,
            signals,
            thread: Some(thread),
        }
    }
}

/// Why the server ended: never well.
struct Ended;

impl From<std::io::Error> for Ended {
    fn from(_: std::io::Error) -> Self {
        Self
    }
}

impl Drop for Ours {
    fn drop(&mut self) {
        self.signals.end.store(true, Ordering::Relaxed);
        let ended = self.thread.take().unwrap().join();
        assert!(ended.is_ok() || std::thread::panicking());
    }
}

/// Writes the files of a server and the home directory of a client that asks it.
fn files(place: &Place) -> PathBuf {
    fs::write(place.path("passwd"), PASSWORDS).unwrap();
    fs::write(place.path("access"), ACCESS).unwrap();
    let home = place.path("home");
    fs::create_dir_all(&home).unwrap();
    home
}

fn account(home: &Path, port: u16, key: Option<&str>) {
    fs::write(home.join("servers"), format!("127.0.0.1:{port}\n")).unwrap();
    let line = key.map(|key| format!("127.0.0.1 : {port} : bob : 00,{key}\n"));
    fs::write(home.join("accounts"), line.unwrap_or_default()).unwrap();
}

fn with_input(mut command: Command, input: &[u8]) -> Outcome {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Whoever reads nothing closes the pipe.
    let _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    Outcome {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

fn ours(place: &Place, home: &Path, words: &[&str], input: &[u8]) -> Outcome {
    let home = home.to_str().unwrap();
    let mut arguments = vec!["signature", "--homedir", home];
    arguments.extend(words);
    with_input(place.command(&arguments), input)
}

#[test]
fn digests_need_no_server_and_no_home() {
    let place = Place::new();
    let home = place.path("none");
    let digest = ours(&place, &home, &["digest"], MAIL);
    assert_eq!(
        (digest.stdout, digest.code),
        (format!("{DIGEST}\n"), Some(0))
    );
    let lines = ours(&place, &home, &["predigest"], MAIL);
    assert_eq!(
        (lines.stdout, lines.code),
        ("Test1report1Test2\n".to_owned(), Some(0))
    );
    let mbox = [b"From a\n", MAIL, b"\nFrom b\n", MAIL].concat();
    let both = ours(&place, &home, &["digest", "-s", "mbox"], &mbox);
    assert_eq!(both.stdout, format!("{DIGEST}\n{DIGEST}\n"));
    let given = ours(
        &place,
        &home,
        &["digest", "--style", "digests"],
        b" abc \n\ndef\n",
    );
    assert_eq!(given.stdout, "abc\ndef\n");
    let ping = ours(&place, &home, &["ping"], b"");
    assert_eq!(ping.code, Some(2));
    assert!(ping.stderr.contains("no server to ask"), "{}", ping.stderr);
    assert!(!home.exists());
}

#[test]
fn a_key_is_made_of_a_passphrase_that_is_typed_twice() {
    let place = Place::new();
    let made = |input: &[u8]| ours(&place, &place.path("none"), &["genkey"], input);
    let (first, second) = (made(b"secret\nsecret\n"), made(b"secret\nsecret\n"));
    assert_eq!(first.code, Some(0), "{}", first.stderr);
    let line = first.stdout.strip_prefix("salt,key:\n").unwrap().trim_end();
    let (salt, key) = line.split_once(',').unwrap();
    assert_eq!((salt.len(), key.len()), (40, 40));
    assert_ne!(first.stdout, second.stdout);
    assert_eq!(made(b"secret\nother\n").code, Some(1));
}

#[test]
fn mail_is_reported_checked_and_allowed_with_pyzors_words() {
    let place = Place::new();
    let home = files(&place);
    let server = Ours::start(&place);
    account(&home, server.address.port(), None);
    let at = server.address;
    let run = |words: &[&str]| ours(&place, &home, words, MAIL);
    let expect = |words: &[&str], text: &str, code: i32| {
        let outcome = run(words);
        assert_eq!(
            (outcome.stdout, outcome.code),
            (format!("{at}\t{text}\n"), Some(code)),
            "{words:?} {}",
            outcome.stderr
        );
    };
    expect(&["ping"], "(200, 'OK')", 0);
    expect(&["pong"], "(200, 'OK')\t9223372036854775807\t0", 0);
    expect(&["check"], "(200, 'OK')\t0\t0", 1);
    expect(&["report"], "(200, 'OK')", 0);
    expect(&["check"], "(200, 'OK')\t1\t0", 0);
    expect(&["check", "-r", "1"], "(200, 'OK')\t1\t0", 1);
    let forbidden = "(403, 'Forbidden: User is not authorized to request the operation.')";
    expect(&["whitelist"], forbidden, 1);
    account(&home, at.port(), Some("00"));
    expect(
        &["ping"],
        "(401, 'Unauthorized: Signature Error: Invalid signature.')",
        1,
    );
    account(&home, at.port(), Some(KEY));
    expect(&["whitelist"], "(200, 'OK')", 0);
    expect(&["check"], "(200, 'OK')\t1\t1", 1);
    expect(&["check", "-w", "1"], "(200, 'OK')\t1\t1", 0);
    let info = run(&["info"]);
    assert!(
        info.stdout
            .starts_with(&format!("{at}\t(200, 'OK')\n\tCount: 1\n\tEntered: ")),
        "{}",
        info.stdout
    );
    assert!(
        info.stdout.contains("\n\tWL-Count: 1\n\tWL-Entered: ") && info.stdout.ends_with("\n\n")
    );
    let listed = run(&["local_whitelist"]);
    assert_eq!(listed.code, Some(0), "{}", listed.stderr);
    expect(&["check"], "(200, 'OK')\t0\t0", 1);
    assert_eq!(fs::read_to_string(home.join("whitelist")).unwrap(), DIGEST);
    assert_eq!(run(&["local_unwhitelist"]).code, Some(0));
    expect(&["check", "-w", "1"], "(200, 'OK')\t1\t1", 0);
}

#[test]
fn a_server_that_is_silent_or_gone_is_told_in_pyzors_words() {
    let place = Place::new();
    let home = files(&place);
    let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let at = silent.local_addr().unwrap();
    account(&home, at.port(), None);
    let ping = ours(&place, &home, &["ping", "-t", "1"], b"");
    assert_eq!(
        (ping.stdout, ping.code),
        (
            format!("{at}\t(504, 'Reading response timed-out.')\n"),
            Some(1)
        )
    );
    drop(silent);
    let ping = ours(&place, &home, &["ping", "-t", "1"], b"");
    assert!(
        ping.stdout.starts_with(&format!(
            "{at}\t(400, 'Socket error while reading response: "
        )),
        "{}",
        ping.stdout
    );
}

/// Returns a Python that has pyzor 1.1.2: kept beside the objects of the build, fetched once.
fn python() -> Option<&'static Path> {
    static PYTHON: OnceLock<Option<PathBuf>> = OnceLock::new();
    let found = PYTHON.get_or_init(|| {
        let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pyzor-1.1.2");
        let python = place.join("bin/python");
        let has = || {
            let version = ["-c", "import pyzor; assert pyzor.__version__ == '1.1.2'"];
            Command::new(&python)
                .args(version)
                .stderr(Stdio::null())
                .status()
                .is_ok_and(|status| status.success())
        };
        let quiet = |command: &mut Command| {
            command
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .is_ok_and(|status| status.success())
        };
        let fetched = has()
            || quiet(Command::new("python3").args(["-m", "venv"]).arg(&place))
                && quiet(Command::new(&python).args([
                    "-m",
                    "pip",
                    "install",
                    "-q",
                    "pyzor==1.1.2",
                ]))
                && has();
        fetched.then_some(python)
    });
    if found.is_none() {
        skip("pyzor's own client and server (pip install pyzor==1.1.2 fails)");
    }
    found.as_deref()
}

/// pyzor's own server; ended when it is dropped.
struct Theirs {
    child: Child,
    port: u16,
}

impl Theirs {
    fn start(python: &Path, place: &Place) -> Self {
        let mut child = Command::new(python)
            .args(["tests/pyzord.py", "127.0.0.1"])
            .args([place.path("passwd"), place.path("access")])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let port = line.trim().parse().unwrap();
        Self { child, port }
    }
}

impl Drop for Theirs {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs pyzor's own client.
fn theirs(python: &Path, home: &Path, words: &[&str], input: &[u8]) -> Outcome {
    let mut command = Command::new(python);
    let pyzor = python.with_file_name("pyzor");
    command.arg(pyzor).arg("--homedir").arg(home);
    command.args(words).env("TZ", "UTC");
    with_input(command, input)
}

/// Returns lines and exit status without what differs: the port, and times, which may differ by a second.
fn without_times(outcome: &Outcome, port: u16) -> (Vec<String>, Option<i32>) {
    let lines = outcome.stdout.replace(&port.to_string(), "PORT");
    let lines = lines.lines().map(|line| {
        let time = line.split_once("dated: ").or(line.split_once("tered: "));
        time.map_or(line, |(name, _)| name).to_owned()
    });
    (lines.collect(), outcome.code)
}

#[test]
fn pyzors_own_client_and_ours_agree_with_both_servers() {
    let Some(python) = python() else { return };
    let place = Place::new();
    let home = files(&place);
    let (our_server, their_server) = (Ours::start(&place), Theirs::start(python, &place));
    let theirs = |words: &[&str], input: &[u8]| theirs(python, &home, words, input);
    let keys = [None, Some(KEY), Some("00")];
    let words: [&[&str]; 9] = [
        &["ping"],
        &["pong"],
        &["check"],
        &["report"],
        &["check"],
        &["whitelist"],
        &["check"],
        &["check", "-w", "5"],
        &["info"],
    ];
    let mut exchanges = 0;
    for key in keys {
        for words in words {
            let mut all = Vec::new();
            for port in [our_server.address.port(), their_server.port] {
                account(&home, port, key);
                // Each client reports to each server: the counts stay equal.
                all.push(without_times(&theirs(words, MAIL), port));
                all.push(without_times(&ours(&place, &home, words, MAIL), port));
                exchanges += 2;
            }
            let is_counted = words[0] == "report" || words[0] == "whitelist";
            assert_eq!(
                all[0], all[2],
                "pyzor's client, our server and pyzord: {words:?} {key:?}"
            );
            assert_eq!(
                all[1], all[3],
                "our client, our server and pyzord: {words:?} {key:?}"
            );
            assert!(
                is_counted || all[0] == all[1],
                "both clients: {words:?} {key:?}: {all:?}"
            );
        }
    }
    assert!(exchanges >= 100, "{exchanges}");
    for words in [&["digest"][..], &["predigest"], &["digest", "-s", "mbox"]] {
        let mbox = [b"From a\n", MAIL, b"\nFrom b\n", MAIL].concat();
        let (a, b) = (theirs(words, &mbox), ours(&place, &home, words, &mbox));
        assert_eq!((a.stdout, a.code), (b.stdout, b.code), "{words:?}");
    }
}
