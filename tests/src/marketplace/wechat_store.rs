//! WeChat Store (微信小店): calls without a signature, pushes enciphered and signed; money in fen, times in Unix seconds, ids beyond
//! 2^53.
//!
//! Field names and codes: developers.weixin.qq.com, `doc/store/shop/API` (`order/get`, `order/list/get`, `aftersale/*`,
//! `product/stock/update`, `stable_token`) and `notify`. One app is one store, whose AppID is the shop's id: only the engine's first
//! shop has an app here.

mod records;

use anyhow::{Result, bail};
use http::{HeaderMap, Method};
use serde_json::{Value, json};

use super::dialect::{
    App, Delivery, Dialect, Grant, Incoming, Question, Refused, Reply, Understood, Verdict, integer, text,
};
use super::push::{Message, Push};
use super::shop::{CaseStatus, Change, Id, Ids, Kind, Shop, Span};
use crate::http::Answer;
use crate::wechat::seal;

/// The platform.
#[derive(Clone, Copy, Debug)]
pub struct WechatStore;

/// The store's original id, which its events are addressed to.
const ACCOUNT: &str = "gh_0123456789ab";
/// Orders on a page, at most. Cases have pages of so many.
const PAGE: usize = 100;
const DAY: i64 = 86_400;

impl Dialect for WechatStore {
    fn name(&self) -> &'static str {
        "wechat_store"
    }

    fn one_shop(&self) -> bool {
        true
    }

    fn app(&self) -> App {
        App::of("wx0000000000441cb6", "0123456789abcdef0123456789abcdef")
            .with("message_token", "invented")
            .with("message_key", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG")
    }

    /// Whoever does not know the console's token cannot sign, even with its key.
    fn guess(&self, app: &App) -> App {
        app.clone().with("message_token", "a-guess")
    }

    fn ids(&self) -> Ids {
        |of, number| if of == Id::Shop { format!("wx{number:016x}") } else { number.to_string() }
    }

    fn token_life(&self) -> i64 {
        7200
    }

    fn understand(&self, app: &App, call: &Incoming<'_>) -> Result<Understood, Refused> {
        if call.method != Method::POST {
            return Err(Refused::UnknownCall);
        }
        let body = call.json()?;
        if call.path == "/cgi-bin/stable_token" {
            return grant(app, &body);
        }
        let token = call.parameters().get("access_token").cloned();
        Ok(Understood { question: question(call.path, &body)?, token })
    }

    fn answer(&self, _: &App, _: &Shop, _: &Question, reply: &Reply<'_>) -> Value {
        let mut answer = match reply {
            Reply::Token(token) => return json!({"access_token": token.access, "expires_in": token.expires_in}),
            Reply::Order(order) => json!({"order": records::order(order)}),
            Reply::Case(case, order) => json!({"after_sale_order": records::case(case, order)}),
            Reply::Orders(page) => {
                let ids = page.items.iter().map(|order| order.id.as_str());
                let next = next_key(page.skipped + page.items.len());
                json!({"order_id_list": Value::from_iter(ids), "next_key": next, "has_more": page.has_more()})
            }
            Reply::Cases(page) => {
                let ids = page.items.iter().map(|(case, _)| case.id.as_str());
                let next = next_key(page.skipped + page.items.len());
                json!({"after_sale_order_id_list": Value::from_iter(ids), "next_key": next, "has_more": page.has_more()})
            }
            Reply::Messages(_) | Reply::Product(_) | Reply::Done => json!({}),
        };
        answer["errcode"] = 0.into();
        answer["errmsg"] = "ok".into();
        answer
    }

    fn refuse(&self, refused: &Refused) -> Value {
        let (code, message) = match refused {
            Refused::ServerError | Refused::Gateway | Refused::AnswerLost => (-1, "system error"),
            Refused::RateLimited => (45011, "api minute-quota reach limit"),
            Refused::UnknownCall => (40066, "invalid url"),
            Refused::BadRequest(TOO_LONG) => (10_020_004, "非法的时间区间"),
            Refused::BadRequest(NO_ADDRESS) => (10_021_060, "缺少退货地址address_id参数"),
            Refused::BadRequest(_) => (9_700_224, "参数错误"),
            Refused::WrongApp => (40013, "invalid appid"),
            Refused::BadSignature => (40125, "invalid appsecret"),
            Refused::WrongClock | Refused::BadToken => (42001, "access_token expired"),
            Refused::NotAuthorised => (48001, "api unauthorized"),
            // Of cases; what is said of orders is not documented.
            Refused::NotFound => (10_021_050, "售后单不存在"),
            Refused::Impossible(_) => (10_020_001, "售后单状态不合法"),
        };
        json!({"errcode": code, "errmsg": format!("{message} rid: 00000000-00000000-00000000")})
    }

    fn delivery(&self) -> Delivery {
        Delivery::Push(1)
    }

    fn messages(&self, shop: &Shop, change: &Change) -> Vec<Message> {
        match change {
            Change::Order(order) => records::order_events(order),
            Change::Case(case) => {
                let buyer = shop.order(&case.order_id).map_or("", |order| order.basket.buyer.as_str());
                vec![records::case_event(case, buyer)]
            }
        }
    }

    fn push(&self, app: &App, messages: &[Message], now: i64) -> Result<Push> {
        let [message] = messages else { bail!("{} events in one push", messages.len()) };
        push_of(app, &message.content.to_string(), now)
    }

    fn accepted(&self, answer: &Answer) -> bool {
        answer.status == 200 && matches!(&*answer.body, b"success" | b"")
    }
}

