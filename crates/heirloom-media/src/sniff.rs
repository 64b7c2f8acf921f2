//! What a file is: by its first bytes, and by its name only where bytes cannot tell.

mod container;
mod prose;

use std::io::{self, Read, Seek};

use crate::{
    bytes::{find, rest, slice},
    file_type::{self as types, FileType},
    source::Source,
};

/// How much of the beginning is looked at.
const HEAD: usize = 4 * 1024;

/// The type of a file.
///
/// Content decides: a polyglot is what its first bytes say, and a wrong extension changes nothing.
/// The name is asked only for what has no signature: kinds of plain text, and RAW that is built as
/// ordinary TIFF. What is not recognised is [`MediaKind::Other`](heirloom_core::MediaKind::Other).
///
/// # Errors
/// Only those of reading; nothing in the content is an error.
pub fn sniff(source: &mut (impl Read + Seek), name: &str) -> io::Result<FileType> {
    let mut source = Source::new(source)?;
    let file_type = from_source(&mut source, name);
    source.finish()?;
    Ok(file_type)
}

pub(crate) fn from_source(source: &mut Source<'_>, name: &str) -> FileType {
    if source.len() == 0 {
        return types::EMPTY;
    }
    let head = source.copy(0, HEAD);
    let extension = extension(name);
    picture(&head)
        .or_else(|| container::sniff(source, &head, &extension))
        .or_else(|| sound(&head))
        .or_else(|| document(&head, &extension))
        .or_else(|| container::stream(source, &head))
        .or_else(|| unsigned_sound(source, &head, &extension))
        .unwrap_or(types::OTHER)
}

/// What follows the last full stop, in lower case.
pub(crate) fn extension(name: &str) -> String {
    name.rsplit_once('.')
        .map(|(_, extension)| extension.to_lowercase())
        .unwrap_or_default()
}

/// Pictures with a signature of their own.
fn picture(head: &[u8]) -> Option<FileType> {
    let at = |at: usize, mark: &[u8]| rest(head, at).starts_with(mark);
    Some(match head {
        [0xFF, 0xD8, 0xFF, ..] => types::JPEG,
        [0xFF, 0x01, b'E', b'x', b'i', b'v', b'2', ..] => types::EXV,
        _ if at(0, b"\x89PNG\r\n\x1a\n") => types::PNG,
        _ if at(0, b"RIFF") && at(8, b"WEBP") => types::WEBP,
        _ if at(0, b"GIF87a") || at(0, b"GIF89a") => types::GIF,
        // The size of the second header tells a picture from a text that begins with BM.
        [b'B', b'M', ..]
            if slice(head, 14, 4).is_some_and(|size| {
                matches!(size, [12 | 40 | 52 | 56 | 64 | 108 | 124, 0, 0, 0])
            }) =>
        {
            types::BMP
        }
        [0, 0, 1 | 2, 0, count, 0, ..] if *count > 0 && matches!(head.get(9), Some(0)) => {
            types::ICO
        }
        [0xFF, 0x0A, ..] => types::JXL_CODESTREAM,
        _ if at(0, b"\0\0\0\x0cJXL \r\n\x87\n") => types::JXL,
        _ if at(0, b"\0\0\0\x0cjP  \r\n\x87\n") || at(0, b"\0\0\0\x0cjP\x1a\x1a\r\n\x87\n") => {
            types::JP2
        }
        [0xFF, 0x4F, 0xFF, 0x51, ..] => types::J2K,
        _ if at(0, b"8BPS\0\x01") || at(0, b"8BPS\0\x02") => types::PSD,
        _ if at(0, b"FUJIFILMCCD-RAW ") => types::RAF,
        _ if at(0, b"\0MRM") || at(0, b"\0MRI") => types::MRW,
        _ if at(0, b"FOVb") => types::X3F,
        _ if at(6, b"HEAPCCDR") => types::CRW,
        _ => return None,
    })
}

/// Sound with a signature of its own.
fn sound(head: &[u8]) -> Option<FileType> {
    let at = |at: usize, mark: &[u8]| rest(head, at).starts_with(mark);
    Some(match head {
        _ if at(0, b"fLaC") => types::FLAC,
        _ if at(0, b"#!AMR\n") || at(0, b"#!AMR-WB\n") => types::AMR,
        _ if at(0, b"FORM") && (at(8, b"AIFF") || at(8, b"AIFC")) => types::AIFF,
        _ if at(0, b"MThd\0\0\0\x06") => types::MIDI,
        _ => return None,
    })
}

/// Documents with a signature, then plain text.
fn document(head: &[u8], extension: &str) -> Option<FileType> {
    // Some writers put a little rubbish before the mark.
    if find(
        head.get(..1024.min(head.len())).unwrap_or_default(),
        b"%PDF-",
    )
    .is_some_and(|at| at < 1019)
    {
        return Some(types::PDF);
    }
    if head.starts_with(b"{\\rtf") {
        return Some(types::RTF);
    }
    prose::sniff(head, extension)
}

