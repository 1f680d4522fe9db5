//! Names on posters: how wide they are, and their letters as pixels.

use super::canvas::Canvas;
use super::{Colour, MOST_BYTES, PictureError, data_url};
use ab_glyph::{Font, FontVec, PxScale, Rect, ScaleFont, point};

/// The most letters of a name that are looked at.
const MOST_LETTERS: usize = 200;
/// A sign that is larger than so many ems is none: it would need memory without bounds.
const LARGEST_SIGN_EM: f32 = 8.0;

/// A font that was uploaded.
pub struct Typeface {
    font: FontVec,
    url: String,
}

impl Typeface {
    /// Reads a TrueType or OpenType font.
    ///
    /// # Errors
    /// [`PictureError::TooManyBytes`] above 1 MiB: send the signs that are needed only; [`PictureError::NotFont`] where it cannot be read.
    pub fn read(bytes: Vec<u8>) -> Result<Self, PictureError> {
        if bytes.len() > MOST_BYTES {
            return Err(PictureError::TooManyBytes);
        }
        let mime = if bytes.starts_with(b"OTTO") { "font/otf" } else { "font/ttf" };
        let url = data_url(mime, &bytes);
        let font = FontVec::try_from_vec(bytes).map_err(|_| PictureError::NotFont)?;
        let has_size = font.units_per_em().is_some_and(|units| units > 0.0) && font.height_unscaled() > 0.0;
        if has_size { Ok(Self { font, url }) } else { Err(PictureError::NotFont) }
    }

    /// The file as a data URL.
    pub(super) fn data_url(&self) -> &str {
        &self.url
    }

    /// Whether the font has a sign for each of the letters.
    pub(super) fn has_all(&self, text: &str) -> bool {
        text.chars().all(|letter| letter.is_whitespace() || self.font.glyph_id(letter).0 != 0)
    }

    /// The scale at which the font's em square has `size` pixels a side.
    fn scale(&self, size: f32) -> PxScale {
        let units = self.font.units_per_em().unwrap_or(1000.0);
        PxScale::from(size * self.font.height_unscaled() / units)
    }

    /// Draws a line of text, its letters standing on `baseline`, from `left` on. Sizes are in pixels.
    pub(super) fn draw(
        &self,
        canvas: &mut Canvas,
        text: &str,
        (left, baseline): (f32, f32),
        size: f32,
        colour: Colour,
    ) {
        let (scale, scaled) = (self.scale(size), self.font.as_scaled(self.scale(size)));
        let (mut x, mut before) = (left, None);
        for letter in text.chars() {
            let id = scaled.glyph_id(letter);
            x += before.map_or(0.0, |before| scaled.kern(before, id));
            before = Some(id);
            let outline = scaled.outline_glyph(id.with_scale_and_position(scale, point(x, baseline)));
            let is_sign = |bounds: Rect| bounds.width().max(bounds.height()) <= size * LARGEST_SIGN_EM;
            if let Some(outline) = outline.filter(|outline| is_sign(outline.px_bounds())) {
                let corner = outline.px_bounds().min;
                let (first_x, first_y) = (whole(corner.x), whole(corner.y));
                outline.draw(|x, y, covered| {
                    let place = |first: i32, offset: u32| {
                        first.checked_add_unsigned(offset).and_then(|place| u32::try_from(place).ok())
                    };
                    let opacity = u8::try_from(whole((covered * 255.0).clamp(0.0, 255.0))).unwrap_or(0);
                    if let (Some(x), Some(y)) = (place(first_x, x), place(first_y, y)) {
                        canvas.blend(x, y, colour.rgb(), opacity);
                    }
                });
            }
            x += scaled.h_advance(id);
        }
    }
}

/// The nearest whole number. What does not fit is the largest or smallest that does; what is no number is 0.
#[expect(clippy::as_conversions, reason = "a float has no other way to an integer; this one cannot wrap")]
fn whole(number: f32) -> i32 {
    number.round() as i32
}

/// How wide a line of text is, in ems: by the font, or without one by a rule of thumb.
pub fn width_em(typeface: Option<&Typeface>, text: &str) -> f32 {
    let Some(typeface) = typeface else {
        // Signs beyond Latin, Greek and Cyrillic are taken as square.
        return text.chars().map(|letter| if u32::from(letter) < 0x1100 { 0.6 } else { 1.0 }).sum();
    };
    let scaled = typeface.font.as_scaled(typeface.scale(1.0));
    text.chars().map(|letter| scaled.h_advance(scaled.glyph_id(letter))).sum()
}

/// A line of text as plain as a picture takes it: one line of at most 200 letters, without control characters or what XML does not allow.
pub fn plain(text: &str) -> String {
    let is_plain =
        |letter: &char| !letter.is_control() && !matches!(letter, '\u{2028}' | '\u{2029}' | '\u{fffe}' | '\u{ffff}');
    let line = text.chars().map(|letter| if is_plain(&letter) { letter } else { ' ' });
    line.collect::<String>().trim().chars().take(MOST_LETTERS).collect()
}

/// A line of text that fits in `width` pixels, and its size: smaller down to half of `size`, then cut.
pub fn fitted(typeface: Option<&Typeface>, text: &str, width: f32, size: f32) -> (String, f32) {
    let needed = width_em(typeface, text) * size;
    if needed <= width {
        return (text.to_owned(), size);
    }
    let smaller = size * (width / needed).max(0.5);
    let mut shown = text.to_owned();
    while width_em(typeface, &shown) * smaller > width * 1.001 && shown != "…" {
        let kept = shown.trim_end_matches('…').char_indices().next_back().map_or(0, |(place, _)| place);
        shown.truncate(kept);
        shown.push('…');
    }
    (shown, smaller)
}
