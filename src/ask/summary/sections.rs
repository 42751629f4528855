//! Sections: which canned queries a report has, where they stand, and the statements that are run for them.

use super::logged;
use crate::canned::Canned;
use crate::report::Part;

/// A section of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// Name of the canned query.
    pub name: &'static str,
    /// Where it stands.
    pub part: Part,
}

const fn failures(name: &'static str) -> Slot {
    Slot {
        name,
        part: Part::Failures,
    }
}

const fn rest(name: &'static str) -> Slot {
    Slot {
        name,
        part: Part::Rest,
    }
}

/// The sections in their order: within a part those of pflogsumm in its order, each beside what it lacks.
pub const SECTIONS: &[Slot] = &[
    failures("panics"),
    failures("fatals"),
    failures("causes"),
    failures("deferred_detail"),
    failures("domains_deferred"),
    failures("bounced_detail"),
    failures("domains_bounced"),
    failures("expired_detail"),
    failures("smtp_exceptions"),
    failures("reject_classes"),
    failures("rejected_detail"),
    failures("dnsbl"),
    failures("reject_warnings"),
    failures("greylist"),
    failures("held_detail"),
    failures("discarded_detail"),
    failures("auth_fail"),
    failures("tls_in_errors"),
    failures("warnings"),
    failures("no_size"),
    rest("totals"),
    rest("flow"),
    rest("totals_smtpd"),
    rest("totals_postscreen"),
    rest("traffic_daily"),
    rest("traffic_hourly"),
    rest("domains_to"),
    rest("domains_from"),
    rest("delays"),
    rest("smtpd_daily"),
    rest("smtpd_hourly"),
    rest("smtpd_hosts"),
    rest("tls_out"),
    rest("tls_in"),
    rest("senders_count"),
    rest("recipients_count"),
    rest("senders_size"),
    rest("recipients_size"),
    rest("mailbox_activity"),
    rest("auth_ok"),
    rest("postscreen"),
    rest("master"),
    rest("qshape"),
    rest("messages"),
    rest("queue_now"),
];

/// Sections of an hour or a day: where the report has more days, an average day.
pub(super) const HOURLY: [&str; 2] = ["traffic_hourly", "smtpd_hourly"];

/// Sections that say nothing about a single day.
pub(super) const DAILY: [&str; 2] = ["traffic_daily", "smtpd_daily"];

/// Name of the column that counts all rows, also those that are cut.
pub(super) const ALL_ROWS: &str = "rows in all";

/// A statement of a section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Statement {
    /// The text.
    pub sql: String,
    /// Whether its last column is [`ALL_ROWS`].
    pub has_count: bool,
}

/// Returns the statement of a section: with the number of all rows where the query is cut to `top`, and counting like pflogsumm where that
/// is wanted.
#[must_use]
pub(super) fn statement(query: &Canned, as_logged: bool) -> Statement {
    let counted = counted(query);
    let has_count = counted.is_some();
    let sql = counted.unwrap_or_else(|| query.sql.clone());
    Statement {
        sql: if as_logged { logged::of(&sql) } else { sql },
        has_count,
    }
}

/// Adds the count of all rows to the outermost list of columns; none where nothing is cut, or where the text is not written like ours.
fn counted(query: &Canned) -> Option<String> {
    query.param("top")?;
    // A line of its own at the margin: the outermost SELECT.
    let start = query.sql.rfind("\nSELECT\n").map(|at| at + 1);
    let start = start.or_else(|| query.sql.starts_with("SELECT\n").then_some(0))?;
    let (before, select) = query.sql.split_at_checked(start)?;
    if select.contains("\nUNION") {
        return None;
    }
    let end = select.find("\nFROM ")?;
    let (list, rest) = select.split_at_checked(end)?;
    Some(format!(
        "{before}{list},\n    count(*) OVER () AS \"{ALL_ROWS}\"{rest}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canned;

    #[test]
    fn every_query_that_is_cut_counts_what_it_cuts() {
        for query in canned::all().unwrap() {
            if SECTIONS.iter().any(|section| section.name == query.name) {
                let statement = statement(&query, false);
                let is_cut = query.param("top").is_some();
                assert_eq!(statement.has_count, is_cut, "{}", query.name);
                assert_eq!(statement.sql.matches(ALL_ROWS).count(), usize::from(is_cut));
            }
        }
    }

    #[test]
    fn each_section_stands_once() {
        let mut names: Vec<_> = SECTIONS.iter().map(|section| section.name).collect();
        names.sort_unstable();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
