//! Own shops' messages. Shops, goods and the buyer are invented.

use domain::{Fen, OrderFacts, OrderKey, OrderStatus, Platform, RefundFacts, RefundStatus};
use platforms::Fact;
use platforms::own::{self, Mapped, OwnError};
use serde_json::{Value, json};

fn order_message() -> Value {
    json!({
        "type": "order.updated",
        "timestamp": "2026-02-14T09:31:00+08:00",
        "data": {
            "shop_id": "hangzhou-1", "order_id": "20260214-0001", "status": "paid",
            "created_at": "2026-02-14T09:30:00+08:00", "paid_at": "2026-02-14T09:30:30+08:00",
            "lines": [
                { "line_id": "1", "sku": "TEA-01", "title": "Invented tea", "quantity": 2, "unit_price": 5000, "discount": 1000 },
                { "line_id": "2", "sku": "TEA-01", "title": "Invented tea", "quantity": 1, "unit_price": 3001, "discount": 0 }
            ],
            "amounts": { "goods": 13001, "discount_merchant": 1000, "discount_platform": 0, "freight": 600, "tax": 0, "payable": 12601 },
            "paid": 12601,
            "identities": [{ "kind": "member_card", "value": "M0001" }],
            "phone": "138 0000 0001",
            "guide": { "code": "G7", "store_code": "hangzhou-1" }, "member_level": "gold"
        }
    })
}

fn refund_message() -> Value {
    json!({
        "type": "refund.updated",
        "timestamp": "2026-02-15T10:00:00+08:00",
        "data": {
            "shop_id": "hangzhou-1", "order_id": "20260214-0001", "refund_id": "R1", "status": "refunded",
            "applied_at": "2026-02-15T09:00:00+08:00",
            "claim": { "kind": "return", "amount": 9600, "freight": 600, "lines": [{ "line_id": "1", "amount": 9000 }] }
        }
    })
}

fn read(message: &Value) -> Result<Mapped, OwnError> {
    own::map(own::decode(message.to_string().as_bytes())?)
}

fn order(message: &Value) -> (OrderKey, OrderFacts) {
    match read(message).unwrap().fact {
        Fact::Order { key, facts } => (key, facts),
        Fact::Refund { .. } => panic!("a refund"),
    }
}

/// The message with the value at `pointer` replaced (or added, where its parent is an object).
fn with(mut message: Value, pointer: &str, value: Value) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = message.pointer_mut(parent).unwrap();
    match parent {
        Value::Array(items) => items[name.parse::<usize>().unwrap()] = value,
        parent => parent[name] = value,
    }
    message
}

#[test]
fn an_order_becomes_the_canonical_order() {
    let (key, facts) = order(&order_message());
    assert_eq!(key.platform, Platform::Own);
    assert_eq!(key.platform_order_id, "20260214-0001");
    let order = facts.order(key);
    assert!(order.complete && order.flags.is_empty());
    assert_eq!((order.status, order.paid), (OrderStatus::Paid, Some(Fen::new(12601))));
    assert_eq!(order.times.paid_at.unwrap().to_string(), "2026-02-14T01:30:30.000Z");
    assert_eq!(domain::demand(&order.lines)["TEA-01"], 3);
    assert_eq!(order.guide.unwrap().code, "G7");
    assert_eq!(order.member_level.as_deref(), Some("gold"));
}

#[test]
fn the_phone_goes_to_the_caller_and_nowhere_else() {
    let mapped = read(&order_message()).unwrap();
    assert_eq!(mapped.phone.as_ref().unwrap().expose(), "+8613800000001");
    assert!(!format!("{mapped:?}").contains("13800000001"));
    let message = own::decode(order_message().to_string().as_bytes()).unwrap();
    assert!(!format!("{message:?}").contains("0000 0001"));
}

#[test]
fn an_older_message_changes_nothing() {
    let (_, mut facts) = order(&order_message());
    let newer = facts.clone();
    let older = with(order_message(), "/timestamp", json!("2026-02-14T09:30:00+08:00"));
    let older = with(older, "/data/status", json!("created"));
    let older = with(older, "/data/paid_at", Value::Null);
    let older = with(older, "/data/paid", json!(0));
    facts.merge(order(&older).1);
    assert_eq!(facts, newer);
}

