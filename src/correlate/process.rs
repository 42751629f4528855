//! Process: what wrote a line, as the key of what is known of it.

use super::{Line, text};
use crate::model::event::Client;
use crate::model::row::Text;
use hashbrown::Equivalent;
use serde::{Deserialize, Serialize};
use std::hash::{Hash, Hasher};

/// One process; for postscreen, which serves all clients in one process, one client.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Key {
    pub(super) host: u32,
    pub(super) ident: Text,
    pid: u32,
    address: Text,
}

/// The same, borrowed.
#[derive(Clone, Copy)]
pub(super) struct KeyRef<'a> {
    pub(super) host: u32,
    ident: &'a str,
    pid: u32,
    address: &'a str,
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.borrow().hash(state);
    }
}

impl Hash for KeyRef<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.host, self.ident, self.pid, self.address).hash(state);
    }
}

impl Equivalent<Key> for KeyRef<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        self.host == key.host
            && self.pid == key.pid
            && key.ident == self.ident
            && key.address == self.address
    }
}

impl Key {
    fn borrow(&self) -> KeyRef<'_> {
        KeyRef {
            host: self.host,
            ident: &self.ident,
            pid: self.pid,
            address: &self.address,
        }
    }
}

impl From<&KeyRef<'_>> for Key {
    fn from(key: &KeyRef<'_>) -> Self {
        Self {
            host: key.host,
            ident: text(key.ident),
            pid: key.pid,
            address: text(key.address),
        }
    }
}

/// Returns the process that wrote a line; for postscreen, its client.
pub(super) fn key<'a>(line: &Line<'a>, client: &Client<'a>) -> KeyRef<'a> {
    let is_screen = line.entry.program() == "postscreen";
    KeyRef {
        host: line.host,
        ident: line.entry.ident,
        // The port identifies a client of postscreen; all clients have one pid.
        pid: if is_screen {
            client.port.map_or(0, u32::from)
        } else {
            line.entry.pid.unwrap_or(0)
        },
        address: if is_screen { client.address } else { "" },
    }
}
