//! JD's records and commands. Shops, orders and buyers are invented.

use std::collections::BTreeMap;

use domain::{
    Fen, OrderFacts, OrderFlag, OrderKey, OrderStatus, Platform, RefundFacts, RefundKind, RefundStatus, Secret, UnixMs,
};
use platforms::Fact;
use platforms::jd::Jd;
use platforms::marketplace::{Answer, Api, ApiError, App, Ask, Seen, Shelf, Shop, Source, VerifyError, Window};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{about_case, about_order, books, china, form, only_fact, post, redelivered};

const SHOP: &str = "802001";
const ORDER: &str = "9287901234567890123";
const SERVICE: &str = "724578811";

fn app() -> App {
    App::of([("app_key", "app-key"), ("app_secret", "secret"), ("operator", "clerk")])
}

fn key() -> OrderKey {
    OrderKey { platform: Platform::Jd, shop_id: SHOP.to_owned(), platform_order_id: ORDER.to_owned() }
}

fn order_ask() -> Ask {
    Ask::Order { order_id: ORDER.to_owned() }
}

fn case_ask(after_sale_id: &str) -> Ask {
    Ask::AfterSale { order_id: Some(ORDER.to_owned()), after_sale_id: after_sale_id.to_owned() }
}

/// Two lines of one SKU: 2 × 50.00 and 1 × 30.01. The merchant gives 5.00, JD 1.00 in beans and 2.00 by coupon; freight 6.00. Paid:
/// 20.00 from the balance, 10.00 by gift card, the rest otherwise.
fn order(state: &str) -> Value {
    let item = |pieces: Value, price: Value| {
        json!({ "skuId": "59156590170", "outerSkuId": "TEA-01", "wareId": 33_246_375_373_i64, "skuName": "Invented tea",
                "itemTotal": pieces, "jdPrice": price })
    };
    let coupon =
        |kind: &str, price: &str| json!({ "orderId": ORDER, "couponType": kind, "couponPrice": price, "skuId": "" });
    json!({ "code": "0", "orderDetailInfo": { "apiResult": { "success": "true" }, "orderInfo": {
        "orderId": ORDER, "venderId": SHOP, "payType": "4-在线支付", "orderState": state,
        "orderStartTime": "2026-02-28 09:30:00", "paymentConfirmTime": "2026-02-28 09:31:00",
        "outBoundDate": 1_772_294_399_000_i64, "orderEndTime": "0001-01-01 00:00:00", "modified": "2026-03-01 00:00:00",
        "orderPayment": "98.01", "balanceUsed": "20.00", "sellerDiscount": "5.00", "freightPrice": "6.00",
        "couponDetailList": [coupon("39-京豆优惠", "1.00"), coupon("41-京东券优惠", "2.00"), coupon("52-礼品卡优惠", "10.00"),
                             coupon("100-店铺优惠", "5.00")],
        "consigneeInfo": { "province": "浙江", "city": "杭州市", "fullname": "王**", "mobile": "138****0000", "fullAddress": "某路1号" },
        "itemInfoList": [item(json!("2"), json!("50.00")), item(json!(1), json!(30.01))],
        "waybill": "SF1,SF2|YT9", "logisticsId": "467|463", "open_id_buyer": "invented-open-id", "pin": "jd_invented",
    }}})
}

fn service(status: i64, expect: i64) -> Value {
    json!({ "code": "0", "result": { "success": true, "data": {
        "serviceId": 724_578_811, "orderId": 9_287_901_234_567_890_123_u64, "serviceStatus": status, "customerExpect": expect,
        "applyTime": 1_578_664_268_000_i64, "updateDate": 1_579_314_901_000_i64, "sysVersion": 9, "questionDesc": "invented words",
        "customerInfo": { "jdPin": "jd_invented", "name": "王**" },
        "serviceBillDetailList": [
            { "skuId": 59_156_590_170_i64, "wareNum": 1, "actualPayPrice": 45.5 },
            { "skuId": "59156590170", "wareNum": 1, "actualPayPrice": "45.50" },
        ],
    }}})
}

