//! Who may see: what is hidden shows in no listing, no search, no page and no count.

use std::collections::BTreeSet;

use heirloom_core::{
    Actor, AssetId, AudienceId,
    audience::Sight,
    claim::ClaimKind::{CameraMake, Caption, Person, Place, Tag, Title},
    role::Role,
};
use heirloom_db::{DbError, collection::NewCollection, family::Family, search::Cursor};

use crate::harness::{OPERATOR, Store, asset_of, file, member, on_both_engines};

/// Every kind of term, and each beside others. All of them match every asset that is listed.
const QUERIES: [&str; 22] = [
    "",
    "sea",
    "title",
    "se*",
    "\"by the sea\"",
    "-mountain",
    "sea -mountain",
    "person:anna",
    "place:ostsee",
    "camera:leica",
    "tag:sum*",
    "-tag:winter",
    "type:image",
    "type:image,video sea",
    "-type:audio",
    "date:1974",
    "date:1970..1980 sea",
    "-date:1990",
    "archive:photos",
    "in:favourites",
    "-is:missing",
    "sea person:anna place:ostsee camera:leica tag:summer type:image date:1974 archive:photos -mountain",
];

struct Wall {
    audiences: Vec<AudienceId>,
    /// Each asset with its audience.
    assets: Vec<(AssetId, AudienceId)>,
}

/// Assets of three audiences that differ in nothing but who may see them.
async fn build(store: &Store) -> Wall {
    let mut audiences = vec![store.family.audience_id];
    for name in ["parents", "children"] {
        audiences.push(
            store
                .db
                .create_audience(OPERATOR, store.family_id(), name)
                .await
                .unwrap(),
        );
    }
    let mut assets = Vec::new();
    for number in 0..12 {
        let audience = audiences[number % 3];
        let name = format!("{number}.jpg");
        let id = store
            .add(
                file(&name)
                    .dated("1974-05-01")
                    .says(Title, "title")
                    .says(Caption, "by the sea")
                    .says(Person, "Anna")
                    .says(Place, "Ostsee")
                    .says(CameraMake, "Leica")
                    .says(Tag, "summer"),
            )
            .await;
        let (id_literal, audience_literal) =
            (store.literal(id.uuid()), store.literal(audience.uuid()));
        store
            .sql(&format!(
                "UPDATE asset SET audience_id = {audience_literal} WHERE id = {id_literal}"
            ))
            .await;
        assets.push((id, audience));
    }
    let ids: Vec<AssetId> = assets.iter().map(|(id, _)| *id).collect();
    store
        .collect("favourites", store.family.audience_id, &ids)
        .await;
    Wall { audiences, assets }
}

/// All that an actor is shown of a query, in pages of `limit`.
async fn search_all(store: &Store, actor: &Actor, query: &str, limit: usize) -> Vec<AssetId> {
    let query = query.parse().unwrap();
    let (mut found, mut after) = (Vec::new(), None::<Cursor>);
    loop {
        let page = store
            .db
            .search(actor, store.family_id(), &query, after, limit)
            .await
            .unwrap();
        assert!(page.items.len() <= limit);
        assert!(
            page.next.is_none() || page.items.len() == limit,
            "a page with more after it is full"
        );
        found.extend(page.items.into_iter().map(|hit| hit.asset.id));
        after = page.next;
        if after.is_none() {
            return found;
        }
    }
}

