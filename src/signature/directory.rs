//! Directory: a home directory of pyzor: what its `config` sets, where its other files are, and what stands in them.

use super::account::{self, Accounts, Read};
use super::client::Client;
use super::home::{self, Server};
use anyhow::{Context, Result, bail};
use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

/// Home directory of a user without one.
const SYSTEM_HOME: &str = "/etc/pyzor";

/// Seconds that a reply is waited for.
const TIMEOUT: u64 = 5;

/// Reads a file; none if there is none.
///
/// # Errors
/// When there is one that cannot be read.
pub fn read(path: &Path) -> Result<Option<String>> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

/// Returns pyzor's home directory: the named one, else that of the user.
#[must_use]
pub fn usual(named: Option<&Path>) -> PathBuf {
    let of_user = || std::env::var_os("HOME").filter(|home| !home.is_empty());
    match (named, of_user()) {
        (Some(directory), _) => directory.to_owned(),
        (None, Some(home)) => Path::new(&home).join(".pyzor"),
        (None, None) => PathBuf::from(SYSTEM_HOME),
    }
}

/// What an option and a setting of the same meaning are called, and what holds without both.
#[derive(Debug, Clone, Copy)]
pub struct Named<'n> {
    /// The option, if it is given.
    pub option: Option<&'n Path>,
    /// Name of the setting, in lower case.
    pub setting: &'n str,
    /// The usual name; empty: none.
    pub usual: &'n str,
}

/// A home directory and one section of its `config`.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    settings: HashMap<String, String>,
}

impl Directory {
    /// Reads the section of the file `config`; without one all is as usual.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn open(path: PathBuf, section: &str) -> Result<Self> {
        let text = read(&path.join("config"))?.unwrap_or_default();
        Ok(Self {
            settings: home::settings(&text, section),
            path,
        })
    }

    /// Returns its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns a setting that says something.
    #[must_use]
    pub fn text(&self, setting: &str) -> Option<&str> {
        let text = self.settings.get(setting).map(|text| text.trim());
        text.filter(|text| !text.is_empty())
    }

    /// Returns a file by its option, setting or usual name, relative to the directory; none if none of them names one.
    #[must_use]
    pub fn file(&self, named: Named) -> Option<PathBuf> {
        let usual = Some(named.usual).filter(|usual| !usual.is_empty());
        let name = named.option;
        let name = name.or_else(|| self.text(named.setting).or(usual).map(Path::new))?;
        Some(match (name.strip_prefix("~"), std::env::var_os("HOME")) {
            (Ok(rest), Some(home)) => Path::new(&home).join(rest),
            _ => self.path.join(name),
        })
    }

    /// Returns a number by its option, setting or usual value.
    ///
    /// # Errors
    /// When the setting is no such number.
    pub fn number<N: FromStr>(&self, option: Option<N>, setting: &str, usual: N) -> Result<N> {
        match (option, self.text(setting)) {
            (Some(number), _) => Ok(number),
            (None, None) => Ok(usual),
            (None, Some(text)) => match text.parse() {
                Ok(number) => Ok(number),
                Err(_) => bail!(
                    "{}: {setting} is no number that can be used: {text}",
                    self.path.join("config").display()
                ),
            },
        }
    }

    /// Returns the servers that its file names, and tells which lines are wrong.
    ///
    /// # Errors
    /// When the file cannot be read, or names none.
    pub fn servers(&self, option: Option<&Path>, tell: impl Fn(&str)) -> Result<Vec<Server>> {
        let path = self.file(Named {
            option,
            setting: "serversfile",
            usual: "servers",
        });
        let path = path.unwrap_or_default();
        let servers = list(
            &path,
            home::servers(&read(&path)?.unwrap_or_default()),
            tell,
        );
        if servers.is_empty() {
            bail!(
                "no server is named: write host:port into {} (pyzor's own is public.pyzor.org:24441)",
                path.display()
            );
        }
        Ok(servers)
    }

    /// Returns what asks them, and tells which lines of the accounts are wrong.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn client(
        &self,
        option: Option<&Path>,
        timeout: Option<u64>,
        tell: impl Fn(&str),
    ) -> Result<Client> {
        let path = self.file(Named {
            option,
            setting: "accountsfile",
            usual: "accounts",
        });
        let path = path.unwrap_or_default();
        let accounts = match read(&path)? {
            Some(text) => list(&path, account::accounts(&text), tell),
            None => Accounts::new(),
        };
        // No time at all would wait for ever.
        let seconds = self.number(timeout, "timeout", TIMEOUT)?.max(1);
        Ok(Client {
            accounts,
            timeout: Duration::from_secs(seconds),
            trace: None,
        })
    }
}

fn list<T>(path: &Path, lines: Read<T>, tell: impl Fn(&str)) -> T {
    for (line, why) in lines.wrong {
        tell(&format!(
            "{}: line {line} is skipped: {why}",
            path.display()
        ));
    }
    lines.list
}
