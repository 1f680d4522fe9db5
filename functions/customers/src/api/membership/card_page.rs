//! The pages of a link, in Chinese, for a phone. No scripts, nothing from elsewhere.

use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use kit::Problem;
use qrcode::QrCode;
use qrcode::render::svg;

const STYLE: &str = "body{margin:0;font:16px/1.6 system-ui,sans-serif;background:#f4f5f7;color:#1f2329;text-align:center}\
main{max-width:26rem;margin:12vh auto 0;padding:2rem 1.5rem;background:#fff;border-radius:1rem}\
h1{font-size:1.4rem;margin:0 0 1rem}p{margin:.5rem 0;color:#646a73}\
button{width:100%;padding:.9rem;border:0;border-radius:.6rem;background:#07c160;color:#fff;font-size:1.1rem}\
.number{font:600 1.4rem/2 ui-monospace,monospace;color:#1f2329;letter-spacing:.05em}svg{width:14rem;height:14rem}";

/// The page with the button.
pub fn button() -> Response {
    page(
        StatusCode::OK,
        "领取会员卡",
        "<p>轻点一下即可领取，购物积分，到店出示。</p><form method=\"post\"><button type=\"submit\">领取会员卡</button></form>",
    )
}

/// The page with the card.
///
/// # Errors
/// 500 when the text does not fit a QR, which its length rules out.
pub fn card(number: &str, qr: &str) -> Result<Response, Problem> {
    let code = QrCode::new(qr.as_bytes()).map_err(|error| Problem::internal(&error))?;
    let image = code.render::<svg::Color<'_>>().min_dimensions(224, 224).build();
    // Without the XML declaration, which has no place inside HTML.
    let image = image.find("<svg").and_then(|start| image.get(start..)).unwrap_or_default();
    let digits: Vec<char> = number.chars().collect();
    let grouped: Vec<String> = digits.chunks(4).map(|group| group.iter().collect()).collect();
    let body = format!(
        "{image}<p class=\"number\">{}</p><p>结账时请出示二维码，或报会员卡号。</p>",
        escape(&grouped.join(" "))
    );
    Ok(page(StatusCode::OK, "我的会员卡", &body))
}

/// The page of a link that is void by now.
pub fn void() -> Response {
    page(StatusCode::GONE, "链接已过期", "<p>此链接已失效，请向门店或客服索取新的链接。</p>")
}

/// The page of a link that is none of ours.
pub fn unknown() -> Response {
    page(StatusCode::NOT_FOUND, "链接无效", "<p>链接不完整或已被改动，请重新扫码。</p>")
}

/// A page. `body` is HTML; whatever in it came from elsewhere has been escaped.
fn page(status: StatusCode, title: &str, body: &str) -> Response {
    let headers: [(HeaderName, HeaderValue); 5] = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static(
                "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
            ),
        ),
    ];
    let title = escape(title);
    let html = format!(
        "<!doctype html><html lang=\"zh-CN\"><head><meta charset=\"utf-8\">\
<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>{title}</title><style>{STYLE}</style></head>\
<body><main><h1>{title}</h1>{body}</main></body></html>"
    );
    (status, headers, html).into_response()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn text_is_no_html() {
        assert_eq!(escape("<b a=\"1\" c='2'>&"), "&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;");
    }
}
