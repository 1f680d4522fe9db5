//! What changed in a stretch of time: `order.searchList` and `afterSale.List`, by update time.
//!
//! Pages are read from the last to the first. What changes while they are read leaves the window (its update time is now), and
//! all behind it move towards the first page: into pages that are still to be read. The other way round they would slip
//! through between two pages. The first question is for the first page, which tells how many there are; where there are
//! more, that page is read again at the end.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::lenient;
use crate::marketplace::{Answer, Ask, MapError, Window};

/// The API method that finds orders.
pub const ORDERS: &str = "order.searchList";
/// The API method that finds after-sale cases.
pub const CASES: &str = "afterSale.List";

/// On a page: the most that the platform allows, for both.
const SIZE: i64 = 100;

/// The parameters of [`ORDERS`]. Pages count from 0; sorting by update time has to be asked for.
pub fn order_params(window: &Window) -> Value {
    json!({
        "update_time_start": window.since.seconds(),
        "update_time_end": window.until.seconds(),
        "order_by": "update_time",
        "order_asc": true,
        "page": window.page_number(0),
        "size": SIZE,
    })
}

/// The parameters of [`CASES`], which has other words for the same.
pub fn case_params(window: &Window) -> Value {
    json!({
        "update_start_time": window.since.seconds(),
        "update_end_time": window.until.seconds(),
        "order_by": ["update_time asc"],
        "page": window.page_number(0),
        "size": SIZE,
    })
}

/// What the answer to [`ORDERS`] tells.
///
/// # Errors
/// [`MapError`] when it is no such list.
pub fn orders(window: &Window, data: &Value) -> Result<Answer, MapError> {
    let list = Orders::deserialize(data)?;
    let asks = list.shop_order_list.into_iter().map(|order| Ask::Order { order_id: order.order_id });
    Ok(Answer::Changed { asks: asks.collect(), next: next(window, list.total) })
}

/// What the answer to [`CASES`] tells.
///
/// # Errors
/// [`MapError`] when it is no such list.
pub fn cases(window: &Window, data: &Value) -> Result<Answer, MapError> {
    let list = Cases::deserialize(data)?;
    let asks = list.items.into_iter().map(|item| Ask::AfterSale {
        order_id: item.order_info.and_then(|order| order.shop_order_id),
        after_sale_id: item.aftersale_info.aftersale_id,
    });
    Ok(Answer::Changed { asks: asks.collect(), next: next(window, list.total) })
}

fn next(window: &Window, total: i64) -> Option<String> {
    let next = match window.page {
        // The last page, unless the first one is all there is.
        None => total.saturating_sub(1).div_euclid(SIZE),
        Some(_) => window.page_number(0) - 1,
    };
    let ends = if window.page.is_none() { next <= 0 } else { next < 0 };
    (!ends).then(|| next.to_string())
}

#[derive(Debug, Deserialize)]
struct Orders {
    #[serde(deserialize_with = "lenient::integer")]
    total: i64,
    /// Null when there are none.
    #[serde(default, deserialize_with = "lenient::list")]
    shop_order_list: Vec<Order>,
}

#[derive(Debug, Deserialize)]
struct Order {
    #[serde(deserialize_with = "lenient::id")]
    order_id: String,
}

#[derive(Debug, Deserialize)]
struct Cases {
    #[serde(deserialize_with = "lenient::integer")]
    total: i64,
    #[serde(default, deserialize_with = "lenient::list")]
    items: Vec<Item>,
}

#[derive(Debug, Deserialize)]
struct Item {
    aftersale_info: Case,
    #[serde(default)]
    order_info: Option<OrderInfo>,
}

#[derive(Debug, Deserialize)]
struct Case {
    #[serde(deserialize_with = "lenient::id")]
    aftersale_id: String,
}

#[derive(Debug, Deserialize)]
struct OrderInfo {
    #[serde(default, deserialize_with = "lenient::optional_id")]
    shop_order_id: Option<String>,
}

#[cfg(test)]
mod tests {
    use domain::UnixMs;
    use serde_json::json;

    use super::{Answer, Ask, Window, case_params, cases, next, order_params, orders};

    fn window(page: Option<&str>) -> Window {
        let at = |millis| UnixMs::from_millis(millis).unwrap();
        Window { since: at(1_771_032_600_999), until: at(1_771_036_200_000), page: page.map(str::to_owned) }
    }

    #[test]
    fn windows_are_in_seconds_and_sorted_by_update_time() {
        assert_eq!(
            order_params(&window(None)),
            json!({
                "update_time_start": 1_771_032_600, "update_time_end": 1_771_036_200,
                "order_by": "update_time", "order_asc": true, "page": 0, "size": 100,
            })
        );
        assert_eq!(
            case_params(&window(Some("3"))),
            json!({
                "update_start_time": 1_771_032_600, "update_end_time": 1_771_036_200,
                "order_by": ["update_time asc"], "page": 3, "size": 100,
            })
        );
    }

    #[test]
    fn pages_go_from_the_last_to_the_first() {
        for (page, total, then) in [
            (None, 0, None),
            (None, 100, None),
            (None, 101, Some("1")),
            (None, 250, Some("2")),
            (Some("2"), 250, Some("1")),
            (Some("1"), 101, Some("0")),
            (Some("0"), 101, None),
            (Some("0"), 0, None),
            (None, i64::MIN, None),
        ] {
            assert_eq!(next(&window(page), total).as_deref(), then, "{page:?} of {total}");
        }
    }

    #[test]
    fn each_item_is_a_question() {
        let list = json!({"total": 1, "page": 0, "size": 1, "shop_order_list": [{"order_id": "4837328765348566675"}]});
        let order = Ask::Order { order_id: "4837328765348566675".to_owned() };
        assert_eq!(orders(&window(None), &list), Ok(Answer::Changed { asks: vec![order], next: None }));

        let list = json!({"total": "1", "has_more": false, "items": [{
            "aftersale_info": {"aftersale_id": 7_029_183_651_234_567_890_u64, "aftersale_status": 6},
            "order_info": {"shop_order_id": "4837328765348566675"},
        }]});
        let case = Ask::AfterSale {
            order_id: Some("4837328765348566675".to_owned()),
            after_sale_id: "7029183651234567890".to_owned(),
        };
        assert_eq!(cases(&window(None), &list), Ok(Answer::Changed { asks: vec![case], next: None }));

        let nothing = Ok(Answer::Changed { asks: vec![], next: None });
        assert_eq!(orders(&window(None), &json!({"total": 0, "shop_order_list": null})), nothing);
        assert_eq!(cases(&window(None), &json!({"total": 0})), nothing);
        assert!(orders(&window(None), &json!({})).is_err());
    }
}
