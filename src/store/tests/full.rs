use super::*;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// A small file system of its own, unmounted at the end.
pub(super) struct Mount(TempDir);

impl Mount {
    pub(super) fn tmpfs(size: &str) -> Option<Self> {
        let dir = tempfile::tempdir().ok()?;
        let option = format!("size={size}");
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &option, "tmpfs"])
            .arg(dir.path())
            .output();
        mount
            .is_ok_and(|output| output.status.success())
            .then_some(Self(dir))
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(super) fn read_only(&self) {
        let status = Command::new("mount")
            .args(["-o", "remount,ro"])
            .arg(self.path())
            .status()
            .unwrap();
        assert!(status.success());
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}

fn step(number: i64, rows: i64) -> Batch {
    let ids = number * rows..(number + 1) * rows;
    Batch {
        cursors: vec![cursor(None, "a", u64::try_from(number).unwrap())],
        coverage: vec![coverage("a", 0, rows)],
        ..batch(Changes {
            from_inserts: ids.clone().map(noisy).collect(),
            to_inserts: ids.map(|id| recipient(id, id)).collect(),
            state: state(&number.to_string()),
            ..Changes::default()
        })
    }
}

/// A message that does not compress away.
fn noisy(id: i64) -> DeliveryFrom {
    let mut noise = String::new();
    for part in 0..8 {
        let word = (id * 8 + part)
            .unsigned_abs()
            .wrapping_mul(0x9e37_79b9_7f4a_7c15);
        write!(noise, "{word:016x}").unwrap();
    }
    DeliveryFrom {
        subject: Some(noise.into()),
        ..message(id)
    }
}

/// Fills the database until it is told that there is no space; the last commit must be there and whole.
fn fill_up(rows: i64) {
    let Some(mount) = Mount::tmpfs("20m") else {
        return skip("needs root and mount");
    };
    let path: PathBuf = mount.path().join("maillog.db");
    let mut store = Store::open_writer(&path).unwrap();
    let mut stored = 0;
    let error = loop {
        match store.commit(step(stored, rows)) {
            Ok(_) => stored += 1,
            Err(error) => break error,
        }
        assert!(stored * rows < 5_000_000, "it never filled up");
    };
    assert!(
        matches!(error, Error::Full { .. }),
        "after {stored} commits of {rows} rows: {error}"
    );
    // A second try says the same, and does no harm.
    assert!(store.commit(step(stored, rows)).is_err());
    drop(store);
    let check = |store: Store| {
        assert_eq!(
            count(&store, "delivery_from"),
            stored * rows,
            "{rows} rows a commit"
        );
        assert_eq!(count(&store, "delivery_to"), stored * rows);
        assert_eq!(
            store.open_state().unwrap().state,
            state(&(stored - 1).to_string())
        );
    };
    check(Store::open_reader(&path).unwrap());
    check(Store::open_writer(&path).unwrap());
    // With some space again it goes on.
    let more = Command::new("mount")
        .args(["-o", "remount,size=60m"])
        .arg(mount.path())
        .status()
        .unwrap();
    assert!(more.success());
    let mut store = Store::open_writer(&path).unwrap();
    store.commit(step(stored, rows)).unwrap();
    assert_eq!(count(&store, "delivery_from"), (stored + 1) * rows);
}

#[test]
fn disk_full_in_small_commits_keeps_the_last_one() {
    fill_up(300);
}

#[test]
fn disk_full_in_large_commits_keeps_the_last_one() {
    fill_up(20_000);
}

#[test]
fn disk_full_before_the_first_row() {
    let Some(mount) = Mount::tmpfs("8k") else {
        return skip("needs root and mount");
    };
    let path = mount.path().join("maillog.db");
    let error = Store::open_writer(&path).err().expect("it opened");
    assert!(matches!(error, Error::Full { .. }), "{error}");
}
