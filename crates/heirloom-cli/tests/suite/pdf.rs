//! Documents that can be searched, of the pictures of pages, as other programs read them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use heirloom_testing::{media::sample_library, models};

use crate::harness::{Home, path};

/// What knows the rules of PDF/A, as `./dev setup` installs it.
const CHECKER: &str = "heirloom/tools/pdfluent-1.2.0/bin/python";

const SCRIPT: &str = r"
import sys
from pdfluent import validate_pdfa
report = validate_pdfa(sys.argv[1])
print(report.pdfa_level, [(issue.severity, issue.rule, issue.message) for issue in report.issues])
sys.exit(0 if report.is_compliant else 1)
";

#[track_caller]
fn run(program: &Path, arguments: &[&str]) -> String {
    let done = Command::new(program).args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    let wrong = String::from_utf8_lossy(&done.stderr);
    assert!(
        done.status.success(),
        "{} {arguments:?}: {said} {wrong}",
        program.display()
    );
    said
}

/// That a document is whole and of the form that lasts, by what others say of it.
#[track_caller]
fn check(document: &Path) {
    run(Path::new("qpdf"), &["--check", path(document)]);
    #[expect(clippy::disallowed_methods, reason = "where ./dev puts its tools")]
    let [cache, own] = ["XDG_CACHE_HOME", "HOME"].map(std::env::var_os);
    let cache = cache.map_or_else(|| Path::new(&own.unwrap()).join(".cache"), PathBuf::from);
    let python = cache.join(CHECKER);
    assert!(
        python.exists(),
        "{} is missing: run ./dev setup",
        python.display()
    );
    let said = run(&python, &["-c", SCRIPT, path(document)]);
    assert!(said.to_lowercase().contains("2u"), "{said}");
}

/// The text of a document, in the order in which it is written in it.
#[track_caller]
fn text_of(document: &Path) -> String {
    run(Path::new("pdftotext"), &["-raw", path(document), "-"])
}

/// A library with these files of the sample, read as far as the model can.
fn understood(names: &[&str]) -> Home {
    let mut home = Home::new();
    home.heirloom = home
        .heirloom
        .env("HEIRLOOM_MODELS", path(&models::folder()));
    let root = home.folder.path().join("Letters");
    fs::create_dir_all(&root).unwrap();
    for name in names {
        let file = sample_library().join(name);
        fs::copy(&file, root.join(file.file_name().unwrap())).unwrap();
    }
    home.done(["scan", path(&root)]);
    home
}

fn name(file: &str) -> &str {
    file.rsplit('/').next().unwrap()
}

const LETTER: &str = "1944 letters/1944-05-30 Karl to Anna, page 1.jpg";
const PAGES: &str = "1944 letters/1944-03-12 Anna to Karl.tif";
const SCANNED: &str = "Old books/Huckleberry Finn, chapter 3.pdf";
const WITH_TEXT: &str = "Papers/Typesetting notes.pdf";

