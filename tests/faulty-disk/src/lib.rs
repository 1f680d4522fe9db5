//! A disk that fails on demand, under a program that does not know of it.
//!
//! Preloaded (`LD_PRELOAD`) into a program, it stands between it and the C library in every call that changes a SQLite file or waits for the
//! disk to have it. The calls are counted. At one of them the program can be killed, before it or in the middle of it; there can be no
//! room left; waiting can take long. The file that `FAULTY_DISK` names says which, as numbers of eight bytes in the machine's order
//! ([`Control`]), and may be changed at any time.

#![allow(unsafe_code, reason = "it takes the place of functions of the C library")]

use std::ffi::{CString, OsStr, c_int, c_void};
use std::fs::File;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use libc::{off_t, size_t, ssize_t};

/// What the program and its test share.
#[repr(C)]
struct Control {
    /// Calls so far.
    calls: AtomicU64,
    /// The call at which the program dies, counted from 1; 0 for none.
    die_at: AtomicU64,
    /// Not 0: it dies in the middle of the call. Half is written; what is no writing is done, and nobody hears of it.
    torn: AtomicU64,
    /// Not 0: there is no room left.
    full: AtomicU64,
    /// How much longer it takes to wait for the disk, in milliseconds.
    slow: AtomicU64,
    /// How long the last write-ahead log was that the disk is known to have.
    synced: AtomicU64,
}

impl Control {
    /// Counts a call; whether it is the last one.
    fn is_last(&self) -> bool {
        let call = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        call == self.die_at.load(Ordering::SeqCst)
    }

    /// A call that is counted and does no writing.
    fn act(&self, real: impl Fn() -> c_int) -> c_int {
        if !self.is_last() {
            return real();
        }
        if self.torn.load(Ordering::SeqCst) != 0 {
            real();
        }
        die()
    }

    /// A call that writes so many bytes.
    fn write(&self, length: size_t, real: impl Fn(size_t) -> ssize_t) -> ssize_t {
        if self.is_last() {
            if self.torn.load(Ordering::SeqCst) != 0 {
                real(length / 2);
            }
            die();
        }
        // A full disk still takes what lies within a block that it has, and the first part of what does not.
        match length {
            _ if self.full.load(Ordering::SeqCst) == 0 => real(length),
            0..=64 => real(length),
            65..=512 => {
                // SAFETY: the C library gives every thread an error number of its own.
                unsafe { *libc::__errno_location() = libc::ENOSPC };
                -1
            }
            _ => real(length / 2),
        }
    }

    /// A call that waits for the disk.
    fn sync(&self, file: c_int, name: &[u8], real: impl Fn() -> c_int) -> c_int {
        std::thread::sleep(Duration::from_millis(self.slow.load(Ordering::SeqCst)));
        let length = if name.ends_with(b"-wal") { length(file) } else { None };
        let outcome = self.act(real);
        if let Some(length) = length.filter(|_| outcome == 0) {
            self.synced.store(length, Ordering::SeqCst);
        }
        outcome
    }
}

/// What the file of the environment says; none where there is no such file.
fn control() -> Option<&'static Control> {
    static CONTROL: OnceLock<Option<&'static Control>> = OnceLock::new();
    *CONTROL.get_or_init(|| {
        let file = File::options().read(true).write(true).open(std::env::var_os("FAULTY_DISK")?).ok()?;
        let (length, access) = (size_of::<Control>(), libc::PROT_READ | libc::PROT_WRITE);
        // SAFETY: a new mapping, at a place of the kernel's choice.
        let place = unsafe { libc::mmap(std::ptr::null_mut(), length, access, libc::MAP_SHARED, file.as_raw_fd(), 0) };
        // SAFETY: the mapping is never undone, starts at a page, and the test has made the file long enough. Others change it by whole words, as
        // atomics allow.
        (place != libc::MAP_FAILED).then(|| unsafe { &*place.cast::<Control>() })
    })
}

/// The control and the file's name, where an open file is one of SQLite's.
fn watched(file: c_int) -> Option<(&'static Control, Vec<u8>)> {
    let control = control()?;
    let link = CString::new(format!("/proc/self/fd/{file}")).ok()?;
    let mut path = vec![0; 4096];
    // SAFETY: the link is text that ends, and the place is as long as is said.
    let length = unsafe { libc::readlink(link.as_ptr(), path.as_mut_ptr().cast(), path.len()) };
    path.truncate(usize::try_from(length).ok()?);
    let name = std::path::Path::new(OsStr::from_bytes(&path)).file_name()?.as_bytes();
    let endings: [&[u8]; 4] = [b".db", b".db-wal", b".db-shm", b".db-journal"];
    endings.iter().any(|ending| name.ends_with(ending)).then(|| (control, name.to_vec()))
}

