//! HTML to its text, as Python's `HTMLParser` reduces it: text between tags, without that of `script` and `style`.
//!
//! Both digest the same spam only if both are wrong in the same way: where a tag ends, what a broken comment swallows,
//! and that text after an unfinished tag is lost are those of Python 3.11, not those of a browser. Where pyzor breaks
//! off with an error (`<![` with an unknown keyword), this keeps the text before.

use super::blank::{is_blank, trim};
use std::collections::HashMap;
use std::sync::LazyLock;

/// Longest name of a character that is looked for.
const NAME_LENGTH: usize = 32;

/// How near to the end a `&` may be the beginning of an unfinished character reference.
const UNFINISHED: usize = 34;

static NAMES: LazyLock<HashMap<&str, &str>> = LazyLock::new(|| {
    let of = |entity: &'static entities::Entity| {
        entity
            .entity
            .strip_prefix('&')
            .map(|name| (name, entity.characters))
    };
    entities::ENTITIES.iter().filter_map(of).collect()
});

/// Returns the text of a page: its pieces, trimmed, with blanks between them.
pub(super) fn text(page: &str) -> String {
    let mut reducer = Reducer {
        page: page.chars().collect(),
        text: String::new(),
        collects: true,
        raw: None,
    };
    reducer.run();
    reducer.text
}

struct Reducer {
    page: Vec<char>,
    text: String,
    /// False within `script` and `style`.
    collects: bool,
    /// The element whose text is no HTML.
    raw: Option<&'static str>,
}

/// Returns the element if its text is no HTML.
fn raw_element(tag: &str) -> Option<&'static str> {
    ["script", "style"].into_iter().find(|name| *name == tag)
}

fn is_tag_end(character: char) -> bool {
    matches!(
        character,
        '\t' | '\n' | '\r' | '\x0c' | ' ' | '/' | '>' | '\0'
    )
}

impl Reducer {
    fn at(&self, place: usize) -> Option<char> {
        self.page.get(place).copied()
    }

    fn is(&self, place: usize, text: &str) -> bool {
        text.chars()
            .enumerate()
            .all(|(step, character)| self.at(place + step) == Some(character))
    }

    fn is_no_case(&self, place: usize, text: &str) -> bool {
        let is = |(step, character)| {
            self.at(place + step)
                .is_some_and(|at: char| at.eq_ignore_ascii_case(&character))
        };
        text.chars().enumerate().all(is)
    }

    fn slice(&self, from: usize, to: usize) -> &[char] {
        self.page.get(from..to).unwrap_or_default()
    }

    fn find(&self, wanted: char, from: usize) -> Option<usize> {
        let rest = self.page.get(from..)?;
        rest.iter()
            .position(|character| *character == wanted)
            .map(|at| from + at)
    }

    /// Returns the place after all characters that are `wanted`.
    fn after(&self, from: usize, wanted: impl Fn(char) -> bool) -> usize {
        let rest = self.page.get(from..).unwrap_or_default();
        from + rest
            .iter()
            .take_while(|character| wanted(**character))
            .count()
    }

    fn blanks(&self, from: usize) -> usize {
        self.after(from, is_blank)
    }

    /// Returns the place after the first `marks` with blanks between and after them, then `>`.
    fn close(&self, from: usize, marks: &[char]) -> Option<usize> {
        let first = *marks.first()?;
        let mut start = self.find(first, from)?;
        loop {
            let mut place = Some(start);
            for (step, mark) in marks.iter().enumerate() {
                // Only brackets may stand apart.
                let of = |at: usize| {
                    if step > 0 && *mark == ']' {
                        self.blanks(at)
                    } else {
                        at
                    }
                };
                place = place
                    .map(of)
                    .filter(|at| self.at(*at) == Some(*mark))
                    .map(|at| at + 1);
            }
            let end = place
                .map(|at| self.blanks(at))
                .filter(|at| self.at(*at) == Some('>'));
            if let Some(end) = end {
                return Some(end + 1);
            }
            start = self.find(first, start + 1)?;
        }
    }

    fn run(&mut self) {
        let mut place = 0;
        while place < self.page.len() {
            let Some(end) = self.text_end(place) else {
                return;
            };
            if place < end && self.collects {
                let piece = unescape(self.slice(place, end));
                self.put(&piece);
            }
            if end == self.page.len() {
                return;
            }
            match self.markup(end) {
                Some(after) => place = after,
                None => return,
            }
        }
    }

    fn put(&mut self, piece: &str) {
        let piece = trim(piece);
        if self.collects && !piece.is_empty() {
            if !self.text.is_empty() {
                self.text.push(' ');
            }
            self.text.push_str(piece);
        }
    }

