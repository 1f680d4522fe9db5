//! The page of a tracked link.

use super::html::{Html, escape};
use crate::radar::origin;
use crate::store::radar::content::Content;
use axum::response::Response;
use http::StatusCode;

/// Tells how long the page has been visible and, where the content inside tells (`postMessage({depth: 0 to 100})`), how much of it was seen; asks for a link of
/// one's own when the page is passed on, and puts that into the address, which is what WeChat's own menu shares.
const BEACON: &str = "(function(){var b=document.getElementById('radar'),p='/r/'+b.dataset.token,v=b.dataset.visit,\
t=0,s=Date.now(),on=!document.hidden,d=null,last=-1;\
function now(){return t+(on?Date.now()-s:0)}\
function tell(){var n=now();if(n===last)return;last=n;var m={visit:v,dwell_ms:n};if(d!==null)m.depth_percent=d;\
navigator.sendBeacon(p+'/beacon',JSON.stringify(m))}\
document.addEventListener('visibilitychange',function(){if(document.hidden){t=now();on=false;tell()}else{s=Date.now();on=true}});\
addEventListener('pagehide',tell);setInterval(function(){if(on)tell()},15000);\
var f=document.querySelector('iframe');\
addEventListener('message',function(e){if(!f||e.source!==f.contentWindow||!e.data)return;var n=Math.floor(Number(e.data.depth));\
if(n>=0&&n<=100&&(d===null||n>d)){d=n}});\
document.getElementById('pass').onclick=function(){fetch(p+'/forward',{method:'POST',body:JSON.stringify({visit:v})})\
.then(function(r){return r.json()}).then(function(a){if(!a.path)return;history.replaceState(null,'',a.path);\
var u=location.origin+a.path;if(navigator.share){navigator.share({title:document.title,url:u}).catch(function(){})}\
document.getElementById('link').textContent=u})}})()";

/// A content: inside the page, or a button that leads to it.
pub fn content(content: &Content, token: &str, visit: &str) -> Response {
    let frame = origin(&content.url).filter(|_| content.embed);
    let url = escape(&content.url);
    let inside = if frame.is_some() {
        format!("<iframe src=\"{url}\" title=\"{}\"></iframe>", escape(&content.title))
    } else {
        String::new()
    };
    let body = format!(
        "{inside}<a href=\"{url}\" rel=\"noopener\">查看内容</a><button id=\"pass\">转发给朋友</button><p id=\"link\"></p>\
         <div id=\"radar\" data-token=\"{}\" data-visit=\"{}\"></div>",
        escape(token),
        escape(visit),
    );
    let (title, frame) = (escape(&content.title), frame.as_deref());
    Html { status: StatusCode::OK, title: &title, body: &body, script: Some(BEACON), calls: true, frame }.answer()
}

/// The page of a content that is retired.
pub fn retired() -> Response {
    said(StatusCode::GONE, "内容已下架", "<p>您访问的内容已下架，请联系您的专属顾问。</p>")
}

/// The page of a link that is none of ours.
pub fn unknown() -> Response {
    said(StatusCode::NOT_FOUND, "链接无效", "<p>链接不完整或已被改动，请向分享的人索取新的链接。</p>")
}

fn said(status: StatusCode, title: &str, body: &str) -> Response {
    Html { status, title, body, script: None, calls: false, frame: None }.answer()
}
