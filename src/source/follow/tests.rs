//! Files in temporary directories, changed as rotation and people change them.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "small numbers"
)]

use super::*;
use crate::model::cursor::Cursor;
use crate::source::Zone;
use nix::sys::stat::Mode;
use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::process::Command;

const DEADLINE: Duration = Duration::from_secs(20);

/// Does what the pump does: streams by their fingerprints, and where each stands.
#[derive(Default)]
struct Book {
    streams: Vec<Stream>,
    readings: BTreeMap<u64, usize>,
    lines: Vec<String>,
    said: Vec<String>,
    lost: Vec<String>,
}

#[derive(Debug, Clone)]
struct Stream {
    key: SourceKey,
    name: String,
    position: u64,
    pending: Vec<u8>,
}

impl Taker for Book {
    fn open(&mut self, candidate: &Candidate<'_>) -> Result<Place, Gone> {
        let found = (0..self.streams.len())
            .filter(|at| identity::matches(&self.streams[*at].key, candidate.head))
            .max_by_key(|at| match &self.streams[*at].key {
                SourceKey::File { length, .. } => *length,
                _ => 0,
            });
        let at = found.unwrap_or_else(|| {
            self.streams.push(Stream {
                key: candidate.key.clone(),
                name: String::new(),
                position: 0,
                pending: Vec::new(),
            });
            self.streams.len() - 1
        });
        assert!(self.readings.insert(candidate.no, at).is_none());
        self.name(candidate.no, candidate.path, candidate.key.clone())?;
        Ok(Place {
            offset: self.streams[at].position,
            is_known: found.is_some(),
            is_piece: false,
        })
    }

    fn begin(&mut self, no: u64, _: Hints) -> Result<(), Gone> {
        assert!(self.readings.contains_key(&no));
        Ok(())
    }

    fn chunk(&mut self, no: u64, mut chunk: Chunk, _: bool) -> Result<(), Gone> {
        let stream = &mut self.streams[self.readings[&no]];
        let known = stream.position.saturating_sub(chunk.offset) as usize;
        chunk.data.drain(..known.min(chunk.data.len()));
        chunk.offset += known as u64;
        stream.position = chunk.offset.max(stream.position) + chunk.data.len() as u64;
        stream.pending.extend(chunk.data);
        while let Some(end) = stream.pending.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = stream.pending.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            self.lines.push(line);
        }
        Ok(())
    }

    fn name(&mut self, no: u64, path: &Path, key: SourceKey) -> Result<(), Gone> {
        let stream = &mut self.streams[self.readings[&no]];
        stream.name = path.display().to_string();
        stream.key = key;
        Ok(())
    }

    fn last_time(&mut self, _: u64) -> Result<Option<Time>, Gone> {
        let last = self.lines.iter().rev().find_map(|line| time_of(line));
        Ok(last)
    }

    fn lose(&mut self, _: u64, text: &str) -> Result<(), Gone> {
        self.lost.push(text.to_owned());
        Ok(())
    }

    fn end(&mut self, no: u64) -> Result<(), Gone> {
        self.readings.remove(&no).unwrap();
        Ok(())
    }

    fn say(&mut self, text: &str, _: Option<&str>) {
        self.said.push(text.to_owned());
    }
}

fn time_of(line: &str) -> Option<Time> {
    let stamp = line.split(' ').next()?;
    let time = chrono::DateTime::parse_from_rfc3339(stamp).ok()?;
    Some(time.with_timezone(&chrono::Utc).into())
}

/// A directory, and who follows what in it.
struct Bench {
    dir: tempfile::TempDir,
    wanted: Vec<OsString>,
    follower: Follower,
    book: Book,
    written: u32,
    packed: usize,
}

impl Bench {
    fn new(wanted: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let wanted: Vec<OsString> = wanted.iter().map(|w| dir.path().join(w).into()).collect();
        Self {
            follower: Follower::new(&wanted, Vec::new()),
            dir,
            wanted,
            book: Book::default(),
            written: 0,
            packed: 0,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Returns the next lines of the log.
    fn text(&mut self, count: u32) -> String {
        let numbers = self.written..self.written + count;
        self.written += count;
        numbers
            .map(|n| {
                let (minute, second) = (n / 60 % 60, n % 60);
                format!("2026-11-21T04:{minute:02}:{second:02}.000000+00:00 mx1 postfix/qmgr[812]: {n:08}: removed\n")
            })
            .collect()
    }

    /// Appends the next lines to a file.
    fn write(&mut self, name: &str, count: u32) {
        let text = self.text(count);
        self.append(name, text.as_bytes());
    }

    fn append(&self, name: &str, bytes: &[u8]) {
        let mut options = OpenOptions::new();
        let mut file = options
            .append(true)
            .create(true)
            .open(self.path(name))
            .unwrap();
        file.write_all(bytes).unwrap();
    }

    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).unwrap();
    }

