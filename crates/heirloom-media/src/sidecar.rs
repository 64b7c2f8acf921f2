//! Sidecars: files that say something about a media file beside them.

mod takeout_name;

use std::collections::HashMap;

use heirloom_core::path::alike;
use serde::{Deserialize, Serialize};

use crate::{
    finding::Metadata, icloud, immich, notes::Notes, photoprism, sniff::extension, takeout, xmp,
};

/// What a sidecar is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SidecarKind {
    /// XMP, as Lightroom, darktable, digiKam and others write it.
    Xmp,
    /// JSON, as Google Takeout and like exporters write it.
    Takeout,
    /// Apple's list of edits (AAE); it is recognised and kept, and nothing is read from it.
    AppleEdit,
    /// YAML, as PhotoPrism writes it, in a folder of its own.
    PhotoPrism,
    /// The line of a picture in a table, as Apple hands it out.
    AppleDetails,
    /// What a dump of Immich's database says of a picture.
    Immich,
}

/// A sidecar with the media files that it is about, as places in the list of names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SidecarMatch {
    /// Which name is the sidecar.
    pub sidecar: usize,
    /// What it is.
    pub kind: SidecarKind,
    /// Which names are the media, in the order of the list; never empty.
    pub media: Vec<usize>,
}

/// Extensions of what sidecars can be about.
const MEDIA: [&str; 72] = [
    "jpg", "jpeg", "jpe", "png", "webp", "gif", "bmp", "tif", "tiff", "avif", "heic", "heif",
    "hif", "jxl", "jp2", "j2k", "psd", "svg", "mpo", "cr2", "cr3", "crw", "nef", "nrw", "arw",
    "srf", "sr2", "dng", "orf", "rw2", "raf", "pef", "srw", "x3f", "mrw", "3fr", "iiq", "dcr",
    "kdc", "erf", "mef", "rwl", "mp4", "mov", "m4v", "mkv", "webm", "avi", "3gp", "3g2", "mts",
    "m2ts", "ts", "mpg", "mpeg", "wmv", "flv", "ogv", "mp", "mv", "insp", "wav", "mp3", "flac",
    "ogg", "opus", "m4a", "amr", "wma", "aiff", "aac", "pdf",
];

/// Finds the sidecars among the names of one folder, each with the media that it is about.
///
/// A stem means the files that have it exactly so, else those that have one that is [`alike`]: a
/// program or a copy through another system may have spelled it anew. A file that looks like a sidecar but has no media file beside it is not among the matches.
#[must_use]
pub fn match_sidecars(names: &[&str]) -> Vec<SidecarMatch> {
    let media = MediaNames::of(names);
    let mut matches = Vec::new();
    let mut takeout = Vec::new();
    for (sidecar, name) in names.iter().enumerate() {
        let Some((base, extension)) = name.rsplit_once('.') else {
            continue;
        };
        match extension.to_ascii_lowercase().as_str() {
            "xmp" => {
                let media = media
                    .named(base)
                    .map_or_else(|| media.of_stem(base), |found| vec![found]);
                push(&mut matches, sidecar, SidecarKind::Xmp, media);
            }
            "aae" => {
                let media = media.of_stem(&edited_stem(base));
                push(&mut matches, sidecar, SidecarKind::AppleEdit, media);
            }
            "json" => takeout.push((sidecar, base)),
            _ => {}
        }
    }
    takeout_name::match_all(&media, &takeout, &mut matches);
    matches.sort_by_key(|found| found.sidecar);
    matches
}

fn push(matches: &mut Vec<SidecarMatch>, sidecar: usize, kind: SidecarKind, media: Vec<usize>) {
    if !media.is_empty() {
        matches.push(SidecarMatch {
            sidecar,
            kind,
            media,
        });
    }
}

/// `IMG_O0001` lists the edits of `IMG_0001`, made before those that `IMG_0001` lists.
fn edited_stem(base: &str) -> String {
    match base.split_once("_O") {
        Some((before, digits))
            if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) =>
        {
            format!("{before}_{digits}")
        }
        _ => base.to_owned(),
    }
}

