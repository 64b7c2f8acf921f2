//! Originals are never touched, whatever is done with what is known of them.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use heirloom_pipeline::{
    fsck::{FsckOptions, fsck},
    purge::{collect_blobs, purge_assets},
    scan::ScanOptions,
};
use heirloom_testing::{TreeSnapshot, media, tree::copy_tree};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use tokio_util::sync::CancellationToken;

use crate::harness::{OPERATOR, on_both_engines, photo};

on_both_engines! {
    async fn nothing_that_is_done_touches_an_original(home: Home) {
        fs::remove_dir(&home.library).unwrap();
        copy_tree(media::sample_library(), &home.library);
        home.photo("closed/a.jpg", 1);
        symlink("closed", home.path("link")).unwrap();
        mknodat(CWD, home.path("pipe"), FileType::Fifo, Mode::RUSR, 0).unwrap();
        fs::write(home.path("empty"), "").unwrap();
        let before = TreeSnapshot::of(&home.library);
        let verify = ScanOptions { verify: true, ..ScanOptions::default() };
        home.scan().await;
        home.scan().await;
        home.scan_with(verify).await.unwrap();
        for asset in home.assets().await.into_iter().step_by(3) {
            home.ctx.db.delete_asset(OPERATOR, asset.id, None, true).await.unwrap();
            purge_assets(&home.ctx, &[asset.id]).await.unwrap();
        }
        collect_blobs(&home.ctx).await.unwrap();
        let options = FsckOptions { read_blobs: true, read_originals: true, repair: true };
        let cancel = CancellationToken::new();
        let report = fsck(&home.ctx, home.family.id, options, &cancel, &mut |_| {}).await.unwrap();
        assert!(report.is_sound(), "{report:?}");
        before.assert_same(&TreeSnapshot::of(&home.library));
    }
}

/// System calls that open, and those that change what a path or an open file stands for. A question
/// mark lets those pass that a machine does not have.
const OPENING: [&str; 4] = ["open", "openat", "openat2", "creat"];
const CHANGING: [&str; 33] = [
    "write",
    "pwrite64",
    "writev",
    "pwritev",
    "pwritev2",
    "truncate",
    "ftruncate",
    "fallocate",
    "unlink",
    "unlinkat",
    "rename",
    "renameat",
    "renameat2",
    "mkdir",
    "mkdirat",
    "rmdir",
    "link",
    "linkat",
    "symlink",
    "symlinkat",
    "mknod",
    "mknodat",
    "chmod",
    "fchmod",
    "fchmodat",
    "chown",
    "fchown",
    "lchown",
    "fchownat",
    "utimensat",
    "setxattr",
    "fsetxattr",
    "copy_file_range",
];

#[test]
fn the_only_files_ever_opened_below_the_root_are_opened_for_reading() {
    let place = tempfile::tempdir().unwrap();
    let library = place.path().canonicalize().unwrap().join("library");
    copy_tree(media::sample_library(), &library);
    fs::create_dir(library.join("more")).unwrap();
    fs::write(library.join("more/M\u{fc}ller.jpg"), photo(1)).unwrap();
    symlink("more", library.join("link")).unwrap();
    let before = TreeSnapshot::of(&library);
    let trace = place.path().join("trace");
    let calls = [&OPENING[..], &CHANGING[..]].concat();
    let calls: Vec<String> = calls.iter().map(|call| format!("?{call}")).collect();
    let output = Command::new("strace")
        .args([
            "-f",
            "-y",
            "-qq",
            "-s",
            "0",
            "-e",
            &format!("trace={}", calls.join(",")),
        ])
        .arg("-o")
        .arg(&trace)
        .arg(example("catalogue"))
        .arg(&library)
        .arg(place.path().join("data"))
        .output()
        .expect("strace is installed: ./dev setup sees to it");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        said.contains("\"new\":") && said.contains("faults: 0"),
        "{said}"
    );

    let trace = fs::read_to_string(&trace).unwrap();
    let library = library.to_str().unwrap();
    // Where a call is interrupted by another thread's, its end stands in a line of its own.
    let below: Vec<&str> = trace
        .lines()
        .filter(|line| line.contains(library))
        .collect();
    let mut opened = 0;
    for line in below {
        let call = line
            .split_once(' ')
            .map_or(line, |(_, call)| call.trim_start());
        if call.starts_with("<...") {
            continue;
        }
        let name = call.split('(').next().unwrap_or_default();
        assert!(OPENING.contains(&name), "below the root: {line}");
        assert!(line.contains("O_RDONLY"), "below the root: {line}");
        for flag in [
            "O_WRONLY",
            "O_RDWR",
            "O_CREAT",
            "O_TRUNC",
            "O_APPEND",
            "O_TMPFILE",
        ] {
            assert!(!line.contains(flag), "below the root: {line}");
        }
        opened += 1;
    }
    assert!(
        opened > 300,
        "the trace shows what was opened: {opened} times"
    );
    before.assert_same(&TreeSnapshot::of(library));
}

#[test]
fn one_module_alone_opens_what_is_below_a_root() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let opening = [
        "File::open",
        "File::create",
        "OpenOptions",
        "openat",
        "read_dir",
        "read_link",
        "rustix::fs",
        "fs::read",
        "fs::write",
        "fs::metadata",
        "fs::symlink",
        "fs::remove",
        "fs::rename",
        "fs::create",
        "fs::copy",
    ];
    let mut wrong = Vec::new();
    for path in walk(&sources) {
        let text = fs::read_to_string(&path).unwrap();
        for (number, line) in text.lines().enumerate() {
            if !line.starts_with("//!") && opening.iter().any(|word| line.contains(word)) {
                wrong.push(format!("{}:{}: {line}", path.display(), number + 1));
            }
        }
    }
    let door = sources.join("original.rs").display().to_string();
    wrong.retain(|line| !line.starts_with(&door));
    assert!(
        wrong.is_empty(),
        "only original.rs opens files:\n{}",
        wrong.join("\n")
    );
}

/// An example of this package, which is built with its tests and lies beside them.
fn example(name: &str) -> PathBuf {
    let here = std::env::current_exe().unwrap();
    let path = here
        .parent()
        .unwrap()
        .parent()
        .unwrap()
        .join("examples")
        .join(name);
    assert!(path.exists(), "{} is built with the tests", path.display());
    path
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| {
            if path.is_dir() {
                walk(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}
