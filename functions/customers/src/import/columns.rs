//! The header of a file: what each column holds.

use domain::{Identity, IdentityKind};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// What the rows of a file are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// People.
    Customers,
    /// People who have a member card.
    Members,
    /// Points to give to people.
    Points,
}

impl Kind {
    /// Its name in JSON and SQL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Customers => "customers",
            Self::Members => "members",
            Self::Points => "points",
        }
    }
}

/// What a column holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Column {
    /// An id of a platform or of the merchant: `wechat_union_id`, `wechat_open_id@<account>`, `member_card` or `card`.
    Id {
        /// What kind of id.
        kind: IdentityKind,
        /// The account within which it is unique.
        scope: Option<String>,
    },
    /// `phone`: a whole number.
    Phone,
    /// `phone_verified`: whether the person has shown that the number is theirs.
    PhoneVerified,
    /// `name`.
    Name,
    /// `store`: a path.
    Store,
    /// `advisor`: the merchant's number of a member of staff.
    Advisor,
    /// `consent`: purposes with `;` between them.
    Consent,
    /// `field:<name>`: a field of the profile.
    Field(String),
    /// `points`: a whole number from 1 on.
    Points,
    /// `expires_on`: the last day on which the points count.
    ExpiresOn,
    /// `reference`: what tells two rows apart that are alike otherwise.
    Reference,
}

impl Column {
    /// Reads the name of a column.
    ///
    /// # Errors
    /// What to change.
    fn read(name: &str) -> Result<Self, String> {
        Ok(match name {
            "phone" => Self::Phone,
            "phone_verified" => Self::PhoneVerified,
            "name" => Self::Name,
            "store" => Self::Store,
            "advisor" => Self::Advisor,
            "consent" => Self::Consent,
            "points" => Self::Points,
            "expires_on" => Self::ExpiresOn,
            "reference" => Self::Reference,
            "card" => Self::Id { kind: IdentityKind::MemberCard, scope: None },
            _ => match name.strip_prefix("field:") {
                Some(field) if !field.is_empty() => Self::Field(field.to_owned()),
                _ => Self::read_id(name)?,
            },
        })
    }

    fn read_id(name: &str) -> Result<Self, String> {
        let (kind, scope) = match name.split_once('@') {
            Some((kind, scope)) => (kind, Some(scope.trim()).filter(|scope| !scope.is_empty())),
            None => (name, None),
        };
        let unknown = || {
            format!(
                "{name:?} is no column: use phone, phone_verified, name, store, advisor, consent, field:<name>, points, \
                 expires_on, reference, card, or a kind of id such as wechat_union_id or wechat_open_id@<account>"
            )
        };
        let kind: IdentityKind = serde_json::from_value(json!(kind)).map_err(|_| unknown())?;
        match kind {
            IdentityKind::PhoneHash | IdentityKind::NameHash => {
                Err(format!("{name:?}: hashes are made here: send the phone or the name itself"))
            }
            IdentityKind::SourceId | IdentityKind::WechatOpenId if scope.is_none() => {
                Err(format!("{name:?}: is unique within an account only: write {name}@<account>"))
            }
            _ => Ok(Self::Id { kind, scope: scope.map(str::to_owned) }),
        }
    }

    /// Its name, always written the same way.
    pub fn name(&self) -> String {
        match self {
            Self::Id { kind, scope: None } => kind.as_str().to_owned(),
            Self::Id { kind, scope: Some(scope) } => format!("{}@{scope}", kind.as_str()),
            Self::Phone => "phone".to_owned(),
            Self::PhoneVerified => "phone_verified".to_owned(),
            Self::Name => "name".to_owned(),
            Self::Store => "store".to_owned(),
            Self::Advisor => "advisor".to_owned(),
            Self::Consent => "consent".to_owned(),
            Self::Field(field) => format!("field:{field}"),
            Self::Points => "points".to_owned(),
            Self::ExpiresOn => "expires_on".to_owned(),
            Self::Reference => "reference".to_owned(),
        }
    }

