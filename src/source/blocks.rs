//! Blocks: several files in one, each in order, the newest of them first.
//!
//! A shell lists a rotated set as `mail.log mail.log.1 mail.log.2`, so `cat`, `zcat` and `grep` over `mail.log*` write the newest
//! file first. What grep puts before each line tells the files apart; without that, a log whose parts do not overlap and go
//! back by hours from one to the next is such a set. A clock that was set back and a relay that delivers late overlap, or
//! are a few lines: they stay as they are.
//!
//! Limits: only stamps at the start of a line count (JSON has none there); of a plain file that names no files only some
//! places are looked at first, so parts that are all small beside the first one stay unseen; the parts lie within half a
//! year where stamps have no year.

use super::prefix;
use super::repeat;
use super::stamp::{self, Stamp};
use super::syslog;
use crate::model::time::{DAY, HOUR, MINUTE, Time};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::ops::Range;

/// Parts of one file follow each other without a step back that is longer.
const STEP: i64 = 2 * HOUR;
/// Parts that overlap by more were written at the same time.
const OVERLAP: i64 = MINUTE;
/// Fewer lines with a stamp are no file.
const LEAST_LINES: u32 = 3;
/// More parts are no set of files.
const MOST_BLOCKS: usize = 1000;
/// A longer line has no stamp that matters.
const LINE_BYTES: u64 = 64 * 1024;
/// So many places of a file are looked at,
const PLACES: u64 = 64;
/// and of each so many bytes.
const PLACE_BYTES: u64 = 4096;
/// Lines of which one shows whether grep wrote a file's name before them.
const MARKED_LINES: usize = 20;

/// A time as far as a line tells it: without its year and zone where it has none.
#[derive(Debug, Clone, Copy)]
struct Moment {
    time: Time,
    has_year: bool,
}

impl Moment {
    /// Returns how much later this is than another, in microseconds.
    fn since(self, other: Self) -> i64 {
        /// Of the year in which days without one are put.
        const YEAR: i64 = 366 * DAY;
        let apart = self.time.since(other.time);
        if self.has_year && other.has_year {
            return apart;
        }
        (apart + YEAR / 2).rem_euclid(YEAR) - YEAR / 2
    }
}

fn moment(line: &str) -> Option<Moment> {
    let head = syslog::read(line).filter(|head| repeat::notice(head.text).is_none())?;
    Some(match head.outer.or(head.stamp)? {
        Stamp::Absolute(time, _) => Moment {
            time,
            has_year: true,
        },
        Stamp::Wall(wall, _) => Moment {
            time: Time(wall.as_utc(wall.year.unwrap_or(2000))),
            has_year: wall.year.is_some(),
        },
    })
}

/// Returns the name of the file that grep wrote before a line.
fn mark(line: &str) -> Option<&str> {
    if stamp::read(line).is_some() {
        return None;
    }
    let is_header = |rest: &&str| rest.starts_with('<') || stamp::read(rest).is_some();
    let rest = prefix::rests(line).find(is_header)?;
    let before = line.strip_suffix(rest)?;
    let name = before.strip_suffix([':', '-'])?;
    // `grep -n` writes the number of the line, too.
    let unnumbered = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let name = match unnumbered.strip_suffix([':', '-']) {
        Some(file) if unnumbered.len() < name.len() => file,
        _ if unnumbered.is_empty() => "",
        _ => name,
    };
    (!name.is_empty() && name != "(standard input)").then_some(name)
}

/// Tells whether grep wrote names of files before the lines.
pub(super) fn is_marked(head: &[u8]) -> bool {
    let mut lines = head.split(|byte| *byte == b'\n').take(MARKED_LINES);
    lines.any(|line| std::str::from_utf8(line).is_ok_and(|line| mark(line).is_some()))
}

/// Tells whether some places of a file, in their order, go back in time.
///
/// # Errors
/// When the file cannot be read.
pub(super) fn goes_back(file: &mut File, size: u64) -> io::Result<bool> {
    let mut last: Option<Moment> = None;
    for place in 0..=PLACES {
        let at = size.saturating_sub(PLACE_BYTES) * place / PLACES;
        file.seek(SeekFrom::Start(at))?;
        let mut bytes = Vec::new();
        file.take(PLACE_BYTES).read_to_end(&mut bytes)?;
        let text = String::from_utf8_lossy(&bytes);
        let mut lines = text.lines().skip(usize::from(at > 0));
        let Some(moment) = lines.find_map(moment) else {
            continue;
        };
        if last.is_some_and(|last| moment.since(last) < -STEP) {
            return Ok(true);
        }
        last = Some(moment);
    }
    Ok(false)
}

