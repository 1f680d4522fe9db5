//! What JD's calls ask.

use serde_json::Value;

use super::{CANCELLATIONS, SERVICES};
use crate::marketplace::dialect::{Question, Refused, Reply, Verdict, from_gmt8, integer, text};
use crate::marketplace::shop::{CaseStatus, Kind, Span};

const ORDER: &str = "jingdong.pop.order.get";
const ORDERS: &str = "jingdong.pop.order.search";
const SERVICE: &str = "jingdong.asc.query.view";
const SERVICE_LIST: &str = "jingdong.asc.query.list";
const REFUNDS: &str = "jingdong.asc.serviceAndRefund.view";
const CANCELLATION: &str = "jingdong.pop.afs.soa.refundapply.queryById";
const CANCELLATION_LIST: &str = "jingdong.pop.afs.soa.refundapply.queryPageList";
const REPLY: &str = "jingdong.pop.afs.soa.refundapply.replyRefund";
const STOCK: &str = "jingdong.ware.stock.sku.set";

/// Orders on a page, at most.
const ORDER_PAGE: usize = 100;
/// Cases on a page, at most.
const CASE_PAGE: usize = 50;

/// What a call asks.
///
/// # Errors
/// [`Refused`] for methods that are not simulated, and for parameters that are missing or wrong.
pub fn of(method: &str, param: &Value) -> Result<Question, Refused> {
    let id = |name: &'static str| {
        let id = text(&param[name]).filter(|id| id.parse::<u64>().is_ok());
        id.ok_or(Refused::BadRequest(name))
    };
    Ok(match method {
        ORDER => {
            filled(param, &["optional_fields"])?;
            Question::Order(id("order_id")?)
        }
        // 1 would be by the time of creation.
        ORDERS if integer(&param["dateType"]) == Some(0) => {
            filled(param, &["order_state", "optional_fields"])?;
            Question::ChangedOrders(span(param, ["start_date", "end_date", "page", "page_size"], ORDER_PAGE)?)
        }
        SERVICE => {
            filled(param, &["buId", "operatePin", "operateNick", "orderId"])?;
            Question::Case(id("serviceId")?)
        }
        SERVICE_LIST => {
            filled(param, &["buId", "operatePin", "operateNick"])?;
            let names = ["updateTimeBegin", "updateTimeEnd", "pageNumber", "pageSize"];
            Question::ChangedCasesOf(SERVICES, span(param, names, CASE_PAGE)?)
        }
        REFUNDS => {
            filled(param, &["pageNumber", "pageSize"])?;
            Question::CasesOfOrder(id("orderId")?)
        }
        CANCELLATION => Question::Case(id("id")?),
        CANCELLATION_LIST => {
            let names = ["modifiedStart", "modifiedEnd", "pageIndex", "pageSize"];
            Question::ChangedCasesOf(CANCELLATIONS, span(param, names, CASE_PAGE)?)
        }
        REPLY => reply(param, id("id")?)?,
        STOCK => stock(&param["req"])?,
        _ => return Err(Refused::UnknownCall),
    })
}

/// The method that asked a question: the answer is named after it.
pub const fn method(question: &Question, reply: &Reply<'_>) -> &'static str {
    match (question, reply) {
        (Question::Order(_), _) => ORDER,
        (Question::ChangedOrders(_), _) => ORDERS,
        (Question::Case(_), Reply::Case(case, _)) if matches!(case.kind, Kind::Unshipped) => CANCELLATION,
        (Question::Case(_), _) => SERVICE,
        (Question::ChangedCasesOf([Kind::Unshipped], _), _) => CANCELLATION_LIST,
        (Question::ChangedCasesOf(..), _) => SERVICE_LIST,
        (Question::CasesOfOrder(_), _) => REFUNDS,
        (Question::SetStock { .. }, _) => STOCK,
        _ => REPLY,
    }
}

/// That these parameters are there, and not empty.
fn filled(param: &Value, names: &[&'static str]) -> Result<(), Refused> {
    let missing = |name: &&&'static str| text(&param[**name]).is_none_or(|text| text.is_empty());
    names.iter().find(missing).map_or(Ok(()), |name| Err(Refused::BadRequest(name)))
}

/// A stretch of time and a page, by the names of its ends, the page (from 1) and the page's size.
fn span(param: &Value, names: [&'static str; 4], most: usize) -> Result<Span, Refused> {
    let [since, until, page, size] = names;
    let at = |name: &'static str| {
        let time = param[name].as_str().and_then(from_gmt8);
        time.ok_or(Refused::BadRequest(name))
    };
    let count = |name: &'static str| {
        let number = integer(&param[name]).and_then(|number| usize::try_from(number).ok());
        number.filter(|number| *number > 0).ok_or(Refused::BadRequest(name))
    };
    let (page, size) = (count(page)?, count(size)?);
    if size > most {
        return Err(Refused::BadRequest("too many on a page"));
    }
    Ok(Span { since: at(since)?, until: at(until)?, skip: (page - 1) * size, size })
}

/// The merchant's answer to a cancellation: `status` 1 agrees, 2 refuses for a reason.
fn reply(param: &Value, case_id: String) -> Result<Question, Refused> {
    filled(param, &["checkUserName", "remark"])?;
    let verdict = Verdict { case_id, kinds: CANCELLATIONS, from: &[CaseStatus::Applied], updated: None };
    match (integer(&param["status"]), integer(&param["rejectType"])) {
        (Some(1), None) => Ok(Question::Agree(verdict)),
        (Some(2), Some(1..=6)) => {
            let remark = text(&param["remark"]).unwrap_or_default();
            Ok(Question::Refuse(verdict, remark))
        }
        _ => Err(Refused::BadRequest("status and rejectType")),
    }
}

fn stock(req: &Value) -> Result<Question, Refused> {
    filled(req, &["updateModel", "stockRfId"])?;
    let Some([sku]) = req["skuStocks"].as_array().map(Vec::as_slice) else {
        return Err(Refused::BadRequest("skuStocks"));
    };
    filled(sku, &["skuId", "stockModel"])?;
    let quantity = sku["stockNum"].as_i64().ok_or(Refused::BadRequest("stockNum"))?;
    Ok(Question::SetStock { product_id: String::new(), sku_id: text(&sku["skuId"]), quantity })
}