#[test]
fn a_status_without_its_time_counts_from_the_message() {
    let message = with(order_message(), "/data/status", json!("completed"));
    let (_, facts) = order(&message);
    assert_eq!(facts.reached[&OrderStatus::Completed].to_string(), "2026-02-14T01:31:00.000Z");
}

#[test]
fn a_refund_becomes_facts() {
    let Fact::Refund { order, after_sale_id, facts } = read(&refund_message()).unwrap().fact else {
        panic!("an order");
    };
    assert_eq!((order.shop_id.as_str(), after_sale_id.as_str()), ("hangzhou-1", "R1"));
    assert_eq!(facts.status(), Some(RefundStatus::Refunded));
    let steps: Vec<_> = facts.milestones().into_keys().collect();
    assert_eq!(steps, [RefundStatus::Applied, RefundStatus::Refunded]);
    assert_ne!(facts, RefundFacts::default());
}

#[test]
fn what_has_another_form_is_refused() {
    let bad = [
        with(order_message(), "/data/colour", json!("green")),
        with(order_message(), "/note", json!("x")),
        with(order_message(), "/type", json!("order.deleted")),
        with(order_message(), "/timestamp", json!(1_771_032_600)),
        with(order_message(), "/data/created_at", json!("2026-02-14 09:30:00")),
        with(order_message(), "/data/paid", json!(126.015)),
        with(order_message(), "/data/paid", json!("126.01")),
        with(order_message(), "/data/lines/0/unit_price", json!(50.0)),
        with(order_message(), "/data/lines/0/quantity", json!(-1)),
        with(order_message(), "/data/lines/0/qty", json!(1)),
        with(order_message(), "/data/status", json!("refunded")),
        with(order_message(), "/data/order_id", json!(9_007_199_254_740_993_u64)),
        json!([]),
    ];
    for message in bad {
        assert!(matches!(read(&message), Err(OwnError::Malformed(_))), "{message}");
    }
    assert!(matches!(own::decode(b"{\"type\":"), Err(OwnError::Malformed(_))));
}

#[test]
fn what_makes_no_sense_is_refused_by_field() {
    for (pointer, value, field) in [
        ("/data/shop_id", json!(" "), "data.shop_id"),
        ("/data/order_id", json!(""), "data.order_id"),
        ("/data/lines", json!([]), "data.lines"),
        ("/data/lines/1/line_id", json!("1"), "data.lines[1].line_id"),
        ("/data/lines/0/sku", json!(""), "data.lines[0].sku"),
        ("/data/lines/0/quantity", json!(0), "data.lines[0].quantity"),
        ("/data/lines/0/unit_price", json!(-1), "data.lines[0].unit_price"),
        ("/data/lines/0/discount", json!(10001), "data.lines[0].discount"),
        ("/data/lines/0/discount", json!(-1), "data.lines[0].discount"),
        ("/data/paid", json!(-1), "data.paid"),
        ("/data/amounts/freight", json!(-1), "data.amounts.freight"),
        ("/data/identities/0/value", json!(""), "data.identities[0].value"),
        ("/data/identities/0/kind", json!("phone_hash"), "data.identities[0].kind"),
        ("/data/phone", json!("138****0001"), "data.phone"),
        ("/data/shipments", json!([{ "tracking_number": "" }]), "data.shipments[0].tracking_number"),
    ] {
        match read(&with(order_message(), pointer, value.clone())) {
            Err(OwnError::Invalid { field: found, .. }) => assert_eq!(found, field),
            other => panic!("{pointer} = {value}: {other:?}"),
        }
    }
    for (pointer, value, field) in [
        ("/data/refund_id", json!(""), "data.refund_id"),
        ("/data/claim/amount", json!(9601), "data.claim.amount"),
        ("/data/claim/freight", json!(-1), "data.claim"),
    ] {
        match read(&with(refund_message(), pointer, value)) {
            Err(OwnError::Invalid { field: found, .. }) => assert_eq!(found, field),
            other => panic!("{pointer}: {other:?}"),
        }
    }
}

#[test]
fn a_bill_that_does_not_add_up_is_taken_and_flagged() {
    let (key, facts) = order(&with(order_message(), "/data/amounts/payable", json!(12600)));
    assert_eq!(facts.order(key).flags, [domain::OrderFlag::AmountsDisagree]);
}
