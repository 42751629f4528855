//! Line: what stands on bash's line -> its words, without quotes and backslashes.

/// Returns the words of the line up to the cursor, and how many bytes of the last one stay when bash puts in its part.
pub(super) fn words(given: &[String]) -> (Vec<String>, usize) {
    let line = given.first().map_or("", String::as_str);
    let replaced = given.get(1).map_or("", String::as_str);
    let words = split(line);
    let replaced = split(replaced).pop().unwrap_or_default();
    let last = words.last().map_or("", String::as_str);
    let skip = last.strip_suffix(replaced.as_str()).map_or(0, str::len);
    (words, skip)
}

/// Splits as a shell does; the last word is the one at the cursor, empty behind a blank.
fn split(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let (mut quote, mut has_word) = (None, false);
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (None, ' ' | '\t' | '\n') => {
                if std::mem::take(&mut has_word) {
                    words.push(std::mem::take(&mut word));
                }
                continue;
            }
            (None, '\'' | '"') => quote = Some(letter),
            (Some(open), _) if open == letter => quote = None,
            (None | Some('"'), '\\') => word.extend(letters.next()),
            _ => word.push(letter),
        }
        has_word = true;
    }
    words.push(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words_of(line: &str, replaced: &str) -> (Vec<String>, usize) {
        words(&[line.to_owned(), replaced.to_owned()])
    }

    #[test]
    fn quotes_and_backslashes_go() {
        let (words, _) = words_of(r#"maillog find 'a b' "c\" d" e\ f g"#, "g");
        assert_eq!(words, ["maillog", "find", "a b", "c\" d", "e f", "g"]);
        assert_eq!(split("maillog find "), ["maillog", "find", ""]);
        assert_eq!(
            split("maillog find \"open wo"),
            ["maillog", "find", "open wo"]
        );
        assert_eq!(split(""), [""]);
    }

    #[test]
    fn bash_replaces_what_stands_behind_the_colon() {
        assert_eq!(words_of("maillog find status:bo", "bo").1, "status:".len());
        assert_eq!(words_of("maillog find status:", "").1, "status:".len());
        assert_eq!(words_of("maillog find \"status:bo", "status:bo").1, 0);
        assert_eq!(words_of(r"maillog find to:a\ b", r"a\ b").1, "to:".len());
    }
}
