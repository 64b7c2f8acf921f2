//! Whose voices are in recordings: known again in others that somebody may see, named by people alone, and gone with what
//! they were read from.

use std::collections::BTreeMap;

use heirloom_core::{
    AssetId, MediaKind, Subject,
    claim::{Claim, ClaimKind},
    role::Role,
    transcript::Voiceprint,
};
use heirloom_db::{
    claim::NewClaim,
    text::Text,
    voice::{KnownVoice, Voice},
};

use crate::harness::{OPERATOR, Store, claim, file, member, on_both_engines};

/// Two voices that are nothing alike, and one that is very much like the first.
const ANNA: [u8; 4] = [200, 40, 0, 10];
const ANNA_AGAIN: [u8; 4] = [190, 50, 5, 12];
const KARL: [u8; 4] = [0, 30, 220, 90];

fn voice(label: u32, numbers: [u8; 4], passages: &[(u64, u64)]) -> Voice {
    Voice {
        label,
        voiceprint: Voiceprint {
            model: "ears".to_owned(),
            numbers: numbers.to_vec(),
        },
        spoken_ms: passages.iter().map(|(start, end)| end - start).sum(),
        passages: passages.to_vec(),
    }
}

impl Store {
    /// A recording in which these voices are heard.
    async fn tape(&self, name: &str, voices: &[Voice]) -> AssetId {
        let tape = self.add(file(name).of_kind(MediaKind::Audio)).await;
        self.hear(tape, 1, voices).await;
        tape
    }

    async fn hear(&self, tape: AssetId, version: i64, voices: &[Voice]) {
        let text = Text {
            words: "So it was.".to_owned(),
            times: vec![(0, 200), (200, 400), (400, 600)],
            voices: voices.to_vec(),
            ..Text::default()
        };
        self.find_in(tape, (version, "whisper"), text).await;
    }

    async fn voices(&self, tape: AssetId) -> Vec<KnownVoice> {
        let voices = self.db.list_voices(OPERATOR, self.family_id(), tape);
        voices.await.unwrap()
    }

    /// Says who speaks in a stretch of a recording, or who does not.
    async fn names(&self, tape: AssetId, at: &str, name: &str, is_negation: bool) -> Claim {
        let said = NewClaim {
            is_negation,
            ..claim(ClaimKind::Speaker, name)
        };
        let at = Subject::segment(tape, at.parse().unwrap());
        self.db.make_claim(OPERATOR, at, said).await.unwrap()
    }
}

fn suggested(voices: &[KnownVoice], at: usize) -> Option<&str> {
    voices[at].suggestion()?.name.as_deref()
}

