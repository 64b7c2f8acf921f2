//! What stands on pages, beside tesseract: how many letters are wrong; and what it costs with a document that can be searched,
//! beside OCRmyPDF.

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

/// What a page may cost, with a document of it that can be searched.
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
    let sheet = [sheet(place.path())];
    for (name, pages, may_be_equal) in [
        ("print", &print[..], true),
        ("handwriting", &letters, false),
        ("lines of old books", &lines, true),
        ("two pages on one sheet", &sheet, true),
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
    costs(place.path(), &letters, &figures);
}

/// What reading a page takes, as it comes from a scanner, and making a document of it that can be searched.
fn costs(place: &Path, letters: &[Page], figures: &Figures) {
    let mut most_mb: f64 = 0.0;
    let book = media::sample_library().join("Papers/The Siege of Vicksburg.jpg");
    let pages = letters
        .iter()
        .skip(1)
        .map(|page| ("a page of a letter", &page.file));
    for (number, (name, file)) in pages
        .take(1)
        .chain([("a page of a book", &book)])
        .enumerate()
    {
        let scans = place.join(format!("scans {number}"));
        fs::create_dir_all(&scans).unwrap();
        let page = scans.join(format!("page {number}.png"));
        filtered(file, A4, &page);
        let (read, document) = (read_page(place, &page), document(place, &scans));
        let cpu_s = read.cpu_s + document.cpu_s;
        let theirs = ocrmypdf(&page, &place.join("peer.pdf"));
        let name = format!("CPU time of {name}, A4 with 300 dpi, loading and a searchable PDF too");
        let cells = [
            &format!("{cpu_s:.2} s"),
            &format!("{PAGE_CPU_S} s"),
            &format!("OCRmyPDF {:.2} s", theirs.cpu_s),
        ];
        figures.row(&name, &cells.map(String::as_str), cpu_s > PAGE_CPU_S);
        let (name, read_s) = ("of that reading", format!("{:.2} s", read.cpu_s));
        let tesseract = format!("tesseract {:.2} s", tesseract(&page, "eng", "1").cpu_s);
        figures.row(name, &[&read_s, "", &tesseract], false);
        most_mb = most_mb.max(read.memory_mb).max(document.memory_mb);
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

/// A sheet on which a page stands twice, side by side: its letters are as large, and are seen from further away.
fn sheet(place: &Path) -> Page {
    let pictures = media::repository().join("testdata/pictures");
    let mut pages = pages(&pictures.join("manifest.json"), &pictures).into_iter();
    let page = pages
        .find(|page| page.file.ends_with("crazy_ones.jpg"))
        .unwrap();
    let sheet = place.join("sheet.png");
    filtered(&page.file, "split[left][right];[left][right]hstack", &sheet);
    Page {
        file: sheet,
        text: page.text.repeat(2),
        ..page
    }
}

fn read(place: &Path, page: &Page) -> Cost {
    read_page(place, &page.file)
}

fn heirloom(place: &Path) -> Heirloom {
    let program = std::env::current_exe().unwrap().with_file_name("heirloom");
    Heirloom::new(program)
        .data(place.join("data"))
        .env("HEIRLOOM_MODELS", models::folder().to_str().unwrap())
}

fn read_page(place: &Path, page: &Path) -> Cost {
    measured(heirloom(place).command(["read", "--text", page.to_str().unwrap()]))
}

/// Makes a document of the page in a folder, which a library has read before.
fn document(place: &Path, scans: &Path) -> Cost {
    let heirloom = heirloom(place);
    let done = heirloom.run(["scan", scans.to_str().unwrap()]);
    let _ = done.expect_code(0);
    let name = fs::read_dir(scans)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .file_name();
    let name = format!("\"{}\"", name.to_str().unwrap());
    let found = heirloom
        .run(["--json", "search", &name])
        .expect_code(0)
        .json();
    let id = found["items"][0]["id"].as_str().unwrap().to_owned();
    let to = place.join(format!("{id}.pdf"));
    measured(heirloom.command(["asset", "pdf", &id, to.to_str().unwrap()]))
}

fn peer(page: &Page) -> Cost {
    tesseract(
        &page.file,
        page.language,
        if page.is_line { "7" } else { "1" },
    )
}

fn tesseract(page: &Path, language: &str, mode: &str) -> Cost {
    let mut tesseract = Command::new("tesseract");
    tesseract.env("OMP_THREAD_LIMIT", "1").arg(page);
    tesseract.args(["stdout", "-l", language, "--psm", mode]);
    measured(tesseract)
}

fn ocrmypdf(page: &Path, to: &Path) -> Cost {
    let mut peer = Command::new("ocrmypdf");
    peer.env("OMP_THREAD_LIMIT", "1");
    peer.args(["--quiet", "--jobs", "1", "--image-dpi", "300", "-l", "eng"]);
    peer.arg(page).arg(to);
    measured(peer)
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
pub(crate) fn plain(text: &str) -> Vec<char> {
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
pub(crate) fn changes(truth: &[char], read: &[char]) -> usize {
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

/// What ffmpeg makes of a picture.
fn filtered(file: &Path, filter: &str, to: &Path) {
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-y", "-i"])
        .arg(file)
        .args(["-filter_complex", filter, "-frames:v", "1", "-update", "1"])
        .arg(to)
        .status();
    assert!(made.unwrap().success());
}
