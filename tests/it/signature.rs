//! Digests of mail: the client's commands, beside pyzor itself where it can be had.

use crate::program::{Outcome, Place};
use crate::service::Service;
use crate::skip::skip;
use nix::sys::signal::Signal;
use nix::unistd::Pid;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

const MAIL: &[u8] = b"From: a@example.com\nSubject: x\n\nTest1 report1 Test2\n";
const DIGEST: &str = "b14b27d295fea0cc080917a9b6cf2f07ab4a1ad4";
const KEY: &str = "cf88277c5d4abdc0a3f56f416011966d04a3f462";
const PASSWORDS: &str = "bob : cf88277c5d4abdc0a3f56f416011966d04a3f462\n";
const ACCESS: &str = "all : bob : allow\ncheck report ping pong info : anonymous : allow\n";

/// The server of a place: `maillog signature serve`; killed when it is dropped.
struct Ours {
    child: Child,
    address: SocketAddr,
}

impl Ours {
    fn start(place: &Place) -> Self {
        Self::start_with(place, &[])
    }

    fn start_with(place: &Place, options: &[&str]) -> Self {
        let home = place.path("server");
        let home = home.to_str().unwrap();
        let mut arguments = vec!["signature", "serve", "--homedir", home, "-p", "0"];
        arguments.extend(["--password-file", "../passwd", "--access-file", "../access"]);
        arguments.extend(options);
        fs::create_dir_all(home).unwrap();
        let mut child = place.command(&arguments);
        let mut child = child.stderr(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap());
        let address = std::iter::from_fn(|| {
            let mut line = String::new();
            let length = said.read_line(&mut line).unwrap();
            (length > 0).then_some(line)
        })
        .find_map(|line| {
            let address = line.strip_prefix("maillog: listening on ")?;
            address.split(' ').next()?.parse().ok()
        });
        // Whatever it says later has a place to go.
        std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
        let address = address.expect("the server says where it listens");
        Self { child, address }
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).unwrap();
        nix::sys::signal::kill(Pid::from_raw(pid), signal).unwrap();
    }

    /// Ends it in order, and returns its exit status.
    fn end(mut self) -> Option<i32> {
        self.signal(Signal::SIGTERM);
        self.child.wait().unwrap().code()
    }
}

