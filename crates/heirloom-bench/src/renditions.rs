//! Everything that is shown of a photograph of 12 megapixels, beside `vipsthumbnail` for the same two sizes.

use std::{
    fs,
    io::Cursor,
    path::{Path, PathBuf},
    process::Command,
};

use heirloom_media::{
    metadata,
    picture::{Limits, Picture, RenditionKind, Want, decode, render, render_pixels},
    sniff,
};
use heirloom_testing::media;

use crate::{chance::Chance, figures::Figures, options::Options};

/// The most CPU seconds for one photograph: decoding, both sizes, preview, fingerprint and metadata.
const LIMIT_MS: f64 = 70.0;

/// How many times cheaper than the peer.
const TIMES: f64 = 2.0;

const WIDTH: usize = 4000;
const HEIGHT: usize = 3000;
const ROUNDS: usize = 8;

/// Leaves, lanterns at night, print, and people in the sun.
const SCENES: [&str; 5] = [
    "testdata/sample/2019/20190926_163800.jpg",
    "testdata/sample/2015/Laternen.jpg",
    "testdata/sample/2008 Herbst in der Toskana/DSCN0010.jpg",
    "testdata/sample/2010/2010-05-15 Alt Hammoor.jpg",
    "testdata/sample/Papers/The Siege of Vicksburg.jpg",
];

pub(crate) fn measure(options: &Options) {
    let place = options.folder();
    let photographs = photographs(place.path());
    let bytes: u64 = photographs
        .iter()
        .map(|path| fs::metadata(path).unwrap().len())
        .sum();
    let title = format!(
        "{} photographs of 12 megapixels and {:.1} MB, each drawn in both sizes",
        photographs.len(),
        bytes as f64 / photographs.len() as f64 / 1e6
    );
    let figures = Figures::of(&title);
    let peer = cpu_ms(Whose::Children, photographs.len(), || {
        for path in &photographs {
            thumbnail(path, 1440, "jpg[Q=80]");
            thumbnail(path, 250, "webp[Q=75]");
        }
    });
    let ours = cpu_ms(Whose::Own, photographs.len(), || {
        for path in &photographs {
            draw(path);
        }
    });
    figures.at_most("CPU time of one, with metadata", ours, LIMIT_MS, "ms");
    let rate = |ms: f64| 1000.0 / ms;
    let peer = ("vipsthumbnail", rate(peer));
    figures.beside("photographs per CPU second", rate(ours), TIMES, peer, "/s");
    quality(&figures, &photographs);
}

/// Makes the photographs in a folder.
pub(crate) fn photographs(place: &Path) -> Vec<PathBuf> {
    let scenes = 0..SCENES.len();
    scenes.map(|number| photograph(place, number)).collect()
}

/// Draws one as the program does, its metadata included.
fn draw(path: &Path) -> [Vec<u8>; 2] {
    let bytes = fs::read(path).unwrap();
    let mut source = Cursor::new(&bytes);
    let file_type = sniff(&mut source, "a.jpg").unwrap();
    metadata(&mut source, file_type, "a.jpg").unwrap();
    let rendered = render(&bytes, file_type, &Limits::default()).unwrap();
    [RenditionKind::Screen, RenditionKind::Grid].map(|kind| {
        let mut all = rendered.renditions.iter();
        all.find(|one| one.kind == kind).unwrap().bytes.clone()
    })
}

fn thumbnail(path: &Path, side: u32, form: &str) -> PathBuf {
    let (end, _) = form.split_once('[').unwrap();
    let target = path.with_extension(format!("{side}.{end}"));
    let done = Command::new("vipsthumbnail")
        .arg(path)
        .args(["--size", &format!("{side}x{side}"), "-o"])
        .arg(target.with_extension(form))
        .env("VIPS_CONCURRENCY", "1")
        .status()
        .unwrap();
    assert!(done.success());
    target
}

