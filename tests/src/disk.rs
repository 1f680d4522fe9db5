//! A disk that fails on demand, under an unchanged host: `tests/faulty-disk` preloaded into it, told by a file.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use tempfile::NamedTempFile;

use crate::host::Setup;

/// Words of the control, by place (`faulty_disk::Control`).
const CALLS: u64 = 0;
const DIE_AT: u64 = 1;
const TORN: u64 = 2;
const FULL: u64 = 3;
const SLOW: u64 = 4;
const SYNCED: u64 = 5;
const WORDS: u64 = 6;

/// A disk.
pub struct Disk {
    control: NamedTempFile,
    library: PathBuf,
}

impl Disk {
    /// One that works.
    ///
    /// # Errors
    /// When the library is not built, or there is no place for temporary files.
    pub fn new() -> Result<Self> {
        let control = NamedTempFile::new().context("no temporary file")?;
        control.as_file().set_len(WORDS * 8)?;
        Ok(Self { control, library: library()? })
    }

    /// The same setup, on this disk.
    #[must_use]
    pub fn under(&self, setup: Setup) -> Setup {
        setup.environment("LD_PRELOAD", &self.library).environment("FAULTY_DISK", self.control.path())
    }

    /// Count from 0, and kill the host at this call, before it or, `torn`, in the middle of it; at none where it is 0.
    ///
    /// # Errors
    /// When the control cannot be written.
    pub fn die_at(&self, call: u64, torn: bool) -> Result<()> {
        self.set(DIE_AT, 0)?;
        self.set(CALLS, 0)?;
        self.set(TORN, u64::from(torn))?;
        self.set(DIE_AT, call)
    }

    /// Calls that changed the database's files, or waited for the disk to have them.
    ///
    /// # Errors
    /// When the control cannot be read.
    pub fn calls(&self) -> Result<u64> {
        self.get(CALLS)
    }

    /// Whether there is no room left.
    ///
    /// # Errors
    /// When the control cannot be written.
    pub fn set_full(&self, is_full: bool) -> Result<()> {
        self.set(FULL, u64::from(is_full))
    }

    /// How much longer it takes to wait for the disk.
    ///
    /// # Errors
    /// When the control cannot be written.
    pub fn set_slow(&self, by: Duration) -> Result<()> {
        self.set(SLOW, u64::try_from(by.as_millis())?)
    }

    /// How long the write-ahead log was when the disk last was known to have it: a power cut may take what follows.
    ///
    /// # Errors
    /// When the control cannot be read.
    pub fn synced(&self) -> Result<u64> {
        self.get(SYNCED)
    }

    fn file(&self) -> &File {
        self.control.as_file()
    }

    fn set(&self, word: u64, value: u64) -> Result<()> {
        self.file().write_all_at(&value.to_ne_bytes(), word * 8).context("cannot tell the disk")
    }

    fn get(&self, word: u64) -> Result<u64> {
        let mut bytes = [0; 8];
        self.file().read_exact_at(&mut bytes, word * 8).context("cannot ask the disk")?;
        Ok(u64::from_ne_bytes(bytes))
    }
}

/// The library, which cargo builds with whatever depends on this package.
fn library() -> Result<PathBuf> {
    let this = std::env::current_exe()?;
    let folders = this.ancestors().skip(1).take(2).flat_map(|folder| [folder.to_path_buf(), folder.join("deps")]);
    let mut files = folders.map(|folder| folder.join("libfaulty_disk.so"));
    let found = files.find(|path| path.is_file());
    found.with_context(|| {
        format!("no libfaulty_disk.so beside {}; run `cargo build --release -p faulty-disk`", this.display())
    })
}
