//! `heirloom asset …`

use heirloom_core::{AssetId, Strip, reading::Corners};
use heirloom_server::{
    Code, Problem,
    wire::{
        Asset, AssetDetail, Face, Faces, Hearing, Page, Passage, Purged, ReadLine, ReadPage,
        Reading, Tag, Transcript, Voice,
    },
};
use http::Method;
use serde::Serialize;
use serde_json::{Value as Json, json};

use super::{
    artifact::tell_saved,
    claim::{fact_lines, value_text},
    faces,
    paging::{collect, more},
};
use crate::{
    Ending,
    api::Api,
    arguments,
    output::{Output, duration, error_document, line, list, number_of, size, stretch, table},
};

pub(super) async fn run(
    api: &Api,
    asked: arguments::Asset,
    output: &Output,
) -> Result<Ending, Problem> {
    match asked {
        arguments::Asset::List { paging } => {
            let page: Page<Asset> = collect(api, "/api/v1/assets", &paging).await?;
            output.data(&page, || {
                if page.items.is_empty() {
                    return "Nothing here.".to_owned();
                }
                let rows: Vec<_> = page.items.iter().map(row).collect();
                list(&rows) + &more(page.next.as_deref())
            });
        }
        arguments::Asset::Show { id } => {
            let detail: AssetDetail = api.get(&format!("/api/v1/assets/{id}")).await?;
            output.data(&detail, || describe(&detail));
        }
        arguments::Asset::Transcript { id, vtt } => {
            let path = format!("/api/v1/assets/{id}/transcript");
            let transcript: Transcript = api.get(&path).await?;
            let captions = match vtt {
                true => Some(api.text(&format!("/api/v1/assets/{id}/captions")).await?),
                false => None,
            };
            output.data(&transcript, || {
                captions.unwrap_or_else(|| spoken(&transcript))
            });
        }
        arguments::Asset::Voices { id } => {
            let voices: Page<Voice> = api.get(&format!("/api/v1/assets/{id}/voices")).await?;
            output.data(&voices, || match voices.items.is_empty() {
                true => "No voices are told apart in it.".to_owned(),
                false => voices
                    .items
                    .iter()
                    .map(|it| describe_voice(id, it))
                    .collect(),
            });
        }
        arguments::Asset::Reading { id, lines } => {
            let reading: Reading = api.get(&format!("/api/v1/assets/{id}/reading")).await?;
            output.data(&reading, || match reading.text.is_empty() {
                true => "No writing was found in it.".to_owned(),
                false if lines || is_of_film(&reading) => read_lines(&reading),
                false => reading.text.clone(),
            });
        }
        arguments::Asset::Faces { id } => {
            let found: Faces = api.get(&format!("/api/v1/assets/{id}/faces")).await?;
            output.data(&found, || match found.faces.as_slice() {
                [] => faces::NONE.to_owned(),
                all => all.iter().map(face_line).collect::<Vec<_>>().join("\n"),
            });
        }
        arguments::Asset::Tags { id } => {
            let tags: Page<Tag> = api.get(&format!("/api/v1/assets/{id}/tags")).await?;
            output.data(&tags, || match tags.items.is_empty() {
                true => "It has no tags.".to_owned(),
                false => table(&tags.items.iter().map(tag_row).collect::<Vec<_>>()),
            });
        }
        arguments::Asset::Pdf { id, file } => {
            let address = format!("/api/v1/assets/{id}/searchable.pdf");
            tell_saved(api, &address, &file, output).await?;
        }
        arguments::Asset::Delete { ids, if_version } => {
            let version = for_one(&ids, if_version)?;
            let delete = async |id| {
                let path = format!("/api/v1/assets/{id}");
                let asset: Asset = change(api, Method::DELETE, &path, version).await?;
                let hidden = format!("{} is hidden.", called(&asset));
                let back = format!("Bring it back with `heirloom asset restore {id}`.");
                Ok((asset, format!("{hidden} {back}")))
            };
            return each(&ids, delete, output).await;
        }
        arguments::Asset::Restore { ids, if_version } => {
            let version = for_one(&ids, if_version)?;
            let restore = async |id| {
                let path = format!("/api/v1/assets/{id}/restore");
                let asset: Asset = change(api, Method::POST, &path, version).await?;
                let words = format!("{} is back.", called(&asset));
                Ok((asset, words))
            };
            return each(&ids, restore, output).await;
        }
        arguments::Asset::Purge { ids } => {
            let purge = async |id| {
                let path = format!("/api/v1/assets/{id}/purge");
                let purged: Purged = api.ask(Method::POST, &path, &[], None).await?;
                let words = format!(
                    "Nothing is known about {id} any more. A file in a folder was not touched, and scans pass it over."
                );
                Ok((purged, words))
            };
            return each(&ids, purge, output).await;
        }
    }
    Ok(Ending::Done)
}

