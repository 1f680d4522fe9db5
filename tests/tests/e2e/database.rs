//! A look into the application's database, for what no answer shows: that something left no trace, or is there once.

use std::path::Path;

use rusqlite::Connection;
use rusqlite::types::Value;
use siyu_tests::database;
use siyu_tests::system::{DATABASE, System};

/// The database in a state folder, to be read.
pub fn open(state: &Path) -> Connection {
    database::open(state).unwrap()
}

/// The single integer that `sql` yields in the database of a state folder.
pub fn number_in(state: &Path, sql: &str) -> i64 {
    database::number_in(state, sql).unwrap()
}

/// The single integer that `sql` yields.
pub fn number(system: &System, sql: &str) -> i64 {
    number_in(system.state(), sql)
}

/// The texts that `sql` yields.
pub fn texts(database: &Connection, sql: &str) -> Vec<String> {
    database.prepare(sql).unwrap().query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

/// Rows of a table.
pub fn rows(system: &System, table: &str) -> i64 {
    number(system, &format!("select count(*) from \"{table}\""))
}

/// Whether every consumer has come to the end of the log and no call waits to be sent.
pub fn is_settled(system: &System) -> bool {
    is_settled_in(system.state())
}

/// Whether all is done in the database of a state folder.
pub fn is_settled_in(state: &Path) -> bool {
    database::is_settled_in(state).unwrap()
}

/// All holds that must: constraints, and each function's books against the log and each other.
pub fn assert_sound(system: &System) {
    assert_eq!(siyu_tests::check::complaint(&system.state().join(DATABASE)).unwrap(), None);
}

/// Every value of every table: where it stands, and its bytes.
pub fn values(system: &System) -> Vec<(String, Vec<u8>)> {
    let database = open(system.state());
    let names = "select name from sqlite_schema where type = 'table' and name not like 'sqlite_%'";
    let mut tables = database.prepare(names).unwrap();
    let tables: Vec<String> = tables.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let mut values = Vec::new();
    for table in tables {
        let mut statement = database.prepare(&format!("select * from \"{table}\"")).unwrap();
        let columns: Vec<_> = statement.column_names().map(|column| format!("{table}.{column}")).collect();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            for (index, place) in columns.iter().enumerate() {
                let bytes = match row.get::<_, Value>(index).unwrap() {
                    Value::Null => continue,
                    Value::Integer(number) => number.to_string().into_bytes(),
                    Value::Real(number) => number.to_string().into_bytes(),
                    Value::Text(text) => text.into_bytes(),
                    Value::Blob(bytes) => bytes,
                };
                values.push((place.clone(), bytes));
            }
        }
    }
    values
}