/// How like the photograph the renditions are, beside the peer's.
fn quality(figures: &Figures, photographs: &[PathBuf]) {
    let mut sums = [[0.0; 2]; 2];
    for path in photographs {
        let whole = pixels(&fs::read(path).unwrap());
        let ours = draw(path);
        for (number, (side, form)) in [(1440, "jpg[Q=80]"), (250, "webp[Q=75]")]
            .into_iter()
            .enumerate()
        {
            let seen = pixels(&ours[number]);
            let wanted = lanczos(&whole, seen.width as usize, seen.height as usize);
            let peer = pixels(&fs::read(thumbnail(path, side, form)).unwrap());
            sums[number][0] += similarity(&wanted, &grey(&seen), seen.width as usize);
            sums[number][1] += similarity(&wanted, &grey(&peer), peer.width as usize);
        }
    }
    let count = photographs.len() as f64;
    for (name, [ours, peer]) in ["SSIM of the screen's size", "SSIM of the grid's size"]
        .into_iter()
        .zip(sums)
    {
        // A hundredth is not seen by anybody.
        let (ours, peer) = (ours / count, peer / count);
        let cells = [
            &format!("{ours:.4}"),
            &format!("{:.4}", peer - 0.01),
            &format!("vipsthumbnail {peer:.4}"),
        ];
        figures.row(name, &cells.map(String::as_str), ours < peer - 0.01);
    }
}

fn pixels(bytes: &[u8]) -> Picture {
    let file_type = sniff(&mut Cursor::new(bytes), "a").unwrap();
    decode(bytes, file_type, &Limits::default(), Want::default()).unwrap()
}

fn grey(picture: &Picture) -> Vec<f32> {
    let pixels = picture.pixels.chunks_exact(3);
    pixels
        .map(|p| 0.299 * f32::from(p[0]) + 0.587 * f32::from(p[1]) + 0.114 * f32::from(p[2]))
        .collect()
}

/// The grey levels of a picture made smaller by Lanczos' filter with three lobes, without rounding.
fn lanczos(picture: &Picture, width: usize, height: usize) -> Vec<f32> {
    let (from_width, from_height) = (picture.width as usize, picture.height as usize);
    let across = weights(from_width, width);
    let grey = grey(picture);
    let narrow: Vec<f32> = grey
        .chunks_exact(from_width)
        .flat_map(|row| across.iter().map(|taps| weigh(taps, |at| row[at])))
        .collect();
    let down = weights(from_height, height);
    down.iter()
        .flat_map(|taps| {
            let narrow = &narrow;
            (0..width).map(move |x| weigh(taps, |at| narrow[at * width + x]))
        })
        .collect()
}

fn weigh(taps: &(usize, Vec<f32>), value: impl Fn(usize) -> f32) -> f32 {
    let (start, weights) = taps;
    let terms = weights.iter().enumerate();
    terms
        .map(|(number, weight)| weight * value(start + number))
        .sum()
}

/// For each target sample the first source sample and the weights from there on.
fn weights(from: usize, to: usize) -> Vec<(usize, Vec<f32>)> {
    let scale = from as f32 / to as f32;
    let sinc = |x: f32| {
        let x = x * std::f32::consts::PI;
        if x.abs() < 1e-6 { 1.0 } else { x.sin() / x }
    };
    (0..to)
        .map(|number| {
            let centre = (number as f32 + 0.5) * scale - 0.5;
            let start = (centre - 3.0 * scale).ceil().max(0.0) as usize;
            let end = ((centre + 3.0 * scale).floor() as usize).min(from - 1);
            let mut taps: Vec<f32> = (start..=end)
                .map(|at| {
                    let x = (at as f32 - centre) / scale;
                    sinc(x) * sinc(x / 3.0)
                })
                .collect();
            let sum: f32 = taps.iter().sum();
            taps.iter_mut().for_each(|tap| *tap /= sum);
            (start, taps)
        })
        .collect()
}

