//! Tally: counts of the lines since the last commit.
//!
//! Lines of every delivery are counted in plain numbers, rare ones by their labels: counting must not be felt.

use super::family::{DELAYS, RECIPIENTS, SIZES};
use super::label::{self, OTHER};
use super::rare::Rare;
use super::{Count, number};
use crate::model::entry::Entry;
use crate::model::event::{
    Abend, Content, Delivery, Direction, Event, Level, Notice, Policy, Removal,
};
use crate::parse;
use compact_str::{CompactString, ToCompactString};
use hashbrown::HashMap;

/// Agents with numbers of their own.
const AGENTS: [&str; 9] = [
    "smtp", "lmtp", "local", "virtual", "pipe", "error", "discard", "retry", OTHER,
];
const STATUSES: [&str; 5] = ["sent", "bounced", "deferred", "SOFTBOUNCE", OTHER];
const STAGES: [&str; 4] = [
    "before_queue_manager",
    "queue_manager",
    "connection_setup",
    "transmission",
];

/// What became of a line, for the counts by source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Its meaning is known.
    Parsed,
    /// It has no bearing on mail, or is of another program.
    Ignored,
    /// Nobody knows.
    Unparsed,
    /// Another source told it before.
    Known,
}

impl Outcome {
    const fn name(self) -> &'static str {
        match self {
            Self::Parsed => "parsed",
            Self::Ignored => "ignored",
            Self::Unparsed => "unparsed",
            Self::Known => "known",
        }
    }
}

/// A histogram of some buckets, the last one without a bound.
#[derive(Debug, Clone, Copy, Default)]
struct Buckets {
    counts: [u64; 9],
    sum: f64,
}

impl Buckets {
    fn see(&mut self, bounds: &[f64], value: f64) {
        let at = bounds.iter().position(|bound| value <= *bound);
        if let Some(count) = self.counts.get_mut(at.unwrap_or(bounds.len())) {
            *count += 1;
        }
        self.sum += value;
    }

    fn write(&self, name: &str, bounds: &[f64], labels: &[(&str, &str)], out: &mut Vec<Count>) {
        let total: u64 = self.counts.iter().sum();
        if total == 0 {
            return;
        }
        for (at, count) in self
            .counts
            .iter()
            .enumerate()
            .filter(|(_, count)| **count > 0)
        {
            let le = bounds.get(at).map_or("+Inf".to_owned(), f64::to_string);
            let mut labels = labels.to_vec();
            labels.push(("le", &le));
            out.push(of(&format!("{name}_bucket"), &labels, number(*count)));
        }
        out.push(of(&format!("{name}_sum"), labels, self.sum));
        out.push(of(&format!("{name}_count"), labels, number(total)));
    }
}

/// Counts since the last commit.
#[derive(Debug, Default)]
pub struct Tally {
    connects: u64,
    disconnects: u64,
    cleaned: u64,
    removed: u64,
    plain_accepts: u64,
    recipients: Buckets,
    sizes: Buckets,
    attempts: [[u64; STATUSES.len()]; AGENTS.len()],
    smtp_delays: [Buckets; STAGES.len()],
    lmtp_delays: [Buckets; STAGES.len()],
    pipe_delays: HashMap<String, [Buckets; STAGES.len()]>,
    rare: Rare,
    bytes: HashMap<String, u64>,
    /// Recipient domains that are counted apart, in lower case.
    domains: Vec<String>,
}

impl Tally {
    /// Counts deliveries to these domains apart.
    #[must_use]
    pub fn new(domains: &[String]) -> Self {
        Self {
            domains: domains.iter().map(|domain| domain.to_lowercase()).collect(),
            ..Self::default()
        }
    }

    /// Counts one line.
    pub fn see(&mut self, entry: &Entry<'_>, event: &Event<'_>) {
        let times = u64::from(entry.copies());
        match event {
            Event::Delivery(delivery) => self.delivery(entry, delivery),
            Event::Active { size, nrcpt, .. } => {
                self.recipients.see(RECIPIENTS, f64::from(*nrcpt));
                self.sizes.see(SIZES, number(*size));
            }
            Event::Removed {
                removal: Removal::Done,
                ..
            } => self.removed += times,
            Event::MessageId { resent: false, .. } => self.cleaned += times,
            Event::Connect { .. } if entry.program() == "smtpd" => self.connects += times,
            Event::Disconnect { .. } if entry.program() == "smtpd" => self.disconnects += times,
            Event::Accept {
                queue_id: Some(_),
                sasl_method,
                ..
            } => self.accept(*sasl_method, times),
            Event::Ignored | Event::Foreign => {}
            _ => self.seldom(entry, event, times),
        }
    }

