//! One row of a file: what its cells say, or what to change in them.

use super::columns::{Column, Kind};
use crate::profile::{Field, Form, Given};
use domain::{Identity, IdentityKind, ImportedPoints, Secret, phone_e164};
use kit::auth::StorePath;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The longest id, name or word, in bytes.
const LONGEST: usize = 256;

/// What a row says.
#[derive(Debug, Default)]
pub struct Row {
    /// By which ids the person is known.
    pub identities: BTreeSet<Identity>,
    /// The phone, in E.164 form.
    pub phone: Option<Secret<String>>,
    /// Whether the person has shown that it is theirs.
    pub phone_verified: bool,
    /// The name.
    pub name: Option<Secret<String>>,
    /// The store.
    pub store: Option<String>,
    /// The member of staff.
    pub advisor: Option<String>,
    /// Purposes that the person has agreed to.
    pub consents: BTreeSet<String>,
    /// Values of the profile.
    pub attributes: BTreeMap<String, Given>,
    /// Points to give.
    pub points: Option<ImportedPoints>,
}

/// What to change in a row. It names the column and never repeats what the cell says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// The column; empty where it is the row as a whole.
    pub column: String,
    /// What to change.
    pub advice: String,
}

/// Reads a row.
///
/// # Errors
/// What to change, for each cell that does not fit.
pub fn read(
    kind: Kind,
    columns: &[Column],
    cells: &[String],
    fields: &BTreeMap<String, Field>,
) -> Result<Row, Vec<Wrong>> {
    let wrong = |column: String, advice: String| Wrong { column, advice };
    if cells.len() != columns.len() {
        let advice =
            format!("the row has {} cells, the header {}: quote cells that hold commas", cells.len(), columns.len());
        return Err(vec![wrong(String::new(), advice)]);
    }
    let mut row = Row::default();
    let mut mistakes = Vec::new();
    for (column, cell) in columns.iter().zip(cells).map(|(column, cell)| (column, cell.trim())) {
        if !cell.is_empty()
            && let Err(advice) = row.take(column, cell, fields)
        {
            mistakes.push(wrong(column.name(), advice));
        }
    }
    if mistakes.is_empty() {
        mistakes.extend(row.lacks(kind).map(|(column, advice)| wrong(column.to_owned(), advice.to_owned())));
    }
    if mistakes.is_empty() { Ok(row) } else { Err(mistakes) }
}

impl Row {
    fn take(&mut self, column: &Column, cell: &str, fields: &BTreeMap<String, Field>) -> Result<(), String> {
        let short = |cell: &str| match cell.len() {
            ..=LONGEST => Ok(cell.to_owned()),
            _ => Err(format!("is longer than {LONGEST} bytes")),
        };
        match column {
            Column::Id { .. } => self.identities.extend(column.identity(&short(cell)?)),
            Column::Phone => {
                let advice = "send a whole number, mainland mobile or with country code; leave a masked one out";
                self.phone = Some(phone_e164(cell).map(Secret::new).ok_or(advice)?);
            }
            Column::PhoneVerified => self.phone_verified = flag(cell)?,
            Column::Name => self.name = Some(Secret::new(short(cell)?)),
            Column::Store => {
                let path = StorePath::try_from(cell.to_owned());
                self.store = Some(path.map_err(|_| "is no store path such as /east/shanghai-01")?.into());
            }
            Column::Advisor if cell.len() > 64 => return Err("is longer than 64 bytes".to_owned()),
            Column::Advisor => self.advisor = Some(cell.to_owned()),
            Column::Consent => {
                for purpose in cell.split(';').map(str::trim).filter(|purpose| !purpose.is_empty()) {
                    self.consents.insert(short(purpose)?);
                }
            }
            Column::Field(name) => {
                let advice = || format!("there is no such field: define it with PUT /v1/profile-fields/{name}");
                let field = fields.get(name).ok_or_else(advice)?;
                self.attributes.insert(name.clone(), value(field, cell)?);
            }
            Column::Points => {
                let points = cell.parse().ok().filter(|points| (1..=1_000_000_000).contains(points));
                let points = points.ok_or("send a whole number from 1 to 1000000000")?;
                self.points.get_or_insert(ImportedPoints { points: 0, expires_on: None }).points = points;
            }
            Column::ExpiresOn => {
                let day: jiff::civil::Date = cell.parse().map_err(|_| "send a date such as 2026-12-31")?;
                let points = self.points.get_or_insert(ImportedPoints { points: 0, expires_on: None });
                points.expires_on = Some(day.to_string());
            }
            Column::Reference => drop(short(cell)?),
        }
        Ok(())
    }

    /// What is missing, by column.
    fn lacks(&self, kind: Kind) -> Option<(&'static str, &'static str)> {
        let has_card = self.identities.iter().any(|who| who.kind == IdentityKind::MemberCard);
        if kind == Kind::Members && !has_card {
            return Some(("member_card", "a member has a card: give its number"));
        }
        if kind == Kind::Points && self.points.as_ref().is_none_or(|points| points.points == 0) {
            return Some(("points", "how many? send a whole number from 1 on"));
        }
        if self.identities.is_empty() && !(self.phone.is_some() && self.phone_verified) {
            return Some(("", "nothing says who it is: give an id, or a phone with phone_verified = true"));
        }
        None
    }
}

