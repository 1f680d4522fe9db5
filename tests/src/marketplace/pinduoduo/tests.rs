use jiff::Timestamp;

use super::*;
use crate::marketplace::server::Server;
use crate::marketplace::testing::{Fields, basket, form, paid, send, set};

/// Call as an honest client does, unless `spoil` changes the form after it is signed.
async fn call(server: &Server, fields: &[(&str, &str)], spoil: impl Fn(&mut Fields)) -> Value {
    let token = server.issue_token(0).access;
    let now = Timestamp::now().as_second().to_string();
    let common = [("client_id", server.app().key.as_str()), ("timestamp", &now), ("access_token", &token)];
    let fields = common.iter().chain(fields).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let mut fields: Fields = fields.collect();
    fields.insert("sign".to_owned(), sign::call(server.app(), &fields));
    spoil(&mut fields);
    send(server, "POST", "/api/router", form(&fields)).await
}

#[tokio::test]
async fn an_honest_caller_gets_the_record_and_a_forger_a_refusal() {
    let server = Server::start(Pinduoduo).await.unwrap();
    let id = paid(&server, basket(1, 1_990));
    let asked = [("type", "pdd.order.information.get"), ("order_sn", id.as_str())];
    let answer = call(&server, &asked, |_| ()).await;
    let info = &answer["order_info_get_response"]["order_info"];
    assert_eq!((&info["order_sn"], &info["pay_amount"]), (&json!(id), &json!(19.9)));
    assert!(id.len() == 22 && id.contains('-'), "{id}");

    let code = async |name: &str, value: &str| {
        call(&server, &asked, set(name, value)).await["error_response"]["error_code"].clone()
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
    let id = paid(&server, basket(1, 1_990));
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
    let id = paid(&server, basket(1, 1_990));
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
