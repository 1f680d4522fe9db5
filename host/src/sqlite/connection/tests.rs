//! Connections as guests use them, over real files.

use std::future::Future;
use std::path::Path;
use std::time::{Duration, Instant};

use super::*;
use crate::runtime_config::DatabaseConfig;
use crate::sqlite::Limits;

fn limits() -> Limits {
    Limits {
        busy_timeout: Duration::from_millis(300),
        inline_timeout: Duration::from_millis(300),
        statement_timeout: Duration::from_millis(300),
        buffered_bytes: 1 << 20,
        connections: 8,
    }
}

/// For tests that are not about time: however slow the machine is, nobody is sent away.
fn patient() -> Limits {
    let long = Duration::from_secs(600);
    Limits { busy_timeout: long, inline_timeout: long, statement_timeout: long, ..limits() }
}

fn database(folder: &Path) -> Arc<Database> {
    database_with(folder, &limits())
}

fn database_with(folder: &Path, limits: &Limits) -> Arc<Database> {
    let path = folder.join("test.db");
    let database = Database::new(&DatabaseConfig { path, allow_attach_file: false }, limits).unwrap();
    database.open().unwrap().execute_batch("pragma journal_mode = wal; create table t (x);").unwrap();
    Arc::new(database)
}

/// A connection of an instance of its own.
fn connection(database: &Arc<Database>) -> Connection {
    Connection::new(Arc::clone(database), Writers::default(), Budget::new(limits().buffered_bytes))
}

async fn run(connection: &Connection, place: Place, sql: &str) -> Result<Vec<Vec<Value>>, String> {
    let rows = connection.link().execute(sql.to_owned(), Vec::new(), place).await;
    let rows = rows.map_err(|error| format!("{error:?}"))?;
    Ok(rows.rows.into_iter().map(|row| row.values).collect())
}

async fn count(database: &Arc<Database>) -> i64 {
    let rows = run(&connection(database), Place::Here, "select count(*) from t").await.unwrap();
    let [Value::Integer(count)] = rows[0][..] else { panic!("{rows:?}") };
    count
}

/// Runs a test with one thread for its tasks, as a server thread has: what blocks it, blocks everything.
fn on_one_thread<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test)
}

#[test]
fn values_go_in_and_come_out_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let database = database(folder.path());
    on_one_thread(async {
        let values = vec![
            Value::Integer(i64::MIN),
            Value::Real(0.5),
            Value::Text("茶".to_owned()),
            Value::Blob(vec![0, 255]),
            Value::Null,
        ];
        let sql = "select ?1, ?2, ?3, ?4, ?5".to_owned();
        let rows = connection(&database).link().execute(sql, values.clone(), Place::Anywhere).await.unwrap();
        assert_eq!(rows.columns, ["?1", "?2", "?3", "?4", "?5"]);
        assert_eq!(format!("{:?}", rows.rows[0].values), format!("{values:?}"));
    });
}

#[test]
fn what_cannot_be_run_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let database = database(folder.path());
    let refused = [
        ("selec 1", "syntax error"),
        ("select ?1", "parameter"),
        ("select 1; select 2", "ultiple"),
        ("attach 'other.db' as other", "not authorized"),
        ("select cast(x'ff' as text)", "not UTF-8"),
    ];
    on_one_thread(async {
        let connection = connection(&database);
        for (sql, why) in refused {
            for place in [Place::Here, Place::Anywhere] {
                let error = run(&connection, place, sql).await.unwrap_err();
                assert!(error.contains(why), "{sql}: {error}");
            }
        }
        run(&connection, Place::Here, "attach ':memory:' as scratch").await.unwrap();
    });
}

