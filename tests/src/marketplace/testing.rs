//! What the tests of the dialects have in common: an order, and who asks about it.

use std::collections::BTreeMap;

use http::HeaderMap;
use serde_json::Value;

use super::server::Server;
use super::shop::Basket;
use crate::http::Client;
use crate::merchant::baskets;

/// A form's fields, by name.
pub type Fields = BTreeMap<String, String>;

/// Some pieces of one tea, at a price in fen each.
pub fn basket(quantity: u32, unit_price: i64) -> Basket {
    baskets::plain(vec![baskets::tea("T", quantity, unit_price)])
}

/// The id of an order that was placed in second 1 and paid in second 2.
pub fn paid(server: &Server, basket: Basket) -> String {
    server.shop(|shop| {
        let id = shop.place(basket, 1);
        shop.pay(&id, 2).unwrap();
        id
    })
}

/// Send to the server, and read the JSON that it answers with.
pub async fn send(server: &Server, method: &str, path_and_query: &str, body: String) -> Value {
    let url = format!("{}{path_and_query}", server.base());
    Client::new().send(method, &url, &HeaderMap::new(), body.into_bytes()).await.unwrap().json().unwrap()
}

/// Fields as a form.
pub fn form(fields: &Fields) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// Sets one field after all of them have been signed.
pub fn set(name: &str, text: &str) -> impl Fn(&mut Fields) {
    move |fields| drop(fields.insert(name.to_owned(), text.to_owned()))
}
