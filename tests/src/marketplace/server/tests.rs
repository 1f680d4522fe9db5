//! The engine with the plainest of dialects: `GET /<question>?token=…&of=…`.

use serde_json::json;

use super::super::shop::{Change, Span};
use super::super::testing::basket;
use super::*;
use crate::http::Answer;

struct Plain;

impl Dialect for Plain {
    fn name(&self) -> &'static str {
        "plain"
    }

    fn app(&self) -> App {
        App::of("key", "secret")
    }

    fn understand(&self, app: &App, call: &Incoming<'_>) -> Result<Understood, Refused> {
        let parameters = call.parameters();
        let of = parameters.get("of").cloned().unwrap_or_default();
        if parameters.get("secret") != Some(&app.secret) {
            return Err(Refused::BadSignature);
        }
        let verdict = Verdict { case_id: of.clone(), kinds: &[], from: &[], updated: None };
        let question = match call.path {
            "/token" if of.is_empty() => Question::Token(Grant::App),
            "/token" => Question::Token(Grant::Refresh(of)),
            "/order" => Question::Order(of),
            "/changed" => Question::ChangedOrders(Span { since: 0, until: i64::MAX, skip: 0, size: 2 }),
            "/messages" => Question::Messages(2),
            "/confirm" => Question::Confirm(vec![of]),
            "/agree" => Question::Agree(verdict),
            _ => return Err(Refused::UnknownCall),
        };
        Ok(Understood { question, token: parameters.get("token").cloned() })
    }

    fn answer(&self, _: &App, shop: &Shop, _: &Question, reply: &Reply<'_>) -> Value {
        match reply {
            Reply::Token(token) => json!({"shop": shop.id(), "access": token.access, "refresh": token.refresh}),
            Reply::Order(order) => json!(order.status.canonical()),
            Reply::Orders(page) => json!([page.items.len(), page.total]),
            Reply::Messages(messages) => messages.iter().map(|message| message.id.as_str()).collect(),
            _ => Value::Null,
        }
    }

    fn refuse(&self, refused: &Refused) -> Value {
        json!({"refused": format!("{refused:?}")})
    }

    fn delivery(&self) -> Delivery {
        Delivery::Queue
    }

    fn messages(&self, _: &Shop, change: &Change) -> Vec<Message> {
        let (kind, id) = match change {
            Change::Order(order) => (order.status.canonical(), format!("{}-{}", order.id, order.updated)),
            Change::Case(case) => ("case", format!("{}-{}", case.id, case.updated)),
        };
        vec![Message { kind: kind.to_owned(), id, content: Value::Null }]
    }
}

async fn get(server: &Server, call: &str) -> Result<Answer> {
    Client::new().get(&format!("{}{call}&secret=secret", server.base())).await
}

async fn ask(server: &Server, call: &str) -> Value {
    let answer = get(server, call).await.unwrap();
    answer.json().unwrap_or_else(|_| json!({"status": answer.status.as_u16()}))
}

async fn token(server: &Server) -> String {
    ask(server, "/token?").await["access"].as_str().unwrap().to_owned()
}

fn place(shop: &mut Shop, at: i64) -> String {
    shop.place(basket(1, 100), at)
}

#[tokio::test]
async fn tokens_are_a_shop_s_own_and_end() {
    let server = Server::with_shops(Arc::new(Plain), 2).await.unwrap();
    let id = server.shops(|shops| place(&mut shops[1], 1));
    let (first, second) = (server.issue_token(0), server.issue_token(1));
    let order = |token: &Token| format!("/order?of={id}&token={}", token.access);
    assert_eq!(ask(&server, &order(&second)).await, "created");
    assert_eq!(ask(&server, &order(&first)).await, json!({"refused": "NotFound"}), "the other shop's order");
    let renewed = ask(&server, &format!("/token?of={}", second.refresh)).await;
    assert_eq!(renewed["shop"], server.shops(|shops| shops[1].id().to_owned()));
    assert_eq!(ask(&server, &order(&second)).await, json!({"refused": "BadToken"}), "the new one ends the old one");
    let access = renewed["access"].as_str().unwrap();
    assert_eq!(ask(&server, &format!("/order?of={id}&token={access}")).await, "created");
    server.set_clock(Some(Timestamp::now().as_second() + 604_800));
    assert_eq!(ask(&server, &format!("/order?of={id}&token={access}")).await, json!({"refused": "BadToken"}));
    assert_eq!(ask(&server, &format!("/token?of={}", second.refresh)).await, json!({"refused": "NotAuthorised"}));
}

#[tokio::test]
async fn messages_stay_in_the_queue_until_they_are_confirmed() {
    let server = Server::start(Plain).await.unwrap();
    let id = server.shop(|shop| place(shop, 1));
    let token = token(&server).await;
    let all = json!([format!("{id}-1")]);
    for _ in 0..2 {
        assert_eq!(ask(&server, &format!("/messages?token={token}")).await, all);
    }
    ask(&server, &format!("/confirm?of={id}-1&token={token}")).await;
    assert_eq!(ask(&server, &format!("/messages?token={token}")).await, json!([]));
    server.shop(|shop| shop.pay(&id, 2).unwrap());
    assert_eq!(ask(&server, &format!("/messages?token={token}")).await, json!([format!("{id}-2")]));
}

#[tokio::test]
async fn trouble_passes_after_as_many_calls_as_asked_for() {
    let server = Server::start(Plain).await.unwrap();
    let (id, token) = (server.shop(|shop| place(shop, 1)), token(&server).await);
    let trouble = Trouble { broken_gateway: 1, server_errors: 1, rate_limited: 1, ..Trouble::default() };
    server.trouble(trouble);
    for _ in 0..4 {
        get(&server, &format!("/order?of={id}&token={token}")).await.unwrap();
    }
    let refused: Vec<_> = server.calls().into_iter().skip(1).map(|call| call.refused).collect();
    assert_eq!(refused, [Some(Refused::Gateway), Some(Refused::ServerError), Some(Refused::RateLimited), None]);
}

#[tokio::test]
async fn a_lost_answer_does_not_undo_what_was_done() {
    let server = Server::start(Plain).await.unwrap();
    let case = server.shop(|shop| {
        let id = place(shop, 1);
        shop.pay(&id, 2).unwrap();
        shop.ask_refund(&id, 100, 3).unwrap()
    });
    let call = format!("/agree?of={case}&token={}", token(&server).await);
    server.trouble(Trouble { lost_answers: 1, ..Trouble::default() });
    get(&server, &call).await.unwrap_err();
    assert_eq!(server.books().refunded, 100);
    let again = ask(&server, &call).await;
    assert!(again["refused"].as_str().unwrap().starts_with("Impossible"), "{again}");
    let asked: Vec<_> = server.calls().into_iter().map(|call| call.asked).collect();
    assert_eq!(asked, ["token", "agree", "agree"]);
}

#[tokio::test]
async fn a_page_says_how_much_there_is() {
    let server = Server::start(Plain).await.unwrap();
    (0..3).for_each(|at| drop(server.shop(|shop| place(shop, at))));
    let token = token(&server).await;
    assert_eq!(ask(&server, &format!("/changed?token={token}")).await, json!([2, 3]));
}
