//! Status words: what may stand behind `status:` and `ever:`, by the kind of hit that has it.

use crate::model::row::{message_status, recipient_status};

/// Words of a recipient's status.
pub const RECIPIENT_STATUS: [&str; 15] = recipient_status::ALL;

/// Words of a message's status that no recipient has.
pub const MESSAGE_STATUS: [&str; 5] = [
    message_status::RECEIVING,
    message_status::QUEUED,
    message_status::DONE,
    message_status::CORRUPT,
    message_status::LOST,
];

/// Words of a refusal's status; `refused` stands for all of them, `not_accepted` for those that ask the client to come again.
pub const REFUSAL_STATUS: [&str; 5] = [
    "refused",
    "not_accepted",
    "reject",
    "milter-reject",
    "proxy-reject",
];

/// States of a recipient that another message carries on.
pub const HOPS: [&str; 4] = recipient_status::HOPS;
