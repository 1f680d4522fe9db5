//! Stores over real files.

use super::*;

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn set(file: &Arc<StoreFile>, store: &str, key: &str, value: &[u8]) {
    block_on(Arc::clone(file).set(store.into(), key.to_owned(), value.to_vec())).unwrap();
}

#[test]
fn stores_of_one_file_do_not_see_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let file = Arc::new(StoreFile::new(folder.path().join("kv.db")));
    set(&file, "a", "key", b"of a");
    set(&file, "b", "key", b"of b");
    set(&file, "b", "other", &[]);
    set(&file, "a", "key", b"of a, later");
    assert_eq!(file.get("a", "key").unwrap().unwrap(), b"of a, later");
    assert_eq!(file.get("b", "key").unwrap().unwrap(), b"of b");
    assert_eq!(file.get("a", "other").unwrap(), None);
    assert_eq!(file.keys("a").unwrap().unwrap(), ["key"]);
    block_on(Arc::clone(&file).delete("b".into(), "key".to_owned())).unwrap();
    block_on(Arc::clone(&file).delete("b".into(), "never there".to_owned())).unwrap();
    assert!(!file.exists("b", "key").unwrap());
    assert!(file.exists("b", "other").unwrap());
    assert!(file.exists("a", "key").unwrap());
}

#[test]
fn two_processes_on_one_file_see_each_others_writes_at_once() {
    let folder = tempfile::tempdir().unwrap();
    // Each has its own connections, as another process would.
    let [ours, theirs] = [(); 2].map(|()| Arc::new(StoreFile::new(folder.path().join("kv.db"))));
    set(&ours, "a", "key", b"ours");
    assert_eq!(theirs.get("a", "key").unwrap().unwrap(), b"ours");
    set(&theirs, "a", "key", b"theirs");
    assert_eq!(ours.get("a", "key").unwrap().unwrap(), b"theirs");
}

#[test]
fn a_file_that_spin_made_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kv.db");
    // The table as Spin 4 makes it.
    let spin = Connection::open(&path).unwrap();
    spin.execute_batch(
        "CREATE TABLE spin_key_value (store TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (store, key));
         INSERT INTO spin_key_value VALUES ('default', 'token', x'01ff');",
    )
    .unwrap();
    let file = Arc::new(StoreFile::new(path));
    assert_eq!(file.get("default", "token").unwrap().unwrap(), [1, 255]);
    set(&file, "default", "token", b"new");
    let value: Vec<u8> = spin.query_row("SELECT value FROM spin_key_value", [], |row| row.get(0)).unwrap();
    assert_eq!(value, b"new");
}

#[test]
fn a_listing_that_is_too_long_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = StoreFile::new(folder.path().join("kv.db"));
    let fill = format!(
        "with recursive n(i) as (select 1 union all select i + 1 from n where i < 20)
         insert into spin_key_value select 'a', i || hex(zeroblob({})), x'' from n",
        LISTING_LIMIT / 20 / 2
    );
    file.with(&file.writer, |connection| connection.execute_batch(&fill)).unwrap();
    assert_eq!(file.keys("a").unwrap(), None);
    assert_eq!(file.keys("b").unwrap().unwrap(), Vec::<String>::new());
}