fn cancellation(status: i64) -> Value {
    json!({ "queryResult": { "success": true, "result": [{ "refundApplyVo": {
        "id": 55, "orderId": ORDER, "status": status, "applyRefundSum": 12801.0, "applyTime": "2026-02-28 10:00:00",
        "checkTime": "2026-02-28 11:00:00", "buyerName": "王**", "reason": "invented words",
    }}]}})
}

fn read(ask: &Ask, answer: &Value) -> Answer {
    Jd.read(&app(), SHOP, ask, answer).unwrap()
}

fn order_facts(answer: &Value) -> OrderFacts {
    about_order(only_fact(read(&order_ask(), answer)), &key())
}

fn refund_facts(ask: &Ask, answer: &Value, id: &str) -> RefundFacts {
    about_case(only_fact(read(ask, answer)), &key(), id)
}

/// A service bill's facts, through both of its questions.
fn service_facts(refunds: &Value, case: &Value) -> RefundFacts {
    let Answer::Changed { asks, next: None } = read(&case_ask(SERVICE), refunds) else { panic!("no second question") };
    refund_facts(&asks[0], case, SERVICE)
}

fn unpaid() -> Value {
    json!({ "pageResult": { "success": true, "totalCount": 0 } })
}

fn refund(status: i64, service_id: &str) -> Value {
    json!({ "pageResult": { "success": true, "totalCount": 1, "data": [{
        "status": status, "completeTime": "2026-02-28 23:59:59", "refoundAmount": 9100,
        "sameOrderServiceBill": { "serviceId": service_id, "orderId": ORDER },
    }]}})
}

fn call(ask: &Ask) -> Result<(String, Value), ApiError> {
    let token = Secret::new("token".to_owned());
    let shop = Shop { id: SHOP, access_token: Some(&token), refresh_token: None };
    let fields = form(&Jd.request(&app(), &shop, ask, UnixMs::EPOCH)?.body);
    Ok((fields["method"].clone(), serde_json::from_str(&fields["360buy_param_json"]).unwrap()))
}

#[test]
fn the_full_record_becomes_the_canonical_order() {
    let order = order_facts(&order("WAIT_GOODS_RECEIVE_CONFIRM")).order(key());
    assert!(order.complete && order.flags.is_empty(), "{order:?}");
    assert_eq!((order.status, order.paid), (OrderStatus::Shipped, Some(Fen::new(12801))));
    let amounts = order.amounts.clone().unwrap();
    assert_eq!((amounts.goods, amounts.payable, amounts.freight), (Fen::new(13001), Fen::new(12801), Fen::new(600)));
    assert_eq!((amounts.discount_merchant, amounts.discount_platform), (Fen::new(500), Fen::new(300)));
    let lines: Vec<&str> = order.lines.iter().map(|line| line.line_id.as_str()).collect();
    assert_eq!(lines, ["59156590170", "59156590170#2"]);
    assert_eq!(domain::demand(&order.lines), BTreeMap::from([("TEA-01", 3)]));
    let identity = &order.identities[0];
    assert_eq!((identity.value.as_str(), identity.scope.as_deref()), ("invented-open-id", Some("app-key")));
    assert_eq!(order.region.unwrap().city.as_deref(), Some("杭州市"));
    let parcels: Vec<_> =
        order.shipments.iter().map(|parcel| (parcel.tracking_number.as_str(), parcel.carrier.as_deref())).collect();
    assert_eq!(parcels, [("SF1", Some("467")), ("SF2", Some("467")), ("YT9", Some("463"))]);
    assert_eq!(order.times.paid_at, Some(china("2026-02-28 09:31:00")));
    assert_eq!(order.times.shipped_at, Some(china("2026-02-28 23:59:59")));
    assert_eq!(order.times.completed_at, None);
}

#[test]
fn records_leave_no_trace_of_the_buyer() {
    let further = Ask::Further { first: Box::new(case_ask(SERVICE)), known: String::new() };
    for kept in [
        format!("{:?}", order_facts(&order("FINISHED_L"))),
        format!("{:?}", refund_facts(&further, &service(10005, 10), SERVICE)),
        format!("{:?}", refund_facts(&case_ask("cancel:55"), &cancellation(1), "cancel:55")),
    ] {
        assert!(!["王", "138", "某路", "jd_invented", "words"].iter().any(|word| kept.contains(word)), "{kept}");
    }
}

