//! Originals are never touched, whatever is done with what is known of them.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use heirloom_pipeline::{
    fsck::{FsckOptions, fsck},
    purge::{collect_blobs, purge_assets},
    scan::ScanOptions,
};
use heirloom_testing::{TreeSnapshot, media, tree::copy_tree};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use tokio_util::sync::CancellationToken;

use crate::harness::{OPERATOR, on_both_engines};

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
        let options = FsckOptions { read_blobs: true, read_originals: true, repair: true, remove_unreferenced: true };
        let cancel = CancellationToken::new();
        let report = fsck(&home.ctx, home.family.id, options, &cancel, &mut |_| {}).await.unwrap();
        assert!(report.is_sound(), "{report:?}");
        before.assert_same(&TreeSnapshot::of(&home.library));
    }
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
    // Beside it, only what works in a scratch folder of the data folder, with descriptors that it is given, and what
    // writes and reads folders that are refused where they are an archive's: exports, repositories of backups, and
    // archives of blocks; the one file of the data folder that says how far blobs are sealed; models in
    // their folder; and what says which devices the machine has.
    for door in [
        "original.rs",
        "confinement/",
        "ffmpeg.rs",
        "workshop.rs",
        "backup/",
        "export",
        "import",
        "ipfs/",
        "sealing.rs",
        "loading.rs",
        "machine.rs",
        "reading/second.rs",
        "speech/live/utterance.rs",
    ] {
        let door = sources.join(door).display().to_string();
        wrong.retain(|line| !line.starts_with(&door));
    }
    assert!(
        wrong.is_empty(),
        "only original.rs opens files:\n{}",
        wrong.join("\n")
    );
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
