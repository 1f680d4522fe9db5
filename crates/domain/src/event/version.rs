//! The version mark of an event's payload.

use std::borrow::Cow;

use serde::de::{Deserialize, Deserializer, Error, Unexpected};
use serde::ser::{Serialize, Serializer};
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// The number `N` and nothing else: it writes itself, and refuses to be read from another number. Change a payload's
/// meaning, and its `N` goes up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Version<const N: u32>;

impl<const N: u32> Serialize for Version<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(N)
    }
}

impl<'de, const N: u32> Deserialize<'de> for Version<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let found = u32::deserialize(deserializer)?;
        if found == N {
            Ok(Self)
        } else {
            Err(D::Error::invalid_value(Unexpected::Unsigned(u64::from(found)), &format!("version {N}").as_str()))
        }
    }
}

impl<const N: u32> PartialSchema for Version<N> {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(SchemaType::Type(Type::Integer))
            .description(Some("Version of this payload."))
            .enum_values(Some([N]))
            .into()
    }
}

impl<const N: u32> ToSchema for Version<N> {
    fn name() -> Cow<'static, str> {
        Cow::Owned(format!("Version{N}"))
    }
}
