//! Pictures and documents that are hard to read: a clear result each, and nothing invented.

use std::fs;

use serde_json::Value as Json;

use heirloom_testing::media::repository;

use super::{ffmpeg, read, reading, sample, scanned, wrong};
use crate::harness::{Home, path};

const PAGE: &str = "Papers/The Siege of Vicksburg.jpg";
/// So many pages have the long documents, and one of them has writing.
const PAGES: u32 = 600;
const WRITTEN: u32 = 421;
const SIZE: (u32, u32) = (700, 60);

/// The grey pixels of the heading of a page.
fn heading(home: &Home) -> Vec<u8> {
    let raw = home.folder.path().join("heading.pgm");
    let (width, height) = SIZE;
    let cut = format!("crop=1200:120:0:40,scale={width}:{height},format=gray");
    ffmpeg(&["-i", path(&sample(PAGE)), "-vf", &cut], &raw);
    let bytes = fs::read(raw).unwrap();
    bytes[bytes.len() - (width * height) as usize..].to_vec()
}

/// A TIFF of so many pages, all white but one.
fn long_tiff(written: &[u8]) -> Vec<u8> {
    let (width, height) = SIZE;
    let blank = vec![255; written.len()];
    let mut tiff = b"II\x2a\0".to_vec();
    // White is there once; where the first page is told of comes after both.
    let places = [12, 12 + blank.len() as u32];
    let first = places[1] + written.len() as u32;
    tiff.extend(first.to_le_bytes());
    tiff.extend([0; 4]);
    tiff.extend(&blank);
    tiff.extend(written);
    for page in 1..=PAGES {
        let strip = places[usize::from(page == WRITTEN)];
        let entries = [
            (256, width),
            (257, height),
            (258, 8),
            (259, 1),
            (262, 1),
            (273, strip),
            (278, height),
            (279, width * height),
        ];
        tiff.extend((entries.len() as u16).to_le_bytes());
        for (tag, value) in entries {
            tiff.extend([tag as u8, (tag >> 8) as u8, 4, 0, 1, 0, 0, 0]);
            tiff.extend(value.to_le_bytes());
        }
        let next = tiff.len() as u32 + 4;
        tiff.extend(if page == PAGES { 0 } else { next }.to_le_bytes());
    }
    tiff
}

/// What is read in a long document: only the one page with writing.
fn assert_one_is_written(read: &Json) {
    let pages = read["pages"].as_array().unwrap();
    assert_eq!(pages.len(), PAGES as usize);
    for page in pages {
        let is_written = page["page"] == WRITTEN;
        assert_eq!(
            page["blocks"].as_array().unwrap().is_empty(),
            !is_written,
            "{page}"
        );
    }
    assert!(
        read["text"]
            .as_str()
            .unwrap()
            .contains("SIEGE OF VICKSBURG"),
        "{}",
        read["text"]
    );
    assert_eq!(read["problems"], Json::Null);
}

#[test]
fn six_hundred_pages_of_a_tiff_are_read_one_by_one() {
    let home = Home::new();
    let file = home.folder.path().join("long.tif");
    fs::write(&file, long_tiff(&heading(&home))).unwrap();
    assert_one_is_written(&read(&file));
}

#[test]
fn six_hundred_pages_of_a_pdf_are_read_one_by_one() {
    let home = Home::new();
    let [blank, page] = ["blank.jpg", "page.jpg"].map(|name| home.folder.path().join(name));
    let as_jpeg = "scale=1240:1754,format=yuvj444p";
    ffmpeg(
        &["-f", "lavfi", "-i", "color=white:s=64x64", "-vf", as_jpeg],
        &blank,
    );
    ffmpeg(&["-i", path(&sample(PAGE)), "-vf", as_jpeg], &page);
    // A long text of its own is kept: only the page in the middle is looked at, and the blank ones before and after it.
    let own = "It rained all day, and nobody came. ".repeat(8);
    let mut pictures = vec![blank.as_path(); PAGES as usize];
    pictures[WRITTEN as usize - 1] = &page;
    let foot = |number: usize| {
        let is_near = number.abs_diff(WRITTEN as usize - 1) < 4;
        if is_near { String::new() } else { own.clone() }
    };
    let file = home.folder.path().join("long.pdf");
    fs::write(&file, scanned(&pictures, foot)).unwrap();
    let read = read(&file);
    let pages = read["pages"].as_array().unwrap();
    assert_eq!(pages.len(), PAGES as usize);
    let count = |is_so: &dyn Fn(&Json) -> bool| pages.iter().filter(|page| is_so(page)).count();
    assert_eq!(count(&|page| page["is_layer"] != true), 7);
    let written = &pages[WRITTEN as usize - 1]["blocks"];
    assert!(written.to_string().contains("VICKSBURG"), "{written}");
    assert_eq!(
        count(&|page| page["blocks"].as_array().unwrap().is_empty()),
        6
    );
}

