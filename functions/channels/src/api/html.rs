//! Pages for phones: nothing from elsewhere, no script but the one that the page's policy names by its digest.

use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};

const STYLE: &str = "body{margin:0;font:16px/1.6 system-ui,sans-serif;background:#f4f5f7;color:#1f2329;text-align:center}\
main{max-width:26rem;margin:10vh auto 0;padding:2rem 1.5rem;background:#fff;border-radius:1rem}\
h1{font-size:1.4rem;margin:0 0 1rem}p{margin:.5rem 0;color:#646a73}\
a,button{display:block;box-sizing:border-box;width:100%;margin:.6rem 0;padding:.9rem;border:0;border-radius:.6rem;\
background:#07c160;color:#fff;font-size:1.1rem;text-decoration:none}svg,img{width:16rem;height:16rem}\
iframe{display:block;width:100%;height:75vh;border:0}";

/// A page. Whatever in it came from elsewhere has been escaped ([`escape`]).
pub struct Html<'a> {
    /// The status that it is answered with.
    pub status: StatusCode,
    /// Its heading.
    pub title: &'a str,
    /// What stands below, HTML.
    pub body: &'a str,
    /// The script that may run; it stands at the end of the page.
    pub script: Option<&'a str>,
    /// Whether the script may call this application.
    pub calls: bool,
    /// What may be shown inside: scheme, host and port.
    pub frame: Option<&'a str>,
}

impl Html<'_> {
    /// The answer.
    pub fn answer(self) -> Response {
        let Self { status, title, body, script, calls, frame } = self;
        let tag = script.map(|script| format!("<script>{script}</script>")).unwrap_or_default();
        let html = format!(
            "<!doctype html><html lang=\"zh-CN\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
             <title>{title}</title><style>{STYLE}</style><main><h1>{title}</h1>{body}</main>{tag}</html>"
        );
        let scripts = script.map(|script| format!("; script-src 'sha256-{}'", digest(script))).unwrap_or_default();
        let calls = if calls { "; connect-src 'self'" } else { "" };
        let frames = frame.map(|frame| format!("; frame-src {frame}")).unwrap_or_default();
        let policy = format!(
            "default-src 'none'; style-src 'unsafe-inline'; img-src https: http: data:; base-uri 'none'; form-action 'none'\
             {scripts}{calls}{frames}"
        );
        let policy = HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"));
        let headers: [(HeaderName, HeaderValue); 5] = [
            (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
            (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
            (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
            (header::CONTENT_SECURITY_POLICY, policy),
        ];
        (status, headers, html).into_response()
    }
}

fn digest(script: &str) -> String {
    use base64::Engine;
    use sha2::{Digest, Sha256};
    base64::engine::general_purpose::STANDARD.encode(Sha256::digest(script.as_bytes()))
}

/// Text as it can stand in HTML, also between quotation marks.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}
