//! What is not configured answers 503 and says which variable it wants; the rest works.

use siyu_tests::host::{Host, Setup};
use siyu_tests::http::{Answer, Client};
use siyu_tests::marketplace::dialect::Dialect;
use siyu_tests::marketplace::doudian::{self, Doudian};
use siyu_tests::merchant::tills;
use siyu_tests::system::{API_TOKEN, DATA_KEY, WEBHOOK_SECRET, fresh_state};

use crate::fixtures::{THEN, assert_problem, sale};

async fn probe(host: &Host) -> Answer {
    let push = Doudian.push(&Doudian.app(), &[doudian::probe()], 0).unwrap();
    push.send(&Client::new(), &host.at("/hooks/douyin")).await.unwrap()
}

async fn send(host: &Host, message: &tills::Message) -> Answer {
    let (headers, body) = message.signed(WEBHOOK_SECRET, jiff::Timestamp::now().as_second()).unwrap();
    Client::new().send("POST", &host.at("/hooks/orders"), &headers, body).await.unwrap()
}

fn assert_names(answer: &Answer, variable: &str) {
    assert_problem(answer, 503);
    assert_eq!(answer.json().unwrap()["variable"], variable, "{answer}");
}

#[tokio::test]
async fn without_any_variable_each_webhook_names_what_it_wants() {
    let state = fresh_state().unwrap();
    let host = Host::start(&Setup::application(), state.path()).unwrap();
    assert_names(&probe(&host).await, "douyin_app_key");
    assert_names(&send(&host, &sale("POS-1").message("paid", THEN).unwrap()).await, "webhook_secret");
    let listed = Client::new().with_token("anything").get(&host.at("/v1/orders")).await.unwrap();
    assert_names(&listed, "api_token");
}

#[tokio::test]
async fn own_shops_work_without_a_platform_s_app() {
    let state = fresh_state().unwrap();
    let setup = Setup::application()
        .variable("webhook_secret", WEBHOOK_SECRET)
        .variable("data_key", DATA_KEY)
        .variable("api_token", API_TOKEN);
    let host = Host::start(&setup, state.path()).unwrap();
    let answer = send(&host, &sale("POS-1").message("paid", THEN).unwrap()).await;
    assert_eq!(answer.status, 200, "{answer}");
    assert_names(&probe(&host).await, "douyin_app_key");
    let orders = Client::new().with_token(API_TOKEN).pages(&host.at("/v1/orders")).await.unwrap();
    assert_eq!(orders.len(), 1);
}

#[tokio::test]
async fn a_variable_of_the_wrong_form_is_named_too() {
    let state = fresh_state().unwrap();
    let setup = Setup::application()
        .variable("webhook_secret", WEBHOOK_SECRET)
        .variable("data_key", "too short")
        .variable("api_token", API_TOKEN);
    let host = Host::start(&setup, state.path()).unwrap();
    assert_names(&send(&host, &sale("POS-1").message("paid", THEN).unwrap()).await, "data_key");
}
