//! Hand-over: one mail to sendmail(1) or to an SMTP server. The one file of this folder that touches the system.
//!
//! Promises: what this says was taken was taken, what it says was not was not; where neither is known it says so. A mail
//! reaches sendmail as a file that is whole before sendmail starts: when maillog is killed no half of a mail is sent.
//!
//! Limits: SMTP without TLS and without a login, which is for a server on this machine or in its network; for others
//! sendmail is the way.

use lettre::Address;
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::client::SmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::Response;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long sendmail may take, or one step of SMTP: less than the watchdog's time of the service.
const PATIENCE: Duration = Duration::from_mins(1);
/// Between two looks whether sendmail has ended.
const LOOK: Duration = Duration::from_millis(10);
/// Bytes of what sendmail says that are kept.
const MOST_SAID: u64 = 2000;

/// Who takes mail from us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Carrier {
    /// The program.
    Sendmail(PathBuf),
    /// A server.
    Smtp {
        /// Its name or address.
        host: String,
        /// Its port.
        port: u16,
    },
}

/// What came of a hand-over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handed {
    /// The mail was taken; what was said.
    Taken(String),
    /// It was not; later it may be.
    Later(String),
    /// It was not, and never will be.
    Never(String),
    /// It is not known whether it was.
    Unknown(String),
}

/// What is handed over.
#[derive(Debug, Clone, Copy)]
pub struct Parcel<'m> {
    /// Envelope sender, empty for the null sender.
    pub sender: &'m str,
    /// Envelope recipient.
    pub recipient: &'m str,
    /// The message, with CRLF.
    pub message: &'m str,
}

impl Carrier {
    /// Hands a mail over; `fqdn` is our name.
    #[must_use]
    pub fn hand_over(&self, parcel: Parcel<'_>, fqdn: &str) -> Handed {
        match self {
            Self::Sendmail(program) => sendmail(program, parcel),
            Self::Smtp { host, port } => smtp(host, *port, parcel, fqdn),
        }
    }

    /// Returns what takes mail, in words.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Sendmail(program) => program.display().to_string(),
            Self::Smtp { host, port } => format!("{host}:{port}"),
        }
    }
}

fn sendmail(program: &PathBuf, parcel: Parcel<'_>) -> Handed {
    let name = program.display();
    let prepared = file("message", parcel.message.replace("\r\n", "\n").as_bytes())
        .and_then(|message| Ok((message, appended()?)))
        .and_then(|(message, said)| Ok((message, said.try_clone()?, said.try_clone()?, said)));
    let (message, out, err, said) = match prepared {
        Ok(files) => files,
        Err(error) => return Handed::Later(format!("cannot run {name}: {error}")),
    };
    let child = Command::new(program)
        .args(["-i", "-f", null_or(parcel.sender), "--", parcel.recipient])
        .env("LC_ALL", "C")
        .stdin(message)
        .stdout(Stdio::from(out))
        .stderr(Stdio::from(err))
        // What ends maillog at a terminal does not end sendmail in the middle of a mail.
        .process_group(0)
        .spawn();
    match child {
        Ok(child) => waited(child, said, &name.to_string()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Handed::Later(format!(
            "there is no {name}; set sendmail or smtp below [mail]"
        )),
        Err(error) => Handed::Later(format!("cannot run {name}: {error}")),
    }
}

/// Returns the sender as sendmail takes it.
fn null_or(sender: &str) -> &str {
    if sender.is_empty() { "<>" } else { sender }
}

/// Makes a file without a name, to be read from its start.
fn file(name: &str, content: &[u8]) -> io::Result<File> {
    let mut file = File::from(memfd_create(name, MFdFlags::MFD_CLOEXEC)?);
    file.write_all(content)?;
    file.rewind()?;
    Ok(file)
}

/// Makes a file without a name that is written at its end, wherever it is read.
fn appended() -> io::Result<File> {
    let file = file("said", b"")?;
    fcntl(&file, FcntlArg::F_SETFL(OFlag::O_APPEND))?;
    Ok(file)
}

/// Waits for sendmail. Its writer of queue files tries again for ever when it may not write: that is seen from what it says.
fn waited(mut child: Child, mut said: File, name: &str) -> Handed {
    let begun = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return ended(status, &read(&mut said), name),
            Ok(None) => {}
            Err(error) => return Handed::Unknown(format!("cannot wait for {name}: {error}")),
        }
        let text = read(&mut said);
        let is_locked_out = is_locked_out(&text);
        if is_locked_out || begun.elapsed() > PATIENCE {
            let group = i32::try_from(child.id()).map(Pid::from_raw);
            // It may have ended just now.
            let _ = group.map(|group| killpg(group, Signal::SIGKILL));
            let _ = child.wait();
            if is_locked_out {
                return Handed::Later(locked_out(name, &text));
            }
            return Handed::Unknown(format!("{name} did not end within a minute: {text}"));
        }
        thread::sleep(LOOK);
    }
}

