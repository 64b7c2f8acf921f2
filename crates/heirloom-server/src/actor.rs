//! Who asks, as a handler gets it.

use axum::{extract::FromRequestParts, http::request::Parts};
use heirloom_core::Actor;

use crate::problem::{Code, Problem};

/// Somebody known. A handler that takes one refuses strangers; every handler takes one but the few
/// that are public.
#[derive(Debug, Clone)]
pub(crate) struct Asker(pub(crate) Actor);

impl<S: Send + Sync> FromRequestParts<S> for Asker {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        // Whoever let the request in said who it is from; a request that nobody vouched for is a
        // stranger's.
        match parts.extensions.get::<Actor>() {
            Some(Actor::Stranger) | None => Err(Problem::new(
                Code::UnknownActor,
                "this is not for everybody: say who you are",
            )),
            Some(actor) => Ok(Self(actor.clone())),
        }
    }
}
