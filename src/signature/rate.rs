//! Rate: how many packets of one address are answered in a second.
//!
//! Source addresses of UDP may be false: the table of addresses is emptied each second and has an end; what finds no
//! place in it shares one.

use std::collections::HashMap;
use std::net::IpAddr;

/// Addresses that are told apart in one second.
const ADDRESSES: usize = 65_536;

/// Counts packets by address.
#[derive(Debug)]
pub struct Limit {
    most: u32,
    second: i64,
    counts: HashMap<u64, u32>,
    others: u32,
}

/// Returns what is counted as one: an IPv4 address, or a network of IPv6 (/64), which one host has.
fn source(address: IpAddr) -> u64 {
    match address.to_canonical() {
        IpAddr::V4(address) => u64::from(address.to_bits()),
        // The upper half of a global address is never a small number.
        IpAddr::V6(address) => u64::try_from(address.to_bits() >> 64).unwrap_or(0) | 1 << 63,
    }
}

impl Limit {
    /// Returns a limit of so many packets in a second; 0 is none.
    #[must_use]
    pub fn new(most: u32) -> Self {
        Self {
            most,
            second: 0,
            counts: HashMap::new(),
            others: 0,
        }
    }

    /// Returns whether a packet of this address may be answered.
    pub fn allows(&mut self, address: IpAddr, second: i64) -> bool {
        if self.most == 0 {
            return true;
        }
        if second != self.second {
            self.second = second;
            self.counts.clear();
            self.others = 0;
        }
        let source = source(address);
        let is_full = self.counts.len() >= ADDRESSES;
        let count = match self.counts.get_mut(&source) {
            Some(count) => count,
            None if is_full => &mut self.others,
            None => self.counts.entry(source).or_default(),
        };
        *count = count.saturating_add(1);
        *count <= self.most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_has_its_packets_in_a_second() {
        let mut limit = Limit::new(2);
        let mut of = |address: &str, second| limit.allows(address.parse().unwrap(), second);
        assert!(of("192.0.2.1", 1) && of("192.0.2.1", 1) && !of("192.0.2.1", 1));
        assert!(of("192.0.2.2", 1) && !of("::ffff:192.0.2.1", 1));
        assert!(
            of("2001:db8::1", 1)
                && of("2001:db8::2", 1)
                && !of("2001:db8::3", 1)
                && of("2001:db8:1::", 1)
        );
        assert!(of("192.0.2.1", 2));
        let mut none = Limit::new(0);
        assert!((0..9).all(|_| none.allows("192.0.2.1".parse().unwrap(), 1)));
    }

    #[test]
    fn false_addresses_take_no_memory_without_end() {
        let mut limit = Limit::new(1);
        let answered = (0..200_000_u32)
            .filter(|number| limit.allows(IpAddr::V4((*number).into()), 1))
            .count();
        assert_eq!((answered, limit.counts.len()), (ADDRESSES + 1, ADDRESSES));
    }
}
