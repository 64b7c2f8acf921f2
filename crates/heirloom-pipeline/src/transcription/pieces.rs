//! A recording in pieces that a service takes: cut where it is quiet, and in a compact form.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    ops::Range,
    os::unix::fs::FileExt as _,
};

use bytes::{BufMut as _, Bytes, BytesMut};
use heirloom_models::speech::SAMPLES_PER_SECOND;
use tokio_util::sync::CancellationToken;

use super::provider::Sound;
use crate::{
    Ffmpeg,
    confinement::ConfinementError,
    ffmpeg::{Call, INPUT, lengthy, words},
    understand::UnderstandError,
};

/// How long a piece is at most, in seconds: not much is lost with one, and a long recording is a few requests.
const LONGEST: usize = 600;
/// In this share of a piece, at its end, it is looked where it is quiet.
const QUIET_SHARE: usize = 10;
/// How long it has to be quiet, in samples.
const MOMENT: usize = SAMPLES_PER_SECOND / 5;
/// What is never louder than this is silence, and goes nowhere.
const SILENCE: u16 = 32;
/// How much is read at once, in samples.
const BLOCK: usize = 64 * 1024;
/// The length of the head of a WAV file.
const WAV_HEAD: u32 = 44;

/// How many samples a piece may have, for whoever takes so many bytes.
pub(super) fn longest(sound: Sound, max_bytes: u64) -> usize {
    let bytes_per_second = match sound {
        // 32 kbit, with some room: how many it takes depends on what is said.
        Sound::Opus => 6_000,
        Sound::Wav => 2 * SAMPLES_PER_SECOND as u64,
    };
    let room = max_bytes.saturating_sub(4096) / bytes_per_second;
    usize::try_from(room).unwrap_or(LONGEST).clamp(1, LONGEST) * SAMPLES_PER_SECOND
}

/// Where a piece that begins there ends: where it is quietest near its end.
pub(super) fn end_of(
    samples: &File,
    from: usize,
    count: usize,
    longest: usize,
) -> io::Result<usize> {
    if count - from <= longest {
        return Ok(count);
    }
    let latest = from + longest;
    let first = latest - longest / QUIET_SHARE;
    let bytes = read(samples, first..latest)?;
    let moments = bytes.chunks_exact(2 * MOMENT).enumerate();
    let quietest = moments.min_by_key(|(_, moment)| loudness(moment).0);
    Ok(quietest.map_or(latest, |(at, _)| first + at * MOMENT + MOMENT / 2))
}

/// Whether nothing at all is to be heard in it.
pub(super) fn is_silent(samples: &File, piece: Range<usize>) -> io::Result<bool> {
    let mut from = piece.start;
    while from < piece.end {
        let until = (from + BLOCK).min(piece.end);
        if loudness(&read(samples, from..until)?).1 > SILENCE {
            return Ok(false);
        }
        from = until;
    }
    Ok(true)
}

/// The sum of all amplitudes, and the largest.
fn loudness(bytes: &[u8]) -> (u64, u16) {
    let samples = bytes.chunks_exact(2);
    let samples = samples.map(|pair| i16::from_le_bytes([pair[0], pair[1]]).unsigned_abs());
    samples.fold((0, 0), |(sum, most), sample| {
        (sum + u64::from(sample), most.max(sample))
    })
}

fn read(samples: &File, piece: Range<usize>) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; 2 * piece.len()];
    samples.read_exact_at(&mut bytes, 2 * piece.start as u64)?;
    Ok(bytes)
}

/// A piece in the form that is asked for.
pub(super) async fn encode(
    ffmpeg: &Ffmpeg,
    samples: &File,
    piece: Range<usize>,
    sound: Sound,
    cancelled: &CancellationToken,
) -> Result<Bytes, UnderstandError> {
    match sound {
        Sound::Wav => Ok(wav(samples, piece)?),
        Sound::Opus => opus(ffmpeg, samples, piece, cancelled).await,
    }
}

