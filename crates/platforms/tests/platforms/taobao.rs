//! Taobao's records, messages and commands. Shops, orders and buyers are invented.

use std::collections::BTreeMap;

use domain::{
    Fen, OrderFacts, OrderFlag, OrderKey, OrderStatus, Platform, RefundFacts, RefundKind, RefundStatus, Secret, UnixMs,
};
use platforms::Fact;
use platforms::marketplace::{
    Answer, Api, ApiError, App, Ask, Message, Says, Seen, Shelf, Shop, Source, VerifyError, Window,
};
use platforms::taobao::Taobao;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{about_case, about_order, books, changed, china, form, only_fact, post, redelivered};

const SHOP: &str = "2200787000001";
const ORDER: &str = "2896271234567890123";
const REFUND: &str = "174589012345678901";

fn app() -> App {
    App::of([("app_key", "app-key"), ("app_secret", "secret"), ("return_address_id", "777")])
}

fn key() -> OrderKey {
    OrderKey { platform: Platform::Taobao, shop_id: SHOP.to_owned(), platform_order_id: ORDER.to_owned() }
}

fn order_ask() -> Ask {
    Ask::Order { order_id: ORDER.to_owned() }
}

fn case_ask() -> Ask {
    Ask::AfterSale { order_id: Some(ORDER.to_owned()), after_sale_id: REFUND.to_owned() }
}

/// Decisions on [`refund`], as it was seen.
fn agree() -> Ask {
    Ask::Agree { order_id: ORDER.to_owned(), after_sale_id: REFUND.to_owned(), seen: seen() }
}

fn confirm_receipt() -> Ask {
    Ask::ConfirmReceipt { order_id: ORDER.to_owned(), after_sale_id: REFUND.to_owned(), seen: seen() }
}

fn seen() -> Seen {
    Seen { amount: Some(Fen::new(9500)), version: Some("1772294400000".to_owned()), ..Seen::default() }
}

/// Two lines of one SKU: 2 × 50.00 less 1.00 and a share of 4.00; 1 × 30.01 made 0.01 cheaper. Freight 6.00.
fn trade(status: &str) -> Value {
    let line = |oid: Value, num: i64, price: &str, discount: &str, adjust: &str, share: &str| {
        json!({
            "oid": oid, "num": num, "price": price, "discount_fee": discount, "adjust_fee": adjust, "part_mjz_discount": share,
            "num_iid": 623451801629_i64, "sku_id": "4648863642366", "outer_sku_id": "TEA-01", "outer_iid": "TEA", "title": "Invented tea",
            "invoice_no": "SF1234567890123", "logistics_company": "顺丰速运", "consign_time": "2026-02-28 23:59:59", "pic_path": "x",
        })
    };
    json!({ "trade": {
        "tid": 2_896_271_234_567_890_123_i64, "type": "fixed", "status": status, "created": "2026-02-28 09:30:00",
        "pay_time": "2026-02-28 09:31:00", "consign_time": "2026-02-28 23:59:59", "modified": "2026-03-01 00:00:00",
        "payment": "131.00", "post_fee": "6.00", "platform_subsidy_fee": "2.00", "buyer_nick": "t**1",
        "buyer_open_uid": "AAEinvented", "receiver_state": "浙江省", "receiver_city": "杭州市", "receiver_name": "王**",
        "receiver_mobile": "*******0000", "o2o_guide_id": "G7", "o2o_shop_id": "S1",
        "orders": { "order": [
            line(json!(2_896_271_234_567_890_124_i64), 2, "50.00", "1.00", "0.00", "4.00"),
            line(json!("2896271234567890125"), 1, "30.01", "0", "-0.01", ""),
        ]}
    }})
}

fn refund(status: &str) -> Value {
    json!({ "refund": {
        "refund_id": REFUND, "tid": 2_896_271_234_567_890_123_i64, "oid": 2_896_271_234_567_890_124_i64, "status": status,
        "has_good_return": true, "refund_fee": "95.00", "num": 2, "refund_phase": "onsale",
        "refund_version": 1_772_294_400_000_i64, "created": "2026-02-28 23:00:00", "modified": "2026-03-01 00:00:00",
        "reason": "不想要了", "buyer_nick": "t**1", "desc": "invented words",
    }})
}

fn fact(ask: &Ask, answer: &Value) -> Fact {
    only_fact(Taobao.read(&app(), SHOP, ask, answer).unwrap())
}

fn order_facts(trade: &Value) -> OrderFacts {
    about_order(fact(&order_ask(), trade), &key())
}

