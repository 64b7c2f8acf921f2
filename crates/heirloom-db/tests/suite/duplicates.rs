//! Pictures that there are several of: found by what they show, by what is in them and by when they were taken, decided by
//! people, and as they were before when that is taken back.

use std::collections::BTreeMap;

use heirloom_core::{
    AssetId, ClaimBatchId,
    claim::ClaimKind,
    duplicate::{Likeness, Miniature, Quality, Reason, Traits},
    role::Role,
};
use heirloom_db::{
    DbError,
    artifact::Payload,
    duplicate::{
        TRAITS,
        list::{Asked, Decided, Duplicates},
    },
    stack::{NewStack, StackKind},
};
use serde_json::json;

use crate::harness::{Chance, File, OPERATOR, Store, content, file, member, on_both_engines};

/// A picture of something that a number stands for; `noise` is what another packing makes of it.
fn shows(scene: u64, noise: u8) -> Miniature {
    const PLACES: usize = 9;
    let mut chance = Chance(scene * 7919 + 1);
    let levels: Vec<f32> = (0..PLACES * PLACES)
        .map(|_| f32::from(u8::try_from(chance.below(220)).unwrap()) + 10.0)
        .collect();
    let side = Miniature::SIDE;
    let pixels = (0..side * side).map(|at| {
        let place = |at: usize| f32::from(u8::try_from(at).unwrap()) / 4.0;
        let (x, y) = (place(at % side), place(at / side));
        let (left, top) = ((at % side) / 4, (at / side) / 4);
        let (x, y) = (x.fract(), y.fract());
        let level = |dx: usize, dy: usize| levels[(top + dy) * PLACES + left + dx];
        let upper = level(0, 0) * (1.0 - x) + level(1, 0) * x;
        let lower = level(0, 1) * (1.0 - x) + level(1, 1) * x;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a grey level"
        )]
        let level = (upper * (1.0 - y) + lower * y) as u8;
        level.saturating_add(u8::try_from(at % 3).unwrap() * noise)
    });
    Miniature::new(pixels.collect()).unwrap()
}

fn traits(scene: u64, noise: u8) -> Traits {
    Traits {
        miniature: Some(shows(scene, noise)),
        exact_hash: None,
        quality: None,
    }
}

impl Store {
    /// A picture with these traits, compared with all others.
    async fn drawn(&self, file: File, traits: Traits) -> AssetId {
        let picture = self.add(file).await;
        self.draw(picture, 1, traits).await;
        picture
    }

    async fn draw(&self, picture: AssetId, version: i64, traits: Traits) {
        let payload = Payload::Json(json!(traits));
        self.derive(picture, TRAITS, (version, ""), payload, Vec::new())
            .await;
        self.db.compare_pictures(self.family_id()).await.unwrap();
    }

    /// The groups that are to be decided, those first that came first.
    async fn duplicates(&self) -> Vec<Duplicates> {
        self.asked(Asked::default()).await
    }

    async fn asked(&self, asked: Asked) -> Vec<Duplicates> {
        let page = self
            .db
            .list_duplicates(OPERATOR, self.family_id(), asked, 100);
        let mut groups = page.await.unwrap().groups;
        groups.reverse();
        groups
    }

    /// Why each group is together, and the names of what is in it.
    async fn told(&self) -> Vec<(Likeness, Vec<String>)> {
        let groups = self.duplicates().await.into_iter();
        let names = |group: Duplicates| group.members.into_iter().map(|it| it.asset.name).collect();
        groups
            .map(|group| (group.group.why, names(group)))
            .collect()
    }

    /// All that follows from what is decided.
    async fn state(&self) -> (Vec<Duplicates>, Vec<Duplicates>) {
        let decided = Asked {
            is_decided: true,
            ..Asked::default()
        };
        let mut state = (self.duplicates().await, self.asked(decided).await);
        for group in state.0.iter_mut().chain(&mut state.1) {
            for member in &mut group.members {
                // How often somebody said something is no part of what holds.
                member.asset.version = 0;
            }
        }
        state
    }

    async fn keep(&self, group: AssetId, kept: Option<AssetId>) -> Result<ClaimBatchId, DbError> {
        let kept = self
            .db
            .keep_duplicate(OPERATOR, self.family_id(), group, kept);
        Ok(kept.await?.id)
    }

