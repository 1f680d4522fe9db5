//! Manifests that are understood, and those that are not.

use super::*;

const SMALL: &str = r#"
spin_manifest_version = 2
[application]
name = "tea"
[[trigger.http]]
route = "/shop/..."
component = "shop"
[component.shop]
source = "target/shop.wasm"
"#;

fn parse(text: &str) -> Result<App, ManifestError> {
    App::parse(text, Path::new("/app"))
}

fn refusal(text: &str) -> String {
    parse(text).unwrap_err().to_string()
}

#[test]
fn everything_that_is_supported_is_understood() {
    let app = parse(
        r#"
spin_manifest_version = 2

[application]
name = "tea"
version = "1.0.0"
description = "A tea shop"
authors = ["A. Person <a@example.com>"]
targets = ["spin-up:4.1"]
[application.tool.other]
anything = 1

[variables]
api_token = { required = true, secret = true, description = "who may" }
clock = { default = "real" }

[[trigger.http]]
id = "shop-trigger"
route = "/shop/..."
component = "shop"
executor = { type = "http" }
[[trigger.http]]
route = { private = true }
component = "shop"

[component.shop]
source = "target/shop.wasm"
description = "sells"
environment = { LANG = "zh_CN" }
variables = { token = "{{ api_token }}" }
allowed_outbound_hosts = ["https://api.example.com", "http://*.spin.internal"]
key_value_stores = ["default"]
sqlite_databases = ["default", "books"]
targets = ["spin-up:4.1"]
[component.shop.build]
command = "cargo build"
watch = ["src/**"]
[component.shop.tool.siyu]
tick = "/tick"
[component.shop.tool.other]
anything = true
"#,
    )
    .unwrap();
    let text = |text: &str| text.to_owned();
    let shop = Component {
        id: text("shop"),
        source: PathBuf::from("/app/target/shop.wasm"),
        environment: BTreeMap::from([(text("LANG"), text("zh_CN"))]),
        allowed_outbound_hosts: vec![text("https://api.example.com"), text("http://*.spin.internal")],
        variables: BTreeMap::from([(text("token"), text("{{ api_token }}"))]),
        key_value_stores: BTreeSet::from([text("default")]),
        sqlite_databases: BTreeSet::from([text("default"), text("books")]),
        tick: Some(text("/tick")),
    };
    let expected = App {
        name: text("tea"),
        components: BTreeMap::from([(text("shop"), shop)]),
        triggers: vec![
            HttpTrigger { component: text("shop"), route: Route::Path(text("/shop/...")) },
            HttpTrigger { component: text("shop"), route: Route::Private },
        ],
        variables: BTreeMap::from([
            (text("api_token"), Variable { default: None, secret: true }),
            (text("clock"), Variable { default: Some(text("real")), secret: false }),
        ]),
    };
    assert_eq!(app, expected);
}

#[test]
fn what_is_not_supported_is_refused_by_its_full_name() {
    let cases = [
        ("[component.shop]\nfiles = [\"a\"]", "component.shop.files"),
        ("[component.shop]\nexclude_files = [\"a\"]", "component.shop.exclude_files"),
        ("[component.shop]\nai_models = [\"m\"]", "component.shop.ai_models"),
        ("[component.shop]\nallowed_http_hosts = [\"h\"]", "component.shop.allowed_http_hosts"),
        ("[component.shop.dependencies]\n\"a:b\" = \"1\"", "component.shop.dependencies"),
        ("[component.shop]\nmade_up = 1", "component.shop.made_up"),
        ("[component.shop.tool.siyu]\ntock = \"/\"", "component.shop.tool.siyu.tock"),
        ("[[trigger.redis]]\nchannel = \"c\"", "trigger.redis"),
        ("[[trigger.cron]]\nschedule = \"* * * * *\"", "trigger.cron"),
        ("[application.trigger.http]\nbase = \"/base\"", "application.trigger"),
        ("[variables.v]\ndefault = \"\"\nprovider = \"vault\"", "variables.v.provider"),
        ("[made_up]\nkey = 1", "made_up"),
    ];
    for (extra, name) in cases {
        // TOML wants a table once: what belongs to the small manifest's own component replaces its header.
        let text = match extra.strip_prefix("[component.shop]\n") {
            Some(keys) => format!("{SMALL}{keys}\n"),
            None => format!("{SMALL}{extra}\n"),
        };
        match parse(&text) {
            Err(ManifestError::Unsupported(names)) => assert_eq!(names, [name], "{extra}"),
            other => panic!("{extra}: {other:?}"),
        }
    }
}

