//! Faces: how many are found, how often two of one person are rightly taken for one, and what it costs.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

use heirloom_core::{
    AssetId, FaceId,
    face::{CLEAR, Face, FaceWord, Faceprint, Gathered, SAME_FACE, gather, same_face},
};
use heirloom_pipeline::tool::faces::Seen;
use heirloom_testing::{media, models, process::Heirloom};
use serde_json::Value as Json;

use crate::{
    figures::Figures,
    options::Options,
    renditions::photographs,
    transcribe::{Cost, measured},
};

/// So much of what is taken for one person is one.
const PRECISION: f64 = 0.95;
/// So many of the faces of a group are of who most of them are.
const PURITY: f64 = 0.98;
/// What the faces of a photograph of 12 megapixels may cost, with whatever else is seen in it.
const CPU_S: f64 = 0.6;
/// What the program and what it starts may have resident.
const MEMORY_MB: f64 = 700.0;

/// A picture of which it is known whose faces are in it.
struct Known {
    file: PathBuf,
    /// Who is in it, where that is one person.
    person: Option<String>,
    count: Option<u64>,
}

pub(crate) fn measure(options: &Options) {
    let place = options.folder();
    let known = known(options);
    let mut people: Vec<(String, Faceprint)> = Vec::new();
    let mut all: Vec<(Gathered, Faceprint, Option<String>)> = Vec::new();
    let (mut counted, mut right, mut alone) = (0, 0, 0);
    for (at, picture) in known.iter().enumerate() {
        let faces = find(place.path(), &picture.file).1;
        for face in &faces {
            let is_alone = faces.len() == 1;
            let person = picture.person.clone().filter(|_| is_alone);
            all.push((gathered(all.len(), at, face), face.print.clone(), person));
        }
        if let Some(count) = picture.count {
            counted += 1;
            right += usize::from(faces.len() as u64 == count);
        }
        let Some(person) = &picture.person else {
            continue;
        };
        alone += 1;
        let clear = faces.into_iter().filter(|face| face.quality >= CLEAR);
        let best = clear.max_by(|a, b| a.quality.total_cmp(&b.quality));
        people.extend(best.map(|face| (person.clone(), face.print)));
    }
    println!(
        "\n{right} of {counted} pictures have as many faces as people count; of {alone} pictures of one person \
         {} have a face that is seen clearly",
        people.len()
    );
    alike(&people);
    groups(all);
    let figures = Figures::of("the faces of photographs of 12 megapixels, loading too");
    let photographs = photographs(place.path());
    let costs: Vec<Cost> = (photographs.iter())
        .map(|file| find(place.path(), file).0)
        .collect();
    let mean = costs.iter().map(|cost| cost.cpu_s).sum::<f64>() / costs.len() as f64;
    figures.at_most("CPU time of one, mean", mean, CPU_S, "s");
    let worst = costs.iter().map(|cost| cost.cpu_s).fold(0.0, f64::max);
    figures.at_most("CPU time of the worst", worst, CPU_S, "s");
    let most_mb = costs.iter().map(|cost| cost.memory_mb).fold(0.0, f64::max);
    figures.at_most("the most memory resident", most_mb, MEMORY_MB, "MB");
}

/// How often two faces are rightly taken for one person's, by how alike they are.
fn alike(people: &[(String, Faceprint)]) {
    let (mut same, mut others) = (Vec::new(), Vec::new());
    for (at, (a, face)) in people.iter().enumerate() {
        for (b, second) in &people[at + 1..] {
            let like = same_face(face, second);
            if a == b { &mut same } else { &mut others }.push(like);
        }
    }
    let figures = Figures::titled(
        &format!(
            "pairs of faces taken for one person's, {} of one and {} of two",
            same.len(),
            others.len()
        ),
        &["precision", "limit", "recall"],
    );
    for from in [0.3, 0.35, 0.4, SAME_FACE, 0.5, 0.55, 0.6] {
        let taken = |likes: &[f32]| likes.iter().filter(|like| **like >= from).count();
        let (right, wrong) = (taken(&same), taken(&others));
        let share = |of: usize, all: usize| of as f64 / all.max(1) as f64;
        let percent = |share: f64| format!("{:.1} %", share * 100.0);
        let precision = share(right, right + wrong);
        let is_shipped = (from - SAME_FACE).abs() < f32::EPSILON;
        let limit = match is_shipped {
            true => percent(PRECISION),
            false => String::new(),
        };
        let cells = [percent(precision), limit, percent(share(right, same.len()))];
        figures.row(
            &format!("from {from:.2}"),
            &cells.each_ref().map(String::as_str),
            is_shipped && right > 0 && precision < PRECISION,
        );
    }
}

