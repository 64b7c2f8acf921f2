//! `heirloom claim …`

use std::collections::HashSet;

use heirloom_core::{
    ClaimBatchId, ClaimId,
    claim::{ClaimKind, ValueType},
};
use heirloom_server::{
    Code, Problem,
    wire::{
        AssetDetail, Author, Claim, ClaimBatch, Fact, KnownPlace, NewClaim, NewClaimBatch, Page,
        Segment, Strip,
    },
};
use http::Method;
use serde::Serialize;
use serde_json::{Value as Json, json};

use super::{collection::which_assets, place::find_known};
use crate::{
    api::{Api, render},
    arguments,
    output::{Output, line, list, number_of, table},
};

pub(super) async fn run(
    api: &Api,
    asked: arguments::Claim,
    output: &Output,
) -> Result<(), Problem> {
    let claim: Claim = match asked {
        arguments::Claim::List { asset } => {
            let detail: AssetDetail = api.get(&format!("/api/v1/assets/{asset}")).await?;
            let believed: HashSet<ClaimId> = detail
                .facts
                .iter()
                .flat_map(|fact| fact.believed.iter().map(|claim| claim.id))
                .collect();
            let page = Page {
                items: detail
                    .claims
                    .into_iter()
                    .map(|claim| Listed {
                        is_believed: believed.contains(&claim.id),
                        claim,
                    })
                    .collect(),
                next: None,
            };
            output.data(&page, || {
                let rows = page
                    .items
                    .iter()
                    .map(|item| row(&item.claim, item.is_believed));
                list(&rows.collect::<Vec<_>>())
            });
            return Ok(());
        }
        arguments::Claim::Make {
            asset,
            kind,
            value,
            at,
            on,
            area: face,
            not,
            source,
            confidence,
            idempotency_key,
        } => {
            let new = NewClaim {
                at: at.map(|at| Segment {
                    start_ms: at.start_ms(),
                    end_ms: at.end_ms(),
                }),
                on: on.map(|on| Strip {
                    page: on.page(),
                    corners: on.corners().0,
                }),
                area: face.map(|seen| seen.area.shares().into()),
                at_ms: face.and_then(|seen| seen.at_ms),
                kind,
                value: parse_value(kind, &value)?,
                is_negation: not,
                source,
                confidence,
            };
            let headers: Vec<(&str, &str)> = idempotency_key
                .iter()
                .map(|key| ("idempotency-key", key.as_str()))
                .collect();
            let path = format!("/api/v1/assets/{asset}/claims");
            api.ask(Method::POST, &path, &headers, Some(render(&new)?))
                .await?
        }
        arguments::Claim::MakeMany {
            kind,
            value,
            which,
            on_map,
            not,
            source,
            confidence,
            idempotency_key,
        } => {
            let mut new = NewClaimBatch {
                assets: which_assets(api, which).await?,
                kind,
                value: parse_value(kind, &value)?,
                is_negation: not,
                source,
                confidence,
                only_unplaced: false,
            };
            if on_map {
                let known = find_on_map(api, kind, &value).await?;
                new.value = json!(known.name);
                place_on_map(api, new, &known, idempotency_key, output).await?;
                return Ok(());
            }
            let headers: Vec<(&str, &str)> = idempotency_key
                .iter()
                .map(|key| ("idempotency-key", key.as_str()))
                .collect();
            let body = Some(render(&new)?);
            let batch = api.ask(Method::POST, "/api/v1/claims", &headers, body);
            tell_batch(&batch.await?, output);
            return Ok(());
        }
        arguments::Claim::UndoMany { batch } => {
            let path = format!("/api/v1/claims/{batch}/undo");
            let batch = api.ask(Method::POST, &path, &[], None).await?;
            tell_batch(&batch, output);
            return Ok(());
        }
        arguments::Claim::RedoMany { batch } => {
            let path = format!("/api/v1/claims/{batch}/redo");
            let batch = api.ask(Method::POST, &path, &[], None).await?;
            tell_batch(&batch, output);
            return Ok(());
        }
        arguments::Claim::Undo { asset, claim } => {
            let path = format!("/api/v1/assets/{asset}/claims/{claim}/undo");
            api.ask(Method::POST, &path, &[], None).await?
        }
        arguments::Claim::Redo { asset, claim } => {
            let path = format!("/api/v1/assets/{asset}/claims/{claim}/redo");
            api.ask(Method::POST, &path, &[], None).await?
        }
    };
    output.data(&claim, || table(&[row(&claim, false)]));
    Ok(())
}