    /// Counts lines read from a source.
    pub fn lines(&mut self, source: &str, outcome: Outcome, lines: u64) {
        if lines > 0 {
            let labels = [
                ("source", label::source(source)),
                ("result", outcome.name()),
            ];
            self.add("maillog_ingest_lines_total", &labels, lines);
        }
    }

    /// Counts bytes read from a source.
    pub fn bytes(&mut self, source: &str, bytes: u64) {
        if bytes > 0 {
            *self
                .bytes
                .entry(label::source(source).to_owned())
                .or_default() += bytes;
        }
    }

    /// Counts a place where a source misses lines.
    pub fn gap(&mut self, source: &str, kind: &'static str) {
        let labels = [("source", label::source(source)), ("kind", kind)];
        self.add("maillog_source_gaps_total", &labels, 1);
    }

    fn add(&mut self, name: &'static str, labels: &[(&str, &str)], times: u64) {
        self.rare.add(name, labels, times);
    }

    fn accept(&mut self, method: Option<&str>, times: u64) {
        let Some(method) = method else {
            self.plain_accepts += times;
            return;
        };
        let method = label::method(method);
        self.add(
            "postfix_smtpd_messages_processed_total",
            &[("sasl_method", method)],
            times,
        );
        self.add("postfix_auth_messages_total", &[("method", method)], times);
    }

    fn delivery(&mut self, entry: &Entry<'_>, d: &Delivery<'_>) {
        // Results of address probes are no deliveries.
        if d.is_probe() {
            return;
        }
        let last = |list: &[&str], word: &str| {
            let at = list.iter().position(|known| *known == word);
            at.unwrap_or(list.len() - 1)
        };
        let agent = last(&AGENTS, entry.program());
        let status = last(&STATUSES, if d.ambiguous { OTHER } else { d.status });
        if let Some(count) = self
            .attempts
            .get_mut(agent)
            .and_then(|list| list.get_mut(status))
        {
            *count += 1;
        }
        let delays = [
            d.delay_before_qmgr,
            d.delay_in_qmgr,
            d.delay_conn_setup,
            d.delay_transmission,
        ];
        let buckets = match AGENTS.get(agent) {
            Some(&"smtp") => Some(&mut self.smtp_delays),
            Some(&"lmtp") => Some(&mut self.lmtp_delays),
            Some(&"pipe") => Some(
                self.pipe_delays
                    .entry(label::word(d.relay.relay).to_owned())
                    .or_default(),
            ),
            _ => None,
        };
        for (buckets, delay) in buckets.into_iter().flatten().zip(delays) {
            buckets.see(DELAYS, delay);
        }
        if !self.domains.is_empty() {
            self.destination(d);
        }
        if let Some(tls) = d.tls {
            self.tls_delivery(tls);
        }
        if matches!(d.status, "deferred" | "bounced" | "SOFTBOUNCE") {
            self.failure(AGENTS.get(agent).copied().unwrap_or(OTHER), d);
        }
    }

    fn failure(&mut self, agent: &'static str, d: &Delivery<'_>) {
        let (dsn, status) = (label::dsn(d.dsn), label::word(d.status));
        let class = match dsn.get(..1) {
            Some("4") => "4",
            Some("5") => "5",
            _ => OTHER,
        };
        let labels = [
            ("direction", direction(agent)),
            ("status", status),
            ("dsn_class", class),
        ];
        self.add("postfix_delivery_failures_total", &labels, 1);
        if agent != "smtp" {
            return;
        }
        match d.status {
            "deferred" => self.add(
                "postfix_smtp_deferred_messages_by_dsn_total",
                &[("dsn", dsn)],
                1,
            ),
            "bounced" => self.add(
                "postfix_smtp_bounced_messages_by_dsn_total",
                &[("dsn", dsn)],
                1,
            ),
            _ => {}
        }
    }

