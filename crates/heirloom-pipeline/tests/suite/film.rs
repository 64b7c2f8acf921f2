//! Films get a poster, a storyboard and a proxy that plays, whatever they are packed in.

use std::fs::{self, File};

use heirloom_pipeline::{
    confinement::ConfinementError,
    film::{
        Frame, StoryboardOptions, is_playable, make_poster, make_proxy, make_storyboard, see_film,
    },
    probe::{Probe, probe},
};
use heirloom_testing::media::media;
use tokio_util::sync::CancellationToken;

use crate::studio::{Studio, block_on};

/// What is packed in what, whether browsers play it as it is, and whether a proxy keeps its pictures.
/// `{}` stands for moving pictures and sound of three seconds.
const FILMS: &[(&str, &[&str], &str, bool, bool)] = &[
    (
        "a.mp4",
        &["-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac"],
        "video/mp4",
        true,
        true,
    ),
    (
        "a.mov",
        &["-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac"],
        "video/quicktime",
        true,
        true,
    ),
    (
        "a.mkv",
        &["-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac"],
        "video/x-matroska",
        false,
        true,
    ),
    (
        "a.avi",
        &["-c:v", "mjpeg", "-pix_fmt", "yuvj422p", "-c:a", "pcm_s16le"],
        "video/x-msvideo",
        false,
        false,
    ),
    (
        "a.3gp",
        &[
            "-c:v", "h263", "-s", "176x144", "-c:a", "aac", "-ar", "8000", "-ac", "1",
        ],
        "video/3gpp",
        false,
        false,
    ),
    (
        "a.webm",
        &["-c:v", "libvpx", "-c:a", "libopus"],
        "video/webm",
        true,
        false,
    ),
    (
        "a.mts",
        &[
            "-c:v",
            "libx264",
            "-pix_fmt",
            "yuv420p",
            "-flags",
            "+ildct+ilme",
            "-x264opts",
            "tff=1",
            "-c:a",
            "ac3",
            "-f",
            "mpegts",
            "-mpegts_m2ts_mode",
            "1",
        ],
        "video/mp2t",
        false,
        false,
    ),
    (
        "a.m2v",
        &["-c:v", "mpeg2video", "-r", "25", "-an", "-f", "mpeg2video"],
        "video/mpeg",
        false,
        false,
    ),
    (
        "hdr.mp4",
        &[
            "-c:v",
            "libx264",
            "-pix_fmt",
            "yuv420p10le",
            "-color_primaries",
            "bt2020",
            "-color_trc",
            "smpte2084",
            "-colorspace",
            "bt2020nc",
            "-c:a",
            "aac",
        ],
        "video/mp4",
        false,
        false,
    ),
];

/// Pictures of three seconds of which each differs from each other, and a tone.
const THREE_SECONDS: [&str; 8] = [
    "-f",
    "lavfi",
    "-i",
    "testsrc2=size=192x144:rate=25:duration=3",
    "-f",
    "lavfi",
    "-i",
    "sine=frequency=440:duration=3",
];

async fn look(studio: &Studio, input: &File) -> Result<Probe, ConfinementError> {
    probe(&studio.ffmpeg, input, &CancellationToken::new()).await
}

