//! Own shops' messages to facts, with the checks that a form alone cannot make.

use std::collections::BTreeSet;

use domain::{
    Fen, IdentityKind, Latest, OrderDetail, OrderFacts, OrderKey, OrderStatus, Platform, RefundFacts, RefundKind,
    RefundStatus, Secret, UnixMs, phone_e164,
};

use super::{Message, OrderData, OwnError, RefundData, invalid, not_blank};
use crate::Fact;
use crate::kuaidi100::pickup::Wish;

/// What a message means.
#[derive(Clone, Debug)]
pub struct Mapped {
    /// The fact.
    pub fact: Fact,
    /// The buyer's phone in E.164 form, to be hashed (then [`IdentityKind::PhoneHash`]) and encrypted by the caller.
    pub phone: Option<Secret<String>>,
    /// A courier who is wanted for the goods of the refund.
    pub pickup: Option<Wish>,
}

/// What a message means.
///
/// # Errors
/// [`OwnError::Invalid`] says which field to change.
pub fn map(message: Message) -> Result<Mapped, OwnError> {
    match message {
        Message::Order { timestamp, data } => order(timestamp, *data),
        Message::Refund { timestamp, data } => refund(timestamp, *data),
    }
}

fn order(at: UnixMs, order: OrderData) -> Result<Mapped, OwnError> {
    check_order(&order)?;
    let phone = match &order.phone {
        Some(phone) => {
            let number = phone_e164(phone.expose()).ok_or_else(|| {
                invalid(
                    "data.phone",
                    "send a whole number, mainland mobile or with country code; leave a masked one out",
                )
            })?;
            Some(Secret::new(number))
        }
        None => None,
    };

    let mut facts = OrderFacts::default();
    let times = [
        (OrderStatus::Created, Some(order.created_at)),
        (OrderStatus::Paid, order.paid_at),
        (OrderStatus::Shipped, order.shipped_at),
        (OrderStatus::Signed, order.signed_at),
        (OrderStatus::Completed, order.completed_at),
        (OrderStatus::Closed, order.closed_at),
    ];
    for (status, time) in times {
        if let Some(time) = time {
            facts.reach(status, time);
        }
    }
    if !facts.reached.contains_key(&order.status) {
        facts.reach(order.status, at);
    }
    facts.raw_status = Some(Latest::new(at, order.status.to_string()));
    facts.paid = Some(Latest::new(at, order.paid));
    facts.identities.extend(order.identities);
    for parcel in order.shipments {
        facts.ship(parcel);
    }
    facts.detail = Some(Latest::new(
        at,
        OrderDetail {
            lines: order.lines,
            amounts: order.amounts,
            region: order.region,
            live_room: order.live_room,
            guide: order.guide,
            member_level: order.member_level,
        },
    ));
    Ok(Mapped { fact: Fact::Order { key: key(order.shop_id, order.order_id), facts }, phone, pickup: None })
}

fn check_order(order: &OrderData) -> Result<(), OwnError> {
    not_blank("data.shop_id", &order.shop_id)?;
    not_blank("data.order_id", &order.order_id)?;
    if order.lines.is_empty() {
        return Err(invalid("data.lines", "name at least one line"));
    }
    let mut line_ids = BTreeSet::new();
    for (index, line) in order.lines.iter().enumerate() {
        let field = |name: &str| format!("data.lines[{index}].{name}");
        not_blank(&field("line_id"), &line.line_id)?;
        not_blank(&field("sku"), &line.sku)?;
        if line.quantity == 0 {
            return Err(invalid(field("quantity"), "sell at least one piece, or leave the line out"));
        }
        if line.unit_price.is_negative() {
            return Err(invalid(field("unit_price"), "a price is never below zero: send refunds as refund.updated"));
        }
        if line.payable()?.is_negative() || line.discount.is_negative() {
            return Err(invalid(field("discount"), "a discount lies between zero and the line's price"));
        }
        if !line_ids.insert(&line.line_id) {
            return Err(invalid(
                field("line_id"),
                "number each line anew; the same SKU may stand on two lines, the same id may not",
            ));
        }
    }
    let amounts = &order.amounts;
    for (name, amount) in [
        ("amounts.goods", amounts.goods),
        ("amounts.discount_merchant", amounts.discount_merchant),
        ("amounts.discount_platform", amounts.discount_platform),
        ("amounts.freight", amounts.freight),
        ("amounts.tax", amounts.tax),
        ("amounts.payable", amounts.payable),
        ("paid", order.paid),
    ] {
        if amount.is_negative() {
            return Err(invalid(format!("data.{name}"), "an amount is never below zero"));
        }
    }
    for (index, identity) in order.identities.iter().enumerate() {
        if identity.kind == IdentityKind::PhoneHash {
            return Err(invalid(
                format!("data.identities[{index}].kind"),
                "send the phone itself in data.phone: it is hashed here, with our key",
            ));
        }
        not_blank(&format!("data.identities[{index}].value"), &identity.value)?;
    }
    for (index, parcel) in order.shipments.iter().enumerate() {
        not_blank(&format!("data.shipments[{index}].tracking_number"), &parcel.tracking_number)?;
    }
    Ok(())
}

fn refund(at: UnixMs, refund: RefundData) -> Result<Mapped, OwnError> {
    not_blank("data.shop_id", &refund.shop_id)?;
    not_blank("data.order_id", &refund.order_id)?;
    not_blank("data.refund_id", &refund.refund_id)?;
    let claim = &refund.claim;
    let lines = Fen::try_sum(claim.lines.iter().map(|line| line.amount))?;
    if claim.amount.is_negative()
        || claim.freight.is_negative()
        || claim.lines.iter().any(|line| line.amount.is_negative())
    {
        return Err(invalid("data.claim", "an amount is never below zero"));
    }
    if !claim.lines.is_empty() && lines.try_add(claim.freight)? != claim.amount {
        return Err(invalid("data.claim.amount", "must be the sum of its lines and its freight"));
    }
    if let Some(pickup) = &refund.pickup {
        pickup.check().map_err(|(field, reason)| invalid(format!("data.pickup.{field}"), reason))?;
        if !matches!(claim.kind, RefundKind::Return | RefundKind::Exchange) {
            return Err(invalid("data.pickup", "goods come back in a return or an exchange only: leave it out"));
        }
    }

    let mut facts = RefundFacts::default();
    facts.reach(RefundStatus::Applied, refund.applied_at);
    facts.reach(refund.status, at);
    facts.raw_status = Some(Latest::new(at, refund.status.to_string()));
    facts.claim = Some(Latest::new(at, refund.claim));
    let order = key(refund.shop_id, refund.order_id);
    let fact = Fact::Refund { order, after_sale_id: refund.refund_id, facts };
    Ok(Mapped { fact, phone: None, pickup: refund.pickup })
}

fn key(shop_id: String, platform_order_id: String) -> OrderKey {
    OrderKey { platform: Platform::Own, shop_id, platform_order_id }
}