fn refund_facts(refund: &Value) -> RefundFacts {
    about_case(fact(&case_ask(), refund), &key(), REFUND)
}

fn body(ask: &Ask) -> BTreeMap<String, String> {
    let token = Secret::new("session".to_owned());
    let shop = Shop { id: SHOP, access_token: Some(&token), refresh_token: None };
    form(&Taobao.request(&app(), &shop, ask, UnixMs::EPOCH).unwrap().body)
}

fn page(ask: &Ask, answer: &Value) -> (Vec<Ask>, Option<String>) {
    changed(Taobao.read(&app(), SHOP, ask, answer).unwrap())
}

#[test]
fn the_full_record_becomes_the_canonical_order() {
    let order = order_facts(&trade("WAIT_BUYER_CONFIRM_GOODS")).order(key());
    assert!(order.complete && order.flags.is_empty(), "{order:?}");
    assert_eq!((order.status, order.paid), (OrderStatus::Shipped, Some(Fen::new(13100))));
    let amounts = order.amounts.clone().unwrap();
    assert_eq!((amounts.goods, amounts.payable, amounts.freight), (Fen::new(13001), Fen::new(13100), Fen::new(600)));
    assert_eq!((amounts.discount_merchant, amounts.discount_platform), (Fen::new(301), Fen::new(200)));
    let by_line = order.paid_by_line().unwrap();
    assert_eq!(by_line, [("2896271234567890124", Fen::new(9500)), ("2896271234567890125", Fen::new(3000))]);
    assert_eq!(domain::demand(&order.lines), BTreeMap::from([("TEA-01", 3)]));
    assert_eq!(order.lines[0].product_id.as_deref(), Some("623451801629"));
    let identity = &order.identities[0];
    assert_eq!((identity.value.as_str(), identity.scope.as_deref()), ("AAEinvented", Some("app-key")));
    assert_eq!(order.region.unwrap().city.as_deref(), Some("杭州市"));
    let guide = order.guide.unwrap();
    assert_eq!((guide.code.as_str(), guide.store_code.as_deref()), ("G7", Some("S1")));
    assert_eq!((order.shipments.len(), order.shipments[0].tracking_number.as_str()), (1, "SF1234567890123"));
    assert_eq!(order.times.paid_at, Some(china("2026-02-28 09:31:00")));
    assert_eq!(order.times.shipped_at, Some(china("2026-02-28 23:59:59")));
    assert_eq!(order.times.updated_at.unwrap().to_string(), "2026-02-28T16:00:00.000Z");
}

#[test]
fn records_leave_no_trace_of_the_buyer() {
    for fact in [fact(&order_ask(), &trade("TRADE_FINISHED")), fact(&case_ask(), &refund("SUCCESS"))] {
        let kept = format!("{fact:?}");
        assert!(!["t**1", "王", "*0000", "不想要", "invented words"].iter().any(|word| kept.contains(word)), "{kept}");
    }
}

#[test]
fn statuses_map_by_the_table_and_others_are_flagged() {
    for (status, expected) in [
        ("TRADE_NO_CREATE_PAY", OrderStatus::Created),
        ("WAIT_BUYER_PAY", OrderStatus::Created),
        ("PAY_PENDING", OrderStatus::Created),
        ("WAIT_PRE_AUTH_CONFIRM", OrderStatus::Created),
        ("WAIT_SELLER_SEND_GOODS", OrderStatus::Paid),
        ("PAID_FORBID_CONSIGN", OrderStatus::Paid),
        ("SELLER_CONSIGNED_PART", OrderStatus::PartlyShipped),
        ("WAIT_BUYER_CONFIRM_GOODS", OrderStatus::Shipped),
        ("TRADE_BUYER_SIGNED", OrderStatus::Signed),
        ("TRADE_FINISHED", OrderStatus::Completed),
        ("TRADE_CLOSED", OrderStatus::Closed),
        ("TRADE_CLOSED_BY_TAOBAO", OrderStatus::Closed),
    ] {
        let mut record = trade(status);
        if expected == OrderStatus::Created {
            record["trade"]["pay_time"] = json!("");
        }
        let facts = order_facts(&record);
        assert_eq!((facts.status(), facts.flags()), (Some(expected), vec![]), "{status}");
        assert_eq!(facts.raw_status.unwrap().value, status);
    }
    let odd = order_facts(&trade("TRADE_INVENTED"));
    assert_eq!((odd.status(), odd.flags()), (Some(OrderStatus::Paid), vec![OrderFlag::UnknownStatus]));
}

