//! Every kind of document says what stands in it, and its pages look as another program draws them.

use std::{fs, io::Cursor};

use heirloom_media::{
    FileType,
    document::{DocumentError, Pages, Text, TextLimits, read_text},
    picture::{Limits, PictureError, RenditionKind, Want, decode},
    sniff,
};
use heirloom_testing::media::{known, malformed, media, sample};

use crate::pictures::{distance, pixels, type_of};

fn type_as(bytes: &[u8], name: &str) -> FileType {
    sniff(&mut Cursor::new(bytes), name).unwrap()
}

fn read(bytes: &[u8], name: &str) -> Result<Text, DocumentError> {
    let file_type = type_as(bytes, name);
    read_text(
        bytes.to_vec(),
        file_type,
        1..=u32::MAX,
        &TextLimits::default(),
    )
}

/// All that stands in a document, with a line between pages.
fn words(name: &str, text: &Text) -> String {
    assert_eq!(text.problems, [], "{name}");
    let pages = text.pages.iter().map(|page| page.text.as_str());
    pages.collect::<Vec<_>>().join("\n----\n")
}

fn bytes_of(name: &str) -> Vec<u8> {
    fs::read(media(name)).unwrap()
}

/// A PDF of these objects, the first of which is the catalogue.
fn pdf(objects: &[String]) -> Vec<u8> {
    let mut file = b"%PDF-1.7\n".to_vec();
    let mut places = Vec::new();
    for (number, object) in (1..).zip(objects) {
        places.push(file.len());
        file.extend(format!("{number} 0 obj\n{object}\nendobj\n").bytes());
    }
    let table = file.len();
    file.extend(format!("xref\n0 {}\n0000000000 65535 f \n", places.len() + 1).bytes());
    for place in &places {
        file.extend(format!("{place:010} 00000 n \n").bytes());
    }
    let size = places.len() + 1;
    let trailer = format!("trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n");
    file.extend(trailer.bytes());
    file
}

fn stream(dictionary: &str, content: &str) -> String {
    format!(
        "<< {dictionary} /Length {} >>\nstream\n{content}\nendstream",
        content.len()
    )
}

/// A PDF whose pages say these words.
fn pdf_of(pages: &[&str]) -> Vec<u8> {
    let kids: Vec<String> = (0..pages.len())
        .map(|n| format!("{} 0 R", 4 + 2 * n))
        .collect();
    let mut objects = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        format!(
            "<< /Type /Pages /Count {} /Kids [{}] >>",
            pages.len(),
            kids.join(" ")
        ),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    for (number, words) in pages.iter().enumerate() {
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 100] /Contents {} 0 R \
             /Resources << /Font << /F 3 0 R >> >> >>",
            5 + 2 * number
        ));
        objects.push(stream("", &format!("BT /F 12 Tf 20 50 Td ({words}) Tj ET")));
    }
    pdf(&objects)
}

/// A PDF of one page with these entries and this content, and more objects from number 5 on.
fn pdf_page(page: &str, content: &str, more: &[String]) -> Vec<u8> {
    let mut objects = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Count 1 /Kids [3 0 R] >>".to_owned(),
        format!("<< /Type /Page /Parent 2 0 R /Contents 4 0 R {page} >>"),
        stream("", content),
    ];
    objects.extend_from_slice(more);
    pdf(&objects)
}

fn open(bytes: &[u8]) -> Pages {
    Pages::open(bytes.to_vec(), type_of(bytes)).unwrap()
}

#[test]
fn every_kind_of_document_says_what_stands_in_it() {
    for document in known("documents/manifest.json", "documents") {
        let Some(truth) = document.entry["truth"]["text"].as_str() else {
            continue;
        };
        let bytes = fs::read(&document.path).unwrap();
        let text = read(&bytes, &document.name)
            .unwrap_or_else(|error| panic!("{}: {error} {error:?}", document.name));
        assert_eq!(words(&document.name, &text), truth, "{}", document.name);
        let language = document.entry["truth"]["language"].as_str();
        assert_eq!(text.language.as_deref(), language, "{}", document.name);
    }
}

