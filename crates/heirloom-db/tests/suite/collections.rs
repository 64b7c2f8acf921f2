//! Albums by hand, saved searches, frozen sets: what is in them, in which order, and for whom.

use heirloom_core::{
    Actor, AssetId, AudienceId, CollectionId,
    claim::ClaimKind::{Caption, Tag, Title},
    role::Role,
};
use heirloom_db::{
    DbError,
    collection::{Collection, CollectionPatch, NewCollection},
    once::Once,
};

use crate::harness::{OPERATOR, Store, asset_of, file, member, on_both_engines};

impl Store {
    /// A collection that the whole family sees; with a query it is a saved search.
    async fn album(&self, name: &str, query: Option<&str>, assets: &[AssetId]) -> Collection {
        self.try_album(OPERATOR, name, query, assets).await.unwrap()
    }

    async fn try_album(
        &self,
        actor: &Actor,
        name: &str,
        query: Option<&str>,
        assets: &[AssetId],
    ) -> Result<Collection, DbError> {
        let new = NewCollection {
            name: name.to_owned(),
            description: String::new(),
            query: query.map(|query| query.parse().unwrap()),
            audience_id: self.family.audience_id,
            assets: assets.to_vec(),
        };
        let family = self.family_id();
        self.db
            .create_collection_once(actor, family, new, None)
            .await
    }

    /// The file names of what the actor sees in a collection, in its order, read in pages of two.
    async fn members(&self, actor: &Actor, id: CollectionId) -> Vec<String> {
        let collection = self.db.get_collection(actor, id).await.unwrap();
        let (mut names, mut after) = (Vec::new(), None);
        loop {
            let page = self.db.list_members(actor, &collection, after, 2).await;
            let page = page.unwrap();
            assert!(page.items.len() <= 2);
            names.extend(page.items.into_iter().map(|asset| asset.name));
            after = page.next;
            if after.is_none() {
                return names;
            }
        }
    }

    /// How much is in a collection, and the name of its cover.
    async fn summary(&self, actor: &Actor, id: CollectionId) -> (usize, Option<String>) {
        let collection = self.db.get_collection(actor, id).await.unwrap();
        let summaries = self.db.summarise_collections(actor, vec![collection]).await;
        let summary = summaries.unwrap().remove(0);
        (summary.count, summary.cover.map(|asset| asset.name))
    }

    async fn hide(&self, asset: AssetId, audience: AudienceId) {
        let (id, audience) = (self.literal(asset.uuid()), self.literal(audience.uuid()));
        self.sql(&format!(
            "UPDATE asset SET audience_id = {audience} WHERE id = {id}"
        ))
        .await;
        self.db.rebuild_search(OPERATOR).await.unwrap();
    }
}

/// Three pictures, the newest first: c, b, a.
async fn fill(store: &Store) -> [AssetId; 3] {
    [
        store
            .add(file("a.jpg").dated("1974").says(Tag, "beach"))
            .await,
        store
            .add(file("b.jpg").dated("1975").says(Tag, "beach"))
            .await,
        store
            .add(file("c.jpg").dated("1976").says(Tag, "snow"))
            .await,
    ]
}

