mod font;

use super::canvas::{Area, Canvas};
use super::poster::NameBox;
use super::*;
use proptest::prelude::*;

/// 16 × 8 pixels, grey: the left half 32, the right half 224. Made for these tests, without any detail within its blocks.
const GREY_JPEG: &str = "ffd8ffdb00430008080808080808080808080808080808080808080808080808080808080808080808080808080808080808080808080808080808080808080808080808080808ffc0000b080008001001011100ffc4001c0000000009000000000000000000000000000102030405060708ffc40014100100000000000000000000000000000000ffda0008010100003f0073e8c07fffd9";
/// 16 × 8 pixels: the left half red, the right half green.
const COLOUR_JPEG: &str = "ffd8ffdb00430008080808080808080808080808080808080808080808080808080808080808080808080808080808080808080808080808080808080808080808080808080808ffc00011080008001003011100021100031100ffc4001c0000000009000000000000000000000000000102030405060708ffc40014100100000000000000000000000000000000ffda000c03010002000300003f0062cca1ff009e499540abffd9";

fn colour(text: &str) -> Colour {
    text.parse().unwrap()
}

fn png_of(width: u32, height: u32, fill: &str) -> Vec<u8> {
    Canvas::new(width, height, colour(fill)).png().unwrap()
}

fn picture(width: u32, height: u32, fill: &str) -> Picture {
    Picture::read(png_of(width, height, fill)).unwrap()
}

fn pixels(png: Vec<u8>) -> Canvas {
    let picture = Picture::read(png).unwrap();
    let (width, height) = picture.size();
    let mut canvas = Canvas::new(width, height, Colour::BLACK);
    picture.draw_over(&mut canvas, Area { x: 0, y: 0, width, height });
    canvas
}

/// What another reader of QR codes reads in a picture.
fn read_back(png: Vec<u8>) -> Vec<String> {
    let canvas = pixels(png);
    let (width, height) = canvas.size();
    let side = |length: u32| usize::try_from(length).unwrap();
    let grey = |x: usize, y: usize| {
        let [red, green, blue, _] = canvas.pixel(u32::try_from(x).unwrap(), u32::try_from(y).unwrap()).unwrap();
        u8::try_from((u32::from(red) * 3 + u32::from(green) * 6 + u32::from(blue)) / 10).unwrap()
    };
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(side(width), side(height), grey);
    image.detect_grids().into_iter().filter_map(|grid| grid.decode().ok()).map(|(_, text)| text).collect()
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|place| u8::from_str_radix(&text[place..place + 2], 16).unwrap()).collect()
}

const LINK: &str = "https://siyu.example/q/4f9d2c?utm_source=poster";

#[test]
fn a_code_is_read_back_with_and_without_a_logo() {
    let logos =
        [None, Some(picture(200, 200, "#e02020")), Some(picture(300, 50, "#000000")), Some(picture(1, 400, "#ffffff"))];
    for logo in &logos {
        for (size, dark, light) in [(100, "#000000", "#ffffff"), (301, "#103060", "#fff8e0")] {
            let style = QrStyle { size, dark: colour(dark), light: colour(light) };
            assert_eq!(style.check(), Ok(()));
            let png = style.png(LINK, logo.as_ref()).unwrap();
            assert_eq!(pixels(png.clone()).size(), (size, size));
            assert_eq!(read_back(png), [LINK], "{size} {}", logo.is_some());
        }
    }
}

