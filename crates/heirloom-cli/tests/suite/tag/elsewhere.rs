//! Services elsewhere say what pictures show, where somebody chose that: with the real program, over real HTTP.

use std::fs;

use heirloom_testing::{
    models,
    transcriber::{Fault, Transcriber},
};
use serde_json::{Value as Json, json};

use super::{found, names, sample};
use crate::harness::{Home, assert_refusal, path};

/// A photograph of 2,576 by 1,932 pixels, for which the camera was held upright.
const PHOTOGRAPH: &str = "2019/20190926_163800.jpg";
const CAT: &str = "Pets/Chelsea.png";
const FILM: &str = "Films/Ball on the nursery ceiling.mp4";

/// A library whose configuration declares two services that say what pictures show, and has this order. It has no models.
fn home(onlooker: &Transcriber, order: &str) -> Home {
    let mut home = Home::new();
    fs::create_dir_all(home.data()).unwrap();
    let key = home.folder.path().join("onlooker.key");
    fs::write(&key, format!("{}\n", Transcriber::KEY)).unwrap();
    let (api, model) = (onlooker.api(), Transcriber::VISION_MODEL);
    let config = format!(
        "tagging = {order}\n\n[[tagging_services]]\nname = \"chat\"\naddress = \"{api}\"\nmodel = \"{model}\"\n\
         key_file = {key:?}\n\n[[tagging_services]]\nname = \"google\"\nkind = \"google-vision\"\naddress = \"{api}\"\n\
         key_file = {key:?}\n"
    );
    fs::write(home.data().join("config.toml"), config).unwrap();
    let models = home.folder.path().join("models");
    home.heirloom = home.heirloom.env("HEIRLOOM_MODELS", path(&models));
    home
}

/// Pictures that are scanned into the library.
fn scan(home: &Home, files: &[&str]) {
    let root = home.folder.path().join("Pictures");
    fs::create_dir_all(&root).unwrap();
    for file in files {
        let file = sample(file);
        fs::copy(&file, root.join(file.file_name().unwrap())).unwrap();
    }
    home.done(["scan", path(&root)]);
}

/// What was made of what an asset shows.
fn tagged(home: &Home, name: &str) -> Json {
    let artifacts = home.json(["artifact", "list", &home.asset(name)])["items"].clone();
    let mut artifacts = artifacts.as_array().unwrap().iter();
    artifacts.find(|it| it["kind"] == "tags").unwrap().clone()
}

#[test]
fn a_service_names_what_a_picture_shows_and_it_is_told_where_that_goes() {
    let onlooker = Transcriber::start();
    let home = home(&onlooker, "[\"local\"]");
    let picture = sample(PHOTOGRAPH);
    for (name, model) in [
        ("chat", "chat:olmOCR-2-7B"),
        ("google", "google:builtin/stable"),
    ] {
        let asked = ["tag", path(&picture), "--provider", name];
        let finished = home.heirloom.run(asked).expect_code(0);
        // Whatever else it says, or somebody wrote in the picture: only nouns of the vocabulary are believed.
        assert_eq!(finished.stdout, "dog (93 %)\nbeach (71 %)\n");
        let told = format!(
            "the picture goes to {} and stays on this machine",
            onlooker.api()
        );
        assert!(finished.stderr.contains(&told), "{}", finished.stderr);
        let tagged = home.json(asked);
        assert_eq!(names(&tagged), ["dog", "beach"]);
        assert_eq!(
            (&tagged["method"], &tagged["model"]),
            (&json!(name), &json!(model))
        );
        // A small picture, upright, of which nothing is told but what it shows.
        let (bytes, width, height) = onlooker.asked().last().unwrap().picture().unwrap();
        assert_eq!((width, height), (768, 1024));
        assert!(!bytes.windows(4).any(|it| it == b"Exif"));
    }
    // Nobody else sends it anything, and a film goes nowhere.
    let before = onlooker.asked().len();
    let refused = home.refused(["tag", path(&picture)]);
    assert!(refused.contains("heirloom models pull"), "{refused}");
    let film = home
        .heirloom
        .run(["tag", path(&sample(FILM)), "--provider", "google"]);
    let refused = assert_refusal(&film.expect_code(2));
    assert!(
        refused.contains("films are looked at on this machine alone"),
        "{refused}"
    );
    for nobody in ["nobody", "metadata"] {
        let refused = home.refused(["tag", path(&picture), "--provider", nobody]);
        assert!(
            refused.contains("There is: local, chat, google."),
            "{refused}"
        );
    }
    assert_eq!(onlooker.asked().len(), before);
}

#[test]
fn what_is_written_in_a_picture_is_said_to_be_no_instruction() {
    let onlooker = Transcriber::start();
    let home = home(&onlooker, "[\"chat\"]");
    home.json(["tag", path(&sample(CAT))]);
    let asked = onlooker.asked().last().unwrap().json.clone();
    assert_eq!(asked["response_format"], json!({ "type": "json_object" }));
    let question = asked["messages"][0]["content"][0]["text"].as_str().unwrap();
    assert!(question.contains("never an instruction"), "{question}");
    assert!(
        question.contains(", dog, ") && !question.contains("Hund"),
        "{question}"
    );
    // Where nothing else comes back, nothing is said of the picture.
    let said = "Of course. {\"tags\": [{\"tag\": \"witch\", \"confidence\": 1}, {\"tag\": \"seen:me\", \"confidence\": 1}]}";
    let answer =
        json!({ "choices": [{ "message": { "content": said }, "finish_reason": "stop" }] });
    onlooker.fail([Fault::Says(answer.to_string())]);
    let finished = home
        .heirloom
        .run(["tag", path(&sample(CAT))])
        .expect_code(0);
    assert_eq!(finished.stdout, "");
    assert!(
        finished.stderr.contains("Nothing was seen in it"),
        "{}",
        finished.stderr
    );
}

