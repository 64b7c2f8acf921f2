//! The glossary: the words come before the code.

use std::{fs, path::Path};

use heirloom_testing::media::repository;

/// What the design speaks of; each has an entry.
const WORDS: &[&str] = &[
    "Archive",
    "Artifact",
    "Artifact key",
    "Asset",
    "Asset location",
    "Audience",
    "Audit",
    "Blob",
    "Book",
    "Chest",
    "Claim",
    "Claim kind",
    "Collection",
    "Content hash",
    "Contribution",
    "Document",
    "EDTF date",
    "Family",
    "Fixity",
    "Interview",
    "Lease",
    "Lineage",
    "Member",
    "Memory",
    "Model",
    "Operator",
    "Original",
    "Person",
    "Pipeline",
    "Policy",
    "Production",
    "Purge",
    "Run",
    "Sandbox",
    "Scan",
    "Share link",
    "Sidecar",
    "Stack",
    "Story",
    "Subject",
    "Tool",
    "Unit",
    "Vault",
    "View",
    "Worker",
];

/// One entry: `- **Word** · field: … · code: … · what it means`, with its further lines.
struct Entry {
    word: String,
    lines: Vec<String>,
}

#[test]
fn the_glossary_has_every_word_of_the_design() {
    let words: Vec<String> = entries().into_iter().map(|entry| entry.word).collect();
    let missing: Vec<_> = WORDS
        .iter()
        .filter(|word| !words.iter().any(|w| w == **word))
        .collect();
    assert!(
        missing.is_empty(),
        "docs/glossary.md does not explain {missing:?}"
    );
}

#[test]
fn the_glossary_is_in_alphabetical_order_and_has_each_word_once() {
    let words: Vec<String> = entries()
        .into_iter()
        .map(|entry| entry.word.to_lowercase())
        .collect();
    let mut sorted = words.clone();
    sorted.sort();
    sorted.dedup();
    assert_eq!(words, sorted);
}

#[test]
fn an_entry_of_the_glossary_is_short_and_names_field_and_code() {
    for Entry { word, lines } in entries() {
        assert!(lines.len() <= 3, "{word} takes {} lines", lines.len());
        let text = lines.join(" ");
        for part in [" · field: ", " · code: "] {
            assert!(text.contains(part), "{word} has no `{part}`");
        }
        assert!(
            lines.iter().all(|line| line.len() <= 200),
            "a line of {word} is too long"
        );
    }
}

#[test]
fn what_the_glossary_calls_code_is_in_the_code() {
    let code: Vec<String> = sources(&repository().join("crates"));
    for Entry { word, lines } in entries() {
        let text = lines.join(" ");
        let names = text.split(" · code: ").nth(1).unwrap();
        let names = names.split(" · ").next().unwrap();
        for name in names.split('`').skip(1).step_by(2) {
            let known = code.iter().any(|text| contains_word(text, name));
            assert!(known, "{word}: no code has the name {name}");
        }
    }
}

/// The sources of every crate but this one, which only tests.
fn sources(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap()) {
        let (path, name) = (entry.path(), entry.file_name());
        if path.is_dir() && name != "heirloom-testing" {
            found.extend(sources(&path));
        } else if [".rs", ".sql"]
            .iter()
            .any(|end| name.to_string_lossy().ends_with(end))
        {
            found.push(fs::read_to_string(path).unwrap());
        }
    }
    found
}

fn contains_word(text: &str, word: &str) -> bool {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

fn entries() -> Vec<Entry> {
    let text = fs::read_to_string(repository().join("docs/glossary.md")).unwrap();
    let mut entries: Vec<Entry> = Vec::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("- **") {
            let word = rest.split("**").next().unwrap_or_default().to_owned();
            entries.push(Entry {
                word,
                lines: vec![line.to_owned()],
            });
        } else if line.starts_with("  ") {
            let entry = entries.last_mut().expect("a further line follows an entry");
            entry.lines.push(line.to_owned());
        }
    }
    entries
}
