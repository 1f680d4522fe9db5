//! Doudian (抖店): signed JSON both ways, money in fen, times in Unix seconds, ids beyond 2^53.
//!
//! Field names and codes: Doudian open platform, guides 153/99 (push) and 212/1427 (codes); API `order.orderDetail`,
//! `order.searchList`, `afterSale.Detail`, `afterSale.List`, `afterSale.operate`, `sku.syncStock`, `token.create`.

mod records;
pub mod sign;

use anyhow::Result;
use http::HeaderMap;
use serde_json::{Value, json};

use self::sign::Method;
use super::dialect::{
    App, Delivery, Dialect, Grant, Incoming, Question, Refused, Reply, Understood, Verdict, from_gmt8, integer, number,
    text,
};
use super::push::{Message, Push};
use super::shop::{CaseStatus, Change, Kind, Shop, Span};
use crate::http::Answer;

/// The platform.
#[derive(Clone, Copy, Debug)]
pub struct Doudian;

/// Minutes by which a timestamp may be off (the platform's rule).
const CLOCK: i64 = 10;
/// Orders or cases on a page, at most.
const PAGE: usize = 100;

impl Dialect for Doudian {
    fn name(&self) -> &'static str {
        "douyin"
    }

    fn app(&self) -> App {
        App::of("7100000000000000001", "11111111-2222-4333-8444-555555555555")
    }

    /// In the platform's order: path, app, form, signature, clock.
    fn understand(&self, app: &App, call: &Incoming<'_>) -> Result<Understood, Refused> {
        let query = call.parameters();
        let parameter = |name: &str| query.get(name).map_or("", String::as_str);
        let method = parameter("method");
        if call.path != format!("/{}", method.replace('.', "/")) || parameter("v") != "2" {
            return Err(Refused::UnknownCall);
        }
        if parameter("app_key") != app.key {
            return Err(Refused::WrongApp);
        }
        let body = std::str::from_utf8(call.body).map_err(|_| Refused::BadRequest("the body is no text"))?;
        let param = call.json()?;
        let signature = sign::api(app, method, parameter("timestamp"), body);
        if parameter("sign_method") != "hmac-sha256"
            || parameter("sign") != signature
            || sign::canonical(&param) != body
        {
            return Err(Refused::BadSignature);
        }
        call.clock(from_gmt8(parameter("timestamp")), CLOCK)?;
        let token = query.get("access_token").cloned();
        Ok(Understood { question: question(method, &param)?, token })
    }

    fn answer(&self, _: &App, shop: &Shop, question: &Question, reply: &Reply<'_>) -> Value {
        let data = match reply {
            Reply::Token(token) => json!({
                "access_token": token.access,
                "expires_in": token.expires_in,
                "refresh_token": token.refresh,
                "scope": "SCOPE",
                "shop_id": number(shop.id()),
                "shop_name": "测试茶饮旗舰店",
            }),
            Reply::Order(order) => json!({"shop_order_detail": records::order(shop, order)}),
            Reply::Case(case, order) => records::case(case, order),
            Reply::Orders(page) => json!({
                "page": page.skipped / PAGE,
                "size": page.items.len(),
                "total": page.total,
                "shop_order_list": page.items.iter().map(|order| records::order(shop, order)).collect::<Vec<_>>(),
            }),
            Reply::Cases(page) => json!({
                "page": page.skipped / PAGE,
                "size": page.items.len(),
                "total": page.total,
                "has_more": page.has_more(),
                "items": page.items.iter().map(|(case, order)| records::listed(case, order)).collect::<Vec<_>>(),
            }),
            Reply::Messages(_) | Reply::Product(_) => Value::Null,
            Reply::Done => match question {
                Question::Agree(verdict) | Question::Refuse(verdict, _) | Question::ConfirmReceipt(verdict) => json!({
                    "items": [{"aftersale_id": verdict.case_id, "status_code": 0, "status_msg": "success"}],
                }),
                _ => json!({}),
            },
        };
        json!({"code": 10000, "msg": "success", "sub_code": "", "sub_msg": "", "data": data})
    }

    fn refuse(&self, refused: &Refused) -> Value {
        let (code, message, sub_code) = match refused {
            Refused::ServerError | Refused::Gateway | Refused::AnswerLost => (20000, "系统错误", "isp.unknown-error"),
            Refused::RateLimited => (60000, "超过限流限制", "isv.api-flow-limit"),
            Refused::UnknownCall => (40003, "非法的参数", "isv.method-invalid"),
            Refused::BadRequest(_) => (40004, "非法的参数", "isv.parameter-invalid:10000"),
            Refused::WrongApp => (40003, "非法的参数", "isv.app-id-invalid"),
            Refused::BadSignature => (40003, "非法的参数", "isv.signature-invalid"),
            Refused::WrongClock => (40003, "非法的参数", "isv.timestamp-invalid"),
            Refused::BadToken => (40003, "非法的参数", "isv.access-token-expired"),
            Refused::NotAuthorised => (50002, "业务处理失败", "isv.business-failed:31009"),
            Refused::NotFound => (50002, "业务处理失败", "isv.business-failed:not-found"),
            Refused::Impossible(_) => (50002, "售后状态错误", "isv.business-failed:20309541"),
        };
        json!({"code": code, "msg": message, "sub_code": sub_code, "sub_msg": message, "data": null})
    }

    fn delivery(&self) -> Delivery {
        Delivery::Push(50)
    }

    fn messages(&self, shop: &Shop, change: &Change) -> Vec<Message> {
        match change {
            Change::Order(order) => records::order_message(shop, order).into_iter().collect(),
            Change::Case(case) => vec![records::case_message(shop, case)],
        }
    }

    fn push(&self, app: &App, messages: &[Message], _: i64) -> Result<Push> {
        push(app, messages, Method::HmacSha256)
    }

    fn accepted(&self, answer: &Answer) -> bool {
        accepted(answer)
    }
}

