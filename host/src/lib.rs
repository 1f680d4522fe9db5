//! The embedded host: runs a Spin application's components where Spin is not installed. docs/host.md describes it.
//!
//! From the outside in: [`cli`] has the flags and [`up`] puts the parts together. [`server`] takes requests and [`application`] finds the
//! component that answers; [`pool`] chooses the instance, and [`guest`] is what the instance sees of the
//! world. What it may import is in [`sqlite`], [`key_value`], [`variables`] and [`outbound`].

pub mod application;
pub mod bindings;
mod body;
pub mod call;
pub mod cli;
pub mod clock;
pub mod engine;
pub mod guest;
pub mod key_value;
pub mod limits;
pub mod log;
pub mod manifest;
pub mod metrics;
pub mod outbound;
pub mod pool;
pub mod routes;
pub mod runtime_config;
pub mod server;
pub mod sqlite;
pub mod trace_context;
pub mod up;
pub mod variables;
