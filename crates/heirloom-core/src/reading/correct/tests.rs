use proptest::prelude::*;

use super::*;
use crate::{
    AssetId,
    claim::{Author, ClaimValue, Statement},
};

/// Where a line of a page that has twenty is.
fn row(number: usize) -> [f32; 4] {
    [0.1, 0.05 * number as f32, 0.8, 0.03]
}

fn strip_of([left, top, width, height]: [f32; 4]) -> Strip {
    Strip::new(1, Corners::of_rectangle([left, top, width, height])).unwrap()
}

fn page(lines: &[(usize, &str)]) -> Reading {
    let lines = lines.iter().map(|(number, text)| Line {
        confidence: 0.5,
        ..Line::of_text(text, Some(Corners::of_rectangle(row(*number))))
    });
    let block = Block {
        lines: lines.collect(),
    };
    Reading {
        pages: vec![Page {
            blocks: vec![block],
            ..Page::default()
        }],
    }
}

fn written(at: i64, strip: Strip, words: &str) -> Claim {
    let value = ClaimValue::Text(words.to_owned());
    Claim {
        id: uuid::Uuid::from_u128(at.try_into().unwrap()).into(),
        subject: Subject::strip(AssetId::from_uuid(uuid::Uuid::nil()), strip),
        statement: Statement::new(ClaimKind::Written, value).unwrap(),
        is_negation: false,
        author: Author::Operator,
        source: String::new(),
        confidence: 1.0,
        made_at_ms: at,
        undone_at_ms: None,
    }
}

fn texts(reading: &Reading) -> Vec<&str> {
    reading
        .lines()
        .map(|(line, _)| line.text.as_str())
        .collect()
}

#[test]
fn a_correction_takes_the_place_of_what_was_read_there() {
    let read = page(&[(1, "Dear Lot,"), (2, "the fery runs again."), (3, "Karl")]);
    let claim = written(1, strip_of(row(2)), "the  ferry\nruns again.");
    let corrected = read.corrected(std::slice::from_ref(&claim));
    assert_eq!(
        texts(&corrected),
        ["Dear Lot,", "the ferry runs again.", "Karl"]
    );
    let line = &corrected.pages[0].blocks[0].lines[1];
    assert_eq!(line.correction_id, Some(claim.id));
    assert_eq!(line.instead_of.as_deref(), Some("the fery runs again."));
    assert_eq!((line.confidence, line.words.len()), (1.0, 4));
    assert!(line.words.iter().all(|word| word.probability == 1.0));
    // Words that stay are where they were.
    let runs = page(&[(2, "the fery runs again.")]).pages[0].blocks[0].lines[0].words[2].clone();
    assert_eq!(line.words[2].corners, runs.corners);
    assert!(
        corrected.pages[0].blocks[0].lines[0]
            .correction_id
            .is_none()
    );
}

#[test]
fn a_correction_holds_for_lines_that_are_cut_otherwise() {
    let claims = [written(1, strip_of(row(2)), "the ferry runs again.")];
    let [left, top, width, height] = row(2);
    let half = |from: f32, text: &str| {
        let corners = [left + from * width, top - 0.004, width / 2.0, height];
        Line::of_text(text, Some(Corners::of_rectangle(corners)))
    };
    let mut read = page(&[(1, "Dear Lotte,"), (3, "Karl")]);
    let lines = &mut read.pages[0].blocks[0].lines;
    lines.splice(1..1, [half(0.0, "the fery"), half(0.5, "rnus again.")]);
    let corrected = read.corrected(&claims);
    assert_eq!(
        texts(&corrected),
        ["Dear Lotte,", "the ferry runs again.", "Karl"]
    );
    let line = &corrected.pages[0].blocks[0].lines[1];
    assert_eq!(line.instead_of.as_deref(), Some("the fery rnus again."));
    // And where it is a part of a longer one.
    let part = [written(
        1,
        strip_of([left, top, width / 2.0, height]),
        "Chapter 1",
    )];
    let read = page(&[(2, "Chap I pages 9")]);
    assert_eq!(texts(&read.corrected(&part)), ["Chapter 1", "pages 9"]);
}