#[test]
fn a_page_looks_as_another_program_draws_it() {
    let mut count = 0;
    for reference in known("documents/manifest.json", "documents") {
        let Some(of) = reference.entry["page_of"].as_str() else {
            continue;
        };
        let page = u32::try_from(reference.entry["page"].as_u64().unwrap()).unwrap();
        let tolerance = reference.entry["tolerance"].as_f64().unwrap();
        let wanted = pixels(&fs::read(&reference.path).unwrap());
        let rendered = open(&bytes_of(of)).draw(page, &Limits::default()).unwrap();
        let shape = |width: u32, height: u32| f64::from(width) / f64::from(height);
        let (own, other) = (
            shape(rendered.width, rendered.height),
            shape(wanted.width, wanted.height),
        );
        assert!(
            (own / other - 1.0).abs() < 0.03,
            "{of}, {page}: {own} {other}"
        );
        // What is nearly white is not shown by white paper.
        let mut blank = wanted.clone();
        blank.pixels.fill(255);
        let tolerance = tolerance.min(distance(&blank, &wanted) / 2.0);
        for rendition in &rendered.renditions {
            let seen = decode(
                &rendition.bytes,
                type_of(&rendition.bytes),
                &Limits::default(),
                Want::default(),
            );
            let distance = distance(&seen.unwrap(), &wanted);
            let kind = rendition.kind;
            assert!(
                distance < tolerance,
                "{of}, page {page}, {kind:?}: {distance:.2} of {tolerance}"
            );
        }
        count += 1;
    }
    assert!(count >= 10, "only {count} pages are compared");
}

#[test]
fn a_document_is_shown_in_a_grid_and_on_a_screen() {
    let rendered = open(&pdf_of(&["Dear Anna"]))
        .draw(1, &Limits::default())
        .unwrap();
    // 200 by 100 points at no more than 300 pixels an inch.
    assert_eq!((rendered.width, rendered.height), (833, 417));
    let kinds: Vec<RenditionKind> = rendered.renditions.iter().map(|r| r.kind).collect();
    assert_eq!(kinds, [RenditionKind::Grid, RenditionKind::Screen]);
    assert!((10..40).contains(&rendered.thumbhash.len()));
}

#[test]
fn pages_have_their_own_text_and_those_that_are_asked_for_are_read() {
    let bytes = pdf_of(&["one", "two", "three", "four"]);
    let file_type = type_of(&bytes);
    let text = read_text(bytes, file_type, 2..=3, &TextLimits::default()).unwrap();
    let pages: Vec<(Option<u32>, &str)> = text
        .pages
        .iter()
        .map(|page| (page.page, page.text.as_str()))
        .collect();
    assert_eq!(
        (text.count, pages),
        (4, vec![(Some(2), "two"), (Some(3), "three")])
    );
}

#[test]
fn pages_of_a_tiff_are_drawn_and_its_thumbnails_are_none() {
    let letter = bytes_of("sample/1944 letters/1944-03-12 Anna to Karl.tif");
    let pages = open(&letter);
    assert_eq!(pages.count(), 3);
    let drawn: Vec<_> = (1..=3)
        .map(|page| pages.draw(page, &Limits::default()).unwrap())
        .collect();
    for page in &drawn {
        assert_eq!(page.renditions.len(), 3, "browsers show no TIFF");
    }
    assert!(drawn[0].renditions[1].bytes != drawn[1].renditions[1].bytes);
    assert!(matches!(
        pages.draw(4, &Limits::default()),
        Err(PictureError::NoSuchPage)
    ));
    assert!(matches!(
        pages.draw(0, &Limits::default()),
        Err(PictureError::NoSuchPage)
    ));
}