#[test]
fn chinese_is_read_back_as_it_was_written() {
    let text = "扫码添加店长李（虚构）";
    assert_eq!(read_back(QrStyle::default().png(text, None).unwrap()), [text]);
    // The UTF-8 of these looks like Shift JIS throughout. As the 45 bytes that they are they need version 4, 33 modules; as Kanji they would fit in
    // version 3, and phones would show other letters.
    let text = "址均坏坐坚坑址均坏坐坚坑址均坏";
    assert!(QrStyle::default().svg(text, None).unwrap().contains(r#"viewBox="0 0 41 41""#));
    assert_eq!(read_back(QrStyle::default().png(text, None).unwrap()), [text]);
}

#[test]
fn a_code_as_svg_is_well_formed_and_shows_the_same_modules() {
    let logo = picture(20, 20, "#e02020");
    let style = QrStyle { size: 290, ..QrStyle::default() };
    for logo in [None, Some(&logo)] {
        let svg = style.svg("HTTPS://SIYU.EXAMPLE/1", logo).unwrap();
        let document = roxmltree::Document::parse(&svg).unwrap();
        let path =
            document.descendants().find(|node| node.has_tag_name(("http://www.w3.org/2000/svg", "path"))).unwrap();
        let inner = path.parent_element().unwrap();
        let side: u32 = inner.attribute("viewBox").unwrap().rsplit_once(' ').unwrap().1.parse().unwrap();
        // Drawn by the path alone, ten pixels a module.
        let mut canvas = Canvas::new(side * 10, side * 10, Colour::WHITE);
        for run in path.attribute("d").unwrap().split('M').filter(|run| !run.is_empty()) {
            let (x, rest) = run.split_once(' ').unwrap();
            let (y, rest) = rest.split_once('h').unwrap();
            let (length, _) = rest.split_once('v').unwrap();
            let [x, y, length] = [x, y, length].map(|number| number.parse::<u32>().unwrap() * 10);
            canvas.fill(Area { x, y, width: length, height: 10 }, Colour::BLACK);
        }
        assert_eq!(read_back(canvas.png().unwrap()), ["HTTPS://SIYU.EXAMPLE/1"]);
        let images = document.descendants().filter(|node| node.tag_name().name() == "image");
        let urls: Vec<_> = images.map(|image| image.attribute("href").unwrap()).collect();
        assert_eq!(urls.len(), usize::from(logo.is_some()));
        assert!(urls.iter().all(|url| url.starts_with("data:image/png;base64,iVBOR")));
    }
}

#[test]
fn colours_that_readers_cannot_tell_apart_are_refused() {
    for (dark, light, fits) in [
        ("#000000", "#ffffff", true),
        ("#767676", "#ffffff", true),
        ("#777777", "#ffffff", false),
        ("#ffffff", "#000000", false),
        ("#ff0000", "#00ff00", false),
        ("#202020", "#202020", false),
    ] {
        let style = QrStyle { dark: colour(dark), light: colour(light), ..QrStyle::default() };
        assert_eq!(style.check().is_ok(), fits, "{dark} {light}");
    }
    for (size, fits) in [(99, false), (100, true), (4096, true), (4097, false)] {
        assert_eq!(QrStyle { size, ..QrStyle::default() }.check().is_ok(), fits);
    }
}

#[test]
fn what_does_not_fit_in_a_code_is_said() {
    let style = QrStyle { size: 100, ..QrStyle::default() };
    assert_eq!(style.png(&"a".repeat(3000), None), Err(PictureError::TextTooLong));
    assert_eq!(style.svg(&"字".repeat(1000), None), Err(PictureError::TextTooLong));
    assert_eq!(style.png(&"a".repeat(1000), None), Err(PictureError::TooSmall));
}

#[test]
fn jpegs_are_read() {
    for (bytes, left, right) in [(GREY_JPEG, [32, 32, 32], [224, 224, 224]), (COLOUR_JPEG, [254, 0, 0], [0, 255, 1])] {
        let picture = Picture::read(hex(bytes)).unwrap();
        assert_eq!(picture.size(), (16, 8));
        let canvas = pixels(hex(bytes));
        for (x, expected) in [(0, left), (7, left), (8, right), (15, right)] {
            let [red, green, blue, opacity] = canvas.pixel(x, 4).unwrap();
            let near =
                [red, green, blue].into_iter().zip(expected).all(|(one, other): (u8, u8)| one.abs_diff(other) <= 4);
            assert!(near && opacity == 255, "{x}: {red} {green} {blue}");
        }
        assert!(picture.data_url().starts_with("data:image/jpeg;base64,/9j/"));
    }
}

#[test]
fn a_small_file_cannot_become_a_large_memory() {
    // A PNG's size stands in its header: it is looked at before anything is unpacked.
    let patch = |mut png: Vec<u8>, width: u32| {
        png[16..20].copy_from_slice(&width.to_be_bytes());
        let mut crc = !0_u32;
        for byte in &png[12..29] {
            crc ^= u32::from(*byte);
            for _ in 0..8 {
                crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
            }
        }
        png[29..33].copy_from_slice(&(!crc).to_be_bytes());
        png
    };
    let png = png_of(4, 4, "#ffffff");
    let refused = |bytes| Picture::read(bytes).err();
    assert_eq!(refused(patch(png.clone(), 4)), None);
    assert_eq!(refused(patch(png.clone(), 4097)), Some(PictureError::TooManyPixels));
    assert_eq!(refused(patch(png.clone(), 2_000_000_000)), Some(PictureError::TooManyPixels));
    let mut jpeg = hex(GREY_JPEG);
    let frame = jpeg.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0xff, 0xff, 0xff, 0xff]);
    assert!(matches!(refused(jpeg), Some(PictureError::TooManyPixels | PictureError::NotPicture)));
    assert_eq!(refused([png.clone(), vec![0; MOST_BYTES]].concat()), Some(PictureError::TooManyBytes));
    for broken in
        [Vec::new(), b"GIF89a".to_vec(), png[..40].to_vec(), hex(GREY_JPEG)[..60].to_vec(), b"<svg/>".to_vec()]
    {
        assert_eq!(refused(broken), Some(PictureError::NotPicture));
    }
    assert!(matches!(Typeface::read(b"no font".to_vec()), Err(PictureError::NotFont)));
    assert!(matches!(Typeface::read(vec![0; MOST_BYTES + 1]), Err(PictureError::TooManyBytes)));
}

