//! Times as the Chinese platforms write them: text without a zone, always GMT+8.

use domain::{TimeError, UnixMs};
use jiff::tz::{TimeZone, offset};

/// `yyyy-MM-dd HH:mm:ss` in GMT+8, seconds rounded down.
///
/// # Errors
/// [`TimeError::OutOfRange`] never happens for a [`UnixMs`]; it keeps the conversion honest.
pub fn gmt8_text(instant: UnixMs) -> Result<String, TimeError> {
    let zoned = UnixMs::from_seconds(instant.seconds())?.timestamp()?.to_zoned(TimeZone::fixed(offset(8)));
    Ok(zoned.strftime("%Y-%m-%d %H:%M:%S").to_string())
}

#[cfg(test)]
mod tests {
    use super::gmt8_text;
    use domain::UnixMs;

    #[test]
    fn text_is_gmt8_and_cut_to_seconds() {
        let instant: UnixMs = "2025-01-01T19:04:05.999Z".parse().unwrap();
        assert_eq!(gmt8_text(instant).unwrap(), "2025-01-02 03:04:05");
    }
}
