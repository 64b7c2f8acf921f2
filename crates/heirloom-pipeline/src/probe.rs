//! What FFmpeg finds in a film or recording: its streams, how long it is, which way is up.

use std::fs::File;

use heirloom_core::unit::FailureCode;
use serde::Serialize;
use serde_json::Value as Json;
use tokio_util::sync::CancellationToken;

use crate::{
    confinement::ConfinementError,
    ffmpeg::{Call, Ffmpeg, INPUT, brief, words},
};

/// What is in a film or recording.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Probe {
    /// FFmpeg's names of what kind of file it could be, with commas between them.
    pub container: String,
    /// How long it is in milliseconds, if it says.
    pub duration_ms: Option<u64>,
    /// The moving picture; a cover is none.
    pub picture: Option<PictureStream>,
    /// The sound that is heard first.
    pub sound: Option<SoundStream>,
    /// How many other streams there are: further languages, subtitles, positions, covers.
    pub other_streams: usize,
}

/// A moving picture.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PictureStream {
    /// Its number in the file.
    pub index: u64,
    /// FFmpeg's name of how it is coded, such as `h264`.
    pub codec: String,
    /// FFmpeg's name of how its pixels are stored, such as `yuv420p`.
    pub pixel_format: String,
    /// Its width as stored, before it is turned, in pixels.
    pub width: u32,
    /// Its height as stored, before it is turned, in pixels.
    pub height: u32,
    /// By how many degrees it is turned clockwise to be upright: 0, 90, 180 or 270.
    pub rotation: u16,
    /// How wide a pixel is shown in relation to its height.
    pub pixel_aspect: f64,
    /// Frames in a second, if it says so.
    pub frame_rate: Option<f64>,
    /// Whether its brightness goes beyond what ordinary screens show (HLG or PQ).
    pub is_hdr: bool,
    /// Whether each frame is two half pictures of different moments.
    pub is_interlaced: bool,
}

/// A sound track.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SoundStream {
    /// Its number in the file.
    pub index: u64,
    /// FFmpeg's name of how it is coded, such as `aac`.
    pub codec: String,
    /// Samples in a second, if it says so.
    pub sample_rate: Option<u32>,
    /// How many channels it has, if it says so.
    pub channels: Option<u32>,
}

impl PictureStream {
    /// Width and height in square pixels, as it is shown: upright.
    #[must_use]
    pub fn shown_size(&self) -> (u32, u32) {
        let width = (f64::from(self.width) * self.pixel_aspect).round();
        // A number that is no sensible width is cut to one.
        let width = if width.is_finite() {
            width.clamp(1.0, 65_535.0)
        } else {
            1.0
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it lies between 1 and 65,535"
        )]
        let width = width as u32;
        if matches!(self.rotation, 90 | 270) {
            (self.height, width)
        } else {
            (width, self.height)
        }
    }
}

/// Looks at what is in a film or recording.
///
/// # Errors
/// [`ConfinementError`], with a plain reason where the file is broken.
pub async fn probe(
    ffmpeg: &Ffmpeg,
    input: &File,
    cancelled: &CancellationToken,
) -> Result<Probe, ConfinementError> {
    let mut arguments = words(["-print_format", "json", "-show_format", "-show_streams"]);
    arguments.extend(words(INPUT));
    let call = Call {
        input,
        arguments,
        outputs: Vec::new(),
        limits: brief(),
    };
    let finished = ffmpeg.ffprobe(call, cancelled).await?;
    let json: Json = serde_json::from_slice(&finished.stdout).unwrap_or_default();
    let probe = read(&json);
    if probe.picture.is_none() && probe.sound.is_none() {
        return Err(ConfinementError::failed(
            FailureCode::Empty,
            "there are neither pictures nor sound in this file",
        ));
    }
    Ok(probe)
}

/// Reads what ffprobe printed. Whatever is missing or makes no sense is left out.
fn read(json: &Json) -> Probe {
    let format = &json["format"];
    let streams: Vec<&Json> = json["streams"].as_array().into_iter().flatten().collect();
    let of_kind = |kind: &str| {
        let mut found = streams.iter().filter(|stream| {
            stream["codec_type"] == kind
                && number(&stream["disposition"]["attached_pic"]) != Some(1.0)
        });
        found.next().copied()
    };
    let picture = of_kind("video").and_then(read_picture);
    let sound = of_kind("audio").and_then(read_sound);
    let known = usize::from(picture.is_some()) + usize::from(sound.is_some());
    let longest = streams
        .iter()
        .filter_map(|stream| milliseconds(&stream["duration"]))
        .max();
    Probe {
        container: text(&format["format_name"]),
        duration_ms: milliseconds(&format["duration"]).or(longest),
        picture,
        sound,
        other_streams: streams.len().saturating_sub(known),
    }
}