    /// Cuts a file short, after copying it.
    fn copytruncate(&self, from: &str, to: &str) {
        fs::copy(self.path(from), self.path(to)).unwrap();
        let file = OpenOptions::new()
            .write(true)
            .open(self.path(from))
            .unwrap();
        file.set_len(0).unwrap();
    }

    fn gzip(&self, name: &str) {
        assert!(
            Command::new("gzip")
                .arg(self.path(name))
                .status()
                .unwrap()
                .success()
        );
    }

    fn look(&mut self) {
        let options = Options {
            zone: Zone::UTC,
            year: None,
            now: Time(1_795_200_000_000_000),
        };
        self.follower.look(&options, &mut self.book).unwrap();
    }

    /// Looks whenever something happens until `done`.
    fn until(&mut self, what: &str, done: impl Fn(&Self) -> bool) {
        let begun = Instant::now();
        self.look();
        while !done(self) {
            assert!(begun.elapsed() < DEADLINE, "{what}: {:#?}", self.lines());
            self.follower.wait();
            self.look();
        }
    }

    /// Looks until everything written was read, and a little longer; fails unless each line was read once, in order.
    fn expect_all(&mut self, what: &str) {
        let written = self.written as usize;
        self.until(what, |bench| bench.lines().len() >= written);
        self.follower.names_changed = true;
        self.look();
        self.look();
        let expected: Vec<u32> = (0..self.written).collect();
        assert_eq!(self.numbers(), expected, "{what}");
    }

    fn lines(&self) -> &[String] {
        &self.book.lines
    }

    /// Returns the numbers of the lines read.
    fn numbers(&self) -> Vec<u32> {
        let number = |line: &String| {
            let id = line.split(' ').nth(3)?;
            id.trim_end_matches(':').parse().ok()
        };
        self.lines()
            .iter()
            .map(|line| number(line).unwrap_or(u32::MAX))
            .collect()
    }

    /// Begins again with what would be stored.
    fn restart(&mut self) {
        let last_time = self.book.last_time(0).unwrap();
        let stored = self
            .book
            .streams
            .iter()
            .enumerate()
            .map(|(id, stream)| StoredCursor {
                source_id: Some(id as i64),
                cursor: Cursor {
                    key: stream.key.clone(),
                    name: stream.name.clone(),
                    offset: stream.position - stream.pending.len() as u64,
                    journal: None,
                    last_time,
                    state: String::new(),
                },
            });
        self.follower = Follower::new(&self.wanted, stored.collect());
        self.book.readings.clear();
        for stream in &mut self.book.streams {
            stream.position -= stream.pending.len() as u64;
            stream.pending.clear();
        }
    }
}

#[test]
fn a_file_that_grows_is_read_once() {
    let mut bench = Bench::new(&["mail.log"]);
    bench.write("mail.log", 3);
    bench.expect_all("what was there");
    for _ in 0..5 {
        bench.write("mail.log", 7);
        bench.expect_all("growth");
    }
    bench.write("mail.log", 50_000);
    bench.expect_all("many lines at once");
    assert!(bench.book.said.is_empty() && bench.book.lost.is_empty());
}

#[test]
fn a_file_is_waited_for() {
    let mut bench = Bench::new(&["there/mail.log"]);
    bench.look();
    assert!(
        bench.book.said[0].starts_with("waiting for "),
        "{:?}",
        bench.book.said
    );
    fs::create_dir(bench.path("there")).unwrap();
    bench.look();
    bench.append("there/mail.log", b"");
    bench.look();
    bench.write("there/mail.log", 2);
    bench.expect_all("made later");
}

#[test]
fn a_partial_last_line_is_no_line_until_its_end_comes() {
    let mut bench = Bench::new(&["mail.log"]);
    bench.write("mail.log", 2);
    let text = bench.text(1);
    let (start, end) = text.split_at(40);
    bench.append("mail.log", start.as_bytes());
    bench.until("two lines", |bench| bench.lines().len() == 2);
    bench.follower.wait();
    bench.look();
    assert_eq!(bench.lines().len(), 2);
    bench.append("mail.log", end.as_bytes());
    bench.expect_all("the end of the line");
}

