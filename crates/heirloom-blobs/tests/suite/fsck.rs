//! A check finds everything that is wrong, and changes nothing unless it is asked to.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs,
    os::unix::{ffi::OsStringExt, fs::symlink},
    path::{Path, PathBuf},
};

use heirloom_blobs::{
    BlobStore, ExpectedBlob, Finding, FsckDepth, FsckError, FsckEvent, FsckOptions, FsckReport,
    StrayKind, fsck, hash_of, pages_of,
};
use heirloom_core::ContentHash;

use crate::harness::{InFolder, InMemory, Subject, bytes_of, read};

const LOOK: FsckOptions = FsckOptions {
    depth: FsckDepth::Bytes,
    is_setting_aside: false,
};
const GLANCE: FsckOptions = FsckOptions {
    depth: FsckDepth::Lengths,
    is_setting_aside: false,
};
const SET_ASIDE: FsckOptions = FsckOptions {
    depth: FsckDepth::Bytes,
    is_setting_aside: true,
};

/// Findings in a few words each.
async fn check(
    store: &dyn BlobStore,
    options: FsckOptions,
    expected: &[ExpectedBlob],
) -> (FsckReport, Vec<String>) {
    let mut findings = Vec::new();
    let pages = pages_of::<std::io::Error>(expected.iter().copied());
    let observe = |event: FsckEvent<'_>| {
        if let FsckEvent::Found(finding) = event {
            findings.push(words(finding));
        }
    };
    let report = fsck(store, options, pages, observe).await.unwrap();
    findings.sort();
    (report, findings)
}

fn words(finding: &Finding) -> String {
    match finding {
        Finding::Missing(blob) => format!("missing {}", blob.hash),
        Finding::Damaged {
            blob,
            is_set_aside: false,
        } => format!("damaged {}", blob.hash),
        Finding::Damaged {
            blob,
            is_set_aside: true,
        } => format!("set aside {}", blob.hash),
        Finding::LengthDiffers {
            blob,
            expected_bytes,
        } => {
            format!(
                "{} not {expected_bytes} bytes {}",
                blob.size_bytes, blob.hash
            )
        }
        Finding::Unreadable { blob, error } => format!("unreadable {}: {error}", blob.hash),
        Finding::Archived(blob) => format!("archived {}", blob.hash),
        Finding::Unreferenced(blob) => format!("unreferenced {}", blob.hash),
        Finding::Stray {
            stray,
            is_set_aside,
        } => {
            let kind = match stray.kind {
                StrayKind::Misnamed => "misnamed",
                StrayKind::Misplaced => "misplaced",
                StrayKind::NotAFile => "not a file",
            };
            let aside = if *is_set_aside { ", set aside" } else { "" };
            format!("stray {:?}: {kind}{aside}", stray.path)
        }
    }
}

async fn put(subject: &impl Subject, seed: u64, length: usize) -> ExpectedBlob {
    let put = subject
        .store()
        .put_bytes(bytes_of(seed, length))
        .await
        .unwrap();
    ExpectedBlob {
        hash: put.hash,
        size_bytes: put.size_bytes,
    }
}

/// Every path below a folder with what is there.
fn tree(root: &Path) -> BTreeMap<PathBuf, String> {
    let mut seen = BTreeMap::new();
    let mut open = vec![root.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let (path, kind) = (entry.path(), entry.file_type().unwrap());
            let metadata = fs::symlink_metadata(&path).unwrap();
            let content = if kind.is_file() {
                fs::read(&path).unwrap()
            } else {
                Vec::new()
            };
            let modified = metadata.modified().unwrap();
            if kind.is_dir() {
                open.push(path.clone());
                // Opening a lock file may make it; what counts is what is in the folder.
                seen.insert(path, "folder".to_owned());
            } else {
                seen.insert(path, format!("{kind:?} {modified:?} {}", hash_of(&content)));
            }
        }
    }
    seen
}

