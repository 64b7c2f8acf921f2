//! What Immich knows of pictures: the dump of its database that it writes into `backups` every night.
//!
//! It is the text that `pg_dump` makes: for each table a line `COPY` with the names of the columns, then a line for each
//! row. Only the tables of originals, albums, people and tags are looked at; all others are passed by. Tables were renamed
//! in 2025, columns before and after; each is taken by any name that it had.

mod picture;

use std::{
    collections::HashMap,
    io::{self, BufRead, Read as _},
};

use serde_json::{Map, Value, json};

pub(crate) use picture::read;

/// The longest line that is looked at; what Immich computes of a face or a picture has some 10,000 characters.
const LINE_BYTES: u64 = 4 * 1024 * 1024;
/// The most rows of one dump that are kept, and the most bytes of their values.
const ROW_LIMIT: usize = 20_000_000;
const TEXT_LIMIT: usize = 2 * 1024 * 1024 * 1024;
/// The most persons and tags that are taken of one picture.
const LIST_LIMIT: usize = 500;

/// What a dump says of a library.
#[derive(Debug, Default)]
pub struct Dump {
    /// Originals, in the order of the dump.
    pub assets: Vec<DumpedAsset>,
    /// Albums that were not deleted.
    pub albums: Vec<DumpedAlbum>,
    /// Whether it ended in the middle of a table, or was too long.
    pub is_torn: bool,
}

/// An original of Immich.
#[derive(Debug)]
pub struct DumpedAsset {
    /// What Immich calls it.
    pub id: String,
    /// Where its bytes are, as Immich's container sees it.
    pub path: String,
    /// What the file was called when it came to Immich.
    pub name: String,
    /// The film of it, if it is a Live Photo.
    pub film_id: Option<String>,
    /// Whether it is nothing by itself: the film of a Live Photo.
    pub is_film_of_another: bool,
    /// Whether somebody had thrown it away.
    pub is_deleted: bool,
    /// All that is taken of it, as a document that [`read_sidecar`](crate::read_sidecar) reads.
    pub document: Vec<u8>,
}

/// An album of Immich.
#[derive(Debug)]
pub struct DumpedAlbum {
    /// What Immich calls it.
    pub id: String,
    /// Its name.
    pub title: String,
    /// What it is about.
    pub description: String,
    /// Ids of what is in it.
    pub members: Vec<String>,
}

/// Values of a row, by the names of its columns; what is null is not there.
type Row = HashMap<&'static str, String>;

/// The tables that are looked at, with the columns that are taken of each.
const TABLES: [(&str, &[&str], &[&str]); 8] = [
    (
        "asset",
        &["asset", "assets"],
        &[
            "id",
            "originalPath",
            "originalFileName",
            "localDateTime",
            "fileCreatedAt",
            "isFavorite",
            "isArchived",
            "visibility",
            "deletedAt",
            "status",
            "livePhotoVideoId",
        ],
    ),
    (
        "exif",
        &["asset_exif", "exif"],
        &[
            "assetId",
            "description",
            "latitude",
            "longitude",
            "dateTimeOriginal",
            "rating",
            "lockedProperties",
        ],
    ),
    (
        "album",
        &["album", "albums"],
        &["id", "albumName", "description", "deletedAt"],
    ),
    (
        "member",
        &["album_asset", "albums_assets_assets"],
        &["albumsId", "albumId", "assetsId", "assetId"],
    ),
    (
        "person",
        &["person", "people"],
        &["id", "personGroupId", "name"],
    ),
    (
        "face",
        &["asset_face", "asset_faces"],
        &[
            "assetId",
            "personId",
            "personGroupId",
            "deletedAt",
            "isVisible",
        ],
    ),
    ("tag", &["tag", "tags"], &["id", "value"]),
    (
        "tagged",
        &["tag_asset"],
        &["tagsId", "tagId", "assetsId", "assetId"],
    ),
];

