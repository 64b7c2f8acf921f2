//! Stacks: files of one folder that are one moment. Live Photos, RAW with its JPEG, bursts.

use std::collections::{BTreeMap, HashMap};

use heirloom_core::{MediaKind, path::alike};
use serde::{Deserialize, Serialize};

use crate::{
    edited::original_stem, file_type::FileType, property, sidecar::is_motion, sniff::extension,
};

/// Why files belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StackKind {
    /// A picture with the seconds around it.
    LivePhoto,
    /// A camera's RAW with the picture that the camera made of it.
    RawAndPicture,
    /// Pictures taken in one press of the button.
    Burst,
    /// A picture or film with the version of it that was edited, which is the one to show.
    Edited,
}

/// One file of a folder, as far as stacking needs to know it.
#[derive(Debug, Clone, Copy)]
pub struct Member<'m> {
    /// Its name in the folder.
    pub name: &'m str,
    /// What it is.
    pub file_type: FileType,
    /// Its properties, as [`Metadata`](crate::Metadata) has them.
    pub properties: &'m BTreeMap<String, String>,
}

/// Files that belong together, as places in the list of members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stack {
    /// Why.
    pub kind: StackKind,
    /// The one to show.
    pub cover: usize,
    /// All of them, the cover included, in the order of the list.
    pub members: Vec<usize>,
}

/// Finds the stacks among the files of one folder. No file is in two.
///
/// A Live Photo has the same stem, and where both halves have an identifier it decides: the same
/// joins even different names, different ones part even equal names.
#[must_use]
pub fn find_stacks(members: &[Member<'_>]) -> Vec<Stack> {
    let mut stacks = Vec::new();
    let mut is_taken = vec![false; members.len()];
    live_photos(members, &mut is_taken, &mut stacks);
    raw_and_picture(members, &mut is_taken, &mut stacks);
    bursts(members, &mut is_taken, &mut stacks);
    edited(members, &mut stacks);
    stacks.sort_by_key(|stack| stack.members.first().copied());
    stacks
}

impl Member<'_> {
    /// The name without extension, in one spelling: cameras mix `IMG_1.JPG` with `img_1.mov`.
    fn stem(&self) -> String {
        alike(
            self.name
                .rsplit_once('.')
                .map_or(self.name, |(stem, _)| stem),
        )
    }

    fn property(&self, name: &str) -> Option<&str> {
        self.properties.get(name).map(String::as_str)
    }

    /// A picture that can be looked at as it is.
    fn is_picture(&self) -> bool {
        self.file_type.kind == MediaKind::Image && !self.file_type.is_raw
    }

    /// A picture as telephones take it.
    fn is_still(&self) -> bool {
        matches!(self.file_type.name, "JPEG" | "HEIC" | "HEIF" | "AVIF")
    }
}

fn add(
    kind: StackKind,
    cover: usize,
    mut members: Vec<usize>,
    is_taken: &mut [bool],
    stacks: &mut Vec<Stack>,
) {
    members.sort_unstable();
    members.dedup();
    for member in &members {
        if let Some(is_taken) = is_taken.get_mut(*member) {
            *is_taken = true;
        }
    }
    stacks.push(Stack {
        kind,
        cover,
        members,
    });
}

