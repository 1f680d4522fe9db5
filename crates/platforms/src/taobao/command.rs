//! Commands: refunds and stock.
//!
//! Agreeing takes steps, because the platform wants amount and version of the case repeated, so that a case which the buyer has
//! changed is not agreed to unseen: first the record is read, then (with a reviewer) the refund is reviewed, then it is paid, or
//! the return of the goods agreed to. Not done here: refusing with a picture and a reason from the platform's list, which Tmall
//! demands; and the code by text message that the platform asks of the seller for large refunds.

use std::fmt;

use serde_json::Value;

use super::aftersale::{self, Refund};
use super::api::Call;
use super::{RETURN_ADDRESS, REVIEWER};
use crate::marketplace::{Answer, ApiError, App, Ask, MapError, Refusal};

/// What gives a command.
///
/// # Errors
/// [`ApiError::Permanent`] when the app lacks a setting that it takes.
pub(super) fn call(app: &App, command: &Ask) -> Result<Call, ApiError> {
    Ok(match command {
        Ask::Agree { after_sale_id, .. } => aftersale::call(after_sale_id),
        Ask::Further { first, known } => match (&**first, Case::parse(known)) {
            (Ask::Agree { after_sale_id, .. }, Some(case)) => case.call(app, after_sale_id)?,
            _ => return Err(ApiError::unsupported(first.operation())),
        },
        Ask::Refuse { after_sale_id, reason, .. } => {
            Call::new("taobao.refund.refuse", [("refund_id", after_sale_id), ("refuse_message", reason)])
        }
        Ask::ConfirmReceipt { after_sale_id, .. } => Call::new(
            "taobao.nextone.logistics.warehouse.update",
            [("refund_id", after_sale_id), ("warehouse_status", "1")],
        ),
        // Type 1: the quantity itself, not a difference.
        Ask::SetStock { shelf, quantity } => match &shelf.sku_id {
            Some(sku_id) => Call::new(
                "taobao.skus.quantity.update",
                [("num_iid", &shelf.product_id), ("type", "1"), ("skuid_quantities", &format!("{sku_id}:{quantity}"))],
            ),
            None => Call::new(
                "taobao.item.quantity.update",
                [("num_iid", &shelf.product_id), ("type", "1"), ("quantity", &quantity.to_string())],
            ),
        },
        other => return Err(ApiError::unsupported(other.operation())),
    })
}

/// What follows once the record of a case is read that is to be agreed to.
///
/// # Errors
/// [`MapError`] when the case cannot be agreed to any more.
pub(super) fn after_record(app: &App, command: &Ask, answer: &Value) -> Result<Answer, MapError> {
    let refund = Refund::of(answer)?;
    let step = match (refund.status.as_str(), refund.has_good_return) {
        ("WAIT_SELLER_AGREE", Some(true)) => Step::Return,
        ("WAIT_SELLER_AGREE" | "WAIT_SELLER_CONFIRM_GOODS", _) if app.text(REVIEWER.name).is_empty() => Step::Pay,
        ("WAIT_SELLER_AGREE" | "WAIT_SELLER_CONFIRM_GOODS", _) => Step::Review,
        // It was agreed to before.
        ("WAIT_BUYER_RETURN_GOODS" | "SUCCESS", _) => return Ok(Answer::Done),
        (status, _) => return Err(MapError::Malformed(format!("a case in {status} cannot be agreed to"))),
    };
    let version = refund.refund_version.or_else(|| refund.modified());
    let version = version.ok_or_else(|| MapError::missing("refund_version"))?.millis();
    let phase = refund.refund_phase.unwrap_or_default();
    Ok(Case { step, amount: refund.refund_fee.get(), version, phase }.then(command))
}

/// What follows once a step is done.
pub(super) fn after_step(command: &Ask, known: &str) -> Answer {
    match Case::parse(known) {
        Some(case) if case.step == Step::Review => Case { step: Step::Pay, ..case }.then(command),
        _ => Answer::Done,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// The review that Tmall wants.
    Review,
    /// Pay.
    Pay,
    /// Let the goods come back.
    Return,
}

impl Step {
    const ALL: [Self; 3] = [Self::Review, Self::Pay, Self::Return];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Review => "review",
            Self::Pay => "pay",
            Self::Return => "return",
        }
    }
}

/// A case as it was seen, and what is to be done next; written `step|amount in fen|version|phase`.
#[derive(Debug)]
struct Case {
    step: Step,
    amount: i64,
    version: i64,
    phase: String,
}

impl Case {
    fn parse(known: &str) -> Option<Self> {
        let mut parts = known.split('|');
        let step = parts.next()?;
        let step = Step::ALL.into_iter().find(|found| found.as_str() == step)?;
        let (amount, version) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        Some(Self { step, amount, version, phase: parts.next()?.to_owned() })
    }

    fn then(self, command: &Ask) -> Answer {
        let further = Ask::Further { first: Box::new(command.clone()), known: self.to_string() };
        Answer::Changed { asks: vec![further], next: None }
    }

    fn call(&self, app: &App, refund_id: &str) -> Result<Call, ApiError> {
        let Self { step, amount, version, phase } = self;
        let version = version.to_string();
        Ok(match step {
            Step::Review => Call::new(
                "taobao.rp.refund.review",
                [
                    ("refund_id", refund_id),
                    ("operator", app.text(REVIEWER.name)),
                    ("refund_phase", phase),
                    ("refund_version", &version),
                    ("result", "true"),
                    ("message", "同意"),
                ],
            ),
            Step::Pay => {
                // Taobao's cases have no phase to repeat, Tmall's must have it.
                let case = format!("{refund_id}|{amount}|{version}|{phase}");
                Call::new("taobao.rp.refunds.agree", [("refund_infos", case.trim_end_matches('|'))])
            }
            Step::Return => {
                let address = app.text(RETURN_ADDRESS.name);
                if address.is_empty() {
                    return Err(ApiError::Permanent(Refusal::ours("taobao_return_address_id is not set")));
                }
                Call::new(
                    "taobao.rp.returngoods.agree",
                    [
                        ("refund_id", refund_id),
                        ("refund_phase", phase),
                        ("refund_version", &version),
                        ("seller_address_id", address),
                        ("remark", "同意"),
                    ],
                )
            }
        })
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { step, amount, version, phase } = self;
        write!(f, "{}|{amount}|{version}|{phase}", step.as_str())
    }
}
