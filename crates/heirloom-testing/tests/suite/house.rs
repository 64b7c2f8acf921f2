//! What a reviewer would say twice.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use heirloom_testing::media::repository;

/// Source files over 600 lines, each with the reason why it is not two files.
const LONG: &[(&str, &str)] = &[(
    "web/src/lib/api/schema.d.ts",
    "it is generated from the description of the API",
)];

const LONGEST_LINES: usize = 600;

/// Names that say nothing: a file that has one has two jobs or none.
const EMPTY_NAMES: &[&str] = &[
    "util",
    "utils",
    "helper",
    "helpers",
    "manager",
    "service",
    "common",
    "base",
    "misc",
    "processor",
    "data",
    "info",
    "impl",
];

/// Written in pieces, so that this file does not break its own rule.
const MACHINE_PATHS: &[&str] = &[
    concat!("/wo", "rk/"),
    concat!("/fa", "rm/"),
    concat!("/ro", "ot/"),
    concat!("/Us", "ers/"),
];

const REGISTRY_HOSTS: &[&str] = &[
    concat!("crates", ".io"),
    concat!("pypi", ".org"),
    concat!("pythonhosted", ".org"),
    concat!("npmjs", ".org"),
    concat!("npmjs", ".com"),
    concat!("deb.debian", ".org"),
];

#[test]
fn a_file_is_short_or_says_why_it_is_long() {
    let mut wrong = Vec::new();
    for path in sources() {
        let lines = read(&path).lines().count();
        let reason = LONG.iter().find(|(long, _)| Path::new(long) == path);
        match reason {
            None if lines > LONGEST_LINES => {
                wrong.push(format!("{} has {lines} lines", path.display()))
            }
            Some(_) if lines <= LONGEST_LINES => {
                wrong.push(format!("{} needs no excuse any more", path.display()));
            }
            _ => {}
        }
    }
    assert!(
        wrong.is_empty(),
        "split it, or give a reason in LONG:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn a_file_is_named_for_what_it_holds() {
    let empty: Vec<_> = sources()
        .into_iter()
        .filter(|path| {
            let stem = path
                .file_stem()
                .and_then(|stem| stem.to_str())
                .unwrap_or_default();
            EMPTY_NAMES.contains(&stem)
        })
        .collect();
    assert!(empty.is_empty(), "these names say nothing: {empty:?}");
}

#[test]
fn no_test_is_skipped() {
    let ignored = concat!("#[ig", "nore");
    let skipped: Vec<_> = sources()
        .into_iter()
        .filter(|path| read(path).contains(ignored))
        .collect();
    assert!(
        skipped.is_empty(),
        "a test that does not run proves nothing: {skipped:?}"
    );
}

#[test]
fn nothing_names_a_place_on_one_machine() {
    let wrong = mentions(MACHINE_PATHS, &[]);
    assert!(
        wrong.is_empty(),
        "paths that only one machine has:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn nothing_names_a_package_registry() {
    // Lock files name the index that cargo's own format prescribes.
    let wrong = mentions(REGISTRY_HOSTS, &["Cargo.lock"]);
    assert!(
        wrong.is_empty(),
        "hosts of package registries:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn every_decision_is_in_the_list_of_decisions() {
    let folder = repository().join("docs/decisions");
    let list = read(Path::new("docs/decisions/README.md"));
    let mut numbers = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        if name == "README.md" {
            continue;
        }
        let number = name
            .get(..4)
            .filter(|number| number.bytes().all(|b| b.is_ascii_digit()));
        assert!(
            number.is_some(),
            "{name} does not start with a number of four digits"
        );
        assert!(
            numbers.insert(number.map(str::to_owned)),
            "two decisions are called {number:?}"
        );
        assert!(
            list.contains(&format!("({name})")),
            "docs/decisions/README.md does not link {name}"
        );
    }
    assert!(!numbers.is_empty());
}

#[test]
fn every_command_in_the_documents_exists() {
    let help = Command::new("bash")
        .arg("dev")
        .arg("help")
        .current_dir(repository())
        .output()
        .unwrap();
    assert!(
        help.status.success(),
        "{}",
        String::from_utf8_lossy(&help.stderr)
    );
    let help = String::from_utf8(help.stdout).unwrap();
    let known: BTreeSet<&str> = help
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("./dev ")?.split(' ').next())
        .collect();
    assert!(
        known.contains("run") && known.contains("test"),
        "./dev help lists {known:?}"
    );
    let mut documents: Vec<_> = tracked()
        .into_iter()
        .filter(|path| has_extension(path, "md"))
        .collect();
    documents.push(PathBuf::from(".ci/run"));
    for document in documents {
        let text = read(&document);
        for mention in text.split("./dev ").skip(1) {
            let word: String = mention
                .chars()
                .take_while(char::is_ascii_lowercase)
                .collect();
            assert!(
                word.is_empty() || known.contains(word.as_str()),
                "{} speaks of `./dev {word}`, which does not exist",
                document.display()
            );
        }
    }
}

#[test]
fn every_link_between_documents_leads_somewhere() {
    let mut broken = Vec::new();
    for document in tracked()
        .into_iter()
        .filter(|path| has_extension(path, "md"))
    {
        let text = read(&document);
        let folder = document.parent().unwrap_or(Path::new(""));
        for link in text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            let target = link.split('#').next().unwrap_or_default();
            let is_local =
                !target.is_empty() && !link.contains("://") && !link.starts_with("mailto:");
            if is_local && !repository().join(folder).join(target).exists() {
                broken.push(format!("{}: {link}", document.display()));
            }
        }
    }
    assert!(
        broken.is_empty(),
        "links that lead nowhere:\n{}",
        broken.join("\n")
    );
}

/// `file:line: text` of each line of a tracked text file that contains one of the words.
fn mentions(words: &[&str], except: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for path in tracked() {
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        let Ok(text) = fs::read_to_string(repository().join(&path)) else {
            continue;
        };
        if except.contains(&name) {
            continue;
        }
        let lines = text.lines().enumerate();
        found.extend(
            lines
                .filter(|(_, line)| words.iter().any(|word| line.contains(word)))
                .map(|(number, line)| {
                    let line: String = line.chars().take(120).collect();
                    format!("{}:{}: {line}", path.display(), number + 1)
                }),
        );
    }
    found
}

fn sources() -> Vec<PathBuf> {
    let is_source = |path: &PathBuf| {
        !path.starts_with("testdata")
            && ["rs", "ts", "svelte", "py", "sh", "sql"]
                .iter()
                .any(|kind| has_extension(path, kind))
    };
    tracked().into_iter().filter(is_source).collect()
}

fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|found| found == extension)
}

/// The files of the repository, committed or about to be, relative to its root.
fn tracked() -> Vec<PathBuf> {
    let output = Command::new("git")
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .current_dir(repository())
        .output()
        .expect("git can be started: the rules of the house are checked on a git checkout");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let names = String::from_utf8(output.stdout).unwrap();
    let paths = names.split_terminator('\0').map(PathBuf::from);
    paths
        .filter(|path| repository().join(path).is_file())
        .collect()
}

fn read(path: &Path) -> String {
    fs::read_to_string(repository().join(path))
        .unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}
