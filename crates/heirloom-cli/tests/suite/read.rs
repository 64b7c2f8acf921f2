//! What stands in pictures and on pages, with the real model in the real program.

mod camera;
mod elsewhere;
mod hard;
mod second;

use std::{
    fs,
    path::{Path, PathBuf},
};

use heirloom_testing::{
    media::{repository, sample_library},
    models,
    process::Heirloom,
};
use serde_json::{Value as Json, json};

use crate::harness::{Home, assert_refusal, path, program};

fn reading() -> Heirloom {
    program().env("HEIRLOOM_MODELS", path(&models::folder()))
}

fn sample(name: &str) -> PathBuf {
    sample_library().join(name)
}

fn read(name: &Path) -> Json {
    let finished = reading().run(["--json", "read", path(name)]).expect_code(0);
    serde_json::from_str(&finished.stdout).unwrap()
}

const FIRST_PAGE: &str = "1944 letters/1944-05-30 Karl to Anna, page 1.jpg";
const THREE_PAGES: &str = "1944 letters/1944-03-12 Anna to Karl.tif";
const SCANNED: &str = "Old books/Huckleberry Finn, chapter 3.pdf";
const WITH_TEXT: &str = "Papers/Typesetting notes.pdf";

/// How many letters of a text are wrong, as a share of it: Levenshtein's distance without what is between words.
fn wrong(truth: &str, read: &str) -> f64 {
    let letters = |text: &str| -> Vec<char> {
        let marks = text.replace(['“', '”', '„'], "\"").replace(['‘', '’'], "'");
        marks
            .chars()
            .filter(|letter| !letter.is_whitespace())
            .collect()
    };
    let (truth, read) = (letters(truth), letters(read));
    let mut row: Vec<usize> = (0..=read.len()).collect();
    for (i, a) in truth.iter().enumerate() {
        let mut before = row[0];
        row[0] = i + 1;
        for (j, b) in read.iter().enumerate() {
            let changed = before + usize::from(a != b);
            before = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(before + 1);
        }
    }
    row[read.len()] as f64 / truth.len() as f64
}

/// What stands in a file of the sample library.
fn truth(name: &str) -> String {
    let sample = fs::read(repository().join("testdata/sample.json")).unwrap();
    let sample: Json = serde_json::from_slice(&sample).unwrap();
    let mut files = sample["files"].as_array().unwrap().iter();
    let file = files.find(|file| file["file"] == name).unwrap();
    file["truth"]["text"].as_str().unwrap().to_owned()
}

fn words(read: &Json) -> Vec<Json> {
    let list = |of: &Json, name: &str| of[name].as_array().unwrap().clone();
    let pages = list(read, "pages").into_iter();
    let blocks = pages.flat_map(|page| list(&page, "blocks"));
    let lines = blocks.flat_map(|block| list(&block, "lines"));
    lines.flat_map(|line| list(&line, "words")).collect()
}

#[test]
fn a_handwritten_letter_is_read_with_the_place_of_each_word() {
    let read = read(&sample(FIRST_PAGE));
    let text = read["text"].as_str().unwrap();
    assert!(wrong(&truth(FIRST_PAGE), text) < 0.05, "{text}");
    assert_eq!(
        (&read["method"], &read["model"]),
        (&json!("local"), &json!("pp-ocr-v6"))
    );
    let words = words(&read);
    assert!(words.len() > 30, "{}", words.len());
    let top = |word: &Json| word["corners"][0][1].as_f64().unwrap();
    let place = |text: &str| {
        let mut words = words.iter();
        words.find(|word| word["text"] == text).map(top).unwrap()
    };
    assert!(place("Stade,") < place("Grandmother."));
    for word in &words {
        let corners = word["corners"].as_array().unwrap().iter();
        let shares = corners.flat_map(|corner| corner.as_array().unwrap().clone());
        for share in shares.map(|share| share.as_f64().unwrap()) {
            assert!((0.0..=1.0).contains(&share), "{word}");
        }
        assert!(word["probability"].as_f64().unwrap() > 0.3, "{word}");
    }
    assert!(
        read["confidence"].as_f64().unwrap() > 0.7,
        "{}",
        read["confidence"]
    );
}