#[tokio::test]
async fn every_flipped_cut_missing_and_stray_object_is_found() {
    let subject = InFolder::new();
    let root = subject.store.root().to_owned();
    let mut expected = Vec::new();
    for seed in 0..40 {
        expected.push(put(&subject, seed, 1 + seed as usize * 20_000).await);
    }
    let garbage = put(&subject, 100, 77).await;
    let damaged_garbage = put(&subject, 101, 78).await;
    let (sound, sound_findings) = check(&subject.store, LOOK, &expected).await;
    assert!(sound.is_sound());
    assert_eq!(
        (sound.blobs, sound.unreferenced, sound.unreferenced_bytes),
        (42, 2, 155)
    );
    assert_eq!(
        sound.bytes,
        expected.iter().map(|blob| blob.size_bytes).sum::<u64>() + 155
    );
    assert_eq!(sound_findings.len(), 2);

    let mut wanted = vec![format!("unreferenced {}", garbage.hash)];
    let mut damage = |hash: ContentHash, change: &mut dyn FnMut(&mut Vec<u8>)| {
        subject.tamper(hash, change);
        wanted.push(format!("damaged {hash}"));
    };
    damage(expected[1].hash, &mut |bytes| bytes[20_000] ^= 1);
    damage(expected[30].hash, &mut |bytes| bytes[0] ^= 128);
    damage(expected[2].hash, &mut |bytes| bytes.truncate(5));
    damage(expected[3].hash, &mut |bytes| bytes.clear());
    damage(expected[4].hash, &mut |bytes| bytes.push(0));
    damage(damaged_garbage.hash, &mut |bytes| bytes[3] ^= 1);
    for n in [0, 17, 39] {
        fs::remove_file(subject.path(expected[n].hash)).unwrap();
        wanted.push(format!("missing {}", expected[n].hash));
    }
    expected[20].size_bytes += 1;
    wanted.push(format!("400001 not 400002 bytes {}", expected[20].hash));

    let name = expected[8].hash.to_string();
    let other_shard = if name.starts_with("00") { "01" } else { "00" };
    let not_utf8 = OsString::from_vec(b"ab/caf\xe9".to_vec());
    for (path, kind) in [
        (PathBuf::from("ab/holiday.jpg"), "misnamed"),
        (PathBuf::from("ab").join(name.to_uppercase()), "misnamed"),
        (PathBuf::from("ab").join(&name[1..]), "misnamed"),
        (PathBuf::from(not_utf8), "misnamed"),
        (PathBuf::from("thumbs.db"), "misnamed"),
        (PathBuf::from(other_shard).join(&name), "misplaced"),
        (PathBuf::from(&name), "misplaced"),
    ] {
        fs::copy(subject.path(expected[8].hash), root.join(&path)).unwrap();
        wanted.push(format!("stray {path:?}: {kind}"));
    }
    let link = blob_place(hash_of(b"a link"));
    symlink(subject.path(expected[8].hash), root.join(&link)).unwrap();
    let folder = blob_place(hash_of(b"a folder"));
    fs::create_dir(root.join(&folder)).unwrap();
    fs::write(root.join(&folder).join("inner"), "x").unwrap();
    let at_the_top = PathBuf::from("backup");
    fs::create_dir(root.join(&at_the_top)).unwrap();
    for path in [&link, &folder, &at_the_top] {
        wanted.push(format!("stray {path:?}: not a file"));
    }
    wanted.sort();

    let before = tree(&root);
    let (report, findings) = check(&subject.store, LOOK, &expected).await;
    assert_eq!(findings, wanted);
    assert_eq!(tree(&root), before, "a check changes nothing");
    assert!(!report.is_sound());
    assert_eq!(
        (report.damaged, report.missing, report.length_differs),
        (6, 3, 1)
    );
    assert_eq!(
        (report.strays, report.unreferenced, report.unreadable),
        (10, 1, 0)
    );

    // When asked, everything wrong goes to quarantine with its bytes; nothing is lost.
    let contents = |tree: &BTreeMap<PathBuf, String>| {
        let mut all: Vec<_> = tree
            .values()
            .filter(|what| *what != "folder")
            .cloned()
            .collect();
        all.sort();
        all
    };
    let (_, findings) = check(&subject.store, SET_ASIDE, &expected).await;
    assert_eq!(
        findings
            .iter()
            .filter(|finding| finding.contains("set aside"))
            .count(),
        16
    );
    let after = tree(&root);
    let is_lock = |path: &&PathBuf| path.starts_with(root.join("locks"));
    let without_locks = |tree: BTreeMap<PathBuf, String>| -> BTreeMap<_, _> {
        tree.into_iter()
            .filter(|(path, _)| !is_lock(&path))
            .collect()
    };
    assert_eq!(
        contents(&without_locks(after)),
        contents(&without_locks(before))
    );
    let (report, findings) = check(&subject.store, LOOK, &expected).await;
    assert_eq!(
        (report.missing, report.damaged, report.strays),
        (8, 0, 0),
        "{findings:?}"
    );
    for n in [8, 20, 35] {
        let bytes = read(&subject.store, expected[n].hash).await.unwrap();
        assert_eq!(hash_of(&bytes), expected[n].hash);
    }
}