/// Reads a dump to its end, for as long as `goes_on` says so; `None` for a text that is no dump of Immich.
///
/// # Errors
/// Those of the reader.
pub fn read_dump(dump: &mut dyn BufRead, goes_on: &dyn Fn() -> bool) -> io::Result<Option<Dump>> {
    let mut tables: HashMap<&'static str, Vec<Row>> = HashMap::new();
    let (mut rows, mut text, mut is_torn) = (0_usize, 0_usize, false);
    // The columns of the table that is being read: which are taken, in the order of the dump.
    let mut open: Option<(&'static str, Vec<Option<&'static str>>)> = None;
    let mut line = Vec::new();
    loop {
        line.clear();
        if !goes_on() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let length = dump.take(LINE_BYTES).read_until(b'\n', &mut line)?;
        if length == 0 {
            is_torn |= open.is_some();
            break;
        }
        let is_whole = line.last() == Some(&b'\n');
        while matches!(line.last(), Some(b'\n' | b'\r')) {
            line.pop();
        }
        match &open {
            None => open = table_of(&line),
            Some(_) if line == br"\." => open = None,
            Some(_) if !is_whole => {
                is_torn = true;
                break;
            }
            Some((table, columns)) => {
                let row = row_of(&line, columns);
                rows = rows.saturating_add(1);
                text = row
                    .values()
                    .map(String::len)
                    .fold(text, usize::saturating_add);
                if rows > ROW_LIMIT || text > TEXT_LIMIT {
                    is_torn = true;
                    break;
                }
                tables.entry(table).or_default().push(row);
            }
        }
    }
    // Something else than Immich may have a table of that name; only Immich's has these.
    let is_immich = tables
        .get("asset")
        .is_some_and(|rows| rows.iter().any(|row| row.contains_key("originalPath")));
    if !is_immich {
        return Ok(None);
    }
    let mut dump = put_together(tables);
    dump.is_torn = is_torn;
    Ok(Some(dump))
}

/// The table that a line begins: `COPY public.asset (id, "originalPath") FROM stdin;`. Of others nothing is taken.
fn table_of(line: &[u8]) -> Option<(&'static str, Vec<Option<&'static str>>)> {
    let line = std::str::from_utf8(line).ok()?;
    let (name, rest) = line.strip_prefix("COPY ")?.split_once(" (")?;
    let columns = rest.strip_suffix(") FROM stdin;")?;
    let name = name.strip_prefix("public.").unwrap_or(name);
    let name = name.trim_matches('"');
    let (table, _, taken) = TABLES.iter().find(|(_, names, _)| names.contains(&name))?;
    let columns = columns.split(',').map(|column| {
        let column = column.trim().trim_matches('"');
        taken.iter().find(|taken| **taken == column).copied()
    });
    Some((table, columns.collect()))
}

