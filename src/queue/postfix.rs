//! Postfix: its own programs, run for what they list and do. The one file of this folder that touches the system.

use super::action::Verb;
use super::listing::{Item, Options};
use super::mail::Mail;
use super::reader::Reader;
use super::{content, defer, postcat};
use hashbrown::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use thiserror::Error;

/// Where the programs are when PATH does not say.
const PLACES: [&str; 4] = ["/usr/sbin", "/usr/local/sbin", "/sbin", "/opt/postfix/sbin"];

/// Files that one postcat is given: as many as a command line surely takes.
const BATCH: usize = 200;

/// Most of what a program says that is kept.
const MAX_SAID: u64 = 64 * 1024;

/// Why Postfix did not answer.
#[derive(Debug, Error)]
pub enum Error {
    /// The program is not there.
    #[error("{0} not found: Postfix is not installed here")]
    Missing(String),
    /// Postfix refuses to list the queue to this user.
    #[error("Postfix does not show the queue to {user}")]
    NotAllowed {
        /// The user.
        user: String,
    },
    /// The program failed.
    #[error("{program} failed: {said}")]
    Failed {
        /// Its name.
        program: &'static str,
        /// Its last words.
        said: String,
    },
    /// It could not be run, or its output not be read.
    #[error("cannot run {program}: {cause}")]
    Io {
        /// Its name.
        program: &'static str,
        /// Why.
        cause: io::Error,
    },
    /// It is no spool of Postfix.
    #[error("{} is no spool of Postfix: it has no directory active, deferred or hold", .0.display())]
    NotSpool(PathBuf),
    /// A directory of the spool cannot be read.
    #[error("cannot read {}: {cause}", .path.display())]
    Spool {
        /// The directory.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
}

impl Error {
    /// Returns the cure, where it is known.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Missing(_) => Some("name a saved listing with --from-file".to_owned()),
            Self::NotSpool(_) => Some("postconf queue_directory names it".to_owned()),
            Self::NotAllowed { user } => Some(format!(
                "add {user} to authorized_mailq_users in main.cf, as root: postconf -e \"authorized_mailq_users = root, {user}\""
            )),
            Self::Spool { cause, .. } if cause.kind() == io::ErrorKind::PermissionDenied => Some(
                "only root may read the queue files; postqueue lists them to others".to_owned(),
            ),
            _ => None,
        }
    }
}

/// Postfix's programs for one instance.
#[derive(Debug, Clone, Default)]
pub struct Postfix {
    /// Its configuration directory; none is the default instance.
    pub config: Option<PathBuf>,
    /// Where its programs are; none is PATH and the usual places.
    pub commands: Option<PathBuf>,
    /// What only root may run goes through `sudo -n`.
    pub sudo: bool,
}

/// What a program that does something said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// It ended without an error.
    pub is_done: bool,
    /// What it printed, both streams.
    pub text: String,
}

impl Postfix {
    /// Lists the queue, and hands on each piece: as JSON, or as text where Postfix is older than 3.1.
    ///
    /// # Errors
    /// When Postfix does not answer, or `each` fails.
    pub fn list(&self, options: Options, each: &mut dyn FnMut(Item)) -> Result<(), Error> {
        match self.list_as("-j", options, each) {
            Err(Error::Failed { said, .. }) if is_usage(&said) => self.list_as("-p", options, each),
            other => other,
        }
    }

    fn list_as(
        &self,
        form: &str,
        options: Options,
        each: &mut dyn FnMut(Item),
    ) -> Result<(), Error> {
        const PROGRAM: &str = "postqueue";
        let io = |cause| Error::Io {
            program: PROGRAM,
            cause,
        };
        let mut run = Run::start(self.command(PROGRAM, &[form])?, PROGRAM)?;
        let out = run.child.stdout.take();
        let mut cause = None;
        if let Some(out) = out {
            for item in Reader::new(BufReader::with_capacity(1 << 16, out), options) {
                match item {
                    Ok(item) => each(item),
                    Err(error) => cause = Some(error),
                }
            }
        }
        let (status, said) = run.finish().map_err(io)?;
        match cause {
            Some(cause) => Err(io(cause)),
            None if status => Ok(()),
            None if said.contains("not allowed to view the mail queue") => Err(Error::NotAllowed {
                user: refused_user(&said),
            }),
            None => Err(Error::Failed {
                program: PROGRAM,
                said: last_line(&said),
            }),
        }
    }

