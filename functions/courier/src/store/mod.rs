//! The SQL of the courier.

mod calls;
mod messages;
mod pause;
mod pickup;
mod shops;

pub use calls::{Claimed, claim, fail, put_back, succeed, trip};
pub use messages::{MessageRule, change_message_rule, claim_messages, give_back_failed, message_rule, settle_messages};
pub use pause::pause;
pub use pickup::{pickup, receiver_phone};
pub use shops::{
    Connected, PullRow, ShopRow, TOKEN_PURPOSE, Tokens, connect, disconnect, forget_access_token, replace_tokens, shop,
    shops, tokens,
};
