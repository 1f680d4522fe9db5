//! The power goes, and the disk has only the beginning of the write-ahead log, or its last piece in shreds: each prefix is a state that was committed.

use std::path::Path;

use rusqlite::Connection;
use siyu_tests::disk::Disk;
use siyu_tests::system::{DATABASE, System};

use super::{count, sales, take};
use crate::database::is_settled;
use crate::fixtures::PATIENCE;

/// The file's own header, and that of each frame, in bytes. A frame is a header and a page.
const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;
/// Cuts that are tried at most, of each kind.
const CUTS: usize = 50;

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_left_of_the_log_s_tail_is_a_state_that_was_committed() {
    let (base, wal) = files().await;
    let page = usize::try_from(u32::from_be_bytes(wal[8..12].try_into().unwrap())).unwrap();
    let frames = (wal.len() - HEADER) / (FRAME_HEADER + page);
    let end = |frame: usize| HEADER + frame * (FRAME_HEADER + page);
    // A frame that ends a transaction tells the database's size.
    let commits: Vec<usize> =
        (1..=frames).filter(|&frame| wal[end(frame - 1) + 4..end(frame - 1) + 8] != [0; 4]).collect();
    assert!(commits.len() > 20, "there was work: {}", commits.len());

    let whole: Vec<i64> = (0..=commits.len())
        .map(|count| events(&base, &wal[..end(count.checked_sub(1).map_or(0, |last| commits[last]))]))
        .collect();
    assert!(whole.is_sorted() && whole.first() < whole.last(), "the log grows: {whole:?}");
    let after = |frame: usize| whole[commits.partition_point(|&commit| commit <= frame)];
    let mut tried = whole.len();
    for frame in (0..frames).step_by(frames.div_ceil(CUTS)) {
        let torn = [FRAME_HEADER / 2, FRAME_HEADER, FRAME_HEADER + page / 2, FRAME_HEADER + page - 1];
        let torn = torn[frame % torn.len()];
        assert_eq!(events(&base, &wal[..end(frame)]), after(frame), "after frame {frame} of {frames}");
        assert_eq!(events(&base, &wal[..end(frame) + torn]), after(frame), "in frame {frame} of {frames}");
        let mut shreds = wal[..end(frame + 1)].to_vec();
        shreds[end(frame) + torn] ^= 0x10;
        assert_eq!(events(&base, &shreds), after(frame), "a bit turned in frame {frame} of {frames}");
        tried += 3;
    }
    println!("{frames} frames, {} transactions, {} events, {tried} cuts", commits.len(), whole.last().unwrap());
}

/// The database as it was before some work, and the log of that work.
async fn files() -> (Vec<u8>, Vec<u8>) {
    let disk = Disk::new().unwrap();
    let system = System::start_with(|setup| disk.under(setup)).await.unwrap();
    count(&system).await;
    let file = system.state().join(DATABASE);
    written_back(&system, &file).await;
    let base = std::fs::read(&file).unwrap();
    for round in 0..16 {
        take(&system, &sales(&format!("{round}"), 1)).await;
    }
    let settled = async |system: &System| Ok(is_settled(system).then_some(()));
    system.wait_for("the log to be consumed", PATIENCE, settled).await.unwrap();
    let state = system.state().to_path_buf();
    // A life that ends at the next call to the disk.
    disk.die_at(1, false).unwrap();
    let _ = system.send_till(&sales("last", 1)[0]).await;
    let wal = std::fs::read(state.join(format!("{DATABASE}-wal"))).unwrap();
    assert!(base == std::fs::read(&file).unwrap(), "the log was written back meanwhile: less work is needed");
    (base, wal)
}

/// Has the log of what was done so far written into the database.
async fn written_back(system: &System, file: &Path) {
    let connection = Connection::open(file).unwrap();
    let write = async |_: &System| {
        let busy: i64 = connection.query_row("pragma wal_checkpoint(truncate)", [], |row| row.get(0))?;
        Ok((busy == 0).then_some(()))
    };
    system.wait_for("the log to be written back", PATIENCE, write).await.unwrap();
}

/// How many events there are in a database with this log, in which all must hold that must.
fn events(base: &[u8], wal: &[u8]) -> i64 {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(DATABASE);
    std::fs::write(&file, base).unwrap();
    std::fs::write(folder.path().join(format!("{DATABASE}-wal")), wal).unwrap();
    assert_eq!(siyu_tests::check::complaint(&file).unwrap(), None);
    ask(&file, "select count(*) from event")
}

fn ask(file: &Path, sql: &str) -> i64 {
    Connection::open(file).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
}