#[test]
fn statuses_map_by_the_table_and_others_are_flagged() {
    for (state, expected) in [
        ("WAIT_SELLER_STOCK_OUT", OrderStatus::Paid),
        ("DengDaiChuKu", OrderStatus::Paid),
        ("WAIT_SELLER_DELIVERY", OrderStatus::Paid),
        ("WAIT_SEND_CODE", OrderStatus::Paid),
        ("PAUSE", OrderStatus::Paid),
        ("LOCKED", OrderStatus::Paid),
        ("SEND_TO_DISTRIBUTION_CENER", OrderStatus::Shipped),
        ("WAIT_GOODS_RECEIVE_CONFIRM", OrderStatus::Shipped),
        ("FINISHED_L", OrderStatus::Completed),
        ("WanCheng", OrderStatus::Completed),
        ("TRADE_CANCELED", OrderStatus::Closed),
    ] {
        let facts = order_facts(&order(state));
        assert_eq!((facts.status(), facts.flags()), (Some(expected), vec![]), "{state}");
        assert_eq!(facts.raw_status.unwrap().value, state);
    }
    assert_eq!(order_facts(&order("UN_KNOWN")).flags(), [OrderFlag::UnknownStatus]);

    let mut unpaid = order("NOT_PAY");
    unpaid["orderDetailInfo"]["orderInfo"]["paymentConfirmTime"] = json!("0001-01-01 00:00:00");
    let facts = order_facts(&unpaid);
    assert_eq!((facts.status(), facts.paid), (Some(OrderStatus::Created), None));
    for kind in ["1-货到付款", "1"] {
        let mut cod = order("WAIT_SELLER_STOCK_OUT");
        cod["orderDetailInfo"]["orderInfo"]["payType"] = json!(kind);
        let facts = order_facts(&cod);
        assert_eq!((facts.status(), facts.paid), (Some(OrderStatus::Created), None));
    }
}

#[test]
fn odd_records_are_flagged_or_refused_and_never_mended() {
    let mut wrong_sum = order("FINISHED_L");
    wrong_sum["orderDetailInfo"]["orderInfo"]["orderPayment"] = json!("98.02");
    assert_eq!(order_facts(&wrong_sum).flags(), [OrderFlag::AmountsDisagree]);
    for (field, value) in [("itemTotal", json!("0")), ("itemTotal", json!("1.5")), ("jdPrice", json!("50.005"))] {
        let mut record = order("FINISHED_L");
        record["orderDetailInfo"]["orderInfo"]["itemInfoList"][0][field] = value;
        assert!(Jd.read(&app(), SHOP, &order_ask(), &record).is_err(), "{field}");
    }
    for broken in [json!({}), json!([]), json!({"orderDetailInfo": {}}), json!(null)] {
        for ask in [order_ask(), case_ask(SERVICE), case_ask("cancel:55")] {
            assert!(Jd.read(&app(), SHOP, &ask, &broken).is_err(), "{ask:?}");
        }
    }
    let mut half = cancellation(0);
    half["queryResult"]["result"][0]["refundApplyVo"]["applyRefundSum"] = json!(12801.5);
    assert!(Jd.read(&app(), SHOP, &case_ask("cancel:55"), &half).is_err());
}

#[test]
fn a_service_bill_becomes_facts() {
    for (status, expected) in [
        (10001, Some(RefundStatus::Applied)),
        (10005, Some(RefundStatus::Agreed)),
        (10007, Some(RefundStatus::Returning)),
        (10004, Some(RefundStatus::Rejected)),
        (10011, Some(RefundStatus::Cancelled)),
        (10010, Some(RefundStatus::Agreed)),
        (10012, Some(RefundStatus::Applied)),
    ] {
        let facts = service_facts(&unpaid(), &service(status, 10));
        assert_eq!((facts.status(), facts.unknown_statuses.len()), (expected, 0), "{status}");
    }
    assert!(service_facts(&unpaid(), &service(99, 10)).refund(key(), "x".to_owned()).unknown_status);

    let claim = service_facts(&unpaid(), &service(10005, 10)).claim.unwrap().value;
    assert_eq!((claim.kind, claim.amount, claim.lines.len()), (RefundKind::Return, Fen::new(9100), 1));
    assert_eq!((claim.lines[0].line_id.as_str(), claim.lines[0].quantity), ("59156590170", Some(2)));
    let exchange = service_facts(&unpaid(), &service(10005, 20)).claim.unwrap().value;
    assert_eq!((exchange.kind, exchange.amount), (RefundKind::Exchange, Fen::ZERO));
}