    /// Returns where the text from here ends; none if it is not known to have ended.
    fn text_end(&self, from: usize) -> Option<usize> {
        let length = self.page.len();
        if let Some(element) = self.raw {
            let mut start = from;
            loop {
                start = self.find('<', start)?;
                if self.is(start, "</") {
                    let name = self.blanks(start + 2);
                    let end = self.blanks(name + element.len());
                    if self.is_no_case(name, element) && self.at(end) == Some('>') {
                        return Some(start);
                    }
                }
                start += 1;
            }
        }
        if let Some(end) = self.find('<', from) {
            return Some(end);
        }
        let last = self.slice(from.max(length.saturating_sub(UNFINISHED)), length);
        let reference = last.iter().rposition(|character| *character == '&');
        let is_unfinished = reference.and_then(|at| last.get(at..)).is_some_and(|rest| {
            !rest
                .iter()
                .any(|character| is_blank(*character) || *character == ';')
        });
        (!is_unfinished).then_some(length)
    }

    /// Reads what begins with `<`; returns the place after it, none if it is unfinished.
    fn markup(&mut self, from: usize) -> Option<usize> {
        match self.at(from + 1) {
            Some('a'..='z' | 'A'..='Z') => self.start_tag(from),
            Some('/') => self.end_tag(from),
            Some('!') if self.is(from, "<!--") => self.close(from + 4, &['-', '-']),
            Some('?') => self.find('>', from + 2).map(|end| end + 1),
            Some('!') if self.is(from, "<![") => self.marked_section(from),
            Some('!') if self.is_no_case(from, "<!doctype") => {
                self.find('>', from + 9).map(|end| end + 1)
            }
            Some('!') => self.find('>', from + 2).map(|end| end + 1),
            Some(_) => {
                self.put("<");
                Some(from + 1)
            }
            None => None,
        }
    }

    fn marked_section(&self, from: usize) -> Option<usize> {
        let start = from + 3;
        if !self.at(start)?.is_ascii_alphabetic() {
            return None;
        }
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let end = self.after(start, is_name);
        if self.blanks(end) == self.page.len() {
            return None;
        }
        let name: String = self.slice(start, end).iter().collect();
        match &*name.to_ascii_lowercase() {
            "temp" | "cdata" | "ignore" | "include" | "rcdata" => self.close(start, &[']', ']']),
            "if" | "else" | "endif" => self.close(start, &[']']),
            _ => None,
        }
    }

    fn start_tag(&mut self, from: usize) -> Option<usize> {
        let name_end = self.after(from + 1, |character| !is_tag_end(character));
        let end = self.tag_end(from, name_end)?;
        let tag: String = self.slice(from + 1, name_end).iter().collect();
        let mut place = self.gap(name_end);
        while place < end {
            match self.attribute(place) {
                Some(after) => place = after,
                None => break,
            }
        }
        let close: String = self.slice(place, end).iter().collect();
        match trim(&close) {
            ">" => {
                self.raw = raw_element(&tag.to_lowercase());
                self.collects &= self.raw.is_none();
            }
            "/>" => self.collects |= raw_element(&tag.to_lowercase()).is_some(),
            _ => {
                let tag: String = self.slice(from, end).iter().collect();
                self.put(&tag);
            }
        }
        Some(end)
    }

    /// Returns the place after blanks and slashes, but not after the slash of `/>`.
    fn gap(&self, from: usize) -> usize {
        let mut place = from;
        loop {
            match self.at(place) {
                Some('/') if self.at(place + 1) != Some('>') => place += 1,
                Some(character) if is_blank(character) => place += 1,
                _ => return place,
            }
        }
    }

    /// Returns the place after an attribute that begins here, and the gap after it.
    fn attribute(&self, from: usize) -> Option<usize> {
        let before = from.checked_sub(1).and_then(|before| self.at(before))?;
        let is_apart = matches!(before, '\'' | '"' | '/') || is_blank(before);
        let first = self.at(from)?;
        if !is_apart || is_blank(first) || matches!(first, '/' | '>') {
            return None;
        }
        let name = self.after(from + 1, |c| !is_blank(c) && !matches!(c, '/' | '=' | '>'));
        Some(self.gap(self.value(name).unwrap_or(name)))
    }

    /// Returns the place after `= value`.
    fn value(&self, from: usize) -> Option<usize> {
        let bare = |from| self.blanks(self.after(from, |c| c != '>' && !is_blank(c)));
        let sign = self.blanks(from);
        let signs_end = self.after(sign, |character| character == '=');
        if signs_end == sign {
            return None;
        }
        let start = self.blanks(signs_end);
        let Some(quote @ ('\'' | '"')) = self.at(start) else {
            return Some(bare(start));
        };
        match self.find(quote, start + 1) {
            Some(end) => Some(self.blanks(end + 1)),
            // A quote without end: the value is empty before it, or begins with the last of several signs.
            None if start > signs_end => Some(start),
            None if signs_end > sign + 1 => Some(bare(signs_end - 1)),
            None => None,
        }
    }

