//! Duplicates: how many pairs are found and how many of these are right, beside a plain perceptual hash; and how long it
//! takes to compare a library.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Cursor,
    path::Path,
    time::{Duration, Instant},
};

use heirloom_core::{
    Actor,
    duplicate::{Miniature, Traits},
};
use heirloom_db::{
    artifact::Payload,
    duplicate::{TRAITS, list::Asked},
};
use heirloom_media::picture::{Limits, render};
use heirloom_testing::process::Heirloom;
use serde_json::{Value as Json, json};

use crate::{
    chance::Chance,
    figures::{Figures, ms},
    library::{Finding, Library, PHOTOGRAPH},
    options::Options,
};

/// So many of the pairs that are found are right, and so many of those that there are are found.
const PRECISION: f64 = 0.99;
const RECALL: f64 = 0.95;
/// What is usual for a hash of 64 bits: so many may differ.
const USUAL_BITS: u32 = 10;

/// How long it may take to compare a library of so many pictures, a hundred more with all of them, and to list groups.
const PICTURES: u64 = 100_000;
const MORE: u64 = 100;
const ALL_LIMIT: Duration = Duration::from_secs(20);
const MORE_LIMIT: Duration = Duration::from_secs(2);
const LIST_LIMIT: Duration = Duration::from_secs(1);

/// Two files, the first of them first.
type Pair = (String, String);

pub(crate) async fn measure(options: &Options) {
    if let Some(folder) = &options.data {
        find(options, folder);
    } else {
        println!("\nwhat is found: --data FOLDER has a manifest.json with the truth");
    }
    compare(options).await;
}

/// What the program finds among the pictures of a manifest.
fn find(options: &Options, folder: &Path) {
    let place = options.folder();
    let known = known(folder);
    let pictures = place.path().join("Pictures");
    for name in known.keys() {
        let to = pictures.join(name);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(folder.join(name), to).unwrap();
    }
    let program = std::env::current_exe().unwrap().with_file_name("heirloom");
    let heirloom = Heirloom::new(program).data(place.path().join("data")).env(
        "HEIRLOOM_MODELS",
        place.path().join("none").to_str().unwrap(),
    );
    let said = |arguments: &[&str]| heirloom.command(arguments).output().unwrap();
    // Some of the pictures are damaged: a scan that says so is no failure of ours.
    said(&["scan", pictures.to_str().unwrap()]);
    let groups = said(&["--json", "duplicates", "list", "--limit", "5000"]);
    assert!(groups.status.success(), "{groups:?}");
    let groups = String::from_utf8(groups.stdout).unwrap();
    let groups: Json = serde_json::from_str(&groups).unwrap();
    let (mut found, mut exact) = (BTreeSet::new(), BTreeSet::new());
    for group in groups["items"].as_array().unwrap() {
        let members = group["members"].as_array().unwrap();
        let places = members
            .iter()
            .flat_map(|it| it["places"].as_array().unwrap());
        let files: Vec<&str> = places.map(|it| it["path"].as_str().unwrap()).collect();
        let is_exact = ["copies", "exact"].contains(&group["why"].as_str().unwrap());
        for pair in pairs(&files) {
            if is_exact {
                exact.insert(pair.clone());
            }
            found.insert(pair);
        }
    }
    let usual = usual(folder, &known);
    let title = format!("pairs found among {} pictures", known.len());
    let figures = Figures::titled(&title, &["precision", "limit", "recall", "limit"]);
    let percent = |share: f64| format!("{:.1} %", share * 100.0);
    let limits = [percent(PRECISION), percent(RECALL)];
    for (name, found, is_own) in [
        ("Heirloom".to_owned(), &found, true),
        (format!("pHash, {USUAL_BITS} bits"), &usual, false),
    ] {
        let (precision, recall) = judged(&known, found);
        let limit = |at: usize| if is_own { limits[at].as_str() } else { "" };
        let is_missed = is_own && (precision < PRECISION || recall < RECALL);
        let cells = [&*percent(precision), limit(0), &percent(recall), limit(1)];
        figures.row(&name, &cells, is_missed);
    }
    let is_false = |(one, other): &&Pair| {
        let [one, other] = [&known[one], &known[other]];
        let is_made = |it: &Known| it.relation.starts_with("derived");
        is_known(one, other) && (one.group != other.group || is_made(one) || is_made(other))
    };
    let wrong = exact.iter().filter(is_false).count();
    let name = format!("false ones of {} exact pairs", exact.len());
    figures.row(&name, &[&wrong.to_string(), "0", "", ""], wrong > 0);
    let unjudged = found
        .iter()
        .filter(|(one, other)| !is_known(&known[one], &known[other]));
    println!("\npairs of pictures of which nobody says what they are:");
    for (one, other) in unjudged {
        let is_usual = usual.contains(&(one.clone(), other.clone()));
        let too = if is_usual { " (pHash too)" } else { "" };
        println!("  {one}  {other}{too}");
    }
}

