//! Whose faces are in pictures: gathered by machines, told by people, and as it was before when that is taken back.

use std::collections::{BTreeMap, BTreeSet};

use heirloom_core::{
    Actor, Area, AssetId, ClaimBatchId, FaceId,
    face::{Aside, Face, Faceprint},
    role::Role,
};
use heirloom_db::{
    DbError,
    artifact::Payload,
    person::{Of, Portrait, Said, SaidKind, Saying, Seen, seen_of},
};
use serde_json::json;

use crate::harness::{Chance, OPERATOR, Store, file, member, on_both_engines};

const ANNA: [f32; 4] = [1.0, 0.0, 0.1, 0.0];
const EMIL: [f32; 4] = [0.0, 1.0, 0.0, 0.1];
const IDA: [f32; 4] = [0.1, 0.0, 1.0, 0.0];

fn face(left: f64, look: [f32; 4]) -> Face {
    Face {
        area: Area::new([left, 0.1, 0.2, 0.3]).unwrap(),
        at_ms: None,
        moments: Vec::new(),
        probability: 1.0,
        quality: 0.9,
        landmarks: Vec::new(),
        print: Faceprint::of("eyes", &look),
    }
}

impl Store {
    /// A picture with faces from the left.
    async fn portrait(&self, name: &str, looks: &[[f32; 4]]) -> AssetId {
        let picture = self.add(file(name)).await;
        self.look_at(picture, 1, looks).await;
        picture
    }

    /// Has a version of a tool find these faces in a picture.
    async fn look_at(&self, picture: AssetId, version: i64, looks: &[[f32; 4]]) {
        let places = (0_u8..).map(|at| f64::from(at) * 0.25);
        let faces = looks.iter().zip(places);
        let faces = faces.map(|(look, left)| face(left, *look)).collect();
        self.find_faces(picture, version, faces).await;
    }

    async fn find_faces(&self, picture: AssetId, version: i64, faces: Vec<Face>) {
        let payload = Payload::Faces {
            json: Some(json!({ "faces": faces })),
            blob: None,
            faces,
        };
        self.derive(picture, "faces", (version, "eyes"), payload, Vec::new())
            .await;
        self.db.gather_faces(self.family_id()).await.unwrap();
    }

    async fn portraits(&self) -> Vec<Portrait> {
        let portraits = self.db.list_portraits(OPERATOR, self.family_id());
        portraits.await.unwrap()
    }

    async fn seen(&self) -> Vec<Seen> {
        seen_of(self.portraits().await, false)
    }

    /// The names that are known, each with how many faces people gave it and how many it is asked of.
    async fn people(&self) -> BTreeMap<String, (usize, usize)> {
        let seen = self.seen().await.into_iter();
        let named = seen.filter_map(|one| Some((one.name?, one.faces)));
        let counts = named.map(|(name, faces)| {
            let said = faces.iter().filter(|face| face.whose.is_said).count();
            (name, (said, faces.len() - said))
        });
        counts.collect()
    }

    /// What is found by each of the names.
    async fn found(&self) -> Vec<Vec<String>> {
        let mut found = Vec::new();
        for name in ["anna", "emil", "ida"] {
            found.push(self.find(&format!("person:{name}")).await);
        }
        found
    }

    async fn tell(&self, faces: &[FaceId], saying: Saying) -> ClaimBatchId {
        self.try_to_tell(faces, saying).await.unwrap()
    }

    async fn try_to_tell(&self, faces: &[FaceId], saying: Saying) -> Result<ClaimBatchId, DbError> {
        let (db, family, of) = (&self.db, self.family_id(), Of::Faces(faces));
        let said = db.say_of_faces(OPERATOR, family, of, &saying).await?;
        Ok(said.id)
    }

    /// All that was said and that somebody may see, page by page.
    async fn said(&self, actor: &Actor, limit: usize) -> Vec<Said> {
        let (mut said, mut before) = (Vec::new(), None);
        loop {
            let page = self
                .db
                .list_said_of_faces(actor, self.family_id(), before, limit);
            let page = page.await.unwrap();
            assert!(page.items.len() == limit || page.next.is_none());
            said.extend(page.items);
            before = page.next;
            if before.is_none() {
                return said;
            }
        }
    }

