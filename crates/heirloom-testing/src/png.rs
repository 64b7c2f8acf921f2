//! Small valid PNG files, each with its own bytes.

/// The bytes of a grey PNG of one pixel (ISO/IEC 15948). Different seeds give different bytes: the
/// seed is its `Comment`.
#[must_use]
pub fn tiny(seed: u64) -> Vec<u8> {
    let mut file = b"\x89PNG\r\n\x1A\n".to_vec();
    chunk(&mut file, b"IHDR", &[0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0]);
    chunk(
        &mut file,
        b"tEXt",
        format!("Comment\0tiny picture {seed}").as_bytes(),
    );
    // One row of one pixel, deflated: a filter byte and a grey of 0x5A.
    chunk(
        &mut file,
        b"IDAT",
        &[0x78, 0x9C, 0x63, 0x88, 0x02, 0x00, 0x00, 0x5C, 0x00, 0x5B],
    );
    chunk(&mut file, b"IEND", &[]);
    file
}

/// A picture of one colour, with so many pixels across and down.
#[must_use]
pub fn plain(width: u16, height: u16, colour: [u8; 3]) -> Vec<u8> {
    let mut file = b"\x89PNG\r\n\x1A\n".to_vec();
    let mut header = [u32::from(width), u32::from(height)]
        .map(u32::to_be_bytes)
        .concat();
    header.extend([8, 2, 0, 0, 0]);
    chunk(&mut file, b"IHDR", &header);
    let row = [vec![0], colour.repeat(width.into())].concat();
    let rows = row.repeat(height.into());
    // As it is, in blocks that say how long they are (RFC 1950, RFC 1951).
    let mut packed = vec![0x78, 0x01];
    let mut blocks = rows.chunks(usize::from(u16::MAX)).peekable();
    while let Some(block) = blocks.next() {
        let length = u16::try_from(block.len()).expect("a small block");
        packed.push(u8::from(blocks.peek().is_none()));
        packed.extend(length.to_le_bytes());
        packed.extend((!length).to_le_bytes());
        packed.extend(block);
    }
    let (low, high) = rows.iter().fold((1, 0), |(low, high), byte| {
        let low = (low + u32::from(*byte)) % 65_521;
        (low, (high + low) % 65_521)
    });
    packed.extend((high << 16 | low).to_be_bytes());
    chunk(&mut file, b"IDAT", &packed);
    chunk(&mut file, b"IEND", &[]);
    file
}

fn chunk(file: &mut Vec<u8>, kind: &[u8; 4], payload: &[u8]) {
    file.extend(
        u32::try_from(payload.len())
            .expect("a small chunk")
            .to_be_bytes(),
    );
    let checked_from = file.len();
    file.extend(kind);
    file.extend(payload);
    let checksum = crc(&file[checked_from..]);
    file.extend(checksum.to_be_bytes());
}

fn crc(bytes: &[u8]) -> u32 {
    let step = |rest: u32, _| (rest >> 1) ^ if rest & 1 == 1 { 0xEDB8_8320 } else { 0 };
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), step)
    })
}
