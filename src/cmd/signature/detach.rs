//! Detach: the server in the background: a process without a terminal, and the file with its id.

use anyhow::{Context, Result, bail};
use nix::unistd::{dup2_stdout, setsid};
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Set in the environment of the process in the background.
const MARK: &str = "MAILLOG_DETACHED";

/// The process in the background, which has not said yet that it serves.
pub(super) struct Detached {
    output: File,
}

/// Starts this program once more in the background, with its output in the file. Returns none in the first process, when the other one
/// serves.
///
/// # Errors
/// When it cannot be started, or ends before it serves.
pub(super) fn begin(output: &Path) -> Result<Option<Detached>> {
    let file = File::options()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(output);
    let file = file.with_context(|| format!("cannot write {}", output.display()))?;
    if std::env::var_os(MARK).is_some() {
        // Leads a session of its own: no terminal sends it signals.
        setsid().context("cannot leave the session")?;
        return Ok(Some(Detached { output: file }));
    }
    let program = std::env::current_exe().context("cannot find this program")?;
    let (mut up, says_up) = std::io::pipe().context("cannot make a pipe")?;
    let child = Command::new(program)
        .args(std::env::args_os().skip(1))
        .env(MARK, "1")
        .stdin(Stdio::null())
        .stdout(says_up)
        .stderr(file)
        .spawn();
    let mut child = child.context("cannot start in the background")?;
    let mut word = Vec::new();
    up.read_to_end(&mut word)
        .context("cannot wait for the server")?;
    if word.is_empty() {
        // It has ended, or is about to.
        let _ = child.wait();
        bail!(
            "the server has not started; see the end of {}",
            output.display()
        );
    }
    Ok(None)
}

impl Detached {
    /// Says that the server serves.
    ///
    /// # Errors
    /// When the first process cannot be told.
    pub(super) fn say_up(self) -> Result<()> {
        let mut out = std::io::stdout().lock();
        out.write_all(b"up\n")
            .and_then(|()| out.flush())
            .context("cannot say that the server has started")?;
        // Closes the pipe.
        dup2_stdout(&self.output).context("cannot send the output to the file")
    }
}

/// The file with the id of this process; it goes with the process.
pub(super) struct PidFile(PathBuf);

impl PidFile {
    /// Writes it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn write(path: PathBuf) -> Result<Self> {
        let file = File::options()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o644)
            .open(&path);
        let written = file.and_then(|mut file| writeln!(file, "{}", std::process::id()));
        written.with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
