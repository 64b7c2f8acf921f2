//! What an asset is in an export: its record, and the files that go with it.

use std::{fs::File, io::Read as _};

use heirloom_core::{
    ContentHash,
    claim::{Claim, ClaimKind, ClaimValue, believed_texts, resolve},
    reading::Reading,
    transcript::Transcript,
};
use heirloom_db::{
    artifact::Artifact,
    asset::AssetState,
    export::{Whole, WholeSidecar},
    text::Text,
    workpiece::Workpiece,
};
use serde::Deserialize as _;
use serde_json::Value as Json;

use super::{
    Problem, ProblemCode, Why,
    format::{
        ArtifactRecord, AssetRecord, Believed, ClaimRecord, LocationRecord, ORIGINALS, PAYLOADS,
        PICTURES, SIDECARS, SidecarRecord, TEXTS,
    },
    html::{Card, is_shown},
    name::{Names, path_of},
    xmp::{self, Described},
};
use crate::{
    Context,
    archive::path_of as folder_of,
    open::{OpenError, open_original},
    original::Root,
    tool::{playback::PROXY, reading::READING, rendition, text::TEXT, transcript},
};

/// An asset on its way into an export.
pub(super) struct Gathered {
    pub(super) record: AssetRecord,
    /// Its place in the timeline.
    pub(super) key: i64,
    /// Whether it is shown on pages.
    pub(super) is_listed: bool,
    pub(super) original: Original,
    /// What another copy of it is found by.
    pub(super) asset: Workpiece,
    pub(super) xmp: String,
    /// Files whose bytes are known by their hash.
    pub(super) files: Vec<Beside>,
    /// Texts as they are read.
    pub(super) texts: Vec<(String, String)>,
    pub(super) card: Card,
    pub(super) problems: Vec<Problem>,
}

/// The bytes of an asset.
pub(super) enum Original {
    /// They can be copied to this path.
    Here {
        path: String,
        file: File,
        modified_at_ns: i64,
    },
    /// They cannot be had now: what an earlier export has at this path stays.
    Away {
        path: String,
        why: Why,
        is_archived: bool,
    },
    /// Nobody wants them.
    Unwanted,
}

/// A file that goes with an asset.
pub(super) struct Beside {
    pub(super) path: String,
    pub(super) hash: ContentHash,
    pub(super) size_bytes: u64,
    pub(super) modified_at_ns: i64,
    /// Or why it cannot be had now: what an earlier export has of it stays.
    pub(super) file: Result<File, Why>,
    pub(super) what: What,
}

/// What to leave out of the record when the file cannot be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// The sidecar of that number.
    Sidecar(usize),
    /// The payload of the artifact of that number.
    Payload(usize),
    /// Something to look at.
    Picture,
}

/// Gathers an asset. `audience` is that of the whole family.
pub(super) async fn gather(
    ctx: &Context,
    names: &mut Names,
    whole: Whole,
    family_audience: heirloom_core::AudienceId,
) -> Result<Gathered, heirloom_db::DbError> {
    let described = described(&whole);
    let record = record_of(&whole, family_audience);
    let wanted = wanted_path(&whole);
    let mut gathered = Gathered {
        key: whole.asset.timeline_key,
        is_listed: whole.asset.deleted_at_ms.is_none() && whole.asset.state != AssetState::Replaced,
        original: Original::Unwanted,
        asset: (&whole.asset).into(),
        xmp: xmp::render(&described),
        files: Vec::new(),
        texts: Vec::new(),
        card: card_of(&whole, &described),
        problems: Vec::new(),
        record,
    };
    gathered.find_original(ctx, names, &whole, &wanted).await;
    gathered.find_sidecars(ctx, names, &whole.sidecars).await;
    gathered.find_payloads(ctx, names, &whole, &wanted).await;
    if gathered.is_listed {
        let artifacts = ctx.db.list_artifacts(&whole.asset).await?;
        gathered.find_pictures(ctx, &artifacts).await;
    }
    Ok(gathered)
}

impl Gathered {
    fn problem(&mut self, why: impl Into<Why>) {
        self.problems.push(Problem {
            asset_id: Some(self.record.id),
            name: self.record.name.clone(),
            why: why.into(),
        });
    }

