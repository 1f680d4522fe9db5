//! Couriers who fetch parcels (商家寄件): the orders, and how far each has come.
//!
//! The codes of refusals are invented where the protocol does not name them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Recipient, Refused, WRONG_KEY, sign};
use crate::marketplace::dialect::{App, yuan};
use crate::marketplace::push::Message;

/// What [`Message::kind`] says of news of a courier.
pub(super) const KIND: &str = "pickup";
/// How long the merchant's number names the same order, in seconds.
const SAME: i64 = 48 * 3600;
/// Longest number of the merchant's.
const NUMBER: usize = 32;

const WRONG_PARAMETER: Refused = Refused("30001", "参数错误");
const BAD_SIGNATURE: Refused = Refused("30002", "验证签名失败");
const NO_ORDER: Refused = Refused("30004", "订单不存在");
const TOO_LATE: Refused = Refused("30005", "订单当前状态不能取消");

/// How far an order of a courier has come, as news says it.
pub mod status {
    /// The carrier has it.
    pub const PLACED: i64 = 0;
    /// A courier has it.
    pub const ACCEPTED: i64 = 1;
    /// The courier is on the way.
    pub const FETCHING: i64 = 2;
    /// The merchant has withdrawn it.
    pub const CANCELLED: i64 = 9;
    /// The courier has the parcel, which has a number now.
    pub const PICKED_UP: i64 = 10;
    /// The parcel is under way.
    pub const IN_TRANSIT: i64 = 101;
    /// Nobody came for it.
    pub const FAILED: i64 = 11;
    /// The parcel is with its sender again.
    pub const RETURNED: i64 = 12;
    /// The parcel has arrived.
    pub const SIGNED: i64 = 13;
    /// Weight and fee are settled; the order stands where it stood.
    pub const SETTLED: i64 = 15;
    /// The carrier has withdrawn it.
    pub const WITHDRAWN: i64 = 99;
    /// Weight and fee are corrected; the order stands where it stood.
    pub const CORRECTED: i64 = 155;
}

/// An order of a courier in the books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pickup {
    /// The number of the task here.
    pub task_id: String,
    /// The number of the order here.
    pub order_id: String,
    /// The merchant's number.
    pub third_order_id: String,
    /// The carrier.
    pub carrier: String,
    /// The parcel's number; the courier brings it.
    pub tracking_number: Option<String>,
    /// How far it has come.
    pub status: i64,
    /// The fee in fen, as last told.
    pub fee: Option<i64>,
    /// How often it was ordered under the same number.
    pub times: u32,
    /// Everything that was said of it when it was ordered.
    pub param: Value,
    at: i64,
}

#[derive(Debug, Default)]
pub(super) struct Pickups {
    orders: Vec<Pickup>,
    told: u32,
}

/// That a call is the merchant's.
pub(super) fn check(app: &App, form: &BTreeMap<String, String>) -> Result<(), Refused> {
    let field = |name: &str| form.get(name).map_or("", String::as_str);
    let (param, t) = (field("param"), field("t"));
    if field("key") != app.key {
        return Err(WRONG_KEY);
    }
    // Unix milliseconds.
    if t.len() != 13 || t.parse::<u64>().is_err() {
        return Err(WRONG_PARAMETER);
    }
    if field("sign") != sign::call(app, param, t) {
        return Err(BAD_SIGNATURE);
    }
    Ok(())
}

