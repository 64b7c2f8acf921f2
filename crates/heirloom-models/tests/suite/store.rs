//! What the store says of models, and does with files that people have.

use std::{collections::BTreeMap, fs};

use heirloom_models::{Ability, Model, ModelError, ModelState, NewFile, NewModel, Source, Store};
use heirloom_testing::files::Manners;
use tokio_util::sync::CancellationToken;

use crate::harness::{Home, new_model, sha256};

fn check(store: &Store) -> Vec<heirloom_models::Fault> {
    store
        .check("mine", &CancellationToken::new(), &|_| {})
        .unwrap()
}

#[test]
fn without_a_folder_every_model_is_missing_and_nothing_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().join("models"));
    let (models, wrong) = store.list();
    assert!(models.len() > 10 && wrong.is_empty(), "{wrong:?}");
    assert!(
        models
            .iter()
            .all(|model| store.state(model) == ModelState::Missing)
    );
    let speech = store.default_for(Ability::Speech).unwrap();
    let why = store.files(&speech.id).unwrap_err();
    assert!(matches!(why, ModelError::Missing { .. }), "{why}");
    assert!(
        why.to_string()
            .contains(&format!("heirloom models pull {}", speech.id)),
        "{why}"
    );
    assert!(store.default_for(Ability::Language).is_none());
    assert!(matches!(
        store.files("nobody"),
        Err(ModelError::Unknown { .. })
    ));
    store.remove(&speech.id).unwrap();
    assert!(!store.folder().exists());
}

#[tokio::test]
async fn a_check_finds_what_rotted_and_a_pull_makes_it_good() {
    let home = Home::with(Manners::Good);
    home.pull().await.unwrap();
    assert_eq!(check(&home.store), []);

    let mut rotten = home.bytes.clone();
    rotten[9] ^= 4;
    fs::write(home.file(), &rotten).unwrap();
    home.store.files("mine").expect("nobody has read it yet");
    let faults = check(&home.store);
    assert!(faults[0].why.contains(&sha256(&rotten)), "{faults:?}");
    let why = home.store.files("mine").unwrap_err();
    assert!(matches!(why, ModelError::Damaged { .. }), "{why}");
    home.pull().await.unwrap();
    home.assert_here();
    assert_eq!(check(&home.store), []);

    fs::remove_file(home.file()).unwrap();
    assert_eq!(check(&home.store)[0].why, "it is missing");
}

#[tokio::test]
async fn a_truncated_file_is_seen_without_reading_it_where_its_size_is_known() {
    let home = Home::empty();
    let own = home.folder.path().join("my model.bin");
    fs::write(&own, &home.bytes).unwrap();
    let new = NewModel {
        files: vec![NewFile {
            source: Source::File(own),
            name: Some("model.bin".to_owned()),
            sha256: None,
        }],
        ..new_model("mine")
    };
    home.store.add(new, &CancellationToken::new()).unwrap();
    home.pull().await.unwrap();
    home.assert_here();
    fs::write(home.file(), &home.bytes[..1_000]).unwrap();
    let why = home.store.files("mine").unwrap_err();
    assert!(matches!(why, ModelError::Damaged { .. }), "{why}");
    home.pull().await.unwrap();
    home.assert_here();
}

#[tokio::test]
async fn a_mark_that_a_kill_left_is_taken_from_a_file_that_is_right() {
    let home = Home::with(Manners::Good);
    home.pull().await.unwrap();
    fs::write(home.file().with_file_name(".model.bin.damaged"), "x").unwrap();
    assert!(home.store.files("mine").is_err());
    home.pull().await.unwrap();
    home.assert_here();
    assert_eq!(home.server.asked().len(), 1);
}

#[tokio::test]
async fn a_removed_model_is_gone_at_once_with_all_that_came_of_it() {
    let home = Home::with(Manners::Good);
    home.pull().await.unwrap();
    home.store.remove("mine").unwrap();
    assert!(!home.store.folder().join("mine").exists());
    assert!(!home.store.folder().join(".parts/mine").exists());
    assert!(matches!(
        home.store.model("mine"),
        Err(ModelError::Unknown { .. })
    ));
}

