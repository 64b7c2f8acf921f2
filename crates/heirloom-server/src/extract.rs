//! What handlers take out of a request, refused in our own words.

use std::{fmt::Display, str::FromStr};

use axum::{
    extract::{FromRequest, FromRequestParts, Path, Request},
    http::request::Parts,
};
use serde::de::DeserializeOwned;

use crate::problem::{Code, Problem};

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