fn live_photos(members: &[Member<'_>], is_taken: &mut [bool], stacks: &mut Vec<Stack>) {
    let films = |member: &Member<'_>| member.file_type.kind == MediaKind::Video;
    let mut by_id: HashMap<&str, usize> = HashMap::new();
    let mut by_stem: HashMap<String, usize> = HashMap::new();
    for (at, member) in members
        .iter()
        .enumerate()
        .filter(|(_, member)| films(member))
    {
        if let Some(id) = member.property(property::LIVE_PHOTO_ID) {
            by_id.entry(id).or_insert(at);
        }
        if matches!(member.file_type.name, "QuickTime" | "MP4") {
            by_stem.entry(member.stem()).or_insert(at);
            // `PXL_1.MP` is the film of `PXL_1.MP.jpg`.
            if is_motion(&extension(member.name)) {
                by_stem.entry(alike(member.name)).or_insert(at);
            }
        }
    }
    for (at, member) in members
        .iter()
        .enumerate()
        .filter(|(_, member)| member.is_still())
    {
        let id = member.property(property::LIVE_PHOTO_ID);
        let film = match id.and_then(|id| by_id.get(id)) {
            Some(film) => Some(*film),
            // A name alone joins only where no identifier objects.
            None => by_stem.get(&member.stem()).copied().filter(|film| {
                let other = members
                    .get(*film)
                    .and_then(|film| film.property(property::LIVE_PHOTO_ID));
                id.is_none() || other.is_none()
            }),
        };
        if let Some(film) = film.filter(|film| is_taken.get(*film) == Some(&false)) {
            add(StackKind::LivePhoto, at, vec![at, film], is_taken, stacks);
        }
    }
}

fn raw_and_picture(members: &[Member<'_>], is_taken: &mut [bool], stacks: &mut Vec<Stack>) {
    let mut pictures: HashMap<String, usize> = HashMap::new();
    for (at, member) in members
        .iter()
        .enumerate()
        .filter(|(_, member)| member.is_picture())
    {
        pictures.entry(member.stem()).or_insert(at);
    }
    let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (at, member) in members
        .iter()
        .enumerate()
        .filter(|(_, member)| member.file_type.is_raw)
    {
        if let Some(picture) = pictures.get(&member.stem()) {
            groups.entry(*picture).or_default().push(at);
        }
    }
    for (picture, raws) in groups {
        // A Live Photo that was also taken as RAW is one stack.
        if let Some(stack) = stacks
            .iter_mut()
            .find(|stack| stack.members.contains(&picture))
        {
            for raw in &raws {
                if let Some(is_taken) = is_taken.get_mut(*raw) {
                    *is_taken = true;
                }
            }
            stack.members.extend(raws);
            stack.members.sort_unstable();
            continue;
        }
        let all = raws.into_iter().chain([picture]).collect();
        add(StackKind::RawAndPicture, picture, all, is_taken, stacks);
    }
}

fn bursts(members: &[Member<'_>], is_taken: &mut [bool], stacks: &mut Vec<Stack>) {
    let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, member) in members.iter().enumerate() {
        if member.file_type.kind != MediaKind::Image || is_taken.get(at) == Some(&true) {
            continue;
        }
        let key = match member.property(property::BURST_ID) {
            Some(id) => Some(format!("id:{id}")),
            None => burst_name(&member.stem()).map(|name| format!("name:{name}")),
        };
        if let Some(key) = key {
            groups.entry(key).or_default().push(at);
        }
    }
    for group in groups.into_values().filter(|group| group.len() > 1) {
        let is_cover = |at: &&usize| {
            members.get(**at).is_some_and(|member| {
                member.property(property::BURST_COVER).is_some() || member.stem().contains("_cover")
            })
        };
        let first = group
            .iter()
            .min_by_key(|at| members.get(**at).map(|member| member.name));
        let Some(cover) = group.iter().find(is_cover).or(first).copied() else {
            continue;
        };
        add(StackKind::Burst, cover, group, is_taken, stacks);
    }
}

impl Stack {
    /// With an edited version and its original; a picture is shown in the place of what was.
    fn take_in(&mut self, version: usize, original: usize, member: &Member<'_>) {
        self.members.extend([version, original]);
        self.members.sort_unstable();
        self.members.dedup();
        if member.file_type.kind == MediaKind::Image {
            self.cover = version;
        }
    }
}

/// Puts edited versions to their originals: to the stack that one of the two is in, or into one of their own.
fn edited(members: &[Member<'_>], stacks: &mut Vec<Stack>) {
    let mut by_stem: HashMap<(String, MediaKind), Vec<usize>> = HashMap::new();
    for (at, member) in members
        .iter()
        .enumerate()
        .filter(|(_, it)| !it.file_type.is_raw)
    {
        let key = (member.stem(), member.file_type.kind);
        by_stem.entry(key).or_default().push(at);
    }
    for (version, member) in members.iter().enumerate() {
        let Some(stem) = original_stem(&member.stem()) else {
            continue;
        };
        let Some(originals) = by_stem.get(&(stem, member.file_type.kind)) else {
            continue;
        };
        let is_same_type = |at: &&usize| {
            let other = members.get(**at);
            other.is_some_and(|other| other.file_type.name == member.file_type.name)
        };
        let original = match originals.as_slice() {
            [only] => *only,
            several => match several.iter().find(is_same_type) {
                Some(original) => *original,
                None => continue,
            },
        };
        let of = |at: usize| stacks.iter().position(|stack| stack.members.contains(&at));
        match (of(version), of(original)) {
            (Some(one), Some(other)) => {
                if one != other {
                    let merged = stacks.remove(one.max(other));
                    if let Some(stack) = stacks.get_mut(one.min(other)) {
                        stack.members.extend(merged.members);
                        stack.take_in(version, original, member);
                    }
                }
            }
            (Some(at), None) | (None, Some(at)) => {
                if let Some(stack) = stacks.get_mut(at) {
                    stack.take_in(version, original, member);
                }
            }
            (None, None) => stacks.push(Stack {
                kind: StackKind::Edited,
                cover: version,
                members: vec![original.min(version), original.max(version)],
            }),
        }
    }
}

/// What the names of one burst have in common: `00000IMG_00000_BURST20170203114502_COVER`,
/// `IMG_20170203_114502_BURST001`, `20170203_114502_001` is not one.
fn burst_name(stem: &str) -> Option<String> {
    let at = stem.find("burst")?;
    let (before, after) = stem.split_at_checked(at)?;
    let digits: String = after
        .get(5..)?
        .chars()
        .take_while(char::is_ascii_digit)
        .collect();
    // A long number names the burst; a short one counts within it.
    if digits.len() >= 12 {
        Some(digits)
    } else {
        let prefix = before.trim_end_matches(['_', '-', ' ']);
        (!digits.is_empty() && !prefix.is_empty()).then(|| prefix.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stacks as `kind cover: members`, of names with properties `key=value` behind a colon.
    fn stacked(files: &[(&str, &str)]) -> Vec<String> {
        let parsed: Vec<(&str, BTreeMap<String, String>)> = files
            .iter()
            .map(|(name, properties)| {
                let properties = properties
                    .split(' ')
                    .filter_map(|pair| pair.split_once('='))
                    .map(|(key, value)| (key.to_owned(), value.to_owned()))
                    .collect();
                (*name, properties)
            })
            .collect();
        let members: Vec<Member<'_>> = parsed
            .iter()
            .map(|(name, properties)| {
                let known = match name.rsplit_once('.').unwrap().1.to_lowercase().as_str() {
                    "jpg" => "JPEG",
                    "heic" => "HEIC",
                    "mov" => "QuickTime",
                    "mp4" | "mp" => "MP4",
                    "png" => "PNG",
                    "cr2" => "Canon CR2",
                    "dng" => "DNG",
                    other => panic!("{other}"),
                };
                Member {
                    name,
                    file_type: FileType::by_name(known).unwrap(),
                    properties,
                }
            })
            .collect();
        find_stacks(&members)
            .into_iter()
            .map(|stack| {
                let names: Vec<&str> = stack.members.iter().map(|at| members[*at].name).collect();
                format!(
                    "{:?} {}: {}",
                    stack.kind,
                    members[stack.cover].name,
                    names.join(" ")
                )
            })
            .collect()
    }

    #[test]
    fn a_live_photo_is_a_picture_and_a_film_of_one_name_unless_their_identifiers_differ() {
        let files = [
            ("IMG_1.HEIC", ""),
            ("IMG_1.MOV", ""),
            ("IMG_2.JPG", "live_photo_id=A"),
            ("img_2.mov", "live_photo_id=A"),
            ("IMG_3.HEIC", "live_photo_id=A1"),
            ("IMG_3.MOV", "live_photo_id=B1"),
            ("IMG_4.HEIC", "live_photo_id=C"),
            ("renamed.MOV", "live_photo_id=C"),
            ("shot.png", ""),
            ("shot.mov", ""),
            ("PXL_5.MP.jpg", ""),
            ("PXL_5.MP", ""),
        ];
        assert_eq!(
            stacked(&files),
            [
                "LivePhoto IMG_1.HEIC: IMG_1.HEIC IMG_1.MOV",
                "LivePhoto IMG_2.JPG: IMG_2.JPG img_2.mov",
                "LivePhoto IMG_4.HEIC: IMG_4.HEIC renamed.MOV",
                "LivePhoto PXL_5.MP.jpg: PXL_5.MP.jpg PXL_5.MP",
            ]
        );
    }

    #[test]
    fn a_raw_belongs_to_the_picture_of_its_name() {
        let files = [
            ("IMG_1.CR2", ""),
            ("IMG_1.JPG", ""),
            ("IMG_2.CR2", ""),
            ("IMG_3.DNG", ""),
            ("IMG_3.HEIC", ""),
            ("IMG_3.MOV", ""),
        ];
        assert_eq!(
            stacked(&files),
            [
                "RawAndPicture IMG_1.JPG: IMG_1.CR2 IMG_1.JPG",
                "LivePhoto IMG_3.HEIC: IMG_3.DNG IMG_3.HEIC IMG_3.MOV",
            ]
        );
    }

    #[test]
    fn an_edited_version_is_shown_in_the_place_of_its_original() {
        let files = [
            ("IMG_1.JPG", ""),
            ("IMG_1-bearbeitet.jpg", ""),
            ("IMG_2.HEIC", "live_photo_id=A"),
            ("IMG_2.MOV", "live_photo_id=A"),
            ("IMG_1234.HEIC", ""),
            ("IMG_1234.MOV", ""),
            ("IMG_E1234.JPG", ""),
            ("IMG_E1235.MOV", ""),
            ("IMG_1235.MOV", ""),
            ("IMG_E9999.JPG", ""),
        ];
        assert_eq!(
            stacked(&files),
            [
                "Edited IMG_1-bearbeitet.jpg: IMG_1.JPG IMG_1-bearbeitet.jpg",
                "LivePhoto IMG_2.HEIC: IMG_2.HEIC IMG_2.MOV",
                "LivePhoto IMG_E1234.JPG: IMG_1234.HEIC IMG_1234.MOV IMG_E1234.JPG",
                "Edited IMG_E1235.MOV: IMG_E1235.MOV IMG_1235.MOV",
            ]
        );
    }

    #[test]
    fn a_burst_has_one_identifier_or_one_name_and_a_cover() {
        let files = [
            ("a.jpg", "burst_id=X"),
            ("b.jpg", "burst_id=X burst_cover=true"),
            ("c.jpg", "burst_id=Y"),
            ("00000IMG_00000_BURST20170203114502_COVER.jpg", ""),
            ("00001IMG_00001_BURST20170203114502.jpg", ""),
            ("IMG_20170203_114502_BURST001.jpg", ""),
            ("IMG_20170203_114502_BURST002.jpg", ""),
            ("IMG_20170203_114502_BURST.jpg", ""),
        ];
        assert_eq!(
            stacked(&files),
            [
                "Burst b.jpg: a.jpg b.jpg",
                "Burst 00000IMG_00000_BURST20170203114502_COVER.jpg: \
                 00000IMG_00000_BURST20170203114502_COVER.jpg 00001IMG_00001_BURST20170203114502.jpg",
                "Burst IMG_20170203_114502_BURST001.jpg: \
                 IMG_20170203_114502_BURST001.jpg IMG_20170203_114502_BURST002.jpg",
            ]
        );
    }
}
