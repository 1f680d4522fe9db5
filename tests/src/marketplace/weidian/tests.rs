use super::*;
use crate::marketplace::server::Server;
use crate::marketplace::shop::{Basket, CaseStatus};
use crate::marketplace::testing::{basket, paid, send};

fn order(server: &Server) -> String {
    paid(server, Basket { buyer: "179000159".to_owned(), discount_merchant: 10, freight: 50, ..basket(1, 100) })
}

async fn call(server: &Server, token: &str, method: &str, version: &str, param: Value) -> Value {
    let public = json!({"method": method, "access_token": token, "version": version, "format": "json"});
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("param", &param.to_string()).append_pair("public", &public.to_string());
    send(server, "POST", "/api", form.finish()).await
}

#[tokio::test]
async fn the_app_alone_gets_a_token_and_the_token_alone_the_record() {
    let server = Server::start(Weidian).await.unwrap();
    let token = async |secret: &str| {
        let key = &server.app().key;
        let path_and_query = format!("/token?grant_type=client_credential&appkey={key}&secret={secret}");
        send(&server, "GET", &path_and_query, String::new()).await
    };
    let granted = token(&server.app().secret).await;
    assert_eq!(granted["result"]["expire_in"], 86_400);
    assert_eq!(token("a-guess").await["status"]["status_code"], 90005);
    let (good, id) = (granted["result"]["access_token"].as_str().unwrap(), order(&server));
    let record = call(&server, good, "vdian.order.get", "1.0", json!({"order_id": id})).await;
    assert_eq!((&record["result"]["price"], &record["result"]["total"]), (&json!("0.90"), &json!("1.40")));
    let other = call(&server, "other", "vdian.order.get", "1.0", json!({"order_id": id})).await;
    assert_eq!(other["status"]["status_code"], 10013);
}

#[tokio::test]
async fn accepting_pays_and_what_was_not_shipped_cannot_be_refused() {
    let server = Server::start(Weidian).await.unwrap();
    let (id, token) = (order(&server), server.issue_token(0).access);
    let case = server.shop(|shop| shop.ask_refund(&id, 100, 3).unwrap());
    let decide = async |is_accept: &str| {
        let param = json!({"refund_no": case, "is_accept": is_accept});
        call(&server, &token, "vdian.order.refund.accept", "1.1", param).await["status"]["status_code"].clone()
    };
    assert_eq!(decide("0").await, 90007);
    assert_eq!(decide("1").await, 0);
    assert_eq!(server.shop(|shop| shop.case(&case).unwrap().status), CaseStatus::Refunded);
    assert_eq!(decide("1").await, 90007, "once only");
}

#[test]
fn the_path_is_the_secret() {
    let app = Weidian.app();
    assert!(Weidian.hook(&app).ends_with(app.text("path")) && app.text("path").len() >= 16);
}
