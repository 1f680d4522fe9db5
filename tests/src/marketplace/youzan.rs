//! Youzan (有赞): the token alone opens the API, money is yuan text, times are text in GMT+8 (and Unix seconds in one list), a
//! push is signed as a whole in a header and once more, over its content alone, in its body.
//!
//! Field names and codes: Youzan cloud, `youzan.trade.get` 4.0.2, `youzan.trades.sold.get` 4.0.4, `youzan.trade.refund.get` and
//! `.search` and `.agree` 3.0.1, `youzan.trade.refund.refuse`, `youzan.trade.returngoods.agree` and `.refuse` 3.0.0,
//! `youzan.item.quantity.update` 3.0.0; guides to tokens, gateway codes and messages. The call that refuses a return is named
//! there without its parameters: they are taken to be those of a refusal.

mod records;
pub mod sign;

use anyhow::Result;
use http::{HeaderMap, Method};
use serde_json::{Value, json};

use super::dialect::{
    App, Delivery, Dialect, Grant, Incoming, Question, Refused, Reply, Understood, Verdict, from_gmt8, integer, number,
    text,
};
use super::push::{Message, Push};
use super::shop::{CaseStatus, Change, Id, Ids, Kind, Shop, Span};
use crate::http::Answer;

/// The platform.
#[derive(Clone, Copy, Debug)]
pub struct Youzan;

/// Orders on a page, and pages, at most.
const PAGE: usize = 100;
/// Pages times cases, at most.
const DEPTH: usize = 3000;

impl Dialect for Youzan {
    fn name(&self) -> &'static str {
        "youzan"
    }

    fn app(&self) -> App {
        App::of("a1b2c3d4e5f6a7b8c9", "00112233445566778899aabbccddeeff")
    }

    /// Orders are `E`, their day and more digits; cases are their day and more digits. All else is a number.
    fn ids(&self) -> Ids {
        |id, number| match id {
            Id::Order => format!("E2026{number}"),
            Id::Case => format!("20260{number}"),
            Id::Shop | Id::Line | Id::Product | Id::Sku => number.to_string(),
        }
    }

    fn understand(&self, app: &App, call: &Incoming<'_>) -> Result<Understood, Refused> {
        let params = call.json()?;
        if call.method != Method::POST {
            return Err(Refused::UnknownCall);
        }
        if call.path == "/auth/token" {
            return Ok(Understood { question: Question::Token(grant(app, &params)?), token: None });
        }
        let (method, version) =
            call.path.strip_prefix("/api/").and_then(|path| path.split_once('/')).ok_or(Refused::UnknownCall)?;
        let token = call.parameters().remove("access_token");
        Ok(Understood { question: question(method, version, &params)?, token })
    }

    fn answer(&self, _: &App, shop: &Shop, question: &Question, reply: &Reply<'_>) -> Value {
        let data = match reply {
            Reply::Token(token) => {
                let mut data = json!({
                    "access_token": token.access,
                    // When it ends, in milliseconds.
                    "expires": records::millis(jiff::Timestamp::now().as_second() + token.expires_in),
                    "scope": "trade item",
                    "authority_id": shop.id(),
                });
                // A merchant's own app renews by asking anew.
                if let (Question::Token(Grant::Refresh(_)), Some(data)) = (question, data.as_object_mut()) {
                    data.insert("refresh_token".to_owned(), json!(token.refresh));
                }
                data
            }
            Reply::Order(order) => records::order(order),
            Reply::Case(case, _) => records::case(shop, case),
            Reply::Orders(page) => json!({
                "full_order_info_list": page.items.iter().map(|order| records::order(order)).collect::<Vec<_>>(),
                "total_results": page.total,
            }),
            Reply::Cases(page) => json!({
                "refunds": page.items.iter().map(|(case, _)| records::listed(shop, case)).collect::<Vec<_>>(),
                "total": page.total,
            }),
            Reply::Messages(_) | Reply::Product(_) => Value::Null,
            Reply::Done => json!({"is_success": true}),
        };
        json!({"trace_id": "yz7-0a0a0a0a", "code": 200, "success": true, "message": "successful", "data": data})
    }

    /// The gateway and the services refuse in different forms.
    fn refuse(&self, refused: &Refused) -> Value {
        let gateway = |code: i64, message: &str| json!({"gw_err_resp": {"trace_id": "yz7-0a0a0a0a", "err_code": code, "err_msg": message}});
        let service = |code: i64, message: &str| json!({"trace_id": "yz7-0a0a0a0a", "code": code, "success": false, "message": message, "data": null});
        match refused {
            Refused::ServerError | Refused::Gateway | Refused::AnswerLost => gateway(5001, "系统异常"),
            Refused::RateLimited => gateway(4101, "请求超过限制"),
            Refused::UnknownCall => gateway(4005, "接口不存在"),
            Refused::BadToken => gateway(4203, "请求已失效的Token"),
            Refused::BadRequest(what) => service(50000, what),
            Refused::WrongApp | Refused::BadSignature | Refused::WrongClock | Refused::NotAuthorised => {
                service(1103, "授权失败")
            }
            Refused::NotFound => service(5000, "记录不存在"),
            Refused::Impossible(_) => service(103010039, "退款版本号错误"),
        }
    }

    fn delivery(&self) -> Delivery {
        Delivery::Push(1)
    }

    fn messages(&self, shop: &Shop, change: &Change) -> Vec<Message> {
        match change {
            Change::Order(order) => records::order_messages(shop, order),
            Change::Case(case) => records::case_messages(shop, case),
        }
    }

    fn push(&self, app: &App, messages: &[Message], _: i64) -> Result<Push> {
        let [message] = messages else { anyhow::bail!("a push is one message") };
        let body = body(app, message);
        let mut headers = HeaderMap::new();
        headers.insert("content-type", "application/json;charset=UTF-8".parse()?);
        headers.insert("client-id", app.key.parse()?);
        headers.insert("event-type", message.kind.parse()?);
        headers.insert("event-sign", sign::push(app, &body).parse()?);
        Ok(Push { query: String::new(), headers, body })
    }

    fn accepted(&self, answer: &Answer) -> bool {
        answer.status == 200 && String::from_utf8_lossy(&answer.body).contains("success")
    }
}

