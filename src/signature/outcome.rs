//! Outcome: what pyzor's client prints for the replies of servers, and its exit status.

use super::client::{Failure, Operation, Reply, quoted};
use super::home::Server;
use chrono::{Local, TimeZone};

/// Counts above which a digest is spam, and above which it is none in spite of that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Thresholds {
    /// Reports.
    pub report: i64,
    /// Reports as ham.
    pub whitelist: i64,
}

/// What was printed so far, and what it amounts to.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The lines.
    pub text: String,
    is_spam: bool,
    is_ham: bool,
    is_bad: bool,
}

impl Outcome {
    /// Adds the reply of a server.
    pub fn add(
        &mut self,
        operation: Operation,
        server: &Server,
        reply: &Result<Reply, Failure>,
        thresholds: Thresholds,
    ) {
        let reply = match reply {
            Ok(reply) => reply,
            Err(failure) => {
                self.text.push_str(&format!(
                    "{server}\t({}, {})\n",
                    failure.code,
                    quoted(&failure.text)
                ));
                self.is_bad = true;
                return;
            }
        };
        self.text.push_str(&format!(
            "{server}\t({}, {})",
            reply.code,
            quoted(&reply.diagnosis)
        ));
        let reply = Some(reply).filter(|reply| reply.is_ok());
        self.is_bad |= reply.is_none();
        match operation {
            Operation::Check | Operation::Pong => {
                let count = |name| reply.and_then(|reply| reply.number(name));
                if let (Some(report), Some(whitelist)) = (count("Count"), count("WL-Count")) {
                    self.text.push_str(&format!("\t{report}\t{whitelist}"));
                    if whitelist > thresholds.whitelist {
                        self.is_ham = true;
                    } else if report > thresholds.report {
                        self.is_spam = true;
                    }
                } else {
                    self.is_bad = true;
                    self.text.push('\t');
                }
            }
            Operation::Info => {
                self.text.push('\n');
                if let Some(reply) = reply {
                    self.info(reply);
                }
            }
            Operation::Ping | Operation::Report | Operation::Whitelist => {}
        }
        self.text.push('\n');
    }

    /// Adds what a check says of a digest that is in the local whitelist.
    pub fn add_known_good(&mut self, server: &Server) {
        self.text
            .push_str(&format!("{server}\t(200, 'OK')\t0\t0\n"));
    }

    fn info(&mut self, reply: &Reply) {
        for name in [
            "Count",
            "Entered",
            "Updated",
            "WL-Count",
            "WL-Entered",
            "WL-Updated",
        ] {
            let Some(number) = reply.number(name) else {
                continue;
            };
            let shown = match number {
                _ if name.ends_with("Count") => number.to_string(),
                -1 => "Never".to_owned(),
                _ => match Local.timestamp_opt(number, 0).single() {
                    Some(time) => time.format("%a %b %e %H:%M:%S %Y").to_string(),
                    None => number.to_string(),
                },
            };
            self.text.push_str(&format!("\t{name}: {shown}\n"));
        }
    }

    /// Returns whether pyzor would exit with 0: a check, if a digest is spam and none is ham; others, if all is well.
    #[must_use]
    pub const fn is_success(&self, operation: Operation) -> bool {
        match operation {
            Operation::Check | Operation::Pong => !self.is_bad && self.is_spam && !self.is_ham,
            _ => !self.is_bad,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server() -> Server {
        Server {
            host: "a.test".to_owned(),
            port: 24441,
        }
    }

    fn outcome(operation: Operation, replies: &[&str], thresholds: Thresholds) -> Outcome {
        let mut outcome = Outcome::default();
        for reply in replies {
            let reply = format!("PV: 2.1\nThread: 2000\n{reply}");
            outcome.add(
                operation,
                &server(),
                &Reply::parse(reply.as_bytes(), 2000),
                thresholds,
            );
        }
        outcome
    }

    #[test]
    fn a_check_says_the_counts_and_whether_it_is_spam() {
        let spam = "Code: 200\nDiag: OK\nCount: 3\nWL-Count: 0\n";
        let ham = "Code: 200\nDiag: OK\nCount: 3\nWL-Count: 1\n";
        let usual = Thresholds::default();
        let of = |replies: &[&str], thresholds| {
            outcome(Operation::Check, replies, thresholds).is_success(Operation::Check)
        };
        assert_eq!(
            outcome(Operation::Check, &[ham], usual).text,
            "a.test:24441\t(200, 'OK')\t3\t1\n"
        );
        assert!(
            of(&[spam], usual) && !of(&[ham], usual) && !of(&[spam, ham], usual) && !of(&[], usual)
        );
        assert!(!of(
            &[spam],
            Thresholds {
                report: 3,
                whitelist: 0
            }
        ));
        assert!(of(
            &[ham],
            Thresholds {
                report: 2,
                whitelist: 1
            }
        ));
        let refused = "Code: 403\nDiag: Forbidden: x\n";
        assert!(!of(&[spam, refused], usual));
        assert_eq!(
            outcome(Operation::Check, &[refused], usual).text,
            "a.test:24441\t(403, 'Forbidden: x')\t\n"
        );
    }

    #[test]
    fn others_succeed_if_all_is_well() {
        let fine = "Code: 200\nDiag: OK\n";
        assert_eq!(
            outcome(Operation::Ping, &[fine], Thresholds::default()).text,
            "a.test:24441\t(200, 'OK')\n"
        );
        assert!(
            outcome(Operation::Ping, &[fine], Thresholds::default()).is_success(Operation::Ping)
        );
        assert!(
            !outcome(Operation::Ping, &[fine, "x"], Thresholds::default())
                .is_success(Operation::Ping)
        );
    }

    #[test]
    fn info_names_what_the_server_said() {
        let info = "Code: 200\nDiag: OK\nCount: 2\nEntered: -1\nWL-Count: 0\n";
        let text = outcome(Operation::Info, &[info], Thresholds::default()).text;
        assert_eq!(
            text,
            "a.test:24441\t(200, 'OK')\n\tCount: 2\n\tEntered: Never\n\tWL-Count: 0\n\n"
        );
    }
}
