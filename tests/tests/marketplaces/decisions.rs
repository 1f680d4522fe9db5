//! Decisions on after-sale cases.

use std::sync::Arc;

use domain::{RefundKind, RefundStatus};
use platforms::marketplace::{Answer, ApiError, Ask};
use siyu_tests::marketplace::shop::CaseStatus;
use siyu_tests::marketplace::weidian::Weidian;

use crate::THEN;
use crate::pair::{Pair, now};

/// Platforms whose calls do not say which state of a case was decided on: they carry out what fits the state it is in now.
const WITHOUT_VERSIONS: &[&str] = &["wechat_store", "xiaohongshu"];

#[tokio::test]
async fn decisions_are_carried_out() {
    // JD's staff decides on returns, and Weidian does not tell what is to happen with goods: what these two can be told is
    // tested for each, below.
    for pair in Pair::all().await.into_iter().filter(|pair| !matches!(pair.name(), "jd" | "weidian")) {
        let (order_id, early, back) = pair.server.shop(|shop| {
            let id = shop.place(pair.basket(), THEN);
            shop.pay(&id, THEN + 60).unwrap();
            let early = shop.ask_refund(&id, 100, THEN + 120).unwrap();
            shop.ship(&id, THEN + 180).unwrap();
            let back = shop.ask_return(&id, 1_990, THEN + 240).unwrap();
            (id, early, back)
        });
        let status = |case: &str| pair.server.shop(|shop| shop.case(case).unwrap().status);
        let agree = |case: &str, seen| Ask::Agree { order_id: order_id.clone(), after_sale_id: case.to_owned(), seen };

        assert_eq!(pair.ask(&agree(&early, pair.seen(&order_id, &early).await)).await, Answer::Done);
        assert_eq!(status(&early), CaseStatus::Refunded);
        let seen = pair.seen(&order_id, &back).await;
        assert_eq!((seen.kind, seen.status), (Some(RefundKind::Return), Some(RefundStatus::Applied)));
        assert_eq!(pair.ask(&agree(&back, seen)).await, Answer::Done);
        assert_eq!(status(&back), CaseStatus::Agreed);
        let receipt = async || Ask::ConfirmReceipt {
            order_id: order_id.clone(),
            after_sale_id: back.clone(),
            seen: pair.seen(&order_id, &back).await,
        };
        let soon = receipt().await;
        assert!(matches!(pair.try_to(&soon).await, Err(ApiError::Permanent(_))), "nothing came back yet");
        pair.server.shop(|shop| shop.send_back(&back, now().seconds() + 5).unwrap());
        if pair.is_one_of(WITHOUT_VERSIONS) {
            assert_eq!(pair.try_to(&soon).await, Ok(Answer::Done));
        } else {
            assert!(matches!(pair.try_to(&soon).await, Err(ApiError::Permanent(_))), "it has changed since");
            pair.ask(&receipt().await).await;
        }
        assert_eq!(status(&back), CaseStatus::Refunded);

        let refused = pair.server.shop(|shop| shop.ask_return(&order_id, 100, THEN + 360).unwrap());
        let refuse = Ask::Refuse {
            order_id: order_id.clone(),
            after_sale_id: refused.clone(),
            seen: pair.seen(&order_id, &refused).await,
            reason: "已拆封".to_owned(),
        };
        let rejected = if pair.lacks("refuse") {
            assert!(matches!(pair.try_to(&refuse).await, Err(ApiError::Permanent(_))), "{refuse:?}");
            assert_eq!(status(&refused), CaseStatus::Applied);
            RefundStatus::Applied
        } else {
            pair.ask(&refuse).await;
            assert_eq!(status(&refused), CaseStatus::Rejected);
            RefundStatus::Rejected
        };
        for (case, wanted) in [(&back, RefundStatus::Refunded), (&refused, rejected)] {
            assert_eq!(pair.case(&order_id, case).await.status(), Some(wanted));
        }
    }
}

