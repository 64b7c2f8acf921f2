//! GIF files: size, length of an animation, comments and XMP.

use crate::{
    bytes::{le16, rest, u8_at},
    notes::Notes,
    source::Source,
    text, xmp,
};

/// The most blocks that are walked, and the last offset at which one may begin.
const BLOCK_LIMIT: usize = 500_000;
const OFFSET_LIMIT: u64 = 24 * 1024 * 1024;

/// The most bytes of one comment or packet.
const CONTENT_LIMIT: usize = 1024 * 1024;

/// The most packets that are looked at.
const PACKET_LIMIT: usize = 8;

/// Reads the blocks.
pub(crate) fn read(source: &mut Source<'_>, out: &mut Notes) {
    let head = source.copy(0, 13);
    out.facts.width = le16(&head, 6).map(u32::from).filter(|width| *width > 0);
    out.facts.height = le16(&head, 8).map(u32::from).filter(|height| *height > 0);
    let Some(flags) = u8_at(&head, 10) else {
        out.problem("The GIF is cut off within its header.");
        return;
    };
    let mut walk = Walk {
        source,
        at: 13 + table_len(flags),
        blocks: 0,
        packets: 0,
    };
    let mut frames = 0_u32;
    let mut duration_ms = 0_u64;
    loop {
        match walk.byte() {
            Some(0x2C) => {
                frames = frames.saturating_add(1);
                let descriptor = walk.source.copy(walk.at, 9);
                let Some(flags) = u8_at(&descriptor, 8) else {
                    break;
                };
                // The descriptor, its colours, and the size of a code; then the picture.
                walk.at = walk.at.saturating_add(9 + table_len(flags) + 1);
                walk.content(0);
            }
            Some(0x21) => match walk.byte() {
                Some(0xF9) => {
                    let control = walk.content(16);
                    let hundredths = le16(&control, 1).unwrap_or(0);
                    duration_ms = duration_ms.saturating_add(u64::from(hundredths) * 10);
                }
                Some(0xFE) => out.property("comment", text::decode(&walk.content(CONTENT_LIMIT))),
                Some(0xFF) => application(&mut walk, out),
                Some(_) => {
                    walk.content(0);
                }
                None => break,
            },
            Some(0x3B) => {
                if frames > 1 {
                    out.facts.frame_count = Some(frames);
                    out.facts.duration_ms = Some(duration_ms);
                }
                return;
            }
            _ => break,
        }
    }
    if walk.at <= OFFSET_LIMIT {
        out.problem("The GIF is damaged or cut off.");
    }
}

/// Bytes of a colour table, from the flags that announce it.
fn table_len(flags: u8) -> u64 {
    if flags & 0x80 == 0 {
        0
    } else {
        3 << (u64::from(flags & 7) + 1)
    }
}

fn application(walk: &mut Walk<'_, '_>, out: &mut Notes) {
    let head = walk.source.copy(walk.at, 12);
    walk.packets = walk.packets.saturating_add(1);
    if walk.packets > PACKET_LIMIT || head.get(1..12) != Some(b"XMP DataXMP".as_slice()) {
        walk.content(0);
        return;
    }
    // The packet is stored plain, not in blocks; a ramp of bytes behind it leads block readers out.
    let packet = walk.source.copy(walk.at.saturating_add(12), CONTENT_LIMIT);
    walk.content(0);
    let end = crate::bytes::find(&packet, b"<?xpacket end").map(|at| {
        let tail = rest(&packet, at)
            .iter()
            .position(|byte| *byte == b'>')
            .unwrap_or(0);
        at.saturating_add(tail).saturating_add(1)
    });
    if let Some(packet) = packet.get(..end.unwrap_or(0)) {
        xmp::read_embedded(packet, out);
    }
}

struct Walk<'s, 'a> {
    source: &'s mut Source<'a>,
    at: u64,
    blocks: usize,
    packets: usize,
}

impl Walk<'_, '_> {
    fn byte(&mut self) -> Option<u8> {
        if self.at > OFFSET_LIMIT {
            return None;
        }
        let byte = u8_at(self.source.read(self.at, 1), 0);
        self.at = self.at.saturating_add(1);
        byte
    }

    /// Passes over blocks up to the empty one, and gives the first `limit` bytes of them.
    fn content(&mut self, limit: usize) -> Vec<u8> {
        let mut content = Vec::new();
        while let Some(len) = self.byte().filter(|len| *len > 0) {
            self.blocks = self.blocks.saturating_add(1);
            if self.blocks > BLOCK_LIMIT {
                break;
            }
            if content.len() < limit {
                let block = self.source.read(self.at, usize::from(len));
                content.extend_from_slice(block);
            }
            self.at = self.at.saturating_add(u64::from(len));
        }
        content
    }
}