/// What became of one of several.
#[derive(Serialize)]
struct Outcome<T> {
    id: AssetId,
    done: Option<T>,
    error: Option<Json>,
}

/// Does something to each. What is refused for one is said, and keeps nothing from the others.
async fn each<T: Serialize>(
    ids: &[AssetId],
    change: impl AsyncFn(AssetId) -> Result<(T, String), Problem>,
    output: &Output,
) -> Result<Ending, Problem> {
    let mut items = Vec::new();
    for &id in ids {
        match change(id).await {
            Ok((done, words)) => {
                output.tell(&words);
                items.push(Outcome {
                    id,
                    done: Some(done),
                    error: None,
                });
            }
            Err(problem) if ids.len() == 1 => return Err(problem),
            Err(problem) => {
                output.refused_of(&id.to_string(), &problem);
                items.push(Outcome {
                    id,
                    done: None,
                    error: Some(error_document(&problem)),
                });
            }
        }
    }
    let done = items.iter().filter(|item| item.done.is_some()).count();
    output.data(&json!({ "items": items, "next": null }), String::new);
    Ok(match done {
        0 => Ending::Refused,
        done if done < ids.len() => Ending::Partly,
        _ => Ending::Done,
    })
}

fn for_one(ids: &[AssetId], version: Option<i64>) -> Result<Option<i64>, Problem> {
    if version.is_some() && ids.len() > 1 {
        return Err(Problem::new(
            Code::InvalidRequest,
            "--if-version is the version of one original, and several are named",
        )
        .hint("Name one at a time, or leave --if-version out."));
    }
    Ok(version)
}

/// An asset as a line of a list.
pub(super) fn row(asset: &Asset) -> Vec<String> {
    vec![
        asset.id.to_string(),
        asset.date.clone().unwrap_or_else(|| "undated".to_owned()),
        asset.kind.to_string(),
        called(asset),
        asset.place.as_ref().map_or_else(String::new, |place| {
            let was = if place.is_there { "" } else { "was in " };
            format!("{was}{}: {}", place.archive, place.path)
        }),
    ]
}

fn called(asset: &Asset) -> String {
    line(asset.title.as_deref().unwrap_or(&asset.name))
}

async fn change(
    api: &Api,
    method: Method,
    path: &str,
    version: Option<i64>,
) -> Result<Asset, Problem> {
    let version = version.map(|version| format!("\"{version}\""));
    let headers: Vec<(&str, &str)> = version
        .iter()
        .map(|version| ("if-match", version.as_str()))
        .collect();
    api.ask(method, path, &headers, None).await
}

