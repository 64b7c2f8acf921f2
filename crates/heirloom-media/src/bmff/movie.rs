//! Films: MP4, MOV, M4V, 3GP, M4A, and Canon's RAW, which is built the same way.

use heirloom_core::claim::ClaimKind;

use super::{Atom, DEPTH_LIMIT, children, first, list, tags};
use crate::{
    bytes::{be16, be32, be64, index, rest, slice, u8_at},
    exif::{self, Role},
    moment::{Moment, Reading},
    notes::Notes,
    riff::{duration_ms, picture_name},
    source::Source,
    text, tiff, xml, xmp,
};

const XMP: [u8; 16] = *b"\xbe\x7a\xcf\xcb\x97\xa9\x42\xe8\x9c\x71\x99\x94\x91\xe3\xaf\xac";
const CANON: [u8; 16] = *b"\x85\xc0\xb6\x87\x82\x0f\x11\xe0\x81\x11\xf4\xce\x46\x2b\x6a\x48";

/// Seconds from 1904, where these files count from, to 1970.
const EPOCH_1904: i64 = 2_082_844_800;

/// Reads the description of a film, wherever it lies, and nothing of the film.
pub(crate) fn read(source: &mut Source<'_>, out: &mut Notes) {
    let end = source.len();
    let top = list(source, 0, end);
    if top.iter().any(|atom| atom.is_cut) {
        out.problem("The film's file is cut off.");
    }
    for atom in &top {
        match &atom.kind {
            b"moov" => moov(source, atom, out),
            b"moof" if out.facts.duration_ms == Some(0) => out.facts.duration_ms = None,
            b"meta" => meta(source, atom, out),
            b"udta" => tags::user_data(source, atom, out),
            b"uuid" => uuid(source, atom, out),
            _ => {}
        }
    }
    if first(&top, b"moov").is_none() {
        out.problem("The film's file does not say what is in it.");
    }
}

/// Reads the box that describes the film.
pub(super) fn moov(source: &mut Source<'_>, moov: &Atom, out: &mut Notes) {
    for atom in children(source, moov) {
        match &atom.kind {
            b"mvhd" => header(&atom.content(source), out),
            b"trak" => track(source, &atom, out),
            b"udta" => tags::user_data(source, &atom, out),
            b"meta" => meta(source, &atom, out),
            b"uuid" => uuid(source, &atom, out),
            _ => {}
        }
    }
}

/// The boxes of a `meta` box; QuickTime has no version before them.
pub(super) fn meta(source: &mut Source<'_>, meta: &Atom, out: &mut Notes) {
    let is_plain = source.read(meta.at, 8).get(4..8) == Some(b"hdlr".as_slice());
    let from = meta.at.saturating_add(if is_plain { 0 } else { 4 });
    let boxes = list(source, from, meta.end);
    let keys = first(&boxes, b"keys").map(|keys| tags::keys(&keys.content(source)));
    if let Some(ilst) = first(&boxes, b"ilst") {
        tags::items(source, &ilst, keys.as_deref().unwrap_or_default(), out);
    }
    if let Some(sheet) = first(&boxes, b"xml ") {
        sony(&sheet.content(source), out);
    }
}

/// Reads what makers put into boxes of their own.
pub(super) fn uuid(source: &mut Source<'_>, atom: &Atom, out: &mut Notes) {
    let id = source.copy(atom.at, 16);
    if id == XMP {
        xmp::read_embedded(rest(&atom.content(source), 16), out);
    } else if id == CANON {
        for part in list(source, atom.at.saturating_add(16), atom.end) {
            // Four EXIF directories, each a TIFF structure of its own.
            let content = match &part.kind {
                b"CMT1" | b"CMT2" | b"CMT4" => part.content(source),
                _ => continue,
            };
            if part.kind == *b"CMT4" {
                canon_gps(&content, out);
            } else {
                exif::read(&mut content.as_slice(), Role::Block, out);
            }
        }
    }
}

fn canon_gps(content: &[u8], out: &mut Notes) {
    let mut bytes = content;
    if let Some(header) = tiff::header(&mut bytes) {
        exif::read_gps(&mut bytes, header, out);
    }
}

fn header(content: &[u8], out: &mut Notes) {
    let is_wide = u8_at(content, 0) == Some(1);
    let (created, scale, duration) = if is_wide {
        (be64(content, 4), be32(content, 20), be64(content, 24))
    } else {
        let duration = be32(content, 16).filter(|duration| *duration < u32::MAX);
        (
            be32(content, 4).map(u64::from),
            be32(content, 12),
            duration.map(u64::from),
        )
    };
    if let (Some(scale), Some(duration)) = (scale.filter(|scale| *scale > 0), duration) {
        out.facts.duration_ms = duration_ms(duration, f64::from(scale));
    }
    if let Some(moment) = created.and_then(created_at) {
        // By the standard in UTC; many cameras write the time of their place instead.
        out.date(Reading::Moment(moment), "quicktime:CreateDate", 0.72);
    }
}

