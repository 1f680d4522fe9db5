//! Instants: integer Unix milliseconds UTC inside and in SQL, RFC 3339 in JSON.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An instant: milliseconds since 1970-01-01T00:00:00Z, within years -9999 to 9999.
///
/// JSON form: RFC 3339 in UTC with milliseconds (`2026-02-14T01:30:00.000Z`); any offset is accepted when reading, and
/// what is finer than a millisecond is refused rather than rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, format = "date-time", example = "2026-02-14T01:30:00.000Z")]
pub struct UnixMs(i64);

impl UnixMs {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);

    /// The instant `millis` milliseconds after the epoch.
    ///
    /// # Errors
    /// [`TimeError::OutOfRange`] outside years -9999 to 9999.
    pub fn from_millis(millis: i64) -> Result<Self, TimeError> {
        Timestamp::from_millisecond(millis).map(|_| Self(millis)).map_err(|_| TimeError::OutOfRange)
    }

    /// The instant `seconds` seconds after the epoch, as most platforms write it.
    ///
    /// # Errors
    /// [`TimeError::OutOfRange`] outside years -9999 to 9999.
    pub fn from_seconds(seconds: i64) -> Result<Self, TimeError> {
        seconds.checked_mul(1000).ok_or(TimeError::OutOfRange).and_then(Self::from_millis)
    }

    /// Milliseconds since the epoch, as SQL holds them.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down, as most platforms want them.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// The instant `millis` milliseconds later (earlier when negative).
    ///
    /// # Errors
    /// [`TimeError::OutOfRange`] outside years -9999 to 9999.
    pub fn try_add_millis(self, millis: i64) -> Result<Self, TimeError> {
        self.0.checked_add(millis).ok_or(TimeError::OutOfRange).and_then(Self::from_millis)
    }

    /// The same instant for calendar computations.
    ///
    /// # Errors
    /// None in practice: every constructor has checked the range.
    pub fn timestamp(self) -> Result<Timestamp, TimeError> {
        Timestamp::from_millisecond(self.0).map_err(|_| TimeError::OutOfRange)
    }
}

impl fmt::Display for UnixMs {
    /// RFC 3339 in UTC, always with three decimals, so that texts sort as the instants do.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let timestamp = Timestamp::from_millisecond(self.0).map_err(|_| fmt::Error)?;
        write!(f, "{timestamp:.3}")
    }
}

impl FromStr for UnixMs {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        let timestamp: Timestamp = text.parse().map_err(|_| TimeError::NotRfc3339(text.to_owned()))?;
        if timestamp.subsec_nanosecond() % 1_000_000 != 0 {
            return Err(TimeError::TooFine(text.to_owned()));
        }
        // Text reaches 999 ms beyond the last whole millisecond that has a timestamp.
        Self::from_millis(timestamp.as_millisecond())
    }
}

impl TryFrom<String> for UnixMs {
    type Error = TimeError;

    fn try_from(text: String) -> Result<Self, TimeError> {
        text.parse()
    }
}

impl From<UnixMs> for String {
    fn from(instant: UnixMs) -> Self {
        instant.to_string()
    }
}

/// Why an instant could not be read or computed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// Beyond the calendar.
    #[error("the time is outside years -9999 to 9999: check whether seconds and milliseconds were mixed up")]
    OutOfRange,
    /// Not a time with a zone.
    #[error("{0:?} is not an RFC 3339 time: write it with its zone, such as 2026-02-14T09:30:00+08:00")]
    NotRfc3339(String),
    /// Finer than kept.
    #[error("{0:?} is finer than a millisecond: round it before sending")]
    TooFine(String),
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{TimeError, UnixMs};

    #[test]
    fn text_has_milliseconds_and_any_zone_is_read() {
        let instant: UnixMs = "2026-02-14T09:30:00+08:00".parse().unwrap();
        assert_eq!(instant.to_string(), "2026-02-14T01:30:00.000Z");
        assert_eq!((instant.millis(), instant.seconds()), (1_771_032_600_000, 1_771_032_600));
        assert_eq!(UnixMs::from_millis(-1).unwrap().seconds(), -1);
    }

    #[test]
    fn what_is_no_instant_is_refused() {
        for text in ["2026-02-14", "2026-02-14T09:30:00", "1771032600", ""] {
            assert_eq!(text.parse::<UnixMs>(), Err(TimeError::NotRfc3339(text.to_owned())));
        }
        let fine = "2026-02-14T01:30:00.0001Z";
        assert_eq!(fine.parse::<UnixMs>(), Err(TimeError::TooFine(fine.to_owned())));
        assert_eq!(UnixMs::from_seconds(1_771_032_600_000), Err(TimeError::OutOfRange));
        assert_eq!(UnixMs::from_seconds(i64::MAX), Err(TimeError::OutOfRange));
        assert_eq!(UnixMs::EPOCH.try_add_millis(i64::MAX), Err(TimeError::OutOfRange));
        assert_eq!("9999-12-30T22:00:00.001Z".parse::<UnixMs>(), Err(TimeError::OutOfRange));
        assert!(serde_json::from_str::<UnixMs>("1771032600000").is_err());
    }

    proptest! {
        #[test]
        fn text_and_back(millis in -62_135_596_800_000_i64..253_402_207_200_000) {
            let instant = UnixMs::from_millis(millis).unwrap();
            prop_assert_eq!(instant.to_string().parse(), Ok(instant));
        }
    }
}
