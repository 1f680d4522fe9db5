//! Commands: refunds and stock.
//!
//! What moves money or goods takes steps, because the platform wants amount and version of the case repeated: first the record is
//! read and held against what was seen when it was decided, then (with a reviewer) the refund is reviewed, then it is paid, or the
//! return of the goods agreed to. A refund of goods that came back is paid in the same way: the platform has no call that says they
//! came, but one that feeds its optional automatic refunds. Not done here: refusing with a picture and a reason from the
//! platform's list, which Tmall demands; and the code by text message that the platform asks of the seller for large refunds.

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
        Ask::Agree { after_sale_id, .. } | Ask::ConfirmReceipt { after_sale_id, .. } => aftersale::call(after_sale_id),
        Ask::Further { first, known } => match (&**first, Case::parse(known)) {
            (Ask::Agree { after_sale_id, .. } | Ask::ConfirmReceipt { after_sale_id, .. }, Some(case)) => {
                case.call(app, after_sale_id)?
            }
            _ => return Err(ApiError::unsupported(first.operation())),
        },
        Ask::Refuse { after_sale_id, reason, .. } => {
            Call::new("taobao.refund.refuse", [("refund_id", after_sale_id), ("refuse_message", reason)])
        }
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

/// Whether the case whose record was read for a decision is still the one that was decided on.
///
/// # Errors
/// [`ApiError::Permanent`] when it is not, or does not wait for the decision.
pub(super) fn check(command: &Ask, answer: &Value) -> Result<(), ApiError> {
    let (Ask::Agree { seen, .. } | Ask::ConfirmReceipt { seen, .. }) = command else { return Ok(()) };
    // What is wrong with a record that cannot be read is said by who reads it.
    let Ok(refund) = Refund::of(answer) else { return Ok(()) };
    let refuse = |words| Err(ApiError::Permanent(Refusal::ours(words)));
    match Wanted::of(command, &refund) {
        Wanted::Nothing => Ok(()),
        Wanted::Impossible => refuse(IMPOSSIBLE),
        Wanted::Step(_) => {
            let other_version = seen.version.is_some() && seen.version != refund.version().map(|it| it.to_string());
            if other_version || seen.amount()? != refund.refund_fee {
                return refuse("the case has changed since it was decided on: look at its record, then decide again");
            }
            Ok(())
        }
    }
}

const IMPOSSIBLE: &str = "the case does not wait for this decision";

/// What follows once the record of a case is read that is decided on, and passed [`check`].
///
/// # Errors
/// [`MapError`] when the record lacks what the platform wants repeated.
pub(super) fn after_record(app: &App, command: &Ask, answer: &Value) -> Result<Answer, MapError> {
    let refund = Refund::of(answer)?;
    let step = match Wanted::of(command, &refund) {
        Wanted::Nothing => return Ok(Answer::Done),
        Wanted::Impossible => return Err(MapError::Malformed(IMPOSSIBLE.to_owned())),
        Wanted::Step(Step::Pay) if !app.text(REVIEWER.name).is_empty() => Step::Review,
        Wanted::Step(step) => step,
    };
    let version = refund.version().ok_or_else(|| MapError::missing("refund_version"))?;
    let phase = refund.refund_phase.unwrap_or_default();
    Ok(Case { step, amount: refund.refund_fee.get(), version, phase }.then(command))
}

/// What a decision takes, as its case stands.
enum Wanted {
    /// A step.
    Step(Step),
    /// It was carried out before.
    Nothing,
    /// The case does not wait for it.
    Impossible,
}

impl Wanted {
    fn of(command: &Ask, refund: &Refund) -> Self {
        match (command, refund.status.as_str()) {
            (_, "SUCCESS") | (Ask::Agree { .. }, "WAIT_BUYER_RETURN_GOODS") => Self::Nothing,
            (Ask::Agree { .. }, "WAIT_SELLER_AGREE") if refund.has_good_return == Some(true) => {
                Self::Step(Step::Return)
            }
            (Ask::Agree { .. }, "WAIT_SELLER_AGREE") | (Ask::ConfirmReceipt { .. }, "WAIT_SELLER_CONFIRM_GOODS") => {
                Self::Step(Step::Pay)
            }
            _ => Self::Impossible,
        }
    }
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
