//! Whatever is done to a store, it answers as the simplest possible store would.

use std::collections::BTreeMap;

use bytes::Bytes;
use heirloom_blobs::{
    BlobError, Deletion, ExpectedBlob, FolderStore, FsckDepth, FsckOptions, fsck, hash_of, pages_of,
};
use heirloom_core::ContentHash;
use proptest::prelude::*;

use crate::harness::{InFolder, InMemory, Subject, bytes_of, list, names_in, read};

#[derive(Debug, Clone)]
enum Step {
    Put(usize),
    PutBytes(usize),
    PutMany(Vec<usize>),
    PutMismatched(usize),
    Renew(usize),
    Read(usize),
    ReadRange(usize, u64, u64),
    Delete(usize),
    DeleteOld(usize),
    DeleteYoung(usize),
    Flip(usize, usize),
    SetAside(usize),
    List(usize),
    Fsck,
    Reopen,
}

const BLOBS: usize = 6;

fn blob(n: usize) -> Bytes {
    bytes_of(n as u64, [0, 1, 300, 70_000, 262_144, 1_200_000][n])
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let n = || 0..BLOBS;
    let step = prop_oneof![
        3 => n().prop_map(Step::Put),
        3 => n().prop_map(Step::PutBytes),
        2 => proptest::collection::vec(n(), 0..5).prop_map(Step::PutMany),
        1 => n().prop_map(Step::PutMismatched),
        1 => n().prop_map(Step::Renew),
        3 => n().prop_map(Step::Read),
        2 => (n(), 0..80_000_u64, 0..1_300_000_u64).prop_map(|(n, a, b)| Step::ReadRange(n, a, b)),
        2 => n().prop_map(Step::Delete),
        1 => n().prop_map(Step::DeleteOld),
        1 => n().prop_map(Step::DeleteYoung),
        2 => (n(), 0..1_200_000_usize).prop_map(|(n, at)| Step::Flip(n, at)),
        1 => n().prop_map(Step::SetAside),
        1 => n().prop_map(Step::List),
        1 => Just(Step::Fsck),
        1 => Just(Step::Reopen),
    ];
    proptest::collection::vec(step, 1..30)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..Default::default() })]

    #[test]
    fn a_store_behaves_like_a_map(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            compare(&mut InMemory::new(), &steps, |_| {}).await;
            let mut folder = InFolder::new();
            let reopen = |folder: &mut InFolder| {
                folder.store = FolderStore::open(folder.store.root()).unwrap();
            };
            compare(&mut folder, &steps, reopen).await;
            assert!(names_in(&folder.store.root().join("incoming")).is_empty());
        });
    }
}

/// What the model knows of a blob that is there: which byte of it is flipped.
type Model = BTreeMap<ContentHash, Option<usize>>;

