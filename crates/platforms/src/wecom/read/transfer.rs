//! Handovers of contacts.

use domain::UnixMs;
use serde::Deserialize;
use serde_json::Value;

use super::list;
use crate::lenient;
use crate::marketplace::ApiError;
use crate::wecom::answer::{TransferRefused, TransferStatus, Transferred, TransferredContact};

pub fn transferred(answer: &Value) -> Result<Transferred, ApiError> {
    #[derive(Deserialize)]
    struct Row {
        external_userid: String,
        #[serde(deserialize_with = "lenient::integer")]
        errcode: i64,
    }
    let (started, refused): (Vec<_>, Vec<_>) =
        list::<Row>(answer, "customer")?.into_iter().partition(|row| row.errcode == 0);
    Ok(Transferred {
        started: started.into_iter().map(|row| row.external_userid).collect(),
        refused: refused
            .into_iter()
            .map(|row| TransferRefused { contact: row.external_userid, code: row.errcode })
            .collect(),
    })
}

pub fn transfer_state(answer: &Value) -> Result<Vec<TransferredContact>, ApiError> {
    #[derive(Deserialize)]
    struct Row {
        external_userid: String,
        #[serde(default, deserialize_with = "lenient::optional_integer")]
        status: Option<i64>,
        #[serde(default, deserialize_with = "lenient::optional_seconds")]
        takeover_time: Option<UnixMs>,
    }
    let contact = |row: Row| {
        let status = match row.status {
            Some(1) => TransferStatus::Done,
            Some(2) => TransferStatus::Waiting,
            Some(3) => TransferStatus::Refused,
            Some(4) => TransferStatus::Full,
            Some(5) => TransferStatus::None,
            _ => TransferStatus::Unknown,
        };
        TransferredContact { contact: row.external_userid, status, at: row.takeover_time }
    };
    Ok(list::<Row>(answer, "customer")?.into_iter().map(contact).collect())
}
