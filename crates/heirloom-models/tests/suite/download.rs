//! Models that come over HTTP, from servers as they are.

use std::{collections::BTreeMap, fs};

use heirloom_models::{Mirror, ModelError};
use heirloom_testing::files::Manners;
use tokio_util::sync::CancellationToken;

use crate::harness::Home;

#[tokio::test]
async fn a_model_comes_whole_and_is_not_fetched_again() {
    let home = Home::with(Manners::Good);
    home.assert_missing();
    home.pull().await.unwrap();
    home.assert_here();
    home.pull().await.unwrap();
    assert_eq!(home.server.asked().len(), 1);
}

#[tokio::test]
async fn a_server_that_breaks_off_is_asked_for_the_rest() {
    let home = Home::with(Manners::BreaksOff(100_000));
    home.pull().await.unwrap();
    home.assert_here();
    let from: Vec<_> = home.server.asked().iter().map(|(_, from)| *from).collect();
    assert_eq!(from.len(), 7, "{from:?}");
    assert!(from.is_sorted_by(|one, next| one < next), "{from:?}");
}

#[tokio::test]
async fn a_server_without_ranges_gives_everything_again() {
    let home = Home::with(Manners::Stalls(300_000));
    let cancel = CancellationToken::new();
    let pulling = home.pull_with(None, BTreeMap::new(), cancel.clone());
    let stopping = async {
        until(|| size_of_parts(&home) >= 300_000).await;
        cancel.cancel();
    };
    let (pulled, ()) = tokio::join!(pulling, stopping);
    assert!(matches!(pulled, Err(ModelError::Cancelled)), "{pulled:?}");
    home.assert_missing();
    home.server
        .put("/model.bin", &home.bytes, Manners::NoRanges);
    home.pull().await.unwrap();
    home.assert_here();
    assert_eq!(
        home.server.asked()[1].1,
        300_000,
        "it was asked for the rest"
    );
}

#[tokio::test]
async fn what_came_before_a_stop_is_not_fetched_again() {
    let home = Home::with(Manners::Stalls(300_000));
    let cancel = CancellationToken::new();
    let pulling = home.pull_with(None, BTreeMap::new(), cancel.clone());
    let stopping = async {
        until(|| size_of_parts(&home) >= 300_000).await;
        cancel.cancel();
    };
    let (pulled, ()) = tokio::join!(pulling, stopping);
    assert!(matches!(pulled, Err(ModelError::Cancelled)), "{pulled:?}");
    home.server.put("/model.bin", &home.bytes, Manners::Good);
    home.pull().await.unwrap();
    home.assert_here();
    let from: Vec<_> = home.server.asked().iter().map(|(_, from)| *from).collect();
    assert_eq!(from, [0, 300_000]);
}

#[tokio::test]
async fn what_came_of_another_file_is_thrown_away_and_fetched_anew() {
    let home = Home::with(Manners::Good);
    let parts = home.store.folder().join(".parts/mine");
    fs::create_dir_all(&parts).unwrap();
    fs::write(parts.join("model.bin.source.0.partial"), vec![7; 5_000]).unwrap();
    home.pull().await.unwrap();
    home.assert_here();
    let from: Vec<_> = home.server.asked().iter().map(|(_, from)| *from).collect();
    assert_eq!(from, [5_000, 0]);
}

#[tokio::test]
async fn a_server_that_is_busy_is_asked_again() {
    for status in [429, 500, 502, 503] {
        let home = Home::with(Manners::Late(status, 3));
        home.pull().await.unwrap();
        home.assert_here();
        assert_eq!(home.server.asked().len(), 4, "{status}");
    }
}

#[tokio::test]
async fn a_server_that_never_has_it_is_named_with_what_it_said() {
    for (status, times) in [(404, 1), (403, 1), (410, 1), (503, 5)] {
        let home = Home::with(Manners::Never(status));
        let error = home.pull().await.unwrap_err();
        let why = error.to_string();
        assert!(why.contains(&status.to_string()), "{why}");
        assert!(why.contains(&home.server.url("/model.bin")), "{why}");
        assert!(error.hint().unwrap().contains("heirloom models add mine"));
        assert_eq!(home.server.asked().len(), times, "{status}");
        home.assert_missing();
    }
}