/// A place where a part goes on hours later.
#[derive(Debug, Clone, Copy)]
struct Gap {
    place: u64,
    /// Lines of the part before it.
    lines: u32,
    before: Moment,
    after: Moment,
}

/// A part that is in order.
#[derive(Debug)]
struct Block {
    bytes: Range<u64>,
    name: Option<String>,
    /// Lines with a stamp.
    lines: u32,
    first: Option<Moment>,
    last: Option<Moment>,
    gaps: Vec<Gap>,
}

impl Block {
    fn at(place: u64, name: Option<&str>) -> Self {
        Self {
            bytes: place..place,
            name: name.map(str::to_owned),
            lines: 0,
            first: None,
            last: None,
            gaps: Vec::new(),
        }
    }

    /// Takes a line in that begins at `place`.
    fn add(&mut self, place: u64, moment: Option<Moment>) {
        let Some(moment) = moment else { return };
        if let Some(before) = self.last
            && moment.since(before) > STEP
            && self.gaps.len() < MOST_BLOCKS
        {
            self.gaps.push(Gap {
                place,
                lines: self.lines,
                before,
                after: moment,
            });
        }
        self.lines += 1;
        if self.first.is_none_or(|first| moment.since(first) < 0) {
            self.first = Some(moment);
        }
        if self.last.is_none_or(|last| moment.since(last) > 0) {
            self.last = Some(moment);
        }
    }

    /// Takes in what the next part knows.
    fn take(&mut self, next: &Self) {
        self.lines += next.lines;
        let first = self.first.into_iter().chain(next.first);
        self.first = first.reduce(|a, b| if b.since(a) < 0 { b } else { a });
        let last = self.last.into_iter().chain(next.last);
        self.last = last.reduce(|a, b| if b.since(a) > 0 { b } else { a });
    }

    /// Tells whether a line with that name and time is of another file.
    fn ends_before(&self, name: Option<&str>, moment: Option<Moment>) -> bool {
        if name.is_some() && name != self.name.as_deref() {
            return true;
        }
        let is_named = name.is_some() || self.name.is_some();
        let back = moment.zip(self.last).map(|(now, last)| now.since(last));
        !is_named && back.is_some_and(|back| back < -STEP)
    }
}

/// Returns the parts of a log in the order of time; none when it is one part, or its parts are in order, or overlap.
///
/// # Errors
/// When the log cannot be read.
pub(super) fn find(log: impl Read) -> io::Result<Option<Vec<Range<u64>>>> {
    let mut log = BufReader::with_capacity(1024 * 1024, log);
    let mut blocks = vec![Block::at(0, None)];
    let mut line = Vec::new();
    let mut place = 0;
    loop {
        line.clear();
        let length = (&mut log).take(LINE_BYTES).read_until(b'\n', &mut line)? as u64;
        if length == 0 {
            break;
        }
        let text = String::from_utf8_lossy(&line);
        let (name, moment) = (mark(&text), moment(&text));
        let is_new = blocks
            .last()
            .is_some_and(|block| block.ends_before(name, moment));
        if is_new {
            // grep is done with a file before it begins with the next.
            let is_mixed = name.is_some_and(|name| {
                blocks
                    .iter()
                    .any(|block| block.name.as_deref() == Some(name))
            });
            if is_mixed || blocks.len() == MOST_BLOCKS {
                return Ok(None);
            }
            blocks.push(Block::at(place, name));
        }
        place += length;
        if let Some(block) = blocks.last_mut() {
            block.add(block.bytes.end, moment);
            block.bytes.end = place;
        }
    }
    let blocks = joined(blocks);
    if blocks.len() == 1 {
        return Ok(None);
    }
    Ok(in_order(cut(blocks)))
}