/// A face that nobody said anything of.
fn gathered(number: usize, picture: usize, face: &Face) -> Gathered {
    Gathered {
        id: FaceId::from_parts(number as u64, [0; 10]),
        asset: AssetId::from_parts(picture as u64, [0; 10]),
        moments: Vec::new(),
        group: None,
        quality: face.quality,
        word: FaceWord::default(),
    }
}

/// How pure the groups are that faces are put into, and how many of those that belong together are. All faces of all
/// pictures are gathered; those count of whom it is known who they are.
fn groups(mut all: Vec<(Gathered, Faceprint, Option<String>)>) {
    let prints: HashMap<FaceId, Faceprint> =
        (all.iter().map(|(face, print, _)| (face.id, print.clone()))).collect();
    let faces: Vec<Gathered> = all.iter().map(|(face, ..)| face.clone()).collect();
    let group_of = gather(&faces, |face| prints.get(&face));
    all.retain(|(face, _, person)| person.is_some() && face.quality >= CLEAR);
    let mut groups: HashMap<FaceId, HashMap<&str, u64>> = HashMap::new();
    let mut people: HashMap<&str, u64> = HashMap::new();
    for (face, _, person) in &all {
        let person = person.as_deref().unwrap();
        let group = groups.entry(group_of[&face.id]).or_default();
        *group.entry(person).or_default() += 1;
        *people.entry(person).or_default() += 1;
    }
    let pairs = |count: &u64| count * (count - 1) / 2;
    let most = groups.values().map(|group| group.values().max().unwrap());
    let purity = most.sum::<u64>() as f64 / all.len().max(1) as f64;
    let together: u64 = groups
        .values()
        .flat_map(|group| group.values())
        .map(pairs)
        .sum();
    let recall = together as f64 / people.values().map(pairs).sum::<u64>().max(1) as f64;
    let title = format!(
        "{} faces put into groups, {} of {} known people into {}",
        faces.len(),
        all.len(),
        people.len(),
        groups.len()
    );
    let figures = Figures::of(&title);
    figures.at_least("pure", purity * 100.0, PURITY * 100.0, "%");
    figures.plain(
        "pairs of one person that are together",
        &format!("{:.1} %", recall * 100.0),
    );
}

/// The pictures of `--data`, else the one that comes with Heirloom.
fn known(options: &Options) -> Vec<Known> {
    let Some(folder) = &options.data else {
        return vec![Known {
            file: media::repository().join("testdata/faces/astronaut.jpg"),
            person: Some("Eileen Collins".to_owned()),
            count: Some(1),
        }];
    };
    let manifest = fs::read(folder.join("manifest.json")).unwrap();
    let manifest: Json = serde_json::from_slice(&manifest).unwrap();
    let files = manifest["files"].as_array().unwrap().iter();
    let faces = files.filter(|file| file["kind"] == "faces");
    let known = faces.map(|file| {
        let person = match file["truth"]["persons"].as_array().map(Vec::as_slice) {
            Some([person]) => person.as_str().map(str::to_owned),
            _ => None,
        };
        Known {
            file: folder.join(file["file"].as_str().unwrap()),
            person,
            count: file["truth"]["face_count"].as_u64(),
        }
    });
    known.collect()
}

/// The faces of a picture, and what it took to find them.
fn find(place: &Path, file: &Path) -> (Cost, Vec<Face>) {
    let program = std::env::current_exe().unwrap().with_file_name("heirloom");
    let heirloom = Heirloom::new(program)
        .data(place.join("data"))
        .env("HEIRLOOM_MODELS", models::folder().to_str().unwrap());
    let cost = measured(heirloom.command(["--json", "faces", file.to_str().unwrap()]));
    let seen: Seen = serde_json::from_str(&cost.output).unwrap();
    (cost, seen.faces.faces)
}
