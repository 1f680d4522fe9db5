//! SQLite as guests see it, in the right order and in wrong ones.

use std::time::{Duration, Instant};

use crate::support::{Host, Setup, eventually};

/// A host whose default database has an empty table `t` in WAL mode.
fn with_table(flags: &[&str]) -> Host {
    let sql = "pragma journal_mode = wal; create table t (x)";
    let setup = Setup::new();
    let file = setup.file("table.sql", sql);
    let setup = setup.flags(["--sqlite", &format!("@{file}")]);
    flags.iter().fold(setup, |setup, flag| setup.flags([*flag])).start()
}

async fn count(host: &Host) -> String {
    host.script("sync select count(*) from t").await
}

#[tokio::test]
async fn both_ways_of_running_statements_give_the_same() {
    let host = with_table(&[]);
    let output = host
        .script(
            "async insert into t values (1), ('茶'), (2.5), (x'00ff'), (null)\nchanges\nrowid\n\
             async select x from t order by rowid\nsync select x from t order by rowid\n\
             sync update t set x = 0 where x = 1 returning x\nchanges",
        )
        .await;
    let rows = "1\n茶\n2.5\n[00, ff]\nnull\n";
    assert_eq!(output, format!("5\n5\n{rows}{rows}0\n1\n"));
}

#[tokio::test]
async fn a_statement_that_fails_says_so_and_leaves_the_transaction_open() {
    let host = with_table(&[]);
    for how in ["sync", "async"] {
        let reply = host.post("/script/default", format!("{how} selec 1")).await;
        assert!(reply.status == 500 && reply.body.contains("syntax error"), "{reply:?}");
    }
    // The failed statement ends the script, the script's end the transaction.
    let script = "async begin immediate\nsync insert into t values (1)\nsync insert into nowhere values (1)";
    assert_eq!(host.post("/script/default", script).await.status, 500);
    assert_eq!(count(&host).await, "0\n");
}

#[tokio::test]
async fn unread_rows_hold_up_nothing() {
    let host = with_table(&[]);
    let many = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 5000)";
    let script = format!(
        "async begin immediate\nunread {many} insert into t select i from n returning x\n\
         unread select x from t\nsync select count(*) from t\nasync commit"
    );
    assert_eq!(host.script(&script).await, "5000\n");
    assert_eq!(count(&host).await, "5000\n");
}

#[tokio::test]
async fn rows_that_nobody_reads_do_not_fill_the_host() {
    let host = with_table(&[]);
    let megabytes = "unread select zeroblob(4000000)\n".repeat(20);
    let reply = host.post("/script/default", megabytes).await;
    assert!(reply.status == 500 && reply.body.contains("exceed the limit"), "{reply:?}");
    assert!(host.peak_memory() < 256 << 20, "the host took {} bytes", host.peak_memory());
}

#[tokio::test]
async fn an_abandoned_transaction_is_rolled_back_and_the_next_writer_let_in() {
    let host = with_table(&[]);
    for end in ["", "\ntrap"] {
        let script = format!("async begin immediate\nsync insert into t values (1){end}");
        let reply = host.post("/script/default", script).await;
        assert_eq!(reply.status, if end.is_empty() { 200 } else { 503 });
        let start = Instant::now();
        host.script("sync insert into t values (2)").await;
        assert!(start.elapsed() < Duration::from_secs(4), "the writer waited {:?}", start.elapsed());
    }
    assert_eq!(count(&host).await, "2\n");
}

#[tokio::test]
async fn a_writer_that_hangs_loses_its_transaction_with_its_time() {
    let host = with_table(&["--request-timeout", "1s"]);
    let hanging = "async begin immediate\nsync insert into t values (1)\nhang";
    host.client().abandon("POST", "/script/default", hanging, Duration::from_millis(300)).await;
    // The next writer waits, and is served as soon as the host has given the first one up.
    eventually(async || {
        let reply =
            host.post("/script/default", "async begin immediate\nsync insert into t values (2)\nasync commit").await;
        (reply.status == 200).then_some(())
    })
    .await;
    assert_eq!(host.script("sync select x from t").await, "2\n");
}