    /// Returns the place after a start tag; none if it has no end.
    fn tag_end(&self, from: usize, name_end: usize) -> Option<usize> {
        let mut place = self.after(name_end, |character| {
            is_blank(character) || character == '/'
        });
        while let Some(after) = self.attribute(place) {
            place = after;
        }
        place = self.blanks(place);
        match self.at(place)? {
            '>' => Some(place + 1),
            '/' if self.at(place + 1) == Some('>') => Some(place + 2),
            '/' | '=' | 'a'..='z' | 'A'..='Z' => None,
            _ => Some(place.max(from + 1)),
        }
    }

    fn end_tag(&mut self, from: usize) -> Option<usize> {
        let end = self.find('>', from + 1)? + 1;
        let strict = self.blanks(from + 2);
        let is_letter = |place| {
            self.at(place)
                .is_some_and(|character| character.is_ascii_alphabetic())
        };
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ':' | '_');
        let strict_end = self.after(strict, is_name);
        let is_strict = is_letter(strict) && self.blanks(strict_end) + 1 == end;
        let name: String = match (is_strict, self.raw) {
            (true, _) => self.slice(strict, strict_end).iter().collect(),
            (false, Some(_)) => return Some(end),
            (false, None) if !is_letter(from + 2) => return Some(end),
            (false, None) => {
                let name_end = self.after(from + 2, |character| !is_tag_end(character));
                self.slice(from + 2, name_end).iter().collect()
            }
        };
        let name = name.to_lowercase();
        if self.raw.is_some_and(|element| element != name) {
            return Some(end);
        }
        self.raw = None;
        self.collects |= raw_element(&name).is_some();
        Some(end)
    }
}

/// Returns text with its character references replaced.
fn unescape(text: &[char]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != '&' {
            out.push(*first);
            continue;
        }
        let taken = match after {
            ['#', 'x' | 'X', digits @ ..] => number(digits, 16, &mut out).map(|count| count + 2),
            ['#', digits @ ..] => number(digits, 10, &mut out).map(|count| count + 1),
            _ => named(after, &mut out),
        };
        match taken {
            Some(taken) => rest = after.get(taken..).unwrap_or_default(),
            None => out.push('&'),
        }
    }
    out
}

/// Puts the character with a number; returns how many characters of the reference were taken.
fn number(digits: &[char], radix: u32, out: &mut String) -> Option<usize> {
    let count = digits
        .iter()
        .take_while(|digit| digit.is_digit(radix))
        .count();
    let has_end = digits.get(count) == Some(&';');
    let digits = digits.get(..count).filter(|digits| !digits.is_empty())?;
    let add = |number: u32, digit: &char| {
        number
            .saturating_mul(radix)
            .saturating_add(digit.to_digit(radix).unwrap_or(0))
    };
    out.extend(numbered(digits.iter().fold(0, add)));
    Some(count + usize::from(has_end))
}

/// Returns the character that HTML gives a number; none for those that it drops.
fn numbered(number: u32) -> Option<char> {
    match number {
        0x0d => Some('\r'),
        0x80..=0x9f => {
            let byte = [u8::try_from(number).unwrap_or(0)];
            let (text, _) = encoding_rs::WINDOWS_1252.decode_without_bom_handling(&byte);
            text.chars().next()
        }
        0x01..=0x08 | 0x0b | 0x0e..=0x1f | 0x7f | 0xfdd0..=0xfdef => None,
        0 | 0xd800..=0xdfff => Some(char::REPLACEMENT_CHARACTER),
        _ if number > 0x0010_ffff => Some(char::REPLACEMENT_CHARACTER),
        _ if number & 0xfffe == 0xfffe => None,
        _ => char::from_u32(number),
    }
}

/// Puts the character with the longest known name; returns how many characters of the reference were taken.
fn named(text: &[char], out: &mut String) -> Option<usize> {
    let is_name = |c: &&char| !matches!(c, '\t' | '\n' | '\x0c' | ' ' | '<' | '&' | '#' | ';');
    let count = text.iter().take(NAME_LENGTH).take_while(is_name).count();
    if count == 0 {
        return None;
    }
    let has_end = text.get(count) == Some(&';');
    let whole = count + usize::from(has_end);
    let name: String = text.get(..whole)?.iter().collect();
    let ends = name
        .char_indices()
        .map(|(at, character)| at + character.len_utf8());
    let ends: Vec<usize> = ends.collect();
    // Shorter than the whole, a name has two characters at least.
    for (end, length) in ends.iter().rev().zip((1..=whole).rev()) {
        if length < 2 && length < whole {
            break;
        }
        if let Some(characters) = name.get(..*end).and_then(|name| NAMES.get(name)) {
            out.push_str(characters);
            return Some(length);
        }
    }
    None
}
