//! Runtime configurations that are understood, and those that are not.

use super::*;

fn parse(text: &str) -> Result<RuntimeConfig, RuntimeConfigError> {
    RuntimeConfig::parse(text, Path::new("/etc/tea"), Path::new("/state"))
}

fn database(path: &str) -> DatabaseConfig {
    DatabaseConfig { path: PathBuf::from(path), allow_attach_file: false }
}

#[test]
fn without_a_file_the_defaults_lie_in_the_state_directory() {
    let config = parse("").unwrap();
    assert_eq!(config, RuntimeConfig::defaults(Path::new("/state")));
    assert_eq!(config.databases["default"], database("/state/sqlite_db.db"));
    assert_eq!(config.stores["default"], Path::new("/state/sqlite_key_value.db"));
}

#[test]
fn a_file_adds_labels_and_replaces_defaults() {
    let config = parse(
        r#"
[sqlite_database.default]
type = "spin"
path = "here.db"
[sqlite_database.books]
type = "spin"
path = "/var/books.db"
allow_attach_file = true
[key_value_store.sessions]
type = "spin"
path = "sessions.db"
"#,
    )
    .unwrap();
    assert_eq!(config.databases["default"], database("here.db"));
    assert_eq!(config.databases["books"], DatabaseConfig { allow_attach_file: true, ..database("/var/books.db") });
    assert_eq!(config.stores["sessions"], Path::new("/etc/tea/sessions.db"));
    assert_eq!(config.stores["default"], Path::new("/state/sqlite_key_value.db"));
}

#[test]
fn what_is_not_supported_is_refused_by_its_full_name() {
    let cases = [
        (
            "[sqlite_database.books]\ntype = \"libsql\"\nurl = \"https://example.com\"",
            "sqlite_database.books.type = \"libsql\"",
        ),
        (
            "[key_value_store.cache]\ntype = \"redis\"\nurl = \"redis://example.com\"",
            "key_value_store.cache.type = \"redis\"",
        ),
        ("[llm_compute]\ntype = \"spin\"", "llm_compute"),
        ("state_dir = \"/elsewhere\"", "state_dir"),
        ("[sqlite_database.books]\npath = \"a\"", "sqlite_database.books: has no type"),
        ("[sqlite_database.books]\ntype = \"spin\"", "sqlite_database.books: missing field `path`"),
        (
            "[sqlite_database.books]\ntype = \"spin\"\npath = \"a\"\nmode = 1",
            "sqlite_database.books: unknown field `mode`",
        ),
        ("sqlite_database = 1", "sqlite_database: "),
        ("not toml", "not valid TOML"),
    ];
    for (text, name) in cases {
        let error = parse(text).unwrap_err().to_string();
        assert!(error.contains(name), "{text}: {error}");
    }
}

#[test]
fn what_the_manifest_names_has_to_be_there() {
    let manifest = |key: &str| {
        format!(
            "spin_manifest_version = 2\n[application]\nname = \"tea\"\n[[trigger.http]]\nroute = \"/\"\n\
             component = \"shop\"\n[component.shop]\nsource = \"a.wasm\"\n{key} = [\"default\", \"books\"]\n"
        )
    };
    let config = parse("").unwrap();
    for (key, table) in [("sqlite_databases", "sqlite_database"), ("key_value_stores", "key_value_store")] {
        let app = App::parse(&manifest(key), Path::new("")).unwrap();
        let error = config.check(&app).unwrap_err().to_string();
        assert!(error.contains(&format!("component.shop.{key}")), "{error}");
        assert!(error.contains(&format!("[{table}.books]")), "{error}");
        let with = parse(&format!("[{table}.books]\ntype = \"spin\"\npath = \"b\"")).unwrap();
        assert!(with.check(&app).is_ok());
    }
}
