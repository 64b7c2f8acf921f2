//! What a store in a bucket does besides what every store does.

use std::{fs, io::Read as _, time::Duration};

use futures_util::StreamExt as _;
use heirloom_blobs::{
    BlobError, BlobStore as _, Cache, FsckDepth, FsckOptions, Remote, RemoteError, RemoteLocation,
    S3Keys, S3Settings, S3Store, SignedRead, StrayKind, fsck, hash_of, pages_of,
};
use heirloom_testing::{
    http,
    line::Line,
    s3::{BUCKET, S3Server},
};

use crate::harness::{
    InBucket, OWNER, Subject as _, bytes_of, list, names_in, now_ms, read, remote, remote_at,
};

#[tokio::test]
async fn a_large_blob_goes_in_parts_and_only_whole() {
    let subject = InBucket::new().await;
    let bytes = bytes_of(1, 21_000_000);
    let put = subject.store.put(&mut &bytes[..], None).await.unwrap();
    assert_eq!((put.size_bytes, put.was_new), (21_000_000, true));
    assert!(read(&subject.store, put.hash).await.unwrap() == bytes);
    // In parts: S3 says so with the dash in the name that it gives the bytes.
    let path = format!("/{BUCKET}/blobs/blobs/{}", put.hash);
    let answer = http::get(subject.server().address, &path, &[]);
    assert!(answer.header("etag").ends_with("-3\""), "{}", answer.head);
    assert!(answer.body == bytes);
}

#[tokio::test]
async fn a_part_of_a_large_blob_is_read_without_the_rest() {
    let subject = InBucket::new().await;
    let bytes = bytes_of(2, 12_000_000);
    let hash = subject.store.put(&mut &bytes[..], None).await.unwrap().hash;
    fs::remove_file(subject.cache.join(hash.to_string())).unwrap();
    let part = subject.store.get_range(hash, 5_000_000..5_000_100).await;
    assert_eq!(
        part.unwrap().bytes().await.unwrap(),
        &bytes[5_000_000..5_000_100]
    );
    assert_eq!(names_in(&subject.cache), ["incoming"]);
}

#[tokio::test]
async fn a_store_is_of_one_library_and_of_no_other() {
    let server = S3Server::start();
    let folder = tempfile::tempdir().unwrap();
    let cache = |name: &str| Cache::open(folder.path().join(name), 1_000).unwrap();
    let remote = remote(&server, "family").await;
    let opened = S3Store::open(remote.clone(), cache("a"), OWNER, now_ms).await;
    let error = opened.unwrap_err();
    assert!(matches!(error, BlobError::OtherStore { .. }), "{error}");

    let store = S3Store::create(remote.clone(), cache("a"), OWNER, now_ms)
        .await
        .unwrap();
    let hash = store.put_bytes(bytes_of(1, 10)).await.unwrap().hash;
    let again = S3Store::create(remote.clone(), cache("a"), OWNER, now_ms)
        .await
        .unwrap();
    assert!(again.contains(hash).await.unwrap());
    let again = S3Store::open(remote.clone(), cache("a"), OWNER, now_ms)
        .await
        .unwrap();
    assert!(again.contains(hash).await.unwrap());
    for other in [
        S3Store::create(remote.clone(), cache("b"), "another", now_ms).await,
        S3Store::open(remote.clone(), cache("b"), "another", now_ms).await,
    ] {
        let error = other.unwrap_err();
        assert!(
            error.to_string().ends_with("another library has it"),
            "{error}"
        );
    }

    // What somebody else keeps in the bucket is not touched.
    let used = crate::harness::remote(&server, "used").await;
    used.write("notes.txt", bytes_of(1, 10)).await.unwrap();
    let error = S3Store::create(used, cache("b"), OWNER, now_ms)
        .await
        .unwrap_err();
    assert!(
        error.to_string().ends_with("something else is there"),
        "{error}"
    );
}

