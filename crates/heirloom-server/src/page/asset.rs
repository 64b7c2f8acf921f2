//! One asset: what is known about it and from where, where it is and was, and its original.

use axum::{extract::State, http::HeaderMap, response::Response};
use heirloom_core::{AssetId, MediaKind, claim::ClaimKind};
use maud::{Markup, html};

use super::{
    date::{day_of_ms, in_words},
    list::{date_of, kind_word, place_of},
    render_page,
};
use crate::{
    actor::Asker,
    asset::{
        load_detail,
        original::{WhichBytes, open_original},
    },
    extract::{IdPath, Query},
    library::Library,
    media::is_shown_inline,
    problem::Problem,
    wire::{AssetDetail, Author, Claim},
    words::{Language, Word},
};

pub(super) async fn get_asset_page(
    State(library): State<Library>,
    Asker(actor): Asker,
    IdPath(id): IdPath<AssetId>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let language = Language::of(&headers);
    let detail = load_detail(&library, &actor, id).await?;
    let mut together = Vec::new();
    for stack in &detail.stacks {
        let mut members = Vec::new();
        for member in &stack.asset_ids {
            members.push((*member, library.db().get_asset(&actor, *member).await?.name));
        }
        together.push((stack.kind.clone(), members));
    }
    let title = detail.asset.title.as_deref().unwrap_or(&detail.asset.name);
    let content = html! {
        p.way { a href="/plain" { (language.say(Word::BackToList)) } }
        h1 { (title) }
        p {
            (date_of(language, detail.asset.date.as_deref())) " · "
            (language.say(kind_word(detail.asset.kind)))
        }
        (render_state(language, &detail))
        (render_original(language, title, &detail))
        h2 { (language.say(Word::WhatIsKnown)) }
        (render_facts(language, &detail))
        h2 { (language.say(Word::WhereItIs)) }
        (render_locations(language, &detail))
        @if !together.is_empty() {
            h2 { (language.say(Word::BelongsTogether)) }
            @for (kind, members) in &together {
                p { (language.say(stack_word(kind))) }
                ul.plain { @for (member, name) in members { li {
                    @if *member == id { (language.fill(Word::ThisOne, &[("name", name)])) }
                    @else { a href={ "/plain/assets/" (member) } { (name) } }
                } } }
            }
        }
        @if !detail.sidecars.is_empty() {
            h2 { (language.say(Word::DescribedBy)) }
            ul.plain { @for sidecar in &detail.sidecars { li { (sidecar.path) } } }
        }
        h2 { (language.say(Word::TheFile)) }
        (render_file(language, &detail))
    };
    Ok(render_page(language, title, None, &content))
}

/// The original, under the address that the page links to.
pub(super) async fn get_original(
    State(library): State<Library>,
    Asker(actor): Asker,
    IdPath(id): IdPath<AssetId>,
    Query(which): Query<WhichBytes>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    open_original(&library, &actor, id, which, &headers).await
}

fn render_state(language: Language, detail: &AssetDetail) -> Markup {
    let word = match (detail.asset.deleted_at_ms, detail.asset.state.as_str()) {
        (Some(_), _) => Some(Word::Deleted),
        (None, "missing") => Some(Word::Missing),
        (None, "replaced") => Some(Word::Replaced),
        _ => None,
    };
    html! { @if let Some(word) = word { p.wrong { (language.say(word)) } } }
}

fn render_original(language: Language, title: &str, detail: &AssetDetail) -> Markup {
    let is_there = detail
        .asset
        .place
        .as_ref()
        .is_some_and(|place| place.is_there);
    let word = if is_shown_inline(&detail.asset.media_type) {
        Word::OpenOriginal
    } else {
        Word::SaveOriginal
    };
    html! {
        @if is_there {
            @let address = format!("/plain/assets/{}/original", detail.asset.id);
            @match Shown::of(&detail.asset.media_type) {
                // Whoever looks at a page asks for nothing to be brought back.
                Some(Shown::Picture) => {
                    img.original src=(format!("{address}?bring_back=false")) alt=(title);
                }
                Some(Shown::Sound) => {
                    audio.original src=(address) controls preload="none" aria-label=(title) {}
                }
                Some(Shown::Film) => {
                    video.original src=(address) controls preload="none" playsinline aria-label=(title) {}
                }
                None => {}
            }
            p.actions { a.button href=(address) { (language.say(word)) } }
        } @else {
            p.note { (language.say(Word::NoOriginal)) }
        }
    }
}