    /// Whose the faces of each picture are, asked of one picture after the other: the same as of all at once.
    async fn assert_told_alike(&self, actor: &Actor) {
        let all = self
            .db
            .list_portraits(actor, self.family_id())
            .await
            .unwrap();
        let assets: BTreeSet<AssetId> = all.iter().map(|face| face.asset).collect();
        for asset in assets {
            let own: Vec<Portrait> = all.iter().filter(|it| it.asset == asset).cloned().collect();
            let told = self.db.list_portraits_in(actor, asset).await.unwrap();
            assert_eq!(told, own);
        }
    }

    async fn face_of(&self, picture: AssetId) -> Portrait {
        let mut portraits = self.portraits().await.into_iter();
        portraits.find(|it| it.asset == picture).unwrap()
    }
}

fn named(name: &str) -> Saying {
    Saying::Name(name.to_owned())
}

/// Something that somebody could say, perhaps of that group.
fn random_saying(random: &mut Chance, group: FaceId) -> Saying {
    let name = random.one_of(&["Anna", "Emil", "anna", "Ida"]);
    match random.below(8) {
        0 | 1 => named(name),
        2 => Saying::NotName(name.to_owned()),
        3 => Saying::Same(group),
        4 => Saying::NotSame(group),
        5 => Saying::Apart,
        6 => Saying::Aside(random.one_of(&[Aside::Stranger, Aside::NoFace])),
        _ => Saying::Back,
    }
}

fn ids(faces: &[Portrait]) -> Vec<FaceId> {
    faces.iter().map(|face| face.id).collect()
}

