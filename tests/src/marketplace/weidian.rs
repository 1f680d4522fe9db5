//! Weidian (微店): two fields of JSON in a form, the token alone opens the API, money is yuan text, times are text in GMT+8. What
//! it pushes has no signature: only the path, which nobody else knows, tells it from a forgery.
//!
//! Field names: public wrappers of `vdian.order.get` 1.0, `vdian.order.list.get` 1.2, `vdian.order.refund.accept` 1.1,
//! `vdian.item.sku.update`, `vdian.item.update` and of `/token`. Of the codes, only 0 and 10013 (token) are public; of a case's
//! statuses only 10 (money went back). The others are made up here.

mod records;

use anyhow::Result;
use http::{HeaderMap, Method};
use serde_json::{Value, json};

use super::dialect::{
    App, Delivery, Dialect, Grant, Incoming, Question, Refused, Reply, Understood, Verdict, from_gmt8, integer, text,
};
use super::push::{Message, Push};
use super::shop::{Change, Kind, Shop, Span};
use crate::http::Answer;

/// The platform.
#[derive(Clone, Copy, Debug)]
pub struct Weidian;

/// Orders on a page, at most.
const PAGE: usize = 50;

impl Dialect for Weidian {
    fn name(&self) -> &'static str {
        "weidian"
    }

    fn app(&self) -> App {
        App::of("690001", "8f14e45fceea167a5a36dedd4bea2543").with("path", "kV3tq9ZrW1mXa7Bc")
    }

    fn guess(&self, app: &App) -> App {
        // Nothing is signed: the path is what has to be guessed.
        app.clone().with("path", "a-guess")
    }

    fn token_life(&self) -> i64 {
        86_400
    }

    fn understand(&self, app: &App, call: &Incoming<'_>) -> Result<Understood, Refused> {
        if call.path == "/token" {
            return Ok(Understood { question: Question::Token(grant(app, call)?), token: None });
        }
        if call.path != "/api" {
            return Err(Refused::UnknownCall);
        }
        // By GET it takes the same fields from the query.
        let fields = if call.method == Method::POST { call.form() } else { call.parameters() };
        let json = |name: &str| -> Option<Value> { serde_json::from_str(fields.get(name)?).ok() };
        let public = json("public").ok_or(Refused::BadRequest("public"))?;
        let param = json("param").ok_or(Refused::BadRequest("param"))?;
        let word = |name: &str| public[name].as_str().unwrap_or_default();
        let question = question(word("method"), word("version"), &param)?;
        Ok(Understood { question, token: text(&public["access_token"]) })
    }

    fn answer(&self, _: &App, shop: &Shop, _: &Question, reply: &Reply<'_>) -> Value {
        let result = match reply {
            // So spelt.
            Reply::Token(token) => json!({"access_token": token.access, "expire_in": token.expires_in}),
            Reply::Order(order) | Reply::Case(_, order) => records::order(shop, order),
            Reply::Orders(page) => list(page.total, page.items.iter().map(|order| records::listed(order)).collect()),
            Reply::Cases(page) => {
                list(page.total, page.items.iter().map(|(_, order)| records::listed(order)).collect())
            }
            Reply::Messages(_) | Reply::Product(_) => Value::Null,
            Reply::Done => json!(true),
        };
        json!({"status": {"status_code": 0, "status_reason": "success"}, "result": result})
    }

    fn refuse(&self, refused: &Refused) -> Value {
        let (code, reason) = match refused {
            Refused::BadToken => (10013, "access_token过期"),
            Refused::ServerError | Refused::Gateway | Refused::AnswerLost => (90001, "系统繁忙"),
            Refused::RateLimited => (90002, "调用过于频繁"),
            Refused::UnknownCall => (90003, "方法不存在"),
            Refused::BadRequest(_) => (90004, "参数错误"),
            Refused::WrongApp | Refused::BadSignature | Refused::WrongClock | Refused::NotAuthorised => {
                (90005, "appkey或secret错误")
            }
            Refused::NotFound => (90006, "订单不存在"),
            Refused::Impossible(_) => (90007, "当前状态不允许此操作"),
        };
        json!({"status": {"status_code": code, "status_reason": reason}})
    }

    fn delivery(&self) -> Delivery {
        Delivery::Push(1)
    }

    fn messages(&self, shop: &Shop, change: &Change) -> Vec<Message> {
        match change {
            Change::Order(order) => records::order_message(shop, order).into_iter().collect(),
            Change::Case(case) => records::case_message(shop, case).into_iter().collect(),
        }
    }

    /// The merchant's secret is a part of the path.
    fn hook(&self, app: &App) -> String {
        format!("/hooks/weidian/{}", app.text("path"))
    }

    fn push(&self, _: &App, messages: &[Message], _: i64) -> Result<Push> {
        let [message] = messages else { anyhow::bail!("a push is one message") };
        let content = json!({"type": message.kind, "message": message.content});
        let body =
            form_urlencoded::Serializer::new(String::new()).append_pair("content", &content.to_string()).finish();
        let mut headers = HeaderMap::new();
        headers.insert("content-type", "application/x-www-form-urlencoded".parse()?);
        Ok(Push { query: String::new(), headers, body: body.into_bytes() })
    }

    fn accepted(&self, answer: &Answer) -> bool {
        answer.status == 200 && answer.json().is_ok_and(|body| body["status"] == "success")
    }
}

