//! Entries do not depend on where chunks end, nor on interruptions; any bytes are read.

use super::{Hints, Owned, chunk, decode, decode_counted, options};
use crate::model::entry::Entry;
use crate::source::{Decoder, LINE_BYTES, RECORD_BYTES};
use proptest::prelude::*;

/// Decodes with chunks that end at `cuts`; at each cut a new decoder takes over if `is_interrupted`.
pub(super) fn decode_cut(data: &[u8], cuts: &[usize], is_interrupted: bool) -> Vec<Owned> {
    let options = options("Europe/Berlin");
    let hints = Hints {
        first_year: Some(2026),
    };
    let mut decoder = Decoder::new(&options, hints, None);
    let mut entries = Vec::new();
    let mut sink = |entry: &Entry<'_>| entries.push(Owned::from(entry));
    let mut at = 0;
    for end in cuts.iter().copied().chain([data.len()]) {
        let end = end.clamp(at, data.len());
        decoder.decode(&chunk(&data[at..end], at), &mut sink);
        at = end;
        if is_interrupted {
            at = usize::try_from(decoder.safe_offset()).unwrap();
            decoder = Decoder::new(&options, hints, Some(&decoder.state()));
        }
    }
    if is_interrupted {
        decoder.decode(&chunk(&data[at..], at), &mut sink);
    }
    decoder.finish(&mut sink);
    entries
}

fn whole(data: &[u8]) -> Vec<Owned> {
    decode_cut(data, &[], false)
}

/// Pieces of log that are put together at random.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        8 => (0usize..SAMPLES.len()).prop_map(|at| SAMPLES[at].as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..40),
        1 => Just(b"\n".to_vec()),
        1 => Just(b"\r\n".to_vec()),
    ]
}

const SAMPLES: &[&str] = &[
    "Mar  4 10:20:11 mail postfix/qmgr[812]: 64AB9120A53: removed\n",
    "Dec 31 23:59:59 mail postfix/qmgr[812]: 64AB9120A53: removed\n",
    "Jan  1 00:00:01 mail postfix/qmgr[812]: 64AB9120A53: removed\n",
    "Oct 25 02:59:59 mail postfix/qmgr[812]: 64AB9120A53: removed\n",
    "Oct 25 02:00:00 mx2 postfix/qmgr[812]: 4jBzT70001z8tX9: removed\n",
    "Feb 29 10:20:11 mx2 postfix/qmgr[812]: 64AB9120A53: removed\n",
    "2026-03-04T10:20:11.412345+01:00 mail postfix/qmgr[812]: 4fQnFR2wTjz8tX9: removed\n",
    "Mar  4 10:20:12 mail last message repeated 3 times\n",
    "Mar  4 10:20:12 mx2 postfix/smtpd[9]: message repeated 2 times: [ connect from unknown[192.0.2.9]]\n",
    "2026-03-04T09:20:11.412345678Z stdout P Mar 04 10:20:11 mail postfix/qmgr[812]: 64AB9\n",
    "2026-03-04T09:20:11.412345678Z stdout F 120A53: removed\n",
    "<22>1 2026-03-04T10:20:11.412345+01:00 mail postfix/qmgr 812 - - \u{feff}4fQnFR2wTjz8tX9: removed\n",
    "__CURSOR=s=a\n__REALTIME_TIMESTAMP=1772616011412901\nMESSAGE\n\u{3}\0\0\0\0\0\0\0a\nb\nSYSLOG_IDENTIFIER=postfix/qmgr\n\n",
    "__CURSOR=s=b\nMESSAGE=no end of the record\n",
    "{\n\"MESSAGE\": \"pretty\"\n}\n",
    "{\"log\":\"piece \",\"stream\":\"stdout\",\"time\":\"2026-03-04T09:20:11.4Z\"}\n",
    "no header at all \u{fc}\n",
    "-- Boot 0123 --\n",
];

proptest! {
    #[test]
    fn chunks_of_any_size_give_the_same_entries(
        pieces in prop::collection::vec(piece(), 0..12),
        cuts in prop::collection::vec(0usize..1500, 0..6),
    ) {
        let data = pieces.concat();
        let mut cuts = cuts;
        cuts.sort_unstable();
        prop_assert_eq!(decode_cut(&data, &cuts, false), whole(&data));
    }

    #[test]
    fn interruptions_change_nothing(
        pieces in prop::collection::vec(piece(), 0..12),
        cuts in prop::collection::vec(0usize..1500, 0..6),
    ) {
        let data = pieces.concat();
        let mut cuts = cuts;
        cuts.sort_unstable();
        prop_assert_eq!(decode_cut(&data, &cuts, true), whole(&data));
    }

    #[test]
    fn any_bytes_are_read(data in prop::collection::vec(any::<u8>(), 0..2000)) {
        whole(&data);
    }

    #[test]
    fn any_text_behind_a_header_is_read(text in "\\PC{0,200}") {
        whole(format!("Mar  4 10:20:11 {text}\n").as_bytes());
        whole(text.as_bytes());
    }
}