#[test]
fn each_kind_of_film_has_a_poster_and_a_proxy_that_plays() {
    let studio = Studio::new();
    let never = CancellationToken::new();
    for (name, arguments, media_type, plays, keeps_pictures) in FILMS {
        let path = studio.make(name, &[&THREE_SECONDS, *arguments].concat());
        let input = File::open(&path).unwrap();
        block_on(async {
            let found = look(&studio, &input).await.unwrap();
            let picture = found.picture.clone().unwrap();
            if let Some(duration_ms) = found.duration_ms {
                assert!(
                    (2800..=3300).contains(&duration_ms),
                    "{name}: {duration_ms} ms"
                );
            }
            assert_eq!(found.sound.is_some(), *name != "a.m2v", "{name}");
            assert_eq!(is_playable(&found, media_type), *plays, "{name}: {found:?}");

            let poster = make_poster(&studio.ffmpeg, &input, &found, &never)
                .await
                .unwrap();
            assert_eq!(
                (poster.width, poster.height),
                picture.shown_size(),
                "{name}"
            );
            let size = (poster.width, poster.height);
            let shown = studio.pixels_of(poster.png, size);
            if picture.is_hdr || picture.is_interlaced {
                assert!(mean(&shown) > 20.0, "{name}: the poster is dark");
            } else {
                let nearest = studio
                    .frames_of(&path, size)
                    .iter()
                    .map(|frame| difference(frame, &shown))
                    .fold(f64::MAX, f64::min);
                assert!(
                    nearest < 1.0,
                    "{name}: no frame is like the poster: {nearest}"
                );
            }

            let proxy = make_proxy(&studio.ffmpeg, &input, &found, 1080, &never)
                .await
                .unwrap();
            assert_eq!(proxy.has_original_pictures, *keeps_pictures, "{name}");
            let copied = look(&studio, &proxy.mp4).await.unwrap();
            assert!(is_playable(&copied, "video/mp4"), "{name}: {copied:?}");
            let length = copied.duration_ms.unwrap();
            assert!(
                (2800..=3300).contains(&length),
                "{name}: the proxy has {length} ms"
            );
            assert_eq!(copied.sound.is_some(), found.sound.is_some(), "{name}");
            let whole = studio.frames_of_file(&proxy.mp4, size).len();
            assert!(
                (72..=78).contains(&whole),
                "{name}: the proxy has {whole} pictures"
            );
        });
    }
    studio.assert_clean();
}

#[test]
fn a_film_that_was_held_upright_is_shown_upright() {
    let studio = Studio::new();
    let never = CancellationToken::new();
    let path = media("media/mei_with-gps.mov");
    let input = File::open(&path).unwrap();
    block_on(async {
        let found = look(&studio, &input).await.unwrap();
        let picture = found.picture.clone().unwrap();
        assert_eq!(
            (picture.width, picture.height, picture.rotation),
            (568, 320, 90)
        );
        let poster = make_poster(&studio.ffmpeg, &input, &found, &never)
            .await
            .unwrap();
        assert_eq!((poster.width, poster.height), (320, 568));
        let shown = studio.pixels_of(poster.png, (320, 568));
        let frames = studio.frames_of(&path, (320, 568));
        let nearest = frames
            .iter()
            .map(|frame| difference(frame, &shown))
            .fold(f64::MAX, f64::min);
        assert!(nearest < 1.0, "{nearest}");
    });
}

#[test]
fn pixels_that_are_not_square_are_shown_as_they_should_be() {
    let studio = Studio::new();
    let never = CancellationToken::new();
    let wide = [&THREE_SECONDS[..4], &["-vf", "setsar=2", "-c:v", "mpeg4"]].concat();
    let input = File::open(studio.make("wide.avi", &wide)).unwrap();
    block_on(async {
        let found = look(&studio, &input).await.unwrap();
        let poster = make_poster(&studio.ffmpeg, &input, &found, &never)
            .await
            .unwrap();
        assert_eq!((poster.width, poster.height), (384, 144));
        let proxy = make_proxy(&studio.ffmpeg, &input, &found, 1080, &never)
            .await
            .unwrap();
        let copied = look(&studio, &proxy.mp4).await.unwrap().picture.unwrap();
        assert_eq!((copied.width, copied.height), (384, 144));
        assert_eq!(copied.shown_size(), (384, 144));
    });
}

#[test]
fn a_film_that_begins_in_the_dark_has_a_poster_that_is_not() {
    let studio = Studio::new();
    let never = CancellationToken::new();
    for (name, dark, bright) in [("short.mp4", 1, 4), ("long.mp4", 2, 30)] {
        let begins_dark = format!(
            "color=black:size=192x144:rate=25:duration={dark}[a];testsrc2=size=192x144:rate=25:duration={bright}[b];[a][b]concat"
        );
        let film = [
            "-filter_complex",
            &begins_dark,
            "-c:v",
            "libx264",
            "-g",
            "50",
        ];
        let input = File::open(studio.make(name, &film)).unwrap();
        block_on(async {
            let found = look(&studio, &input).await.unwrap();
            let poster = make_poster(&studio.ffmpeg, &input, &found, &never)
                .await
                .unwrap();
            let shown = studio.pixels_of(poster.png, (192, 144));
            assert!(mean(&shown) > 60.0, "{name}: {}", mean(&shown));
        });
    }
}

