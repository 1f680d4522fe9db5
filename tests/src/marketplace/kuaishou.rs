//! Kuaishou's shops (快手小店): signed parameters with JSON in one of them, money in fen, times in Unix milliseconds, pushes that
//! are enciphered and not signed. An order has one product.
//!
//! Field names and codes: Kuaishou's open platform for shops, guides to calls, to authorisation and to messages; API
//! `open.order.detail`, `open.order.cursor.list`, `open.seller.order.refund.detail`, `open.seller.order.refund.pcursor.list`,
//! `open.seller.order.refund.approve`, `open.seller.order.refund.returngoods.approve`, `open.refund.reject`,
//! `open.seller.order.refund.confirm.receipt`.

pub mod cipher;
mod records;
pub mod sign;

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use http::{HeaderMap, Method};
use serde_json::{Value, json};

use super::dialect::{
    App, Delivery, Dialect, Grant, Incoming, Question, Refused, Reply, Understood, Verdict, integer, number, text,
};
use super::push::{Message, Push};
use super::shop::{CaseStatus, Change, Kind, Page, Shop, Span};
use crate::http::Answer;

/// The platform.
#[derive(Clone, Copy, Debug)]
pub struct Kuaishou;

/// Minutes by which a timestamp may be off.
const CLOCK: i64 = 10;
/// The longest window and the largest page of the list of orders: 7 days in milliseconds.
const ORDERS: (i64, usize) = (604_800_000, 50);
/// Likewise of cases: a day.
const CASES: (i64, usize) = (86_400_000, 100);

impl Dialect for Kuaishou {
    fn name(&self) -> &'static str {
        "kuaishou"
    }

    fn app(&self) -> App {
        App::of("ks700000000000000001", "secret-of-the-simulated-app")
            .with("sign_secret", "0123456789abcdef0123456789abcdef")
            .with("message_key", "AAECAwQFBgcICQoLDA0ODw==")
    }

    /// Nothing is signed: the key that pushes are enciphered with is what has to be guessed.
    fn guess(&self, app: &App) -> App {
        app.clone().with("message_key", "DwAAAAAAAAAAAAAAAAAADw==")
    }

    fn lines(&self) -> usize {
        1
    }

    fn token_life(&self) -> i64 {
        172_800
    }

    fn understand(&self, app: &App, call: &Incoming<'_>) -> Result<Understood, Refused> {
        if call.path == "/oauth2/refresh_token" {
            let question = Question::Token(refresh(app, &call.form())?);
            return Ok(Understood { question, token: None });
        }
        let mut params = call.parameters();
        let method = params.get("method").cloned().unwrap_or_default();
        if call.path != format!("/{}", method.replace('.', "/")) {
            return Err(Refused::UnknownCall);
        }
        if call.method == Method::POST {
            params.extend(call.form());
        }
        let parameter = |name: &str| params.get(name).map_or("", String::as_str);
        if parameter("appkey") != app.key {
            return Err(Refused::WrongApp);
        }
        if parameter("signMethod") != "HMAC_SHA256" || parameter("sign") != sign::call(app, &params) {
            return Err(Refused::BadSignature);
        }
        if parameter("version") != "1" {
            return Err(Refused::UnknownCall);
        }
        call.clock(parameter("timestamp").parse().ok().map(|millis: i64| millis / 1000), CLOCK)?;
        let param = serde_json::from_str(parameter("param")).map_err(|_| Refused::BadRequest("param is no JSON"))?;
        let question = question(call.method, &method, &param)?;
        Ok(Understood { question, token: params.get("access_token").cloned() })
    }

    fn answer(&self, _: &App, shop: &Shop, _: &Question, reply: &Reply<'_>) -> Value {
        let data = match reply {
            Reply::Token(token) => {
                return json!({
                    "result": 1,
                    "access_token": token.access,
                    "expires_in": token.expires_in,
                    "refresh_token": token.refresh,
                    "refresh_token_expires_in": 15_552_000,
                    "token_type": "bearer",
                    "scopes": ["merchant_order", "merchant_refund"],
                });
            }
            Reply::Order(order) => records::order(shop, order),
            Reply::Case(case, order) => records::case(shop, case, order),
            Reply::Orders(page) => json!({
                "cursor": cursor(page),
                "orderList": page.items.iter().map(|order| records::order(shop, order)).collect::<Vec<_>>(),
            }),
            Reply::Cases(page) => json!({
                "currentPage": 1,
                "totalSize": page.total,
                "pcursor": cursor(page),
                "refundOrderInfoList":
                    page.items.iter().map(|(case, order)| records::case(shop, case, order)).collect::<Vec<_>>(),
            }),
            Reply::Product(skus) => {
                let skus = skus.iter().map(|(id, stock)| json!({ "kwaiSkuId": number(id), "skuStock": stock }));
                json!({ "skuInfos": skus.collect::<Vec<_>>() })
            }
            Reply::Messages(_) | Reply::Done => Value::Null,
        };
        json!({
            "result": 1, "code": "1", "msg": "SUCCESS", "error_msg": "SUCCESS", "sub_code": "", "sub_msg": "",
            "data": data,
        })
    }

    fn refuse(&self, refused: &Refused) -> Value {
        let (result, message) = match refused {
            Refused::ServerError | Refused::Gateway | Refused::AnswerLost => (100_200_500, "server_error"),
            Refused::RateLimited => (3, "Exceed qps limit, KEY [apiId:1], MAX_QPS [300.0]"),
            Refused::UnknownCall => (13, "method not exist"),
            Refused::BadRequest(_) => (20, "param invalid"),
            Refused::WrongApp => (12, "appkey invalid"),
            Refused::BadSignature => (15, "sign invalid"),
            Refused::WrongClock => (16, "timestamp invalid"),
            Refused::BadToken => (28, "TOKEN过期"),
            Refused::NotAuthorised => (100_200_102, "refreshToken.discarded"),
            Refused::NotFound => (21, "order not exist"),
            Refused::Impossible(_) => (300_010, "REFUND ORDER STATUS ERROR"),
        };
        json!({"result": result, "code": result.to_string(), "msg": message, "error_msg": message, "data": null})
    }

    fn delivery(&self) -> Delivery {
        Delivery::Push(1)
    }

    fn messages(&self, shop: &Shop, change: &Change) -> Vec<Message> {
        vec![match change {
            Change::Order(order) => records::order_message(shop, order),
            Change::Case(case) => records::case_message(shop, case),
        }]
    }

    fn push(&self, app: &App, messages: &[Message], _: i64) -> Result<Push> {
        let [message] = messages else { anyhow::bail!("a push has one message") };
        let mut plain = message.content.clone();
        plain["appKey"] = app.key.as_str().into();
        push_of(app, &plain.to_string())
    }

    fn accepted(&self, answer: &Answer) -> bool {
        answer.status == 200 && answer.json().is_ok_and(|body| body["result"] == 1)
    }
}