    /// The identity that a value of this column is.
    pub fn identity(&self, value: &str) -> Option<Identity> {
        match self {
            Self::Id { kind, scope } => Some(Identity { kind: *kind, scope: scope.clone(), value: value.to_owned() }),
            _ => None,
        }
    }

    /// Whether files of this kind have such a column.
    const fn belongs_to(&self, kind: Kind) -> bool {
        match self {
            Self::Id { .. } | Self::Phone | Self::PhoneVerified => true,
            Self::Name | Self::Store | Self::Advisor | Self::Consent | Self::Field(_) => !matches!(kind, Kind::Points),
            Self::Points | Self::ExpiresOn | Self::Reference => matches!(kind, Kind::Points),
        }
    }
}

/// Reads the header of a file.
///
/// # Errors
/// What to change, for each column that does not fit.
pub fn header<'a>(kind: Kind, names: impl Iterator<Item = &'a str>) -> Result<Vec<Column>, Vec<String>> {
    let mut columns = Vec::new();
    let mut wrong = Vec::new();
    for name in names {
        match Column::read(name.trim()) {
            Ok(column) if !column.belongs_to(kind) => {
                wrong.push(format!("{name:?}: files of {} have no such column", kind.as_str()));
            }
            Ok(column) if columns.contains(&column) => wrong.push(format!("{name:?}: stands there twice")),
            Ok(column) => columns.push(column),
            Err(advice) => wrong.push(advice),
        }
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let has: BTreeSet<_> = columns.iter().collect();
    let card = Column::Id { kind: IdentityKind::MemberCard, scope: None };
    if kind == Kind::Members && !has.contains(&card) {
        wrong.push("files of members have a column card".to_owned());
    }
    if kind == Kind::Points && !has.contains(&Column::Points) {
        wrong.push("files of points have a column points".to_owned());
    }
    if !columns.iter().any(|column| matches!(column, Column::Id { .. } | Column::Phone)) {
        wrong.push("a column says who it is: an id such as wechat_union_id, or phone with phone_verified".to_owned());
    }
    if wrong.is_empty() { Ok(columns) } else { Err(wrong) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(kind: Kind, header: &str) -> Result<Vec<String>, String> {
        super::header(kind, header.split(','))
            .map(|columns| columns.iter().map(Column::name).collect())
            .map_err(|wrong| wrong.join("\n"))
    }

    #[test]
    fn columns_are_known_by_their_names() {
        for (kind, text, names) in [
            (Kind::Customers, "phone, phone_verified ,name", "phone,phone_verified,name"),
            (Kind::Customers, "wechat_open_id@wx-1,field:week,consent", "wechat_open_id@wx-1,field:week,consent"),
            (Kind::Members, "card,store,advisor", "member_card,store,advisor"),
            (Kind::Points, "card,points,expires_on,reference", "member_card,points,expires_on,reference"),
        ] {
            assert_eq!(read(kind, text).map(|names| names.join(",")), Ok(names.to_owned()));
        }
    }

    #[test]
    fn a_header_that_does_not_fit_says_what_to_change() {
        for (kind, text, said) in [
            (Kind::Customers, "phone,telephone", "is no column"),
            (Kind::Customers, "phone,", "is no column"),
            (Kind::Customers, "phone,field:", "is no column"),
            (Kind::Customers, "card,member_card", "twice"),
            (Kind::Customers, "phone_hash", "hashes are made here"),
            (Kind::Customers, "wechat_open_id", "wechat_open_id@<account>"),
            (Kind::Customers, "card,points", "files of customers have no such column"),
            (Kind::Customers, "name", "says who it is"),
            (Kind::Members, "phone", "have a column card"),
            (Kind::Points, "card", "have a column points"),
            (Kind::Points, "card,points,name", "files of points have no such column"),
        ] {
            let wrong = read(kind, text).unwrap_err();
            assert!(wrong.contains(said), "{text}: {wrong}");
        }
    }
}