impl Pickups {
    /// An order. The merchant's number makes it the same one for 48 hours.
    pub(super) fn order(&mut self, param: &Value, now: i64) -> Result<Value, Refused> {
        let text = |name: &str| param[name].as_str().map(str::trim).filter(|text| !text.is_empty());
        let required = [
            "kuaidicom",
            "recManName",
            "recManMobile",
            "recManPrintAddr",
            "sendManName",
            "sendManMobile",
            "sendManPrintAddr",
            "callBackUrl",
        ];
        let is_weight = |text: &str| text.parse::<f64>().is_ok_and(|kilograms| kilograms > 0.0);
        let number = text("thirdOrderId").filter(|number| number.len() <= NUMBER).ok_or(WRONG_PARAMETER)?;
        if required.iter().any(|name| text(name).is_none()) || !text("weight").is_none_or(is_weight) {
            return Err(WRONG_PARAMETER);
        }
        let same = self.orders.iter_mut().find(|order| order.third_order_id == number && now < order.at + SAME);
        if let Some(order) = same {
            order.times += 1;
            return Ok(order.answer());
        }
        let nth = self.orders.len() + 1;
        let order = Pickup {
            task_id: format!("TASK{nth:08}"),
            order_id: (17_390_000 + nth).to_string(),
            third_order_id: number.to_owned(),
            carrier: text("kuaidicom").unwrap_or_default().to_owned(),
            tracking_number: None,
            status: status::PLACED,
            fee: None,
            times: 1,
            param: param.clone(),
            at: now,
        };
        let answer = order.answer();
        self.orders.push(order);
        Ok(answer)
    }

    /// The merchant withdraws an order, which the carrier refuses once it has the parcel. Of one that is over already nothing is
    /// known: refused, which is the harder of the two.
    pub(super) fn cancel(&mut self, param: &Value) -> Result<Message, Refused> {
        let text = |name: &str| param[name].as_str().filter(|text| !text.is_empty()).ok_or(WRONG_PARAMETER);
        let (task_id, order_id) = (text("taskId")?, text("orderId")?);
        text("cancelMsg")?;
        let order = self.orders.iter().find(|order| order.order_id == order_id && order.task_id == task_id);
        if !matches!(order.ok_or(NO_ORDER)?.status, status::PLACED | status::ACCEPTED | status::FETCHING) {
            return Err(TOO_LATE);
        }
        self.news(order_id, status::CANCELLED, None).ok_or(NO_ORDER)
    }

    /// The order has come so far; none when there is no such order.
    pub(super) fn news(&mut self, order_id: &str, code: i64, fee: Option<i64>) -> Option<Message> {
        let order = self.orders.iter_mut().find(|order| order.order_id == order_id)?;
        if !matches!(code, status::SETTLED | status::CORRECTED) {
            order.status = code;
        }
        if code == status::PICKED_UP {
            order.tracking_number.get_or_insert_with(|| format!("JD{}", order.order_id));
        }
        order.fee = fee.or(order.fee);
        let mut data = json!({ "orderId": order.order_id, "status": code, "courierName": "测试快递员",
            "courierMobile": "13900000002", "weight": "1.0" });
        if let Some(fee) = order.fee {
            data["freight"] = yuan(fee).into();
        }
        let content = json!({ "kuaidicom": order.carrier, "kuaidinum": order.tracking_number.as_deref().unwrap_or_default(),
            "status": "200", "message": "成功", "data": data });
        self.told += 1;
        Some(Message { kind: KIND.to_owned(), id: format!("{order_id}-{}", self.told), content })
    }

    pub(super) fn recipient(&self, order_id: &str) -> Option<Recipient> {
        let order = self.orders.iter().find(|order| order.order_id == order_id)?;
        let text = |name: &str| order.param[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        Some(Recipient { callback: text("callBackUrl")?, salt: text("salt"), task_id: Some(order.task_id.clone()) })
    }

    pub(super) fn all(&self) -> Vec<Pickup> {
        self.orders.clone()
    }
}

impl Pickup {
    fn answer(&self) -> Value {
        let tracking_number = self.tracking_number.as_deref().unwrap_or_default();
        json!({ "taskId": self.task_id, "orderId": self.order_id, "kuaidinum": tracking_number })
    }
}

/// The number of the order that news is about.
pub(super) fn order_of(content: &Value) -> Option<&str> {
    content["data"]["orderId"].as_str()
}