fn read_picture(stream: &Json) -> Option<PictureStream> {
    let side = |wanted: &str| {
        let list = stream["side_data_list"].as_array().into_iter().flatten();
        list.filter_map(|side| number(&side[wanted])).next()
    };
    // FFmpeg counts counterclockwise; older files say it in a tag, clockwise.
    let turned = side("rotation")
        .map(|degrees| -degrees)
        .or_else(|| number(&stream["tags"]["rotate"]))
        .unwrap_or(0.0);
    let transfer = text(&stream["color_transfer"]);
    Some(PictureStream {
        index: whole(&stream["index"])?,
        codec: text(&stream["codec_name"]),
        pixel_format: text(&stream["pix_fmt"]),
        width: whole(&stream["width"])
            .and_then(|n| u32::try_from(n).ok())
            .filter(|n| *n > 0)?,
        height: whole(&stream["height"])
            .and_then(|n| u32::try_from(n).ok())
            .filter(|n| *n > 0)?,
        rotation: quarter(turned),
        pixel_aspect: ratio(&stream["sample_aspect_ratio"])
            .filter(|aspect| (0.05..=20.0).contains(aspect))
            .unwrap_or(1.0),
        frame_rate: ratio(&stream["avg_frame_rate"]).or_else(|| ratio(&stream["r_frame_rate"])),
        is_hdr: matches!(transfer.as_str(), "smpte2084" | "arib-std-b67"),
        is_interlaced: matches!(
            stream["field_order"].as_str(),
            Some("tt" | "bb" | "tb" | "bt")
        ),
    })
}

fn read_sound(stream: &Json) -> Option<SoundStream> {
    Some(SoundStream {
        index: whole(&stream["index"])?,
        codec: text(&stream["codec_name"]),
        sample_rate: whole(&stream["sample_rate"]).and_then(|n| u32::try_from(n).ok()),
        channels: whole(&stream["channels"]).and_then(|n| u32::try_from(n).ok()),
    })
}

/// The nearest quarter turn, clockwise.
fn quarter(degrees: f64) -> u16 {
    let quarters = (degrees / 90.0).round().rem_euclid(4.0);
    if quarters == 1.0 {
        90
    } else if quarters == 2.0 {
        180
    } else if quarters == 3.0 {
        270
    } else {
        0
    }
}

fn text(json: &Json) -> String {
    json.as_str()
        .unwrap_or_default()
        .chars()
        .take(100)
        .collect()
}

/// A number, which ffprobe prints as one or as text.
fn number(json: &Json) -> Option<f64> {
    json.as_f64()
        .or_else(|| json.as_str()?.parse().ok())
        .filter(|number: &f64| number.is_finite())
}

fn whole(json: &Json) -> Option<u64> {
    json.as_u64().or_else(|| json.as_str()?.parse().ok())
}

/// `30000/1001` or `4:3`; nothing when either part is zero.
fn ratio(json: &Json) -> Option<f64> {
    let (over, under) = json.as_str()?.split_once(['/', ':'])?;
    let (over, under): (f64, f64) = (over.parse().ok()?, under.parse().ok()?);
    let ratio = over / under;
    (ratio.is_finite() && ratio > 0.0).then_some(ratio)
}

/// Seconds as milliseconds, up to a hundred days.
fn milliseconds(json: &Json) -> Option<u64> {
    let ms = (number(json)? * 1000.0).round();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the range was looked at"
    )]
    (0.0..=8_640_000_000.0).contains(&ms).then_some(ms as u64)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_cover_is_no_film() {
        let probe = read(&json!({
            "streams": [
                { "index": 0, "codec_type": "video", "codec_name": "mjpeg", "width": 2, "height": 2,
                  "disposition": { "attached_pic": 1 } },
                { "index": 1, "codec_type": "audio", "codec_name": "mp3", "sample_rate": "44100", "channels": 2 },
            ],
            "format": { "format_name": "mp3", "duration": "11.088000" },
        }));
        assert_eq!(probe.picture, None);
        assert_eq!(probe.sound.unwrap().index, 1);
        assert_eq!((probe.duration_ms, probe.other_streams), (Some(11_088), 1));
    }

    #[test]
    fn a_film_is_shown_upright_and_in_its_proportions() {
        let cases = [
            (
                json!({ "side_data_list": [{ "rotation": -90 }] }),
                90,
                (480, 720),
            ),
            (
                json!({ "side_data_list": [{ "rotation": 90 }] }),
                270,
                (480, 720),
            ),
            (
                json!({ "side_data_list": [{}, { "rotation": 180 }] }),
                180,
                (720, 480),
            ),
            (json!({ "tags": { "rotate": "90" } }), 90, (480, 720)),
            (json!({ "sample_aspect_ratio": "8:9" }), 0, (640, 480)),
            (json!({ "sample_aspect_ratio": "0:1" }), 0, (720, 480)),
            (json!({ "sample_aspect_ratio": "9999:1" }), 0, (720, 480)),
            (json!({ "sample_aspect_ratio": 7 }), 0, (720, 480)),
        ];
        for (more, rotation, shown) in cases {
            let mut stream =
                json!({ "index": 0, "codec_type": "video", "width": 720, "height": 480 });
            for (name, value) in more.as_object().unwrap() {
                stream[name] = value.clone();
            }
            let picture = read_picture(&stream).unwrap();
            assert_eq!(
                (picture.rotation, picture.shown_size()),
                (rotation, shown),
                "{more}"
            );
        }
    }

    #[test]
    fn nonsense_is_left_out() {
        for nonsense in [
            json!(null),
            json!([]),
            json!({ "streams": 7, "format": "x" }),
            json!({ "streams": [{ "codec_type": "video", "index": -1, "width": "x" }] }),
        ] {
            let probe = read(&nonsense);
            assert_eq!(
                (probe.picture, probe.sound, probe.duration_ms),
                (None, None, None)
            );
        }
        let endless = json!({ "format": { "duration": "1e300" } });
        assert_eq!(read(&endless).duration_ms, None);
    }
}