#[test]
fn a_model_of_ones_own_takes_the_place_of_the_default() {
    let home = Home::empty();
    let own = home.folder.path().join("my.onnx");
    fs::write(&own, b"weights").unwrap();
    let file = NewFile {
        source: Source::File(own),
        name: None,
        sha256: None,
    };
    let new = NewModel {
        is_default: true,
        files: vec![file],
        ..new_model("my-language-model")
    };
    let cancel = CancellationToken::new();
    home.store.add(new.clone(), &cancel).unwrap();
    let model: Model = home.store.default_for(Ability::Language).unwrap();
    assert_eq!(
        (model.id.as_str(), model.is_own),
        ("my-language-model", true)
    );
    assert_eq!(model.files[0].name, "my.onnx");
    let again = home.store.add(new, &cancel).unwrap_err();
    assert!(again.to_string().contains("already"), "{again}");
}

#[test]
fn what_cannot_be_a_model_is_refused_and_nothing_is_noted() {
    let home = Home::empty();
    let own = home.folder.path().join("my.onnx");
    fs::write(&own, b"weights").unwrap();
    let file = |sha256: Option<&str>, name: &str| NewFile {
        source: Source::File(own.clone()),
        name: Some(name.to_owned()),
        sha256: sha256.map(str::to_owned),
    };
    let url = NewFile {
        source: "https://example.org/x".parse().unwrap(),
        name: None,
        sha256: None,
    };
    let wrong = "0".repeat(64);
    let cases = [
        ("../mine", file(None, "a.bin")),
        ("mine", file(None, "../a.bin")),
        ("mine", file(Some(&wrong), "a.bin")),
        ("whisper-base", file(None, "a.bin")),
        ("mine", url),
    ];
    for (id, file) in cases {
        let new = NewModel {
            files: vec![file],
            ..new_model(id)
        };
        let error = home.store.add(new, &CancellationToken::new()).unwrap_err();
        assert!(!error.to_string().is_empty());
        assert!(
            home.store.list().0.iter().all(|model| !model.is_own),
            "{id}"
        );
    }
}

#[test]
fn a_note_that_cannot_be_used_is_named_and_hides_nothing() {
    let home = Home::empty();
    let folder = home.store.folder().join("broken");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("model.toml"), "[[model]]\nid = 3\n").unwrap();
    let (models, wrong) = home.store.list();
    assert!(models.len() > 10);
    assert!(
        wrong[0].to_string().contains("broken/model.toml"),
        "{wrong:?}"
    );
    let why = home.store.files("broken").unwrap_err();
    assert!(matches!(why, ModelError::Manifest { .. }), "{why}");
    home.store.remove("broken").unwrap();
    assert!(home.store.list().1.is_empty());
}

#[tokio::test]
async fn a_file_of_ones_own_is_known_by_its_hash_and_taken_before_all_sources() {
    let home = Home::with(Manners::Good);
    let own = home.folder.path().join("downloaded (1).bin");
    fs::write(&own, &home.bytes).unwrap();
    let foreign = home.folder.path().join("foreign.bin");
    fs::write(&foreign, b"something else").unwrap();
    let cancel = CancellationToken::new();
    let refused = home
        .store
        .recognise("mine", &[foreign], &cancel)
        .unwrap_err();
    for hash in [sha256(b"something else"), sha256(&home.bytes)] {
        assert!(refused.to_string().contains(&hash), "{refused}");
    }
    let own = home.store.recognise("mine", &[own], &cancel).unwrap();
    assert_eq!(own.keys().collect::<Vec<_>>(), ["model.bin"]);
    home.pull_with(None, own, cancel).await.unwrap();
    home.assert_here();
    assert!(home.server.asked().is_empty());
    home.pull_with(None, BTreeMap::new(), CancellationToken::new())
        .await
        .unwrap();
}
