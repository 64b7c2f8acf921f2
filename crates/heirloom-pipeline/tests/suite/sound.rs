//! Recordings get a waveform and a proxy that plays, whatever they are packed in.

use std::fs::{self, File};

use heirloom_pipeline::{
    probe::probe,
    sound::{Waveform, is_playable, make_proxy, make_waveform},
};
use heirloom_testing::media::media;
use tokio_util::sync::CancellationToken;

use crate::studio::{Studio, block_on};

/// What is packed in what, and whether browsers play it as it is.
const RECORDINGS: &[(&str, &[&str], &str, bool)] = &[
    ("a.wav", &["-c:a", "pcm_s16le"], "audio/wav", true),
    ("phone.wav", &["-c:a", "adpcm_ms"], "audio/wav", false),
    ("a.mp3", &["-c:a", "libmp3lame"], "audio/mpeg", true),
    ("a.flac", &["-c:a", "flac"], "audio/flac", true),
    ("a.ogg", &["-c:a", "libvorbis"], "audio/ogg", true),
    ("a.opus", &["-c:a", "libopus"], "audio/opus", true),
    ("a.m4a", &["-c:a", "aac"], "audio/mp4", true),
    ("apple.m4a", &["-c:a", "alac"], "audio/mp4", false),
    ("a.wma", &["-c:a", "wmav2"], "audio/x-ms-wma", false),
    ("a.aiff", &["-c:a", "pcm_s16be"], "audio/aiff", false),
];

/// A second of a tone, a second of silence, and a second of the tone at a quarter of its strength.
const TONE: [&str; 2] = [
    "-filter_complex",
    "aevalsrc='0.8*sin(2*PI*440*t)*(lt(t,1)+0.25*gte(t,2))|0.8*sin(2*PI*440*t)*(lt(t,1)+0.25*gte(t,2))':s=44100:d=3",
];

#[test]
fn each_kind_of_recording_has_a_waveform_and_a_proxy_that_plays() {
    let studio = Studio::new();
    let never = CancellationToken::new();
    for (name, arguments, media_type, plays) in RECORDINGS {
        let path = studio.make(name, &[&TONE[..], *arguments].concat());
        let input = File::open(&path).unwrap();
        block_on(async {
            let found = probe(&studio.ffmpeg, &input, &never).await.unwrap();
            assert_eq!(found.picture, None, "{name}");
            let length = found.duration_ms.unwrap();
            assert!((2950..=3150).contains(&length), "{name}: {length} ms");
            assert_eq!(is_playable(&found, media_type), *plays, "{name}: {found:?}");

            let wave = make_waveform(&studio.ffmpeg, &input, &found, &never)
                .await
                .unwrap();
            assert_tone(name, &wave);

            let proxy = make_proxy(&studio.ffmpeg, &input, &found, &never)
                .await
                .unwrap();
            let copied = probe(&studio.ffmpeg, &proxy.m4a, &never).await.unwrap();
            assert!(is_playable(&copied, "audio/mp4"), "{name}: {copied:?}");
            let length = copied.duration_ms.unwrap();
            assert!(
                (2950..=3150).contains(&length),
                "{name}: the proxy has {length} ms"
            );
            let wave = make_waveform(&studio.ffmpeg, &proxy.m4a, &copied, &never)
                .await
                .unwrap();
            assert_tone(name, &wave);
        });
    }
    studio.assert_clean();
}

/// Loud, silent, less loud; a tenth of a second at each change may be either.
fn assert_tone(name: &str, wave: &Waveform) {
    assert!(
        (2950..=3200).contains(&wave.duration_ms),
        "{name}: {}",
        wave.duration_ms
    );
    assert!(wave.length > Waveform::MOST / 2 && wave.length <= Waveform::MOST);
    let between = |from_ms: u64, to_ms: u64| {
        let at = |ms: u64| {
            let sample = ms * u64::from(wave.sample_rate) / 1000;
            usize::try_from(sample / wave.samples_per_pixel).unwrap() * 2
        };
        let part = &wave.data[at(from_ms)..at(to_ms)];
        (*part.iter().min().unwrap(), *part.iter().max().unwrap())
    };
    let near = |(low, high): (i8, i8), strength: i8| {
        (low + strength).abs() <= 6 && (high - strength).abs() <= 6
    };
    assert!(
        near(between(100, 900), 102),
        "{name}: {:?}",
        between(100, 900)
    );
    assert!(
        near(between(1100, 1900), 0),
        "{name}: {:?}",
        between(1100, 1900)
    );
    assert!(
        near(between(2100, 2800), 26),
        "{name}: {:?}",
        between(2100, 2800)
    );
}

#[test]
fn a_telephone_recording_has_a_waveform_and_a_proxy_that_plays() {
    let studio = Studio::new();
    let never = CancellationToken::new();
    let film = media("sample/Films/Phone clip.3gp");
    let film = film.to_str().unwrap();
    let path = studio.make("voice.amr", &["-i", film, "-vn", "-c:a", "copy"]);
    let input = File::open(path).unwrap();
    block_on(async {
        let found = probe(&studio.ffmpeg, &input, &never).await.unwrap();
        assert_eq!(found.sound.as_ref().unwrap().codec, "amr_nb");
        assert!(!is_playable(&found, "audio/amr"));
        let wave = make_waveform(&studio.ffmpeg, &input, &found, &never)
            .await
            .unwrap();
        assert!(
            (4800..=5100).contains(&wave.duration_ms),
            "{}",
            wave.duration_ms
        );
        let proxy = make_proxy(&studio.ffmpeg, &input, &found, &never)
            .await
            .unwrap();
        let copied = probe(&studio.ffmpeg, &proxy.m4a, &never).await.unwrap();
        assert!(is_playable(&copied, "audio/mp4"), "{copied:?}");
        let length = copied.duration_ms.unwrap();
        assert!((4800..=5200).contains(&length), "{length}");
    });
}

#[test]
fn a_recording_that_was_cut_short_gives_what_is_left() {
    let studio = Studio::new();
    let never = CancellationToken::new();
    for (name, arguments, ..) in RECORDINGS {
        // What is left of an Ogg so short is half a page, and M4A and WMA need what comes last.
        if !["a.wav", "phone.wav", "a.mp3", "a.flac", "a.opus"].contains(name) {
            continue;
        }
        let path = studio.make(name, &[&TONE[..], *arguments].concat());
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        let input = File::open(&path).unwrap();
        block_on(async {
            let found = probe(&studio.ffmpeg, &input, &never).await.unwrap();
            let wave = make_waveform(&studio.ffmpeg, &input, &found, &never)
                .await
                .unwrap();
            let left = wave.duration_ms;
            assert!((700..2600).contains(&left), "{name}: {left} ms are left");
        });
    }
    let silent = studio.path("silent.mp3");
    fs::write(&silent, [0xff, 0xfb, 0x90, 0x64]).unwrap();
    let error = block_on(probe(&studio.ffmpeg, &File::open(silent).unwrap(), &never));
    assert!(error.unwrap_err().is_about_the_file());
}
