//! Options of the client, and the files of its home directory that they name.

use super::log::Log;
use crate::notice::{self, Level};
use crate::signature::directory::{self, Directory, Named};
use crate::signature::home::Server;
use crate::signature::outcome::Thresholds;
use crate::signature::{client::Client, digest, mbox};
use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use std::io::Read as _;
use std::path::PathBuf;

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
    /// File that messages are added to
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    pub(super) log_file: Option<PathBuf>,
    /// Show packets and the way to a reply
    #[arg(short, long, global = true, hide_short_help = true)]
    pub(super) debug: bool,
    /// Lower the priority of the process by so much, as nice(1)
    #[arg(
        short,
        long,
        global = true,
        value_name = "NUMBER",
        default_value_t = 0,
        allow_negative_numbers = true,
        hide_short_help = true
    )]
    pub(super) nice: i32,
}

/// Tells what is wrong in a file.
pub(super) fn warn(text: &str) {
    notice::tell(Level::Warning, text);
}

/// What the options and the files say.
pub(super) struct Home {
    directory: Directory,
    options: Options,
}

impl Home {
    /// Reads the file `config`.
    pub(super) fn new(options: &Options) -> Result<Self> {
        let path = directory::usual(options.homedir.as_deref());
        Ok(Self {
            directory: Directory::open(path, "client")?,
            options: options.clone(),
        })
    }

    /// Returns the servers to ask.
    pub(super) fn servers(&self) -> Result<Vec<Server>> {
        self.directory
            .servers(self.options.servers_file.as_deref(), warn)
    }

    /// Returns what asks them.
    pub(super) fn client(&self) -> Result<Client> {
        let file = self.options.accounts_file.as_deref();
        self.directory.client(file, self.options.timeout, warn)
    }

    /// Returns where messages go.
    pub(super) fn log(&self) -> Result<Log> {
        let file = self.directory.file(Named {
            option: self.options.log_file.as_deref(),
            setting: "logfile",
            usual: "",
        });
        Log::open(file.as_deref(), self.options.debug)
    }

    /// Returns above which counts mail is spam, or is none.
    pub(super) fn thresholds(&self) -> Result<Thresholds> {
        let number = |option, setting| self.directory.number(option, setting, 0);
        Ok(Thresholds {
            report: number(self.options.report_threshold, "reportthreshold")?,
            whitelist: number(self.options.whitelist_threshold, "whitelistthreshold")?,
        })
    }

    /// Returns the file of the local whitelist.
    pub(super) fn whitelist(&self) -> PathBuf {
        let file = self.directory.file(Named {
            option: self.options.local_whitelist.as_deref(),
            setting: "localwhitelist",
            usual: "whitelist",
        });
        file.unwrap_or_default()
    }

    /// Reads standard input; returns the digests of what is there.
    pub(super) fn digests(&self) -> Result<Vec<String>> {
        let style = match (self.options.style, self.directory.text("style")) {
            (Some(style), _) => style,
            (None, None) => Style::Msg,
            (None, Some(text)) => match Style::from_str(text, false) {
                Ok(style) => style,
                Err(_) => bail!(
                    "{}: style is none of msg, mbox, digests: {text}",
                    self.directory.path().join("config").display()
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