    /// Reads the queue files of these mails, and hands on each with its headers; only root may.
    ///
    /// # Errors
    /// When postcat cannot be run.
    pub fn read_files(
        &self,
        ids: &[&str],
        options: &Options,
        each: &mut dyn FnMut(Mail),
    ) -> Result<(), Error> {
        for batch in ids.chunks(BATCH) {
            let mut args: Vec<&OsStr> = ["-e", "-h", "-q"].iter().map(OsStr::new).collect();
            args.extend(batch.iter().map(OsStr::new));
            self.postcat(None, &args, options, each)?;
        }
        Ok(())
    }

    /// Reads the messages of these mails; hands on the id of each with its message, none where that is too large. Only root may.
    ///
    /// # Errors
    /// When postcat cannot be run.
    pub fn read_messages(
        &self,
        ids: &[&str],
        each: &mut dyn FnMut(&str, Option<&[u8]>),
    ) -> Result<(), Error> {
        for batch in ids.chunks(BATCH) {
            let mut missing: HashSet<&str> = batch.iter().copied().collect();
            self.postcat_messages(batch, &mut |id, message| {
                if missing.remove(id) {
                    each(id, message);
                }
            })?;
            // A broken file may have hidden those behind it, or they have left.
            let alone = batch.iter().filter(|_| missing.len() < batch.len());
            for id in alone.filter(|id| missing.contains(*id)) {
                self.postcat_messages(&[id], each)?;
            }
        }
        Ok(())
    }

    fn postcat_messages(
        &self,
        ids: &[&str],
        each: &mut dyn FnMut(&str, Option<&[u8]>),
    ) -> Result<(), Error> {
        const PROGRAM: &str = "postcat";
        let io = |cause| Error::Io {
            program: PROGRAM,
            cause,
        };
        let args: Vec<&str> = ["-e", "-h", "-b", "-q"]
            .iter()
            .chain(ids)
            .copied()
            .collect();
        let mut run = Run::start(self.command(PROGRAM, &args)?, PROGRAM)?;
        let mut read = 0_usize;
        if let Some(out) = run.child.stdout.take() {
            let input = BufReader::with_capacity(1 << 16, out);
            content::read(input, |id, message| {
                read += 1;
                each(id, message);
            })
            .map_err(io)?;
        }
        let (status, said) = run.finish().map_err(io)?;
        // A file that was delivered meanwhile is no failure.
        if status || read > 0 || said.contains("No such file") {
            return Ok(());
        }
        Err(Error::Failed {
            program: PROGRAM,
            said: last_line(&said),
        })
    }

    fn postcat(
        &self,
        directory: Option<&Path>,
        args: &[&OsStr],
        options: &Options,
        each: &mut dyn FnMut(Mail),
    ) -> Result<(), Error> {
        const PROGRAM: &str = "postcat";
        let io = |cause| Error::Io {
            program: PROGRAM,
            cause,
        };
        let mut command = self.command(PROGRAM, args)?;
        if let Some(directory) = directory {
            command.current_dir(directory);
        }
        let mut run = Run::start(command, PROGRAM)?;
        let mut read = 0_usize;
        if let Some(out) = run.child.stdout.take() {
            let count = |mail| {
                read += 1;
                each(mail);
                Ok(())
            };
            postcat::read(BufReader::new(out), options, count).map_err(io)?;
        }
        let (status, said) = run.finish().map_err(io)?;
        // A file that was delivered meanwhile is no failure.
        if status || read > 0 || said.contains("No such file") {
            return Ok(());
        }
        Err(Error::Failed {
            program: PROGRAM,
            said: last_line(&said),
        })
    }

