//! QR codes.

use super::canvas::{Area, Canvas};
use super::{Colour, MOST_SIDE, Picture, PictureError};
use crate::mistake::{Mistake, ensure};
use qrcode::bits::Bits;
use qrcode::types::Color;
use qrcode::{EcLevel, QrCode, Version};
use serde::{Deserialize, Serialize};
use std::fmt::Write;
use utoipa::ToSchema;

/// The empty margin that readers need, in modules (ISO/IEC 18004).
const QUIET: u32 = 4;
/// How much darker the dark modules must be than the light ones (WCAG's ratio).
const LEAST_CONTRAST: f64 = 4.5;

/// How a QR code looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct QrStyle {
    /// Width and height with the margin, in pixels, 100 to 4096; 480 where it is left out.
    #[schema(minimum = 100, maximum = 4096)]
    pub size: u32,
    /// The dark modules; black where it is left out.
    pub dark: Colour,
    /// The light modules and the margin; white where it is left out. At least 4.5 times as light as the dark ones (WCAG).
    pub light: Colour,
}

impl Default for QrStyle {
    fn default() -> Self {
        Self { size: 480, dark: Colour::BLACK, light: Colour::WHITE }
    }
}

impl QrStyle {
    /// Whether a code of this style can be read.
    ///
    /// # Errors
    /// [`Mistake`] with the place and what to change.
    pub fn check(&self) -> Result<(), Mistake> {
        ensure((100..=MOST_SIDE).contains(&self.size), "size", "write 100 to 4096 pixels")?;
        let stands_out = self.dark.contrast_on(self.light) >= LEAST_CONTRAST;
        ensure(
            stands_out,
            "dark",
            "readers cannot tell the two colours apart: let dark be darker, or light lighter (a ratio of 4.5)",
        )
    }

    /// A text as a QR code, as SVG, with a logo in its middle if there is one.
    ///
    /// # Errors
    /// [`PictureError::TextTooLong`].
    pub fn svg(&self, text: &str, logo: Option<&Picture>) -> Result<String, PictureError> {
        let code = Code::new(text, logo.is_some())?;
        let Self { size, .. } = self;
        let body = code.svg(self, (0, 0), logo);
        Ok(format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="{size}" height="{size}" viewBox="0 0 {size} {size}">{body}</svg>"#
        ))
    }

    /// A text as a QR code, as PNG, with a logo in its middle if there is one.
    ///
    /// # Errors
    /// [`PictureError::TextTooLong`]; [`PictureError::TooSmall`] where a module would have no pixel.
    pub fn png(&self, text: &str, logo: Option<&Picture>) -> Result<Vec<u8>, PictureError> {
        let mut canvas = Canvas::new(self.size, self.size, self.light);
        Code::new(text, logo.is_some())?.draw(self, &mut canvas, (0, 0), logo)?;
        canvas.png()
    }
}

/// The smallest code of a text as bytes of UTF-8. Left to itself the encoder takes some of the bytes of Chinese for Shift JIS, which readers
/// would show as other letters.
fn as_bytes(text: &str, level: EcLevel) -> Option<QrCode> {
    (1..=40).find_map(|version| {
        let mut bits = Bits::new(Version::Normal(version));
        bits.push_byte_data(text.as_bytes()).ok()?;
        bits.push_terminator(level).ok()?;
        QrCode::with_bits(bits, level).ok()
    })
}

/// The modules of a code.
pub struct Code {
    side: u32,
    dark: Vec<Color>,
}

impl Code {
    /// The code of a text. A logo hides some modules, so with one the highest error correction is taken.
    ///
    /// # Errors
    /// [`PictureError::TextTooLong`].
    pub fn new(text: &str, has_logo: bool) -> Result<Self, PictureError> {
        let level = if has_logo { EcLevel::H } else { EcLevel::M };
        let code =
            if text.is_ascii() { QrCode::with_error_correction_level(text, level).ok() } else { as_bytes(text, level) };
        let code = code.ok_or(PictureError::TextTooLong)?;
        let side = u32::try_from(code.width()).map_err(|_| PictureError::TextTooLong)?;
        Ok(Self { side, dark: code.into_colors() })
    }

