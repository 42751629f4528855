//! Backward: a file's lines from the last to the first, read by blocks, so that its size does not matter.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

/// Bytes that are read at once.
const BLOCK_BYTES: u64 = 1024 * 1024;
/// A line longer than this is given in pieces.
const LINE_BYTES: usize = 16 * 1024 * 1024;

/// Reads a file from its end.
pub(super) struct Backward {
    file: File,
    /// What lies before this is still to be read.
    at: u64,
    /// The end of a line that begins before `at`.
    rest: Vec<u8>,
    /// Lines in their new order, and how much of them was given out.
    ready: Vec<u8>,
    given: usize,
}

impl Backward {
    /// Returns the reader of a file, whatever its position.
    ///
    /// # Errors
    /// When the file has no size.
    pub(super) fn new(mut file: File) -> io::Result<Self> {
        let at = file.seek(SeekFrom::End(0))?;
        Ok(Self {
            file,
            at,
            rest: Vec::new(),
            ready: Vec::new(),
            given: 0,
        })
    }

    /// Reads the block before those that were read.
    fn fill(&mut self) -> io::Result<()> {
        let length = self.at.min(BLOCK_BYTES);
        self.at -= length;
        self.file.seek(SeekFrom::Start(self.at))?;
        let mut block = Vec::with_capacity(usize::try_from(length).unwrap_or(0) + self.rest.len());
        (&mut self.file).take(length).read_to_end(&mut block)?;
        block.append(&mut self.rest);
        // The first line may begin in the block before.
        let is_open = self.at > 0 && block.len() < LINE_BYTES;
        let start = match memchr::memchr(b'\n', &block) {
            _ if !is_open => 0,
            Some(end) => end + 1,
            None => block.len(),
        };
        self.given = 0;
        self.ready.clear();
        turn(block.get(start..).unwrap_or_default(), &mut self.ready);
        block.truncate(start);
        self.rest = block;
        Ok(())
    }
}

impl Read for Backward {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.ready.len() && self.at > 0 {
            self.fill()?;
        }
        let rest = self.ready.get(self.given..).unwrap_or_default();
        let length = rest.len().min(buffer.len());
        if let (Some(target), Some(source)) = (buffer.get_mut(..length), rest.get(..length)) {
            target.copy_from_slice(source);
        }
        self.given += length;
        Ok(length)
    }
}

/// Adds the lines of `data` to `lines`, the last one first; each gets its end.
pub(super) fn turn(data: &[u8], lines: &mut Vec<u8>) {
    let data = data.strip_suffix(b"\n").unwrap_or(data);
    if data.is_empty() {
        return;
    }
    lines.reserve(data.len() + 1);
    for line in data.rsplit(|byte| *byte == b'\n') {
        lines.extend_from_slice(line);
        lines.push(b'\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn lines_come_from_the_last_to_the_first_however_long_the_file() {
        for (count, width) in [(0, 0), (1, 3), (3, 0), (60_000, 70), (5, 900_000)] {
            let mut file = tempfile::tempfile().unwrap();
            let line = |no: usize| format!("{no} {}", "x".repeat(width));
            let lines: Vec<String> = (0..count).map(line).collect();
            file.write_all(lines.join("\n").as_bytes()).unwrap();
            let mut read = String::new();
            let mut backward = Backward::new(file).unwrap();
            backward.read_to_string(&mut read).unwrap();
            assert!(read.lines().eq(lines.iter().rev()), "{count} lines");
        }
    }
}
