//! Catalogues a folder, does everything with it that Heirloom does with originals, and says how it
//! went: `cargo run -p heirloom-pipeline --example catalogue -- FOLDER DATA_FOLDER`.
//!
//! The tests watch its system calls.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "says how it went or gives up"
)]

use std::{fs, path::PathBuf, sync::Arc};

use heirloom_blobs::FolderStore;
use heirloom_core::Actor;
use heirloom_db::{Db, Location};
use heirloom_pipeline::{
    Context,
    archive::{check_root, get_or_create_archive},
    fsck::{FsckOptions, fsck},
    purge::purge_assets,
    scan::{ScanOptions, scan},
};
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() {
    let mut folders = std::env::args().skip(1).map(PathBuf::from);
    let (Some(folder), Some(data_folder)) = (folders.next(), folders.next()) else {
        panic!("name a folder of originals and a data folder");
    };
    fs::create_dir_all(&data_folder).unwrap();
    let db = Db::open(&Location::File(data_folder.join("catalogue.db")))
        .await
        .unwrap();
    let ctx = Context {
        db: db.clone(),
        blobs: Arc::new(FolderStore::create(data_folder.join("blobs")).unwrap()),
        actor: Actor::Operator,
        data_folder,
    };
    let cancel = CancellationToken::new();
    let family = db.get_or_create_family("Home").await.unwrap();
    let archives = db.list_archives(&ctx.actor, family.id).await.unwrap();
    let root = check_root(&folder, &ctx.data_folder, &archives).unwrap();
    let archive = get_or_create_archive(&ctx, &family, &root, None)
        .await
        .unwrap();
    for verify in [false, false, true] {
        let options = ScanOptions {
            verify,
            ..ScanOptions::default()
        };
        let report = scan(&ctx, archive.id, options, &cancel, &mut |_| {})
            .await
            .unwrap();
        println!("{}", serde_json::to_string(&report).unwrap());
    }
    let page = db
        .list_assets(&ctx.actor, family.id, None, 1)
        .await
        .unwrap();
    for asset in page.items {
        db.delete_asset(&ctx.actor, asset.id, None, true)
            .await
            .unwrap();
        purge_assets(&ctx, &[asset.id]).await.unwrap();
    }
    let options = FsckOptions {
        read_blobs: true,
        read_originals: true,
        repair: true,
    };
    let checked = fsck(&ctx, family.id, options, &cancel, &mut |_| {})
        .await
        .unwrap();
    println!("faults: {}", checked.counts.found);
    db.close().await;
}
