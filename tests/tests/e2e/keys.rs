//! Keys are changed as docs/operations.md tells: what was sealed with the old one is read, who was found by it is found.

use jiff::Timestamp;
use serde_json::Value;
use siyu_tests::http::Client;
use siyu_tests::system::{DATA_KEY, System, WEBHOOK_SECRET};

use crate::database::{assert_sound, is_settled};
use crate::fixtures::{PATIENCE, THEN, sale};

const PHONE: &str = "13900000123";
/// Made up, as those before them.
const NEW_KEY: &str = "dGVzdC1vbmx5LWRhdGEta2V5LTMyLWJ5dGVzLW5ldyE=";
const NEW_SECRET: &str = "whsec_dGVzdC1vbmx5LXdlYmhvb2stc2VjcmV0LTAwMDI=";

async fn sold(system: &System, number: usize, secret: &str) -> u16 {
    let mut sold = sale(&format!("POS-{number}"));
    sold.phone = Some(PHONE.to_owned());
    let (headers, body) = sold.message("paid", THEN).unwrap().signed(secret, Timestamp::now().as_second()).unwrap();
    Client::new().send("POST", &system.orders_hook(), &headers, body).await.unwrap().status.as_u16()
}

/// The one customer of the phone, with so many orders.
async fn buyer(system: &System, orders: usize) -> Value {
    let found = async |system: &System| {
        let found = system.client.pages(&system.host.at(&format!("/v1/customers?phone={PHONE}"))).await?;
        let [customer] = found.as_slice() else { return Ok(None) };
        let id = customer["id"].as_str().unwrap_or_default();
        let copy = system.client.get(&system.host.at(&format!("/v1/customers/{id}/export"))).await?.json()?;
        let all = copy["orders"].as_array().is_some_and(|kept| kept.len() == orders);
        Ok((all && is_settled(system)).then_some(copy))
    };
    system.wait_for("one customer with all orders", PATIENCE, found).await.unwrap()
}

fn phones(copy: &Value) -> Vec<&str> {
    copy["orders"].as_array().unwrap().iter().map(|order| order["phone"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn keys_are_changed_and_nobody_is_lost() {
    let system = System::start().await.unwrap();
    assert_eq!(sold(&system, 1, WEBHOOK_SECRET).await, 200);
    let before = buyer(&system, 1).await;

    let system = system
        .restart_with(|setup| {
            let both = |new: &str, old: &str| format!("{new} {old}");
            setup
                .variable("data_key", both(NEW_KEY, DATA_KEY))
                .variable("webhook_secret", both(NEW_SECRET, WEBHOOK_SECRET))
        })
        .await
        .unwrap();
    assert_eq!(sold(&system, 2, WEBHOOK_SECRET).await, 200);
    assert_eq!(sold(&system, 3, NEW_SECRET).await, 200);
    let after = buyer(&system, 3).await;
    assert_eq!(after["id"], before["id"], "the same customer");
    assert_eq!(phones(&after), [phones(&before)[0]; 3], "sealed before and after");

    let system = system.restart_with(|setup| setup.variable("webhook_secret", NEW_SECRET)).await.unwrap();
    assert_eq!(sold(&system, 4, WEBHOOK_SECRET).await, 401);
    assert_eq!(sold(&system, 4, NEW_SECRET).await, 200);
    assert_eq!(phones(&buyer(&system, 4).await).len(), 4);
    assert_sound(&system);
}