/// JD takes decisions on cancellations only; those on service bills are its staff's.
#[tokio::test]
async fn jd_is_told_of_cancellations_and_nothing_else() {
    let pair = Pair::named("jd").await;
    let (order_id, agreed, refused, service) = pair.server.shop(|shop| {
        let id = shop.place(pair.basket(), THEN);
        shop.pay(&id, THEN + 60).unwrap();
        let agreed = shop.ask_refund(&id, 100, THEN + 120).unwrap();
        let refused = shop.ask_refund(&id, 200, THEN + 120).unwrap();
        shop.ship(&id, THEN + 180).unwrap();
        let service = shop.ask_return(&id, 1_990, THEN + 240).unwrap();
        (id, agreed, refused, service)
    });
    let status = |case: &str| pair.server.shop(|shop| shop.case(case).unwrap().status);
    let agree = |after_sale_id: String, seen| Ask::Agree { order_id: order_id.clone(), after_sale_id, seen };
    let refuse = |after_sale_id: String, seen| {
        let (order_id, reason) = (order_id.clone(), "已发货".to_owned());
        Ask::Refuse { order_id, after_sale_id, reason, seen }
    };

    let name = pair.case_name(&agreed);
    let seen = pair.seen(&order_id, &name).await;
    assert_eq!((seen.kind, seen.status), (Some(RefundKind::Unshipped), Some(RefundStatus::Applied)));
    assert_eq!(seen.amount.unwrap().get(), 100, "fen, where all else is yuan");
    assert_eq!(pair.ask(&agree(name.clone(), seen.clone())).await, Answer::Done);
    assert_eq!(status(&agreed), CaseStatus::Refunded);
    assert!(matches!(pair.try_to(&agree(name.clone(), seen)).await, Err(ApiError::Permanent(_))), "twice");
    assert_eq!(pair.seen(&order_id, &name).await.status, Some(RefundStatus::Agreed), "never told that it is paid");

    let name = pair.case_name(&refused);
    pair.ask(&refuse(name.clone(), pair.seen(&order_id, &name).await)).await;
    assert_eq!(status(&refused), CaseStatus::Rejected);
    assert_eq!(pair.seen(&order_id, &name).await.status, Some(RefundStatus::Rejected));

    let seen = pair.seen(&order_id, &service).await;
    assert_eq!((seen.kind, seen.status), (Some(RefundKind::Return), Some(RefundStatus::Applied)));
    let receipt =
        Ask::ConfirmReceipt { order_id: order_id.clone(), after_sale_id: service.clone(), seen: seen.clone() };
    for ask in [agree(service.clone(), seen.clone()), refuse(service.clone(), seen), receipt] {
        assert!(matches!(pair.try_to(&ask).await, Err(ApiError::Permanent(_))), "{ask:?}");
    }
    assert_eq!(status(&service), CaseStatus::Applied);
    for (step, wanted) in [
        (CaseStatus::Agreed, RefundStatus::Agreed),
        (CaseStatus::Returning, RefundStatus::Returning),
        (CaseStatus::Refunded, RefundStatus::Refunded),
    ] {
        pair.server.shop(|shop| match step {
            CaseStatus::Agreed => shop.agree(&service, THEN + 300).unwrap(),
            CaseStatus::Returning => shop.send_back(&service, THEN + 360).unwrap(),
            _ => shop.confirm_receipt(&service, THEN + 420).unwrap(),
        });
        let seen = pair.seen(&order_id, &service).await;
        assert_eq!((seen.status, seen.amount.unwrap().get()), (Some(wanted), 1_990));
    }
}

