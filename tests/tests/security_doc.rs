//! docs/security.md says what each function may touch, from spin.toml. This test fails while the page is stale;
//! `UPDATE_DOCS=1 cargo test -p siyu-tests --test security_doc` rewrites that part.

#![allow(clippy::unwrap_used, reason = "a test as a whole")]

use siyu_tests::host::root;
use std::fmt::Write;

const BEGIN: &str = "test security_doc`. Do not edit by hand. -->\n";
const END: &str = "\n## Changing keys";

#[test]
fn the_page_says_what_each_function_may_touch() {
    let path = root().join("docs/security.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (head, rest) = page.split_once(BEGIN).unwrap();
    let (_, tail) = rest.split_once(END).unwrap();
    let written = format!("{head}{BEGIN}{}{END}{tail}", table());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &written).unwrap();
        return;
    }
    assert!(
        page == written,
        "docs/security.md is stale: run `UPDATE_DOCS=1 cargo test -p siyu-tests --test security_doc`"
    );
}

fn table() -> String {
    let manifest: toml::Table = toml::from_str(&std::fs::read_to_string(root().join("spin.toml")).unwrap()).unwrap();
    let is_secret = |name: &&str| manifest["variables"][*name].get("secret").is_some();
    let mut text =
        "\n| function | public routes | calls out to | stores | secrets it reads |\n|---|---|---|---|---|\n".to_owned();
    for (id, component) in manifest["component"].as_table().unwrap() {
        let triggers = manifest["trigger"]["http"].as_array().unwrap().iter();
        let own = triggers.filter(|trigger| trigger["component"].as_str() == Some(id));
        let routes = own.filter_map(|trigger| trigger["route"].as_str());
        let list = |name: &str| {
            component.get(name).and_then(toml::Value::as_array).into_iter().flatten().filter_map(toml::Value::as_str)
        };
        let stores = list("sqlite_databases").map(|label| format!("SQLite `{label}`"));
        let stores = stores.chain(list("key_value_stores").map(|label| format!("key-value `{label}`")));
        let secrets = component["variables"].as_table().unwrap().keys().map(String::as_str).filter(is_secret);
        writeln!(
            text,
            "| {id} | {} | {} | {} | {} |",
            shown(routes.map(quoted)),
            shown(list("allowed_outbound_hosts").map(quoted)),
            shown(stores),
            shown(secrets.map(quoted)),
        )
        .unwrap();
    }
    text
}

fn quoted(text: &str) -> String {
    format!("`{text}`")
}

fn shown(parts: impl Iterator<Item = String>) -> String {
    let mut parts: Vec<String> = parts.collect();
    parts.sort();
    parts.join(", ")
}
