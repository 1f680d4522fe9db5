//! HTTP to other systems and, as `http://<component>.spin.internal`, to other functions of the application.

#[cfg_attr(target_family = "wasm", path = "component.rs")]
#[cfg_attr(not(target_family = "wasm"), path = "native.rs")]
mod imp;

pub use imp::Client;

use crate::host;
use bytes::Bytes;
use futures_util::future::{Either, select};
use http::{Request, Response};
use std::pin::pin;
use std::time::Duration;

/// The largest answer that is read.
pub const MAX_RESPONSE: usize = 4 << 20;

/// A call that brought no answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SendError {
    /// It was surely not carried out: refused by the manifest, or no connection.
    #[error("not sent: {0}")]
    NotSent(String),
    /// It may have been carried out: the connection broke or the time ran out.
    #[error("no answer: {0}")]
    Unknown(String),
}

impl Client {
    /// Sends a request and reads the whole answer, within `limit`.
    ///
    /// # Errors
    /// [`SendError`], which tells whether the other side may have acted.
    pub async fn send(&self, request: Request<Bytes>, limit: Duration) -> Result<Response<Bytes>, SendError> {
        let exchange = pin!(self.exchange(request));
        let time = pin!(host::sleep(limit));
        match select(exchange, time).await {
            Either::Left((answer, _)) => answer,
            Either::Right(_) => Err(SendError::Unknown(format!("nothing within {} ms", limit.as_millis()))),
        }
    }
}