impl Drop for Ours {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
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
    assert!(
        ping.stderr.contains("no server is named"),
        "{}",
        ping.stderr
    );
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

/// Sends a request and returns the reply; none if there is none in time.
fn exchange(address: SocketAddr, request: &[u8]) -> Option<String> {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    socket
        .set_read_timeout(Some(std::time::Duration::from_secs(20)))
        .unwrap();
    socket.send_to(request, address).unwrap();
    let mut buffer = [0; 8192];
    let length = socket.recv(&mut buffer).ok()?;
    Some(String::from_utf8_lossy(&buffer[..length]).into_owned())
}

fn count(address: SocketAddr, digest: &str) -> i64 {
    let request = format!("Op: check\nOp-Digest: {digest}\nThread: 2000\nPV: 2.1\n\n");
    let reply = exchange(address, request.as_bytes()).unwrap();
    let line = reply.lines().find_map(|line| line.strip_prefix("Count: "));
    line.unwrap().parse().unwrap()
}

/// Waits until something is so; says what, if it never is.
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = std::time::Instant::now();
    while !is_so() {
        assert!(begun.elapsed().as_secs() < 60, "{what} does not happen");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

#[test]
fn what_was_reported_is_there_after_an_end_and_who_asked_is_stored() {
    let place = Place::new();
    files(&place);
    let server = Ours::start(&place);
    let report =
        |digest: &str| format!("Op: report\nOp-Digest: {digest}\nThread: 2000\nPV: 2.1\n\n");
    for digest in ["a", "b", "a"] {
        exchange(server.address, report(digest).as_bytes()).unwrap();
    }
    exchange(server.address, b"\x00\xff garbage").unwrap();
    let denied = exchange(server.address, b"Op: whitelist\nOp-Digest: a\nPV: 2.1\n\n").unwrap();
    assert!(denied.starts_with("Code: 403\n"), "{denied}");
    assert_eq!(server.end(), Some(0));
    let rows = place.select("SELECT digest, count, wl_count FROM signature ORDER BY digest");
    let rows: Vec<String> = rows.iter().map(ToString::to_string).collect();
    assert_eq!(
        rows,
        [
            r#"{"digest":"a","count":2,"wl_count":0}"#,
            r#"{"digest":"b","count":1,"wl_count":0}"#
        ]
    );
    let uses =
        "SELECT sum(count)::BIGINT FROM signature_use WHERE client_address = '127.0.0.1' AND";
    for (condition, number) in [
        (
            "operation = 'report' AND reply_code = 200 AND digest = 'a'",
            2,
        ),
        ("operation IS NULL AND reply_code = 400", 1),
        (
            "operation IS NULL AND username = 'anonymous' AND reply_code = 403",
            1,
        ),
    ] {
        assert_eq!(
            place.number(&format!("{uses} {condition}")),
            number,
            "{condition}"
        );
    }
    let packets = "SELECT value::BIGINT FROM counter WHERE name = 'maillog_signature_packets_total' \
                   AND labels = 'operation=\"report\",code=\"200\"'";
    assert_eq!(place.number(packets), 3);
    let server = Ours::start(&place);
    assert_eq!(count(server.address, "a"), 2);
}

#[test]
fn a_kill_loses_at_most_the_reports_of_the_last_second() {
    let place = Place::new();
    files(&place);
    let server = Ours::start(&place);
    let report =
        |number: u32| format!("Op: report\nOp-Digest: d{number}\nThread: 2000\nPV: 2.1\n\n");
    let begun = std::time::Instant::now();
    // When each digest was reported, in milliseconds.
    let mut reported = Vec::new();
    while begun.elapsed().as_millis() < 2500 {
        let number = u32::try_from(reported.len()).unwrap();
        exchange(server.address, report(number).as_bytes()).unwrap();
        reported.push(begun.elapsed().as_millis());
    }
    drop(server);
    let stored = place.number("SELECT count(*) FROM signature");
    let stored = usize::try_from(stored).unwrap();
    // Nothing is missing before the last one that is stored.
    let after = "SELECT count(*) FROM signature WHERE substr(digest, 2)::INT >= (SELECT count(*) FROM signature)";
    assert_eq!(place.number(after), 0);
    // Of the last two seconds at most: one, and what a busy machine takes for a commit.
    let lost = reported.len() - stored;
    let late = reported.iter().filter(|at| **at > 500).count();
    assert!(lost <= late, "{lost} of {} are lost", reported.len());
    let server = Ours::start(&place);
    assert_eq!(count(server.address, "d0"), 1);
}

#[test]
fn rules_are_read_again_when_they_change_and_on_sigusr1() {
    let place = Place::new();
    files(&place);
    let server = Ours::start(&place);
    let is = |code: &str| {
        let reply = exchange(server.address, b"Op: ping\nPV: 2.1\n\n").unwrap();
        reply.starts_with(&format!("Code: {code}\n"))
    };
    assert!(is("200"));
    fs::write(place.path("access"), "all : bob : allow\n").unwrap();
    until("the rule of the changed file", || is("403"));
    // The same length, and within the same tick of the clock of the file system: only a signal tells.
    fs::write(place.path("access"), ACCESS).unwrap();
    server.signal(Signal::SIGUSR1);
    until("the rule after the signal", || is("200"));
}

#[test]
fn a_digest_that_nobody_reports_is_forgotten() {
    let place = Place::new();
    files(&place);
    let server = Ours::start_with(&place, &["--cleanup-age", "1"]);
    let report = b"Op: report\nOp-Digest: old\nThread: 2000\nPV: 2.1\n\n";
    exchange(server.address, report).unwrap();
    until("the end of the digest", || {
        count(server.address, "old") == 0
    });
    assert_eq!(server.end(), Some(0));
    assert_eq!(place.number("SELECT count(*) FROM signature"), 0);
}

#[test]
fn a_server_for_all_addresses_answers_ipv6_and_ipv4() {
    let place = Place::new();
    files(&place);
    if std::net::UdpSocket::bind("[::1]:0").is_err() {
        return skip("a server on [::] (the mount of IPv6 is missing)");
    }
    let server = Ours::start_with(&place, &["--address", "::"]);
    let port = server.address.port();
    let ping = b"Op: ping\nPV: 2.1\n\n";
    assert!(exchange(([127, 0, 0, 1], port).into(), ping).is_some());
    let socket = std::net::UdpSocket::bind("[::1]:0").unwrap();
    socket.send_to(ping, ("::1", port)).unwrap();
    assert!(socket.recv(&mut [0; 512]).unwrap() > 10);
}

#[test]
fn reports_go_on_to_the_servers_of_a_client() {
    let (place, other) = (Place::new(), Place::new());
    let home = files(&place);
    files(&other);
    let second = Ours::start(&other);
    account(&home, second.address.port(), Some(KEY));
    let first = Ours::start_with(
        &place,
        &["--forward-client-homedir", home.to_str().unwrap()],
    );
    let request = b"Op: report\nOp-Digest: far\nThread: 2000\nPV: 2.1\n\n";
    exchange(first.address, request).unwrap();
    until("the report at the second server", || {
        count(second.address, "far") == 1
    });
}

#[test]
fn a_server_in_the_background_answers_when_its_command_has_ended() {
    let place = Place::new();
    let home = files(&place);
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = socket.local_addr().unwrap().port();
    let (directory, output) = (home.to_str().unwrap(), place.path("out"));
    let serve = |port: &str| {
        let output = output.to_str().unwrap();
        let words = ["signature", "serve", "--homedir", directory, "-p", port];
        let words = [&words[..], &["--detach", output, "--threads", "True"]].concat();
        place.run(&words)
    };
    let taken = serve(&port.to_string());
    assert_eq!(taken.code, Some(2), "{}", taken.stderr);
    assert!(taken.stderr.contains("has not started"), "{}", taken.stderr);
    drop(socket);
    let started = serve(&port.to_string());
    assert_eq!(
        (started.code, started.stdout.as_str()),
        (Some(0), ""),
        "{}",
        started.stderr
    );
    let at = ([127, 0, 0, 1], port).into();
    assert!(exchange(at, b"Op: ping\nPV: 2.1\n\n").is_some());
    let file = home.join("pyzord.pid");
    let pid: i32 = fs::read_to_string(&file).unwrap().trim().parse().unwrap();
    nix::sys::signal::kill(Pid::from_raw(pid), Signal::SIGTERM).unwrap();
    until("the end of the server", || !file.exists());
}

#[test]
fn digests_are_listed_exported_imported_and_forgotten() {
    let place = Place::new();
    place.succeed(&["ingest", "-q", "-"]);
    let file = place.path("digests.csv");
    let name = file.to_str().unwrap();
    let csv = "digest,count,wl_count,entered,updated,wl_entered,wl_updated\n\
               aa,3,0,2026-11-01T10:00:00Z,2026-11-02T10:00:00Z,,\n\
               bb,0,1,,,2026-11-03T10:00:00Z,2026-11-03T10:00:00Z\n";
    fs::write(&file, csv).unwrap();
    for _ in 0..2 {
        let said = place.succeed(&["signature", "import", name]);
        assert_eq!(said, "2 digests imported\n");
    }
    assert_eq!(place.succeed(&["signature", "export"]), csv);
    let listed = place.succeed(&["signature", "list", "--top", "1", "-o", "csv"]);
    assert!(
        listed.lines().nth(1).unwrap().starts_with("aa,3,0,"),
        "{listed}"
    );
    let one = place.run(&["signature", "list", "bb", "cc"]);
    assert_eq!(
        (one.code, one.stdout.lines().count()),
        (Some(0), 2),
        "{}",
        one.stdout
    );
    assert_eq!(place.run(&["signature", "list", "cc"]).code, Some(1));
    let gone = place.succeed(&["signature", "purge", "aa", "cc"]);
    assert_eq!(gone, "1 digest forgotten\n");
    assert_eq!(place.run(&["signature", "purge", "aa"]).code, Some(1));
    assert_eq!(
        place.succeed(&["signature", "purge", "--all"]),
        "1 digest forgotten\n"
    );
    assert_eq!(place.number("SELECT count(*) FROM signature"), 0);
    fs::write(&file, "digest,count\naa,many\n").unwrap();
    let wrong = place.run(&["signature", "import", name]);
    assert_eq!(wrong.code, Some(2));
    assert!(
        wrong.stderr.contains("line 2: many is no number"),
        "{}",
        wrong.stderr
    );
}

#[test]
fn the_service_is_a_server_and_loses_nothing_when_it_is_ended() {
    let place = Place::new();
    files(&place);
    let (log, settings) = (place.path("mail.log"), place.path("maillog.toml"));
    fs::write(&log, "").unwrap();
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let at = socket.local_addr().unwrap();
    drop(socket);
    let text = format!(
        "[signature]\nlisten = \"{at}\"\npassword_file = {:?}\naccess_file = {:?}\n",
        place.path("passwd"),
        place.path("access")
    );
    fs::write(&settings, text).unwrap();
    let global = ["--config", settings.to_str().unwrap()];
    let follow = ["--follow", log.to_str().unwrap()];
    let mut service = Service::start_with(&place, &global, &follow);
    let running =
        "SELECT count(*) FROM task_run WHERE name = 'signature server' AND state = 'running'";
    service.until(running, 1);
    let report = |digest: &str| {
        let text = format!("Op: report\nOp-Digest: {digest}\nThread: 2000\nPV: 2.1\n\n");
        exchange(at, text.as_bytes()).unwrap();
    };
    report("aa");
    report("aa");
    service.until("SELECT coalesce(max(count), 0) FROM signature", 2);
    let file = place.path("digests.csv");
    fs::write(
        &file,
        "digest,count,updated\naa,1,\nb'b,7,2026-11-02T10:00:00Z\n",
    )
    .unwrap();
    place.succeed(&["signature", "import", file.to_str().unwrap()]);
    until("the imported digest", || count(at, "b'b") == 7);
    assert_eq!(count(at, "aa"), 2);
    let forbidden = exchange(at, b"Op: whitelist\nOp-Digest: aa\nPV: 2.1\n\n").unwrap();
    assert!(forbidden.starts_with("Code: 403\n"));
    assert_eq!(
        place.succeed(&["signature", "purge", "b'b"]),
        "1 digest forgotten\n"
    );
    until("the end of the digest", || count(at, "b'b") == 0);
    report("last");
    service.signal(Signal::SIGTERM);
    until("the end of the service", || service.has_ended());
    let stored = "SELECT digest, count FROM signature ORDER BY digest";
    let stored: Vec<String> = place
        .select(stored)
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        stored,
        [
            r#"{"digest":"aa","count":2}"#,
            r#"{"digest":"last","count":1}"#
        ]
    );
}
