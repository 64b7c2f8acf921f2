//! Assets of one moment.

use heirloom_db::stack::StackKind;
use heirloom_testing::media;

use crate::harness::{Home, OPERATOR, on_both_engines};

/// The stacks of the asset at a path: kind, and the paths of the members with the cover first.
async fn stacks(home: &Home, path: &str) -> Vec<(StackKind, Vec<String>)> {
    let tree = home.tree().await;
    let asset = home.asset(path).await;
    let stacks = home.ctx.db.list_stacks(OPERATOR, &asset).await.unwrap();
    stacks
        .into_iter()
        .map(|stack| {
            assert_eq!(stack.members[0], stack.cover_asset_id);
            let path = |id| tree.iter().find(|(_, at)| **at == id).unwrap().0.clone();
            (stack.kind, stack.members.into_iter().map(path).collect())
        })
        .collect()
}

fn copy(home: &Home, from: &str, to: &str) {
    home.write(
        to,
        std::fs::read(media::sample_library().join(from)).unwrap(),
    );
}

on_both_engines! {
    async fn a_stack_comes_and_goes_with_its_files(home: Home) {
        copy(&home, "2021 Wildflowers/IMG_5195.HEIC", "IMG_5195.HEIC");
        home.photo("other.jpg", 1);
        home.scan().await;
        assert_eq!(stacks(&home, "IMG_5195.HEIC").await, []);
        copy(&home, "2021 Wildflowers/IMG_5195.MOV", "IMG_5195.MOV");
        home.scan().await;
        let live = [(StackKind::LivePhoto, vec!["IMG_5195.HEIC".to_owned(), "IMG_5195.MOV".to_owned()])];
        assert_eq!(stacks(&home, "IMG_5195.HEIC").await, live);
        assert_eq!(stacks(&home, "IMG_5195.MOV").await, live);
        let before = home.ctx.db.dump_rows().await.unwrap();
        home.photo("another.jpg", 2);
        home.scan().await;
        let kept = before.iter().filter(|line| line.starts_with("stack"));
        let after = home.ctx.db.dump_rows().await.unwrap();
        assert!(kept.clone().count() == 3 && kept.into_iter().all(|line| after.contains(line)));
        home.remove("IMG_5195.MOV");
        home.scan().await;
        assert_eq!(stacks(&home, "IMG_5195.HEIC").await, []);
    }

    async fn a_stack_moves_with_its_folder(home: Home) {
        for name in ["IMG_4711.DNG", "IMG_4711.JPG"] {
            copy(&home, &format!("2016/{name}"), &format!("a/{name}"));
        }
        home.scan().await;
        home.rename("a", "b");
        home.scan().await;
        let raw = (StackKind::RawJpeg, vec!["b/IMG_4711.JPG".to_owned(), "b/IMG_4711.DNG".to_owned()]);
        assert_eq!(stacks(&home, "b/IMG_4711.JPG").await, [raw]);
    }

    async fn copies_of_one_picture_are_no_burst(home: Home) {
        for name in ["00000IMG_00000_BURST20180714101530123_COVER.jpg", "00001IMG_00001_BURST20180714101530123.jpg"] {
            home.photo(name, 1);
        }
        home.scan().await;
        assert_eq!(home.assets().await.len(), 1);
        assert_eq!(stacks(&home, "00001IMG_00001_BURST20180714101530123.jpg").await, []);
        home.photo("00002IMG_00002_BURST20180714101530123.jpg", 2);
        home.scan().await;
        let found = stacks(&home, "00002IMG_00002_BURST20180714101530123.jpg").await;
        assert_eq!((found.len(), found[0].0, found[0].1.len()), (1, StackKind::Burst, 2));
    }
}
