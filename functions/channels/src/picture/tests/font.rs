//! A font made for these tests: every letter from U+0020 to U+9FFF is a square of 0.8 em that stands on the line, an em wide.

/// The font as a TrueType file.
pub fn of_squares() -> Vec<u8> {
    of(1000, 800)
}

/// A font whose squares are 2000 ems a side.
pub fn of_giants() -> Vec<u8> {
    of(16, 32_000)
}

fn of(units_per_em: i16, side: i16) -> Vec<u8> {
    let glyph = shorts(&[1, 0, 0, side, side, 3, 0])
        .into_iter()
        // Four points on the curve; their x, then their y, each from the one before.
        .chain([1; 4])
        .chain(shorts(&[0, side, 0, -side]))
        .chain(shorts(&[0, 0, side, 0]))
        .collect::<Vec<u8>>();
    let glyph_end = u32::try_from(glyph.len()).unwrap();
    let tables: Vec<([u8; 4], Vec<u8>)> = vec![
        (
            *b"cmap",
            [shorts(&[0, 1, 0, 6]), longs(&[12]), shorts(&[13, 0]), longs(&[28, 0, 1, 0x20, 0x9fff, 1])].concat(),
        ),
        (*b"glyf", glyph),
        (
            *b"head",
            [
                longs(&[0x1_0000, 0, 0, 0x5f0f_3cf5]),
                shorts(&[0, units_per_em, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, side, side, 0, 8, 2, 1, 0]),
            ]
            .concat(),
        ),
        (*b"hhea", [longs(&[0x1_0000]), shorts(&[800, -200, 0, 1000, 0, 0, 800, 1, 0, 0, 0, 0, 0, 0, 0, 2])].concat()),
        (*b"hmtx", shorts(&[units_per_em, 0, units_per_em, 0])),
        (*b"loca", longs(&[0, 0, glyph_end])),
        (*b"maxp", [longs(&[0x1_0000]), shorts(&[2, 4, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0])].concat()),
    ];
    let count = i16::try_from(tables.len()).unwrap();
    let mut file = [longs(&[0x1_0000]), shorts(&[count, 64, 2, 48])].concat();
    let mut offset = 12 + 16 * tables.len();
    for (tag, table) in &tables {
        let (start, length) = (u32::try_from(offset).unwrap(), u32::try_from(table.len()).unwrap());
        file.extend(tag.iter().copied().chain(longs(&[0, start, length])));
        offset += table.len().next_multiple_of(4);
    }
    for (_, table) in tables {
        file.extend(&table);
        file.resize(file.len().next_multiple_of(4), 0);
    }
    file
}

fn shorts(of: &[i16]) -> Vec<u8> {
    of.iter().flat_map(|number| number.to_be_bytes()).collect()
}

fn longs(of: &[u32]) -> Vec<u8> {
    of.iter().flat_map(|number| number.to_be_bytes()).collect()
}
