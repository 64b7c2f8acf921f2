//! The pages of an export: they open from a disk, need no network, and can be read without scripts.
//!
//! Each word stands in English and in German; a script shows those of the reader's language alone.

use std::fmt::Write as _;

use heirloom_core::AssetId;
use maud::{DOCTYPE, Markup, html};
use serde::{Deserialize, Serialize};

/// How many things are on a page.
pub(super) const ON_A_PAGE: usize = 200;

/// What a page shows of an asset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Card {
    pub(super) id: AssetId,
    /// The path of the original, if it is in the export.
    pub(super) path: Option<String>,
    pub(super) name: String,
    pub(super) media_type: String,
    pub(super) kind: String,
    pub(super) title: Option<String>,
    pub(super) date: Option<String>,
    pub(super) caption: Option<String>,
    pub(super) place: Option<String>,
    pub(super) persons: Vec<String>,
    pub(super) tags: Vec<String>,
    pub(super) authors: Vec<String>,
    /// The path of a small picture.
    pub(super) picture: Option<String>,
    /// Its size.
    pub(super) size: Option<(i64, i64)>,
    /// The path of what browsers show or play, where that is not the original.
    pub(super) shown: Option<String>,
    /// The path of its text.
    pub(super) text: Option<String>,
    /// Where it was, in the words of its archive.
    pub(super) was: Option<String>,
}

/// Both languages.
struct Words(&'static str, &'static str);

impl maud::Render for Words {
    fn render(&self) -> Markup {
        html! {
            span lang="en" { (self.0) }
            span.between { " · " }
            span lang="de" { (self.1) }
        }
    }
}

/// A way to a page: its path from `data`, what it is called, and how much is there.
pub(super) struct Way {
    pub(super) path: String,
    pub(super) name: String,
    pub(super) count: usize,
}

/// The first page.
pub(super) fn render_index(
    family: &str,
    times: &[Way],
    collections: &[Way],
    total: usize,
) -> String {
    page(
        family,
        "",
        html! {
            h1 { (family) }
            p.soft { (total) " " (Words("things", "Dinge")) }
            div.search {
                label for="words" { (Words("Search", "Suchen")) }
                input id="words" type="search" autocomplete="off" spellcheck="false";
                p.soft id="told" role="status" {}
                ul.things id="found" {}
            }
            h2 { (Words("By time", "Nach Zeit")) }
            (ways(times))
            @if !collections.is_empty() {
                h2 { (Words("Collections", "Sammlungen")) }
                (ways(collections))
            }
            h2 { (Words("The files", "Die Dateien")) }
            ul.ways {
                li { a href="originals/" { (Words("Originals", "Originale")) } }
                li { a href="metadata/" { (Words("Everything that is known, for programs", "Alles, was bekannt ist, für Programme")) } }
            }
        },
    )
}

fn ways(ways: &[Way]) -> Markup {
    html! {
        ul.ways { @for way in ways { li {
            a href=(address("", &way.path)) {
                @match way.name.as_str() {
                    "" => { (Words("Without a date", "Ohne Datum")) }
                    name => { (name) }
                }
                span.soft { (way.count) }
            }
        } } }
    }
}

/// One page of what belongs together, of `pages`.
pub(super) fn render_things(
    name: &str,
    description: &str,
    cards: &[Card],
    (number, pages): (usize, usize),
    path_of: &dyn Fn(usize) -> String,
) -> String {
    let title = if name.is_empty() {
        "Without a date · Ohne Datum"
    } else {
        name
    };
    page(
        title,
        "../",
        html! {
            p { a.open href="../index.html" { (Words("To the beginning", "Zum Anfang")) } }
            h1 { @if name.is_empty() { (Words("Without a date", "Ohne Datum")) } @else { (name) } }
            @if !description.is_empty() { p { (description) } }
            (pager((number, pages), path_of))
            ul.things { @for card in cards { (thing(card)) } }
            (pager((number, pages), path_of))
        },
    )
}

