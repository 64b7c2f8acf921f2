//! Services elsewhere read, where somebody chose that: with the real program, over real HTTP.

use std::fs;

use heirloom_testing::transcriber::{Fault, Transcriber};
use serde_json::{Value as Json, json};

use super::{FIRST_PAGE, THREE_PAGES, WITH_TEXT, sample};
use crate::harness::{Home, path};

const PAGE: &str = "Dear Anna,\nwe have arrived in Trieste.\n\nYour Karl\n";

/// A library whose configuration declares two services that read, and has this order. It has no models.
fn home(reader: &Transcriber, order: &str) -> Home {
    let mut home = Home::new();
    fs::create_dir_all(home.data()).unwrap();
    let key = home.folder.path().join("reader.key");
    fs::write(&key, format!("{}\n", Transcriber::KEY)).unwrap();
    let (api, model) = (reader.api(), Transcriber::VISION_MODEL);
    let config = format!(
        "reading = {order}\n\n[[reading_services]]\nname = \"olmocr\"\naddress = \"{api}\"\nmodel = \"{model}\"\n\
         key_file = {key:?}\n\n[[reading_services]]\nname = \"google\"\nkind = \"google-vision\"\naddress = \"{api}\"\n\
         key_file = {key:?}\nlanguages = [\"en\", \"de\"]\n"
    );
    fs::write(home.data().join("config.toml"), config).unwrap();
    let models = home.folder.path().join("models");
    home.heirloom = home.heirloom.env("HEIRLOOM_MODELS", path(&models));
    home
}

#[test]
fn a_service_reads_pages_and_it_is_told_where_they_go() {
    let reader = Transcriber::start();
    let home = home(&reader, "[\"local\"]");
    let page = sample(FIRST_PAGE);
    for (name, model, confidence) in [
        ("olmocr", "olmocr:olmOCR-2-7B", 0.75),
        ("google", "google:builtin/stable", 0.97),
    ] {
        let asked = ["read", path(&page), "--provider", name];
        let finished = home.heirloom.run(asked).expect_code(0);
        assert_eq!(finished.stdout, PAGE);
        let told = format!(
            "the page goes to {} and stays on this machine",
            reader.api()
        );
        assert!(finished.stderr.contains(&told), "{}", finished.stderr);
        let read = home.json(asked);
        assert_eq!(
            (&read["method"], &read["model"]),
            (&json!(name), &json!(model))
        );
        assert!(
            (read["confidence"].as_f64().unwrap() - confidence).abs() < 1e-3,
            "{read}"
        );
        // Who says where something is is believed, and nothing is made up for who does not.
        let line = &read["pages"][0]["blocks"][0]["lines"][1];
        assert_eq!(line["corners"].is_array(), name == "google", "{line}");
    }
    let languages = reader.asked().last().unwrap().json["requests"][0]["imageContext"].clone();
    assert_eq!(languages["languageHints"], json!(["en", "de"]));

    // Page after page; and a document that says itself what stands in it is sent to nobody.
    let before = reader.asked().len();
    let tiff = home.json(["read", path(&sample(THREE_PAGES)), "--provider", "olmocr"]);
    let numbers: Vec<&Json> = tiff["pages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|page| &page["page"])
        .collect();
    assert_eq!(numbers, [1, 2, 3]);
    assert_eq!(reader.asked().len(), before + 3);
    let layer = home.json(["read", path(&sample(WITH_TEXT)), "--provider", "olmocr"]);
    assert_eq!(layer["method"], "layer");
    // It is not in the order: nobody else sends it anything.
    let refused = home.refused(["read", path(&page)]);
    assert!(refused.contains("heirloom models pull"), "{refused}");
    for nobody in ["nobody", "metadata"] {
        let refused = home.refused(["read", path(&page), "--provider", nobody]);
        assert!(
            refused.contains("There is: local, olmocr, google."),
            "{refused}"
        );
    }
    assert_eq!(reader.asked().len(), before + 3);
}

#[test]
fn a_service_that_refuses_is_said_without_its_key() {
    let reader = Transcriber::start();
    let home = home(&reader, "[\"olmocr\"]");
    let page = sample(FIRST_PAGE);
    fs::write(home.folder.path().join("reader.key"), "sk-somebody-elses").unwrap();
    for (name, why) in [
        (
            "olmocr",
            "does not accept the key: Incorrect API key provided. (401)",
        ),
        (
            "google",
            "does not accept the key: The request is missing a valid API key. (403)",
        ),
    ] {
        let asked = ["read", path(&page), "--provider", name];
        let said = home.heirloom.run(asked).expect_code(2).stderr;
        assert!(said.contains(why), "{said}");
        assert!(!said.contains("somebody-elses"), "{said}");
    }
    let shown = home.done(["config", "show"]).stdout;
    assert!(
        shown.contains("key ***: the page stays on this machine"),
        "{shown}"
    );
    assert!(!shown.contains("somebody-elses"), "{shown}");
}

#[test]
fn a_library_is_read_by_the_first_who_can() {
    let reader = Transcriber::start();
    let home = home(&reader, "[\"google\", \"olmocr\"]");
    let root = home.folder.path().join("Letters");
    fs::create_dir_all(&root).unwrap();
    fs::copy(sample(FIRST_PAGE), root.join("page.jpg")).unwrap();
    // The first of them answers nonsense, and the second is asked.
    reader.fail([Fault::Says("{\"responses\": \"none\"}".to_owned())]);
    home.done(["scan", path(&root)]);
    let found = home.json(["search", "Trieste"]);
    let asset = found["items"][0]["id"].as_str().unwrap().to_owned();
    let artifacts = home.json(["artifact", "list", &asset])["items"].clone();
    let mut artifacts = artifacts.as_array().unwrap().iter();
    let reading = artifacts.find(|it| it["kind"] == "reading").unwrap();
    assert_eq!(reading["payload"]["method"], "olmocr");
    let shown = home.done(["asset", "reading", &asset]).stdout;
    assert!(shown.contains("we have arrived in Trieste."), "{shown}");
    let paths: Vec<String> = reader.asked().into_iter().map(|asked| asked.path).collect();
    assert_eq!(paths, ["/v1/images:annotate", "/v1/chat/completions"]);
    let doctor = home.heirloom.run(["doctor"]).stdout;
    assert!(
        doctor.contains("(the page stays on this machine)"),
        "{doctor}"
    );
}
