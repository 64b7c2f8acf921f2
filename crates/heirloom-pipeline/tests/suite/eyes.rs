//! Documents of which a page ends the process that reads it.

use std::io::Write as _;

use heirloom_models::Store;
use heirloom_pipeline::{
    confinement::Confinement,
    reading::{Eyes, Outcome, read},
    understand::UnderstandError,
};
use heirloom_testing::models;
use tokio_util::sync::CancellationToken;

/// Reads a document of so many pages, of which some end the process that looks at them.
async fn read_document(pages: u32, deadly: &[u32]) -> Result<Outcome, UnderstandError> {
    let deadly: Vec<String> = deadly.iter().map(u32::to_string).collect();
    let mut file = tempfile::tempfile().unwrap();
    write!(file, "%PDF-1.4 pages={pages} deadly={} ", deadly.join(",")).unwrap();
    let confinement = Confinement::through(env!("CARGO_BIN_EXE_confined-for-tests"));
    let eyes = Eyes::open(&confinement, &Store::open(models::folder()), 1).unwrap();
    let cancelled = CancellationToken::new();
    read(&eyes, &mut file, "letters.pdf", &cancelled, |_| {}).await
}

fn numbers(outcome: &Outcome) -> Vec<u32> {
    let pages = outcome.reading.pages.iter();
    pages.filter_map(|page| page.page).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_ends_its_process_costs_no_other() {
    let outcome = read_document(6, &[1, 4]).await.unwrap();
    assert_eq!(numbers(&outcome), [2, 3, 5, 6]);
    assert_eq!(outcome.problems.len(), 2, "{:?}", outcome.problems);
    for (problem, page) in outcome.problems.iter().zip([1, 4]) {
        let said =
            format!("Page {page} was left out: the program that reads this file crashed on it");
        assert!(problem.starts_with(&said), "{problem}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_ends_process_after_process_is_given_up_and_what_was_read_stays() {
    let outcome = read_document(20, &[2, 4, 6, 8, 10, 12]).await.unwrap();
    assert_eq!(numbers(&outcome), [1, 3, 5, 7]);
    let last = outcome.problems.last().unwrap();
    assert_eq!(last, "Pages from page 9 on were not read.");
    let error = read_document(1, &[1]).await.unwrap_err();
    assert!(error.to_string().contains("crashed on it"), "{error}");
}