/// Whether an answer to a push tells the platform not to come again.
pub fn accepted(answer: &Answer) -> bool {
    answer.status == 200 && answer.json().is_ok_and(|body| body["code"] == 0)
}

/// A push of `messages`, signed for `app`.
///
/// # Errors
/// When the app's key cannot stand in a header.
pub fn push(app: &App, messages: &[Message], method: Method) -> Result<Push> {
    push_of(app, body(messages), method)
}

/// A push of any bytes, also of those that are no messages.
///
/// # Errors
/// When the app's key cannot stand in a header.
pub fn push_of(app: &App, body: Vec<u8>, method: Method) -> Result<Push> {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", "application/json".parse()?);
    headers.insert("app-id", app.key.parse()?);
    headers.insert("event-sign", sign::push(app, &body, method).parse()?);
    headers.insert("sign-method", method.header().parse()?);
    Ok(Push { query: String::new(), headers, body })
}

/// The body of a push. The platform writes `tag` as text and `data` as JSON text within the JSON.
pub fn body(messages: &[Message]) -> Vec<u8> {
    let items = messages.iter().map(|message| {
        let data = message.content.as_str().map_or_else(|| message.content.to_string(), str::to_owned);
        json!({"tag": message.kind, "msg_id": message.id, "data": data})
    });
    Value::from_iter(items).to_string().into_bytes()
}

/// What the platform's console sends when a webhook's address is saved.
pub fn probe() -> Message {
    let content = json!("2020-09-10T16:27:56.52842897+08:00");
    Message { kind: "0".to_owned(), id: "0".to_owned(), content }
}

