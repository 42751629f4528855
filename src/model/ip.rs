//! Ip: addresses and networks, and whether the one lies in the other.
//!
//! The store registers [`contains`] as the SQL function `ip_in(address, network)`, [`network`] as `ip_network(address)`.

use std::net::{IpAddr, Ipv6Addr};

/// A network in CIDR notation; a plain address is a network of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    /// Any address of it.
    pub address: IpAddr,
    /// Bits that count.
    pub prefix: u8,
}

impl Network {
    /// Reads `192.0.2.0/24`, `2001:db8::/32`, `192.0.2.1` or `[2001:db8::1]`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = unbracketed(text);
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (parse_address(address)?, Some(prefix)),
            None => (parse_address(text)?, None),
        };
        let bits = bits(address);
        let prefix = match prefix {
            Some(p) if p.bytes().all(|b| b.is_ascii_digit()) => {
                p.parse().ok().filter(|&p| p <= bits)?
            }
            Some(_) => return None,
            None => bits,
        };
        Some(Self { address, prefix })
    }

    /// Returns whether it is a single address.
    #[must_use]
    pub fn is_single(&self) -> bool {
        self.prefix == bits(self.address)
    }

    /// Returns whether the address lies in it. An IPv4 address written as IPv6 counts as IPv4.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address.to_canonical(), address.to_canonical()) {
            (IpAddr::V4(net), IpAddr::V4(ip)) => {
                let prefix = if self.address.is_ipv6() {
                    self.prefix.saturating_sub(96)
                } else {
                    self.prefix
                };
                same(net.to_bits().into(), ip.to_bits().into(), 32, prefix)
            }
            (IpAddr::V6(net), IpAddr::V6(ip)) => {
                same(net.to_bits(), ip.to_bits(), 128, self.prefix)
            }
            (IpAddr::V6(net), IpAddr::V4(ip)) => same(
                net.to_bits(),
                ip.to_ipv6_mapped().to_bits(),
                128,
                self.prefix,
            ),
            (IpAddr::V4(_), IpAddr::V6(_)) => false,
        }
    }
}

/// Returns whether `address` lies in `cidr`; false when one of them cannot be read.
#[must_use]
pub fn contains(cidr: &str, address: &str) -> bool {
    match (Network::parse(cidr), parse_address(unbracketed(address))) {
        (Some(network), Some(address)) => network.contains(address),
        _ => false,
    }
}

/// Returns the network that one customer or office mostly has: /24 of IPv4, /64 of IPv6.
#[must_use]
pub fn network(address: &str) -> Option<String> {
    match parse_address(unbracketed(address))?.to_canonical() {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            Some(format!("{a}.{b}.{c}.0/24"))
        }
        IpAddr::V6(ip) => {
            let net = Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64);
            Some(format!("{net}/64"))
        }
    }
}

/// Reads an address; Postfix's `IPv6:` prefix and a zone (`fe80::1%eth0`) are allowed.
#[must_use]
pub fn parse_address(text: &str) -> Option<IpAddr> {
    let text = match text.split_at_checked(5) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case("ipv6:") => rest,
        _ => text,
    };
    let text = text.split_once('%').map_or(text, |(address, _)| address);
    text.parse().ok()
}

fn unbracketed(text: &str) -> &str {
    text.strip_prefix('[')
        .and_then(|t| t.strip_suffix(']'))
        .unwrap_or(text)
}

const fn bits(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

fn same(a: u128, b: u128, bits: u32, prefix: u8) -> bool {
    let rest = bits.saturating_sub(u32::from(prefix));
    a.checked_shr(rest).unwrap_or(0) == b.checked_shr(rest).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_network_of_its_kind() {
        for (address, expected) in [
            ("192.0.2.77", Some("192.0.2.0/24")),
            ("2001:db8:1:2:3::4", Some("2001:db8:1:2::/64")),
            ("::ffff:192.0.2.77", Some("192.0.2.0/24")),
            ("[2001:db8::1]", Some("2001:db8::/64")),
            ("unknown", None),
            ("", None),
        ] {
            assert_eq!(network(address).as_deref(), expected, "{address}");
        }
    }

    #[test]
    fn networks_hold_their_addresses_and_no_others() {
        for (cidr, address, inside) in [
            ("192.0.2.0/24", "192.0.2.255", true),
            ("192.0.2.0/24", "192.0.3.0", false),
            ("192.0.2.128/25", "192.0.2.127", false),
            ("192.0.2.129/25", "192.0.2.128", true),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.7/32", "192.0.2.8", false),
            ("2001:db8::/32", "2001:db8:ffff::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("::/0", "2001:db8::1", true),
            ("2001:db8::1", "2001:0DB8:0:0::1", true),
            ("192.0.2.0/24", "::ffff:192.0.2.9", true),
            ("::ffff:192.0.2.0/120", "192.0.2.9", true),
            ("::ffff:192.0.2.0/120", "192.0.3.9", false),
            ("2001:db8::/32", "IPv6:2001:db8::5", true),
            ("[2001:db8::1]", "[2001:db8::1]", true),
            ("192.0.2.0/33", "192.0.2.1", false),
            ("192.0.2.0/+8", "192.0.2.1", false),
            ("192.0.2.0/", "192.0.2.1", false),
            ("192.0.2.0/24", "unknown", false),
            ("", "", false),
        ] {
            assert_eq!(contains(cidr, address), inside, "{address} in {cidr}");
        }
    }
}