#[test]
fn a_locked_document_is_opened_where_nobody_has_to_give_a_password() {
    for file in malformed() {
        let name = file.name.as_str();
        if !file.entry["why"]
            .as_str()
            .unwrap()
            .starts_with("encrypted PDF")
        {
            continue;
        }
        let bytes = fs::read(&file.path).unwrap();
        let text = read(&bytes, name);
        // The others were locked with no password at all, whatever their names say.
        let is_locked = name.contains("r2-user-password") || name.contains("writer-password");
        match text {
            Err(DocumentError::Locked) => assert!(is_locked, "{name}"),
            Ok(text) => {
                assert!(!is_locked, "{name}");
                assert!(!words(name, &text).trim().is_empty(), "{name}");
            }
            Err(error) => panic!("{name}: {error} {error:?}"),
        }
    }
}

#[test]
fn what_is_broken_ends_with_a_reason() {
    let cases: [(&str, Vec<u8>); 7] = [
        ("nothing of a PDF", b"%PDF-1.7\n".to_vec()),
        ("half a PDF", pdf_of(&["Dear Anna"])[..150].to_vec()),
        ("no pages", pdf(&["<< /Type /Catalog >>".to_owned()])),
        (
            "pages in themselves",
            pdf(&[
                "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
                "<< /Type /Pages /Count 9 /Kids [2 0 R 2 0 R] >>".to_owned(),
            ]),
        ),
        (
            "cut.docx",
            bytes_of("documents/letter.docx")[..600].to_vec(),
        ),
        ("cut.odt", bytes_of("documents/letter.odt")[..600].to_vec()),
        ("page.xlsx", zip_of("[Content_Types].xml", "<x/>")),
    ];
    for (name, bytes) in cases {
        let file_type = type_as(&bytes, name);
        let read = read_text(bytes.clone(), file_type, 1..=10, &TextLimits::default());
        if let Ok(text) = &read {
            assert_eq!(
                text.pages.iter().map(|page| page.text.len()).sum::<usize>(),
                0,
                "{name}: {text:?}"
            );
        }
        if let Ok(pages) = Pages::open(bytes, file_type) {
            for page in 1..=pages.count().min(3) {
                let _ = pages.draw(page, &Limits::default());
            }
        }
        if let Err(error) = read {
            assert!(error.to_string().ends_with('.'), "{name}: {error}");
        }
    }
}

/// A ZIP archive with one stored part.
fn zip_of(name: &str, content: &str) -> Vec<u8> {
    let size = u32::try_from(content.len()).unwrap().to_le_bytes();
    let len = u16::try_from(name.len()).unwrap().to_le_bytes();
    let mut file = b"PK\x03\x04\x14\0\0\0\0\0\0\0\0\0\0\0\0\0".to_vec();
    file.extend([size, size].concat());
    file.extend([len, [0, 0]].concat());
    file.extend(name.bytes().chain(content.bytes()));
    let list_at = u32::try_from(file.len()).unwrap().to_le_bytes();
    let mut list = b"PK\x01\x02\x14\0\x14\0\0\0\0\0\0\0\0\0\0\0\0\0".to_vec();
    list.extend([size, size].concat());
    list.extend([len.as_slice(), &[0; 16]].concat());
    list.extend(name.bytes());
    let list_len = u32::try_from(list.len()).unwrap().to_le_bytes();
    file.extend(list);
    file.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
    file.extend([list_len, list_at].concat());
    file.extend([0, 0]);
    file
}

#[test]
fn a_page_as_large_as_a_town_is_drawn_small() {
    for (width, height) in [(1e6, 1e6), (1e6, 1.0), (1e-3, 1e6), (1e38, 1e38)] {
        let page = format!("/MediaBox [0 0 {width} {height}]");
        let pages = open(&pdf_page(&page, "0 0 1000 1000 re f", &[]));
        // What has no sensible size is not drawn; what is drawn is never larger than a screen.
        if let Ok(rendered) = pages.draw(1, &Limits::default()) {
            assert!(
                rendered.width.max(rendered.height) <= 1440,
                "{width} {height}"
            );
        }
    }
}

