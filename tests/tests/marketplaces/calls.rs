//! Other calls, and what refusals say.

use platforms::marketplace::{Answer, ApiError, Ask, Shelf};
use siyu_tests::marketplace::server::Trouble;

use crate::THEN;
use crate::pair::Pair;

#[tokio::test]
async fn stock_is_set() {
    for pair in Pair::all().await {
        let shelf = pair.server.shop(|shop| shop.shelf("TEA-A"));
        let shelf = Shelf { product_id: shelf.product_id, sku_id: Some(shelf.sku_id) };
        for quantity in [7, 12, 12, 0] {
            assert_eq!(pair.ask(&Ask::SetStock { shelf: shelf.clone(), quantity }).await, Answer::Done);
            assert_eq!(pair.server.shop(|shop| shop.stock("TEA-A")), Some(quantity));
        }
    }
}

#[tokio::test]
async fn refusals_say_what_to_do_next() {
    for mut pair in Pair::all().await {
        let order_id = pair.server.shop(|shop| shop.place(pair.basket(), THEN));
        let ask = Ask::Order { order_id };
        pair.server.trouble(Trouble { broken_gateway: 1, server_errors: 1, rate_limited: 1, ..Trouble::default() });
        for _ in 0..3 {
            assert!(matches!(pair.try_to(&ask).await, Err(ApiError::Retryable(_))));
        }
        pair.ask(&ask).await;
        // Youzan's records lag behind its pushes, and Weidian's codes are not public: both are asked again.
        let asked_again = ["youzan", "weidian"].contains(&pair.name());
        let nothing = "1".to_owned();
        let others = pair.server.shops(|shops| shops[1].place(pair.basket(), THEN));
        for order_id in [nothing, others] {
            match pair.try_to(&Ask::Order { order_id }).await {
                Err(ApiError::Permanent(_)) if !asked_again => {}
                Err(ApiError::Retryable(_)) if asked_again => {}
                other => panic!("{}: {other:?}", pair.name()),
            }
        }
        pair.server.expire_tokens();
        assert!(matches!(pair.try_to(&ask).await, Err(ApiError::TokenExpired(_))));
        if pair.renew().await {
            pair.ask(&ask).await;
        }
    }
}
