//! Action: what is to be done to which mails, which of them are left alone, and the record of what was done.

use super::mail::{Mail, Status};
use crate::model::time::Time;
use hashbrown::HashMap;
use serde::Serialize;

/// What can be done to a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Put aside.
    Hold,
    /// Take back into the deferred queue.
    Release,
    /// Give it a new queue file, and a new id.
    Requeue,
    /// Remove it; Postfix sends no notice.
    Delete,
    /// Return it to its sender at the next attempt.
    Expire,
    /// Try to deliver it now.
    Flush,
}

impl Verb {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Hold,
        Self::Release,
        Self::Requeue,
        Self::Delete,
        Self::Expire,
        Self::Flush,
    ];

    /// Returns its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::Release => "release",
            Self::Requeue => "requeue",
            Self::Delete => "delete",
            Self::Expire => "expire",
            Self::Flush => "flush",
        }
    }

    /// Returns the option of postsuper(1) that does it; none of what postqueue(1) does.
    #[must_use]
    pub const fn option(self) -> Option<&'static str> {
        match self {
            Self::Hold => Some("-h"),
            Self::Release => Some("-H"),
            Self::Requeue => Some("-r"),
            Self::Delete => Some("-d"),
            Self::Expire => Some("-e"),
            Self::Flush => None,
        }
    }

    /// Returns whether it changes anything of a mail in that queue.
    #[must_use]
    pub fn concerns(self, mail: &Mail) -> bool {
        match self {
            Self::Hold => mail.status != Status::Hold,
            Self::Release => mail.status == Status::Hold,
            Self::Expire => !mail.forced_expire,
            Self::Flush => mail.status == Status::Deferred,
            Self::Requeue | Self::Delete => true,
        }
    }

    /// Returns why a mail is passed over that it changes nothing of.
    #[must_use]
    pub const fn passes(self) -> &'static str {
        match self {
            Self::Hold => "on hold already",
            Self::Release => "not on hold",
            Self::Expire => "forced to expire already",
            Self::Flush => "not deferred",
            Self::Requeue | Self::Delete => "not concerned",
        }
    }

    /// Returns what the verb means, for people.
    #[must_use]
    pub const fn means(self) -> &'static str {
        match self {
            Self::Hold => "put on hold",
            Self::Release => "released from hold",
            Self::Requeue => "requeued (each gets a new id)",
            Self::Delete => "deleted (Postfix sends no notice)",
            Self::Expire => "returned at the next attempt",
            Self::Flush => "tried now",
        }
    }
}

/// The mails of a plan, after a second look at the queue.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// These are the same as before.
    pub same: Vec<String>,
    /// These have left the queue.
    pub gone: Vec<String>,
    /// These ids belong to other mails now.
    pub reused: Vec<String>,
}

/// Compares the mails of a plan with the queue as it is now.
pub fn check<'m>(planned: &[Mail], now: impl Iterator<Item = &'m Mail>) -> Checked {
    let mut found: HashMap<&str, &Mail> = HashMap::new();
    for mail in now {
        found.insert(&mail.queue_id, mail);
    }
    let mut checked = Checked::default();
    for mail in planned {
        let id = mail.queue_id.to_string();
        match found.get(mail.queue_id.as_str()) {
            None => checked.gone.push(id),
            Some(now) if now.is_same(mail) => checked.same.push(id),
            Some(_) => checked.reused.push(id),
        }
    }
    checked
}

/// What was done, by whom, when, to which mails, and what Postfix said.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Record {
    /// When.
    #[serde(skip)]
    pub time: Time,
    /// Who: the user, and who that was before sudo.
    pub user: String,
    /// What.
    pub action: &'static str,
    /// The instance, where it is not the default one.
    pub instance: Option<String>,
    /// The query as typed.
    pub query: String,
    /// To which mails.
    pub queue_ids: Vec<String>,
    /// Those that were left alone, because they had gone or their id was used again.
    pub left_alone: Vec<String>,
    /// It was done without an error.
    pub is_done: bool,
    /// What Postfix said.
    pub said: String,
}
