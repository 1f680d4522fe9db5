//! The service's own rules.

use std::collections::VecDeque;

use super::*;

const AT: i64 = 1_790_000_000;
const CALLBACK: &str = "https://siyu.example.com/hooks/kuaidi100";

async fn post(server: &Server, path: &str, fields: &[(&str, &str)]) -> Result<Answer> {
    let body = Serializer::new(String::new()).extend_pairs(fields).finish();
    let mut headers = HeaderMap::new();
    headers.insert("content-type", "application/x-www-form-urlencoded".parse()?);
    Client::new().send("POST", &format!("{}{path}", server.base()), &headers, body.into_bytes()).await
}

fn code(answer: Result<Answer>) -> String {
    let answer = answer.unwrap();
    answer.json().map_or(answer.status.as_u16().to_string(), |body| body["returnCode"].as_str().unwrap().to_owned())
}

fn parcel(number: &str) -> Value {
    json!({ "company": "", "number": number, "key": "kuaidi100-key",
        "parameters": { "callbackurl": CALLBACK, "salt": "salt", "resultv2": "4", "autoCom": "1" } })
}

async fn poll(server: &Server, param: &Value) -> String {
    code(post(server, "/poll", &[("schema", "json"), ("param", &param.to_string())]).await)
}

/// A subscriber who gives these answers, the last one for ever, and keeps what it was told.
async fn subscriber(answers: &[&'static str]) -> (String, Arc<Mutex<Vec<Bytes>>>) {
    let heard: Arc<Mutex<Vec<Bytes>>> = Arc::default();
    let answers = Arc::new(Mutex::new(VecDeque::from(answers.to_vec())));
    let ears = Arc::clone(&heard);
    let router = Router::new().fallback(move |body: Bytes| {
        ears.lock().unwrap().push(body);
        let mut answers = answers.lock().unwrap();
        let answer = if answers.len() > 1 { answers.pop_front() } else { answers.front().copied() };
        async move { answer.unwrap() }
    });
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (address, heard)
}

const TAKEN: &str = r#"{"result":true,"returnCode":"200","message":"成功"}"#;

fn fields(body: &[u8]) -> BTreeMap<String, String> {
    form_urlencoded::parse(body).into_owned().collect()
}

#[tokio::test]
async fn a_parcel_is_watched_once_and_only_for_the_merchant() {
    let server = Server::start().await.unwrap();
    let changed = |pointer: &str, value: Value| {
        let mut param = parcel("YT00000001");
        *param.pointer_mut(pointer).unwrap() = value;
        param
    };
    for (param, expected) in [
        (changed("/key", json!("another")), "600"),
        (changed("/number", json!("")), "700"),
        (changed("/number", json!("Y".repeat(33))), "700"),
        (changed("/parameters/callbackurl", json!("")), "700"),
        (changed("/parameters/autoCom", json!("0")), "701"),
        (parcel("YT00000001"), "200"),
        (parcel("YT00000001"), "501"),
        (changed("/company", json!("yuantong")), "501"),
        (parcel("YT00000002"), "200"),
    ] {
        assert_eq!(poll(&server, &param).await, expected, "{param}");
    }
    let watched = server.watched();
    let seen: Vec<_> = watched.iter().map(|parcel| (parcel.tracking_number.as_str(), parcel.times)).collect();
    assert_eq!(seen, [("YT00000001", 1), ("YT00000002", 1)]);
    let first = &watched[0];
    assert_eq!((first.carrier.as_str(), first.callback.as_str()), ("yuantong", CALLBACK));
    assert_eq!((server.count("YT00000001", "200"), server.count("YT00000001", "501")), (1, 2));
    assert_eq!(code(post(&server, "/poll", &[("param", &parcel("YT3").to_string())]).await), "700", "no schema");
    assert_eq!(code(post(&server, "/nowhere", &[]).await), "404");
}

#[tokio::test]
async fn trouble_comes_as_asked_for_and_a_lost_answer_undoes_nothing() {
    let server = Server::start().await.unwrap();
    server.trouble(Trouble { broken_gateway: 1, server_errors: 1, rate_limited: 1, ..Trouble::default() });
    let param = parcel("YT00000001");
    for expected in ["502", "500", "429", "200"] {
        assert_eq!(poll(&server, &param).await, expected);
    }
    server.trouble(Trouble { lost_answers: 1, ..Trouble::default() });
    let param = parcel("YT00000002").to_string();
    post(&server, "/poll", &[("schema", "json"), ("param", &param)]).await.unwrap_err();
    assert_eq!(code(post(&server, "/poll", &[("schema", "json"), ("param", &param)]).await), "501");
    let codes: Vec<_> = server.calls().into_iter().map(|call| call.code).collect();
    assert_eq!(codes, ["502", "500", "429", "200", "lost", "501"]);
}

#[tokio::test]
async fn news_is_signed_cumulative_and_newest_first_until_the_parcel_has_arrived() {
    let server = Server::start().await.unwrap();
    let (address, heard) = subscriber(&[TAKEN]).await;
    server.route(&address);
    server.note("YT00000001", State::PICKED_UP, AT);
    assert!(server.untold().is_empty(), "nobody watches");
    assert_eq!(poll(&server, &parcel("YT00000001")).await, "200");
    server.deliver(&Mishaps::NONE).await.unwrap();
    assert_eq!(server.tell("YT00000001", State("1002"), AT + 60).await.unwrap(), 1);
    assert_eq!(server.tell("YT00000001", State::SIGNED_FROM_LOCKER, AT + 120).await.unwrap(), 1);
    server.tell("YT00000001", State::SIGNED, AT + 180).await.unwrap_err();
    let heard: Vec<_> = heard.lock().unwrap().iter().map(|body| fields(body)).collect();
    let mut told = Vec::new();
    for form in &heard {
        assert_eq!(form["sign"], sign_push(&form["param"], "salt"));
        let param: Value = serde_json::from_str(&form["param"]).unwrap();
        let last = &param["lastResult"];
        let codes: Vec<_> = last["data"].as_array().unwrap().iter().map(|entry| entry["statusCode"].clone()).collect();
        told.push(json!([param["status"], last["state"], last["ischeck"], codes]));
    }
    let expected = [
        json!(["polling", "1", "0", ["1"]]),
        json!(["polling", "1002", "0", ["1002", "1"]]),
        json!(["shutdown", "304", "1", ["304", "1002", "1"]]),
    ];
    assert_eq!(told, expected);
    assert!(!server.watched()[0].is_live);
}

#[tokio::test]
async fn news_comes_three_times_at_most() {
    let server = Server::start().await.unwrap();
    server.set_pause(Duration::from_millis(1));
    let refused = r#"{"result":false,"returnCode":"500","message":"x"}"#;
    let (address, heard) = subscriber(&["", refused, TAKEN, "ok"]).await;
    server.route(&address);
    assert_eq!(poll(&server, &parcel("YT00000001")).await, "200");
    assert_eq!(server.tell("YT00000001", State::PICKED_UP, AT).await.unwrap(), 3);
    let error = server.tell("YT00000001", State::IN_TRANSIT, AT + 1).await.unwrap_err();
    assert!(error.to_string().contains("dropped"), "{error}");
    let heard = heard.lock().unwrap();
    assert_eq!(heard.len(), 6);
    assert!(heard[0] == heard[2] && heard[3] == heard[5] && heard[2] != heard[3], "the same each time");
}

#[tokio::test]
async fn mishaps_repeat_move_and_lose_news() {
    let server = Server::start().await.unwrap();
    let (address, heard) = subscriber(&[TAKEN]).await;
    server.route(&address);
    assert_eq!(poll(&server, &parcel("YT00000001")).await, "200");
    (0..40).for_each(|n| server.note("YT00000001", State::IN_TRANSIT, AT + n));
    let mishaps = Mishaps { seed: 3, duplicated: 30, disordered: 30, dropped: 20, ..Mishaps::NONE };
    server.deliver(&mishaps).await.unwrap();
    let heard = heard.lock().unwrap();
    let lengths: Vec<_> = heard.iter().map(Bytes::len).collect();
    let mut distinct = lengths.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert!(!lengths.is_sorted() && distinct.len() < 40 && lengths.len() > distinct.len(), "{lengths:?}");
}

#[tokio::test]
async fn what_was_given_up_can_be_watched_again_after_half_an_hour() {
    let server = Server::start().await.unwrap();
    server.set_clock(Some(AT));
    assert_eq!(poll(&server, &parcel("YT00000001")).await, "200");
    server.give_up("YT00000001");
    let told = server.untold();
    assert_eq!((&told[0].content["status"], &told[0].content["lastResult"]["data"]), (&json!("abort"), &json!([])));
    server.set_clock(Some(AT + 1799));
    assert_eq!(poll(&server, &parcel("YT00000001")).await, "501");
    server.set_clock(Some(AT + 1800));
    assert_eq!(poll(&server, &parcel("YT00000001")).await, "200");
    assert_eq!(server.watched()[0].times, 2);
}

#[tokio::test]
async fn sf_tells_nothing_to_who_does_not_know_the_phone() {
    let server = Server::start().await.unwrap();
    let mut param = parcel("SF00000001");
    assert_eq!(poll(&server, &param).await, "200");
    server.tell("SF00000001", State::SIGNED, AT).await.unwrap_err();
    param["number"] = json!("SF00000002");
    param["parameters"]["phone"] = json!("0001");
    assert_eq!(poll(&server, &param).await, "200");
    server.note("SF00000002", State::SIGNED, AT);
    assert_eq!(server.untold().len(), 1);
}

fn pickup(number: &str) -> Value {
    json!({ "kuaidicom": "jd", "sendManName": "测试买家", "sendManMobile": "13900000003", "sendManPrintAddr": "测试路 1 号",
        "recManName": "测试商家", "recManMobile": "13900000004", "recManPrintAddr": "测试路 2 号", "callBackUrl": CALLBACK,
        "thirdOrderId": number, "salt": "salt", "payment": "SHIPPER", "weight": "1.050" })
}

async fn order_call(server: &Server, method: &str, param: &Value) -> Value {
    let (param, t) = (param.to_string(), "1790000000000");
    let sign = sign_call(server.app(), &param, t);
    let fields = [("method", method), ("key", "kuaidi100-key"), ("sign", &sign), ("t", t), ("param", &param)];
    post(server, "/order/borderapi.do", &fields).await.unwrap().json().unwrap()
}

#[tokio::test]
async fn the_merchant_s_number_is_the_same_courier_for_two_days() {
    let server = Server::start().await.unwrap();
    server.set_clock(Some(AT));
    let first = order_call(&server, "bOrder", &pickup("R1")).await;
    assert_eq!((&first["returnCode"], &first["data"]["kuaidinum"]), (&json!("200"), &json!("")));
    assert_eq!(order_call(&server, "bOrder", &pickup("R1")).await["data"], first["data"]);
    server.set_clock(Some(AT + 48 * 3600));
    assert_ne!(order_call(&server, "bOrder", &pickup("R1")).await["data"], first["data"]);
    let times: Vec<_> = server.pickups().into_iter().map(|order| order.times).collect();
    assert_eq!(times, [2, 1]);
    let mut nameless = pickup("R2");
    nameless["sendManName"] = json!(" ");
    assert_eq!(order_call(&server, "bOrder", &nameless).await["returnCode"], "30001");
}

#[tokio::test]
async fn a_call_about_couriers_is_signed_in_capitals() {
    let server = Server::start().await.unwrap();
    let (param, t) = (pickup("R1").to_string(), "1790000000000");
    let sign = sign_call(server.app(), &param, t);
    for (key, sign, t, expected) in [
        ("another", sign.clone(), t, "600"),
        ("kuaidi100-key", sign.to_lowercase(), t, "30002"),
        ("kuaidi100-key", sign_call(server.app(), "{}", t), t, "30002"),
        ("kuaidi100-key", sign.clone(), "now", "30001"),
        ("kuaidi100-key", sign.clone(), t, "200"),
    ] {
        let fields = [("method", "bOrder"), ("key", key), ("sign", &sign), ("t", t), ("param", &param)];
        assert_eq!(code(post(&server, "/order/borderapi.do", &fields).await), expected);
    }
    assert_eq!(server.pickups().len(), 1);
}

#[tokio::test]
async fn a_courier_can_be_called_off_until_the_parcel_is_picked_up() {
    let server = Server::start().await.unwrap();
    let (address, heard) = subscriber(&[TAKEN]).await;
    server.route(&address);
    let mut orders = Vec::new();
    for number in ["R1", "R2"] {
        orders.push(order_call(&server, "bOrder", &pickup(number)).await["data"].clone());
    }
    let cancel =
        |order: &Value| json!({ "taskId": order["taskId"], "orderId": order["orderId"], "cancelMsg": "不退了" });
    assert_eq!(order_call(&server, "cancel", &cancel(&orders[0])).await["returnCode"], "200");
    assert_eq!(order_call(&server, "cancel", &cancel(&orders[0])).await["returnCode"], "30005", "it is over");
    let order_id = orders[1]["orderId"].as_str().unwrap();
    for (status, fee) in [(status::ACCEPTED, None), (status::PICKED_UP, None), (status::SETTLED, Some(1205))] {
        assert_eq!(server.pickup_news(order_id, status, fee).await.unwrap(), 1);
    }
    assert_eq!(order_call(&server, "cancel", &cancel(&orders[1])).await["returnCode"], "30005", "the carrier has it");
    assert_eq!(
        order_call(&server, "cancel", &json!({ "taskId": "T", "orderId": "1", "cancelMsg": "x" })).await["returnCode"],
        "30004"
    );
    server.pickup_news("1", status::ACCEPTED, None).await.unwrap_err();
    server.deliver(&Mishaps::NONE).await.unwrap();
    let heard: Vec<_> = heard.lock().unwrap().iter().map(|body| fields(body)).collect();
    let told: Vec<_> = heard
        .iter()
        .map(|form| {
            assert_eq!(form["sign"], sign_push(&form["param"], "salt"));
            let param: Value = serde_json::from_str(&form["param"]).unwrap();
            let data = &param["data"];
            json!([form["taskId"], data["status"], param["kuaidinum"], data["freight"]])
        })
        .collect();
    let number = format!("JD{order_id}");
    let expected = [
        json!(["TASK00000002", 1, "", null]),
        json!(["TASK00000002", 10, number, null]),
        json!(["TASK00000002", 15, number, "12.05"]),
        json!(["TASK00000001", 9, "", null]),
    ];
    assert_eq!(told, expected);
    let books = server.pickups();
    assert_eq!((books[0].status, books[1].status, books[1].fee), (status::CANCELLED, status::PICKED_UP, Some(1205)));
}
