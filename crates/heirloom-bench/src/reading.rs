//! What stands on pages, beside tesseract: how many letters are wrong, and what it costs.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use heirloom_testing::{media, models, process::Heirloom};
use serde_json::Value as Json;

use crate::{
    figures::Figures,
    options::Options,
    transcribe::{Cost, measured},
};

/// What a page of a letter may cost.
const PAGE_CPU_S: f64 = 1.2;
/// What the program and what it starts may have resident.
const MEMORY_MB: f64 = 700.0;
/// Only pages that a peer reads at least so well have a truth that is worth comparing with: others are in another order.
const TRUSTED: f64 = 0.15;
/// A4 with 300 pixels to an inch.
const A4: &str = "scale=2480:3508:force_original_aspect_ratio=decrease,pad=2480:3508:-1:-1:white";
const LETTERS: &str = "1944 letters";

/// A page of which it is known what stands there.
struct Page {
    file: PathBuf,
    text: String,
    language: &'static str,
    is_line: bool,
}

pub(crate) fn measure(options: &Options) {
    let place = options.folder();
    let (sample, folder) = (
        media::repository().join("testdata/sample.json"),
        media::sample_library(),
    );
    let all = pages(&sample, &folder);
    let is_letter = |page: &Page| page.file.starts_with(folder.join(LETTERS));
    let (letters, mut others): (Vec<Page>, Vec<Page>) = all.into_iter().partition(is_letter);
    if let Some(folder) = &options.data {
        others = pages(&folder.join("manifest.json"), folder);
    }
    let (lines, print): (Vec<Page>, Vec<Page>) = others.into_iter().partition(|page| page.is_line);
    let title = "what stands on pages, letters that are wrong";
    let figures = Figures::of(title);
    for (name, pages, may_be_equal) in [
        ("print", &print, true),
        ("handwriting", &letters, false),
        ("lines of old books", &lines, true),
    ] {
        let (ours, theirs) = (
            wrong(pages, |page| read(place.path(), page)),
            wrong(pages, peer),
        );
        let percent = |share: f64| format!("{:.2} %", share * 100.0);
        let peer = format!("tesseract {}", percent(theirs));
        let limit = format!(
            "{} {}",
            if may_be_equal { "≤" } else { "<" },
            percent(theirs)
        );
        let is_missed = if may_be_equal {
            ours > theirs
        } else {
            ours >= theirs
        };
        let name = format!("{name}, mean of {}", pages.len());
        figures.row(&name, &[&percent(ours), &limit, &peer], is_missed);
    }
    let mut most_mb: f64 = 0.0;
    let book = media::sample_library().join("Papers/The Siege of Vicksburg.jpg");
    let pages = letters
        .iter()
        .skip(1)
        .map(|page| ("a page of a letter", &page.file));
    for (name, file) in pages.take(1).chain([("a page of a book", &book)]) {
        let page = place.path().join("page.png");
        scale(file, &page);
        let page = Page {
            file: page,
            text: String::new(),
            language: "eng",
            is_line: false,
        };
        let (ours, theirs) = (read(place.path(), &page), peer(&page));
        let name = format!("CPU time of {name}, A4 with 300 dpi, loading too");
        let cells = [
            &format!("{:.2} s", ours.cpu_s),
            &format!("{PAGE_CPU_S} s"),
            &format!("tesseract {:.2} s", theirs.cpu_s),
        ];
        figures.row(&name, &cells.map(String::as_str), ours.cpu_s > PAGE_CPU_S);
        most_mb = most_mb.max(ours.memory_mb);
    }
    figures.at_most("the most memory resident", most_mb, MEMORY_MB, "MB");
}

/// The pages that a manifest tells of.
fn pages(manifest: &Path, folder: &Path) -> Vec<Page> {
    let manifest: Json = serde_json::from_slice(&fs::read(manifest).unwrap()).unwrap();
    let page = |known: &Json| {
        let (truth, file) = (&known["truth"], known["file"].as_str()?);
        let language = match truth["lang"].as_str()? {
            language if language.starts_with("de") => "deu",
            "mul" => "eng+deu",
            _ => "eng",
        };
        let is_line = known["kind"] == "ocr-lines" || file.contains("one line");
        let is_trusted = match truth["cer_tesseract_5.3.0"].as_f64() {
            Some(error) => error <= TRUSTED,
            None => is_line || known.get("kind").is_none(),
        };
        // Of a PDF only what it says itself would be read.
        let is_picture = !file.ends_with(".pdf");
        let text = truth["text"]
            .as_str()
            .filter(|_| is_trusted && is_picture)?;
        Some(Page {
            file: folder.join(file),
            text: text.to_owned(),
            language,
            is_line,
        })
    };
    let known = manifest["files"].as_array().unwrap().iter();
    known.filter_map(page).collect()
}

fn read(place: &Path, page: &Page) -> Cost {
    let program = std::env::current_exe().unwrap().with_file_name("heirloom");
    let heirloom = Heirloom::new(program)
        .data(place.join("data"))
        .env("HEIRLOOM_MODELS", models::folder().to_str().unwrap());
    measured(heirloom.command(["read", "--text", page.file.to_str().unwrap()]))
}

fn peer(page: &Page) -> Cost {
    let mut tesseract = Command::new("tesseract");
    let mode = if page.is_line { "7" } else { "1" };
    tesseract.env("OMP_THREAD_LIMIT", "1").arg(&page.file);
    tesseract.args(["stdout", "-l", page.language, "--psm", mode]);
    measured(tesseract)
}

/// How many letters of pages are wrong: the mean of their shares.
fn wrong(pages: &[Page], read: impl Fn(&Page) -> Cost) -> f64 {
    let each = pages.iter().map(|page| {
        let (truth, read) = (plain(&page.text), plain(&read(page).output));
        changes(&truth, &read) as f64 / truth.len().max(1) as f64
    });
    each.sum::<f64>() / pages.len().max(1) as f64
}

/// Letters with one space between words; marks, ligatures and letters of old books as they are typed today.
fn plain(text: &str) -> Vec<char> {
    let mut plain = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for (from, to) in TYPED {
        plain = plain.replace(from, to);
    }
    plain.chars().collect()
}

const TYPED: [(&str, &str); 15] = [
    ("“", "\""),
    ("”", "\""),
    ("„", "\""),
    ("‘", "'"),
    ("’", "'"),
    ("—", "-"),
    ("–", "-"),
    ("ſ", "s"),
    ("ﬁ", "fi"),
    ("ﬂ", "fl"),
    ("ﬀ", "ff"),
    ("ﬃ", "ffi"),
    ("a\u{364}", "ä"),
    ("o\u{364}", "ö"),
    ("u\u{364}", "ü"),
];

/// How many letters have to be changed, added and left out until one text is the other.
fn changes(truth: &[char], read: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=read.len()).collect();
    for (at, letter) in truth.iter().enumerate() {
        let mut before = std::mem::replace(&mut row[0], at + 1);
        for (n, other) in read.iter().enumerate() {
            let same = before + usize::from(letter != other);
            before = row[n + 1];
            row[n + 1] = same.min(before + 1).min(row[n] + 1);
        }
    }
    row[read.len()]
}

/// As a page is scanned.
fn scale(file: &Path, to: &Path) {
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-y", "-i"])
        .arg(file)
        .args(["-vf", A4, "-frames:v", "1", "-update", "1"])
        .arg(to)
        .status();
    assert!(made.unwrap().success());
}
