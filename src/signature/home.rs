//! The files of a home directory of pyzor: `config`, `servers`, `whitelist`.

use super::account::Read;
use std::collections::{BTreeSet, HashMap};
use std::fmt;

/// The port of pyzor's protocol.
pub const PORT: u16 = 24441;

/// A server.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Server {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
}

impl fmt::Display for Server {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.host, self.port)
    }
}

/// Reads `host:port` lines; an IPv6 address stands in brackets.
#[must_use]
pub fn servers(text: &str) -> Read<Vec<Server>> {
    let mut read = Read::<Vec<Server>>::default();
    for (place, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let server = line.rsplit_once(':').and_then(|(host, port)| {
            let inner = host
                .strip_prefix('[')
                .and_then(|host| host.strip_suffix(']'));
            let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
            let host = inner
                .or_else(|| (!host.is_empty() && host.chars().all(is_name)).then_some(host))?;
            let port = port.parse().ok()?;
            Some(Server {
                host: host.to_owned(),
                port,
            })
        });
        match server {
            Some(server) => read.list.push(server),
            None => read.wrong.push((place + 1, "a line is `host:port`")),
        }
    }
    read
}

/// Reads a local whitelist: digests, with comments after `#`.
#[must_use]
pub fn whitelist(text: &str) -> BTreeSet<String> {
    let digest = |line: &str| line.split('#').next().unwrap_or_default().trim().to_owned();
    text.lines()
        .map(digest)
        .filter(|digest| !digest.is_empty())
        .collect()
}

/// Returns the settings of a section of `config`, by their names in lower case.
#[must_use]
pub fn settings(text: &str, section: &str) -> HashMap<String, String> {
    let mut settings: HashMap<String, String> = HashMap::new();
    let (mut is_here, mut last) = (false, String::new());
    for line in text.lines() {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        if line.starts_with([' ', '\t'])
            && let Some(value) = settings.get_mut(&last).filter(|_| is_here)
        {
            value.push('\n');
            value.push_str(trimmed);
            continue;
        }
        if let Some(name) = trimmed
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            is_here = name == section;
            last.clear();
        } else if is_here {
            let (name, value) = trimmed.split_once(['=', ':']).unwrap_or((trimmed, ""));
            last = name.trim().to_lowercase();
            settings.insert(last.clone(), value.trim().replace("%%", "%"));
        }
    }
    settings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_read_and_wrong_lines_are_told() {
        let read = servers("# x\npublic.test:24441\n [::1]:25 \nhost\nhost:port\n::1:5\n");
        let all: Vec<String> = read.list.iter().map(ToString::to_string).collect();
        assert_eq!(all, ["public.test:24441", "::1:25"]);
        assert_eq!(
            read.wrong.iter().map(|wrong| wrong.0).collect::<Vec<_>>(),
            [4, 5, 6]
        );
    }

    #[test]
    fn settings_of_the_section_are_read() {
        let text = "[server]\nPort=1\n[client]\n; x\nTimeout : 7\nServersFile = a=b\nLogFile=\nStyle = x\n  y\n[other]\nPort=2\n";
        let settings = settings(text, "client");
        assert_eq!(settings["timeout"], "7");
        assert_eq!(settings["serversfile"], "a=b");
        assert_eq!((&*settings["logfile"], &*settings["style"]), ("", "x\ny"));
        assert_eq!(settings.len(), 4);
    }

    #[test]
    fn comments_of_a_local_whitelist_are_left_out() {
        let list = whitelist("abc # a friend\n\n# none\n def\n");
        assert_eq!(list.into_iter().collect::<Vec<_>>(), ["abc", "def"]);
    }
}
