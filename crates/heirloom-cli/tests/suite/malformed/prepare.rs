//! Files that are broken on purpose, prepared: each piece of work ends, what is readable is shown, and
//! what failed says why as one says it to a family.

use std::{collections::BTreeMap, fs};

use heirloom_testing::{TreeSnapshot, http, jpeg, media::malformed, process::free_address};
use serde_json::Value as Json;

use super::{Met, ensure};
use crate::harness::{path, program, read_trace, strace};

/// Broken files of which there is something to be seen all the same.
const SALVAGED: [&str; 15] = [
    "ian_image01088.jpg",
    "ian_image01137.jpg",
    "ian_image01980.jpg",
    "ian_image02206.jpg",
    "pil_exif-dpi-zerodivision.jpg",
    "pil_exif_typeerror.jpg",
    "pil_hopper_zero_comment_subblocks.gif",
    "pil_invalid-exif-without-x-resolution.jpg",
    "pil_mmap_error.bmp",
    "pil_sugarshack_bad_mpo_header.jpg",
    "pil_truncated_app14.jpg",
    "pil_truncated_end_chunk.png",
    "pil_truncated_exif_dpi.jpg",
    "pil_zero_dpi.jp2",
    "polyglot.jpg",
];

/// Words that no reason has: those of programs, of programmers, and of this machine.
const NO_PERSONS_WORDS: [&str; 16] = [
    "/",
    "::",
    "Err(",
    "Error",
    "error",
    "panic",
    "unwrap",
    "os error",
    "0x",
    "null",
    "None",
    "invalid bitstream",
    "ffmpeg",
    "libjpeg",
    "TurboJPEG",
    "heifer",
];

#[test]
fn every_malformed_file_is_prepared_as_far_as_it_can_be() {
    let files = malformed();
    let place = tempfile::tempdir().unwrap();
    let place = place.path().canonicalize().unwrap();
    let (root, data) = (place.join("library"), place.join("data"));
    fs::create_dir(&root).unwrap();
    for (seed, file) in (0..).zip(&files) {
        fs::copy(&file.path, root.join(&file.name)).unwrap();
        // Nobody else is to suffer.
        let photograph = jpeg::tiny(seed, &jpeg::Options::varied(seed));
        fs::write(root.join(format!("well {seed}.jpg")), photograph).unwrap();
    }
    let before = TreeSnapshot::of(&root);
    let heirloom = program().data(&data);
    let _ = heirloom
        .run(["scan", "--no-process", path(&root)])
        .expect_code(0);
    let trace = place.join("trace");
    let traced = heirloom.clone().behind(strace("%process", &trace));
    let run = traced.run(["run", "start", "prepare", "--json"]);
    // Some failed, and that is said.
    let run = run.expect_code(1).json();
    let trace = read_trace(&trace);
    let started = trace.matches(" execve(").count();
    assert!(started > 10, "whoever it started was seen: {started}");
    assert_eq!(run["state"], "done", "{run}");
    before.assert_same(&TreeSnapshot::of(&root));

    let address = free_address();
    let mut server = heirloom.start(["serve", "--listen", &address.to_string()]);
    server.wait_until_ready(address);
    let json = |path: &str| -> Json {
        let answer = http::get(address, path, &[]);
        assert_eq!(answer.status, 200, "{path}: {}", answer.head);
        serde_json::from_slice(&answer.body).unwrap()
    };
    let page = format!(
        "/api/v1/runs/{}/units?limit=500",
        run["id"].as_str().unwrap()
    );
    let page = json(&page);
    assert!(page["next"].is_null(), "one page has them all");
    let mut units: BTreeMap<&str, Vec<&Json>> = BTreeMap::new();
    for unit in page["items"].as_array().unwrap() {
        let name = unit["asset_name"].as_str().unwrap();
        units.entry(name).or_default().push(unit);
    }
    let mut unmet = Vec::new();
    for (name, units) in &units {
        let met = units.iter().try_for_each(|unit| has_ended(name, unit));
        if let Err(complaint) = met {
            unmet.push(format!("{name}: {complaint}"));
        }
    }
    for file in &files {
        let units = units.get(&*file.name).map_or(&[][..], Vec::as_slice);
        let expect = file.entry["expect"].as_str().unwrap();
        let is_seen = |unit: &&Json| {
            let path = format!(
                "/api/v1/assets/{}/renditions/grid",
                unit["asset_id"].as_str().unwrap()
            );
            http::get(address, &path, &[]).status == 200
        };
        if let Err(complaint) = meets(expect, units) {
            unmet.push(format!("{}: {complaint}", file.name));
        }
        if SALVAGED.contains(&&*file.name) && !units.iter().any(is_seen) {
            unmet.push(format!("{}: nothing is to be seen of it", file.name));
        }
    }
    let _ = server.stop().expect_code(0);
    assert!(unmet.is_empty(), "not as expected:\n{}", unmet.join("\n"));
}