async fn compare<S: Subject>(subject: &mut S, steps: &[Step], reopen: impl Fn(&mut S)) {
    let mut model = Model::new();
    for step in steps {
        match *step {
            Step::Put(n) => {
                let bytes = blob(n);
                let put = subject
                    .store()
                    .put(&mut &bytes[..], Some(hash_of(&bytes)))
                    .await;
                assert_eq!(
                    put.unwrap().was_new,
                    is_new(&mut model, hash_of(&bytes)),
                    "{step:?}"
                );
            }
            Step::PutBytes(n) => {
                let put = subject.store().put_bytes(blob(n)).await.unwrap();
                assert_eq!(put.was_new, is_new(&mut model, put.hash), "{step:?}");
            }
            Step::PutMany(ref many) => {
                let blobs = many.iter().map(|n| blob(*n)).collect();
                for put in subject.store().put_many(blobs).await.unwrap() {
                    assert_eq!(put.was_new, is_new(&mut model, put.hash), "{step:?}");
                }
            }
            Step::PutMismatched(n) => {
                let promised = Some(hash_of(&blob((n + 1) % BLOBS)));
                let put = subject.store().put(&mut &blob(n)[..], promised).await;
                assert!(
                    matches!(put, Err(BlobError::Mismatch { .. })),
                    "{step:?}: {put:?}"
                );
            }
            Step::Renew(n) => {
                let hash = hash_of(&blob(n));
                let was_there = subject.store().renew(hash).await.unwrap();
                assert_eq!(was_there, model.contains_key(&hash), "{step:?}");
            }
            Step::Read(n) => {
                let hash = hash_of(&blob(n));
                let result = read(subject.store(), hash).await;
                match (model.get(&hash), result) {
                    (None, Err(BlobError::NotFound { .. }))
                    | (Some(Some(_)), Err(BlobError::Corrupt { .. })) => {}
                    (Some(None), Ok(bytes)) => assert!(bytes == blob(n), "{step:?}"),
                    (state, result) => panic!("{step:?} in {state:?}: {result:?}"),
                }
            }
            Step::ReadRange(n, start, length) => {
                let bytes = blob(n);
                let hash = hash_of(&bytes);
                let size_bytes = bytes.len() as u64;
                let range = start..start + length;
                let result = async { subject.store().get_range(hash, range).await?.bytes().await };
                match (model.get(&hash), result.await) {
                    (None, Err(BlobError::NotFound { .. })) => {}
                    (Some(_), Err(BlobError::OutOfRange { .. })) if start > size_bytes => {}
                    (Some(Some(_)), Err(BlobError::Corrupt { .. }))
                        if start == 0 && length >= size_bytes => {}
                    (Some(flipped), Ok(part)) if start <= size_bytes => {
                        let end = (start + length).min(size_bytes) as usize;
                        let mut expected = bytes.to_vec();
                        flipped.iter().for_each(|at| expected[*at] ^= 1);
                        assert!(part == expected[start as usize..end], "{step:?}");
                    }
                    (state, result) => panic!("{step:?} in {state:?}: {result:?}"),
                }
            }
            Step::Delete(n) => {
                let hash = hash_of(&blob(n));
                let was_there = subject.store().delete(hash).await.unwrap();
                assert_eq!(was_there, model.remove(&hash).is_some(), "{step:?}");
            }
            Step::DeleteOld(n) => {
                let hash = hash_of(&blob(n));
                let deletion = subject
                    .store()
                    .delete_unless_put_since(hash, i64::MAX)
                    .await;
                let expected = match model.remove(&hash) {
                    Some(_) => Deletion::Deleted {
                        size_bytes: blob(n).len() as u64,
                    },
                    None => Deletion::Missing,
                };
                assert_eq!(deletion.unwrap(), expected, "{step:?}");
            }
            Step::DeleteYoung(n) => {
                let hash = hash_of(&blob(n));
                let deletion = subject
                    .store()
                    .delete_unless_put_since(hash, 0)
                    .await
                    .unwrap();
                let is_there = model.contains_key(&hash);
                let expected = if is_there {
                    Deletion::Kept
                } else {
                    Deletion::Missing
                };
                assert_eq!(deletion, expected, "{step:?}");
            }
            Step::Flip(n, at) => {
                let hash = hash_of(&blob(n));
                let length = blob(n).len();
                if let Some(flipped @ None) = model.get_mut(&hash)
                    && length > 0
                {
                    *flipped = Some(at % length);
                    subject.tamper(hash, &mut |bytes| bytes[at % length] ^= 1);
                }
            }
            Step::SetAside(n) => {
                let hash = hash_of(&blob(n));
                let is_damaged = matches!(model.get(&hash), Some(Some(_)));
                assert_eq!(
                    subject.store().set_aside(hash).await.unwrap(),
                    is_damaged,
                    "{step:?}"
                );
                if is_damaged {
                    model.remove(&hash);
                }
            }
            Step::List(n) => {
                let after = hash_of(&blob(n));
                let listed = list(subject.store(), Some(after)).await;
                let listed: Vec<_> = listed.iter().map(|stat| stat.hash).collect();
                let expected: Vec<_> = model.keys().copied().filter(|hash| *hash > after).collect();
                assert_eq!(listed, expected, "{step:?}");
            }
            Step::Fsck => {
                let expected = (0..BLOBS).map(|n| ExpectedBlob {
                    hash: hash_of(&blob(n)),
                    size_bytes: blob(n).len() as u64,
                });
                let options = FsckOptions {
                    depth: FsckDepth::Bytes,
                    is_setting_aside: false,
                };
                let pages = pages_of::<std::io::Error>(expected);
                let report = fsck(subject.store(), options, pages, |_| {}).await.unwrap();
                let damaged = model.values().flatten().count();
                assert_eq!(report.damaged, damaged as u64, "{step:?}");
                assert_eq!(report.missing, (BLOBS - model.len()) as u64, "{step:?}");
                assert_eq!((report.strays, report.unreferenced), (0, 0), "{step:?}");
            }
            Step::Reopen => reopen(subject),
        }
    }
}

/// Whether a put brings something new: the blob was not there, or not as it should be.
fn is_new(model: &mut Model, hash: ContentHash) -> bool {
    model
        .insert(hash, None)
        .is_none_or(|flipped| flipped.is_some())
}
