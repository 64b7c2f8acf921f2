//! Ogg files: Vorbis, Opus, FLAC, Speex and Theora. See RFC 3533.

use super::comment;
use crate::{
    bytes::{be16, le16, le32, le64, rest, slice, u8_at},
    notes::Notes,
    riff::duration_ms,
    source::Source,
};

/// The most pages that are looked at for headers.
const PAGE_LIMIT: usize = 300;

/// The most bytes of comments that are put together.
const COMMENT_LIMIT: usize = 1024 * 1024;

/// How much of the end is searched for the last page.
const TAIL: usize = 64 * 1024;

/// What a logical stream holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Vorbis,
    Opus,
    Flac,
    Speex,
    Theora,
    Other,
}

struct Stream {
    serial: u32,
    kind: Kind,
    /// Units per second of its positions.
    rate: f64,
    /// Samples to leave out at the beginning.
    skip: u64,
    /// The second packet as far as it was met, until it was read.
    comments: Option<Vec<u8>>,
}

/// Reads headers, comments and the last page.
pub(crate) fn read(source: &mut Source<'_>, out: &mut Notes) {
    let mut at = 0;
    let mut streams: Vec<Stream> = Vec::new();
    for _ in 0..PAGE_LIMIT {
        let Some(page) = page(source, at) else { break };
        let body = source.copy(page.body_at, page.body_len);
        at = page.body_at.saturating_add(page.body_len as u64);
        if page.is_first {
            if streams.len() < 16 {
                streams.push(identify(page.serial, &body, out));
            }
            continue;
        }
        if let Some(stream) = streams
            .iter_mut()
            .find(|stream| stream.serial == page.serial)
            && let Some(mut comments) = stream.comments.take()
        {
            let end = page.packet_end.unwrap_or(body.len());
            comments.extend_from_slice(body.get(..end).unwrap_or_default());
            if page.packet_end.is_some() || comments.len() > COMMENT_LIMIT {
                stream.read_comments(&comments, out);
            } else {
                stream.comments = Some(comments);
            }
        }
        if streams.iter().all(|stream| stream.comments.is_none()) {
            break;
        }
    }
    if streams.is_empty() {
        out.problem("The Ogg file has no readable beginning.");
    }
    last_position(source, &streams, out);
}

struct Page {
    serial: u32,
    is_first: bool,
    body_at: u64,
    body_len: usize,
    /// Where the first packet that ends in the page does.
    packet_end: Option<usize>,
}

fn page(source: &mut Source<'_>, at: u64) -> Option<Page> {
    let head = source.copy(at, 27 + 255);
    if !head.starts_with(b"OggS") {
        return None;
    }
    let flags = u8_at(&head, 5)?;
    let serial = le32(&head, 14)?;
    let segments = usize::from(u8_at(&head, 26)?);
    let lengths = slice(&head, 27, segments)?;
    let body_len = lengths.iter().map(|len| usize::from(*len)).sum();
    let packet_end = lengths.iter().position(|len| *len < 255).map(|last| {
        lengths
            .iter()
            .take(last + 1)
            .map(|len| usize::from(*len))
            .sum()
    });
    let body_at = at.saturating_add((27 + segments) as u64);
    Some(Page {
        serial,
        is_first: flags & 2 != 0,
        body_at,
        body_len,
        packet_end,
    })
}

fn identify(serial: u32, body: &[u8], out: &mut Notes) -> Stream {
    let mut stream = Stream {
        serial,
        kind: Kind::Other,
        rate: 0.0,
        skip: 0,
        comments: Some(Vec::new()),
    };
    let facts = &mut out.facts;
    let mut sound = |codec: &str, rate: Option<u32>, channels: Option<u8>| {
        facts.audio_codec = Some(codec.to_owned());
        facts.sample_rate_hz = rate;
        facts.channels = channels.map(u32::from);
    };
    if body.starts_with(b"\x01vorbis") {
        let rate = le32(body, 12);
        sound("vorbis", rate, u8_at(body, 11));
        (stream.kind, stream.rate) = (Kind::Vorbis, f64::from(rate.unwrap_or(0)));
    } else if body.starts_with(b"OpusHead") {
        sound("opus", Some(48_000), u8_at(body, 9));
        stream.skip = u64::from(le16(body, 10).unwrap_or(0));
        (stream.kind, stream.rate) = (Kind::Opus, 48_000.0);
    } else if body.starts_with(b"Speex   ") {
        let rate = le32(body, 36);
        sound("speex", rate, u8_at(body, 48));
        (stream.kind, stream.rate) = (Kind::Speex, f64::from(rate.unwrap_or(0)));
    } else if body.starts_with(b"\x7fFLAC") {
        let rate = crate::bytes::be32(body, 27).map(|bits| bits >> 12);
        sound("flac", rate, None);
        (stream.kind, stream.rate) = (Kind::Flac, f64::from(rate.unwrap_or(0)));
    } else if body.starts_with(b"\x80theora") {
        facts.video_codec = Some("theora".to_owned());
        facts.width = be16(body, 10).map(|blocks| u32::from(blocks) * 16);
        facts.height = be16(body, 12).map(|blocks| u32::from(blocks) * 16);
        stream.kind = Kind::Theora;
    } else {
        stream.comments = None;
    }
    stream
}

impl Stream {
    fn read_comments(&self, packet: &[u8], out: &mut Notes) {
        let (mark, origin): (&[u8], &str) = match self.kind {
            Kind::Vorbis => (b"\x03vorbis", "vorbis"),
            Kind::Opus => (b"OpusTags", "opus"),
            Kind::Theora => (b"\x81theora", "theora"),
            // A metadata block's head: kind and length.
            Kind::Flac => (packet.get(..4).unwrap_or_default(), "vorbis"),
            Kind::Speex => (b"", "speex"),
            Kind::Other => return,
        };
        if packet.starts_with(mark) {
            comment::read(rest(packet, mark.len()), origin, out);
        }
    }
}

/// How long the sound is, from the position of its last page.
fn last_position(source: &mut Source<'_>, streams: &[Stream], out: &mut Notes) {
    let from = source.len().saturating_sub(TAIL as u64);
    let tail = source.copy(from, TAIL);
    let mut end = tail.len();
    while let Some(at) = tail
        .get(..end)
        .and_then(|t| t.windows(4).rposition(|mark| mark == b"OggS"))
    {
        end = at;
        let position =
            le64(&tail, at.saturating_add(6)).filter(|position| *position < u64::MAX / 2);
        let stream = le32(&tail, at.saturating_add(14))
            .and_then(|serial| streams.iter().find(|stream| stream.serial == serial))
            .filter(|stream| stream.rate > 0.0);
        if let (Some(position), Some(stream)) = (position, stream) {
            out.facts.duration_ms = duration_ms(position.saturating_sub(stream.skip), stream.rate);
            return;
        }
    }
}