    async fn tell_apart(&self, group: AssetId, apart: &[AssetId]) -> Result<ClaimBatchId, DbError> {
        let parted = self
            .db
            .part_duplicates(OPERATOR, self.family_id(), group, apart);
        Ok(parted.await?.id)
    }

    async fn undo(&self, batch: ClaimBatchId, is_undone: bool) {
        let family = self.family_id();
        let undone = self.db.undo_claims(OPERATOR, family, batch, is_undone);
        undone.await.unwrap();
    }
}

fn taken(name: &str, at: &str) -> File {
    let file = file(name).dated(at);
    file.says(ClaimKind::CameraModel, "Canon EOS 70D")
}

on_both_engines! {
    async fn what_shows_the_same_is_one_group_and_another_picture_is_not(store: Store) {
        let whole = store.drawn(file("whole.jpg"), traits(1, 0)).await;
        store.drawn(file("other.jpg"), traits(2, 0)).await;
        assert_eq!(store.told().await, []);
        store.drawn(file("packed.jpg"), traits(1, 2)).await;
        store.drawn(file("again.jpg"), traits(1, 3)).await;
        let names = ["whole.jpg", "packed.jpg", "again.jpg"].map(str::to_owned);
        assert_eq!(store.told().await, [(Likeness::Near, names.to_vec())]);
        let group = &store.duplicates().await[0];
        assert_eq!(group.group.id, whole, "what came first names it");
        assert_eq!(group.choice, Some((whole, vec![Reason::First])));
    }

    async fn the_very_same_picture_is_told_from_what_only_shows_the_same(store: Store) {
        let exact = |scene| Traits { exact_hash: Some(content("pixels")), ..traits(scene, 0) };
        store.drawn(file("a.jpg"), exact(1)).await;
        store.drawn(file("b.jpg"), exact(1)).await;
        // Too plain to be told from others by what it shows.
        let plain = || Traits { exact_hash: Some(content("white")), ..Traits::default() };
        store.drawn(file("white.png"), plain()).await;
        store.drawn(file("white too.png"), plain()).await;
        store.drawn(file("also white.png"), Traits::default()).await;
        let of = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let expected = [
            (Likeness::Exact, of(&["a.jpg", "b.jpg"])),
            (Likeness::Exact, of(&["white.png", "white too.png"])),
        ];
        assert_eq!(store.told().await, expected);
    }

    async fn one_original_at_several_places_is_told_and_nothing_is_to_be_chosen(store: Store) {
        let files = [file("a.jpg").of_content("a"), file("copy of a.jpg").of_content("a")];
        store.record(files).await;
        let groups = store.duplicates().await;
        assert_eq!((groups.len(), groups[0].group.why), (1, Likeness::Copies));
        let mut paths: Vec<&str> = groups[0].members[0].places.iter().map(|it| it.path.as_str()).collect();
        paths.sort_unstable();
        assert_eq!(paths, ["a.jpg", "copy of a.jpg"]);
        assert_eq!(groups[0].choice, None);
        let refused = store.keep(groups[0].group.id, None).await;
        assert!(matches!(refused, Err(DbError::Refused(_))), "{refused:?}");
    }

    async fn what_one_camera_took_within_seconds_is_a_burst_and_the_sharpest_is_suggested(store: Store) {
        let sharp = |sharpness| Traits { quality: Some(Quality { sharpness, clipped: 0.0 }), ..traits(1, 1) };
        store.drawn(taken("1.jpg", "2019-07-14T15:00:00"), sharp(0.3)).await;
        let best = store.drawn(taken("2.jpg", "2019-07-14T15:00:01"), sharp(0.6)).await;
        store.drawn(taken("3.jpg", "2019-07-14T15:00:02"), sharp(0.31)).await;
        // Somebody else's camera, another view, and a copy with nothing of the kind.
        store.drawn(file("4.jpg").dated("2019-07-14T15:00:02").says(ClaimKind::CameraModel, "E-M1"), traits(9, 0)).await;
        store.drawn(taken("5.jpg", "2019-07-14T15:00:03"), traits(8, 0)).await;
        let groups = store.duplicates().await;
        assert_eq!(groups.len(), 1);
        assert_eq!((groups[0].group.why, groups[0].members.len()), (Likeness::Burst, 3));
        assert_eq!(groups[0].choice, Some((best, vec![Reason::Sharpest])));
    }

    async fn a_picture_and_its_raw_are_no_copies_and_a_burst_of_the_camera_is_one(store: Store) {
        let mut ids = Vec::new();
        for (name, scene) in [("1.jpg", 1), ("1.cr2", 1), ("2.jpg", 2), ("3.jpg", 3)] {
            ids.push(store.drawn(file(name), traits(scene, 0)).await);
        }
        let stack = |kind, name: &str, members: &[AssetId]| NewStack {
            kind,
            name: name.to_owned(),
            members: members.to_vec(),
        };
        let stacks = [stack(StackKind::RawJpeg, "1", &ids[..2]), stack(StackKind::Burst, "b", &ids[2..])];
        let folder = store.folder(store.archive.id, "").await;
        store.db.store_stacks(store.family_id(), folder, &stacks).await.unwrap();
        let names = ["2.jpg", "3.jpg"].map(str::to_owned);
        assert_eq!(store.told().await, [(Likeness::Burst, names.to_vec())]);
    }

    async fn one_is_kept_the_others_are_rejected_and_it_is_all_as_before_when_that_is_taken_back(store: Store) {
        let first = store.drawn(file("1.jpg"), traits(1, 0)).await;
        let second = store.drawn(file("2.jpg"), traits(1, 1)).await;
        let third = store.drawn(file("3.jpg"), traits(1, 2)).await;
        let before = store.state().await;
        let kept = store.keep(first, Some(second)).await.unwrap();
        assert_eq!(store.told().await, []);
        let decided = store.asked(Asked { is_decided: true, ..Asked::default() }).await;
        let ratings: Vec<i64> = decided[0].members.iter().map(|it| it.rating).collect();
        assert_eq!(ratings, [-1, 0, -1]);
        assert!(matches!(store.keep(first, Some(second)).await, Err(DbError::Refused(_))), "that was said");
        // Another one instead.
        let other = store.keep(first, Some(third)).await.unwrap();
        let decided = store.asked(Asked { is_decided: true, ..Asked::default() }).await;
        let ratings: Vec<i64> = decided[0].members.iter().map(|it| it.rating).collect();
        assert_eq!(ratings, [-1, -1, 0]);
        let told = store.db.list_decisions(OPERATOR, store.family_id(), None, 9).await.unwrap();
        let told: Vec<_> = told.items.iter().map(|it| (it.id, it.what, it.count, it.is_undone)).collect();
        assert_eq!(told, [(other, Decided::Kept, 1, false), (kept, Decided::Kept, 2, false)]);
        store.undo(other, true).await;
        store.undo(kept, true).await;
        assert_eq!(store.state().await, before);
        // What is rejected stays what it is: nothing is gone.
        assert_eq!(store.list().await.len(), 3);
    }

    async fn what_people_say_is_not_the_same_stays_apart_whatever_comes(store: Store) {
        let first = store.drawn(file("1.jpg"), traits(1, 0)).await;
        let twin = store.drawn(file("2.jpg"), traits(1, 1)).await;
        store.drawn(file("3.jpg"), traits(1, 2)).await;
        let said = store.tell_apart(first, &[twin]).await.unwrap();
        assert_eq!(store.told().await, [(Likeness::Near, vec!["1.jpg".to_owned(), "3.jpg".to_owned()])]);
        // What comes later is like both, and a newer tool draws it again.
        store.drawn(file("4.jpg"), traits(1, 3)).await;
        store.draw(twin, 2, traits(1, 1)).await;
        let groups = store.duplicates().await;
        let together = |group: &Duplicates| {
            let has = |id| group.members.iter().any(|it| it.asset.id == id);
            has(first) && has(twin)
        };
        assert!(!groups.iter().any(together), "{groups:?}");
        store.undo(said, true).await;
        assert_eq!(store.duplicates().await[0].members.len(), 4);
        store.tell_apart(first, &[]).await.unwrap();
        assert_eq!(store.told().await, []);
    }

    async fn people_can_say_that_two_show_the_same_that_no_machine_sees(store: Store) {
        let first = store.drawn(file("1.jpg"), traits(1, 0)).await;
        let second = store.drawn(file("2.jpg"), traits(2, 0)).await;
        store.say(second, ClaimKind::Same, &first.to_string()).await;
        assert_eq!(store.duplicates().await[0].members.len(), 2);
        store.deny(first, ClaimKind::Same, &second.to_string()).await;
        assert_eq!(store.told().await, []);
    }

    async fn groups_come_in_pages_and_by_why_they_are_together(store: Store) {
        for scene in 0..5 {
            for noise in 0..2 {
                store.drawn(file(&format!("{scene} {noise}.jpg")), traits(scene, noise)).await;
            }
        }
        let family = store.family_id();
        let mut asked = Asked::default();
        let mut seen = Vec::new();
        loop {
            let page = store.db.list_duplicates(OPERATOR, family, asked, 2).await.unwrap();
            seen.extend(page.groups.iter().map(|it| it.members[0].asset.name.clone()));
            asked.after = page.next;
            if page.next.is_none() {
                break;
            }
        }
        assert_eq!(seen, ["4 0.jpg", "3 0.jpg", "2 0.jpg", "1 0.jpg", "0 0.jpg"]);
        let exact = Asked { why: Some(Likeness::Exact), ..Asked::default() };
        assert_eq!(store.asked(exact).await, []);
    }

    async fn nobody_is_told_of_what_they_may_not_see(store: Store) {
        let first = store.drawn(file("1.jpg"), traits(1, 0)).await;
        let hidden = store.drawn(file("2.jpg"), traits(1, 1)).await;
        let family = store.family_id();
        let said = store.keep(first, Some(first)).await.unwrap();
        let parents = store.db.create_audience(OPERATOR, family, "parents").await.unwrap();
        let (id, audience) = (store.literal(hidden.uuid()), store.literal(parents.uuid()));
        store.sql(&format!("UPDATE asset SET audience_id = {audience} WHERE id = {id}")).await;
        let other = member(family, Role::Member, &[store.family.audience_id]);
        for is_decided in [false, true] {
            let asked = Asked { is_decided, ..Asked::default() };
            let seen = store.db.list_duplicates(&other, family, asked, 9).await.unwrap();
            assert_eq!(seen.groups, []);
        }
        let told = store.db.list_decisions(&other, family, None, 9).await.unwrap();
        assert_eq!((told.items, told.next), (vec![], None));
        let refused = store.db.keep_duplicate(&other, family, first, None).await;
        assert!(matches!(refused, Err(DbError::NotFound { .. })), "{refused:?}");
        assert!(store.db.undo_claims(&other, family, said, true).await.is_err());
        let stranger = heirloom_core::Actor::Stranger;
        let asked = Asked::default();
        assert!(store.db.list_duplicates(&stranger, family, asked, 9).await.is_err());
    }

    async fn whatever_is_decided_and_taken_back_all_is_as_it_was(store: Store) {
        for scene in 0..3 {
            for noise in 0..4 {
                store.drawn(file(&format!("{scene} {noise}.jpg")), traits(scene, noise)).await;
            }
        }
        for seed in 0..4 {
            let mut random = Chance(seed);
            let mut states = vec![store.state().await];
            let mut said = Vec::new();
            for _ in 0..8 {
                let (open, decided) = store.state().await;
                let groups: Vec<_> = open.into_iter().chain(decided).collect();
                if groups.is_empty() {
                    break;
                }
                let group = &groups[random.below(groups.len())];
                let member = group.members[random.below(group.members.len())].asset.id;
                let id = group.group.id;
                let made = match random.below(4) {
                    0 => store.keep(id, None).await,
                    1 => store.keep(id, Some(member)).await,
                    2 => store.tell_apart(id, &[member]).await,
                    _ => store.tell_apart(id, &[]).await,
                };
                let Ok(made) = made else { continue };
                said.push(made);
                states.push(store.state().await);
                if random.below(3) == 0 {
                    // Taken back and held to again: as if it had not been.
                    store.undo(made, true).await;
                    store.undo(made, false).await;
                    assert_eq!(store.state().await, *states.last().unwrap());
                }
            }
            for batch in said.iter().rev() {
                let after = states.pop().unwrap();
                assert_eq!(store.state().await, after, "seed {seed}");
                store.undo(*batch, true).await;
            }
            assert_eq!(store.state().await, states[0], "seed {seed}");
        }
        let (mut told, mut before) = (Vec::new(), None);
        loop {
            let page = store.db.list_decisions(OPERATOR, store.family_id(), before, 3).await.unwrap();
            told.extend(page.items);
            before = page.next;
            if before.is_none() {
                break;
            }
        }
        assert!(told.iter().all(|it| it.is_undone), "and all of it can be read");
        let kinds: BTreeMap<_, usize> = told.iter().fold(BTreeMap::new(), |mut kinds, it| {
            *kinds.entry(format!("{:?}", it.what)).or_default() += 1;
            kinds
        });
        assert_eq!(kinds.len(), 2, "{kinds:?}");
    }
}