#[test]
fn a_partial_line_at_a_crash_comes_once_and_whole() {
    let mut bench = Bench::new(&["mail.log"]);
    bench.write("mail.log", 2);
    let text = bench.text(1);
    let (start, end) = text.split_at(40);
    bench.append("mail.log", start.as_bytes());
    bench.until("two lines", |bench| bench.lines().len() == 2);
    bench.restart();
    bench.append("mail.log", end.as_bytes());
    bench.expect_all("after the crash");
}

#[test]
fn a_file_renamed_and_made_anew_loses_nothing() {
    let mut bench = Bench::new(&["mail.log"]);
    for round in 0..4 {
        bench.write("mail.log", 20);
        bench.expect_all("before rotation");
        // Not read yet when it is renamed.
        bench.write("mail.log", 5);
        bench.rename("mail.log", &format!("mail.log.{}", 9 - round));
        // The writer does not know yet.
        bench.write(&format!("mail.log.{}", 9 - round), 5);
        bench.look();
        bench.append("mail.log", b"");
        bench.look();
        bench.write("mail.log", 5);
        bench.expect_all("after rotation");
    }
}

#[test]
fn a_writer_that_keeps_the_renamed_file_is_followed() {
    let mut bench = Bench::new(&["mail.log"]);
    bench.follower.keep = Duration::ZERO;
    bench.write("mail.log", 2);
    bench.expect_all("before");
    bench.rename("mail.log", "mail.log.1");
    bench.append("mail.log", b"");
    for _ in 0..3 {
        bench.write("mail.log.1", 2);
        bench.expect_all("written under the old name");
    }
    bench.write("mail.log", 1);
    bench.expect_all("the new file");
    bench.until("the old one is let go", |bench| {
        bench.follower.files.len() == 1
    });
}

#[test]
fn an_unfinished_line_of_a_rotated_file_is_given_up_with_it() {
    let mut bench = Bench::new(&["mail.log"]);
    bench.follower.keep = Duration::ZERO;
    bench.write("mail.log", 2);
    let text = bench.text(1);
    bench.append("mail.log", text.trim_end().as_bytes());
    bench.until("two lines", |bench| bench.lines().len() == 2);
    bench.rename("mail.log", "mail.log.1");
    bench.write("mail.log", 1);
    bench.until("the new file", |bench| bench.lines().len() == 3);
    bench.until("let go", |bench| bench.follower.files.len() == 1);
    // The pump decides whether it is whole.
    assert!(
        bench
            .book
            .streams
            .iter()
            .any(|s| s.pending == text.trim_end().as_bytes())
    );
}

#[test]
fn a_file_cut_short_after_copying_loses_nothing() {
    let mut bench = Bench::new(&["mail.log"]);
    for round in 0..3 {
        bench.write("mail.log", 20);
        bench.expect_all("before");
        bench.write("mail.log", 5);
        bench.copytruncate("mail.log", &format!("mail.log.{}", 9 - round));
        bench.write("mail.log", 3);
        bench.expect_all("after");
    }
    assert!(bench.book.lost.is_empty(), "{:?}", bench.book.lost);
}

#[test]
fn a_file_cut_short_that_is_longer_again_is_noticed() {
    let mut bench = Bench::new(&["mail.log"]);
    bench.write("mail.log", 5);
    bench.expect_all("before");
    bench.write("mail.log", 2);
    bench.copytruncate("mail.log", "mail.log.1");
    bench.write("mail.log", 60);
    bench.expect_all("longer than before");
    // To the same length.
    let length = fs::metadata(bench.path("mail.log")).unwrap().len();
    bench.copytruncate("mail.log", "mail.log-20261121");
    bench.write("mail.log", 60);
    assert_eq!(fs::metadata(bench.path("mail.log")).unwrap().len(), length);
    bench.expect_all("as long as before");
}