    async fn find_original(
        &mut self,
        ctx: &Context,
        names: &mut Names,
        whole: &Whole,
        wanted: &str,
    ) {
        if whole.asset.state == AssetState::Replaced {
            return;
        }
        // Its name is taken even if it cannot be had now, so that a later run finds the others where they are.
        let path = names.take(wanted);
        self.original = match open_original(ctx, &(&whole.asset).into(), false).await {
            Ok(original) => {
                let live = whole.places.iter().find(|place| place.gone_at_ms.is_none());
                Original::Here {
                    path,
                    file: original.file,
                    modified_at_ns: live.map_or(0, |place| place.modified_at_ns),
                }
            }
            Err(error) => Original::Away {
                path,
                is_archived: matches!(error, OpenError::Archived { .. }),
                why: match whole.asset.state {
                    AssetState::Missing => {
                        Why::new(ProblemCode::Gone, "it is at none of its places any more")
                    }
                    _ => error.into(),
                },
            },
        };
    }

    async fn find_sidecars(&mut self, ctx: &Context, names: &mut Names, sidecars: &[WholeSidecar]) {
        for (number, sidecar) in sidecars.iter().enumerate() {
            let path = names.take(&path_of(SIDECARS, &sidecar.archive, &sidecar.path));
            let opened = open_sidecar(ctx, sidecar).await;
            self.files.push(Beside {
                path,
                hash: sidecar.content_hash,
                size_bytes: sidecar.size_bytes.unsigned_abs(),
                modified_at_ns: sidecar.modified_at_ns,
                file: opened.map_err(|error| Why {
                    path: Some(sidecar.path.clone()),
                    what: format!("its sidecar {:?}: {error}", sidecar.path),
                    code: ProblemCode::Unreadable,
                }),
                what: What::Sidecar(number),
            });
        }
    }

    /// What tools read of it, where that lies in blobs; and texts as they are read.
    async fn find_payloads(
        &mut self,
        ctx: &Context,
        names: &mut Names,
        whole: &Whole,
        wanted: &str,
    ) {
        let claims = claims_of(whole);
        for (number, artifact) in whole.artifacts.iter().enumerate() {
            let mut payload = artifact.payload.clone();
            if let Some(hash) = artifact.blob_hash {
                let id = artifact.id.to_string();
                let path = format!("{PAYLOADS}/{}/{id}.json", &id[id.len() - 2..]);
                match open_blob(ctx, path, hash, What::Payload(number)).await {
                    Ok(mut beside) => {
                        if let Ok(file) = &mut beside.file {
                            payload = payload.or_else(|| read_json(file));
                        }
                        self.files.push(beside);
                    }
                    Err(error) => {
                        let what = format!("what was read of it: {error}");
                        self.problem(Why::new(ProblemCode::Unreadable, what));
                    }
                }
            }
            let Some(payload) = payload else { continue };
            let heard = heard_of(&artifact.kind, &payload).map(|heard| heard.corrected(&claims));
            let read = (artifact.kind == READING).then(|| Reading::deserialize(&payload).ok());
            let read = read.flatten().map(|read| read.corrected(&claims));
            let text = match (&heard, read) {
                (Some(heard), _) => Some(heard.to_text()),
                (None, Some(read)) => Some(read.to_text()),
                (None, None) => text_of(&artifact.kind, &payload).map(|text| text.words),
            };
            let (text, captions) = self.add_texts(names, wanted, text, heard.as_ref());
            self.record.artifacts[number].text_path = text;
            self.record.artifacts[number].captions_path = captions;
        }
        // What people wrote down where nobody heard or read anything.
        let is_there = |kind: &str| whole.artifacts.iter().any(|artifact| artifact.kind == kind);
        if !is_there(transcript::TRANSCRIPT) {
            let heard = Transcript::default().corrected(&claims);
            self.add_texts(names, wanted, Some(heard.to_text()), Some(&heard));
        }
        if !is_there(READING) {
            let read = Reading::default().corrected(&claims);
            self.add_texts(names, wanted, Some(read.to_text()), None);
        }
    }

