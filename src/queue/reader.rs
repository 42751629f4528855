//! Reader: a queue listing, line by line -> mails; what kind it is, each line tells.
//!
//! `postqueue -j` gives an object a line (tools make lists of them, or many lines), `postqueue -p` and `mailq` blocks of lines; a file may
//! hold both. Nothing ends the reading: a line
//! that is no part of a listing comes out as [`Odd`], and a mail with an unreadable part says so.
//! Limits: a line of more than [`MAX_LINE`] bytes is cut.

use super::listing::{Item, MAX_LINE, Odd, Options, Texts};
use super::spread::{Part, Spread};
use super::{json, text};
use std::collections::VecDeque;
use std::io::{self, BufRead};

/// Reads a listing.
#[derive(Debug)]
pub struct Reader<R> {
    input: R,
    options: Options,
    buffer: Vec<u8>,
    line: u64,
    block: text::Block,
    spread: Option<Spread>,
    texts: Texts,
    ready: VecDeque<Item>,
    is_over: bool,
    is_listing: bool,
}

/// Longest part of an odd line that is kept.
const MAX_ODD: usize = 200;

impl<R: BufRead> Reader<R> {
    /// Begins to read.
    pub fn new(input: R, options: Options) -> Self {
        Self {
            input,
            options,
            buffer: Vec::new(),
            line: 0,
            block: text::Block::default(),
            spread: None,
            texts: Texts::default(),
            ready: VecDeque::new(),
            is_over: false,
            is_listing: false,
        }
    }

    /// Returns whether there was anything of a listing so far: a mail, a header or footer, or that the queue is empty.
    pub fn is_listing(&self) -> bool {
        self.is_listing || self.block.is_listing()
    }

    fn fill(&mut self) -> io::Result<()> {
        self.buffer.clear();
        let mut limited = io::Read::take(&mut self.input, MAX_LINE);
        let read = limited.read_until(b'\n', &mut self.buffer)?;
        self.line += 1;
        if read == 0 {
            self.end();
            return Ok(());
        }
        if self.buffer.last() != Some(&b'\n') && self.buffer.len() as u64 == MAX_LINE {
            // The rest of the line is no line of its own.
            skip_line(&mut self.input)?;
        }
        let buffer = std::mem::take(&mut self.buffer);
        let line = String::from_utf8_lossy(&buffer);
        self.take(line.trim_end_matches(['\r', '\n']));
        self.buffer = buffer;
        Ok(())
    }

    fn end(&mut self) {
        self.is_over = true;
        self.cut_off();
        let rest = self.block.finish();
        self.ready.extend(rest.map(Item::Mail));
    }

    fn take(&mut self, line: &str) {
        // A byte order mark of an editor, and what stands before each object in a JSON sequence (RFC 7464).
        let line = line.trim_start_matches(['\u{feff}', '\u{1e}']);
        if let Some(spread) = &mut self.spread {
            match spread.take(line) {
                Part::Inside => return,
                Part::Last => {
                    if let Some(spread) = self.spread.take() {
                        self.json(spread.text());
                    }
                    return;
                }
                Part::Other => self.cut_off(),
            }
        }
        let trimmed = line.trim();
        // Below a mail of a text listing it is a recipient with an odd name.
        let may_be_json = !line.starts_with([' ', '\t']) || !self.block.is_open();
        if may_be_json && (trimmed.starts_with('{') || json::is_list(trimmed)) {
            let before = self.block.finish();
            self.ready.extend(before.map(Item::Mail));
            self.spread = Spread::begin(line, self.line);
            if self.spread.is_none() {
                self.json(trimmed);
            }
            return;
        }
        let taken = self.block.take(line, &self.options, &mut self.texts);
        self.ready.extend(taken.before.map(Item::Mail));
        if let Some(why) = taken.odd {
            self.odd(line, why);
        }
    }

    /// Reads objects.
    fn json(&mut self, text: &str) {
        self.is_listing |= json::is_list(text);
        let mut odd = None;
        let (ready, is_listing) = (&mut self.ready, &mut self.is_listing);
        json::mails(text, &mut self.texts, |found| match found {
            json::Found::Mail(mail) => {
                *is_listing = true;
                ready.push_back(Item::Mail(*mail));
            }
            json::Found::Odd(why) => odd = Some(why),
        });
        if let Some(why) = odd {
            self.odd(text, why);
        }
    }

    /// Gives up an object that has no end.
    fn cut_off(&mut self) {
        if let Some(spread) = self.spread.take() {
            self.ready.push_back(Item::Odd(Odd {
                line: spread.line,
                text: spread.text().chars().take(MAX_ODD).collect(),
                why: json::CUT_OFF,
            }));
        }
    }

    fn odd(&mut self, line: &str, why: &'static str) {
        self.ready.push_back(Item::Odd(Odd {
            line: self.line,
            text: line.chars().take(MAX_ODD).collect(),
            why,
        }));
    }
}

fn skip_line(input: &mut impl BufRead) -> io::Result<()> {
    loop {
        let available = input.fill_buf()?;
        let end = memchr::memchr(b'\n', available);
        let used = end.map_or(available.len(), |end| end + 1);
        input.consume(used);
        if end.is_some() || used == 0 {
            return Ok(());
        }
    }
}

impl<R: BufRead> Iterator for Reader<R> {
    type Item = io::Result<Item>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(item) = self.ready.pop_front() {
                return Some(Ok(item));
            }
            if self.is_over {
                return None;
            }
            if let Err(error) = self.fill() {
                if error.kind() == io::ErrorKind::Interrupted {
                    continue;
                }
                self.end();
                return Some(Err(error));
            }
        }
    }
}
