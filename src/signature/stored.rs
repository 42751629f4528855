//! Stored: what changed in a server as rows of the database, and back.

use super::counter::{Count, Record};
use super::listen::Batch;
use crate::model::row::Text;
use crate::model::signature::{SignaturePackets, SignatureRow, SignatureUse};
use crate::model::small::SmallRow;
use crate::model::time::{SECOND, Time};

fn time(seconds: u32) -> Option<Time> {
    (seconds > 0).then(|| Time(i64::from(seconds) * SECOND))
}

fn count(count: i64, entered: Option<Time>, updated: Option<Time>) -> Count {
    let seconds = |time: Option<Time>| {
        time.map_or(0, |time| {
            u32::try_from(time.0.div_euclid(SECOND)).unwrap_or(0)
        })
    };
    Count {
        count: count.max(0),
        entered: seconds(entered),
        updated: seconds(updated),
    }
}

/// Returns the counts of a row.
#[must_use]
pub fn record(row: &SignatureRow) -> Record {
    Record {
        report: count(row.count, row.entered, row.updated),
        whitelist: count(row.wl_count, row.wl_entered, row.wl_updated),
    }
}

/// Returns the row of a digest.
#[must_use]
pub fn row(digest: &str, record: Record) -> SignatureRow {
    SignatureRow {
        digest: Text::from(digest),
        count: record.report.count,
        wl_count: record.whitelist.count,
        entered: time(record.report.entered),
        updated: time(record.report.updated),
        wl_entered: time(record.whitelist.entered),
        wl_updated: time(record.whitelist.updated),
    }
}

/// Returns the rows of a batch.
#[must_use]
pub fn rows(batch: Batch) -> Vec<SmallRow> {
    let records = batch.records.into_iter();
    let records = records.map(|(digest, record)| SmallRow::Signature(row(&digest, record)));
    let uses = batch.uses.into_iter().map(|(used, count)| {
        SmallRow::SignatureUse(SignatureUse {
            time: Time(batch.time * SECOND),
            client_address: used.address.map(|address| Text::from(address.to_string())),
            username: used.user.map(Text::from),
            operation: used.operation.map(Text::from),
            digest: used.digest.map(Text::from),
            reply_code: used.code,
            count: i64::try_from(count).unwrap_or(i64::MAX),
        })
    });
    let ignored = (batch.ignored > 0).then_some(((None, 0), batch.ignored));
    let packets = batch.packets.into_iter().chain(ignored);
    let packets = packets.map(|((operation, code), count)| {
        SmallRow::SignaturePackets(SignaturePackets {
            operation: operation.unwrap_or("other"),
            code,
            count,
        })
    });
    records.chain(uses).chain(packets).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_read_back_is_the_same_record() {
        let report = Count {
            count: i64::MAX,
            entered: 1,
            updated: u32::MAX,
        };
        let whitelist = Count::default();
        for of in [
            Record { report, whitelist },
            Record {
                report: whitelist,
                whitelist: report,
            },
            Record::default(),
        ] {
            assert_eq!(record(&row("d", of)), of);
        }
    }
}
