//! Transfer encodings of a part: quoted-printable, base64 and uuencode, read as leniently as Python reads them.

/// Decodes quoted-printable: a `=` that begins nothing stays, `=` at the end of a line joins it to the next.
pub(super) fn quoted_printable(bytes: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        if first != b'=' {
            decoded.push(first);
            continue;
        }
        match after {
            [] => {}
            // A carriage return swallows all up to the next line feed.
            [b'\r' | b'\n', ..] => {
                let end = after.iter().position(|byte| *byte == b'\n');
                rest = end.and_then(|end| after.get(end + 1..)).unwrap_or_default();
            }
            [b'=', after @ ..] => {
                decoded.push(b'=');
                rest = after;
            }
            [high, low, after @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                let digit = |byte: &u8| char::from(*byte).to_digit(16).unwrap_or(0);
                decoded.push(u8::try_from(digit(high) * 16 + digit(low)).unwrap_or(0));
                rest = after;
            }
            _ => decoded.push(b'='),
        }
    }
    decoded
}

/// Decodes base64: what is not of its alphabet is skipped, a pad ends it. What cannot be base64 is returned as it is,
/// without its line ends.
pub(super) fn base64(bytes: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(bytes.len() / 4 * 3 + 3);
    let (mut bits, mut count, mut pads) = (0_u32, 0, 0);
    for byte in bytes.iter().chain(b"==") {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' if count >= 2 => {
                pads += 1;
                if count + pads >= 4 {
                    return decoded;
                }
                continue;
            }
            _ => continue,
        };
        pads = 0;
        bits = bits << 6 | u32::from(value);
        count += 1;
        if count >= 2 {
            let byte = bits >> (6 - 2 * (count - 1)) & 0xff;
            decoded.push(u8::try_from(byte).unwrap_or(0));
        }
        if count == 4 {
            (bits, count) = (0, 0);
        }
    }
    if count == 0 {
        return decoded;
    }
    let is_text = |byte: &u8| !matches!(byte, b'\r' | b'\n');
    bytes.iter().copied().filter(is_text).collect()
}

/// Returns the lines of bytes, without their ends.
fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    super::tree::lines(bytes).map(|line| {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        line.strip_suffix(b"\r").unwrap_or(line)
    })
}

/// Decodes uuencode; none if it is not well formed.
pub(super) fn uuencode(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut lines = lines(bytes);
    lines.find(|line| {
        let mode = line
            .strip_prefix(b"begin ")
            .and_then(|rest| rest.split(|byte| *byte == b' ').next());
        mode.is_some_and(|mode| {
            !mode.is_empty() && mode.iter().all(|byte| (b'0'..=b'7').contains(byte))
        })
    })?;
    let mut decoded = Vec::new();
    for line in lines {
        let (&length, rest) = line.split_first()?;
        if line.trim_ascii() == b"end" {
            break;
        }
        let length = usize::from(length.wrapping_sub(b' ') & 63);
        if let Some(bytes) = uu_line(rest, length) {
            decoded.extend(bytes);
        } else {
            // Some encoders write more than the length says.
            let short = (length * 4).div_ceil(3);
            decoded.extend(uu_line(rest.get(..short).unwrap_or(rest), length)?);
        }
    }
    Some(decoded)
}

fn uu_line(text: &[u8], length: usize) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(length);
    let mut text = text.iter();
    let (mut bits, mut left) = (0_u32, 0);
    while decoded.len() < length {
        let value = match text.next() {
            None | Some(b'\r' | b'\n') => 0,
            Some(byte @ b' '..=b'`') => (byte - b' ') & 63,
            Some(_) => return None,
        };
        bits = bits << 6 | u32::from(value);
        left += 6;
        if left >= 8 {
            left -= 8;
            decoded.push(u8::try_from(bits >> left & 0xff).unwrap_or(0));
        }
    }
    text.all(|byte| matches!(byte, b' ' | b'`' | b'\r' | b'\n'))
        .then_some(decoded)
}
