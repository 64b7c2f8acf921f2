//! Which crate may depend on which.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

use heirloom_testing::media::repository;

/// Each crate with the crates of Heirloom that it may depend on.
const ALLOWED: &[(&str, &[&str])] = &[
    ("heirloom-core", &[]),
    ("heirloom-db", &["heirloom-core", "heirloom-sqlite"]),
    ("heirloom-sqlite", &[]),
    ("heirloom-blobs", &["heirloom-core"]),
    ("heirloom-ipfs", &["heirloom-core"]),
    ("heirloom-media", &["heirloom-core"]),
    ("heirloom-models", &["heirloom-core"]),
    (
        "heirloom-pipeline",
        &[
            "heirloom-core",
            "heirloom-db",
            "heirloom-blobs",
            "heirloom-ipfs",
            "heirloom-media",
            "heirloom-models",
        ],
    ),
    (
        "heirloom-temporal",
        &["heirloom-core", "heirloom-db", "heirloom-pipeline"],
    ),
    (
        "heirloom-server",
        &[
            "heirloom-core",
            "heirloom-db",
            "heirloom-blobs",
            "heirloom-media",
            "heirloom-models",
            "heirloom-pipeline",
        ],
    ),
    (
        "heirloom-cli",
        &[
            "heirloom-core",
            "heirloom-db",
            "heirloom-blobs",
            "heirloom-media",
            "heirloom-models",
            "heirloom-pipeline",
            "heirloom-temporal",
            "heirloom-server",
        ],
    ),
    (
        "heirloom-bench",
        &[
            "heirloom-core",
            "heirloom-db",
            "heirloom-blobs",
            "heirloom-media",
            "heirloom-models",
            "heirloom-pipeline",
            "heirloom-server",
            "heirloom-testing",
        ],
    ),
    ("heirloom-testing", &[]),
];

/// Libraries that one crate keeps to itself: name or beginning of the name, and whose it is.
const KEPT: &[(&str, &[&str], &str)] = &[
    ("sqlx", &["heirloom-db"], "only db knows SQL"),
    (
        "libsqlite3-sys",
        &["heirloom-sqlite"],
        "there is one SQLite",
    ),
    ("rusqlite", &[], "there is one SQLite, and sqlx brings it"),
    ("axum", &["heirloom-server"], "only the server speaks HTTP"),
    (
        "tower-http",
        &["heirloom-server"],
        "only the server speaks HTTP",
    ),
    (
        "utoipa",
        &["heirloom-server"],
        "only the server describes its API",
    ),
    (
        "clap",
        &["heirloom-cli"],
        "only the binary has a command line",
    ),
    (
        "temporalio",
        &["heirloom-temporal"],
        "the second engine is a crate of its own",
    ),
];

/// What core must not be able to do: reach a disk, a clock, a thread pool or chance.
const IMPURE: &[&str] = &[
    "tokio",
    "rand",
    "getrandom",
    "jiff",
    "tempfile",
    "rustix",
    "sqlx",
    "reqwest",
];

/// One line of a crate's dependency tables.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Edge {
    to: String,
    is_dev: bool,
}

#[test]
fn crates_depend_only_along_the_allowed_edges() {
    let allowed: BTreeMap<&str, &[&str]> = ALLOWED.iter().copied().collect();
    let mut wrong = Vec::new();
    for (from, edges) in &crates() {
        let Some(targets) = allowed.get(from.as_str()) else {
            wrong.push(format!("{from} has no place in the list of allowed edges"));
            continue;
        };
        for edge in edges.iter().filter(|edge| edge.to.starts_with("heirloom-")) {
            let for_tests = edge.is_dev && edge.to == "heirloom-testing";
            if !for_tests && !targets.contains(&edge.to.as_str()) {
                wrong.push(format!("{from} depends on {}", edge.to));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "edges that the architecture does not have:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn a_folder_of_a_crate_has_its_name() {
    for name in crates().keys() {
        let manifest = repository().join("crates").join(name).join("Cargo.toml");
        assert!(manifest.exists(), "crate {name} is not in crates/{name}");
    }
}

#[test]
fn libraries_stay_in_the_crates_that_own_them() {
    let mut wrong = Vec::new();
    for (from, edges) in &crates() {
        for (library, owners, reason) in KEPT {
            let used = edges
                .iter()
                .any(|edge| edge.to == *library || edge.to.starts_with(&format!("{library}-")));
            if used && !owners.contains(&from.as_str()) {
                wrong.push(format!("{from} depends on {library}: {reason}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn core_is_pure() {
    let crates = crates();
    let core = &crates["heirloom-core"];
    let impure: Vec<_> = core
        .iter()
        .filter(|edge| !edge.is_dev && IMPURE.contains(&edge.to.as_str()))
        .map(|edge| edge.to.as_str())
        .collect();
    assert_eq!(
        impure,
        Vec::<&str>::new(),
        "core takes time, bytes and seeds as arguments"
    );
}

/// Every crate of the workspace with its direct dependencies.
fn crates() -> BTreeMap<String, BTreeSet<Edge>> {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ])
        .current_dir(repository())
        .output()
        .expect("cargo can be started");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let packages = metadata["packages"].as_array().expect("a list of packages");
    packages
        .iter()
        .map(|package| {
            let dependencies = package["dependencies"]
                .as_array()
                .expect("a list of dependencies");
            let edges = dependencies.iter().map(|dependency| Edge {
                to: dependency["name"].as_str().expect("a name").to_owned(),
                is_dev: dependency["kind"] == "dev",
            });
            (
                package["name"].as_str().expect("a name").to_owned(),
                edges.collect(),
            )
        })
        .collect()
}