fn pager((number, pages): (usize, usize), path_of: &dyn Fn(usize) -> String) -> Markup {
    html! {
        @if pages > 1 {
            ul.ways {
                @if number > 1 { li { a href=(address("../", &path_of(number - 1))) rel="prev" { (Words("Back", "Zurück")) } } }
                li { span.open { (number) " / " (pages) } }
                @if number < pages { li { a href=(address("../", &path_of(number + 1))) rel="next" { (Words("Next", "Weiter")) } } }
            }
        }
    }
}

fn thing(card: &Card) -> Markup {
    let title = card.title.as_deref().unwrap_or(&card.name);
    let original = card
        .path
        .as_deref()
        .map(|path| address("../", in_data(path)));
    let picture = card
        .picture
        .as_deref()
        .map(|path| address("../", in_data(path)));
    let shown = card
        .shown
        .as_deref()
        .map(|path| address("../", in_data(path)));
    let played = shown.as_ref().or(original.as_ref());
    html! {
        li.thing id={ "a-" (card.id) } {
            @match (card.kind.as_str(), played) {
                ("video", Some(played)) => {
                    video src=(played) poster=[picture] controls preload="none" playsinline aria-label=(title) {}
                }
                ("audio", Some(played)) => {
                    @if let Some(picture) = &picture { img src=(picture) alt="" loading="lazy"; }
                    audio src=(played) controls preload="none" aria-label=(title) {}
                }
                (_, Some(played)) => {
                    @if let Some(picture) = &picture {
                        a href=(played) {
                            @let (width, height) = card.size.unzip();
                            img src=(picture) alt=(title) loading="lazy" width=[width] height=[height];
                        }
                    }
                }
                (_, None) => { @if let Some(picture) = &picture { img src=(picture) alt=(title) loading="lazy"; } }
            }
            h3 { (title) }
            @if let Some(date) = &card.date { p.soft { (date) } }
            @if let Some(caption) = &card.caption { p { (caption) } }
            @if original.is_none() { p { strong { (Words("The file is not in this export", "Die Datei ist nicht in diesem Export")) } } }
            details {
                summary { (Words("What is known", "Was bekannt ist")) }
                dl {
                    (fact(&Words("Place", "Ort"), card.place.as_deref()))
                    (facts(&Words("In it", "Darauf"), &card.persons))
                    (facts(&Words("By", "Von"), &card.authors))
                    (facts(&Words("Tags", "Schlagwörter"), &card.tags))
                    (fact(&Words("File", "Datei"), Some(&card.name)))
                    (fact(&Words("Kept at", "Gelegen in"), card.was.as_deref()))
                    (fact(&Words("Type", "Art"), Some(&card.media_type)))
                }
                @if let Some(original) = &original {
                    p { a.open href=(original) { (Words("The original", "Das Original")) } }
                }
                @if let Some(text) = &card.text {
                    p { a.open href=(address("../", in_data(text))) { (Words("Its text", "Der Text")) } }
                }
            }
        }
    }
}

fn fact(name: &Words, value: Option<&str>) -> Markup {
    html! { @if let Some(value) = value { dt { (name) } dd { (value) } } }
}

fn facts(name: &Words, values: &[String]) -> Markup {
    html! { @if !values.is_empty() { dt { (name) } dd { (values.join(", ")) } } }
}

fn page(title: &str, up: &str, content: Markup) -> String {
    let style = format!("{up}style.css");
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                meta name="referrer" content="no-referrer";
                title { (title) }
                link rel="stylesheet" href=(style);
            }
            body {
                main { (content) }
                @if up.is_empty() { script src="search/parts.js" {} }
                script src={ (up) "search.js" } {}
            }
        }
    }
    .into_string()
}

/// The page beside the bag's own files: the way to the first one.
pub(super) fn render_door(family: &str) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="refresh" content="0; url=data/index.html";
                title { (family) }
            }
            body { p { a href="data/index.html" { (family) } } }
        }
    }
    .into_string()
}