fn wav(samples: &File, piece: Range<usize>) -> io::Result<Bytes> {
    let data = read(samples, piece)?;
    // A piece has a few megabytes.
    let length = u32::try_from(data.len()).unwrap_or(u32::MAX - WAV_HEAD);
    let rate = SAMPLES_PER_SECOND as u32;
    let mut wav = BytesMut::with_capacity(data.len() + WAV_HEAD as usize);
    wav.put_slice(b"RIFF");
    wav.put_u32_le(length + WAV_HEAD - 8);
    wav.put_slice(b"WAVEfmt ");
    wav.put_u32_le(16);
    wav.put_u16_le(1);
    wav.put_u16_le(1);
    wav.put_u32_le(rate);
    wav.put_u32_le(2 * rate);
    wav.put_u16_le(2);
    wav.put_u16_le(16);
    wav.put_slice(b"data");
    wav.put_u32_le(length);
    wav.put_slice(&data);
    Ok(wav.freeze())
}

async fn opus(
    ffmpeg: &Ffmpeg,
    samples: &File,
    piece: Range<usize>,
    cancelled: &CancellationToken,
) -> Result<Bytes, UnderstandError> {
    let mut input = ffmpeg.unnamed_file()?;
    let mut from = piece.start;
    while from < piece.end {
        let until = (from + BLOCK).min(piece.end);
        input.write_all(&read(samples, from..until)?)?;
        from = until;
    }
    input.rewind()?;
    let mut arguments = words(["-f", "s16le", "-ac", "1"]);
    arguments.extend(words(["-ar", &SAMPLES_PER_SECOND.to_string()]));
    arguments.extend(words(INPUT));
    arguments.extend(words([
        "-c:a",
        "libopus",
        "-b:a",
        "32k",
        "-application",
        "voip",
    ]));
    arguments.extend(words(["-map_metadata", "-1", "-f", "ogg", "piece.ogg"]));
    let seconds = piece.len() / SAMPLES_PER_SECOND;
    let call = Call {
        input: &input,
        arguments,
        outputs: words(["piece.ogg"]),
        limits: lengthy(Some(1000 * seconds as u64)),
    };
    let mut finished = ffmpeg.ffmpeg(call, cancelled).await?;
    let mut made = finished.outputs.pop().ok_or(ConfinementError::Cancelled)?;
    let mut ogg = Vec::new();
    made.seek(SeekFrom::Start(0))?;
    made.read_to_end(&mut ogg)?;
    Ok(ogg.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A second of sound for each number, as loud as it says.
    fn recording(seconds: &[i16]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        for loud in seconds {
            for sample in 0..SAMPLES_PER_SECOND {
                let sample = if sample % 2 == 0 { *loud } else { -loud };
                file.write_all(&sample.to_le_bytes()).unwrap();
            }
        }
        file
    }

    #[test]
    fn a_piece_ends_where_it_is_quiet() {
        let mut loud = vec![9_000; 45];
        loud[28] = 100;
        let samples = recording(&loud);
        let second = SAMPLES_PER_SECOND;
        let end = end_of(&samples, 0, 45 * second, 30 * second).unwrap();
        assert!((28 * second..29 * second).contains(&end), "{end}");
        let end = end_of(&samples, end, 45 * second, 30 * second).unwrap();
        assert_eq!(end, 45 * second);
    }

    #[test]
    fn silence_is_told_from_what_is_quiet() {
        let samples = recording(&[0, 20, 200]);
        let second = SAMPLES_PER_SECOND;
        assert!(is_silent(&samples, 0..2 * second).unwrap());
        assert!(!is_silent(&samples, 0..3 * second).unwrap());
    }

    #[test]
    fn pieces_fit_into_what_is_taken_at_once() {
        let minutes = |sound, max| longest(sound, max) / SAMPLES_PER_SECOND / 60;
        assert_eq!(minutes(Sound::Opus, 25 << 20), 10);
        assert_eq!(minutes(Sound::Wav, 25 << 20), 10);
        assert_eq!(minutes(Sound::Wav, 4 << 20), 2);
        assert!(longest(Sound::Wav, 256 * 1024) * 2 < 256 * 1024);
    }
}
