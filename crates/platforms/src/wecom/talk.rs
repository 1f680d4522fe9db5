//! A conversation with WeCom: from an [`Ask`] to its [`Answer`], over as many requests as that takes.

use domain::{Secret, WelcomeOutcome};
use serde_json::Value;

use super::answer::{MessageResults, MessageTask, TagGroup, WayAdded};
use super::request::{self, Context};
use super::{Answer, Ask, read, refusal};
use crate::marketplace::{ApiError, App, Refusal, Request};
use crate::wechat::talk::Talk;

/// What is under way about one [`Ask`].
#[derive(Clone, Debug)]
pub struct Conversation {
    ask: Ask,
    step: Step,
    /// The contact's name, once it is known.
    name: Option<Secret<String>>,
    /// Where the next page begins.
    cursor: Option<String>,
    /// What the pages have brought so far.
    gathered: Option<Answer>,
}

#[derive(Clone, Debug)]
enum Step {
    /// Fetches the name of the contact who is greeted.
    Name { contact: String },
    /// What was asked itself.
    Asked,
    /// Fetches the QR code of the way that was just made.
    QrCode(WayAdded),
    /// Looks which tags are there already.
    Tags,
    /// Adds those that are not; what was there is kept.
    MissingTags { missing: Ask, there: TagGroup },
    /// Reads what became of a message, by each member of staff.
    Receipts { staff: Vec<String> },
}

const WELCOMED: [i64; 2] = [41_051, 41_096];
const WELCOME_OVER: i64 = 41_050;
const NO_SUCH_WAY: i64 = 41_044;
const NO_SUCH_TAG: i64 = 40_068;
const TAG_THERE: i64 = 40_071;
const NO_CONTACTS: i64 = 84_061;
const NOBODY_TO_SEND_TO: i64 = 41_048;

impl Conversation {
    /// A conversation about `ask` from its beginning.
    pub fn new(ask: Ask) -> Self {
        let step = match ask.greeted() {
            Some(contact) => Step::Name { contact: contact.to_owned() },
            None => Step::Asked,
        };
        Self { ask, step, name: None, cursor: None, gathered: None }
    }

    fn named(&mut self, answer: Result<Value, ApiError>) -> Result<(), ApiError> {
        let name = answer.and_then(|answer| read::contact(&answer)).map(|contact| contact.name);
        let welcome = matches!(self.ask, Ask::Welcome { .. });
        self.name = match name {
            Ok(name) => name,
            // A welcome without the name is better than none.
            Err(ApiError::Permanent(_) | ApiError::RateLimited(_)) if welcome => None,
            Err(error) => return Err(error),
        };
        self.step = Step::Asked;
        Ok(())
    }

    /// Codes that are an end and no error.
    fn ended(&mut self, code: i64) -> Option<Option<Answer>> {
        let welcomed = |outcome| Some(Some(Answer::WelcomeSent { outcome }));
        match (&self.ask, code) {
            (Ask::Welcome { .. }, code) if WELCOMED.contains(&code) => welcomed(WelcomeOutcome::AlreadyWelcomed),
            (Ask::Welcome { .. }, WELCOME_OVER) => welcomed(WelcomeOutcome::Missed),
            (Ask::DeleteContactWay { .. } | Ask::DeleteJoinWay { .. }, NO_SUCH_WAY)
            | (Ask::DeleteTags { .. }, NO_SUCH_TAG) => Some(Some(Answer::Done)),
            (Ask::ListContacts { .. }, NO_CONTACTS) => Some(Some(Answer::Contacts { contacts: Vec::new() })),
            (Ask::MessageContacts { contacts, .. }, NOBODY_TO_SEND_TO) => {
                let failed = contacts.clone();
                Some(Some(Answer::MessageTask(MessageTask { failed, ..MessageTask::default() })))
            }
            (Ask::AddTags { .. }, TAG_THERE) => {
                self.step = Step::Tags;
                Some(None)
            }
            _ => None,
        }
    }

