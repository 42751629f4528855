//! Arguments + environment + file + defaults -> one resolved `Config`.
//!
//! Order: command line, environment (`MAILLOG_DB`, `MAILLOG_CONFIG`), `/etc/maillog.toml`, built-in defaults.

use crate::model::retain::{Group, Keep, Retain};
use crate::model::scope::Scope;
use crate::nofollow;
use crate::query::spellings;
use crate::signature::{answer, listen};
use anyhow::{Context, Result, anyhow, bail};
use nix::unistd::{Uid, User};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::Read;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Where the administrator's settings are, unless `--config` or `MAILLOG_CONFIG` names another file.
pub const CONFIG_FILE: &str = "/etc/maillog.toml";
/// Where the service keeps its database.
pub const SYSTEM_DIRECTORY: &str = "/var/lib/maillog";
/// Name of the database file in its directory.
pub const DATABASE_NAME: &str = "maillog.duckdb";
/// User that the service runs as.
pub const SERVICE_USER: &str = "maillog";

/// What `/etc/maillog.toml` may say. Unknown keys are errors, so that a typing slip is noticed.
#[derive(Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Path of the database.
    pub database: Option<PathBuf>,
    /// Zone of log stamps without one, IANA name.
    pub timezone: Option<String>,
    /// Days that raw lines are kept, 0 for not at all; the older spelling of `retain.lines`.
    pub retain_lines_days: Option<u32>,
    /// Memory that the database may use, MiB.
    pub memory_mib: Option<u32>,
    /// Who may ask the service, and how much.
    #[serde(default)]
    pub serve: Serve,
    /// How long rows are kept.
    #[serde(default)]
    pub retain: RetainTable,
    /// What is offered to Prometheus.
    #[serde(default)]
    pub metrics: Metrics,
    /// What the service reads.
    #[serde(default)]
    pub ingest: Ingest,
    /// How Postfix's queue is handled.
    #[serde(default)]
    pub queue: Queue,
    /// How mail is sent.
    #[serde(default)]
    pub mail: Mail,
    /// The server that counts spam by digests.
    #[serde(default)]
    pub signature: Signature,
    /// Whose mail some users may see, by a name for it.
    #[serde(default)]
    pub scope: BTreeMap<String, ScopeTable>,
}

/// The table `[scope.NAME]`: whose mail these users of the service may see, and no other.
#[derive(Debug, Clone, Default, Deserialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct ScopeTable {
    /// Addresses, domains, domains with subdomains (`.example.org`), or `all`.
    pub mail: Vec<String>,
    /// Users of this machine.
    pub users: Vec<String>,
    /// Groups of this machine.
    pub groups: Vec<String>,
    /// Users of TCP.
    pub remote: Vec<String>,
}

impl ScopeTable {
    /// Returns the scope.
    ///
    /// # Errors
    /// When a word is no address, domain or `all`.
    pub fn scope(&self, name: &str) -> Result<Scope> {
        let spelled: Vec<String> = self.mail.iter().flat_map(|word| spellings(word)).collect();
        Scope::of(&spelled).map_err(|error| anyhow!("[scope.{name}] mail: {error}"))
    }
}

/// The table `[mail]`: how maillog sends mail.
#[derive(Debug, Clone, Deserialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Mail {
    /// Full name of this machine; none: as the system or Postfix says.
    pub fqdn: Option<String>,
    /// From field; none: `maillog@FQDN`.
    pub from: Option<String>,
    /// Envelope sender, `<>` for the null sender; none: the address of `from`.
    pub envelope: Option<String>,
    /// Program that takes mail; none: `/usr/sbin/sendmail`.
    pub sendmail: Option<PathBuf>,
    /// Server that takes mail, `host:port`, in place of the program.
    pub smtp: Option<String>,
    /// Mails to one address within 24 hours, at most.
    pub per_address: u32,
    /// Mails within 24 hours, at most.
    pub per_day: u32,
    /// Days that a mail is tried.
    pub give_up_days: u32,
}

