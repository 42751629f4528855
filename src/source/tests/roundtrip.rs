//! An entry printed in each shape and read again is the same.

use super::{Hints, Owned, decode, options};
use crate::model::time::{SECOND, Time};
use proptest::prelude::*;
use serde_json::json;

#[derive(Debug, Clone)]
struct Sample {
    time: Time,
    host: String,
    ident: String,
    pid: u32,
    text: String,
}

fn sample() -> impl Strategy<Value = Sample> {
    (
        // Within a year before the present, which is where a stamp without year is looked for.
        (super::NOW.0 - 360 * 86_400 * SECOND)..super::NOW.0,
        "[a-z][a-z0-9-]{0,8}(\\.example\\.org)?",
        "(postfix(-out)?(/submission)?/(smtpd|qmgr|smtp)|dovecot|opendkim)",
        1..4_000_000_u32,
        "(64AB9120A53: |NOQUEUE: |warning: |connect )\\PC{0,80}[!-~]",
    )
        .prop_map(|(time, host, ident, pid, text)| Sample {
            time: Time(time),
            host,
            ident,
            pid,
            text,
        })
}

impl Sample {
    fn stamp(&self, format: &str) -> String {
        self.time.to_utc().unwrap().format(format).to_string()
    }

    fn tail(&self) -> String {
        format!("{} {}[{}]: {}", self.host, self.ident, self.pid, self.text)
    }

    /// The record in each shape that has microseconds.
    fn precise(&self) -> Vec<String> {
        let tail = self.tail();
        let inner = format!("{} {tail}", self.stamp("%b %d %H:%M:%S"));
        let iso = self.stamp("%Y-%m-%dT%H:%M:%S%.6f");
        let micros = self.time.0.to_string();
        let (host, ident, pid, text) = (&self.host, &self.ident, self.pid, &self.text);
        let journal = json!({"MESSAGE": text, "SYSLOG_IDENTIFIER": ident, "_PID": pid.to_string(),
            "_HOSTNAME": host, "__REALTIME_TIMESTAMP": micros});
        let bytes = json!({"_SOURCE_REALTIME_TIMESTAMP": micros, "MESSAGE": text.as_bytes(),
            "SYSLOG_IDENTIFIER": ident, "SYSLOG_PID": pid.to_string(), "_HOSTNAME": host});
        let docker =
            json!({"log": format!("{inner}\n"), "stream": "stdout", "time": format!("{iso}789Z")});
        let length = (text.len() as u64).to_le_bytes();
        let mut lines = vec![
            format!("{iso}+00:00 {tail}"),
            format!("{iso}Z {tail}"),
            format!("{} {tail}", self.stamp("%b %d %H:%M:%S%.6f")),
            format!("{} {tail}", self.stamp("%a %Y-%m-%d %H:%M:%S%.6f UTC")),
            format!("{} {tail}", self.stamp("%s%.6f")),
            format!("<22>{iso}Z {tail}"),
            format!("<22>1 {iso}Z {host} {ident} {pid} - - {text}"),
            format!("{iso}789Z stdout F {inner}"),
            format!("{iso}789Z {inner}"),
            format!("mail-1  | {iso}Z {tail}"),
            journal.to_string(),
            serde_json::to_string_pretty(&journal).unwrap(),
            format!("\x1e{bytes}"),
            docker.to_string(),
            format!(
                "__CURSOR=x\n__REALTIME_TIMESTAMP={micros}\n_HOSTNAME={host}\nSYSLOG_IDENTIFIER={ident}\n_PID={pid}\nMESSAGE={text}\n"
            ),
        ];
        // A length is text only while its bytes are.
        if let Ok(length) = std::str::from_utf8(&length) {
            lines.push(format!("__REALTIME_TIMESTAMP={micros}\n_HOSTNAME={host}\nSYSLOG_IDENTIFIER={ident}\n_PID={pid}\nMESSAGE\n{length}{text}\n"));
        }
        lines
    }

    /// The record in each shape that has whole seconds.
    fn whole(&self) -> Vec<String> {
        let tail = self.tail();
        vec![
            format!("{} {tail}", self.stamp("%b %e %H:%M:%S")),
            format!("{} {tail}", self.stamp("%b %d %H:%M:%S")),
            format!("<22>{} {tail}", self.stamp("%b %e %H:%M:%S")),
            format!("{} {tail}", self.stamp("%Y-%m-%dT%H:%M:%S+0000")),
            format!("{} {tail}", self.stamp("%Y-%m-%d %H:%M:%S")),
            format!("{} <mail.info> {tail}", self.stamp("%b %e %H:%M:%S")),
        ]
    }

    fn is_shown_by(&self, entry: &Owned, time: Time) -> bool {
        entry.time == Some(time)
            && entry.host == self.host
            && entry.ident == self.ident
            && entry.pid == Some(self.pid)
            && entry.text == self.text
    }
}

proptest! {
    #[test]
    fn every_shape_says_the_same(sample in sample()) {
        let whole = Time(sample.time.0 - sample.time.0.rem_euclid(SECOND));
        let precise = sample.precise().into_iter().map(|line| (line, sample.time));
        let shapes = precise.chain(sample.whole().into_iter().map(|line| (line, whole)));
        for (line, time) in shapes {
            let entries = decode(format!("{line}\n"), &options("UTC"), Hints::default());
            prop_assert!(entries.len() == 1, "{line}: {entries:?}");
            prop_assert!(sample.is_shown_by(&entries[0], time), "{line}\n{:?}", entries[0]);
            // What stands for it in raw output can be read in again.
            let again = decode(format!("{}\n", entries[0].raw), &options("UTC"), Hints::default());
            prop_assert!(entries[0].ident == again[0].ident && entries[0].text == again[0].text);
        }
    }
}
