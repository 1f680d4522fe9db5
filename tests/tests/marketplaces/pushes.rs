//! Pushes: what proves that they are genuine, and what they tell.

use std::sync::Arc;

use http::{HeaderMap, Method};
use platforms::Fact;
use platforms::marketplace::{Ask, Delivery, Received, Says, VerifyError};
use siyu_tests::marketplace::dialect;
use siyu_tests::marketplace::push::{Mishaps, Push};
use siyu_tests::marketplace::wechat_store::{self, WechatStore};
use siyu_tests::marketplace::youzan::{self, Youzan};

use crate::THEN;
use crate::pair::{Pair, now};

#[tokio::test]
async fn pushes_are_authentic_and_tell_of_the_order_or_what_to_ask() {
    for pair in Pair::all().await {
        let dialect = pair.server.dialect();
        if !matches!(dialect.delivery(), dialect::Delivery::Push(_)) {
            let push = Push { query: String::new(), headers: HeaderMap::new(), body: b"{}".to_vec() };
            assert_eq!(pair.receive(&push, pair.server.app()), Err(VerifyError::NoPushes), "{}", dialect.name());
            continue;
        }
        let order_id = pair.server.shop(|shop| {
            let id = shop.place(pair.basket(), THEN);
            shop.pay(&id, THEN + 60).unwrap();
            id
        });
        let deliveries = pair.server.deliveries(&Mishaps::NONE);
        assert!(!deliveries.is_empty(), "{}", dialect.name());
        for messages in deliveries {
            let push = pair.server.push(&messages).unwrap();
            let Ok(Received::Messages(received)) = pair.receive(&push, pair.server.app()) else { panic!("{push:?}") };
            assert_eq!(received.len(), messages.len());
            for message in received {
                match message.says {
                    Says::Fact(fact) => {
                        assert!(matches!(*fact, Fact::Order { key, .. } if key.platform_order_id == order_id));
                    }
                    Says::Hint { shop_id, ask } => {
                        assert_eq!((shop_id, ask), (pair.shop_id.clone(), Ask::Order { order_id: order_id.clone() }));
                    }
                    other => panic!("{}: {other:?}", dialect.name()),
                }
            }
            let forger = dialect.guess(pair.server.app());
            assert!(pair.receive(&dialect.push(&forger, &messages, now().seconds()).unwrap(), &forger).is_err());
        }
    }
}

#[tokio::test]
async fn wechat_store_tries_the_address_out() {
    let pair = Pair::of(Arc::new(WechatStore), &[]).await;
    let echo = |query: &str| {
        let (method, headers) = (&Method::GET, &HeaderMap::new());
        let delivery = Delivery { method, path: "/hooks/wechat-store", query, headers, body: b"", now: now() };
        pair.source.receive(&pair.app, &delivery)
    };
    let query = |app| wechat_store::trial(app, "4857093420", now().seconds());
    assert_eq!(echo(&query(pair.server.app())), Ok(Received::Echo("4857093420".to_owned())));
    assert!(echo(&query(&pair.server.dialect().guess(pair.server.app()))).is_err());
}

/// A push of Youzan's older kind proves its content only: good for a question.
#[tokio::test]
async fn youzan_s_older_pushes_are_hints() {
    let pair = Pair::of(Arc::new(Youzan), &[]).await;
    let order_id = pair.server.shop(|shop| shop.place(pair.basket(), THEN));
    let message = pair.server.untold().remove(0);
    let push = youzan::old_push(pair.server.app(), &message).unwrap();
    let Ok(Received::Messages(received)) = pair.receive(&push, pair.server.app()) else { panic!("{push:?}") };
    let ask = Ask::Order { order_id };
    assert_eq!(received[0].says, Says::Hint { shop_id: pair.shop_id.clone(), ask });
    let forger = dialect::App { secret: "a-guess".to_owned(), ..pair.server.app().clone() };
    assert!(pair.receive(&youzan::old_push(&forger, &message).unwrap(), &forger).is_err());
}