on_both_engines! {
    async fn faces_are_gathered_named_and_found_and_whoever_comes_later_is_asked_about(store: Store) {
        for (name, looks) in [("1.jpg", &[ANNA, EMIL][..]), ("2.jpg", &[ANNA]), ("3.jpg", &[IDA])] {
            store.portrait(name, looks).await;
        }
        let seen = store.seen().await;
        let counts: Vec<usize> = seen.iter().map(|one| one.faces.len()).collect();
        assert_eq!(counts, [2, 1, 1], "who is seen most comes first");
        store.tell(&ids(&seen[0].faces), named("Anna")).await;
        assert_eq!(store.find("person:anna").await, ["2.jpg", "1.jpg"]);
        let later = store.portrait("4.jpg", &[ANNA]).await;
        assert_eq!(store.people().await["Anna"], (2, 1));
        assert_eq!(store.find("person:anna").await.len(), 2, "a guess is no find");
        let face = store.face_of(later).await;
        assert_eq!((face.whose.name.as_deref(), face.whose.is_said), (Some("Anna"), false));
        store.tell(&[face.id], named("anna")).await;
        assert_eq!(store.people().await["Anna"], (3, 0));
        assert_eq!(store.find("person:anna").await.len(), 3);
    }

    async fn faces_of_a_film_are_told_apart_by_when_they_are_seen_and_keep_what_was_said_of_them(store: Store) {
        let seen = |look, at_ms: u64, moments: &[u64]| Face {
            at_ms: Some(at_ms),
            moments: moments.to_vec(),
            ..face(0.25, look)
        };
        let film = store.add(file("film.mp4")).await;
        let other = [0.7, 0.7, 0.1, 0.1];
        // At one place at different times; who is seen at once is not the same.
        let found = vec![seen(ANNA, 2_000, &[0, 2_000]), seen(EMIL, 8_000, &[6_000, 8_000]), seen(other, 4_000, &[0, 4_000])];
        store.find_faces(film, 1, found).await;
        let faces = store.db.list_faces(OPERATOR, film).await.unwrap();
        let times: Vec<_> = faces.iter().map(|face| (face.glimpse.at_ms, face.moments.as_slice())).collect();
        assert_eq!(times, [(Some(2_000), &[0, 2_000][..]), (Some(4_000), &[0, 4_000]), (Some(8_000), &[6_000, 8_000])]);
        assert_eq!(store.seen().await.len(), 2, "the third is as like either, and seen beside Anna");
        store.tell(&[faces[0].id], named("Anna")).await;
        store.tell(&[faces[2].id], named("Emil")).await;
        let picture = store.portrait("1.jpg", &[EMIL]).await;
        assert_eq!(store.face_of(picture).await.whose.name.as_deref(), Some("Emil"));
        assert_eq!(store.find("person:emil").await, ["film.mp4"]);
        // A better model sees her half a second earlier.
        store.find_faces(film, 2, vec![seen(ANNA, 1_500, &[1_500]), seen(EMIL, 12_000, &[12_000])]).await;
        let again = store.db.list_faces(OPERATOR, film).await.unwrap();
        assert_eq!(again[0].id, faces[0].id);
        let portraits = store.portraits().await;
        let names: BTreeMap<u64, bool> = portraits.iter().filter_map(|it| Some((it.glimpse.at_ms?, it.whose.is_said))).collect();
        assert_eq!(names, BTreeMap::from([(1_500, true), (12_000, false)]));
    }

    async fn whoever_is_not_her_is_asked_about_no_more_and_nobody_like_them_joins(store: Store) {
        let first = store.portrait("1.jpg", &[ANNA]).await;
        store.tell(&[store.face_of(first).await.id], named("Anna")).await;
        let other = store.portrait("2.jpg", &[ANNA]).await;
        let denied = store.face_of(other).await;
        let said = store.tell(&[denied.id], Saying::NotName("Anna".to_owned())).await;
        assert_eq!(store.people().await["Anna"], (1, 0));
        assert_eq!(store.seen().await.len(), 2);
        store.portrait("3.jpg", &[EMIL]).await;
        assert_eq!(store.people().await["Anna"], (1, 0), "it does not come back");
        store.db.undo_claims(OPERATOR, store.family_id(), said, true).await.unwrap();
        assert_eq!(store.people().await["Anna"], (1, 1));
    }

    async fn groups_are_joined_and_parted_and_two_with_one_name_are_one(store: Store) {
        for (name, look) in [("1.jpg", ANNA), ("2.jpg", EMIL), ("3.jpg", IDA), ("4.jpg", ANNA)] {
            store.portrait(name, &[look]).await;
        }
        let seen = store.seen().await;
        let [anna, emil, ida] = [0, 1, 2].map(|at| seen[at].clone());
        store.tell(&ids(&emil.faces), Saying::Same(anna.group)).await;
        assert_eq!(store.seen().await[0].faces.len(), 3);
        store.tell(&ids(&anna.faces), named("Anna")).await;
        store.tell(&ids(&ida.faces), named("ANNA")).await;
        assert_eq!(store.people().await.len(), 1);
        // Of those that were joined, one is somebody else's.
        store.tell(&ids(&emil.faces), Saying::Apart).await;
        let seen = store.seen().await;
        assert_eq!(seen.iter().map(|one| one.faces.len()).collect::<Vec<_>>(), [3, 1]);
        store.tell(&ids(&emil.faces), named("Emil")).await;
        store.portrait("5.jpg", &[EMIL]).await;
        assert_eq!(store.people().await["Emil"], (1, 1), "whoever is like him is asked to be him");
        assert_eq!(store.people().await["Anna"], (3, 0));
    }

    async fn whoever_is_the_same_as_somebody_with_a_name_has_it_and_two_names_are_never_one_person(store: Store) {
        for (name, look) in [("1.jpg", ANNA), ("2.jpg", EMIL), ("3.jpg", IDA)] {
            store.portrait(name, &[look]).await;
        }
        let seen = store.seen().await;
        let [anna, emil, ida] = [0, 1, 2].map(|at| seen[at].clone());
        store.tell(&ids(&anna.faces), named("Anna")).await;
        store.tell(&ids(&emil.faces), named("Emil")).await;
        // Nobody is asked about what was just said, whichever of the two was joined to the other.
        let same = store.tell(&ids(&ida.faces), Saying::Same(anna.group)).await;
        assert_eq!(store.people().await["Anna"], (2, 0));
        store.db.undo_claims(OPERATOR, store.family_id(), same, true).await.unwrap();
        store.tell(&ids(&anna.faces), Saying::Same(ida.group)).await;
        assert_eq!(store.people().await["Anna"], (2, 0));
        let before = store.portraits().await;
        let refused = store.try_to_tell(&ids(&emil.faces), Saying::Same(ida.group)).await;
        assert!(refused.unwrap_err().to_string().contains("two names, Anna and Emil"));
        assert_eq!(store.portraits().await, before);
    }

    async fn many_groups_become_one_at_once_and_what_is_one_is_neither_joined_nor_parted(store: Store) {
        for (name, look) in [("1.jpg", ANNA), ("2.jpg", EMIL), ("3.jpg", IDA)] {
            store.portrait(name, &[look]).await;
        }
        let before = store.portraits().await;
        let groups: Vec<FaceId> = store.seen().await.iter().map(|one| one.group).collect();
        let (db, family) = (&store.db, store.family_id());
        let same = Saying::Same(groups[2]);
        let said = db.say_of_faces(OPERATOR, family, Of::Groups(&groups[..2]), &same).await.unwrap();
        assert_eq!((said.what, said.count, said.is_undone), (SaidKind::Same, 3, false));
        let seen = store.seen().await;
        assert_eq!((seen.len(), seen[0].faces.len()), (1, 3));
        let own = [seen[0].group];
        for saying in [Saying::Same(own[0]), Saying::NotSame(own[0])] {
            let refused = db.say_of_faces(OPERATOR, family, Of::Groups(&own), &saying).await;
            assert!(matches!(refused, Err(DbError::Refused(_))), "{refused:?}");
        }
        let other = Saying::NotSame(FaceId::from_uuid(said.id.uuid()));
        let refused = db.say_of_faces(OPERATOR, family, Of::Groups(&own), &other).await;
        assert!(matches!(refused, Err(DbError::NotFound { .. })), "{refused:?}");
        db.undo_claims(OPERATOR, family, said.id, true).await.unwrap();
        assert_eq!(store.portraits().await, before);
    }

    async fn all_that_was_said_is_listed_and_taken_back_however_long_ago_that_was(store: Store) {
        let (shown, hidden) = (store.portrait("1.jpg", &[ANNA]).await, store.portrait("2.jpg", &[EMIL]).await);
        let [anna, emil] = [store.face_of(shown).await.id, store.face_of(hidden).await.id];
        let before = store.portraits().await;
        let family = store.family_id();
        for number in 0..40 {
            let face = if number < 5 { anna } else { emil };
            store.tell(&[face], named(&format!("Name {number}"))).await;
        }
        let parents = store.db.create_audience(OPERATOR, family, "parents").await.unwrap();
        let (id, audience) = (store.literal(hidden.uuid()), store.literal(parents.uuid()));
        store.sql(&format!("UPDATE asset SET audience_id = {audience} WHERE id = {id}")).await;
        // Whoever may not see the last of it gets whole pages of what was said before.
        let other = member(family, Role::Member, &[store.family.audience_id]);
        let seen: Vec<_> = store.said(&other, 2).await.into_iter().filter_map(|said| said.name).collect();
        assert_eq!(seen, ["Name 4", "Name 3", "Name 2", "Name 1", "Name 0"]);
        store.assert_told_alike(&other).await;
        let all = store.said(OPERATOR, 7).await;
        assert_eq!(all.len(), 40);
        for said in &all {
            store.db.undo_claims(OPERATOR, family, said.id, true).await.unwrap();
        }
        assert_eq!(store.portraits().await, before);
        assert!(store.said(OPERATOR, 500).await.iter().all(|said| said.is_undone));
    }

    async fn what_is_kept_apart_stays_so_however_alike(store: Store) {
        store.portrait("1.jpg", &[ANNA]).await;
        let twin = store.portrait("2.jpg", &[ANNA]).await;
        let seen = store.seen().await;
        assert_eq!(seen.len(), 1);
        let face = store.face_of(twin).await;
        store.tell(&[face.id], Saying::NotSame(seen[0].group)).await;
        assert_eq!(store.seen().await.len(), 2);
        store.portrait("3.jpg", &[IDA]).await;
        assert_eq!(store.seen().await.len(), 3);
    }

    async fn a_stranger_is_left_out_with_whoever_is_like_them_and_comes_back(store: Store) {
        let first = store.portrait("1.jpg", &[ANNA]).await;
        store.tell(&[store.face_of(first).await.id], Saying::Aside(Aside::Stranger)).await;
        store.portrait("2.jpg", &[ANNA]).await;
        let none = store.portrait("3.jpg", &[EMIL]).await;
        store.tell(&[store.face_of(none).await.id], Saying::Aside(Aside::NoFace)).await;
        store.portrait("4.jpg", &[EMIL]).await;
        assert_eq!(store.seen().await.len(), 1, "what is no face says nothing of others");
        let hidden = store.db.list_seen(OPERATOR, store.family_id(), true).await.unwrap();
        assert_eq!(hidden.len(), 2);
        let all: Vec<FaceId> = hidden.iter().flat_map(|one| ids(&one.faces)).collect();
        store.tell(&all, Saying::Back).await;
        assert_eq!(store.seen().await.len(), 3);
    }

    async fn what_people_said_holds_for_what_another_model_finds_there(store: Store) {
        let picture = store.portrait("1.jpg", &[ANNA, EMIL]).await;
        let anna = store.face_of(picture).await;
        store.tell(&[anna.id], named("Anna")).await;
        // Another one finds them too, and somebody else.
        store.look_at(picture, 2, &[ANNA, EMIL, IDA]).await;
        let faces = store.db.list_faces(OPERATOR, picture).await.unwrap();
        assert_eq!((faces.len(), faces[0].id), (3, anna.id));
        assert_eq!(store.people().await["Anna"], (1, 0));
        let reset = store.db.reset_faces(OPERATOR, store.family_id()).await.unwrap();
        assert_eq!((reset, store.portraits().await.len()), (1, 0));
        assert_eq!(store.find("person:anna").await, ["1.jpg"], "nobody's word is lost");
        store.look_at(picture, 2, &[ANNA, EMIL]).await;
        assert_eq!(store.people().await["Anna"], (1, 0));
        let somebody = store.portrait("2.jpg", &[ANNA]).await;
        assert_eq!(store.face_of(somebody).await.whose.name.as_deref(), Some("Anna"));
    }

    async fn nobody_sees_faces_of_what_they_may_not_see(store: Store) {
        let picture = store.portrait("1.jpg", &[ANNA]).await;
        let face = store.face_of(picture).await.id;
        let said = store.tell(&[face], named("Anna")).await;
        let family = store.family_id();
        let parents = store.db.create_audience(OPERATOR, family, "parents").await.unwrap();
        let (id, audience) = (store.literal(picture.uuid()), store.literal(parents.uuid()));
        store.sql(&format!("UPDATE asset SET audience_id = {audience} WHERE id = {id}")).await;
        let other = member(family, Role::Member, &[store.family.audience_id]);
        assert_eq!(store.db.list_portraits(&other, family).await.unwrap(), []);
        assert_eq!(store.said(&other, 9).await, []);
        let refused = store.db.say_of_faces(&other, family, Of::Faces(&[face]), &named("Eve")).await;
        assert!(matches!(refused, Err(DbError::NotFound { .. })), "{refused:?}");
        let refused = store.db.undo_claims(&other, family, said, true).await;
        assert!(refused.is_err());
        let stranger = Actor::Stranger;
        assert!(store.db.list_portraits(&stranger, family).await.is_err());
        assert!(store.db.reset_faces(&other, family).await.is_err());
    }

    async fn whatever_is_said_of_faces_and_taken_back_all_is_as_it_was(store: Store) {
        for at in 0..6 {
            let looks = [ANNA, EMIL, IDA];
            store.portrait(&format!("{at}.jpg"), &[looks[at % 3], looks[(at + 1) % 3]]).await;
        }
        let family = store.family_id();
        for seed in 0..6 {
            let mut random = Chance(seed);
            let mut states = vec![(store.portraits().await, store.found().await)];
            let mut said = Vec::new();
            for _ in 0..12 {
                let portraits = store.portraits().await;
                let count = 1 + random.below(4);
                let chosen = (0..count).map(|_| portraits[random.below(portraits.len())].id);
                let chosen: Vec<FaceId> = chosen.collect();
                let group = portraits[random.below(portraits.len())].whose.group;
                let saying = random_saying(&mut random, group);
                let refusals = match saying {
                    Saying::Same(_) => ["two names", "one person's already"],
                    Saying::NotSame(_) => ["another person than themselves"; 2],
                    _ => ["nothing"; 2],
                };
                match store.try_to_tell(&chosen, saying).await {
                    Ok(told) => said.push(told),
                    Err(DbError::Refused(why)) => {
                        assert!(refusals.iter().any(|it| why.contains(it)), "{why}");
                        assert_eq!(store.portraits().await, states.last().unwrap().0);
                        continue;
                    }
                    Err(error) => panic!("{error}"),
                }
                states.push((store.portraits().await, store.found().await));
                store.assert_told_alike(OPERATOR).await;
                let groups: Vec<FaceId> = store.seen().await.iter().map(|one| one.group).collect();
                let unlike: BTreeSet<&FaceId> = groups.iter().collect();
                assert_eq!(unlike.len(), groups.len(), "seed {seed}: each is reached by a group of their own");
                if random.below(4) == 0 {
                    // Taken back and held to again: as if it had not been.
                    let last = *said.last().unwrap();
                    store.db.undo_claims(OPERATOR, family, last, true).await.unwrap();
                    store.db.undo_claims(OPERATOR, family, last, false).await.unwrap();
                    assert_eq!(store.portraits().await, states.last().unwrap().0);
                }
            }
            while !said.is_empty() {
                // The last first, with what was before each; or in any order.
                let is_last = seed % 2 == 0;
                let at = if is_last { said.len() - 1 } else { random.below(said.len()) };
                let after = states.pop().unwrap();
                if is_last {
                    assert_eq!((store.portraits().await, store.found().await), after);
                }
                store.db.undo_claims(OPERATOR, family, said.remove(at), true).await.unwrap();
            }
            let first = states.pop().unwrap();
            assert_eq!((store.portraits().await, store.found().await), first, "seed {seed}");
        }
        let told = store.said(OPERATOR, 7).await;
        assert!(told.iter().all(|said| said.is_undone), "and all of it can be read");
        assert!(told.iter().any(|said| said.what == SaidKind::Name));
    }

    async fn whatever_is_said_comes_and_is_taken_back_in_between_peoples_word_holds_and_goes(store: Store) {
        let (looks, family) = ([ANNA, EMIL, IDA], store.family_id());
        let mut count = 0;
        for seed in 10..16 {
            let mut random = Chance(seed);
            let (mut said, mut undone) = (Vec::new(), Vec::new());
            for step in 0..24 {
                let portraits = store.portraits().await;
                if portraits.len() < 4 || random.below(5) == 0 {
                    // Whoever comes is put somewhere, and nobody's word of the others is another one by that.
                    count += 1;
                    let own = [looks[random.below(3)], looks[random.below(3)]];
                    store.portrait(&format!("{count}.jpg"), &own).await;
                    let word = |it: &Portrait| (it.id, it.whose.name.clone(), it.whose.aside);
                    let spoken = |all: &[Portrait]| -> BTreeSet<_> {
                        all.iter().filter(|it| it.whose.is_said).map(word).collect()
                    };
                    assert_eq!(spoken(&store.portraits().await), spoken(&portraits), "seed {seed} step {step}");
                    continue;
                }
                match random.below(6) {
                    0 if !said.is_empty() => {
                        let batch = said.remove(random.below(said.len()));
                        store.db.undo_claims(OPERATOR, family, batch, true).await.unwrap();
                        undone.push(batch);
                    }
                    1 if !undone.is_empty() => {
                        let batch = undone.remove(random.below(undone.len()));
                        store.db.undo_claims(OPERATOR, family, batch, false).await.unwrap();
                        said.push(batch);
                    }
                    _ => {
                        let chosen = (0..1 + random.below(3)).map(|_| portraits[random.below(portraits.len())].id);
                        let chosen: Vec<FaceId> = chosen.collect();
                        let group = portraits[random.below(portraits.len())].whose.group;
                        match store.try_to_tell(&chosen, random_saying(&mut random, group)).await {
                            Ok(batch) => said.push(batch),
                            Err(DbError::Refused(_)) => {}
                            Err(error) => panic!("{error}"),
                        }
                    }
                }
                store.assert_told_alike(OPERATOR).await;
            }
            while !said.is_empty() {
                let batch = said.remove(random.below(said.len()));
                store.db.undo_claims(OPERATOR, family, batch, true).await.unwrap();
            }
            // What is left is what machines gathered.
            for face in store.portraits().await {
                let whose = &face.whose;
                assert_eq!((whose.name.as_deref(), whose.aside, whose.is_said), (None, None, false), "seed {seed}");
            }
            assert!(store.found().await.iter().all(Vec::is_empty));
        }
    }
}
