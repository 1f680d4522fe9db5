//! A courier who fetches a parcel from the buyer (商家寄件): the order, its withdrawal, and the courier's news.

use domain::{Fen, PickupId, PickupStatus, Secret, UnixMs, phone_e164};
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::{Reply, SALT, answer, refused, texts};
use crate::digest::md5_hex;
use crate::lenient;
use crate::marketplace::{ApiError, App, FORM, MapError, Refusal, Request};

/// The outbox's operation that calls a courier; its request is a [`ToOrder`], its answer an [`Ordered`].
pub const ORDER: &str = "order_pickup";
/// The outbox's operation that withdraws the order of a courier; its request is an [`Ordered`].
pub const CANCEL: &str = "cancel_pickup";

/// A courier to call, as the outbox keeps it: who hands the parcel over is read when the call goes out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToOrder {
    /// The pickup in our books.
    pub pickup_id: PickupId,
}

/// The purpose under which a sender is sealed.
pub const SENDER: &str = "pickup.sender";

/// One end of the way. Personal data: stored encrypted, shown masked, never printed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Party {
    /// Name.
    #[schema(value_type = String)]
    pub name: Secret<String>,
    /// Mobile number.
    #[schema(value_type = String)]
    pub phone: Secret<String>,
    /// Whole address, province to door.
    #[schema(value_type = String)]
    pub address: Secret<String>,
}

impl Party {
    /// As clear JSON, to be sealed.
    pub fn to_json(&self) -> String {
        json!({ "name": self.name.expose(), "phone": self.phone.expose(), "address": self.address.expose() })
            .to_string()
    }
}

/// A courier who is wanted for the goods of an after-sale case.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Wish {
    /// The carrier by Kuaidi100's code: `shunfeng`, `jd`, `debangkuaidi`.
    pub carrier: String,
    /// Who hands the parcel over.
    pub sender: Party,
    /// What is in it; some carriers want to know.
    pub cargo: Option<String>,
    /// What it weighs, in grams.
    #[schema(minimum = 1)]
    pub grams: Option<u32>,
}

impl Wish {
    /// Whether a courier could do it: the field that is wrong and what to change, if not.
    ///
    /// # Errors
    /// The name of the field, and the advice.
    pub fn check(&self) -> Result<(), (&'static str, &'static str)> {
        let blank = |text: &str| text.trim().is_empty();
        if blank(&self.carrier) {
            return Err(("carrier", "name the carrier by Kuaidi100's code, such as shunfeng"));
        }
        if blank(self.sender.name.expose()) || blank(self.sender.address.expose()) {
            return Err(("sender", "a courier needs name and address"));
        }
        if phone_e164(self.sender.phone.expose()).is_none() {
            return Err(("sender.phone", "send a whole number, mainland mobile or with country code"));
        }
        if self.grams == Some(0) {
            return Err(("grams", "weigh at least one gram, or leave it out"));
        }
        Ok(())
    }
}

/// What a courier is to do.
#[derive(Clone, Debug)]
pub struct Pickup {
    /// The pickup in our books: within 48 hours the same is the same order.
    pub id: PickupId,
    /// The carrier by Kuaidi100's code.
    pub carrier: String,
    /// Who hands the parcel over.
    pub from: Party,
    /// Who gets it.
    pub to: Party,
    /// What is in it; some carriers want to know.
    pub cargo: Option<String>,
    /// Weight in grams.
    pub grams: Option<u32>,
    /// Where news of the order goes.
    pub callback_url: String,
}

/// A request for a courier (`bOrder`). The fee is the merchant's. It carries personal data and the salt: do not log it.
pub fn order(app: &App, pickup: &Pickup, now: UnixMs) -> Request {
    let Pickup { from, to, .. } = pickup;
    let mut param = texts([
        ("kuaidicom", pickup.carrier.as_str()),
        ("sendManName", from.name.expose()),
        ("sendManMobile", from.phone.expose()),
        ("sendManPrintAddr", from.address.expose()),
        ("recManName", to.name.expose()),
        ("recManMobile", to.phone.expose()),
        ("recManPrintAddr", to.address.expose()),
        ("callBackUrl", pickup.callback_url.as_str()),
        ("thirdOrderId", &pickup.id.uuid().simple().to_string()),
        ("payment", "SHIPPER"),
        ("salt", app.text(SALT.name)),
    ]);
    if let Some(cargo) = &pickup.cargo {
        param.insert("cargo".to_owned(), json!(cargo));
    }
    if let Some(grams) = pickup.grams {
        param.insert("weight".to_owned(), json!(format!("{}.{:03}", grams / 1000, grams % 1000)));
    }
    call(app, "bOrder", param, now)
}

