//! What is seen in films: how much of what stands there is read and when, what is invented, and what a minute costs.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use heirloom_testing::{media, models, process::Heirloom};
use serde_json::Value as Json;

use crate::{
    figures::Figures,
    options::Options,
    reading::{changes, plain},
    transcribe::{Cost, measured},
};

/// So many lines are seen in a film, each for two seconds and a half, with half a second between.
const LINES: usize = 20;
const STEP_S: f64 = 3.0;
const SEEN_S: f64 = 2.5;
/// A line is read at the right time if it is told to begin or end so near.
const NEAR_S: f64 = 2.0;
/// What a minute of a film may cost for each of what is done to it.
const MINUTE_CPU_S: f64 = 60.0;
const MEMORY_MB: f64 = 700.0;

pub(crate) fn measure(options: &Options) {
    let figures = Figures::of("what is seen in films");
    let folder = options.data.clone();
    let folder = folder.unwrap_or_else(media::sample_library);
    let manifest = match &options.data {
        Some(folder) => folder.join("manifest.json"),
        None => media::repository().join("testdata/sample.json"),
    };
    let place = options.folder();
    let bikes = media::sample_library().join("Films/Bicycles.mp4");

    let lines = lines(&manifest, &folder);
    let film = place.path().join("lines.mp4");
    make(&film, &bikes, &lines);
    let read = told(place.path(), "read", &film);
    titles(&figures, &lines, &read.0);

    let films = films(&manifest, &folder);
    let invented = films.iter().map(|film| {
        let (told, _) = told(place.path(), "read", film);
        told["text"].as_str().map_or(0, |text| text.lines().count())
    });
    let name = format!("lines read in {} films of cameras", films.len());
    figures.plain(&name, &invented.sum::<usize>().to_string());

    let minute = place.path().join("minute.mp4");
    let fit = "scale=1280:720:force_original_aspect_ratio=increase,crop=1280:720";
    let looped = ["-stream_loop", "-1", "-i", bikes.to_str().unwrap()];
    ffmpeg(
        &[&looped, &["-t", "60", "-vf", fit, "-an"][..]].concat(),
        &minute,
    );
    let mut most_mb = read.1.memory_mb;
    for (name, does) in [("read", "reading"), ("faces", "faces"), ("tag", "tags")] {
        let (_, cost) = told(place.path(), name, &minute);
        let name = format!("CPU time of {does} for a minute of 720p");
        figures.at_most(&name, cost.cpu_s, MINUTE_CPU_S, "s");
        most_mb = most_mb.max(cost.memory_mb);
    }
    figures.at_most("the most memory resident", most_mb, MEMORY_MB, "MB");
}

/// Lines of which it is known what stands there, with the files that show them.
fn lines(manifest: &Path, folder: &Path) -> Vec<(PathBuf, String)> {
    let line = |known: &Json| {
        let file = known["file"].as_str()?;
        let is_line = known["kind"] == "ocr-lines" || file.contains("one line");
        let text = known["truth"]["text"].as_str().filter(|_| is_line)?;
        Some((folder.join(file), text.to_owned()))
    };
    files(manifest)
        .iter()
        .filter_map(line)
        .take(LINES)
        .collect()
}

fn films(manifest: &Path, folder: &Path) -> Vec<PathBuf> {
    let film = |known: &Json| {
        let file = known["file"].as_str()?;
        let is_film = known["kind"] == "video" || file.ends_with(".mp4");
        is_film.then(|| folder.join(file))
    };
    files(manifest).iter().filter_map(film).collect()
}

fn files(manifest: &Path) -> Vec<Json> {
    let manifest: Json = serde_json::from_slice(&fs::read(manifest).unwrap()).unwrap();
    manifest["files"].as_array().unwrap().clone()
}

/// A film on which lines are seen one after the other.
fn make(film: &Path, below: &Path, lines: &[(PathBuf, String)]) {
    let mut arguments = vec!["-stream_loop", "-1", "-i", below.to_str().unwrap()];
    for (line, _) in lines {
        arguments.extend(["-i", line.to_str().unwrap()]);
    }
    let mut filter = "[0]scale=1280:544[v0]".to_owned();
    for at in 0..lines.len() {
        let from = at as f64 * STEP_S;
        let (number, next) = (at + 1, at + 1);
        filter += &format!(
            ";[{number}]scale=1000:-2[l{number}];[v{at}][l{number}]overlay=140:400:enable='between(t,{from},{})'[v{next}]",
            from + SEEN_S
        );
    }
    let last = format!("[v{}]", lines.len());
    let length = (lines.len() as f64 * STEP_S).to_string();
    arguments.extend(["-filter_complex", &filter, "-map", &last, "-t", &length]);
    arguments.extend(["-pix_fmt", "yuv420p", "-an"]);
    ffmpeg(&arguments, film);
}

/// How well titles are read, and how many at the right time.
fn titles(figures: &Figures, lines: &[(PathBuf, String)], told: &Json) {
    let pages = told["pages"].as_array().unwrap();
    let (mut wrong, mut in_time, mut found) = (0.0_f64, 0_u32, 0_u32);
    for (number, (_, truth)) in lines.iter().enumerate() {
        let truth = plain(truth);
        let from = number as f64 * STEP_S;
        let best = pages.iter().flat_map(|page| {
            let lines = page["blocks"].as_array().into_iter().flatten();
            let lines = lines.flat_map(|block| block["lines"].as_array().into_iter().flatten());
            let truth = &truth;
            lines.map(move |line| {
                let read = plain(line["text"].as_str().unwrap_or_default());
                (
                    changes(truth, &read) as f64 / truth.len().max(1) as f64,
                    page,
                )
            })
        });
        let Some((share, page)) = best.min_by(|(a, _), (b, _)| a.total_cmp(b)) else {
            continue;
        };
        if share < 0.5 {
            found += 1;
            wrong += share;
            let at = page["at"].as_str().and_then(|at| at.split_once('-'));
            let second = |ms: &str| ms.parse::<f64>().unwrap_or(f64::MAX) / 1000.0;
            let is_near = at.is_some_and(|(start, end)| {
                (second(start) - from).abs() <= NEAR_S
                    && (second(end) - from - SEEN_S).abs() <= NEAR_S
            });
            in_time += u32::from(is_near);
        }
    }
    let all = lines.len();
    figures.plain("titles that are read", &format!("{found} of {all}"));
    figures.plain("at the right time", &format!("{in_time} of {found}"));
    let share = wrong / f64::from(found.max(1)) * 100.0;
    figures.plain("letters of these that are wrong", &format!("{share:.1} %"));
}

fn told(place: &Path, command: &str, film: &Path) -> (Json, Cost) {
    let program = std::env::current_exe().unwrap().with_file_name("heirloom");
    let heirloom = Heirloom::new(program)
        .data(place.join("data"))
        .env("HEIRLOOM_MODELS", models::folder().to_str().unwrap());
    let cost = measured(heirloom.command(["--json", command, film.to_str().unwrap()]));
    (serde_json::from_str(&cost.output).unwrap(), cost)
}

fn ffmpeg(arguments: &[&str], to: &Path) {
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-y", "-nostdin"])
        .args(arguments)
        .arg(to)
        .status();
    assert!(made.unwrap().success());
}