/// What is said, a passage a line, with when and by whom.
fn spoken(transcript: &Transcript) -> String {
    let who = |passage: &Passage| match (&passage.speaker_name, passage.speaker) {
        (Some(name), _) => line(name),
        (None, Some(voice)) => format!("voice {}", voice + 1),
        (None, None) => String::new(),
    };
    let passages = transcript.passages.iter();
    let rows: Vec<_> = passages
        .map(|passage| {
            let from_to = format!("{}-{}", passage.start_ms, passage.end_ms);
            let corrected = passage.correction_id.map_or("", |_| "corrected");
            let corrected = corrected.to_owned();
            vec![from_to, who(passage), line(&passage.text), corrected]
        })
        .collect();
    let goes_on = transcript.hearing.as_ref().map(|hearing| {
        let words = match transcript.artifact_id {
            Some(_) => "It is being heard again",
            None => "It is being heard",
        };
        format!("\n{words}: {}.", so_far(hearing))
    });
    let goes_on = goes_on.unwrap_or_default();
    match rows.is_empty() {
        true if transcript.artifact_id.is_none() => goes_on.trim_start().to_owned(),
        true => format!("Nobody speaks in it.{goes_on}"),
        false => {
            let keywords = transcript.keywords.iter().map(|word| line(word));
            let about = match transcript.keywords.is_empty() {
                true => String::new(),
                false => format!("\nAbout: {}", keywords.collect::<Vec<_>>().join(", ")),
            };
            list(&rows) + &about + &goes_on
        }
    }
}

/// What is read, line by line, with where it stands and how sure that is.
fn read_lines(reading: &Reading) -> String {
    let strip = |page: &ReadPage, line: &ReadLine| {
        Strip::new(
            page.page.unwrap_or(1),
            Corners(line.corners.or(line.margin)?),
        )
        .ok()
    };
    let row = |page: &ReadPage, line_read: &ReadLine| {
        let place = match page.at {
            Some(at) => Some(stretch(at.start_ms, at.end_ms)),
            None => strip(page, line_read).map(|strip| strip.to_string()),
        };
        let sure = match line_read.correction_id {
            Some(_) => "corrected".to_owned(),
            None => format!("{:.2}", line_read.confidence),
        };
        vec![place.unwrap_or_default(), sure, line(&line_read.text)]
    };
    let pages = reading.pages.iter();
    let rows = pages.flat_map(|page| {
        let lines = page.blocks.iter().flat_map(|block| &block.lines);
        lines.map(move |line| row(page, line))
    });
    list(&rows.collect::<Vec<_>>())
}

/// Whether it was read in a film: its lines are told by when they stand there.
fn is_of_film(reading: &Reading) -> bool {
    reading.pages.iter().any(|page| page.at.is_some())
}

/// A tag, who says so, and how sure they are.
fn tag_row(tag: &Tag) -> Vec<String> {
    let percent = (tag.confidence * 100.0).round();
    let by = match (&tag.model, tag.is_denied) {
        (_, true) => "a person says that it is not so".to_owned(),
        (Some(model), _) => format!("{model}, {percent} % sure"),
        (None, _) => format!("a {}", tag.by),
    };
    vec![tag.tag.clone(), by]
}

/// Who a voice is, or may be, with what to type then, and where else it is heard.
fn describe_voice(id: AssetId, voice: &Voice) -> String {
    let who = voice
        .name
        .as_deref()
        .map(|name| format!(", {}", line(name)));
    let mut text = format!(
        "Voice {}{}: speaks {}\n",
        voice.label + 1,
        who.unwrap_or_default(),
        duration(voice.spoken_ms)
    );
    if let (Some(suggestion), Some(at)) = (&voice.suggestion, voice.at) {
        let name = line(&suggestion.name);
        let command = format!(
            "heirloom claim make {id} speaker {name:?} --at {}-{}",
            at.start_ms, at.end_ms
        );
        text += &format!(
            "  sounds like {name} ({:.2}). If so: `{command}`; if not, with --not\n",
            suggestion.likeness
        );
    }
    if voice.elsewhere_count > 0 {
        let others = number_of(voice.elsewhere_count, "other recording", "other recordings");
        text += &format!("  heard in {others}:\n");
        for other in &voice.elsewhere {
            let name = other.name.as_deref().map(line).unwrap_or_default();
            text += &format!(
                "    {}  {:.2}  {}  {name}",
                other.asset.id,
                other.likeness,
                called(&other.asset)
            );
            text = format!("{}\n", text.trim_end());
        }
        if voice.elsewhere_count > voice.elsewhere.len() as u64 {
            text += "    and more\n";
        }
    }
    text
}

