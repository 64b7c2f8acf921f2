//! Pages that a camera saw on a table, from the side.

use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use super::{ffmpeg, found, read, reading, sample, words, wrong};
use crate::harness::{Home, path};

const PAGE: &str = "Papers/The Siege of Vicksburg.jpg";
/// How large the picture is, and where the page is put in it.
const SIZE: (u32, u32) = (1800, 2500);
const CORNERS: [(u32, u32); 4] = [(390, 260), (1490, 180), (1640, 2330), (180, 2210)];

/// A page on a brown table, as somebody who stands before it sees it, with less light on its left.
fn on_a_table(page: &Path, to: &Path) {
    let (width, height) = SIZE;
    let [(ax, ay), (bx, by), (cx, cy), (dx, dy)] = CORNERS;
    let is_on_page = (0..4).map(|at| {
        let ((ax, ay), (bx, by)) = (CORNERS[at], CORNERS[(at + 1) % 4]);
        format!("gt((Y-{ay})*({bx}-{ax}),(X-{ax})*({by}-{ay}))")
    });
    let is_on_page = is_on_page.collect::<Vec<_>>().join("*");
    let channel = |name: char, table: u8| {
        format!("{name}='if({is_on_page},{name}(X,Y),{table}+20*random(1))*(0.62+0.38*X/W)'")
    };
    let filter = format!(
        "scale={width}:{height},perspective=x0={ax}:y0={ay}:x1={bx}:y1={by}:x2={dx}:y2={dy}:x3={cx}:y3={cy}:\
         sense=destination,format=rgb24,geq={}:{}:{}",
        channel('r', 106),
        channel('g', 74),
        channel('b', 50)
    );
    ffmpeg(&["-i", path(page), "-vf", &filter], to);
}

fn taken(home: &Home) -> PathBuf {
    let folder = home.folder.path().join("Letters");
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("On the table.jpg");
    on_a_table(&sample(PAGE), &file);
    file
}

/// The middle of corners.
fn middle(corners: &Json) -> [f64; 2] {
    let corners = corners.as_array().unwrap();
    [0, 1].map(|axis| {
        corners
            .iter()
            .map(|it| it[axis].as_f64().unwrap())
            .sum::<f64>()
            / 4.0
    })
}

#[test]
fn a_page_on_a_table_is_found_and_read_with_its_places_in_the_picture() {
    let home = Home::new();
    let flat = read(&sample(PAGE));
    let seen = read(&taken(&home));
    let text = |read: &Json| read["text"].as_str().unwrap().to_owned();
    let wrong = wrong(&text(&flat), &text(&seen));
    assert!(wrong < 0.02, "{wrong}: {seen}");
    let outline = seen["pages"][0]["outline"].as_array().unwrap();
    for (corner, (x, y)) in outline.iter().zip(CORNERS) {
        let is_near = |at: &Json, wanted: u32, whole: u32| {
            (at.as_f64().unwrap() - f64::from(wanted) / f64::from(whole)).abs() < 0.012
        };
        assert!(
            is_near(&corner[0], x, SIZE.0) && is_near(&corner[1], y, SIZE.1),
            "{outline:?}"
        );
    }
    // The first word on the page is where it was put; the same word of the page that lies flat says where on the paper.
    let find = |read: &Json, text: &str| {
        let words = words(read).into_iter();
        let found = words.clone().find(|word| word["text"] == text);
        middle(&found.unwrap_or_else(|| panic!("{text}: {read}"))["corners"])
    };
    for word in ["Vicksburg", "Johnston", "Grant"] {
        let ([u, v], [x, y]) = (find(&flat, word), find(&seen, word));
        // A straight line from side to side is one in the picture, though shares of it are not: within a fiftieth here.
        let side = |(ax, ay): (u32, u32), (bx, by): (u32, u32), at: f64| {
            [
                f64::from(ax) + (f64::from(bx) - f64::from(ax)) * at,
                f64::from(ay) + (f64::from(by) - f64::from(ay)) * at,
            ]
        };
        let (top, bottom) = (
            side(CORNERS[0], CORNERS[1], u),
            side(CORNERS[3], CORNERS[2], u),
        );
        let wanted = [0, 1].map(|axis| top[axis] + (bottom[axis] - top[axis]) * v);
        let away = [
            x * f64::from(SIZE.0) - wanted[0],
            y * f64::from(SIZE.1) - wanted[1],
        ];
        assert!(
            away[0].abs() < 60.0 && away[1].abs() < 140.0,
            "{word}: {away:?}"
        );
    }
    assert_eq!(
        flat["pages"][0]["outline"],
        Json::Null,
        "what a scanner saw is all page"
    );
}

