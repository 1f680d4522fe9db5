//! The host's stores, bound directly rather than through an SDK: an SDK would keep the guest from misbehaving.
#![allow(missing_docs, unsafe_code, clippy::as_conversions, clippy::unwrap_used, clippy::panic)]

wit_bindgen::generate!({
    inline: r#"
        package guest:p3;
        world stores {
            import spin:sqlite/sqlite@3.1.0;
            import spin:key-value/key-value@3.0.0;
            import spin:variables/variables@3.0.0;
        }
    "#,
    path: [
        "../../../wit/deps/spin-sqlite@3.1.0",
        "../../../wit/deps/spin-key-value@3.0.0",
        "../../../wit/deps/spin-variables@3.0.0",
    ],
    generate_all,
});