#[test]
fn half_of_a_torn_page_is_read_as_far_as_it_goes() {
    let home = Home::new();
    let torn = home.folder.path().join("torn.png");
    // Torn from the upper right to the lower left, with teeth; behind it is dark wood.
    let tear = "format=rgb24,geq=\
        r='if(lt(X,W*0.72-Y*0.2+14*sin(Y/9)+9*sin(Y/4)),r(X,Y),52)':\
        g='if(lt(X,W*0.72-Y*0.2+14*sin(Y/9)+9*sin(Y/4)),g(X,Y),38)':\
        b='if(lt(X,W*0.72-Y*0.2+14*sin(Y/9)+9*sin(Y/4)),b(X,Y),28)'";
    ffmpeg(&["-i", path(&sample(PAGE)), "-vf", tear], &torn);
    let (whole, torn) = (read(&sample(PAGE)), read(&torn));
    let words = |read: &Json| -> Vec<String> {
        let text = read["text"].as_str().unwrap();
        text.split_whitespace().map(str::to_owned).collect()
    };
    let (whole, torn) = (words(&whole), words(&torn));
    assert!(torn.len() * 3 > whole.len(), "{torn:?}");
    // What is not on the whole page either are the words that the tear goes through.
    let invented = torn.iter().filter(|word| !whole.contains(word)).count();
    assert!(
        invented * 5 < torn.len(),
        "{invented} of {}: {torn:?}",
        torn.len()
    );
}

#[test]
fn drawings_statues_and_coins_say_nothing_that_is_not_written_on_them() {
    for name in [
        "2002 Summer in Europe/Angel of the North.jpg",
        "Attic/Coins from the cellar.png",
        "Space/Moon.png",
        "Pets/Chelsea.png",
    ] {
        let finished = reading().run(["read", path(&sample(name))]).expect_code(0);
        assert_eq!(finished.stdout, "", "{name}");
    }
    // An engraving with a legend, of which this is the beginning.
    let engraving = read(&sample("Old books/1783 balloon.jp2"));
    let text = engraving["text"].as_str().unwrap();
    assert!(text.starts_with("FIGURE EXACTE\nDU GLOBE\n"), "{text}");
}

#[test]
fn a_sheet_of_two_pages_is_read_as_well_as_one_and_one_page_after_the_other() {
    let home = Home::new();
    let page = repository().join("testdata/pictures/crazy_ones.jpg");
    let sheet = home.folder.path().join("sheet.png");
    let beside = "[0:v]split[left][right];[left][right]hstack";
    ffmpeg(&["-i", path(&page), "-filter_complex", beside], &sheet);
    let known = fs::read(repository().join("testdata/pictures/manifest.json")).unwrap();
    let known: Json = serde_json::from_slice(&known).unwrap();
    let mut files = known["files"].as_array().unwrap().iter();
    let file = files.find(|file| file["file"] == "crazy_ones.jpg").unwrap();
    let truth = file["truth"]["text"].as_str().unwrap();
    let read = read(&sheet);
    let text = read["text"].as_str().unwrap();
    let wrong = wrong(&format!("{truth}{truth}"), text);
    // The ligatures and the apostrophes of the page are its ten thousandths.
    assert!(wrong < 0.015, "{wrong}\n{text}");
}