    fn destination(&mut self, d: &Delivery<'_>) {
        let domain = d.recipient.rsplit('@').next().unwrap_or_default();
        let known = self
            .domains
            .iter()
            .find(|known| known.eq_ignore_ascii_case(domain));
        let domain = known.map_or(OTHER.to_owned(), |known| label::word(known).to_owned());
        let labels = [
            ("domain", domain.as_str()),
            ("status", label::word(d.status)),
        ];
        self.add("postfix_destination_deliveries_total", &labels, 1);
    }

    /// `level[:actual][?][/...]`, with `!` in front of a violated policy.
    fn tls_delivery(&mut self, tls: &str) {
        let tls = tls.trim_start_matches('!');
        let level = tls.split(['/', '?']).next().unwrap_or_default();
        let (level, downgrade) = level.split_once(':').unwrap_or((level, ""));
        let labels = [
            ("level", label::word(level)),
            ("downgrade", label::word(downgrade)),
        ];
        self.add("postfix_tls_deliveries_total", &labels, 1);
    }

    /// Counts what is not in every mail.
    fn seldom(&mut self, entry: &Entry<'_>, event: &Event<'_>, times: u64) {
        match event {
            Event::Tls {
                direction,
                trust,
                protocol,
                cipher,
                ..
            } => {
                self.tls(entry, *direction, [trust, protocol, cipher], times);
            }
            Event::Policy(policy) => self.policy(entry, policy, times),
            Event::Expired { .. } => self.add("postfix_qmgr_messages_expired_total", &[], times),
            Event::Notification {
                notice: Notice::NonDelivery,
                ..
            } => {
                self.add("postfix_bounce_non_delivery_notification_total", &[], times);
            }
            Event::Content(content) if content.action == "reject" => {
                self.content(entry, content, times);
            }
            Event::AttemptNote { reason, .. } => self.timeout(entry, reason, times),
            Event::Note {
                level: Level::Warning,
                text,
                ..
            } if entry.program() == "cleanup" && text.contains("message not accepted") => {
                self.add("postfix_cleanup_messages_not_accepted_total", &[], times);
            }
            Event::Other { .. } => {
                let labels = [
                    ("service", label::word(entry.service())),
                    ("level", level_of(entry.text)),
                ];
                self.add("postfix_unsupported_log_entries_total", &labels, times);
            }
            _ => self.about_client(entry, event, times),
        }
    }

    /// Counts what clients are told and do.
    fn about_client(&mut self, entry: &Entry<'_>, event: &Event<'_>, times: u64) {
        match event {
            Event::Abort {
                abend: Abend::LostConnection,
                protocol_state,
                ..
            } if entry.program() == "smtpd" => {
                let labels = [("after_stage", label::word(protocol_state))];
                self.add("postfix_smtpd_connections_lost_total", &labels, times);
            }
            Event::AuthFailure { sasl_method, .. } => {
                let service = label::word(entry.service());
                let labels = [("service", service), ("method", label::method(sasl_method))];
                self.add("postfix_login_failures_total", &labels, times);
                if entry.program() == "smtpd" {
                    self.add(
                        "postfix_smtpd_sasl_authentication_failures_total",
                        &[],
                        times,
                    );
                }
            }
            Event::Postscreen { action, .. } => {
                let labels = [("action", label::word(action))];
                self.add("postfix_postscreen_actions_total", &labels, times);
            }
            Event::Problem {
                level: Level::Warning,
                text,
            } => self.warning(entry, text, times),
            // Without a number of their own, or counted by what calls this.
            Event::Connect { .. }
            | Event::Disconnect { .. }
            | Event::Abort { .. }
            | Event::Tls { .. }
            | Event::Accept { .. }
            | Event::ProxyAccept { .. }
            | Event::Policy(_)
            | Event::Content(_)
            | Event::Refusal { .. }
            | Event::Problem { .. }
            | Event::Master { .. }
            | Event::Loss { .. }
            | Event::SuperSummary { .. }
            | Event::Neighbour(_)
            | Event::Pickup { .. }
            | Event::MessageId { .. }
            | Event::Active { .. }
            | Event::Delivery(_)
            | Event::Expired { .. }
            | Event::Removed { .. }
            | Event::Notification { .. }
            | Event::Super { .. }
            | Event::Corrupt { .. }
            | Event::Passing { .. }
            | Event::AttemptNote { .. }
            | Event::Note { .. }
            | Event::Ignored
            | Event::Foreign
            | Event::Other { .. } => {}
        }
    }

