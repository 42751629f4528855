//! Files: what the user named (file, directory, pattern, `-`) to the inputs it means, in the order of their content.
//!
//! Promises: a rotated set may be named in any order and read in the right one; a file named twice is read once.
//! What a directory holds beside log is left out and said so; what is named itself is read or is an error.
//!
//! Limits: symbolic links to directories are not followed inside a directory.

use super::Options;
use super::error::Error;
use super::input::Input;
use std::collections::HashSet;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

/// A file in a directory that is not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The file.
    pub path: PathBuf,
    /// Why, in words that follow "skipped:".
    pub reason: String,
}

/// Returns the inputs that the arguments mean, ordered by content, and what was left out.
///
/// # Errors
/// When something named does not exist, matches nothing, cannot be read, or is no log.
pub fn collect(
    arguments: &[OsString],
    options: &Options,
) -> Result<(Vec<Input>, Vec<Skipped>), Error> {
    let mut search = Search {
        options,
        seen: HashSet::new(),
        inputs: Vec::new(),
        skipped: Vec::new(),
    };
    for argument in arguments {
        search.argument(argument)?;
    }
    let mut inputs = search.inputs;
    order(&mut inputs);
    force_year(&mut inputs, options);
    Ok((inputs, search.skipped))
}

/// Orders inputs by their first time; what has none by when it was written, streams last.
fn order(inputs: &mut [Input]) {
    inputs.sort_by(|a, b| {
        let when = |input: &Input| (input.is_stream(), input.first().or(input.modified()));
        when(a).cmp(&when(b)).then_with(|| a.path().cmp(b.path()))
    });
}

/// Applies `--year`, the year of the very first line, to all files of the set alike.
fn force_year(inputs: &mut [Input], options: &Options) {
    let Some(year) = options.year else { return };
    let years: Vec<_> = inputs
        .iter()
        .map(|input| input.hints(options).first_year)
        .collect();
    let Some(first) = years.iter().flatten().next() else {
        return;
    };
    for (input, found) in inputs.iter_mut().zip(&years) {
        input.forced_year = found.map(|found| found - first + year);
    }
}

struct Search<'o> {
    options: &'o Options,
    /// Device and inode of what was found.
    seen: HashSet<(u64, u64)>,
    inputs: Vec<Input>,
    skipped: Vec<Skipped>,
}

impl Search<'_> {
    fn argument(&mut self, argument: &OsString) -> Result<(), Error> {
        if argument == "-" {
            if !self
                .inputs
                .iter()
                .any(|input| input.path() == Path::new("-"))
            {
                self.inputs.push(Input::stdin());
            }
            return Ok(());
        }
        let path = Path::new(argument);
        let text = argument.to_string_lossy();
        if path.exists() || !text.contains(['*', '?', '[']) {
            return self.named(path);
        }
        let failed = |reason: &dyn ToString| Error::Pattern {
            pattern: text.to_string(),
            reason: reason.to_string(),
        };
        let matches = glob::glob(&text).map_err(|error| failed(&error.msg))?;
        let mut is_found = false;
        for path in matches {
            is_found = true;
            self.named(&path.map_err(|error| Error::Read {
                path: error.path().to_owned(),
                source: error.into(),
            })?)?;
        }
        let pattern = text.to_string();
        is_found.then_some(()).ok_or(Error::NoMatch { pattern })
    }

    /// Takes what the user named.
    fn named(&mut self, path: &Path) -> Result<(), Error> {
        let about = fs::metadata(path).map_err(|source| Error::Read {
            path: path.to_owned(),
            source,
        })?;
        if !self.seen.insert((about.dev(), about.ino())) {
            return Ok(());
        }
        let kind = about.file_type();
        if kind.is_dir() {
            return self.directory(path);
        }
        let input = if kind.is_fifo() || kind.is_char_device() || kind.is_socket() {
            Input::pipe(path.to_owned())
        } else {
            Input::file(path.to_owned(), self.options)?
        };
        self.inputs.push(input);
        Ok(())
    }

    /// Takes the logs in a directory and below it.
    fn directory(&mut self, directory: &Path) -> Result<(), Error> {
        let failed = |source| Error::Read {
            path: directory.to_owned(),
            source,
        };
        let mut paths = Vec::new();
        for item in fs::read_dir(directory).map_err(failed)? {
            paths.push(item.map_err(failed)?.path());
        }
        paths.sort();
        for path in paths {
            if let Err(error) = self.found(&path) {
                self.skip(&path, error.to_string());
            }
        }
        Ok(())
    }

    fn found(&mut self, path: &Path) -> Result<(), Error> {
        let failed = |source| Error::Read {
            path: path.to_owned(),
            source,
        };
        let is_link = fs::symlink_metadata(path).map_err(failed)?.is_symlink();
        let about = fs::metadata(path).map_err(failed)?;
        if about.is_dir() {
            if is_link {
                self.skip(path, "a link to a directory".to_owned());
                return Ok(());
            }
            return self.named(path);
        }
        if !about.is_file() {
            self.skip(path, "not a plain file".to_owned());
            return Ok(());
        }
        if !self.seen.insert((about.dev(), about.ino())) {
            return Ok(());
        }
        if about.len() == 0 {
            self.skip(path, "empty".to_owned());
            return Ok(());
        }
        let mut input = Input::file(path.to_owned(), self.options)?;
        input.is_found = true;
        if input.first().is_some() {
            self.inputs.push(input);
        } else {
            self.skip(path, "no line begins with a time".to_owned());
        }
        Ok(())
    }

    fn skip(&mut self, path: &Path, reason: String) {
        let path = path.to_owned();
        self.skipped.push(Skipped { path, reason });
    }
}
