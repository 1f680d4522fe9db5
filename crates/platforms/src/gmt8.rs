//! Times as the Chinese platforms write them: text without a zone, always GMT+8.

use domain::UnixMs;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone, offset};

/// Standard time of all of China, which has no daylight saving time.
pub const GMT8: Offset = offset(8);

/// `yyyy-MM-dd HH:mm:ss` in GMT+8, seconds rounded down.
pub fn gmt8_text(instant: UnixMs) -> String {
    formatted(instant, "%Y-%m-%d %H:%M:%S")
}

/// An instant in GMT+8 by jiff's format.
pub fn formatted(instant: UnixMs, format: &str) -> String {
    // Every `UnixMs` is a timestamp that jiff knows: the type checks it when it is made.
    let timestamp = jiff::Timestamp::from_millisecond(instant.millis()).unwrap_or_default();
    // Down, not to the nearest: a time of the past must not become one of the future.
    timestamp.to_zoned(TimeZone::fixed(GMT8)).strftime(format).to_string()
}

/// Reads `yyyy-MM-dd HH:mm:ss` (also with a fraction or with `T`) in GMT+8.
pub fn parse_gmt8(text: &str) -> Option<UnixMs> {
    let civil: DateTime = text.trim().parse().ok()?;
    let timestamp = GMT8.to_timestamp(civil).ok()?;
    UnixMs::from_millis(timestamp.as_millisecond()).ok()
}

#[cfg(test)]
mod tests {
    use super::{gmt8_text, parse_gmt8};
    use domain::UnixMs;

    #[test]
    fn text_is_gmt8_and_cut_to_seconds() {
        let instant: UnixMs = "2025-01-01T19:04:05.999Z".parse().unwrap();
        assert_eq!(gmt8_text(instant), "2025-01-02 03:04:05");
    }

    #[test]
    fn text_reads_back_over_midnight_and_year() {
        for text in ["2025-12-31 23:59:59", "2026-01-01 00:00:00", "2024-02-29 12:00:00"] {
            assert_eq!(gmt8_text(parse_gmt8(text).unwrap()), text);
        }
        assert_eq!(parse_gmt8("2026-01-01 00:00:00").unwrap().to_string(), "2025-12-31T16:00:00.000Z");
        for text in ["", "2025-02-30 00:00:00", "yesterday", "0000-00-00 00:00:00"] {
            assert_eq!(parse_gmt8(text), None, "{text}");
        }
    }
}
