//! The embedded host: runs a Spin application's components where Spin is not installed. docs/host.md describes it.

pub mod bindings;
pub mod key_value;
pub mod manifest;
pub mod routes;
pub mod runtime_config;
pub mod sqlite;
pub mod variables;
