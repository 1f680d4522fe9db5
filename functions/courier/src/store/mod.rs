//! The SQL of the courier.

mod calls;
mod pickup;
mod shops;

pub use calls::{Claimed, claim, fail, put_back, succeed, trip};
pub use pickup::{pickup, receiver_phone};
pub use shops::{
    Connected, PullRow, ShopRow, TOKEN_PURPOSE, Tokens, connect, disconnect, forget_access_token, replace_tokens, shop,
    shops, tokens,
};
