//! What a caller may see, and what callers may write.

use crate::store::customer::{self, Person};
use crate::store::group;
use domain::CustomerId;
use kit::auth::Caller;
use kit::{Problem, Tx};

/// A customer and all who are part of it, the one who stayed first, if the caller may see it.
pub fn customer<S>(tx: &Tx<'_>, caller: &Caller<S>, id: CustomerId) -> Result<Vec<Person>, Problem> {
    let unknown = || Problem::not_found("there is no such customer among those that you may see");
    let survivor = customer::survivor(tx, &id.to_string())?.ok_or_else(unknown)?;
    if !caller.sees_all() {
        let own = caller.store.contains(group::store_of(tx, &survivor)?.as_deref());
        let known = |staff: &str| group::is_customer_of(tx, &survivor, staff);
        if !own || !caller.staff.as_deref().map_or(Ok(true), known)? {
            return Err(unknown());
        }
    }
    Ok(customer::group(tx, &survivor)?)
}

/// Refuses callers who see a part of the stores only: rules and segments are about all customers.
pub fn all_stores<S>(caller: &Caller<S>) -> Result<(), Problem> {
    if caller.sees_all() {
        return Ok(());
    }
    Err(Problem::forbidden("rules and segments are about all stores' customers: use a token of the store /"))
}

/// A name of 1 to 100 characters, without blanks around it.
pub fn name(text: &str) -> Result<String, Problem> {
    let name = text.trim();
    if (1..=100).contains(&name.chars().count()) && !name.chars().any(char::is_control) {
        return Ok(name.to_owned());
    }
    Err(Problem::unprocessable("name-unfit", "a name has 1 to 100 characters"))
}

/// 409: the name is another's.
pub fn name_taken(name: &str) -> Problem {
    Problem::conflict("name-taken", format!("{name:?} is the name of another one: choose another name"))
}
