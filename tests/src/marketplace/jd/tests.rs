use jiff::Timestamp;

use super::*;
use crate::marketplace::dialect::gmt8;
use crate::marketplace::server::Server;
use crate::marketplace::testing::{Fields, basket, form, paid, send, set};

/// Call as an honest client does, unless `spoil` changes the signed form.
async fn call(server: &Server, method: &str, param: &Value, spoil: impl Fn(&mut Fields)) -> Value {
    let fields = [
        ("360buy_param_json", param.to_string()),
        ("access_token", server.issue_token(0).access),
        ("app_key", server.app().key.clone()),
        ("method", method.to_owned()),
        ("timestamp", format!("{}.001+0800", gmt8(Timestamp::now().as_second()))),
        ("v", "2.0".to_owned()),
    ];
    let mut fields: Fields = fields.map(|(name, text)| (name.to_owned(), text)).into();
    fields.insert("sign".to_owned(), sign::sign(server.app(), &fields));
    spoil(&mut fields);
    send(server, "POST", "/routerjson", form(&fields)).await
}

#[tokio::test]
async fn an_honest_caller_gets_the_record_and_a_forger_a_refusal() {
    let server = Server::start(Jd).await.unwrap();
    let id = paid(&server, basket(1, 100));
    let method = "jingdong.pop.order.get";
    let param = json!({"order_id": id, "optional_fields": "orderId"});
    let answer = call(&server, method, &param, |_| ()).await;
    assert_eq!(answer["jingdong_pop_order_get_responce"]["orderDetailInfo"]["orderInfo"]["orderId"], json!(id));
    for (name, text, code) in
        [("sign", "0", "12"), ("360buy_param_json", "{}", "12"), ("app_key", "1", "21"), ("v", "1.0", "15")]
    {
        assert_eq!(call(&server, method, &param, set(name, text)).await["error_response"]["code"], code, "{name}");
    }
    let nothing_asked = json!({"order_id": id, "optional_fields": ""});
    assert_eq!(call(&server, method, &nothing_asked, |_| ()).await["error_response"]["code"], "61");
    server.set_clock(Some(Timestamp::now().as_second() + 7 * 60));
    assert_eq!(call(&server, method, &param, |_| ()).await["error_response"]["code"], "8");
}

#[tokio::test]
async fn only_cancellations_are_answered_and_a_refusal_needs_its_reason() {
    let server = Server::start(Jd).await.unwrap();
    let id = paid(&server, basket(1, 100));
    let (early, late) = server.shop(|shop| {
        let early = shop.ask_refund(&id, 40, 3).unwrap();
        shop.ship(&id, 4).unwrap();
        (early, shop.ask_refund(&id, 60, 5).unwrap())
    });
    for (case, status, reject_type, code) in
        [(&late, 1, None, "10100021"), (&early, 2, None, "61"), (&early, 1, Some(5), "61"), (&early, 3, None, "61")]
    {
        let param =
            json!({"id": case, "status": status, "rejectType": reject_type, "checkUserName": "x", "remark": "x"});
        let answer = call(&server, "jingdong.pop.afs.soa.refundapply.replyRefund", &param, |_| ()).await;
        assert_eq!(answer["error_response"]["code"], code, "{param}");
    }
    let param = json!({"id": early, "status": 1, "checkUserName": "x", "remark": "x"});
    call(&server, "jingdong.pop.afs.soa.refundapply.replyRefund", &param, |_| ()).await;
    assert_eq!(server.books().refunded, 40);
}

#[tokio::test]
async fn a_refresh_token_is_good_once_and_only_for_who_knows_the_secret() {
    let server = Server::start(Jd).await.unwrap();
    let refresh = server.issue_token(0).refresh;
    let renew = async |secret: &str| {
        let query = format!(
            "app_key={}&app_secret={secret}&grant_type=refresh_token&refresh_token={refresh}",
            server.app().key
        );
        send(&server, "GET", &format!("/oauth2/refresh_token?{query}"), String::new()).await
    };
    let secret = server.app().secret.clone();
    assert!(renew("a-guess").await["access_token"].is_null());
    assert!(renew(&secret).await["access_token"].is_string());
    assert_eq!(renew(&secret).await["code"], 405);
}