    /// A header or body check that refused.
    fn content(&mut self, entry: &Entry<'_>, content: &Content<'_>, times: u64) {
        let reason = content.reason.unwrap_or_default();
        let dsn = reason.split(' ').next().map(label::dsn);
        let labels = [
            ("service", label::word(entry.service())),
            ("stage", label::word(content.part)),
            ("code", ""),
            (
                "enhanced_code",
                dsn.filter(|dsn| *dsn != OTHER).unwrap_or_default(),
            ),
            ("rule", parse::content_class(content.part)),
        ];
        self.add("postfix_rejects_total", &labels, times);
        self.add("postfix_cleanup_messages_rejected_total", &[], times);
    }

    fn timeout(&mut self, entry: &Entry<'_>, reason: &str, times: u64) {
        if entry.program() == "smtp"
            && reason.starts_with("connect to ")
            && reason.ends_with("Connection timed out")
        {
            self.add("postfix_smtp_connection_timed_out_total", &[], times);
        }
    }

    fn warning(&mut self, entry: &Entry<'_>, text: &str, times: u64) {
        if entry.program() == "smtpd"
            && text.starts_with("hostname ")
            && text.contains(" does not resolve to address ")
        {
            self.add(
                "postfix_smtpd_forward_confirmed_reverse_dns_errors_total",
                &[],
                times,
            );
        }
    }

    fn tls(&mut self, entry: &Entry<'_>, direction: Direction, words: [&str; 3], times: u64) {
        let name = match direction {
            Direction::Inbound => "postfix_smtpd_tls_connections_total",
            Direction::Outbound => "postfix_smtp_tls_connections_total",
        };
        let [trust, protocol, cipher] = words.map(label::word);
        let (secret, algorithm) = bits(entry.text);
        let labels = [
            ("trust", trust),
            ("protocol", protocol),
            ("cipher", cipher),
            ("secret_bits", secret),
            ("algorithm_bits", algorithm),
        ];
        self.add(name, &labels, times);
    }

    fn policy(&mut self, entry: &Entry<'_>, p: &Policy<'_>, times: u64) {
        let service = label::word(entry.service());
        if p.action.starts_with("milter-") {
            let labels = [("service", service), ("action", label::word(p.action))];
            self.add("postfix_milter_actions_total", &labels, times);
        }
        if !matches!(
            p.action,
            "reject" | "milter-reject" | "proxy-reject" | "hangup"
        ) {
            return;
        }
        let code = p.reply_code.map_or(CompactString::const_new(""), |code| {
            code.to_compact_string()
        });
        let labels = [
            ("service", service),
            ("stage", label::word(p.protocol_state)),
            ("code", code.as_str()),
            ("enhanced_code", label::dsn(p.dsn.unwrap_or_default())),
            ("rule", p.rule),
        ];
        self.add("postfix_rejects_total", &labels, times);
        match entry.program() {
            "smtpd" => self.add(
                "postfix_smtpd_messages_rejected_total",
                &[("code", &code)],
                times,
            ),
            "cleanup" => self.add("postfix_cleanup_messages_not_accepted_total", &[], times),
            _ => {}
        }
    }

    /// Hands out what was counted, and begins anew.
    pub fn take(&mut self) -> Vec<Count> {
        let domains = std::mem::take(&mut self.domains);
        let done = std::mem::replace(
            self,
            Self {
                domains,
                ..Self::default()
            },
        );
        let mut out = Vec::new();
        done.plain(&mut out);
        done.by_agent(&mut out);
        done.delays(&mut out);
        done.recipients.write(
            "postfix_qmgr_messages_inserted_recipients",
            RECIPIENTS,
            &[],
            &mut out,
        );
        done.sizes.write(
            "postfix_qmgr_messages_inserted_size_bytes",
            SIZES,
            &[],
            &mut out,
        );
        for (source, bytes) in &done.bytes {
            out.push(of(
                "maillog_ingest_bytes_total",
                &[("source", source)],
                number(*bytes),
            ));
        }
        out.extend(done.rare.into_counts());
        // Which series exist may depend on the order in which they appear.
        out.sort_unstable_by(|a, b| (&a.name, &a.labels).cmp(&(&b.name, &b.labels)));
        out
    }