/// What holds of every unit: it has ended, and says why where it made nothing.
fn has_ended(name: &str, unit: &Json) -> Met {
    let state = unit["state"].as_str().unwrap();
    ensure(["done", "skipped", "failed"].contains(&state), unit)?;
    ensure(
        !name.starts_with("well ") || (state == "done" && unit["attempts"] == 1),
        format!("a sound picture was disturbed: {unit}"),
    )?;
    let code = unit["failure_code"].as_str();
    ensure(
        code.is_some_and(|code| code != "other") == (state == "failed"),
        format!("what fails says why as a word, and nothing else does: {unit}"),
    )?;
    if state == "done" {
        return Ok(());
    }
    let has_log = unit["log"].as_str().is_some_and(|log| !log.is_empty());
    ensure(
        has_log || !matches!(code, Some("damaged" | "unsupported")),
        format!("what the decoder said was not kept: {unit}"),
    )?;
    let reason = unit["error"].as_str().unwrap_or_default();
    let is_sentence = reason.starts_with(|letter: char| letter.is_uppercase())
        && reason.ends_with('.')
        && reason.split(' ').count() >= 4;
    ensure(is_sentence, format!("no sentence: {reason:?}"))?;
    let strange = NO_PERSONS_WORDS.iter().find(|word| reason.contains(*word));
    ensure(
        strange.is_none(),
        format!("no person's word {strange:?}: {reason}"),
    )
}

/// What is expected of a file's units in particular.
fn meets(expect: &str, units: &[&Json]) -> Met {
    let failed = || units.iter().filter(|unit| unit["state"] == "failed");
    match expect {
        "rejected before allocation" => {
            ensure(failed().count() > 0, "it is not refused")?;
            for unit in failed() {
                let is_by_size = unit["error"].as_str().unwrap().contains("pixels large");
                ensure(is_by_size && unit["attempts"] == 1, unit)?;
            }
            Ok(())
        }
        // Damage that shows fails, or what could be made of it says that it is not all.
        "import fails cleanly or marks damaged" | "bounded memory/time" => {
            for unit in failed() {
                ensure(unit["is_permanent"] == true && unit["attempts"] == 1, unit)?;
            }
            Ok(())
        }
        "treated as image only" => {
            let steps: Vec<&str> = units
                .iter()
                .filter_map(|unit| unit["step"].as_str())
                .collect();
            // It says where it was taken, too.
            ensure(steps == ["renditions", "place"], format!("{steps:?}"))?;
            ensure(failed().count() == 0, "it is a picture")
        }
        // Nothing that is in them runs; what a document shows may be made or not.
        "served inert (CSP/attachment/sanitised)"
        | "JS never executed; text/thumbnail may be made"
        | "clean message; no crash"
        | "no crash, no hang; reject or store without derived data"
        | "no expansion, no file or network read"
        | "no file outside target folder" => Ok(()),
        unknown => Err(format!("no test shows {unknown:?}")),
    }
}
