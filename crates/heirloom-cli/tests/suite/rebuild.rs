//! Making again what can be made again, with the real tools over the sample library.

use std::{
    fs,
    path::{Path, PathBuf},
};

use heirloom_testing::tree::files_below;
use serde_json::{Value as Json, json};

use crate::harness::{Home, path, redacted};

/// These of the library that is shipped as a sample, catalogued and prepared.
fn sampled(names: &[&str]) -> Home {
    let home = Home::new();
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/sample");
    let root = home.folder.path().join("Pictures");
    for name in names {
        let file = root.join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::copy(sample.join(name), file).unwrap();
    }
    home.done(["scan", path(&root)]);
    home
}

/// One of each kind: for every tool there is something to do.
const KINDS: [&str; 13] = [
    "1944 letters/1944-03-12 Anna to Karl.tif",
    "2002 Summer in Europe/Angel of the North.jpg",
    "2002 Summer in Europe/Angel of the North.xmp",
    "2013 Heather.webp",
    "2020/New York at night.heic",
    "Films/100_0306.AVI",
    "Films/Ball on the nursery ceiling.mp4",
    "From Google Photos/Photos from 2023/PXL_20230506_081500123.jpg",
    "From Google Photos/Photos from 2023/PXL_20230506_081500123.jpg.supplemental-metadata.json",
    "Papers/Contents of the family book.pdf",
    "Pets/Chelsea.png",
    "Voices/1961-01-20 Kennedy on the radio.mp3",
    "Voices/Abuela Carmen.ogg",
];

fn sum(run: &Json, of: &str) -> i64 {
    let steps = run["steps"].as_array().unwrap().iter();
    steps.map(|step| step[of].as_i64().unwrap()).sum()
}

fn artifacts(home: &Home, asset: &str) -> Json {
    home.json(["artifact", "list", asset])["items"].clone()
}

#[test]
fn everything_that_is_made_again_comes_out_the_same() {
    let home = sampled(&KINDS);
    let assets = home.json(["asset", "list", "--limit", "500"])["items"].clone();
    let assets: Vec<&str> = assets
        .as_array()
        .unwrap()
        .iter()
        .map(|asset| asset["id"].as_str().unwrap())
        .collect();
    let made = || -> Vec<Json> { assets.iter().map(|id| artifacts(&home, id)).collect() };
    let before = made();
    let forecast = home.json(["rebuild", "--dry-run"]);
    let present = sum(&forecast, "present");
    assert!(present > 30, "{forecast}");
    assert_eq!(sum(&forecast, "stale"), 0, "{forecast}");

    let rebuilt = home.heirloom.run(["rebuild", "--json"]).json();
    let run = &rebuilt["run"];
    assert_eq!(run["state"], "done", "{rebuilt}");
    assert_eq!(sum(run, "changed"), 0, "{}", changed(&home, run));
    assert_eq!(sum(run, "done"), present, "{run}");
    assert_eq!(rebuilt["index"]["was_the_same"], true, "{rebuilt}");
    assert_eq!(made(), before, "ids, runs and times too");
}

fn changed(home: &Home, run: &Json) -> Json {
    home.json(["run", "changed", run["id"].as_str().unwrap()])
}

#[test]
fn what_was_lost_is_made_again() {
    let home = Home::scanned();
    let asset = home.asset("Strand.jpg");
    let kinds = artifacts(&home, &asset);
    let hash_of = |kind: &str| {
        let found = kinds
            .as_array()
            .unwrap()
            .iter()
            .find(|made| made["kind"] == kind);
        found.unwrap()["blob_hash"].as_str().unwrap().to_owned()
    };
    let grid = hash_of("grid");
    let blob: Vec<PathBuf> = files_below(&home.data().join("blobs"))
        .into_iter()
        .filter(|file| file.to_str().unwrap().contains(&grid[..16]))
        .collect();
    assert_eq!(blob.len(), 1, "{grid}");
    let bytes = fs::read(&blob[0]).unwrap();
    fs::remove_file(&blob[0]).unwrap();

    let fault = home.heirloom.run(["fsck", "--repair"]).expect_code(1);
    let (_, way_out) = fault.stdout.split_once("`heirloom rebuild ").unwrap();
    let (whose, _) = way_out.split_once("` makes it again.").unwrap();
    let run = home.json(["rebuild", whose])["run"].clone();
    assert_eq!(
        (run["assets"].clone(), sum(&run, "changed")),
        (json!(1), 0),
        "{run}"
    );
    assert_eq!(fs::read(&blob[0]).unwrap(), bytes);
    home.done(["fsck"]);
}

#[test]
fn how_it_came_about_is_told_of_an_artifact_and_of_an_original_with_all_that_was_made_of_it() {
    let home = Home::scanned();
    let asset = home.asset("Strand.jpg");
    let all = home.json(["lineage", &asset])["items"].clone();
    let all = all.as_array().unwrap();
    assert_eq!(
        all.len(),
        artifacts(&home, &asset).as_array().unwrap().len()
    );
    let grid = all
        .iter()
        .find(|made| made["artifact"]["kind"] == "grid")
        .unwrap();
    let id = grid["artifact"]["id"].as_str().unwrap();
    assert_eq!(home.json(["lineage", id]), *grid);
    assert_eq!(grid["inputs"][0]["source"], "original");
    let words = home.done(["lineage", &asset]).stdout;
    assert!(words.contains("grid of Strand.jpg"), "{words}");
    assert!(words.contains("it states: date 1974"), "{words}");
    let said = home.refused(["lineage", "01a202e4-df0f-74f0-b989-960bb3f71c37"]);
    assert!(
        said.contains("there is no artifact and no original"),
        "{said}"
    );
}