    /// Adds a text, with captions of what is said, unless nothing stands in it; where they are.
    fn add_texts(
        &mut self,
        names: &mut Names,
        wanted: &str,
        text: Option<String>,
        heard: Option<&Transcript>,
    ) -> (Option<String>, Option<String>) {
        let Some(text) = text.filter(|text| !text.trim().is_empty()) else {
            return (None, None);
        };
        let base = wanted.strip_prefix(ORIGINALS).unwrap_or(wanted);
        let path = names.take(&format!("{TEXTS}{base}.txt"));
        self.card.text = Some(path.clone());
        self.texts.push((path.clone(), text));
        let captions = heard.map(|heard| {
            let path = names.take(&format!("{TEXTS}{base}.vtt"));
            self.texts.push((path.clone(), heard.to_vtt()));
            path
        });
        (Some(path), captions)
    }

    /// Something small to look at, and what browsers show in the place of what they do not.
    async fn find_pictures(&mut self, ctx: &Context, artifacts: &[Artifact]) {
        let newest = |kind: &str| {
            let of = |part: &str| {
                let mut found = artifacts.iter().rev();
                found.find(|it| it.kind == kind && it.part == part && it.blob_hash.is_some())
            };
            of("").or_else(|| of("1"))
        };
        let stem = self.record.blake3.to_string();
        let path_of = |artifact: &Artifact, what: &str| {
            let about = artifact.payload.as_ref().unwrap_or(&Json::Null);
            let ending = match about["media_type"].as_str().unwrap_or_default() {
                "image/webp" => "webp",
                "image/png" => "png",
                "video/mp4" => "mp4",
                "audio/mp4" => "m4a",
                _ => "jpg",
            };
            format!("{PICTURES}/{}/{}-{what}.{ending}", &stem[..2], &stem[..32])
        };
        if let Some(grid) = newest(rendition::GRID) {
            let about = grid.payload.as_ref().unwrap_or(&Json::Null);
            self.card.size = about["width"].as_i64().zip(about["height"].as_i64());
            let path = path_of(grid, "small");
            self.card.picture = self.add_picture(ctx, grid, path).await;
        }
        let shown = newest(PROXY).or_else(|| {
            let is_shown = is_shown(&self.record.media_type);
            let pictures = || newest(rendition::FULL).or_else(|| newest(rendition::SCREEN));
            pictures().filter(|_| !is_shown && self.record.kind == "image")
        });
        if let Some(shown) = shown {
            let path = path_of(shown, "shown");
            self.card.shown = self.add_picture(ctx, shown, path).await;
        }
    }

    async fn add_picture(
        &mut self,
        ctx: &Context,
        artifact: &Artifact,
        path: String,
    ) -> Option<String> {
        let hash = artifact.blob_hash?;
        // What is drawn can be drawn again: where it cannot be had, nothing is lost.
        let beside = open_blob(ctx, path, hash, What::Picture).await.ok()?;
        let path = beside.path.clone();
        self.files.push(beside);
        Some(path)
    }
}

/// Where an original goes: its own path in a folder archive; year and month for one of a vault.
fn wanted_path(whole: &Whole) -> String {
    let here = whole.places.iter().find(|place| place.gone_at_ms.is_none());
    let Some(place) = here.or(whole.places.last()) else {
        return path_of(ORIGINALS, "", &whole.asset.name);
    };
    if !place.is_vault {
        return path_of(ORIGINALS, &place.archive, &place.path);
    }
    let name = place.path.rsplit('/').next().unwrap_or(&place.path);
    let date = whole.asset.date.as_deref().unwrap_or_default();
    let digits = |from: usize, to: usize| {
        let part = date.get(from..to)?;
        part.bytes()
            .all(|byte| byte.is_ascii_digit())
            .then_some(part)
    };
    let folder = match (digits(0, 4), digits(5, 7)) {
        (Some(year), Some(month)) => format!("{year}/{month}/"),
        (Some(year), None) => format!("{year}/"),
        (None, _) => String::new(),
    };
    path_of(ORIGINALS, &place.archive, &format!("{folder}{name}"))
}

