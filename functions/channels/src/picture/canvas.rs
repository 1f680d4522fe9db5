//! Pixels, and what is drawn on them.

use super::{Colour, PictureError};

/// Part of a canvas, in pixels from its upper left corner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Area {
    /// From the left.
    pub x: u32,
    /// From above.
    pub y: u32,
    /// Its width.
    pub width: u32,
    /// Its height.
    pub height: u32,
}

/// Pixels with red, green, blue and opacity. What is drawn beyond the edge is not drawn.
#[derive(Clone, PartialEq, Eq)]
pub struct Canvas {
    width: u32,
    height: u32,
    pixels: Vec<[u8; 4]>,
}

impl Canvas {
    /// A canvas of one colour.
    pub fn new(width: u32, height: u32, colour: Colour) -> Self {
        let [red, green, blue] = colour.rgb();
        Self { width, height, pixels: vec![[red, green, blue, 255]; index(width) * index(height)] }
    }

    /// A canvas of pixels that stand row by row; nothing where they are not as many as the size says.
    pub fn of(width: u32, height: u32, pixels: Vec<[u8; 4]>) -> Option<Self> {
        (pixels.len() == index(width) * index(height)).then_some(Self { width, height, pixels })
    }

    /// Width and height.
    pub const fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    /// A pixel; nothing beyond the edge.
    pub fn pixel(&self, x: u32, y: u32) -> Option<[u8; 4]> {
        let inside = x < self.width && y < self.height;
        inside.then(|| self.pixels.get(index(y) * index(self.width) + index(x)).copied()).flatten()
    }

    /// Fills an area with a colour.
    pub fn fill(&mut self, area: Area, colour: Colour) {
        let [red, green, blue] = colour.rgb();
        let (right, below) =
            (area.x.saturating_add(area.width).min(self.width), area.y.saturating_add(area.height).min(self.height));
        for y in area.y..below {
            let start = index(y) * index(self.width);
            if let Some(row) = self.pixels.get_mut(start + index(area.x)..start + index(right)) {
                row.fill([red, green, blue, 255]);
            }
        }
    }

    /// Lays a colour over a pixel, `opacity` of 255.
    pub fn blend(&mut self, x: u32, y: u32, [red, green, blue]: [u8; 3], opacity: u8) {
        if x >= self.width || y >= self.height {
            return;
        }
        if let Some(pixel) = self.pixels.get_mut(index(y) * index(self.width) + index(x)) {
            let mix = |below: u8, above: u8| {
                let opacity = u32::from(opacity);
                let sum = u32::from(above) * opacity + u32::from(below) * (255 - opacity);
                u8::try_from((sum + 127) / 255).unwrap_or(u8::MAX)
            };
            let [below_red, below_green, below_blue, _] = *pixel;
            *pixel = [mix(below_red, red), mix(below_green, green), mix(below_blue, blue), 255];
        }
    }

    /// Draws `from`, a part of another canvas, so that it fills `into`. Where it gets smaller, pixels are averaged.
    pub fn draw(&mut self, other: &Self, from: Area, into: Area) {
        for row in 0..into.height {
            for column in 0..into.width {
                let (left, right) = covered(column, into.width, from.x, from.width);
                let (above, below) = covered(row, into.height, from.y, from.height);
                let [red, green, blue, opacity] = other.average((left, right), (above, below));
                self.blend(into.x.saturating_add(column), into.y.saturating_add(row), [red, green, blue], opacity);
            }
        }
    }

    /// The mean of the pixels in a rectangle, each weighing as much as it is opaque.
    fn average(&self, (left, right): (u32, u32), (above, below): (u32, u32)) -> [u8; 4] {
        let (mut sums, mut opacity, mut count) = ([0_u64; 3], 0_u64, 0_u64);
        for y in above..below {
            for x in left..right {
                let Some([red, green, blue, own]) = self.pixel(x, y) else { continue };
                let own = u64::from(own);
                for (sum, part) in sums.iter_mut().zip([red, green, blue]) {
                    *sum += u64::from(part) * own;
                }
                opacity += own;
                count += 1;
            }
        }
        let mean = |sum: u64, of: u64| u8::try_from(sum.checked_div(of).unwrap_or(0)).unwrap_or(u8::MAX);
        let [red, green, blue] = sums.map(|sum| mean(sum, opacity));
        [red, green, blue, mean(opacity, count)]
    }

    /// The canvas as a PNG, opaque.
    ///
    /// # Errors
    /// [`PictureError::Encoding`] where the encoder gives up.
    pub fn png(&self) -> Result<Vec<u8>, PictureError> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, self.width, self.height);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header().map_err(|_| PictureError::Encoding)?;
        let pixels: Vec<u8> = self.pixels.iter().flat_map(|[red, green, blue, _]| [*red, *green, *blue]).collect();
        writer.write_image_data(&pixels).and_then(|()| writer.finish()).map_err(|_| PictureError::Encoding)?;
        Ok(bytes)
    }
}

/// The pixels of a side that a pixel of a scaled side stands for; at least one.
fn covered(place: u32, scaled: u32, start: u32, length: u32) -> (u32, u32) {
    let at = |place: u32| {
        let offset = u64::from(place) * u64::from(length) / u64::from(scaled.max(1));
        start.saturating_add(u32::try_from(offset).unwrap_or(u32::MAX))
    };
    let (first, end) = (at(place), at(place.saturating_add(1)));
    (first, end.max(first.saturating_add(1)))
}

fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