#[test]
fn what_nobody_read_is_added_where_it_stands() {
    let add = |number: usize, text: &str| written(number as i64, strip_of(row(number)), text);
    let read = || page(&[(2, "two"), (4, "four")]);
    let texts_of = |claims: &[Claim]| texts(&read().corrected(claims)).join(" ");
    assert_eq!(texts_of(&[add(3, "three")]), "two three four");
    assert_eq!(texts_of(&[add(1, "one")]), "one two four");
    assert_eq!(texts_of(&[add(5, "five")]), "two four five");
    // Beside the others, on another page, and where there is no reading.
    let beside = written(1, strip_of([0.95, 0.1, 0.04, 0.03]), "margin");
    assert_eq!(texts_of(&[beside]), "two four margin");
    let second: Strip = "2:0.1,0.1,0.5,0.05".parse().unwrap();
    let claims = [written(1, second, "overleaf"), add(1, "one")];
    assert_eq!(texts_of(&claims), "one two four overleaf");
    let alone = Reading::default().corrected(&claims);
    let pages: Vec<_> = alone.pages.iter().map(|page| page.page).collect();
    assert_eq!(pages, [Some(1), Some(2)]);
    let single = Reading::default().corrected(&[add(1, "one")]);
    assert_eq!((single.pages.len(), single.pages[0].page), (1, None));
}

#[test]
fn on_a_page_that_lies_on_its_side_a_line_is_added_where_it_is_read() {
    // It is read from the bottom to the top, and its first line is on the left.
    let line = |number: usize, text: &str| {
        let left = 0.1 * number as f32;
        let corners = [
            [left, 0.9],
            [left, 0.1],
            [left + 0.05, 0.1],
            [left + 0.05, 0.9],
        ];
        Line::of_text(text, Some(Corners(corners)))
    };
    let mut read = page(&[]);
    read.pages[0].turn = 90;
    read.pages[0].blocks[0].lines = vec![line(1, "one"), line(3, "three")];
    let two = Strip::new(1, line(2, "").corners.unwrap()).unwrap();
    let corrected = read.corrected(&[written(1, two, "two")]);
    assert_eq!(texts(&corrected), ["one", "two", "three"]);
}

#[test]
fn nothing_is_written_where_somebody_says_so() {
    let read = || page(&[(1, "a stain"), (2, "Karl")]);
    let empty = written(1, strip_of(row(1)), " ");
    assert_eq!(
        texts(&read().corrected(std::slice::from_ref(&empty))),
        ["Karl"]
    );
    let mut denied = written(1, strip_of(row(1)), "a stain");
    denied.is_negation = true;
    assert_eq!(texts(&read().corrected(&[denied])), ["Karl"]);
    let again = written(2, strip_of(row(1)), "a star");
    let corrected = read().corrected(&[empty, again]);
    assert_eq!(texts(&corrected), ["a star", "Karl"]);
    let nothing = written(1, "3:0.1,0.1,0.5,0.05".parse().unwrap(), "");
    assert_eq!(read().corrected(&[nothing]), read());
}

#[test]
fn of_corrections_that_overlap_the_later_one_holds_where_they_do() {
    let [left, top, width, height] = row(1);
    let whole = written(1, strip_of(row(1)), "Dear Lot and Karl");
    let part = written(2, strip_of([left, top, width / 2.0, height]), "Dear Lotte");
    let read = page(&[(1, "Deer Let and Kerl")]);
    let corrected = read.corrected(&[part.clone(), whole.clone()]);
    assert_eq!(texts(&corrected), ["Dear Lotte", "and Karl"]);
    let lines = &corrected.pages[0].blocks[0].lines;
    let ids: Vec<_> = lines.iter().filter_map(|line| line.correction_id).collect();
    assert_eq!(ids, [part.id, whole.id]);
}

