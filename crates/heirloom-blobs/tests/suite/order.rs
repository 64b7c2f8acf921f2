//! What is acknowledged is on disk: the order of system calls, watched from outside.

use std::{collections::HashMap, fs, path::Path};

use heirloom_blobs::{BlobStore, FolderStore, hash_of};
use tokio::runtime::Builder;

use crate::harness::{blob_path, bytes_of, child_of, folder_of_child, report, run_to_success};

const TEST: &str = "order::a_blob_is_synced_then_named_then_its_folder_is_synced_then_acknowledged";

/// A kill cannot show what a power cut would lose, because the kernel still has it. So the calls are
/// watched: every byte is synced before the file gets its name, and the name before the answer.
#[test]
fn a_blob_is_synced_then_named_then_its_folder_is_synced_then_acknowledged() {
    if let Some(folder) = folder_of_child() {
        return put_in_all_ways(&folder);
    }
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("blobs");
    FolderStore::create(&root).unwrap();
    let log = folder.path().join("calls");
    let calls = "trace=write,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat";
    let log_name = log.to_str().unwrap();
    let watch = [
        "strace", "-f", "-y", "-s", "80", "-e", calls, "-o", log_name,
    ];
    run_to_success(child_of(TEST, folder.path(), &watch));

    let calls = completed_calls(&fs::read_to_string(log).unwrap());
    let position = |what: &str, from: usize| {
        let found = calls.iter().skip(from).position(|call| call.contains(what));
        from + found.unwrap_or_else(|| panic!("no {what:?} after call {from} in {calls:#?}"))
    };
    let mut begin = 0;
    for (batch, seeds) in BATCHES.iter().enumerate() {
        let answer = position(&format!("answered {batch}"), begin);
        for seed in *seeds {
            let blob = blob_path(&root, hash_of(&bytes_of(*seed, LENGTH)));
            let shard = format!("fsync({}", folder_in_call(blob.parent().unwrap()));
            let named = calls[begin..answer].iter().position(|call| {
                call.starts_with("rename") && call.contains(&format!("{}\"", blob.display()))
            });
            let after = if let Some(named) = named.map(|named| begin + named) {
                let incoming = calls[named].split('"').nth(1).unwrap();
                let synced = position(
                    &format!("fsync({}", folder_in_call(incoming.as_ref())),
                    begin,
                );
                assert!(synced < named, "{incoming} was named before it was synced");
                named
            } else {
                // The copy that is kept may have been named by a process that died before syncing.
                assert!(
                    BATCHES[..batch].concat().contains(seed),
                    "{seed} was never named"
                );
                begin
            };
            let folder_synced = position(&shard, after);
            assert!(
                folder_synced < answer,
                "answered before the name of {seed} was on disk"
            );
        }
        begin = answer;
    }
    let deleted = blob_path(&root, hash_of(&bytes_of(1, LENGTH)));
    let unlinked = position(&format!("{}\"", deleted.display()), begin);
    assert!(calls[unlinked].starts_with("unlink"));
    let synced = position(
        &format!("fsync({}", folder_in_call(deleted.parent().unwrap())),
        unlinked,
    );
    assert!(synced < position("answered deletion", begin));
}

const LENGTH: usize = 1_200_000;
/// The seeds of what is put together.
const BATCHES: [&[u64]; 5] = [
    &[1],
    &[2],
    &[1],
    &[3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
    &[4, 20],
];

fn put_in_all_ways(folder: &Path) {
    let store = FolderStore::open(folder.join("blobs")).unwrap();
    let runtime = Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        for (batch, seeds) in BATCHES.iter().enumerate() {
            let blobs: Vec<_> = seeds.iter().map(|seed| bytes_of(*seed, LENGTH)).collect();
            match &blobs[..] {
                [one] if batch == 1 => drop(store.put_bytes(one.clone()).await.unwrap()),
                [one] => drop(store.put(&mut &one[..], None).await.unwrap()),
                _ => drop(store.put_many(blobs).await.unwrap()),
            }
            report(folder, &format!("answered {batch}"));
        }
        assert!(store.delete(hash_of(&bytes_of(1, LENGTH))).await.unwrap());
        report(folder, "answered deletion");
    });
}

/// How a path stands in a call that got it as an open file; the number of the file varies.
fn folder_in_call(path: &Path) -> String {
    format!("<{}>", path.display())
}

/// The calls in the order in which they ended, without the numbers of processes and files. A call
/// during which others were made stands in the log in two parts.
fn completed_calls(log: &str) -> Vec<String> {
    let mut begun = HashMap::new();
    let mut calls = Vec::new();
    for line in log.lines() {
        let (process, call) = line.split_once(' ').unwrap();
        let call = call.trim_start();
        if let Some(first) = call.strip_suffix(" <unfinished ...>") {
            begun.insert(process, first);
        } else if call.starts_with("<... ") {
            calls.push(format!("{}{call}", begun.remove(process).unwrap()));
        } else {
            calls.push(call.to_owned());
        }
    }
    calls
        .into_iter()
        .map(|call| without_number(&call))
        .collect()
}

fn without_number(call: &str) -> String {
    match call.split_once('(') {
        Some((name, rest)) => format!(
            "{name}({}",
            rest.trim_start_matches(|c: char| c.is_ascii_digit())
        ),
        None => call.to_owned(),
    }
}
