//! Pictures that merchants upload: PNG and JPEG, bounded before they are unpacked.

use super::canvas::{Area, Canvas};
use super::{MOST_BYTES, MOST_SIDE, PictureError, data_url};
use std::io::Cursor;
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

/// How often a progressive JPEG may go over the picture.
const MOST_SCANS: usize = 32;

/// A picture that was uploaded.
#[derive(Clone)]
pub struct Picture {
    mime: &'static str,
    bytes: Vec<u8>,
    canvas: Canvas,
}

impl Picture {
    /// Reads a PNG or JPEG.
    ///
    /// # Errors
    /// [`PictureError::TooManyBytes`] above 1 MiB, [`PictureError::TooManyPixels`] above 4096 pixels a side, before anything is unpacked;
    /// [`PictureError::NotPicture`] where it cannot be read.
    pub fn read(bytes: Vec<u8>) -> Result<Self, PictureError> {
        if bytes.len() > MOST_BYTES {
            return Err(PictureError::TooManyBytes);
        }
        let (mime, canvas) = if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            ("image/png", png(&bytes)?)
        } else if bytes.starts_with(b"\xff\xd8\xff") {
            ("image/jpeg", jpeg(&bytes)?)
        } else {
            return Err(PictureError::NotPicture);
        };
        Ok(Self { mime, bytes, canvas })
    }

    /// Width and height.
    pub const fn size(&self) -> (u32, u32) {
        self.canvas.size()
    }

    /// The file as a data URL.
    pub(super) fn data_url(&self) -> String {
        data_url(self.mime, &self.bytes)
    }

    /// Draws the picture as large as fits, in the middle of an area.
    pub(super) fn draw_inside(&self, canvas: &mut Canvas, area: Area) {
        let (width, height) = self.size();
        let (fitting_width, fitting_height) = fitted((width, height), (area.width, area.height));
        let x = area.x.saturating_add((area.width - fitting_width) / 2);
        let y = area.y.saturating_add((area.height - fitting_height) / 2);
        let from = Area { x: 0, y: 0, width, height };
        canvas.draw(&self.canvas, from, Area { x, y, width: fitting_width, height: fitting_height });
    }

    /// Draws the middle of the picture so that it covers an area.
    pub(super) fn draw_over(&self, canvas: &mut Canvas, area: Area) {
        let (width, height) = self.size();
        let (shown_width, shown_height) = fitted((area.width, area.height), (width, height));
        let (x, y) = ((width - shown_width) / 2, (height - shown_height) / 2);
        canvas.draw(&self.canvas, Area { x, y, width: shown_width, height: shown_height }, area);
    }
}

/// The largest size of the shape `shape` that fits in `room`.
fn fitted(shape: (u32, u32), room: (u32, u32)) -> (u32, u32) {
    let (width, height) = (u64::from(shape.0.max(1)), u64::from(shape.1.max(1)));
    let (room_width, room_height) = (u64::from(room.0), u64::from(room.1));
    let (fitting_width, fitting_height) = if room_width * height <= room_height * width {
        (room_width, room_width * height / width)
    } else {
        (room_height * width / height, room_height)
    };
    let side = |length: u64, room: u32| u32::try_from(length.max(1)).unwrap_or(room).min(room);
    (side(fitting_width, room.0), side(fitting_height, room.1))
}

fn check_size(width: u32, height: u32) -> Result<(), PictureError> {
    if width == 0 || height == 0 {
        return Err(PictureError::NotPicture);
    }
    if width > MOST_SIDE || height > MOST_SIDE { Err(PictureError::TooManyPixels) } else { Ok(()) }
}

fn png(bytes: &[u8]) -> Result<Canvas, PictureError> {
    let broken = |_| PictureError::NotPicture;
    let mut decoder = png::Decoder::new(Cursor::new(bytes));
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    let info = decoder.read_header_info().map_err(broken)?;
    check_size(info.width, info.height)?;
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().map_err(broken)?;
    let mut buffer = vec![0; reader.output_buffer_size().ok_or(PictureError::TooManyPixels)?];
    let frame = reader.next_frame(&mut buffer).map_err(broken)?;
    buffer.truncate(frame.buffer_size());
    let pixels = match frame.color_type {
        png::ColorType::Rgba => chunks(&buffer, |[red, green, blue, opacity]| [red, green, blue, opacity]),
        png::ColorType::Rgb => chunks(&buffer, |[red, green, blue]| [red, green, blue, 255]),
        png::ColorType::GrayscaleAlpha => chunks(&buffer, |[grey, opacity]| [grey, grey, grey, opacity]),
        png::ColorType::Grayscale => chunks(&buffer, |[grey]| [grey, grey, grey, 255]),
        png::ColorType::Indexed => return Err(PictureError::NotPicture),
    };
    Canvas::of(frame.width, frame.height, pixels).ok_or(PictureError::NotPicture)
}

fn jpeg(bytes: &[u8]) -> Result<Canvas, PictureError> {
    let options = DecoderOptions::new_safe().jpeg_set_out_colorspace(ColorSpace::RGB).jpeg_set_max_scans(MOST_SCANS);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(|_| PictureError::NotPicture)?;
    let (width, height) = decoder.dimensions().ok_or(PictureError::NotPicture)?;
    let side = |length: usize| u32::try_from(length).map_err(|_| PictureError::TooManyPixels);
    let (width, height) = (side(width)?, side(height)?);
    check_size(width, height)?;
    let buffer = decoder.decode().map_err(|_| PictureError::NotPicture)?;
    let pixels = match decoder.output_colorspace() {
        Some(ColorSpace::RGB) => chunks(&buffer, |[red, green, blue]| [red, green, blue, 255]),
        Some(ColorSpace::Luma) => chunks(&buffer, |[grey]| [grey, grey, grey, 255]),
        _ => return Err(PictureError::NotPicture),
    };
    Canvas::of(width, height, pixels).ok_or(PictureError::NotPicture)
}

fn chunks<const N: usize>(bytes: &[u8], pixel: impl Fn([u8; N]) -> [u8; 4]) -> Vec<[u8; 4]> {
    bytes.as_chunks::<N>().0.iter().copied().map(pixel).collect()
}
