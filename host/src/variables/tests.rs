//! Where values come from, and what templates make of them.

use std::path::Path;

use super::*;

const MANIFEST: &str = r#"
spin_manifest_version = 2
[application]
name = "tea"
[variables]
token = { required = true, secret = true }
region = { default = "hangzhou" }
[[trigger.http]]
route = "/"
component = "shop"
[component.shop]
source = "shop.wasm"
[component.shop.variables]
token = "{{ token }}"
host = "https://{{region}}.example.com/{{ token }}"
plain = "as it is"
"#;

type Pairs<'a> = &'a [(&'a str, &'a str)];

fn resolver(manifest: &str, flags: &[(&str, &str)], environment: &[(&str, &str)]) -> Result<Resolver, VariableError> {
    let app = App::parse(manifest, Path::new("")).unwrap();
    let flags = flags.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Resolver::new(&app, flags, |name| {
        environment.iter().find(|(found, _)| *found == name).map(|(_, value)| (*value).to_owned())
    })
}

#[test]
fn the_command_line_goes_before_the_environment_and_that_before_the_default() {
    let environment = [("SPIN_VARIABLE_TOKEN", "env"), ("SPIN_VARIABLE_REGION", "env")];
    let cases: [(Pairs, Pairs, &str, &str); 3] = [
        (&[("token", "flag"), ("region", "flag")], &environment, "flag", "https://flag.example.com/flag"),
        (&[("token", "flag")], &environment, "flag", "https://env.example.com/flag"),
        (&[("token", "flag")], &[], "flag", "https://hangzhou.example.com/flag"),
    ];
    for (flags, environment, token, host) in cases {
        let shop = resolver(MANIFEST, flags, environment).unwrap().component("shop");
        assert_eq!(shop["token"], token);
        assert_eq!(shop["host"], host);
        assert_eq!(shop["plain"], "as it is");
    }
}

#[test]
fn a_component_has_its_own_variables_only() {
    let resolver = resolver(MANIFEST, &[("token", "t")], &[]).unwrap();
    let names: Vec<_> = resolver.component("shop").keys().cloned().collect();
    assert_eq!(names, ["host", "plain", "token"]);
    assert!(resolver.component("stall").is_empty());
}

#[test]
fn errors_name_the_variable_and_never_its_value() {
    let cases = [
        (resolver(MANIFEST, &[], &[]), "token"),
        (resolver(MANIFEST, &[("token", "hush"), ("tokn", "hush")], &[]), "tokn"),
        (
            resolver(&MANIFEST.replace("{{region}}", "{{ reigon }}"), &[("token", "hush")], &[]),
            "component.shop.variables.host: unknown variable \"reigon\"",
        ),
        (
            resolver(&MANIFEST.replace("as it is", "{{ region"), &[("token", "hush")], &[]),
            "component.shop.variables.plain: unmatched '{{'",
        ),
    ];
    for (result, part) in cases {
        let Err(error) = result else { panic!("{part} was taken") };
        let error = error.to_string();
        assert!(error.contains(part) && !error.contains("hush"), "{error}");
    }
}

#[test]
fn templates_elsewhere_are_filled_from_the_same_values() {
    let resolver = resolver(MANIFEST, &[("token", "t")], &[]).unwrap();
    let cases = [
        ("https://{{ region }}.example.com", "https://hangzhou.example.com"),
        ("{{region}}{{ token }}", "hangzhout"),
        ("}} no template {", "}} no template {"),
        ("", ""),
    ];
    for (template, text) in cases {
        assert_eq!(resolver.expand("component.shop.allowed_outbound_hosts", template).unwrap(), text);
    }
}

#[test]
fn flags_come_in_all_of_spins_forms() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let cases = [
        ("a=b=c".to_owned(), ("a", "b=c")),
        ("a=".to_owned(), ("a", "")),
        (format!("a=@{}", file("value", "from a file")), ("a", "from a file")),
        (format!("@{}", file("all.json", r#"{ "a": "json" }"#)), ("a", "json")),
        (format!("@{}", file("all.toml", r#"a = "toml""#)), ("a", "toml")),
    ];
    for (text, (name, value)) in cases {
        let values = text.parse::<Flag>().unwrap().values().unwrap();
        assert_eq!(values, BTreeMap::from([(name.to_owned(), value.to_owned())]), "{text}");
    }
    for text in ["a", "@all.yaml", ""] {
        assert!(text.parse::<Flag>().is_err(), "{text}");
    }
    let broken = format!("@{}", file("broken.json", "{ \"a\": hush }"));
    let error = broken.parse::<Flag>().unwrap().values().unwrap_err().to_string();
    assert!(error.contains("broken.json") && !error.contains("hush"), "{error}");
}

#[test]
fn names_are_words_in_lower_case() {
    for name in ["a", "a1", "data_key", "a_1"] {
        assert!(check_name(name).is_ok(), "{name}");
    }
    for name in ["", "A", "1a", "_a", "a_", "a__b", "a-b", "é"] {
        assert!(check_name(name).is_err(), "{name}");
    }
}