#[test]
fn a_picture_that_has_several_pages_is_read_page_by_page() {
    let read = read(&sample(THREE_PAGES));
    let pages: Vec<&Json> = read["pages"].as_array().unwrap().iter().collect();
    let numbers: Vec<&Json> = pages.iter().map(|page| &page["page"]).collect();
    assert_eq!(numbers, [&json!(1), &json!(2), &json!(3)]);
    let text = read["text"].as_str().unwrap();
    let places: Vec<_> = ["Stade an der Elbe", "Bremen, 12 March 1944", "Your Anna"]
        .map(|words| {
            text.find(words)
                .unwrap_or_else(|| panic!("{words}: {text}"))
        })
        .into();
    assert!(places.is_sorted(), "{text}");
}

#[test]
fn a_page_that_has_a_text_of_its_own_keeps_it() {
    let read = read(&sample(WITH_TEXT));
    assert_eq!(read["method"], "layer");
    for page in read["pages"].as_array().unwrap() {
        assert_eq!(page["is_layer"], true);
    }
}

/// A PDF with a page for each picture, with words written at the foot of it.
fn scanned(pictures: &[&Path], foot: impl Fn(usize) -> String) -> Vec<u8> {
    let mut pdf = b"%PDF-1.4\n".to_vec();
    let mut places = Vec::new();
    let mut add = |pdf: &mut Vec<u8>, object: &[u8]| {
        places.push(pdf.len());
        pdf.extend(format!("{} 0 obj\n", places.len()).bytes());
        pdf.extend(object);
        pdf.extend(b"\nendobj\n");
    };
    let kids: Vec<String> = (0..pictures.len())
        .map(|n| format!("{} 0 R", 4 + n * 3))
        .collect();
    add(&mut pdf, b"<< /Type /Catalog /Pages 2 0 R >>");
    let list = format!(
        "<< /Type /Pages /Kids [{}] /Count {} >>",
        kids.join(" "),
        kids.len()
    );
    add(&mut pdf, list.as_bytes());
    add(
        &mut pdf,
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    );
    for (n, picture) in pictures.iter().enumerate() {
        let (page, content) = (
            4 + n * 3,
            format!(
                "q 595 0 0 842 0 0 cm /I Do Q BT /F 6 Tf 20 10 Td ({}) Tj ET",
                foot(n)
            ),
        );
        let resources = format!(
            "/Resources << /Font << /F 3 0 R >> /XObject << /I {} 0 R >> >>",
            page + 2
        );
        let dict = format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] {resources} /Contents {} 0 R >>",
            page + 1
        );
        add(&mut pdf, dict.as_bytes());
        add(
            &mut pdf,
            format!(
                "<< /Length {} >>\nstream\n{content}\nendstream",
                content.len()
            )
            .as_bytes(),
        );
        let jpeg = fs::read(picture).unwrap();
        let (width, height) = (1240, 1754);
        let mut image = format!(
            "<< /Type /XObject /Subtype /Image /Width {width} /Height {height} /ColorSpace /DeviceRGB \
             /BitsPerComponent 8 /Filter /DCTDecode /Length {} >>\nstream\n",
            jpeg.len()
        )
        .into_bytes();
        image.extend(jpeg);
        image.extend(b"\nendstream");
        add(&mut pdf, &image);
    }
    let table = pdf.len();
    pdf.extend(format!("xref\n0 {}\n0000000000 65535 f \n", places.len() + 1).bytes());
    for place in &places {
        pdf.extend(format!("{place:010} 00000 n \n").bytes());
    }
    let trailer = format!(
        "trailer << /Size {} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n",
        places.len() + 1
    );
    pdf.extend(trailer.bytes());
    pdf
}

#[test]
fn a_scan_is_read_though_who_scanned_it_wrote_a_line_below() {
    let home = Home::new();
    let letter = home.folder.path().join("letter.jpg");
    let picture = sample(FIRST_PAGE);
    let size = "scale=1240:1754,format=yuvj444p";
    ffmpeg(&["-i", path(&picture), "-vf", size], &letter);
    let scan = home.folder.path().join("scan.pdf");
    fs::write(
        &scan,
        scanned(&[&letter, &letter], |_| {
            "Scanned with a telephone".to_owned()
        }),
    )
    .unwrap();
    let read = read(&scan);
    assert_eq!(read["method"], "local", "{read}");
    let pages = read["pages"].as_array().unwrap();
    assert_eq!(pages.len(), 2, "{read}");
    assert!(pages.iter().all(|page| page["is_layer"] != true));
    assert_eq!(
        read["text"].as_str().unwrap().matches("harbour").count(),
        2,
        "{read}"
    );
}

