//! The report's one query.

use crate::credit::ModelName;
use crate::report::{By, Cost, Figures, Place, Weight};
use domain::Fen;
use domain::day::Day;
use kit::db::Row;
use kit::{DbError, Tx, params};

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Asked<'a> {
    /// The first and the last day.
    pub days: (Day, Day),
    /// What a row is for.
    pub by: By,
    /// The model that shares orders out.
    pub model: ModelName,
    /// This channel only.
    pub channel: Option<&'a str>,
    /// This subtree of stores only; `/` for all.
    pub store: &'a str,
    /// This member of staff only.
    pub staff: Option<&'a str>,
}

/// What happened, summed up, and what channels cost, with the contacts that each cost is shared among.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Figures by the value of what was asked for; absent where it has none.
    pub figures: Vec<(Option<String>, Figures)>,
    /// Costs.
    pub costs: Vec<Cost>,
}

/// The stores of a subtree: `?` stands for a column, `!` for the subtree.
const WITHIN: &str = "(! = '/' or ? = ! or substr(?, 1, length(!) + 1) = ! || '/')";

/// Who came the same way by two identities, which were found to be one person's since, came once: by the earlier one.
const ONCE: &str = "not exists (select 1 from touch as earlier
                             where earlier.person = touch.person and earlier.channel = touch.channel and earlier.code = touch.code
                               and earlier.staff = touch.staff and (earlier.added_at, earlier.id) < (touch.added_at, touch.id))";

/// Reads all that a report needs. Each part goes by an index on days: `channel_scan`'s key, `touch_by_added`, `touch_by_replied`, `touch_by_lost`,
/// `attribution_by_day`, `channel_cost_by_day`.
///
/// Costs come with all contacts of their day, whatever part of them the caller sees, so that every part gets the same share in every report.
///
/// # Errors
/// [`DbError`] of the query.
pub fn read(tx: &Tx<'_>, asked: &Asked<'_>) -> Result<Found, DbError> {
    let seen = WITHIN.replace('?', "happened.store").replace('!', "?5");
    let bears = WITHIN.replace('?', "touch.store").replace('!', "cost.store");
    let by = asked.by.as_str();
    let sql = format!(
        "with happened (channel, code, store, staff, day, scans, adds, replies, losses, firsts, repeats, owed, unowed) as (
             select channel, nullif(code, ''), nullif(store, ''), null, day, scans, 0, 0, 0, 0, 0, 0, 0
               from channel_scan where day between ?1 and ?2
             union all
             select channel, nullif(code, ''), store, nullif(staff, ''), added_day, 0, 1, 0, 0, 0, 0, 0, 0
               from touch where added_day between ?1 and ?2 and {ONCE}
             union all
             select channel, nullif(code, ''), store, nullif(staff, ''), replied_day, 0, 0, 1, 0, 0, 0, 0, 0
               from touch where replied_day between ?1 and ?2 and {ONCE}
             union all
             select channel, nullif(code, ''), store, nullif(staff, ''), lost_day, 0, 0, 0, 1, 0, 0, 0, 0
               from touch where lost_day between ?1 and ?2 and {ONCE}
             union all
             select owed.channel, owed.code, owed.store, owed.staff, owed.day, 0, 0, 0, 0,
                    owed.channel is not null and owed.leads and bought.worth > 0 and bought.is_first,
                    owed.channel is not null and owed.leads and bought.worth > 0 and not bought.is_first,
                    iif(owed.channel is null, 0, owed.amount), iif(owed.channel is null, owed.amount, 0)
               from attribution owed join attributed_order bought on bought.order_id = owed.order_id
              where owed.model = ?3 and owed.day between ?1 and ?2)
         select 'figures' as part, cast(happened.{by} as text) as key, sum(scans) as scans, sum(adds) as adds, sum(replies) as replies,
                sum(losses) as losses, sum(firsts) as firsts, sum(repeats) as repeats, sum(owed) as owed, sum(unowed) as unowed,
                null as channel, null as day, null as bears, null as amount, null as code, null as store, null as staff,
                null as contacts
           from happened
          where (?4 is null or happened.channel = ?4) and {seen} and (?6 is null or happened.staff = ?6)
          group by happened.{by}
         union all
         select 'cost', null, 0, 0, 0, 0, 0, 0, 0, 0,
                cost.channel, cost.day, cost.store, cost.amount, nullif(touch.code, ''), touch.store, nullif(touch.staff, ''),
                count(touch.id)
           from channel_cost cost
           left join touch on touch.added_day = cost.day and touch.channel = cost.channel and {bears} and {ONCE}
          where cost.day between ?1 and ?2 and (?4 is null or cost.channel = ?4)
          group by cost.channel, cost.day, cost.store, touch.code, touch.store, touch.staff
          order by part, channel, day, bears, code, store, staff, key"
    );
    let (from, to) = asked.days;
    let rows = tx.query(&sql, &params![from, to, asked.model.as_str(), asked.channel, asked.store, asked.staff])?;
    let mut found = Found::default();
    for row in &rows {
        if row.get::<String>("part")? == "figures" {
            found.figures.push((row.get("key")?, figures(row)?));
            continue;
        }
        let (channel, day, store): (String, _, String) =
            (row.get("channel")?, Day::try_from(row.get::<i64>("day")?).unwrap_or(Day::MAX), row.get("bears")?);
        let weight = Weight { place: place(row)?, contacts: u64::try_from(row.get::<i64>("contacts")?).unwrap_or(0) };
        match found.costs.last_mut() {
            Some(last) if (&last.channel, last.day, &last.store) == (&channel, day, &store) => {
                last.weights.push(weight)
            }
            _ => {
                let amount = Fen::new(row.get("amount")?);
                found.costs.push(Cost { channel, day, store, amount, weights: vec![weight] });
            }
        }
    }
    Ok(found)
}

fn place(row: &Row) -> Result<Place, DbError> {
    Ok(Place { code: row.get("code")?, store: row.get("store")?, staff: row.get("staff")? })
}

fn figures(row: &Row) -> Result<Figures, DbError> {
    Ok(Figures {
        scans: row.get("scans")?,
        adds: row.get("adds")?,
        replies: row.get("replies")?,
        losses: row.get("losses")?,
        first_orders: row.get("firsts")?,
        repeat_orders: row.get("repeats")?,
        revenue: Fen::new(row.get("owed")?),
        unattributed: Fen::new(row.get("unowed")?),
        cost: Fen::ZERO,
    })
}
