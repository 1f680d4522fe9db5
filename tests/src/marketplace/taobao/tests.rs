use jiff::Timestamp;

use super::*;
use crate::marketplace::dialect::gmt8;
use crate::marketplace::server::Server;
use crate::marketplace::testing::{Fields, basket, form, paid, send, set};

/// Call as an honest client does, unless `spoil` changes the signed form.
async fn call(server: &Server, method: &str, fields: &[(&str, &str)], spoil: impl Fn(&mut Fields)) -> Value {
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
    let mut fields: Fields = all.map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    fields.insert("sign".to_owned(), sign::sign(server.app(), &fields).unwrap());
    spoil(&mut fields);
    send(server, "POST", "/router/rest", form(&fields)).await
}

#[tokio::test]
async fn an_honest_caller_gets_the_record_and_a_forger_a_refusal() {
    let server = Server::start(Taobao).await.unwrap();
    let id = paid(&server, basket(1, 100));
    let fields = [("tid", id.as_str()), ("fields", "tid,orders")];
    let method = "taobao.trade.fullinfo.get";
    let answer = call(&server, method, &fields, |_| ()).await;
    assert_eq!(answer["trade_fullinfo_get_response"]["trade"]["tid_str"], json!(id));
    for (name, text, code) in
        [("sign", "0", 25), ("fields", "tid", 25), ("app_key", "1", 29), ("sign_method", "md5", 25), ("v", "1.0", 22)]
    {
        assert_eq!(call(&server, method, &fields, set(name, text)).await["error_response"]["code"], code, "{name}");
    }
    server.set_clock(Some(Timestamp::now().as_second() + 11 * 60));
    assert_eq!(call(&server, method, &fields, |_| ()).await["error_response"]["code"], 31);
}

#[tokio::test]
async fn a_case_is_paid_only_as_it_stands() {
    let server = Server::start(Taobao).await.unwrap();
    let id = paid(&server, basket(1, 100));
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