/// Structural similarity of grey levels in windows of 8 × 8, after Z. Wang and others, "Image Quality
/// Assessment: From Error Visibility to Structural Similarity" (2004).
fn similarity(a: &[f32], b: &[f32], width: usize) -> f64 {
    const SIDE: usize = 8;
    let (c1, c2) = (6.502_5_f64, 58.522_5_f64);
    let height = a.len() / width;
    let (mut total, mut windows) = (0.0, 0.0);
    for top in (0..=height - SIDE).step_by(SIDE / 2) {
        for left in (0..=width - SIDE).step_by(SIDE / 2) {
            let mut sums = [0.0; 5];
            for y in top..top + SIDE {
                for x in left..left + SIDE {
                    let (a, b) = (f64::from(a[y * width + x]), f64::from(b[y * width + x]));
                    for (sum, term) in sums.iter_mut().zip([a, b, a * a, b * b, a * b]) {
                        *sum += term / (SIDE * SIDE) as f64;
                    }
                }
            }
            let [a, b, aa, bb, ab] = sums;
            total += (2.0 * a * b + c1) * (2.0 * (ab - a * b) + c2)
                / ((a * a + b * b + c1) * (aa - a * a + bb - b * b + c2));
            windows += 1.0;
        }
    }
    total / windows
}

/// A photograph of the sample library as a camera of 12 megapixels would have taken it: enlarged, with the
/// grain of a sensor.
fn photograph(place: &Path, number: usize) -> PathBuf {
    let scene = pixels(&fs::read(media::repository().join(SCENES[number])).unwrap());
    let (from_width, from_height) = (scene.width as usize, scene.height as usize);
    let mut chance = Chance::new(number as u64);
    let mut pixels = Vec::with_capacity(WIDTH * HEIGHT * 3);
    for y in 0..HEIGHT {
        let (top, down) = place_in(y, HEIGHT, from_height);
        for x in 0..WIDTH {
            let (left, right) = place_in(x, WIDTH, from_width);
            let grain = (chance.fraction() + chance.fraction() - 1.0) as f32 * 9.0;
            for channel in 0..3 {
                let at = |x: usize, y: usize| {
                    let (x, y) = (x.min(from_width - 1), y.min(from_height - 1));
                    f32::from(scene.pixels[(y * from_width + x) * 3 + channel])
                };
                let upper = at(left, top) * (1.0 - right) + at(left + 1, top) * right;
                let lower = at(left, top + 1) * (1.0 - right) + at(left + 1, top + 1) * right;
                pixels.push((upper * (1.0 - down) + lower * down + grain) as u8);
            }
        }
    }
    let picture = Picture {
        width: WIDTH as u32,
        height: HEIGHT as u32,
        pixels,
        has_alpha: false,
        is_animated: false,
        pages: 1,
        problems: Vec::new(),
    };
    let rendered = render_pixels(picture, true, &Limits::default()).unwrap();
    let path = place.join(format!("{number}.jpg"));
    fs::write(&path, &rendered.renditions[2].bytes).unwrap();
    path
}

/// The sample before this one in a smaller row, and how far behind it this one lies.
fn place_in(number: usize, of: usize, from: usize) -> (usize, f32) {
    let at = ((number as f32 + 0.5) * from as f32 / of as f32 - 0.5).max(0.0);
    (at as usize, at.fract())
}

/// Whose time counts.
#[derive(Clone, Copy)]
enum Whose {
    Own,
    Children,
}

/// CPU milliseconds of the work for one of `count` photographs, of several rounds.
fn cpu_ms(whose: Whose, count: usize, work: impl Fn()) -> f64 {
    let started = ticks(whose);
    for _ in 0..ROUNDS {
        work();
    }
    // The kernel counts in hundredths of a second.
    (ticks(whose) - started) as f64 * 10.0 / (count * ROUNDS) as f64
}

/// Ticks of proc(5)'s `stat`: user and system time of this process, or of those it has waited for.
fn ticks(whose: Whose) -> u64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let (_, fields) = stat.rsplit_once(')').unwrap();
    let mut fields = fields.split_whitespace();
    let skipped = match whose {
        Whose::Own => 11,
        Whose::Children => 13,
    };
    let user: u64 = fields.nth(skipped).unwrap().parse().unwrap();
    user + fields.next().unwrap().parse::<u64>().unwrap()
}
