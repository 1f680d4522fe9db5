//! The corpora, and some thousands of mutations of them: what `cargo fuzz` does for hours, in seconds.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test as a whole")]

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use fastrand::Rng;
use fuzz_targets::{TARGETS, Target};

/// Mutations of each target, with the seed that is always the same and with a new one.
const TRIES: u32 = 5_000;
/// A mutation is not longer than this.
const LONGEST: usize = 16_384;

/// What counters and sums stumble over.
const NUMBERS: [&str; 12] = [
    "0",
    "-1",
    "4294967296",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "18446744073709551616",
    "1e400",
    "0.001",
    "1.005",
    "90071992547409.93",
];

/// What decoders stumble over.
const PIECES: [&[u8]; 15] = [
    b"null",
    b"\"\"",
    b"{}",
    b"[]",
    b"\\u0000",
    b"\\ud800",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"<!DOCTYPE x [<!ENTITY a \"a\">]>",
    b"&a;",
    b"<![CDATA[",
    b"\0",
    b"\r\n",
    b"%00",
    b"9999-12-31T23:59:59Z",
];

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

/// The files of a target, in order of their names.
fn corpus(name: &str) -> Vec<(String, Vec<u8>)> {
    let folder = folder().join("corpus").join(name);
    let files = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = files
        .map(|file| file.unwrap())
        .map(|file| (file.file_name().into_string().unwrap(), std::fs::read(file.path()).unwrap()))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{name} has an empty corpus");
    assert!(files.iter().all(|(_, bytes)| bytes.len() <= 2_048), "{name} has files beyond 2 kB in its corpus");
    files
}

/// What shows that something does not hold, if it does not: kept as a file.
fn fault((name, target): Target, bytes: &[u8], what: &str) -> Option<String> {
    catch_unwind(AssertUnwindSafe(|| target(bytes))).err()?;
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.input"));
    std::fs::write(&file, bytes).unwrap();
    Some(format!("{name} does not hold of {what}: move {} to fuzz/corpus/{name} and run again", file.display()))
}

fn mutated(dice: &mut Rng, corpus: &[(String, Vec<u8>)]) -> Vec<u8> {
    let any = |dice: &mut Rng| corpus[dice.usize(..corpus.len())].1.clone();
    let mut bytes = any(dice);
    for _ in 0..dice.u32(1..6) {
        let at = dice.usize(..=bytes.len());
        let end = dice.usize(at..=bytes.len().min(at + 64));
        match dice.u8(..10) {
            0 if at < bytes.len() => bytes[at] ^= 1 << dice.u8(..8),
            1 => bytes.truncate(at),
            2 => drop(bytes.drain(at..end)),
            3 => bytes.splice(at..at, bytes[at..end].to_vec()).for_each(drop),
            4 => bytes.splice(at..end, PIECES[dice.usize(..PIECES.len())].iter().copied()).for_each(drop),
            5 => {
                let other = any(dice);
                bytes.truncate(at);
                bytes.extend_from_slice(&other[dice.usize(..=other.len())..]);
            }
            6 => {
                let (open, close) = [("[", "]"), ("{\"a\":", "}"), ("<a>", "</a>")][dice.usize(..3)];
                let depth = dice.usize(..300);
                let nested = [open.repeat(depth), "1".to_owned(), close.repeat(depth)].concat();
                bytes.splice(at..at, nested.into_bytes()).for_each(drop);
            }
            7 => digits(dice, &mut bytes),
            8 => member(dice, &mut bytes),
            _ => bytes.insert(at, dice.u8(..)),
        }
    }
    bytes.truncate(LONGEST);
    bytes
}

/// A member of an object stands there twice, the second time with another value.
fn member(dice: &mut Rng, bytes: &mut Vec<u8>) {
    let places: Vec<usize> = (0..bytes.len()).filter(|&at| b"{,".contains(&bytes[at])).collect();
    let Some(&at) = places.get(dice.usize(..places.len().max(1))) else { return };
    let Some(colon) = bytes[at..].iter().position(|&byte| byte == b':') else { return };
    let name = &bytes[at + 1..=at + colon];
    let twice = [name, NUMBERS[dice.usize(..NUMBERS.len())].as_bytes(), b","].concat();
    bytes.splice(at + 1..at + 1, twice).for_each(drop);
}

/// A number becomes another one.
fn digits(dice: &mut Rng, bytes: &mut Vec<u8>) {
    let places: Vec<usize> = (0..bytes.len()).filter(|&at| bytes[at].is_ascii_digit()).collect();
    let Some(&at) = places.get(dice.usize(..places.len().max(1))) else { return };
    let end = at + bytes[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let other = match dice.bool() {
        true => NUMBERS[dice.usize(..NUMBERS.len())].to_owned(),
        false => (0..dice.usize(1..30)).map(|_| dice.digit(10)).collect(),
    };
    bytes.splice(at..end, other.into_bytes()).for_each(drop);
}

#[test]
fn all_holds_of_the_corpora() {
    let of = |target: &Target| corpus(target.0).iter().find_map(|(file, bytes)| fault(*target, bytes, file));
    let faults: Vec<String> = TARGETS.iter().filter_map(of).collect();
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn all_holds_of_thousands_of_mutations() {
    for seed in [1, fastrand::u64(..1_000_000)] {
        let of = |target: &Target| {
            let (mut dice, corpus) = (Rng::with_seed(seed), corpus(target.0));
            let mut tries = (0..TRIES).map(|number| (number, mutated(&mut dice, &corpus)));
            tries.find_map(|(number, bytes)| fault(*target, &bytes, &format!("mutation {number} of seed {seed}")))
        };
        let faults: Vec<String> = TARGETS.iter().filter_map(of).collect();
        assert!(faults.is_empty(), "{faults:#?}");
    }
}

#[test]
fn each_target_can_be_fuzzed() {
    let names = |folder: &str| -> BTreeSet<String> {
        let files = std::fs::read_dir(self::folder().join(folder)).unwrap();
        files.map(|file| file.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned()).collect()
    };
    let targets: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names("fuzz_targets"), targets);
    assert_eq!(names("corpus"), targets);
}