/// The media among the names of a folder.
struct MediaNames<'n> {
    names: &'n [&'n str],
    /// By what the stem is alike to.
    by_stem: HashMap<String, Vec<usize>>,
}

impl<'n> MediaNames<'n> {
    fn of(names: &'n [&'n str]) -> Self {
        let mut by_stem: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, name) in names.iter().enumerate() {
            let stem = stem(name);
            if !stem.is_empty() && is_media(&extension(name)) {
                by_stem.entry(alike(stem)).or_default().push(at);
            }
        }
        Self { names, by_stem }
    }

    /// The media file of a whole name; none where several are alike and none is exactly it.
    fn named(&self, name: &str) -> Option<usize> {
        let wanted = extension(name);
        let is_exact = |at: &usize| stem(self.name(*at)) == stem(name);
        let alike = self.by_stem.get(&alike(stem(name)))?;
        let mut found = alike
            .iter()
            .filter(|at| extension(self.name(**at)) == wanted);
        match (
            found.clone().find(|at| is_exact(at)),
            found.next(),
            found.next(),
        ) {
            (Some(exact), ..) => Some(*exact),
            (None, Some(only), None) => Some(*only),
            _ => None,
        }
    }

    /// The media files of a stem.
    fn of_stem(&self, wanted: &str) -> Vec<usize> {
        let alike = self.by_stem.get(&alike(wanted));
        let alike = alike.map_or(&[][..], Vec::as_slice);
        let is_exact = |at: &&usize| stem(self.name(**at)) == wanted;
        let exact: Vec<usize> = alike.iter().filter(is_exact).copied().collect();
        if exact.is_empty() {
            alike.to_vec()
        } else {
            exact
        }
    }

    fn name(&self, at: usize) -> &'n str {
        self.names.get(at).copied().unwrap_or_default()
    }
}

/// Whether sidecars can be about what has such an extension.
fn is_media(extension: &str) -> bool {
    MEDIA.contains(&extension) || is_motion(extension)
}

/// Whether the films that Pixel telephones keep beside a picture are called so: `PXL_1.MP` and `PXL_1.MP~2`, of
/// `PXL_1.MP.jpg` and `PXL_1.MP~2.jpg`.
pub(crate) fn is_motion(extension: &str) -> bool {
    match extension.strip_prefix("mp~") {
        Some(number) => !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()),
        None => extension == "mp",
    }
}

/// A name without its extension.
fn stem(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(stem, _)| stem)
}

