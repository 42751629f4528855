//! Messages of an mbox, split as Python splits them: at every line that begins with `From `.

/// Returns the messages, without their `From ` lines.
#[must_use]
pub fn messages(mbox: &[u8]) -> Vec<&[u8]> {
    let mut messages = Vec::new();
    let (mut start, mut place, mut is_after_empty) = (None, 0, false);
    for line in mbox.split_inclusive(|byte| *byte == b'\n') {
        if line.starts_with(b"From ") {
            let end = place - usize::from(is_after_empty);
            messages.extend(start.and_then(|start| mbox.get(start..end.max(start))));
            start = Some(place + line.len());
        }
        is_after_empty = line == b"\n";
        place += line.len();
    }
    let end = place - usize::from(is_after_empty);
    messages.extend(start.and_then(|start| mbox.get(start..end.max(start))));
    messages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_begin_after_a_from_line() {
        let mbox = b"lost\nFrom a\nA: 1\n\nx\n\nFrom b\nB: 2\n\ny\nFrom c\n\n";
        let messages = messages(mbox);
        assert_eq!(messages, [&b"A: 1\n\nx\n"[..], b"B: 2\n\ny\n", b""]);
        assert!(super::messages(b"A: 1\n\nx\n").is_empty());
    }
}
