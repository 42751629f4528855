//! Usual: which figures left their usual range.
//!
//! The usual range of a figure is from the least to the most of the spans before that can be compared. What is outside of it is worth a
//! sentence only when it is outside by more than chance: counts scatter by about their square root, one bounce instead of none is
//! nothing, and few spans tell less than many.

/// A figure and what it was before.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// Which.
    pub kind: Kind,
    /// Whose: a domain, a host, a class; empty for the sum.
    pub subject: String,
    /// In the span that is reported.
    pub now: f64,
    /// In the spans before, the newest first; none where it is not known.
    pub before: Vec<Option<f64>>,
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the words are in `Kind::words`")]
pub enum Kind {
    Panics,
    Fatals,
    Bounced,
    Expired,
    Deferrals,
    Logins,
    FailedLogins,
    LoginMail,
    Rejected,
    Warnings,
    Received,
    Delivered,
    Delay,
    Connections,
    Bytes,
}

impl Kind {
    /// All of them, in the order of reading.
    pub const ALL: [Self; 15] = [
        Self::Received,
        Self::Bytes,
        Self::Delivered,
        Self::Deferrals,
        Self::Bounced,
        Self::Expired,
        Self::Rejected,
        Self::Delay,
        Self::Connections,
        Self::Logins,
        Self::FailedLogins,
        Self::LoginMail,
        Self::Warnings,
        Self::Fatals,
        Self::Panics,
    ];

    /// Returns the name for programs, also in the statement that counts it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Bytes => "bytes_received",
            Self::Delivered => "delivered",
            Self::Deferrals => "deferrals",
            Self::Bounced => "bounced",
            Self::Expired => "expired",
            Self::Rejected => "rejected",
            Self::Delay => "delay_p90",
            Self::Connections => "connections",
            Self::Logins => "logins",
            Self::FailedLogins => "failed_logins",
            Self::LoginMail => "recipients_of_login",
            Self::Warnings => "warnings",
            Self::Fatals => "fatals",
            Self::Panics => "panics",
        }
    }

    /// Returns the kind of that name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Returns the words for a sentence, about the subject if there is one.
    #[must_use]
    pub fn words(self, subject: &str) -> String {
        let (word, of) = match self {
            Self::Received => ("mail received", " by "),
            Self::Bytes => ("bytes received", " by "),
            Self::Delivered => ("recipients delivered", " at "),
            Self::Deferrals => ("deferrals", " to "),
            Self::Bounced => ("bounces", " to "),
            Self::Expired => ("expired recipients", " at "),
            Self::Rejected => ("refusals", " by rule "),
            Self::Delay => (
                "delay that nine of ten deliveries stayed below, in seconds",
                " to ",
            ),
            Self::Connections => ("connections of clients", " to "),
            Self::Logins => ("logins", " of "),
            Self::FailedLogins => ("failed logins", " from "),
            Self::LoginMail => ("recipients of mail by logins", ", login "),
            Self::Warnings => ("warnings of Postfix", " on "),
            Self::Fatals => ("fatal errors of Postfix", " on "),
            Self::Panics => ("panics of Postfix", " on "),
        };
        if subject.is_empty() {
            word.to_owned()
        } else {
            format!("{word}{of}{subject}")
        }
    }

    /// Returns whether less than usual is worth a sentence: where mail stays away.
    const fn may_fall(self) -> bool {
        matches!(self, Self::Received | Self::Delivered | Self::Logins)
    }
}

/// What is usual.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    /// The least of the spans before.
    pub least: f64,
    /// The most.
    pub most: f64,
    /// How many there are.
    pub spans: usize,
}

/// Fewer spans than this tell nothing of what is usual.
pub const LEAST_SPANS: usize = 2;

/// Counts that are no further apart are the same: one is not an alarm where there was none.
const NOTHING: f64 = 5.0;

/// Seconds of a delay that nobody minds.
const NO_DELAY: f64 = 5.0;

impl Figure {
    /// Returns what is usual; none where too little is known.
    #[must_use]
    pub fn range(&self) -> Option<Range> {
        let known: Vec<f64> = self.before.iter().flatten().copied().collect();
        let least = known.iter().copied().reduce(f64::min)?;
        let most = known.iter().copied().reduce(f64::max)?;
        (known.len() >= LEAST_SPANS).then_some(Range {
            least,
            most,
            spans: known.len(),
        })
    }