/// A part of what the search looks through: title, words, where to look, and a small picture.
pub(super) fn render_search_part(cards: &[(Card, String)]) -> String {
    let things: Vec<_> = cards
        .iter()
        .map(|(card, page)| {
            let title = card.title.as_deref().unwrap_or(&card.name);
            let one = [&card.date, &card.caption, &card.place];
            let mut words: Vec<&str> = one.into_iter().flatten().map(String::as_str).collect();
            let many = [&card.persons, &card.tags, &card.authors];
            words.extend(many.into_iter().flatten().map(String::as_str));
            words.push(card.was.as_ref().unwrap_or(&card.name));
            let page = format!("{}#a-{}", address("", page), card.id);
            let picture = card
                .picture
                .as_deref()
                .map(|path| address("", in_data(path)));
            (title, words.join(" "), page, picture)
        })
        .collect();
    let json = serde_json::to_string(&things).unwrap_or_else(|_| "[]".to_owned());
    // The same bytes are right wherever a browser may come upon them.
    let json = json
        .replace('<', "\\u003c")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029");
    format!("addSearchPart({json});\n")
}

/// The list of these parts.
pub(super) fn render_search_parts(paths: &[String]) -> String {
    let json = serde_json::to_string(paths).unwrap_or_else(|_| "[]".to_owned());
    format!("window.searchParts = {json};\n")
}

fn in_data(path: &str) -> &str {
    path.strip_prefix("data/").unwrap_or(path)
}

/// A path as an address: `up` and then the path, with every letter that means something in one written `%HH`.
fn address(up: &str, path: &str) -> String {
    let mut address = up.to_owned();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_' | b'.' | b'~') {
            address.push(char::from(byte));
        } else {
            let _ = write!(address, "%{byte:02X}");
        }
    }
    address
}

/// What browsers show or play by themselves.
pub(super) fn is_shown(media_type: &str) -> bool {
    matches!(
        media_type,
        "image/jpeg"
            | "image/png"
            | "image/webp"
            | "image/gif"
            | "image/avif"
            | "audio/mpeg"
            | "audio/mp4"
            | "audio/ogg"
            | "audio/opus"
            | "audio/flac"
            | "audio/wav"
            | "audio/aac"
            | "audio/webm"
            | "video/mp4"
            | "video/webm"
            | "video/ogg"
            | "application/pdf"
            | "text/plain"
    )
}

/// The script and the style, as files of the export.
pub(super) const FILES: [(&str, &str); 2] = [
    ("data/style.css", include_str!("style.css")),
    ("data/search.js", include_str!("search.js")),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_wrote_stays_text() {
        let evil = "<script>alert(1)</script>\" onerror='x' & \u{2028}";
        let card = Card {
            id: AssetId::from_parts(1, [0; 10]),
            path: Some("data/originals/a \"b\"<c>#?%.jpg".to_owned()),
            name: evil.to_owned(),
            media_type: "image/jpeg".to_owned(),
            kind: "image".to_owned(),
            title: Some(evil.to_owned()),
            date: Some(evil.to_owned()),
            caption: Some(evil.to_owned()),
            place: Some(evil.to_owned()),
            persons: vec![evil.to_owned()],
            tags: vec![evil.to_owned()],
            authors: vec![evil.to_owned()],
            picture: Some("data/pictures/x.jpg".to_owned()),
            size: Some((4, 3)),
            shown: None,
            text: None,
            was: Some(evil.to_owned()),
        };
        let path_of = |number: usize| format!("pages/{number}.html");
        let page = render_things(evil, evil, std::slice::from_ref(&card), (1, 2), &path_of);
        let index = render_index(
            evil,
            &[Way {
                path: evil.to_owned(),
                name: evil.to_owned(),
                count: 1,
            }],
            &[],
            1,
        );
        let door = render_door(evil);
        let part = render_search_part(&[(card, "pages/1.html".to_owned())]);
        for text in [&page, &index, &door, &part] {
            assert!(!text.contains("<script>alert"), "{text}");
        }
        for text in [page, index, door] {
            assert!(!text.contains("\" onerror"), "{text}");
        }
        let json = part
            .strip_prefix("addSearchPart(")
            .and_then(|part| part.strip_suffix(");\n"));
        let things: serde_json::Value = serde_json::from_str(json.unwrap()).unwrap();
        assert_eq!(things[0][0], evil);
    }

    #[test]
    fn an_address_leads_to_the_very_file() {
        assert_eq!(
            address("../", "a b/ä#1?%.jpg"),
            "../a%20b/%C3%A4%231%3F%25.jpg"
        );
    }
}