impl Default for Mail {
    fn default() -> Self {
        Self {
            fqdn: None,
            from: None,
            envelope: None,
            sendmail: None,
            smtp: None,
            per_address: 50,
            per_day: 1000,
            give_up_days: 5,
        }
    }
}

/// The table `[queue]`.
#[derive(Debug, Clone, Deserialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Queue {
    /// Others than root may change the queue, as far as Postfix lets them.
    pub actions: bool,
    /// `postsuper` and `postcat` are run through `sudo -n`.
    pub sudo: bool,
    /// Configuration directory of the Postfix instance.
    pub config_directory: Option<PathBuf>,
    /// Where Postfix's programs are; none is PATH and the usual places.
    pub command_directory: Option<PathBuf>,
    /// The service lists the queue each minute and stores it.
    pub snapshots: bool,
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            actions: false,
            sudo: false,
            config_directory: None,
            command_directory: None,
            snapshots: true,
        }
    }
}

/// The table `[signature]`: the server that counts spam by digests.
#[derive(Debug, Clone, Deserialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Signature {
    /// Where the service listens, UDP; none: nowhere.
    pub listen: Option<SocketAddr>,
    /// Keys of users, `user : key` on each line.
    pub password_file: Option<PathBuf>,
    /// What users may do, `operations : users : allow|deny` on each line.
    pub access_file: Option<PathBuf>,
    /// Seconds after which a digest that nobody reports is forgotten; 0: never.
    pub cleanup_age_seconds: u32,
    /// Seconds that the clock of a client may be off.
    pub clock_difference_seconds: u32,
    /// Requests of one address that are answered in a second; 0: all.
    pub rate_limit: u32,
    /// Digests that there may be.
    pub max_digests: usize,
    /// Home directory of a client whose servers get each report, too.
    pub forward_client_homedir: Option<PathBuf>,
}

impl Default for Signature {
    fn default() -> Self {
        Self {
            listen: None,
            password_file: None,
            access_file: None,
            cleanup_age_seconds: listen::CLEANUP_AGE,
            clock_difference_seconds: answer::CLOCK_DIFFERENCE,
            rate_limit: 0,
            max_digests: listen::MAX_DIGESTS,
            forward_client_homedir: None,
        }
    }
}

/// What the service reads: the table `[ingest]`, and the options of `maillog ingest` that win over it.
#[derive(Debug, Clone, Default, Deserialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Ingest {
    /// Units whose journal entries are read, as patterns; none: all.
    pub unit: Vec<String>,
    /// Directory with journal files, in place of the system's journal.
    pub directory: Option<PathBuf>,
    /// Journal files, in place of the system's journal.
    pub file: Vec<PathBuf>,
    /// Namespace of the journal.
    pub namespace: Option<String>,
    /// Journals of other machines, too.
    pub merge: bool,
    /// Nothing before this, as in a query, the first time.
    pub since: Option<String>,
}

/// The table `[retain]`: days or "forever".
#[derive(Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct RetainTable {
    /// Messages with all that belongs to them.
    pub deliveries: Option<Keep>,
    /// Refusals.
    pub noqueue: Option<Keep>,
    /// Sessions.
    pub connection: Option<Keep>,
    /// Logins.
    pub auth: Option<Keep>,
    /// Warnings and notices.
    pub event: Option<Keep>,
    /// Raw lines.
    pub lines: Option<Keep>,
    /// Who asked what.
    pub audit: Option<Keep>,
    /// Listings of Postfix's queue, and their counts.
    pub queue: Option<Keep>,
    /// Mail that maillog sent.
    pub mail: Option<Keep>,
    /// Who asked the signature server what.
    pub signature: Option<Keep>,
}