#[test]
fn a_page_upside_down_and_one_on_its_side_are_read_as_the_upright_one() {
    let home = Home::new();
    let upright = read(&sample("Papers/The Siege of Vicksburg.jpg"));
    assert_eq!(upright["pages"][0]["turn"], 0);
    for (turn, transposed) in [(180, "180"), (90, "270"), (270, "90")] {
        let file = home.folder.path().join(format!("{turn}.png"));
        turned(
            &sample("Papers/The Siege of Vicksburg.jpg"),
            transposed,
            &file,
        );
        let read = read(&file);
        assert_eq!(read["pages"][0]["turn"], turn);
        let (read, upright) = (&read["text"], &upright["text"]);
        let wrong = wrong(upright.as_str().unwrap(), read.as_str().unwrap());
        assert!(wrong < 0.03, "{turn}: {wrong}\n{read}");
    }
}

/// A picture turned with the clock by so many degrees.
fn turned(picture: &Path, degrees: &str, to: &Path) {
    let filter = match degrees {
        "90" => "transpose=clock",
        "270" => "transpose=cclock",
        _ => "hflip,vflip",
    };
    ffmpeg(&["-i", path(picture), "-vf", filter], to);
}

fn ffmpeg(arguments: &[&str], to: &Path) {
    let made = std::process::Command::new("ffmpeg")
        .args(["-v", "error", "-y"])
        .args(arguments)
        .args(["-frames:v", "1", "-update", "1"])
        .arg(to)
        .status();
    assert!(made.unwrap().success());
}

/// A film in which a newspaper, a cat and a letter are seen for three seconds each.
fn film(home: &Home) -> PathBuf {
    let to = home.folder.path().join("evening.mp4");
    let show = |picture: &Path| {
        let picture = path(picture).to_owned();
        ["-r", "5", "-loop", "1", "-t", "3", "-i", &picture].map(str::to_owned)
    };
    let pictures = [
        show(&sample("Papers/The Siege of Vicksburg.jpg")),
        show(&repository().join("testdata/pictures/chelsea.png")),
        show(&sample(FIRST_PAGE)),
    ];
    let fit = |number| {
        format!(
            "[{number}]scale=1280:960:force_original_aspect_ratio=decrease,pad=1280:960:-1:-1,setsar=1[p{number}];"
        )
    };
    let filter = [0, 1, 2].map(fit).concat() + "[p0][p1][p2]concat=n=3";
    let made = std::process::Command::new("ffmpeg")
        .args(["-v", "error", "-y", "-nostdin"])
        .args(pictures.concat())
        .args(["-filter_complex", &filter, "-pix_fmt", "yuv420p"])
        .arg(&to)
        .status();
    assert!(made.unwrap().success());
    to
}