on_both_engines! {
    async fn nobody_finds_what_they_may_not_see(store: Store) {
        let wall = build(&store).await;
        let [all, parents, children] = wall.audiences[..] else { panic!("three audiences") };
        let sights: [&[AudienceId]; 6] =
            [&[], &[all], &[parents], &[all, children], &[parents, children], &[all, parents, children]];
        for sight in sights {
            let actor = member(store.family_id(), Role::Viewer, sight);
            let visible: BTreeSet<AssetId> = wall.assets.iter()
                .filter(|(_, audience)| sight.contains(audience))
                .map(|(id, _)| *id)
                .collect();
            let listed = store.db.list_assets(&actor, store.family_id(), None, 100).await.unwrap().items;
            assert_eq!(listed.iter().map(|asset| asset.id).collect::<BTreeSet<_>>(), visible);
            for query in QUERIES {
                // To somebody who may not see a collection or an archive there is none.
                let names_some = query.contains("in:favourites") || query.contains("archive:photos");
                if names_some && !sight.contains(&all) {
                    let refused = store.search_as(&actor, query).await;
                    let what = if query.contains("in:favourites") { "collection" } else { "archive" };
                    assert!(matches!(refused, Err(DbError::NotFound { what: it, .. }) if it == what), "{refused:?}");
                    continue;
                }
                for limit in [1, 3, 100] {
                    let found = search_all(&store, &actor, query, limit).await;
                    assert_eq!(found.len(), visible.len(), "{query:?} in pages of {limit}");
                    assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), visible, "{query:?}");
                }
            }
            for (id, audience) in &wall.assets {
                let is_shown = sight.contains(audience);
                assert_eq!(store.db.get_asset(&actor, *id).await.is_ok(), is_shown);
                assert_eq!(store.db.list_claims(&actor, *id).await.is_ok(), is_shown);
            }
        }
    }

    async fn deleted_and_replaced_assets_stay_behind_the_wall(store: Store) {
        let wall = build(&store).await;
        for (id, _) in &wall.assets {
            store.db.delete_asset(OPERATOR, *id, None, true).await.unwrap();
        }
        let actor = member(store.family_id(), Role::Viewer, &wall.audiences[1..2]);
        for query in ["is:deleted", "is:deleted sea", "is:deleted date:1974 -type:video"] {
            assert_eq!(search_all(&store, &actor, query, 3).await.len(), 4, "{query}");
        }
        store.sql("UPDATE asset SET deleted_at_ms = NULL, state = 'replaced'").await;
        store.db.rebuild_search(OPERATOR).await.unwrap();
        assert_eq!(search_all(&store, &actor, "is:replaced", 3).await.len(), 4);
        assert_eq!(search_all(&store, &actor, "", 3).await.len(), 0);
    }

    async fn strangers_and_other_families_search_nothing(store: Store) {
        let wall = build(&store).await;
        let other: heirloom_core::FamilyId = uuid::Uuid::now_v7().into();
        let foreign = member(other, Role::Owner, &wall.audiences);
        for actor in [&Actor::Stranger, &foreign] {
            let searched = store.search_as(actor, "sea").await;
            assert!(matches!(searched, Err(DbError::Denied(_))), "{searched:?}");
            let listed = store.db.list_assets(actor, store.family_id(), None, 10).await;
            assert!(matches!(listed, Err(DbError::Denied(_))), "{listed:?}");
        }
        // In their own family they see what is theirs, which is nothing of this one.
        let query = "sea".parse().unwrap();
        let page = store.db.search(&foreign, other, &query, None, 10).await.unwrap();
        assert_eq!(page.items, []);
    }

    async fn many_audiences_are_searched_as_one(store: Store) {
        let mut audiences = Vec::new();
        for number in 0..230 {
            let audience_id = store.db
                .create_audience(OPERATOR, store.family_id(), &format!("{number}"))
                .await
                .unwrap();
            audiences.push(audience_id);
            let family = Family { audience_id, ..store.family.clone() };
            if number % 10 == 0 {
                let archive = store.db
                    .create_archive(OPERATOR, &family, &format!("a{number}"), "/a")
                    .await
                    .unwrap();
                store.record_in(&archive, [file(&format!("{number}.jpg")).dated(&format!("{}", 1700 + number))]).await;
            }
        }
        let names = |found: Vec<AssetId>| {
            let store = &store;
            async move {
                let mut names = Vec::new();
                for id in found {
                    names.push(store.asset(id).await.name);
                }
                names
            }
        };
        let newest_first: Vec<String> = (0..23).rev().map(|n| format!("{}.jpg", n * 10)).collect();
        for query in ["jpg", "type:image", "date:1600..2000"] {
            assert_eq!(names(search_all(&store, OPERATOR, query, 4).await).await, newest_first, "{query}");
        }
        let some = member(store.family_id(), Role::Viewer, &audiences[..150]);
        assert_eq!(names(search_all(&store, &some, "jpg", 4).await).await, newest_first[8..]);
        assert_eq!(some.sight(store.family_id()), Sight::Audiences(audiences[..150].to_vec()));
    }

    async fn a_guest_learns_of_no_archive_that_only_others_may_see(store: Store) {
        store.record([file("seen.jpg")]).await;
        let hidden = store.db.create_audience(OPERATOR, store.family_id(), "parents").await.unwrap();
        let family = Family { audience_id: hidden, ..store.family.clone() };
        let attic = store.db.create_archive(OPERATOR, &family, "Attic", "/attic").await.unwrap();
        let recorded = store.record_in(&attic, [file("gift.jpg"), file("secret.jpg")]).await;
        // One of what is there was meant for everybody since.
        let gift = store.literal(asset_of(&recorded[0]).uuid());
        let all = store.literal(store.family.audience_id.uuid());
        store.sql(&format!("UPDATE asset SET audience_id = {all} WHERE id = {gift}")).await;
        store.db.rebuild_search(OPERATOR).await.unwrap();
        let saved = NewCollection {
            name: "Found there".to_owned(),
            description: String::new(),
            query: Some("archive:Attic".parse().unwrap()),
            audience_id: store.family.audience_id,
            assets: Vec::new(),
        };
        store.db.create_collection_once(OPERATOR, store.family_id(), saved, None).await.unwrap();
        let child = member(store.family_id(), Role::Viewer, &[store.family.audience_id]);
        let parent = member(store.family_id(), Role::Viewer, &[store.family.audience_id, hidden]);
        assert_eq!(search_all(&store, &child, "gift", 10).await.len(), 1);
        let nowhere = uuid::Uuid::now_v7().to_string();
        for (there, not_there) in [("Attic", "Cellar"), (&attic.id.to_string(), &nowhere)] {
            for sign in ["", "-"] {
                let query = format!("{sign}archive:{there}");
                assert!(store.search_as(&parent, &query).await.is_ok());
                let told = store.search_as(&child, &query).await.unwrap_err().to_string();
                let asked = format!("{sign}archive:{not_there}");
                let absent = store.search_as(&child, &asked).await.unwrap_err().to_string();
                assert_eq!(told.replace(there, not_there), absent);
                let query = query.parse().unwrap();
                assert!(store.db.count_buckets(&child, store.family_id(), &query).await.is_err());
            }
        }
        for (actor, files) in [(&child, 0), (&parent, 2)] {
            assert_eq!(store.search_as(actor, "in:\"Found there\"").await.is_ok(), files > 0);
            let page = store.db.list_collections(actor, store.family_id(), false, None, 10).await.unwrap();
            let summary = store.db.summarise_collections(actor, page.items).await.unwrap().remove(0);
            assert_eq!((summary.count, summary.cover.is_some()), (files, files > 0));
            let asks = summary.collection.query.unwrap();
            assert_eq!(asks, if files > 0 { "archive:Attic" } else { "" });
            let archives = store.db.list_archives(actor, store.family_id()).await.unwrap();
            assert_eq!(archives.iter().any(|archive| archive.id == attic.id), files > 0);
            assert_eq!(store.db.get_archive(actor, attic.id).await.is_ok(), files > 0);
        }
    }

    async fn a_guest_is_not_told_that_an_asset_also_lies_in_an_archive_of_others(store: Store) {
        let hidden = store.db.create_audience(OPERATOR, store.family_id(), "parents").await.unwrap();
        let family = Family { audience_id: hidden, ..store.family.clone() };
        let attic = store.db.create_archive(OPERATOR, &family, "Attic", "/attic").await.unwrap();
        let everybody = store.family.audience_id;
        let seen = store.record([file("beach.jpg")]).await;
        let asset = asset_of(&seen[0]);
        store.record_in(&attic, [file("quarrel.jpg").of_content("beach.jpg")]).await;
        let child = member(store.family_id(), Role::Viewer, &[everybody]);
        let parent = member(store.family_id(), Role::Viewer, &[everybody, hidden]);
        for (actor, archives) in [(&child, vec!["photos"]), (&parent, vec!["photos", "Attic"])] {
            let known = store.db.get_asset(actor, asset).await.unwrap();
            let places = store.db.list_locations(actor, known.family_id, asset).await.unwrap();
            let named: Vec<_> = places.iter().map(|place| place.archive_name.as_str()).collect();
            assert_eq!(named, archives);
            let listed = store.db.list_locations_of(actor, &[known]).await.unwrap();
            assert_eq!(listed[&asset], places);
            // Why it was found names no file that only others may know of.
            let found = store.search_as(actor, "quarrel").await.unwrap().items;
            let told: Vec<_> = found.iter().flat_map(|hit| &hit.matches).collect();
            assert_eq!(told.len(), archives.len() - 1, "{told:?}");
        }
    }

    async fn a_stack_shows_only_what_one_may_see_of_it(store: Store) {
        let wall = build(&store).await;
        let ids: Vec<AssetId> = wall.assets.iter().take(3).map(|(id, _)| *id).collect();
        let folder = store.folder(store.archive.id, "").await;
        let stack = heirloom_db::stack::NewStack {
            kind: heirloom_db::stack::StackKind::Burst,
            name: "1".to_owned(),
            members: ids.clone(),
        };
        store.db.store_stacks(store.family_id(), folder, &[stack]).await.unwrap();
        let actor = member(store.family_id(), Role::Viewer, &wall.audiences[..2]);
        let asset = store.db.get_asset(&actor, ids[0]).await.unwrap();
        assert_eq!(store.db.list_stacks(&actor, &asset).await.unwrap()[0].members, ids[..2]);
    }

    async fn a_new_file_at_a_hidden_place_is_hidden_too(store: Store) {
        let hidden = store.db.create_audience(OPERATOR, store.family_id(), "parents").await.unwrap();
        let old = store.add(file("gift.jpg").of_content("draft")).await;
        let (id, audience) = (store.literal(old.uuid()), store.literal(hidden.uuid()));
        store.sql(&format!("UPDATE asset SET audience_id = {audience} WHERE id = {id}")).await;
        let folder = store.folder(store.archive.id, "").await;
        let known = store.db.list_known_files(folder, "", 1).await.unwrap();
        let heirloom_db::folder::KnownAs::Location(location, _) = known[0].what else { panic!() };
        let recorded = store.record([file("gift.jpg").of_content("final").instead_of((location, old))]).await;
        let new = asset_of(&recorded[0]);
        let child = member(store.family_id(), Role::Viewer, &[store.family.audience_id]);
        for _settled in 0..2 {
            assert!(store.db.get_asset(&child, new).await.is_err());
            assert_eq!(search_all(&store, &child, "gift", 10).await, []);
            store.db.settle_replacements(&store.archive, 0).await.unwrap();
        }
        assert_eq!(search_all(&store, OPERATOR, "gift", 10).await, [new]);
    }
}
