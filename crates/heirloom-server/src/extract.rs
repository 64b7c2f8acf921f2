//! What handlers take out of a request, refused in our own words.

use std::{fmt::Display, str::FromStr, sync::Arc};

use axum::{
    extract::{FromRequest, FromRequestParts, MatchedPath, Path, RawQuery, Request, State},
    http::{Method, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;

use crate::{
    description::Parameters,
    problem::{Code, Problem},
};

/// The id in the path.
#[derive(Debug, Clone, Copy)]
pub(crate) struct IdPath<Id>(pub(crate) Id);

impl<S: Send + Sync, Id: FromStr<Err: Display>> FromRequestParts<S> for IdPath<Id> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(text) = Path::<String>::from_request_parts(parts, state).await?;
        parse_id(&text).map(Self)
    }
}

/// An id from a path. What is no id names nothing.
pub(crate) fn parse_id<Id: FromStr<Err: Display>>(text: &str) -> Result<Id, Problem> {
    text.parse()
        .map_err(|error: Id::Err| Problem::new(Code::NotFound, error.to_string()))
}

/// The parameters behind the question mark.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Query<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let axum::extract::Query(query) =
            axum::extract::Query::from_request_parts(parts, state).await?;
        Ok(Self(query))
    }
}

/// Refuses a request with a parameter that its address does not know.
pub(crate) async fn refuse_unknown_parameters(
    State(known): State<Arc<Parameters>>,
    path: MatchedPath,
    RawQuery(query): RawQuery,
    req: Request,
    next: Next,
) -> Response {
    let method = match req.method() {
        // Answered like GET, without the body.
        &Method::HEAD => Method::GET,
        method => method.clone(),
    };
    let known = known
        .get(&(method.to_string(), path.as_str().to_owned()))
        .map_or(&[][..], Vec::as_slice);
    let mut names = names_of(query.as_deref().unwrap_or_default());
    match names.find(|name| !known.contains(name)) {
        None => next.run(req).await,
        Some(name) => {
            let problem = Problem::new(
                Code::InvalidRequest,
                format!("{name:?} is no parameter of this address"),
            );
            let hint = match known {
                [] => "It takes none.".to_owned(),
                known => format!("It takes: {}.", known.join(", ")),
            };
            problem.hint(hint).into_response()
        }
    }
}

fn names_of(query: &str) -> impl Iterator<Item = String> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| {
        let (name, _) = pair.split_once('=').unwrap_or((pair, ""));
        percent_decode_str(name).decode_utf8_lossy().into_owned()
    })
}

/// The body, as JSON.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Body<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(req: Request, state: &S) -> Result<Self, Problem> {
        let axum::Json(body) = axum::Json::from_request(req, state).await?;
        Ok(Self(body))
    }
}

/// The key that makes a request safe to repeat, where there is one.
#[derive(Debug, Clone)]
pub(crate) struct IdempotencyKey(pub(crate) Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Some(value) = parts.headers.get("idempotency-key") else {
            return Ok(Self(None));
        };
        match value.to_str() {
            Ok(key) if (1..=255).contains(&key.len()) => Ok(Self(Some(key.to_owned()))),
            _ => Err(Problem::new(
                Code::InvalidRequest,
                "Idempotency-Key is not 1 to 255 plain characters",
            )),
        }
    }
}
