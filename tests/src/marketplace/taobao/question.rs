//! What Taobao's calls ask.

use std::collections::BTreeMap;

use super::GOODS;
use crate::marketplace::dialect::{Grant, Question, Refused, Verdict, from_gmt8};
use crate::marketplace::shop::{CaseStatus, Kind, Span};

/// Trades or refunds on a page, at most.
const PAGE: usize = 100;
/// The longest stretch of time of a list, in seconds.
const STRETCH: i64 = 86_400;
/// Cases that may be refused: not before the goods are shipped.
const SHIPPED: &[Kind] = &[Kind::RefundOnly, Kind::Return];

type Form = BTreeMap<String, String>;

/// What a call asks.
///
/// # Errors
/// [`Refused`] for methods that are not simulated, and for fields that are missing or wrong.
pub fn of(method: &str, form: &Form) -> Result<Question, Refused> {
    let text =
        |name: &'static str| form.get(name).filter(|text| !text.is_empty()).cloned().ok_or(Refused::BadRequest(name));
    let integer = |name: &'static str| text(name)?.parse::<i64>().map_err(|_| Refused::BadRequest(name));
    let id = |name: &'static str| integer(name).map(|id| id.to_string());
    Ok(match method {
        "taobao.top.auth.token.refresh" => Question::Token(Grant::Refresh(text("refresh_token")?)),
        "taobao.trade.fullinfo.get" => text("fields").and(id("tid")).map(Question::Order)?,
        "taobao.refund.get" => text("fields").and(id("refund_id")).map(Question::Case)?,
        "taobao.trades.sold.increment.get" => Question::ChangedOrders(span(form)?),
        "taobao.refunds.receive.get" => Question::ChangedCases(span(form)?),
        "taobao.rp.returngoods.agree" => {
            // An address book's entry, or a whole address in fields of its own.
            integer("seller_address_id")?;
            let from = &[CaseStatus::Applied];
            Question::Agree(Verdict { case_id: id("refund_id")?, kinds: GOODS, from, updated: seconds(form)? })
        }
        "taobao.rp.refunds.agree" => pay(&text("refund_infos")?)?,
        "taobao.refund.refuse" => {
            let from = &[CaseStatus::Applied, CaseStatus::Returning];
            let verdict = Verdict { case_id: id("refund_id")?, kinds: SHIPPED, from, updated: seconds(form)? };
            Question::Refuse(verdict, text("refuse_message")?)
        }
        "taobao.skus.quantity.update" if text("type")? == "1" => {
            let sku = text("skuid_quantities")?;
            let (sku_id, quantity) = sku.split_once(':').ok_or(Refused::BadRequest("skuid_quantities"))?;
            let quantity = quantity.parse().map_err(|_| Refused::BadRequest("skuid_quantities"))?;
            Question::SetStock { product_id: id("num_iid")?, sku_id: Some(sku_id.to_owned()), quantity }
        }
        "taobao.item.quantity.update" if text("type")? == "1" => {
            Question::SetStock { product_id: id("num_iid")?, sku_id: None, quantity: integer("quantity")? }
        }
        "taobao.tmc.messages.consume" => {
            let most = integer("quantity").unwrap_or(100);
            let most = usize::try_from(most).ok().filter(|most| (10..=200).contains(most));
            Question::Messages(most.ok_or(Refused::BadRequest("quantity"))?)
        }
        "taobao.tmc.messages.confirm" => {
            Question::Confirm(text("s_message_ids")?.split(',').map(str::to_owned).collect())
        }
        _ => return Err(Refused::UnknownCall),
    })
}

/// The method that asks a question: the answer is named after it.
pub const fn method(question: &Question) -> &'static str {
    match question {
        Question::Token(_) => "taobao.top.auth.token.refresh",
        Question::Order(_) => "taobao.trade.fullinfo.get",
        Question::ChangedOrders(_) => "taobao.trades.sold.increment.get",
        Question::ChangedCases(_) => "taobao.refunds.receive.get",
        Question::Messages(_) => "taobao.tmc.messages.consume",
        Question::Confirm(_) => "taobao.tmc.messages.confirm",
        Question::Agree(_) => "taobao.rp.returngoods.agree",
        Question::PayBack(..) => "taobao.rp.refunds.agree",
        Question::Refuse(..) => "taobao.refund.refuse",
        Question::SetStock { sku_id: Some(_), .. } => "taobao.skus.quantity.update",
        Question::SetStock { sku_id: None, .. } => "taobao.item.quantity.update",
        _ => "taobao.refund.get",
    }
}

fn span(form: &Form) -> Result<Span, Refused> {
    let text = |name: &'static str| form.get(name).ok_or(Refused::BadRequest(name));
    let at = |name: &'static str| from_gmt8(text(name)?).ok_or(Refused::BadRequest(name));
    let count = |name: &'static str| text(name)?.parse::<usize>().map_err(|_| Refused::BadRequest(name));
    let (since, until) = (at("start_modified")?, at("end_modified")?);
    if until < since || until - since > STRETCH {
        return Err(Refused::BadRequest("end_modified"));
    }
    let (page, size) = (count("page_no")?, count("page_size")?);
    let before = page.checked_sub(1).ok_or(Refused::BadRequest("page_no"))?;
    if !(1..=PAGE).contains(&size) || text("fields")?.is_empty() {
        return Err(Refused::BadRequest("page_size"));
    }
    Ok(Span { since, until, skip: before * size, size })
}

/// `refund_infos`: id, sum in fen, version, and (of Tmall's cases) phase. Several cases may be paid at once; here it is one.
fn pay(refund_infos: &str) -> Result<Question, Refused> {
    let wrong = || Refused::BadRequest("refund_infos");
    let number = |text: &str| text.parse::<i64>().map_err(|_| wrong());
    let parts: Vec<&str> = refund_infos.split('|').collect();
    let (Some([case_id, amount, version]), None | Some("onsale" | "aftersale"), true) =
        (parts.first_chunk(), parts.get(3).copied(), parts.len() < 5)
    else {
        return Err(wrong());
    };
    let updated = Some(number(version)? / 1000);
    let from = &[CaseStatus::Applied, CaseStatus::Returning];
    let verdict = Verdict { case_id: number(case_id)?.to_string(), kinds: &[], from, updated };
    Ok(Question::PayBack(verdict, Some(number(amount)?)))
}

/// The time of change that `refund_version` (milliseconds) stands for, if it came along.
fn seconds(form: &Form) -> Result<Option<i64>, Refused> {
    let version = form.get("refund_version").map(|version| version.parse::<i64>()).transpose();
    Ok(version.map_err(|_| Refused::BadRequest("refund_version"))?.map(|millis| millis / 1000))
}