    fn asked(&mut self, answer: &Value) -> Result<Option<Answer>, ApiError> {
        Ok(Some(match &self.ask {
            Ask::AddContactWay { .. } => Answer::ContactWayAdded(read::way_added(answer)?),
            Ask::GetContactWay { .. } => Answer::ContactWay(read::contact_way(answer)?),
            Ask::AddJoinWay { .. } => {
                self.step = Step::QrCode(read::way_added(answer)?);
                return Ok(None);
            }
            Ask::GetJoinWay { .. } => Answer::JoinWay(read::join_way(answer)?),
            Ask::Welcome { .. } => Answer::WelcomeSent { outcome: WelcomeOutcome::Sent },
            Ask::GetContact { .. } => return self.page(answer, Answer::Contact(read::contact(answer)?)),
            Ask::ListContacts { .. } => {
                let mut contacts = read::texts(answer, "external_userid");
                contacts.sort();
                Answer::Contacts { contacts }
            }
            Ask::ListTags { .. } => Answer::Tags { groups: read::tag_groups(answer)? },
            Ask::AddTags { .. } => Answer::TagsAdded(read::tag_group(answer)?),
            Ask::MessageContacts { .. } => Answer::MessageTask(MessageTask {
                message_id: read::message_id(answer),
                failed: read::texts(answer, "fail_list"),
                over_limit: Vec::new(),
            }),
            Ask::MessageResults { .. } => {
                let tasks = read::tasks(answer)?;
                let results = MessageResults { tasks, receipts: Vec::new() };
                let Some(Answer::MessageResults(results)) = self.page(answer, Answer::MessageResults(results))? else {
                    return Ok(None);
                };
                let staff = results.tasks.iter().map(|task| task.staff.clone()).collect();
                return Ok(self.receipts_of(staff, results));
            }
            Ask::MessageStaff { .. } => Answer::StaffMessaged(read::staff_messaged(answer)),
            Ask::Transfer { .. } => Answer::Transferred(read::transferred(answer)?),
            Ask::TransferResult { .. } => {
                return self.page(answer, Answer::TransferState { contacts: read::transfer_state(answer)? });
            }
            Ask::GetGroup { .. } => Answer::Group(read::group(answer)?),
            Ask::UpdateContactWay { .. }
            | Ask::DeleteContactWay { .. }
            | Ask::UpdateJoinWay { .. }
            | Ask::DeleteJoinWay { .. }
            | Ask::SetRemark { .. }
            | Ask::MarkTags { .. }
            | Ask::EditTag { .. }
            | Ask::DeleteTags { .. } => Answer::Done,
        }))
    }

    /// Adds a page to those before it. None: another follows. A platform that names the same page again has no more.
    fn page(&mut self, answer: &Value, page: Answer) -> Result<Option<Answer>, ApiError> {
        let whole = match (self.gathered.take(), page) {
            (None, page) => page,
            (Some(Answer::Contact(mut first)), Answer::Contact(more)) => {
                first.follows.extend(more.follows);
                Answer::Contact(first)
            }
            (Some(Answer::TransferState { mut contacts }), Answer::TransferState { contacts: more }) => {
                contacts.extend(more);
                Answer::TransferState { contacts }
            }
            (Some(Answer::MessageResults(mut first)), Answer::MessageResults(more)) => {
                first.tasks.extend(more.tasks);
                first.receipts.extend(more.receipts);
                Answer::MessageResults(first)
            }
            (Some(_), _) => return Err(ApiError::unreadable()),
        };
        let next = read::next_page(answer);
        if next.is_none() || next == self.cursor {
            self.cursor = None;
            return Ok(Some(whole));
        }
        self.cursor = next;
        self.gathered = Some(whole);
        Ok(None)
    }

    fn receipts_of(&mut self, staff: Vec<String>, results: MessageResults) -> Option<Answer> {
        if staff.is_empty() {
            return Some(Answer::MessageResults(results));
        }
        self.step = Step::Receipts { staff };
        self.gathered = Some(Answer::MessageResults(results));
        None
    }

