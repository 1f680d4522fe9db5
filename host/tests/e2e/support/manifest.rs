//! The application that most tests run.

/// The guest under several names, with different rights.
pub const MANIFEST: &str = r#"
spin_manifest_version = 2

[application]
name = "tests"

[variables]
greeting = { default = "hello" }
token = { default = "", secret = true }
elsewhere = { default = "" }

[[trigger.http]]
route = "/..."
component = "guest"

[[trigger.http]]
route = "/hook/:secret"
component = "guest"

[[trigger.http]]
route = "/other/..."
component = "other"

[[trigger.http]]
route = "/p2/..."
component = "p2"

[[trigger.http]]
route = { private = true }
component = "private"

[component.guest]
source = "P3"
environment = { PLACE = "the guest's" }
variables = { welcome = "{{ greeting }}, {{ token }}" }
key_value_stores = ["default"]
sqlite_databases = ["default"]
allowed_outbound_hosts = ["http://private.spin.internal", "{{ elsewhere }}"]

[component.other]
source = "P3"
sqlite_databases = ["default"]

[component.p2]
source = "P2"

[component.private]
source = "P3"
"#;
