//! Every built component imports what its world in wit/ names, and nothing else: a function that begins to use
//! another of the host's abilities has to say so there, where reviewers look.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test as a whole")]

use std::collections::BTreeSet;
use std::path::Path;

use siyu_tests::host::root;
use wit_component::DecodedWasm;
use wit_parser::{Resolve, WorldId, WorldItem};

#[test]
fn components_import_and_export_exactly_what_their_worlds_name() {
    let mut worlds = Resolve::default();
    let (package, _) = worlds.push_dir(root().join("wit")).unwrap();
    let components = components();
    assert!(!components.is_empty(), "spin.toml names no components");
    for (id, source) in components {
        let world =
            worlds.select_world(&[package], Some(&id)).unwrap_or_else(|error| panic!("no world for {id}: {error:#}"));
        let (resolve, actual) = decoded(&root().join(source));
        let (named, used) = (names(&worlds, world), names(&resolve, actual));
        let difference = |left: &BTreeSet<String>, right: &BTreeSet<String>| {
            left.difference(right).cloned().collect::<Vec<_>>().join("\n  ")
        };
        assert!(
            named == used,
            "{id} differs from its world in wit/.\nonly in the component:\n  {}\nonly in the world:\n  {}",
            difference(&used, &named),
            difference(&named, &used),
        );
    }
}

/// Ids and sources of the components in spin.toml.
fn components() -> Vec<(String, String)> {
    let text = std::fs::read_to_string(root().join("spin.toml")).unwrap();
    let manifest: toml::Table = toml::from_str(&text).unwrap();
    let table = manifest["component"].as_table().unwrap();
    table.iter().map(|(id, component)| (id.clone(), component["source"].as_str().unwrap().to_owned())).collect()
}

fn decoded(path: &Path) -> (Resolve, WorldId) {
    let bytes =
        std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}; run `cargo xtask build`", path.display()));
    match wit_component::decode(&bytes).unwrap() {
        DecodedWasm::Component(resolve, world) => (resolve, world),
        DecodedWasm::WitPackage(..) => panic!("{} is no component", path.display()),
    }
}

/// `import wasi:http/types@0.3` and so on. Of a version only what decides compatibility counts: the standard library of
/// another compiler may name another patch.
fn names(resolve: &Resolve, world: WorldId) -> BTreeSet<String> {
    let world = &resolve.worlds[world];
    let items = |word: &'static str, items: &wit_parser::IndexMap<wit_parser::WorldKey, WorldItem>| {
        items.keys().map(|key| format!("{word} {}", compatible(&resolve.name_world_key(key)))).collect::<Vec<_>>()
    };
    items("import", &world.imports).into_iter().chain(items("export", &world.exports)).collect()
}

fn compatible(name: &str) -> String {
    let Some((interface, version)) = name.split_once('@') else {
        return name.to_owned();
    };
    let mut parts = version.split('.');
    let (major, minor) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    if major == "0" { format!("{interface}@0.{minor}") } else { format!("{interface}@{major}") }
}