on_both_engines! {
    async fn a_voice_that_has_a_name_in_one_recording_is_known_again_in_another(store: Store) {
        let first = store.tape("first.wav", &[voice(0, ANNA, &[(0, 1_000), (3_000, 9_000)])]).await;
        let both = [voice(0, KARL, &[(0, 2_000)]), voice(1, ANNA_AGAIN, &[(2_000, 5_000), (6_000, 7_000)])];
        let second = store.tape("second.wav", &both).await;
        store.tape("third.wav", &[voice(0, KARL, &[(0, 1_000)])]).await;
        let known = store.voices(second).await;
        assert_eq!(known.iter().map(|it| it.elsewhere.len()).collect::<Vec<_>>(), [1, 1]);
        assert_eq!(known[1].elsewhere[0].asset, first);
        assert!(known[1].elsewhere[0].likeness > 0.99);
        assert_eq!(known[1].voice.longest(), Some((2_000, 5_000)));
        assert_eq!((suggested(&known, 0), suggested(&known, 1)), (None, None));

        let named = store.names(first, "3000-9000", "Anna", false).await;
        let known = store.voices(second).await;
        assert_eq!((suggested(&known, 0), suggested(&known, 1)), (None, Some("Anna")));
        // Somebody who has a name is not asked after.
        store.names(second, "2000-5000", "Anna", false).await;
        let known = store.voices(second).await;
        assert_eq!((known[1].name.name.as_deref(), suggested(&known, 1)), (Some("Anna"), None));
        assert_eq!(known[1].elsewhere[0].name.as_deref(), Some("Anna"));
        store.db.undo_claim(OPERATOR, first, named.id, true).await.unwrap();
        assert_eq!(store.voices(second).await[1].elsewhere[0].name, None);
    }

    async fn that_a_voice_is_somebody_elses_is_remembered(store: Store) {
        let anna = store.tape("anna.wav", &[voice(0, ANNA, &[(0, 1_000)])]).await;
        let lotte = store.tape("lotte.wav", &[voice(0, [200, 40, 0, 60], &[(0, 1_000)])]).await;
        let tape = store.tape("tape.wav", &[voice(0, ANNA, &[(0, 1_000)])]).await;
        store.names(anna, "0-1000", "Anna", false).await;
        store.names(lotte, "0-1000", "Lotte", false).await;
        assert_eq!(suggested(&store.voices(tape).await, 0), Some("Anna"));
        let denied = store.names(tape, "0-1000", "anna", true).await;
        assert_eq!(suggested(&store.voices(tape).await, 0), Some("Lotte"));
        store.names(tape, "0-1000", "Lotte", true).await;
        assert_eq!(suggested(&store.voices(tape).await, 0), None);
        store.db.undo_claim(OPERATOR, tape, denied.id, true).await.unwrap();
        assert_eq!(suggested(&store.voices(tape).await, 0), Some("Anna"));
    }

    async fn a_voice_is_not_known_from_a_recording_that_somebody_may_not_see(store: Store) {
        let parents = store.db.create_audience(OPERATOR, store.family_id(), "parents").await.unwrap();
        let hidden = store.tape("hidden.wav", &[voice(0, ANNA, &[(0, 1_000)])]).await;
        let open = store.tape("open.wav", &[voice(0, ANNA, &[(0, 1_000)])]).await;
        store.names(hidden, "0-1000", "Anna", false).await;
        let (id, audience) = (store.literal(hidden.uuid()), store.literal(parents.uuid()));
        store.sql(&format!("UPDATE asset SET audience_id = {audience} WHERE id = {id}")).await;
        let child = member(store.family_id(), Role::Viewer, &[store.family.audience_id]);
        let seen = store.db.list_voices(&child, store.family_id(), open).await.unwrap();
        assert!(seen[0].elsewhere.is_empty(), "{seen:?}");
        assert_eq!(suggested(&store.voices(open).await, 0), Some("Anna"));
        // What is deleted is heard of nowhere, until it is back.
        store.db.delete_asset(OPERATOR, hidden, None, true).await.unwrap();
        assert!(store.voices(open).await[0].elsewhere.is_empty());
    }

    async fn what_is_heard_anew_has_its_new_voices_and_a_purge_takes_them_away(store: Store) {
        let tape = store.tape("tape.wav", &[voice(0, ANNA, &[(0, 1_000)]), voice(1, KARL, &[(1_000, 2_000)])]).await;
        let other = store.tape("other.wav", &[voice(0, ANNA, &[(0, 1_000)])]).await;
        store.hear(tape, 2, &[voice(0, KARL, &[(0, 2_000)])]).await;
        let known = store.voices(tape).await;
        assert_eq!(known.len(), 1);
        assert!(store.voices(other).await[0].elsewhere.is_empty());
        store.db.delete_asset(OPERATOR, tape, None, true).await.unwrap();
        store.db.purge_asset(OPERATOR, tape).await.unwrap();
        let left = store.sql("SELECT CAST(COUNT(*) AS TEXT) FROM asset_voice").await;
        assert_eq!(left, ["1"]);
    }

    async fn voices_of_transcripts_that_are_older_than_voices_are_read_once(store: Store) {
        let tape = store.tape("tape.wav", &[voice(0, ANNA, &[(0, 1_000)])]).await;
        let silent = store.tape("silent.wav", &[]).await;
        assert_eq!(store.db.list_unread_voices(nobody(), 10).await.unwrap(), []);
        store.db.forget_voices(OPERATOR).await.unwrap();
        let unread = store.db.list_unread_voices(nobody(), 10).await.unwrap();
        let unread: BTreeMap<_, _> = unread.into_iter().collect();
        assert_eq!(unread.keys().copied().collect::<Vec<_>>(), [tape.min(silent), tape.max(silent)]);
        store.db.keep_voices(tape, unread[&tape], &[voice(0, KARL, &[(0, 900)])]).await.unwrap();
        // Another transcript has taken the place of this one meanwhile.
        store.hear(silent, 2, &[voice(0, KARL, &[(0, 900)])]).await;
        store.db.keep_voices(silent, unread[&silent], &[]).await.unwrap();
        assert_eq!(store.db.list_unread_voices(nobody(), 10).await.unwrap(), []);
        let known = store.voices(tape).await;
        assert_eq!(known[0].elsewhere.iter().map(|it| it.asset).collect::<Vec<_>>(), [silent]);
    }
}

fn nobody() -> AssetId {
    AssetId::from_uuid(uuid::Uuid::nil())
}