/// A request to withdraw the order of a courier (`cancel`); carriers refuse it once they have the parcel.
pub fn cancel(app: &App, order: &Ordered, reason: &str, now: UnixMs) -> Request {
    let param = texts([("taskId", order.task_id.as_str()), ("orderId", &order.order_id), ("cancelMsg", reason)]);
    call(app, "cancel", param, now)
}

fn call(app: &App, method: &str, param: Map<String, Value>, now: UnixMs) -> Request {
    let (param, t) = (Value::Object(param).to_string(), now.millis().to_string());
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("method", method)
        .append_pair("key", app.key())
        .append_pair("sign", &sign(app, &param, &t))
        .append_pair("t", &t)
        .append_pair("param", &param);
    Request {
        method: Method::POST,
        path_and_query: "/order/borderapi.do".to_owned(),
        content_type: FORM,
        body: form.finish(),
    }
}

/// The `sign` of a call: hex in capitals of MD5 over parameters, time (Unix milliseconds), key and secret.
pub fn sign(app: &App, param: &str, t: &str) -> String {
    md5_hex(&[param, t, app.key(), app.secret()].map(str::as_bytes)).to_uppercase()
}

/// An order of a courier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ordered {
    /// Kuaidi100's number of the task; news names it.
    pub task_id: String,
    /// Kuaidi100's number of the order.
    pub order_id: String,
    /// The parcel's number; some carriers give it later.
    pub tracking_number: Option<String>,
}

#[derive(Deserialize)]
struct OrderedAnswer {
    #[serde(rename = "taskId", deserialize_with = "lenient::id")]
    task_id: String,
    #[serde(rename = "orderId", deserialize_with = "lenient::id")]
    order_id: String,
    #[serde(rename = "kuaidinum", default, deserialize_with = "lenient::optional_id")]
    tracking_number: Option<String>,
}

/// Reads the answer to [`order`].
///
/// # Errors
/// [`ApiError`] says whether to try again (with the same number) or to give up.
pub fn ordered(body: &[u8]) -> Result<Ordered, ApiError> {
    let data = done(body)?.data;
    let OrderedAnswer { task_id, order_id, tracking_number } =
        OrderedAnswer::deserialize(&data).map_err(|_| ApiError::Permanent(Refusal::ours("data is no order")))?;
    Ok(Ordered { task_id, order_id, tracking_number })
}

/// Reads the answer to [`cancel`].
///
/// # Errors
/// [`ApiError`] as for [`ordered`].
pub fn cancelled(body: &[u8]) -> Result<(), ApiError> {
    done(body).map(|_| ())
}

fn done(body: &[u8]) -> Result<Reply, ApiError> {
    let reply = answer(body)?;
    if reply.code == "200" { Ok(reply) } else { Err(refused(reply)) }
}

/// News of an order of a courier. Who the courier is, is not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PickupNews {
    /// Kuaidi100's number of the order.
    pub order_id: String,
    /// The parcel's number, once there is one.
    pub tracking_number: Option<String>,
    /// The carrier by Kuaidi100's code.
    pub carrier: Option<String>,
    /// How far it has come; nothing for a state that only settles weight and fee (15, 155), or is not known here.
    pub status: Option<PickupStatus>,
    /// Kuaidi100's own number for the state.
    pub raw_status: String,
    /// What the merchant pays.
    pub fee: Option<Fen>,
}

/// Reads the `param` of a push to an order's address.
///
/// # Errors
/// [`MapError`] when it is no such news. Keep an authentic push that fails here, and acknowledge it.
pub fn news(param: &str) -> Result<PickupNews, MapError> {
    let value: Value = serde_json::from_str(param)?;
    let news = News::deserialize(&value)?;
    Ok(PickupNews {
        order_id: news.data.order_id,
        tracking_number: news.kuaidinum,
        carrier: news.kuaidicom,
        status: status(news.data.status),
        raw_status: news.data.status.to_string(),
        fee: news.data.freight,
    })
}

fn status(code: i64) -> Option<PickupStatus> {
    Some(match code {
        0 => PickupStatus::Placed,
        1 | 2 => PickupStatus::Accepted,
        10 | 101 => PickupStatus::PickedUp,
        13 | 14 => PickupStatus::Signed,
        12 => PickupStatus::Returned,
        9 | 99 => PickupStatus::Cancelled,
        11 | 610 => PickupStatus::Failed,
        _ => return None,
    })
}

#[derive(Deserialize)]
struct News {
    #[serde(default, deserialize_with = "lenient::optional_id")]
    kuaidicom: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    kuaidinum: Option<String>,
    data: NewsData,
}

#[derive(Deserialize)]
struct NewsData {
    #[serde(rename = "orderId", deserialize_with = "lenient::id")]
    order_id: String,
    #[serde(deserialize_with = "lenient::integer")]
    status: i64,
    /// Yuan.
    #[serde(default, deserialize_with = "lenient::optional_yuan")]
    freight: Option<Fen>,
}