#[test]
fn a_copy_that_is_compressed_at_once_is_found() {
    let mut bench = Bench::new(&["mail.log"]);
    bench.write("mail.log", 20);
    bench.expect_all("before");
    bench.write("mail.log", 5);
    bench.copytruncate("mail.log", "mail.log.1");
    bench.gzip("mail.log.1");
    let old = std::time::SystemTime::now() - Duration::from_mins(1);
    let packed = OpenOptions::new()
        .write(true)
        .open(bench.path("mail.log.1.gz"));
    packed.unwrap().set_modified(old).unwrap();
    bench.write("mail.log", 3);
    bench.until("all", |bench| bench.lines().len() >= 28);
    assert_eq!(bench.numbers(), (0..28).collect::<Vec<_>>());
}

#[test]
fn a_file_cut_short_without_a_copy_is_said() {
    let mut bench = Bench::new(&["mail.log"]);
    bench.write("mail.log", 20);
    bench.expect_all("before");
    OpenOptions::new()
        .write(true)
        .open(bench.path("mail.log"))
        .unwrap()
        .set_len(0)
        .unwrap();
    bench.look();
    bench.write("mail.log", 3);
    bench.expect_all("after");
    assert!(
        bench.book.lost[0].contains("was truncated"),
        "{:?}",
        bench.book.lost
    );
}

#[test]
fn a_hole_left_by_a_writer_that_does_not_append_is_passed_over() {
    let mut bench = Bench::new(&["mail.log"]);
    bench.write("mail.log", 20);
    bench.expect_all("before");
    let mut writer = OpenOptions::new()
        .write(true)
        .open(bench.path("mail.log"))
        .unwrap();
    for round in 0..3 {
        writer.seek(SeekFrom::End(0)).unwrap();
        let text = bench.text(2);
        writer.write_all(text.as_bytes()).unwrap();
        bench.copytruncate("mail.log", &format!("mail.log.{}", 9 - round));
        // Writes on where it stood: before that there is a hole now.
        let text = bench.text(10);
        writer.write_all(text.as_bytes()).unwrap();
        bench.expect_all("behind the hole");
        bench.restart();
        bench.expect_all("after a crash");
        writer.seek(SeekFrom::End(0)).unwrap();
        let text = bench.text(10);
        writer.write_all(text.as_bytes()).unwrap();
        bench.expect_all("further on");
    }
}

#[test]
fn a_deleted_file_is_read_to_its_end_and_the_new_one_begun() {
    let mut bench = Bench::new(&["mail.log"]);
    bench.follower.keep = Duration::ZERO;
    bench.write("mail.log", 20);
    bench.expect_all("before");
    let mut writer = OpenOptions::new()
        .append(true)
        .open(bench.path("mail.log"))
        .unwrap();
    let text = bench.text(5);
    writer.write_all(text.as_bytes()).unwrap();
    fs::remove_file(bench.path("mail.log")).unwrap();
    bench.expect_all("the deleted one");
    drop(writer);
    bench.until("let go", |bench| bench.follower.files.is_empty());
    bench.write("mail.log", 4);
    bench.expect_all("the new one");
}

#[test]
fn a_pattern_gains_files() {
    let mut bench = Bench::new(&["containers/*/*-json.log"]);
    bench.look();
    for name in ["a", "b", "c"] {
        fs::create_dir_all(bench.path(&format!("containers/{name}"))).unwrap();
        let file = format!("containers/{name}/{name}-json.log");
        bench.write(&file, 5);
        bench.expect_all(name);
        bench.write(&file, 5);
        bench.rename(&file, &format!("{file}.1"));
        bench.write(&file, 5);
        bench.expect_all("rotated");
    }
}

#[test]
fn a_directory_is_followed_without_what_is_no_log() {
    let mut bench = Bench::new(&["logs"]);
    fs::create_dir(bench.path("logs")).unwrap();
    bench.append("logs/notes.txt", b"no time at the start\n");
    bench.append("logs/empty", b"");
    bench.write("logs/mail.log", 5);
    bench.expect_all("the log");
    bench.write("logs/empty", 5);
    bench.expect_all("one that becomes a log");
    bench.rename("logs/mail.log", "logs/mail.log.1");
    bench.write("logs/mail.log", 5);
    bench.expect_all("rotated");
    bench.gzip("logs/mail.log.1");
    bench.write("logs/mail.log", 5);
    bench.expect_all("compressed");
    assert_eq!(bench.book.said, Vec::<String>::new());
}