/// What the manifest says of a picture.
struct Known {
    /// What it is a duplicate in.
    group: Option<String>,
    relation: String,
}

/// Whether it can be judged that these two are a pair: one of them is in a group. Of others nobody knows.
fn is_known(one: &Known, other: &Known) -> bool {
    one.group.is_some() || other.group.is_some()
}

/// The pictures of a manifest by their files: those that are duplicates, and photographs beside them.
fn known(folder: &Path) -> BTreeMap<String, Known> {
    let manifest = fs::read(folder.join("manifest.json")).unwrap();
    let manifest: Json = serde_json::from_slice(&manifest).unwrap();
    let files = manifest["files"].as_array().unwrap();
    let told = |file: &Json| file["truth"]["dup_group"].as_str().map(str::to_owned);
    let group_of = |file: &Json| {
        // The same bytes under another name, and one picture that is there in many formats, are told nowhere else.
        let same = files.iter().filter(|it| it["sha256"] == file["sha256"]);
        let hopper = file["file"].as_str().unwrap().contains("pil_hopper");
        let told = same.filter_map(told).next();
        told.or(hopper.then(|| "hopper".to_owned()))
    };
    let kinds = ["duplicates", "photos"];
    let pictures = files
        .iter()
        .filter(|it| kinds.contains(&it["kind"].as_str().unwrap()));
    let known = pictures.map(|file| {
        let relation = file["truth"]["relation"].as_str().unwrap_or_default();
        let known = Known {
            group: group_of(file),
            relation: relation.to_owned(),
        };
        (file["file"].as_str().unwrap().to_owned(), known)
    });
    known.collect()
}

fn pairs(files: &[&str]) -> Vec<Pair> {
    let mut pairs = Vec::new();
    for (at, one) in files.iter().enumerate() {
        for other in &files[at + 1..] {
            let (one, other) = ((*one).min(*other), (*one).max(*other));
            pairs.push((one.to_owned(), other.to_owned()));
        }
    }
    pairs
}

/// Precision and recall of pairs.
fn judged(known: &BTreeMap<String, Known>, found: &BTreeSet<Pair>) -> (f64, f64) {
    let files: Vec<&str> = known.keys().map(String::as_str).collect();
    let is_true = |(one, other): &Pair| {
        let [one, other] = [&known[one].group, &known[other].group];
        one.is_some() && one == other
    };
    let right = found.iter().filter(|pair| is_true(pair)).count();
    let judged = found
        .iter()
        .filter(|(one, other)| is_known(&known[one], &known[other]));
    let there = pairs(&files).into_iter().filter(is_true).count();
    let share = |of: usize, all: usize| of as f64 / all.max(1) as f64;
    (share(right, judged.count()), share(right, there))
}

