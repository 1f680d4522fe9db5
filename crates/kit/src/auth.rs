//! Who calls: bearer tokens with scopes and a store subtree.
//!
//! A handler asks for what it needs by its argument, `Caller<OrdersRead>`; without it there is no caller to speak of. Only
//! the SHA-256 of a token is stored. The first token is the variable `api_token`: it may do everything and makes the others.

use crate::db::{DbError, Tx};
use crate::{App, Cx, Problem, audit, host, params};
use axum::extract::{FromRef, FromRequestParts, MatchedPath};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{TokenId, UnixMs};
use http::header;
use http::request::Parts;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::marker::PhantomData;
use subtle::ConstantTimeEq;

/// The variable that holds the first token.
pub const API_TOKEN: &str = "api_token";
/// The scope that contains all others.
pub const EVERYTHING: &str = "*";

/// A right, as a type, so that a route's signature says what it needs.
pub trait Scope: Send + Sync + 'static {
    /// Its name, such as `orders:read`.
    const NAME: &'static str;
}

/// Declares scopes: `kit::scopes! { /// Read orders. OrdersRead = "orders:read"; }`
#[macro_export]
macro_rules! scopes {
    ($($(#[doc = $doc:literal])+ $type:ident = $name:literal;)+) => {$(
        $(#[doc = $doc])+
        pub struct $type;

        impl $crate::auth::Scope for $type {
            const NAME: &'static str = $name;
        }
    )+};
}

/// A caller who has shown a token with the scope `S`.
#[derive(Debug)]
pub struct Caller<S> {
    /// Who: the token's id, or `first` for the one in the variable.
    pub actor: String,
    /// The store subtree that the caller sees, `/` for all.
    pub store: StorePath,
    /// The member of staff whose token it is, by the merchant's number: such a caller sees that one's customers only.
    pub staff: Option<String>,
    /// What is called, for the audit: `POST /v1/orders/{id}/refunds`.
    pub action: String,
    scopes: Vec<String>,
    scope: PhantomData<S>,
}

impl<S> Caller<S> {
    /// Whether the caller sees all of the merchant's stores and customers.
    #[must_use]
    pub fn sees_all(&self) -> bool {
        self.store.is_root() && self.staff.is_none()
    }

    /// Makes sure that the caller is no member of staff, who sees its own customers only.
    ///
    /// # Errors
    /// 403 where it is; `what` begins its sentence.
    pub fn for_no_staff(&self, what: &str) -> Result<(), Problem> {
        match self.staff {
            None => Ok(()),
            Some(_) => Err(Problem::forbidden(format!("{what} are not shown to a member of staff's token"))),
        }
    }

    /// Makes sure that the caller sees all stores, of what they have in common.
    ///
    /// # Errors
    /// 403 where it does not; `what` begins its sentence.
    pub fn for_all_stores(&self, what: &str) -> Result<(), Problem> {
        if self.sees_all() {
            Ok(())
        } else {
            Err(Problem::forbidden(format!("{what} for all stores: use a token of the store /")))
        }
    }

    /// Makes sure that what the caller writes lies in a store that it sees.
    ///
    /// # Errors
    /// 403 where it does not.
    pub fn reaches(&self, store: &str) -> Result<(), Problem> {
        if self.store.contains(Some(store)) {
            Ok(())
        } else {
            Err(Problem::forbidden("store: lies outside what this token may see"))
        }
    }

    /// Whether the caller has this scope besides the one that the route asks for.
    #[must_use]
    pub fn may(&self, scope: &str) -> bool {
        covers(&self.scopes, scope)
    }
}

fn covers(scopes: &[String], scope: &str) -> bool {
    scopes.iter().any(|own| own == EVERYTHING || own == scope)
}

/// A place in the merchant's tree of stores: `/` is all, `/east/shanghai-01` a store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StorePath(String);

impl StorePath {
    /// All stores.
    #[must_use]
    pub fn root() -> Self {
        Self("/".to_owned())
    }

    /// Whether this is the whole tree.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0 == "/"
    }

    /// Whether `store` is this place or below it. What belongs to no store is seen from the root only.
    #[must_use]
    pub fn contains(&self, store: Option<&str>) -> bool {
        self.is_root()
            || store.is_some_and(|store| {
                store.strip_prefix(self.0.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            })
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for StorePath {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let segment = |segment: &str| {
            !segment.is_empty()
                && segment.chars().all(|letter| letter.is_alphanumeric() || matches!(letter, '-' | '_' | '.'))
        };
        let valid = text == "/" || text.strip_prefix('/').is_some_and(|rest| rest.split('/').all(segment));
        if valid { Ok(Self(text)) } else { Err(format!("{text:?} is not a store path such as /east/shanghai-01")) }
    }
}

impl From<StorePath> for String {
    fn from(path: StorePath) -> Self {
        path.0
    }
}

impl<S: Scope, T> FromRequestParts<T> for Caller<S>
where
    App: FromRef<T>,
    T: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &T) -> Result<Self, Problem> {
        let app = App::from_ref(state);
        let cx = Cx::from_request_parts(parts, state).await?;
        let path = parts.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
        let action = format!("{} {path}", parts.method);
        let refused = match identify(&app, &cx, bearer(parts)).await? {
            Ok(known) if known.may(S::NAME) => {
                let Known { actor, scopes, store, staff } = known;
                return Ok(Self { actor, store, staff, action, scopes, scope: PhantomData });
            }
            Ok(known) => Refused {
                actor: known.actor,
                reason: "scope",
                problem: Box::new(
                    Problem::forbidden(format!("the token lacks the scope {}", S::NAME)).with("scope", S::NAME),
                ),
            },
            Err(refused) => refused,
        };
        let (actor, reason) = (refused.actor, refused.reason);
        app.db().write(&cx, move |tx| audit::refused(tx, &actor, &action, reason)).await?;
        Err(*refused.problem)
    }
}

/// A token that is known.
struct Known {
    actor: String,
    scopes: Vec<String>,
    store: StorePath,
    staff: Option<String>,
}

impl Known {
    fn may(&self, scope: &str) -> bool {
        covers(&self.scopes, scope)
    }
}

struct Refused {
    actor: String,
    reason: &'static str,
    problem: Box<Problem>,
}

impl Refused {
    fn anonymous(reason: &'static str, detail: &'static str) -> Self {
        Self { actor: "anonymous".to_owned(), reason, problem: Box::new(Problem::unauthorized(detail)) }
    }
}

fn bearer(parts: &Parts) -> Option<&str> {
    let value = parts.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

async fn identify(app: &App, cx: &Cx, token: Option<&str>) -> Result<Result<Known, Refused>, Problem> {
    let first = app.variables().required(API_TOKEN)?;
    let Some(token) = token else {
        return Ok(Err(Refused::anonymous("no token", "send the header Authorization: Bearer <token>")));
    };
    let hash = hash(token);
    if bool::from(hash.ct_eq(&self::hash(first))) {
        return Ok(Ok(Known {
            actor: "first".to_owned(),
            scopes: vec![EVERYTHING.to_owned()],
            store: StorePath::root(),
            staff: None,
        }));
    }
    app.db().read(cx, |tx| find(tx, &hash)).await.map_err(Problem::from)
}

fn find(tx: &Tx<'_>, hash: &[u8; 32]) -> Result<Result<Known, Refused>, DbError> {
    // Found by its hash, of which an attacker learns nothing by timing.
    let row = tx.query_one(
        "select id, scopes, store, staff, expires_at, revoked_at from api_token where hash = ?1",
        &params![&hash[..]],
    )?;
    let Some(row) = row else {
        return Ok(Err(Refused::anonymous("unknown token", "the token is not known here")));
    };
    let now = tx.cx().now.millis();
    let refused = |reason, detail| {
        Err(Refused { actor: reason_actor(&row), reason, problem: Box::new(Problem::unauthorized(detail)) })
    };
    if row.get::<Option<i64>>("revoked_at")?.is_some() {
        return Ok(refused("revoked token", "the token has been revoked"));
    }
    if row.get::<Option<i64>>("expires_at")?.is_some_and(|end| end <= now) {
        return Ok(refused("expired token", "the token has expired: ask for a new one"));
    }
    Ok(Ok(Known {
        actor: row.get("id")?,
        scopes: row.json("scopes")?,
        store: StorePath::try_from(row.get::<String>("store")?).map_err(DbError::Shape)?,
        staff: row.get("staff")?,
    }))
}

fn reason_actor(row: &crate::db::Row) -> String {
    row.get("id").unwrap_or_default()
}

/// A token to be handed out once; only its hash is kept.
pub struct NewToken {
    /// Its id.
    pub id: TokenId,
    /// The secret text.
    pub text: String,
}

/// Makes a token. One with `staff` sees that member of staff's customers only.
///
/// # Errors
/// [`DbError`] of the insert.
pub fn create(
    tx: &Tx<'_>,
    name: &str,
    scopes: &[String],
    store: &StorePath,
    staff: Option<&str>,
    expires_at: Option<UnixMs>,
) -> Result<NewToken, DbError> {
    let id = TokenId::new(tx.cx().now, host::unique());
    let text = format!("siyu_{}", URL_SAFE_NO_PAD.encode(host::random::<32>()));
    tx.execute(
        "insert into api_token (id, hash, name, scopes, store, staff, created_at, expires_at)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        &params![
            id.to_string(),
            &hash(&text)[..],
            name,
            serde_json::json!(scopes).to_string(),
            store.as_str(),
            staff,
            tx.cx().now.millis(),
            expires_at.map(UnixMs::millis),
        ],
    )?;
    Ok(NewToken { id, text })
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subtree_holds_its_stores_and_no_others() {
        let east = StorePath::try_from("/east".to_owned()).unwrap();
        assert!(east.contains(Some("/east")) && east.contains(Some("/east/shanghai-01")));
        assert!(!east.contains(Some("/eastern")) && !east.contains(Some("/west")) && !east.contains(None));
        assert!(StorePath::root().contains(None) && StorePath::root().contains(Some("/west")));
        for wrong in ["", "east", "/east/", "//", "/a b", "/%"] {
            assert!(StorePath::try_from(wrong.to_owned()).is_err(), "{wrong:?}");
        }
    }
}
