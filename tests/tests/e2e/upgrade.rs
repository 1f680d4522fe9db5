//! Upgrades, as docs/operations.md tells: the database of an older release is brought to today's with all that is in it, and a component is replaced
//! while messages come.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::Connection;
use serde_json::{Value, json};
use siyu_tests::host::{Host, root};
use siyu_tests::http::Client;
use siyu_tests::marketplace::doudian::Doudian;
use siyu_tests::marketplace::server::Server;
use siyu_tests::system::{DATABASE, System, WEBHOOK_SECRET, configured, fresh_state};

use crate::database::{assert_sound, is_settled, is_settled_in, number_in, rows, texts};
use crate::fixtures::{PATIENCE, THEN, basket, order, push, sale};

/// The last migration of the first release, which knew orders and nobody's name, and of two later ones.
const RELEASES: [usize; 3] = [3, 13, 24];

/// Makes a database as a release left it that ended with this migration: what today's database holds of the tables and columns that there were.
fn as_of(release: usize, today: &Path, path: &Path) {
    let database = Connection::open(path).unwrap();
    database.execute_batch("pragma journal_mode = wal; pragma foreign_keys = off; begin").unwrap();
    database.execute_batch("create table schema_migration (number integer primary key, name text not null, applied_at integer not null) strict").unwrap();
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(root().join("migrations")).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    for (number, file) in (1_i64..).zip(files.iter().take(release)) {
        database.execute_batch(&std::fs::read_to_string(file).unwrap()).unwrap();
        let name = file.file_stem().unwrap().to_str().unwrap();
        database.execute("insert into schema_migration values (?1, ?2, 0)", (number, name)).unwrap();
    }
    database.execute_batch("commit").unwrap();
    database.execute("attach ?1 as today", [today.to_str().unwrap()]).unwrap();
    let consumers = texts(&database, "select quote(name) from consumer").join(", ");
    let tables = "select name from main.sqlite_schema where type = 'table' and name not like 'sqlite_%' and name <> 'schema_migration'";
    for table in texts(&database, tables) {
        let columns = texts(
            &database,
            &format!(
                "select '\"' || name || '\"' from pragma_table_info('{table}', 'main') intersect
                 select '\"' || name || '\"' from pragma_table_info('{table}', 'today')"
            ),
        );
        let columns = columns.join(", ");
        // Some tables begin with rows of their own.
        let copy = format!(
            "delete from main.\"{table}\"; insert into main.\"{table}\" ({columns}) select {columns} from today.\"{table}\""
        );
        database.execute_batch(&copy).unwrap();
    }
    database.execute_batch(&format!("delete from main.consumer where name not in ({consumers})")).unwrap();
    if release == RELEASES[0] {
        let foreign = "type not like 'order.%' and type not like 'buyer.%' and type not like 'refund.%' and type not like 'stock.%' and type not like 'outbox.%'";
        database.execute_batch(&format!("delete from main.event where {foreign}")).unwrap();
        // Its log had no gaps.
        database
            .execute_batch(
                "create temp table place as select seq as old, row_number() over (order by seq) as new from main.event;
                 update main.event set seq = (select -new from place where old = seq);
                 update main.event set seq = -seq;
                 update main.consumer set seq = (select max(seq) from main.event);
                 update sqlite_sequence set seq = (select max(seq) from main.event) where name = 'event'",
            )
            .unwrap();
    }
    database.execute_batch("detach today").unwrap();
}

/// Orders with refunds and history, stock, and how many customers they have.
async fn books(system: &System) -> Value {
    let mut orders = Vec::new();
    for listed in system.orders().await.unwrap() {
        let mut order = order(system, listed["id"].as_str().unwrap()).await;
        for told in order["history"].as_array_mut().unwrap() {
            // Where it stands in the log depends on what else is in there.
            told.as_object_mut().unwrap().remove("seq");
        }
        orders.push(order);
    }
    let stock = system.client.get(&system.host.at("/v1/stock/CUP-1")).await.unwrap().json().unwrap();
    let customers = system.client.pages(&system.host.at("/v1/customers?limit=500")).await.unwrap().len();
    json!({ "orders": orders, "stock": stock, "customers": customers })
}

async fn settled(system: &System, orders: i64) {
    let all = async |system: &System| {
        let complete = crate::database::number(system, "select count(*) from \"order\" where complete") == orders;
        Ok((complete && is_settled(system)).then_some(()))
    };
    system.wait_for("all to be consumed", PATIENCE, all).await.unwrap();
}