fn blob_place(hash: ContentHash) -> PathBuf {
    let name = hash.to_string();
    PathBuf::from(&name[..2]).join(name)
}

#[tokio::test]
async fn a_glance_sees_lengths_and_reads_nothing() {
    let subject = InMemory::new();
    let flipped = put(&subject, 1, 5_000).await;
    let cut = put(&subject, 2, 5_000).await;
    subject.tamper(flipped.hash, &mut |bytes| bytes[0] ^= 1);
    subject.tamper(cut.hash, &mut |bytes| bytes.truncate(4_999));
    let (report, findings) = check(subject.store(), GLANCE, &[flipped, cut]).await;
    assert_eq!(findings, [format!("4999 not 5000 bytes {}", cut.hash)]);
    assert_eq!((report.blobs, report.bytes), (2, 0));
    let (report, _) = check(subject.store(), LOOK, &[flipped, cut]).await;
    assert_eq!((report.damaged, report.length_differs), (2, 0));
}

#[tokio::test]
async fn expected_blobs_come_page_by_page_in_order() {
    let subject = InMemory::new();
    let mut expected = Vec::new();
    for seed in 0..25 {
        expected.push(put(&subject, seed, 10).await);
    }
    expected.sort_by_key(|blob| blob.hash);
    let asked = std::cell::RefCell::new(Vec::new());
    let pages = |after: Option<ContentHash>| {
        asked.borrow_mut().push(after);
        let rest = expected
            .iter()
            .copied()
            .filter(move |blob| after.is_none_or(|a| blob.hash > a));
        let page: Vec<_> = rest.take(10).collect();
        async move { Ok::<_, std::io::Error>(page) }
    };
    let report = fsck(subject.store(), LOOK, pages, |_| {}).await.unwrap();
    assert!(report.is_sound());
    assert_eq!((report.blobs, report.unreferenced), (25, 0));
    let lasts = [9, 19, 24].map(|n| Some(expected[n].hash));
    assert_eq!(asked.borrow()[0], None);
    assert_eq!(asked.borrow()[1..], lasts);

    let backwards = |_| {
        let page = expected.iter().rev().copied().collect();
        async move { Ok::<_, std::io::Error>(page) }
    };
    let error = fsck(subject.store(), LOOK, backwards, |_| {})
        .await
        .unwrap_err();
    assert!(matches!(error, FsckError::Unsorted));
    let failing = |_| async { Err(std::io::Error::other("the database is gone")) };
    let error = fsck(subject.store(), LOOK, failing, |_| {})
        .await
        .unwrap_err();
    assert!(matches!(error, FsckError::Expected(_)));
}

#[tokio::test]
async fn progress_comes_while_a_large_blob_is_read() {
    let subject = InFolder::new();
    let large = put(&subject, 1, 5_000_000).await;
    let mut seen = Vec::new();
    let pages = pages_of::<std::io::Error>([large]);
    let observe = |event: FsckEvent<'_>| {
        if let FsckEvent::Progress { blobs, bytes } = event {
            seen.push((blobs, bytes));
        }
    };
    fsck(&subject.store, LOOK, pages, observe).await.unwrap();
    assert!(seen.len() > 10 && seen.is_sorted(), "{seen:?}");
    assert_eq!(seen.last(), Some(&(1, 5_000_000)));
}