/// A push of any text.
///
/// # Errors
/// When the app's message key is none.
pub fn push_of(app: &App, plain: &str) -> Result<Push> {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", "text/plain;charset=utf-8".parse()?);
    let body = cipher::seal(app.text("message_key"), plain).context("the message key is not usable")?;
    Ok(Push { query: String::new(), headers, body: body.into_bytes() })
}

/// What the platform's console and its heartbeat send.
pub const PROBE: &str = r#"{"test":true}"#;

fn refresh(app: &App, form: &BTreeMap<String, String>) -> Result<Grant, Refused> {
    let field = |name: &str| form.get(name).map_or("", String::as_str);
    if field("app_id") != app.key || field("app_secret") != app.secret {
        return Err(Refused::WrongApp);
    }
    match field("grant_type") {
        "refresh_token" => Ok(Grant::Refresh(field("refresh_token").to_owned())),
        _ => Err(Refused::BadRequest("grant_type")),
    }
}

fn question(method: &Method, name: &str, param: &Value) -> Result<Question, Refused> {
    const MONEY: &[Kind] = &[Kind::RefundOnly, Kind::Unshipped];
    const GOODS: &[Kind] = &[Kind::Return];
    // Ids are numbers in JSON, not text.
    let id = |name: &str| {
        text(&param[name]).filter(|_| param[name].is_number()).ok_or(Refused::BadRequest("an id is missing"))
    };
    let verdict = |kinds, from, updated| id("refundId").map(|case_id| Verdict { case_id, kinds, from, updated });
    // What stands in a call is checked against the case; whether the sum is right is not simulated.
    let amount = || integer(&param["refundAmount"]).filter(|fen| *fen > 0).ok_or(Refused::BadRequest("refundAmount"));
    Ok(match (method, name) {
        (&Method::GET, "open.order.detail") => Question::Order(id("oid")?),
        (&Method::GET, "open.seller.order.refund.detail") => Question::Case(id("refundId")?),
        (&Method::GET, "open.order.cursor.list") => {
            if param["orderViewStatus"] != 1 || param["cpsType"] != 0 {
                return Err(Refused::BadRequest("a list that does not show all"));
            }
            Question::ChangedOrders(span(param, "cursor", ORDERS)?)
        }
        (&Method::GET, "open.seller.order.refund.pcursor.list") => {
            if param["type"] != 9 {
                return Err(Refused::BadRequest("a list that does not show all"));
            }
            Question::ChangedCases(span(param, "pcursor", CASES)?)
        }
        (&Method::POST, "open.seller.order.refund.approve") => {
            amount()?;
            Question::Agree(verdict(MONEY, taken_for(param)?, None)?)
        }
        (&Method::POST, "open.seller.order.refund.returngoods.approve") => {
            amount()?;
            Question::Agree(verdict(GOODS, &[CaseStatus::Applied], None)?)
        }
        (&Method::POST, "open.refund.reject") => {
            let version = integer(&param["refundVersion"]).filter(|version| version % 1000 == 0);
            let version = version.ok_or(Refused::BadRequest("refundVersion"))? / 1000;
            integer(&param["reasonCode"]).ok_or(Refused::BadRequest("reasonCode"))?;
            let reason = param["rejectDesc"].as_str().filter(|reason| !reason.is_empty());
            let reason = reason.ok_or(Refused::BadRequest("rejectDesc"))?.to_owned();
            Question::Refuse(verdict(&[], &[], Some(version))?, reason)
        }
        (&Method::POST, "open.seller.order.refund.confirm.receipt") => {
            Question::ConfirmReceipt(verdict(GOODS, taken_for(param)?, None)?)
        }
        (&Method::GET, "open.item.get") => Question::Product(id("kwaiItemId")?),
        (&Method::POST, "open.item.sku.stock.update") => {
            id("kwaiItemId")?;
            let pieces = integer(&param["skuChangeStock"]).filter(|pieces| (1..9_999_999).contains(pieces));
            let pieces = pieces.ok_or(Refused::BadRequest("skuChangeStock"))?;
            let sign = match integer(&param["changeType"]) {
                Some(1) => 1,
                Some(2) => -1,
                _ => return Err(Refused::BadRequest("changeType")),
            };
            Question::MoveStock { sku_id: id("skuId")?, by: sign * pieces }
        }
        _ => return Err(Refused::UnknownCall),
    })
}

