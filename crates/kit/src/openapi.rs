//! OpenAPI from the code, outside Wasm: a component carries the finished text, not what makes it (a megabyte of code).

use std::path::Path;
use utoipa::openapi::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};

/// Whether `file` holds this document. With the environment variable `UPDATE_DOCS` set, writes it there first.
///
/// # Errors
/// When the file cannot be read or written, or is not what the code says: the message tells how to renew it.
pub fn is_current(mut document: OpenApi, file: &Path) -> Result<(), String> {
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    document.components.get_or_insert_default().add_security_scheme("token", SecurityScheme::Http(bearer));
    let text = document.to_pretty_json().map_err(|error| error.to_string())? + "\n";
    text_is_current(&text, file)
}

/// Whether `file` holds this text; as [`is_current`].
///
/// # Errors
/// As [`is_current`].
pub fn text_is_current(text: &str, file: &Path) -> Result<(), String> {
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()))?;
    }
    let kept = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    if kept == text {
        Ok(())
    } else {
        Err(format!("{} is not what the code says: renew it with UPDATE_DOCS=1 cargo test", file.display()))
    }
}
