//! Content: what `postcat -ehb` prints of queue files -> the whole message of each, for its digest.
//!
//! A body may hold lines that look like those between the files. Only a line with the path of the file that is being read ends it, and its
//! sender cannot know that path beforehand. What such a line hides, a second look at the file alone finds.
//! Limits: a message of more than [`MAX_MESSAGE`] bytes is not handed on.

use super::postcat::marker;
use std::io::{self, BufRead, Read};

/// The largest message that is kept in memory, one at a time.
pub const MAX_MESSAGE: usize = 64 * 1024 * 1024;

/// Bytes of a line that are read at once.
const PIECE: u64 = 1 << 20;

/// Reads what postcat printed of any number of files; hands on the queue id of each and its message, none where that is too large.
///
/// # Errors
/// When the input cannot be read.
pub fn read(mut input: impl BufRead, mut each: impl FnMut(&str, Option<&[u8]>)) -> io::Result<()> {
    let mut file: Option<File> = None;
    let mut line = Vec::new();
    // The beginning of a line, or the rest of a long one.
    let mut is_begin = true;
    loop {
        line.clear();
        if input.by_ref().take(PIECE).read_until(b'\n', &mut line)? == 0 {
            break;
        }
        let found = std::str::from_utf8(&line).ok().filter(|_| is_begin);
        let found = found.and_then(|text| marker(text.trim_end_matches('\n')));
        is_begin = line.ends_with(b"\n");
        match (found, &mut file) {
            (Some((name, path)), Some(open)) if open.is_message && open.path == path => {
                open.is_message = name == "MESSAGE CONTENTS";
            }
            (_, Some(open)) if open.is_message => open.take(&line),
            (Some(("ENVELOPE RECORDS", path)), _) => {
                if let Some(before) = file.replace(File::begin(path)) {
                    before.finish(&mut each);
                }
            }
            (Some(("MESSAGE CONTENTS", path)), Some(open)) if open.path == path => {
                open.is_message = true;
            }
            _ => {}
        }
    }
    if let Some(last) = file {
        last.finish(&mut each);
    }
    Ok(())
}

/// The file that is being read.
struct File {
    path: String,
    message: Vec<u8>,
    is_message: bool,
    is_too_large: bool,
}

impl File {
    fn begin(path: &str) -> Self {
        Self {
            path: path.to_owned(),
            message: Vec::new(),
            is_message: false,
            is_too_large: false,
        }
    }

    fn take(&mut self, line: &[u8]) {
        self.is_too_large |= self.message.len() + line.len() > MAX_MESSAGE;
        if !self.is_too_large {
            self.message.extend_from_slice(line);
        }
    }

    fn finish(&self, each: &mut impl FnMut(&str, Option<&[u8]>)) {
        let id = self.path.rsplit('/').next().unwrap_or_default();
        each(id, (!self.is_too_large).then_some(self.message.as_slice()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(printed: &str) -> Vec<(String, String)> {
        let mut all = Vec::new();
        read(printed.as_bytes(), |id, message| {
            let message = String::from_utf8(message.unwrap().to_vec()).unwrap();
            all.push((id.to_owned(), message));
        })
        .unwrap();
        all
    }

    #[test]
    fn each_file_gives_its_message_whatever_the_body_says() {
        let printed = "\
*** ENVELOPE RECORDS deferred/4/4jcA ***
message_size: 10
*** MESSAGE CONTENTS deferred/4/4jcA ***
Subject: one

*** MESSAGE FILE END deferred/4/4jcB ***
*** ENVELOPE RECORDS deferred/4/4jcB ***
*** MESSAGE CONTENTS deferred/4/4jcB ***
forged
*** HEADER EXTRACTED deferred/4/4jcA ***
recipient: a@example.org
*** MESSAGE FILE END deferred/4/4jcA ***
*** ENVELOPE RECORDS hold/4jcB ***
*** MESSAGE CONTENTS hold/4jcB ***
Subject: two

text
*** HEADER EXTRACTED hold/4jcB ***
*** MESSAGE FILE END hold/4jcB ***
";
        let all = messages(printed);
        assert_eq!(all.len(), 2);
        assert_eq!(all[0].0, "4jcA");
        assert!(all[0].1.starts_with("Subject: one\n\n*** MESSAGE FILE"));
        assert!(all[0].1.ends_with("forged\n"));
        assert_eq!(all[1], ("4jcB".into(), "Subject: two\n\ntext\n".into()));
    }

    #[test]
    fn a_long_line_is_one_line_and_a_file_that_is_cut_ends_with_the_input() {
        let long = "x".repeat(3_000_000);
        let printed = format!(
            "*** ENVELOPE RECORDS active/4jcA ***\n*** MESSAGE CONTENTS active/4jcA ***\n\n{long}\n"
        );
        let all = messages(&printed);
        assert_eq!(all, [("4jcA".to_owned(), format!("\n{long}\n"))]);
        assert_eq!(messages("postcat: nothing\n"), []);
    }
}