/// Reads a sidecar's content. The sources of its findings begin with `sidecar-xmp:`, `takeout:`,
/// `photoprism:`, `icloud:` or `immich:`.
#[must_use]
pub fn read_sidecar(bytes: &[u8], kind: SidecarKind) -> Metadata {
    let mut found = Notes::default();
    match kind {
        SidecarKind::Xmp => xmp::read_sidecar(bytes, &mut found),
        SidecarKind::Takeout => takeout::read(bytes, &mut found),
        SidecarKind::AppleEdit => {}
        SidecarKind::PhotoPrism => photoprism::read(bytes, &mut found),
        SidecarKind::AppleDetails => icloud::read(bytes, &mut found),
        SidecarKind::Immich => immich::read(bytes, &mut found),
    }
    found.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Matches as `sidecar -> media, media`.
    fn matched(names: &[&str]) -> Vec<String> {
        match_sidecars(names)
            .into_iter()
            .map(|found| {
                let media: Vec<&str> = found.media.iter().map(|at| names[*at]).collect();
                format!("{} -> {}", names[found.sidecar], media.join(", "))
            })
            .collect()
    }

    #[test]
    fn an_xmp_is_about_the_file_that_it_names_or_all_of_its_stem() {
        let names = [
            "a.JPG",
            "a.cr2",
            "a.jpg.xmp",
            "a.XMP",
            "b.xmp",
            "c.txt",
            "c.xmp",
            ".xmp",
        ];
        assert_eq!(
            matched(&names),
            ["a.jpg.xmp -> a.JPG", "a.XMP -> a.JPG, a.cr2"]
        );
    }

    #[test]
    fn a_name_that_is_spelled_anew_is_found_where_none_is_exactly_it() {
        let cases: [(&[&str], &[&str]); 6] = [
            (&["IMG_1.JPG", "img_1.xmp"], &["img_1.xmp -> IMG_1.JPG"]),
            (
                &["Müller.jpg", "Mu\u{308}ller.jpg.xmp"],
                &["Mu\u{308}ller.jpg.xmp -> Müller.jpg"],
            ),
            (
                &["IMG.jpg", "img.JPG", "img.jpg.xmp", "IMG.xmp"],
                &["img.jpg.xmp -> img.JPG", "IMG.xmp -> IMG.jpg"],
            ),
            (&["a.jpg", "A.cr2", "a.xmp"], &["a.xmp -> a.jpg"]),
            (&["IMG.jpg", "img.jpg", "Img.jpg.json"], &[]),
            (
                &["Oma.jpg", "oma-MODIFIE\u{301}.jpg", "OMA.jpg.json"],
                &["OMA.jpg.json -> Oma.jpg, oma-MODIFIE\u{301}.jpg"],
            ),
        ];
        for (names, expected) in cases {
            assert_eq!(matched(names), expected, "{names:?}");
        }
    }

    #[test]
    fn a_list_of_edits_is_about_the_original() {
        let names = [
            "IMG_0001.HEIC",
            "IMG_E0001.HEIC",
            "IMG_0001.MOV",
            "IMG_0001.AAE",
            "IMG_O0001.aae",
        ];
        assert_eq!(
            matched(&names),
            [
                "IMG_0001.AAE -> IMG_0001.HEIC, IMG_0001.MOV",
                "IMG_O0001.aae -> IMG_0001.HEIC, IMG_0001.MOV"
            ]
        );
    }

    #[test]
    fn takeout_names_its_files_in_all_these_ways() {
        let long = "a very long name of a picture of the family at";
        let (picture, json) = (format!("{long} the sea.jpg"), format!("{long}.json"));
        let cut = format!("{json} -> {picture}");
        let second = format!("{long} the sea(1).jpg");
        let (cut_json, cut_second) = (format!("{long}.json"), format!("{long}(1).json"));
        let cut_both = [
            format!("{cut_json} -> {picture}"),
            format!("{cut_second} -> {second}"),
        ];
        let cut_both: Vec<&str> = cut_both.iter().map(String::as_str).collect();
        let cases: [(&[&str], &[&str]); 19] = [
            (&[&picture, &second, &cut_json, &cut_second], &cut_both),
            (
                &[
                    "IMG(1).jpg",
                    "IMG(1)-edited.jpg",
                    "IMG-edited(1).jpg",
                    "IMG.jpg(1).json",
                ],
                &["IMG.jpg(1).json -> IMG(1).jpg, IMG-edited(1).jpg"],
            ),
            (&["a.jpg", "a.jpg.supplemental-metadata(1).json"], &[]),
            (
                &[
                    "13039_327707840323_537645323_9470255_27214_n(1).jpg",
                    "13039_327707840323_537645323_9470255_27214_n.j(1).json",
                ],
                &[
                    "13039_327707840323_537645323_9470255_27214_n.j(1).json -> 13039_327707840323_537645323_9470255_27214_n(1).jpg",
                ],
            ),
            (
                &[
                    "Backyard_ceremony_wedding_photography_xxxxxxx_m(494).jpg",
                    "Backyard_ceremony_wedding_photography_xxxxxxx_(494).json",
                ],
                &[
                    "Backyard_ceremony_wedding_photography_xxxxxxx_(494).json -> Backyard_ceremony_wedding_photography_xxxxxxx_m(494).jpg",
                ],
            ),
            // 46 as UTF-16 counts them.
            (
                &[
                    "😀😃😄😁😆😅😂🤣🥲☺️😊😇🙂🙃😉😌😍🥰😘😗😙😚😋😛.jpg",
                    "😀😃😄😁😆😅😂🤣🥲☺️😊😇🙂🙃😉😌😍🥰😘😗😙😚😋.json",
                ],
                &[
                    "😀😃😄😁😆😅😂🤣🥲☺️😊😇🙂🙃😉😌😍🥰😘😗😙😚😋.json -> 😀😃😄😁😆😅😂🤣🥲☺️😊😇🙂🙃😉😌😍🥰😘😗😙😚😋😛.jpg",
                ],
            ),
            // The film that a Pixel keeps beside a picture.
            (
                &[
                    "PXL_1.MP.jpg",
                    "PXL_1.MP",
                    "PXL_1.MP.jpg.supplemental-metadata.json",
                ],
                &["PXL_1.MP.jpg.supplemental-metadata.json -> PXL_1.MP.jpg, PXL_1.MP"],
            ),
            (
                &["PXL_2.MP~2.jpg", "PXL_2.MP~2", "PXL_2.MP~2.jpg.json"],
                &["PXL_2.MP~2.jpg.json -> PXL_2.MP~2.jpg, PXL_2.MP~2"],
            ),
            (&["IMG.jpg", "IMG.jpg.json"], &["IMG.jpg.json -> IMG.jpg"]),
            (
                &["IMG.jpg", "IMG.jpg.supplemental-metadata.json"],
                &["IMG.jpg.supplemental-metadata.json -> IMG.jpg"],
            ),
            (
                &["IMG.jpg", "IMG.jpg.supplemental-me.json"],
                &["IMG.jpg.supplemental-me.json -> IMG.jpg"],
            ),
            (
                &["IMG.jpg", "IMG.jpg.s.json"],
                &["IMG.jpg.s.json -> IMG.jpg"],
            ),
            (
                &["IMG(1).jpg", "IMG.jpg", "IMG.jpg(1).json", "IMG.jpg.json"],
                &["IMG.jpg(1).json -> IMG(1).jpg", "IMG.jpg.json -> IMG.jpg"],
            ),
            (
                &["IMG(2).jpg", "IMG.jpg.supplemental-metadata(2).json"],
                &["IMG.jpg.supplemental-metadata(2).json -> IMG(2).jpg"],
            ),
            (
                &["IMG.jpg", "IMG-edited.jpg", "IMG.jpg.json"],
                &["IMG.jpg.json -> IMG.jpg, IMG-edited.jpg"],
            ),
            (
                &[
                    "IMG.jpg",
                    "IMG-bearbeitet.jpg",
                    "IMG.jpg.supplemental-metadata.json",
                ],
                &["IMG.jpg.supplemental-metadata.json -> IMG.jpg, IMG-bearbeitet.jpg"],
            ),
            (
                &["IMG.HEIC", "IMG.MP4", "IMG.HEIC.json"],
                &["IMG.HEIC.json -> IMG.HEIC, IMG.MP4"],
            ),
            (&[&picture, &json], &[&cut]),
            (
                &[
                    "IMG.jpg",
                    "metadata.json",
                    "IMG.jpgx.json",
                    "OTHER.jpg.json",
                ],
                &[],
            ),
        ];
        for (names, expected) in cases {
            assert_eq!(matched(names), expected, "{names:?}");
        }
    }

    #[test]
    fn a_folder_of_many_files_is_matched_in_one_go() {
        let names: Vec<String> = (0..50_000)
            .flat_map(|n| [format!("IMG_{n:05}.jpg"), format!("IMG_{n:05}.jpg.json")])
            .collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let matches = match_sidecars(&names);
        assert_eq!(matches.len(), 50_000);
        assert!(
            matches
                .iter()
                .all(|found| found.media == [found.sidecar - 1])
        );
    }
}
