//! Opening a data folder: what is refused, and that nothing is changed then.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use heirloom_server::{
    Code, IpfsSettings, Library, LibraryConfig, ModelsConfig, Problem, StoreConfig, UploadLimits,
};
use heirloom_testing::{TreeSnapshot, postgres};

fn config(folder: &Path) -> LibraryConfig {
    LibraryConfig {
        folder: folder.to_owned(),
        database: None,
        is_creating: true,
        confined_program: None,
        uploads: UploadLimits::default(),
        store: StoreConfig::default(),
        ipfs: IpfsSettings::default(),
        models: ModelsConfig::default(),
    }
}

async fn refusal(config: &LibraryConfig) -> Problem {
    Library::open(config).await.expect_err("it was opened")
}

#[tokio::test]
async fn a_new_data_folder_is_its_owners_alone() {
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path().join("a/b");
    let library = Library::open(&config(&folder)).await.unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    assert_eq!(mode(&folder.join("lock")), 0o600);
    library.close().await;
}

#[tokio::test]
async fn one_process_has_a_data_folder_at_a_time() {
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path().join("data");
    let library = Library::open(&config(&folder)).await.unwrap();
    let problem = refusal(&config(&folder)).await;
    assert_eq!(problem.code(), Code::InUse);
    let process = format!("in use by process {}", std::process::id());
    assert!(problem.to_string().contains(&process), "{problem}");
    assert!(problem.get_hint().is_some());
    library.close().await;
    drop(library);
    Library::open(&config(&folder)).await.unwrap().close().await;
}

#[tokio::test]
async fn a_folder_with_other_things_in_it_is_no_library() {
    let temp = tempfile::tempdir().unwrap();
    fs::write(temp.path().join("letter.txt"), "Lieber Karl").unwrap();
    let before = TreeSnapshot::of(temp.path());
    let problem = refusal(&config(temp.path())).await;
    assert_eq!(problem.code(), Code::NotALibrary);
    before.assert_same(&TreeSnapshot::of(temp.path()));
    let file = temp.path().join("letter.txt");
    assert_eq!(refusal(&config(&file)).await.code(), Code::NotALibrary);
    before.assert_same(&TreeSnapshot::of(temp.path()));
}

#[tokio::test]
async fn nothing_is_made_where_a_library_is_only_asked_for() {
    let temp = tempfile::tempdir().unwrap();
    let before = TreeSnapshot::of(temp.path());
    let asking = LibraryConfig {
        is_creating: false,
        ..config(&temp.path().join("typo"))
    };
    let problem = refusal(&asking).await;
    assert_eq!(problem.code(), Code::NoLibrary);
    assert!(problem.get_hint().is_some());
    before.assert_same(&TreeSnapshot::of(temp.path()));
}

#[tokio::test]
async fn a_folder_made_for_a_library_that_cannot_be_goes_again() {
    let temp = tempfile::tempdir().unwrap();
    let before = TreeSnapshot::of(temp.path()).len();
    let elsewhere = LibraryConfig {
        database: Some("postgres://nobody@127.0.0.1:1/none".to_owned()),
        ..config(&temp.path().join("a/b/c"))
    };
    assert_eq!(refusal(&elsewhere).await.code(), Code::Unavailable);
    assert_eq!(TreeSnapshot::of(temp.path()).len(), before);
}

#[tokio::test]
async fn a_damaged_catalogue_is_refused_and_left_as_it_is() {
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path().join("data");
    Library::open(&config(&folder)).await.unwrap().close().await;
    fs::write(folder.join("catalogue.db"), "this is no database at all").unwrap();
    let bytes = fs::read(folder.join("catalogue.db")).unwrap();
    let problem = refusal(&config(&folder)).await;
    assert_eq!(problem.code(), Code::Damaged, "{problem}");
    assert!(problem.to_string().contains("catalogue.db"), "{problem}");
    assert!(
        problem
            .get_hint()
            .is_some_and(|hint| hint.contains("riginals"))
    );
    assert_eq!(fs::read(folder.join("catalogue.db")).unwrap(), bytes);
}

#[tokio::test]
async fn a_database_without_the_catalogue_of_the_folder_is_left_empty() {
    let temp = tempfile::tempdir().unwrap();
    let on = |database: &postgres::TestDatabase, is_creating| LibraryConfig {
        database: Some(database.url.clone()),
        is_creating,
        uploads: UploadLimits::default(),
        ..config(&temp.path().join("data"))
    };
    let (own, other) = (postgres::database(), postgres::database());
    Library::open(&on(&own, true)).await.unwrap().close().await;
    for is_creating in [true, false] {
        let problem = refusal(&on(&other, is_creating)).await;
        assert_eq!(problem.code(), Code::Damaged, "{problem}");
        assert!(problem.to_string().contains("no catalogue"), "{problem}");
    }
    // Nor is the file taken for the catalogue that never was one.
    let problem = refusal(&config(&temp.path().join("data"))).await;
    assert_eq!(problem.code(), Code::Damaged, "{problem}");
    let tables = "SELECT COUNT(*) FROM pg_tables WHERE schemaname = current_schema()";
    assert_eq!(other.sql(tables).trim(), "0");
    Library::open(&on(&own, false)).await.unwrap().close().await;
}

#[tokio::test]
async fn a_blob_store_of_a_newer_version_is_refused() {
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path().join("data");
    Library::open(&config(&folder)).await.unwrap().close().await;
    let layout = fs::read_dir(folder.join("blobs"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.is_file())
        .unwrap();
    fs::write(layout, "blobs 99\n").unwrap();
    let problem = refusal(&config(&folder)).await;
    assert_eq!(problem.code(), Code::NewerVersion, "{problem}");
}
