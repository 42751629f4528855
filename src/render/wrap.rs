//! Wrap: text broken at blanks to fit the terminal, further lines indented.
//!
//! Nothing is cut and nothing added but line ends: a reply stays as it was said. A word that is longer than the line stays whole.

use super::Style;
use super::color::Tone;
use std::io::{self, Write};
use tabled::grid::util::string::get_string_width;

/// Narrower than this nothing is indented: the text would become a column of words.
const LEAST: usize = 30;

/// Writes `start` and the text, further lines indented by `hang`.
pub(super) fn wrapped(
    start: &str,
    text: &str,
    hang: usize,
    tone: Tone,
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut start = start.to_owned();
    for line in lines(text, get_string_width(&start), hang, style.width) {
        writeln!(out, "{start}{}", tone.paint(&line, style.color))?;
        start = " ".repeat(hang);
    }
    Ok(())
}

/// Returns the lines; the first begins at column `start`, the others at `hang`.
pub(super) fn lines(text: &str, start: usize, hang: usize, width: Option<u16>) -> Vec<String> {
    let Some(width) = width.map(usize::from) else {
        return vec![text.to_owned()];
    };
    let room = |used: usize| width.saturating_sub(used).max(LEAST);
    let mut lines = vec![String::new()];
    let (mut used, mut limit) = (0, room(start));
    for word in text.split_inclusive(' ') {
        let bare = get_string_width(word.trim_end_matches(' '));
        if used > 0 && used + bare > limit {
            lines.push(String::new());
            (used, limit) = (0, room(hang));
        }
        if let Some(line) = lines.last_mut() {
            line.push_str(word);
        }
        used += get_string_width(word);
    }
    let last = lines.len() - 1;
    for line in lines.iter_mut().take(last) {
        line.truncate(line.trim_end_matches(' ').len());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn breaks_at_blanks_and_keeps_long_words() {
        let text = "550 5.1.1 see https://support.example.net/a/very/long/way/to/say/no for help with this";
        assert_eq!(
            lines(text, 10, 2, Some(40)),
            [
                "550 5.1.1 see",
                "https://support.example.net/a/very/long/way/to/say/no",
                "for help with this",
            ]
        );
        assert_eq!(lines(text, 10, 2, None), [text]);
        assert_eq!(lines("", 0, 0, Some(80)), [""]);
    }

    #[test]
    fn joined_again_nothing_is_lost() {
        let text = "a  b   c ".repeat(30);
        let joined = lines(&text, 0, 0, Some(31)).join(" ");
        assert_eq!(
            joined.split_whitespace().collect::<String>(),
            text.split_whitespace().collect::<String>()
        );
    }
}