impl RetainTable {
    /// Resolves what is not said; `lines_days` is the older spelling.
    ///
    /// # Errors
    /// When rows other than raw lines would be kept for 0 days.
    fn resolve(&self, lines_days: Option<u32>) -> Result<Retain> {
        let default = Retain::default();
        let retain = Retain {
            deliveries: self.deliveries.unwrap_or(default.deliveries),
            noqueue: self.noqueue.unwrap_or(default.noqueue),
            connection: self.connection.unwrap_or(default.connection),
            auth: self.auth.unwrap_or(default.auth),
            event: self.event.unwrap_or(default.event),
            lines: self
                .lines
                .or(lines_days.map(Keep::Days))
                .unwrap_or(default.lines),
            audit: self.audit.unwrap_or(default.audit),
            queue: self.queue.unwrap_or(default.queue),
            mail: self.mail.unwrap_or(default.mail),
            signature: self.signature.unwrap_or(default.signature),
        };
        let none = Group::ALL
            .into_iter()
            .find(|group| *group != Group::Lines && retain.of(*group) == Keep::Days(0));
        match none {
            Some(group) => bail!(
                "retain.{}: write at least 1 day, or \"forever\" to delete nothing",
                group.name()
            ),
            None => Ok(retain),
        }
    }
}

/// The table `[metrics]`.
#[derive(Debug, Clone, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Metrics {
    /// Where the service answers Prometheus; none: nowhere.
    pub listen: Option<SocketAddr>,
    /// Recipient domains that deliveries are counted by; all others count as `other`.
    pub domains: Vec<String>,
}

/// Everything that is decided before a command runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Path of the database to write.
    pub database: PathBuf,
    /// The database was named by the user rather than by default.
    pub database_is_named: bool,
    /// Zone of log stamps without one, as written.
    pub timezone: Option<String>,
    /// Days that raw lines are kept.
    pub retain_lines_days: u32,
    /// How long rows are kept.
    pub retain: Retain,
    /// What is offered to Prometheus.
    pub metrics: Metrics,
    /// Memory that the database may use, MiB, where it is set.
    pub memory_mib: Option<u32>,
    /// What the service reads.
    pub ingest: Ingest,
    /// Who may ask the service, and how much.
    pub serve: Serve,
    /// How Postfix's queue is handled.
    pub queue: Queue,
    /// How mail is sent.
    pub mail: Mail,
    /// The server that counts spam by digests.
    pub signature: Signature,
}

/// `[serve]`: queries to the service.
#[derive(Debug, Clone, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Serve {
    /// Group whose members may ask on the Unix socket, beside root and the owner.
    pub group: Option<String>,
    /// Address and port for TCP, with TLS and passwords only.
    pub listen: Option<String>,
    /// Certificate chain for TLS, PEM.
    pub certificate: Option<PathBuf>,
    /// Its key, PEM.
    pub key: Option<PathBuf>,
    /// Who may connect over TCP: lines `user:password`.
    pub passwords: Option<PathBuf>,
    /// Sessions at once.
    pub sessions: usize,
    /// Queries that run at once; more wait for a place.
    pub queries: usize,
    /// Seconds that a query may take, unless the session says otherwise,
    pub timeout_seconds: u64,
    /// and the most that it can say.
    pub longest_timeout_seconds: u64,
    /// Rows that an answer may have.
    pub rows: u64,
    /// Whose mail some users may see: the tables `[scope.NAME]`.
    #[serde(skip)]
    pub scopes: BTreeMap<String, ScopeTable>,
}

impl Default for Serve {
    fn default() -> Self {
        Self {
            group: None,
            listen: None,
            certificate: None,
            key: None,
            passwords: None,
            sessions: 50,
            queries: 4,
            timeout_seconds: 60,
            longest_timeout_seconds: 600,
            rows: 10_000_000,
            scopes: BTreeMap::new(),
        }
    }
}

