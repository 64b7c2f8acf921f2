//! Documents of which a page ends the process that draws it, and documents that are long.

use std::collections::BTreeSet;

use heirloom_core::unit::UnitState;
use heirloom_db::{plan::Parameters, unit::WhichUnits};
use heirloom_pipeline::{confinement::Confinement, run::Engine, template::ALL};
use serde_json::{Value as Json, json};

use crate::harness::{Home, OPERATOR, on_both_engines};

/// What became of a document.
struct Drawn {
    state: UnitState,
    error: Option<String>,
    /// Which pages there are looks of.
    pages: BTreeSet<u32>,
    /// What is said of the whole.
    about: Option<Json>,
}

impl Home {
    /// Draws a document of so many pages, of which some end the process that looks at them.
    async fn draw(&self, name: &str, pages: u32, deadly: &[u32]) -> Drawn {
        let deadly: Vec<String> = deadly.iter().map(u32::to_string).collect();
        let text = format!(
            "%PDF-1.4 pages={pages} deadly={} \n{name}\n",
            deadly.join(",")
        );
        self.write(name, text.as_bytes());
        self.scan().await;
        let confinement = Confinement::through(env!("CARGO_BIN_EXE_confined-for-tests"));
        let engine = Engine::new(self.ctx.clone(), confinement, self.models(), &ALL);
        let run = engine
            .start(OPERATOR, self.family.id, "prepare", &Parameters::default())
            .await
            .unwrap();
        self.wait_for(run, heirloom_core::run::RunState::Done).await;
        engine.stop().await;
        let db = &self.ctx.db;
        let units = db
            .list_units(OPERATOR, run, WhichUnits::All, None, 100)
            .await;
        let units = units.unwrap().items.into_iter();
        let mut units =
            units.filter(|unit| unit.step == "pages" && unit.asset_name.as_deref() == Some(name));
        let unit = units.next().unwrap();
        let made = db.list_artifacts(&self.asset(name).await).await.unwrap();
        let looks = made.iter().filter(|artifact| artifact.kind == "look");
        Drawn {
            state: unit.state,
            error: unit.error,
            pages: looks.filter_map(|look| look.part.parse().ok()).collect(),
            about: made
                .iter()
                .find(|artifact| artifact.kind == "pages")
                .and_then(|pages| pages.payload.clone()),
        }
    }
}

on_both_engines! {
    async fn a_page_that_ends_the_process_is_left_out_and_the_others_are_drawn(home: Home) {
        let drawn = home.draw("letters.pdf", 20, &[3, 12]).await;
        assert_eq!(drawn.state, UnitState::Done, "{:?}", drawn.error);
        let expected: BTreeSet<u32> = (1..=20).filter(|page| ![3, 12].contains(page)).collect();
        assert_eq!(drawn.pages, expected);
        let about = drawn.about.unwrap();
        assert_eq!((&about["count"], &about["drawn"]), (&json!(20), &json!(18)));
        let problems = about["problems"].as_array().unwrap();
        assert_eq!(problems.len(), 2, "{problems:?}");
        for (problem, page) in problems.iter().zip([3, 12]) {
            let left_out = format!("Page {page} was left out: ");
            assert!(problem.as_str().unwrap().starts_with(&left_out), "{problem}");
        }
    }

    async fn a_document_whose_pages_end_one_process_after_the_other_is_given_up(home: Home) {
        let drawn = home.draw("deadly.pdf", 20, &[1, 2, 3]).await;
        assert_eq!(drawn.state, UnitState::Failed);
        let error = drawn.error.unwrap();
        assert!(error.contains("crashed"), "{error}");
        assert_eq!(drawn.pages, BTreeSet::new());

        // What was drawn before that stays, and it is said where it ended.
        let drawn = home.draw("deadly later.pdf", 20, &[10, 11, 12]).await;
        assert_eq!(drawn.state, UnitState::Done, "{:?}", drawn.error);
        assert_eq!(drawn.pages, (1..=9).collect());
        let problems = drawn.about.unwrap()["problems"].to_string();
        assert!(problems.contains("Pages after page 12 were not drawn."), "{problems}");
    }

    async fn of_a_long_document_the_first_hundred_pages_are_drawn(home: Home) {
        let drawn = home.draw("diary.pdf", 104, &[]).await;
        assert_eq!(drawn.state, UnitState::Done, "{:?}", drawn.error);
        assert_eq!(drawn.pages, (1..=100).collect());
        let about = drawn.about.unwrap();
        assert_eq!(about, json!({
            "count": 104, "drawn": 100, "problems": ["Pages after page 100 were not drawn."],
        }));
    }
}
