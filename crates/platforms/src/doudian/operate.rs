//! Decisions on after-sale cases: `afterSale.operate`, whose `type` names the decision and the kind of case together.
//!
//! | type | decision |
//! | --- | --- |
//! | 101, 102 | agree to a return, refuse it |
//! | 111, 112 | the goods are back: refund; refuse what came back |
//! | 201, 202 | agree to a refund without return, refuse it |
//! | 301, 302 | agree to an exchange, refuse it |
//! | 312 | refuse what came back for exchange |
//!
//! Source: API description 17/560. A call may decide on 20 cases, and fails for all when it fails for one: one case a call.
//! With the update time that the case had when it was decided on, the platform refuses when it has changed since.

use domain::{RefundKind, RefundStatus};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::lenient;
use crate::marketplace::{ApiError, App, Ask, Need, Refusal, Seen, Setting};

/// The API method that decides.
pub const OPERATE: &str = "afterSale.operate";

/// Where returned goods go: an `address_id` of the API's `address.list`. Agreeing to a return needs it.
pub const RETURN_ADDRESS: Setting = Setting { name: "return_address_id", need: Need::Optional };

/// Which of the platform's reasons (`afterSale.rejectReasonCodeList`) a refusal is filed under. Refusing needs it.
pub const REFUSE_REASON: Setting = Setting { name: "refuse_reason_code", need: Need::Optional };

/// The parameters of [`OPERATE`] for a decision.
///
/// # Errors
/// [`ApiError::Permanent`] for what cannot be decided by the API, or not without a setting that is missing.
pub fn params(app: &App, ask: &Ask) -> Result<Value, ApiError> {
    let unsupported = || ApiError::unsupported(ask.operation());
    let (code, mut item, seen) = match ask {
        Ask::Agree { after_sale_id, seen, .. } => {
            let code = agree(kind(seen)?).ok_or_else(unsupported)?;
            (code, json!({"aftersale_id": after_sale_id}), seen)
        }
        Ask::Refuse { after_sale_id, seen, reason, .. } => {
            let returned = seen.status == Some(RefundStatus::Returning);
            let code = refuse(kind(seen)?, returned).ok_or_else(unsupported)?;
            let reject_reason_code = number(app, &REFUSE_REASON)?;
            let item = json!({
                "aftersale_id": after_sale_id,
                "reason": reason,
                "remark": reason,
                "reject_reason_code": reject_reason_code,
            });
            (code, item, seen)
        }
        // 311, for an exchange, needs the parcel of the replacement.
        Ask::ConfirmReceipt { after_sale_id, seen, .. } if seen.kind == Some(RefundKind::Return) => {
            (111, json!({"aftersale_id": after_sale_id}), seen)
        }
        _ => return Err(unsupported()),
    };
    if matches!(code, 101 | 301) {
        item["logistics"] = json!({"receiver_address_id": number(app, &RETURN_ADDRESS)?});
    }
    if let Some(update_time) = seen.version.as_ref().and_then(|version| version.parse::<i64>().ok()) {
        item["update_time"] = update_time.into();
    }
    Ok(json!({"type": code, "items": [item]}))
}

/// Whether the answer to [`OPERATE`] says that it was done.
///
/// # Errors
/// [`ApiError::Permanent`] when it says of the case that it was not.
pub fn check(data: Value) -> Result<Value, ApiError> {
    let outcome = Outcome::deserialize(&data).unwrap_or_default();
    match outcome.items.into_iter().find(|item| item.status_code.is_some_and(|code| code != 0)) {
        None => Ok(data),
        Some(item) => Err(ApiError::Permanent(Refusal {
            code: item.status_code.unwrap_or_default().to_string(),
            sub_code: None,
            message: item.status_msg,
            ours: String::new(),
        })),
    }
}

const fn agree(kind: RefundKind) -> Option<i64> {
    match kind {
        RefundKind::Return => Some(101),
        RefundKind::RefundOnly | RefundKind::Unshipped => Some(201),
        RefundKind::Exchange => Some(301),
        RefundKind::Other => None,
    }
}

const fn refuse(kind: RefundKind, returned: bool) -> Option<i64> {
    match (kind, returned) {
        (RefundKind::Return, false) => Some(102),
        (RefundKind::Return, true) => Some(112),
        (RefundKind::RefundOnly | RefundKind::Unshipped, _) => Some(202),
        (RefundKind::Exchange, false) => Some(302),
        (RefundKind::Exchange, true) => Some(312),
        (RefundKind::Other, _) => None,
    }
}

fn kind(seen: &Seen) -> Result<RefundKind, ApiError> {
    let unknown =
        || ApiError::Permanent(Refusal::ours("what is to happen with the goods of the case is not known yet"));
    seen.kind.ok_or_else(unknown)
}

