//! Summary: which canned queries a report has, in the order of pflogsumm.

use crate::canned::{Canned, Listed};

/// The sections in their order; each is a canned query with a title.
pub const SECTIONS: &[&str] = &[
    "totals",
    "totals_smtpd",
    "totals_postscreen",
    "traffic_daily",
    "traffic_hourly",
    "domains_to",
    "domains_from",
    "smtpd_daily",
    "smtpd_hourly",
    "smtpd_hosts",
    "tls_out",
    "senders_count",
    "recipients_count",
    "senders_size",
    "recipients_size",
    "no_size",
    "deferred_detail",
    "bounced_detail",
    "expired_detail",
    "rejected_detail",
    "reject_warnings",
    "held_detail",
    "discarded_detail",
    "tls_in_errors",
    "smtp_exceptions",
    "warnings",
    "postscreen",
    "fatals",
    "panics",
    "master",
    "messages",
    "queue_now",
];
/// Those about problems.
const PROBLEMS: [&str; 13] = [
    "deferred_detail",
    "bounced_detail",
    "expired_detail",
    "rejected_detail",
    "reject_warnings",
    "held_detail",
    "discarded_detail",
    "tls_in_errors",
    "smtp_exceptions",
    "warnings",
    "fatals",
    "panics",
    "no_size",
];

/// What is to be in a report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SummaryRequest {
    /// Sections about problems first.
    pub problems_first: bool,
    /// Also the newest messages with their outcome.
    pub messages: bool,
    /// Also the queue, according to the log.
    pub queue: bool,
}

/// Why there is no report.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SummaryError {
    /// A file of the user in place of a section is broken.
    #[error("query {name}: {fault}")]
    Broken {
        /// The section.
        name: &'static str,
        /// What is wrong with it.
        fault: String,
    },
    /// There is no such query.
    #[error("no query {0}")]
    Missing(&'static str),
}

impl SummaryRequest {
    /// Returns the queries of the sections, in their order.
    ///
    /// # Errors
    /// When the query of a section is broken or missing.
    pub fn sections(self, listed: &[Listed]) -> Result<Vec<&Canned>, SummaryError> {
        let is_wanted = |name: &&str| match *name {
            "messages" => self.messages,
            "queue_now" => self.queue,
            _ => true,
        };
        let mut names: Vec<&'static str> = SECTIONS.iter().copied().filter(is_wanted).collect();
        if self.problems_first {
            names.sort_by_key(|name| !PROBLEMS.contains(name));
        }
        let find = |name: &'static str| {
            let listed = listed.iter().find(|listed| listed.name == name);
            match listed.map(|listed| &listed.query) {
                Some(Ok(query)) => Ok(query),
                Some(Err(fault)) => Err(SummaryError::Broken {
                    name,
                    fault: fault.clone(),
                }),
                None => Err(SummaryError::Missing(name)),
            }
        };
        names.into_iter().map(find).collect()
    }
}