#[test]
fn a_font_of_giants_needs_no_giant_memory() {
    let typeface = Typeface::read(font::of_giants()).unwrap();
    let with = Materials { typeface: Some(&typeface), ..Materials::default() };
    let drawn = poster().png(LINK, "李四", with).unwrap();
    assert_eq!(extent(&pixels(drawn.poster), [0x80, 0x20, 0x20]), None);
}

fn poster() -> Poster {
    serde_json::from_str(
        r##"{"width": 600, "height": 900, "background": "#fff0e0", "qr": {"x": 150, "y": 500, "size": 300},
            "name": {"x": 100, "y": 100, "width": 400, "size": 40, "colour": "#802020", "align": "middle"}}"##,
    )
    .unwrap()
}

fn texts(svg: &str) -> Vec<String> {
    let document = roxmltree::Document::parse(svg).unwrap();
    let texts = document.descendants().filter(|node| node.tag_name().name() == "text");
    texts.map(|node| node.text().unwrap().to_owned()).collect()
}

/// The columns and rows in which a colour stands.
fn extent(canvas: &Canvas, fill: [u8; 3]) -> Option<((u32, u32), (u32, u32))> {
    let (width, height) = canvas.size();
    let all = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    let found: Vec<_> = all.filter(|(x, y)| canvas.pixel(*x, *y).unwrap()[..3] == fill).collect();
    let columns = || found.iter().map(|(x, _)| *x);
    let rows = || found.iter().map(|(_, y)| *y);
    Some(((columns().min()?, columns().max()?), (rows().min()?, rows().max()?)))
}

