//! Neighbour: what mail stores and filters did with a mail, in words. They are never Postfix's words.

use super::escape::terminal;
use super::row::Row;
use super::story::Chain;
use super::verdict::same_id;
use super::words::prefixed;

/// What a store did with what it was handed for one recipient.
pub(super) struct Stored {
    program: String,
    deeds: Vec<String>,
    /// It lies in the inbox as everybody expects.
    is_usual: bool,
}

impl Stored {
    /// Returns what is known of the recipient's mail; none where no store is.
    pub(super) fn of(chain: &Chain<'_>, recipient: &Row<'_>) -> Option<Self> {
        let of_it: Vec<&Row<'_>> = chain
            .neighbours
            .iter()
            .filter(|n| same_id(n.int("to_id"), recipient.int("id")))
            .collect();
        let program = of_it.first()?.text("program");
        // A mail that was discarded "if not explicitly delivered" may have been delivered explicitly.
        let is_kept = of_it.iter().any(|n| n.raw("action") == Some("stored"));
        let told = of_it
            .iter()
            .filter(|n| !(is_kept && n.raw("action") == Some("discarded")));
        let mut deeds: Vec<String> = Vec::new();
        for deed in told.map(|n| deed(n)) {
            if !deeds.contains(&deed) {
                deeds.push(deed);
            }
        }
        let is_usual = deeds.len() == 1 && deeds.iter().all(|deed| deed.ends_with("'INBOX'"));
        Some(Self {
            program,
            deeds,
            is_usual,
        })
    }

    /// Returns whether the mail is not simply in the inbox.
    pub(super) fn is_special(&self) -> bool {
        !self.is_usual
    }

    /// Returns `dovecot, which discarded it`.
    pub(super) fn told(&self) -> String {
        format!("{}, which {}", self.program, self.deeds.join(" and "))
    }

    /// Returns `dovecot: discarded it`.
    pub(super) fn fact(&self) -> String {
        format!("{}: {}", self.program, self.deeds.join(", "))
    }
}

/// Returns what the row says that was done.
fn deed(n: &Row<'_>) -> String {
    let detail = n.text("detail");
    match n.raw("action").unwrap_or_default() {
        "stored" if detail.is_empty() => "filed it".to_owned(),
        "stored" => format!("filed it in '{detail}'"),
        "discarded" => "discarded it".to_owned(),
        "redirected" => format!("redirected it{}", prefixed(" to ", &detail)),
        "rejected" if detail.is_empty() => "rejected it".to_owned(),
        "rejected" => format!("rejected it ({detail})"),
        "duplicate" => format!("dropped it as a duplicate{}", prefixed(" for ", &detail)),
        "failed" => format!("could not store it{}", prefixed(": ", &detail)),
        "replied" => format!("sent an absence note{}", prefixed(" to ", &detail)),
        "no_reply" => format!("sent no absence note{}", prefixed(" to ", &detail)),
        "notified" => format!("notified{}", prefixed(" ", &detail)),
        "piped" => format!("piped it{}", prefixed(" to ", &detail)),
        "other" => format!("said: {detail}"),
        verdict => terminal(verdict).into_owned(),
    }
}

/// Returns the line of the timeline: `bob@example.org dovecot filed it in 'Junk'`, `rspamd: soft reject, score 4.54 of 15`.
pub(super) fn line(chain: &Chain<'_>, n: &Row<'_>) -> String {
    let program = n.text("program");
    let to = chain
        .recipients
        .iter()
        .find(|r| same_id(r.int("id"), n.int("to_id")));
    if let Some(to) = to {
        return format!("{} {program} {}", to.address("recipient"), deed(n));
    }
    let detail = n.text("detail");
    let score = match detail.split_once('/') {
        Some((score, most)) => format!(", score {} of {}", plain(score), plain(most)),
        None => prefixed(", score ", &detail),
    };
    format!("{program}: {}{score}", deed(n))
}

/// Takes the noughts off behind the point.
fn plain(number: &str) -> &str {
    if number.contains('.') {
        number.trim_end_matches('0').trim_end_matches('.')
    } else {
        number
    }
}
