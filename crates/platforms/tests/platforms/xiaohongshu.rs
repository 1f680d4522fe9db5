//! Xiaohongshu's pushes, records and our requests to it. Shops, orders and buyers are invented.

use std::collections::BTreeMap;

use domain::{
    Fen, IdentityKind, OrderFacts, OrderFlag, OrderKey, OrderStatus, Platform, RefundFacts, RefundKind, RefundStatus,
    Secret, UnixMs,
};
use http::HeaderMap;
use platforms::Fact;
use platforms::marketplace::{
    Answer, Api, ApiError, App, Ask, Delivery, Received, Request, Says, Seen, Shelf, Shop, Source, VerifyError, Window,
};
use platforms::xiaohongshu::{Xiaohongshu, aftersale, api, messages, order, sign};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{Next, about_case, about_order, books, next, post, redelivered};

const SHOP: &str = "5f0123456789abcdef012345";
const ORDER: &str = "P768291112062421411";
const CASE: &str = "R6242141112658161";
const T0: i64 = 1_771_032_600_123; // 2026-02-14 09:30:00.123 +08:00

fn at(millis: i64) -> UnixMs {
    UnixMs::from_millis(millis).unwrap()
}

fn app() -> App {
    App::of([
        ("app_key", "app-1"),
        ("app_secret", "secret"),
        ("return_address_id", "77"),
        ("refusal_reason", "5"),
        ("receipt_refusal_reason", "6"),
    ])
}

fn key() -> OrderKey {
    OrderKey { platform: Platform::Xiaohongshu, shop_id: SHOP.to_owned(), platform_order_id: ORDER.to_owned() }
}

fn push(tag: &str, data: &Value) -> Value {
    json!([{ "msgTag": tag, "sellerId": SHOP, "data": data.to_string() }])
}

