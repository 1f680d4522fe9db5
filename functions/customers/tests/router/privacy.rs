//! A copy of what is known, and being forgotten.

use crate::support::{House, event, paid, who};
use domain::IdentityKind::{WechatOpenId, WechatUnionId};
use domain::{Identity, OrderFacts};
use kit::Vault;
use serde_json::json;

#[tokio::test]
async fn everything_is_exported_and_after_erasure_nothing_personal_is_left_but_figures_are() {
    let house = House::open().await;
    house.call("PUT", "/v1/profile-fields/note", Some(json!({ "label": "备注", "type": "text" }))).await;
    let mut told = event("e-1", "form.submitted", "oUnion-0001", json!({ "form": "f", "fields": { "wish": "粉色" } }));
    told["data"]["who"]["phone"] = json!("13800000001");
    told["data"]["who"]["phone_verified"] = json!(true);
    told["data"]["who"]["name"] = json!("欧阳小明");
    told["data"]["attributes"] = json!({ "note": "怕苦" });
    house.told(&told).await;
    house.happened(vec![paid(1, &[who(WechatUnionId, "oUnion-0001")], 10, 4_850)]).await;
    let id = house.only_customer().await["id"].as_str().unwrap().to_owned();

    let copy = house.get(&format!("/v1/customers/{id}/export")).await.to_string();
    for known in ["membership", "points", "欧阳小明", "+8613800000001", "粉色", "怕苦", "oUnion-0001", "order.paid"]
    {
        assert!(copy.contains(known), "{known} is missing in {copy}");
    }
    assert_eq!(house.column("select count(*) || '' as v from audit where action like '%export%'").await, ["1"]);

    for _ in 0..2 {
        assert_eq!(house.call("POST", &format!("/v1/customers/{id}/erase"), None).await.0, 204);
    }
    house.consume().await;
    let copy = house.get(&format!("/v1/customers/{id}/export")).await.to_string();
    for gone in ["欧阳小明", "13800000001", "粉色", "怕苦", "oUnion-0001"] {
        assert!(!copy.contains(gone), "{gone} is left in {copy}");
    }
    let found = house.get(&format!("/v1/customers/{id}")).await;
    assert_eq!((&found["orders"]["paid"], &found["name"]), (&json!(4_850), &json!(null)));
    assert!(found["erased_at"].is_string());
    for (table, column) in [
        ("intake", "event_id"),
        ("identity_clear", "value"),
        ("customer_name_prefix", "hash"),
        ("customer_attribute", "field"),
    ] {
        assert_eq!(house.column(&format!("select {column} as v from {table}")).await, Vec::<String>::new(), "{table}");
    }
    let erased = house.column("select data -> 'order_ids' as v from event where type = 'customer.erased'").await;
    assert_eq!(erased.len(), 1, "once");
    assert!(erased[0].contains(&crate::support::order_id(1).to_string()));

    // Who comes again is a new customer.
    house.happened(vec![paid(2, &[who(WechatUnionId, "oUnion-0001")], 20, 100)]).await;
    assert_eq!(house.get("/v1/customers").await["items"].as_array().unwrap().len(), 2);
}

/// What other functions keep of the person is in the copy too.
#[tokio::test]
async fn orders_and_messages_are_in_the_copy() {
    let house = House::open().await;
    let open_id = Identity { scope: Some("wx-test".to_owned()), ..who(WechatOpenId, "oOpen-0001") };
    house.happened(vec![paid(1, &[who(WechatUnionId, "oUnion-0001"), open_id], 10, 4_850)]).await;
    let id = house.only_customer().await["id"].as_str().unwrap().to_owned();
    let vault = Vault::new(house.app.variables()).unwrap();
    let seal = |purpose: &str, text: &str| vault.seal(purpose, text.as_bytes()).unwrap();
    let (phone, text) =
        (seal(platforms::own::PHONE, "+8613800000001"), seal(platforms::official_account::TEXT, "少糖可以吗"));
    let write = move |tx: &kit::Tx<'_>| -> Result<(), kit::DbError> {
        let order = crate::support::order_id(1).to_string();
        tx.run(
            "insert into \"order\" (id, platform, shop, platform_order_id, facts, status, complete, placed_at, updated_at, phone)
             values (?1, 'douyin', 's-1', 'DD-0001', ?2, 'paid', 1, 0, 0, ?3)",
            &kit::params![order.as_str(), serde_json::to_string(&OrderFacts::default()).unwrap(), phone.clone()],
        )?;
        tx.run(
            "insert into refund (id, order_id, after_sale_id, facts, status, amount, applied_at)
             values ('r-1', ?1, 'AS-0001', '{}', 'refunded', 350, 0)",
            &kit::params![order],
        )?;
        tx.run(
            "insert into inbound_message (event_id, account, kind, value, form, sealed, at)
             values ('m-1', 'wx-test', 'wechat_open_id', 'oOpen-0001', 'text', ?1, 0)",
            &kit::params![text.clone()],
        )
    };
    house.app.db().write(&kit::Cx::at(crate::support::at(0)), write).await.unwrap();
    let copy = house.get(&format!("/v1/customers/{id}/export")).await;
    let order = &copy["orders"][0];
    assert_eq!(
        (&order["order"]["key"]["platform_order_id"], &order["phone"]),
        (&json!("DD-0001"), &json!("+8613800000001"))
    );
    assert_eq!(order["refunds"][0]["amount"], 350);
    assert_eq!(copy["messages"][0]["text"], "少糖可以吗");
}

#[tokio::test]
async fn a_phone_that_only_hinted_goes_with_the_person_unless_it_is_another_s_too() {
    let house = House::open().await;
    let hinted = |id: &str, unionid: &str| {
        let mut told = event(id, "form.submitted", unionid, json!({ "form": "f", "fields": {} }));
        told["data"]["who"]["phone"] = json!("13800000001");
        told
    };
    house.told(&hinted("e-1", "u-1")).await;
    house.told(&hinted("e-2", "u-2")).await;
    let list = house.get("/v1/customers").await;
    for (place, left) in [(0, "1"), (1, "0")] {
        let id = list["items"][place]["id"].as_str().unwrap();
        assert_eq!(house.call("POST", &format!("/v1/customers/{id}/erase"), None).await.0, 204);
        assert_eq!(house.column("select count(*) || '' as v from identity_clear").await, [left]);
    }
}
