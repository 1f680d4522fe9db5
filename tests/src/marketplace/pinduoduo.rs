//! Pinduoduo (拼多多): signed forms to one address, money in yuan (of after-sale cases in fen), nothing pushed.
//!
//! Field names and codes: Pinduoduo open platform, `pdd.order.information.get`, `pdd.order.number.list.increment.get`,
//! `pdd.refund.information.get`, `pdd.refund.list.increment.get`, `pdd.refund.agree`, `pdd.refund.returngoods.agree`,
//! `pdd.goods.quantity.update`, `pdd.pop.auth.token.refresh`, and the table of codes under each.

mod records;
pub mod sign;

use std::collections::BTreeMap;

use http::Method;
use serde_json::{Value, json};

use super::dialect::{
    App, Delivery, Dialect, Grant, Incoming, Question, Refused, Reply, Understood, Verdict, integer, number, text,
};
use super::push::Message;
use super::shop::{CaseStatus, Change, Id, Ids, Kind, Shop, Span, Status};

/// The platform.
#[derive(Clone, Copy, Debug)]
pub struct Pinduoduo;

/// Minutes by which a timestamp may be off (the platform's rule).
const CLOCK: i64 = 10;
/// Orders or cases on a page, at most.
const PAGE: usize = 100;
/// Seconds of a window, at most.
const WINDOW: i64 = 30 * 60;

impl Dialect for Pinduoduo {
    fn name(&self) -> &'static str {
        "pinduoduo"
    }

    fn app(&self) -> App {
        App::of("70000000000000000000000000000001", "0123456789abcdef0123456789abcdef01234567")
            .with("return_address", "7000001")
    }

    /// Orders are two numbers with a dash between.
    fn ids(&self) -> Ids {
        |of, number| match of {
            Id::Order => format!("{:06}-{:015}", number / 1_000_000_000_000_000, number % 1_000_000_000_000_000),
            _ => number.to_string(),
        }
    }

    fn token_life(&self) -> i64 {
        86_400
    }

    /// A merchant refuses in the console.
    fn lacks(&self) -> &'static [&'static str] {
        &["refuse"]
    }

    fn understand(&self, app: &App, call: &Incoming<'_>) -> Result<Understood, Refused> {
        if call.method != Method::POST || call.path != "/api/router" {
            return Err(Refused::UnknownCall);
        }
        let fields = call.fields();
        let field = |name: &str| fields.get(name).map_or("", String::as_str);
        if field("client_id") != app.key {
            return Err(Refused::WrongApp);
        }
        if field("sign") != sign::call(app, &fields) {
            return Err(Refused::BadSignature);
        }
        if !matches!(field("data_type"), "" | "JSON") || !matches!(field("version"), "" | "V1") {
            return Err(Refused::BadRequest("data_type or version"));
        }
        call.clock(field("timestamp").parse().ok(), CLOCK)?;
        Ok(Understood { question: question(&fields)?, token: fields.get("access_token").cloned() })
    }

    fn answer(&self, _: &App, shop: &Shop, question: &Question, reply: &Reply<'_>) -> Value {
        match reply {
            Reply::Token(token) => json!({"pop_auth_token_refresh_response": {
                "access_token": token.access,
                "expires_in": token.expires_in,
                "refresh_token": token.refresh,
                "owner_id": shop.id(),
                "owner_name": "测试茶饮旗舰店",
                "scope": ["pdd.order.information.get"],
            }}),
            Reply::Order(order) => json!({"order_info_get_response": {"order_info": records::order(shop, order)}}),
            // The only answer without a wrapper.
            Reply::Case(case, order) => records::case(case, order),
            Reply::Orders(page) => {
                // What is not paid is not shown in lists.
                let paid = page.items.iter().filter(|order| order.time(Status::Paid).is_some());
                let rows: Vec<_> = paid.map(|order| records::order(shop, order)).collect();
                json!({"order_sn_increment_get_response": {"total_count": page.total, "order_sn_list": rows}})
            }
            Reply::Cases(page) => {
                let rows: Vec<_> = page.items.iter().map(|(case, order)| records::listed(case, order)).collect();
                json!({"refund_increment_get_response": {"total_count": page.total, "refund_list": rows}})
            }
            Reply::Messages(_) | Reply::Product(_) => Value::Null,
            Reply::Done => match question {
                Question::SetStock { .. } => json!({"goods_quantity_update_response": {"is_success": true}}),
                Question::PayBack(verdict, _) => json!({"response": {"result": {
                    "after_sales_id": number(&verdict.case_id), "succ": true, "message": "退款操作成功",
                }}}),
                Question::Agree(verdict) => json!({"response": {
                    "success": true, "error_code": 0, "error_msg": "",
                    "result": {"after_sales_id": number(&verdict.case_id), "success": true, "message": ""},
                }}),
                _ => json!({"response": {}}),
            },
        }
    }

    fn refuse(&self, refused: &Refused) -> Value {
        let (code, message, sub_message) = match refused {
            Refused::ServerError | Refused::Gateway | Refused::AnswerLost => (52002, "网关系统内部异常", ""),
            Refused::RateLimited => (70031, "调用过于频繁，请调整调用频率", ""),
            Refused::UnknownCall => (10017, "type不正确", ""),
            Refused::BadRequest(_) => (21001, "请求参数错误", ""),
            Refused::WrongApp => (10016, "client下线或者clientId不正确", ""),
            Refused::BadSignature => (20004, "签名sign校验失败", ""),
            Refused::WrongClock => (10001, "公共参数错误:timestamp", ""),
            Refused::BadToken | Refused::NotAuthorised => (10019, "access_token已过期", ""),
            Refused::NotFound => (50001, "业务服务错误", "订单不存在"),
            // A command that was understood answers so by itself.
            Refused::Impossible(_) => {
                return json!({"response": {"result": {"succ": false, "message": "售后单状态已变更"}}});
            }
        };
        json!({"error_response": {
            "error_code": code, "error_msg": message, "sub_code": null, "sub_msg": sub_message,
            "request_id": "15440104776643887",
        }})
    }

    fn delivery(&self) -> Delivery {
        Delivery::None
    }

    /// What the platform tells (PMC) comes over a WebSocket.
    fn messages(&self, _: &Shop, _: &Change) -> Vec<Message> {
        Vec::new()
    }
}

