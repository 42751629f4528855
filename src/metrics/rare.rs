//! Rare: counts by name and labels. The text of the labels is made when a series appears, not when it is counted.

use super::{Count, label};
use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::{BuildHasher, Hasher};

/// One series.
#[derive(Debug)]
struct Series {
    hash: u64,
    name: &'static str,
    labels: String,
    count: u64,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Rare {
    table: HashTable<Series>,
    hasher: DefaultHashBuilder,
}

impl Rare {
    /// Adds to a series.
    pub(super) fn add(&mut self, name: &'static str, labels: &[(&str, &str)], times: u64) {
        let hash = self.hash(name, labels);
        let is_same =
            |series: &Series| series.name == name && label::is_join(&series.labels, labels);
        if let Some(series) = self.table.find_mut(hash, is_same) {
            series.count += times;
            return;
        }
        let series = Series {
            hash,
            name,
            labels: label::join(labels),
            count: times,
        };
        self.table.insert_unique(hash, series, |other| other.hash);
    }

    /// Returns the series and their counts, in no order.
    pub(super) fn into_counts(self) -> impl Iterator<Item = Count> {
        self.table.into_iter().map(|series| Count {
            name: series.name.to_owned(),
            labels: series.labels,
            value: super::number(series.count),
        })
    }

    /// The names of the labels follow from that of the series.
    fn hash(&self, name: &str, labels: &[(&str, &str)]) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write(name.as_bytes());
        for (_, value) in labels {
            hasher.write(value.as_bytes());
        }
        hasher.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_are_told_apart_by_name_and_by_each_label() {
        let mut rare = Rare::default();
        for (name, labels) in [
            ("a_total", [("x", "1"), ("y", "23")]),
            ("a_total", [("x", "12"), ("y", "3")]),
            ("a_total", [("x", "1"), ("z", "23")]),
            ("b_total", [("x", "1"), ("y", "23")]),
            ("a_total", [("x", "1"), ("y", "23")]),
        ] {
            rare.add(name, &labels, 2);
        }
        let mut counts: Vec<_> = rare
            .into_counts()
            .map(|count| format!("{}{{{}}} {}", count.name, count.labels, count.value))
            .collect();
        counts.sort_unstable();
        assert_eq!(
            counts,
            [
                "a_total{x=\"1\",y=\"23\"} 4",
                "a_total{x=\"1\",z=\"23\"} 2",
                "a_total{x=\"12\",y=\"3\"} 2",
                "b_total{x=\"1\",y=\"23\"} 2",
            ]
        );
    }
}