    /// Returns how far outside of its usual range the figure is, in multiples of what chance explains; none where it is inside.
    #[must_use]
    pub fn excess(&self) -> Option<f64> {
        let range = self.range()?;
        let doubt = match range.spans {
            0..=2 => 1.5,
            3 => 1.25,
            _ => 1.0,
        };
        let spread = range.most - range.least;
        let slack = |of: f64| match self.kind {
            Kind::Delay => NO_DELAY.max(of).max(spread) * doubt,
            // Large mails come in threes.
            Kind::Bytes => (of * 0.5).max(spread).max(1e6) * doubt,
            // None is the rule, so few are many.
            Kind::Panics | Kind::Fatals if of == 0.0 => 0.5,
            _ => {
                NOTHING
                    .max(3.0 * of.max(0.0).sqrt())
                    .max(spread)
                    .max(0.2 * of)
                    * doubt
            }
        };
        if self.now > range.most + slack(range.most) {
            return Some((self.now - range.most) / slack(range.most));
        }
        let is_low = self.kind.may_fall() && self.now < range.least - slack(range.least);
        is_low.then(|| (range.least - self.now) / slack(range.least))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(kind: Kind, now: f64, before: &[Option<f64>]) -> Figure {
        Figure {
            kind,
            subject: String::new(),
            now,
            before: before.to_vec(),
        }
    }

    fn strays(kind: Kind, now: f64, before: &[f64]) -> bool {
        let before: Vec<_> = before.iter().map(|n| Some(*n)).collect();
        figure(kind, now, &before).excess().is_some()
    }

    #[test]
    fn few_are_no_alarm_and_many_are() {
        assert!(!strays(Kind::Bounced, 1.0, &[0.0; 4]));
        assert!(!strays(Kind::Bounced, 5.0, &[0.0; 4]));
        assert!(strays(Kind::Bounced, 6.0, &[0.0; 4]));
        assert!(!strays(Kind::Bounced, 8.0, &[0.0, 1.0, 3.0, 2.0]));
        assert!(strays(Kind::Bounced, 41.0, &[0.0, 1.0, 3.0, 2.0]));
        assert!(!strays(
            Kind::Rejected,
            1150.0,
            &[900.0, 1000.0, 1100.0, 950.0]
        ));
        assert!(strays(
            Kind::Rejected,
            1500.0,
            &[900.0, 1000.0, 1100.0, 950.0]
        ));
        assert!(strays(Kind::Fatals, 1.0, &[0.0; 4]));
        assert!(!strays(Kind::Fatals, 3.0, &[2.0; 4]));
    }

    #[test]
    fn less_mail_is_an_alarm_and_fewer_bounces_are_none() {
        assert!(strays(Kind::Received, 0.0, &[100.0, 120.0, 90.0, 110.0]));
        assert!(strays(
            Kind::Received,
            500.0,
            &[1000.0, 1020.0, 990.0, 1010.0]
        ));
        assert!(!strays(
            Kind::Received,
            850.0,
            &[1000.0, 1020.0, 990.0, 1010.0]
        ));
        assert!(!strays(Kind::Received, 0.0, &[3.0, 2.0, 4.0, 5.0]));
        assert!(!strays(Kind::Bounced, 0.0, &[100.0, 120.0, 90.0, 110.0]));
    }

    #[test]
    fn little_history_says_less() {
        let one = figure(Kind::Bounced, 1000.0, &[Some(0.0), None, None, None]);
        assert!(one.range().is_none() && one.excess().is_none());
        let two = |now| figure(Kind::Bounced, now, &[None, Some(0.0), None, Some(0.0)]);
        assert!(two(7.0).excess().is_none());
        assert!(two(8.0).excess().is_some());
        // What is not known is not nothing.
        assert_eq!(
            figure(Kind::Received, 1.0, &[Some(9.0), None, Some(7.0)]).range(),
            Some(Range {
                least: 7.0,
                most: 9.0,
                spans: 2
            })
        );
    }
}