/// How far something has been heard.
pub(super) fn so_far(hearing: &Hearing) -> String {
    let until = duration(hearing.until_ms);
    match hearing.duration_ms {
        Some(all) => format!("{until} of {}", duration(all)),
        None => "at its beginning".to_owned(),
    }
}

fn describe(detail: &AssetDetail) -> String {
    let asset = &detail.asset;
    let mut measures = vec![size(asset.size_bytes.unsigned_abs())];
    if let (Some(width), Some(height)) = (asset.width, asset.height) {
        measures.push(format!("{width} × {height}"));
    }
    if let Some(duration_ms) = asset.duration_ms {
        measures.push(duration(duration_ms.unsigned_abs()));
    }
    let state = match asset.deleted_at_ms {
        Some(_) => "deleted",
        None => asset.state.as_str(),
    };
    let mut text = format!("{}\n\n", called(asset));
    let head = [
        ("id", asset.id.to_string()),
        ("state", format!("{state}, version {}", asset.version)),
        ("type", format!("{} ({})", asset.kind, asset.media_type)),
        ("measures", measures.join(", ")),
        ("blake3", detail.content_hash.to_string()),
    ];
    text += &table(&head.map(|(name, value)| vec![name.to_owned(), value]));
    if !detail.facts.is_empty() {
        text += "\nWhat is known\n";
        text += &table(&fact_lines(&detail.facts));
    }
    text += "\nWhere it is, and was\n";
    for location in &detail.locations {
        let place = &location.place;
        let note = match (place.is_there, location.damaged_at_ms) {
            (false, _) => "  (gone)",
            (true, Some(_)) => "  (damaged)",
            (true, None) => "",
        };
        text += &format!(
            "  {}{note}\n",
            line(&format!("{}: {}", place.archive, place.path))
        );
    }
    for stack in &detail.stacks {
        text += &format!("\nBelongs together ({})\n", stack.kind);
        for member in &stack.asset_ids {
            let this = if *member == asset.id {
                "  (this one)"
            } else {
                ""
            };
            text += &format!("  {member}{this}\n");
        }
    }
    if !detail.sidecars.is_empty() {
        text += "\nDescribed by\n";
        for sidecar in &detail.sidecars {
            text += &format!("  {} ({})\n", line(&sidecar.path), sidecar.kind);
        }
    }
    let said: Vec<_> = detail
        .claims
        .iter()
        .filter(|claim| !matches!(claim.author, heirloom_server::wire::Author::Artifact { .. }))
        .collect();
    if !said.is_empty() {
        text += "\nWhat people said\n";
        for claim in said {
            let undone = if claim.undone_at_ms.is_some() {
                "  (taken back)"
            } else {
                ""
            };
            let not = if claim.is_negation { "not " } else { "" };
            text += &format!(
                "  {}  {} {not}{}{undone}\n",
                claim.id,
                claim.kind,
                value_text(claim)
            );
        }
    }
    text
}

fn face_line(face: &Face) -> String {
    let shares: [f64; 4] = face.area.clone().try_into().unwrap_or_default();
    let seen = faces::when(face.at_ms, &face.moments).map(|seen| seen + "; ");
    let place = seen.unwrap_or_default() + &faces::in_words(shares, face.quality);
    let whose = face.whose.as_ref();
    let name = whose.and_then(|whose| Some((whose.name.as_deref()?, whose.is_said)));
    match name {
        Some((name, true)) => format!("{}  {place}; {}", face.id, line(name)),
        Some((name, false)) => format!("{}  {place}; {}?", face.id, line(name)),
        None => format!("{}  {place}", face.id),
    }
}
