//! Reading, writing, and what holds when writes share a commit.

use super::*;
use crate::{App, Native, params};
use domain::UnixMs;
use proptest::prelude::*;

fn app() -> App {
    App::native(&Native::in_memory([])).unwrap()
}

fn cx() -> Cx {
    Cx::at(UnixMs::from_seconds(1_790_000_000).unwrap())
}

async fn put(app: &App, name: String, holder: &'static str) -> Result<(), DbError> {
    app.db()
        .write(&cx(), move |tx| {
            tx.execute("insert into lease (name, holder, until) values (?1, ?2, 0)", &params![name, holder])?;
            Ok(())
        })
        .await
}

async fn names(app: &App) -> Vec<String> {
    app.db()
        .read(&cx(), |tx| {
            tx.query("select name from lease order by name", &[])?.iter().map(|row| row.get("name")).collect()
        })
        .await
        .map_err(|error: DbError| error)
        .unwrap()
}

#[tokio::test]
async fn a_write_that_fails_leaves_nothing_and_disturbs_no_other() {
    let app = app();
    let mut writes = Vec::new();
    for number in 0..50 {
        let app = app.clone();
        writes.push(tokio::spawn(async move {
            app.db()
                .write(&cx(), move |tx| {
                    let name = format!("{number:02}");
                    tx.execute("insert into lease (name, holder, until) values (?1, 'a', 0)", &params![name])?;
                    if number % 3 == 0 { Err(DbError::Shape("on purpose".to_owned())) } else { Ok(number) }
                })
                .await
        }));
    }
    let mut kept = 0;
    for (number, write) in writes.into_iter().enumerate() {
        let outcome = write.await.unwrap();
        assert_eq!(outcome.is_err(), number % 3 == 0, "{number}: {outcome:?}");
        kept += usize::from(outcome.is_ok());
    }
    assert_eq!(names(&app).await.len(), kept);
}

#[tokio::test]
async fn a_constraint_fails_one_write_of_a_batch() {
    let app = app();
    put(&app, "one".to_owned(), "a").await.unwrap();
    let (again, other) = tokio::join!(put(&app, "one".to_owned(), "b"), put(&app, "two".to_owned(), "b"));
    assert!(matches!(again, Err(DbError::Constraint(_))), "{again:?}");
    other.unwrap();
    assert_eq!(names(&app).await, ["one", "two"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn writes_that_wait_share_commits() {
    let app = app();
    let before = commits(&app).await;
    let writes: Vec<_> = (0..400)
        .map(|number| {
            tokio::spawn({
                let app = app.clone();
                async move { put(&app, number.to_string(), "a").await }
            })
        })
        .collect();
    for write in writes {
        write.await.unwrap().unwrap();
    }
    let commits = commits(&app).await - before;
    assert_eq!(names(&app).await.len(), 400);
    assert!(commits < 400, "{commits} commits for 400 writes");
}

/// How many transactions have been committed: the batches that the group has counted.
async fn commits(app: &App) -> u64 {
    app.db().group.commits()
}

#[tokio::test]
async fn a_caller_who_goes_away_leaves_no_open_transaction() {
    let app = app();
    let gone = tokio::spawn({
        let app = app.clone();
        async move { put(&app, "gone".to_owned(), "a").await }
    });
    gone.abort();
    drop(gone.await);
    put(&app, "next".to_owned(), "a").await.unwrap();
    assert!(names(&app).await.contains(&"next".to_owned()));
}

#[tokio::test]
async fn a_reader_sees_one_state_throughout() {
    let folder = std::env::temp_dir().join(format!("kit-{}", uuid::Uuid::now_v7()));
    std::fs::create_dir(&folder).unwrap();
    let app = App::native(&Native { location: Location::File(folder.join("db")), ..Native::in_memory([]) }).unwrap();
    put(&app, "before".to_owned(), "a").await.unwrap();
    let other = app.clone();
    let counts = app
        .db()
        .read(&cx(), move |tx| {
            let count = |tx: &Tx<'_>| tx.scalar::<i64>("select count(*) from lease", &[]);
            let first = count(tx)?;
            // Another connection commits meanwhile.
            std::thread::spawn(move || {
                futures_executor::block_on(async {
                    let mut writer = other.db().backend.writer().await.unwrap();
                    writer.begin().await.unwrap();
                    writer.query("insert into lease (name, holder, until) values ('during', 'b', 0)", &[]).unwrap();
                    writer.commit().await.unwrap();
                })
            })
            .join()
            .unwrap();
            Ok::<_, DbError>((first, count(tx)?))
        })
        .await
        .unwrap();
    assert_eq!(counts, (Some(1), Some(1)));
    assert_eq!(names(&app).await, ["before", "during"]);
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn messages_of_sqlite_are_told_apart() {
    let sorted = |message: &str| DbError::from_message(message.to_owned());
    assert!(matches!(sorted("database is locked"), DbError::Busy));
    assert!(matches!(sorted("UNIQUE constraint failed: lease.name"), DbError::Constraint(_)));
    assert!(matches!(sorted("database or disk is full"), DbError::Unavailable(_)));
    assert!(matches!(sorted("disk I/O error"), DbError::Unavailable(_)));
    assert!(matches!(sorted("internal runtime error"), DbError::Unavailable(_)), "Spin, as it ends");
    assert!(matches!(sorted("near \"selec\": syntax error"), DbError::Statement(_)));
    assert!(sorted("database is locked").is_transient() && !sorted("syntax error").is_transient());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// Nested savepoints: what is kept is what every level around it has kept.
    #[test]
    fn nested_parts_keep_exactly_what_did_not_fail(outer in any::<bool>(), inner in proptest::collection::vec(any::<bool>(), 1..5)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let expected = if outer { inner.iter().filter(|kept| **kept).count() } else { 0 };
        let found = runtime.block_on(async {
            let app = app();
            let outcome: Result<(), DbError> = app.db().write(&cx(), move |tx| {
                for (number, kept) in inner.iter().enumerate() {
                    let part: Result<(), DbError> = tx.savepoint(|tx| {
                        let name = number.to_string();
                        tx.execute("insert into lease (name, holder, until) values (?1, 'a', 0)", &params![name])?;
                        if *kept { Ok(()) } else { Err(DbError::Shape("on purpose".to_owned())) }
                    });
                    assert_eq!(part.is_ok(), *kept);
                }
                if outer { Ok(()) } else { Err(DbError::Shape("on purpose".to_owned())) }
            }).await;
            assert_eq!(outcome.is_ok(), outer);
            names(&app).await.len()
        });
        prop_assert_eq!(found, expected);
    }
}