    /// Which of the tags that were to be added are there: all is well, or the others are added once more.
    fn found(&mut self, answer: &Value) -> Result<Option<Answer>, ApiError> {
        let Ask::AddTags { group_id, group_name, names } = &self.ask else { return Err(ApiError::unreadable()) };
        let groups = read::tag_groups(answer)?;
        let ours = |group: &TagGroup| match (group_id, group_name) {
            (Some(id), _) => group.id == *id,
            (None, name) => Some(&group.name) == name.as_ref(),
        };
        let there = groups.into_iter().find(ours).ok_or_else(|| {
            ApiError::Permanent(Refusal::ours("the tags are there, but not in this group: look at WeCom's console"))
        })?;
        let missing: Vec<String> =
            names.iter().filter(|name| there.tags.iter().all(|tag| tag.name != **name)).cloned().collect();
        if missing.is_empty() {
            return Ok(Some(Answer::TagsAdded(there)));
        }
        let missing = Ask::AddTags { group_id: Some(there.id.clone()), group_name: None, names: missing };
        self.step = Step::MissingTags { missing, there };
        Ok(None)
    }
}

impl Talk for Conversation {
    type Answer = Answer;

    fn request(&self, app: &App, access_token: &str) -> Request {
        let cursor = self.cursor.as_deref();
        let name = self.name.as_ref().map_or("", |name| name.expose());
        match (&self.step, &self.ask) {
            (Step::Name { contact }, _) => request::contact(contact, access_token, None),
            (Step::QrCode(way), _) => request::join_way(&way.config_id, access_token),
            (Step::Tags, Ask::AddTags { group_id, .. }) => {
                let groups = group_id.iter().cloned().collect();
                Ask::ListTags { tags: Vec::new(), groups }.request(app, access_token)
            }
            (Step::MissingTags { missing, .. }, _) => missing.request(app, access_token),
            (Step::Receipts { staff }, Ask::MessageResults { message_id }) => {
                request::receipts(message_id, staff.last().map_or("", String::as_str), access_token, cursor)
            }
            (_, ask) => request::request(ask, app, access_token, Context { name, cursor }),
        }
    }

    fn acts(&self) -> bool {
        !matches!(self.step, Step::Name { .. })
    }

    fn hear(&mut self, body: &[u8]) -> Result<Option<Answer>, ApiError> {
        match self.step.clone() {
            Step::Name { .. } => self.named(refusal::response(body)).map(|()| None),
            Step::Asked => {
                let (code, answer) = refusal::read(body)?;
                match (code, self.ended(code)) {
                    (0, _) => self.asked(&answer),
                    (_, Some(end)) => Ok(end),
                    (code, None) => Err(refusal::error(code, &answer)),
                }
            }
            // The way is there: to fail here would make another one.
            Step::QrCode(way) => {
                let found = refusal::response(body).and_then(|answer| read::join_way(&answer)).ok();
                let qr_code = found.and_then(|found| found.qr_code);
                Ok(Some(Answer::JoinWayAdded(WayAdded { qr_code, ..way })))
            }
            Step::Tags => self.found(&refusal::response(body)?),
            Step::MissingTags { mut there, .. } => {
                let added = read::tag_group(&refusal::response(body)?)?;
                there.tags.retain(|tag| added.tags.iter().all(|new| new.id != tag.id));
                there.tags.extend(added.tags);
                Ok(Some(Answer::TagsAdded(there)))
            }
            Step::Receipts { mut staff } => {
                let answer = refusal::response(body)?;
                let page = MessageResults { tasks: Vec::new(), receipts: read::receipts(&answer)? };
                match self.page(&answer, Answer::MessageResults(page))? {
                    Some(Answer::MessageResults(results)) => {
                        staff.pop();
                        Ok(self.receipts_of(staff, results))
                    }
                    _ => Ok(None),
                }
            }
        }
    }
}
