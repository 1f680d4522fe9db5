//! Kuaidi100 (快递100): where parcels are, and couriers who fetch returns. Not a marketplace, so a small face of its own.
//!
//! A parcel is watched after [`subscribe`]; news comes as forms with `param` (JSON text) and `sign`. Couriers are called with
//! [`pickup::order`]; their news has the same form. Times are text in GMT+8. Words that carriers write for people name couriers and
//! doors: they are not read.

pub mod pickup;
mod status;
mod tracking;

use std::borrow::Cow;

use domain::Secret;
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

pub use tracking::{Tracking, tracking};

use crate::digest::{md5_hex, same_hex};
use crate::lenient;
use crate::marketplace::{ApiError, App, FORM, KEY, Need, Refusal, Request, SECRET, Setting, VerifyError};

/// What pushes are signed with: long, random, chosen by us. It goes out with every subscription and order.
const SALT: Setting = Setting { name: "salt", need: Need::Required };

/// Where returned goods go: name, mobile number and whole address of the merchant's warehouse.
pub const RETURN: [Setting; 3] = [
    Setting { name: "return_name", need: Need::Optional },
    Setting { name: "return_phone", need: Need::Optional },
    Setting { name: "return_address", need: Need::Optional },
];

/// How an account is configured: `app_key` is the authorisation key, `app_secret` signs orders of couriers.
pub const SETTINGS: &[Setting] = &[KEY, SECRET, SALT, RETURN[0], RETURN[1], RETURN[2]];

/// The address's query that tells which pickup news is about: `pickup=<id>`.
pub const PICKUP_QUERY: &str = "pickup";

/// Its name in the outbox and in the inbox.
pub const DESTINATION: &str = "kuaidi100";
/// The outbox's operation that watches a parcel; its request is a [`Watch`].
pub const WATCH: &str = "watch";

/// A parcel to watch, as the outbox keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watch {
    /// The carrier's number.
    pub tracking_number: String,
}

/// The API's address.
pub const BASE: &str = "https://poll.kuaidi100.com";

/// How Kuaidi100 wants to hear that a push was taken: the body of a 200. Anything else is pushed again after half an hour, three
/// times at most.
pub const ACKNOWLEDGEMENT: &str = r#"{"result":true,"returnCode":"200","message":"成功"}"#;

/// A parcel to watch.
#[derive(Clone, Debug)]
pub struct Subscription {
    /// The carrier's number.
    pub tracking_number: String,
    /// The carrier by Kuaidi100's code (`yuantong`); without one it is guessed from the number.
    pub carrier: Option<String>,
    /// Where news goes.
    pub callback_url: String,
    /// The sender's or the receiver's phone number, or its last four digits: some carriers (SF) tell nothing without.
    pub phone: Option<Secret<String>>,
}

/// A request to watch a parcel (`/poll`), in all detail of statuses (`resultv2` 4). It carries key and salt: do not log it.
pub fn subscribe(app: &App, parcel: &Subscription) -> Request {
    let mut parameters = texts([
        ("callbackurl", parcel.callback_url.as_str()),
        ("salt", app.text(SALT.name)),
        ("resultv2", "4"),
        ("autoCom", if parcel.carrier.is_some() { "0" } else { "1" }),
    ]);
    if let Some(phone) = &parcel.phone {
        parameters.insert("phone".to_owned(), json!(phone.expose()));
    }
    let mut param = texts([
        ("company", parcel.carrier.as_deref().unwrap_or_default()),
        ("number", parcel.tracking_number.as_str()),
        ("key", app.key()),
    ]);
    param.insert("parameters".to_owned(), Value::Object(parameters));
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("schema", "json").append_pair("param", &Value::Object(param).to_string());
    Request { method: Method::POST, path_and_query: "/poll".to_owned(), content_type: FORM, body: form.finish() }
}

/// Reads the answer to [`subscribe`]. A parcel that is watched already is as good as a new one.
///
/// # Errors
/// [`ApiError`] says whether to try again or to give up.
pub fn subscribed(body: &[u8]) -> Result<(), ApiError> {
    let answer = answer(body)?;
    match answer.code.as_str() {
        "200" | "501" => Ok(()),
        _ => Err(refused(answer)),
    }
}