#[test]
fn in_a_library_the_page_alone_is_there_to_look_at_and_the_original_stays() {
    let mut home = Home::new();
    let models = heirloom_testing::models::folder();
    home.heirloom = home.heirloom.env("HEIRLOOM_MODELS", path(&models));
    let file = taken(&home);
    let before = std::fs::read(&file).unwrap();
    home.done(["scan", path(file.parent().unwrap())]);
    let id = home.asset("On the table.jpg");
    let artifacts = home.json(["artifact", "list", &id]);
    let items = artifacts["items"].as_array().unwrap();
    let flat = items.iter().find(|it| it["kind"] == "flat").unwrap();
    assert_eq!(flat["payload"]["media_type"], "image/jpeg", "{flat}");
    assert_eq!(std::fs::read(&file).unwrap(), before);

    // It is found where it stands in the picture, and corrected there.
    let place = &found(&home, "Johnston")[0]["matches"][0]["box"];
    assert!(place[0].as_f64().unwrap() > 0.05, "{place}");
    let lines = home.done(["asset", "reading", "--lines", &id]).stdout;
    let line = lines.lines().find(|line| line.contains("SIEGE")).unwrap();
    let (strip, _) = line.split_once(' ').unwrap();
    home.json([
        "claim",
        "make",
        &id,
        "written",
        "THE SIEGE OF A TOWN",
        "--on",
        strip,
    ]);
    let shown = home.done(["asset", "reading", &id]).stdout;
    assert!(shown.contains("THE SIEGE OF A TOWN"), "{shown}");
    assert_eq!(
        shown.matches("SIEGE").count(),
        lines.matches("SIEGE").count()
    );

    // The document that can be searched has the page alone, with its words where they stand on it.
    let to = home.folder.path().join("page.pdf");
    home.done(["asset", "pdf", &id, path(&to)]);
    let boxes = std::process::Command::new("pdftotext")
        .args(["-bbox", path(&to), "-"])
        .output()
        .unwrap();
    let boxes = String::from_utf8(boxes.stdout).unwrap();
    let number = |line: &str, name: &str| -> f64 {
        let (_, rest) = line.split_once(&format!("{name}=\"")).unwrap();
        rest.split('"').next().unwrap().parse().unwrap()
    };
    let page = boxes.lines().find(|line| line.contains("<page")).unwrap();
    let flat = read(&sample(PAGE));
    let words = words(&flat);
    let paper = words
        .iter()
        .find(|word| word["text"] == "Johnston")
        .unwrap();
    let word = boxes
        .lines()
        .find(|line| line.contains(">Johnston<"))
        .unwrap();
    let [u, v] = middle(&paper["corners"]);
    let x = f64::midpoint(number(word, "xMin"), number(word, "xMax")) / number(page, "width");
    let y = f64::midpoint(number(word, "yMin"), number(word, "yMax")) / number(page, "height");
    assert!(
        (x - u).abs() < 0.02 && (y - v).abs() < 0.02,
        "{x} {y}, not {u} {v}"
    );
}

#[test]
fn a_picture_without_a_page_is_left_alone() {
    let names = [
        "Pets/Chelsea.png",
        "Papers/Map of Baiona.jpg",
        "Attic/Coins from the cellar.png",
        "2015/Laternen.jpg",
        "2002 Summer in Europe/The 104 to Poole.jpg",
        "Old books/1783 balloon.jp2",
    ];
    for name in names {
        let finished = reading()
            .run(["--json", "read", path(&sample(name))])
            .expect_code(0);
        let read: Json = serde_json::from_str(&finished.stdout).unwrap();
        assert_eq!(read["pages"][0]["outline"], json!(null), "{name}");
    }
}