/// A push of any text, also of one that is no event.
///
/// # Errors
/// When the app's `message_key` is none.
pub fn push_of(app: &App, event: &str, now: i64) -> Result<Push> {
    let (timestamp, nonce) = (now.to_string(), fastrand::u32(..).to_string());
    let (token, random) = (app.text("message_token"), fastrand::u128(..).to_be_bytes());
    let sealed = seal::seal(app.text("message_key"), random, event, &app.key)?;
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("signature", &seal::signature(vec![token, &timestamp, &nonce]))
        .append_pair("timestamp", &timestamp)
        .append_pair("nonce", &nonce)
        .append_pair("encrypt_type", "aes")
        .append_pair("msg_signature", &seal::signature(vec![token, &timestamp, &nonce, &sealed]))
        .finish();
    let mut headers = HeaderMap::new();
    headers.insert("content-type", "application/json".parse()?);
    Ok(Push { query, headers, body: json!({"ToUserName": ACCOUNT, "Encrypt": sealed}).to_string().into_bytes() })
}

/// The query with which the console tries a webhook's address out: it wants `echo` back.
pub fn trial(app: &App, echo: &str, now: i64) -> String {
    let (timestamp, nonce) = (now.to_string(), "263014780");
    let signature = seal::signature(vec![app.text("message_token"), &timestamp, nonce]);
    format!("signature={signature}&timestamp={timestamp}&nonce={nonce}&echostr={echo}")
}

const TOO_LONG: &str = "the time range";
const NO_ADDRESS: &str = "address_id";

fn grant(app: &App, body: &Value) -> Result<Understood, Refused> {
    if body["grant_type"] != "client_credential" {
        return Err(Refused::BadRequest("grant_type"));
    }
    if body["appid"] != app.key.as_str() {
        return Err(Refused::WrongApp);
    }
    if body["secret"] != app.secret.as_str() {
        return Err(Refused::BadSignature);
    }
    Ok(Understood { question: Question::Token(Grant::App), token: None })
}