#[test]
fn a_letter_becomes_a_document_with_its_words_behind_its_picture() {
    let home = understood(&[LETTER]);
    let id = home.asset(name(LETTER));
    let to = home.folder.path().join("letter.pdf");
    home.done(["asset", "pdf", &id, path(&to)]);
    check(&to);
    // The picture is as it was.
    let (document, original) = (
        fs::read(&to).unwrap(),
        fs::read(sample_library().join(LETTER)).unwrap(),
    );
    let piece = &original[original.len() / 2..original.len() / 2 + 4096];
    assert!(document.windows(piece.len()).any(|part| part == piece));
    let read = home.json(["asset", "reading", &id]);
    let words = |text: &str| {
        text.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(words(&text_of(&to)), words(read["text"].as_str().unwrap()));
    let about = run(Path::new("pdfinfo"), &[path(&to)]);
    assert!(about.contains("Karl to Anna, page 1"), "{about}");

    // Each word is where it stands.
    let boxes = run(Path::new("pdftotext"), &["-bbox", path(&to), "-"]);
    let number = |line: &str, name: &str| -> f64 {
        let (_, rest) = line.split_once(&format!("{name}=\"")).unwrap();
        rest.split('"').next().unwrap().parse().unwrap()
    };
    let page = boxes.lines().find(|line| line.contains("<page")).unwrap();
    let (width, height) = (number(page, "width"), number(page, "height"));
    let blocks = read["pages"][0]["blocks"].as_array().unwrap().iter();
    let lines = blocks.flat_map(|block| block["lines"].as_array().unwrap());
    let mut places = lines.flat_map(|line| line["words"].as_array().unwrap());
    let harbour = places.find(|word| word["text"] == "harbour").unwrap();
    let [left, top] = [0, 1].map(|axis| harbour["corners"][0][axis].as_f64().unwrap());
    let line = boxes
        .lines()
        .find(|line| line.contains(">harbour<"))
        .unwrap();
    let (x, y) = (number(line, "xMin") / width, number(line, "yMin") / height);
    assert!(
        (x - left).abs() < 0.01 && (y - top).abs() < 0.02,
        "{line}: {harbour}"
    );

    // Another time it has what people corrected, and a file that is there stays.
    let line = home.done(["asset", "reading", "--lines", &id]).stdout;
    let line = line.lines().find(|line| line.contains("harbour")).unwrap();
    let strip = line.split(' ').next().unwrap();
    home.done([
        "claim",
        "make",
        &id,
        "written",
        "to the Hafen – дом 港 😀",
        "--on",
        strip,
    ]);
    home.refused(["asset", "pdf", &id, path(&to)]);
    let again = home.folder.path().join("again.pdf");
    home.done(["asset", "pdf", &id, path(&again)]);
    check(&again);
    let text = text_of(&again);
    assert!(
        text.contains("to the Hafen – дом 港 😀\n") && !text.contains("harbour"),
        "{text}"
    );
}

#[test]
fn pages_follow_one_another_and_a_document_with_a_text_keeps_it() {
    let home = understood(&[PAGES, SCANNED, WITH_TEXT]);
    for (file, pages) in [(PAGES, 3), (SCANNED, 0)] {
        let id = home.asset(name(file));
        let to = home.folder.path().join(format!("{id}.pdf"));
        home.done(["asset", "pdf", &id, path(&to)]);
        check(&to);
        let read = home.json(["asset", "reading", &id]);
        let all = read["pages"].as_array().unwrap();
        let count = run(Path::new("qpdf"), &["--show-npages", path(&to)]);
        assert_eq!(count.trim(), all.len().to_string());
        assert!(pages == 0 || pages == all.len());
        let words = |text: &str| {
            text.split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        assert_eq!(words(&text_of(&to)), words(read["text"].as_str().unwrap()));
    }
    let refused = home.refused(["asset", "pdf", &home.asset(name(WITH_TEXT)), "no.pdf"]);
    assert!(refused.contains("a text of its own"), "{refused}");
}

#[test]
fn lines_that_lie_on_their_side_and_lean_are_where_they_stand() {
    let home = Home::scanned();
    let id = home.asset("Strand.jpg");
    let to = home.folder.path().join("strand.pdf");
    let refused = home.refused(["asset", "pdf", &id, path(&to)]);
    assert!(refused.contains("nobody has read"), "{refused}");
    for (words, strip) in [
        ("leans a little", "1:0.1,0.1,0.8,0.14,0.8,0.2,0.1,0.16"),
        (
            "from the foot to the head",
            "1:0.1,0.9,0.1,0.3,0.2,0.3,0.2,0.9",
        ),
        ("upside down", "1:0.9,0.9,0.4,0.9,0.4,0.8,0.9,0.8"),
    ] {
        home.done(["claim", "make", &id, "written", words, "--on", strip]);
    }
    home.done(["asset", "pdf", &id, path(&to)]);
    check(&to);
    let boxes = run(Path::new("pdftotext"), &["-bbox", path(&to), "-"]);
    for word in ["leans", "little", "foot", "head", "upside", "down"] {
        assert!(boxes.contains(&format!(">{word}<")), "{word}: {boxes}");
    }
}
