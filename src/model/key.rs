//! Key: a short hash of an address, by which a scan finds the few rows that may have it.
//!
//! Comparing texts without regard to case costs a scan some hundred nanoseconds a row, comparing numbers less than one.
//! The rows of a key are compared whole: that addresses share one costs time only. Sixteen bits leave of a hundred
//! million rows some thousands, and cost two bytes each.

use super::tables;
use std::collections::HashSet;
use std::sync::LazyLock;
use xxhash_rust::xxh3::xxh3_64;

/// Returns the key of an address; the same for all spellings that the database's `lower` makes equal.
///
/// Stored: it never changes.
#[must_use]
pub fn of(address: &str) -> u16 {
    let mut small = [0; LONGEST];
    let hash = match small.get_mut(..address.len()) {
        Some(small) if address.is_ascii() => {
            small.copy_from_slice(address.as_bytes());
            small.make_ascii_lowercase();
            xxh3_64(small)
        }
        // `lower` takes each character alone and makes one of it.
        _ => {
            let small = address
                .chars()
                .map(|c| c.to_lowercase().next().unwrap_or(c));
            xxh3_64(small.collect::<String>().as_bytes())
        }
    };
    let [low, high, ..] = hash.to_le_bytes();
    u16::from_le_bytes([low, high])
}

/// Longer addresses take memory of their own.
const LONGEST: usize = 128;

/// Returns whether a column has its keys beside it, in the column of the same name with `_key`.
#[must_use]
pub fn stands_beside(column: &str) -> bool {
    let name = column.rsplit('.').next().unwrap_or(column);
    KEYED.contains(name)
}

/// The columns that have keys beside them, in whatever table.
static KEYED: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    let columns = tables::tables().iter().flat_map(|table| &table.columns);
    columns
        .filter_map(|column| column.name.strip_suffix("_key"))
        .collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stay_what_they_are_and_do_not_know_case() {
        assert_eq!(of(""), 38_082);
        assert_eq!(of("Alice@Example.ORG"), of("alice@example.org"));
        assert_eq!(of("\u{c4}rger@example.org"), of("\u{e4}rger@example.org"));
        assert_ne!(of("alice@example.org"), of("alice@example.com"));
        assert_eq!(of("alice@example.org"), 38_300);
        for address in [
            "\u{c4}rger@example.org".to_owned(),
            format!("{}@Example.org", "aB".repeat(150)),
            "\u{130}x@example.org".to_owned(),
        ] {
            let mut hash = xxhash_rust::xxh3::Xxh3::new();
            for c in address.chars() {
                let small = c.to_lowercase().next().unwrap();
                hash.update(small.encode_utf8(&mut [0; 4]).as_bytes());
            }
            let [low, high, ..] = hash.digest().to_le_bytes();
            assert_eq!(of(&address), u16::from_le_bytes([low, high]), "{address}");
        }
    }
}
