//! An export may have the only copy that is left: it is brought up to date without losing one.

use super::*;

fn originals(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = payload(folder).into_iter();
    files.filter(|(path, _)| path.ends_with(".jpg")).collect()
}

on_both_engines! {
    async fn what_cannot_be_had_now_stays_in_an_export(home: Home) {
        home.photo("Am Meer/one.jpg", 1);
        home.write("Am Meer/one.jpg.xmp", xmp("Am Strand"));
        home.photo("two.jpg", 2);
        home.scan().await;
        let to = folder(&home, "out");
        out(&home, &to).await.unwrap();
        let before = payload(&to);
        // The disk is away.
        let away = folder(&home, "away");
        fs::rename(&home.library, &away).unwrap();
        fs::create_dir(&home.library).unwrap();
        let report = out(&home, &to).await.unwrap();
        assert_eq!((report.originals, report.copied, report.problem_count), (2, 0, 2), "{report:?}");
        assert!(report.problems.iter().all(|it| it.why.what.contains("an earlier export made stays")), "{report:?}");
        assert_eq!(payload(&to).keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>());
        assert_eq!(payload(&to), before);
        // Whoever exports for the first time then has none.
        let fresh = folder(&home, "fresh");
        assert_eq!(out(&home, &fresh).await.unwrap().originals, 0);
        // It is whole, and what is in it comes in.
        let other = home.twin().await;
        let taken = take_in(&other, &to).await.unwrap();
        assert_eq!((taken.added, taken.problem_count), (2, 0), "{taken:?}");
        fs::remove_dir(&home.library).unwrap();
        fs::rename(&away, &home.library).unwrap();
        assert_eq!(out(&home, &to).await.unwrap().problem_count, 0);
    }

    async fn what_was_lost_since_stays_in_an_export_and_comes_back_from_it(home: Home) {
        home.photo("lost.jpg", 1);
        home.photo("moved/lost too.jpg", 2);
        home.photo("stays.jpg", 3);
        home.scan().await;
        let to = folder(&home, "out");
        out(&home, &to).await.unwrap();
        // It has another name when it is lost.
        home.rename("moved/lost too.jpg", "renamed.jpg");
        home.scan().await;
        home.remove("lost.jpg");
        home.remove("renamed.jpg");
        home.scan().await;
        let report = out(&home, &to).await.unwrap();
        assert_eq!((report.originals, report.problem_count), (3, 2), "{report:?}");
        let there: Vec<Vec<u8>> = originals(&to).into_values().collect();
        assert!((1..=3).all(|number| there.contains(&photo(number))), "{:?}", originals(&to).keys());
        let again = out(&home, &to).await.unwrap();
        assert_eq!((again.originals, again.copied), (3, 0));

        let other = home.twin().await;
        let taken = take_in(&other, &to).await.unwrap();
        assert_eq!((taken.added, taken.problem_count), (3, 0), "{taken:?}");
        let states: Vec<String> = other.assets().await.iter().map(|it| it.state.as_str().to_owned()).collect();
        assert_eq!(states, ["present"; 3]);
    }

    async fn what_is_damaged_in_an_export_is_not_kept_for_the_original(home: Home) {
        home.photo("lost.jpg", 1);
        home.photo("stays.jpg", 2);
        home.scan().await;
        let to = folder(&home, "out");
        out(&home, &to).await.unwrap();
        home.rename("lost.jpg", "renamed.jpg");
        home.scan().await;
        home.remove("renamed.jpg");
        home.scan().await;
        flip_a_byte(&to.join("data/originals/library/lost.jpg"));
        let report = out(&home, &to).await.unwrap();
        assert_eq!((report.originals, report.problem_count), (1, 1), "{report:?}");
        assert_eq!(report.problems[0].why.what, "it is at none of its places any more");
    }
}