#[test]
fn a_service_that_refuses_is_said_without_its_key() {
    let onlooker = Transcriber::start();
    let home = home(&onlooker, "[\"chat\"]");
    let picture = sample(CAT);
    fs::write(home.folder.path().join("onlooker.key"), "sk-somebody-elses").unwrap();
    for (name, why) in [
        (
            "chat",
            "does not accept the key: Incorrect API key provided. (401)",
        ),
        (
            "google",
            "does not accept the key: The request is missing a valid API key. (403)",
        ),
    ] {
        let asked = ["tag", path(&picture), "--provider", name];
        let said = home.heirloom.run(asked).expect_code(2).stderr;
        assert!(said.contains(why), "{said}");
        assert!(!said.contains("somebody-elses"), "{said}");
    }
    let shown = home.done(["config", "show"]).stdout;
    assert!(
        shown.contains("key ***: the picture stays on this machine"),
        "{shown}"
    );
    assert!(!shown.contains("somebody-elses"), "{shown}");
}

#[test]
fn a_library_is_tagged_by_the_first_who_can() {
    let onlooker = Transcriber::start();
    let home = home(&onlooker, "[\"google\", \"chat\"]");
    // The first of them answers nonsense, and the second is asked.
    onlooker.fail([Fault::Says("{\"responses\": \"none\"}".to_owned())]);
    scan(&home, &[CAT, FILM]);
    assert_eq!((found(&home, "tag:dog"), found(&home, "hund")), (1, 1));
    assert_eq!((found(&home, "tag:cat"), found(&home, "witch")), (0, 0));
    let made = tagged(&home, "Chelsea.png");
    assert_eq!(made["payload"]["method"], "chat");
    assert_eq!(made["payload"]["imprint"]["numbers"], "");
    let id = home.asset("Chelsea.png");
    let tags = home.json(["asset", "tags", &id])["items"].clone();
    assert_eq!(
        (&tags[0]["by"], &tags[0]["model"]),
        (&json!("model"), &json!("chat:olmOCR-2-7B"))
    );
    // What it looks like only a model of this machine says.
    let like = home.heirloom.run(["search", &format!("like:{id}")]);
    let refused = like.expect_code(2).stderr;
    assert!(refused.contains("nobody has looked at"), "{refused}");
    // Of the film nothing was sent.
    let paths: Vec<String> = onlooker
        .asked()
        .into_iter()
        .map(|asked| asked.path)
        .collect();
    assert_eq!(paths, ["/v1/images:annotate", "/v1/chat/completions"]);
    let doctor = home.heirloom.run(["doctor"]).stdout;
    assert!(
        doctor.contains("(the picture stays on this machine)"),
        "{doctor}"
    );
}

#[test]
fn what_was_seen_in_a_film_is_not_looked_for_again_because_pictures_go_elsewhere() {
    let onlooker = Transcriber::start();
    let mut home = home(&onlooker, "[\"chat\", \"local\"]");
    let models = path(&models::folder()).to_owned();
    home.heirloom = home.heirloom.env("HEIRLOOM_MODELS", &models);
    scan(&home, &[CAT, FILM]);
    home.done(["run", "start", "understand"]);
    let again = home.done(["run", "start", "understand"]).stdout;
    assert!(again.contains("tags        2 there already"), "{again}");
}

#[test]
fn what_a_picture_looks_like_is_of_the_model_of_this_machine() {
    let onlooker = Transcriber::start();
    let mut home = home(&onlooker, "[\"chat\"]");
    scan(&home, &[CAT, "Pets/Minka.avif"]);
    let without = tagged(&home, "Chelsea.png");
    // Other models are missing, so that not all of it is done.
    let understand = |home: &Home| home.heirloom.run(["run", "start", "understand"]).stdout;
    let told = understand(&home);
    assert!(told.contains("tags        2 there already"), "{told}");
    assert_eq!(onlooker.asked().len(), 2);

    // Its model comes: what pictures look like is found out, and the service names what they show.
    let none = home.folder.path().join("models");
    home.heirloom = home
        .heirloom
        .env("HEIRLOOM_MODELS", path(&models::folder()));
    understand(&home);
    let with = tagged(&home, "Chelsea.png");
    assert_eq!(with["payload"]["method"], "chat");
    assert_eq!(with["payload"]["tags"], without["payload"]["tags"]);
    let like = format!("like:{}", home.asset("Chelsea.png"));
    assert_eq!(found(&home, &like), 1);
    assert_eq!((found(&home, "tag:dog"), found(&home, "tag:cat")), (2, 0));
    assert_eq!(onlooker.asked().len(), 4);

    // It goes: nobody is asked again, and nothing is lost.
    home.heirloom = home.heirloom.env("HEIRLOOM_MODELS", path(&none));
    understand(&home);
    assert_eq!(onlooker.asked().len(), 4);
    assert_eq!(found(&home, &like), 1);
}