#[test]
fn a_file_that_cannot_be_read_for_a_while_is_said_once() {
    if nix::unistd::geteuid().is_root() {
        // Root reads everything: a loop of links stands for it.
        let mut bench = Bench::new(&["mail.log"]);
        std::os::unix::fs::symlink("mail.log", bench.path("mail.log")).unwrap();
        for _ in 0..3 {
            bench.follower.names_changed = true;
            bench.look();
        }
        assert_eq!(bench.book.said.len(), 1, "{:?}", bench.book.said);
        fs::remove_file(bench.path("mail.log")).unwrap();
        bench.write("mail.log", 3);
        bench.expect_all("in its place");
        assert!(
            bench.book.said[1].ends_with("can be read again"),
            "{:?}",
            bench.book.said
        );
        return;
    }
    let mut bench = Bench::new(&["mail.log"]);
    bench.write("mail.log", 3);
    let mode = |mode| {
        use std::os::unix::fs::PermissionsExt;
        fs::Permissions::from_mode(mode)
    };
    fs::set_permissions(bench.path("mail.log"), mode(0)).unwrap();
    for _ in 0..3 {
        bench.follower.names_changed = true;
        bench.look();
    }
    assert_eq!(bench.book.said.len(), 1, "{:?}", bench.book.said);
    fs::set_permissions(bench.path("mail.log"), mode(0o600)).unwrap();
    bench.expect_all("readable");
    assert_eq!(bench.book.said.len(), 2, "{:?}", bench.book.said);
}

#[test]
fn a_link_that_leads_elsewhere_is_followed() {
    let mut bench = Bench::new(&["current"]);
    bench.write("first.log", 5);
    std::os::unix::fs::symlink("first.log", bench.path("current")).unwrap();
    bench.expect_all("the first");
    bench.write("first.log", 5);
    bench.write("second.log", 5);
    std::os::unix::fs::symlink("second.log", bench.path("new")).unwrap();
    bench.rename("new", "current");
    bench.expect_all("the second");
    bench.write("second.log", 5);
    bench.expect_all("further on");
}

#[test]
fn a_directory_that_vanishes_and_comes_back_is_followed() {
    let mut bench = Bench::new(&["logs/mail.log"]);
    fs::create_dir(bench.path("logs")).unwrap();
    bench.write("logs/mail.log", 5);
    bench.expect_all("before");
    bench.rename("logs", "away");
    bench.write("away/mail.log", 5);
    bench.expect_all("while away");
    bench.rename("away", "logs");
    bench.write("logs/mail.log", 5);
    bench.expect_all("back");
    fs::remove_dir_all(bench.path("logs")).unwrap();
    bench.follower.names_changed = true;
    bench.look();
    fs::create_dir(bench.path("logs")).unwrap();
    bench.write("logs/mail.log", 5);
    bench.expect_all("another one");
}

#[test]
fn what_was_rotated_meanwhile_is_read_first() {
    for packed in [false, true] {
        let mut bench = Bench::new(&["mail.log"]);
        bench.write("mail.log", 20);
        bench.expect_all("before");
        bench.write("mail.log", 5);
        // Three times while nobody looks.
        for old in [3, 2, 1] {
            bench.rename("mail.log", &format!("mail.log.{old}"));
            if packed && old > 1 {
                bench.gzip(&format!("mail.log.{old}"));
                let name = bench.path(&format!("mail.log.{old}.gz"));
                let gz = OpenOptions::new().write(true).open(name).unwrap();
                let age = Duration::from_secs(60 * old);
                gz.set_modified(std::time::SystemTime::now() - age).unwrap();
            }
            bench.write("mail.log", 30);
        }
        bench.restart();
        bench.expect_all("after the start");
        assert!(bench.book.lost.is_empty(), "{:?}", bench.book.lost);
        bench.restart();
        bench.write("mail.log", 3);
        bench.expect_all("after another");
    }
}

#[test]
fn what_was_rotated_twice_while_stopped_is_read_in_order() {
    let mut bench = Bench::new(&["mail.log"]);
    bench.write("mail.log", 20);
    bench.expect_all("before");
    bench.write("mail.log", 5);
    bench.rename("mail.log", "mail.log.2");
    bench.write("mail.log", 30);
    bench.rename("mail.log", "mail.log.1");
    bench.write("mail.log", 5);
    bench.expect_all("after");
}

#[test]
fn older_rotated_files_are_not_read_unasked() {
    let mut bench = Bench::new(&["mail.log"]);
    let old = bench.text(20);
    bench.append("mail.log.1", old.as_bytes());
    let _ = bench.text(100);
    bench.write("mail.log", 5);
    bench.until("the log", |bench| bench.lines().len() >= 5);
    bench.restart();
    bench.write("mail.log", 5);
    bench.until("more of it", |bench| bench.lines().len() >= 10);
    bench.look();
    assert_eq!(bench.numbers(), (120..130).collect::<Vec<_>>());
}