#[test]
fn a_film_is_read_with_from_when_to_when_it_stands_there_and_found_at_that_second() {
    let mut home = Home::new();
    home.heirloom = home
        .heirloom
        .env("HEIRLOOM_MODELS", path(&models::folder()));
    let film = film(&home);
    let told = read(&film);
    let times: Vec<&str> = told["pages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|page| page["at"].as_str().unwrap())
        .collect();
    assert_eq!(times, ["0-3000", "6000-9000"], "{told}");
    let shown = reading().run(["read", path(&film)]).expect_code(0).stdout;
    assert!(shown.starts_with("0:00–0:03\n"), "{shown}");
    let (first, second) = shown.split_once("\n0:06–0:09\n").unwrap();
    assert!(first.contains("SIEGE OF VICKSBURG"), "{first}");
    assert!(second.contains("harbour"), "{second}");

    let root = home.folder.path().join("Films");
    fs::create_dir_all(&root).unwrap();
    fs::rename(&film, root.join("evening.mp4")).unwrap();
    home.done(["scan", path(&root)]);
    let found = &found(&home, "harbour")[0];
    let at = &found["matches"][0];
    assert_eq!(
        (&at["field"], &at["at_ms"]),
        (&json!("text"), &json!(6000)),
        "{found}"
    );
    let id = found["id"].as_str().unwrap();
    let lines = home.done(["asset", "reading", id]).stdout;
    let line = lines.lines().find(|line| line.contains("harbour")).unwrap();
    assert!(line.starts_with("0:06–0:09"), "{lines}");
    let page = home.folder.path().join("film.pdf");
    let refused = home.heirloom.run(["asset", "pdf", id, path(&page)]);
    let refused = assert_refusal(&refused.expect_code(2));
    assert!(refused.contains("no pages"), "{refused}");
}

#[test]
fn nothing_is_invented_where_nothing_is_written() {
    let home = Home::new();
    let blank = home.folder.path().join("blank.png");
    ffmpeg(&["-f", "lavfi", "-i", "color=white:s=1240x1754"], &blank);
    let noise = home.folder.path().join("noise.png");
    ffmpeg(
        &[
            "-f",
            "lavfi",
            "-i",
            "nullsrc=s=800x600,geq=random(1)*255:128:128",
        ],
        &noise,
    );
    let cat = repository().join("testdata/pictures/chelsea.png");
    let dot = repository().join("testdata/pictures/plain.bmp");
    for file in [&blank, &noise, &cat, &dot] {
        let finished = reading().run(["read", path(file)]).expect_code(0);
        assert_eq!(finished.stdout, "", "{}", file.display());
        assert!(
            finished.stderr.contains("No writing was found in it."),
            "{}",
            finished.stderr
        );
    }
}

#[test]
fn a_picture_that_is_very_wide_and_half_a_page_are_read_as_far_as_they_go() {
    let home = Home::new();
    let page = sample("Papers/The Siege of Vicksburg.jpg");
    let wide = home.folder.path().join("wide.png");
    ffmpeg(
        &[
            "-i",
            path(&page),
            "-vf",
            "crop=1200:300:0:0,pad=20000:300:9000:0:white",
        ],
        &wide,
    );
    let text = read(&wide)["text"].as_str().unwrap().to_owned();
    assert!(text.contains("SIEGE OF VICKSBURG"), "{text}");
    let half = home.folder.path().join("half.png");
    ffmpeg(&["-i", path(&page), "-vf", "crop=600:1800:0:0"], &half);
    let text = read(&half)["text"].as_str().unwrap().to_owned();
    assert!(text.contains("Johnston is com"), "{text}");
}

#[test]
fn what_cannot_be_read_is_refused_with_why() {
    let home = Home::new();
    let broken = home.folder.path().join("broken.jpg");
    fs::write(&broken, b"\xff\xd8\xff\xe0 nothing").unwrap();
    let film = sample_library().join("Voices/Grandmother reads Austen 2.wav");
    let bomb = repository().join("testdata/malformed/png_60000x60000.png");
    let locked = repository().join("testdata/malformed/pp_libreoffice-writer-password.pdf");
    let missing = home.folder.path().join("missing.png");
    for (file, why) in [
        (&broken, "broken.jpg"),
        (&film, "Austen"),
        (&bomb, "60000"),
        (&locked, "password"),
        (&missing, "cannot be read"),
    ] {
        let refused = assert_refusal(&reading().run(["read", path(file)]).expect_code(2));
        assert!(refused.contains(why), "{refused}");
    }
    let nothing = program().env("HEIRLOOM_MODELS", path(home.folder.path()));
    let finished = nothing.run(["read", path(&sample(FIRST_PAGE))]);
    let refused = assert_refusal(&finished.expect_code(2));
    assert!(refused.contains("heirloom models pull"), "{refused}");
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
        let file = sample(name);
        fs::copy(&file, root.join(file.file_name().unwrap())).unwrap();
    }
    home.done(["scan", path(&root)]);
    home
}

fn found(home: &Home, query: &str) -> Vec<Json> {
    let found = home.json(["search", query]);
    found["items"].as_array().unwrap().clone()
}

