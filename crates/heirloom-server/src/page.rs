//! The plain pages: the library as a list, and one asset. They work without scripts, on old devices and
//! where the web app is not there; they only read.

mod asset;
mod date;
mod list;
mod query;

use axum::{
    Router,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use maud::{DOCTYPE, Markup, html};

use crate::{
    edge::PAGE_POLICY,
    library::Library,
    problem::{Code, Problem},
    words::{Language, Word},
};

/// The pages that only those may see who may see what is on them.
pub(crate) fn routes() -> Router<Library> {
    Router::new()
        .route("/plain", get(list::get_list))
        .route("/plain/assets/{id}", get(asset::get_asset_page))
        .route("/plain/assets/{id}/original", get(asset::get_original))
}

/// The style, which says nothing about anybody.
pub(crate) fn public_routes() -> Router<Library> {
    Router::new().route("/style.css", get(get_style))
}

const STYLE: &str = include_str!("page/style.css");

async fn get_style() -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, "text/css; charset=utf-8"),
        // Short: the address stays when the style changes with a new version.
        (header::CACHE_CONTROL, "public, max-age=300"),
    ];
    (headers, STYLE)
}

/// A page around its content.
fn render_page(
    language: Language,
    title: &str,
    search: Option<&str>,
    content: &Markup,
) -> Response {
    let markup = html! {
        (DOCTYPE)
        html lang=(language.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                title { (title) " · Heirloom" }
                link rel="stylesheet" href="/style.css";
                link rel="icon" href="/icon.svg" type="image/svg+xml";
            }
            body {
                a.skip href="#content" { (language.say(Word::Skip)) }
                header {
                    p.title { a href="/plain" { span.name { "Heirloom" } } }
                    (search_box(language, search))
                }
                main id="content" { (content) }
            }
        }
    };
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, PAGE_POLICY),
        (header::VARY, "accept-language"),
    ];
    (headers, markup.into_string()).into_response()
}

fn search_box(language: Language, query: Option<&str>) -> Markup {
    let fields = "type: date: person: place: camera: tag: archive:";
    html! {
        form.search role="search" method="get" action="/plain" {
            label for="q" { (language.say(Word::SearchLabel)) }
            div.row {
                input id="q" name="q" type="search" value=[query] maxlength="2000"
                    placeholder=(language.say(Word::SearchExample)) aria-describedby="q-help"
                    autocomplete="off" autocapitalize="off" spellcheck="false";
                button type="submit" { (language.say(Word::SearchButton)) }
            }
            p.note id="q-help" { (language.fill(Word::SearchHelp, &[("fields", fields)])) }
        }
    }
}

/// The page in the place of the app, where the program was built without it.
pub(crate) fn app_is_missing(language: Language) -> Response {
    let title = language.say(Word::AppMissing);
    let content = html! {
        h1 { (title) }
        p { (language.say(Word::AppMissingHint)) " " code { "./dev run" } }
        p { a.button href="/plain" { (language.say(Word::PlainList)) } }
    };
    render_page(language, title, None, &content)
}

/// The page for something that did not work.
pub(crate) fn problem(language: Language, problem: &Problem, request_id: &str) -> Response {
    let code = problem.code();
    let what = match code {
        Code::NotFound | Code::MethodNotAllowed | Code::InvalidCursor => Word::ProblemNotFound,
        Code::Denied => Word::ProblemDenied,
        Code::UnknownActor => Word::ProblemUnknown,
        Code::ForeignRequest => Word::ProblemForeign,
        Code::OriginalGone => Word::ProblemGone,
        Code::OriginalChanged | Code::OriginalDamaged => Word::ProblemChanged,
        _ if code.status_code() == StatusCode::SERVICE_UNAVAILABLE => Word::ProblemBusy,
        _ if code.status() < 500 => Word::ProblemRequest,
        _ => Word::ProblemInside,
    };
    let detail = match problem.get_hint() {
        Some(hint) => format!("{problem}. {hint}"),
        None => problem.to_string(),
    };
    let content = html! {
        h1 { (language.say(Word::ProblemTitle)) }
        p { (language.say(what)) }
        p { a.button.quiet href="/" { (language.say(Word::BackToList)) } }
        p.note { (language.fill(Word::ProblemDetail, &[("detail", &detail)])) }
        p.note { (language.fill(Word::RequestId, &[("id", request_id)])) }
    };
    let title = language.say(Word::ProblemTitle);
    render_page(language, title, None, &content)
}