#[tokio::test]
async fn whose_store_it_is_is_looked_at_before_anything_else_once_it_can_be_reached() {
    let server = S3Server::start();
    let folder = tempfile::tempdir().unwrap();
    let cache = |name: &str| Cache::open(folder.path().join(name), 1_000_000).unwrap();
    let line = Line::to(server.address, u64::MAX);
    let remote = remote_at(&server, &format!("http://{}", line.address), "family").await;
    let store = S3Store::create(remote.clone(), cache("a"), OWNER, now_ms)
        .await
        .unwrap();
    let kept = store.put_bytes(bytes_of(1, 1_000)).await.unwrap().hash;
    assert!(store.open_file(kept).await.is_ok());
    line.cut();
    let ours = S3Store::open(remote.clone(), cache("a"), OWNER, now_ms)
        .await
        .unwrap();
    let theirs = S3Store::open(remote.clone(), cache("b"), "another", now_ms)
        .await
        .unwrap();
    // What is in the cache is there; of the rest nobody says that it is not.
    assert_eq!(
        ours.open_file(kept)
            .await
            .unwrap()
            .metadata()
            .unwrap()
            .len(),
        1_000
    );
    let unreachable = ours.contains(hash_of(b"unknown")).await.unwrap_err();
    assert!(
        unreachable.to_string().contains("cannot be reached"),
        "{unreachable}"
    );

    line.mend();
    assert!(ours.contains(kept).await.unwrap());
    let before = names_in(&folder.path().join("b"));
    let is_refused = |error: BlobError| error.to_string().ends_with("another library has it");
    assert!(is_refused(theirs.get(kept).await.unwrap_err()));
    assert!(is_refused(
        theirs.put_bytes(bytes_of(2, 10)).await.unwrap_err()
    ));
    assert!(is_refused(theirs.delete(kept).await.unwrap_err()));
    assert!(is_refused(theirs.check_health().await.unwrap_err()));
    let mut listed = theirs.list(None);
    assert!(is_refused(listed.next().await.unwrap().unwrap_err()));
    assert!(is_refused(
        theirs.list_strays().next().await.unwrap().unwrap_err()
    ));
    assert_eq!(names_in(&folder.path().join("b")), before);
    assert_eq!(list(&ours, None).await.len(), 1);
}

