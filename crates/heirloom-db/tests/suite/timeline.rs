//! The timeline in buckets: what each has, whoever looks and whatever is asked for.

use heirloom_core::{
    Actor, AssetId, Bucket, MediaKind,
    claim::ClaimKind::{CameraModel, Date, Tag},
    query::Query,
    role::Role,
};
use heirloom_db::{DbError, asset::BucketPart};

use crate::harness::{Chance, OPERATOR, Store, asset_of, file, member, on_both_engines};

impl Store {
    async fn buckets(&self, actor: &Actor, query: &str) -> Vec<(Bucket, i64)> {
        let query: Query = query.parse().unwrap();
        let counted = self.db.count_buckets(actor, self.family.id, &query);
        counted.await.unwrap()
    }

    async fn part(
        &self,
        actor: &Actor,
        query: &str,
        bucket: Bucket,
        (offset, limit): (i64, i64),
    ) -> Vec<AssetId> {
        let query: Query = query.parse().unwrap();
        let part = BucketPart {
            offset,
            limit,
            runs_on: false,
        };
        let listed = self
            .db
            .list_bucket(actor, self.family.id, &query, bucket, part);
        listed
            .await
            .unwrap()
            .into_iter()
            .map(|asset| asset.id)
            .collect()
    }

    /// Everything in the timeline, bucket after bucket, in parts of two.
    async fn timeline(&self, actor: &Actor, query: &str) -> Vec<AssetId> {
        let mut all = Vec::new();
        for (bucket, count) in self.buckets(actor, query).await {
            let mut found = Vec::new();
            loop {
                let offset = i64::try_from(found.len()).unwrap();
                let part = self.part(actor, query, bucket, (offset, 2)).await;
                if part.is_empty() {
                    break;
                }
                found.extend(part);
            }
            assert_eq!(
                i64::try_from(found.len()).unwrap(),
                count,
                "{bucket} of {query:?}"
            );
            all.extend(found);
        }
        all
    }

    /// What runs on from the beginning of a bucket: how many at most, and of which buckets they are.
    async fn running_on(
        &self,
        actor: &Actor,
        query: &str,
        bucket: Bucket,
        limit: i64,
    ) -> Vec<(Bucket, AssetId)> {
        let query: Query = query.parse().unwrap();
        let part = BucketPart {
            offset: 0,
            limit,
            runs_on: true,
        };
        let listed = self
            .db
            .list_bucket(actor, self.family.id, &query, bucket, part)
            .await;
        listed
            .unwrap()
            .into_iter()
            .map(|asset| (asset.bucket(), asset.id))
            .collect()
    }

    async fn listed(&self, actor: &Actor) -> Vec<AssetId> {
        let page = self.db.list_assets(actor, self.family.id, None, 500).await;
        page.unwrap()
            .items
            .into_iter()
            .map(|asset| asset.id)
            .collect()
    }
}

const DATES: [&str; 8] = [
    "1974-05-03",
    "1974-05",
    "1974-01",
    "1974",
    "197X",
    "1971/..",
    "1974-01-01T00:00:00",
    "2024-12-31T23:59:59",
];