#[test]
fn a_poster_has_its_code_and_its_name() {
    let (poster, typeface) = (poster(), Typeface::read(font::of_squares()).unwrap());
    assert_eq!(poster.check(), Ok(()));
    let (logo, background) = (picture(50, 50, "#2040e0"), picture(100, 10, "#80c0ff"));
    let with = Materials { background: Some(&background), logo: Some(&logo), typeface: Some(&typeface) };
    let drawn = poster.png(LINK, "李四", with).unwrap();
    assert_eq!(drawn.warnings, [""; 0]);
    assert_eq!(read_back(drawn.poster.clone()), [LINK]);
    let canvas = pixels(drawn.poster);
    assert_eq!(canvas.size(), (600, 900));
    assert_eq!(canvas.pixel(0, 0), Some([0x80, 0xc0, 0xff, 255]), "the background covers all");
    assert_eq!(canvas.pixel(599, 899), Some([0x80, 0xc0, 0xff, 255]));
    // Two squares of 0.8 em, an em wide each, in the middle of 100 to 500, standing at 132.
    assert_eq!(extent(&canvas, [0x80, 0x20, 0x20]), Some(((260, 331), (100, 131))));

    let svg = poster.svg(LINK, "李四", with).unwrap();
    assert_eq!((texts(&svg.poster), svg.warnings), (vec!["李四".to_owned()], Vec::new()));
    assert!(
        svg.poster.contains(r#"x="260.00" y="132.00" font-size="40.00""#),
        "{}",
        &svg.poster[svg.poster.len() - 300..]
    );
    assert!(svg.poster.contains("src:url(\"data:font/ttf;base64,"));
    assert_eq!(svg.poster.matches("<image").count(), 2);
    assert!(!svg.poster.replace("http://www.w3.org/2000/svg", "").contains("http"), "nothing is fetched");
}

#[test]
fn without_a_font_a_png_has_no_name_and_a_warning_says_so() {
    let drawn = poster().png(LINK, "李四", Materials::default()).unwrap();
    assert!(drawn.warnings.len() == 1 && drawn.warnings[0].contains("upload"), "{:?}", drawn.warnings);
    assert!(!drawn.warnings[0].contains('李'));
    assert_eq!(extent(&pixels(drawn.poster.clone()), [0x80, 0x20, 0x20]), None);
    assert_eq!(read_back(drawn.poster), [LINK]);
    assert_eq!(poster().png(LINK, " \n", Materials::default()).unwrap().warnings, [""; 0], "no name, no warning");
    assert_eq!(poster().svg(LINK, "李四", Materials::default()).unwrap().warnings.len(), 1);

    let typeface = Typeface::read(font::of_squares()).unwrap();
    let with = Materials { typeface: Some(&typeface), ..Materials::default() };
    let drawn = poster().png(LINK, "a😀", with).unwrap();
    assert!(drawn.warnings[0].contains("no sign"), "{:?}", drawn.warnings);
}

#[test]
fn names_are_escaped() {
    let name = r#"<script>alert("1 & '2'")</script>"#;
    let wide = Poster { name: Some(NameBox { x: 0, width: 600, size: 20, ..poster().name.unwrap() }), ..poster() };
    let svg = wide.svg(LINK, name, Materials::default()).unwrap().poster;
    assert_eq!(texts(&svg), [name]);
    assert!(!svg.contains("<script"));
    let svg = poster().svg(LINK, "a\u{0}b\u{ffff}c\r\nd", Materials::default()).unwrap().poster;
    assert_eq!(texts(&svg), ["a b c  d"]);
}

#[test]
fn a_long_name_gets_smaller_and_is_then_cut() {
    let typeface = Typeface::read(font::of_squares()).unwrap();
    let with = Materials { typeface: Some(&typeface), ..Materials::default() };
    // Ten letters of 40 pixels fit in 400.
    for (letters, size, shown) in
        [(10, "40.00", 10), (16, "25.00", 16), (20, "20.00", 20), (21, "20.00", 20), (500, "20.00", 20)]
    {
        let svg = poster().svg(LINK, &"字".repeat(letters), with).unwrap().poster;
        assert_eq!(texts(&svg)[0].chars().count(), shown, "{letters}");
        assert_eq!(texts(&svg)[0].ends_with('…'), letters > 20, "{letters}");
        assert!(svg.contains(&format!("font-size=\"{size}\"")), "{letters}");
        let canvas = pixels(poster().png(LINK, &"字".repeat(letters), with).unwrap().poster);
        let ((left, right), _) = extent(&canvas, [0x80, 0x20, 0x20]).unwrap();
        assert!(left >= 100 && right < 500, "{letters}: {left} {right}");
    }
}

#[test]
fn posters_that_cannot_be_drawn_are_refused() {
    let change = |change: fn(&mut Poster)| {
        let mut poster = poster();
        change(&mut poster);
        poster.check().map_err(|mistake| mistake.path)
    };
    for (fault, path) in [
        (change(|poster| poster.width = 199), "width"),
        (change(|poster| poster.height = 4097), "height"),
        (change(|poster| poster.qr.size = 99), "qr.size"),
        (change(|poster| poster.qr.light = Colour::BLACK), "qr.dark"),
        (change(|poster| poster.qr.x = 301), "qr"),
        (change(|poster| poster.qr.y = u32::MAX), "qr"),
        (change(|poster| poster.name.as_mut().unwrap().size = 401), "name.size"),
        (change(|poster| poster.name.as_mut().unwrap().width = 39), "name.width"),
        (change(|poster| poster.name.as_mut().unwrap().x = 201), "name"),
        (change(|poster| poster.name.as_mut().unwrap().y = 861), "name"),
    ] {
        assert_eq!(fault, Err(path.to_owned()));
    }
    assert_eq!(change(|poster| poster.qr.x = 300), Ok(()));
}

#[test]
fn pictures_keep_their_shape() {
    let mut canvas = Canvas::new(100, 100, Colour::WHITE);
    let area = Area { x: 10, y: 10, width: 80, height: 80 };
    picture(40, 10, "#2040e0").draw_inside(&mut canvas, area);
    assert_eq!(extent(&canvas, [0x20, 0x40, 0xe0]), Some(((10, 89), (40, 59))));
    let mut half = Canvas::new(4, 2, Colour::BLACK);
    half.fill(Area { x: 1, y: 0, width: 2, height: 2 }, colour("#ff0000"));
    Picture::read(half.png().unwrap()).unwrap().draw_over(&mut canvas, area);
    assert_eq!(extent(&canvas, [0xff, 0, 0]), Some(((10, 89), (10, 89))), "the middle covers the area");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn texts_are_read_back(text in "\\PC{1,120}", has_logo: bool) {
        let logo = has_logo.then(|| picture(30, 20, "#e02020"));
        let style = QrStyle { size: 400, ..QrStyle::default() };
        prop_assert_eq!(read_back(style.png(&text, logo.as_ref()).unwrap()), [text]);
    }

    #[test]
    fn any_name_makes_a_well_formed_poster(name in any::<String>()) {
        let svg = poster().svg("https://siyu.example", &name, Materials::default()).unwrap().poster;
        prop_assert!(roxmltree::Document::parse(&svg).is_ok());
    }

    #[test]
    fn no_upload_is_a_panic(cut in 0..200_usize, place in 0..200_usize, byte: u8) {
        for whole in [png_of(9, 7, "#102030"), hex(GREY_JPEG), hex(COLOUR_JPEG), font::of_squares()] {
            let mut bytes = whole.clone();
            if let Some(changed) = bytes.get_mut(place) {
                *changed = byte;
            }
            bytes.truncate(whole.len().saturating_sub(cut));
            let _ = Picture::read(bytes.clone());
            if let Ok(typeface) = Typeface::read(bytes) {
                let with = Materials { typeface: Some(&typeface), ..Materials::default() };
                let _ = poster().png("1", "ab", with);
            }
        }
    }
}
