//! Colours, and whether one can be told from another.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use utoipa::ToSchema;

/// A colour without transparency. Text form: `#1a2b3c`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, pattern = "^#[0-9a-fA-F]{6}$", example = "#000000")]
pub struct Colour([u8; 3]);

impl Colour {
    /// `#000000`
    pub const BLACK: Self = Self([0; 3]);
    /// `#ffffff`
    pub const WHITE: Self = Self([255; 3]);

    /// Red, green and blue.
    pub const fn rgb(self) -> [u8; 3] {
        self.0
    }

    /// The relative luminance, 0 to 1 (WCAG 2.2). A float, as its formula has powers; it decides about a picture only.
    pub fn luminance(self) -> f64 {
        let linear = |part: u8| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        let [red, green, blue] = self.0.map(linear);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    /// How well this colour stands out on a lighter one, 1 to 21 (WCAG 2.2); below 1 where the other is the darker.
    pub fn contrast_on(self, lighter: Self) -> f64 {
        (lighter.luminance() + 0.05) / (self.luminance() + 0.05)
    }
}

impl FromStr for Colour {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits =
            text.strip_prefix('#').filter(|hex| hex.len() == 6 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let number = digits.and_then(|hex| u32::from_str_radix(hex, 16).ok());
        let [_, red, green, blue] =
            number.ok_or_else(|| format!("{text:?} is not a colour: write it as #1a2b3c"))?.to_be_bytes();
        Ok(Self([red, green, blue]))
    }
}

impl TryFrom<String> for Colour {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Colour> for String {
    fn from(colour: Colour) -> Self {
        colour.to_string()
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_read_and_told_apart() {
        let colour = |text: &str| text.parse::<Colour>().unwrap();
        assert_eq!(colour("#1A2b3c").to_string(), "#1a2b3c");
        for wrong in ["", "1a2b3c", "#1a2b3", "#1a2b3cd", "#+a2b3c", "red", "#1a2bé"] {
            assert!(wrong.parse::<Colour>().is_err(), "{wrong:?}");
        }
        assert!((Colour::BLACK.contrast_on(Colour::WHITE) - 21.0).abs() < 1e-9);
        assert!((Colour::WHITE.contrast_on(Colour::WHITE) - 1.0).abs() < 1e-9);
        assert!(Colour::WHITE.contrast_on(Colour::BLACK) < 1.0);
        // The grey that WCAG's own examples name as just enough on white.
        assert!(colour("#767676").contrast_on(Colour::WHITE) > 4.5);
        assert!(colour("#777777").contrast_on(Colour::WHITE) < 4.5);
    }
}
