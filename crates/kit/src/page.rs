//! Lists page by cursor: an opaque mark of the last item seen, so that nothing is skipped or repeated while rows come in.

use crate::db::{DbError, Row, Tx};
use crate::{App, Cx, Problem};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// How many items a page has when the caller does not say.
pub const DEFAULT_LIMIT: u32 = 50;
/// How many items a page has at the most.
pub const MAX_LIMIT: u32 = 500;

/// The query of a list that has no filters.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// Items a page, 1 to 500; 50 unless given.
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// One page of a list.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    /// The items, in the order of the list.
    pub items: Vec<T>,
    /// Give this as `cursor` to see the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// Makes a page of rows that were asked for with `limit + 1`: the one too many tells that there is more.
    pub fn new<K: Serialize>(mut items: Vec<T>, limit: u32, key: impl Fn(&T) -> K) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = items.len() > limit;
        items.truncate(limit);
        let next_cursor = more.then(|| items.last().map(|item| write(&key(item)))).flatten();
        Self { items, next_cursor }
    }

    /// The same page, its items shown otherwise.
    pub fn map<V>(self, view: impl FnMut(T) -> V) -> Page<V> {
        Page { items: self.items.into_iter().map(view).collect(), next_cursor: self.next_cursor }
    }
}

/// One page of a list without filters: `rows` finds at most so many rows after a mark, `item` reads one, and `mark` is the
/// mark at which the next page begins.
///
/// # Errors
/// 400 when the query asks for too many items or has a cursor of another list.
pub async fn list<T, K: Serialize + DeserializeOwned>(
    app: &App,
    cx: &Cx,
    query: &PageQuery,
    rows: impl FnOnce(&Tx<'_>, Option<K>, u32) -> Result<Vec<Row>, DbError>,
    item: impl Fn(&Row) -> Result<T, DbError>,
    mark: impl Fn(&T) -> K,
) -> Result<Page<T>, Problem> {
    let limit = limit(query.limit)?;
    let after = read::<K>(query.cursor.as_deref())?;
    let items = app.db().read(cx, |tx| rows(tx, after, limit + 1)?.iter().map(item).collect::<Result<_, _>>()).await;
    Ok(Page::new(items.map_err(|error: DbError| Problem::from(error))?, limit, mark))
}

/// Checks the `limit` of a query.
///
/// # Errors
/// 400 when it is 0 or above [`MAX_LIMIT`].
pub fn limit(asked: Option<u32>) -> Result<u32, Problem> {
    match asked {
        None => Ok(DEFAULT_LIMIT),
        Some(limit @ 1..=MAX_LIMIT) => Ok(limit),
        Some(other) => Err(Problem::bad_request(format!("limit is {other}: ask for 1 to {MAX_LIMIT} items"))),
    }
}

/// Reads the `cursor` of a query.
///
/// # Errors
/// 400 when it is not one that this list has given out.
pub fn read<K: DeserializeOwned>(cursor: Option<&str>) -> Result<Option<K>, Problem> {
    cursor
        .map(|text| {
            URL_SAFE_NO_PAD
                .decode(text)
                .ok()
                .and_then(|bytes| serde_json::from_slice(&bytes).ok())
                .ok_or_else(|| Problem::bad_request("cursor is not one that this list has given out: begin without it"))
        })
        .transpose()
}

fn write<K: Serialize>(key: &K) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(key).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_ends_with_a_cursor_only_when_there_is_more() {
        let page = Page::new(vec![1, 2, 3], 2, |item| *item);
        assert_eq!(page.items, [1, 2]);
        assert_eq!(read::<i32>(page.next_cursor.as_deref()).unwrap(), Some(2));
        assert!(Page::new(vec![1, 2], 2, |item| *item).next_cursor.is_none());
        assert!(read::<i32>(Some("nonsense!")).is_err());
        assert!(limit(Some(0)).is_err() && limit(Some(501)).is_err() && limit(None).is_ok());
    }
}
