//! Xiaohongshu (小红书): one path for all methods, signatures that do not cover what is said, orders in fen, cases in yuan, records'
//! times in Unix milliseconds.
//!
//! Field names: vendor SDKs and copies of the developer documents for `order.getOrderDetail`, `order.getOrderList`,
//! `afterSale.getAfterSaleInfo`, `afterSale.listAfterSaleInfos`, `afterSale.auditReturns`, `afterSale.confirmReceive`,
//! `inventory.syncSkuStock`, `oauth.refreshToken`. The platform publishes no table of error codes: −9013 and 401 are known, all
//! others are made up here.

mod records;
pub mod sign;

use anyhow::Result;
use http::{HeaderMap, Method};
use serde_json::{Value, json};

use super::dialect::{
    App, Delivery, Dialect, Grant, Incoming, Question, Refused, Reply, Understood, Verdict, integer, text,
};
use super::push::{Message, Push};
use super::shop::{CaseStatus, Change, Id, Ids, Kind, Shop, Span};
use crate::http::Answer;

/// The platform.
#[derive(Clone, Copy, Debug)]
pub struct Xiaohongshu;

const PATH: &str = "/ark/open_api/v3/common_controller";
/// Minutes by which a timestamp may be off. Not documented.
const CLOCK: i64 = 5;
/// Rows on a page, at most.
const PAGE: usize = 100;
/// Pages of orders that can be read.
const PAGES: usize = 100;
/// Cases that can be read.
const CASES: usize = 50_000;
/// Lists by time of change reach over so many milliseconds.
const LONGEST: i64 = 1_800_000;

