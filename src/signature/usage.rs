//! Usage: who asked what in a second, as rows; a flood makes no more rows than are useful.

use super::answer::Use;
use std::collections::HashMap;
use std::net::IpAddr;

/// Rows of one second with all they have; beyond them digests are left out.
const ROWS: usize = 1000;

/// Rows of one second; beyond them addresses are left out, too.
const ROWS_WITHOUT_DIGEST: usize = 2000;

/// Equal uses in one second.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Used {
    /// Who asked; none in a flood.
    pub address: Option<IpAddr>,
    /// The user, if it is a known one.
    pub user: Option<String>,
    /// The operation, if it is a known one.
    pub operation: Option<&'static str>,
    /// The digest; none in a flood.
    pub digest: Option<String>,
    /// The code of the reply.
    pub code: u16,
}

/// The uses since they were taken last.
#[derive(Debug, Default)]
pub struct Uses(HashMap<Used, u64>);

impl Uses {
    /// Counts a request: once for each digest.
    pub fn add(&mut self, address: IpAddr, of: &Use) {
        let digests = of.digests.iter().map(|digest| Some(digest.clone()));
        let none = of.digests.is_empty().then_some(None);
        for digest in digests.chain(none) {
            let mut used = Used {
                address: Some(address.to_canonical()),
                user: of.user.clone(),
                operation: of.operation,
                digest,
                code: of.code,
            };
            if self.0.len() >= ROWS {
                used.digest = None;
            }
            if self.0.len() >= ROWS_WITHOUT_DIGEST {
                used.address = None;
            }
            *self.0.entry(used).or_default() += 1;
        }
    }

    /// Returns what was counted, and begins anew.
    pub fn take(&mut self) -> Vec<(Used, u64)> {
        std::mem::take(&mut self.0).into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_makes_few_rows_and_counts_all() {
        let mut uses = Uses::default();
        let address = |number: u32| IpAddr::V4((0xc000_0200 + number).into());
        let of = |digests: &[String]| Use {
            user: Some("bob".to_owned()),
            operation: Some("report"),
            digests: digests.to_vec(),
            code: 200,
            diagnosis: String::new(),
        };
        for number in 0..20_000 {
            uses.add(address(number % 5000), &of(&[format!("d{number}")]));
        }
        uses.add(address(0), &of(&[]));
        let rows = uses.take();
        assert!(rows.len() <= ROWS_WITHOUT_DIGEST + 1, "{}", rows.len());
        assert_eq!(rows.iter().map(|row| row.1).sum::<u64>(), 20_001);
        assert!(uses.take().is_empty());
    }
}
