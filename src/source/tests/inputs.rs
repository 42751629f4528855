//! Files, directories, patterns; compressed and damaged files; order and identity.

use super::options;
use crate::source::{Encoding, Error, Input, collect};
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

fn day(day: u8, lines: u32) -> String {
    let mut text = String::new();
    for line in 0..lines {
        let (minute, second) = (line / 60 % 60, line % 60);
        let head = format!("2026-03-{day:02}T10:{minute:02}:{second:02}Z mail postfix/qmgr[812]");
        let from = format!("from=<a{line}@example.org>, size=1, nrcpt=1 (queue active)");
        writeln!(text, "{head}: 64AB9120A53: {from}").unwrap();
    }
    text
}

fn packed(encoding: Encoding, text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    match encoding {
        Encoding::Plain | Encoding::Journal => out.extend_from_slice(text),
        Encoding::Gzip => {
            let mut writer = flate2::write::GzEncoder::new(&mut out, flate2::Compression::fast());
            writer.write_all(text).unwrap();
            writer.finish().unwrap();
        }
        Encoding::Bzip2 => {
            let mut writer = bzip2::write::BzEncoder::new(&mut out, bzip2::Compression::fast());
            writer.write_all(text).unwrap();
            writer.finish().unwrap();
        }
        Encoding::Xz => {
            let mut writer = liblzma::write::XzEncoder::new(&mut out, 1);
            writer.write_all(text).unwrap();
            writer.finish().unwrap();
        }
        Encoding::Zstd => out = zstd::stream::encode_all(text, 1).unwrap(),
    }
    out
}

const PACKED: [Encoding; 4] = [
    Encoding::Gzip,
    Encoding::Bzip2,
    Encoding::Xz,
    Encoding::Zstd,
];

fn found(arguments: &[&Path]) -> (Vec<Input>, Vec<crate::source::Skipped>) {
    try_found(arguments).unwrap()
}

fn try_found(arguments: &[&Path]) -> Result<(Vec<Input>, Vec<crate::source::Skipped>), Error> {
    let arguments: Vec<OsString> = arguments.iter().map(Into::into).collect();
    collect(&arguments, &options("UTC"))
}

fn content(input: &Input, offset: u64) -> (Vec<u8>, Option<Error>) {
    let mut data = Vec::new();
    for chunk in input.read_from(offset).unwrap() {
        match chunk {
            Ok(chunk) => {
                assert_eq!(chunk.offset, offset + data.len() as u64);
                data.extend(chunk.data);
            }
            Err(error) => return (data, Some(error)),
        }
    }
    (data, None)
}

fn write(directory: &TempDir, name: &str, data: impl AsRef<[u8]>) -> PathBuf {
    let path = directory.path().join(name);
    fs::write(&path, data).unwrap();
    path
}

#[test]
fn compression_is_told_by_content_and_members_are_joined() {
    let directory = TempDir::new().unwrap();
    for encoding in PACKED {
        let (one, two) = (day(1, 8_000), day(2, 10));
        let mut data = packed(encoding, one.as_bytes());
        data.extend(packed(encoding, two.as_bytes()));
        let path = write(&directory, "mail.log", data);
        let (inputs, _) = found(&[&path]);
        assert_eq!(inputs[0].encoding(), encoding);
        let whole = format!("{one}{two}");
        assert!(content(&inputs[0], 0).0 == whole.as_bytes(), "{encoding:?}");
        let offset = one.len() - 100;
        let (rest, error) = content(&inputs[0], offset as u64);
        assert!(rest == whole.as_bytes()[offset..] && error.is_none());
    }
}

#[test]
fn a_cut_archive_gives_what_is_readable_and_then_an_error() {
    let directory = TempDir::new().unwrap();
    let text = day(1, 8_000);
    for encoding in PACKED {
        let data = packed(encoding, text.as_bytes());
        let path = write(&directory, "mail.log.1", &data[..data.len() / 2]);
        let (inputs, _) = found(&[&path]);
        let (readable, error) = content(&inputs[0], 0);
        assert!(text.as_bytes().starts_with(&readable));
        assert!(
            readable.len() > text.len() / 10,
            "{encoding:?} {}",
            readable.len()
        );
        let error = error.unwrap();
        assert!(
            error.to_string().contains("mail.log.1 is damaged after"),
            "{error}"
        );
        assert!(
            error.hint().unwrap().contains("cut off"),
            "{encoding:?} {error:?}"
        );
    }
}

#[test]
fn a_corrupt_archive_gives_what_comes_before_the_damage() {
    let directory = TempDir::new().unwrap();
    let text = day(1, 8_000);
    for encoding in PACKED {
        let mut data = packed(encoding, text.as_bytes());
        let middle = data.len() / 2;
        data[middle..middle + 64].fill(0x55);
        let path = write(&directory, "mail.log.1", data);
        let (inputs, _) = found(&[&path]);
        let (readable, error) = content(&inputs[0], 0);
        assert!(error.is_some(), "{encoding:?}");
        // Some formats notice the damage only by the checksum at the end of a block.
        let same = readable
            .iter()
            .zip(text.as_bytes())
            .take_while(|(a, b)| a == b)
            .count();
        assert!(same > text.len() / 10, "{encoding:?} {same}");
    }
}