impl Dialect for Xiaohongshu {
    fn name(&self) -> &'static str {
        "xiaohongshu"
    }

    fn app(&self) -> App {
        App::of("0123456789abcdef0123", "fedcba9876543210fedcba9876543210")
    }

    fn ids(&self) -> Ids {
        |of, number| match of {
            Id::Shop => format!("5f{number:022x}"),
            Id::Order => format!("P{number}"),
            Id::Case => format!("R{number}"),
            Id::Line | Id::Product | Id::Sku => format!("61{number:022x}"),
        }
    }

    fn understand(&self, app: &App, call: &Incoming<'_>) -> Result<Understood, Refused> {
        if call.path != PATH || call.method != Method::POST {
            return Err(Refused::UnknownCall);
        }
        let body = call.json()?;
        let field = |name: &str| body[name].as_str().unwrap_or_default();
        if field("appId") != app.key {
            return Err(Refused::WrongApp);
        }
        let (method, timestamp) = (field("method"), field("timestamp"));
        if field("version") != "2.0" || field("sign") != sign::api(app, method, timestamp) {
            return Err(Refused::BadSignature);
        }
        call.clock(timestamp.parse().ok(), CLOCK)?;
        let token = text(&body["accessToken"]);
        Ok(Understood { question: question(method, &body)?, token })
    }

    fn answer(&self, _: &App, shop: &Shop, question: &Question, reply: &Reply<'_>) -> Value {
        let data = match reply {
            Reply::Token(token) => {
                let expires = |seconds: i64| (jiff::Timestamp::now().as_second() + seconds) * 1000;
                json!({
                    "accessToken": token.access,
                    "accessTokenExpiresAt": expires(token.expires_in),
                    "refreshToken": token.refresh,
                    "refreshTokenExpiresAt": expires(2 * token.expires_in),
                    "sellerId": shop.id(),
                    "sellerName": "测试茶饮店",
                })
            }
            Reply::Order(order) => records::order(order),
            Reply::Case(case, order) => records::case(case, order),
            Reply::Orders(page) => json!({
                "total": page.total,
                "pageNo": page.skipped / PAGE + 1,
                "pageSize": PAGE,
                "maxPageNo": page.total.div_ceil(PAGE),
                "orderList": page.items.iter().map(|order| records::listed(order)).collect::<Vec<_>>(),
            }),
            Reply::Cases(page) => json!({
                "totalCount": page.total,
                "pageNo": page.skipped / PAGE + 1,
                "pageSize": PAGE,
                "afterSaleBasicInfos":
                    page.items.iter().map(|(case, order)| records::listed_case(case, order)).collect::<Vec<_>>(),
            }),
            Reply::Messages(_) | Reply::Product(_) => Value::Null,
            Reply::Done => match question {
                Question::SetStock { sku_id, quantity, .. } => json!({
                    "response": {"success": true, "code": 0, "msg": ""},
                    "apiVersion": "V0",
                    "skuId": sku_id,
                    "skuStock": {"available": quantity, "total": quantity},
                }),
                Question::ConfirmReceipt(_) => json!("确认收货成功"),
                _ => json!("审核成功"),
            },
        };
        json!({"success": true, "error_code": 0, "error_msg": "", "data": data})
    }

    fn refuse(&self, refused: &Refused) -> Value {
        let (code, message) = match refused {
            Refused::ServerError | Refused::Gateway | Refused::AnswerLost => (500, "系统繁忙，请稍后再试"),
            Refused::RateLimited => (-9013, "触发Method维度的限流"),
            Refused::UnknownCall => (404, "方法不存在"),
            Refused::BadRequest(_) => (400, "参数错误"),
            Refused::WrongApp | Refused::BadSignature | Refused::WrongClock => (403, "签名校验失败"),
            Refused::BadToken => (401, "accessToken已过期"),
            Refused::NotAuthorised => (-5, "refreshToken无效"),
            Refused::NotFound => (-2_000_404, "单据不存在"),
            Refused::Impossible(_) => (-2_000_400, "当前状态不支持该操作"),
        };
        json!({"success": false, "error_code": code, "error_msg": message, "data": null})
    }

    fn delivery(&self) -> Delivery {
        Delivery::Push(20)
    }

    fn messages(&self, shop: &Shop, change: &Change) -> Vec<Message> {
        let mut messages = match change {
            Change::Order(order) => records::order_messages(order),
            Change::Case(case) => vec![records::case_message(case)],
        };
        for message in &mut messages {
            message.content = json!({"sellerId": shop.id(), "data": message.content.take()});
        }
        messages
    }

    fn push(&self, app: &App, messages: &[Message], now: i64) -> Result<Push> {
        push_of(app, &self.hook(app), body(messages), now)
    }

    fn accepted(&self, answer: &Answer) -> bool {
        answer.status == 200 && answer.json().is_ok_and(|body| body["success"] == true)
    }
}

/// A push of any bytes to the webhook's path, also of those that are no messages. Milliseconds; the unit is not documented.
///
/// # Errors
/// When the app's key cannot stand in a header.
pub fn push_of(app: &App, path: &str, body: Vec<u8>, now: i64) -> Result<Push> {
    let timestamp = (now * 1000).to_string();
    let mut headers = HeaderMap::new();
    headers.insert("content-type", "application/json".parse()?);
    headers.insert("app-key", app.key.parse()?);
    headers.insert("sign", sign::push(app, path, "", &timestamp).parse()?);
    headers.insert("timestamp", timestamp.parse()?);
    Ok(Push { query: String::new(), headers, body })
}

/// The body of a push: `data` is JSON within a text.
pub fn body(messages: &[Message]) -> Vec<u8> {
    let items = messages.iter().map(|message| {
        let content = &message.content;
        json!({"msgTag": message.kind, "sellerId": content["sellerId"], "data": content["data"].to_string()})
    });
    Value::from_iter(items).to_string().into_bytes()
}

