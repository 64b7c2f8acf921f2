//! `heirloom store …`

use std::time::Duration;

use heirloom_server::{
    Code, Problem,
    wire::{NewStoreMove, Store, StoreMove, StorePlace, StoreSurvey, ToMove},
};
use http::Method;
use serde_json::json;

use super::{bar::Bar, signal::Ends};
use crate::{
    Ending,
    api::Api,
    arguments,
    config::ByteCount,
    output::{Output, count, day, line, number_of, size, table},
};

const STORE: &str = "/api/v1/store";
const SURVEY: &str = "/api/v1/store/survey";
const MOVES: &str = "/api/v1/store/moves";
const CANCEL: &str = "/api/v1/store/moves/cancel";
/// How often it is asked how far it is.
const LOOK_EVERY: Duration = Duration::from_millis(150);

pub(super) async fn run(
    api: &Api,
    asked: arguments::Store,
    output: &Output,
) -> Result<Ending, Problem> {
    match asked {
        arguments::Store::Status => {
            let store: Store = api.get(STORE).await?;
            let survey: StoreSurvey = api.get(SURVEY).await?;
            let both = json!({ "store": store, "survey": survey });
            output.data(&both, || describe(&store, &survey));
            Ok(Ending::Done)
        }
        arguments::Store::Move { dry_run: true, .. } => {
            let survey: StoreSurvey = api.get(SURVEY).await?;
            output.data(&survey, || describe_to_move(&survey.to_move));
            Ok(Ending::Done)
        }
        arguments::Store::Move { rate, .. } => {
            let rate = rate.map(ByteCount::try_from).transpose();
            let rate = rate.map_err(|expected| {
                Problem::new(Code::InvalidRequest, format!("--rate is not {expected}"))
                    .hint("It is what is moved each second, such as --rate \"8 MB\".")
            })?;
            move_all(api, rate.map(|rate| rate.0), output).await
        }
        arguments::Store::Cancel => {
            let stopped: StoreMove = api.ask(Method::POST, CANCEL, &[], None).await?;
            output.data(&stopped, || "It stops.\n".to_owned());
            Ok(Ending::Done)
        }
    }
}

async fn move_all(api: &Api, rate: Option<u64>, output: &Output) -> Result<Ending, Problem> {
    let survey: StoreSurvey = api.get(SURVEY).await?;
    let all: u64 = survey.to_move.iter().map(|to_move| to_move.bytes).sum();
    let mut ends = Ends::listen();
    let begun: StoreMove = api.post(MOVES, &NewStoreMove { rate }).await?;
    let mut bar = Bar::new(*output);
    let ended = loop {
        if begun.state != "running" {
            break begun;
        }
        let store: Store = api.get(STORE).await?;
        let mut moves = store.moves.into_iter();
        let now = moves.find(|one| one.began_at_ms == begun.began_at_ms);
        let now = now.unwrap_or_else(|| begun.clone());
        if now.state != "running" {
            break now;
        }
        let bytes = now.bytes.unsigned_abs();
        let blobs = count(now.blobs.unsigned_abs());
        bar.show(
            bytes,
            all,
            format!("{blobs} blobs, {} of {}", size(bytes), size(all)),
        );
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = ends.wait() => {
                bar.say("stopping; the next goes on with it");
                let cancelled: Result<StoreMove, Problem> =
                    api.ask(Method::POST, CANCEL, &[], None).await;
                // It may have ended a moment before.
                if let Err(problem) = cancelled
                    && problem.code() != Code::Refused
                {
                    return Err(problem);
                }
            }
        }
    };
    bar.finish();
    output.data(&ended, || describe_move(&ended));
    Ok(match ended.state.as_str() {
        "done" if ended.problems.is_empty() && ended.waiting == 0 => Ending::Done,
        _ => Ending::Partly,
    })
}

fn describe(store: &Store, survey: &StoreSurvey) -> String {
    let rows: Vec<Vec<String>> = store
        .places
        .iter()
        .map(|place| {
            let counted = survey
                .places
                .iter()
                .find(|counted| counted.name == place.name);
            let (blobs, bytes) = counted.map_or((0, 0), |counted| (counted.blobs, counted.bytes));
            vec![
                place.name.clone(),
                number_of(blobs, "blob", "blobs"),
                size(bytes),
                describe_place(place),
            ]
        })
        .collect();
    let mut text = table(&rows);
    if !store.rules.is_empty() {
        text += "\nKept where the first of these rules says that fits:\n";
        for rule in &store.rules {
            text += &format!("  {}\n", line(rule));
        }
    }
    if store.places.len() > 1 {
        text.push('\n');
        text += &describe_to_move(&survey.to_move);
    }
    for recall in &survey.recalls {
        let what = recall.name.as_deref().unwrap_or(&recall.blob);
        let how = match recall.is_there {
            true => "is back from the archive for some days",
            false => "is being fetched from the archive, which may take hours",
        };
        text += &line(&format!(
            "{what} {how}; asked for on {}",
            day(recall.asked_at_ms)
        ));
        text.push('\n');
    }
    match store.moves.first() {
        Some(last) if last.state == "running" => {
            text += &format!(
                "It goes on: {}, {} so far.\n",
                number_of(last.blobs.unsigned_abs(), "blob", "blobs"),
                size(last.bytes.unsigned_abs())
            );
        }
        Some(last) => text += &describe_move(last),
        None => {}
    }
    text
}

fn describe_place(place: &StorePlace) -> String {
    let mut words = vec![match place.location == place.name {
        true => "in the data folder".to_owned(),
        false => place.location.clone(),
    }];
    words.extend(place.class.clone());
    if place.is_first {
        words.push("what is new goes here".to_owned());
    }
    if place.is_leaving {
        words.push("nothing is kept here any more; forgotten when it is empty".to_owned());
    }
    words.join(", ")
}

fn describe_to_move(to_move: &[ToMove]) -> String {
    if to_move.is_empty() {
        return "Everything is where it is kept.\n".to_owned();
    }
    let lines = to_move.iter().map(|to_move| {
        format!(
            "To be moved from {} to {}: {}, {}.\n",
            to_move.from,
            to_move.to,
            number_of(to_move.blobs, "blob", "blobs"),
            size(to_move.bytes)
        )
    });
    lines.collect()
}

fn describe_move(ended: &StoreMove) -> String {
    let moved = format!(
        "{}, {}",
        number_of(ended.blobs.unsigned_abs(), "blob", "blobs"),
        size(ended.bytes.unsigned_abs())
    );
    let at = day(ended.ended_at_ms.unwrap_or(ended.began_at_ms));
    let mut text = match (ended.state.as_str(), &ended.error) {
        ("done", _) => format!("Moved by {at}: {moved}.\n"),
        ("cancelled", _) => format!("Stopped on {at}; moved until then: {moved}.\n"),
        (_, error) => {
            let why = error.as_deref().unwrap_or("it did not come to its end");
            format!("!! {}\nMoved by {at}: {moved}.\n", line(why))
        }
    };
    if ended.waiting > 0 {
        let waiting = number_of(ended.waiting.unsigned_abs(), "blob was", "blobs were");
        text += &format!("{waiting} in use just then; the next moves what is left.\n");
    }
    for stays in &ended.problems {
        let told = format!("!! {} stays in {}: {}", stays.blob, stays.place, stays.why);
        text += &format!("{}\n", line(&told));
    }
    text
}
