//! Old events go into the archive in batches, broken off anywhere; none is lost, none is there twice, and the merchant goes on.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use siyu_tests::archive::Archive;
use siyu_tests::check::Books;
use siyu_tests::rebuild;

use crate::grown::{DAY_MS, Merchant};

/// What is not so, with the archive or without.
fn wrong(database: &Path, archive: Option<&Path>) -> Vec<&'static str> {
    Books::open_with(database, archive).unwrap().violations().unwrap().iter().map(|found| found.what).collect()
}

fn number(database: &Path, sql: &str) -> i64 {
    Connection::open(database).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
}

/// Every event of a log, as text.
fn events(database: &Path) -> Vec<String> {
    let connection = Connection::open(database).unwrap();
    let sql = "select json_array(seq, id, type, subject, source, time, data, trace) from event order by seq";
    let mut statement = connection.prepare(sql).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

struct Files {
    _folder: tempfile::TempDir,
    log: PathBuf,
    archive: PathBuf,
}

fn files() -> Files {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    Files { log: file("log.db"), archive: file("old events #1.db"), _folder: folder }
}

#[tokio::test]
async fn old_events_are_archived_in_batches_broken_off_anywhere_and_the_merchant_goes_on() {
    let Files { _folder, log, archive } = files();
    let mut merchant = Merchant::open(&log, 1).await;
    merchant.play(30).await;
    assert_eq!(wrong(&log, None), Vec::<&str>::new());
    let before = events(&log);
    let head = number(&log, "select max(seq) from event");
    // Somebody has looked into an event that could not be applied: it stays.
    let buried = "insert into dead_letter (id, consumer, seq, error, attempts, failed_at, replayed_at)
                  select 'd', 'customers', max(seq), 'x', 3, 0, 1 from (select seq from event where type = 'activity.recorded' order by seq limit 9)";
    Connection::open(&log).unwrap().execute(buried, []).unwrap();

    let mut first = Archive::open(&log, &archive, 10).unwrap();
    for _ in 0..3 {
        let batch = first.copy(50).unwrap();
        assert_eq!(batch.len(), 50);
        first.delete(&batch).unwrap();
    }
    // Broken off between the two: what is in both is in the way of nothing but its own rule.
    first.copy(50).unwrap();
    drop(first);
    assert_eq!(wrong(&log, Some(&archive)), ["an archived event is in the log no longer"]);
    let mut again = Archive::open(&log, &archive, 10).unwrap();
    let moved = again.run(70).unwrap();
    assert!(moved > 100, "{moved}");
    assert_eq!(again.copy(70).unwrap().len(), 0, "nothing is left to move");

    assert_eq!(wrong(&log, Some(&archive)), Vec::<&str>::new());
    assert_eq!(wrong(&log, None), ["no event is missing, from the log and the archive that is given"]);
    let (kept, gone) = (events(&log), events(&archive));
    assert_eq!(kept.len() + gone.len(), before.len());
    let mut both = [kept, gone].concat();
    both.sort_by_key(|event| event[1..event.find(',').unwrap()].parse::<i64>().unwrap());
    assert_eq!(both, before, "none is lost, none is another");
    let cut = number(&log, "select time from event order by seq desc limit 1") - 10 * DAY_MS;
    assert_eq!(number(&archive, &format!("select count(*) from event where time >= {cut}")), 0);
    assert_eq!(
        number(&archive, "select count(*) from event where type like 'customer.%ed' and type <> 'customer.imported'"),
        0
    );
    assert_eq!(number(&log, "select count(*) from dead_letter join event using (seq)"), 1);

    merchant.play(5).await;
    assert!(number(&log, "select max(seq) from event") > head);
    assert_eq!(wrong(&log, Some(&archive)), Vec::<&str>::new());
    // The archive goes on, and is put back where everything is wanted again.
    Archive::open(&log, &archive, 10).unwrap().run(1000).unwrap();
    assert_eq!(wrong(&log, Some(&archive)), Vec::<&str>::new());
    let whole = events(&log).len() + events(&archive).len();
    Connection::open(&log).unwrap().execute("delete from dead_letter", []).unwrap();
    let rebuilt = rebuild::run(&log, Some(&archive)).await.unwrap();
    assert_eq!(rebuilt.differences.iter().map(ToString::to_string).collect::<Vec<_>>(), Vec::<String>::new());
    let back = format!(
        "attach '{}' as archive; insert into main.event select * from archive.event where seq not in (select seq from main.event)",
        archive.display()
    );
    Connection::open(&log).unwrap().execute_batch(&back).unwrap();
    assert_eq!(wrong(&log, None), Vec::<&str>::new());
    assert_eq!(events(&log).len(), whole);
}

#[tokio::test]
async fn an_archive_that_is_another_logs_or_was_changed_is_noticed() {
    let Files { _folder, log, archive } = files();
    let mut merchant = Merchant::open(&log, 2).await;
    merchant.play(12).await;
    Archive::open(&log, &archive, 3).unwrap().run(40).unwrap();
    assert!(number(&archive, "select count(*) from moved") > 1);
    for (spoil, what) in [
        ("delete from event where seq = (select max(seq) from event)", "the archive has what was moved into it"),
        (
            "update event set subject = 'x' where seq = (select max(seq) from event)",
            "the archive has what was moved into it",
        ),
        ("delete from moved where first = (select max(first) from moved)", "the archive has what was moved into it"),
    ] {
        let spoilt = archive.with_extension("spoilt");
        std::fs::copy(&archive, &spoilt).unwrap();
        Connection::open(&spoilt).unwrap().execute(spoil, []).unwrap();
        let found = wrong(&log, Some(&spoilt));
        assert!(found.contains(&what), "{spoil}: {found:?}");
    }
    // A log that lacks what this archive does not have is not moved on into it.
    let other = archive.with_extension("other");
    let refused = Archive::open(&log, &other, 3).err().unwrap();
    assert!(format!("{refused:#}").contains("is not this log's archive"), "{refused:#}");
    // A consumer that is set back needs its events: they stay.
    let mut later = Archive::open(&log, &archive, 1).unwrap();
    let batch = later.copy(10).unwrap();
    assert_eq!(batch.len(), 10);
    Connection::open(&log).unwrap().execute("update consumer set seq = 1 where name = 'tagging'", []).unwrap();
    let refused = later.delete(&batch).err().unwrap();
    assert!(refused.to_string().contains("run this again"), "{refused:#}");
}