#[test]
fn a_rotated_set_is_ordered_by_content() {
    let directory = TempDir::new().unwrap();
    let new = write(&directory, "mail.log", day(9, 5));
    let middle = write(&directory, "mail.log.1", day(5, 5));
    let old = write(
        &directory,
        "mail.log.2.gz",
        packed(Encoding::Gzip, day(2, 5).as_bytes()),
    );
    for arguments in [
        [&new, &middle, &old],
        [&old, &new, &middle],
        [&middle, &old, &new],
    ] {
        let (inputs, _) = found(&arguments.map(PathBuf::as_path));
        let order: Vec<_> = inputs.iter().map(|input| input.path().to_owned()).collect();
        assert_eq!(order, [old.clone(), middle.clone(), new.clone()]);
    }
}

#[test]
fn a_file_named_twice_is_read_once() {
    let directory = TempDir::new().unwrap();
    let path = write(&directory, "mail.log", day(9, 5));
    let link = directory.path().join("link.log");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let pattern = directory.path().join("mail*");
    let (inputs, _) = found(&[&path, &link, &pattern, directory.path(), &path]);
    assert_eq!(inputs.len(), 1);
}

#[test]
fn a_directory_gives_its_logs_and_says_what_it_leaves_out() {
    let directory = TempDir::new().unwrap();
    fs::create_dir(directory.path().join("old")).unwrap();
    write(&directory, "mail.log", day(9, 5));
    write(&directory, "old/mail.log.3", day(1, 5));
    write(&directory, "empty", "");
    write(&directory, "lastlog", [0_u8, 1, 2, 3, 0, 0, 255]);
    write(&directory, "x.db", "SQLite format 3\0 and more");
    let (inputs, skipped) = found(&[directory.path()]);
    assert_eq!(inputs.len(), 2);
    let mut reasons: Vec<_> = skipped
        .iter()
        .map(|skipped| skipped.reason.as_str())
        .collect();
    reasons.sort_unstable();
    assert_eq!(reasons.len(), 3, "{reasons:?}");
    assert!(
        reasons[0].ends_with("x.db: it is an SQLite database"),
        "{reasons:?}"
    );
    assert_eq!(reasons[1..], ["empty", "no line begins with a time"]);
}

#[test]
fn what_is_named_and_cannot_be_read_is_an_error() {
    let directory = TempDir::new().unwrap();
    let error = try_found(&[&directory.path().join("nothing")]).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("nothing: no such file or directory"),
        "{error}"
    );
    let error = try_found(&[&directory.path().join("no*")]).unwrap_err();
    assert!(error.to_string().starts_with("no file matches"), "{error}");
    let zip = write(&directory, "logs.zip", b"PK\x03\x04...");
    let error = try_found(&[&zip]).unwrap_err();
    assert!(
        error.to_string().ends_with("it is a zip archive"),
        "{error}"
    );
    assert!(error.hint().unwrap().starts_with("try: unzip -p"));
}

#[test]
fn a_file_keeps_its_identity_when_it_grows_moves_and_is_packed() {
    let directory = TempDir::new().unwrap();
    let text = day(9, 100);
    let young = found(&[&write(&directory, "mail.log", &text.as_bytes()[..500])])
        .0
        .remove(0);
    let old = found(&[&write(&directory, "mail.log.1", &text)])
        .0
        .remove(0);
    let packed = packed(Encoding::Gzip, text.as_bytes());
    let packed = found(&[&write(&directory, "mail.log.2.gz", packed)])
        .0
        .remove(0);
    let other = found(&[&write(&directory, "other", day(8, 100))])
        .0
        .remove(0);
    assert!(old.matches(&young.key()) && packed.matches(&young.key()));
    assert_eq!(old.key(), packed.key());
    assert!(!young.matches(&old.key()) && !other.matches(&young.key()));
    let empty = found(&[&write(&directory, "empty", "")]).0.remove(0);
    assert!(!old.matches(&empty.key()) && !empty.matches(&empty.key()));
}

#[test]
fn reading_goes_on_where_it_stopped() {
    let directory = TempDir::new().unwrap();
    let text = day(9, 100);
    let input = found(&[&write(&directory, "mail.log", &text)]).0.remove(0);
    assert!(content(&input, 1000).0 == text.as_bytes()[1000..]);
    assert!(content(&input, text.len() as u64).0.is_empty());
    assert!(content(&input, 1 << 40).0.is_empty());
}

#[test]
fn year_option_is_the_year_of_the_first_line_of_the_whole_set() {
    let directory = TempDir::new().unwrap();
    let line = |stamp: &str| format!("{stamp} mail postfix/qmgr[812]: 64AB9120A53: removed\n");
    let new = write(&directory, "a", line("Jan  5 10:00:00"));
    let old = write(&directory, "b", line("Dec 30 10:00:00"));
    let options = crate::source::Options {
        year: Some(2023),
        ..options("UTC")
    };
    let (inputs, _) = collect(&[new.clone().into(), old.clone().into()], &options).unwrap();
    let years: Vec<_> = inputs
        .iter()
        .map(|input| (input.path().to_owned(), input.hints(&options).first_year))
        .collect();
    assert_eq!(years, [(old, Some(2023)), (new, Some(2024))]);
}

#[test]
fn chunks_are_whole_lines() {
    let directory = TempDir::new().unwrap();
    let text = day(9, 30_000);
    let input = found(&[&write(&directory, "mail.log", &text)]).0.remove(0);
    let chunks: Vec<_> = input.read_from(0).unwrap().map(Result::unwrap).collect();
    assert!(chunks.len() > 2);
    assert!(
        chunks
            .iter()
            .all(|chunk| chunk.data.is_empty() || chunk.data.ends_with(b"\n"))
    );
    assert_eq!(chunks.iter().filter(|chunk| chunk.is_last).count(), 1);
    assert_eq!(chunks.last().unwrap().read, text.len() as u64);
}
