//! The whole database as numbered SQL, applied once, by whichever instance comes first, under the write lock.

use super::DbError;
use super::backend::Connection;
use crate::params;

/// What every connection sets. WAL persists in the file; the rest belongs to the connection.
///
/// SQLite notes what a savepoint may have to undo, page by page, in a temporary file as soon as that exceeds 64 kB, which one
/// order may do. In memory it takes no call of the system.
///
/// With many customers nearly every event changes pages of its own. A batch of them fits into 8 MiB, so none is written twice; and the log of writes
/// is moved into the database by 32 MB rather than 4, in which the pages that all change are written once.
pub(super) const SETTINGS: [&str; 6] = [
    "pragma journal_mode = wal",
    "pragma synchronous = full",
    "pragma foreign_keys = on",
    "pragma temp_store = memory",
    "pragma cache_size = -8192",
    "pragma wal_autocheckpoint = 8000",
];

/// A numbered file of the folder `migrations/`.
struct Migration {
    number: i64,
    name: &'static str,
    sql: &'static str,
}

macro_rules! migrations {
    ($($number:literal $name:literal),* $(,)?) => {
        &[$(Migration {
            number: $number,
            name: $name,
            sql: include_str!(concat!("../../../../migrations/", $name, ".sql")),
        }),*]
    };
}

/// In reading order. A landed file is never changed again, only followed by another.
const MIGRATIONS: &[Migration] = migrations![
    1 "0001_log",
    2 "0002_access",
    3 "0003_orders",
    4 "0004_trim",
    5 "0005_marketplaces",
    6 "0006_warehouse",
    7 "0007_pickup",
    8 "0008_customers",
    9 "0009_tagging",
    10 "0010_membership",
    11 "0011_relations",
    12 "0012_import",
    13 "0013_names",
    14 "0014_channels",
    15 "0015_messages",
    16 "0016_fission",
    17 "0017_radar",
    18 "0018_attribution",
    19 "0019_wecom_tags",
    20 "0020_rfm",
    21 "0021_reception_held",
    22 "0022_tag_retired",
    23 "0023_transfers",
    24 "0024_ways_and_messages",
    25 "0025_group_chats_and_caps",
];

/// Whether the database stands before the newest migration. Needs no lock.
///
/// # Errors
/// [`DbError::Unavailable`] when the database is newer than this code: an old component must not write into it.
pub(super) fn pending(connection: &Connection) -> Result<bool, DbError> {
    let table = connection
        .query("select 1 as found from sqlite_schema where type = 'table' and name = 'schema_migration'", &[])?;
    if table.is_empty() {
        return Ok(true);
    }
    let newest = newest(connection)?;
    let known = MIGRATIONS.last().map_or(0, |migration| migration.number);
    if newest > known {
        return Err(DbError::Unavailable(format!(
            "the database has migration {newest}, this component knows {known}: deploy the newer component"
        )));
    }
    Ok(newest < known)
}

/// Applies what is missing. The caller holds the write lock, and commits.
pub(super) fn apply(connection: &Connection) -> Result<(), DbError> {
    connection.query(
        "create table if not exists schema_migration (
             number     integer primary key,
             name       text    not null,
             applied_at integer not null
         ) strict",
        &[],
    )?;
    // Another instance may have been first while this one waited for the lock.
    let newest = newest(connection)?;
    for migration in MIGRATIONS.iter().filter(|migration| migration.number > newest) {
        for statement in statements(migration.sql) {
            connection.query(statement, &[])?;
        }
        connection.query(
            "insert into schema_migration (number, name, applied_at)
             values (?1, ?2, unixepoch() * 1000)",
            &params![migration.number, migration.name],
        )?;
    }
    Ok(())
}

fn newest(connection: &Connection) -> Result<i64, DbError> {
    let rows = connection.query("select coalesce(max(number), 0) as newest from schema_migration", &[])?;
    rows.first().map_or(Ok(0), |row| row.get("newest"))
}

/// Splits a script into its statements, since a host runs only the first of a text. A statement ends with a semicolon at
/// the end of a line; inside `create trigger`, with the line `end;`.
fn statements(script: &str) -> Vec<&str> {
    let mut statements = Vec::new();
    let mut start = 0;
    let mut end = 0;
    let mut in_trigger = false;
    for line in script.split_inclusive('\n') {
        end += line.len();
        let code = line.split("--").next().unwrap_or_default().trim().to_ascii_lowercase();
        in_trigger |= code.starts_with("create trigger");
        let ends = if in_trigger { code == "end;" } else { code.ends_with(';') };
        if ends {
            statements.push(script[start..end].trim());
            start = end;
            in_trigger = false;
        }
    }
    statements
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_split_at_semicolons_that_end_lines() {
        let script = "-- One; not yet.\ncreate table a (x text default ';'); -- done;\ncreate trigger t after insert on a begin\n  delete from a;\nend;\n";
        let found = statements(script);
        assert_eq!(found.len(), 2);
        assert!(found[0].contains("default ';'"));
        assert!(found[1].starts_with("create trigger") && found[1].ends_with("end;"));
    }

    #[test]
    fn every_file_of_the_folder_is_listed_in_order() {
        let folder = "../../migrations";
        let mut files: Vec<String> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        files.sort();
        let listed: Vec<String> = MIGRATIONS.iter().map(|migration| format!("{}.sql", migration.name)).collect();
        assert_eq!(files, listed);
        for (place, migration) in MIGRATIONS.iter().enumerate() {
            assert_eq!(migration.number, i64::try_from(place).unwrap() + 1);
            assert!(migration.name.starts_with(&format!("{:04}_", migration.number)));
        }
    }
}