fn receive(headers: &[(&'static str, &str)], query: &str, body: &str, now: i64) -> Result<Received, VerifyError> {
    let headers: HeaderMap =
        headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
    let posted = post("/hook/xhs", body.as_bytes());
    Xiaohongshu.receive(&app(), &Delivery { query, headers: &headers, now: at(now), ..posted })
}

#[test]
fn the_vectors_sign() {
    // Computed independently (protocols 5.6).
    let vector = App::of([("app_key", "xhs-app"), ("app_secret", "secret")]);
    assert_eq!(sign(&vector, "/hook/xhs", "shop=42", "1700000000"), "c6f5d43f5ac9087fba2b80cea7e9d88c");
    assert_eq!(api::sign(&app(), "order.getOrderList", "1612518379"), "f551c1d9d9c7670a11fd05bcc4264d2b");
    // The vector of the first version of the API, whose sign has the same shape.
    let first = App::of([("app_key", "xhs"), ("app_secret", "9a539709cafc1efc9ef05838be468a28")]);
    let signed = sign(&first, "/ark/open_api/v1/items", "page_no=1&page_size=50&status=0", "1469902537");
    assert_eq!(signed, "72be6fad4dd0e5104dbdebbcdadb2a06");
}

#[test]
fn a_push_is_a_hint_and_only_for_some_minutes() {
    let data = json!({ "orderId": ORDER, "packageId": ORDER, "orderStatus": 9, "updateTime": T0, "packageStatus": 9 });
    let body = push("msg_fulfillment_status_change", &data).to_string();
    let hint = Says::Hint { shop_id: SHOP.to_owned(), ask: Ask::Order { order_id: ORDER.to_owned() } };
    for (timestamp, now) in [
        ((T0 / 1000).to_string(), T0),
        ((T0 / 1000).to_string(), T0 + 299_000),
        (T0.to_string(), T0 - 300_000),
        (T0.to_string(), T0 + 300_000),
    ] {
        let signed = sign(&app(), "/hook/xhs", "shop=42", &timestamp);
        for signed in [signed.clone(), signed.to_uppercase()] {
            let headers = [("app-key", "app-1"), ("timestamp", &*timestamp), ("sign", &*signed)];
            let Received::Messages(found) = receive(&headers, "shop=42", &body, now).unwrap() else { panic!("none") };
            assert_eq!((found.len(), &found[0].says), (1, &hint));
        }
    }
    assert_eq!(Xiaohongshu.acknowledgement(), r#"{"success":true,"error_code":0,"error_msg":""}"#);
}

#[test]
fn what_is_not_signed_or_not_fresh_is_refused() {
    let timestamp = (T0 / 1000).to_string();
    let signed = sign(&app(), "/hook/xhs", "", &timestamp);
    let all = [("app-key", "app-1"), ("timestamp", timestamp.as_str()), ("sign", signed.as_str())];
    assert!(receive(&all, "", "[]", T0).is_ok());
    for (missing, (name, _)) in all.iter().enumerate() {
        let headers: Vec<_> =
            all.iter().enumerate().filter(|(place, _)| *place != missing).map(|(_, pair)| *pair).collect();
        assert_eq!(receive(&headers, "", "[]", T0), Err(VerifyError::MissingHeader(name)));
    }
    for now in [T0 - 301_000, T0 + 301_000, 0] {
        assert_eq!(receive(&all, "", "[]", now), Err(VerifyError::Stale(5)));
    }
    let with = |name: &'static str, value: &str| {
        let headers: Vec<_> = all.iter().map(|pair| if pair.0 == name { (name, value) } else { *pair }).collect();
        receive(&headers, "", "[]", T0)
    };
    assert_eq!(with("app-key", "app-2"), Err(VerifyError::WrongApp("xiaohongshu_app_key")));
    for other in ["", "00", &signed.replace(['a', '1'], "b")] {
        assert!(matches!(with("sign", other), Err(VerifyError::Mismatch(_))), "{other}");
    }
    assert!(matches!(with("timestamp", "1771032601"), Err(VerifyError::Mismatch(_))));
    assert!(matches!(receive(&all, "shop=43", "[]", T0), Err(VerifyError::Mismatch(_))));
    // The body is not signed: nothing that it says may be believed, and nonsense is kept.
    assert_eq!(receive(&all, "", "{broken", T0), Ok(Received::Unreadable));
    assert_eq!(receive(&all, "", "{}", T0), Ok(Received::Unreadable));
}

#[test]
fn kinds_of_messages_tell_what_to_ask() {
    let says = |tag: &str, data: &Value| messages(push(tag, data).to_string().as_bytes()).unwrap().remove(0).says;
    let (order, case) = (json!({ "orderId": ORDER }), json!({ "returnsId": CASE, "orderId": ORDER, "refundFee": 0.1 }));
    let hint = |ask| Says::Hint { shop_id: SHOP.to_owned(), ask };
    for tag in ["msg_fulfillment_status_change", "msg_fulfillment_receiver_change"] {
        assert_eq!(says(tag, &order), hint(Ask::Order { order_id: ORDER.to_owned() }), "{tag}");
    }
    for step in ["create", "update", "audit_pass", "confirm_receive", "reject_receive", "refund_finished", "transfer"] {
        let ask = Ask::AfterSale { order_id: Some(ORDER.to_owned()), after_sale_id: CASE.to_owned() };
        assert_eq!(says(&format!("msg_after_sale_{step}"), &case), hint(ask), "{step}");
    }
    for tag in ["msg_item_buyable", "msg_fulfillment_seller_remark_change", "msg_fulfillment_soon_cancel"] {
        assert_eq!(says(tag, &order), Says::Nothing, "{tag}");
    }
    for (tag, data) in
        [("msg_of_next_year", &order), ("msg_after_sale_create", &order), ("msg_fulfillment_status_change", &json!([]))]
    {
        assert_eq!(says(tag, data), Says::NotUnderstood, "{tag}");
    }
}

#[test]
fn the_same_message_has_the_same_content_and_another_another() {
    let content = |tag: &str, updated: i64| {
        let body = push(tag, &json!({ "orderId": ORDER, "updateTime": updated })).to_string();
        messages(body.as_bytes()).unwrap().remove(0).content
    };
    let first = content("msg_fulfillment_status_change", T0);
    assert_eq!(content("msg_fulfillment_status_change", T0), first);
    assert_ne!(content("msg_fulfillment_status_change", T0 + 1), first);
    assert_ne!(content("msg_fulfillment_receiver_change", T0), first);
}

/// The answer's data to `order.getOrderDetail`: 2 × 50.00 and 3 pieces for 30.01, discounts 10.00, freight 6.00.
fn record() -> Value {
    let sku = |sku_id: &str, pieces: i64, paid: i64, merchant: i64, red: i64| {
        json!({
            "skuId": sku_id, "itemId": "61abcdef", "skuName": "Invented tea", "erpcode": "TEA-01", "skuQuantity": pieces,
            "totalPaidAmount": paid, "totalMerchantDiscount": merchant, "totalRedDiscount": red, "totalTaxAmount": 0, "skuTag": 0,
            "kolId": "kol-1", "kolName": "Invented host", "skuDetailList": [], "new": {}
        })
    };
    json!({
        "orderId": ORDER, "orderType": 1, "orderStatus": 6, "orderAfterSalesStatus": 1, "createdTime": T0, "paidTime": T0 + 60_000,
        "deliveryTime": T0 + 3_600_000, "finishTime": 0, "cancelTime": 0, "updateTime": T0 + 3_600_001, "shopId": "another id",
        "receiverProvinceName": "浙江省", "receiverCityName": "杭州市", "receiverName": "clear", "receiverPhone": "clear", "customerRemark": "clear",
        "openAddressId": "clear hash", "xhsOpenId": "xhs-open-1", "userId": "clear user",
        "totalPayAmount": 12601, "totalShippingFree": 600, "totalMerchantDiscount": 700, "totalRedDiscount": 300, "totalDepositAmount": 0,
        "expressTrackingNo": "SF1234567890123", "expressCompanyCode": "shunfeng", "simpleDeliveryOrderList": null,
        "skuList": [sku("61a0000000000000000000aa", 2, 9000, 700, 300), sku("61a0000000000000000000bb", 3, 3001, 0, 0)]
    })
}

fn detail_facts(record: &Value) -> OrderFacts {
    about_order(order::map("app-1", SHOP, record).unwrap(), &key())
}

#[test]
fn the_full_record_becomes_the_canonical_order() {
    let order = detail_facts(&record()).order(key());
    assert!(order.complete && order.flags.is_empty(), "{:?}", order.flags);
    assert_eq!((order.status, order.paid), (OrderStatus::Shipped, Some(Fen::new(12601))));
    let bill = order.amounts.clone().unwrap();
    // Three pieces for 30.01 cannot have cost the same: 10.01 each, and two fen less.
    assert_eq!((bill.goods, bill.freight, bill.payable), (Fen::new(13003), Fen::new(600), Fen::new(12601)));
    assert_eq!((bill.discount_merchant, bill.discount_platform), (Fen::new(702), Fen::new(300)));
    let lines: Vec<_> = order.lines.iter().map(|line| (line.unit_price.get(), line.discount.get())).collect();
    assert_eq!(lines, [(5000, 1000), (1001, 2)]);
    assert_eq!(domain::demand(&order.lines), BTreeMap::from([("TEA-01", 5)]));
    let identity = &order.identities[0];
    assert_eq!((identity.kind, identity.value.as_str()), (IdentityKind::XiaohongshuOpenId, "xhs-open-1"));
    assert_eq!(identity.scope.as_deref(), Some("app-1"));
    assert_eq!(order.live_room.unwrap().author_id.as_deref(), Some("kol-1"));
    assert_eq!(order.region.unwrap().province, "浙江省");
    assert_eq!((order.times.paid_at, order.times.shipped_at), (Some(at(T0 + 60_000)), Some(at(T0 + 3_600_000))));
    assert_eq!(order.shipments[0].carrier.as_deref(), Some("shunfeng"));
}

#[test]
fn the_full_record_leaves_no_personal_data_behind() {
    assert!(!serde_json::to_string(&detail_facts(&record())).unwrap().contains("clear"));
}

#[test]
fn statuses_map_by_the_table_and_others_are_flagged() {
    let status = |code: i64| {
        let mut record = record();
        record["orderStatus"] = json!(code);
        record["paidTime"] = json!(0);
        detail_facts(&record)
    };
    for (code, expected) in [
        (1, OrderStatus::Created),
        (2, OrderStatus::Paid),
        (3, OrderStatus::Paid),
        (4, OrderStatus::Paid),
        (5, OrderStatus::PartlyShipped),
        (6, OrderStatus::Shipped),
        (7, OrderStatus::Completed),
        (8, OrderStatus::Closed),
        (9, OrderStatus::Closed),
        (10, OrderStatus::Created), // an exchange under way: nothing new is reached
    ] {
        let facts = status(code);
        assert_eq!((facts.status(), facts.flags()), (Some(expected), vec![]), "{code}");
        assert_eq!(facts.raw_status.unwrap().value, code.to_string());
    }
    assert_eq!(status(77).flags(), [OrderFlag::UnknownStatus]);
}

#[test]
fn a_deposit_is_not_the_payment() {
    let mut record = record();
    record["orderStatus"] = json!(1);
    record["orderType"] = json!(2);
    let facts = detail_facts(&record);
    assert_eq!((facts.status(), facts.paid), (Some(OrderStatus::Created), None));
}

#[test]
fn tax_is_on_top_and_parcels_are_several() {
    let mut record = record();
    record["skuList"][0]["totalTaxAmount"] = json!(819);
    record["simpleDeliveryOrderList"] = json!([
        { "expressTrackingNo": "A1", "expressCompanyCode": "yuantong", "status": 6 },
        { "expressTrackingNo": "", "status": 4 }
    ]);
    let facts = detail_facts(&record);
    let bill = &facts.detail.as_ref().unwrap().value.amounts;
    assert_eq!((bill.tax, facts.flags()), (Fen::new(819), vec![]));
    assert_eq!(facts.shipments.keys().collect::<Vec<_>>(), ["A1", "SF1234567890123"]);
}

#[test]
fn odd_records_are_flagged_or_refused_and_never_mended() {
    let mut wrong_sum = record();
    wrong_sum["totalPayAmount"] = json!(12600);
    assert_eq!(detail_facts(&wrong_sum).flags(), [OrderFlag::AmountsDisagree]);
    for (field, value) in [
        ("skuQuantity", json!(0)),
        ("skuQuantity", json!(-1)),
        ("totalPaidAmount", json!(90.005)),
        ("totalPaidAmount", json!("90.00")),
        ("totalPaidAmount", json!(null)),
    ] {
        let mut record = record();
        record["skuList"][0][field] = value;
        assert!(order::map("app-1", SHOP, &record).is_err(), "{field}");
    }
    assert!(order::map("app-1", SHOP, &json!({})).is_err());
}

/// The answer's data to `afterSale.getAfterSaleInfo`.
fn case(status: i64, refund_status: i64, millis: i64) -> Value {
    json!({ "afterSaleInfo": {
        "returnsId": CASE, "returnType": 1, "reasonId": 12, "reasonNameZh": "invented", "status": status, "userId": "clear user",
        "orderId": ORDER, "applyTime": T0 + 10, "updatedAt": millis, "expireTime": -1, "refundStatus": refund_status, "refundTime": 1,
        "expectedRefundAmountYuan": 96.1, "refundAmountYuan": 90, "appliedShipFeeAmountYuan": 6.0, "returnAddress": { "phone": "clear" },
        "skus": [{ "skuId": "61a0000000000000000000aa", "appliedCount": 2, "appliedTotalAmountYuan": "90.10" }]
    }, "logisticsInfo": {} })
}

fn case_facts(case: &Value) -> RefundFacts {
    about_case(aftersale::map(SHOP, case).unwrap(), &key(), CASE)
}

#[test]
fn after_sale_statuses_map_by_the_table_and_others_are_flagged() {
    for (code, status) in [
        (1, RefundStatus::Applied),
        (2, RefundStatus::Agreed),
        (3, RefundStatus::Returning),
        (4, RefundStatus::Agreed),
        (5, RefundStatus::Cancelled),
        (6, RefundStatus::Cancelled),
        (9, RefundStatus::Rejected),
        (9001, RefundStatus::Rejected),
        (12, RefundStatus::Agreed),
        (13, RefundStatus::Agreed),
        (14, RefundStatus::Applied), // the platform looks into it: nothing new is reached
    ] {
        let facts = case_facts(&case(code, 1, T0 + 20));
        assert_eq!((facts.status(), facts.unknown_statuses.len()), (Some(status), 0), "{code}");
    }
    assert!(case_facts(&case(77, 1, T0 + 20)).refund(key(), CASE.to_owned()).unknown_status);
}

#[test]
fn money_has_moved_when_the_refund_status_says_so() {
    let asked = case_facts(&case(4, 1, T0 + 20));
    let claim = asked.claim.clone().unwrap().value;
    assert_eq!(
        (asked.status(), claim.amount, claim.freight),
        (Some(RefundStatus::Agreed), Fen::new(9610), Fen::new(600))
    );
    assert_eq!((claim.lines[0].quantity, claim.lines[0].amount), (Some(2), Fen::new(9010)));
    assert!(!serde_json::to_string(&asked).unwrap().contains("clear"));

    let done = case_facts(&case(4, 2, T0 + 20));
    assert_eq!((done.status(), done.reached[&RefundStatus::Refunded]), (Some(RefundStatus::Refunded), at(T0 + 20)));
    // Less went back than was asked for.
    assert_eq!(done.claim.unwrap().value.amount, Fen::new(9000));
}

#[test]
fn yuan_is_exact_and_several_lines_are_not_guessed() {
    let with = |field: &str, value: Value| {
        let mut case = case(1, 1, T0 + 20);
        case["afterSaleInfo"][field] = value;
        case
    };
    for (yuan, fen) in [(json!(0.1), 10), (json!(0.29), 29), (json!("96.10"), 9610), (json!(7), 700)] {
        assert_eq!(case_facts(&with("expectedRefundAmountYuan", yuan)).claim.unwrap().value.amount, Fen::new(fen));
    }
    for odd in [json!(0.001), json!("1.234"), json!(-1)] {
        assert!(aftersale::map(SHOP, &with("expectedRefundAmountYuan", odd.clone())).is_err(), "{odd}");
    }
    let two = |second: &str| json!([{ "skuId": 1, "appliedTotalAmountYuan": 40.1 }, { "skuId": 2, "appliedTotalAmountYuan": second }]);
    assert_eq!(case_facts(&with("skus", two("50.00"))).claim.unwrap().value.lines.len(), 2);
    assert!(case_facts(&with("skus", two("50.01"))).claim.unwrap().value.lines.is_empty());
    let kinds = [1, 2, 3, 4, 5, 6].map(|code| case_facts(&with("returnType", json!(code))).claim.unwrap().value.kind);
    use RefundKind::{Exchange, Other, RefundOnly, Return, Unshipped};
    assert_eq!(kinds, [Return, Exchange, RefundOnly, RefundOnly, Unshipped, Other]);
}

fn ask(app: &App, ask: &Ask) -> Result<Request, ApiError> {
    let token = Secret::new("token".to_owned());
    let shop = Shop { id: SHOP, access_token: Some(&token), refresh_token: None };
    Xiaohongshu.request(app, &shop, ask, at(T0))
}

fn window(minutes: i64, page: Option<&str>) -> Window {
    Window { since: at(T0), until: at(T0 + minutes * 60_000), page: page.map(str::to_owned) }
}

#[test]
fn each_question_and_command_has_its_method() {
    let (order_id, after_sale_id) = (ORDER.to_owned(), CASE.to_owned());
    let seen = |kind, status| Seen { kind: Some(kind), status: Some(status), ..Seen::default() };
    let agree = |kind| {
        let seen = seen(kind, RefundStatus::Applied);
        Ask::Agree { order_id: ORDER.to_owned(), after_sale_id: CASE.to_owned(), seen }
    };
    let refuse = |status| {
        let (order_id, after_sale_id) = (ORDER.to_owned(), CASE.to_owned());
        Ask::Refuse { order_id, after_sale_id, reason: "invented".to_owned(), seen: seen(RefundKind::Return, status) }
    };
    let sent_back = json!({ "returnsId": CASE, "action": 2, "receiverInfo": { "sellerAddressRecordId": 77 } });
    let shelf = Shelf { product_id: "1".to_owned(), sku_id: Some("2".to_owned()) };
    for (asked, method, params) in [
        (Ask::Order { order_id: order_id.clone() }, "order.getOrderDetail", json!({ "orderId": ORDER })),
        (
            Ask::AfterSale { order_id: None, after_sale_id: after_sale_id.clone() },
            "afterSale.getAfterSaleInfo",
            json!({ "returnsId": CASE }),
        ),
        (
            Ask::ChangedOrders(window(10, None)),
            "order.getOrderList",
            json!({ "timeType": 2, "startTime": T0 / 1000, "endTime": T0 / 1000 + 601, "pageNo": 1, "pageSize": 100 }),
        ),
        (
            Ask::ChangedAfterSales(window(30, Some("3"))),
            "afterSale.listAfterSaleInfos",
            json!({ "timeType": 2, "startTime": T0, "endTime": T0 + 1_800_000, "pageNo": 3, "pageSize": 100 }),
        ),
        (agree(RefundKind::Return), "afterSale.auditReturns", sent_back.clone()),
        (agree(RefundKind::Exchange), "afterSale.auditReturns", sent_back),
        (agree(RefundKind::Unshipped), "afterSale.auditReturns", json!({ "returnsId": CASE, "action": 1 })),
        (
            refuse(RefundStatus::Applied),
            "afterSale.auditReturns",
            json!({ "returnsId": CASE, "action": 3, "reason": 5, "description": "invented" }),
        ),
        (
            refuse(RefundStatus::Returning),
            "afterSale.confirmReceive",
            json!({ "returnsId": CASE, "action": 2, "reason": 6, "description": "invented" }),
        ),
        (
            Ask::ConfirmReceipt { order_id, after_sale_id, seen: seen(RefundKind::Return, RefundStatus::Returning) },
            "afterSale.confirmReceive",
            json!({ "returnsId": CASE, "action": 1 }),
        ),
        (Ask::SetStock { shelf, quantity: 7 }, "inventory.syncSkuStock", json!({ "skuId": "2", "qty": 7 })),
    ] {
        let request = ask(&app(), &asked).unwrap();
        assert_eq!(request.path_and_query, "/ark/open_api/v3/common_controller");
        let timestamp = (T0 / 1000).to_string();
        let mut expected = json!({
            "appId": "app-1", "method": method, "version": "2.0", "timestamp": timestamp, "accessToken": "token",
            "sign": api::sign(&app(), method, &timestamp)
        });
        for (name, value) in params.as_object().unwrap() {
            expected[name] = value.clone();
        }
        assert_eq!(serde_json::from_str::<Value>(&request.body).unwrap(), expected);
    }
    // What the platform wants from its own lists must be configured.
    let bare = App::of([("app_key", "app-1"), ("app_secret", "secret")]);
    let refusals = [refuse(RefundStatus::Applied), refuse(RefundStatus::Returning)];
    for asked in [agree(RefundKind::Return), Ask::Messages].into_iter().chain(refusals) {
        assert!(matches!(ask(&bare, &asked), Err(ApiError::Permanent(_))), "{asked:?}");
    }
    // Money must not go back by mistake.
    let unseen = Ask::ConfirmReceipt { order_id: String::new(), after_sale_id: String::new(), seen: Seen::default() };
    for asked in [agree(RefundKind::Other), unseen] {
        assert!(matches!(ask(&app(), &asked), Err(ApiError::Permanent(_))), "{asked:?}");
    }
}

#[test]
fn lists_are_read_from_the_last_page_to_the_first() {
    let (mut page, mut pages) = (None, Vec::new());
    loop {
        let asked = Ask::ChangedOrders(window(15, page.as_deref()));
        pages.push(page.clone().unwrap_or_default());
        let answer = json!({ "total": 201, "maxPageNo": 3, "orderList": [{ "orderId": ORDER }] });
        let Answer::Changed { asks, next } = Xiaohongshu.read(&app(), SHOP, &asked, &answer).unwrap() else { panic!() };
        assert_eq!(asks, [Ask::Order { order_id: ORDER.to_owned() }]);
        page = next;
        if page.is_none() {
            break;
        }
    }
    assert_eq!(pages, ["", "3", "2", "1"]);

    let read = |answer: Value| Xiaohongshu.read(&app(), SHOP, &Ask::ChangedAfterSales(window(30, None)), &answer);
    let rows = json!([{ "returnsId": CASE, "orderId": ORDER }]);
    let asks = vec![Ask::AfterSale { order_id: Some(ORDER.to_owned()), after_sale_id: CASE.to_owned() }];
    let two_pages = json!({ "totalCount": 101, "afterSaleBasicInfos": rows });
    assert_eq!(read(two_pages), Ok(Answer::Changed { asks, next: Some("2".to_owned()) }));
    assert_eq!(read(json!({ "totalCount": 0 })), Ok(Answer::Changed { asks: vec![], next: None }));
    assert!(read(json!({ "totalCount": 50_001 })).is_err(), "what cannot be read must not be passed over");
}

#[test]
fn answers_are_unwrapped_and_refusals_say_what_to_do_next() {
    let check = |body: &Value| Xiaohongshu.check(&Ask::Order { order_id: String::new() }, body.to_string().as_bytes());
    let outer = |data: Value| json!({ "success": true, "error_code": 0, "error_msg": "", "data": data });
    assert_eq!(check(&outer(json!({ "x": 1 }))), Ok(json!({ "x": 1 })));
    assert_eq!(check(&outer(json!({ "success": true, "code": 0, "data": { "x": 1 } }))), Ok(json!({ "x": 1 })));
    assert_eq!(check(&outer(json!("done"))), Ok(json!("done")));
    let beside = json!({ "response": { "success": true, "code": 0, "msg": "" }, "skuId": "2" });
    assert!(check(&outer(beside)).is_ok());
    let refusal = |code: i64, message: &str| json!({ "success": false, "error_code": code, "error_msg": message });
    for (body, expected) in [
        (refusal(-9013, "触发Method维度的限流"), Next::Retry),
        (refusal(-9000, "触发应用维度的限流"), Next::Retry),
        (refusal(-1, "系统繁忙"), Next::Retry),
        (refusal(401, "invented"), Next::Renew),
        (refusal(-5, "accessToken已过期"), Next::Renew),
        (refusal(-5, "access_token is invalid"), Next::Renew),
        (refusal(-5, "订单已过期"), Next::GiveUp),
        (refusal(-2_000_400, "invented"), Next::GiveUp),
        (outer(json!({ "success": false, "code": 9, "msg": "invented" })), Next::GiveUp),
        (outer(json!({ "response": { "success": false, "code": 9, "msg": "invented" } })), Next::GiveUp),
        (json!({ "success": true, "error_code": 50209, "error_msg": "invented" }), Next::GiveUp),
        (json!({}), Next::Retry),
        (json!([]), Next::Retry),
    ] {
        assert_eq!(next(check(&body)), expected, "{body}");
    }
    let broken = Xiaohongshu.check(&Ask::Messages, b"<html>502</html>");
    assert!(matches!(broken, Err(ApiError::Retryable(_))));
}

#[test]
fn the_refresh_token_renews_and_is_renewed() {
    let refresh = Secret::new("refresh-1".to_owned());
    let mut shop = Shop { id: SHOP, access_token: None, refresh_token: None };
    assert!(Xiaohongshu.token_request(&app(), &shop, at(T0)).is_none());
    shop.refresh_token = Some(&refresh);
    let request = Xiaohongshu.token_request(&app(), &shop, at(T0)).unwrap();
    let body: Value = serde_json::from_str(&request.body).unwrap();
    assert_eq!((&body["method"], &body["refreshToken"]), (&json!("oauth.refreshToken"), &json!("refresh-1")));
    assert!(body.get("accessToken").is_none());
    let answer = json!({ "success": true, "error_code": 0, "data": {
        "accessToken": "token-2", "accessTokenExpiresAt": T0 + 604_800_000, "refreshToken": "refresh-2", "refreshTokenExpiresAt": T0, "sellerId": SHOP
    }});
    let token = Xiaohongshu.token(answer.to_string().as_bytes(), at(T0)).unwrap();
    assert_eq!((token.access_token.expose().as_str(), token.expires_in), ("token-2", 604_800));
    assert_eq!(token.refresh_token.unwrap().expose(), "refresh-2");
}

/// The records of one order as fetched at several moments of its life.
fn life() -> Vec<Fact> {
    let orders = [
        (1, 0),
        (2, 60_000),
        (4, 61_000),
        (5, 3_000_000),
        (6, 3_600_001),
        (7, 90_000_000),
        (10, 91_000_000),
        (8, 99_000_000),
    ];
    let orders = orders.map(|(status, millis)| {
        let mut record = record();
        record["orderStatus"] = json!(status);
        record["updateTime"] = json!(T0 + millis);
        order::map("app-1", SHOP, &record).unwrap()
    });
    let cases = [(1, 1, 10), (9, 1, 12), (2, 1, 13), (3, 1, 14), (14, 1, 15), (4, 2, 20)]
        .map(|(status, refund, millis)| aftersale::map(SHOP, &case(status, refund, T0 + millis)).unwrap());
    orders.into_iter().chain(cases).collect()
}

proptest! {
    /// Any order and any repetition of an order's records end in the same books.
    #[test]
    fn records_converge(noisy in redelivered(life())) {
        prop_assert_eq!(books(noisy), books(life()));
    }

    /// Bytes from anywhere are refused or read, and never panic; and whatever a push says, it says no facts.
    #[test]
    fn pushes_never_say_facts(body in prop::collection::vec(any::<u8>(), 0..200), tag in "msg_[a-z_]{0,30}", data in ".{0,60}") {
        let _ = messages(&body);
        let body = json!([{ "msgTag": tag, "sellerId": "1", "data": data }]).to_string();
        let found = messages(body.as_bytes()).unwrap();
        prop_assert!(!found.iter().any(|message| matches!(message.says, Says::Fact(_))));
    }

    /// What was paid and what was taken off always balance, and a line never costs less than nothing.
    #[test]
    fn bills_balance(pieces in 1_i64..50, paid in 0_i64..1_000_000, merchant in 0_i64..10_000, red in 0_i64..10_000, freight in 0_i64..2_000) {
        let mut record = record();
        record["skuList"] = json!([{ "skuId": 1, "skuQuantity": pieces, "totalPaidAmount": paid, "totalMerchantDiscount": merchant, "totalRedDiscount": red }]);
        record["totalPayAmount"] = json!(paid + freight);
        record["totalShippingFree"] = json!(freight);
        let facts = detail_facts(&record);
        prop_assert!(facts.flags().is_empty());
        prop_assert!(!facts.detail.unwrap().value.lines[0].discount.is_negative());
    }
}