/// Whether postdrop(1) says that it cannot make a file in the queue: nothing was taken then.
fn is_locked_out(said: &str) -> bool {
    said.contains("mail_queue_enter: create file")
        && (said.contains("Permission denied") || said.contains("Read-only file system"))
}

/// Says what is missing, and the line to add.
fn locked_out(name: &str, said: &str) -> String {
    format!(
        "{name} may not write to Postfix's queue; the unit of a service needs SupplementaryGroups=postdrop, see MAIL in \
         maillog.service(8): {said}"
    )
}

/// Says what an exit status means, sysexits(3).
fn ended(status: ExitStatus, said: &str, name: &str) -> Handed {
    let Some(code) = status.code() else {
        let signal = status.signal().unwrap_or_default();
        return Handed::Unknown(format!("{name} was ended by signal {signal}: {said}"));
    };
    let text = format!("{name} failed with status {code}: {said}");
    match code {
        0 if said.is_empty() => Handed::Taken(format!("taken by {name}")),
        0 => Handed::Taken(format!("taken by {name}: {said}")),
        // Usage, data, no such user, no such host.
        64 | 65 | 67 | 68 => Handed::Never(text),
        _ if is_locked_out(said) => Handed::Later(locked_out(name, said)),
        // All else may be cured, if only by an administrator.
        _ => Handed::Later(text),
    }
}

/// Returns what was said, as one line.
fn read(said: &mut File) -> String {
    let mut bytes = Vec::new();
    let read = said
        .rewind()
        .and_then(|()| Read::by_ref(said).take(MOST_SAID).read_to_end(&mut bytes));
    read.map(|_| line(&String::from_utf8_lossy(&bytes)))
        .unwrap_or_default()
}

fn line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").replace(char::is_control, "?")
}

fn smtp(host: &str, port: u16, parcel: Parcel<'_>, fqdn: &str) -> Handed {
    let place = format!("{host}:{port}");
    let (sender, recipient) = (address(parcel.sender), address(parcel.recipient));
    let Some(recipient) = recipient else {
        return Handed::Never(format!("{}: not a mail address", parcel.recipient));
    };
    let hello = ClientId::Domain(fqdn.to_owned());
    let begin = || -> Result<SmtpConnection, SmtpError> {
        let mut server = SmtpConnection::connect((host, port), Some(PATIENCE), &hello, None, None)?;
        server.command(Mail::new(sender.clone(), Vec::new()))?;
        server.command(Rcpt::new(recipient.clone(), Vec::new()))?;
        server.command(Data)?;
        Ok(server)
    };
    let mut server = match begin() {
        Ok(server) => server,
        Err(error) => return refused(&error, &place),
    };
    match server.message(parcel.message.as_bytes()) {
        Ok(response) => {
            // It has the mail, whatever it says to this.
            let _ = server.quit();
            Handed::Taken(format!("{place}: {}", answer(&response)))
        }
        Err(error) if error.is_permanent() || error.is_transient() => refused(&error, &place),
        Err(error) => Handed::Unknown(format!("{place}: {}", told(&error))),
    }
}

fn address(text: &str) -> Option<Address> {
    let (local, domain) = text.rsplit_once('@')?;
    Some(Address::new_dangerous(local, domain))
}

fn refused(error: &SmtpError, place: &str) -> Handed {
    let told = told(error);
    if error.is_permanent() {
        return Handed::Never(format!("{place}: {told}"));
    }
    let is_shut_in = told.contains("not supported by protocol") || told.contains("not permitted");
    if is_shut_in {
        return Handed::Later(format!(
            "{place}: the unit of the service allows no TCP: it needs network.conf, see MAIL in maillog.service(8): {told}"
        ));
    }
    Handed::Later(format!("{place}: {told}"))
}

/// Returns the error with its causes, as one line.
fn told(error: &SmtpError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        let more = next.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = next.source();
    }
    line(&text)
}

fn answer(response: &Response) -> String {
    let lines: Vec<&str> = response.message().collect();
    line(&format!("{} {}", response.code(), lines.join(" ")))
}

#[cfg(test)]
mod tests;