fn row_of(line: &[u8], columns: &[Option<&'static str>]) -> Row {
    let fields = line.split(|byte| *byte == b'\t').zip(columns);
    let taken = fields.filter_map(|(field, column)| Some(((*column)?, unescaped(field)?)));
    taken.collect()
}

/// A value as `COPY` writes it; `None` where it is null.
fn unescaped(field: &[u8]) -> Option<String> {
    if field == br"\N" {
        return None;
    }
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field.iter().copied();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        bytes.push(match rest.next()? {
            b'n' => b'\n',
            b't' => b'\t',
            b'r' => b'\r',
            b'b' => 8,
            b'f' => 12,
            b'v' => 11,
            other => other,
        });
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn put_together(mut tables: HashMap<&'static str, Vec<Row>>) -> Dump {
    let mut take = |table: &str| tables.remove(table).unwrap_or_default();
    let first = |row: &Row, names: &[&str]| names.iter().find_map(|name| row.get(name).cloned());
    let is_true = |row: &Row, name: &str| row.get(name).is_some_and(|value| value == "t");

    let mut names: HashMap<String, String> = HashMap::new();
    for row in take("person") {
        let name = row.get("name").map_or("", |name| name.trim()).to_owned();
        for id in ["id", "personGroupId"].iter().filter_map(|id| row.get(id)) {
            if !name.is_empty() {
                names.insert(id.clone(), name.clone());
            }
        }
    }
    let mut people: HashMap<String, Vec<String>> = HashMap::new();
    for row in take("face") {
        let is_visible = row.get("isVisible").is_none_or(|visible| visible == "t");
        let name = first(&row, &["personId", "personGroupId"]).and_then(|id| names.get(&id));
        if let (Some(asset), Some(name)) = (row.get("assetId"), name)
            && is_visible
            && !row.contains_key("deletedAt")
        {
            add(&mut people, asset, name);
        }
    }
    let words: HashMap<String, String> = take("tag")
        .into_iter()
        .filter_map(|mut row| Some((row.remove("id")?, row.remove("value")?)))
        .collect();
    let mut tags: HashMap<String, Vec<String>> = HashMap::new();
    for row in take("tagged") {
        let word = first(&row, &["tagsId", "tagId"]).and_then(|id| words.get(&id));
        if let (Some(asset), Some(word)) = (first(&row, &["assetsId", "assetId"]), word) {
            add(&mut tags, &asset, word);
        }
    }
    let mut exif: HashMap<String, Row> = take("exif")
        .into_iter()
        .filter_map(|row| Some((row.get("assetId")?.clone(), row)))
        .collect();
    let mut members: HashMap<String, Vec<String>> = HashMap::new();
    for row in take("member") {
        if let (Some(album), Some(asset)) = (
            first(&row, &["albumsId", "albumId"]),
            first(&row, &["assetsId", "assetId"]),
        ) {
            members.entry(album).or_default().push(asset);
        }
    }

    let rows = take("asset");
    let films: std::collections::HashSet<String> = rows
        .iter()
        .filter_map(|row| row.get("livePhotoVideoId").cloned())
        .collect();
    let mut dump = Dump::default();
    for row in rows {
        let (Some(id), Some(path)) = (row.get("id").cloned(), row.get("originalPath").cloned())
        else {
            continue;
        };
        let exif = exif.remove(&id).unwrap_or_default();
        let is_deleted = row.contains_key("deletedAt")
            || row
                .get("status")
                .is_some_and(|status| status == "trashed" || status == "deleted");
        let is_film = films.contains(&id);
        let document = document_of(
            &row,
            &exif,
            people.remove(&id).unwrap_or_default(),
            tags.remove(&id).unwrap_or_default(),
            &[
                ("isFavorite", is_true(&row, "isFavorite")),
                (
                    "isArchived",
                    is_true(&row, "isArchived")
                        || row.get("visibility").is_some_and(|it| it == "archive"),
                ),
                (
                    "isLocked",
                    row.get("visibility").is_some_and(|it| it == "locked"),
                ),
                ("isTrashed", is_deleted),
            ],
        );
        dump.assets.push(DumpedAsset {
            name: row.get("originalFileName").cloned().unwrap_or_default(),
            film_id: row.get("livePhotoVideoId").cloned(),
            is_film_of_another: is_film,
            is_deleted,
            document,
            id,
            path,
        });
    }
    for mut row in take("album") {
        if row.contains_key("deletedAt") {
            continue;
        }
        let id = row.remove("id").unwrap_or_default();
        dump.albums.push(DumpedAlbum {
            title: row
                .remove("albumName")
                .unwrap_or_default()
                .trim()
                .to_owned(),
            description: row
                .remove("description")
                .unwrap_or_default()
                .trim()
                .to_owned(),
            members: members.remove(&id).unwrap_or_default(),
            id,
        });
    }
    dump
}

fn add(lists: &mut HashMap<String, Vec<String>>, of: &str, what: &str) {
    let list = lists.entry(of.to_owned()).or_default();
    if list.len() < LIST_LIMIT && !list.iter().any(|known| known == what) {
        list.push(what.to_owned());
    }
}

/// All that is taken of an original; what is empty is left out, so that the same always makes the same bytes.
fn document_of(
    row: &Row,
    exif: &Row,
    mut people: Vec<String>,
    mut tags: Vec<String>,
    marks: &[(&str, bool)],
) -> Vec<u8> {
    people.sort();
    tags.sort();
    let mut root = Map::new();
    for (name, from) in [
        ("id", row),
        ("originalFileName", row),
        ("localDateTime", row),
        ("fileCreatedAt", row),
        ("dateTimeOriginal", exif),
        ("description", exif),
        ("latitude", exif),
        ("longitude", exif),
        ("rating", exif),
        ("lockedProperties", exif),
    ] {
        if let Some(value) = from.get(name).filter(|value| !value.is_empty()) {
            root.insert(name.to_owned(), json!(value));
        }
    }
    for (name, list) in [("people", people), ("tags", tags)] {
        if !list.is_empty() {
            root.insert(name.to_owned(), json!(list));
        }
    }
    for (name, is_set) in marks.iter().filter(|(_, is_set)| *is_set) {
        root.insert((*name).to_owned(), json!(is_set));
    }
    serde_json::to_vec_pretty(&Value::Object(root)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::property;

    const OLD: &str = r#"--
COPY public.smart_search ("assetId", embedding) FROM stdin;
a1	[0.1,0.2]
\.
COPY public.assets (id, "originalPath", "livePhotoVideoId", "isFavorite", "isArchived", "deletedAt", "originalFileName", "localDateTime", "fileCreatedAt") FROM stdin;
a1	upload/upload/u1/ab/cd/f1.heic	a2	t	f	\N	IMG_1.HEIC	2012-07-01 14:00:00+02	2012-07-01 12:00:00+02
a2	upload/upload/u1/ab/cd/f2.mov	\N	f	f	\N	IMG_1.MOV	2012-07-01 12:00:00+00	2012-07-01 12:00:00+00
a3	upload/library/anna/2012/a\tb.jpg	\N	f	t	2020-01-01 00:00:00+00	a	2012-07-01 12:00:00+00	2012-07-01 12:00:00+00
\.
COPY public.exif ("assetId", description, latitude, longitude, "dateTimeOriginal", rating) FROM stdin;
a1	Oma\nam Meer	54.5	8.25	2012-07-01 12:00:00+02	5
\.
COPY public.albums (id, "albumName", description, "deletedAt") FROM stdin;
b1	Ferien	Sylt	\N
b2	Fort		2020-01-01 00:00:00+00
\.
COPY public.albums_assets_assets ("albumsId", "assetsId", "createdAt") FROM stdin;
b1	a1	2020-01-01 00:00:00+00
\.
COPY public.person (id, name) FROM stdin;
p1	Oma
p2	
\.
COPY public.asset_faces (id, "assetId", "personId", "deletedAt") FROM stdin;
x	a1	p1	\N
y	a1	p2	\N
\.
COPY public.tags (id, value) FROM stdin;
t1	Reisen/Sylt
\.
COPY public.tag_asset ("assetsId", "tagsId") FROM stdin;
a1	t1
\.
"#;

    fn read_text(text: &str) -> Option<Dump> {
        read_dump(&mut text.as_bytes(), &|| true).unwrap()
    }

    #[test]
    fn a_dump_says_what_only_the_database_knows() {
        let dump = read_text(OLD).unwrap();
        assert!(!dump.is_torn);
        let marks: Vec<_> = dump
            .assets
            .iter()
            .map(|asset| {
                (
                    asset.name.as_str(),
                    asset.is_deleted,
                    asset.is_film_of_another,
                )
            })
            .collect();
        assert_eq!(
            marks,
            [
                ("IMG_1.HEIC", false, false),
                ("IMG_1.MOV", false, true),
                ("a", true, false)
            ]
        );
        assert_eq!(dump.assets[2].path, "upload/library/anna/2012/a\tb.jpg");
        assert_eq!(dump.assets[0].film_id.as_deref(), Some("a2"));
        let [album] = dump.albums.as_slice() else {
            panic!("{:?}", dump.albums)
        };
        assert_eq!(
            (album.title.as_str(), &album.members[..]),
            ("Ferien", &["a1".to_owned()][..])
        );
        let read = crate::read_sidecar(&dump.assets[0].document, crate::SidecarKind::Immich);
        let mut said: Vec<String> = read
            .findings
            .iter()
            .map(|found| {
                let value = found.statement.value().to_json();
                format!("{} {value}", found.statement.kind())
            })
            .collect();
        said.sort();
        assert_eq!(
            said,
            [
                r#"caption "Oma\nam Meer""#,
                r#"date "2012-07-01T12:00:00+02:00""#,
                r#"person "Oma""#,
                r#"position {"latitude":54.5,"longitude":8.25}"#,
                r#"rating 5"#,
                r#"tag "Reisen/Sylt""#,
            ]
        );
        assert_eq!(read.properties[property::FAVORITE], "true");
    }

    #[test]
    fn newer_names_are_known_too_and_a_torn_dump_says_so() {
        let renamed = OLD
            .replace("public.assets ", "public.asset ")
            .replace("public.exif ", "public.asset_exif ")
            .replace("public.albums ", "public.album ")
            .replace("albums_assets_assets", "album_asset")
            .replace("\"albumsId\", \"assetsId\"", "\"albumId\", \"assetId\"")
            .replace("asset_faces", "asset_face")
            .replace("public.tags ", "public.tag ");
        let (old, new) = (read_text(OLD).unwrap(), read_text(&renamed).unwrap());
        assert_eq!(old.assets[0].document, new.assets[0].document);
        assert_eq!(new.albums[0].members, ["a1"]);
        let torn = read_text(&OLD[..OLD.find("b2\t").unwrap()]).unwrap();
        assert!(torn.is_torn);
        assert!(read_text("COPY public.asset (id) FROM stdin;\n1\n\\.\n").is_none());
        assert!(read_text("").is_none());
    }
}