#[test]
fn what_is_asked_of_a_tool_is_foreseen_made_and_explained() {
    // Its pictures are encoded as no browser plays them.
    let home = sampled(&["Films/100_0306.AVI"]);
    let film = home.asset("100_0306.AVI");
    let asked = "playback.short_side_px=144";
    let start = [
        "run", "start", "prepare", "--asset", &film, "--param", asked,
    ];
    let forecast = home.json(start.into_iter().chain(["--dry-run"]));
    assert_eq!(
        (sum(&forecast, "stale"), sum(&forecast, "missing")),
        (1, 0),
        "{forecast}"
    );
    let run = home.json(start.into_iter().chain(["--wait"]));
    assert_eq!(
        (&run["state"], sum(&run, "done")),
        (&json!("done"), 1),
        "{run}"
    );
    assert_eq!(
        run["parameters"]["tools"],
        json!({ "playback": { "short_side_px": 144 } })
    );
    let made = artifacts(&home, &film);
    let proxies: Vec<&Json> = made
        .as_array()
        .unwrap()
        .iter()
        .filter(|made| made["kind"] == "proxy")
        .collect();
    assert_eq!(proxies.len(), 2, "one as always and one as asked");
    let small = proxies
        .iter()
        .find(|proxy| proxy["parameters"] == json!({ "short_side_px": 144 }))
        .unwrap();
    let file = home.folder.path().join("small.mp4");
    home.done([
        "artifact",
        "export",
        small["id"].as_str().unwrap(),
        path(&file),
    ]);
    let (width, height) = size_of(&file);
    assert_eq!(width.min(height), 144);
    let run = home.json(start.into_iter().chain(["--wait"]));
    assert_eq!(sum(&run, "done"), 0, "the same is not made twice");
}

/// The size of a film's pictures, as FFmpeg sees it.
fn size_of(film: &Path) -> (u32, u32) {
    let entries = ["-show_entries", "stream=width,height", "-of", "csv=p=0"];
    let output = std::process::Command::new("ffprobe")
        .args(["-v", "error", "-select_streams", "v:0"])
        .args(entries)
        .arg(film)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let (width, height) = text.trim().split_once(',').unwrap();
    (width.parse().unwrap(), height.parse().unwrap())
}

#[test]
fn what_became_of_each_original_in_a_run_is_told() {
    let home = Home::new();
    let root = home.pictures();
    fs::write(
        root.join("broken.jpg"),
        b"\xff\xd8\xff\xe0 and then nothing",
    )
    .unwrap();
    let scan = home.heirloom.run(["scan", path(&root)]).expect_code(1);
    drop(scan);
    let run = home.json(["run", "list", "--limit", "1"])["items"][0].clone();
    let run = run["id"].as_str().unwrap();
    let of = |arguments: &[&str]| -> Vec<Json> {
        let list = home.json(["run", "units", run].iter().chain(arguments).copied());
        list["items"].as_array().unwrap().clone()
    };
    let failed = of(&["--state", "failed"]);
    let names: Vec<&Json> = failed.iter().map(|unit| &unit["asset_name"]).collect();
    assert_eq!(names, ["broken.jpg"]);
    let all = of(&[]);
    assert!(all.len() > failed.len());
    for unit in all {
        let id = unit["id"].as_str().unwrap();
        assert_eq!(home.json(["run", "unit", id]), unit);
        assert!(unit["duration_ms"].is_i64(), "{unit}");
    }
    let said = home
        .done(["run", "unit", failed[0]["id"].as_str().unwrap()])
        .stdout;
    for words in ["renditions", "broken.jpg", "failed", "because"] {
        assert!(said.contains(words), "{said}");
    }
    let said = home.refused(["run", "units", run, "--state", "tired"]);
    assert!(said.contains("pending, running, done"), "{said}");
}

#[test]
fn what_cannot_be_asked_is_refused() {
    let home = Home::scanned();
    let ask = |param: &str| home.refused(["run", "start", "prepare", "--param", param]);
    for (param, words) in [
        ("playback", "STEP.NAME=VALUE"),
        ("playback.tempo=1", "playback has no parameter \"tempo\""),
        ("dance.tempo=1", "prepare has no step \"dance\""),
        (
            "playback.short_side_px=9",
            "a whole number from 144 to 2160, and not 9",
        ),
        ("playback.short_side_px=high", "and not \"high\""),
    ] {
        let said = ask(param);
        assert!(said.contains(words), "{param}: {said}");
    }
    let said = home.refused(["pipeline", "show", "dreams"]);
    assert!(said.contains("heirloom pipeline list"), "{said}");
}

#[test]
fn what_rebuilds_and_pipelines_say_is_stable() {
    let home = Home::scanned();
    redacted(|| {
        insta::assert_snapshot!(home.done(["pipeline", "list"]).stdout);
        insta::assert_snapshot!(home.done(["pipeline", "show", "prepare"]).stdout);
        insta::assert_snapshot!(home.done(["rebuild", "--dry-run"]).stdout);
        insta::assert_snapshot!(home.done(["rebuild"]).stdout);
        insta::assert_snapshot!(home.done(["rebuild", "--index"]).stdout);
        for asked in [
            &["pipeline", "show", "rebuild"][..],
            &["rebuild", "--dry-run"],
            &["rebuild"],
        ] {
            let value = home.json(asked.iter().copied());
            insta::assert_snapshot!(serde_json::to_string_pretty(&value).unwrap());
        }
    });
}