#[test]
fn what_draws_itself_comes_to_an_end() {
    let form = stream(
        "/Type /XObject /Subtype /Form /BBox [0 0 100 100] /Resources << /XObject << /X 5 0 R >> >>",
        "0 0 10 10 re f /X Do /X Do",
    );
    let page = "/MediaBox [0 0 100 100] /Resources << /XObject << /X 5 0 R >> >>";
    let bytes = pdf_page(page, "/X Do /X Do", &[form]);
    let pages = open(&bytes);
    let _ = pages.draw(1, &Limits::default());
    assert!(read(&bytes, "a.pdf").is_ok());
}

#[test]
fn a_script_in_a_document_is_never_run_and_never_read() {
    let script = "<< /S /JavaScript /JS (app.alert\\(1\\)) >>";
    let page = format!("/MediaBox [0 0 100 100] /AA << /O {script} >>");
    let bytes = pdf_page(&page, "", &[]);
    assert_eq!(words("script", &read(&bytes, "a.pdf").unwrap()), "");
}

#[test]
fn a_book_of_two_thousand_pages_is_read_a_few_pages_at_a_time() {
    let words: Vec<String> = (1..=2000).map(|page| format!("page {page}")).collect();
    let bytes = pdf_of(&words.iter().map(String::as_str).collect::<Vec<_>>());
    let file_type = type_of(&bytes);
    let text = read_text(bytes, file_type, 1991..=2100, &TextLimits::default()).unwrap();
    assert_eq!((text.count, text.pages.len()), (2000, 10));
    assert_eq!(text.pages[9].text, "page 2000");
}

#[test]
fn a_text_that_is_too_long_is_cut_and_that_is_said() {
    let limits = TextLimits {
        page_bytes: 4,
        bytes: 6,
        ..TextLimits::default()
    };
    let bytes = pdf_of(&["12345", "67890"]);
    let file_type = type_of(&bytes);
    let text = read_text(bytes, file_type, 1..=9, &limits).unwrap();
    let pages: Vec<&str> = text.pages.iter().map(|page| page.text.as_str()).collect();
    assert_eq!((pages, text.problems.len()), (vec!["1234", "67"], 1));
}

#[test]
fn an_archive_that_unpacks_without_end_is_read_within_bounds() {
    let content = format!(
        "<office:document-content><office:body><text:p>{}</text:p></office:body></office:document-content>",
        "word ".repeat(10_000)
    );
    let archive = zip_of("content.xml", &content);
    let limits = TextLimits {
        part_bytes: 20_000,
        ..TextLimits::default()
    };
    let file_type = *FileType::ALL
        .iter()
        .find(|t| t.name == "OpenDocument text")
        .unwrap();
    let text = read_text(archive, file_type, 1..=1, &limits).unwrap();
    assert!((15_000..20_000).contains(&text.pages[0].text.len()));
    assert_eq!(text.problems.len(), 1);
}

#[test]
fn the_sample_librarys_documents_say_what_a_person_reads_in_them() {
    let mut count = 0;
    for file in sample() {
        let Some(truth) = file.entry["truth"]["text"].as_str() else {
            continue;
        };
        if !file.name.ends_with(".pdf") {
            continue;
        }
        // A scan without a text layer says nothing; what is read of others is what they say.
        let bytes = fs::read(&file.path).unwrap();
        let text = read(&bytes, &file.name).unwrap();
        let read = words(&file.name, &text);
        let known: Vec<&str> = read.split_whitespace().collect();
        let wanted: Vec<&str> = truth.split_whitespace().collect();
        let found = wanted.iter().filter(|word| known.contains(word)).count();
        assert!(
            known.is_empty() || found * 10 >= wanted.len() * 9,
            "{}: {found} of {}",
            file.name,
            wanted.len()
        );
        count += 1;
    }
    assert!(count > 0);
}