fn flag(cell: &str) -> Result<bool, String> {
    match cell.to_lowercase().as_str() {
        "true" | "1" | "yes" | "是" => Ok(true),
        "false" | "0" | "no" | "否" => Ok(false),
        _ => Err("send true or false".to_owned()),
    }
}

/// A cell as a value of its field.
fn value(field: &Field, cell: &str) -> Result<Given, String> {
    let json = match field.form {
        Form::Number => cell.parse::<i64>().map(Value::from).map_err(|_| "send a whole number")?,
        Form::Flag => json!(flag(cell)?),
        Form::Choice | Form::Date | Form::Text => json!(cell),
    };
    field.read(&json)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::AttributeValue;
    use proptest::prelude::*;

    fn fields() -> BTreeMap<String, Field> {
        let field = |json: Value| serde_json::from_value(json).unwrap();
        BTreeMap::from([
            ("week".to_owned(), field(json!({ "label": "孕周", "type": "number", "minimum": 0, "maximum": 42 }))),
            ("loan".to_owned(), field(json!({ "label": "贷款", "type": "flag" }))),
            ("note".to_owned(), field(json!({ "label": "备注", "type": "text" }))),
        ])
    }

    fn read(kind: Kind, header: &str, cells: &str) -> Result<Row, Vec<Wrong>> {
        let columns = super::super::columns::header(kind, header.split(',')).unwrap();
        let cells: Vec<_> = cells.split(',').map(str::to_owned).collect();
        super::read(kind, &columns, &cells, &fields())
    }

    #[test]
    fn a_row_says_who_and_what() {
        let header = "wechat_union_id,phone,phone_verified,name,store,advisor,consent,field:week,field:loan,field:note";
        let cells = "u-1, 138 0000 0001 ,是,王小花,/east,s-1,marketing; profiling;,20,no,怕苦";
        let row = read(Kind::Customers, header, cells).unwrap();
        assert_eq!(row.identities.len(), 1);
        assert_eq!(row.phone.unwrap().expose(), "+8613800000001");
        assert!(row.phone_verified);
        assert_eq!(row.name.unwrap().expose(), "王小花");
        assert_eq!((row.store.as_deref(), row.advisor.as_deref()), (Some("/east"), Some("s-1")));
        assert_eq!(row.consents.into_iter().collect::<Vec<_>>(), ["marketing", "profiling"]);
        assert_eq!(row.attributes["week"], Given::Value(AttributeValue::Number(20)));
        assert_eq!(row.attributes["loan"], Given::Value(AttributeValue::Flag(false)));
        assert_eq!(row.attributes["note"], Given::Text("怕苦".to_owned()));
        let row = read(Kind::Points, "card,points,expires_on", "M-1,50,2026-12-31").unwrap();
        assert_eq!(row.points, Some(ImportedPoints { points: 50, expires_on: Some("2026-12-31".to_owned()) }));
    }

    #[test]
    fn what_does_not_fit_names_its_column() {
        for (kind, header, cells, column, said) in [
            (Kind::Customers, "phone,name", "13800000001", "", "1 cells, the header 2"),
            (Kind::Customers, "card,phone", "M-1,138****0001", "phone", "masked"),
            (Kind::Customers, "phone,name", "13800000001,x", "", "phone_verified = true"),
            (Kind::Customers, "card,name", ",x", "", "nothing says who"),
            (Kind::Customers, "card,phone_verified", "M-1,maybe", "phone_verified", "true or false"),
            (Kind::Customers, "card,store", "M-1,east", "store", "store path"),
            (Kind::Customers, "card,field:week", "M-1,99", "field:week", "outside 0 to 42"),
            (Kind::Customers, "card,field:week", "M-1,x", "field:week", "whole number"),
            (Kind::Customers, "card,field:shoe", "M-1,42", "field:shoe", "define it"),
            (Kind::Members, "card,wechat_union_id", ",u-1", "member_card", "has a card"),
            (Kind::Points, "card,points", "M-1,0", "points", "from 1"),
            (Kind::Points, "card,points", "M-1,-5", "points", "from 1"),
            (Kind::Points, "card,points", "M-1,1.5", "points", "whole number"),
            (Kind::Points, "card,points,expires_on", "M-1,,2026-12-31", "points", "how many"),
            (Kind::Points, "card,points,expires_on", "M-1,5,2026-02-30", "expires_on", "a date"),
        ] {
            let wrong = read(kind, header, cells).unwrap_err();
            assert_eq!(wrong[0].column, column, "{cells}");
            assert!(wrong[0].advice.contains(said), "{cells}: {wrong:?}");
        }
        assert_eq!(read(Kind::Customers, "phone,store", "1,x").unwrap_err().len(), 2, "all that is wrong at once");
    }

    proptest! {
        /// Whatever stands in the cells, what is wrong never repeats a phone or a name.
        #[test]
        fn advice_repeats_no_cell(name in "[a-z]{8,12}", phone in "[0-9]{12,20}") {
            let wrong = read(Kind::Customers, "phone,store,field:week", &format!("{phone},{name},{name}")).unwrap_err();
            for one in wrong {
                prop_assert!(!one.advice.contains(&name) && !one.advice.contains(&phone), "{:?}", one);
            }
        }
    }
}
