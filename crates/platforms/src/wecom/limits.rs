//! What WeCom takes, by the limits that it documents: checked before a call is queued, since a refusal would come when nobody looks.

use super::ask::Ask;
use super::message::TEXT_BYTES;
use super::{Attachment, CUSTOMER, ContactWay, JoinWay, Message};

pub fn check(ask: &Ask) -> Result<(), String> {
    match ask {
        Ask::AddContactWay { way } => contact_way(way),
        Ask::UpdateContactWay { config_id, way } => filled("config_id", config_id).and_then(|()| contact_way(way)),
        Ask::AddJoinWay { way } => join_way(way),
        Ask::UpdateJoinWay { config_id, way } => filled("config_id", config_id).and_then(|()| join_way(way)),
        Ask::DeleteContactWay { config_id }
        | Ask::GetContactWay { config_id }
        | Ask::DeleteJoinWay { config_id }
        | Ask::GetJoinWay { config_id } => filled("config_id", config_id),
        Ask::Welcome { welcome_code, contact, message: said, .. } => {
            filled("welcome_code", welcome_code)?;
            filled("contact", contact)?;
            message(said)
        }
        Ask::GetContact { contact } => filled("contact", contact),
        Ask::ListContacts { staff } => filled("staff", staff),
        Ask::SetRemark { staff, contact, remark, description } => {
            filled("staff", staff)?;
            filled("contact", contact)?;
            if remark.is_none() && description.is_none() {
                return Err("give a remark or a description".to_owned());
            }
            characters("remark", remark.as_deref().unwrap_or_default(), REMARK)?;
            characters("description", description.as_deref().unwrap_or_default(), DESCRIPTION)
        }
        Ask::MarkTags { staff, contact, add, remove } => {
            filled("staff", staff)?;
            filled("contact", contact)?;
            some(&[add, remove], "name tags to add or to remove")
        }
        Ask::ListTags { .. } => Ok(()),
        Ask::AddTags { group_id, group_name, names } => {
            if group_id.is_some() == group_name.is_some() {
                return Err("name the group of tags by its id or by its name, not both".to_owned());
            }
            characters("group_name", group_name.as_deref().unwrap_or_default(), TAG)?;
            count("names", names, 1, 100)?;
            names.iter().try_for_each(|name| characters("names", name, TAG))
        }
        Ask::EditTag { id, name } => {
            filled("id", id)?;
            filled("name", name)?;
            characters("name", name, TAG)
        }
        Ask::DeleteTags { tags, groups } => some(&[tags, groups], "name tags or groups of tags"),
        Ask::MessageContacts { contacts, sender, message: said } => {
            count("contacts", contacts, 1, 10_000)?;
            sender.as_deref().map_or(Ok(()), |sender| filled("sender", sender))?;
            if contacts.len() > 1 && said.names_customer() {
                return Err(format!(
                    "{CUSTOMER} is one contact's name: message each contact by itself, or leave it out"
                ));
            }
            message(said)
        }
        Ask::MessageResults { message_id } => filled("message_id", message_id),
        Ask::MessageStaff { staff, text, link } => {
            count("staff", staff, 1, 1000)?;
            filled("text", text)?;
            bytes("text and link", super::request::staff_text(text, link.as_deref()).as_str(), 2048)
        }
        Ask::Transfer { from, to, contacts, message, .. } => {
            apart(from, to)?;
            count("contacts", contacts, 1, 100)?;
            characters("message", message.as_deref().unwrap_or_default(), 200)
        }
        Ask::TransferResult { from, to, .. } => apart(from, to),
        Ask::GetGroup { group } => filled("group", group),
    }
}

/// The longest remark on a contact, in characters.
pub const REMARK: usize = 20;
/// The longest description of a contact, in characters.
pub const DESCRIPTION: usize = 150;
const TAG: usize = 30;

fn contact_way(way: &ContactWay) -> Result<(), String> {
    count("staff", &way.staff, 1, if way.several { 100 } else { 1 })?;
    characters("state", &way.state, 30)?;
    characters("remark", &way.remark, 30)
}

fn join_way(way: &JoinWay) -> Result<(), String> {
    count("groups", &way.groups, 1, 5)?;
    characters("state", &way.state, 30)?;
    characters("remark", &way.remark, 30)?;
    characters("base_name", way.base_name.as_deref().unwrap_or_default(), 40)
}

fn message(message: &Message) -> Result<(), String> {
    let text = message.text.as_deref().unwrap_or_default();
    if text.is_empty() && message.attachments.is_empty() {
        return Err("say something: text and attachments are both missing".to_owned());
    }
    bytes("text", text, TEXT_BYTES)?;
    if message.attachments.len() > 9 {
        return Err("attach at most 9 things".to_owned());
    }
    message.attachments.iter().try_for_each(attachment)
}

fn attachment(attachment: &Attachment) -> Result<(), String> {
    match attachment {
        Attachment::Image { media_id, pic_url } if media_id.is_some() == pic_url.is_some() => {
            Err("give an image's media_id or its pic_url, not both".to_owned())
        }
        Attachment::Image { .. } => Ok(()),
        Attachment::Link { title, url, description, .. } => {
            filled("a link's title", title)?;
            bytes("a link's title", title, 128)?;
            filled("a link's url", url)?;
            bytes("a link's url", url, 2048)?;
            bytes("a link's description", description.as_deref().unwrap_or_default(), 512)
        }
        Attachment::MiniProgram { title, app_id, page, picture_media_id } => {
            filled("a mini-program's title", title)?;
            bytes("a mini-program's title", title, 64)?;
            filled("a mini-program's app_id", app_id)?;
            filled("a mini-program's page", page)?;
            filled("a mini-program's picture_media_id", picture_media_id)
        }
    }
}

fn filled(name: &str, text: &str) -> Result<(), String> {
    if text.trim().is_empty() { Err(format!("{name} is empty: fill it")) } else { Ok(()) }
}

fn characters(name: &str, text: &str, most: usize) -> Result<(), String> {
    let length = text.chars().count();
    if length > most { Err(format!("{name} has {length} characters: write at most {most}")) } else { Ok(()) }
}

fn bytes(name: &str, text: &str, most: usize) -> Result<(), String> {
    let length = text.len();
    if length > most {
        Err(format!("{name} has {length} bytes (a Chinese character has 3): write at most {most}"))
    } else {
        Ok(())
    }
}

fn count(name: &str, list: &[String], least: usize, most: usize) -> Result<(), String> {
    if !(least..=most).contains(&list.len()) {
        let wanted = if least == most { least.to_string() } else { format!("{least} to {most}") };
        return Err(format!("{name} has {} entries: give {wanted}", list.len()));
    }
    list.iter().try_for_each(|entry| filled(&format!("an entry of {name}"), entry))
}

fn some(lists: &[&Vec<String>], advice: &str) -> Result<(), String> {
    if lists.iter().all(|list| list.is_empty()) { Err(advice.to_owned()) } else { Ok(()) }
}

fn apart(from: &str, to: &str) -> Result<(), String> {
    filled("from", from)?;
    filled("to", to)?;
    if from == to { Err("from and to are the same member of staff".to_owned()) } else { Ok(()) }
}
