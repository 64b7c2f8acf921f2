//! The outermost layer of every answer: the request's id, the figures, the log, the headers that
//! keep a browser from doing what it should not, and problems in the form that their reader knows.

use std::{sync::Arc, time::Instant};

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use heirloom_core::Actor;
use heirloom_db::clock;

use crate::{
    library::Library,
    page,
    problem::{Code, Problem},
    words::Language,
};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Nothing but our own styles and media, no scripts at all, no frames, no forms to elsewhere.
pub(crate) const PAGE_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; \
    media-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// What else an answer may say beside a problem: which methods there are, where a range ends, when to
/// try again, how far an upload is.
const KEPT_WITH_PROBLEMS: [HeaderName; 7] = [
    header::ALLOW,
    header::CONTENT_RANGE,
    header::RETRY_AFTER,
    HeaderName::from_static("tus-resumable"),
    HeaderName::from_static("tus-version"),
    HeaderName::from_static("upload-offset"),
    HeaderName::from_static("upload-expires"),
];

/// Wraps the answer of everything further in.
pub(crate) async fn finish(State(library): State<Library>, req: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = find_id(req.headers()).unwrap_or_else(|| {
        let id: uuid::Uuid = clock::new_id();
        id.to_string().into()
    });
    let method = req.method().clone();
    let route = req
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "unmatched".to_owned(), |path| path.as_str().to_owned());
    let reader = Reader::of(&req);

    let mut res = next.run(req).await;
    if let Some(mut problem) = find_problem(&res) {
        log(&problem, &id, &method, &route);
        // The log is the operator's as well, and a command has none.
        if problem.code() == Code::Internal && res.extensions().get() == Some(&Actor::Operator) {
            problem = problem.clone().with("cause", problem.causes());
        }
        res = reader.render(&problem, &id, res);
    }
    if method == Method::HEAD {
        *res.body_mut() = axum::body::Body::empty();
    }
    add_headers(res.headers_mut(), &id);
    if let Some(bucket) = library.redirect_origins() {
        allow_media_from(&mut res, &bucket);
    }

    let took = started.elapsed();
    let status = res.status().as_u16();
    library
        .metrics()
        .answered(method.as_str(), &route, status, took);
    tracing::debug!(
        request_id = %id,
        %method,
        route,
        status,
        duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        "answered"
    );
    res
}

/// Lets the plain pages have pictures, films and recordings from one more origin.
fn allow_media_from(res: &mut Response, origin: &str) {
    let policy = res.headers_mut().get_mut(header::CONTENT_SECURITY_POLICY);
    if let Some(policy) = policy.filter(|policy| **policy == PAGE_POLICY) {
        let allowed = ["img-src 'self'", "media-src 'self'"];
        let widened = allowed
            .iter()
            .fold(PAGE_POLICY.to_owned(), |text, allowed| {
                text.replacen(allowed, &format!("{allowed} {origin}"), 1)
            });
        if let Ok(widened) = HeaderValue::from_str(&widened) {
            *policy = widened;
        }
    }
}

/// The id that the sender gave, if it can stand in a log as it is.
fn find_id(headers: &HeaderMap) -> Option<Arc<str>> {
    let id = headers.get(REQUEST_ID)?.to_str().ok()?;
    let is_plain = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.');
    ((1..=64).contains(&id.len()) && id.bytes().all(is_plain)).then(|| id.into())
}

fn find_problem(res: &Response) -> Option<Problem> {
    if let Some(problem) = res.extensions().get::<Problem>() {
        return Some(problem.clone());
    }
    // A layer or the router itself answered, with nothing that anybody could read. Answers to
    // conditional requests and ranges are complete as they are.
    Problem::of_status(res.status())
}

fn log(problem: &Problem, id: &str, method: &Method, route: &str) {
    let code = problem.code().as_str();
    let causes = problem.causes();
    if problem.code().status() >= 500 {
        tracing::error!(request_id = %id, %method, route, code, causes, "{problem}");
    } else {
        tracing::debug!(request_id = %id, %method, route, code, causes, "{problem}");
    }
}

/// Who reads the answer: a program or a person.
struct Reader {
    language: Option<Language>,
}

impl Reader {
    fn of(req: &Request) -> Self {
        let accepts_pages = req
            .headers()
            .get(header::ACCEPT)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| value.contains("text/html"));
        let is_page = !req.uri().path().starts_with("/api/");
        Self {
            language: (accepts_pages && is_page).then(|| Language::of(req.headers())),
        }
    }

    fn render(&self, problem: &Problem, id: &str, old: Response) -> Response {
        let status = problem.code().status_code();
        let mut res = match self.language {
            Some(language) => page::problem(language, problem, id).into_response(),
            None => {
                let document = problem.document(Some(id));
                let body = serde_json::to_vec(&document).unwrap_or_default();
                let kind = [(header::CONTENT_TYPE, "application/problem+json")];
                (kind, body).into_response()
            }
        };
        *res.status_mut() = status;
        // Such as Allow, and where a range ends.
        for name in KEPT_WITH_PROBLEMS {
            if let Some(value) = old.headers().get(&name) {
                res.headers_mut().insert(name, value.clone());
            }
        }
        if problem.code() == Code::UnknownActor {
            let value = HeaderValue::from_static("Heirloom");
            res.headers_mut().insert(header::WWW_AUTHENTICATE, value);
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            let value = HeaderValue::from_static("5");
            res.headers_mut()
                .entry(header::RETRY_AFTER)
                .or_insert(value);
        }
        res
    }
}

fn add_headers(headers: &mut HeaderMap, id: &str) {
    if let Ok(value) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, value);
    }
    let always = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
    ];
    for (name, value) in always {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // What a family keeps is not for caches on the way; what says otherwise said so itself.
    let defaults = [
        (header::CACHE_CONTROL, "private, no-store"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'",
        ),
    ];
    for (name, value) in defaults {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
}
