//! Reading everything again: what rots is found, what was derived is made again, what is a person's is named.

use std::{fs, time::Duration};

use heirloom_db::scrub::{DamagedPlace, ScrubPass};
use heirloom_pipeline::scrub::{Pace, Page, scrub_page};

use crate::{
    fsck::{blob_files, rewrite, talkative},
    harness::{Home, OPERATOR, flip_a_byte, on_both_engines, rot},
};

/// No slower than it has to be.
fn at_once() -> Pace {
    Pace::new(u64::MAX)
}

/// Reads until there is nothing to be read for now; gives the pass that has ended.
async fn read_all(home: &Home) -> ScrubPass {
    let mut pace = at_once();
    while let Page::Read { to_make } = scrub_page(&home.ctx, &mut pace).await.unwrap() {
        assert_eq!(to_make, [], "nothing that a run has made");
    }
    last(home).await
}

async fn last(home: &Home) -> ScrubPass {
    home.ctx
        .db
        .list_scrub_passes(OPERATOR)
        .await
        .unwrap()
        .swap_remove(0)
}

/// What is read now, if a pass has begun.
async fn last_part(home: &Home) -> Option<&'static str> {
    let passes = home.ctx.db.list_scrub_passes(OPERATOR).await.unwrap();
    passes.first().map(|pass| pass.at.part())
}

/// Has the last pass be over for long.
async fn a_day_later(home: &Home) {
    let mut pass = last(home).await;
    pass.ended_at_ms = pass
        .ended_at_ms
        .map(|ended_at_ms| ended_at_ms - 24 * 3_600_000);
    home.ctx.db.save_scrub_pass(&pass).await.unwrap();
}

async fn damaged(home: &Home) -> Vec<DamagedPlace> {
    home.ctx
        .db
        .list_damaged_places(OPERATOR, home.family.id, 10)
        .await
        .unwrap()
}

on_both_engines! {
    async fn what_rots_is_found_and_what_was_derived_is_made_again(home: Home) {
        home.write("a.jpg", talkative(1));
        home.photo("b/b.jpg", 2);
        home.photo("b/twin.jpg", 2);
        home.scan().await;
        let pass = read_all(&home).await;
        assert_eq!((pass.blobs, pass.originals, pass.damaged), (1, 3, 0));
        assert!(pass.bytes > 0 && damaged(&home).await.is_empty());
        let blob = &blob_files(&home)[0];
        let sound = fs::read(blob).unwrap();
        rewrite(blob, b"rotten");
        rot(&home, "b/b.jpg").await;
        a_day_later(&home).await;
        let pass = read_all(&home).await;
        assert_eq!((pass.damaged, pass.mended), (2, 1));
        assert_eq!(fs::read(blob).unwrap(), sound);
        let found = damaged(&home).await;
        let [place] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((place.path.as_str(), place.asset_name.as_str(), place.copies), ("b/b.jpg", "b.jpg", 1));
        let since_ms = place.damaged_at_ms;
        a_day_later(&home).await;
        assert_eq!(read_all(&home).await.damaged, 1);
        assert_eq!(damaged(&home).await[0].damaged_at_ms, since_ms, "it is damaged since it was found");
        // Somebody puts the right bytes back.
        rot(&home, "b/b.jpg").await;
        a_day_later(&home).await;
        assert_eq!(read_all(&home).await.damaged, 0);
        assert_eq!(damaged(&home).await, []);
    }

    async fn a_pass_goes_on_where_it_was_after_a_restart(home: Home) {
        let mut home = home;
        for number in 0..40 {
            home.write(&format!("{number}.jpg"), talkative(number));
        }
        home.scan().await;
        let mut seen = Vec::new();
        for _ in 0..6 {
            scrub_page(&home.ctx, &mut at_once()).await.unwrap();
            let pass = last(&home).await;
            seen.push((pass.at.part(), pass.blobs, pass.originals, pass.ended_at_ms.is_some()));
            home.reopen().await;
        }
        assert_eq!(seen, [
            ("blobs", 32, 0, false),
            ("blobs", 40, 0, false),
            ("originals", 40, 0, false),
            ("originals", 40, 32, false),
            ("originals", 40, 40, false),
            ("originals", 40, 40, true),
        ]);
        assert_eq!(home.ctx.db.list_scrub_passes(OPERATOR).await.unwrap().len(), 1);
    }

    async fn of_large_films_it_is_noted_soon_how_far_a_pass_is(home: Home) {
        for number in 1..=3_u64 {
            home.write(&format!("{number}.mov"), number.to_le_bytes());
            let film = fs::File::options().write(true).open(home.path(&format!("{number}.mov"))).unwrap();
            film.set_len(40 << 20).unwrap();
        }
        home.scan().await;
        while last_part(&home).await != Some("originals") {
            scrub_page(&home.ctx, &mut at_once()).await.unwrap();
        }
        scrub_page(&home.ctx, &mut at_once()).await.unwrap();
        let pass = last(&home).await;
        assert_eq!((pass.originals, pass.bytes), (2, 80 << 20));
        assert_eq!(read_all(&home).await.originals, 3);
    }

    async fn an_edit_or_a_disk_that_is_away_is_no_damage(home: Home) {
        home.photo("edited.jpg", 1);
        home.photo("gone.jpg", 2);
        home.photo("whole.jpg", 3);
        home.scan().await;
        flip_a_byte(&home.path("edited.jpg"));
        home.remove("gone.jpg");
        let pass = read_all(&home).await;
        assert_eq!((pass.originals, pass.damaged), (1, 0));
        assert_eq!(damaged(&home).await, []);
    }

    async fn a_clock_that_is_put_back_delays_the_next_pass_by_a_day_at_most(home: Home) {
        home.photo("a.jpg", 1);
        home.scan().await;
        let mut pass = read_all(&home).await;
        pass.ended_at_ms = Some(i64::MAX / 2);
        home.ctx.db.save_scrub_pass(&pass).await.unwrap();
        let Page::Rest(rest) = scrub_page(&home.ctx, &mut at_once()).await.unwrap() else {
            panic!("it has just been read")
        };
        assert!(rest <= Duration::from_secs(24 * 3600), "{rest:?}");
    }
}