#[test]
fn a_storyboard_shows_a_film_from_beginning_to_end() {
    let studio = Studio::new();
    let never = CancellationToken::new();
    // It grows brighter, second by second.
    let film = [
        "-f",
        "lavfi",
        "-i",
        "nullsrc=size=320x180:rate=10:duration=20",
        "-vf",
        "geq=lum='20+10*floor(T)':cb=128:cr=128",
        "-c:v",
        "libx264",
        "-pix_fmt",
        "yuv420p",
    ];
    let input = File::open(studio.make("dawn.mp4", &film)).unwrap();
    let options = StoryboardOptions {
        most_frames: 7,
        frame_height: 90,
    };
    block_on(async {
        let found = look(&studio, &input).await.unwrap();
        let made = make_storyboard(&studio.ffmpeg, &input, &found, options, &never);
        let made = made.await.unwrap();
        let header = &made.header;
        assert_eq!((header.columns, header.rows), (3, 3));
        assert_eq!((header.frame_width, header.frame_height), (160, 90));
        let step = 20_000 / 7;
        let expected: Vec<u64> = (0..7).map(|n| n * step + step / 2).collect();
        assert_eq!(header.times_ms, expected);
        let sheet = studio.pixels_of(made.sheet, (480, 270));
        for (n, ms) in header.times_ms.iter().enumerate() {
            let middle = ((n / 3 * 90 + 45) * 480 + n % 3 * 160 + 80) * 3;
            // The frame that is shown then or next begins within a tenth of a second.
            let luma = 20.0 + 10.0 * ((*ms + 99) / 1000) as f64;
            let bright = (luma - 16.0) * 255.0 / 219.0;
            let found = f64::from(sheet[middle]);
            assert!(
                (found - bright).abs() < 8.0,
                "{ms} ms: {found} is not {bright}"
            );
        }
    });
}

/// When frames begin and end, in tenths of a second.
fn seen(frames: &[Frame]) -> Vec<(u64, u64)> {
    let tenth = |ms: u64| (ms + 50) / 100;
    let frames = frames.iter();
    frames
        .map(|frame| (tenth(frame.at.start_ms()), tenth(frame.at.end_ms())))
        .collect()
}

#[test]
fn a_film_is_looked_at_where_it_changes() {
    let studio = Studio::new();
    let never = CancellationToken::new();
    let see = |path: &std::path::Path| {
        let film = File::open(path).unwrap();
        block_on(see_film(&studio.ffmpeg, &film, &never))
    };
    // Three scenes in which nothing moves.
    let scene = |source: &str| format!("{source}s=320x240:r=10:d=4");
    let still = studio.make(
        "still.mp4",
        &[
            "-f",
            "lavfi",
            "-i",
            &scene("color=white:"),
            "-f",
            "lavfi",
            "-i",
            &scene("testsrc="),
            "-f",
            "lavfi",
            "-i",
            &scene("color=black:"),
            "-filter_complex",
            "[1]select='eq(n,0)',loop=39:1,setpts=N/10/TB[m];[0][m][2]concat=n=3",
            "-c:v",
            "libx264",
            "-pix_fmt",
            "yuv420p",
        ],
    );
    let frames = see(&still).unwrap();
    assert_eq!(seen(&frames), [(0, 40), (40, 80), (80, 120)]);
    let picture = studio.path("frame.jpg");
    fs::write(&picture, &frames[2].jpeg).unwrap();
    let pixels = studio.pixels_of(File::open(&picture).unwrap(), (8, 6));
    assert!(mean(&pixels) < 5.0, "{}", mean(&pixels));

    // What moves all the time is looked at every two seconds, and never more often than each second.
    let moving = [
        "-f",
        "lavfi",
        "-i",
        "testsrc2=size=192x144:rate=25:duration=9",
    ];
    let moving = studio.make(
        "moving.mp4",
        &[&moving, &["-pix_fmt", "yuv420p"][..]].concat(),
    );
    let times = seen(&see(&moving).unwrap());
    assert!((5..=10).contains(&times.len()), "{times:?}");
    assert!(
        times.iter().all(|(from, until)| until - from >= 10),
        "{times:?}"
    );

    // However long it is, there are only so many, of its key frames.
    let long = [
        "-f",
        "lavfi",
        "-i",
        "testsrc2=size=64x48:rate=5:duration=3600",
    ];
    let long = studio.make(
        "long.mp4",
        &[&long, &["-c:v", "mpeg4", "-g", "25"][..]].concat(),
    );
    let times = seen(&see(&long).unwrap());
    assert!((80..=160).contains(&times.len()), "{}", times.len());
    assert!(times.last().unwrap().0 > 35_000, "{times:?}");
    studio.assert_clean();
}

