//! Posters: a picture with an inviter's own code and name.

use super::canvas::{Area, Canvas};
use super::name::{self, Typeface};
use super::qr::Code;
use super::{Colour, MOST_SIDE, Picture, PictureError, QrStyle};
use crate::mistake::{Mistake, ensure};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a poster looks like: the place of the code and of the name on a background. All lengths in pixels from the upper left corner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Poster {
    /// Its width, 200 to 4096.
    #[schema(minimum = 200, maximum = 4096)]
    pub width: u32,
    /// Its height, 200 to 4096.
    #[schema(minimum = 200, maximum = 4096)]
    pub height: u32,
    /// The colour behind everything; white where it is left out. A background picture covers it.
    #[serde(default = "white")]
    pub background: Colour,
    /// The code.
    pub qr: QrBox,
    /// The inviter's name; none where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<NameBox>,
}

/// Where the code stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QrBox {
    /// From the left.
    pub x: u32,
    /// From above.
    pub y: u32,
    /// Width and height with the margin, at least 100.
    #[schema(minimum = 100, maximum = 4096)]
    pub size: u32,
    /// The dark modules; black where it is left out.
    #[serde(default = "black")]
    pub dark: Colour,
    /// The light modules and the margin; white where it is left out.
    #[serde(default = "white")]
    pub light: Colour,
}

/// Where the name stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NameBox {
    /// From the left.
    pub x: u32,
    /// From above.
    pub y: u32,
    /// How wide it may be. A longer name gets smaller, down to half its size, and is then cut.
    pub width: u32,
    /// The size of the letters, 8 to 400.
    #[schema(minimum = 8, maximum = 400)]
    pub size: u16,
    /// Their colour; black where it is left out.
    #[serde(default = "black")]
    pub colour: Colour,
    /// Where in the width it stands.
    #[serde(default)]
    pub align: Align,
}

/// Where in its width a name stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Align {
    /// At the left.
    #[default]
    Left,
    /// In the middle.
    Middle,
    /// At the right.
    Right,
}

const fn white() -> Colour {
    Colour::WHITE
}

const fn black() -> Colour {
    Colour::BLACK
}

/// What the merchant has uploaded for a poster.
#[derive(Clone, Copy, Default)]
pub struct Materials<'a> {
    /// Covers the poster.
    pub background: Option<&'a Picture>,
    /// Stands in the middle of the code.
    pub logo: Option<&'a Picture>,
    /// The letters of the name.
    pub typeface: Option<&'a Typeface>,
}

/// A poster, and what the merchant should know of it, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawn<T> {
    /// The poster.
    pub poster: T,
    /// Nothing where all is well. No names in it.
    pub warnings: Vec<String>,
}

impl Poster {
    /// Whether it can be drawn.
    ///
    /// # Errors
    /// [`Mistake`] with the place and what to change.
    pub fn check(&self) -> Result<(), Mistake> {
        let fits = |start: u32, length: u32, room: u32| start.checked_add(length).is_some_and(|end| end <= room);
        ensure((200..=MOST_SIDE).contains(&self.width), "width", "write 200 to 4096 pixels")?;
        ensure((200..=MOST_SIDE).contains(&self.height), "height", "write 200 to 4096 pixels")?;
        let QrBox { x, y, size, .. } = self.qr;
        self.qr.style().check().map_err(|mistake| Mistake { path: format!("qr.{}", mistake.path), ..mistake })?;
        let inside = fits(x, size, self.width) && fits(y, size, self.height);
        ensure(inside, "qr", "it reaches beyond the poster's edge")?;
        if let Some(NameBox { x, y, width, size, .. }) = self.name {
            ensure((8..=400).contains(&size), "name.size", "write 8 to 400 pixels")?;
            ensure(width >= u32::from(size), "name.width", "there is no room for a letter: write at least its size")?;
            let inside = fits(x, width, self.width) && fits(y, u32::from(size), self.height);
            ensure(inside, "name", "it reaches beyond the poster's edge")?;
        }
        Ok(())
    }

