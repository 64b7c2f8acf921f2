//! tesseract beside the model, where somebody chose it.

use serde_json::{Value as Json, json};

use super::{FIRST_PAGE, reading, sample, words};
use crate::harness::{Home, assert_refusal, path};

const PRINT: &str = "Papers/The Siege of Vicksburg.jpg";

fn read_beside(languages: &str, name: &str) -> Json {
    let reading = reading().env("HEIRLOOM_TESSERACT", languages);
    let finished = reading.run(["--json", "read", path(&sample(name))]);
    serde_json::from_str(&finished.expect_code(0).stdout).unwrap()
}

#[test]
fn where_two_read_otherwise_a_word_is_not_sure_and_stays_as_the_first_reads_it() {
    let (alone, beside) = (super::read(&sample(PRINT)), read_beside("eng", PRINT));
    assert_eq!(alone["second"], Json::Null);
    assert_eq!(
        (&beside["second"], &beside["text"]),
        (&json!("tesseract"), &alone["text"])
    );
    let (before, after) = (words(&alone), words(&beside));
    let mut doubted = 0;
    for (before, after) in before.iter().zip(&after) {
        if after["otherwise"].is_null() {
            assert_eq!(before, after);
        } else {
            doubted += 1;
            assert!(after["probability"].as_f64().unwrap() <= 0.5, "{after}");
            assert_ne!(after["otherwise"], after["text"]);
        }
    }
    assert!(
        doubted > 0 && doubted * 10 < after.len(),
        "{doubted} of {}",
        after.len()
    );
    assert!(beside["confidence"].as_f64() < alone["confidence"].as_f64());
}

#[test]
fn who_cannot_read_a_hand_says_nothing_of_it() {
    let (alone, beside) = (
        super::read(&sample(FIRST_PAGE)),
        read_beside("eng", FIRST_PAGE),
    );
    assert_eq!(alone, beside);
}

#[test]
fn a_language_that_tesseract_does_not_have_is_told_and_the_page_is_read() {
    let beside = read_beside("xyz", PRINT);
    assert_eq!(beside["text"], super::read(&sample(PRINT))["text"]);
    let problem = beside["problems"][0].as_str().unwrap();
    assert!(
        problem.starts_with("tesseract did not read a page"),
        "{problem}"
    );
    let mut home = Home::scanned();
    home.heirloom = home.heirloom.env("HEIRLOOM_TESSERACT", "xyz");
    let said = home.heirloom.run(["doctor"]).stdout;
    assert!(said.contains("does not know xyz"), "{said}");
    let refused = reading().env("HEIRLOOM_TESSERACT", "deu+eng");
    let refused = assert_refusal(&refused.run(["read", path(&sample(PRINT))]).expect_code(2));
    assert!(refused.contains("HEIRLOOM_TESSERACT"), "{refused}");
}
