//! `maillog signature local_whitelist` and `local_unwhitelist`: digests that are never spam here.

use super::super::Exit;
use super::home::{Home, Options};
use crate::notice;
use crate::signature::directory::read;
use crate::signature::home;
use anyhow::{Context, Result};
use std::collections::BTreeSet;
use std::fs::{DirBuilder, File, rename};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

/// Puts the mail of standard input on the list.
pub(super) fn add(options: &Options) -> Result<Exit> {
    change(options, |list, digest| {
        if !list.insert(digest.clone()) {
            notice::say(&format!(
                "digest {digest} is on the local whitelist already"
            ));
        }
    })
}

/// Takes the mail of standard input off the list.
pub(super) fn remove(options: &Options) -> Result<Exit> {
    change(options, |list, digest| {
        if !list.remove(&digest) {
            notice::say(&format!("digest {digest} is not on the local whitelist"));
        }
    })
}

fn change(options: &Options, change: impl Fn(&mut BTreeSet<String>, String)) -> Result<Exit> {
    let home = Home::new(options)?;
    let path = home.whitelist();
    let mut list = home::whitelist(&read(&path)?.unwrap_or_default());
    for digest in home.digests()? {
        change(&mut list, digest);
    }
    let list: Vec<String> = list.into_iter().collect();
    write(&path, &list.join("\n")).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(Exit::Found)
}

/// Writes the file whole or not at all, for nobody else to read.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(directory) = path.parent() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)?;
    }
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}", std::process::id()));
    let mut file = File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&name)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    rename(&name, path)
}
