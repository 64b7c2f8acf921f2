//! Albums as other programs describe them, each in a file of its own.

use serde_json::Value;

use crate::photoprism;

/// The longest description of an album that is read, in bytes.
const LENGTH_LIMIT: usize = 16 * 1024 * 1024;

/// An album of another program.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Album {
    /// What it is called; empty where it has no name.
    pub title: String,
    /// What it is about.
    pub description: String,
    /// What is in it, as that program names it; empty where it is the folder of the description.
    pub members: Vec<String>,
}

/// What JSON of a Takeout is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TakeoutJson {
    /// The folder that it is in is an album.
    Album(Album),
    /// A picture, that once was called so.
    Picture(String),
    /// Something else.
    Other,
}

/// Looks at JSON of a Takeout, which is named in the account's language when it is about an album.
#[must_use]
pub fn read_takeout(bytes: &[u8]) -> TakeoutJson {
    if bytes.len() > LENGTH_LIMIT {
        return TakeoutJson::Other;
    }
    let text = crate::xml::decode(bytes);
    let Ok(root) = serde_json::from_str::<Value>(&text) else {
        return TakeoutJson::Other;
    };
    // Albums were wrapped once.
    let root = root.get("albumData").unwrap_or(&root);
    let text = |name: &str| root.get(name).and_then(Value::as_str);
    let is_picture = [
        "photoTakenTime",
        "creationTime",
        "googlePhotosOrigin",
        "imageViews",
    ]
    .iter()
    .any(|name| root.get(name).is_some());
    match text("title") {
        Some(title) if is_picture => TakeoutJson::Picture(title.to_owned()),
        Some(title) => TakeoutJson::Album(Album {
            title: title.trim().to_owned(),
            description: with_enrichments(text("description").unwrap_or_default(), root),
            members: Vec::new(),
        }),
        None => TakeoutJson::Other,
    }
}

/// The description with what somebody wrote between the pictures, and the places that they put there.
fn with_enrichments(description: &str, root: &Value) -> String {
    let mut lines = vec![description.trim().to_owned()];
    let enrichments = root.get("enrichments").and_then(Value::as_array);
    for enrichment in enrichments.into_iter().flatten() {
        let written = enrichment.pointer("/narrativeEnrichment/text");
        lines.extend(written.and_then(Value::as_str).map(str::to_owned));
        let places = enrichment.pointer("/locationEnrichment/location");
        let places = places.and_then(Value::as_array);
        lines.extend(places.into_iter().flatten().map(|place| {
            let text = |name: &str| place.get(name).and_then(Value::as_str).unwrap_or_default();
            let parts = [text("name").trim(), text("description").trim()];
            let parts = parts.into_iter().filter(|part| !part.is_empty());
            parts.collect::<Vec<_>>().join(", ")
        }));
    }
    lines.retain(|line| !line.trim().is_empty());
    lines.join("\n")
}

/// Reads an album of PhotoPrism; its members are ids of pictures. `None` for what is none, or for what PhotoPrism
/// puts together by itself: months, places, moments.
#[must_use]
pub fn read_photoprism(bytes: &[u8]) -> Option<Album> {
    let root = photoprism::parse(bytes)?;
    let kind = photoprism::text(&root, "Type");
    let is_deleted = !photoprism::text(&root, "DeletedAt").is_empty();
    if !(kind.is_empty() || kind == "album") || is_deleted {
        return None;
    }
    let photos = root.get("Photos").and_then(Value::as_array);
    let photos = photos.into_iter().flatten();
    let is_there = |photo: &&Value| photo.get("Hidden").and_then(Value::as_bool) != Some(true);
    let members = photos
        .filter(is_there)
        .map(|photo| photoprism::text(photo, "UID"));
    Some(Album {
        title: photoprism::text(&root, "Title").trim().to_owned(),
        description: photoprism::text(&root, "Description").trim().to_owned(),
        members: members.filter(|id| !id.is_empty()).collect(),
    })
}

/// Whether a folder of a Takeout is what Google Photos makes of a year, and no album: `Photos from 2012`.
#[must_use]
pub fn is_year_folder(name: &str) -> bool {
    const WORDS: [&str; 22] = [
        "photos from",
        "fotos von",
        "fotos aus",
        "photos de",
        "photos du",
        "fotos de",
        "fotos del",
        "fotos desde",
        "foto da",
        "foto dal",
        "foto del",
        "foto's uit",
        "foto's van",
        "fotos från",
        "foton från",
        "bilder fra",
        "billeder fra",
        "zdjęcia z",
        "zdjęcia od",
        "fotky z",
        "фото за",
        "kuvat vuodelta",
    ];
    let name = name.trim().to_lowercase();
    let is_year = |text: &str| text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    match name.rsplit_once(' ') {
        Some((words, year)) => is_year(year) && WORDS.contains(&words.trim()),
        // 2012年の写真, 2012年的照片
        None => name.split_once('年').is_some_and(|(year, rest)| {
            is_year(year) && (rest.contains("写真") || rest.contains("照片"))
        }),
    }
}
