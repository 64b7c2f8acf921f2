//! Models on a disk that is full.

use std::fs;

use super::{fill, with_a_small_disk};
use crate::harness::{Home, path, program};

#[test]
fn a_model_for_which_there_is_no_space_comes_when_there_is() {
    let test = "space::models::a_model_for_which_there_is_no_space_comes_when_there_is";
    with_a_small_disk(test, 8, |disk| {
        let home = Home::new();
        let weights = home.folder.path().join("weights.bin");
        fs::write(&weights, vec![7; 3_000_000]).unwrap();
        let models = disk.join("models");
        fs::create_dir(&models).unwrap();
        let heirloom = program()
            .data(home.data())
            .env("HEIRLOOM_MODELS", path(&models));
        let filler = fill(&disk);
        let file = fs::OpenOptions::new().write(true).open(&filler).unwrap();
        let length = file.metadata().unwrap().len();
        file.set_len(length - 1_000_000).unwrap();
        drop(file);
        let add = [
            "models",
            "add",
            "mine",
            path(&weights),
            "--ability",
            "language",
        ];
        let said = heirloom.run(add).expect_code(1).stderr;
        assert!(said.contains("no space is left"), "{said}");
        assert!(said.contains("hint: "), "{said}");
        assert!(!models.join("mine/weights.bin").exists());
        fs::remove_file(&filler).unwrap();
        let _said = heirloom.run(["models", "pull", "mine"]).expect_code(0);
        assert_eq!(
            fs::read(models.join("mine/weights.bin")).unwrap(),
            vec![7; 3_000_000]
        );
    });
}