fn list(total: usize, rows: Vec<Value>) -> Value {
    json!({"total_num": total, "order_num": rows.len(), "orders": rows})
}

/// The app's own shop, by the app's key and secret in the query.
fn grant(app: &App, call: &Incoming<'_>) -> Result<Grant, Refused> {
    let query = call.parameters();
    let is = |name: &str, text: &str| query.get(name).is_some_and(|found| found == text);
    if !is("grant_type", "client_credential") {
        return Err(Refused::BadRequest("grant_type"));
    }
    if is("appkey", &app.key) && is("secret", &app.secret) { Ok(Grant::App) } else { Err(Refused::WrongApp) }
}

fn question(method: &str, version: &str, param: &Value) -> Result<Question, Refused> {
    let id = |name: &str| text(&param[name]).ok_or(Refused::BadRequest("an id is missing"));
    Ok(match (method, version) {
        // A case has no record of its own.
        ("vdian.order.get", "1.0") => Question::Order(id("order_id")?),
        ("vdian.order.list.get", "1.2") => match param["order_type"].as_str() {
            Some("all") => Question::ChangedOrders(span(param)?),
            // The platform leaves out those that have ended; the simulation does not.
            Some("refunding") => Question::ChangedCases(span(param)?),
            _ => return Err(Refused::BadRequest("order_type")),
        },
        ("vdian.order.refund.accept", "1.1") => decision(id("refund_no")?, &param["is_accept"])?,
        ("vdian.item.sku.update", "1.0") => {
            let Some([sku]) = param["skus"].as_array().map(Vec::as_slice) else {
                return Err(Refused::BadRequest("skus"));
            };
            let sku_id = text(&sku["id"]).ok_or(Refused::BadRequest("skus"))?;
            set_stock(id("itemid")?, Some(sku_id), &sku["stock"])?
        }
        ("vdian.item.update", "1.0") => set_stock(id("itemid")?, None, &param["stock"])?,
        _ => return Err(Refused::UnknownCall),
    })
}

/// Accepting pays at once. Refusing is only possible once the goods are with the buyer; that they were shipped is what is checked
/// here.
fn decision(case_id: String, is_accept: &Value) -> Result<Question, Refused> {
    let verdict = |kinds| Verdict { case_id, kinds, from: &[], updated: None };
    match integer(is_accept) {
        Some(1) => Ok(Question::Refund(verdict(&[]))),
        Some(0) => Ok(Question::Refuse(verdict(&[Kind::Return, Kind::RefundOnly]), String::new())),
        _ => Err(Refused::BadRequest("is_accept")),
    }
}

fn set_stock(product_id: String, sku_id: Option<String>, stock: &Value) -> Result<Question, Refused> {
    let quantity = integer(stock).ok_or(Refused::BadRequest("stock"))?;
    Ok(Question::SetStock { product_id, sku_id, quantity })
}

fn span(param: &Value) -> Result<Span, Refused> {
    let at = |name: &str| param[name].as_str().and_then(from_gmt8).ok_or(Refused::BadRequest("a time"));
    let count = |name: &str| {
        let count = integer(&param[name]).and_then(|count| usize::try_from(count).ok());
        count.filter(|count| *count > 0).ok_or(Refused::BadRequest("page_num or page_size"))
    };
    let (page, size) = (count("page_num")?, count("page_size")?);
    if size > PAGE {
        return Err(Refused::BadRequest("page_size"));
    }
    Ok(Span { since: at("update_start")?, until: at("update_end")?, skip: (page - 1) * size, size })
}

#[cfg(test)]
mod tests;