#[tokio::test]
async fn a_file_that_moved_is_followed_and_one_that_moves_forever_is_not() {
    let home = Home::with(Manners::Moved("/elsewhere".to_owned()));
    home.server.put("/elsewhere", &home.bytes, Manners::Good);
    home.pull().await.unwrap();
    home.assert_here();

    let home = Home::with(Manners::Moved("/model.bin".to_owned()));
    let why = home.pull().await.unwrap_err().to_string();
    assert!(why.contains("redirect"), "{why}");
    home.assert_missing();
}

#[tokio::test]
async fn wrong_bytes_are_refused_and_removed_with_both_hashes_said() {
    let home = Home::with(Manners::Good);
    let mut wrong = home.bytes.clone();
    wrong[350_000] ^= 1;
    let truncated = &home.bytes[..home.bytes.len() - 1];
    for bytes in [&wrong[..], truncated, b"<html>Not found</html>"] {
        home.server.put("/model.bin", bytes, Manners::Good);
        let why = home.pull().await.unwrap_err().to_string();
        for hash in [
            crate::harness::sha256(bytes),
            crate::harness::sha256(&home.bytes),
        ] {
            assert!(why.contains(&hash), "{why}");
        }
        home.assert_missing();
        assert_eq!(size_of_parts(&home), 0);
    }
    home.server.put("/model.bin", &home.bytes, Manners::Good);
    home.pull().await.unwrap();
    home.assert_here();
}

#[tokio::test]
async fn a_mirror_is_asked_first_and_need_not_have_everything() {
    let home = Home::with(Manners::Good);
    home.server
        .put("/mirror/mine/model.bin", &home.bytes, Manners::Good);
    let mirror: Mirror = home.server.url("/mirror/").parse().unwrap();
    let pull = |mirror| home.pull_with(Some(mirror), BTreeMap::new(), CancellationToken::new());
    pull(mirror.clone()).await.unwrap();
    home.assert_here();
    assert_eq!(
        home.server.asked(),
        [("/mirror/mine/model.bin".to_owned(), 0)]
    );

    // A mirror that has it not, and one that has something else.
    for bytes in [None, Some(b"something else")] {
        home.store.remove("mine").unwrap();
        home.note("mine", &home.server.url("/model.bin"), &home.bytes);
        let folder = home.folder.path().join("mirror/mine");
        fs::create_dir_all(&folder).unwrap();
        if let Some(bytes) = bytes {
            fs::write(folder.join("model.bin"), bytes).unwrap();
        }
        pull(Mirror::Folder(home.folder.path().join("mirror")))
            .await
            .unwrap();
        home.assert_here();
    }
    assert_eq!(home.server.asked().len(), 3);
}

#[tokio::test]
async fn two_pulls_at_once_fetch_it_once() {
    let home = Home::with(Manners::BreaksOff(50_000));
    let (one, other) = tokio::join!(home.pull(), home.pull());
    one.unwrap();
    other.unwrap();
    home.assert_here();
    let mut from: Vec<_> = home.server.asked().iter().map(|(_, from)| *from).collect();
    let asked = from.len();
    from.dedup();
    assert_eq!(from.len(), asked, "nothing was fetched twice: {from:?}");
}

/// Bytes that came and are not at their place.
fn size_of_parts(home: &Home) -> u64 {
    let entries = fs::read_dir(home.store.folder().join(".parts/mine"));
    let entries = entries.into_iter().flatten().flatten();
    entries
        .map(|entry| entry.metadata().map_or(0, |found| found.len()))
        .sum()
}

async fn until(mut is_so: impl FnMut() -> bool) {
    while !is_so() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}
