//! Assets as they are listed, changed and hidden.

use std::collections::BTreeSet;

use heirloom_core::{Actor, AssetId};
use heirloom_db::DbError;

use crate::harness::{OPERATOR, Store, asset_of, file, on_both_engines};

on_both_engines! {
    async fn two_people_cannot_change_an_asset_over_each_other(store: Store) {
        let id = store.add(file("oma.jpg")).await;
        let seen = store.asset(id).await.version;
        let delete = |version, is_deleted| store.db.delete_asset(OPERATOR, id, Some(version), is_deleted);
        let changed = delete(seen, true).await.unwrap();
        assert!(changed.version > seen && changed.deleted_at_ms.is_some());
        match delete(seen, false).await {
            Err(DbError::VersionConflict { what: "asset", current }) => assert_eq!(current, changed.version),
            other => panic!("{other:?}"),
        }
        assert_eq!(store.asset(id).await, changed);
    }

    async fn an_asset_that_is_deleted_again_stays_as_it_is(store: Store) {
        let id = store.add(file("oma.jpg")).await;
        let delete = |version, is_deleted| store.db.delete_asset(OPERATOR, id, version, is_deleted);
        for is_deleted in [true, false] {
            let once = delete(None, is_deleted).await.unwrap();
            assert_eq!(once.deleted_at_ms.is_some(), is_deleted);
            assert_eq!(delete(None, is_deleted).await.unwrap(), once);
            assert_eq!(delete(Some(once.version), is_deleted).await.unwrap(), once);
            delete(Some(once.version - 1), is_deleted).await.unwrap_err();
            assert_eq!(store.asset(id).await, once);
        }
    }

    async fn a_deleted_asset_is_hidden_until_it_is_brought_back(store: Store) {
        let id = store.add(file("oma.jpg")).await;
        store.add(file("opa.jpg")).await;
        store.db.delete_asset(OPERATOR, id, None, true).await.unwrap();
        assert_eq!(store.list().await, ["opa.jpg"]);
        assert_eq!(store.find("oma").await, Vec::<String>::new());
        assert_eq!(store.find("is:deleted oma").await, ["oma.jpg"]);
        store.db.delete_asset(OPERATOR, id, None, false).await.unwrap();
        assert_eq!(store.list().await, ["opa.jpg", "oma.jpg"]);
        assert_eq!(store.find("oma").await, ["oma.jpg"]);
        assert_eq!(store.find("is:deleted").await, Vec::<String>::new());
    }

    async fn what_is_not_there_cannot_be_told_from_what_one_may_not_see(store: Store) {
        let id = store.add(file("oma.jpg")).await;
        let other: AssetId = uuid::Uuid::now_v7().into();
        let hidden = store.db.get_asset(&Actor::Stranger, id).await.unwrap_err().to_string();
        let missing = store.db.get_asset(OPERATOR, other).await.unwrap_err().to_string();
        assert_eq!(hidden.replace(&id.to_string(), "ID"), missing.replace(&other.to_string(), "ID"));
    }

    async fn assets_are_listed_newest_first_and_undated_last(store: Store) {
        store.record([
            file("decade.jpg").dated("195X"),
            file("undated.jpg"),
            file("day.jpg").dated("1974-05-01"),
            file("moment.jpg").dated("1974-05-01T10:00:00"),
            file("ancient.jpg").dated("-0500"),
            file("epoch.jpg").dated("1970-01-01T00:00:00Z"),
            file("open.jpg").dated("../1960"),
        ]).await;
        let listed = ["moment.jpg", "day.jpg", "epoch.jpg", "open.jpg", "decade.jpg", "ancient.jpg", "undated.jpg"];
        assert_eq!(store.list().await, listed);
        assert_eq!(store.find("type:image").await, listed);
    }

    async fn pages_are_complete_and_have_nothing_twice_while_assets_come_in(store: Store) {
        // Many of one second, many undated: keys that are next to each other.
        let named = |part: &str, count: usize| -> Vec<String> { (0..count).map(|n| format!("{part}_{n}.jpg")).collect() };
        let (same, undated) = (named("same", 70), named("undated", 60));
        store.record(same.iter().map(|name| file(name).dated("2001-01-01T00:00:00"))).await;
        store.record(undated.iter().map(|name| file(name))).await;
        let before: BTreeSet<String> = same.into_iter().chain(undated).collect();

        for is_search in [false, true] {
            let (mut listed, mut after, mut cursor, mut pages) = (Vec::new(), None, None, 0);
            loop {
                if is_search {
                    let query = "jpg -late".parse().unwrap();
                    let page = store.db.search(OPERATOR, store.family_id(), &query, cursor, 7).await.unwrap();
                    listed.extend(page.items.into_iter().map(|hit| hit.asset.name));
                    cursor = page.next;
                } else {
                    let page = store.db.list_assets(OPERATOR, store.family_id(), after, 7).await.unwrap();
                    listed.extend(page.items.into_iter().map(|asset| asset.name));
                    after = page.next;
                }
                if after.is_none() && cursor.is_none() {
                    break;
                }
                pages += 1;
                let late = |date: &str| format!("late_{is_search}_{pages}_{date}.jpg");
                store.record([
                    file(&late("2020")).dated("2020"),
                    file(&late("2001")).dated("2001-01-01T00:00:00"),
                    file(&late("1950")).dated("1950"),
                    file(&late("never")),
                ]).await;
            }
            let unique: BTreeSet<String> = listed.iter().cloned().collect();
            assert_eq!(unique.len(), listed.len(), "nothing twice");
            assert_eq!(before.difference(&unique).next(), None, "nothing missing");
        }
    }

    async fn pages_lead_back_the_way_they_came(store: Store) {
        let names: Vec<String> = (0..10).map(|n| format!("{n}.jpg")).collect();
        store.record(names.iter().map(|name| file(name).dated(&format!("200{}", &name[..1])))).await;
        let all = store.db.list_assets(OPERATOR, store.family_id(), None, 10).await.unwrap().items;
        let below = store.db.list_newer_assets(OPERATOR, store.family_id(), all[6].timeline_key, 4).await.unwrap();
        assert_eq!(below.items, all[2..6]);
        let top = store.db.list_newer_assets(OPERATOR, store.family_id(), below.next.unwrap(), 4).await.unwrap();
        assert_eq!((top.items.as_slice(), top.next), (&all[..2], None));
    }

    async fn the_same_bytes_are_one_asset(store: Store) {
        let recorded = store.record([
            file("a.jpg").of_content("x"),
            file("b.jpg").of_content("x").in_folder("copies"),
            file("c.jpg").of_content("y"),
        ]).await;
        let ids: Vec<AssetId> = recorded.iter().map(asset_of).collect();
        assert!(ids[0] == ids[1] && ids[0] != ids[2]);
        assert_eq!(store.list().await.len(), 2);
        assert_eq!(store.find("copies").await, ["a.jpg"], "it is found by each of its places");
    }
}
