//! Messages to contacts and staff: who was reached.

use domain::UnixMs;
use serde::Deserialize;
use serde_json::Value;

use super::{given, list};
use crate::lenient;
use crate::marketplace::ApiError;
use crate::wechat::fields::Fields;
use crate::wecom::answer::{Receipt, ReceiptStatus, StaffMessaged, Task};

pub fn message_id(answer: &Value) -> Option<String> {
    Fields(answer).word("msgid")
}

pub fn tasks(answer: &Value) -> Result<Vec<Task>, ApiError> {
    #[derive(Deserialize)]
    struct Row {
        userid: String,
        #[serde(default, deserialize_with = "lenient::optional_integer")]
        status: Option<i64>,
        #[serde(default, deserialize_with = "lenient::optional_seconds")]
        send_time: Option<UnixMs>,
    }
    let rows = list::<Row>(answer, "task_list")?;
    Ok(rows
        .into_iter()
        .map(|row| Task { staff: row.userid, sent: row.status == Some(2), sent_at: row.send_time })
        .collect())
}

pub fn receipts(answer: &Value) -> Result<Vec<Receipt>, ApiError> {
    #[derive(Deserialize)]
    struct Row {
        #[serde(default)]
        external_userid: Option<String>,
        userid: String,
        #[serde(default, deserialize_with = "lenient::optional_integer")]
        status: Option<i64>,
        #[serde(default, deserialize_with = "lenient::optional_seconds")]
        send_time: Option<UnixMs>,
    }
    let receipt = |row: Row| {
        let status = match row.status {
            Some(0) => ReceiptStatus::Waiting,
            Some(1) => ReceiptStatus::Sent,
            Some(2) => ReceiptStatus::NotAContact,
            Some(3) => ReceiptStatus::OverLimit,
            _ => ReceiptStatus::Unknown,
        };
        // A row about a group names no contact.
        Some(Receipt { contact: given(row.external_userid)?, staff: row.userid, status, sent_at: row.send_time })
    };
    Ok(list::<Row>(answer, "send_list")?.into_iter().filter_map(receipt).collect())
}

pub fn staff_messaged(answer: &Value) -> StaffMessaged {
    let fields = Fields(answer);
    let split = |name| {
        let text = fields.word(name).unwrap_or_default();
        text.split('|').filter(|id| !id.is_empty()).map(str::to_owned).collect()
    };
    StaffMessaged { message_id: message_id(answer), invalid: split("invaliduser"), unlicensed: split("unlicenseduser") }
}
