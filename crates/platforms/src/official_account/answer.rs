//! What an Official Account answers. Reading it back is `serde_json::from_slice::<Answer>`.

use domain::UnixMs;
use serde::{Deserialize, Serialize};

/// The answer to an [`super::Ask`], as the courier keeps it (sealed) with the call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// To [`super::Ask::CreateCode`].
    CodeCreated {
        /// Stands for the code: the picture is at `https://mp.weixin.qq.com/cgi-bin/showqrcode?ticket=…`.
        ticket: String,
        /// What the code says, to draw it ourselves.
        url: String,
        /// How long it is good, in seconds; absent for ever.
        expires_in: Option<i64>,
    },
    /// To [`super::Ask::GetPerson`].
    Person {
        /// Who.
        open_id: String,
        /// Whether the person follows the account. Of one who does not, nothing else is told.
        subscribed: bool,
        /// The person over all accounts of the merchant's open platform.
        union_id: Option<String>,
        /// Since when the person follows.
        subscribed_at: Option<UnixMs>,
        /// By what the person came: `ADD_SCENE_QR_CODE`, `ADD_SCENE_SEARCH`.
        subscribed_by: Option<String>,
        /// The scene of the code by which the person came.
        scene: Option<String>,
    },
    /// To [`super::Ask::TemplateMessage`] and [`super::Ask::ServiceMessage`].
    Sent {
        /// The platform's id; the report of a template message names it. Absent for the customer service, and where the same was sent already.
        message_id: Option<String>,
    },
}