#[test]
fn of_a_broken_film_is_seen_what_can_be() {
    let studio = Studio::new();
    let never = CancellationToken::new();
    let whole = [
        &THREE_SECONDS[..4],
        &["-c:v", "mpeg4", "-pix_fmt", "yuv420p"],
    ]
    .concat();
    let path = studio.make("half.avi", &whole);
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() * 6 / 10]).unwrap();
    let sound = studio.make("sound.wav", &THREE_SECONDS[4..]);
    block_on(async {
        let half = File::open(&path).unwrap();
        let frames = see_film(&studio.ffmpeg, &half, &never).await.unwrap();
        assert!(!frames.is_empty());
        let cut = File::open(media("malformed/cut_bicycles.mp4")).unwrap();
        let error = see_film(&studio.ffmpeg, &cut, &never).await.unwrap_err();
        assert!(error.to_string().contains("cut short"), "{error}");
        let sound = File::open(&sound).unwrap();
        let error = see_film(&studio.ffmpeg, &sound, &never).await.unwrap_err();
        assert!(error.to_string().contains("no pictures"), "{error}");
    });
    studio.assert_clean();
}

#[test]
fn a_broken_film_gives_what_is_whole_or_a_plain_reason() {
    let studio = Studio::new();
    let never = CancellationToken::new();
    block_on(async {
        let cut = File::open(media("malformed/cut_bicycles.mp4")).unwrap();
        let error = look(&studio, &cut).await.unwrap_err();
        assert!(error.to_string().contains("cut short"), "{error}");

        for (name, packed) in [("half.mkv", "libx264"), ("half.avi", "mpeg4")] {
            let whole = [
                &THREE_SECONDS[..4],
                &["-c:v", packed, "-pix_fmt", "yuv420p"],
            ]
            .concat();
            let path = studio.make(name, &whole);
            let bytes = fs::read(&path).unwrap();
            fs::write(&path, &bytes[..bytes.len() * 6 / 10]).unwrap();
            let half = File::open(&path).unwrap();
            let found = look(&studio, &half).await.unwrap();
            make_poster(&studio.ffmpeg, &half, &found, &never)
                .await
                .unwrap();
            let proxy = make_proxy(&studio.ffmpeg, &half, &found, 1080, &never)
                .await
                .unwrap();
            let copied = look(&studio, &proxy.mp4).await.unwrap();
            let length = copied.duration_ms.unwrap();
            assert!(
                (1000..2600).contains(&length),
                "{name}: {length} ms are left"
            );
        }

        let none = studio.path("none.mp4");
        fs::write(&none, "this is a letter, not a film\n".repeat(50)).unwrap();
        let error = look(&studio, &File::open(&none).unwrap())
            .await
            .unwrap_err();
        assert!(error.is_about_the_file(), "{error:?}");
        assert!(!error.to_string().contains("0x"), "{error}");
    });
    studio.assert_clean();
}

/// The mean of all values, from 0 to 255.
fn mean(pixels: &[u8]) -> f64 {
    pixels.iter().map(|value| f64::from(*value)).sum::<f64>() / pixels.len() as f64
}

/// How much two pictures differ in the mean, from 0 to 255.
fn difference(a: &[u8], b: &[u8]) -> f64 {
    assert_eq!(a.len(), b.len());
    let sum: u64 = a
        .iter()
        .zip(b)
        .map(|(a, b)| u64::from(a.abs_diff(*b)))
        .sum();
    sum as f64 / a.len() as f64
}