on_both_engines! {
    async fn each_asset_counts_where_what_is_known_of_its_date_is_said(store: Store) {
        for (number, date) in DATES.into_iter().enumerate() {
            store.add(file(&format!("{number}.jpg")).dated(date)).await;
        }
        store.add(file("undated.jpg")).await;
        let buckets = store.buckets(OPERATOR, "").await;
        let said: Vec<String> = buckets.iter().map(|(bucket, count)| format!("{bucket}: {count}")).collect();
        // Who knows the month alone knows no more than the year, when it is January.
        assert_eq!(said, ["2024-12: 1", "1974-05: 2", "1974-01: 1", "1974: 2", "1971/..: 1", "197X: 1", "undated: 1"]);
    }

    async fn a_part_that_runs_on_has_what_follows_in_the_buckets_behind(store: Store) {
        for (number, date) in DATES.into_iter().enumerate() {
            store.add(file(&format!("{number}.jpg")).dated(date)).await;
        }
        store.add(file("undated.jpg")).await;
        store.add(file("sound.mp3").of_kind(MediaKind::Audio).dated("1974")).await;
        for query in ["", "type:image"] {
            let timeline = store.timeline(OPERATOR, query).await;
            let buckets = store.buckets(OPERATOR, query).await;
            let mut start = 0;
            for (bucket, count) in &buckets {
                for limit in [1, 3, 500] {
                    let found = store.running_on(OPERATOR, query, *bucket, limit).await;
                    let ids: Vec<AssetId> = found.iter().map(|(_, id)| *id).collect();
                    let most = usize::try_from(limit).unwrap().min(timeline.len() - start);
                    assert_eq!(ids, timeline[start..start + most], "{query:?} from {bucket}");
                    assert_eq!(found[0].0, *bucket);
                }
                start += usize::try_from(*count).unwrap();
            }
            let all = store.running_on(OPERATOR, query, buckets[0].0, 500).await;
            let runs = all.chunk_by(|one, next| one.0 == next.0);
            let runs: Vec<(Bucket, i64)> = runs.map(|run| (run[0].0, i64::try_from(run.len()).unwrap())).collect();
            assert_eq!(runs, buckets, "{query:?}");
        }
    }

    async fn the_timeline_has_what_is_listed_whatever_becomes_of_assets(store: Store) {
        let mut chance = Chance(7);
        let mut assets: Vec<AssetId> = Vec::new();
        for step in 0..120 {
            let known = match assets.as_slice() {
                [] => None,
                assets => Some(chance.one_of(assets)),
            };
            match (chance.below(10), known) {
                (0..4, _) | (_, None) => {
                    let kind = chance.one_of(&MediaKind::ALL);
                    let mut file = file(&format!("{step}.jpg")).of_kind(kind);
                    if chance.below(4) > 0 {
                        file = file.dated(chance.one_of(&DATES));
                    }
                    assets.push(store.add(file).await);
                }
                (4..6, Some(asset)) => {
                    store.say(asset, Date, chance.one_of(&DATES)).await;
                }
                (6..8, Some(asset)) => {
                    store.db.delete_asset(OPERATOR, asset, None, true).await.unwrap();
                }
                (8, Some(asset)) => {
                    store.db.delete_asset(OPERATOR, asset, None, false).await.unwrap();
                }
                (_, Some(asset)) => {
                    store.db.delete_asset(OPERATOR, asset, None, true).await.unwrap();
                    store.db.purge_asset(OPERATOR, asset).await.unwrap();
                    assets.retain(|one| *one != asset);
                }
            }
            if step % 10 == 9 {
                assert_eq!(store.timeline(OPERATOR, "").await, store.listed(OPERATOR).await, "step {step}");
            }
        }
        for kind in MediaKind::ALL {
            let query = format!("type:{}", kind.as_str());
            let mut found = store.timeline(OPERATOR, &query).await;
            let page = store.search_as(OPERATOR, &query).await.unwrap();
            let mut searched: Vec<AssetId> = page.items.into_iter().map(|hit| hit.asset.id).collect();
            found.sort_unstable();
            searched.sort_unstable();
            assert_eq!(found, searched, "{query}");
        }
    }

    async fn a_query_narrows_the_timeline_to_what_it_finds(store: Store) {
        for number in 0..30 {
            let mut file = file(&format!("{number}.jpg")).says(Tag, if number % 2 == 0 { "sea" } else { "wood" });
            if number % 3 > 0 {
                file = file.dated(DATES[number % DATES.len()]);
            }
            if number % 5 == 0 {
                file = file.says(CameraModel, "Leica M3");
            }
            store.add(file).await;
        }
        let queries = [
            "sea", "tag:sea", "camera:leica", "-camera:leica", "date:1974", "date:1970..1980 sea", "date:none", "-type:video",
            "type:image sea", "type:video", "archive:photos", "sea -camera:leica date:..2000",
        ];
        for query in queries {
            let page = store.search_as(OPERATOR, query).await.unwrap();
            let searched: Vec<AssetId> = page.items.into_iter().map(|hit| hit.asset.id).collect();
            let mut expected = store.listed(OPERATOR).await;
            expected.retain(|asset| searched.contains(asset));
            let found = store.timeline(OPERATOR, query).await;
            assert_eq!(found, expected, "{query}");
            for asset in store.listed(OPERATOR).await {
                let parsed: Query = query.parse().unwrap();
                let place = store.db.find_in_timeline(OPERATOR, store.family.id, &parsed, asset).await.unwrap();
                match place {
                    Some((bucket, offset)) => {
                        assert_eq!(store.part(OPERATOR, query, bucket, (offset, 1)).await, [asset], "{query}");
                    }
                    None => assert!(!expected.contains(&asset), "{query}"),
                }
            }
        }
    }

    async fn the_place_of_an_asset_in_the_timeline_is_where_it_is_listed(store: Store) {
        for number in 0..12 {
            store.add(file(&format!("{number}.jpg")).dated(DATES[number % 2])).await;
        }
        let everything = Query::default();
        for (bucket, count) in store.buckets(OPERATOR, "").await {
            let listed = store.part(OPERATOR, "", bucket, (0, count)).await;
            for (at, asset) in listed.into_iter().enumerate() {
                let place = store.db.find_in_timeline(OPERATOR, store.family.id, &everything, asset).await.unwrap();
                assert_eq!(place, Some((bucket, i64::try_from(at).unwrap())));
            }
        }
        let gone = store.listed(OPERATOR).await[0];
        store.db.delete_asset(OPERATOR, gone, None, true).await.unwrap();
        let place = store.db.find_in_timeline(OPERATOR, store.family.id, &everything, gone).await.unwrap();
        assert_eq!(place, None);
    }

    async fn nobody_learns_from_the_timeline_of_what_they_may_not_see(store: Store) {
        let children = store.db.create_audience(OPERATOR, store.family_id(), "children").await.unwrap();
        let recorded = store.record((0..6).map(|number| file(&format!("{number}.jpg")).dated("1974-05-03"))).await;
        let assets: Vec<AssetId> = recorded.iter().map(asset_of).collect();
        for asset in &assets[..2] {
            let (audience, asset) = (store.literal(children.uuid()), store.literal(asset.uuid()));
            store.sql(&format!("UPDATE asset SET audience_id = {audience} WHERE id = {asset}")).await;
        }
        store.db.rebuild_search(OPERATOR).await.unwrap();
        let all = [store.family.audience_id, children];
        for (audiences, count) in [(&all[..], 6), (&all[..1], 4), (&all[1..], 2), (&[][..], 0)] {
            let actor = member(store.family.id, Role::Viewer, audiences);
            for query in ["", "type:image", "date:1974", "-date:1980"] {
                let found = store.timeline(&actor, query).await;
                assert_eq!(found.len(), count, "{query}");
                assert_eq!(found, store.listed(&actor).await, "{query}");
            }
        }
        let family = member(store.family.id, Role::Viewer, &all[..1]);
        let hidden = store.db.find_in_timeline(&family, store.family.id, &Query::default(), assets[0]).await;
        assert!(matches!(hidden, Err(DbError::NotFound { .. })), "{hidden:?}");
        let counted = store.db.count_buckets(&Actor::Stranger, store.family.id, &Query::default()).await;
        assert!(matches!(counted, Err(DbError::Denied(_))), "{counted:?}");
    }
}
