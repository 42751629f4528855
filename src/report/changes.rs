//! Changes: figures that left their usual range, in one sentence each, the most important first.

use super::usual::{Figure, Kind, Range};
use crate::render::escape;

/// A figure outside of its usual range.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The figure.
    pub figure: Figure,
    /// What is usual.
    pub range: Range,
    /// How far outside, in multiples of what chance explains.
    pub excess: f64,
    /// The text that most of them have, and how many have it.
    pub said: Option<(u64, String)>,
    /// The command that lists what is behind it.
    pub find: Option<String>,
}

impl Change {
    /// Returns the sentence: `bounces to example.net: 41, usually 0 to 3; 38 say 550 5.7.1 blocked`.
    #[must_use]
    pub fn sentence(&self) -> String {
        let words = self
            .figure
            .kind
            .words(&escape::terminal(&self.figure.subject));
        let (now, least, most) = (
            number(self.figure.now),
            number(self.range.least),
            number(self.range.most),
        );
        let usual = if least == most {
            least
        } else {
            format!("{least} to {most}")
        };
        let mut sentence = format!("{words}: {now}, usually {usual}");
        if let Some((count, text)) = &self.said {
            sentence.push_str(&format!("; {count} say {}", escape::terminal(text)));
        }
        sentence
    }
}

/// Returns a number as people write it: no fraction where there is none.
#[must_use]
pub fn number(number: f64) -> String {
    if number.fract() == 0.0 {
        format!("{number:.0}")
    } else {
        format!("{number:.2}").trim_end_matches('0').to_owned()
    }
}

/// A figure of one subject that makes this share of what the sum has too much says it better than the sum.
const MOST_OF_IT: f64 = 0.7;

/// Returns what left its usual range, sorted. A sum that one of its parts explains is left out.
#[must_use]
pub fn changes(figures: &[Figure]) -> Vec<Change> {
    let mut found: Vec<Change> = figures
        .iter()
        .filter_map(|figure| {
            Some(Change {
                figure: figure.clone(),
                range: figure.range()?,
                excess: figure.excess()?,
                said: None,
                find: None,
            })
        })
        .collect();
    let beyond = |change: &Change| {
        let (now, range) = (change.figure.now, change.range);
        if now > range.most {
            now - range.most
        } else {
            now - range.least
        }
    };
    let is_explained = |sum: &Change| {
        let mut parts = found.iter().filter(|change| {
            change.figure.kind == sum.figure.kind && !change.figure.subject.is_empty()
        });
        let sums = beyond(sum);
        parts.any(|part| {
            let parts = beyond(part);
            parts.signum() == sums.signum() && parts.abs() >= MOST_OF_IT * sums.abs()
        })
    };
    let explained: Vec<bool> = found
        .iter()
        .map(|change| change.figure.subject.is_empty() && is_explained(change))
        .collect();
    let mut explained = explained.into_iter();
    found.retain(|_| !explained.next().unwrap_or(false));
    found.sort_by(|a, b| {
        let rank = |change: &Change| match change.figure.kind {
            Kind::Panics | Kind::Fatals => 0,
            _ => 1,
        };
        rank(a)
            .cmp(&rank(b))
            .then(b.excess.total_cmp(&a.excess))
            .then(a.figure.kind.cmp(&b.figure.kind))
            .then(a.figure.subject.cmp(&b.figure.subject))
    });
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(kind: Kind, subject: &str, now: f64, before: [f64; 4]) -> Figure {
        Figure {
            kind,
            subject: subject.to_owned(),
            now,
            before: before.map(Some).to_vec(),
        }
    }

    #[test]
    fn a_sentence_has_the_figure_its_range_and_what_they_say() {
        let figures = [
            figure(Kind::Bounced, "example.net", 41.0, [0.0, 3.0, 1.0, 0.0]),
            figure(Kind::Bounced, "", 47.0, [5.0, 4.0, 6.0, 5.0]),
            figure(Kind::Received, "", 1000.0, [990.0, 1010.0, 1000.0, 980.0]),
        ];
        let mut changes = changes(&figures);
        assert_eq!(changes.len(), 1, "the sum says nothing beside its part");
        changes[0].said = Some((38, "550 5.7.1 blocked\u{1b}[2J".to_owned()));
        assert_eq!(
            changes[0].sentence(),
            "bounces to example.net: 41, usually 0 to 3; 38 say 550 5.7.1 blocked\\x1b[2J"
        );
    }

    #[test]
    fn a_sum_stays_where_no_part_explains_it() {
        let figures = [
            figure(Kind::Bounced, "", 100.0, [0.0; 4]),
            figure(Kind::Bounced, "a.example", 20.0, [0.0; 4]),
            figure(Kind::Fatals, "", 1.0, [0.0; 4]),
        ];
        let changes = changes(&figures);
        let words: Vec<String> = changes.iter().map(Change::sentence).collect();
        assert_eq!(
            words,
            [
                "fatal errors of Postfix: 1, usually 0",
                "bounces: 100, usually 0",
                "bounces to a.example: 20, usually 0"
            ]
        );
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!(number(1_234_567.0), "1234567");
        assert_eq!(number(0.5), "0.5");
        assert_eq!(number(12.346), "12.35");
    }
}
