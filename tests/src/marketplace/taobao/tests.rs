use std::collections::BTreeMap;

use http::HeaderMap;
use jiff::Timestamp;

use super::*;
use crate::http::Client;
use crate::marketplace::dialect::gmt8;
use crate::marketplace::server::Server;
use crate::marketplace::shop::{Basket, Goods};

/// Call as an honest client does, unless `spoil` changes the signed form.
async fn call(
    server: &Server,
    method: &str,
    fields: &[(&str, &str)],
    spoil: impl Fn(&mut BTreeMap<String, String>),
) -> Value {
    let (key, timestamp) = (&server.app().key, gmt8(Timestamp::now().as_second()));
    let session = server.issue_token(0).access;
    let public = [
        ("method", method),
        ("app_key", key),
        ("timestamp", &timestamp),
        ("v", "2.0"),
        ("format", "json"),
        ("sign_method", "hmac-sha256"),
        ("session", &session),
    ];
    let all = public.iter().chain(fields);
    let mut form: BTreeMap<_, _> = all.map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    form.insert("sign".to_owned(), sign::sign(server.app(), &form).unwrap());
    spoil(&mut form);
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(&form).finish();
    let url = format!("{}/router/rest", server.base());
    Client::new().send("POST", &url, &HeaderMap::new(), body.into()).await.unwrap().json().unwrap()
}

fn paid_order(server: &Server) -> String {
    let tea = Goods { code: "T".into(), title: "测试茶".into(), quantity: 1, unit_price: 100 };
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
    let server = Server::start(Taobao).await.unwrap();
    let id = paid_order(&server);
    let fields = [("tid", id.as_str()), ("fields", "tid,orders")];
    let method = "taobao.trade.fullinfo.get";
    let answer = call(&server, method, &fields, |_| ()).await;
    assert_eq!(answer["trade_fullinfo_get_response"]["trade"]["tid_str"], json!(id));
    for (name, text, code) in
        [("sign", "0", 25), ("fields", "tid", 25), ("app_key", "1", 29), ("sign_method", "md5", 25), ("v", "1.0", 22)]
    {
        let spoil = |form: &mut BTreeMap<String, String>| drop(form.insert(name.to_owned(), text.to_owned()));
        assert_eq!(call(&server, method, &fields, spoil).await["error_response"]["code"], code, "{name}");
    }
    server.set_clock(Some(Timestamp::now().as_second() + 11 * 60));
    assert_eq!(call(&server, method, &fields, |_| ()).await["error_response"]["code"], 31);
}

#[tokio::test]
async fn a_case_is_paid_only_as_it_stands() {
    let server = Server::start(Taobao).await.unwrap();
    let id = paid_order(&server);
    let case = server.shop(|shop| shop.ask_refund(&id, 100, 3).unwrap());
    for (infos, succeeds) in [
        (format!("{case}|99|3000|onsale"), false),
        (format!("{case}|100|4000|onsale"), false),
        (format!("{case}|100|3000|later"), false),
        (format!("{case}|100"), false),
        (format!("{case}|100|3000|onsale"), true),
        (format!("{case}|100|3000|onsale"), false),
    ] {
        let answer = call(&server, "taobao.rp.refunds.agree", &[("refund_infos", &infos)], |_| ()).await;
        assert_eq!(answer["rp_refunds_agree_response"]["succ"] == true, succeeds, "{infos}: {answer}");
    }
    assert_eq!(server.books().refunded, 100);
    let review = call(&server, "taobao.rp.refund.review", &[("refund_id", &case)], |_| ()).await;
    assert_eq!(review["error_response"]["code"], 22, "only Tmall has it");
}

#[tokio::test]
async fn lists_take_a_day_at_most_and_leave_out_what_is_empty() {
    let server = Server::start(Taobao).await.unwrap();
    let list = async |until: &str| {
        let fields = [
            ("fields", "tid"),
            ("start_modified", "2026-01-01 00:00:00"),
            ("end_modified", until),
            ("page_no", "1"),
            ("page_size", "100"),
        ];
        call(&server, "taobao.trades.sold.increment.get", &fields, |_| ()).await
    };
    let empty = &list("2026-01-02 00:00:00").await["trades_sold_increment_get_response"];
    assert_eq!((&empty["total_results"], empty.get("trades")), (&json!(0), None));
    assert_eq!(list("2026-01-02 00:00:01").await["error_response"]["code"], 41);
}