#[test]
fn cash_on_delivery_and_deposits_are_not_payment() {
    let mut cod = trade("WAIT_SELLER_SEND_GOODS");
    cod["trade"]["type"] = json!("cod");
    let facts = order_facts(&cod);
    assert_eq!((facts.status(), facts.paid), (Some(OrderStatus::Created), None));

    let mut deposit = trade("WAIT_BUYER_PAY");
    deposit["trade"]["type"] = json!("step");
    deposit["trade"]["step_trade_status"] = json!("FRONT_PAID_FINAL_NOPAID");
    deposit["trade"]["step_paid_fee"] = json!("20.00");
    let facts = order_facts(&deposit);
    assert_eq!((facts.status(), facts.paid.unwrap().value), (Some(OrderStatus::Created), Fen::new(2000)));
}

#[test]
fn odd_records_are_flagged_or_refused_and_never_mended() {
    let mut wrong_sum = trade("TRADE_FINISHED");
    wrong_sum["trade"]["payment"] = json!(131.01);
    assert_eq!(order_facts(&wrong_sum).flags(), [OrderFlag::AmountsDisagree]);
    for (field, value) in [("num", json!(0)), ("num", json!(1.5)), ("price", json!("50.005")), ("oid", json!(1.5))] {
        let mut record = trade("TRADE_FINISHED");
        record["trade"]["orders"]["order"][0][field] = value;
        assert!(Taobao.read(&app(), SHOP, &order_ask(), &record).is_err(), "{field}");
    }
    for broken in [json!({}), json!({"trade": {}}), json!([]), json!(null)] {
        assert!(Taobao.read(&app(), SHOP, &order_ask(), &broken).is_err());
        assert!(Taobao.read(&app(), SHOP, &case_ask(), &broken).is_err());
    }
}

#[test]
fn a_case_becomes_facts() {
    for (status, expected) in [
        ("WAIT_SELLER_AGREE", RefundStatus::Applied),
        ("WAIT_BUYER_RETURN_GOODS", RefundStatus::Agreed),
        ("WAIT_SELLER_CONFIRM_GOODS", RefundStatus::Returning),
        ("SELLER_REFUSE_BUYER", RefundStatus::Rejected),
        ("CLOSED", RefundStatus::Cancelled),
        ("SUCCESS", RefundStatus::Refunded),
    ] {
        let facts = refund_facts(&refund(status));
        assert_eq!(facts.status(), Some(expected), "{status}");
        let claim = facts.claim.unwrap().value;
        assert_eq!((claim.kind, claim.amount, claim.lines.len()), (RefundKind::Return, Fen::new(9500), 1));
        assert_eq!((claim.lines[0].line_id.as_str(), claim.lines[0].quantity), ("2896271234567890124", Some(2)));
    }
    assert!(refund_facts(&refund("INVENTED")).refund(key(), "x".to_owned()).unknown_status);

    let kind = |fields: &[(&str, Value)]| {
        let mut record = refund("WAIT_SELLER_AGREE");
        for (name, value) in fields {
            record["refund"][*name] = value.clone();
        }
        refund_facts(&record).claim.unwrap().value.kind
    };
    let money = ("has_good_return", json!("false"));
    assert_eq!(kind(std::slice::from_ref(&money)), RefundKind::RefundOnly);
    assert_eq!(kind(&[money, ("order_status", json!("WAIT_SELLER_SEND_GOODS"))]), RefundKind::Unshipped);
    assert_eq!(kind(&[("special_refund_type", json!("priceProtect"))]), RefundKind::Other);
}