/// Cuts a part where it goes on after another one: older files in a row (`mail.log.10 mail.log.2`) make one part.
fn cut(blocks: Vec<Block>) -> Vec<Block> {
    let firsts: Vec<Moment> = blocks.iter().filter_map(|block| block.first).collect();
    let mut all = Vec::new();
    for mut block in blocks {
        let is_border = |gap: &&Gap| {
            let is_inside = |first: &Moment| {
                first.since(gap.before) >= -OVERLAP && gap.after.since(*first) >= -OVERLAP
            };
            block.name.is_none() && firsts.iter().any(is_inside)
        };
        let gaps: Vec<Gap> = block.gaps.iter().filter(is_border).copied().collect();
        for gap in gaps.iter().rev() {
            let mut rest = Block::at(gap.place, None);
            rest.bytes.end = block.bytes.end;
            rest.lines = block.lines - gap.lines;
            rest.first = Some(gap.after);
            rest.last = block.last;
            block.bytes.end = gap.place;
            block.lines = gap.lines;
            block.last = Some(gap.before);
            all.push(rest);
        }
        all.push(block);
    }
    all.sort_by_key(|block| block.bytes.start);
    all
}

/// Gives what is no file of its own to the part before it.
fn joined(blocks: Vec<Block>) -> Vec<Block> {
    let mut all: Vec<Block> = Vec::new();
    for block in blocks {
        let is_file = |block: &Block| {
            block.name.is_some() && block.first.is_some() || block.lines >= LEAST_LINES
        };
        match all.last_mut() {
            Some(before) if !is_file(&block) || !is_file(before) => {
                before.bytes.end = block.bytes.end;
                before.take(&block);
                before.name = block.name.or(before.name.take());
            }
            _ => all.push(block),
        }
    }
    all
}

fn in_order(mut blocks: Vec<Block>) -> Option<Vec<Range<u64>>> {
    let origin = blocks.first()?.first?;
    let begins = |block: &Block| block.first.map_or(0, |first| first.since(origin));
    if blocks.is_sorted_by_key(begins) {
        return None;
    }
    blocks.sort_by_key(begins);
    let overlap = |pair: &[Block]| match pair {
        [a, b] if a.name.is_none() || b.name.is_none() => {
            let gap = b.first.zip(a.last).map(|(first, last)| first.since(last));
            gap.is_none_or(|gap| gap < -OVERLAP)
        }
        _ => false,
    };
    if blocks.windows(2).any(overlap) {
        return None;
    }
    Some(blocks.into_iter().map(|block| block.bytes).collect())
}

/// Returns the parts of a log one after the other, each with the end of its last line.
pub(super) fn arranged(log: &[u8], parts: &[Range<u64>]) -> Vec<u8> {
    let mut all = Vec::with_capacity(log.len() + 1);
    for part in parts {
        let range = usize::try_from(part.start)
            .ok()
            .zip(usize::try_from(part.end).ok());
        let part = range.and_then(|(start, end)| log.get(start..end));
        all.extend_from_slice(part.unwrap_or_default());
        if all.last().is_some_and(|byte| *byte != b'\n') {
            all.push(b'\n');
        }
    }
    all
}

/// Reads the parts of a file one after the other.
pub(super) struct Parts {
    file: File,
    /// Those that are still to be read, the next one last.
    rest: Vec<Range<u64>>,
    /// Bytes of the present part that are still to be read.
    left: u64,
    ends_with_line: bool,
}

impl Parts {
    pub(super) fn new(file: File, parts: &[Range<u64>]) -> Self {
        Self {
            file,
            rest: parts.iter().rev().cloned().collect(),
            left: 0,
            ends_with_line: true,
        }
    }
}

impl Read for Parts {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.left > 0 {
                let read = (&mut self.file).take(self.left).read(buffer)?;
                // A file that was cut short meanwhile has no more.
                self.left = if read == 0 {
                    0
                } else {
                    self.left - read as u64
                };
                if read > 0 {
                    let last = buffer.get(read - 1);
                    self.ends_with_line = last == Some(&b'\n');
                    return Ok(read);
                }
            }
            if !self.ends_with_line
                && let Some(first) = buffer.first_mut()
            {
                *first = b'\n';
                self.ends_with_line = true;
                return Ok(1);
            }
            let Some(part) = self.rest.pop() else {
                return Ok(0);
            };
            self.file.seek(SeekFrom::Start(part.start))?;
            self.left = part.end - part.start;
        }
    }
}