/// What a call asks.
fn question(method: &str, body: &Value) -> Result<Question, Refused> {
    let id = |name: &str| text(&body[name]).ok_or(Refused::BadRequest("an id is missing"));
    Ok(match method {
        "oauth.refreshToken" => Question::Token(Grant::Refresh(id("refreshToken")?)),
        "order.getOrderDetail" => Question::Order(id("orderId")?),
        "afterSale.getAfterSaleInfo" => Question::Case(id("returnsId")?),
        // Seconds by the documents' example.
        "order.getOrderList" => Question::ChangedOrders(span(body, 1000, PAGES * PAGE)?),
        "afterSale.listAfterSaleInfos" => Question::ChangedCases(span(body, 1, CASES)?),
        "afterSale.auditReturns" => audit(id("returnsId")?, body)?,
        "afterSale.confirmReceive" => receipt(id("returnsId")?, body)?,
        "inventory.syncSkuStock" => Question::SetStock {
            product_id: String::new(),
            sku_id: Some(id("skuId")?),
            quantity: body["qty"].as_i64().ok_or(Refused::BadRequest("qty"))?,
        },
        _ => return Err(Refused::UnknownCall),
    })
}

/// A list by time of change, whose times are in units of so many milliseconds, and the rows of it that can be read.
fn span(body: &Value, unit: i64, readable: usize) -> Result<Span, Refused> {
    let at = |name: &str| integer(&body[name]).ok_or(Refused::BadRequest("a number is missing"));
    let count = |name: &str| usize::try_from(at(name)?).map_err(|_| Refused::BadRequest("a number below zero"));
    let (since, until) = (at("startTime")?.saturating_mul(unit), at("endTime")?.saturating_mul(unit));
    let (page, size) = (count("pageNo")?, count("pageSize")?);
    if body["timeType"] != 2 || until.saturating_sub(since) > LONGEST {
        return Err(Refused::BadRequest("the time range"));
    }
    // The answers tell of pages of the full size.
    if page == 0 || size != PAGE || page * size > readable {
        return Err(Refused::BadRequest("the page"));
    }
    let since = since.div_euclid(1000) + i64::from(since.rem_euclid(1000) > 0);
    Ok(Span { since, until: until.div_euclid(1000), skip: (page - 1) * size, size })
}

const GOODS: &[Kind] = &[Kind::Return];
const MONEY: &[Kind] = &[Kind::RefundOnly, Kind::Unshipped];

/// `action`: 1 pays back at once, 2 lets it come back, 3 refuses.
fn audit(case_id: String, body: &Value) -> Result<Question, Refused> {
    let verdict = |kinds| Verdict { case_id, kinds, from: &[CaseStatus::Applied], updated: None };
    Ok(match body["action"].as_i64() {
        Some(1) => Question::Agree(verdict(MONEY)),
        Some(2) if body["receiverInfo"]["sellerAddressRecordId"].is_i64() => Question::Agree(verdict(GOODS)),
        Some(2) => return Err(Refused::BadRequest("receiverInfo")),
        Some(3) => Question::Refuse(verdict(&[]), reason(body, AUDIT_REASON)?),
        _ => return Err(Refused::BadRequest("action")),
    })
}

/// `action`: 1 takes what came back, 2 refuses it, 3 wants more time.
fn receipt(case_id: String, body: &Value) -> Result<Question, Refused> {
    let verdict = Verdict { case_id, kinds: GOODS, from: &[CaseStatus::Returning], updated: None };
    Ok(match body["action"].as_i64() {
        Some(1) => Question::ConfirmReceipt(verdict),
        Some(2) => Question::Refuse(verdict, reason(body, RECEIPT_REASON)?),
        _ => return Err(Refused::BadRequest("action")),
    })
}

/// The only reasons that this platform's lists hold (`afterSale.rejectReasons`, which has one for each of the two steps).
const AUDIT_REASON: i64 = 5;
const RECEIPT_REASON: i64 = 6;

fn reason(body: &Value, of_list: i64) -> Result<String, Refused> {
    let fits = body["reason"] == of_list;
    let words = body["description"].as_str().filter(|words| fits && !words.is_empty());
    words.map(str::to_owned).ok_or(Refused::BadRequest("reason"))
}
