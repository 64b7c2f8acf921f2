//! Containers that hold one of several things: which one, one has to look inside for.

use crate::{
    bmff,
    bytes::{find, rest, slice},
    ebml,
    file_type::{self as types, FileType},
    office,
    source::Source,
    tiff::{self, Within},
    zip,
};

/// Containers with a signature.
pub(super) fn sniff(source: &mut Source<'_>, head: &[u8], extension: &str) -> Option<FileType> {
    let at = |at: usize, mark: &[u8]| rest(head, at).starts_with(mark);
    if at(0, b"II") || at(0, b"MM") {
        return picture_directory(source, head, extension);
    }
    if at(4, b"ftyp") {
        return Some(branded(source, head));
    }
    let is_movie = [b"moov", b"mdat", b"wide", b"pnot", b"free", b"skip"]
        .iter()
        .any(|mark| at(4, *mark));
    if is_movie && bmff::is_movie(source) {
        return Some(types::MOV);
    }
    if at(0, b"RIFF") || at(0, b"RF64") || at(0, b"BW64") {
        return match slice(head, 8, 4)? {
            b"AVI " => Some(types::AVI),
            b"WAVE" => Some(types::WAV),
            _ => None,
        };
    }
    if at(0, &[0x1A, 0x45, 0xDF, 0xA3]) {
        let is_webm = find(head.get(..64.min(head.len()))?, b"webm").is_some();
        let has_video = ebml::has_video(source);
        return Some(match (is_webm, has_video) {
            (_, Some(false)) => types::MKA,
            (true, _) => types::WEBM,
            _ => types::MKV,
        });
    }
    if at(0, &[0x30, 0x26, 0xB2, 0x75, 0x8E, 0x66, 0xCF, 0x11]) {
        let block = source.copy(0, 64 * 1024);
        let video = [0xC0, 0xEF, 0x19, 0xBC, 0x4D, 0x5B, 0xCF, 0x11];
        return Some(if find(&block, &video).is_some() {
            types::WMV
        } else {
            types::WMA
        });
    }
    if at(0, b"OggS") {
        return Some(if find(head, b"\x80theora").is_some() {
            types::OGV
        } else if find(head, b"OpusHead").is_some() {
            types::OPUS
        } else {
            types::OGG
        });
    }
    if at(0, b"FLV\x01") {
        return Some(types::FLV);
    }
    if at(0, b"PK\x03\x04") || at(0, b"PK\x05\x06") {
        return Some(archive(source, head));
    }
    if at(0, &[0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1]) {
        return Some(if office::is_word(source) {
            types::DOC
        } else {
            types::OTHER
        });
    }
    None
}

/// Films without a signature but with a rhythm.
pub(super) fn stream(source: &mut Source<'_>, head: &[u8]) -> Option<FileType> {
    let beats = |first: usize, step: usize| {
        let count = source.len().saturating_sub(first as u64) / step as u64;
        let count = usize::try_from(count.min(5)).unwrap_or(0);
        count >= 3 && (0..count).all(|n| head.get(first + n * step) == Some(&0x47))
    };
    if beats(0, 188) || beats(4, 192) {
        return Some(types::MPEG_TS);
    }
    match head {
        [0, 0, 1, 0xBA | 0xB3, ..] => Some(types::MPEG_PS),
        _ => None,
    }
}

/// TIFF, and RAW that is built as TIFF.
fn picture_directory(source: &mut Source<'_>, head: &[u8], extension: &str) -> Option<FileType> {
    let magic = slice(head, 2, 2)?;
    let is_little = head.starts_with(b"II");
    match (is_little, magic) {
        (true, b"RO" | b"RS") | (false, b"OR") => return Some(types::ORF),
        (true, [0x55, 0]) => return Some(types::RW2),
        (true, [42 | 43, 0]) | (false, [0, 42 | 43]) => {}
        _ => return None,
    }
    if rest(head, 8).starts_with(b"CR\x02") {
        return Some(types::CR2);
    }
    Some(raw(source, extension).unwrap_or(types::TIFF))
}