/// The town or village that is most likely meant.
async fn find_on_map(api: &Api, kind: ClaimKind, name: &str) -> Result<KnownPlace, Problem> {
    if kind != ClaimKind::Place {
        let what = "only a place is put on the map";
        return Err(Problem::new(Code::InvalidRequest, what).hint("Leave --on-map out."));
    }
    let found = find_known(api, name, 1).await?.items.into_iter().next();
    found.ok_or_else(|| {
        Problem::new(
            Code::NotFound,
            format!("no town or village is called {name:?}"),
        )
        .hint("See `heirloom place find`; without --on-map it stays a name.")
    })
}

/// What was said about a place, and where it is.
#[derive(Serialize)]
struct OnMap<'a> {
    known: &'a KnownPlace,
    place: ClaimBatch,
    /// Of those of which no position was known; none where one was known of all.
    position: Option<ClaimBatch>,
}

/// Says where something was made, by name and by position.
async fn place_on_map(
    api: &Api,
    new: NewClaimBatch,
    known: &KnownPlace,
    key: Option<String>,
    output: &Output,
) -> Result<(), Problem> {
    let position = NewClaimBatch {
        kind: ClaimKind::Position,
        value: json!({ "latitude": known.latitude, "longitude": known.longitude }),
        only_unplaced: true,
        ..new.clone()
    };
    let say = async |new: NewClaimBatch, what: &str| -> Result<ClaimBatch, Problem> {
        let key = key.as_ref().map(|key| format!("{key} {what}"));
        let headers: Vec<(&str, &str)> = key
            .iter()
            .map(|key| ("idempotency-key", key.as_str()))
            .collect();
        let body = Some(render(&new)?);
        api.ask(Method::POST, "/api/v1/claims", &headers, body)
            .await
    };
    let said = OnMap {
        known,
        place: say(new, "place").await?,
        position: match say(position, "position").await {
            Ok(batch) => Some(batch),
            Err(problem) if problem.code() == Code::Refused => None,
            Err(problem) => return Err(problem),
        },
    };
    output.data(&said, || {
        let mut text = format!(
            "{}, {}, {} at {},{}\n",
            line(&known.name),
            line(&known.region),
            known.country,
            known.latitude,
            known.longitude
        );
        text += &describe_batch(&said.place);
        if let Some(position) = &said.position {
            text += "\n";
            text += &describe_batch(position);
        }
        text
    });
    Ok(())
}

/// Says what was said at once, and how it is taken back.
/// Takes back what was said at once, or holds to it again.
pub(super) async fn turn(
    api: &Api,
    id: ClaimBatchId,
    how: &str,
    output: &Output,
) -> Result<(), Problem> {
    let path = format!("/api/v1/claims/{id}/{how}");
    let batch: ClaimBatch = api.ask(Method::POST, &path, &[], None).await?;
    output.data(&batch, || {
        match how {
            "undo" => "It is taken back.",
            _ => "It holds again.",
        }
        .to_owned()
    });
    Ok(())
}

fn tell_batch(batch: &ClaimBatch, output: &Output) {
    output.data(batch, || describe_batch(batch));
}

fn describe_batch(batch: &ClaimBatch) -> String {
    let count = |number: usize| {
        number_of(
            u64::try_from(number).unwrap_or(u64::MAX),
            "original",
            "originals",
        )
    };
    let (all, not) = (
        count(batch.asset_count),
        if batch.is_negation { "not " } else { "" },
    );
    let said = format!("{}: {not}{}", batch.kind, json_text(&batch.value));
    let id = batch.id;
    match batch.undone_count {
        0 => {
            format!("Said of {all}: {said}\nTake it back with `heirloom claim undo-many {id}`.")
        }
        undone => format!(
            "Taken back of {undone} of {all}: {said}\nHold to it again with `heirloom claim redo-many {id}`."
        ),
    }
}