    /// The poster as SVG.
    ///
    /// Without a font the reader's own letters are shown, so the name may look different elsewhere.
    ///
    /// # Errors
    /// [`PictureError::TextTooLong`].
    pub fn svg(&self, code: &str, name: &str, with: Materials<'_>) -> Result<Drawn<String>, PictureError> {
        let Self { width, height, background, .. } = self;
        let mut svg = format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}"><rect width="{width}" height="{height}" fill="{background}"/>"#
        );
        if let Some(picture) = with.background {
            let url = picture.data_url();
            svg += &format!(
                r#"<image width="{width}" height="{height}" preserveAspectRatio="xMidYMid slice" href="{url}"/>"#
            );
        }
        svg += &Code::new(code, with.logo.is_some())?.svg(&self.qr.style(), (self.qr.x, self.qr.y), with.logo);
        let line = self.line(name, with.typeface);
        if let Some(Line { text, left, baseline, size, colour }) = &line {
            let mut family = "sans-serif";
            if let Some(typeface) = with.typeface {
                let url = typeface.data_url();
                svg += &format!(r#"<style>@font-face{{font-family:"poster";src:url("{url}")}}</style>"#);
                family = "poster, sans-serif";
            }
            let text = escaped(text);
            svg += &format!(
                r#"<text x="{left:.2}" y="{baseline:.2}" font-size="{size:.2}" font-family="{family}" fill="{colour}">{text}</text>"#
            );
        }
        svg += "</svg>";
        let without_font = "there is no font: each reader shows the name in letters of its own";
        Ok(Drawn { poster: svg, warnings: warnings(line.as_ref(), with.typeface, without_font) })
    }

    /// The poster as PNG. Without a font there is no name on it, and a warning says so.
    ///
    /// # Errors
    /// [`PictureError::TextTooLong`]; [`PictureError::TooSmall`] where the code's box has too few pixels.
    pub fn png(&self, code: &str, name: &str, with: Materials<'_>) -> Result<Drawn<Vec<u8>>, PictureError> {
        let mut canvas = Canvas::new(self.width, self.height, self.background);
        if let Some(picture) = with.background {
            picture.draw_over(&mut canvas, Area { x: 0, y: 0, width: self.width, height: self.height });
        }
        let modules = Code::new(code, with.logo.is_some())?;
        modules.draw(&self.qr.style(), &mut canvas, (self.qr.x, self.qr.y), with.logo)?;
        let line = self.line(name, with.typeface);
        if let (Some(Line { text, left, baseline, size, colour }), Some(typeface)) = (&line, with.typeface) {
            typeface.draw(&mut canvas, text, (*left, *baseline), *size, *colour);
        }
        let without_font = "there is no font, so the name is not shown: upload a TrueType or OpenType font";
        Ok(Drawn { poster: canvas.png()?, warnings: warnings(line.as_ref(), with.typeface, without_font) })
    }

    /// The name as it is shown; nothing where none is.
    fn line(&self, name: &str, typeface: Option<&Typeface>) -> Option<Line> {
        let NameBox { x, y, width, size, colour, align } = self.name?;
        let name = name::plain(name);
        if name.is_empty() {
            return None;
        }
        // No side is longer than 4096, so 16 bits hold them, and floats hold those exactly.
        let [x, y, width] = [x, y, width].map(|length| f32::from(u16::try_from(length).unwrap_or(u16::MAX)));
        let size = f32::from(size);
        let (text, shown) = name::fitted(typeface, &name, width, size);
        let rest = (width - name::width_em(typeface, &text) * shown).max(0.0);
        let left = match align {
            Align::Left => x,
            Align::Middle => x + rest / 2.0,
            Align::Right => x + rest,
        };
        // Letters stand on four fifths of their height, in Chinese and in Latin fonts about alike.
        Some(Line { text, left, baseline: y + size * 0.4 + shown * 0.4, size: shown, colour })
    }
}

impl QrBox {
    const fn style(&self) -> QrStyle {
        QrStyle { size: self.size, dark: self.dark, light: self.light }
    }
}

struct Line {
    text: String,
    left: f32,
    baseline: f32,
    size: f32,
    colour: Colour,
}

fn warnings(line: Option<&Line>, typeface: Option<&Typeface>, without_font: &str) -> Vec<String> {
    let Some(line) = line else { return Vec::new() };
    match typeface {
        None => vec![without_font.to_owned()],
        Some(typeface) if !typeface.has_all(&line.text) => {
            vec!["the font has no sign for some letters of the name: upload one that has them".to_owned()]
        }
        Some(_) => Vec::new(),
    }
}

fn escaped(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut escaped, letter| {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            plain => escaped.push(plain),
        }
        escaped
    })
}
