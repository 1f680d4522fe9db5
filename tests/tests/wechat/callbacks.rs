//! Callbacks on the wire: sealed, signed, repeated, lost, doubled, disordered; and the console's trial of an address.

use std::collections::BTreeSet;
use std::time::Duration;

use siyu_tests::marketplace::push::Mishaps;
use siyu_tests::wechat::callback::Mode;
use siyu_tests::wecom::Wecom;

use super::receiver::{Answer, Receiver};
use super::{THEN, kinds, somebody, wecom};

async fn routed(wecom: &Wecom, answers: Vec<Answer>) -> Receiver {
    let receiver = Receiver::start(wecom.console(), THEN, answers).await;
    wecom.route(&receiver.address);
    wecom.set_pause(Duration::from_millis(5));
    receiver
}

#[tokio::test]
async fn xml_and_json_open_to_the_same_event() {
    let (wecom, caller) = wecom().await;
    caller.way("c", &["staff-01"]).await;
    let receiver = routed(&wecom, Vec::new()).await;
    let mut added = Vec::new();
    for mode in [Mode::Sealed, Mode::Json] {
        wecom.set_mode(mode);
        added.push(wecom.scan("c", &somebody()).unwrap());
        wecom.deliver(&Mishaps::NONE).await.unwrap();
    }
    let heard = receiver.heard();
    assert!(heard[0].body.starts_with("<xml>") && heard[1].body.starts_with('{'));
    for (told, added) in receiver.told().iter().zip(added) {
        let field = |name: &str| told[name].as_str().unwrap().to_owned();
        assert_eq!(
            (field("Event"), field("ChangeType")),
            ("change_external_contact".into(), "add_external_contact".into())
        );
        assert_eq!((field("ExternalUserID"), field("State")), (added.external_userid, "c".into()));
        assert_eq!(Some(field("WelcomeCode")), added.welcome_code);
        assert_eq!((field("ToUserName"), field("FromUserName")), (wecom.console().receive_id, "sys".into()));
        let time = &told["CreateTime"];
        assert_eq!(time.as_i64().or_else(|| time.as_str()?.parse().ok()), Some(THEN));
    }
}

#[tokio::test]
async fn what_is_not_taken_in_time_comes_three_times_with_the_same_text_and_a_new_seal() {
    let (wecom, caller) = wecom().await;
    caller.way("c", &["staff-01"]).await;
    let late = Answer::Late(Duration::from_millis(500));
    let receiver = routed(&wecom, vec![Answer::Status(500), late.clone()]).await;
    wecom.set_patience(Duration::from_millis(200));
    wecom.scan("c", &somebody()).unwrap();
    wecom.deliver(&Mishaps::NONE).await.unwrap();
    let (heard, told) = (receiver.heard(), receiver.told());
    assert_eq!(told.len(), 3);
    assert!(told.iter().all(|again| *again == told[0]));
    let bodies: BTreeSet<_> = heard.iter().map(|heard| &heard.body).collect();
    let queries: BTreeSet<_> = heard.iter().map(|heard| &heard.query).collect();
    assert_eq!((bodies.len(), queries.len()), (3, 3), "fresh random bytes and nonce");
    // The fourth never comes, and what follows is sent all the same.
    let receiver = routed(&wecom, vec![Answer::Status(503), Answer::Status(401), late]).await;
    wecom.scan("c", &somebody()).unwrap();
    wecom.scan("c", &somebody()).unwrap();
    assert!(wecom.deliver(&Mishaps::NONE).await.is_err());
    assert_eq!(receiver.told().len(), 4);
    assert_eq!(kinds(&wecom.dropped()), ["add_external_contact"]);
    assert!(wecom.untold().is_empty());
}

#[tokio::test]
async fn callbacks_are_lost_doubled_and_disordered_on_demand() {
    let (wecom, caller) = wecom().await;
    caller.way("c", &["staff-01", "staff-02"]).await;
    let receiver = routed(&wecom, Vec::new()).await;
    let scan =
        |count: usize| (0..count).map(|_| wecom.scan("c", &somebody()).unwrap().external_userid).collect::<Vec<_>>();
    let scanned = scan(40);
    wecom.deliver(&Mishaps { seed: 3, duplicated: 30, disordered: 30, ..Mishaps::NONE }).await.unwrap();
    let told: Vec<_> =
        receiver.told().into_iter().map(|told| told["ExternalUserID"].as_str().unwrap().to_owned()).collect();
    assert!(told.len() > 44, "{}", told.len());
    assert_eq!(told.iter().collect::<BTreeSet<_>>(), scanned.iter().collect());
    let mut firsts = told.clone();
    let mut seen = BTreeSet::new();
    firsts.retain(|id| seen.insert(id.clone()));
    assert_ne!(firsts, scanned);
    scan(40);
    wecom.deliver(&Mishaps { seed: 3, dropped: 50, ..Mishaps::NONE }).await.unwrap();
    let came = receiver.told().len() - told.len();
    assert!((5..35).contains(&came), "{came}");
    scan(30);
    wecom.deliver_together(&Mishaps::NONE, 8).await.unwrap();
    assert_eq!(receiver.told().len() - told.len() - came, 30, "at the same time, and none is lost");
}

#[tokio::test]
async fn two_customers_of_one_second_differ_in_themselves_only() {
    let (wecom, caller) = wecom().await;
    caller.way("c", &["staff-01"]).await;
    let receiver = routed(&wecom, Vec::new()).await;
    wecom.set_clock(None);
    wecom.scan_together("c", "staff-01", &[somebody(), somebody()]).unwrap();
    wecom.set_clock(Some(THEN));
    wecom.deliver(&Mishaps::NONE).await.unwrap();
    let told = receiver.told();
    for same in ["FromUserName", "CreateTime", "ChangeType", "UserID", "State"] {
        assert_eq!(told[0][same], told[1][same], "{same}");
    }
    for other in ["ExternalUserID", "WelcomeCode"] {
        assert_ne!(told[0][other], told[1][other], "{other}");
    }
}

#[tokio::test]
async fn the_console_accepts_only_an_address_that_answers_right_and_in_a_second() {
    let (wecom, _) = wecom().await;
    assert!(wecom.verify_url().await.is_err(), "no address");
    routed(&wecom, Vec::new()).await;
    wecom.verify_url().await.unwrap();
    for wrong in [Answer::Status(500), Answer::Body("nonsense".to_owned()), Answer::Late(Duration::from_millis(1_100))]
    {
        let receiver = routed(&wecom, vec![wrong.clone()]).await;
        assert!(wecom.verify_url().await.is_err(), "{wrong:?}");
        assert!(receiver.heard().is_empty());
    }
    // Somebody with another token.
    let mut console = wecom.console();
    console.token = "another".to_owned();
    let receiver = Receiver::start(console, THEN, Vec::new()).await;
    wecom.route(&receiver.address);
    assert!(wecom.verify_url().await.is_err());
}
