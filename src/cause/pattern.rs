//! Pattern: `patterns.txt`, which words mean which cause. The first pattern that fits decides.
//!
//! A line is a cause, blanks, and a pattern of masked text (see `mask`). `*` stands for anything, also for nothing; `^` is the
//! beginning of the text. Where no `*` stands at an end of the pattern, no word may go on there. `cause=domain` names
//! the block list, too.
//!
//! A pattern is looked at only when the text has its longest word, so a text costs some dozens of searches, not a
//! thousand. (A `RegexSet` of this size is compiled in a tenth of a second and grows without bound in memory or time on
//! texts made for it.)

use super::list;
use hashbrown::HashMap;
use memchr::memmem::Finder;
use std::sync::LazyLock;

pub(super) const TEXT: &str = include_str!("patterns.txt");

static PATTERNS: LazyLock<Patterns> = LazyLock::new(|| Patterns::of(TEXT));

/// All patterns in their order, and where to look first.
struct Patterns {
    list: Vec<Pattern>,
    /// Numbers of the patterns of which the word is the longest one.
    by_word: HashMap<&'static str, Vec<usize>>,
    /// Numbers of those without a whole word.
    wordless: Vec<usize>,
}

/// One line of the file.
#[derive(Debug)]
pub(super) struct Pattern {
    pieces: Vec<Finder<'static>>,
    /// Begins where the text does.
    is_anchored: bool,
    /// A word may go on before the first piece, behind the last one.
    is_open: (bool, bool),
    cause: &'static str,
    dnsbl: Option<&'static str>,
}

/// Returns the cause that the words of a masked text tell, and the block list that goes with them.
pub(super) fn find(text: &str) -> Option<(&'static str, Option<&'static str>)> {
    let mut numbers = PATTERNS.wordless.clone();
    for word in words(text) {
        numbers.extend(PATTERNS.by_word.get(word).into_iter().flatten());
    }
    numbers.sort_unstable();
    numbers.dedup();
    let mut likely = numbers.iter().filter_map(|at| PATTERNS.list.get(*at));
    let found = likely.find(|pattern| pattern.fits(text));
    found.map(|pattern| (pattern.cause, pattern.dnsbl))
}

impl Patterns {
    fn of(text: &'static str) -> Self {
        let mut all = Self {
            list: Vec::new(),
            by_word: HashMap::new(),
            wordless: Vec::new(),
        };
        for (line, pattern) in text.lines().filter_map(|line| Some((line, read(line)?))) {
            let number = all.list.len();
            match longest_word(line) {
                Some(word) => all.by_word.entry(word).or_default().push(number),
                None => all.wordless.push(number),
            }
            all.list.push(pattern);
        }
        all
    }
}

/// Returns the longest word that a text must have for the line's pattern to fit.
fn longest_word(line: &'static str) -> Option<&'static str> {
    let pattern = line.split_once(' ')?.1.trim();
    let pattern = pattern.strip_prefix('^').unwrap_or(pattern);
    let last = pattern.matches('*').count();
    let pieces = pattern.split('*').enumerate();
    let whole = pieces.flat_map(|(i, piece)| {
        // A word beside a star may be a part of one.
        let ends = move |word: &str| {
            (i > 0 && piece.starts_with(word)) || (i < last && piece.ends_with(word))
        };
        words(piece).filter(move |word| !ends(word))
    });
    whole.max_by_key(|word| word.len())
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_ascii() && !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
}

/// Returns the line's pattern; comments and lines with an unknown cause have none.
pub(super) fn read(line: &'static str) -> Option<Pattern> {
    let (head, pattern) = line.split_once(' ')?;
    let (cause, dnsbl) = match head.split_once('=') {
        Some((cause, dnsbl)) => (cause, Some(dnsbl)),
        None => (head, None),
    };
    let cause = list::named(cause)?.name;
    let pattern = pattern.trim();
    let (pattern, is_anchored) = match pattern.strip_prefix('^') {
        Some(pattern) => (pattern, true),
        None => (pattern, false),
    };
    let pieces = pattern.split('*').filter(|piece| !piece.is_empty());
    Some(Pattern {
        pieces: pieces.map(Finder::new).collect(),
        is_anchored,
        is_open: (pattern.starts_with('*'), pattern.ends_with('*')),
        cause,
        dnsbl,
    })
}

impl Pattern {
    /// Takes each piece at its first place behind the one before, so each byte is looked at once a piece.
    pub(super) fn fits(&self, text: &str) -> bool {
        let bytes = text.as_bytes();
        let last = self.pieces.len().saturating_sub(1);
        let mut from = 0;
        for (i, piece) in self.pieces.iter().enumerate() {
            let length = piece.needle().len();
            let is_start_free = i > 0 || self.is_open.0;
            let is_end_free = i < last || self.is_open.1;
            let mut at = from;
            loop {
                let rest = bytes.get(at..).unwrap_or_default();
                let Some(found) = piece.find(rest) else {
                    return false;
                };
                let start = at + found;
                if i == 0 && self.is_anchored && start > 0 {
                    return false;
                }
                let end = start + length;
                if (is_start_free || is_edge(bytes, start)) && (is_end_free || is_edge(bytes, end))
                {
                    from = end;
                    break;
                }
                at = start + 1;
            }
        }
        !self.pieces.is_empty()
    }
}

/// Returns whether no word goes over the place.
fn is_edge(bytes: &[u8], at: usize) -> bool {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || !byte.is_ascii();
    let before = at.checked_sub(1).and_then(|at| bytes.get(at));
    !(before.is_some_and(is_word) && bytes.get(at).is_some_and(is_word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_file_is_a_pattern() {
        for line in TEXT
            .lines()
            .filter(|l| !l.is_empty() && !l.starts_with('#'))
        {
            let pattern = read(line).unwrap_or_else(|| panic!("{line}"));
            assert!(!pattern.pieces.is_empty(), "{line}");
            for piece in &pattern.pieces {
                let piece = std::str::from_utf8(piece.needle()).unwrap();
                assert_eq!(piece, piece.to_ascii_lowercase(), "{line}: capitals");
                assert!(!piece.contains("  "), "{line}: two blanks");
            }
        }
    }

    #[test]
    fn words_end_where_the_pattern_does_unless_a_star_says_otherwise() {
        let fits = |line: &'static str, text| read(line).unwrap().fits(text);
        assert!(fits("spf spf", "by spf: no"));
        assert!(!fits("spf spf", "by xspf spfy"));
        assert!(fits("spf spf*", "by spfy"));
        assert!(fits("spf *spf", "by xspf"));
        assert!(fits("spf a b * c", "a bb a b x c"));
        assert!(!fits("spf a b*c", "c a b"));
        assert!(fits("spf ^a", "a b"));
        assert!(!fits("spf ^b", "a b"));
    }

    #[test]
    fn time_grows_with_the_text_and_not_with_its_square() {
        // Nearly every place begins a pattern and none goes on.
        let text = "no such usex ".repeat(20_000);
        assert_eq!(find(&text), None);
    }

    #[test]
    fn the_index_by_words_misses_no_pattern() {
        for line in TEXT.lines().filter(|l| read(l).is_some()) {
            // The shortest text that the pattern fits.
            let text = line
                .split_once(' ')
                .unwrap()
                .1
                .trim_start_matches('^')
                .replace('*', "");
            let list = &PATTERNS.list;
            let first = list.iter().find(|pattern| pattern.fits(&text)).unwrap();
            assert_eq!(find(&text), Some((first.cause, first.dnsbl)), "{line}");
        }
    }
}
