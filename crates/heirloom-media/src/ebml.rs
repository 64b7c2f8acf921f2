//! Matroska and WebM films. See RFC 9559.

use heirloom_core::claim::ClaimKind;

use crate::{
    bytes::{be32, be64, index, u8_at},
    exif,
    moment::{Moment, Reading},
    notes::Notes,
    property,
    source::Source,
    text,
};

/// The most elements that are walked in one file.
const ELEMENT_LIMIT: usize = 20_000;

/// The longest text that is read.
const TEXT_LIMIT: usize = 64 * 1024;

const SEGMENT: u32 = 0x1853_8067;
const SEEK_HEAD: u32 = 0x114D_9B74;
const SEEK: u32 = 0x4DBB;
const SEEK_ID: u32 = 0x53AB;
const SEEK_POSITION: u32 = 0x53AC;
const INFO: u32 = 0x1549_A966;
const TIMESTAMP_SCALE: u32 = 0x2A_D7B1;
const DURATION: u32 = 0x4489;
const DATE: u32 = 0x4461;
const TITLE: u32 = 0x7BA9;
const MUXING_APP: u32 = 0x4D80;
const TRACKS: u32 = 0x1654_AE6B;
const TRACK: u32 = 0xAE;
const CODEC: u32 = 0x86;
const DEFAULT_DURATION: u32 = 0x23_E383;
const VIDEO: u32 = 0xE0;
const WIDTH: u32 = 0xB0;
const HEIGHT: u32 = 0xBA;
const AUDIO: u32 = 0xE1;
const RATE: u32 = 0xB5;
const CHANNELS: u32 = 0x9F;
const CLUSTER: u32 = 0x1F43_B675;
const TAGS: u32 = 0x1254_C367;
const TAG: u32 = 0x7373;
const SIMPLE_TAG: u32 = 0x67C8;
const TAG_NAME: u32 = 0x45A3;
const TAG_TEXT: u32 = 0x4487;

#[derive(Debug, Clone, Copy)]
struct Element {
    id: u32,
    at: u64,
    end: u64,
}

struct Reader<'s, 'a> {
    source: &'s mut Source<'a>,
    left: usize,
    scale_ns: u64,
    duration: Option<f64>,
    tags_at: Option<u64>,
}

/// Reads the descriptions of a film; tags behind the film are found by its table of contents.
pub(crate) fn read(source: &mut Source<'_>, out: &mut Notes) {
    let mut reader = Reader {
        source,
        left: ELEMENT_LIMIT,
        scale_ns: 1_000_000,
        duration: None,
        tags_at: None,
    };
    let end = reader.source.len();
    let mut at = 0;
    let mut has_segment = false;
    while let Some(element) = reader.next(&mut at, end) {
        if element.id == SEGMENT {
            has_segment = true;
            reader.segment(element, out);
            break;
        }
    }
    if !has_segment {
        out.problem("The film's file does not say what is in it.");
    }
    if let Some(duration) = reader.duration.filter(|d| *d > 0.0) {
        #[expect(clippy::cast_precision_loss, reason = "a scale, normally a million")]
        let ms = duration * reader.scale_ns as f64 / 1e6;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked"
        )]
        if ms < 1e15 {
            out.facts.duration_ms = Some(ms.round() as u64);
        }
    }
}

impl Reader<'_, '_> {
    fn next(&mut self, at: &mut u64, end: u64) -> Option<Element> {
        self.left = self.left.checked_sub(1)?;
        let end = end.min(self.source.len());
        if *at >= end {
            return None;
        }
        let head = self.source.copy(*at, 12);
        let id_len = u8_at(&head, 0)?.leading_zeros() as usize + 1;
        let id_bytes = head.get(..id_len).filter(|_| id_len <= 4)?;
        let id = id_bytes
            .iter()
            .fold(0, |sum, byte| sum << 8 | u32::from(*byte));
        let first = u8_at(&head, id_len)?;
        let len_len = first.leading_zeros() as usize + 1;
        let len_bytes = head
            .get(id_len..id_len + len_len)
            .filter(|_| len_len <= 8)?;
        let raw = len_bytes
            .iter()
            .fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
        let mask = (1_u64 << (7 * len_len)) - 1;
        let len = raw & mask;
        let body_at = at.saturating_add((id_len + len_len) as u64);
        // All ones: the length was not known when it was written.
        let body_end = if len == mask {
            end
        } else {
            body_at.saturating_add(len)
        };
        *at = body_end;
        Some(Element {
            id,
            at: body_at,
            end: body_end.min(end),
        })
    }