    fn delays(&self, out: &mut Vec<Count>) {
        for (stage, at) in STAGES.iter().zip(0..) {
            let stage = [("stage", *stage)];
            let write = |name, list: &[Buckets], labels: &[(&str, &str)], out: &mut Vec<Count>| {
                if let Some(buckets) = list.get(at) {
                    buckets.write(name, DELAYS, labels, out);
                }
            };
            write(
                "postfix_smtp_delivery_delay_seconds",
                &self.smtp_delays,
                &stage,
                out,
            );
            write(
                "postfix_lmtp_delivery_delay_seconds",
                &self.lmtp_delays,
                &stage,
                out,
            );
            for (relay, delays) in &self.pipe_delays {
                let labels = [("relay", relay.as_str()), ("stage", stage[0].1)];
                write("postfix_pipe_delivery_delay_seconds", delays, &labels, out);
            }
        }
    }

    fn plain(&self, out: &mut Vec<Count>) {
        let counts = [
            ("postfix_smtpd_connects_total", self.connects),
            ("postfix_smtpd_disconnects_total", self.disconnects),
            ("postfix_cleanup_messages_processed_total", self.cleaned),
            ("postfix_qmgr_messages_removed_total", self.removed),
        ];
        let counts = counts.into_iter().filter(|(_, value)| *value > 0);
        out.extend(counts.map(|(name, value)| of(name, &[], number(value))));
        if self.plain_accepts > 0 {
            let labels = [("sasl_method", "")];
            out.push(of(
                "postfix_smtpd_messages_processed_total",
                &labels,
                number(self.plain_accepts),
            ));
        }
    }

    fn by_agent(&self, out: &mut Vec<Count>) {
        for (agent, statuses) in AGENTS.iter().zip(&self.attempts) {
            for (status, count) in STATUSES
                .iter()
                .zip(statuses)
                .filter(|(_, count)| **count > 0)
            {
                let value = number(*count);
                let labels = [
                    ("agent", *agent),
                    ("direction", direction(agent)),
                    ("status", *status),
                ];
                out.push(of("postfix_deliveries_total", &labels, value));
                if *agent == "smtp" {
                    out.push(of(
                        "postfix_smtp_messages_processed_total",
                        &[("status", status)],
                        value,
                    ));
                }
                if (*agent, *status) == ("virtual", "sent") {
                    out.push(of("postfix_virtual_delivered_total", &[], value));
                }
            }
        }
    }
}

/// Returns where an agent takes mail.
fn direction(agent: &str) -> &'static str {
    match agent {
        "smtp" => "outbound",
        "lmtp" | "local" | "virtual" | "pipe" => "inbound",
        "error" | "discard" | "retry" => "none",
        _ => OTHER,
    }
}

/// Returns the severity word of a text that nobody understands.
fn level_of(text: &str) -> &'static str {
    let levels = ["warning", "error", "fatal", "panic"];
    let found = levels.into_iter().find(|level| {
        text.split_once(": ")
            .is_some_and(|(first, rest)| first == *level || rest.starts_with(*level))
    });
    found.unwrap_or("info")
}

/// Reads `(256/256 bits)` or `(128/128 bits)`; empty where there is none.
fn bits(text: &str) -> (&str, &str) {
    let found = text.find(" bits)").and_then(|end| {
        let (before, _) = text.split_at(end);
        before.rsplit_once('(')?.1.split_once('/')
    });
    let is_number = |s: &str| (1..=4).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_digit());
    found
        .filter(|(a, b)| is_number(a) && is_number(b))
        .unwrap_or(("", ""))
}

fn of(name: &str, labels: &[(&str, &str)], value: f64) -> Count {
    Count {
        name: name.to_owned(),
        labels: label::join(labels),
        value,
    }
}