/// The pairs whose perceptual hashes differ in as many bits as is usual, each picture compared with all others.
fn usual(folder: &Path, known: &BTreeMap<String, Known>) -> BTreeSet<Pair> {
    let hashes = known.keys().filter_map(|name| {
        let bytes = fs::read(folder.join(name)).unwrap();
        let file_type = heirloom_media::sniff(&mut Cursor::new(&bytes), name).ok()?;
        let drawn = render(&bytes, file_type, &Limits::default()).ok()?;
        Some((name.as_str(), drawn.perceptual_hash))
    });
    let hashes: Vec<(&str, u64)> = hashes.collect();
    let mut found = BTreeSet::new();
    for (at, (one, hash)) in hashes.iter().enumerate() {
        let near = hashes[at + 1..]
            .iter()
            .filter(|(_, other)| (hash ^ other).count_ones() <= USUAL_BITS);
        found.extend(near.flat_map(|(other, _)| pairs(&[one, other])));
    }
    found
}

/// How long it takes to compare a library that is made up.
async fn compare(options: &Options) {
    let mut library = Library::of(options, PICTURES, PHOTOGRAPH, traits).await;
    let title =
        format!("comparing {PICTURES} pictures, three of a hundred of which are there twice");
    let figures = Figures::titled(&title, &["time", "limit", "pairs"]);
    timed(&library, &figures, "all of them", ALL_LIMIT).await;
    library.add(PICTURES + MORE, PHOTOGRAPH, traits).await;
    timed(&library, &figures, "a hundred more", MORE_LIMIT).await;
    let (db, family) = (&library.db, library.family.id);
    let started = Instant::now();
    let listed = db.list_duplicates(&Actor::Operator, family, Asked::default(), 50);
    let listed = listed.await.unwrap().groups.len();
    let time = started.elapsed();
    let cells = [&*ms(time), &ms(LIST_LIMIT), &listed.to_string()];
    figures.row("a page of groups", &cells, time > LIST_LIMIT);
    db.close().await;
}

async fn timed(library: &Library, figures: &Figures, name: &str, limit: Duration) {
    let started = Instant::now();
    let pairs = library
        .db
        .compare_pictures(library.family.id)
        .await
        .unwrap();
    let time = started.elapsed();
    figures.row(
        name,
        &[&ms(time), &ms(limit), &pairs.to_string()],
        time > limit,
    );
}

fn traits(number: u64) -> Finding {
    let traits = Traits {
        miniature: miniature(number),
        exact_hash: None,
        quality: None,
    };
    Finding {
        kind: TRAITS,
        payload: Payload::Json(json!(traits)),
    }
}

/// Light and dark in 64 places and what lies between them, with some noise; of a few, another picture's.
fn miniature(number: u64) -> Option<Miniature> {
    const PLACES: usize = 9;
    let mut own = Chance::new(number);
    let is_copy = number > 1_000 && own.percent(3);
    let scene = if is_copy { number - 1_000 } else { number };
    let mut chance = Chance::new(7_000_000 + scene);
    let levels: Vec<f64> = (0..PLACES * PLACES)
        .map(|_| chance.fraction() * 220.0 + 10.0)
        .collect();
    let pixels = (0..Miniature::SIDE * Miniature::SIDE).map(|at| {
        let (x, y) = (
            (at % Miniature::SIDE) as f64 / 4.0,
            (at / Miniature::SIDE) as f64 / 4.0,
        );
        let (left, top) = (x as usize, y as usize);
        let (x, y) = (x.fract(), y.fract());
        let level = |dx: usize, dy: usize| levels[(top + dy) * PLACES + left + dx];
        let upper = level(0, 0) * (1.0 - x) + level(1, 0) * x;
        let lower = level(0, 1) * (1.0 - x) + level(1, 1) * x;
        (upper * (1.0 - y) + lower * y + own.fraction() * 6.0) as u8
    });
    Miniature::new(pixels.collect())
}