async fn open_sidecar(ctx: &Context, sidecar: &WholeSidecar) -> std::io::Result<File> {
    let Some(root) = sidecar.root.as_deref() else {
        let opened = ctx.blobs.open_file(sidecar.content_hash).await;
        return opened.map_err(std::io::Error::other);
    };
    let root = folder_of(root).ok_or(std::io::ErrorKind::InvalidInput)?;
    let (folder, name) = sidecar.parts();
    let (file, _) = Root::open(&root)?.open_folder(folder)?.open_file(name)?;
    Ok(file)
}

async fn open_blob(
    ctx: &Context,
    path: String,
    hash: ContentHash,
    what: What,
) -> std::io::Result<Beside> {
    let file = ctx
        .blobs
        .open_file(hash)
        .await
        .map_err(std::io::Error::other)?;
    Ok(Beside {
        path,
        hash,
        size_bytes: file.metadata()?.len(),
        modified_at_ns: 0,
        file: Ok(file),
        what,
    })
}

fn read_json(file: &mut File) -> Option<Json> {
    use std::io::{Seek as _, SeekFrom};
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).ok()?;
    file.seek(SeekFrom::Start(0)).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// The words of a text, page by page, or of what is said, with when; `None` of anything else.
pub(crate) fn text_of(kind: &str, json: &Json) -> Option<Text> {
    match kind {
        TEXT => Some(Text::written(words_of(json))),
        READING => Reading::deserialize(json)
            .ok()
            .filter(|reading| !reading.is_empty())
            .map(|reading| Text::read(&reading)),
        _ => heard_of(kind, json).map(|heard| Text::spoken(&heard)),
    }
}

/// What is said, of a transcript.
fn heard_of(kind: &str, json: &Json) -> Option<Transcript> {
    let is_transcript = kind == transcript::TRANSCRIPT;
    is_transcript.then(|| Transcript::deserialize(json).ok())?
}

fn words_of(json: &Json) -> String {
    let pages = json["pages"].as_array().map_or(&[][..], Vec::as_slice);
    let texts: Vec<&str> = pages
        .iter()
        .filter_map(|page| page["text"].as_str())
        .collect();
    texts.join("\n\n") + "\n"
}

fn claims_of(whole: &Whole) -> Vec<Claim> {
    let claims = whole.claims.iter();
    claims.map(|whole| whole.claim.clone()).collect()
}

fn described(whole: &Whole) -> Described {
    let claims = claims_of(whole);
    let values = |kind| {
        let believed = resolve(kind, &claims).believed;
        let values = believed.iter().map(|claim| claim.statement.value().clone());
        values.collect::<Vec<_>>()
    };
    let texts = |kind| -> Vec<String> {
        let texts = believed_texts(kind, &claims).into_iter();
        texts.map(str::to_owned).collect()
    };
    let mut persons = texts(ClaimKind::Person);
    for name in texts(ClaimKind::Speaker)
        .into_iter()
        .chain(texts(ClaimKind::Shown))
    {
        if !persons.contains(&name) {
            persons.push(name);
        }
    }
    let mut described = Described {
        title: texts(ClaimKind::Title).into_iter().next(),
        caption: texts(ClaimKind::Caption).into_iter().next(),
        place: texts(ClaimKind::Place).into_iter().next(),
        persons,
        tags: texts(ClaimKind::Tag),
        authors: texts(ClaimKind::Author),
        ..Described::default()
    };
    if let Some(ClaimValue::Date(date)) = values(ClaimKind::Date).first() {
        described.date = Some(*date);
    }
    if let Some(ClaimValue::Number(rating)) = values(ClaimKind::Rating).first() {
        described.rating = Some(*rating);
    }
    if let Some(ClaimValue::Position {
        latitude,
        longitude,
        altitude_m,
    }) = values(ClaimKind::Position).first()
    {
        described.position = Some((*latitude, *longitude, *altitude_m));
    }
    described
}

