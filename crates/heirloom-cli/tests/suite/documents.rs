//! The documents say what the program does.

use std::fs;

use heirloom_testing::media::repository;

use crate::harness::{Home, program};

const BEGIN: &str = "<!-- commands: written by a test from the command line itself -->\n";
const END: &str = "<!-- end of commands -->\n";

#[test]
fn the_document_of_the_command_line_lists_what_can_be_typed() {
    let file = repository().join("docs/cli.md");
    let text = fs::read_to_string(&file).unwrap();
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let commands = heirloom_cli::render_commands();
    let wanted = format!("{before}{BEGIN}\n{commands}{END}{after}");
    if text != wanted {
        fs::write(&file, wanted).unwrap();
        panic!(
            "docs/cli.md was not up to date and has been written anew: look at the difference and commit it"
        );
    }
}

#[test]
fn every_example_of_a_search_does_what_the_document_says() {
    let text = fs::read_to_string(repository().join("docs/search.md")).unwrap();
    let (understood, refused) = text.split_once("## What is refused").unwrap();
    // What stands in the first column, and searches that the second one writes out.
    let examples = |text: &str| -> Vec<String> {
        let rows = text.lines().filter_map(|line| line.strip_prefix("| `"));
        let first = rows.map(|row| row.split_once("` |").unwrap().0.to_owned());
        first.collect()
    };
    let home = Home::scanned();
    home.done(["collection", "create", "Am Meer"]);
    let (understood, refused) = (examples(understood), examples(refused));
    assert!(
        understood.len() >= 35 && refused.len() >= 8,
        "{understood:?} {refused:?}"
    );
    for example in &understood {
        let found = home.json(["search", example]);
        assert_eq!(
            found["ignored"].as_array().map(Vec::len),
            Some(0),
            "{example}"
        );
        assert_ne!(found["query"], "", "{example}");
    }
    for example in &refused {
        let said = home.heirloom.run(["search", example]).expect_code(2).stderr;
        assert!(said.starts_with("error: "), "{example}: {said}");
    }
    // A document of fields that lacks one is of no use.
    let said = home.refused(["search", "nosuch:field"]);
    let (_, fields) = said.split_once("ields are ").unwrap();
    let fields = fields.split(';').next().unwrap().split(' ');
    for field in fields {
        assert!(
            text.contains(&format!("`{field}")),
            "docs/search.md lacks {field}"
        );
    }
}

#[test]
fn the_json_of_every_command_is_documented() {
    let text = fs::read_to_string(repository().join("docs/cli.md")).unwrap();
    let commands = heirloom_cli::render_commands();
    let names = commands
        .lines()
        .filter_map(|line| line.strip_prefix("### `heirloom "))
        .map(|usage| {
            let words = usage
                .split(' ')
                .take_while(|word| word.starts_with(|c: char| c.is_ascii_lowercase()));
            words.collect::<Vec<_>>().join(" ")
        });
    let mut count = 0;
    for name in names.filter(|name| name != "completions") {
        count += 1;
        let row = format!("| `{name}` |");
        assert!(
            text.contains(&row),
            "docs/cli.md does not say what `{name} --json` prints"
        );
    }
    assert!(count >= 20, "{count}");
}

#[test]
fn help_is_there_for_every_command_and_fits_a_terminal() {
    for arguments in [
        &["--help"][..],
        &["scan", "--help"],
        &["asset", "--help"],
        &["claim", "make", "--help"],
        &["help", "search"],
        &["--version"],
    ] {
        let finished = program().run(arguments.iter()).expect_code(0);
        assert!(!finished.stdout.is_empty());
        for line in finished.stdout.lines() {
            assert!(line.chars().count() <= 100, "{line}");
        }
    }
}