/// How a browser shows an original within a page, by itself.
enum Shown {
    Picture,
    Sound,
    Film,
}

impl Shown {
    /// Only what every browser knows, told by the bytes: the rest is for opening or saving.
    fn of(media_type: &str) -> Option<Self> {
        Some(match media_type {
            "image/jpeg" | "image/png" | "image/webp" | "image/gif" => Self::Picture,
            "audio/mpeg" | "audio/mp4" | "audio/ogg" | "audio/opus" | "audio/flac"
            | "audio/wav" | "audio/aac" | "audio/webm" => Self::Sound,
            "video/mp4" | "video/webm" | "video/ogg" => Self::Film,
            _ => return None,
        })
    }
}

fn render_facts(language: Language, detail: &AssetDetail) -> Markup {
    html! {
        @if detail.facts.is_empty() {
            p { (language.say(Word::NothingKnown)) }
        } @else {
            dl.facts {
                @for fact in &detail.facts {
                    div {
                        dt { (language.say(claim_word(fact.kind))) }
                        dd { ul {
                            @for claim in &fact.believed { li {
                                span.value { (value_in_words(language, claim)) }
                                span.source { (source_in_words(language, claim)) }
                            } }
                            @for claim in &fact.disagreeing { li {
                                @let value = value_in_words(language, claim);
                                span.value { (language.fill(Word::AlsoSaid, &[("value", &value)])) }
                                span.source { (source_in_words(language, claim)) }
                            } }
                        } }
                    }
                }
            }
        }
    }
}

fn render_locations(language: Language, detail: &AssetDetail) -> Markup {
    html! {
        ul.plain {
            @for location in &detail.locations { li {
                @let from = day_of_ms(language, location.found_at_ms);
                span.value { (place_of(language, &location.place)) }
                span.source {
                    @match location.gone_at_ms {
                        None => (language.fill(Word::HereSince, &[("day", &from)])),
                        Some(gone) => {
                            @let until = day_of_ms(language, gone);
                            (language.fill(Word::HereUntil, &[("from", &from), ("until", &until)]))
                        }
                    }
                }
            } }
        }
    }
}

fn render_file(language: Language, detail: &AssetDetail) -> Markup {
    let asset = &detail.asset;
    let mut rows = vec![
        (Word::FileName, asset.name.clone()),
        (Word::FileType, asset.media_type.clone()),
        (Word::FileSize, size_in_words(language, asset.size_bytes)),
    ];
    if let (Some(width), Some(height)) = (asset.width, asset.height) {
        let (width, height) = (width.to_string(), height.to_string());
        let gaps = [("width", width.as_str()), ("height", height.as_str())];
        rows.push((Word::Dimensions, language.fill(Word::Pixels, &gaps)));
    }
    if let Some(duration_ms) = asset.duration_ms
        && matches!(asset.kind, MediaKind::Audio | MediaKind::Video)
    {
        rows.push((Word::Plays, duration_in_words(duration_ms)));
    }
    html! {
        dl.file { @for (word, value) in rows { div { dt { (language.say(word)) } dd { (value) } } } }
    }
}