#[test]
fn money_has_moved_when_the_refund_of_that_case_succeeded() {
    let done = service_facts(&refund(13, SERVICE), &service(10010, 10));
    assert_eq!(done.reached[&RefundStatus::Refunded], china("2026-02-28 23:59:59"));
    for refunds in [refund(14, SERVICE), refund(13, "1"), unpaid()] {
        assert_eq!(service_facts(&refunds, &service(10010, 10)).status(), Some(RefundStatus::Agreed));
    }
}

#[test]
fn a_cancellation_becomes_facts() {
    let facts = |status| refund_facts(&case_ask("cancel:55"), &cancellation(status), "cancel:55");
    for (status, expected) in
        [(0, RefundStatus::Applied), (1, RefundStatus::Agreed), (2, RefundStatus::Rejected), (9, RefundStatus::Agreed)]
    {
        assert_eq!(facts(status).status(), Some(expected), "{status}");
    }
    assert!(
        !facts(10).refund(key(), String::new()).unknown_status && facts(77).refund(key(), String::new()).unknown_status
    );
    let claim = facts(1).claim.unwrap().value;
    assert_eq!((claim.kind, claim.amount), (RefundKind::Unshipped, Fen::new(12801)));
}

#[test]
fn questions_and_commands_are_as_the_platform_wants_them() {
    let (method, params) = call(&order_ask()).unwrap();
    assert_eq!(
        (method.as_str(), &params["order_id"]),
        ("jingdong.pop.order.get", &json!(9_287_901_234_567_890_123_u64))
    );
    assert!(!params["optional_fields"].as_str().unwrap().contains("pin,"));
    assert_eq!(call(&case_ask(SERVICE)).unwrap().0, "jingdong.asc.serviceAndRefund.view");
    let further = Ask::Further { first: Box::new(case_ask(SERVICE)), known: String::new() };
    let (method, params) = call(&further).unwrap();
    assert_eq!(
        (method.as_str(), &params["buId"], &params["operatePin"]),
        ("jingdong.asc.query.view", &json!(SHOP), &json!("clerk"))
    );
    assert_eq!(call(&case_ask("cancel:55")).unwrap().1, json!({ "id": 55 }));

    let (order_id, after_sale_id) = (ORDER.to_owned(), "cancel:55".to_owned());
    let refuse = Ask::Refuse {
        order_id: order_id.clone(),
        after_sale_id: after_sale_id.clone(),
        reason: "shipped".to_owned(),
        seen: Seen::default(),
    };
    let params = call(&refuse).unwrap().1;
    assert_eq!(
        (&params["status"], &params["remark"], &params["rejectType"]),
        (&json!(2), &json!("shipped"), &json!(5))
    );
    let agree = Ask::Agree { order_id: order_id.clone(), after_sale_id, seen: Seen::default() };
    assert_eq!(call(&agree).unwrap().1["status"], json!(1));
    let shelf = |sku_id: Option<&str>| Shelf { product_id: "1".to_owned(), sku_id: sku_id.map(str::to_owned) };
    let (method, params) = call(&Ask::SetStock { shelf: shelf(Some("1002003")), quantity: 8 }).unwrap();
    assert_eq!(
        (method.as_str(), &params["req"]["skuStocks"][0]["stockNum"]),
        ("jingdong.ware.stock.sku.set", &json!(8))
    );

    let lost = Ask::AfterSale { order_id: None, after_sale_id: SERVICE.to_owned() };
    let by_hand = Ask::Agree { order_id: order_id.clone(), after_sale_id: SERVICE.to_owned(), seen: Seen::default() };
    let receipt = Ask::ConfirmReceipt { order_id, after_sale_id: SERVICE.to_owned(), seen: Seen::default() };
    for ask in [lost, by_hand, receipt, Ask::Messages, Ask::SetStock { shelf: shelf(None), quantity: 1 }] {
        assert!(matches!(call(&ask), Err(ApiError::Permanent(_))), "{ask:?}");
    }
}

