//! The SQL of the courier.

mod calls;
mod errands;
mod shops;

pub use calls::{Claimed, claim, fail, put_back, succeed, trip};
pub use errands::{errand, receiver_phone};
pub use shops::{
    Connected, PullRow, ShopRow, TOKEN_PURPOSE, Tokens, connect, disconnect, forget_access_token, replace_tokens, shop,
    shops, tokens,
};
