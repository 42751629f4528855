//! Nearest: which known word a mistyped one may be meant for.

/// Returns the candidate that is most like `word`, if one is like it at all.
pub(super) fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let word = word.to_lowercase();
    let length = word.chars().count();
    candidates
        .into_iter()
        .map(|candidate| (distance(&word, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= (length.max(candidate.len()) / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Returns the number of letters to put in, take out, change or swap with the next.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (
        a.chars().take(MAX_COMPARED).collect(),
        b.chars().take(MAX_COMPARED).collect(),
    );
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, to) in b.iter().enumerate() {
            let at = |row: &[usize], j: usize| row.get(j).copied().unwrap_or(usize::MAX / 2);
            let mut best = (at(&row, j) + 1)
                .min(at(&last, j + 1) + 1)
                .min(at(&last, j) + usize::from(from != to));
            let swapped = j > 0 && i > 0 && b.get(j - 1) == Some(from) && a.get(i - 1) == Some(to);
            if swapped {
                best = best.min(at(&before_last, j - 1) + 1);
            }
            row.push(best);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or(0)
}

/// No name is longer; keeps the comparison small.
const MAX_COMPARED: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_finger_are_near_and_other_words_are_not() {
        let known = ["from", "status", "recipient", "sent", "deferred"];
        for (word, near) in [
            ("form", Some("from")),
            ("Statsu", Some("status")),
            ("recipent", Some("recipient")),
            ("defered", Some("deferred")),
            ("qwertzuiop", None),
            ("has", None),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, known), near, "{word}");
        }
    }
}