/// Sound that begins with a tag, or that is nothing but frames.
fn unsigned_sound(source: &mut Source<'_>, head: &[u8], extension: &str) -> Option<FileType> {
    let mut block = head.to_vec();
    if head.starts_with(b"ID3") {
        // Behind the tag is what it is about.
        let size = slice(head, 6, 4)?
            .iter()
            .fold(0_u64, |sum, byte| sum << 7 | u64::from(byte & 0x7F));
        block = source.copy(size.saturating_add(10), HEAD);
        if block.starts_with(b"fLaC") {
            return Some(types::FLAC);
        }
        if !is_adts(&block) {
            return Some(types::MP3);
        }
    }
    if is_adts(&block) {
        return Some(types::AAC);
    }
    if is_mpeg_audio(&block)
        || (extension == "mp3" && matches!(block.as_slice(), [0xFF, 0xE2..=0xFF, ..]))
    {
        return Some(types::MP3);
    }
    None
}

/// Two frames of AAC in a row.
fn is_adts(bytes: &[u8]) -> bool {
    let frame = |at: usize| {
        let head = slice(bytes, at, 7)?;
        let is_frame = matches!(head, [0xFF, second, ..] if second & 0xF6 == 0xF0);
        let len = crate::bytes::be32(head, 3)? >> 13 & 0x1FFF;
        (is_frame && len > 7).then_some(crate::bytes::index(u64::from(len)))
    };
    frame(0).is_some_and(|len| rest(bytes, len).len() < 7 || frame(len).is_some())
}

/// A frame of MPEG audio whose fields all make sense.
fn is_mpeg_audio(bytes: &[u8]) -> bool {
    crate::audio::is_frame(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use heirloom_core::MediaKind;

    use super::*;

    fn name_of(bytes: &[u8], name: &str) -> &'static str {
        sniff(&mut Cursor::new(bytes), name).unwrap().name
    }

    #[test]
    fn content_decides_whatever_the_name_says() {
        let cases: [(&[u8], &str, &str); 22] = [
            (b"\xff\xd8\xff\xe0\0\x10JFIF", "letter.txt", "JPEG"),
            (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "a.jpg", "PNG"),
            (b"%PDF-1.4\n", "a.doc", "PDF"),
            (b"GIF89a\x01\0\x01\0", "a", "GIF"),
            (b"RIFF\x24\0\0\0WAVEfmt ", "a.mp3", "WAV"),
            (b"RIFF\x24\0\0\0AVI LIST", "a", "AVI"),
            (b"RIFF\x24\0\0\0WEBPVP8 ", "a", "WebP"),
            (b"fLaC\0\0\0\x22", "a", "FLAC"),
            (b"ID3\x03\0\0\0\0\0\0\0", "a", "MP3"),
            (b"{\\rtf1 Dear", "a.txt", "RTF"),
            (b"#!AMR\n\x3c", "a.mp3", "AMR"),
            (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "a.jpg", "HEIC"),
            (b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif", "a.heic", "AVIF"),
            (b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", "a.mp4", "QuickTime"),
            (b"\0\0\0\x14ftypcrx \0\0\0\x01crx ", "a", "Canon CR3"),
            (b"II*\0\x10\0\0\0CR\x02\0", "a.tif", "Canon CR2"),
            (b"MZ\x90\0\x03\0\0\0", "holiday.jpg", "Unknown"),
            (b"PK\x03\x04\x14\0", "holiday.jpg", "ZIP"),
            (
                b"<?xml version=\"1.0\"?><svg xmlns=\"http://www.w3.org/2000/svg\">",
                "a.xml",
                "SVG",
            ),
            (b"<!DOCTYPE html><html><script>", "a.txt", "HTML"),
            (b"", "a.jpg", "Empty"),
            (b"BM Hello, this is a letter", "letter.txt", "Text"),
        ];
        for (bytes, name, expected) in cases {
            assert_eq!(name_of(bytes, name), expected, "{name}: {bytes:?}");
        }
    }

    #[test]
    fn the_name_tells_texts_apart_and_nothing_else() {
        let cases = [
            ("notes.txt", "Text"),
            ("README", "Text"),
            ("story.md", "Markdown"),
            ("list.CSV", "CSV"),
            ("main.py", "Unknown"),
            ("holiday.jpg", "Unknown"),
        ];
        for (name, expected) in cases {
            assert_eq!(
                name_of("Dear all,\nthe weather is fine; Grüße".as_bytes(), name),
                expected
            );
        }
        assert_eq!(name_of(b"Gr\xfc\xdfe aus Sylt\r\n", "karte.txt"), "Text");
        assert_eq!(name_of(b"\0\x01\x02\x03binary", "karte.txt"), "Unknown");
    }

    #[test]
    fn a_picture_with_an_archive_behind_it_is_a_picture() {
        let polyglot = [
            b"\xff\xd8\xff\xe0\0\x10JFIF\0".as_slice(),
            &[0; 50],
            b"PK\x03\x04PK\x05\x06",
        ]
        .concat();
        let file_type = sniff(&mut Cursor::new(polyglot), "a.zip").unwrap();
        assert_eq!(file_type.kind, MediaKind::Image);
    }
}