/// A claim among others.
#[derive(Serialize)]
struct Listed {
    #[serde(flatten)]
    claim: Claim,
    is_believed: bool,
}

/// What is known, a line for each value: what, the value, where from.
pub(super) fn fact_lines(facts: &[Fact]) -> Vec<Vec<String>> {
    let fact_line = |claim: &Claim, mark: &str| {
        vec![
            format!("  {}", claim.kind),
            format!("{mark}{}", value_text(claim)),
            source_text(claim),
        ]
    };
    facts
        .iter()
        .flat_map(|fact| {
            let believed = fact.believed.iter().map(|claim| fact_line(claim, ""));
            let disagreeing = fact
                .disagreeing
                .iter()
                .map(|claim| fact_line(claim, "but also "));
            believed.chain(disagreeing).collect::<Vec<_>>()
        })
        .collect()
}

/// A claim's value on one line.
pub(super) fn value_text(claim: &Claim) -> String {
    json_text(&claim.value)
}

fn json_text(value: &Json) -> String {
    match value {
        Json::String(text) => {
            let words: Vec<&str> = text.split_whitespace().collect();
            line(&words.join(" "))
        }
        Json::Object(position) => {
            let number = |name| position.get(name).map_or_else(String::new, Json::to_string);
            format!("{},{}", number("latitude"), number("longitude"))
        }
        other => other.to_string(),
    }
}

fn row(claim: &Claim, is_believed: bool) -> Vec<String> {
    let not = if claim.is_negation { "not " } else { "" };
    let at = claim.at.map_or_else(String::new, |at| {
        format!(" ({} to {} ms)", at.start_ms, at.end_ms)
    });
    let on = claim
        .on
        .map_or_else(String::new, |on| format!(" (on page {})", on.page));
    let state = match claim.undone_at_ms {
        Some(_) => "taken back",
        None if is_believed => "believed",
        None => "",
    };
    vec![
        claim.id.to_string(),
        claim.kind.to_string(),
        format!("{not}{}{at}{on}", value_text(claim)),
        source_text(claim),
        state.to_owned(),
    ]
}

fn source_text(claim: &Claim) -> String {
    match (&claim.author, claim.source.as_str()) {
        (Author::Operator, "") => "you said".to_owned(),
        (Author::Operator, source) => format!("you said ({source})"),
        (Author::Account { .. }, "") => "somebody said".to_owned(),
        (Author::Account { .. }, source) => format!("somebody said ({source})"),
        (Author::Artifact { .. }, source) => source.to_owned(),
    }
}

/// What was typed, as the kind takes it. Whether it fits, the API says.
fn parse_value(kind: ClaimKind, text: &str) -> Result<Json, Problem> {
    match kind.value_type() {
        ValueType::Date
        | ValueType::Text
        | ValueType::Writing
        | ValueType::Language
        | ValueType::Word(_)
        | ValueType::Id => Ok(json!(text)),
        ValueType::Number(..) => Ok(text
            .trim()
            .parse::<i64>()
            .map_or_else(|_| json!(text), |number| json!(number))),
        ValueType::Position => {
            let numbers: Result<Vec<f64>, _> = text
                .split(',')
                .map(|part| part.trim().parse::<f64>())
                .collect();
            match numbers.as_deref() {
                Ok([latitude, longitude]) => {
                    Ok(json!({ "latitude": latitude, "longitude": longitude }))
                }
                Ok([latitude, longitude, altitude_m]) => Ok(json!({
                    "latitude": latitude, "longitude": longitude, "altitude_m": altitude_m,
                })),
                _ => Err(Problem::new(
                    Code::InvalidClaim,
                    format!("{text:?} is not a position"),
                )
                .hint("Write degrees north and east, and perhaps metres above the sea: 52.52,13.40 or 52.52,13.40,34")),
            }
        }
    }
}