    fn bytes(&mut self, element: Element) -> Vec<u8> {
        self.source.copy(
            element.at,
            index(element.end.saturating_sub(element.at)).min(TEXT_LIMIT),
        )
    }

    fn words(&mut self, element: Element) -> String {
        text::decode(&self.bytes(element))
    }

    fn unsigned(&mut self, element: Element) -> Option<u64> {
        let bytes = self.bytes(element);
        (bytes.len() <= 8).then(|| {
            bytes
                .iter()
                .fold(0, |sum, byte| sum << 8 | u64::from(*byte))
        })
    }

    fn float(&mut self, element: Element) -> Option<f64> {
        let bytes = self.bytes(element);
        let number = match bytes.len() {
            4 => f64::from(f32::from_bits(be32(&bytes, 0)?)),
            8 => f64::from_bits(be64(&bytes, 0)?),
            _ => return None,
        };
        number.is_finite().then_some(number)
    }

    fn segment(&mut self, segment: Element, out: &mut Notes) {
        let mut at = segment.at;
        let mut saw_tags = false;
        while let Some(element) = self.next(&mut at, segment.end) {
            match element.id {
                SEEK_HEAD => self.contents(segment.at, element),
                INFO => self.info(element, out),
                TRACKS => self.tracks(element, out),
                TAGS => {
                    saw_tags = true;
                    self.tags(element, out);
                }
                // What follows is the film; tags behind it are known from the contents.
                CLUSTER => break,
                _ => {}
            }
        }
        if let Some(mut at) = self.tags_at.filter(|_| !saw_tags)
            && let Some(element) = self.next(&mut at, segment.end)
            && element.id == TAGS
        {
            self.tags(element, out);
        }
    }

    fn contents(&mut self, base: u64, element: Element) {
        let mut at = element.at;
        while let Some(seek) = self.next(&mut at, element.end) {
            let (mut id, mut position) = (None, None);
            let mut inner = seek.at;
            while seek.id == SEEK
                && let Some(part) = self.next(&mut inner, seek.end)
            {
                match part.id {
                    SEEK_ID => id = self.unsigned(part),
                    SEEK_POSITION => position = self.unsigned(part),
                    _ => {}
                }
            }
            if id == Some(u64::from(TAGS)) {
                self.tags_at = position.map(|position| base.saturating_add(position));
            }
        }
    }

    fn info(&mut self, info: Element, out: &mut Notes) {
        let mut at = info.at;
        while let Some(element) = self.next(&mut at, info.end) {
            match element.id {
                TIMESTAMP_SCALE => self.scale_ns = self.unsigned(element).unwrap_or(1_000_000),
                DURATION => self.duration = self.float(element),
                TITLE => {
                    let words = self.words(element);
                    out.text(ClaimKind::Title, &words, "matroska:Title", 0.8);
                }
                MUXING_APP => {
                    let words = self.words(element);
                    out.property(property::SOFTWARE, words);
                }
                DATE => {
                    // Nanoseconds from the beginning of 2001, UTC.
                    let ns = self.unsigned(element).unwrap_or(0).cast_signed();
                    let moment =
                        Moment::from_unix((ns / 1_000_000_000).saturating_add(978_307_200));
                    if let Some(moment) = moment.filter(|_| ns != 0) {
                        out.date(Reading::Moment(moment), "matroska:DateUTC", 0.72);
                    }
                }
                _ => {}
            }
        }
    }

    fn tracks(&mut self, tracks: Element, out: &mut Notes) {
        let mut at = tracks.at;
        while let Some(track) = self.next(&mut at, tracks.end) {
            if track.id != TRACK {
                continue;
            }
            let mut inner = track.at;
            while let Some(element) = self.next(&mut inner, track.end) {
                match element.id {
                    CODEC => {
                        let words = self.words(element);
                        codec(&words, out);
                    }
                    DEFAULT_DURATION => {
                        let ns = self.unsigned(element).filter(|ns| *ns > 0);
                        #[expect(clippy::cast_precision_loss, reason = "a rate needs few digits")]
                        let rate = ns.map(|ns| (1e12 / ns as f64).round() / 1000.0);
                        // Sound has frames, too, but follows the pictures.
                        out.facts.frame_rate = out.facts.frame_rate.or(rate);
                    }
                    VIDEO => self.video(element, out),
                    AUDIO => self.audio(element, out),
                    _ => {}
                }
            }
        }
        if out.facts.width.is_none() {
            out.facts.frame_rate = None;
        }
    }