fn card_of(whole: &Whole, described: &Described) -> Card {
    let here = whole.places.iter().find(|place| place.gone_at_ms.is_none());
    let was = here.or(whole.places.last());
    Card {
        id: whole.asset.id,
        path: None,
        name: whole.asset.name.clone(),
        media_type: whole.asset.media_type.clone(),
        kind: whole.asset.kind.as_str().to_owned(),
        title: described.title.clone(),
        date: described
            .date
            .map(|date| date.to_string().replace('T', " ")),
        caption: described.caption.clone(),
        place: described.place.clone(),
        persons: described.persons.clone(),
        tags: described.tags.clone(),
        authors: described.authors.clone(),
        picture: None,
        size: None,
        shown: None,
        text: None,
        was: was.map(|place| format!("{}/{}", place.archive, place.path)),
    }
}

const fn archive_kind(is_vault: bool) -> &'static str {
    if is_vault { "vault" } else { "folder" }
}

fn record_of(whole: &Whole, family_audience: heirloom_core::AudienceId) -> AssetRecord {
    let asset = &whole.asset;
    let position = asset.position;
    #[expect(clippy::cast_precision_loss, reason = "at most 1.8 thousand million")]
    let degrees = |e7: i64| e7 as f64 / 1e7;
    AssetRecord {
        id: asset.id,
        path: None,
        blake3: asset.content_hash,
        sha512: None,
        size_bytes: asset.size_bytes,
        kind: asset.kind.as_str().to_owned(),
        media_type: asset.media_type.clone(),
        state: asset.state.as_str().to_owned(),
        name: asset.name.clone(),
        audience_id: Some(asset.audience_id).filter(|id| *id != family_audience),
        replaces_asset_id: asset.replaces_asset_id,
        width: asset.width,
        height: asset.height,
        duration_ms: asset.duration_ms,
        added_at_ms: asset.added_at_ms,
        deleted_at_ms: asset.deleted_at_ms,
        believed: Believed {
            date: asset.date.clone(),
            title: asset.title.clone(),
            latitude: position.map(|position| degrees(position.latitude_e7)),
            longitude: position.map(|position| degrees(position.longitude_e7)),
            place: asset.placed.as_ref().map(|placed| placed.name.clone()),
        },
        locations: whole.places.iter().map(location_of).collect(),
        sidecars: whole.sidecars.iter().map(sidecar_of).collect(),
        artifacts: whole.artifacts.iter().map(artifact_of).collect(),
        claims: whole
            .claims
            .iter()
            .map(|whole| ClaimRecord {
                claim: whole.claim.clone(),
                carried_from_id: whole.carried_from,
                batch_id: whole.batch,
            })
            .collect(),
    }
}

fn location_of(place: &heirloom_db::export::Place) -> LocationRecord {
    LocationRecord {
        id: place.id,
        archive: place.archive.clone(),
        archive_kind: archive_kind(place.is_vault).to_owned(),
        archive_path: place.path.clone(),
        size_bytes: place.size_bytes,
        modified_at_ns: place.modified_at_ns,
        found_at_ms: place.found_at_ms,
        damaged_at_ms: place.damaged_at_ms,
        gone_at_ms: place.gone_at_ms,
    }
}

fn sidecar_of(sidecar: &WholeSidecar) -> SidecarRecord {
    SidecarRecord {
        id: sidecar.id,
        path: None,
        blake3: sidecar.content_hash,
        size_bytes: sidecar.size_bytes,
        kind: sidecar.kind.clone(),
        archive: sidecar.archive.clone(),
        archive_kind: archive_kind(sidecar.is_vault).to_owned(),
        archive_path: sidecar.path.clone(),
        modified_at_ns: sidecar.modified_at_ns,
        found_at_ms: sidecar.found_at_ms,
    }
}

fn artifact_of(artifact: &Artifact) -> ArtifactRecord {
    ArtifactRecord {
        id: artifact.id,
        kind: artifact.kind.clone(),
        part: artifact.part.clone(),
        tool: artifact.tool.clone(),
        tool_version: artifact.tool_version,
        model: artifact.model.clone(),
        parameters: artifact.parameters.clone(),
        inputs: artifact.inputs.clone(),
        is_deterministic: artifact.is_deterministic,
        made_at_ms: artifact.made_at_ms,
        payload: artifact.payload.clone(),
        payload_path: None,
        payload_blake3: None,
        text_path: None,
        captions_path: None,
    }
}
