//! What it costs to gather the faces of a large library, and to list and name whose they are.

use std::time::{Duration, Instant};

use heirloom_core::{
    Actor, Area,
    face::{Face, Faceprint},
};
use heirloom_db::{
    artifact::Payload,
    person::{Of, Saying},
};
use serde_json::json;

use crate::{
    chance::Chance,
    figures::{Figures, ms},
    library::{Finding, Library, PHOTOGRAPH, Times},
    options::Options,
};

/// What the API may take.
const LIMIT: Duration = Duration::from_millis(200);
/// What putting one face into a group may cost, in a library that is new and in one that has all.
const LIMIT_OF_ONE: Duration = Duration::from_millis(10);
/// How many pictures there are, how many faces are in each, and how many people they are of.
const PICTURES: u64 = 25_000;
const FACES: u64 = 4;
const PEOPLE: usize = 2_000;
const FEATURES: usize = 512;
/// How many pictures come later.
const LATER: u64 = 250;
const ASKED: usize = 20;

pub(crate) async fn measure(options: &Options) {
    let mut library = Library::of(options, PICTURES, PHOTOGRAPH, find).await;
    let title = format!("{} faces of {PEOPLE} people", PICTURES * FACES);
    let figures = Figures::titled(&title, &Times::COLUMNS);
    gather(&library, &figures, "putting one into a group, at first").await;
    library.add(PICTURES + LATER, PHOTOGRAPH, find).await;
    gather(&library, &figures, "putting one into a group, later").await;
    let (db, family) = (&library.db, library.family.id);
    let operator = &Actor::Operator;
    let (mut listing, mut naming, mut most) = (Times::default(), Times::default(), 0);
    for number in 0..ASKED {
        let started = Instant::now();
        let seen = db.list_seen(operator, family, false).await.unwrap();
        listing.add(started);
        most = most.max(seen.len());
        let unnamed = seen.iter().find(|one| one.name.is_none()).unwrap();
        let name = Saying::Name(format!("Person {number}"));
        let started = Instant::now();
        let said = db
            .say_of_faces(operator, family, Of::Groups(&[unnamed.group]), &name)
            .await;
        naming.add(started);
        said.unwrap();
    }
    listing.row(&figures, "listing people", LIMIT, most);
    naming.row(&figures, "naming somebody with many faces", LIMIT, most);
    let mut telling = Times::default();
    for asset in library.some(ASKED).await {
        let started = Instant::now();
        let told = db.list_portraits_in(operator, asset).await;
        telling.add(started);
        told.unwrap();
    }
    telling.row(&figures, "whose the faces of a picture are", LIMIT, most);
    db.close().await;
}

async fn gather(library: &Library, figures: &Figures, name: &str) {
    let started = Instant::now();
    let gathered = library.db.gather_faces(library.family.id).await.unwrap();
    let of_one = started.elapsed() / u32::try_from(gathered).unwrap();
    let cells = [&*ms(of_one), "", &ms(LIMIT_OF_ONE), &gathered.to_string()];
    figures.row(name, &cells, of_one > LIMIT_OF_ONE);
}

fn find(number: u64) -> Finding {
    let mut chance = Chance::new(number);
    let faces = (0..FACES).map(|at| {
        // A few are in most pictures, and most in a few.
        let person = chance.rank(PEOPLE);
        let left = f64::from(u32::try_from(at).unwrap()) / 4.0;
        Face {
            area: Area::new([left, 0.3, 0.2, 0.3]).unwrap(),
            at_ms: None,
            moments: Vec::new(),
            probability: 1.0,
            quality: 0.5,
            landmarks: Vec::new(),
            print: print(person, &mut chance),
        }
    });
    Finding {
        kind: "faces",
        payload: Payload::Faces {
            json: Some(json!({})),
            blob: None,
            faces: faces.collect(),
        },
    }
}

/// How somebody looks, and something of the moment: two faces of one person are about 0.7 alike, of two 0.
fn print(person: usize, chance: &mut Chance) -> Faceprint {
    let mut own = Chance::new(1_000_000 + person as u64);
    let numbers = (0..FEATURES).map(|_| {
        let moment = (chance.fraction() - 0.5) * 0.65;
        (own.fraction() - 0.5 + moment) as f32
    });
    let numbers: Vec<f32> = numbers.collect();
    Faceprint::of("made up", &numbers)
}
