//! What pictures show: how many tags are right, whether people get any, and what it costs.

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
    transcribe::{Cost, measured},
};

/// Of the tags of pictures of which it is said what they show, so many are right.
const RIGHT: f64 = 0.9;
/// What a photograph of 12 megapixels may cost.
const PHOTO_CPU_S: f64 = 0.6;
/// What the program and what it starts may have resident.
const MEMORY_MB: f64 = 700.0;
/// Of them it is known what they show.
const KNOWN: [(&str, &str); 6] = [
    ("Pets/Chelsea.png", "cat"),
    ("Pets/Minka.avif", "cat"),
    ("2002 Summer in Europe/Haymaking.jpg", "hay"),
    ("2002 Summer in Europe/The 104 to Poole.jpg", "bus"),
    ("2010/2010-05-15 Alt Hammoor.jpg", "street sign"),
    ("1944 letters/1944-05-30 Karl to Anna, page 1.jpg", "letter"),
];

pub(crate) fn measure(options: &Options) {
    let place = options.folder();
    let figures = Figures::of("what pictures show");
    let (known, people) = match &options.data {
        Some(folder) => told(folder),
        None => {
            let known =
                KNOWN.map(|(file, words)| (media::sample_library().join(file), words.to_owned()));
            (known.to_vec(), Vec::new())
        }
    };
    let (mut right, mut given, mut found) = (0, 0, 0);
    for (file, words) in &known {
        let tags = tags(&tag(place.path(), file));
        let is_right = |tag: &&String| words.contains(tag.as_str());
        let own = tags.iter().filter(is_right).count();
        (right, given, found) = (
            right + own,
            given + tags.len(),
            found + usize::from(own > 0),
        );
        for tag in tags.iter().filter(|tag| !is_right(tag)) {
            eprintln!("{}: {tag}, and not {words}", file.display());
        }
    }
    let share = right as f64 / f64::from(given.max(1) as u32);
    figures.at_least(
        &format!("right of {given} tags of {} pictures", known.len()),
        share * 100.0,
        RIGHT * 100.0,
        "%",
    );
    figures.plain("pictures with a right tag", &found.to_string());
    if !people.is_empty() {
        let tagged = people.iter().filter(|file| {
            let tags = tags(&tag(place.path(), file));
            if !tags.is_empty() {
                eprintln!("{}: {tags:?}", file.display());
            }
            !tags.is_empty()
        });
        let name = format!("portraits with a tag, of {}", people.len());
        figures.at_most(&name, tagged.count() as f64, 0.0, "");
    }
    let photo = place.path().join("photo.jpg");
    let bus = media::sample_library().join("2002 Summer in Europe/The 104 to Poole.jpg");
    scale(&bus, &photo);
    let (loading, whole) = (tag(place.path(), &bus), tag(place.path(), &photo));
    figures.plain(
        "CPU time of a small picture, loading too",
        &format!("{:.2} s", loading.cpu_s),
    );
    figures.at_most(
        "of one of 12 megapixels, loading too",
        whole.cpu_s,
        PHOTO_CPU_S,
        "s",
    );
    figures.at_most("the most memory resident", whole.memory_mb, MEMORY_MB, "MB");
}

/// Pictures with what is said of them, and portraits.
fn told(folder: &Path) -> (Vec<(PathBuf, String)>, Vec<PathBuf>) {
    let manifest = fs::read(folder.join("manifest.json")).unwrap();
    let manifest: Json = serde_json::from_slice(&manifest).unwrap();
    let files = manifest["files"].as_array().unwrap();
    let caption = |file: &Json| {
        let captions = file["truth"]["captions"].as_array()?.iter();
        Some(
            captions
                .filter_map(Json::as_str)
                .collect::<Vec<_>>()
                .join(" "),
        )
    };
    let place = |file: &Json| folder.join(file["file"].as_str().unwrap_or_default());
    let mut known = Vec::new();
    let mut people = Vec::new();
    for file in files {
        if let Some(caption) = caption(file) {
            known.push((place(file), caption));
        } else if let Some(group) = file["truth"]["dup_group"].as_str() {
            // It was made of a picture with a caption.
            let name = format!("search/sk_{group}.");
            let is_source = |it: &&Json| {
                let file = it["file"].as_str();
                file.is_some_and(|file| file.starts_with(&name))
            };
            let source = files.iter().find(is_source);
            known.extend(
                source
                    .and_then(caption)
                    .map(|caption| (place(file), caption)),
            );
        } else if file["truth"]["persons"].is_array() {
            people.push(place(file));
        }
    }
    (known, people)
}

fn tag(place: &Path, file: &Path) -> Cost {
    let program = std::env::current_exe().unwrap().with_file_name("heirloom");
    let heirloom = Heirloom::new(program)
        .data(place.join("data"))
        .env("HEIRLOOM_MODELS", models::folder().to_str().unwrap());
    measured(heirloom.command(["--json", "tag", file.to_str().unwrap()]))
}

fn tags(told: &Cost) -> Vec<String> {
    let told: Json = serde_json::from_str(&told.output).unwrap();
    let tags = told["tags"].as_array().unwrap().iter();
    tags.filter_map(|tag| tag["tag"].as_str().map(str::to_owned))
        .collect()
}

/// As a camera takes it.
fn scale(file: &Path, to: &Path) {
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-y", "-i"])
        .arg(file)
        .args(["-vf", "scale=4000:3000", "-frames:v", "1", "-q:v", "2"])
        .args(["-update", "1"])
        .arg(to)
        .status();
    assert!(made.unwrap().success());
}