/// The status that the caller takes the case to be in; any when it does not say.
fn taken_for(param: &Value) -> Result<&'static [CaseStatus], Refused> {
    if param["status"].is_null() {
        return Ok(&[]);
    }
    Ok(match integer(&param["status"]) {
        Some(10) => &[CaseStatus::Applied],
        Some(12) => &[CaseStatus::Rejected],
        Some(30) => &[CaseStatus::Agreed],
        Some(40) => &[CaseStatus::Returning],
        _ => return Err(Refused::BadRequest("status")),
    })
}

fn span(param: &Value, cursor: &str, (longest, most): (i64, usize)) -> Result<Span, Refused> {
    let number = |name: &str| integer(&param[name]).ok_or(Refused::BadRequest("a number is missing"));
    let (begin, end) = (number("beginTime")?, number("endTime")?);
    if !(1..=longest).contains(&(end - begin)) {
        return Err(Refused::BadRequest("a window too long, or none"));
    }
    if number("queryType")? != 2 || number("sort")? != 2 {
        return Err(Refused::BadRequest("not sorted by update time"));
    }
    let size = usize::try_from(number("pageSize")?).ok().filter(|size| (1..=most).contains(size));
    let size = size.ok_or(Refused::BadRequest("pageSize"))?;
    let skip = match param[cursor].as_str() {
        Some("") => 0,
        Some(cursor) => {
            cursor.strip_prefix(CURSOR).and_then(|skip| skip.parse().ok()).ok_or(Refused::BadRequest("cursor"))?
        }
        None => return Err(Refused::BadRequest("cursor")),
    };
    // Everything happens at whole seconds.
    Ok(Span { since: -(-begin).div_euclid(1000), until: end.div_euclid(1000), skip, size })
}

const CURSOR: &str = "cursor/";

/// Where the next page begins, in words that mean nothing to callers.
fn cursor<T>(page: &Page<T>) -> String {
    if page.has_more() { format!("{CURSOR}{}", page.skipped + page.items.len()) } else { "nomore".to_owned() }
}

#[cfg(test)]
mod tests;