#[test]
fn what_stands_in_a_library_is_found_with_where_it_stands_and_stays_when_it_is_rebuilt() {
    let home = understood(&[FIRST_PAGE, THREE_PAGES, SCANNED, WITH_TEXT]);
    let letter = &found(&home, "harbour")[0];
    let place = &letter["matches"][0];
    assert_eq!(
        (&place["field"], &place["page"]),
        (&json!("text"), &Json::Null)
    );
    let [left, top, width, height] = [0, 1, 2, 3].map(|at| place["box"][at].as_f64().unwrap());
    assert!(left + width <= 1.001 && top + height <= 1.001, "{place}");
    assert!(width > 0.4 && height < 0.2, "{place}");
    let page = &found(&home, "\"books in the big chest\"")[0]["matches"][0];
    assert_eq!(page["page"], 3, "{page}");

    let id = letter["id"].as_str().unwrap();
    let shown = home.done(["asset", "reading", id]).stdout;
    assert!(wrong(&truth(FIRST_PAGE), &shown) < 0.05, "{shown}");
    // What was read is not read again, and what a document says itself does not take its place.
    let again = home.json(["run", "start", "understand"]);
    let step = again["steps"].as_array().unwrap().iter();
    let step = step.clone().find(|step| step["step"] == "reading").unwrap();
    assert_eq!(
        (&step["done"], &step["failed"]),
        (&json!(0), &json!(0)),
        "{again}"
    );
    home.done(["rebuild"]);
    assert_eq!(found(&home, "harbour").len(), 1);
    assert_eq!(found(&home, "widow Watson").len(), 1);
}

#[test]
fn what_was_read_wrong_is_corrected_where_it_stands_and_taken_back() {
    let home = understood(&[FIRST_PAGE]);
    let id = home.asset(Path::new(FIRST_PAGE).file_name().unwrap().to_str().unwrap());
    let lines = || home.done(["asset", "reading", "--lines", &id]).stdout;
    let before = home.done(["asset", "reading", &id]).stdout;
    let line = lines();
    let line = line.lines().find(|line| line.contains("harbour")).unwrap();
    let (strip, text) = line.split_once(' ').unwrap();
    let claim = home.json([
        "claim",
        "make",
        &id,
        "written",
        "down to the Hafen",
        "--on",
        strip,
    ]);
    let shown = lines();
    let corrected = shown.lines().find(|line| line.contains("Hafen")).unwrap();
    assert!(
        corrected.starts_with(strip) && corrected.contains("corrected"),
        "{corrected}"
    );
    assert!(!shown.contains("harbour"), "{shown}");
    assert_eq!(
        shown.lines().count(),
        before.lines().filter(|line| !line.is_empty()).count()
    );
    assert_eq!(
        (found(&home, "hafen").len(), found(&home, "harbour").len()),
        (1, 0)
    );
    let read = home.json(["asset", "reading", &id]);
    let lines_read = read["pages"][0]["blocks"].as_array().unwrap().iter();
    let mut lines_read = lines_read.flat_map(|block| block["lines"].as_array().unwrap());
    let line = lines_read
        .find(|line| line["text"] == "down to the Hafen")
        .unwrap();
    assert_eq!(
        (&line["correction_id"], &line["confidence"]),
        (&claim["id"], &json!(1.0))
    );
    assert!(
        text.contains(line["instead_of"].as_str().unwrap()),
        "{text}: {line}"
    );

    // It leaves with it, as text and as a claim, and holds where nothing was read as well.
    let missed = [
        "claim",
        "make",
        &id,
        "written",
        "In haste",
        "--on",
        "1:0.1,0.95,0.3,0.03",
    ];
    home.done(missed);
    let bag = home.folder.path().join("bag");
    home.done(["export", path(&bag)]);
    let text = bag.join("data/texts/Letters").join(format!(
        "{}.txt",
        Path::new(FIRST_PAGE).file_name().unwrap().to_str().unwrap()
    ));
    let text = fs::read_to_string(text).unwrap();
    assert!(
        text.contains("Hafen") && text.contains("In haste") && !text.contains("harbour"),
        "{text}"
    );
    let data = home.folder.path().join("other");
    let other = program().data(&data);
    let _ = other.run(["import", path(&bag)]).expect_code(0);
    let there = other
        .run(["search", "hafen", "--json"])
        .expect_code(0)
        .json();
    assert_eq!(
        there["items"][0]["matches"],
        found(&home, "hafen")[0]["matches"]
    );

    home.done(["claim", "undo", &id, claim["id"].as_str().unwrap()]);
    assert_eq!(found(&home, "harbour").len(), 1);
}

#[test]
fn what_was_read_leaves_and_comes_back() {
    let home = understood(&[FIRST_PAGE]);
    let bag = home.folder.path().join("bag");
    home.done(["export", path(&bag)]);
    let other = Home::new();
    other.done(["import", path(&bag)]);
    let place = |home: &Home| found(home, "harbour")[0]["matches"][0].clone();
    assert_eq!(place(&home), place(&other));
}
