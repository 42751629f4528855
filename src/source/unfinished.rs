//! Unfinished: is a last line without an end all of its line?
//!
//! A writer that flushes by the block leaves half a line at the end of a growing file. Read now and again when it is
//! whole, it would count twice; left out until then, an excerpt without a last line end would lose its last line.
//! So such a line counts as whole when no longer one is written that begins like it.
//!
//! Limits: this is known of the lines that decide what became of a mail; others wait for their end.

use memchr::memmem;
use serde::de::IgnoredAny;

/// Returns whether the line can be taken for whole.
pub(super) fn is_whole(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    if line.starts_with(b"{") {
        return serde_json::from_slice::<IgnoredAny>(line).is_ok();
    }
    let ends_outcome = || {
        let at = memmem::find(line, b" status=")?;
        let outcome = line.get(at..)?;
        #[expect(clippy::naive_bytecount, reason = "once a file, on its last line")]
        let count = |wanted| outcome.iter().filter(|byte| **byte == wanted).count();
        Some(outcome.ends_with(b")") && count(b'(') == count(b')'))
    };
    let ends_refusal = || {
        let (at, name) = (memmem::rfind(line, b" helo=<")?, b" helo=<".len());
        line.get(at + name..)
            .map(|helo| memchr::memchr(b'>', helo).is_some_and(|at| at + 1 == helo.len()))
    };
    line.ends_with(b": removed")
        || line.ends_with(b" (queue active)")
        || ends_outcome().or_else(ends_refusal) == Some(true)
}

#[cfg(test)]
mod tests {
    use super::is_whole;

    #[test]
    fn only_the_whole_of_a_line_is_whole() {
        let lines = [
            "Nov 21 03:21:40 mx1 postfix/qmgr[7]: 4jWctr3YP4z5rsG: removed",
            "Nov 21 03:21:40 mx1 postfix/qmgr[7]: 4jWctr3YP4z5rsG: from=<>, size=99, nrcpt=1 (queue active)",
            "Nov 21 03:21:40 mx1 postfix/smtp[7]: 4jWctr3YP4z5rsG: to=<a@example.com>, relay=none, delay=1, \
             delays=1/0/0/0, dsn=5.1.1, status=bounced (host mx[192.0.2.1] said: 550 no (in reply to RCPT TO command))",
            "Nov 21 03:21:40 mx1 postfix/smtpd[7]: NOQUEUE: reject: RCPT from unknown[192.0.2.1]: 550 5.1.1 no; \
             from=<> to=<a@example.com> proto=ESMTP helo=<mail.example.net>",
            r#"{"MESSAGE":"4jWctr3YP4z5rsG: removed","more":{"a":1}}"#,
        ];
        for line in lines {
            assert!(is_whole(line.as_bytes()), "{line}");
            for end in 0..line.len() {
                assert!(
                    !is_whole(&line.as_bytes()[..end]),
                    "{}",
                    line.get(..end).unwrap_or_default()
                );
            }
        }
    }
}
