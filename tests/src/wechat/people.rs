//! People, invented. Each is known by another id to every corp and every account, and by one `unionid` to all of a merchant's.

use sha1::{Digest, Sha1};

/// Somebody with WeChat.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Person {
    /// What tests call the person; no platform knows it.
    pub id: String,
    /// The nickname.
    pub name: String,
    /// The id that all of a merchant's accounts share; none where they are not joined in one open platform account.
    pub unionid: Option<String>,
}

impl Person {
    /// Somebody by a name of the test's own, with a `unionid`.
    pub fn new(id: &str) -> Self {
        let unionid = Some(format!("oU{}", digest(&["unionid", id], 26)));
        Self { id: id.to_owned(), name: format!("虚构顾客{id}"), unionid }
    }

    /// The same without a `unionid`.
    #[must_use]
    pub fn without_unionid(self) -> Self {
        Self { unionid: None, ..self }
    }

    /// The `external_userid` that a corp knows this person by: `wm` and 30 characters more.
    pub fn external_userid(&self, corp_id: &str) -> String {
        format!("wm{}", digest(&["external", corp_id, &self.id], 30))
    }

    /// The `openid` that an account knows this person by: `o` and 27 characters more.
    pub fn openid(&self, app_id: &str) -> String {
        format!("o{}", digest(&["openid", app_id, &self.id], 27))
    }
}

/// So many characters that follow from the parts alone.
pub(crate) fn digest(parts: &[&str], length: usize) -> String {
    let mut hex = hex::encode(Sha1::digest(parts.join("\n")));
    hex.truncate(length);
    hex
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_the_platforms_forms_and_tell_people_and_accounts_apart() {
        let (one, other) = (Person::new("1"), Person::new("2"));
        let id = one.external_userid("ww1");
        assert!(id.starts_with("wm") && id.len() == 32, "{id}");
        assert!(one.openid("wx1").starts_with('o') && one.openid("wx1").len() == 28);
        assert_ne!(id, other.external_userid("ww1"));
        assert_ne!(id, one.external_userid("ww2"));
        assert_ne!(one.unionid, other.unionid);
        assert_eq!(one, Person::new("1"), "the same on every run");
    }
}
