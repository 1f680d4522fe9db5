//! Follow-ups that are due reach staff as a message of the app at WeCom. It names the customer by its id: no personal data leave.

use crate::push;
use crate::settings::{PUBLIC_URL, WECOM_CORP_ID};
use crate::store::known;
use domain::{CustomerId, EventId, FollowUpDue};
use kit::{App, DbError, Tx};
use platforms::wecom::Ask;

/// Reminds the member of staff, once an event. Nobody is reminded of what is done, moved or handed over by now, nor where WeCom is not set up.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn due(app: &App, tx: &Tx<'_>, event: EventId, due: &FollowUpDue) -> Result<(), DbError> {
    if app.variables().optional(WECOM_CORP_ID).is_none() {
        return Ok(());
    }
    let Some(count) = known::follow_ups_due(tx, due)? else { return Ok(()) };
    let link = app.variables().optional(PUBLIC_URL).map(|url| link(url, due.customer_id));
    let ask = Ask::MessageStaff { staff: vec![due.staff.clone()], text: text(due.customer_id, count), link };
    push::ask_wecom(tx, &ask, &event.to_string()).map(drop)
}

fn link(public_url: &str, customer: CustomerId) -> String {
    format!("{}/v1/customers/{customer}", public_url.trim_end_matches('/'))
}

/// What staff read. `count` is how many follow-ups wait for them, this one among them.
fn text(customer: CustomerId, count: i64) -> String {
    format!("客户 {customer} 的跟进时间到了，请及时联系。您目前有 {count} 个到期的跟进。")
}