#[test]
fn a_waiting_writer_does_not_keep_the_thread_from_the_one_it_waits_for() {
    let folder = tempfile::tempdir().unwrap();
    let database = database(folder.path());
    on_one_thread(async {
        for place in [Place::Here, Place::Anywhere] {
            let (first, second) = (connection(&database), connection(&database));
            run(&first, place, "begin immediate").await.unwrap();
            run(&first, place, "insert into t values (1)").await.unwrap();
            let (waited, ended) = tokio::join!(run(&second, place, "insert into t values (2)"), async {
                tokio::task::yield_now().await;
                run(&first, place, "commit").await
            });
            // Were the thread blocked in SQLite's busy handler, the commit could not come, nor this succeed.
            waited.unwrap();
            ended.unwrap();
        }
        assert_eq!(count(&database).await, 4);
    });
}

#[test]
fn writers_get_their_turn_in_the_order_of_their_coming() {
    let folder = tempfile::tempdir().unwrap();
    let database = database_with(folder.path(), &patient());
    on_one_thread(async {
        let holder = connection(&database);
        run(&holder, Place::Anywhere, "begin immediate").await.unwrap();
        let local = tokio::task::LocalSet::new();
        let tasks: Vec<_> = (0..20)
            .map(|number| {
                let writer = connection(&database);
                local.spawn_local(async move {
                    run(&writer, Place::Anywhere, "begin immediate").await.unwrap();
                    let sql = format!("insert into t values ({number})");
                    run(&writer, Place::Here, &sql).await.unwrap();
                    run(&writer, Place::Anywhere, "commit").await.unwrap();
                })
            })
            .collect();
        local.spawn_local(async move { run(&holder, Place::Anywhere, "commit").await.unwrap() });
        local.await;
        for task in tasks {
            task.await.unwrap();
        }
        let rows = run(&connection(&database), Place::Here, "select x from t order by rowid").await.unwrap();
        let order: Vec<_> = rows.iter().map(|row| format!("{:?}", row[0])).collect();
        let expected: Vec<_> = (0..20).map(|number| format!("{:?}", Value::Integer(number))).collect();
        assert_eq!(order, expected);
    });
}

#[test]
fn a_writer_waits_no_longer_than_the_busy_time_out() {
    let folder = tempfile::tempdir().unwrap();
    let database = database(folder.path());
    on_one_thread(async {
        let (first, second) = (connection(&database), connection(&database));
        run(&first, Place::Here, "begin immediate").await.unwrap();
        let start = Instant::now();
        let error = run(&second, Place::Here, "insert into t values (2)").await.unwrap_err();
        assert_eq!(error, "Error::Io(\"database is locked\")");
        assert!(start.elapsed() >= limits().busy_timeout);
    });
}

#[test]
fn a_statement_that_holds_up_its_instance_does_not_wait_for_a_writer_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let database = database(folder.path());
    on_one_thread(async {
        let (elsewhere, first, waiting) = (connection(&database), connection(&database), connection(&database));
        let beside = |other: &Connection| {
            Connection::new(Arc::clone(&database), other.0.writers.clone(), Budget::new(limits().buffered_bytes))
        };
        let refused = async |connection: Connection| {
            let start = Instant::now();
            let error = run(&connection, Place::Here, "insert into t values (2)").await.unwrap_err();
            assert!(error.contains("database is locked"), "{error}");
            assert!(start.elapsed() < limits().busy_timeout / 2, "it waited {:?}", start.elapsed());
        };
        run(&first, Place::Anywhere, "begin immediate").await.unwrap();
        refused(beside(&first)).await;
        run(&first, Place::Anywhere, "commit").await.unwrap();
        run(&beside(&first), Place::Here, "insert into t values (1)").await.unwrap();
        // Nor for one that is waiting itself.
        run(&elsewhere, Place::Anywhere, "begin immediate").await.unwrap();
        let (waited, ()) = tokio::join!(run(&waiting, Place::Anywhere, "begin immediate"), async {
            tokio::task::yield_now().await;
            refused(beside(&waiting)).await;
            run(&elsewhere, Place::Anywhere, "commit").await.unwrap();
        });
        waited.unwrap();
    });
}