#[tokio::test]
async fn writers_in_two_instances_take_turns() {
    let host = with_table(&[]);
    let host = &host;
    // They hold the lock for 0.8 s together. In SQLite's busy handler they would sleep on the thread that the holder of the
    // lock needs, until they are refused.
    let writers = (0..40).map(|number| async move {
        // Every second writer is another component, hence another instance, of the same thread.
        let path = if number % 2 == 0 { "/script/default" } else { "/other/script/default" };
        let script = format!("async begin immediate\nsync insert into t values ({number})\nsleep 20\nasync commit");
        host.post(path, script).await.ok();
    });
    futures_util::future::join_all(writers).await;
    assert_eq!(count(host).await, "40\n");
}

#[tokio::test]
async fn a_statement_that_cannot_wait_does_not_hold_up_its_instance() {
    let host = with_table(&[]);
    let transaction = "async begin immediate\nsync insert into t values (1)\nsleep 3000\nasync commit";
    let (committed, ()) = tokio::join!(host.post("/script/default", transaction), async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let start = Instant::now();
        let reply = host.post("/script/default", "sync insert into t values (2)").await;
        assert!(reply.status == 500 && reply.body.contains("database is locked"), "{reply:?}");
        assert!(start.elapsed() < Duration::from_millis(1500), "it waited {:?}", start.elapsed());
    });
    committed.ok();
    assert_eq!(host.script("sync select x from t").await, "1\n");
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_power_cut() {
    let host = with_table(&[]);
    let mut acknowledged = Vec::new();
    for number in 0..20 {
        host.script(&format!("async begin immediate\nsync insert into t values ({number})\nasync commit")).await;
        acknowledged.push(format!("{number}\n"));
    }
    // One that is not acknowledged is in the middle of it.
    let client = host.client();
    let open = "async begin immediate\nsync insert into t values (-1)\nhang";
    client.abandon("POST", "/script/default", open, Duration::from_millis(200)).await;
    let host = host.kill().start();
    assert_eq!(host.script("sync select x from t order by rowid").await, acknowledged.concat());
}

#[tokio::test]
async fn labels_of_one_file_share_its_queue_of_writers_whatever_they_call_it() {
    let setup = Setup::new().replacing(
        "key_value_stores = [\"default\"]\nsqlite_databases = [\"default\"]",
        "sqlite_databases = [\"default\", \"linked\"]",
    );
    // A link to a file that is not there yet.
    let link = setup.path("linked.db");
    std::os::unix::fs::symlink(setup.path("books.db"), &link).unwrap();
    let config = format!(
        "[sqlite_database.default]\ntype = \"spin\"\npath = {:?}\n[sqlite_database.linked]\ntype = \"spin\"\npath = {link:?}\n",
        setup.path("books.db"),
    );
    let config = setup.file("runtime.toml", &config);
    let sql = "pragma journal_mode = wal; create table t (x)";
    let host = setup.flags(["--runtime-config-file", &config, "--sqlite", sql]).start();
    // The one has the lock for a while; the other waits for its turn without meeting SQLite's own lock.
    let writing = host.script("async begin immediate\nasync insert into t values (1)\nsleep 1000\nasync commit");
    let other = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let start = Instant::now();
        // Of its own instance nobody waits: the one that has the lock could never give it back.
        let refused = host.post("/script/linked", "sync insert into t values (2)").await;
        assert!(refused.status == 500 && refused.body.contains("database is locked"), "{refused:?}");
        assert!(start.elapsed() < Duration::from_millis(500), "{:?}", start.elapsed());
        host.post("/script/linked", "async insert into t values (3)").await.ok()
    };
    tokio::join!(writing, other);
    assert_eq!(host.script("sync select x from t order by x").await, "1\n3\n");
}