#[tokio::test]
async fn a_database_of_every_release_is_brought_to_today_s_with_what_is_in_it() {
    let mut system = System::start().await.unwrap();
    let counted = system.client.json("PUT", &system.host.at("/v1/stock/CUP-1"), &json!({ "on_hand": 100 })).await;
    assert_eq!(counted.unwrap().status, 200);
    for number in 0..5 {
        let mut sold = sale(&format!("POS-{number}"));
        sold.member_card = Some(format!("测试会员-{}", number % 3));
        assert_eq!(system.send_till(&sold.message("paid", THEN).unwrap()).await.unwrap().status, 200);
    }
    system.platform.shop(|shop| {
        let id = shop.place(basket(), THEN);
        shop.pay(&id, THEN + 60).unwrap();
        let case = shop.ask_refund(&id, 1_000, THEN + 120).unwrap();
        shop.refund(&case, THEN + 180).unwrap();
    });
    push(&system, &system.platform.untold()).await;
    settled(&system, 6).await;
    let before = books(&system).await;
    assert_eq!(before["customers"], 4);

    let folder = tempfile::tempdir().unwrap();
    let today = folder.path().join("today.db");
    let copied = crate::database::open(system.state()).execute("vacuum into ?1", [today.to_str().unwrap()]);
    copied.unwrap();
    for release in RELEASES {
        let old = folder.path().join(format!("{release}.db"));
        as_of(release, &today, &old);
        system = system.restore(&old).await.unwrap();
        // Whoever is called first applies what is missing; consumers that are new read the log from its beginning.
        let sold = sale(&format!("POS-AFTER-{release}")).message("paid", THEN).unwrap();
        assert_eq!(system.send_till(&sold).await.unwrap().status, 200, "{release}");
        settled(&system, 7).await;
        let migrations = i64::try_from(std::fs::read_dir(root().join("migrations")).unwrap().count()).unwrap();
        assert_eq!(rows(&system, "schema_migration"), migrations);
        let mut after = books(&system).await;
        let orders = after["orders"].as_array_mut().unwrap();
        orders.retain(|order| !order.to_string().contains("POS-AFTER"));
        assert_eq!(after["orders"], before["orders"], "{release}");
        assert_eq!(after["stock"]["reserved"], 6, "{release}");
        // 测试会员-1 has bought before.
        assert_eq!(after["customers"], before["customers"], "{release}");
        assert_eq!(rows(&system, "dead_letter"), 0, "{release}");
        assert_sound(&system);
    }
}

/// The application's files in another folder, one component not the same as before.
fn with_another_component(folder: &Path) -> PathBuf {
    let manifest = std::fs::read_to_string(root().join("spin.toml")).unwrap();
    for line in manifest.lines() {
        let Some(source) = line.strip_prefix("source = \"").and_then(|rest| rest.strip_suffix('"')) else { continue };
        let copy = folder.join(source);
        std::fs::create_dir_all(copy.parent().unwrap()).unwrap();
        std::fs::copy(root().join(source), copy).unwrap();
    }
    // A custom section that says nothing.
    let changed = folder.join("target/wasm32-wasip2/function/orders.wasm");
    let mut bytes = std::fs::read(&changed).unwrap();
    bytes.extend([0, 5, 4, b't', b'e', b's', b't']);
    std::fs::write(&changed, bytes).unwrap();
    std::fs::write(folder.join("spin.toml"), manifest).unwrap();
    folder.join("spin.toml")
}

async fn sold(host: &str, number: usize) -> Result<Value, String> {
    let message = sale(&format!("POS-{number}")).message("paid", THEN).unwrap();
    let (headers, body) = message.signed(WEBHOOK_SECRET, Timestamp::now().as_second()).unwrap();
    let answer = Client::new().send("POST", &format!("{host}/hooks/orders"), &headers, body).await;
    let answer = answer.map_err(|error| error.to_string())?;
    if answer.status == 200 { Ok(answer.json().unwrap()) } else { Err(answer.to_string()) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_is_replaced_while_messages_come_and_none_is_refused() {
    let platform = Server::start(Doudian).await.unwrap();
    let (state, files) = (fresh_state().unwrap(), tempfile::tempdir().unwrap());
    let setup = configured(&platform);
    let old = Host::start(&setup, state.path()).unwrap();
    let (address, whereto) = tokio::sync::watch::channel(old.url().to_owned());
    let sender = tokio::spawn(async move {
        let mut number = 0;
        while !whereto.borrow().is_empty() {
            let url = whereto.borrow().clone();
            let answer = sold(&url, number).await.unwrap_or_else(|error| panic!("{number} at {url}: {error}"));
            assert_eq!(answer["status"], "accepted", "{number}");
            number += 1;
        }
        number
    });
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let mut replaced = setup.clone();
    replaced.manifest = with_another_component(files.path());
    let new = Host::start(&replaced, state.path()).unwrap();
    address.send(new.url().to_owned()).unwrap();
    // Nobody sends to the old one any more; it ends what it has begun.
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert!(old.stop().await.unwrap().success());
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    address.send(String::new()).unwrap();
    let sent = sender.await.unwrap();
    assert!(sent > 2);
    let deadline = std::time::Instant::now() + PATIENCE;
    while !is_settled_in(state.path()) {
        assert!(std::time::Instant::now() < deadline, "all is consumed in the end");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(number_in(state.path(), "select count(*) from \"order\""), i64::try_from(sent).unwrap());
    assert_eq!(siyu_tests::check::complaint(&state.path().join(DATABASE)).unwrap(), None);
}