fn length(file: c_int) -> Option<u64> {
    // SAFETY: looking at the end of an open file changes nothing that the program sees: it writes at places that it names.
    let mut found = unsafe { std::mem::zeroed::<libc::stat>() };
    // SAFETY: the place is a whole `stat`.
    let outcome = unsafe { libc::fstat(file, &raw mut found) };
    if outcome == 0 { u64::try_from(found.st_size).ok() } else { None }
}

/// Ends the program at once, as nothing else can.
fn die() -> ! {
    // SAFETY: neither touches memory.
    unsafe {
        libc::kill(libc::getpid(), libc::SIGKILL);
        loop {
            libc::pause();
        }
    }
}

/// The C library's own function of a name, which has this type.
macro_rules! real {
    ($name:literal, $kind:ty) => {{
        static REAL: OnceLock<$kind> = OnceLock::new();
        *REAL.get_or_init(|| {
            // SAFETY: the name is text that ends.
            let found = unsafe { libc::dlsym(libc::RTLD_NEXT, $name.as_ptr()) };
            if found.is_null() {
                die();
            }
            // SAFETY: it is there, and has the type that the C library documents.
            unsafe { std::mem::transmute::<*mut c_void, $kind>(found) }
        })
    }};
}

type Write = unsafe extern "C" fn(c_int, *const c_void, size_t) -> ssize_t;
type WriteAt = unsafe extern "C" fn(c_int, *const c_void, size_t, off_t) -> ssize_t;
type Truncate = unsafe extern "C" fn(c_int, off_t) -> c_int;
type Sync = unsafe extern "C" fn(c_int) -> c_int;

fn write_at(real: WriteAt, file: c_int, bytes: *const c_void, length: size_t, place: off_t) -> ssize_t {
    // SAFETY: the caller's promise, of fewer bytes at most.
    let real = |length| unsafe { real(file, bytes, length, place) };
    watched(file).map_or_else(|| real(length), |(control, _)| control.write(length, real))
}

fn truncate(real: Truncate, file: c_int, length: off_t) -> c_int {
    // SAFETY: touches no memory.
    let real = || unsafe { real(file, length) };
    watched(file).map_or_else(real, |(control, _)| control.act(real))
}

fn sync(real: Sync, file: c_int) -> c_int {
    // SAFETY: touches no memory.
    let real = || unsafe { real(file) };
    watched(file).map_or_else(real, |(control, name)| control.sync(file, &name, real))
}

/// write(2).
///
/// # Safety
/// As for the C library's: there are so many bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn write(file: c_int, bytes: *const c_void, length: size_t) -> ssize_t {
    let real = real!(c"write", Write);
    // SAFETY: the caller's promise, of fewer bytes at most.
    let real = |length| unsafe { real(file, bytes, length) };
    watched(file).map_or_else(|| real(length), |(control, _)| control.write(length, real))
}

/// pwrite(2).
///
/// # Safety
/// As for the C library's: there are so many bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pwrite(file: c_int, bytes: *const c_void, length: size_t, place: off_t) -> ssize_t {
    write_at(real!(c"pwrite", WriteAt), file, bytes, length, place)
}

/// pwrite(2) by the name for large files.
///
/// # Safety
/// As for the C library's: there are so many bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pwrite64(file: c_int, bytes: *const c_void, length: size_t, place: off_t) -> ssize_t {
    write_at(real!(c"pwrite64", WriteAt), file, bytes, length, place)
}

/// ftruncate(2).
#[unsafe(no_mangle)]
pub extern "C" fn ftruncate(file: c_int, length: off_t) -> c_int {
    truncate(real!(c"ftruncate", Truncate), file, length)
}

/// ftruncate(2) by the name for large files.
#[unsafe(no_mangle)]
pub extern "C" fn ftruncate64(file: c_int, length: off_t) -> c_int {
    truncate(real!(c"ftruncate64", Truncate), file, length)
}

/// fsync(2).
#[unsafe(no_mangle)]
pub extern "C" fn fsync(file: c_int) -> c_int {
    sync(real!(c"fsync", Sync), file)
}

/// fdatasync(2).
#[unsafe(no_mangle)]
pub extern "C" fn fdatasync(file: c_int) -> c_int {
    sync(real!(c"fdatasync", Sync), file)
}
