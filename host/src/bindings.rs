//! Rust bindings of the host interfaces in `wit/`, made by wasmtime.
//!
//! The worlds of the functions say what *they* import; this one is what the host offers.

// Generated code: its items carry the interfaces' documentation where there is any, and its own conversions.
#![allow(missing_docs, clippy::as_conversions, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

wasmtime::component::bindgen!({
    inline: r#"
        package siyu:host;
        world services {
            import spin:sqlite/sqlite@3.1.0;
            import spin:key-value/key-value@3.0.0;
            import spin:variables/variables@3.0.0;
        }
    "#,
    path: [
        "../wit/deps/spin-sqlite@3.1.0",
        "../wit/deps/spin-key-value@3.0.0",
        "../wit/deps/spin-variables@3.0.0",
    ],
    imports: { default: async | trappable },
    with: {
        "spin:sqlite/sqlite.connection": crate::sqlite::Connection,
        "spin:key-value/key-value.store": crate::key_value::Store,
    },
});
