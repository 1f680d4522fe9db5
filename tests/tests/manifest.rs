//! spin.toml grants each function the variables that it reads, and no others.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test as a whole")]

use std::collections::BTreeSet;

use siyu_tests::host::root;

/// What kit itself reads for a function that answers callers.
const KIT: [&str; 2] = ["api_token", "clock"];

#[test]
fn each_function_is_granted_what_it_reads() {
    let text = std::fs::read_to_string(root().join("spin.toml")).unwrap();
    let manifest: toml::Table = toml::from_str(&text).unwrap();
    let defined = manifest["variables"].as_table().unwrap();
    for (id, component) in manifest["component"].as_table().unwrap() {
        let mut reads: BTreeSet<String> = match id.as_str() {
            "access" => Vec::new(),
            "courier" => courier::variables(),
            "customers" => customers::variables(),
            "orders" => orders::variables(),
            "pump" => pump::variables(),
            "tagging" => tagging::variables(),
            other => panic!("{other}: name its variables here"),
        }
        .into_iter()
        .collect();
        reads.extend(KIT.map(str::to_owned));
        let granted = component["variables"].as_table().unwrap();
        let names: BTreeSet<String> = granted.keys().cloned().collect();
        assert_eq!(names, reads, "the variables of {id}");
        for (name, template) in granted {
            assert_eq!(template.as_str(), Some(format!("{{{{ {name} }}}}").as_str()), "{id}");
            assert!(defined.contains_key(name), "{name} is not among the application's variables");
        }
    }
}