/// A push that is authentic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Push {
    /// What was signed: JSON text.
    pub param: String,
    /// The order of a courier that it belongs to; not signed.
    pub task_id: Option<String>,
}

/// Whether a push is authentic: signed with our salt over `param` as it stands in the form.
///
/// # Errors
/// [`VerifyError`]; every case is to be answered 401. A push without a signature is refused: we always give a salt.
pub fn verify(app: &App, body: &[u8]) -> Result<Push, VerifyError> {
    let field = |wanted: &str| form_urlencoded::parse(body).find(|(name, _)| name == wanted).map(|(_, value)| value);
    let param = field("param").ok_or(VerifyError::MissingParameter("param"))?;
    let claimed = field("sign").ok_or(VerifyError::MissingParameter("sign"))?;
    let salt = app.text(SALT.name);
    if salt.is_empty() || !same_hex(&claimed, &sign(salt, &param)) {
        return Err(VerifyError::Mismatch("kuaidi100_salt"));
    }
    Ok(Push { param: param.into_owned(), task_id: field("taskId").map(Cow::into_owned) })
}

/// The signature of a push: lower-case hex (the platform writes it in capitals).
pub fn sign(salt: &str, param: &str) -> String {
    md5_hex(&[param.as_bytes(), salt.as_bytes()])
}

struct Reply {
    code: String,
    message: String,
    data: Value,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "returnCode", deserialize_with = "lenient::id")]
    code: String,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    data: Value,
}

fn answer(body: &[u8]) -> Result<Reply, ApiError> {
    let value: Value = serde_json::from_slice(body).map_err(|_| ApiError::unreadable())?;
    let Answer { code, message, data } = Answer::deserialize(&value).map_err(|_| ApiError::unreadable())?;
    Ok(Reply { code, message: message.unwrap_or_default(), data })
}

/// 500 is the server's own failure; 600, 601 and the 700s (key, number, carrier) stay as they are.
fn refused(reply: Reply) -> ApiError {
    let again = reply.code == "500";
    let refusal = Refusal { code: reply.code, sub_code: None, message: reply.message, ours: String::new() };
    if again { ApiError::Retryable(refusal) } else { ApiError::Permanent(refusal) }
}

fn texts<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> Map<String, Value> {
    fields.into_iter().map(|(name, text)| (name.to_owned(), json!(text))).collect()
}

#[cfg(test)]
mod tests {
    use super::{App, VerifyError, sign, verify};

    /// Self-made in the protocols, recomputed with another implementation.
    const PARAM: &str = r#"{"status":"shutdown","lastResult":{"state":"3","ischeck":"1","com":"yuantong","nu":"YT1"}}"#;
    const SIGN: &str = "021CBBE212D5AB19723AEF24A29B9E8D";
    const MISMATCH: VerifyError = VerifyError::Mismatch("kuaidi100_salt");

    fn form(fields: &[(&str, &str)]) -> Vec<u8> {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish().into_bytes()
    }

    #[test]
    fn the_vector_signs_and_verifies_in_either_case() {
        assert_eq!(sign("salt1", PARAM).to_uppercase(), SIGN);
        let app = App::of([("salt", "salt1")]);
        for sign in [SIGN, &SIGN.to_lowercase()] {
            let push = verify(&app, &form(&[("sign", sign), ("param", PARAM)])).unwrap();
            assert_eq!((push.param.as_str(), push.task_id), (PARAM, None));
        }
    }

    #[test]
    fn tampered_unsigned_and_unsalted_pushes_are_refused() {
        let app = App::of([("salt", "salt1")]);
        assert_eq!(verify(&app, &form(&[("sign", SIGN), ("param", &PARAM.replace('3', "0"))])), Err(MISMATCH));
        assert_eq!(verify(&app, &form(&[("sign", &SIGN[1..]), ("param", PARAM)])), Err(MISMATCH));
        assert_eq!(verify(&app, &form(&[("param", PARAM)])), Err(VerifyError::MissingParameter("sign")));
        assert_eq!(verify(&app, &form(&[("sign", SIGN)])), Err(VerifyError::MissingParameter("param")));
        assert_eq!(verify(&App::default(), &form(&[("sign", &sign("", PARAM)), ("param", PARAM)])), Err(MISMATCH));
    }
}