/// The environment as far as it matters here; given, so that tests need no real one.
#[derive(Debug, Default)]
pub struct Environment {
    /// `$HOME`.
    pub home: Option<PathBuf>,
    /// `$XDG_DATA_HOME`.
    pub xdg_data_home: Option<PathBuf>,
    /// `$XDG_CONFIG_HOME`.
    pub xdg_config_home: Option<PathBuf>,
    /// root or the service's user.
    pub is_service: bool,
}

impl Environment {
    /// Reads the process's environment and user.
    #[must_use]
    pub fn current() -> Self {
        let path = |name| {
            std::env::var_os(name)
                .filter(|v| !v.is_empty())
                .map(PathBuf::from)
        };
        let uid = Uid::effective();
        let is_maillog = || {
            User::from_uid(uid)
                .ok()
                .flatten()
                .is_some_and(|u| u.name == SERVICE_USER)
        };
        Self {
            home: path("HOME"),
            xdg_data_home: path("XDG_DATA_HOME").filter(|p| p.is_absolute()),
            xdg_config_home: path("XDG_CONFIG_HOME").filter(|p| p.is_absolute()),
            is_service: uid.is_root() || is_maillog(),
        }
    }

    /// Returns the default place of the database.
    ///
    /// # Errors
    /// When neither `XDG_DATA_HOME` nor `HOME` is set for an ordinary user.
    fn database(&self) -> Result<PathBuf> {
        if self.is_service {
            return Ok(Path::new(SYSTEM_DIRECTORY).join(DATABASE_NAME));
        }
        let data = match (&self.xdg_data_home, &self.home) {
            (Some(data), _) => data.clone(),
            (None, Some(home)) => home.join(".local/share"),
            (None, None) => {
                bail!("no path for the database: HOME is not set; name a file with --db")
            }
        };
        Ok(data.join("maillog").join(DATABASE_NAME))
    }
}

impl Config {
    /// Resolves the settings from the command line's `db` and `config`, the file and the environment.
    ///
    /// # Errors
    /// When a named file cannot be read, or any file cannot be understood.
    pub fn resolve(db: Option<&Path>, config: Option<&Path>, env: &Environment) -> Result<Self> {
        let file = read(config)?;
        let named = db.map(Path::to_path_buf).or(file.database);
        let database_is_named = named.is_some();
        let retain = file
            .retain
            .resolve(file.retain_lines_days)
            .context("cannot use the settings")?;
        let database = match named {
            Some(path) => path,
            None => env.database()?,
        };
        Ok(Self {
            database,
            database_is_named,
            timezone: file.timezone,
            retain_lines_days: retain.lines.days(),
            retain,
            metrics: file.metrics,
            memory_mib: file.memory_mib,
            serve: Serve {
                scopes: file.scope,
                ..file.serve
            },
            ingest: file.ingest,
            queue: file.queue,
            mail: file.mail,
            signature: file.signature,
        })
    }

    /// Returns the database to ask: the user's own, or the service's when the user has none.
    #[must_use]
    pub fn database_to_read(&self) -> PathBuf {
        let system = Path::new(SYSTEM_DIRECTORY).join(DATABASE_NAME);
        let falls_back = !self.database_is_named && !self.database.exists() && system.exists();
        if falls_back {
            system
        } else {
            self.database.clone()
        }
    }
}

fn read(named: Option<&Path>) -> Result<File> {
    let path = named.unwrap_or(Path::new(CONFIG_FILE));
    let mut text = String::new();
    let read = nofollow::plain(path).and_then(|mut file| file.read_to_string(&mut text));
    match read {
        Ok(_) => {}
        Err(e) if named.is_none() && e.kind() == std::io::ErrorKind::NotFound => {
            return Ok(File::default());
        }
        Err(e)
            if e.get_ref()
                .is_some_and(<dyn std::error::Error + Send + Sync>::is::<nofollow::Refused>) =>
        {
            return Err(e.into());
        }
        Err(e) => return Err(e).with_context(|| format!("cannot read {}", path.display())),
    }
    parse(&text).with_context(|| format!("cannot understand {}", path.display()))
}