    /// Runs of dark modules: column, row, length.
    fn runs(&self) -> Vec<(u32, u32, u32)> {
        let mut runs: Vec<(u32, u32, u32)> = Vec::new();
        let side = usize::try_from(self.side).unwrap_or(1);
        for (y, row) in (0..).zip(self.dark.chunks(side)) {
            for (x, _) in (0..).zip(row).filter(|(_, module)| **module == Color::Dark) {
                match runs.last_mut() {
                    Some((start, line, length)) if *line == y && *start + *length == x => *length += 1,
                    _ => runs.push((x, y, 1)),
                }
            }
        }
        runs
    }

    /// The modules in the middle that make room for a logo: where they begin, and how many a side. An odd number, at most a quarter of a side: a
    /// sixteenth of the modules, where the highest error correction mends 30 %.
    const fn hole(&self) -> (u32, u32) {
        let quarter = self.side / 4;
        let modules = quarter - (1 - quarter % 2);
        ((self.side - modules) / 2, modules)
    }

    /// The code as elements of an SVG, its upper left corner at `(x, y)`.
    pub fn svg(&self, style: &QrStyle, (x, y): (u32, u32), logo: Option<&Picture>) -> String {
        let (size, light, dark, whole) = (style.size, style.light, style.dark, self.side + 2 * QUIET);
        let mut svg = format!(
            r#"<svg x="{x}" y="{y}" width="{size}" height="{size}" viewBox="0 0 {whole} {whole}"><rect width="{whole}" height="{whole}" fill="{light}"/><path shape-rendering="crispEdges" fill="{dark}" d=""#
        );
        for (x, y, length) in self.runs() {
            // Writing to a String cannot fail.
            let _ = write!(svg, "M{} {}h{length}v1h-{length}z", x + QUIET, y + QUIET);
        }
        svg.push_str(r#""/>"#);
        if let Some(logo) = logo {
            let (start, modules) = self.hole();
            let (start, inner, url) = (start + QUIET, modules - 1, logo.data_url());
            let _ = write!(
                svg,
                r#"<rect x="{start}" y="{start}" width="{modules}" height="{modules}" fill="{light}"/><image x="{start}.5" y="{start}.5" width="{inner}" height="{inner}" href="{url}"/>"#
            );
        }
        svg.push_str("</svg>");
        svg
    }

    /// Draws the code, its upper left corner at `(x, y)`. Every module has the same whole number of pixels; what is left over goes to the margin.
    ///
    /// # Errors
    /// [`PictureError::TooSmall`] where a module would have no pixel.
    pub fn draw(
        &self,
        style: &QrStyle,
        canvas: &mut Canvas,
        (x, y): (u32, u32),
        logo: Option<&Picture>,
    ) -> Result<(), PictureError> {
        let pixels = style.size / (self.side + 2 * QUIET);
        if pixels == 0 {
            return Err(PictureError::TooSmall);
        }
        canvas.fill(Area { x, y, width: style.size, height: style.size }, style.light);
        let margin = (style.size - pixels * self.side) / 2;
        let (left, above) = (x.saturating_add(margin), y.saturating_add(margin));
        let square = |column: u32, row: u32, width: u32, height: u32| Area {
            x: left.saturating_add(column * pixels),
            y: above.saturating_add(row * pixels),
            width: width * pixels,
            height: height * pixels,
        };
        for (column, row, length) in self.runs() {
            canvas.fill(square(column, row, length, 1), style.dark);
        }
        if let Some(logo) = logo {
            let (start, modules) = self.hole();
            let hole = square(start, start, modules, modules);
            canvas.fill(hole, style.light);
            let rim = pixels.div_ceil(2);
            let (width, height) = (hole.width - 2 * rim, hole.height - 2 * rim);
            logo.draw_inside(
                canvas,
                Area { x: hole.x.saturating_add(rim), y: hole.y.saturating_add(rim), width, height },
            );
        }
        Ok(())
    }
}
