//! What other functions of the application show of a customer. Reached from inside only: no route of the manifest leads here.

use super::customers::{CarriedView, carried};
use super::features::{limits, values};
use crate::feature::Value;
use crate::store::{customer, subject};
use axum::Json;
use axum::extract::State;
use domain::CustomerId;
use domain::day;
use kit::extract::Path;
use kit::{App, Cx, Problem, Tx};
use serde::Serialize;
use std::collections::BTreeMap;

/// Tags and features of a customer; both empty for one that is not known here.
#[derive(Debug, Serialize)]
pub struct Portrait {
    tags: Vec<CarriedView>,
    features: BTreeMap<String, Value>,
}

/// Tags and features of a customer.
pub async fn show(State(app): State<App>, cx: Cx, Path(id): Path<CustomerId>) -> Result<Json<Portrait>, Problem> {
    let read = |tx: &Tx<'_>| -> Result<_, Problem> {
        let Some(survivor) = customer::survivor(tx, &id.to_string())? else {
            return Ok(Portrait { tags: Vec::new(), features: BTreeMap::new() });
        };
        let tags = carried(tx, &customer::group(tx, &survivor)?)?;
        let features = values(&subject::of_customer(tx, &survivor)?, day::of(tx.cx().now), &limits(tx)?);
        Ok(Portrait { tags, features })
    };
    app.db().read(&cx, read).await.map(Json)
}