/// Reads the text of a configuration file.
fn parse(text: &str) -> Result<File> {
    toml::from_str(text).map_err(|e| {
        let line = e.span().map_or(1, |s| {
            1 + text.bytes().take(s.start).filter(|b| *b == b'\n').count()
        });
        anyhow::anyhow!("line {line}: {}", e.message())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user() -> Environment {
        Environment {
            home: Some("/home/a".into()),
            ..Environment::default()
        }
    }

    #[test]
    fn root_and_service_use_the_system_directory() {
        let env = Environment {
            is_service: true,
            ..user()
        };
        assert_eq!(
            env.database().unwrap(),
            Path::new("/var/lib/maillog/maillog.duckdb")
        );
    }

    #[test]
    fn a_user_has_the_database_below_home_or_xdg() {
        assert_eq!(
            user().database().unwrap(),
            Path::new("/home/a/.local/share/maillog/maillog.duckdb")
        );
        let xdg = Environment {
            xdg_data_home: Some("/data".into()),
            ..user()
        };
        assert_eq!(
            xdg.database().unwrap(),
            Path::new("/data/maillog/maillog.duckdb")
        );
        assert!(Environment::default().database().is_err());
    }

    #[test]
    fn a_misspelt_key_is_named_with_its_line() {
        let error = parse("database = '/x'\ntimezon = 'UTC'\n")
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("line 2: unknown field `timezon`"),
            "{error}"
        );
    }

    #[test]
    fn command_line_beats_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("m.toml");
        std::fs::write(&file, "database = '/from/file'\nretain_lines_days = 0\n").unwrap();
        let from_file = Config::resolve(None, Some(&file), &user()).unwrap();
        assert_eq!(
            (from_file.database.as_path(), from_file.retain_lines_days),
            (Path::new("/from/file"), 0)
        );
        let both = Config::resolve(Some(Path::new("/db")), Some(&file), &user()).unwrap();
        assert_eq!(both.database, Path::new("/db"));
        assert!(Config::resolve(None, Some(Path::new("/nonexistent.toml")), &user()).is_err());
    }

    #[test]
    fn a_pipe_in_place_of_the_settings_is_refused_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("m.toml");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let refused = Config::resolve(None, Some(&pipe), &user()).unwrap_err();
        let text = format!(
            "cannot use {}: it is a pipe, not a plain file",
            pipe.display()
        );
        assert_eq!(format!("{refused:#}"), text);
        assert!(Config::resolve(None, Some(Path::new("/dev/null")), &user()).is_ok());
    }

    #[test]
    fn days_are_told_by_table_and_the_older_spelling_stays() {
        let resolve = |text: &str| {
            let file = parse(text).unwrap();
            file.retain.resolve(file.retain_lines_days)
        };
        assert_eq!(resolve("").unwrap(), Retain::default());
        let text = "retain_lines_days = 3\n[retain]\ndeliveries = \"forever\"\nnoqueue = 10\n";
        let retain = resolve(text).unwrap();
        assert_eq!(retain.deliveries, Keep::Forever);
        assert_eq!(retain.noqueue, Keep::Days(10));
        assert_eq!(retain.lines, Keep::Days(3));
        assert_eq!(resolve("[retain]\nlines = 0").unwrap().lines, Keep::Days(0));
        let error = resolve("[retain]\nauth = 0").unwrap_err().to_string();
        assert!(error.starts_with("retain.auth: "), "{error}");
        assert!(parse("[retain]\nmails = 3").is_err());
    }

    #[test]
    fn metrics_are_off_until_an_address_is_named() {
        assert_eq!(parse("").unwrap().metrics, Metrics::default());
        let file = parse("[metrics]\nlisten = \"127.0.0.1:9154\"").unwrap();
        assert_eq!(file.metrics.listen, Some("127.0.0.1:9154".parse().unwrap()));
        assert!(parse("[metrics]\nlisten = \"9154\"").is_err());
    }
}
