//! Folder: canned queries that users and administrators keep in files of their own.
//!
//! Promises: a file that cannot be read or understood is listed with its fault and disturbs no other.

use super::{Listed, Origin, file};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Where an administrator keeps queries for all users.
pub const SYSTEM: &str = "/etc/maillog/queries";
/// A statement of this size was written by no person.
const SIZE_LIMIT: u64 = 1 << 20;
/// More files than anybody keeps; a folder named by mistake is not read whole.
const COUNT_LIMIT: usize = 1000;

/// Returns the folders that are looked into: the user's, then the administrator's.
#[must_use]
pub fn folders(xdg_config_home: Option<&Path>, home: Option<&Path>) -> Vec<PathBuf> {
    let own = xdg_config_home
        .filter(|path| path.is_absolute())
        .map(Path::to_path_buf)
        .or_else(|| Some(home?.join(".config")));
    own.into_iter()
        .map(|config| config.join("maillog/queries"))
        .chain([PathBuf::from(SYSTEM)])
        .collect()
}

/// Reads the `*.sql` of all folders; of two with one name the first counts.
pub(super) fn read(folders: &[PathBuf]) -> Vec<Listed> {
    let mut list: Vec<Listed> = Vec::new();
    for folder in folders {
        for path in files(folder) {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            if !list.iter().any(|known| known.name == stem) {
                list.push(listed(stem.into_owned(), path));
            }
        }
    }
    list
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sql"))
        .take(COUNT_LIMIT)
        .collect();
    paths.sort();
    paths
}

fn listed(name: String, path: PathBuf) -> Listed {
    // Given away for good: see `Canned`. Only files that a user put there, once a run.
    let name: &'static str = name.leak();
    let query = text(&path).and_then(|text| file::read(name, text.leak()));
    Listed {
        name,
        origin: Origin::File(path),
        query,
    }
}

fn text(path: &Path) -> Result<String, String> {
    let cannot = |error: std::io::Error| format!("cannot be read: {error}");
    let meta = fs::metadata(path).map_err(cannot)?;
    // Opening a pipe would wait for its writer.
    if !meta.is_file() {
        return Err("is no file".to_owned());
    }
    let mut text = String::new();
    let file = fs::File::open(path).map_err(cannot)?;
    file.take(SIZE_LIMIT)
        .read_to_string(&mut text)
        .map_err(cannot)?;
    Ok(text)
}