fn question(path: &str, body: &Value) -> Result<Question, Refused> {
    let id = |name: &str| text(&body[name]).ok_or(Refused::BadRequest("an id is missing"));
    Ok(match path.strip_prefix("/channels/ec/").ok_or(Refused::UnknownCall)? {
        "order/get" => Question::Order(id("order_id")?),
        "aftersale/getaftersaleorder" => Question::Case(id("after_sale_order_id")?),
        "order/list/get" => {
            let range = &body["update_time_range"];
            let size = body["page_size"].as_u64().and_then(|size| usize::try_from(size).ok()).unwrap_or(10);
            if !(1..=PAGE).contains(&size) {
                return Err(Refused::BadRequest("page_size"));
            }
            Question::ChangedOrders(span(body, &range["start_time"], &range["end_time"], 7 * DAY, size)?)
        }
        "aftersale/getaftersalelist" => {
            Question::ChangedCases(span(body, &body["begin_update_time"], &body["end_update_time"], DAY, PAGE)?)
        }
        "aftersale/acceptapply" => acceptance(id("after_sale_order_id")?, body)?,
        "aftersale/rejectapply" if body["reject_reason_type"].is_i64() => {
            let from = &[CaseStatus::Applied, CaseStatus::Returning];
            let verdict = Verdict { case_id: id("after_sale_order_id")?, kinds: &[], from, updated: None };
            Question::Refuse(verdict, body["reject_reason"].as_str().unwrap_or_default().to_owned())
        }
        "aftersale/rejectapply" => return Err(Refused::BadRequest("reject_reason_type")),
        // 1 adds, 2 takes away, 3 sets.
        "product/stock/update" if body["diff_type"] == 3 => Question::SetStock {
            product_id: id("product_id")?,
            sku_id: Some(id("sku_id")?),
            quantity: body["num"].as_i64().ok_or(Refused::BadRequest("num"))?,
        },
        "product/stock/update" => return Err(Refused::BadRequest("diff_type")),
        _ => return Err(Refused::UnknownCall),
    })
}

/// `accept_type`: 1 lets goods come back and fits neither refunds without return nor goods that have come; 2 pays back and fits only
/// these; without it the platform takes the next step by itself, which is not simulated: a caller who repeats must not do that.
///
/// Here the buyer has to name the parcel before goods count as come. The platform may be less strict.
fn acceptance(case_id: String, body: &Value) -> Result<Question, Refused> {
    const GOODS: &[Kind] = &[Kind::Return];
    let verdict = |kinds, from: &'static [CaseStatus]| Verdict { case_id, kinds, from, updated: None };
    Ok(match (body["accept_type"].as_i64(), text(&body["address_id"])) {
        (Some(1), None) => return Err(Refused::BadRequest(NO_ADDRESS)),
        (Some(1), Some(_)) => Question::Agree(verdict(GOODS, &[CaseStatus::Applied])),
        (Some(2), _) => Question::PayBack(verdict(&[], &[CaseStatus::Applied, CaseStatus::Returning]), None),
        _ => return Err(Refused::BadRequest("accept_type")),
    })
}

fn span(body: &Value, since: &Value, until: &Value, longest: i64, size: usize) -> Result<Span, Refused> {
    let at = |value: &Value| integer(value).ok_or(Refused::BadRequest("a time is missing"));
    let (since, until) = (at(since)?, at(until)?);
    if until - since > longest {
        return Err(Refused::BadRequest(TOO_LONG));
    }
    let skip = match &body["next_key"] {
        Value::Null => 0,
        key => skipped(key).ok_or(Refused::BadRequest("next_key"))?,
    };
    Ok(Span { since, until, skip, size })
}

/// Where the next page begins, in a form that callers can do nothing with but give it back.
fn next_key(skipped: usize) -> String {
    format!("Key+{skipped}/==")
}

fn skipped(key: &Value) -> Option<usize> {
    key.as_str()?.strip_prefix("Key+")?.strip_suffix("/==")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_app_is_the_first_shop() {
        assert_eq!(Shop::new(0, WechatStore.ids()).id(), WechatStore.app().key);
    }
}
