//! Whether an address lies in a network.

use std::net::IpAddr;

/// Returns whether `address` lies in the network `cidr` (a plain address is a network of one).
pub(super) fn contains(cidr: &str, address: &str) -> bool {
    let (network, length) = cidr.split_once('/').unwrap_or((cidr, ""));
    let (Ok(network), Ok(address)) = (network.parse::<IpAddr>(), address.parse::<IpAddr>()) else {
        return false;
    };
    let (network, address, width) = match (network.to_canonical(), address.to_canonical()) {
        (IpAddr::V4(n), IpAddr::V4(a)) => (u128::from(n.to_bits()), u128::from(a.to_bits()), 32),
        (IpAddr::V6(n), IpAddr::V6(a)) => (n.to_bits(), a.to_bits(), 128),
        _ => return false,
    };
    let length = if length.is_empty() {
        Ok(width)
    } else {
        length.parse::<u32>()
    };
    match length {
        Ok(length) if length <= width => {
            (network ^ address).checked_shr(width - length).unwrap_or(0) == 0
        }
        _ => false,
    }
}
