//! One file per line shape in `testlogs/shapes`, and its entries as a snapshot.

use super::{Hints, Owned, decode_counted, options};
use std::fmt::Write;
use std::fs;

#[test]
fn every_shape_is_read() {
    insta::glob!("../../../testlogs/shapes", "*.log", |path| {
        let hints = Hints {
            first_year: Some(2026),
        };
        let data = fs::read(path).unwrap();
        let (entries, counts) = decode_counted(data, &options("Europe/Berlin"), hints);
        let mut seen = String::new();
        for entry in &entries {
            writeln!(seen, "{}", shown(entry)).unwrap();
        }
        insta::assert_snapshot!(format!("{seen}\n{counts:?}"));
    });
}

/// Time, host, identifier and text; flags only where they are set.
fn shown(entry: &Owned) -> String {
    let mut out = format!("{:26} {:?} {:?}", entry.utc(), entry.host, entry.ident);
    if let Some(pid) = entry.pid {
        write!(out, " [{pid}]").unwrap();
    }
    write!(out, " {:?}", entry.text).unwrap();
    if entry.ambiguous {
        out += " ambiguous";
    }
    if entry.repeated > 0 {
        write!(out, " repeated={}", entry.repeated).unwrap();
    }
    if entry.truncated {
        out += " truncated";
    }
    if entry.trust != crate::model::entry::Trust::Unproven {
        write!(out, " {:?}", entry.trust).unwrap();
    }
    out
}