/// A date counted from 1904, or, by writers who did not know, from 1970. Zero is no date.
fn created_at(seconds: u64) -> Option<Moment> {
    let seconds = i64::try_from(seconds).ok().filter(|seconds| *seconds > 0)?;
    let since_1970 = seconds.checked_sub(EPOCH_1904)?;
    let since_1970 = if since_1970 > 0 { since_1970 } else { seconds };
    // Before the format was invented there was nothing to film with it.
    Moment::from_unix(since_1970).filter(|moment| (1990..2200).contains(&moment.year))
}

/// What a track is and how it is to be shown.
fn track(source: &mut Source<'_>, trak: &Atom, out: &mut Notes) {
    let boxes = children(source, trak);
    let Some(mdia) = first(&boxes, b"mdia") else {
        return;
    };
    let media = children(source, &mdia);
    let kind = first(&media, b"hdlr")
        .and_then(|hdlr| slice(&hdlr.content(source), 8, 4)?.try_into().ok())
        .unwrap_or([0; 4]);
    let scale = first(&media, b"mdhd").and_then(|mdhd| media_header(&mdhd.content(source)));
    let Some(table) = descend(source, &mdia, &[b"minf", b"stbl"]) else {
        return;
    };
    let tables = children(source, &table);
    let description =
        first(&tables, b"stsd").map(|stsd| source.copy(stsd.at, index(stsd.len()).min(4096)));
    match &kind {
        b"vide" => {
            if let Some(tkhd) = first(&boxes, b"tkhd") {
                shown(&tkhd.content(source), out);
            }
            if let Some(description) = &description {
                picture(description, out);
            }
            let samples = first(&tables, b"stts").map(|stts| stts.content(source));
            if let (Some((scale, duration)), Some(samples)) = (scale, samples)
                && out.facts.frame_rate.is_none()
            {
                out.facts.frame_rate = frame_rate(&samples, scale, duration);
            }
        }
        b"soun" => {
            if let Some(description) = &description {
                sound(description, out);
            }
        }
        _ => {}
    }
    if let Some(udta) = first(&boxes, b"udta") {
        tags::user_data(source, &udta, out);
    }
}

fn descend(source: &mut Source<'_>, atom: &Atom, path: &[&[u8; 4]]) -> Option<Atom> {
    let mut atom = *atom;
    for kind in path.iter().take(DEPTH_LIMIT) {
        atom = first(&children(source, &atom), kind)?;
    }
    Some(atom)
}

/// Units per second and how many of them the track has.
fn media_header(content: &[u8]) -> Option<(u32, u64)> {
    let (scale, duration) = if u8_at(content, 0)? == 1 {
        (be32(content, 20)?, be64(content, 24)?)
    } else {
        (be32(content, 12)?, u64::from(be32(content, 16)?))
    };
    (scale > 0).then_some((scale, duration))
}

/// Frames divided by how long they are shown altogether.
fn frame_rate(stts: &[u8], scale: u32, duration: u64) -> Option<f64> {
    let mut frames = 0_u64;
    let mut units = 0_u64;
    for entry in rest(stts, 8)
        .chunks_exact(8)
        .take(index(u64::from(be32(stts, 4)?)))
    {
        let (count, each) = (u64::from(be32(entry, 0)?), u64::from(be32(entry, 4)?));
        frames = frames.saturating_add(count);
        units = units.saturating_add(count.saturating_mul(each));
    }
    let units = if units == 0 { duration } else { units };
    #[expect(clippy::cast_precision_loss, reason = "a rate needs few digits")]
    let rate = frames as f64 * f64::from(scale) / units as f64;
    (rate.is_finite() && rate > 0.0 && rate < 100_000.0).then(|| (rate * 1000.0).round() / 1000.0)
}