#[test]
fn an_unterminated_line_is_delivered_once_and_grows_into_a_new_entry() {
    let options = options("UTC");
    let line = "2026-03-04T10:20:11Z mail postfix/qmgr[812]: 64AB9120A53: removed";
    let count = |data: &str, state: Option<&str>| {
        let mut decoder = Decoder::new(&options, Hints::default(), state);
        let mut entries = 0;
        let mut sink = |_: &Entry<'_>| entries += 1;
        decoder.decode(&chunk(data.as_bytes(), 0), &mut sink);
        decoder.finish(&mut sink);
        (entries, decoder.safe_offset(), decoder.state())
    };
    let (entries, offset, state) = count(line, None);
    assert_eq!((entries, offset), (1, 0));
    let (entries, offset, again) = count(line, Some(&state));
    assert_eq!((entries, offset), (0, 0));
    assert_eq!(again, state);
    let (entries, offset, _) = count(&format!("{line}\r\n"), Some(&state));
    assert_eq!((entries, offset), (0, line.len() as u64 + 2));
    let (entries, _, _) = count(&format!("{line} (canceled)\n"), Some(&state));
    assert_eq!(entries, 1);
}

#[test]
fn an_overlong_line_is_cut_and_what_follows_is_read() {
    let mut data = b"2026-03-04T10:20:11Z mail postfix/qmgr[812]: ".to_vec();
    data.extend(std::iter::repeat_n(b'x', 3 * RECORD_BYTES));
    data.extend(b"\n2026-03-04T10:20:12Z mail postfix/qmgr[812]: 64AB9120A53: removed\n");
    let entries = whole(&data);
    assert_eq!(entries.len(), 2);
    assert!(entries[0].truncated);
    assert_eq!(entries[0].raw.len(), LINE_BYTES);
    assert_eq!(entries[1].text, "64AB9120A53: removed");
    let cuts: Vec<_> = (1..40).map(|part| part * 100_000).collect();
    assert_eq!(decode_cut(&data, &cuts, false), entries);
    assert_eq!(decode_cut(&data, &[2 * RECORD_BYTES], true), entries);
}

#[test]
fn bytes_that_are_not_utf8_are_replaced_in_their_line_only() {
    let data = b"2026-03-04T10:20:11Z mail postfix/qmgr[812]: a\xffb\n\0\0\0\0Mar  4 10:20:12 mail postfix/qmgr[812]: \xc3\xbc\0\n";
    let (entries, counts) = decode_counted(data, &options("UTC"), Hints::default());
    assert_eq!(entries[0].text, "a\u{fffd}b");
    assert_eq!(entries[1].text, "\u{fc}\u{fffd}");
    assert_eq!(counts.not_utf8, 1);
}

#[test]
fn repeat_notices_carry_the_line_they_repeat() {
    let text = "Mar  4 10:20:11 mail postfix/smtpd[9]: connect from unknown[192.0.2.9]\n\
        Mar  4 10:20:11 mx2 postfix/smtpd[8]: connect from unknown[192.0.2.8]\n\
        Mar  4 10:20:12 mail last message repeated 3 times\n\
        Mar  4 10:20:13 last message repeated 1 time\n\
        Mar  4 10:20:14 mx2 postfix/smtpd[8]: message repeated 2 times: [ lost connection after AUTH from unknown[192.0.2.8]]\n";
    let entries = decode(text, &options("UTC"), Hints::default());
    let seen: Vec<_> = entries
        .iter()
        .map(|entry| {
            (
                entry.host.as_str(),
                entry.pid,
                entry.text.as_str(),
                entry.repeated,
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("mail", Some(9), "connect from unknown[192.0.2.9]", 0),
            ("mx2", Some(8), "connect from unknown[192.0.2.8]", 0),
            ("mail", Some(9), "connect from unknown[192.0.2.9]", 3),
            ("mail", Some(9), "connect from unknown[192.0.2.9]", 1),
            (
                "mx2",
                Some(8),
                "lost connection after AUTH from unknown[192.0.2.8]",
                2
            ),
        ]
    );
}

#[test]
fn lengths_at_which_collectors_cut_are_marked() {
    let line = |length: usize| {
        let head = "2026-03-04T10:20:11Z mail postfix/qmgr[812]: ";
        format!("{head}{}\n", "x".repeat(length))
    };
    let is_truncated =
        |length| decode(line(length), &options("UTC"), Hints::default())[0].truncated;
    assert!(!is_truncated(900));
    assert!(!is_truncated(1999));
    assert!(is_truncated(2000));
    assert!(is_truncated(1024 - 45));
}
