//! The tool `place`: what the town or village nearest to a position is called.

use futures_util::{FutureExt as _, future::BoxFuture};
use heirloom_core::{
    claim::{ClaimKind, ClaimValue, Statement},
    map::Position,
};
use heirloom_db::{
    artifact::{Derived, NewArtifact, Part, Payload},
    claim::NewClaim,
    place::{Named, PLACE, input_of},
};
use serde_json::{Value as Json, json};

use super::{ResourceClass, Tool, View};
use crate::{
    place::find_nearest,
    work::{Content, Failure, Product, Task},
};

/// Names a position. Input: the position that is believed.
pub const NAMER: Tool = Tool {
    name: PLACE,
    // 2: regions and towns by their German names as well.
    version: 2,
    outputs: &[PLACE],
    view: View::Position,
    class: ResourceClass::Cpu,
    is_deterministic: true,
    parameters: &[],
    ability: None,
};

/// Where the claim has it from, before the position itself.
const SOURCE: &str = "position:";
/// Less than a file's own words about the place: those are somebody's, mostly.
const CONFIDENCE: f32 = 0.5;

pub(crate) fn name_position<'a>(
    task: &'a Task<'a>,
) -> BoxFuture<'a, Result<Vec<Product>, Failure>> {
    async move {
        let Some(position) = task.asset.position else {
            return Err(Failure::Unwanted("It has no position any more.".to_owned()));
        };
        let (payload, claims) = name(position);
        Ok(vec![Product {
            claims,
            inputs: Some(vec![input_of(position)]),
            ..Product::new(PLACE, Content::Json(payload))
        }])
    }
    .boxed()
}

/// What the tool makes of a position, outside of a run.
pub(crate) fn derive(position: Position) -> Derived {
    let (payload, claims) = name(position);
    Derived {
        artifact: NewArtifact {
            kind: PLACE,
            part: Part::Whole,
            tool: NAMER.name,
            tool_version: NAMER.version,
            model: String::new(),
            parameters: Json::Null,
            is_deterministic: NAMER.is_deterministic,
            inputs: vec![input_of(position)],
            payload: Payload::Json(payload),
        },
        claims,
    }
}

/// What is made, and what is claimed; of a position far from everything nothing is claimed.
fn name(position: Position) -> (Json, Vec<NewClaim>) {
    let at = json!({ "latitude": position.latitude(), "longitude": position.longitude() });
    let Some(near) = find_nearest(position) else {
        return (json!({ "position": at }), Vec::new());
    };
    let Named {
        country,
        region,
        name,
        words,
    } = near.named;
    let said = match region.as_str() {
        "" => name.clone(),
        region if region == name => name.clone(),
        region => format!("{name}, {region}"),
    };
    let claims =
        Statement::new(ClaimKind::Place, ClaimValue::Text(said)).map(|statement| NewClaim {
            statement,
            is_negation: false,
            source: format!("{SOURCE}{position}"),
            confidence: CONFIDENCE,
        });
    let payload = json!({
        "position": at,
        "country": country,
        "region": region,
        "name": name,
        "words": words,
        "distance_m": near.distance_m.round(),
    });
    (payload, claims.into_iter().collect())
}