    /// Reads the files of a spool directory, and hands on each mail; only root may.
    ///
    /// # Errors
    /// When a directory cannot be read or postcat cannot be run.
    pub fn read_spool(
        &self,
        spool: &Path,
        options: &Options,
        each: &mut dyn FnMut(Mail),
    ) -> Result<(), Error> {
        let (spool, queues) = queues_of(spool)?;
        let mut files = Vec::new();
        for queue in queues {
            collect(&spool, Path::new(&queue), 0, &mut files)?;
        }
        files.sort();
        let mut places = HashMap::new();
        for file in &files {
            if let Some(id) = Path::new(file).file_name().and_then(OsStr::to_str) {
                places.insert(id, Path::new(file));
            }
        }
        let mut with_errors = |mut mail: Mail| {
            if let Some(file) = places.get(mail.queue_id.as_str()) {
                mail.forced_expire = is_expiring(&spool.join(file));
                if let Some(text) = errors_of(&spool, file) {
                    defer::apply(&mut mail, &text);
                }
            }
            each(mail);
        };
        for batch in files.chunks(BATCH) {
            let mut args: Vec<&OsStr> = ["-e", "-h"].iter().map(OsStr::new).collect();
            args.extend(batch.iter().map(OsString::as_os_str));
            self.postcat(Some(&spool), &args, options, &mut with_errors)?;
        }
        Ok(())
    }

    /// Does it to the mails, and returns what Postfix said.
    ///
    /// # Errors
    /// When the program cannot be run.
    pub fn act(&self, verb: Verb, ids: &[String]) -> Result<Said, Error> {
        const PROGRAM: &str = "postsuper";
        let Some(option) = verb.option() else {
            return self.flush(ids);
        };
        let io = |cause| Error::Io {
            program: PROGRAM,
            cause,
        };
        let mut command = self.command(PROGRAM, &[option, "-"])?;
        command.stdin(Stdio::piped());
        let mut run = Run::start(command, PROGRAM)?;
        let out = run.child.stdout.take().map(collect_text);
        if let Some(mut input) = run.child.stdin.take() {
            let text: String = ids.iter().map(|id| format!("{id}\n")).collect();
            // What it says tells more than that it does not listen.
            let _ = input.write_all(text.as_bytes());
        }
        let (is_done, mut text) = run.finish().map_err(io)?;
        if let Some(out) = out.and_then(|out| out.join().ok()) {
            text.push_str(&out);
        }
        Ok(Said { is_done, text })
    }

    fn flush(&self, ids: &[String]) -> Result<Said, Error> {
        const PROGRAM: &str = "postqueue";
        let mut said = Said {
            is_done: true,
            text: String::new(),
        };
        for id in ids {
            let run = Run::start(self.command(PROGRAM, &["-i", id])?, PROGRAM)?;
            let (is_done, text) = run.finish().map_err(|cause| Error::Io {
                program: PROGRAM,
                cause,
            })?;
            said.is_done &= is_done;
            said.text.push_str(&text);
        }
        Ok(said)
    }

    /// Returns the values of these settings; none where Postfix does not tell.
    #[must_use]
    pub fn settings<const N: usize>(&self, names: [&str; N]) -> [Option<String>; N] {
        let mut values = [const { None }; N];
        let args: Vec<&str> = std::iter::once("-x").chain(names).collect();
        let output = self.command("postconf", &args).ok();
        let output = output.and_then(|mut command| command.stderr(Stdio::null()).output().ok());
        let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
        for line in text.iter().flat_map(|text| text.lines()) {
            if let Some((name, value)) = line.split_once('=')
                && let Some(at) = names.iter().position(|n| *n == name.trim())
                && let Some(place) = values.get_mut(at)
            {
                *place = Some(value.trim().to_owned());
            }
        }
        values
    }

    fn find(&self, program: &str) -> Result<PathBuf, Error> {
        let Some(directory) = &self.commands else {
            return find(program);
        };
        let file = directory.join(program);
        if file.is_file() {
            return Ok(file);
        }
        Err(Error::Missing(file.display().to_string()))
    }

    fn command<S: AsRef<OsStr>>(&self, program: &str, args: &[S]) -> Result<Command, Error> {
        let is_for_root = matches!(program, "postsuper" | "postcat");
        let mut command = if self.sudo && is_for_root {
            let mut command = Command::new(find("sudo")?);
            command.arg("-n").arg(self.find(program)?);
            command
        } else {
            Command::new(self.find(program)?)
        };
        if let Some(config) = &self.config {
            command.arg("-c").arg(config);
        }
        command
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Names of months and days are those of C.
            .env("LC_ALL", "C");
        Ok(command)
    }
}