#[tokio::test]
async fn what_came_back_can_be_refused() {
    // JD's staff receives what comes back.
    for pair in Pair::all().await.iter().filter(|pair| !pair.lacks("refuse") && pair.name() != "jd") {
        let (order_id, case) = pair.server.shop(|shop| {
            let id = shop.place(pair.basket(), THEN);
            shop.pay(&id, THEN + 60).unwrap();
            shop.ship(&id, THEN + 120).unwrap();
            let case = shop.ask_return(&id, 1_990, THEN + 180).unwrap();
            shop.agree(&case, THEN + 240).unwrap();
            shop.send_back(&case, THEN + 300).unwrap();
            (id, case)
        });
        let seen = pair.seen(&order_id, &case).await;
        let refuse = Ask::Refuse { order_id, after_sale_id: case.clone(), seen, reason: "不是原件".to_owned() };
        assert_eq!(pair.ask(&refuse).await, Answer::Done);
        let (status, words) = pair.server.shop(|shop| {
            let case = shop.case(&case).unwrap();
            (case.status, case.refusal.clone())
        });
        // Weidian's call has no words.
        let said = if pair.name() == "weidian" { "" } else { "不是原件" };
        assert_eq!((status, words.as_deref()), (CaseStatus::Rejected, Some(said)), "{}", pair.name());
        assert_eq!(pair.server.books().refunded, 0);
    }
}

#[tokio::test]
async fn weidian_pays_only_for_what_is_not_with_the_buyer() {
    let pair = Pair::of(Arc::new(Weidian), &[]).await;
    let (order_id, early) = pair.server.shop(|shop| {
        let id = shop.place(pair.basket(), THEN);
        shop.pay(&id, THEN + 60).unwrap();
        let early = shop.ask_refund(&id, 100, THEN + 120).unwrap();
        (id, early)
    });
    let status = |case: &str| pair.server.shop(|shop| shop.case(case).unwrap().status);
    let (order, reason) = (|| order_id.clone(), "已拆封".to_owned());

    // Nothing was shipped: agreeing pays, and refusing is not possible.
    let seen = pair.seen(&order_id, &early).await;
    assert_eq!((seen.kind, seen.status), (Some(RefundKind::Unshipped), None));
    let refuse =
        Ask::Refuse { order_id: order(), after_sale_id: early.clone(), seen: seen.clone(), reason: reason.clone() };
    assert!(matches!(pair.try_to(&refuse).await, Err(ApiError::Permanent(_))));
    assert_eq!(pair.ask(&Ask::Agree { order_id: order(), after_sale_id: early.clone(), seen }).await, Answer::Done);
    assert_eq!(status(&early), CaseStatus::Refunded);
    assert_eq!(pair.case(&order_id, &early).await.status(), Some(RefundStatus::Refunded));

    // Shipped: the platform does not tell whether goods come back, so agreeing is not even asked.
    let back = pair.server.shop(|shop| {
        shop.ship(&order_id, THEN + 180).unwrap();
        shop.ask_return(&order_id, 1_990, THEN + 240).unwrap()
    });
    let seen = pair.seen(&order_id, &back).await;
    assert_eq!((seen.kind, seen.status), (Some(RefundKind::Other), None));
    let calls = pair.server.calls().len();
    let agree = Ask::Agree { order_id: order(), after_sale_id: back.clone(), seen: seen.clone() };
    assert!(matches!(pair.try_to(&agree).await, Err(ApiError::Permanent(_))));
    assert_eq!((pair.server.calls().len(), status(&back)), (calls, CaseStatus::Applied));

    // Once the goods are back, confirming it pays; and shipped goods can be refused.
    pair.server.shop(|shop| {
        shop.agree(&back, THEN + 300).unwrap();
        shop.send_back(&back, THEN + 360).unwrap();
    });
    let receipt = Ask::ConfirmReceipt { order_id: order(), after_sale_id: back.clone(), seen: seen.clone() };
    assert_eq!(pair.ask(&receipt).await, Answer::Done);
    assert_eq!(status(&back), CaseStatus::Refunded);
    let refused = pair.server.shop(|shop| shop.ask_return(&order_id, 100, THEN + 420).unwrap());
    let refuse = Ask::Refuse { order_id: order(), after_sale_id: refused.clone(), seen, reason };
    assert_eq!(pair.ask(&refuse).await, Answer::Done);
    assert_eq!(status(&refused), CaseStatus::Rejected);
}
