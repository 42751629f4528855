//! Block: sorted keys as bytes, and back.
//!
//! The differences of sorted hashes are spread like waiting times, for which Rice's code is nearly as short as any can
//! be: a thousand keys of 40 bits take 3.9 bytes each. No compressor finds anything in them.

use super::key::{BITS, Key};

/// Bits of a window of eight bytes that begins anywhere in its first byte.
const WINDOW: u32 = 57;

/// Returns the keys, which are sorted, as bytes.
pub(super) fn encode(keys: &[Key]) -> Vec<u8> {
    let low_bits = low_bits(keys.len());
    let mut bits = Writer::default();
    bits.put(u64::from(low_bits), 8);
    bits.put(keys.len() as u64, 32);
    let mut last = 0;
    for key in keys {
        let step = key - last;
        last = *key;
        // A one for each whole 2^low_bits, then a zero. All ones together are hardly more than the keys.
        let mut ones = step >> low_bits;
        while ones >= 8 {
            bits.put(0xff, 8);
            ones -= 8;
        }
        let ones = u32::try_from(ones).unwrap_or_default();
        bits.put((1 << ones) - 1, ones + 1);
        bits.put(step & ((1 << low_bits) - 1), low_bits);
    }
    bits.finish()
}

/// Returns the keys of the bytes; none when these are not what `encode` makes.
pub(super) fn decode(bytes: &[u8]) -> Option<Vec<Key>> {
    let mut bits = Reader { bytes, at: 0 };
    let low_bits = u32::try_from(bits.take(8)?).ok()?;
    let count = usize::try_from(bits.take(32)?).ok()?;
    if low_bits > BITS || count > bytes.len() * 8 {
        return None;
    }
    let mut keys = Vec::with_capacity(count);
    let mut last = 0_u64;
    for _ in 0..count {
        let high = bits.ones()?;
        let step = high.checked_shl(low_bits)? | bits.take(low_bits)?;
        last = last.checked_add(step).filter(|key| *key >> BITS == 0)?;
        keys.push(last);
    }
    Some(keys)
}

/// Returns how many low bits of each difference are written as they are: those of the average.
fn low_bits(keys: usize) -> u32 {
    ((1_u64 << BITS) / (keys as u64 + 1)).max(1).ilog2()
}

/// Bits, the lowest of each byte first.
#[derive(Default)]
struct Writer {
    bytes: Vec<u8>,
    held: u64,
    count: u32,
}

impl Writer {
    fn put(&mut self, value: u64, bits: u32) {
        self.held |= value << self.count;
        self.count += bits;
        while self.count >= 8 {
            self.bytes.push((self.held & 0xff) as u8);
            self.held >>= 8;
            self.count -= 8;
        }
    }

    fn finish(mut self) -> Vec<u8> {
        if self.count > 0 {
            self.bytes.push((self.held & 0xff) as u8);
        }
        self.bytes
    }
}

struct Reader<'b> {
    bytes: &'b [u8],
    /// In bits.
    at: usize,
}

impl Reader<'_> {
    /// Returns the next bits, as many as there are up to [`WINDOW`]; zeros behind them.
    fn window(&self) -> u64 {
        let rest = self.bytes.get(self.at / 8..).unwrap_or_default();
        let mut eight = [0; 8];
        for (to, from) in eight.iter_mut().zip(rest) {
            *to = *from;
        }
        u64::from_le_bytes(eight) >> (self.at % 8)
    }

    fn take(&mut self, bits: u32) -> Option<u64> {
        let value = self.window() & ((1 << bits) - 1);
        self.step(bits)?;
        Some(value)
    }

    /// Counts the ones before the next zero, and passes over it.
    fn ones(&mut self) -> Option<u64> {
        let mut count = 0;
        loop {
            let ones = self.window().trailing_ones().min(WINDOW - 1);
            count += u64::from(ones);
            if ones < WINDOW - 1 {
                self.step(ones + 1)?;
                return Some(count);
            }
            self.step(ones)?;
        }
    }

    fn step(&mut self, bits: u32) -> Option<()> {
        self.at += bits as usize;
        (self.at <= self.bytes.len() * 8).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_thousand_keys_take_less_than_four_bytes_each() {
        let mut keys: Vec<Key> = (0..1000_u64)
            .map(|n| xxhash_rust::xxh3::xxh3_64(&n.to_le_bytes()) >> (64 - BITS))
            .collect();
        keys.sort_unstable();
        let bytes = encode(&keys);
        assert!(bytes.len() < 4000, "{}", bytes.len());
        assert_eq!(decode(&bytes), Some(keys));
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(mut keys in proptest::collection::vec(0..1_u64 << BITS, 0..300)) {
            keys.sort_unstable();
            prop_assert_eq!(decode(&encode(&keys)), Some(keys));
        }

        #[test]
        fn close_keys_are_decoded(mut keys in proptest::collection::vec(0..300_u64, 0..300)) {
            keys.sort_unstable();
            prop_assert_eq!(decode(&encode(&keys)), Some(keys));
        }

        #[test]
        fn any_bytes_are_read_without_harm(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let keys = decode(&bytes).unwrap_or_default();
            prop_assert!(keys.is_sorted());
        }
    }
}
