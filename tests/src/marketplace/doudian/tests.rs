use jiff::Timestamp;

use super::*;
use crate::marketplace::dialect::gmt8;
use crate::marketplace::server::Server;
use crate::marketplace::testing::{basket, send};

/// Call as an honest client does, unless `spoil` changes the query.
async fn call(server: &Server, method: &str, token: &str, body: &Value, spoil: impl Fn(&mut String)) -> Value {
    call_text(server, method, token, &sign::canonical(body), spoil).await
}

async fn call_text(server: &Server, method: &str, token: &str, body: &str, spoil: impl Fn(&mut String)) -> Value {
    let timestamp = gmt8(Timestamp::now().as_second());
    let sign = sign::api(server.app(), method, &timestamp, body);
    let mut query = format!(
        "method={method}&app_key={}&access_token={token}&timestamp={}&v=2&sign_method=hmac-sha256&sign={sign}",
        server.app().key,
        timestamp.replace(' ', "%20"),
    );
    spoil(&mut query);
    send(server, "POST", &format!("/{}?{query}", method.replace('.', "/")), body.to_owned()).await
}

async fn token(server: &Server) -> String {
    let shop_id = server.shop(|shop| shop.id().to_owned());
    let body = json!({"code": "", "grant_type": "authorization_self", "shop_id": shop_id});
    let answer = call(server, "token.create", "", &body, |_| ()).await;
    answer["data"]["access_token"].as_str().unwrap_or_else(|| panic!("no token: {answer}")).to_owned()
}

fn order(server: &Server) -> String {
    server.shop(|shop| shop.place(basket(1, 100), 1))
}

#[tokio::test]
async fn an_honest_caller_gets_the_record_and_a_forger_a_refusal() {
    let server = Server::start(Doudian).await.unwrap();
    let id = order(&server);
    let good = token(&server).await;
    let body = json!({"shop_order_id": id});
    let sub_code = |answer: Value| answer["sub_code"].as_str().unwrap().to_owned();
    let detail = "order.orderDetail";

    let answer = call(&server, detail, &good, &body, |_| ()).await;
    assert_eq!(answer["data"]["shop_order_detail"]["order_id"], json!(id));

    let forged = call(&server, detail, &good, &body, |query| *query = query.replace("sign=", "sign=0")).await;
    assert_eq!(sub_code(forged), "isv.signature-invalid");
    let blanks = call_text(&server, detail, &good, &body.to_string().replace(':', ": "), |_| ()).await;
    assert_eq!(sub_code(blanks), "isv.signature-invalid", "signed, but not in canonical form");
    let other_token = call(&server, detail, "other", &body, |_| ()).await;
    assert_eq!(sub_code(other_token), "isv.access-token-expired");
    server.expire_tokens();
    let expired = call(&server, detail, &good, &body, |_| ()).await;
    assert_eq!(sub_code(expired), "isv.access-token-expired");
    server.set_clock(Some(Timestamp::now().as_second() + 11 * 60));
    let late = call(&server, detail, &good, &body, |_| ()).await;
    assert_eq!(sub_code(late), "isv.timestamp-invalid");
}

#[tokio::test]
async fn a_wrong_type_of_operation_is_refused() {
    let server = Server::start(Doudian).await.unwrap();
    let id = order(&server);
    let case = server.shop(|shop| {
        shop.pay(&id, 2).unwrap();
        shop.ask_refund(&id, 100, 3).unwrap()
    });
    let token = token(&server).await;
    for (kind, code) in [(111, 50002), (101, 40004), (202, 40004), (999, 40004), (201, 10000), (201, 50002)] {
        let body = json!({"type": kind, "items": [{"aftersale_id": case}]});
        let answer = call(&server, "afterSale.operate", &token, &body, |_| ()).await;
        assert_eq!(answer["code"], code, "{kind}: {answer}");
    }
    assert_eq!(server.books().refunded, 100);
}

#[test]
fn the_probe_s_body_is_the_platform_s() {
    let text = String::from_utf8(body(&[probe()])).unwrap();
    let value: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value, json!([{"tag": "0", "msg_id": "0", "data": "2020-09-10T16:27:56.52842897+08:00"}]));
}