proptest! {
    /// Corrections in any order of any strip: each that stands alone is in what is read, and all taken back leave it as it was.
    #[test]
    fn corrections_are_found_and_taken_back_without_a_trace(
        rows in prop::collection::vec((1_usize..18, "[a-z]{1,6}( [a-z]{1,6}){0,3}"), 1..12),
        said in prop::collection::vec((1_usize..18, "[A-Z]{1,6}( [A-Z]{1,6}){0,2}", 0.1_f32..0.6), 0..8),
    ) {
        let mut rows: Vec<(usize, &str)> = rows.iter().map(|(row, text)| (*row, text.as_str())).collect();
        rows.sort_by_key(|(row, _)| *row);
        rows.dedup_by_key(|(row, _)| *row);
        let read = page(&rows);
        let claims: Vec<Claim> = (1..).zip(&said).map(|(at, (number, words, width))| {
            let [left, top, _, height] = row(*number);
            written(at, strip_of([left, top, *width, height]), words)
        }).collect();
        let corrected = read.clone().corrected(&claims);
        for (at, claim) in claims.iter().enumerate() {
            let is_last = said[at + 1..].iter().all(|(number, ..)| *number != said[at].0);
            let ids = corrected.lines().map(|(line, _)| line.correction_id);
            let count = ids.filter(|id| *id == Some(claim.id)).count();
            prop_assert!(!is_last || count == 1, "{count}");
        }
        for (line, _) in corrected.lines() {
            prop_assert!(!line.text.is_empty());
            let words: Vec<&str> = line.words.iter().map(|word| word.text.as_str()).collect();
            prop_assert_eq!(words.join(" "), line.text.as_str());
        }
        // What nobody spoke of is as it was read.
        for (number, text) in &rows {
            if said.iter().all(|(other, ..)| other != number) {
                prop_assert!(corrected.lines().any(|(line, _)| line.text == *text));
            }
        }
        let undone: Vec<Claim> = claims.into_iter().map(|claim| Claim { undone_at_ms: Some(99), ..claim }).collect();
        prop_assert_eq!(read.clone().corrected(&undone), read);
    }
}

/// What a service wrote down that says nothing of places.
fn placeless(texts: &[&str]) -> Reading {
    let line = |text: &&str| Line::of_text(text, None);
    let block = |texts: &[&str]| Block {
        lines: texts.iter().map(line).collect(),
    };
    Reading {
        pages: vec![Page {
            blocks: texts.chunks(2).map(block).collect(),
            ..Page::default()
        }],
    }
}

#[test]
fn a_line_that_nobody_knows_the_place_of_is_corrected_by_its_mark_at_the_edge() {
    let read = placeless(&["Dear Lot,", "the fery runs.", "Invented words.", "Karl"]);
    let marks: Vec<Strip> = read
        .clone()
        .corrected(&[])
        .lines()
        .filter_map(|(line, _)| line.margin)
        .collect();
    assert_eq!(marks.len(), 4);
    let claims = [
        written(1, marks[1], "the ferry runs."),
        written(2, marks[2], ""),
    ];
    let corrected = read.clone().corrected(&claims);
    assert_eq!(texts(&corrected), ["Dear Lot,", "the ferry runs.", "Karl"]);
    let line = &corrected.pages[0].blocks[0].lines[1];
    assert_eq!((line.margin, line.corners), (Some(marks[1]), None));
    assert_eq!(line.instead_of.as_deref(), Some("the fery runs."));
    // Corrected again, it is the same line.
    let again = [claims[0].clone(), written(3, marks[1], "The ferry runs.")];
    assert_eq!(texts(&read.corrected(&again))[1], "The ferry runs.");
}

#[test]
fn who_finds_places_later_loses_no_line_to_what_was_said_without_one() {
    let mark = Strip::margin(1, 1, 3).unwrap();
    let claim = written(1, mark, "the ferry runs.");
    let read = page(&[(1, "Dear Lot,"), (2, "the fery runs."), (3, "Karl")]);
    let corrected = read.corrected(std::slice::from_ref(&claim));
    assert_eq!(
        texts(&corrected),
        ["Dear Lot,", "the ferry runs.", "the fery runs.", "Karl"]
    );
    assert_eq!(Strip::margin(1, 3, 3), None);
    assert!(mark.is_margin() && !strip_of(row(1)).is_margin());
}
