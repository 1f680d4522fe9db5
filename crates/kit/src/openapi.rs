//! OpenAPI from the code, outside Wasm: a component carries the finished text, not what makes it (a megabyte of code).

use std::path::Path;
use utoipa::openapi::path::ParameterIn;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{OpenApi, RefOr};

/// Whether `file` holds this document. With the environment variable `UPDATE_DOCS` set, writes it there first.
///
/// # Errors
/// When the file cannot be read or written, or is not what the code says: the message tells how to renew it.
pub fn is_current(mut document: OpenApi, file: &Path) -> Result<(), String> {
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    document.components.get_or_insert_default().add_security_scheme("token", SecurityScheme::Http(bearer));
    problems(&mut document);
    let gaps = gaps(&document);
    if !gaps.is_empty() {
        return Err(format!("say in the annotations what else is answered: {}", gaps.join("; ")));
    }
    let text = document.to_pretty_json().map_err(|error| error.to_string())? + "\n";
    text_is_current(&text, file)
}

/// Operations that do not tell of an answer that their parameters can have: a query or a body that is not as documented is 400, as is a key that is unfit;
/// a key that was used for another request is 422.
fn gaps(document: &OpenApi) -> Vec<String> {
    let mut gaps = Vec::new();
    for (path, item) in &document.paths.paths {
        for (method, operation) in [
            ("GET", &item.get),
            ("PUT", &item.put),
            ("POST", &item.post),
            ("DELETE", &item.delete),
            ("PATCH", &item.patch),
        ] {
            let Some(operation) = operation else { continue };
            let parameters = operation.parameters.as_deref().unwrap_or_default();
            let has_key = parameters.iter().any(|parameter| parameter.name == "Idempotency-Key");
            let is_read = parameters.iter().any(|parameter| parameter.parameter_in == ParameterIn::Query)
                || operation.request_body.is_some();
            let open = path.starts_with("/hooks/") || ["/q/", "/m/", "/r/"].iter().any(|begin| path.starts_with(begin));
            for (status, is_needed) in [("400", has_key || is_read && !open), ("422", has_key)] {
                if is_needed && !operation.responses.responses.contains_key(status) {
                    gaps.push(format!("{method} {path}: {status}"));
                }
            }
        }
    }
    gaps
}

/// Problems have a type of their own (RFC 9457 section 3).
fn problems(document: &mut OpenApi) {
    let methods = document.paths.paths.values_mut().flat_map(|path| {
        [&mut path.get, &mut path.put, &mut path.post, &mut path.delete, &mut path.patch].into_iter().flatten()
    });
    for response in methods.flat_map(|operation| operation.responses.responses.values_mut()) {
        if let RefOr::T(response) = response
            && let Some(content) = response.content.get("application/json")
            && matches!(&content.schema, Some(RefOr::Ref(name)) if name.ref_location.ends_with("/Problem"))
            && let Some(content) = response.content.shift_remove("application/json")
        {
            response.content.insert("application/problem+json".to_owned(), content);
        }
    }
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
