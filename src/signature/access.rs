//! Access: which user may do what; the file `access` of a server.
//!
//! A line is `operations : users : allow|deny`; the last line that matches decides; without one, no. The line is in
//! lower case whatever is written, so that users with capitals are reached by `all` only. `all` users are those with a
//! key, not the anonymous one.

use super::account::{Keys, Read, lines};
use super::message::ANONYMOUS;
use std::collections::{HashMap, HashSet};

/// All operations.
pub const OPERATIONS: [&str; 6] = ["check", "report", "ping", "pong", "info", "whitelist"];

/// What the anonymous user may do without a file.
const WITHOUT_FILE: [&str; 5] = ["check", "report", "ping", "pong", "info"];

/// Who may do what.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Access(HashMap<String, HashSet<String>>);

impl Access {
    /// Returns what holds without a file.
    #[must_use]
    pub fn without_file() -> Self {
        let operations = WITHOUT_FILE.iter().map(|operation| (*operation).to_owned());
        Self(HashMap::from([(
            ANONYMOUS.to_owned(),
            operations.collect(),
        )]))
    }

    /// Reads a file.
    #[must_use]
    pub fn parse(text: &str, keys: &Keys) -> Read<Self> {
        let mut read = Read::<Self>::default();
        for (number, line) in lines(text) {
            let line = line.to_lowercase();
            let parts: Vec<&str> = line.split(':').map(str::trim).collect();
            let (operations, users, is_allowed) = match parts[..] {
                [operations, users, "allow"] => (operations, users, true),
                [operations, users, "deny"] => (operations, users, false),
                _ => {
                    read.wrong
                        .push((number, "a line is `operations : users : allow|deny`"));
                    continue;
                }
            };
            let operations: Vec<&str> = match operations {
                "all" => OPERATIONS.to_vec(),
                list => list.split_whitespace().collect(),
            };
            let users: Vec<&str> = match users {
                "all" => keys.keys().map(String::as_str).collect(),
                list => list.split_whitespace().collect(),
            };
            for user in users {
                let allowed = read.list.0.entry(user.to_owned()).or_default();
                for operation in &operations {
                    if is_allowed {
                        allowed.insert((*operation).to_owned());
                    } else {
                        allowed.remove(*operation);
                    }
                }
            }
        }
        read
    }

    /// Returns whether a user may do this.
    #[must_use]
    pub fn allows(&self, user: &str, operation: &str) -> bool {
        self.0
            .get(user)
            .is_some_and(|allowed| allowed.contains(operation))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_that_matches_decides() {
        let keys = Keys::from([
            ("bob".to_owned(), String::new()),
            ("Eve".to_owned(), String::new()),
        ]);
        let text = "all : bob : allow\n# all : bob : deny\nREPORT : all : deny\ncheck Pong : anonymous eve : Allow\nx\ncheck : all : maybe\nping : all : allow\n";
        let read = Access::parse(text, &keys);
        let access = read.list;
        assert!(access.allows("bob", "whitelist") && !access.allows("bob", "report"));
        assert!(access.allows("anonymous", "pong") && !access.allows("anonymous", "ping"));
        assert!(
            access.allows("eve", "check")
                && !access.allows("Eve", "check")
                && access.allows("Eve", "ping")
        );
        assert_eq!(
            read.wrong.iter().map(|wrong| wrong.0).collect::<Vec<_>>(),
            [5, 6]
        );
    }

    #[test]
    fn without_a_file_only_the_anonymous_user_may_and_not_whitelist() {
        let access = Access::without_file();
        assert!(access.allows("anonymous", "report") && !access.allows("anonymous", "whitelist"));
        assert!(!access.allows("bob", "ping"));
    }
}