#[test]
fn readers_and_deferred_transactions_do_not_wait_for_writers() {
    let folder = tempfile::tempdir().unwrap();
    let database = database(folder.path());
    on_one_thread(async {
        let (writer, reader) = (connection(&database), connection(&database));
        run(&writer, Place::Here, "begin immediate").await.unwrap();
        run(&writer, Place::Here, "insert into t values (1)").await.unwrap();
        let start = Instant::now();
        for sql in ["begin", "select * from t", "commit"] {
            run(&reader, Place::Anywhere, sql).await.unwrap();
        }
        assert!(start.elapsed() < limits().busy_timeout);
    });
}

#[test]
fn a_dropped_connection_rolls_back_and_lets_the_next_writer_in_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let database = database(folder.path());
    on_one_thread(async {
        let abandoned = connection(&database);
        run(&abandoned, Place::Anywhere, "begin immediate").await.unwrap();
        run(&abandoned, Place::Here, "insert into t values (1)").await.unwrap();
        drop(abandoned);
        let start = Instant::now();
        run(&connection(&database), Place::Here, "insert into t values (2)").await.unwrap();
        assert!(start.elapsed() < limits().busy_timeout);
        assert_eq!(count(&database).await, 1);
    });
}

#[test]
fn a_statement_whose_connection_is_dropped_stops() {
    let folder = tempfile::tempdir().unwrap();
    let slow = DatabaseConfig { path: folder.path().join("slow.db"), allow_attach_file: false };
    let database = Arc::new(Database::new(&slow, &patient()).unwrap());
    on_one_thread(async {
        let connection = connection(&database);
        let link = connection.link();
        let endless =
            tokio::spawn(async move { link.execute(ENDLESS.to_owned(), Vec::new(), Place::Anywhere).await.map(drop) });
        tokio::time::sleep(Duration::from_millis(50)).await;
        drop(connection);
        let stopped = tokio::time::timeout(Duration::from_secs(10), endless).await.unwrap().unwrap();
        assert!(stopped.is_err());
    });
}

#[test]
fn an_endless_statement_is_stopped_and_the_connection_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let database = database(folder.path());
    on_one_thread(async {
        let connection = connection(&database);
        for place in [Place::Here, Place::Anywhere] {
            let error = run(&connection, place, ENDLESS).await.unwrap_err();
            assert!(error.contains("took too long"), "{error}");
            run(&connection, place, "select 1").await.unwrap();
        }
    });
}

#[test]
fn rows_are_limited_for_the_instance_not_for_the_statement() {
    let folder = tempfile::tempdir().unwrap();
    let database = database(folder.path());
    let half = "select zeroblob(700000)".to_owned();
    on_one_thread(async {
        let connection = connection(&database);
        let unread = connection.link().execute(half.clone(), Vec::new(), Place::Here).await.unwrap();
        let refused = connection.link().execute(half.clone(), Vec::new(), Place::Here).await.map(drop);
        assert!(format!("{refused:?}").contains("exceed"), "{refused:?}");
        drop(unread);
        connection.link().execute(half, Vec::new(), Place::Here).await.map(drop).unwrap();
    });
}

#[test]
fn the_end_of_a_transaction_is_told_by_its_first_word() {
    for sql in ["commit", " COMMIT;", "End transaction", "rollback to a", "release a"] {
        assert!(ends_transaction(sql), "{sql}");
    }
    for sql in ["committed", "savepoint a", "insert into t values ('commit')", ""] {
        assert!(!ends_transaction(sql), "{sql}");
    }
}

const ENDLESS: &str = "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n";

#[test]
fn settings_do_not_wait_for_a_writer() {
    let folder = tempfile::tempdir().unwrap();
    let database = database(folder.path());
    on_one_thread(async {
        let writer = connection(&database);
        run(&writer, Place::Anywhere, "begin immediate").await.unwrap();
        let start = Instant::now();
        let rows = run(&connection(&database), Place::Here, "PRAGMA journal_mode = wal").await.unwrap();
        assert!(start.elapsed() < Duration::from_millis(100), "waited {:?}", start.elapsed());
        assert_eq!(format!("{rows:?}"), r#"[[Value::Text("wal")]]"#);
    });
}
