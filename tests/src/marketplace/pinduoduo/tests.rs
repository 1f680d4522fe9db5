use http::HeaderMap;
use jiff::Timestamp;

use super::*;
use crate::http::Client;
use crate::marketplace::server::Server;
use crate::marketplace::shop::{Basket, Goods};

/// Call as an honest client does, unless `spoil` changes the form after it is signed.
async fn call(server: &Server, fields: &[(&str, &str)], spoil: impl Fn(&mut BTreeMap<String, String>)) -> Value {
    let token = server.issue_token(0).access;
    let now = Timestamp::now().as_second().to_string();
    let common = [("client_id", server.app().key.as_str()), ("timestamp", &now), ("access_token", &token)];
    let fields = common.iter().chain(fields).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let mut form: BTreeMap<_, _> = fields.collect();
    form.insert("sign".to_owned(), sign::call(server.app(), &form));
    spoil(&mut form);
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(&form).finish();
    let url = format!("{}/api/router", server.base());
    Client::new().send("POST", &url, &HeaderMap::new(), body.into_bytes()).await.unwrap().json().unwrap()
}

fn order(server: &Server) -> String {
    let tea = Goods { code: "T".into(), title: "测试茶".into(), quantity: 1, unit_price: 1_990 };
    let basket = Basket {
        buyer: "测试买家-1".into(),
        goods: vec![tea],
        discount_merchant: 0,
        discount_platform: 0,
        freight: 0,
        room: None,
        region: ("浙江省", "杭州市"),
    };
    server.shop(|shop| {
        let id = shop.place(basket, 1);
        shop.pay(&id, 2).unwrap();
        id
    })
}

#[tokio::test]
async fn an_honest_caller_gets_the_record_and_a_forger_a_refusal() {
    let server = Server::start(Pinduoduo).await.unwrap();
    let id = order(&server);
    let asked = [("type", "pdd.order.information.get"), ("order_sn", id.as_str())];
    let answer = call(&server, &asked, |_| ()).await;
    let info = &answer["order_info_get_response"]["order_info"];
    assert_eq!((&info["order_sn"], &info["pay_amount"]), (&json!(id), &json!(19.9)));
    assert!(id.len() == 22 && id.contains('-'), "{id}");

    let code = async |name: &str, value: &str| {
        let spoil = |form: &mut BTreeMap<String, String>| drop(form.insert(name.to_owned(), value.to_owned()));
        call(&server, &asked, spoil).await["error_response"]["error_code"].clone()
    };
    assert_eq!(code("order_sn", "1-1").await, 20004);
    assert_eq!(code("sign", "0").await, 20004);
    assert_eq!(code("client_id", "other").await, 10016);
    server.set_clock(Some(Timestamp::now().as_second() + 11 * 60));
    assert_eq!(call(&server, &asked, |_| ()).await["error_response"]["error_code"], 10001);
}

#[tokio::test]
async fn windows_are_short_and_lists_leave_out_what_is_not_paid() {
    let server = Server::start(Pinduoduo).await.unwrap();
    let id = order(&server);
    server.shop(|shop| {
        let basket = shop.order(&id).unwrap().basket.clone();
        shop.place(basket, 3);
    });
    let list = async |until: &str| {
        let asked = [
            ("type", "pdd.order.number.list.increment.get"),
            ("start_updated_at", "0"),
            ("end_updated_at", until),
            ("order_status", "5"),
            ("refund_status", "5"),
            ("is_lucky_flag", "0"),
        ];
        call(&server, &asked, |_| ()).await
    };
    let rows = list("1800").await["order_sn_increment_get_response"]["order_sn_list"].take();
    assert_eq!((rows.as_array().map(Vec::len), &rows[0]["order_sn"]), (Some(1), &json!(id)));
    assert_eq!(list("1801").await["error_response"]["error_code"], 21001);
}

#[tokio::test]
async fn money_goes_back_only_when_it_is_the_merchant_s_turn() {
    let server = Server::start(Pinduoduo).await.unwrap();
    let id = order(&server);
    let case = server.shop(|shop| {
        shop.ship(&id, 3).unwrap();
        shop.ask_return(&id, 1_990, 4).unwrap()
    });
    let request = format!(r#"{{"after_sales_id":{case},"order_sn":"{id}","return_address_id":"1"}}"#);
    let pay = async || {
        let answer = call(&server, &[("type", "pdd.refund.agree"), ("request", &request)], |_| ()).await;
        answer["response"]["result"]["succ"].clone()
    };
    assert_eq!(pay().await, false, "the goods are with the buyer");
    call(&server, &[("type", "pdd.refund.returngoods.agree"), ("request", &request)], |_| ()).await;
    assert_eq!(pay().await, false, "still");
    server.shop(|shop| shop.send_back(&case, 5).unwrap());
    assert_eq!(pay().await, true);
    assert_eq!(server.books().refunded, 1_990);
}
