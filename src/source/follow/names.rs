//! Names: which paths the arguments mean just now, and which names a rotated file may have.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

/// Directories below a named one that are looked into.
const DEPTH: usize = 8;

/// What the user named.
#[derive(Debug)]
pub(super) struct Wanted {
    /// As given, but absolute.
    path: PathBuf,
    /// It has the signs of a pattern.
    is_pattern: bool,
}

/// What is there now.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Files, and whether they were named: only what is in a directory may be no log.
    pub(super) files: Vec<(PathBuf, bool)>,
    /// Directories in which names may come and go.
    pub(super) directories: Vec<PathBuf>,
    /// What was named and means nothing now, with the reason.
    pub(super) missing: Vec<(PathBuf, std::io::Error)>,
}

impl Wanted {
    pub(super) fn new(argument: &OsString) -> Self {
        let path = Path::new(argument);
        let text = argument.to_string_lossy();
        Self {
            path: std::path::absolute(path).unwrap_or_else(|_| path.to_owned()),
            is_pattern: text.contains(['*', '?', '[']),
        }
    }

    /// Adds what it means now.
    pub(super) fn find(&self, found: &mut Found) {
        found.directories.extend(above(&self.path));
        match fs::metadata(&self.path) {
            Ok(about) if about.is_dir() => directory(&self.path, DEPTH, found),
            Ok(_) => found.files.push((self.path.clone(), true)),
            Err(error) if !self.is_pattern => found.missing.push((self.path.clone(), error)),
            Err(_) => self.matches(found),
        }
    }

    fn matches(&self, found: &mut Found) {
        // Where a match may appear, before there is one.
        let mut parent = self.path.parent();
        while let Some(path) = parent.filter(|path| has_sign(path)) {
            found.directories.extend(glob_of(path));
            parent = path.parent();
        }
        let before = found.files.len() + found.missing.len();
        for path in glob_of(&self.path) {
            match fs::metadata(&path) {
                Ok(about) if about.is_dir() => directory(&path, DEPTH, found),
                Ok(_) => found.files.push((path, true)),
                Err(error) => found.missing.push((path, error)),
            }
        }
        if before == found.files.len() + found.missing.len() {
            let none = std::io::Error::new(std::io::ErrorKind::NotFound, "no file matches");
            found.missing.push((self.path.clone(), none));
        }
    }
}

fn has_sign(path: &Path) -> bool {
    path.to_string_lossy().contains(['*', '?', '['])
}

fn glob_of(path: &Path) -> Vec<PathBuf> {
    let matches = glob::glob(&path.to_string_lossy());
    matches.map_or_else(|_| Vec::new(), |m| m.filter_map(Result::ok).collect())
}

/// Returns the nearest directory above a path that is there.
fn above(path: &Path) -> Option<PathBuf> {
    let mut above = path.ancestors().skip(1);
    above.find(|path| path.is_dir()).map(Path::to_owned)
}

/// Adds the files in a directory and below it.
fn directory(path: &Path, depth: usize, found: &mut Found) {
    found.directories.push(path.to_owned());
    let items = match fs::read_dir(path) {
        Ok(items) => items,
        Err(error) => return found.missing.push((path.to_owned(), error)),
    };
    let mut paths: Vec<PathBuf> = items.filter_map(Result::ok).map(|i| i.path()).collect();
    paths.sort();
    for path in paths {
        let is_link = fs::symlink_metadata(&path).is_ok_and(|about| about.is_symlink());
        match fs::metadata(&path) {
            Ok(about) if about.is_dir() && !is_link && depth > 0 => {
                directory(&path, depth - 1, found);
            }
            Ok(about) if about.is_file() => found.files.push((path, false)),
            // Links to nowhere, sockets and the like are no log.
            _ => {}
        }
    }
}

/// Returns the files beside `path` that may be what it was before it was rotated, newest first.
pub(super) fn rotated(path: &Path) -> Vec<PathBuf> {
    beside(path, is_rotated_name)
}

/// Returns the files beside `path` that may be copies of it, which may have been renamed since.
pub(super) fn copies(path: &Path) -> Vec<PathBuf> {
    beside(path, |other, name| {
        let base = base_of(name);
        other != name && (is_rotated_name(other, base) || is_rotated_name(other, name))
    })
}

