//! Puts the SQL files of `schema/` and `queries/` into the program: a new file needs no line of Rust.

use std::ffi::OsStr;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let target = PathBuf::from(env::var("OUT_DIR").map_err(io::Error::other)?);
    for directory in ["schema", "queries"] {
        println!("cargo::rerun-if-changed={directory}");
        let list = list(Path::new(directory))?;
        fs::write(target.join(format!("{directory}.rs")), list)?;
    }
    Ok(())
}

/// Returns the files of a directory by name, as pairs of name and text.
fn list(directory: &Path) -> io::Result<String> {
    let files: io::Result<Vec<PathBuf>> = fs::read_dir(directory)?
        .map(|entry| Ok(entry?.path()))
        .collect();
    let mut files = files?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "sql"));
    files.sort();
    let mut list = "&[\n".to_owned();
    for path in files {
        let (Some(name), Some(path)) = (path.file_stem().and_then(OsStr::to_str), path.to_str())
        else {
            return Err(io::Error::other(format!("{}: not UTF-8", path.display())));
        };
        // Named from where the crate is compiled: clones may share a target directory.
        writeln!(
            list,
            "    ({name:?}, include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), {:?}))),",
            format!("/{path}")
        )
        .map_err(io::Error::other)?;
    }
    Ok(list + "]\n")
}
