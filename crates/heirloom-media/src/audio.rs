//! Sound files and their tags.

mod ape;
mod comment;
mod frames;
pub(crate) mod id3;
mod ogg;

use heirloom_core::claim::ClaimKind;

use crate::{
    bytes::{be16, index, u8_at},
    exif,
    moment::Moment,
    notes::Notes,
    property,
    riff::duration_ms,
    source::Source,
};

pub(crate) use ogg::read as read_ogg;

/// What a tag of any format says, in words of our own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    Title,
    Artist,
    Album,
    Date,
    Comment,
    Genre,
    Copyright,
    Software,
    Place,
    Lyrics,
}

/// States what a tag says.
fn say(said: Said, words: &str, source: &str, confidence: f32, out: &mut Notes) {
    match said {
        Said::Title => out.text(ClaimKind::Title, words, source, 0.8 * confidence),
        Said::Artist => exif::author(words, source, out),
        Said::Album => out.property("album", words),
        Said::Date => out.date(Moment::read(words), source, 0.7 * confidence),
        Said::Comment => {
            // Numbers that players keep for themselves are no comment.
            if words.chars().any(char::is_lowercase) {
                out.text(ClaimKind::Caption, words, source, 0.6 * confidence);
            }
        }
        Said::Genre => out.property("genre", words),
        Said::Copyright => out.property(property::COPYRIGHT, words),
        Said::Software => out.property(property::SOFTWARE, words),
        Said::Place => out.text(ClaimKind::Place, words, source, 0.7 * confidence),
        Said::Lyrics => out.property("lyrics", words),
    }
}

/// Reads an MPEG audio file (MP3) with the tags before and behind it.
pub(crate) fn read_mp3(source: &mut Source<'_>, out: &mut Notes) {
    let start = id3::read_front(source, out);
    let end = read_back(source, out);
    frames::mpeg(source, start, end, out);
}

/// Reads raw AAC (ADTS).
pub(crate) fn read_aac(source: &mut Source<'_>, out: &mut Notes) {
    let start = id3::read_front(source, out);
    let end = read_back(source, out);
    frames::adts(source, start, end, out);
}

/// Reads a speech recording (AMR).
pub(crate) fn read_amr(source: &mut Source<'_>, out: &mut Notes) {
    frames::amr(source, out);
}

/// Reads a FLAC file.
pub(crate) fn read_flac(source: &mut Source<'_>, out: &mut Notes) {
    let mut at = id3::read_front(source, out).saturating_add(4);
    out.facts.audio_codec = Some("flac".to_owned());
    for _ in 0..1_000 {
        let head = source.copy(at, 4);
        let (Some(kind), Some(high), Some(low)) =
            (u8_at(&head, 0), u8_at(&head, 1), be16(&head, 2))
        else {
            out.problem("The FLAC is cut off within its header.");
            break;
        };
        let len = u64::from(high) << 16 | u64::from(low);
        let body_at = at.saturating_add(4);
        match kind & 0x7F {
            // By the format the first; what looks like another is a sign of a wrong length.
            0 if out.facts.sample_rate_hz.is_none() => stream(&source.copy(body_at, 34), out),
            4 => comment::read(&source.copy(body_at, index(len)), "vorbis", out),
            _ => {}
        }
        at = body_at.saturating_add(len);
        if kind & 0x80 != 0 {
            break;
        }
    }
    read_back(source, out);
}

/// The stream's properties: 20 bits of rate, 3 of channels, 5 of depth, 36 of samples.
fn stream(body: &[u8], out: &mut Notes) {
    let Some(bits) = crate::bytes::be64(body, 10) else {
        out.problem("The FLAC does not say what is in it.");
        return;
    };
    let rate = u32::try_from(bits >> 44).unwrap_or(0);
    let channels = u32::try_from(bits >> 41 & 7).unwrap_or(0) + 1;
    let samples = bits & 0xF_FFFF_FFFF;
    if rate == 0 {
        out.problem("The FLAC has no sample rate.");
        return;
    }
    out.facts.sample_rate_hz = Some(rate);
    out.facts.channels = Some(channels);
    if samples > 0 {
        out.facts.duration_ms = duration_ms(samples, f64::from(rate));
    }
}

/// Reads the tags at the end of a file; gives where the sound ends.
fn read_back(source: &mut Source<'_>, out: &mut Notes) -> u64 {
    let mut end = source.len();
    end = id3::read_back(source, end, out);
    ape::read_back(source, end, out)
}

/// Whether bytes begin with a frame of MPEG audio that another follows, or the end.
pub(crate) fn is_frame(bytes: &[u8]) -> bool {
    frames::is_frame(bytes)
}
