//! The web app: the files that `web/` was built into, as browsers ask for them.
//!
//! A release has them within itself; a debug build reads them from `web/build` each time, so that the app
//! can be built anew while the server runs. Where they are missing, the server says so on a page and
//! offers the plain one. The files are the same for everybody and say nothing about anybody: what is
//! private comes from the API.

use std::{borrow::Cow, collections::HashMap};

use axum::{
    Router,
    extract::{MatchedPath, Path, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use rust_embed::{EmbeddedFile, RustEmbed};
use serde::Deserialize;

use crate::{
    library::Library,
    media::has_tag,
    page,
    problem::{Code, Problem},
    words::Language,
};

/// The folder is there in every checkout; what is built lies in `app` below it.
#[derive(RustEmbed)]
#[folder = "../../web/build/"]
struct Built;

/// The addresses of the app's pages: each is answered with the app, which shows what belongs there.
/// The service worker knows the same (`web/src/service-worker.ts`).
pub(crate) const PAGES: [&str; 21] = [
    "/",
    "/assets/{id}",
    "/assets/{id}/reading",
    "/search",
    "/places",
    "/people",
    "/people/{id}",
    "/duplicates",
    "/runs",
    "/runs/{id}",
    "/collections",
    "/collections/{id}",
    "/lineage/{id}",
    "/archives",
    "/backups",
    "/transfers",
    "/models",
    "/add",
    "/settings",
    "/help",
    "/offline",
];

/// Files that have to lie at the root.
const AT_ROOT: [&str; 5] = [
    "/service-worker.js",
    "/manifest.webmanifest",
    "/before-paint.js",
    "/icon.svg",
    "/licences.txt",
];

/// What the service worker may do: it fetches from here, and nothing else.
const WORKER_POLICY: &str = "default-src 'none'; connect-src 'self'; frame-ancestors 'none'";

pub(crate) fn routes() -> Router<Library> {
    let mut router = Router::new().route("/_app/{*path}", get(get_built));
    for page in PAGES {
        router = router.route(page, get(get_app));
    }
    for name in AT_ROOT {
        router = router.route(name, get(get_at_root));
    }
    router
}

async fn get_app(
    State(library): State<Library>,
    matched: MatchedPath,
    headers: HeaderMap,
) -> Response {
    let language = Language::of(&headers);
    let Some(page) = find("index.html") else {
        return page::app_is_missing(language);
    };
    let html = String::from_utf8_lossy(&page.data);
    let bucket = library.redirect_origins();
    let html = match &bucket {
        Some(bucket) => Cow::Owned(allow_media_from(&html, bucket)),
        None => html,
    };
    let policy = policy_of(&html);
    let mut res = match bucket {
        // The page has its policy within itself, too: as it was built it knows of no bucket.
        Some(_) => {
            let no_cache = [(header::CACHE_CONTROL, "no-cache")];
            (no_cache, Html(html.clone().into_owned())).into_response()
        }
        None => respond("index.html", &headers),
    };
    if let Some(policy) = policy.and_then(|policy| HeaderValue::from_str(&policy).ok()) {
        res.headers_mut()
            .insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    let link = find("_app/preload.json").and_then(|list| {
        let list: Preload = serde_json::from_slice(&list.data).ok()?;
        HeaderValue::from_str(&list.link_of(matched.as_str(), language, &html)).ok()
    });
    if let Some(link) = link {
        res.headers_mut().insert(header::LINK, link);
        res.headers_mut()
            .append(header::VARY, HeaderValue::from_static("accept-language"));
    }
    res
}

/// The app's page with pictures, films and recordings allowed from one more origin.
fn allow_media_from(html: &str, origin: &str) -> String {
    let allowed = ["img-src 'self'", "media-src 'self'"];
    allowed.iter().fold(html.to_owned(), |html, allowed| {
        html.replacen(allowed, &format!("{allowed} {origin}"), 1)
    })
}

/// What browsers may fetch at once although only the app's scripts ask for it (`web/vite.config.ts`).
#[derive(Deserialize)]
struct Preload {
    /// On every page, the largest.
    first: Vec<String>,
    /// By language.
    words: HashMap<String, Vec<String>>,
    /// By page.
    pages: HashMap<String, Vec<String>>,
}

impl Preload {
    /// A `Link` header (RFC 8288). A style that the HTML asks for itself, it asks for in another way.
    fn link_of(&self, page: &str, language: Language, html: &str) -> String {
        let more = [self.words.get(language.tag()), self.pages.get(page)];
        let files = self
            .first
            .iter()
            .chain(more.into_iter().flatten().flatten());
        let files = files.filter(|file| !(file.ends_with(".css") && html.contains(*file)));
        // As the scripts ask for it: a style with `crossorigin`.
        let links = files.map(|file| match file.ends_with(".css") {
            true => format!("</{file}>; rel=preload; as=style; crossorigin"),
            false => format!("</{file}>; rel=modulepreload"),
        });
        links.collect::<Vec<_>>().join(", ")
    }
}

async fn get_built(Path(path): Path<String>, headers: HeaderMap) -> Response {
    respond(&format!("_app/{path}"), &headers)
}

async fn get_at_root(req: Request) -> Response {
    let name = req.uri().path().trim_start_matches('/');
    let mut res = respond(name, req.headers());
    if name == "service-worker.js" {
        res.headers_mut().insert(
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static(WORKER_POLICY),
        );
    }
    res
}

fn find(name: &str) -> Option<EmbeddedFile> {
    Built::get(&format!("app/{name}"))
}

/// A file, in the smallest form that the browser takes.
fn respond(name: &str, headers: &HeaderMap) -> Response {
    let encoded = Encoding::ALL
        .into_iter()
        .filter(|encoding| encoding.is_accepted(headers))
        .find_map(|encoding| {
            Some((
                find(&format!("{name}.{}", encoding.suffix()))?,
                Some(encoding),
            ))
        });
    let Some((file, encoding)) = encoded.or_else(|| Some((find(name)?, None))) else {
        return Problem::new(Code::NotFound, "there is no such file").into_response();
    };
    let hash = file.metadata.sha256_hash();
    let tag: String = hash[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let tag = format!("\"{tag}\"");
    let mut res = if has_tag(headers, &header::IF_NONE_MATCH, &tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        match file.data {
            Cow::Borrowed(bytes) => bytes.into_response(),
            Cow::Owned(bytes) => bytes.into_response(),
        }
    };
    let kept = if name.starts_with("_app/immutable/") {
        // Its name changes with its content.
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let res_headers = res.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, media_type(name)),
        (header::CACHE_CONTROL, kept),
        (header::VARY, "accept-encoding"),
    ] {
        res_headers.insert(name, HeaderValue::from_static(value));
    }
    if let Some(encoding) = encoding {
        let value = HeaderValue::from_static(encoding.name());
        res_headers.insert(header::CONTENT_ENCODING, value);
    }
    if let Ok(value) = HeaderValue::from_str(&tag) {
        res_headers.insert(header::ETAG, value);
    }
    res
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// The policy that the app's page carries within itself, with the hash of its one script, and what only
/// a header can say.
fn policy_of(page: &str) -> Option<String> {
    let (_, rest) = page.split_once("http-equiv=\"content-security-policy\" content=\"")?;
    let (policy, _) = rest.split_once('"')?;
    Some(format!("{policy}; frame-ancestors 'none'"))
}

/// A form in which a file lies ready beside itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Brotli,
    Gzip,
}

impl Encoding {
    /// The smallest first.
    const ALL: [Self; 2] = [Self::Brotli, Self::Gzip];

    const fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }

    const fn suffix(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gz",
        }
    }

    /// Whether the browser takes it (RFC 9110, 12.5.3). A star is not taken for a yes: who can read these
    /// says so by name.
    fn is_accepted(self, headers: &HeaderMap) -> bool {
        headers
            .get_all(header::ACCEPT_ENCODING)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|wish| {
                let mut parts = wish.split(';').map(str::trim);
                let is_named = parts
                    .next()
                    .is_some_and(|name| name.eq_ignore_ascii_case(self.name()));
                let weight = parts.find_map(|part| part.strip_prefix("q="));
                is_named && weight.is_none_or(|weight| weight.parse::<f32>().is_ok_and(|q| q > 0.0))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_browser_names_is_sent_compressed() {
        // What is accepted, whether Brotli and gzip are.
        let cases = [
            ("", false, false),
            ("gzip, deflate, br, zstd", true, true),
            ("gzip", false, true),
            ("BR", true, false),
            ("br;q=0, gzip;q=0.5", false, true),
            ("br; q=0.1", true, false),
            ("*", false, false),
            ("identity", false, false),
            ("brotli", false, false),
        ];
        for (accepted, brotli, gzip) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, accepted.parse().unwrap());
            assert_eq!(Encoding::Brotli.is_accepted(&headers), brotli, "{accepted}");
            assert_eq!(Encoding::Gzip.is_accepted(&headers), gzip, "{accepted}");
        }
    }

    #[test]
    fn the_header_says_what_the_page_says_and_that_nobody_frames_it() {
        let page = "<head><meta http-equiv=\"content-security-policy\" \
            content=\"default-src 'none'; script-src 'self' 'sha256-x='\"><title>";
        let policy = policy_of(page).unwrap();
        assert_eq!(
            policy,
            "default-src 'none'; script-src 'self' 'sha256-x='; frame-ancestors 'none'"
        );
        assert_eq!(policy_of("<head>"), None);
    }
}