fn question(method: &str, param: &Value) -> Result<Question, Refused> {
    let id = |name: &str| text(&param[name]).ok_or(Refused::BadRequest("an id is missing"));
    Ok(match method {
        // Only the grant of an app that the merchant has made for its own shops.
        "token.create" if param["grant_type"] == "authorization_self" => Question::Token(Grant::Shop(id("shop_id")?)),
        "token.create" => return Err(Refused::NotAuthorised),
        "order.orderDetail" => Question::Order(id("shop_order_id")?),
        "afterSale.Detail" => Question::Case(id("after_sale_id")?),
        "order.searchList" if param["order_by"] == "update_time" => {
            Question::ChangedOrders(span(param, "update_time_start", "update_time_end")?)
        }
        "afterSale.List" if param["order_by"] == json!(["update_time asc"]) => {
            Question::ChangedCases(span(param, "update_start_time", "update_end_time")?)
        }
        // The platform warns of lists by update time that are sorted otherwise: they lose what changes meanwhile.
        "order.searchList" | "afterSale.List" => return Err(Refused::BadRequest("not sorted by update time")),
        "afterSale.operate" => operation(param)?,
        "sku.syncStock" if param["incremental"] == false => Question::SetStock {
            product_id: id("product_id")?,
            sku_id: text(&param["sku_id"]),
            quantity: integer(&param["stock_num"]).ok_or(Refused::BadRequest("stock_num"))?,
        },
        _ => return Err(Refused::UnknownCall),
    })
}

fn span(param: &Value, since: &str, until: &str) -> Result<Span, Refused> {
    let at = |name: &str| integer(&param[name]).ok_or(Refused::BadRequest("a number is missing"));
    let count = |name: &str| usize::try_from(at(name)?).map_err(|_| Refused::BadRequest("a number below zero"));
    let (page, size) = (count("page")?, count("size")?);
    if !(1..=PAGE).contains(&size) {
        return Err(Refused::BadRequest("size"));
    }
    Ok(Span { since: at(since)?, until: at(until)?, skip: page * size, size })
}

/// `afterSale.operate`: the type says what is decided on which kind of case; a wrong one is refused.
fn operation(param: &Value) -> Result<Question, Refused> {
    const MONEY: &[Kind] = &[Kind::RefundOnly, Kind::Unshipped];
    const GOODS: &[Kind] = &[Kind::Return];
    let Some([item]) = param["items"].as_array().map(Vec::as_slice) else {
        return Err(Refused::BadRequest("items"));
    };
    let case_id = text(&item["aftersale_id"]).ok_or(Refused::BadRequest("aftersale_id"))?;
    let updated = integer(&item["update_time"]);
    let verdict = |kinds, from: &'static [CaseStatus]| Verdict { case_id, kinds, from, updated };
    let reason = || match (item["reason"].as_str(), item["remark"].as_str(), item["reject_reason_code"].as_i64()) {
        (Some(reason), Some(_), Some(_)) if !reason.is_empty() => Ok(reason.to_owned()),
        _ => Err(Refused::BadRequest("a refusal needs reason, remark and reject_reason_code")),
    };
    Ok(match param["type"].as_i64() {
        Some(101) if item["logistics"]["receiver_address_id"].as_u64().is_some() => {
            Question::Agree(verdict(GOODS, &[CaseStatus::Applied]))
        }
        Some(101) => return Err(Refused::BadRequest("receiver_address_id")),
        Some(102) => Question::Refuse(verdict(GOODS, &[CaseStatus::Applied]), reason()?),
        Some(111) => Question::ConfirmReceipt(verdict(GOODS, &[CaseStatus::Returning])),
        Some(112) => Question::Refuse(verdict(GOODS, &[CaseStatus::Returning]), reason()?),
        Some(201) => Question::Agree(verdict(MONEY, &[CaseStatus::Applied])),
        Some(202) => Question::Refuse(verdict(MONEY, &[CaseStatus::Applied]), reason()?),
        _ => return Err(Refused::BadRequest("type")),
    })
}

#[cfg(test)]
mod tests;