/// A setting that is a number.
fn number(app: &App, setting: &Setting) -> Result<i64, ApiError> {
    app.text(setting.name)
        .parse()
        .map_err(|_| ApiError::Permanent(Refusal::ours(&format!("the setting {} must be a number", setting.name))))
}

#[derive(Debug, Default, Deserialize)]
struct Outcome {
    #[serde(default, deserialize_with = "lenient::list")]
    items: Vec<OutcomeItem>,
}

#[derive(Debug, Deserialize)]
struct OutcomeItem {
    #[serde(default, deserialize_with = "lenient::optional_integer")]
    status_code: Option<i64>,
    #[serde(default)]
    status_msg: String,
}

#[cfg(test)]
mod tests {
    use domain::RefundKind::{self, Exchange, Other, RefundOnly, Return, Unshipped};
    use domain::RefundStatus::{Applied, Returning};
    use serde_json::{Value, json};

    use super::{ApiError, App, Ask, Seen, check, params};

    fn app() -> App {
        App::of([("return_address_id", "7000001"), ("refuse_reason_code", "20001")])
    }

    fn ids() -> (String, String) {
        ("4837328765348566675".to_owned(), "7029183651234567890".to_owned())
    }

    fn agree(kind: RefundKind) -> Ask {
        let (order_id, after_sale_id) = ids();
        let seen =
            Seen { kind: Some(kind), status: Some(Applied), version: Some("1771032600".to_owned()), ..Seen::default() };
        Ask::Agree { order_id, after_sale_id, seen }
    }

    fn refuse(kind: RefundKind, returned: bool) -> Ask {
        let (order_id, after_sale_id) = ids();
        let status = if returned { Returning } else { Applied };
        let seen = Seen { kind: Some(kind), status: Some(status), ..Seen::default() };
        Ask::Refuse { order_id, after_sale_id, seen, reason: "已拆封".to_owned() }
    }

    fn receipt(kind: RefundKind) -> Ask {
        let (order_id, after_sale_id) = ids();
        Ask::ConfirmReceipt { order_id, after_sale_id, seen: Seen { kind: Some(kind), ..Seen::default() } }
    }

    #[test]
    fn the_type_is_that_of_decision_and_kind() {
        for (ask, kind) in [
            (agree(Return), 101),
            (agree(RefundOnly), 201),
            (agree(Unshipped), 201),
            (agree(Exchange), 301),
            (refuse(Return, false), 102),
            (refuse(Return, true), 112),
            (refuse(Unshipped, false), 202),
            (refuse(Exchange, true), 312),
            (receipt(Return), 111),
        ] {
            let params = params(&app(), &ask).unwrap();
            assert_eq!((&params["type"], params["items"].as_array().map(Vec::len)), (&json!(kind), Some(1)), "{ask:?}");
            assert_eq!(params["items"][0]["aftersale_id"], "7029183651234567890");
        }
        assert!(params(&app(), &agree(Other)).is_err());
        assert!(params(&app(), &receipt(Exchange)).is_err(), "needs the replacement's parcel");
        let (order_id, after_sale_id) = ids();
        let unseen = Ask::Agree { order_id, after_sale_id, seen: Seen::default() };
        assert!(params(&app(), &unseen).is_err(), "of which kind it is decides on the call");
    }

    #[test]
    fn a_return_names_its_address_and_a_refusal_its_reason() {
        let item = |ask: &Ask| params(&app(), ask).unwrap()["items"][0].clone();
        assert_eq!(item(&agree(Return))["logistics"], json!({"receiver_address_id": 7_000_001}));
        assert_eq!(item(&agree(Unshipped))["logistics"], Value::Null);
        assert_eq!(item(&agree(Unshipped))["update_time"], 1_771_032_600, "refused when it has changed since");
        let refused = item(&refuse(Return, false));
        assert_eq!(refused["update_time"], Value::Null);
        assert_eq!((&refused["reason"], &refused["remark"]), (&json!("已拆封"), &json!("已拆封")));
        assert_eq!(refused["reject_reason_code"], 20_001);
        for (ask, name) in [(agree(Return), "return_address_id"), (refuse(Return, false), "refuse_reason_code")] {
            let Err(ApiError::Permanent(error)) = params(&App::default(), &ask) else { panic!("{ask:?}") };
            assert!(error.to_string().contains(name), "{error}");
        }
    }

    #[test]
    fn a_case_that_was_not_decided_is_an_error() {
        let data = |code: i64| json!({"items": [{"aftersale_id": 1, "status_code": code, "status_msg": "invented"}]});
        assert_eq!(check(data(0)), Ok(data(0)));
        assert!(matches!(check(data(11_001)), Err(ApiError::Permanent(_))));
        assert_eq!(check(json!({})), Ok(json!({})));
    }
}