fn beside(path: &Path, is_wanted: impl Fn(&str, &str) -> bool) -> Vec<PathBuf> {
    let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else {
        return Vec::new();
    };
    let name = name.to_string_lossy();
    let Ok(items) = fs::read_dir(directory) else {
        return Vec::new();
    };
    let mut found: Vec<_> = items
        .filter_map(Result::ok)
        .filter(|item| is_wanted(&item.file_name().to_string_lossy(), &name))
        .filter_map(|item| Some((item.metadata().ok()?.modified().ok()?, item.path())))
        .collect();
    found.sort();
    found.into_iter().rev().map(|(_, path)| path).collect()
}

/// Returns what a file was called before it was rotated: `mail.log` of `mail.log.1`.
fn base_of(name: &str) -> &str {
    let ends = name.match_indices(['.', '-', '_']).map(|(at, _)| at);
    let mut bases = ends.filter_map(|at| name.get(..at));
    bases
        .find(|base| !base.is_empty() && is_rotated_name(name, base))
        .unwrap_or(name)
}

/// Tells whether two paths are one file in its life: the same, or one the other rotated.
pub(super) fn are_related(a: &Path, b: &Path) -> bool {
    let name = |path: &Path| path.file_name().map(|n| n.to_string_lossy().into_owned());
    let (Some(first), Some(second)) = (name(a), name(b)) else {
        return false;
    };
    a.parent() == b.parent()
        && (first == second || is_rotated_name(&second, &first) || is_rotated_name(&first, &second))
}

/// Tells whether logrotate, savelog or newsyslog may have given this name to the file called `base`:
/// `mail.log.1`, `mail.log.2.gz`, `mail.log-20261121`, `mail-20261121.log.xz`, `mail.log.old`.
pub(super) fn is_rotated_name(name: &str, base: &str) -> bool {
    let ends = [".gz", ".bz2", ".xz", ".zst"];
    let unpacked = ends.iter().find_map(|end| name.strip_suffix(end));
    let name = unpacked.unwrap_or(name);
    if name == base {
        return unpacked.is_some();
    }
    let added = match (name.strip_prefix(base), base.rsplit_once('.')) {
        (Some(added), _) => added,
        (None, Some((stem, extension))) if !stem.is_empty() => name
            .strip_prefix(stem)
            .and_then(|rest| rest.strip_suffix(extension)?.strip_suffix('.'))
            .unwrap_or_default(),
        _ => return false,
    };
    let mark = added.trim_start_matches(['.', '-', '_']);
    let is_number_or_date = mark.starts_with(|c: char| c.is_ascii_digit())
        && mark
            .chars()
            .all(|c| c.is_ascii_digit() || matches!(c, '-' | '_' | '.' | ':' | 'T'));
    mark.len() < added.len() && (is_number_or_date || matches!(mark, "old" | "prev"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_before_rotation_is_known() {
        assert_eq!(base_of("mail.log.1"), "mail.log");
        assert_eq!(base_of("mail.log.2.gz"), "mail.log");
        assert_eq!(base_of("mail.log-20261121"), "mail.log");
        assert_eq!(base_of("mail.log"), "mail.log");
        assert_eq!(base_of("x-json.log"), "x-json.log");
    }

    #[test]
    fn names_that_rotation_gives_are_known() {
        let rotated = [
            "mail.log.1",
            "mail.log.0",
            "mail.log.2.gz",
            "mail.log.12.zst",
            "mail.log-20261121",
            "mail.log-20261121.gz",
            "mail.log-2026-11-21_03:00",
            "mail-20261121.log",
            "mail-20261121.log.xz",
            "mail.log.old",
            "mail.log.gz",
        ];
        for name in rotated {
            assert!(is_rotated_name(name, "mail.log"), "{name}");
        }
        assert!(is_rotated_name("mail-20261121", "mail"));
        assert!(is_rotated_name("0a1b-json.log.1", "0a1b-json.log"));
        let others = [
            "mail.log",
            "mail.err",
            "mail.info",
            "mail.log.json",
            "mail.logs",
            "mail",
            "mail2.log",
        ];
        for name in others {
            assert!(!is_rotated_name(name, "mail.log"), "{name}");
            assert!(!is_rotated_name(name, "mail"), "{name} of mail");
        }
    }
}
