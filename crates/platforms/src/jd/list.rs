//! What changed: `jingdong.pop.order.search`, `jingdong.asc.query.list`, and `jingdong.pop.afs.soa.refundapply.queryPageList`.

use serde::Deserialize;
use serde_json::{Value, json};

use super::cancellation::after_sale_id;
use super::{CASES, OPERATOR, ORDERS};
use crate::backwards::Place;
use crate::marketplace::{Answer, App, Ask, MapError, Window};
use crate::{gmt8_text, lenient};

/// What asks for a page of changed orders. `dateType` 0 is by the time of change.
pub(super) fn orders_call(window: &Window) -> (&'static str, Value) {
    let (since, until) = (gmt8_text(window.since), gmt8_text(window.until));
    let params = json!({
        "start_date": since, "end_date": until, "order_state": "ALL", "dateType": 0, "source_id": "JOS",
        "optional_fields": "orderId", "page": Place::of(window).number().to_string(),
        "page_size": ORDERS.page_size.to_string(),
    });
    ("jingdong.pop.order.search", params)
}

/// What asks for a page of changed cases: first service bills, then cancellations.
pub(super) fn cases_call(app: &App, shop_id: &str, window: &Window) -> (&'static str, Value) {
    let (since, until) = (gmt8_text(window.since), gmt8_text(window.until));
    let place = Place::of(window);
    if place.list == 0 {
        let operator = app.text(OPERATOR.name);
        let params = json!({
            "buId": shop_id, "operatePin": operator, "operateNick": operator, "updateTimeBegin": since,
            "updateTimeEnd": until, "pageNumber": place.number(), "pageSize": CASES.page_size,
        });
        ("jingdong.asc.query.list", params)
    } else {
        let params = json!({
            "modifiedStart": since, "modifiedEnd": until, "pageIndex": place.number(), "pageSize": CASES.page_size,
        });
        ("jingdong.pop.afs.soa.refundapply.queryPageList", params)
    }
}

#[derive(Deserialize)]
struct OrderSearch {
    searchorderinfo_result: OrderPage,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OrderPage {
    #[serde(deserialize_with = "lenient::integer")]
    order_total: i64,
    #[serde(default)]
    order_info_list: Option<Vec<Order>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Order {
    #[serde(deserialize_with = "lenient::id")]
    order_id: String,
}

/// Reads a page of changed orders.
pub(super) fn orders(window: &Window, answer: &Value) -> Result<Answer, MapError> {
    let page = OrderSearch::deserialize(answer)?.searchorderinfo_result;
    let orders = page.order_info_list.unwrap_or_default();
    let asks = orders.into_iter().map(|order| Ask::Order { order_id: order.order_id });
    Ok(ORDERS.turn(window, page.order_total, asks.collect()))
}

#[derive(Deserialize)]
struct Bills {
    #[serde(rename = "pageResult")]
    page_result: Page<Bill>,
}

#[derive(Deserialize)]
struct Cancellations {
    #[serde(rename = "queryResult")]
    query_result: Page<Cancellation>,
}

/// The records stand in `data` or in `result`.
#[derive(Deserialize)]
struct Page<T> {
    #[serde(rename = "totalCount", deserialize_with = "lenient::integer")]
    total_count: i64,
    #[serde(default = "nothing", alias = "result")]
    data: Option<Vec<T>>,
}

const fn nothing<T>() -> Option<Vec<T>> {
    None
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bill {
    #[serde(deserialize_with = "lenient::id")]
    service_id: String,
    #[serde(deserialize_with = "lenient::id")]
    order_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cancellation {
    #[serde(deserialize_with = "lenient::id")]
    id: String,
    #[serde(deserialize_with = "lenient::id")]
    order_id: String,
}

/// Reads a page of changed cases.
pub(super) fn cases(window: &Window, answer: &Value) -> Result<Answer, MapError> {
    let ask = |order_id, after_sale_id| Ask::AfterSale { order_id: Some(order_id), after_sale_id };
    let (total, asks) = if Place::of(window).list == 0 {
        let page = Bills::deserialize(answer)?.page_result;
        let bills = page.data.unwrap_or_default().into_iter();
        (page.total_count, bills.map(|bill| ask(bill.order_id, bill.service_id)).collect())
    } else {
        let page = Cancellations::deserialize(answer)?.query_result;
        let found = page.data.unwrap_or_default().into_iter();
        (page.total_count, found.map(|one| ask(one.order_id, after_sale_id(&one.id))).collect())
    };
    Ok(CASES.turn(window, total, asks))
}
