//! Small files, built byte by byte.

/// A box of the ISO base media format.
pub(crate) fn atom(kind: &[u8; 4], parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let len = u32::try_from(content.len() + 8).unwrap().to_be_bytes();
    [&len[..], kind, &content].concat()
}

/// A chunk of RIFF, padded.
pub(crate) fn chunk(name: &[u8; 4], parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let len = u32::try_from(content.len()).unwrap().to_le_bytes();
    let padding: &[u8] = if content.len() % 2 == 1 { &[0] } else { &[] };
    [name, &len[..], &content, padding].concat()
}

/// A whole RIFF file.
pub(crate) fn riff(kind: &[u8; 4], parts: &[&[u8]]) -> Vec<u8> {
    chunk(b"RIFF", &[&[&kind[..]], parts].concat())
}

/// A segment of JPEG.
pub(crate) fn segment(marker: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let len = u16::try_from(content.len() + 2).unwrap().to_be_bytes();
    [&[0xFF, marker], &len[..], &content].concat()
}

/// A JPEG of segments, with a picture of no size.
pub(crate) fn jpeg(segments: &[&[u8]]) -> Vec<u8> {
    [&[0xFF, 0xD8], &segments.concat()[..], &[0xFF, 0xD9]].concat()
}

/// A chunk of PNG; nobody looks at the checksum.
pub(crate) fn png_chunk(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let len = u32::try_from(content.len()).unwrap().to_be_bytes();
    [&len[..], name, content, &[0; 4]].concat()
}

/// A PNG of 3 by 2 pixels without a picture.
pub(crate) fn png(chunks: &[&[u8]]) -> Vec<u8> {
    let head = png_chunk(b"IHDR", &[0, 0, 0, 3, 0, 0, 0, 2, 8, 2, 0, 0, 0]);
    [
        b"\x89PNG\r\n\x1a\n",
        &head[..],
        &chunks.concat(),
        &png_chunk(b"IEND", b""),
    ]
    .concat()
}

/// An element of Matroska.
pub(crate) fn element(id: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let len = (0x0800_0000 | u32::try_from(content.len()).unwrap()).to_be_bytes();
    // Four bytes of length begin with 0001.
    let len = (u32::from_be_bytes(len) | 0x1000_0000) & !0x0800_0000;
    [id, &len.to_be_bytes()[..], &content].concat()
}

/// An entry of a little-endian TIFF directory whose value fits or lies elsewhere.
pub(crate) fn entry(tag: u16, format: u16, count: u32, field: [u8; 4]) -> Vec<u8> {
    [
        &tag.to_le_bytes()[..],
        &format.to_le_bytes(),
        &count.to_le_bytes(),
        &field,
    ]
    .concat()
}

/// A little-endian TIFF of one directory with texts and short numbers.
pub(crate) fn tiff(texts: &[(u16, &str)], shorts: &[(u16, u16)]) -> Vec<u8> {
    let count = u16::try_from(texts.len() + shorts.len()).unwrap();
    let mut values_at = 8 + 2 + u32::from(count) * 12 + 4;
    let (mut entries, mut values) = (Vec::new(), Vec::new());
    for (tag, text) in texts {
        let text = format!("{text}\0\0\0\0");
        let len = u32::try_from(text.len()).unwrap();
        entries.extend(entry(*tag, 2, len, values_at.to_le_bytes()));
        values.extend_from_slice(text.as_bytes());
        values_at += len;
    }
    for (tag, number) in shorts {
        let [low, high] = number.to_le_bytes();
        entries.extend(entry(*tag, 3, 1, [low, high, 0, 0]));
    }
    [
        b"II*\0\x08\0\0\0",
        &count.to_le_bytes()[..],
        &entries,
        &[0; 4],
        &values,
    ]
    .concat()
}

/// A file in a ZIP archive that packs nothing.
pub(crate) fn zip(files: &[(&str, &str)]) -> Vec<u8> {
    let (mut bytes, mut list) = (Vec::new(), Vec::new());
    for (name, content) in files {
        let at = u32::try_from(bytes.len()).unwrap().to_le_bytes();
        let len = u32::try_from(content.len()).unwrap().to_le_bytes();
        let name_len = u16::try_from(name.len()).unwrap().to_le_bytes();
        let common = [
            &[20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0][..],
            &len,
            &len,
            &name_len,
            &[0, 0],
        ]
        .concat();
        bytes.extend(
            [
                b"PK\x03\x04",
                &common[..],
                name.as_bytes(),
                content.as_bytes(),
            ]
            .concat(),
        );
        list.extend(
            [
                b"PK\x01\x02\x14\0",
                &common[..],
                &[0; 10],
                &at,
                name.as_bytes(),
            ]
            .concat(),
        );
    }
    let (at, len) = (
        u32::try_from(bytes.len()).unwrap(),
        u32::try_from(list.len()).unwrap(),
    );
    let count = u16::try_from(files.len()).unwrap().to_le_bytes();
    let end = [
        b"PK\x05\x06\0\0\0\0",
        &count[..],
        &count,
        &len.to_le_bytes(),
        &at.to_le_bytes(),
        &[0, 0],
    ]
    .concat();
    [bytes, list, end].concat()
}
