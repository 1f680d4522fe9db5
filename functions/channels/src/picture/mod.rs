//! Pictures: QR codes with a logo, and posters with a code and a name, as SVG and as PNG.
//!
//! Everything that a picture needs is inside it. What merchants upload is bounded before it is unpacked, so that a small file cannot become a large
//! memory.

mod canvas;
mod colour;
mod name;
pub mod poster;
mod qr;
#[cfg(test)]
mod tests;
mod upload;

pub use colour::Colour;
pub use name::Typeface;
pub use poster::{Materials, Poster};
pub use qr::QrStyle;
pub use upload::Picture;

/// The most bytes of an uploaded picture or font: what a request may carry, 1 MiB.
pub const MOST_BYTES: usize = kit::extract::MAX_BODY;
/// The most pixels of a side.
pub const MOST_SIDE: u32 = 4096;

/// Why a picture cannot be drawn.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PictureError {
    /// Too many bytes.
    #[error("the file has more than 1 MiB: make it smaller")]
    TooManyBytes,
    /// Too many pixels.
    #[error("the picture is wider or higher than 4096 pixels: make it smaller")]
    TooManyPixels,
    /// Neither PNG nor JPEG, or a broken one.
    #[error("the file is no picture that can be read: send a PNG or JPEG")]
    NotPicture,
    /// No TrueType or OpenType font.
    #[error("the file is no font that can be read: send a TrueType or OpenType font")]
    NotFont,
    /// More than a QR code holds.
    #[error("the text is too long for a QR code")]
    TextTooLong,
    /// Fewer pixels than the code has modules.
    #[error("the code needs more pixels than it has: make it larger")]
    TooSmall,
    /// The encoder gave up.
    #[error("the picture could not be written")]
    Encoding,
}

/// A file as a data URL, to stand in an SVG.
fn data_url(mime: &str, bytes: &[u8]) -> String {
    use base64::Engine;
    format!("data:{mime};base64,{}", base64::engine::general_purpose::STANDARD.encode(bytes))
}
