//! The pages that scans open, in Chinese, for a phone. No scripts but the one that asks where the visitor is; nothing from elsewhere.

use super::html::{Html, escape};
use crate::code::Branch;
use axum::response::Response;
use http::StatusCode;

/// Asks where the visitor is, and comes again with that. Browsers tell it in WGS-84.
const LOCATE: &str = "document.getElementById('near').onclick=function(){navigator.geolocation.getCurrentPosition(function(p){\
var q=new URLSearchParams(location.search);q.set('latitude',p.coords.latitude);q.set('longitude',p.coords.longitude);q.set('datum','wgs84');\
location.search=q.toString()})}";

/// The QR of who receives, to be pressed long in WeChat. `picture` is the platform's address of it.
pub fn contact(picture: &str) -> Response {
    let body = format!("<img alt=\"二维码\" src=\"{}\"><p>长按二维码，添加您的专属顾问。</p>", escape(picture));
    page(StatusCode::OK, "添加专属顾问", &body, None)
}

/// The QR of an Official Account, to be pressed long in WeChat. `picture` is its address.
pub fn account(picture: &str) -> Response {
    let body = format!("<img alt=\"二维码\" src=\"{}\"><p>长按二维码，关注公众号。</p>", escape(picture));
    page(StatusCode::OK, "关注公众号", &body, None)
}

/// The platform has not made the code yet.
pub fn soon() -> Response {
    page(StatusCode::OK, "请稍候", "<p>二维码正在生成，请几秒钟后刷新本页。</p>", None)
}

/// Everybody is at the daily cap.
pub fn full() -> Response {
    page(StatusCode::OK, "今日名额已满", "<p>今天的顾问名额已满，请明天再来。</p>", None)
}

/// The stores of a chain.
pub fn stores(branches: &[Branch]) -> Response {
    let links: String = branches
        .iter()
        .map(|branch| format!("<a href=\"{}\">{}</a>", escape(&branch.url), escape(&branch.name)))
        .collect();
    let body = format!("<button id=\"near\">查找最近的门店</button>{links}");
    page(StatusCode::OK, "选择门店", &body, Some(LOCATE))
}

/// The page of a code that is retired, or whose time is over.
pub fn retired() -> Response {
    page(StatusCode::GONE, "二维码已停用", "<p>此二维码已停用，请向门店或客服索取新的二维码。</p>", None)
}

/// The page of a code that is none of ours.
pub fn unknown() -> Response {
    page(StatusCode::NOT_FOUND, "二维码无效", "<p>链接不完整或已被改动，请重新扫码。</p>", None)
}

fn page(status: StatusCode, title: &str, body: &str, script: Option<&str>) -> Response {
    Html { status, title, body, script, calls: false, frame: None }.answer()
}