    fn video(&mut self, video: Element, out: &mut Notes) {
        let mut at = video.at;
        while let Some(element) = self.next(&mut at, video.end) {
            let side = |reader: &mut Self| {
                reader
                    .unsigned(element)
                    .and_then(|side| u32::try_from(side).ok())
                    .filter(|s| *s > 0)
            };
            match element.id {
                WIDTH => out.facts.width = out.facts.width.or(side(self)),
                HEIGHT => out.facts.height = out.facts.height.or(side(self)),
                _ => {}
            }
        }
    }

    fn audio(&mut self, audio: Element, out: &mut Notes) {
        let mut at = audio.at;
        while let Some(element) = self.next(&mut at, audio.end) {
            match element.id {
                RATE => {
                    let rate = self.float(element).filter(|rate| (1.0..1e7).contains(rate));
                    #[expect(
                        clippy::cast_possible_truncation,
                        clippy::cast_sign_loss,
                        reason = "checked"
                    )]
                    let rate = rate.map(|rate| rate as u32);
                    out.facts.sample_rate_hz = out.facts.sample_rate_hz.or(rate);
                }
                CHANNELS => {
                    let channels = self
                        .unsigned(element)
                        .and_then(|count| u32::try_from(count).ok());
                    out.facts.channels = out.facts.channels.or(channels);
                }
                _ => {}
            }
        }
    }

    fn tags(&mut self, tags: Element, out: &mut Notes) {
        let mut at = tags.at;
        while let Some(tag) = self.next(&mut at, tags.end) {
            let mut inner = tag.at;
            while tag.id == TAG
                && let Some(simple) = self.next(&mut inner, tag.end)
            {
                if simple.id == SIMPLE_TAG {
                    self.simple_tag(simple, out);
                }
            }
        }
    }

    fn simple_tag(&mut self, simple: Element, out: &mut Notes) {
        let (mut name, mut words) = (String::new(), String::new());
        let mut at = simple.at;
        while let Some(element) = self.next(&mut at, simple.end) {
            match element.id {
                TAG_NAME => name = self.words(element),
                TAG_TEXT => words = self.words(element),
                _ => {}
            }
        }
        let source = format!("matroska:{name}");
        match name.to_ascii_uppercase().as_str() {
            "TITLE" => out.text(ClaimKind::Title, &words, &source, 0.75),
            "DATE_RECORDED" | "DATE_DIGITIZED" | "CREATION_TIME" | "DATE" => {
                out.date(Moment::read(&words), &source, 0.8);
            }
            "COMMENT" | "DESCRIPTION" | "SYNOPSIS" => {
                out.text(ClaimKind::Caption, &words, &source, 0.7);
            }
            "ARTIST" | "DIRECTOR" => exif::author(&words, &source, out),
            "KEYWORDS" => {
                for word in words.split(',') {
                    out.text(ClaimKind::Tag, word, &source, 0.7);
                }
            }
            "RECORDING_LOCATION" => out.text(ClaimKind::Place, &words, &source, 0.7),
            "COPYRIGHT" => out.property(property::COPYRIGHT, words),
            _ => {}
        }
    }
}

fn codec(id: &str, out: &mut Notes) {
    let name = match id {
        "V_MPEG4/ISO/AVC" => "h264",
        "V_MPEGH/ISO/HEVC" => "hevc",
        "V_MPEG4/ISO/ASP" | "V_MPEG4/ISO/SP" => "mpeg4",
        "V_MPEG2" => "mpeg2",
        "V_MPEG1" => "mpeg1",
        _ => id
            .split_once('_')
            .map_or(id, |(_, name)| name.split('/').next().unwrap_or(name)),
    };
    let name = name.to_ascii_lowercase();
    let slot = if id.starts_with('V') {
        &mut out.facts.video_codec
    } else if id.starts_with('A') {
        &mut out.facts.audio_codec
    } else {
        return;
    };
    slot.get_or_insert(name);
}

/// Whether a film has pictures; `None` where it does not say.
pub(crate) fn has_video(source: &mut Source<'_>) -> Option<bool> {
    let mut found = Notes::default();
    read(source, &mut found);
    (found.facts.video_codec.is_some() || found.facts.audio_codec.is_some())
        .then(|| found.facts.video_codec.is_some())
}