/// A program that runs; what it says on stderr is taken meanwhile, so that it cannot wait for us.
struct Run {
    child: Child,
    said: Option<JoinHandle<String>>,
}

impl Run {
    fn start(mut command: Command, program: &'static str) -> Result<Self, Error> {
        let mut child = command
            .spawn()
            .map_err(|cause| Error::Io { program, cause })?;
        let said = child.stderr.take().map(collect_text);
        Ok(Self { child, said })
    }

    fn finish(mut self) -> io::Result<(bool, String)> {
        let status = self.child.wait()?;
        let said = self.said.take().and_then(|said| said.join().ok());
        Ok((status.success(), said.unwrap_or_default()))
    }
}

fn collect_text(mut stream: impl Read + Send + 'static) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = (&mut stream).take(MAX_SAID).read_to_end(&mut bytes);
        let _ = io::copy(&mut stream, &mut io::sink());
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

fn find(program: &str) -> Result<PathBuf, Error> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let named = std::env::split_paths(&path);
    named
        .chain(PLACES.iter().map(PathBuf::from))
        .map(|directory| directory.join(program))
        .find(|file| file.is_file())
        .ok_or_else(|| Error::Missing(program.to_owned()))
}

fn is_usage(said: &str) -> bool {
    said.contains("usage:") || said.contains("invalid option")
}

fn last_line(said: &str) -> String {
    let line = said.lines().rev().find(|line| !line.trim().is_empty());
    line.unwrap_or("it did not say why").trim().to_owned()
}

/// Reads `User alice(1000) is not allowed ...`
fn refused_user(said: &str) -> String {
    let name = said.split_once("User ").and_then(|(_, rest)| {
        let end = rest.find(['(', ' '])?;
        rest.get(..end)
    });
    name.unwrap_or("this user").to_owned()
}

/// Deepest hashing of a queue directory (`hash_queue_depth`).
const DEEPEST: u32 = 8;

/// Finds the files of a queue, as paths in the spool.
fn collect(spool: &Path, below: &Path, depth: u32, files: &mut Vec<OsString>) -> Result<(), Error> {
    let path = spool.join(below);
    let entries = match fs::read_dir(&path) {
        Ok(entries) => entries,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(cause) => return Err(Error::Spool { path, cause }),
    };
    for entry in entries.flatten() {
        let place = below.join(entry.file_name());
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && depth < DEEPEST => {
                collect(spool, &place, depth + 1, files)?;
            }
            Ok(kind) if kind.is_file() => files.push(place.into_os_string()),
            _ => {}
        }
    }
    Ok(())
}

/// What `postsuper -e` sets in the mode of a queue file.
const EXPIRE_BIT: u32 = 0o010;

/// Returns whether the queue file is marked to expire.
fn is_expiring(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|data| data.permissions().mode() & EXPIRE_BIT != 0)
}

/// Returns the text of the file with the errors of the mail; it is hashed as its queue is, or not at all.
fn errors_of(spool: &Path, file: &Path) -> Option<String> {
    let defer = spool.join("defer");
    let below: PathBuf = file.iter().skip(1).collect();
    let by_id = || fs::read(defer.join(file.file_name()?)).ok();
    let bytes = fs::read(defer.join(below)).ok().or_else(by_id)?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// Returns the spool and the names of its queues; somebody may name one of them alone.
fn queues_of(path: &Path) -> Result<(PathBuf, Vec<String>), Error> {
    let known = super::Status::ALL.map(|queue| queue.name().to_owned());
    let queues = known.iter().filter(|queue| path.join(queue).is_dir());
    let queues: Vec<String> = queues.cloned().collect();
    if !queues.is_empty() {
        return Ok((path.to_owned(), queues));
    }
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let name = path.file_name().and_then(OsStr::to_str);
    match (path.parent(), name) {
        (Some(spool), Some(name)) if known.iter().any(|queue| queue == name) => {
            Ok((spool.to_owned(), vec![name.to_owned()]))
        }
        _ => Err(Error::NotSpool(path)),
    }
}