#[tokio::test]
async fn what_is_wrong_with_a_bucket_is_said_in_words() {
    let (server, refusing) = (S3Server::start(), S3Server::start_refusing());
    let mut gone = S3Server::start();
    let nobody = gone.endpoint();
    gone.stop();
    let keys = S3Keys {
        access_key_id: "AKIAX".to_owned(),
        secret_access_key: "never shown".to_owned(),
    };
    assert!(!format!("{keys:?}").contains("never shown"));
    let cases = [
        (server.endpoint(), "no-such-bucket", "has no such bucket"),
        (refusing.endpoint(), BUCKET, "does not exist in our records"),
        (nobody, BUCKET, "cannot be reached"),
    ];
    for (endpoint, bucket, said) in cases {
        let name = format!("s3:{endpoint}/{bucket}/family");
        let location = RemoteLocation::parse(&name).unwrap().unwrap();
        let settings = S3Settings::default();
        let without = Remote::open(&location, &settings).await.unwrap_err();
        assert!(matches!(without, RemoteError::NoKeys { .. }), "{without}");
        let settings = S3Settings {
            keys: Some(keys.clone()),
            ..settings
        };
        let remote = Remote::open(&location, &settings).await.unwrap();
        let error = remote.read("layout").await.unwrap_err();
        assert!(error.to_string().contains(said), "{said}: {error}");
        assert!(error.to_string().starts_with(&name), "{error}");
        assert!(error.hint().is_some(), "{error:?}");
        assert!(
            !format!("{error} {error:?}").contains("never shown"),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn the_cache_keeps_its_cap_and_what_was_used_last() {
    let subject = InBucket::with_cache(2_500_000).await;
    let store = &subject.store;
    let mut hashes = Vec::new();
    for n in 0..5 {
        hashes.push(store.put_bytes(bytes_of(n, 1_000_000)).await.unwrap().hash);
    }
    let held = |subject: &InBucket| {
        let names = names_in(&subject.cache).into_iter();
        let stat = |name: &String| fs::metadata(subject.cache.join(name)).unwrap().len();
        let names: Vec<_> = names.filter(|name| name != "incoming").collect();
        (names.iter().map(stat).sum::<u64>(), names)
    };
    assert_eq!(held(&subject).0, 0, "what is only put takes no room");
    for hash in [0, 1, 0, 2] {
        let mut file = store.open_file(hashes[hash]).await.unwrap();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        assert_eq!(hash_of(&bytes), hashes[hash]);
        assert!(held(&subject).0 <= 2_500_000);
    }
    let mut last_used = [hashes[0].to_string(), hashes[2].to_string()];
    last_used.sort();
    assert_eq!(held(&subject).1, last_used);

    // Whoever reads one that goes reads on.
    let mut open = store.open_file(hashes[0]).await.unwrap();
    for hash in &hashes {
        store.open_file(*hash).await.unwrap();
    }
    let mut bytes = Vec::new();
    open.read_to_end(&mut bytes).unwrap();
    assert_eq!(hash_of(&bytes), hashes[0]);

    // What is larger than the cache is read all the same.
    let large = store.put_bytes(bytes_of(9, 3_000_000)).await.unwrap().hash;
    let mut bytes = Vec::new();
    let mut file = store.open_file(large).await.unwrap();
    file.read_to_end(&mut bytes).unwrap();
    assert_eq!(hash_of(&bytes), large);
    assert!(held(&subject).0 <= 2_500_000);
    assert!(names_in(&subject.cache.join("incoming")).is_empty());
}

#[tokio::test]
async fn nothing_half_is_read_from_the_cache_of_a_process_that_was_killed() {
    let subject = InBucket::new().await;
    let bytes = bytes_of(1, 400_000);
    let hash = subject.store.put_bytes(bytes.clone()).await.unwrap().hash;
    subject.store.open_file(hash).await.unwrap();
    // It was bringing one, and somebody cut another off.
    fs::write(subject.cache.join("incoming/7"), &bytes[..1_000]).unwrap();
    let copy = subject.cache.join(hash.to_string());
    fs::write(&copy, &bytes[..1_000]).unwrap();
    let read = subject.store.get_range(hash, 10..2_000).await.unwrap();
    assert_eq!(read.bytes().await.unwrap(), &bytes[10..2_000]);
    assert_eq!(fs::metadata(&copy).unwrap().len(), 400_000, "brought anew");

    let again = Cache::open(&subject.cache, 1 << 30).unwrap();
    assert_eq!(again.total_bytes(), 400_000);
    assert!(names_in(&subject.cache.join("incoming")).is_empty());
    let smaller = Cache::open(&subject.cache, 399_999).unwrap();
    assert_eq!(smaller.total_bytes(), 0);
}

#[tokio::test]
async fn a_copy_that_rotted_is_never_given_for_the_blob() {
    let subject = InBucket::new().await;
    let bytes = bytes_of(1, 400_000);
    let hash = subject.store.put_bytes(bytes.clone()).await.unwrap().hash;
    subject.store.open_file(hash).await.unwrap();
    let mut rotten = bytes.to_vec();
    rotten[300_000] ^= 1;
    fs::write(subject.cache.join(hash.to_string()), rotten).unwrap();
    let whole = || async {
        subject
            .store
            .get_range(hash, 0..u64::MAX)
            .await?
            .bytes()
            .await
    };
    assert!(whole().await.is_err());
    assert_eq!(
        whole().await.unwrap(),
        bytes,
        "the next has it from the bucket"
    );
    assert_eq!(read(&subject.store, hash).await.unwrap(), bytes);
}

#[tokio::test]
async fn a_signed_address_gives_the_bytes_with_the_headers_that_it_was_signed_with() {
    assert_signed_read(InBucket::new().await, true).await;
}

#[tokio::test]
async fn a_server_that_compares_signatures_takes_what_is_signed_here() {
    assert_signed_read(InBucket::strict().await, false).await;
}

async fn assert_signed_read(subject: InBucket, has_headers: bool) {
    let bytes = bytes_of(1, 10_000);
    let hash = subject.store.put_bytes(bytes.clone()).await.unwrap().hash;
    let signed = SignedRead {
        duration: Duration::from_secs(300),
        media_type: "image/jpeg",
        disposition: "inline; filename*=UTF-8''gro%C3%9F.jpg",
    };
    let url = subject
        .store
        .sign_read(hash, signed)
        .await
        .unwrap()
        .unwrap();
    let origin = subject.server().endpoint();
    let path = url.strip_prefix(&origin).unwrap();
    assert!(
        path.contains("X-Amz-Expires=300") && path.contains("X-Amz-Signature="),
        "{path}"
    );
    let answer = http::get(subject.server().address, path, &[]);
    assert_eq!(answer.status, 200, "{}", answer.head);
    if has_headers {
        assert_eq!(answer.header("content-type"), "image/jpeg");
        assert_eq!(answer.header("content-disposition"), signed.disposition);
    }
    assert_eq!(answer.body, bytes);
    // Nobody is sent to what is not there.
    let other = hash_of(&bytes_of(2, 10));
    assert_eq!(subject.store.sign_read(other, signed).await.unwrap(), None);
}

#[tokio::test]
async fn a_check_finds_damage_in_the_bucket_behind_a_sound_copy() {
    let subject = InBucket::new().await;
    let store = &subject.store;
    let put = store.put_bytes(bytes_of(1, 100_000)).await.unwrap();
    store.open_file(put.hash).await.unwrap();
    let copy = subject.cache.join(put.hash.to_string());
    let sound = fs::read(&copy).unwrap();
    tokio::task::yield_now().await;
    let object = format!("blobs/{}", put.hash);
    let mut damaged = sound.clone();
    damaged[7] ^= 1;
    subject.remote.write(&object, damaged.into()).await.unwrap();
    subject
        .remote
        .write("blobs/readme.txt", bytes_of(2, 5))
        .await
        .unwrap();
    subject
        .remote
        .write("holiday.jpg", bytes_of(3, 5))
        .await
        .unwrap();

    let strays: Vec<_> = futures_util::TryStreamExt::try_collect(store.list_strays())
        .await
        .unwrap();
    let strays: Vec<heirloom_blobs::Stray> = strays;
    let names: Vec<_> = strays
        .iter()
        .map(|stray| stray.path.to_str().unwrap())
        .collect();
    assert_eq!(names, ["holiday.jpg", "blobs/readme.txt"]);
    assert!(strays.iter().all(|stray| stray.kind == StrayKind::Misnamed));

    let options = FsckOptions {
        depth: FsckDepth::Bytes,
        is_setting_aside: true,
    };
    let expected = pages_of::<BlobError>([heirloom_blobs::ExpectedBlob {
        hash: put.hash,
        size_bytes: 100_000,
    }]);
    let report = fsck(store, options, expected, |_| ()).await.unwrap();
    assert_eq!((report.damaged, report.strays, report.missing), (1, 2, 0));
    assert!(list(store, None).await.is_empty());
    assert!(!copy.exists(), "its copy goes with it");
    let again = fsck(store, options, pages_of::<BlobError>([]), |_| ())
        .await
        .unwrap();
    assert!(again.is_sound(), "{again:?}");
    assert_eq!(store.delete_set_aside(put.hash).await.unwrap(), 1);
    let _ = subject.store();
}
