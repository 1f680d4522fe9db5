use jiff::Timestamp;

use super::*;
use crate::marketplace::push::Mishaps;
use crate::marketplace::server::Server;
use crate::marketplace::shop::Basket;
use crate::marketplace::testing::{Fields, basket, form, paid, send, set};

/// Call as an honest client does, unless `spoil` changes the parameters after they are signed.
async fn call(server: &Server, http: &Method, method: &str, param: &Value, spoil: impl Fn(&mut Fields)) -> Value {
    let params = [
        ("access_token", server.issue_token(0).access),
        ("appkey", server.app().key.clone()),
        ("method", method.to_owned()),
        ("param", param.to_string()),
        ("signMethod", "HMAC_SHA256".to_owned()),
        ("timestamp", Timestamp::now().as_millisecond().to_string()),
        ("version", "1".to_owned()),
    ];
    let mut params: Fields = params.map(|(name, value)| (name.to_owned(), value)).into();
    params.insert("sign".to_owned(), sign::call(server.app(), &params));
    spoil(&mut params);
    let (body, query): (Fields, Fields) =
        params.into_iter().partition(|(name, _)| http == Method::POST && name == "param");
    let path_and_query = format!("/{}?{}", method.replace('.', "/"), form(&query));
    send(server, http.as_str(), &path_and_query, form(&body)).await
}

fn order(server: &Server) -> String {
    paid(server, Basket { discount_merchant: 80, freight: 600, ..basket(2, 1_990) })
}

#[tokio::test]
async fn an_honest_caller_gets_the_record_and_a_forger_a_refusal() {
    let server = Server::start(Kuaishou).await.unwrap();
    let oid: u64 = order(&server).parse().unwrap();
    let (detail, param) = ("open.order.detail", json!({"oid": oid}));
    let base = call(&server, &Method::GET, detail, &param, |_| ()).await["data"]["orderBaseInfo"].take();
    assert_eq!((&base["oid"], &base["totalFee"], &base["status"]), (&json!(oid), &json!(3_900), &json!(30)));

    let result = async |name: &str, value: &str| {
        call(&server, &Method::GET, detail, &param, set(name, value)).await["result"].clone()
    };
    assert_eq!(result("sign", "0").await, 15);
    assert_eq!(result("param", "{}").await, 15);
    assert_eq!(result("access_token", "other").await, 15, "the token is signed too");
    assert_eq!(result("appkey", "other").await, 12);
    assert_eq!(call(&server, &Method::POST, detail, &param, |_| ()).await["result"], 13);
    assert_eq!(call(&server, &Method::GET, detail, &json!({"oid": oid.to_string()}), |_| ()).await["result"], 20);
    server.set_clock(Some(Timestamp::now().as_second() + 11 * 60));
    assert_eq!(call(&server, &Method::GET, detail, &param, |_| ()).await["result"], 16);
}

#[tokio::test]
async fn a_case_must_be_what_the_caller_takes_it_for() {
    let server = Server::start(Kuaishou).await.unwrap();
    let id = order(&server);
    let case = server.shop(|shop| {
        shop.ship(&id, 3).unwrap();
        shop.ask_return(&id, 1_990, 4).unwrap()
    });
    let refund: u64 = case.parse().unwrap();
    let ask =
        async |method: &str, param: Value| call(&server, &Method::POST, method, &param, |_| ()).await["result"].clone();
    let money = json!({"refundId": refund, "refundAmount": 1_990});
    assert_eq!(ask("open.seller.order.refund.approve", money.clone()).await, 300_010, "the goods are to come back");
    assert_eq!(ask("open.seller.order.refund.returngoods.approve", money).await, 1);
    server.shop(|shop| shop.send_back(&case, Timestamp::now().as_second() + 5).unwrap());
    let receipt = |status: u32| json!({"refundId": refund, "status": status});
    assert_eq!(ask("open.seller.order.refund.confirm.receipt", receipt(30)).await, 300_010);
    let stale = json!({"refundId": refund, "reasonCode": 100, "rejectDesc": "已拆封", "refundVersion": 4_000});
    assert_eq!(ask("open.refund.reject", stale).await, 300_010);
    assert_eq!(ask("open.seller.order.refund.confirm.receipt", receipt(40)).await, 1);
    assert_eq!(server.books().refunded, 1_990);
}

#[tokio::test]
async fn a_push_has_one_message_in_an_envelope() {
    let server = Server::start(Kuaishou).await.unwrap();
    order(&server);
    let deliveries = server.deliveries(&Mishaps { batch: 9, ..Mishaps::NONE });
    assert_eq!(deliveries.len(), 2);
    let push = server.push(&deliveries[1]).unwrap();
    let mut plain = deliveries[1][0].content.clone();
    plain["appKey"] = server.app().key.clone().into();
    let sealed = cipher::seal("AAECAwQFBgcICQoLDA0ODw==", &plain.to_string()).unwrap();
    assert_eq!(String::from_utf8(push.body).unwrap(), sealed);
    assert_eq!((&plain["event"], plain["info"].is_string()), (&json!("kwaishop_order_paySuccess"), true));
}