fn question(form: &BTreeMap<String, String>) -> Result<Question, Refused> {
    let field = |name: &'static str| {
        form.get(name).filter(|text| !text.is_empty()).cloned().ok_or(Refused::BadRequest("a parameter is missing"))
    };
    Ok(match field("type")?.as_str() {
        "pdd.pop.auth.token.refresh" => Question::Token(Grant::Refresh(field("refresh_token")?)),
        "pdd.order.information.get" => Question::Order(field("order_sn")?),
        "pdd.refund.information.get" => {
            field("order_sn")?;
            Question::Case(field("after_sales_id")?)
        }
        "pdd.order.number.list.increment.get" => {
            // Only what shows all is simulated.
            all(form, &[("order_status", "5"), ("refund_status", "5"), ("is_lucky_flag", "0")])?;
            Question::ChangedOrders(span(form)?)
        }
        "pdd.refund.list.increment.get" => {
            all(form, &[("after_sales_status", "1"), ("after_sales_type", "1")])?;
            Question::ChangedCases(span(form)?)
        }
        "pdd.refund.agree" => Question::PayBack(verdict(form, &[], &[])?.0, None),
        "pdd.refund.returngoods.agree" => {
            let (verdict, request) = verdict(form, &[Kind::Return], &[CaseStatus::Applied])?;
            if request["return_address_id"].as_str().is_none_or(str::is_empty) {
                return Err(Refused::BadRequest("return_address_id"));
            }
            Question::Agree(verdict)
        }
        // 1 is the stock itself, 2 a difference.
        "pdd.goods.quantity.update" if field("update_type")? == "1" => Question::SetStock {
            product_id: field("goods_id")?,
            sku_id: Some(field("sku_id")?),
            quantity: field("quantity")?.parse().map_err(|_| Refused::BadRequest("quantity"))?,
        },
        "pdd.goods.quantity.update" => return Err(Refused::BadRequest("update_type")),
        _ => return Err(Refused::UnknownCall),
    })
}

fn all(form: &BTreeMap<String, String>, wanted: &[(&str, &str)]) -> Result<(), Refused> {
    let fits = wanted.iter().all(|(name, value)| form.get(*name).is_some_and(|found| found == value));
    fits.then_some(()).ok_or(Refused::BadRequest("a list that does not show all"))
}

fn span(form: &BTreeMap<String, String>) -> Result<Span, Refused> {
    let at = |name: &str| form.get(name).and_then(|text| text.parse().ok()).ok_or(Refused::BadRequest("a time"));
    let count = |name: &str, or: usize| match form.get(name) {
        None => Ok(or),
        Some(text) => text.parse().ok().filter(|count| *count > 0).ok_or(Refused::BadRequest("a page")),
    };
    let (since, until): (i64, i64) = (at("start_updated_at")?, at("end_updated_at")?);
    let (page, size) = (count("page", 1)?, count("page_size", PAGE)?);
    if !(0..=WINDOW).contains(&(until - since)) || size > PAGE {
        return Err(Refused::BadRequest("a window beyond 30 minutes, or a page beyond 100"));
    }
    Ok(Span { since, until, skip: (page - 1) * size, size })
}

/// The commands' parameters are JSON in one of the form's fields. The platform has no version of a case.
fn verdict(
    form: &BTreeMap<String, String>,
    kinds: &'static [Kind],
    from: &'static [CaseStatus],
) -> Result<(Verdict, Value), Refused> {
    let request = form.get("request").and_then(|text| serde_json::from_str::<Value>(text).ok());
    let request = request.ok_or(Refused::BadRequest("request"))?;
    let case_id = text(&request["after_sales_id"]).filter(|_| integer(&request["after_sales_id"]).is_some());
    let case_id = case_id.ok_or(Refused::BadRequest("after_sales_id"))?;
    if request["order_sn"].as_str().is_none_or(str::is_empty) {
        return Err(Refused::BadRequest("order_sn"));
    }
    Ok((Verdict { case_id, kinds, from, updated: None }, request))
}

#[cfg(test)]
mod tests;
