//! Options of the client, and the files of its home directory that they name.

use crate::notice::{self, Level};
use crate::signature::account::{self, Accounts, Read as Lines};
use crate::signature::home::{self, Server};
use crate::signature::outcome::Thresholds;
use crate::signature::{client::Client, digest, mbox};
use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use std::collections::HashMap;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Home directory of a user without one.
const SYSTEM_HOME: &str = "/etc/pyzor";

/// Bytes of standard input that are read at most: more is no mail.
const LARGEST: u64 = 1 << 30;

/// Form of standard input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Style {
    /// One mail
    Msg,
    /// Mails in an mbox
    Mbox,
    /// Digests, one on each line
    Digests,
}

/// Options of the client's commands; each is a setting in `config`, too.
#[derive(Debug, Clone, Args)]
pub(super) struct Options {
    /// Directory with the files config, servers, accounts and whitelist [default: ~/.pyzor]
    #[arg(long, global = true, value_name = "DIR", hide_short_help = true)]
    pub(super) homedir: Option<PathBuf>,
    /// Form of standard input
    #[arg(
        short,
        long,
        global = true,
        value_enum,
        value_name = "STYLE",
        hide_short_help = true
    )]
    style: Option<Style>,
    /// File with the servers, host:port on each line [default: servers]
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    servers_file: Option<PathBuf>,
    /// File with the accounts, host : port : user : salt,key on each line [default: accounts]
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    accounts_file: Option<PathBuf>,
    /// File with digests that are no spam [default: whitelist]
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    local_whitelist: Option<PathBuf>,
    /// Seconds to wait for a reply [default: 5]
    #[arg(
        short,
        long,
        global = true,
        value_name = "SECONDS",
        hide_short_help = true
    )]
    timeout: Option<u64>,
    /// Mail is spam if it was reported more often than this [default: 0]
    #[arg(
        short,
        long,
        global = true,
        value_name = "NUMBER",
        hide_short_help = true
    )]
    report_threshold: Option<i64>,
    /// Mail is no spam if it was reported as ham more often than this [default: 0]
    #[arg(
        short,
        long,
        global = true,
        value_name = "NUMBER",
        hide_short_help = true
    )]
    whitelist_threshold: Option<i64>,
}

/// Reads a file; none if there is none.
pub(super) fn read(path: &Path) -> Result<Option<String>> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

fn list<T>(path: &Path, lines: Lines<T>) -> T {
    for (line, why) in lines.wrong {
        let text = format!("{}: line {line} is skipped: {why}", path.display());
        notice::tell(Level::Warning, &text);
    }
    lines.list
}

/// Returns pyzor's home directory.
pub(super) fn directory(named: Option<&Path>) -> PathBuf {
    let of_user = || std::env::var_os("HOME").filter(|home| !home.is_empty());
    match (named, of_user()) {
        (Some(directory), _) => directory.to_owned(),
        (None, Some(home)) => Path::new(&home).join(".pyzor"),
        (None, None) => PathBuf::from(SYSTEM_HOME),
    }
}

/// What the options and the files say.
pub(super) struct Home {
    directory: PathBuf,
    settings: HashMap<String, String>,
    options: Options,
}

impl Home {
    /// Reads the file `config`.
    pub(super) fn new(options: &Options) -> Result<Self> {
        let directory = directory(options.homedir.as_deref());
        let text = read(&directory.join("config"))?.unwrap_or_default();
        Ok(Self {
            settings: home::settings(&text, "client"),
            directory,
            options: options.clone(),
        })
    }

    /// Returns a file by its option, setting or usual name; relative to the home directory.
    fn file(&self, option: Option<&PathBuf>, setting: &str, usual: &str) -> PathBuf {
        let set = self.settings.get(setting).filter(|set| !set.is_empty());
        let path = match (option, set) {
            (Some(path), _) => path.clone(),
            (None, Some(path)) => PathBuf::from(path),
            (None, None) => PathBuf::from(usual),
        };
        match (path.strip_prefix("~"), std::env::var_os("HOME")) {
            (Ok(rest), Some(home)) => Path::new(&home).join(rest),
            _ => self.directory.join(path),
        }
    }

    fn number<N: std::str::FromStr + Copy>(
        &self,
        option: Option<N>,
        setting: &str,
        usual: N,
    ) -> Result<N> {
        match (option, self.settings.get(setting)) {
            (Some(number), _) => Ok(number),
            (None, None) => Ok(usual),
            (None, Some(text)) => match text.trim().parse() {
                Ok(number) => Ok(number),
                Err(_) => bail!(
                    "{}: {setting} is no number: {text}",
                    self.directory.join("config").display()
                ),
            },
        }
    }

    /// Returns the servers to ask.
    pub(super) fn servers(&self) -> Result<Vec<Server>> {
        let path = self.file(self.options.servers_file.as_ref(), "serversfile", "servers");
        let servers = list(&path, home::servers(&read(&path)?.unwrap_or_default()));
        if servers.is_empty() {
            bail!(
                "no server to ask: write host:port into {} (pyzor's own is public.pyzor.org:24441)",
                path.display()
            );
        }
        Ok(servers)
    }

    /// Returns what asks them.
    pub(super) fn client(&self) -> Result<Client> {
        let path = self.file(
            self.options.accounts_file.as_ref(),
            "accountsfile",
            "accounts",
        );
        let accounts = match read(&path)? {
            Some(text) => list(&path, account::accounts(&text)),
            None => Accounts::new(),
        };
        // No time at all would wait for ever.
        let seconds = self.number(self.options.timeout, "timeout", 5)?.max(1);
        Ok(Client {
            accounts,
            timeout: Duration::from_secs(seconds),
        })
    }

    /// Returns above which counts mail is spam, or is none.
    pub(super) fn thresholds(&self) -> Result<Thresholds> {
        Ok(Thresholds {
            report: self.number(self.options.report_threshold, "reportthreshold", 0)?,
            whitelist: self.number(self.options.whitelist_threshold, "whitelistthreshold", 0)?,
        })
    }

    /// Returns the file of the local whitelist.
    pub(super) fn whitelist(&self) -> PathBuf {
        self.file(
            self.options.local_whitelist.as_ref(),
            "localwhitelist",
            "whitelist",
        )
    }

    /// Reads standard input; returns the digests of what is there.
    pub(super) fn digests(&self) -> Result<Vec<String>> {
        let style = match (self.options.style, self.settings.get("style")) {
            (Some(style), _) => style,
            (None, None) => Style::Msg,
            (None, Some(text)) => match Style::from_str(text, false) {
                Ok(style) => style,
                Err(_) => bail!(
                    "{}: style is none of msg, mbox, digests: {text}",
                    self.directory.join("config").display()
                ),
            },
        };
        let input = input()?;
        Ok(match style {
            Style::Msg => vec![digest(&input).value],
            Style::Mbox => mbox::messages(&input)
                .into_iter()
                .map(|mail| digest(mail).value)
                .collect(),
            Style::Digests => {
                let text = String::from_utf8_lossy(&input);
                let digests = text.lines().map(|line| line.trim().to_owned());
                digests.filter(|digest| !digest.is_empty()).collect()
            }
        })
    }
}

/// Reads standard input.
pub(super) fn input() -> Result<Vec<u8>> {
    let mut input = Vec::new();
    let mut stdin = std::io::stdin().lock().take(LARGEST + 1);
    stdin
        .read_to_end(&mut input)
        .context("cannot read standard input")?;
    if input.len() as u64 > LARGEST {
        bail!("standard input has more than 1 GiB: this is no mail");
    }
    Ok(input)
}