fn raw(source: &mut Source<'_>, extension: &str) -> Option<FileType> {
    const MAKE: u16 = 0x010F;
    const SUB_DIRECTORIES: u16 = 0x014A;
    const DNG_VERSION: u16 = 0xC612;
    let mut bytes = Within { source, from: 0 };
    let header = tiff::header(&mut bytes)?;
    let directory = tiff::directory(&mut bytes, header.layout, header.first)?;
    if directory.entry(DNG_VERSION).is_some() {
        return Some(types::DNG);
    }
    let make = directory
        .value(&mut bytes, header.layout, MAKE)?
        .text()
        .to_ascii_uppercase();
    // Makers of cameras also make scanners and programs, whose TIFF is no RAW: the extension says
    // that it is, or the picture proper lies in a directory below.
    let has_inner = directory.entry(SUB_DIRECTORIES).is_some();
    Some(match extension {
        "nef" if make.starts_with("NIKON") => types::NEF,
        "nrw" if make.starts_with("NIKON") => types::NRW,
        "arw" | "srf" if make.starts_with("SONY") => types::ARW,
        "sr2" if make.starts_with("SONY") => types::SR2,
        "pef" => types::PEF,
        "srw" if make.starts_with("SAMSUNG") => types::SRW,
        "3fr" | "fff" => types::HASSELBLAD,
        "iiq" => types::PHASE_ONE,
        "dcr" | "kdc" | "k25" => types::KODAK,
        "erf" => types::EPSON,
        "mef" => types::MAMIYA,
        "rwl" => types::LEICA,
        "tif" | "tiff" => return None,
        _ if has_inner && make.starts_with("NIKON") => types::NEF,
        _ if has_inner && make.starts_with("SONY") => types::ARW,
        _ if has_inner && make.starts_with("SAMSUNG") => types::SRW,
        _ => return None,
    })
}

/// A file of boxes, by the brands that it names.
fn branded(source: &mut Source<'_>, head: &[u8]) -> FileType {
    let len = crate::bytes::be32(head, 0).map_or(16, |len| crate::bytes::index(u64::from(len)));
    let brands = head
        .get(8..len.clamp(16, 256).min(head.len()))
        .unwrap_or_default();
    let major = brands.get(..4).unwrap_or_default();
    // The version stands between the major brand and the others.
    let has = |brand: &[u8]| rest(brands, 8).chunks_exact(4).any(|other| other == brand);
    let mut film = |video: FileType, audio: FileType| video_or_audio(source, video, audio);
    match major {
        b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" => types::HEIC,
        b"avif" | b"avis" => types::AVIF,
        b"mif1" | b"msf1" | b"mif2" => {
            if has(b"avif") || has(b"avis") {
                types::AVIF
            } else if has(b"heic") || has(b"heix") || has(b"hevc") {
                types::HEIC
            } else {
                types::HEIF
            }
        }
        b"crx " => types::CR3,
        b"jp2 " | b"jpx " | b"jpm " => types::JP2,
        b"qt  " => types::MOV,
        b"M4A " | b"M4B " | b"M4P " => types::M4A,
        b"M4V " | b"M4VH" | b"M4VP" => types::M4V,
        [b'3', b'g', b'p' | b'2' | b'g' | b'r' | b's' | b'e', _] => {
            film(types::THREE_GP, types::THREE_GP_AUDIO)
        }
        _ => film(types::MP4, types::M4A),
    }
}

fn video_or_audio(source: &mut Source<'_>, video: FileType, audio: FileType) -> FileType {
    if bmff::has_video(source) == Some(false) {
        audio
    } else {
        video
    }
}

/// A ZIP archive, by what lies in it.
fn archive(source: &mut Source<'_>, head: &[u8]) -> FileType {
    // OpenDocument and EPUB say first and plainly what they are.
    if let Some(at) = find(
        head.get(..128.min(head.len())).unwrap_or_default(),
        b"mimetype",
    ) {
        let words = rest(head, at.saturating_add(8));
        let known = [types::EPUB, types::ODT, types::ODS, types::ODP];
        if let Some(known) = known
            .into_iter()
            .find(|known| words.starts_with(known.media_type.as_bytes()))
        {
            return known;
        }
    }
    let entries = zip::entries(source);
    let has = |prefix: &str| entries.iter().any(|entry| entry.name.starts_with(prefix));
    if !has("[Content_Types].xml") {
        return types::ZIP;
    }
    if has("word/") {
        types::DOCX
    } else if has("xl/") {
        types::XLSX
    } else if has("ppt/") {
        types::PPTX
    } else {
        types::ZIP
    }
}
