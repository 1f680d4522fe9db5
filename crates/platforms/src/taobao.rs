//! Taobao and Tmall (淘宝, 天猫), through TOP, the open platform behind `eco.taobao.com`.
//!
//! Nothing is pushed to us: the message queue (TMC) is read by [`Ask::Messages`] and confirmed by [`Ask::ConfirmMessages`], and
//! what it may miss is found by the lists of changes. A message tells little, so it only hints at what to ask. Money is yuan,
//! times are text in GMT+8, ids exceed 2^53. A shop's id is the seller's numeric user id. Buyers are known by their
//! `buyer_open_uid`, per app: nicknames, names, phones and addresses come masked or encrypted, and are dropped here.

pub mod aftersale;
pub mod api;
mod command;
mod list;
mod message;
pub mod order;
mod status;

use domain::{PullKind, UnixMs};
use serde_json::Value;

use crate::backwards::Lists;
use crate::marketplace::{
    Answer, Api, ApiError, App, Ask, Delivery, KEY, Limit, MapError, Need, Received, Request, SECRET, Setting, Shop,
    Source, Token, VerifyError,
};

/// The group of the message queue; `default` when missing.
const MESSAGE_GROUP: Setting = Setting { name: "message_group", need: Need::Optional };
/// The id of the address that buyers send goods back to (`taobao.logistics.address.search`). Without it no return is agreed to.
const RETURN_ADDRESS: Setting = Setting { name: "return_address_id", need: Need::Optional };
/// Who reviews refunds: Tmall shops pay a refund only after a review (`taobao.rp.refund.review`), in this name. Without it there
/// is none, as Taobao shops want it.
const REVIEWER: Setting = Setting { name: "reviewer", need: Need::Optional };

/// How an app of the platform is configured.
pub const SETTINGS: &[Setting] = &[KEY, SECRET, MESSAGE_GROUP, RETURN_ADDRESS, REVIEWER];

/// Both lists give 100 records a page. They take a day at most (written down for trades only).
const LISTS: Lists = Lists { count: 1, page_size: 100 };

/// The platform.
pub struct Taobao;

impl Source for Taobao {
    fn receive(&self, _: &App, _: &Delivery<'_>) -> Result<Received, VerifyError> {
        Err(VerifyError::NoPushes)
    }

    fn acknowledgement(&self) -> &'static str {
        ""
    }

    fn pulls(&self) -> &'static [PullKind] {
        &[PullKind::Orders, PullKind::AfterSales, PullKind::Messages]
    }

    fn read(&self, app: &App, shop_id: &str, ask: &Ask, answer: &Value) -> Result<Answer, MapError> {
        match ask {
            Ask::Order { .. } => Ok(Answer::Facts(vec![order::map(app.key(), shop_id, answer)?])),
            Ask::AfterSale { .. } => Ok(Answer::Facts(vec![aftersale::map(shop_id, answer)?])),
            Ask::ChangedOrders(window) => list::trades(window, answer),
            Ask::ChangedAfterSales(window) => list::refunds(window, answer),
            Ask::Messages => Ok(Answer::Messages(message::read(answer)?)),
            Ask::Agree { .. } | Ask::ConfirmReceipt { .. } => command::after_record(app, ask, answer),
            Ask::Further { first, known } => Ok(command::after_step(first, known)),
            Ask::Refuse { .. } | Ask::SetStock { .. } | Ask::MoveStock { .. } | Ask::ConfirmMessages { .. } => {
                Ok(Answer::Done)
            }
        }
    }
}

impl Api for Taobao {
    fn base(&self) -> &'static str {
        api::BASE
    }

    /// What an app bears depends on its standing with TOP; this is below the lowest.
    fn limit(&self) -> Limit {
        Limit { per_second: 20, burst: 40 }
    }

    fn request(&self, app: &App, shop: &Shop<'_>, ask: &Ask, now: UnixMs) -> Result<Request, ApiError> {
        let call = match ask {
            Ask::Order { order_id } => order::call(order_id),
            Ask::AfterSale { after_sale_id, .. } => aftersale::call(after_sale_id),
            Ask::ChangedOrders(window) => list::trades_call(window),
            Ask::ChangedAfterSales(window) => list::refunds_call(window),
            Ask::Messages => message::consume(app),
            Ask::ConfirmMessages { message_ids } => message::confirm(app, message_ids),
            command => command::call(app, command)?,
        };
        Ok(api::request(app, call, shop.token(), now))
    }

    fn check(&self, ask: &Ask, body: &[u8]) -> Result<Value, ApiError> {
        let answer = api::response(body)?;
        command::check(ask, &answer)?;
        Ok(answer)
    }

    /// Only apps of the service market may renew their tokens; a merchant's own app has one of fixed term, given by hand.
    fn token_request(&self, app: &App, shop: &Shop<'_>, now: UnixMs) -> Option<Request> {
        shop.refresh_token.map(|token| api::request(app, api::token_call(token.expose()), "", now))
    }

    fn token(&self, body: &[u8], _: UnixMs) -> Result<Token, ApiError> {
        api::token(body)
    }
}