#[test]
fn messages_hint_at_what_to_ask() {
    let message = |id: i64, topic: &str, content: Value| {
        json!({ "id": id, "topic": topic, "content": content, "user_id": 2_200_787_000_001_i64, "user_nick": "invented",
                "pub_time": "2026-03-01 00:00:00" })
    };
    let answer = json!({ "messages": { "tmc_message": [
        message(7_104_300_007_405_429_232, "taobao_trade_TradeBuyerPay", json!(r#"{"tid":2896271234567890123,"payment":"131.00"}"#)),
        message(2, "taobao_refund_RefundCreated", json!({"tid": ORDER, "refund_id": 174_589_012_345_678_901_i64})),
        message(3, "taobao_trade_TradeRated", json!("{}")),
        message(4, "taobao_item_ItemUpdate", json!("{}")),
        message(5, "taobao_trade_TradeCreate", json!("{broken")),
        message(6, "taobao_refund_RefundClosed", json!({"tid": ORDER})),
    ]}});
    let read = |answer: &Value| match Taobao.read(&app(), "another shop", &Ask::Messages, answer).unwrap() {
        Answer::Messages(messages) => messages,
        other => panic!("{other:?}"),
    };
    let messages: Vec<Message> = read(&answer);
    let hint = |ask| Says::Hint { shop_id: SHOP.to_owned(), ask };
    let said: Vec<&Says> = messages.iter().map(|message| &message.says).collect();
    let odd = Says::NotUnderstood;
    assert_eq!(said, [&hint(order_ask()), &hint(case_ask()), &Says::Nothing, &odd, &odd, &odd]);
    assert_eq!(messages[0].id, "7104300007405429232");
    assert_eq!(messages, read(&answer), "the same answer has the same content");
    assert_eq!(read(&json!({})), []);

    let ids = ["7104300007405429232".to_owned(), "2".to_owned()];
    let confirm = body(&Ask::ConfirmMessages { message_ids: ids.to_vec() });
    assert_eq!(
        (confirm["s_message_ids"].as_str(), confirm["group_name"].as_str()),
        ("7104300007405429232,2", "default")
    );
    assert_eq!(body(&Ask::Messages)["method"], "taobao.tmc.messages.consume");
}

#[test]
fn lists_are_read_from_the_last_page() {
    let window = |page: Option<&str>| Window {
        since: china("2026-02-28 23:45:00"),
        until: china("2026-03-01 00:15:00"),
        page: page.map(str::to_owned),
    };
    let first = body(&Ask::ChangedOrders(window(None)));
    assert_eq!(
        (first["start_modified"].as_str(), first["end_modified"].as_str()),
        ("2026-02-28 23:45:00", "2026-03-01 00:15:00")
    );
    assert_eq!((first["page_no"].as_str(), first["page_size"].as_str()), ("1", "100"));
    let trades = json!({ "total_results": 150, "trades": { "trade": [{ "tid": 2_896_271_234_567_890_123_i64 }] } });
    assert_eq!(page(&Ask::ChangedOrders(window(None)), &trades), (vec![], Some("0.2".to_owned())));
    assert_eq!(page(&Ask::ChangedOrders(window(Some("0.2"))), &trades), (vec![order_ask()], Some("0.1".to_owned())));
    assert_eq!(page(&Ask::ChangedOrders(window(Some("0.1"))), &trades), (vec![order_ask()], None));
    assert_eq!(body(&Ask::ChangedOrders(window(Some("0.2"))))["page_no"], "2");
    assert_eq!(page(&Ask::ChangedOrders(window(None)), &json!({ "total_results": 0 })), (vec![], None));

    let refunds = json!({ "total_results": 1, "refunds": { "refund": [{ "refund_id": REFUND, "tid": ORDER }] } });
    assert_eq!(page(&Ask::ChangedAfterSales(window(None)), &refunds), (vec![case_ask()], None));
}

/// Follows a command through all its steps: what is sent, given the record.
fn steps(app: &App, command: &Ask, record: &Value) -> Vec<BTreeMap<String, String>> {
    let shop = Shop { id: SHOP, access_token: None, refresh_token: None };
    let (mut ask, mut sent) = (command.clone(), Vec::new());
    loop {
        sent.push(form(&Taobao.request(app, &shop, &ask, UnixMs::EPOCH).unwrap().body));
        let body = json!({ "refund_get_response": record }).to_string();
        let answer = Taobao.check(&ask, body.as_bytes()).unwrap();
        match Taobao.read(app, SHOP, &ask, &answer).unwrap() {
            Answer::Changed { mut asks, next: None } if asks.len() == 1 => ask = asks.remove(0),
            Answer::Done => return sent,
            other => panic!("{other:?}"),
        }
        let kept = serde_json::to_value(&ask).unwrap();
        assert_eq!(serde_json::from_value::<Ask>(kept).unwrap(), ask, "the outbox keeps it as JSON");
    }
}

#[test]
fn agreeing_repeats_what_the_record_says() {
    let methods =
        |sent: &[BTreeMap<String, String>]| sent.iter().map(|call| call["method"].clone()).collect::<Vec<_>>();
    let returned = steps(&app(), &agree(), &refund("WAIT_SELLER_AGREE"));
    assert_eq!(methods(&returned), ["taobao.refund.get", "taobao.rp.returngoods.agree"]);
    assert_eq!(
        (returned[1]["refund_version"].as_str(), returned[1]["seller_address_id"].as_str()),
        ("1772294400000", "777")
    );

    let paid = steps(&app(), &confirm_receipt(), &refund("WAIT_SELLER_CONFIRM_GOODS"));
    assert_eq!(paid[1]["refund_infos"], format!("{REFUND}|9500|1772294400000|onsale"));
    let tmall = App::of([("app_key", "k"), ("app_secret", "s"), ("reviewer", "invented")]);
    let reviewed = steps(&tmall, &confirm_receipt(), &refund("WAIT_SELLER_CONFIRM_GOODS"));
    assert_eq!(methods(&reviewed), ["taobao.refund.get", "taobao.rp.refund.review", "taobao.rp.refunds.agree"]);

    assert_eq!(steps(&app(), &agree(), &refund("SUCCESS")).len(), 1);
    let shop = Shop { id: SHOP, access_token: None, refresh_token: None };
    let further = page(&agree(), &refund("WAIT_SELLER_AGREE")).0.remove(0);
    assert!(Taobao.request(&tmall, &shop, &further, UnixMs::EPOCH).is_err(), "without an address nothing comes back");
}

#[test]
fn a_case_that_has_moved_on_is_not_decided_on() {
    let refused = |command: &Ask, record: &Value| {
        let body = json!({ "refund_get_response": record }).to_string();
        matches!(Taobao.check(command, body.as_bytes()), Err(ApiError::Permanent(_)))
    };
    assert!(!refused(&agree(), &refund("WAIT_SELLER_AGREE")) && !refused(&case_ask(), &refund("CLOSED")));
    assert!(refused(&agree(), &refund("CLOSED")) && refused(&confirm_receipt(), &refund("WAIT_BUYER_RETURN_GOODS")));
    for (field, value) in [("refund_fee", json!("95.01")), ("refund_version", json!(1_772_294_400_001_i64))] {
        let mut changed = refund("WAIT_SELLER_AGREE");
        changed["refund"][field] = value;
        assert!(refused(&agree(), &changed), "{field}");
    }
    let unseen = Ask::Agree { order_id: ORDER.to_owned(), after_sale_id: REFUND.to_owned(), seen: Seen::default() };
    assert!(refused(&unseen, &refund("WAIT_SELLER_AGREE")));
    let facts = refund_facts(&refund("WAIT_SELLER_AGREE"));
    assert_eq!((Seen::of(&facts).version, Seen::of(&facts).amount), (seen().version, seen().amount));
}

#[test]
fn other_commands_are_one_call() {
    let (order_id, after_sale_id) = (ORDER.to_owned(), REFUND.to_owned());
    let refused = body(&Ask::Refuse { order_id, after_sale_id, reason: "x".to_owned(), seen: Seen::default() });
    assert_eq!((refused["method"].as_str(), refused["refuse_message"].as_str()), ("taobao.refund.refuse", "x"));
    let shelf = |sku_id: Option<&str>| Shelf { product_id: "623".to_owned(), sku_id: sku_id.map(str::to_owned) };
    assert_eq!(body(&Ask::SetStock { shelf: shelf(Some("464")), quantity: 5 })["skuid_quantities"], "464:5");
    assert_eq!(body(&Ask::SetStock { shelf: shelf(None), quantity: 0 })["quantity"], "0");
}

#[test]
fn nobody_pushes() {
    assert_eq!(Taobao.receive(&app(), &post("/", b"[]")), Err(VerifyError::NoPushes));
    assert!(
        Taobao
            .token_request(&app(), &Shop { id: SHOP, access_token: None, refresh_token: None }, UnixMs::EPOCH)
            .is_none()
    );
}

/// The trade's records at several moments of its life.
fn life() -> Vec<Fact> {
    let moments = [
        ("WAIT_BUYER_PAY", "2026-02-28 09:30:00"),
        ("WAIT_SELLER_SEND_GOODS", "2026-02-28 09:31:00"),
        ("SELLER_CONSIGNED_PART", "2026-02-28 20:00:00"),
        ("WAIT_BUYER_CONFIRM_GOODS", "2026-02-28 23:59:59"),
        ("TRADE_FINISHED", "2026-03-10 00:00:00"),
        ("TRADE_CLOSED", "2026-03-12 00:00:00"),
    ];
    let record = |(status, modified): (&str, &str)| {
        let mut trade = trade(status);
        trade["trade"]["modified"] = json!(modified);
        fact(&order_ask(), &trade)
    };
    moments.into_iter().map(record).collect()
}

proptest! {
    /// Any order and any repetition of a trade's records end in the same books.
    #[test]
    fn records_converge(noisy in redelivered(life())) {
        prop_assert_eq!(books(noisy), books(life()));
    }
}