#[test]
fn a_rotated_file_that_is_gone_is_said() {
    let mut bench = Bench::new(&["mail.log"]);
    bench.write("mail.log", 20);
    bench.expect_all("before");
    fs::remove_file(bench.path("mail.log")).unwrap();
    bench.write("mail.log", 5);
    bench.restart();
    bench.expect_all("after");
    assert_eq!(bench.book.lost.len(), 1, "{:?}", bench.book.lost);
    assert!(
        bench.book.lost[0].contains("is gone"),
        "{:?}",
        bench.book.lost
    );
}

#[test]
fn a_rotated_set_in_a_pattern_is_one_log() {
    let mut bench = Bench::new(&["mail.log*"]);
    bench.write("mail.log.1", 20);
    bench.write("mail.log", 20);
    bench.expect_all("what was there");
    for _ in 0..3 {
        bench.write("mail.log", 5);
        bench.rename("mail.log.1", "mail.log.2");
        bench.rename("mail.log", "mail.log.1");
        bench.gzip("mail.log.2");
        bench.write("mail.log", 5);
        bench.expect_all("rotated");
        fs::remove_file(bench.path("mail.log.2.gz")).unwrap();
    }
    bench.restart();
    bench.expect_all("after a start");
}

#[test]
fn two_files_that_begin_alike_are_two_once_they_differ() {
    let mut bench = Bench::new(&["a.log", "b.log"]);
    let same = bench.text(1);
    bench.append("a.log", same.as_bytes());
    bench.append("b.log", same.as_bytes());
    bench.until("the line both have", |bench| bench.lines().len() == 1);
    bench.write("a.log", 3);
    bench.until("more of one", |bench| bench.lines().len() == 4);
    bench.write("b.log", 3);
    // Two logs: the line that both have counts in each.
    bench.until("more of the other", |bench| bench.lines().len() == 8);
    bench.write("a.log", 1);
    bench.write("b.log", 1);
    bench.until("further on", |bench| bench.lines().len() == 10);
    bench.restart();
    bench.write("b.log", 1);
    bench.write("a.log", 1);
    bench.until("after a start", |bench| bench.lines().len() == 12);
    bench.look();
    let mut numbers = bench.numbers();
    numbers.sort_unstable();
    assert_eq!(numbers, [0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
}

#[test]
fn a_copy_beside_the_log_is_not_read_again() {
    let mut bench = Bench::new(&["*.log"]);
    bench.write("mail.log", 100);
    bench.expect_all("the log");
    fs::copy(bench.path("mail.log"), bench.path("copy.log")).unwrap();
    bench.expect_all("the copy");
    bench.write("mail.log", 10);
    bench.expect_all("growth");
    bench.restart();
    bench.write("mail.log", 10);
    bench.expect_all("after a start");
}

#[test]
fn a_file_whose_head_or_middle_was_taken_out_goes_on() {
    for keep_head in [true, false] {
        let mut bench = Bench::new(&["mail.log"]);
        bench.write("mail.log", 200);
        bench.expect_all("before");
        let text = fs::read_to_string(bench.path("mail.log")).unwrap();
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let kept = if keep_head {
            [&lines[..100], &lines[150..]].concat()
        } else {
            lines[150..].to_vec()
        };
        fs::write(bench.path("new"), kept.concat()).unwrap();
        bench.rename("new", "mail.log");
        bench.write("mail.log", 10);
        bench.expect_all("after");
        bench.write("mail.log", 10);
        bench.expect_all("further on");
    }
}

#[test]
fn a_file_replaced_by_a_copy_of_itself_goes_on() {
    let mut bench = Bench::new(&["mail.log"]);
    bench.write("mail.log", 200);
    bench.expect_all("before");
    fs::copy(bench.path("mail.log"), bench.path("new")).unwrap();
    bench.rename("new", "mail.log");
    bench.write("mail.log", 10);
    bench.expect_all("after");
}

#[test]
fn a_pipe_is_read_whoever_writes() {
    let mut bench = Bench::new(&["pipe"]);
    nix::unistd::mkfifo(&bench.path("pipe"), Mode::S_IRUSR | Mode::S_IWUSR).unwrap();
    bench.look();
    for _ in 0..3 {
        bench.write("pipe", 5);
        bench.expect_all("a writer that comes and goes");
    }
}

#[test]
fn bytes_that_are_no_text_and_long_lines_are_passed_on() {
    let mut bench = Bench::new(&["mail.log"]);
    bench.write("mail.log", 1);
    bench.expect_all("before");
    let mut long = vec![b'x'; 3 << 20];
    long.push(b'\n');
    bench.append("mail.log", b"\xff\x00\xfe\n");
    bench.append("mail.log", &long);
    bench.until("odd lines", |bench| bench.lines().len() == 3);
    assert_eq!(bench.lines()[2].len(), 3 << 20);
    bench.write("mail.log", 1);
    bench.until("the next", |bench| bench.lines().len() == 4);
}

#[test]
fn a_line_is_read_at_once() {
    let mut bench = Bench::new(&["mail.log"]);
    bench.write("mail.log", 1);
    bench.expect_all("before");
    let mut longest = Duration::ZERO;
    for _ in 0..20 {
        bench.write("mail.log", 1);
        let begun = Instant::now();
        let written = bench.written as usize;
        bench.until("a line", |bench| bench.lines().len() >= written);
        longest = longest.max(begun.elapsed());
    }
    assert!(longest < Duration::from_secs(1), "{longest:?}");
}

/// Chance that is the same in each run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// One thing that may happen to the log.
fn happen(bench: &mut Bench, action: u64, chance: &mut Chance, rotated: &mut Vec<String>) {
    let next = format!("mail.log.{}", 900 - rotated.len() - bench.packed);
    let exists = bench.path("mail.log").exists();
    match action {
        0..=3 => {
            let count = 1 + chance.below(60) as u32;
            bench.write("mail.log", count);
        }
        4 => {
            let text = bench.text(1);
            let (start, end) = text.split_at(chance.below(70) as usize);
            bench.append("mail.log", start.as_bytes());
            bench.look();
            bench.append("mail.log", end.as_bytes());
        }
        5 if exists => {
            bench.rename("mail.log", &next);
            rotated.push(next);
        }
        6 if exists => {
            bench.copytruncate("mail.log", &next);
            rotated.push(next);
        }
        7 if !rotated.is_empty() => {
            let name = rotated.remove(chance.below(rotated.len() as u64) as usize);
            bench.gzip(&name);
            bench.packed += 1;
            let packed = bench.path(&format!("{name}.gz"));
            let age = std::time::SystemTime::now() - Duration::from_secs(10);
            let packed = OpenOptions::new().write(true).open(packed).unwrap();
            packed.set_modified(age).unwrap();
        }
        8 => bench.restart(),
        9 => {
            bench.follower.names_changed = true;
            bench.look();
        }
        _ => bench.look(),
    }
}

/// Lets the log live through whatever chance brings; everything that is written is to be read once and in order.
fn live(seed: u64) {
    let mut chance = Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let wanted = [&["mail.log"][..], &["mail.log*"], &["."]][(seed % 3) as usize];
    let mut bench = Bench::new(wanted);
    let (mut rotated, mut story) = (Vec::new(), Vec::new());
    bench.write("mail.log", 1);
    bench.expect_all("the first line");
    for _ in 0..40 {
        let action = chance.below(11);
        story.push(action);
        happen(&mut bench, action, &mut chance, &mut rotated);
    }
    let written = bench.written as usize;
    let begun = Instant::now();
    while bench.lines().len() < written && begun.elapsed() < DEADLINE {
        bench.follower.wait();
        bench.look();
    }
    bench.restart();
    bench.look();
    bench.look();
    let expected: Vec<u32> = (0..bench.written).collect();
    let found = bench.numbers();
    let wrong = expected.iter().zip(&found).position(|(a, b)| a != b);
    assert!(
        found == expected && bench.book.lost.is_empty(),
        "seed {seed}: {} of {} lines, first difference at {wrong:?}\n{story:?}\n{:?} {:?}",
        found.len(),
        expected.len(),
        bench.book.lost,
        bench.book.said,
    );
}

#[test]
fn whatever_happens_to_a_log_nothing_is_lost_or_read_twice() {
    let lives = std::env::var("MAILLOG_LIVES").map_or(30, |lives| lives.parse().unwrap());
    for seed in 0..lives {
        live(seed);
    }
}