/// The push as older apps get it: nothing but its body's field `sign`, which covers the content alone.
///
/// # Errors
/// When the content type cannot stand in a header.
pub fn old_push(app: &App, message: &Message) -> Result<Push> {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", "application/json;charset=UTF-8".parse()?);
    Ok(Push { query: String::new(), headers, body: body(app, message) })
}

/// The body: the message's envelope with the app's part in it. Content that is text is URL-encoded and signed for itself; the
/// newer messages about cases carry an object instead.
fn body(app: &App, message: &Message) -> Vec<u8> {
    let mut body = message.content.clone();
    if let Some(fields) = body.as_object_mut() {
        let signed = fields.get("msg").and_then(Value::as_str).map(|msg| sign::push(app, msg.as_bytes()));
        fields.insert("client_id".to_owned(), json!(app.key));
        fields.insert("type".to_owned(), json!(message.kind));
        fields.insert("msg_id".to_owned(), json!(message.id));
        fields.insert("mode".to_owned(), json!(1));
        fields.insert("test".to_owned(), json!(false));
        fields.insert("sendCount".to_owned(), json!(0));
        fields.extend(signed.map(|signed| ("sign".to_owned(), json!(signed))));
    }
    body.to_string().into_bytes()
}

fn grant(app: &App, params: &Value) -> Result<Grant, Refused> {
    if params["client_id"] != *app.key || params["client_secret"] != *app.secret {
        return Err(Refused::WrongApp);
    }
    match params["authorize_type"].as_str() {
        Some("silent") => text(&params["grant_id"]).map(Grant::Shop).ok_or(Refused::BadRequest("grant_id")),
        Some("refresh_token") => {
            text(&params["refresh_token"]).map(Grant::Refresh).ok_or(Refused::BadRequest("refresh_token"))
        }
        _ => Err(Refused::NotAuthorised),
    }
}