/// The matrix by which a track is turned.
fn shown(tkhd: &[u8], out: &mut Notes) {
    let at = if u8_at(tkhd, 0) == Some(1) { 52 } else { 40 };
    let entry = |number: usize| be32(tkhd, at + number * 4).map(u32::cast_signed);
    let (Some(a), Some(b), Some(c), Some(d)) = (entry(0), entry(1), entry(3), entry(4)) else {
        return;
    };
    let orientation = match (a.signum(), b.signum(), c.signum(), d.signum()) {
        (1, 0, 0, 1) => 1,
        (-1, 0, 0, 1) => 2,
        (-1, 0, 0, -1) => 3,
        (1, 0, 0, -1) => 4,
        (0, 1, 1, 0) => 5,
        (0, 1, -1, 0) => 6,
        (0, -1, -1, 0) => 7,
        (0, -1, 1, 0) => 8,
        _ => return,
    };
    if out.facts.orientation.is_none() {
        out.facts.orientation = Some(orientation);
        if orientation != 1 {
            let number = i64::from(orientation);
            out.number(
                ClaimKind::Orientation,
                number,
                "quicktime:MatrixStructure",
                0.9,
            );
        }
    }
}

/// Codec and size of pictures, from the first sample description.
fn picture(stsd: &[u8], out: &mut Notes) {
    let entry = rest(stsd, 8);
    let size = (
        be16(entry, 32).map(u32::from),
        be16(entry, 34).map(u32::from),
    );
    if let (Some(width), Some(height)) = size
        && out.facts.width.is_none()
        && width > 0
        && height > 0
    {
        out.facts.width = Some(width);
        out.facts.height = Some(height);
        out.facts.video_codec = slice(entry, 4, 4).and_then(picture_name);
    }
}

fn sound(stsd: &[u8], out: &mut Notes) {
    let entry = rest(stsd, 8);
    if out.facts.audio_codec.is_some() {
        return;
    }
    let Some(code) = slice(entry, 4, 4) else {
        return;
    };
    let name = match code {
        b"mp4a" => "aac",
        b"samr" => "amr",
        b"sawb" => "amr-wb",
        b"alac" => "alac",
        b"ac-3" => "ac3",
        b"ec-3" => "eac3",
        b"Opus" => "opus",
        b"fLaC" => "flac",
        b".mp3" => "mp3",
        b"ulaw" => "ulaw",
        b"alaw" => "alaw",
        b"sowt" | b"twos" | b"raw " | b"lpcm" | b"in24" | b"fl32" | b"NONE" | b"ipcm" => "pcm",
        b"Qclp" | b"QDM2" => "qcelp",
        b"ima4" => "adpcm",
        _ => "",
    };
    if !name.is_empty() {
        out.facts.audio_codec = Some(name.to_owned());
    }
    out.facts.channels = be16(entry, 24)
        .map(u32::from)
        .filter(|channels| *channels > 0);
    out.facts.sample_rate_hz = be16(entry, 32).map(u32::from).filter(|rate| *rate > 0);
}

/// The sheet that Sony's cameras write about a recording.
fn sony(content: &[u8], out: &mut Notes) {
    // Version and flags may come before the text.
    let start = content
        .iter()
        .position(|byte| *byte == b'<')
        .unwrap_or(content.len());
    let document = xml::parse(&text::decode(rest(content, start)));
    document
        .root
        .visit(&mut |element| match element.local_name() {
            "CreationDate" => {
                if let Some(value) = element.attribute("value") {
                    out.date(Moment::read(value), "sony:CreationDate", 0.92);
                }
            }
            "Device" => {
                for (attribute, kind) in [
                    ("manufacturer", ClaimKind::CameraMake),
                    ("modelName", ClaimKind::CameraModel),
                ] {
                    if let Some(words) = element.attribute(attribute) {
                        out.text(kind, words, &format!("sony:{attribute}"), 0.85);
                    }
                }
            }
            _ => {}
        });
}

/// Whether a block is a TIFF structure in either order of bytes.
pub(super) fn is_tiff(block: &[u8]) -> bool {
    block.starts_with(b"II*\0") || block.starts_with(b"MM\0*")
}

/// Whether a film has pictures; `None` where it does not say.
pub(crate) fn has_video(source: &mut Source<'_>) -> Option<bool> {
    let end = source.len();
    let moov = first(&list(source, 0, end), b"moov")?;
    let mut kinds = Vec::new();
    for trak in children(source, &moov)
        .into_iter()
        .filter(|atom| atom.kind == *b"trak")
        .take(64)
    {
        if let Some(hdlr) = descend(source, &trak, &[b"mdia", b"hdlr"]) {
            kinds.push(slice(source.read(hdlr.at, 12), 8, 4)?.to_vec());
        }
    }
    let has = |kind: &[u8]| kinds.iter().any(|own| own == kind);
    (has(b"vide") || has(b"soun")).then(|| has(b"vide"))
}

/// Whether a file without brands is a film of the first years.
pub(crate) fn is_movie(source: &mut Source<'_>) -> bool {
    let end = source.len();
    list(source, 0, end)
        .iter()
        .any(|atom| matches!(&atom.kind, b"moov" | b"mdat"))
}