fn duration_in_words(duration_ms: i64) -> String {
    let seconds = (duration_ms + 500) / 1000;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

fn size_in_words(language: Language, bytes: i64) -> String {
    let (word, unit) = match bytes {
        ..1_000 => (Word::Bytes, 1),
        1_000..1_000_000 => (Word::Kilobytes, 1_000),
        1_000_000..1_000_000_000 => (Word::Megabytes, 1_000_000),
        _ => (Word::Gigabytes, 1_000_000_000),
    };
    let tenths = bytes * 10 / unit;
    let number = if unit == 1 || tenths >= 100 {
        (bytes / unit).to_string()
    } else {
        format!(
            "{}{}{}",
            tenths / 10,
            language.say(Word::DecimalSign),
            tenths % 10
        )
    };
    language.fill(word, &[("number", &number)])
}

/// A claim's value as people say it.
fn value_in_words(language: Language, claim: &Claim) -> String {
    let number = claim.value.as_i64();
    let text = claim.value.as_str();
    match claim.kind {
        ClaimKind::Date => text.and_then(|text| text.parse().ok()).map_or_else(
            || text.unwrap_or_default().to_owned(),
            |date| in_words(language, &date),
        ),
        ClaimKind::Position => position_in_words(language, &claim.value),
        ClaimKind::Rating => match number {
            Some(-1) => language.say(Word::RatingRejected).to_owned(),
            Some(0) | None => language.say(Word::RatingNone).to_owned(),
            Some(stars) => language.fill(Word::RatingStars, &[("stars", &stars.to_string())]),
        },
        ClaimKind::Orientation => match number {
            Some(1) | None => language.say(Word::Upright).to_owned(),
            Some(other) => language.fill(Word::Turned, &[("number", &other.to_string())]),
        },
        _ => text.unwrap_or_default().to_owned(),
    }
}

fn position_in_words(language: Language, value: &serde_json::Value) -> String {
    let degrees = |name: &str| value.get(name).and_then(serde_json::Value::as_f64);
    let (Some(latitude), Some(longitude)) = (degrees("latitude"), degrees("longitude")) else {
        return String::new();
    };
    let sign = language.say(Word::DecimalSign);
    let half = |angle: f64, positive: Word, negative: Word| {
        let side = if angle < 0.0 { negative } else { positive };
        let number = format!("{:.5}", angle.abs()).replace('.', sign);
        format!("{number}° {}", language.say(side))
    };
    let mut words = format!(
        "{} {}",
        half(latitude, Word::North, Word::South),
        half(longitude, Word::East, Word::West)
    );
    if let Some(metres) = degrees("altitude_m") {
        let metres = format!("{metres:.0}");
        words.push_str(", ");
        words.push_str(&language.fill(Word::AboveSea, &[("metres", &metres)]));
    }
    words
}

/// Where a claim comes from, as people say it, with the exact place for those who want to know.
fn source_in_words(language: Language, claim: &Claim) -> String {
    let word = match claim.author {
        Author::Operator => Word::SaidByYou,
        Author::Account { .. } => Word::SaidBySomebody,
        Author::Artifact { .. } => match claim.source.split(':').next().unwrap_or_default() {
            "exif" | "makernote" | "sony" | "crw" | "flir" | "quicktime" | "udta" | "avi" => {
                Word::FromCamera
            }
            "sidecar-xmp" | "aae" | "photoprism" | "icloud" | "immich" => Word::FromSidecar,
            "takeout" => Word::FromTakeout,
            "name" => Word::FromName,
            "folder" => Word::FromFolder,
            _ => Word::FromFile,
        },
    };
    let words = language.say(word);
    if claim.source.is_empty() {
        words.to_owned()
    } else {
        format!("{words} ({})", claim.source)
    }
}

const fn claim_word(kind: ClaimKind) -> Word {
    match kind {
        ClaimKind::Date => Word::ClaimDate,
        ClaimKind::Position => Word::ClaimPosition,
        ClaimKind::Place => Word::ClaimPlace,
        ClaimKind::Person => Word::ClaimPerson,
        ClaimKind::Title => Word::ClaimTitle,
        ClaimKind::Caption => Word::ClaimCaption,
        ClaimKind::Tag => Word::ClaimTag,
        ClaimKind::Author => Word::ClaimAuthor,
        ClaimKind::Rating => Word::ClaimRating,
        ClaimKind::CameraMake => Word::ClaimCameraMake,
        ClaimKind::CameraModel => Word::ClaimCameraModel,
        ClaimKind::Lens => Word::ClaimLens,
        ClaimKind::Orientation => Word::ClaimOrientation,
        ClaimKind::Language => Word::ClaimLanguage,
        ClaimKind::Said => Word::ClaimSaid,
        ClaimKind::Written => Word::ClaimWritten,
        ClaimKind::Speaker => Word::ClaimSpeaker,
        ClaimKind::Shown => Word::ClaimShown,
        ClaimKind::Group => Word::ClaimGroup,
        ClaimKind::Aside => Word::ClaimAside,
        ClaimKind::Same => Word::ClaimSame,
    }
}

fn stack_word(kind: &str) -> Word {
    match kind {
        "live_photo" => Word::StackLivePhoto,
        "raw_jpeg" => Word::StackRawJpeg,
        "edited" => Word::StackEdited,
        _ => Word::StackBurst,
    }
}