fn question(method: &str, version: &str, params: &Value) -> Result<Question, Refused> {
    let id = |name: &str| text(&params[name]).ok_or(Refused::BadRequest("an id is missing"));
    Ok(match (method, version) {
        ("youzan.trade.get", "4.0.2") => Question::Order(id("tid")?),
        ("youzan.trades.sold.get", "4.0.4") => {
            let at = |name: &str| params[name].as_str().and_then(from_gmt8).ok_or(Refused::BadRequest("a time"));
            Question::ChangedOrders(span(params, at("start_update")?, at("end_update")?, PAGE * PAGE)?)
        }
        ("youzan.trade.refund.get", "3.0.1") => Question::Case(id("refund_id")?),
        ("youzan.trade.refund.search", "3.0.1") => {
            // Text with a date, as the list of orders has it, is not understood here.
            let at = |name: &str| params[name].as_i64().ok_or(Refused::BadRequest("a time"));
            Question::ChangedCases(span(params, at("update_time_start")?, at("update_time_end")?, DEPTH)?)
        }
        // Money goes back at once, whatever was to happen with the goods.
        ("youzan.trade.refund.agree", "3.0.1") => {
            Question::Refund(verdict(params, &[], &[CaseStatus::Applied, CaseStatus::Returning])?)
        }
        ("youzan.trade.refund.refuse", "3.0.0") => {
            Question::Refuse(verdict(params, &[], &[CaseStatus::Applied])?, words(params, "remark")?)
        }
        ("youzan.trade.returngoods.agree", "3.0.0") => {
            for field in ["name", "mobile", "address"] {
                words(params, field)?;
            }
            Question::Agree(verdict(params, &[Kind::Return], &[CaseStatus::Applied])?)
        }
        ("youzan.trade.returngoods.refuse", "3.0.0") => {
            Question::Refuse(verdict(params, &[Kind::Return], &[CaseStatus::Returning])?, words(params, "remark")?)
        }
        // 1 would add to what there is, which is not simulated.
        ("youzan.item.quantity.update", "3.0.0") if params["type"] == 0 => Question::SetStock {
            product_id: params["item_id"].as_u64().ok_or(Refused::BadRequest("item_id"))?.to_string(),
            sku_id: text(&params["sku_id"]),
            quantity: integer(&params["quantity"]).ok_or(Refused::BadRequest("quantity"))?,
        },
        _ => return Err(Refused::UnknownCall),
    })
}

/// `deepest` is how far the last page may reach.
fn span(params: &Value, since: i64, until: i64, deepest: usize) -> Result<Span, Refused> {
    let count = |name: &str| {
        let count = params[name].as_u64().and_then(|count| usize::try_from(count).ok());
        count.filter(|count| (1..=PAGE).contains(count)).ok_or(Refused::BadRequest("page_no or page_size"))
    };
    let (page, size) = (count("page_no")?, count("page_size")?);
    if page * size > deepest {
        return Err(Refused::BadRequest("page_no times page_size is too deep"));
    }
    Ok(Span { since, until, skip: (page - 1) * size, size })
}

fn verdict(params: &Value, kinds: &'static [Kind], from: &'static [CaseStatus]) -> Result<Verdict, Refused> {
    let case_id = text(&params["refund_id"]).ok_or(Refused::BadRequest("refund_id"))?;
    let version = params["version"].as_i64().ok_or(Refused::BadRequest("version"))?;
    Ok(Verdict { case_id, kinds, from, updated: Some(records::updated_of(version)) })
}

fn words(params: &Value, name: &'static str) -> Result<String, Refused> {
    let words = params[name].as_str().filter(|words| !words.is_empty());
    words.map(str::to_owned).ok_or(Refused::BadRequest(name))
}

/// The shop's id as the platform writes it in messages.
fn kdt_id(shop: &Shop) -> Value {
    number(shop.id())
}

#[cfg(test)]
mod tests;
