use super::*;
use crate::marketplace::server::Server;
use crate::marketplace::shop::Basket;
use crate::marketplace::testing::{basket, paid, send};

fn order(server: &Server) -> String {
    paid(server, Basket { freight: 50, ..basket(3, 100) })
}

async fn call(server: &Server, path: &str, body: Value) -> Value {
    send(server, "POST", path, body.to_string()).await
}

async fn refund(server: &Server, token: &str, what: &str, body: Value) -> Value {
    let version = if what == "refund.agree" { "3.0.1" } else { "3.0.0" };
    call(server, &format!("/api/youzan.trade.{what}/{version}?access_token={token}"), body).await
}

#[tokio::test]
async fn tokens_are_for_who_knows_the_secret_and_say_when_they_end() {
    let server = Server::start(Youzan).await.unwrap();
    let (shop_id, app) = (server.shop(|shop| shop.id().to_owned()), server.app().clone());
    let ask = |secret: &str| json!({"client_id": app.key, "client_secret": secret, "authorize_type": "silent", "grant_id": shop_id});
    let granted = call(&server, "/auth/token", ask(&app.secret)).await;
    let token = granted["data"]["access_token"].as_str().unwrap();
    let left = granted["data"]["expires"].as_i64().unwrap() / 1000 - jiff::Timestamp::now().as_second();
    assert!((604_000..=604_800).contains(&left), "{granted}");
    assert_eq!(call(&server, "/auth/token", ask("a-guess")).await["code"], 1103);
    let id = order(&server);
    let path = format!("/api/youzan.trade.get/4.0.2?access_token={token}");
    let record = call(&server, &path, json!({"tid": id})).await;
    assert_eq!(record["data"]["full_order_info"]["pay_info"]["payment"], "3.50");
    assert_eq!(call(&server, &path, json!({"tid": "E1"})).await["code"], 5000);
    server.expire_tokens();
    assert_eq!(call(&server, &path, json!({"tid": id})).await["gw_err_resp"]["err_code"], 4203);
}

#[tokio::test]
async fn only_the_newest_version_is_decided_on_and_agreeing_pays() {
    let server = Server::start(Youzan).await.unwrap();
    let id = order(&server);
    let case = server.shop(|shop| {
        shop.ship(&id, 3).unwrap();
        shop.ask_return(&id, 100, 4).unwrap()
    });
    let token = server.issue_token(0).access;
    let old = refund(&server, &token, "refund.agree", json!({"refund_id": case, "version": 3000})).await;
    assert_eq!(old["code"], 103010039);
    let nowhere = json!({"refund_id": case, "version": 4000});
    assert_eq!(refund(&server, &token, "returngoods.agree", nowhere.clone()).await["code"], 50000);
    // The platform does as it is told, even if the goods are still with the buyer.
    assert_eq!(refund(&server, &token, "refund.agree", nowhere).await["data"]["is_success"], true);
    assert_eq!(server.books().refunded, 100);
}

#[test]
fn the_body_signs_its_content_once_more() {
    let (app, mut shop) = (Youzan.app(), Shop::new(0, Youzan.ids()));
    shop.place(basket(1, 100), 1);
    let messages: Vec<_> = shop.untold().iter().flat_map(|change| Youzan.messages(&shop, change)).collect();
    let push = old_push(&app, &messages[0]).unwrap();
    let body: Value = serde_json::from_slice(&push.body).unwrap();
    assert_eq!(body["sign"], sign::push(&app, body["msg"].as_str().unwrap().as_bytes()));
    assert!(push.headers.get("event-sign").is_none());
}
