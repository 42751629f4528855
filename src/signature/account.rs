//! Accounts: who may sign. The files `passwd` of a server and `accounts` of a client, and the keys in them.

use super::hex;
use sha1::{Digest as _, Sha1};
use std::collections::HashMap;

/// What a file had, and which of its lines were wrong.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Read<T> {
    /// What was read.
    pub list: T,
    /// Numbers of the lines that are skipped, and why.
    pub wrong: Vec<(usize, &'static str)>,
}

/// Users of a server and their keys.
pub type Keys = HashMap<String, String>;

/// Returns the lines that are no comments, with their numbers. A comment begins in the first column.
pub(super) fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text
        .lines()
        .enumerate()
        .map(|(place, line)| (place + 1, line));
    lines.filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'))
}

/// Reads `user : key` lines.
#[must_use]
pub fn keys(text: &str) -> Read<Keys> {
    let mut read = Read::<Keys>::default();
    for (number, line) in lines(text) {
        match line.split(':').map(str::trim).collect::<Vec<_>>()[..] {
            [user, key] => {
                read.list.insert(user.to_owned(), key.to_owned());
            }
            _ => read.wrong.push((number, "a line is `user : key`")),
        }
    }
    read
}

/// The account that a client has with a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The user.
    pub user: String,
    /// The key, in hexadecimal.
    pub key: String,
}

/// Accounts by host and port.
pub type Accounts = HashMap<(String, u16), Account>;

/// Reads `host : port : user : salt,key` lines.
#[must_use]
pub fn accounts(text: &str) -> Read<Accounts> {
    let mut read = Read::<Accounts>::default();
    for (place, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match account(line) {
            Ok((server, account)) => {
                read.list.insert(server, account);
            }
            Err(why) => read.wrong.push((place + 1, why)),
        }
    }
    read
}

fn account(line: &str) -> Result<((String, u16), Account), &'static str> {
    const FORM: &str = "a line is `host : port : user : salt,key`";
    let mut parts = line.rsplitn(4, ':').map(str::trim);
    let (Some(key), Some(user), Some(port), Some(host)) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(FORM);
    };
    let port = port
        .parse()
        .map_err(|_| "the port is no number from 0 to 65535")?;
    let (salt, key) = key
        .split_once(',')
        .filter(|(_, key)| !key.contains(','))
        .ok_or(FORM)?;
    if salt.is_empty() && key.is_empty() {
        return Err("neither salt nor key is given");
    }
    let host = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    let account = Account {
        user: user.to_owned(),
        key: key.to_owned(),
    };
    Ok(((host.to_owned(), port), account))
}

/// Returns salt and key, made of random bytes and a passphrase, as `genkey` prints them.
#[must_use]
pub fn generate(random: &[u8], passphrase: &str) -> (String, String) {
    let salt = Sha1::digest(random);
    let mut key = Sha1::new();
    key.update(salt);
    key.update(passphrase.as_bytes());
    (hex(&salt), hex(&key.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_and_wrong_lines_are_told() {
        let read = keys("# bob : x\nbob : cf88\n  \nbad line\nAlice:01 \na:b:c\n");
        assert_eq!(read.list.len(), 2);
        assert_eq!(read.list["Alice"], "01");
        assert_eq!(
            read.wrong.iter().map(|wrong| wrong.0).collect::<Vec<_>>(),
            [4, 6]
        );
    }

    #[test]
    fn accounts_are_read_and_wrong_lines_are_told() {
        let text = "a.test : 24441 : bob : 11,22\n #\nb.test:x:bob:1,2\nb.test:1:bob:12\nb.test:1:bob:,\n[2001:db8::1] : 2 : u : ,9\n";
        let read = accounts(text);
        let account = |user: &str, key: &str| Account {
            user: user.to_owned(),
            key: key.to_owned(),
        };
        assert_eq!(
            read.list[&("a.test".to_owned(), 24441)],
            account("bob", "22")
        );
        assert_eq!(read.list[&("2001:db8::1".to_owned(), 2)], account("u", "9"));
        assert_eq!(
            read.wrong.iter().map(|wrong| wrong.0).collect::<Vec<_>>(),
            [3, 4, 5]
        );
    }

    #[test]
    fn a_key_is_made_of_salt_and_passphrase() {
        let (salt, key) = generate(b"random", "secret");
        let wanted = Sha1::digest([Sha1::digest(b"random").as_slice(), b"secret"].concat());
        assert_eq!((salt.len(), key), (40, hex(&wanted)));
    }
}