#[test]
fn stock_that_was_not_set_is_a_refusal() {
    let ask = Ask::SetStock { shelf: Shelf { product_id: "1".to_owned(), sku_id: Some("12".to_owned()) }, quantity: 1 };
    let answer = |success: bool| {
        json!({ "jingdong_ware_stock_sku_set_responce": { "returnType": { "success": true, "obj": { "updateStockResult": [
            { "data": "12", "success": success, "message": "invented" }
        ]}}}})
        .to_string()
    };
    assert!(Jd.check(&ask, answer(true).as_bytes()).is_ok());
    assert!(
        matches!(Jd.check(&ask, answer(false).as_bytes()), Err(ApiError::Permanent(refusal)) if refusal.message == "invented")
    );
}

#[test]
fn lists_follow_each_other() {
    let window = |page: Option<&str>| Window {
        since: china("2026-02-28 00:00:00"),
        until: china("2026-02-28 12:00:00"),
        page: page.map(str::to_owned),
    };
    let orders = json!({ "searchorderinfo_result": { "apiResult": { "success": true }, "orderTotal": "1", "orderInfoList": [{ "orderId": ORDER }] } });
    assert_eq!(
        read(&Ask::ChangedOrders(window(None)), &orders),
        Answer::Changed { asks: vec![order_ask()], next: None }
    );
    assert_eq!(call(&Ask::ChangedOrders(window(None))).unwrap().1["end_date"], json!("2026-02-28 12:00:00"));

    let ask = |page| Ask::ChangedAfterSales(window(page));
    let bills = json!({ "pageResult": { "success": true, "totalCount": 1, "data": [{ "serviceId": 724_578_811, "orderId": ORDER }] } });
    let next = Some("1.0".to_owned());
    assert_eq!(read(&ask(None), &bills), Answer::Changed { asks: vec![case_ask(SERVICE)], next });
    let (method, params) = call(&ask(Some("1.0"))).unwrap();
    assert_eq!((method.as_str(), &params["pageIndex"]), ("jingdong.pop.afs.soa.refundapply.queryPageList", &json!(1)));
    let found =
        json!({ "queryResult": { "success": true, "totalCount": 1, "result": [{ "id": 55, "orderId": ORDER }] } });
    assert_eq!(read(&ask(Some("1.0")), &found), Answer::Changed { asks: vec![case_ask("cancel:55")], next: None });
}

#[test]
fn nobody_pushes_and_tokens_are_renewed_elsewhere() {
    assert_eq!(Jd.receive(&app(), &post("/", b"{}")), Err(VerifyError::NoPushes));
    assert_ne!(Jd.token_base(), Jd.base());
    let refresh = Secret::new("r".to_owned());
    let shop = Shop { id: SHOP, access_token: None, refresh_token: Some(&refresh) };
    assert!(Jd.token_request(&app(), &shop, UnixMs::EPOCH).is_some());
}

/// The order's records at several moments of its life.
fn life() -> Vec<Fact> {
    let moments = [
        ("NOT_PAY", "2026-02-28 09:30:00"),
        ("WAIT_SELLER_STOCK_OUT", "2026-02-28 09:31:00"),
        ("LOCKED", "2026-02-28 10:00:00"),
        ("WAIT_GOODS_RECEIVE_CONFIRM", "2026-02-28 23:59:59"),
        ("FINISHED_L", "2026-03-10 00:00:00"),
        ("TRADE_CANCELED", "2026-03-12 00:00:00"),
    ];
    let record = |(state, modified): (&str, &str)| {
        let mut order = order(state);
        order["orderDetailInfo"]["orderInfo"]["modified"] = json!(modified);
        only_fact(read(&order_ask(), &order))
    };
    moments.into_iter().map(record).collect()
}

proptest! {
    /// Any order and any repetition of an order's records end in the same books.
    #[test]
    fn records_converge(noisy in redelivered(life())) {
        prop_assert_eq!(books(noisy), books(life()));
    }
}
