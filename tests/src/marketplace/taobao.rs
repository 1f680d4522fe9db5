//! Taobao (淘宝): one address for all calls, forms signed over all fields, money in yuan, times as text in GMT+8, a queue in place of
//! pushes.
//!
//! Field names and codes: TOP's guide 101617 and table of error codes; API `taobao.trade.fullinfo.get`,
//! `taobao.trades.sold.increment.get`, `taobao.refund.get`, `taobao.refunds.receive.get`, `taobao.rp.refunds.agree`,
//! `taobao.rp.returngoods.agree`, `taobao.refund.refuse`, `taobao.skus.quantity.update`, `taobao.item.quantity.update`,
//! `taobao.tmc.messages.*`, `taobao.top.auth.token.refresh`. A shop of Taobao's own: what only Tmall has (the review of refunds)
//! is refused as unknown.

mod question;
mod records;
pub mod sign;

use serde_json::{Value, json};

use self::records::listed;
use super::dialect::{App, Delivery, Dialect, Incoming, Question, Refused, Reply, Understood, from_gmt8, yuan};
use super::push::Message;
use super::shop::{Change, Kind, Shop};

/// The platform.
#[derive(Clone, Copy, Debug)]
pub struct Taobao;

/// Minutes by which a timestamp may be off (the platform's rule).
const CLOCK: i64 = 10;

impl Dialect for Taobao {
    fn name(&self) -> &'static str {
        "taobao"
    }

    fn app(&self) -> App {
        App::of("20000001", "0123456789abcdef0123456789abcdef")
    }

    /// In the platform's order: address, app, signature, clock, method.
    fn understand(&self, app: &App, call: &Incoming<'_>) -> Result<Understood, Refused> {
        let fields = call.fields();
        let field = |name: &str| fields.get(name).map_or("", String::as_str);
        if call.path != "/router/rest" || field("v") != "2.0" || field("format") != "json" {
            return Err(Refused::UnknownCall);
        }
        if field("app_key") != app.key {
            return Err(Refused::WrongApp);
        }
        if sign::sign(app, &fields).is_none_or(|sign| field("sign") != sign) {
            return Err(Refused::BadSignature);
        }
        call.clock(from_gmt8(field("timestamp")), CLOCK)?;
        let token = fields.get("session").cloned();
        Ok(Understood { question: question::of(field("method"), &fields)?, token })
    }

    fn answer(&self, _: &App, shop: &Shop, question: &Question, reply: &Reply<'_>) -> Value {
        let mut content = match reply {
            Reply::Token(token) => json!({"token_result": json!({
                "access_token": token.access,
                "refresh_token": token.refresh,
                "expires_in": token.expires_in,
                "re_expires_in": token.expires_in,
                "token_type": "Bearer",
                "taobao_user_id": shop.id(),
                "taobao_user_nick": "测试茶饮店",
                "w1_expires_in": token.expires_in,
                "w2_expires_in": 1800,
            })
            .to_string()}),
            Reply::Order(order) => json!({"trade": records::trade(shop, order)}),
            Reply::Case(case, order) => json!({"refund": records::refund(case, order)}),
            Reply::Orders(page) => listed("trades", "trade", page, |order| records::listed_trade(order)),
            Reply::Cases(page) => {
                listed("refunds", "refund", page, |(case, order)| records::listed_refund(case, order))
            }
            Reply::Messages(messages) if messages.is_empty() => json!({}),
            Reply::Messages(messages) => {
                json!({"messages": {"tmc_message": messages.iter().map(|message| &message.content).collect::<Vec<_>>()}})
            }
            Reply::Product(_) => json!({}),
            Reply::Done => done(question),
        };
        content["request_id"] = "4nvr9f3hlnmg".into();
        json!({question::method(question).replace('.', "_").replace("taobao_", "") + "_response": content})
    }

    fn refuse(&self, refused: &Refused) -> Value {
        let (code, message, sub_code) = match refused {
            Refused::ServerError | Refused::Gateway | Refused::AnswerLost => {
                (15, "Remote service error", "isp.top-remote-service-unavailable")
            }
            Refused::RateLimited => (7, "App Call Limited", "accesscontrol.limited-by-api-access-count"),
            Refused::UnknownCall => (22, "Invalid Method", "isv.invalid-method"),
            Refused::BadRequest(_) => (41, "Invalid Arguments", "isv.invalid-parameter"),
            Refused::WrongApp => (29, "Invalid app Key", "isv.appkey-not-exists"),
            Refused::BadSignature => (25, "Invalid signature", "isv.invalid-signature"),
            Refused::WrongClock => (31, "Invalid Timestamp", "isv.invalid-timestamp"),
            Refused::BadToken => (27, "Invalid session", "invalid-sessionkey"),
            Refused::NotAuthorised => (15, "Remote service error", "isv.refresh-token-invalid"),
            Refused::NotFound => (15, "Remote service error", "isv.trade-not-exist"),
            Refused::Impossible(_) => (15, "Remote service error", "isv.refund-status-not-match"),
        };
        json!({"error_response": {
            "code": code, "msg": message, "sub_code": sub_code, "sub_msg": "失败", "request_id": "4nvr9f3hlnmg",
        }})
    }

    fn delivery(&self) -> Delivery {
        Delivery::Queue
    }

    fn messages(&self, shop: &Shop, change: &Change) -> Vec<Message> {
        match change {
            Change::Order(order) => records::trade_message(shop, order).into_iter().collect(),
            Change::Case(case) => vec![records::refund_message(shop, case)],
        }
    }
}

/// What a command answers that was carried out: each its own word for it.
fn done(question: &Question) -> Value {
    match question {
        Question::PayBack(verdict, amount) => json!({
            "succ": true, "msg_code": "OP_SUCC", "message": "操作成功",
            "results": {"refund_mapping_result": [
                {"refund_id": verdict.case_id, "succ": true, "message": "操作成功", "refund_fee": yuan(amount.unwrap_or_default())},
            ]},
        }),
        Question::Refuse(verdict, _) => {
            json!({"refund": {"refund_id": verdict.case_id, "status": "SELLER_REFUSE_BUYER"}})
        }
        Question::SetStock { product_id, sku_id, quantity } => json!({"item": {
            "num_iid": super::dialect::number(product_id), "num": quantity,
            "skus": {"sku": sku_id.iter().map(|id| json!({"sku_id": id, "quantity": quantity})).collect::<Vec<_>>()},
        }}),
        _ => json!({"is_success": true}),
    }
}

/// Cases in which goods come back.
const GOODS: &[Kind] = &[Kind::Return];

#[cfg(test)]
mod tests;