on_both_engines! {
    async fn an_album_keeps_what_was_put_into_it_in_its_order(store: Store) {
        let [a, b, c] = fill(&store).await;
        let album = store.album("Für Oma", None, &[b, a]).await;
        assert_eq!(store.members(OPERATOR, album.id).await, ["b.jpg", "a.jpg"]);
        assert_eq!(store.summary(OPERATOR, album.id).await, (2, Some("b.jpg".to_owned())));
        assert_eq!(store.find("in:\"fur oma\"").await, ["b.jpg", "a.jpg"], "newest first, as all that is found");

        // What is in it already stays where it is.
        let (album, added) = store.db.add_members(OPERATOR, album.id, &[c, b, c]).await.unwrap();
        assert_eq!(added, 1);
        assert_eq!(store.members(OPERATOR, album.id).await, ["b.jpg", "a.jpg", "c.jpg"]);
        let (same, added) = store.db.add_members(OPERATOR, album.id, &[c]).await.unwrap();
        assert_eq!((added, same.version), (0, album.version), "nothing changed");

        let (_, removed) = store.db.remove_members(OPERATOR, album.id, &[b, AssetId::from_uuid(uuid::Uuid::now_v7())]).await.unwrap();
        assert_eq!(removed, 1);
        assert_eq!(store.members(OPERATOR, album.id).await, ["a.jpg", "c.jpg"]);
        assert_eq!(store.find("in:\"Für Oma\"").await, ["c.jpg", "a.jpg"]);
        assert_eq!(store.find("-in:\"Für Oma\"").await, ["b.jpg"]);
    }

    async fn an_album_is_put_in_order_one_move_at_a_time(store: Store) {
        let ids = fill(&store).await;
        let album = store.album("Album", None, &ids).await;
        let [a, b, c] = ids;
        // What is moved, before what, and what comes out.
        let cases = [
            (c, Some(a), ["c.jpg", "a.jpg", "b.jpg"]),
            (c, Some(b), ["a.jpg", "c.jpg", "b.jpg"]),
            (c, Some(b), ["a.jpg", "c.jpg", "b.jpg"]),
            (c, Some(c), ["a.jpg", "c.jpg", "b.jpg"]),
            (a, None, ["c.jpg", "b.jpg", "a.jpg"]),
            (a, None, ["c.jpg", "b.jpg", "a.jpg"]),
        ];
        for (moved, before, order) in cases {
            store.db.move_member(OPERATOR, album.id, moved, before).await.unwrap();
            assert_eq!(store.members(OPERATOR, album.id).await, order);
        }
        // So often that there is no room left between two of them.
        for round in 0..60 {
            let (moved, order) = match round % 2 {
                0 => (a, ["c.jpg", "a.jpg", "b.jpg"]),
                _ => (c, ["a.jpg", "c.jpg", "b.jpg"]),
            };
            store.db.move_member(OPERATOR, album.id, moved, Some(b)).await.unwrap();
            assert_eq!(store.members(OPERATOR, album.id).await, order, "round {round}");
        }
        let stranger = store.add(file("d.jpg")).await;
        for (moved, before) in [(stranger, None), (a, Some(stranger))] {
            let refused = store.db.move_member(OPERATOR, album.id, moved, before).await;
            assert!(matches!(refused, Err(DbError::NotFound { .. })), "{refused:?}");
        }
    }

    async fn thousands_are_added_at_once_or_none_of_them(store: Store) {
        let files = (0..5_000).map(|n| file(&format!("{n:04}.jpg")));
        let files: Vec<_> = files.collect();
        let mut ids = Vec::new();
        for part in files.chunks(500) {
            ids.extend(store.record(part.to_vec()).await.iter().map(asset_of));
        }
        let album = store.album("Box", None, &[]).await;
        let nobody = AssetId::from_uuid(uuid::Uuid::now_v7());
        let wrong: Vec<AssetId> = ids.iter().copied().chain([nobody]).collect();
        let refused = store.db.add_members(OPERATOR, album.id, &wrong).await.unwrap_err();
        assert_eq!(refused.to_string(), format!("there is no asset {nobody}"));
        assert_eq!(store.summary(OPERATOR, album.id).await, (0, None));

        let (_, added) = store.db.add_members(OPERATOR, album.id, &ids).await.unwrap();
        assert_eq!(added, 5_000);
        assert_eq!(store.summary(OPERATOR, album.id).await, (5_000, Some("0000.jpg".to_owned())));
        assert_eq!(store.find("in:box 4321").await, ["4321.jpg"]);
        let query = "-in:box".parse().unwrap();
        let rest = store.db.search(OPERATOR, store.family_id(), &query, None, 10).await.unwrap();
        assert_eq!(rest.items, []);
    }

    async fn a_saved_search_finds_what_it_asks_for_each_time(store: Store) {
        let [.., c] = fill(&store).await;
        let saved = store.album("Sea", Some("tag:beach"), &[]).await;
        assert!(saved.is_dynamic());
        assert_eq!(store.members(OPERATOR, saved.id).await, ["b.jpg", "a.jpg"]);
        store.say(c, Tag, "beach").await;
        assert_eq!(store.members(OPERATOR, saved.id).await, ["c.jpg", "b.jpg", "a.jpg"]);
        assert_eq!(store.summary(OPERATOR, saved.id).await, (3, Some("c.jpg".to_owned())));
        let patch = CollectionPatch { query: Some("date:1974..1975".parse().unwrap()), ..CollectionPatch::default() };
        store.db.update_collection(OPERATOR, saved.id, None, patch).await.unwrap();
        assert_eq!(store.members(OPERATOR, saved.id).await, ["b.jpg", "a.jpg"]);
    }

    async fn a_search_looks_into_saved_searches_and_leaves_them_out(store: Store) {
        let [a, _, c] = fill(&store).await;
        store.add(file("d.jpg").of_kind(heirloom_core::MediaKind::Video).dated("1977").says(Tag, "beach")).await;
        store.say(a, Title, "first").await;
        store.say(a, Caption, "on the sand").await;
        store.album("Hand", None, &[a, c]).await;
        for (name, query) in [
            ("Beach", "tag:beach"),
            ("Early", "date:..1975"),
            ("Pictures", "type:image -tag:snow"),
            ("Not snow", "-tag:snow"),
            ("Both", "in:beach in:early"),
            ("Sand", "sand"),
            ("Of a hand", "in:hand"),
            ("Not of a hand", "-in:hand -tag:nothing"),
        ] {
            store.album(name, Some(query), &[]).await;
        }
        let cases: [(&str, &[&str]); 15] = [
            ("in:beach", &["d.jpg", "b.jpg", "a.jpg"]),
            ("in:beach type:image", &["b.jpg", "a.jpg"]),
            ("in:beach first", &["a.jpg"]),
            ("-in:beach", &["c.jpg"]),
            ("in:early", &["b.jpg", "a.jpg"]),
            ("in:early -tag:snow -first", &["b.jpg"]),
            ("in:pictures", &["b.jpg", "a.jpg"]),
            ("-in:pictures", &["d.jpg", "c.jpg"]),
            ("-in:\"not snow\"", &["c.jpg"]),
            ("in:both", &["b.jpg", "a.jpg"]),
            ("in:sand", &["a.jpg"]),
            ("jpg in:sand", &["a.jpg"]),
            ("in:\"of a hand\"", &["c.jpg", "a.jpg"]),
            ("-in:\"of a hand\"", &["d.jpg", "b.jpg"]),
            ("-in:\"not of a hand\"", &["c.jpg", "a.jpg"]),
        ];
        for (query, names) in cases {
            assert_eq!(store.find(query).await, names, "{query}");
        }
        // What a saved search looks for is no reason that a find has to give.
        let page = store.search_as(OPERATOR, "in:sand").await.unwrap();
        assert_eq!(page.items[0].matches, []);
        let refused = store.search_as(OPERATOR, "-in:early").await.unwrap_err();
        assert!(refused.to_string().contains("asks for a date"), "{refused}");
    }

    async fn a_saved_search_that_asks_for_itself_is_refused(store: Store) {
        fill(&store).await;
        let first = store.album("First", Some("tag:beach"), &[]).await;
        store.album("Second", Some("in:first"), &[]).await;
        let patch = CollectionPatch { query: Some("in:second".parse().unwrap()), ..CollectionPatch::default() };
        store.db.update_collection(OPERATOR, first.id, None, patch).await.unwrap();
        for query in ["in:first", "-in:first", "in:second in:first"] {
            let refused = store.search_as(OPERATOR, query).await.unwrap_err();
            assert!(refused.to_string().contains("asks for itself"), "{query}: {refused}");
        }
        // In lists it is there, with nothing in it.
        assert_eq!(store.summary(OPERATOR, first.id).await, (0, None));
        // Many that name many are not looked into without end.
        store.album("0", Some("tag:a tag:b tag:c tag:d"), &[]).await;
        for number in 1..5 {
            let before = number - 1;
            let query = format!("in:{before} in:{before} in:{before}");
            let made = store.try_album(OPERATOR, &number.to_string(), Some(&query), &[]).await;
            match made {
                Ok(_) => assert!(number < 3, "{number}"),
                Err(error) => {
                    assert!(number >= 3 && error.to_string().contains("more than 100 terms"), "{error}");
                    break;
                }
            }
        }
    }

    async fn a_frozen_search_has_in_it_what_it_found(store: Store) {
        let [a, _, c] = fill(&store).await;
        let saved = store.album("Sea", Some("tag:beach"), &[]).await;
        let frozen = store.db.freeze_collection(OPERATOR, saved.id, Some(saved.version)).await.unwrap();
        assert!(frozen.frozen_at_ms.is_some() && !frozen.is_dynamic());
        assert_eq!(frozen.query.as_deref(), Some("tag:beach"), "it says where it came from");
        store.say(c, Tag, "beach").await;
        store.deny(a, Tag, "beach").await;
        assert_eq!(store.members(OPERATOR, saved.id).await, ["b.jpg", "a.jpg"]);
        assert_eq!(store.find("in:sea").await, ["b.jpg", "a.jpg"]);
        assert_eq!(store.find("-in:sea").await, ["c.jpg"]);
    }

    async fn what_cannot_be_done_to_a_collection_is_refused_and_changes_nothing(store: Store) {
        let [a, b, c] = fill(&store).await;
        let album = store.album("Album", None, &[a]).await;
        let saved = store.album("Saved", Some("tag:beach"), &[]).await;
        let frozen = store.album("Frozen", None, &[a, b]).await;
        store.db.freeze_collection(OPERATOR, frozen.id, None).await.unwrap();
        let deleted = store.album("Deleted", None, &[a]).await;
        store.db.delete_collection(OPERATOR, deleted.id, None, true).await.unwrap();
        let before = store.db.dump_rows().await.unwrap();
        let asks = || CollectionPatch { query: Some("tag:x".parse().unwrap()), ..CollectionPatch::default() };
        let named = || CollectionPatch { name: Some("Album".to_owned()), ..CollectionPatch::default() };
        let db = &store.db;
        let cases = [
            ("is frozen", db.add_members(OPERATOR, frozen.id, &[c]).await.err()),
            ("is frozen", db.remove_members(OPERATOR, frozen.id, &[a]).await.err()),
            ("is frozen", db.move_member(OPERATOR, frozen.id, b, Some(a)).await.err()),
            ("is frozen", db.freeze_collection(OPERATOR, frozen.id, None).await.err()),
            ("is no saved search", db.update_collection(OPERATOR, frozen.id, None, asks()).await.err()),
            ("is a saved search", db.add_members(OPERATOR, saved.id, &[c]).await.err()),
            ("is a saved search", db.remove_members(OPERATOR, saved.id, &[a]).await.err()),
            ("is a saved search", db.move_member(OPERATOR, saved.id, b, None).await.err()),
            ("is no saved search", db.update_collection(OPERATOR, album.id, None, asks()).await.err()),
            ("was deleted", db.add_members(OPERATOR, deleted.id, &[c]).await.err()),
            ("was deleted", db.freeze_collection(OPERATOR, deleted.id, None).await.err()),
            ("was deleted", db.update_collection(OPERATOR, deleted.id, None, named()).await.err()),
            ("already a collection called", db.update_collection(OPERATOR, saved.id, None, named()).await.err()),
            ("already a collection called", store.try_album(OPERATOR, "Album", None, &[]).await.err()),
            ("what it finds", store.try_album(OPERATOR, "New", Some("x"), &[a]).await.err()),
            ("find everything", store.try_album(OPERATOR, "New", Some("!"), &[]).await.err()),
            ("there is no collection nowhere", store.try_album(OPERATOR, "New", Some("in:nowhere"), &[]).await.err()),
            ("there is no archive nowhere", store.try_album(OPERATOR, "New", Some("archive:nowhere"), &[]).await.err()),
            ("now at version 1", db.delete_collection(OPERATOR, album.id, Some(7), true).await.err()),
            ("now at version 1", db.freeze_collection(OPERATOR, album.id, Some(7)).await.err()),
            ("now at version 1", db.update_collection(OPERATOR, album.id, Some(7), CollectionPatch::default()).await.err()),
        ];
        for (what, refused) in cases {
            let refused = refused.expect(what).to_string();
            assert!(refused.contains(what), "{what}: {refused}");
        }
        assert_eq!(store.db.dump_rows().await.unwrap(), before);
    }

    async fn a_deleted_collection_is_not_found_until_it_is_back(store: Store) {
        let [a, ..] = fill(&store).await;
        let album = store.album("Album", None, &[a]).await;
        store.db.delete_collection(OPERATOR, album.id, None, true).await.unwrap();
        assert!(store.search_as(OPERATOR, "in:album").await.is_err());
        let list = async |is_deleted| {
            let page = store.db.list_collections(OPERATOR, store.family_id(), is_deleted, None, 10).await.unwrap();
            page.items.into_iter().map(|it| it.name).collect::<Vec<_>>()
        };
        assert_eq!((list(false).await, list(true).await), (vec![], vec!["Album".to_owned()]));
        // Its name may be taken meanwhile.
        let other = store.album("Album", None, &[]).await;
        let refused = store.db.delete_collection(OPERATOR, album.id, None, false).await.unwrap_err();
        assert!(refused.to_string().contains("already a collection"), "{refused}");
        store.db.delete_collection(OPERATOR, other.id, None, true).await.unwrap();
        store.db.delete_collection(OPERATOR, album.id, None, false).await.unwrap();
        assert_eq!(store.find("in:album").await, ["a.jpg"]);
    }

    async fn nobody_sees_in_a_collection_what_they_may_not_see(store: Store) {
        let ids = fill(&store).await;
        let [a, b, _] = ids;
        let parents = store.db.create_audience(OPERATOR, store.family_id(), "parents").await.unwrap();
        let album = store.album("Album", None, &ids).await;
        let saved = store.album("Saved", Some("jpg"), &[]).await;
        store.hide(a, parents).await;
        let child = member(store.family_id(), Role::Member, &[store.family.audience_id]);
        for id in [album.id, saved.id] {
            let names = store.members(&child, id).await;
            assert!(!names.contains(&"a.jpg".to_owned()) && names.len() == 2, "{names:?}");
            assert_eq!(store.summary(&child, id).await.0, 2, "nor in the count");
            assert_eq!(store.summary(OPERATOR, id).await.0, 3);
        }
        assert_eq!(store.summary(&child, album.id).await.1.as_deref(), Some("b.jpg"), "nor as its cover");
        // It can be neither taken out nor put in nor moved by who does not see it.
        let (_, removed) = store.db.remove_members(&child, album.id, &[a]).await.unwrap();
        assert_eq!((removed, store.summary(OPERATOR, album.id).await.0), (0, 3));
        let refusals = [
            store.db.add_members(&child, album.id, &[a]).await.err(),
            store.db.move_member(&child, album.id, a, None).await.err(),
            store.db.move_member(&child, album.id, b, Some(a)).await.err(),
            store.try_album(&child, "New", None, &[a]).await.err(),
        ];
        for refused in refusals {
            assert_eq!(refused.unwrap().to_string(), format!("there is no asset {a}"));
        }
        // What a child freezes is what a child sees.
        store.db.freeze_collection(&child, saved.id, None).await.unwrap();
        assert_eq!(store.summary(OPERATOR, saved.id).await.0, 2);
    }

    async fn to_who_may_not_see_a_collection_there_is_none(store: Store) {
        let ids = fill(&store).await;
        let family = store.family_id();
        let parents = store.db.create_audience(OPERATOR, family, "parents").await.unwrap();
        let new = |name: &str| NewCollection {
            name: name.to_owned(),
            description: String::new(),
            query: None,
            audience_id: parents,
            assets: ids.to_vec(),
        };
        let hidden = store.db.create_collection_once(OPERATOR, family, new("Gifts"), None).await.unwrap();
        let child = member(family, Role::Owner, &[store.family.audience_id]);
        let db = &store.db;
        let refusals = [
            db.get_collection(&child, hidden.id).await.err(),
            db.add_members(&child, hidden.id, &ids).await.err(),
            db.remove_members(&child, hidden.id, &ids).await.err(),
            db.move_member(&child, hidden.id, ids[0], None).await.err(),
            db.freeze_collection(&child, hidden.id, None).await.err(),
            db.delete_collection(&child, hidden.id, None, true).await.err(),
            db.update_collection(&child, hidden.id, None, CollectionPatch::default()).await.err(),
            store.search_as(&child, "in:gifts").await.err(),
            store.try_album(&child, "New", Some("in:gifts"), &[]).await.err(),
            db.create_collection_once(&child, family, new("New"), None).await.err(),
        ];
        for refused in refusals {
            assert!(matches!(refused, Some(DbError::NotFound { .. })), "{refused:?}");
        }
        let of_asset = async |actor: &Actor| db.list_collections_of(actor, ids[0], 10).await.unwrap().len();
        assert_eq!((of_asset(&child).await, of_asset(OPERATOR).await), (0, 1));
        let listed = db.list_collections(&child, family, false, None, 10).await.unwrap();
        assert_eq!(listed.items, []);
        // Not even by its name being taken.
        store.try_album(&child, "Gifts", None, &ids[..1]).await.unwrap();
        assert_eq!(store.find("in:gifts").await.len(), 3, "who sees both looks into both");
        let page = store.search_as(&child, "in:gifts").await.unwrap();
        assert_eq!(page.items.len(), 1);
    }

    async fn viewers_look_and_strangers_do_nothing(store: Store) {
        let ids = fill(&store).await;
        let album = store.album("Album", None, &ids).await;
        let guest = member(store.family_id(), Role::Viewer, &[store.family.audience_id]);
        assert_eq!(store.members(&guest, album.id).await.len(), 3);
        let db = &store.db;
        let denied = [
            db.add_members(&guest, album.id, &ids).await.err(),
            db.remove_members(&guest, album.id, &ids).await.err(),
            db.move_member(&guest, album.id, ids[0], None).await.err(),
            db.freeze_collection(&guest, album.id, None).await.err(),
            db.delete_collection(&guest, album.id, None, true).await.err(),
            db.update_collection(&guest, album.id, None, CollectionPatch::default()).await.err(),
            store.try_album(&guest, "New", None, &[]).await.err(),
            store.try_album(&Actor::Stranger, "New", None, &[]).await.err(),
            db.list_collections(&Actor::Stranger, store.family_id(), false, None, 10).await.err(),
        ];
        for refused in denied {
            assert!(matches!(refused, Some(DbError::Denied(_))), "{refused:?}");
        }
        let hidden = db.get_collection(&Actor::Stranger, album.id).await;
        assert!(matches!(hidden, Err(DbError::NotFound { .. })), "{hidden:?}");
    }

    async fn the_same_key_makes_one_collection(store: Store) {
        let once = |request: &str| Some(Once::new("operator", "a-key", request.as_bytes()));
        let make = async |request: &str| {
            let new = NewCollection {
                name: request.to_owned(),
                description: String::new(),
                query: None,
                audience_id: store.family.audience_id,
                assets: Vec::new(),
            };
            store.db.create_collection_once(OPERATOR, store.family_id(), new, once(request).as_ref()).await
        };
        let first = make("Album").await.unwrap();
        let (again, at_once) = tokio::join!(make("Album"), make("Album"));
        assert_eq!((again.unwrap().id, at_once.unwrap().id), (first.id, first.id));
        assert!(matches!(make("Other").await, Err(DbError::KeyReused)));
    }

    async fn an_edit_takes_its_place_in_albums_but_not_in_what_is_frozen(store: Store) {
        let old = store.add(file("letter.jpg").of_content("draft")).await;
        let album = store.album("Album", None, &[old]).await;
        let frozen = store.album("Frozen", None, &[old]).await;
        store.db.freeze_collection(OPERATOR, frozen.id, None).await.unwrap();
        let folder = store.folder(store.archive.id, "").await;
        let known = store.db.list_known_files(folder, "", 1).await.unwrap();
        let heirloom_db::folder::KnownAs::Location(location, _) = known[0].what else { panic!() };
        let recorded = store.record([file("letter.jpg").of_content("final").instead_of((location, old))]).await;
        let new = asset_of(&recorded[0]);
        store.db.settle_replacements(&store.archive, 0).await.unwrap();
        let ids = async |collection: &Collection| {
            let page = store.db.list_members(OPERATOR, collection, None, 10).await.unwrap();
            page.items.into_iter().map(|asset| asset.id).collect::<Vec<_>>()
        };
        assert_eq!(ids(&album).await, [new]);
        let frozen = store.db.get_collection(OPERATOR, frozen.id).await.unwrap();
        assert_eq!(ids(&frozen).await, [old], "it stays as it is");
    }

    async fn what_is_deleted_or_purged_is_in_no_collection(store: Store) {
        let ids = fill(&store).await;
        let album = store.album("Album", None, &ids).await;
        store.db.freeze_collection(OPERATOR, album.id, None).await.unwrap();
        store.db.delete_asset(OPERATOR, ids[0], None, true).await.unwrap();
        assert_eq!(store.members(OPERATOR, album.id).await, ["b.jpg", "c.jpg"]);
        assert_eq!(store.summary(OPERATOR, album.id).await.0, 2);
        store.db.delete_asset(OPERATOR, ids[0], None, false).await.unwrap();
        assert_eq!(store.members(OPERATOR, album.id).await.len(), 3);
        store.db.delete_asset(OPERATOR, ids[0], None, true).await.unwrap();
        store.db.purge_asset(OPERATOR, ids[0]).await.unwrap();
        assert_eq!(store.members(OPERATOR, album.id).await, ["b.jpg", "c.jpg"]);
    }

    async fn collections_are_listed_newest_first_in_pages(store: Store) {
        for number in 0..5 {
            store.album(&format!("{number}"), None, &[]).await;
        }
        let (mut names, mut after) = (Vec::new(), None);
        loop {
            let page = store.db.list_collections(OPERATOR, store.family_id(), false, after, 2).await.unwrap();
            names.extend(page.items.into_iter().map(|it| it.name));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(names, ["4", "3", "2", "1", "0"]);
    }

    async fn two_who_add_the_same_to_two_albums_at_once_do_not_stand_in_each_others_way(store: Store) {
        let mut ids = Vec::new();
        for recorded in store.record((0..60).map(|n| file(&format!("{n}.jpg")))).await {
            ids.push(asset_of(&recorded));
        }
        let reversed: Vec<AssetId> = ids.iter().rev().copied().collect();
        let one = store.album("One", None, &[]).await;
        let two = store.album("Two", None, &[]).await;
        let other = store.open_again().await;
        let (first, second, third) = tokio::join!(
            store.db.add_members(OPERATOR, one.id, &ids),
            other.add_members(OPERATOR, two.id, &reversed),
            other.add_members(OPERATOR, one.id, &reversed),
        );
        second.unwrap();
        assert_eq!(first.unwrap().1 + third.unwrap().1, 60);
        assert_eq!(store.summary(OPERATOR, one.id).await.0, 60);
        assert_eq!(store.find("in:one in:two 7").await, ["7.jpg"]);
        other.close().await;
    }
}