#[test]
fn forms_of_known_keys_that_are_not_supported_are_refused_by_name() {
    let cases = [
        (
            "source = \"target/shop.wasm\"",
            "source = { url = \"https://example.com/a.wasm\", digest = \"sha256:0\" }",
            "component.shop.source",
        ),
        ("component = \"shop\"", "component = { source = \"a.wasm\" }", "trigger.http.component"),
        (
            "component = \"shop\"",
            "component = \"shop\"\nexecutor = { type = \"wagi\" }",
            "trigger.http.executor.type = \"wagi\"",
        ),
        (
            "component = \"shop\"",
            "component = \"shop\"\nstatic_response = { status_code = 404 }",
            "trigger.http.static_response",
        ),
        ("component = \"shop\"", "component = \"shop\"\ndependencies = {}", "trigger.http.dependencies"),
    ];
    for (from, to, name) in cases {
        let refusal = refusal(&SMALL.replace(from, to));
        assert!(refusal.contains("not supported") && refusal.contains(name), "{to}: {refusal}");
    }
}

#[test]
fn several_unsupported_keys_are_named_together() {
    let refusal = refusal(&format!("{SMALL}files = []\nai_models = []\n[[trigger.redis]]\n"));
    for name in ["component.shop.files", "component.shop.ai_models", "trigger.redis"] {
        assert!(refusal.contains(name), "{refusal}");
    }
}

#[test]
fn values_that_make_no_sense_are_refused_by_name() {
    let cases = [
        ("spin_manifest_version = 2", "spin_manifest_version = 1", "spin_manifest_version"),
        ("spin_manifest_version = 2", "", "spin_manifest_version"),
        ("name = \"tea\"", "", "application"),
        ("name = \"tea\"", "name = 1", "application.name"),
        ("source = \"target/shop.wasm\"", "source = 1", "component.shop.source"),
        ("source = \"target/shop.wasm\"", "", "component.shop"),
        ("component = \"shop\"", "component = \"stall\"", "trigger.http.component: there is no component \"stall\""),
        ("route = \"/shop/...\"", "route = 1", "trigger.http[0].route"),
        ("route = \"/shop/...\"", "route = { private = false }", "trigger.http.route"),
        ("[component.shop]", "[variables]\nv = {}\n[component.shop]", "variables.v"),
        ("[component.shop]", "[variables]\nv = { required = true, default = \"\" }\n[component.shop]", "variables.v"),
        ("[component.shop]", "[variables]\nnot-snake = { default = \"\" }\n[component.shop]", "variables.not-snake"),
        ("[component.shop]", "[component.a_shop]\nsource = \"a\"\n[component.shop]", "component.a_shop"),
        (
            "[component.shop]",
            "[component.shop.tool.siyu]\ntick = \"tick\"\n[component.shop]",
            "component.shop.tool.siyu.tick",
        ),
        (
            "[component.shop]",
            "[component.shop.variables]\nUpper = \"\"\n[component.shop]",
            "component.shop.variables.Upper",
        ),
    ];
    for (from, to, name) in cases {
        let refusal = refusal(&SMALL.replace(from, to));
        assert!(refusal.starts_with(name), "{to}: {refusal}");
    }
    assert!(refusal("not toml").contains("not valid TOML"));
}

#[test]
fn a_manifest_that_is_not_there_is_named() {
    let error = App::load(Path::new("/nowhere/spin.toml")).unwrap_err();
    assert!(error.to_string().contains("/nowhere/spin.toml"), "{error}");
}
