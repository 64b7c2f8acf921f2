//! Which files are originals, what describes each, and which albums there are: by names and by what describes many.

use std::collections::{BTreeMap, HashMap, HashSet};

use heirloom_core::path::{alike, join};
use heirloom_media::{
    SidecarKind,
    album::{Album, TakeoutJson, is_year_folder},
    match_sidecars,
};

use tokio_util::sync::CancellationToken;

use super::{
    ImportError, ImportNote, NoteCode, Source, immich,
    layout::{Role, Standing, is_google_photos, standing},
    survey::{Note, Survey},
};

/// What describes an original.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Describing {
    /// The file at this place among the entries.
    File(usize),
    /// The excerpt at this place among the excerpts.
    Excerpt(usize),
}

/// What of a table is about one original.
#[derive(Debug)]
pub(super) struct Excerpt {
    /// The table, among the entries.
    pub(super) table: usize,
    /// A path of its own, beside the original.
    pub(super) path: String,
    pub(super) bytes: Vec<u8>,
}

/// What is in an album.
#[derive(Debug)]
pub(super) enum Members {
    /// Originals, by their places among the entries.
    Originals(Vec<usize>),
    /// What the program calls them.
    Names(Vec<String>),
}

/// An album that is to be a collection.
#[derive(Debug)]
pub(super) struct PlannedAlbum {
    /// What it is known by when the same is imported again.
    pub(super) key: String,
    pub(super) title: String,
    pub(super) description: String,
    pub(super) members: Members,
}

/// What is to be done.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) source: Source,
    pub(super) survey: Survey,
    /// Of each entry.
    pub(super) standing: Vec<Standing>,
    /// Places of originals among the entries.
    pub(super) originals: Vec<usize>,
    /// What describes something, with its kind.
    pub(super) sidecars: BTreeMap<Describing, SidecarKind>,
    pub(super) excerpts: Vec<Excerpt>,
    /// What describes each original.
    pub(super) described: HashMap<usize, Vec<Describing>>,
    pub(super) albums: Vec<PlannedAlbum>,
    /// Pictures with their films, where the program says so.
    pub(super) live_photos: Vec<(usize, usize)>,
    /// What is left out, and what lacks something.
    pub(super) told: Vec<ImportNote>,
    /// Files that describe nothing that is here.
    pub(super) alone: u64,
    /// Originals that nothing describes, where the program describes each.
    pub(super) undescribed: u64,
    /// Files that are left out.
    pub(super) left_out: u64,
}

/// Folders in which Google Photos keeps what was thrown away, with a description as if they were albums.
const TRASH: [&str; 8] = [
    "trash",
    "bin",
    "papierkorb",
    "corbeille",
    "papelera",
    "cestino",
    "prullenbak",
    "lixeira",
];

impl Plan {
    pub(super) fn of(
        source: Source,
        mut survey: Survey,
        stop: &CancellationToken,
    ) -> Result<Self, ImportError> {
        let dump = match source {
            Source::Immich => Some(immich::find_dump(&mut survey, stop)?),
            _ => None,
        };
        let standing: Vec<Standing> = survey
            .entries
            .iter()
            .map(|entry| {
                let part = survey.parts.get(entry.part);
                let root = part.and_then(|part| part.root());
                standing(source, entry.part, root, &entry.path)
            })
            .collect();
        let mut plan = Self {
            source,
            survey,
            standing,
            originals: Vec::new(),
            sidecars: BTreeMap::new(),
            excerpts: Vec::new(),
            described: HashMap::new(),
            albums: Vec::new(),
            live_photos: Vec::new(),
            told: Vec::new(),
            alone: 0,
            undescribed: 0,
            left_out: 0,
        };
        let folders = plan.sort();
        for (folder, (originals, candidates)) in &folders {
            plan.match_folder(folder, originals, candidates);
        }
        plan.originals.sort_unstable();
        plan.read_tables();
        if let Some(dump) = dump {
            immich::describe(&mut plan, dump);
        }
        plan.tell_undescribed();
        for folder in &plan.survey.passed_over {
            plan.left_out += 1;
            plan.told
                .push(ImportNote::new(NoteCode::PassedOver, folder));
        }
        Ok(plan)
    }

    /// Originals and what may describe them, by folder.
    fn sort(&mut self) -> BTreeMap<String, (Vec<usize>, Vec<usize>)> {
        let mut folders: BTreeMap<String, (Vec<usize>, Vec<usize>)> = BTreeMap::new();
        let has_products = self.source == Source::Takeout
            && self
                .standing
                .iter()
                .any(|standing| is_google_photos(&standing.folder));
        for (place, standing) in self.standing.iter().enumerate() {
            let role = match standing.role {
                Role::Original | Role::Sidecar
                    if has_products && !is_google_photos(&standing.folder) =>
                {
                    Role::LeftOut(NoteCode::OtherProduct)
                }
                role => role,
            };
            match role {
                Role::Original => folders
                    .entry(standing.folder.clone())
                    .or_default()
                    .0
                    .push(place),
                Role::Sidecar => folders
                    .entry(standing.folder.clone())
                    .or_default()
                    .1
                    .push(place),
                Role::LeftOut(why) => {
                    self.left_out += 1;
                    self.told.push(ImportNote::new(why, &standing.path));
                }
                Role::Made => self.left_out += 1,
                Role::Album => {}
            }
        }
        folders
    }

    fn match_folder(&mut self, folder: &str, originals: &[usize], candidates: &[usize]) {
        let name = |place: &usize| {
            self.standing
                .get(*place)
                .map_or("", |standing| standing.name.as_str())
        };
        // The same name can come in several parts.
        let mut by_name: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for place in originals.iter().chain(candidates) {
            by_name.entry(name(place)).or_default().push(*place);
        }
        let names: Vec<&str> = by_name.keys().copied().collect();
        let is_candidate: HashSet<usize> = candidates.iter().copied().collect();
        let mut pairs: Vec<(usize, SidecarKind, usize)> = Vec::new();
        let at = |index: usize| {
            names
                .get(index)
                .and_then(|name| by_name.get(name))
                .map_or(&[][..], Vec::as_slice)
        };
        for found in match_sidecars(&names) {
            for sidecar in at(found.sidecar)
                .iter()
                .filter(|place| is_candidate.contains(*place))
            {
                for media in found.media.iter().flat_map(|media| at(*media)) {
                    if !is_candidate.contains(media) {
                        pairs.push((*sidecar, found.kind, *media));
                    }
                }
            }
        }
        if self.source == Source::PhotoPrism {
            for sidecar in candidates {
                let Some((stem, extension)) = name(sidecar).rsplit_once('.') else {
                    continue;
                };
                if !matches!(extension, "yml" | "yaml") {
                    continue;
                }
                let described = originals
                    .iter()
                    .filter(|place| is_of_stem(name(place), stem));
                pairs.extend(described.map(|place| (*sidecar, SidecarKind::PhotoPrism, *place)));
            }
        }
        if self.source == Source::Takeout {
            let matched: HashSet<usize> = pairs.iter().map(|(sidecar, ..)| *sidecar).collect();
            let described: HashSet<usize> = pairs.iter().map(|(.., media)| *media).collect();
            for sidecar in candidates.iter().filter(|place| !matched.contains(*place)) {
                if let Some(Note::Takeout(TakeoutJson::Picture(title))) =
                    self.survey.notes.get(sidecar)
                {
                    // What the name does not say, the title may.
                    let wanted = alike(title);
                    let mut free = originals.iter().filter(|place| {
                        !described.contains(*place) && alike(name(place)) == wanted
                    });
                    if let (Some(only), None) = (free.next(), free.next()) {
                        pairs.push((*sidecar, SidecarKind::Takeout, *only));
                    }
                }
            }
        }
        let mut matched = HashSet::new();
        for (sidecar, kind, media) in pairs {
            matched.insert(sidecar);
            self.sidecars.insert(Describing::File(sidecar), kind);
            let described = self.described.entry(media).or_default();
            if !described.contains(&Describing::File(sidecar)) {
                described.push(Describing::File(sidecar));
            }
        }
        self.originals.extend(originals);
        for sidecar in candidates.iter().filter(|place| !matched.contains(*place)) {
            self.settle_unmatched(*sidecar, folder, originals);
        }
    }

    /// What looks as if it described something, and does not.
    fn settle_unmatched(&mut self, place: usize, folder: &str, originals: &[usize]) {
        let path = self
            .standing
            .get(place)
            .map_or_else(String::new, |standing| standing.path.clone());
        match (self.source, self.survey.notes.remove(&place)) {
            (Source::Folder | Source::Export, _) => self.originals.push(place),
            (Source::Takeout, Some(Note::Takeout(TakeoutJson::Album(album)))) => {
                self.add_folder_album(folder, album, originals);
            }
            (Source::Takeout, Some(Note::Takeout(TakeoutJson::Other))) => {
                self.left_out += 1;
                self.told
                    .push(ImportNote::new(NoteCode::DescribesNothing, path));
            }
            _ => {
                self.alone += 1;
                self.told
                    .push(ImportNote::new(NoteCode::DescribedAbsent, path));
            }
        }
    }

    fn add_folder_album(&mut self, folder: &str, album: Album, originals: &[usize]) {
        let last = folder.rsplit('/').next().unwrap_or_default();
        let is_trash = TRASH.contains(&last.to_lowercase().as_str());
        if is_trash || is_year_folder(&album.title) || is_year_folder(last) {
            return;
        }
        let title = if album.title.is_empty() {
            last.to_owned()
        } else {
            album.title
        };
        if self.albums.iter().any(|known| known.key == folder) {
            return;
        }
        self.albums.push(PlannedAlbum {
            key: folder.to_owned(),
            title,
            description: album.description,
            members: Members::Originals(originals.to_vec()),
        });
    }

    /// Reads what describes many and lies in files of its own.
    fn read_tables(&mut self) {
        let mut by_name: HashMap<String, Vec<usize>> = HashMap::new();
        for place in &self.originals {
            if let Some(standing) = self.standing.get(*place) {
                by_name
                    .entry(standing.name.clone())
                    .or_default()
                    .push(*place);
            }
        }
        let tables: Vec<usize> = (0..self.standing.len())
            .filter(|place| {
                self.standing
                    .get(*place)
                    .is_some_and(|standing| standing.role == Role::Album)
            })
            .collect();
        for place in tables {
            let Some(standing) = self.standing.get(place).cloned() else {
                continue;
            };
            let title = standing
                .name
                .rsplit_once('.')
                .map_or("", |(stem, _)| stem)
                .to_owned();
            match self.survey.notes.remove(&place) {
                Some(Note::Details(details)) => {
                    let rows = details
                        .into_iter()
                        .map(|details| (details.name, details.excerpt));
                    self.add_details(place, &standing, rows.collect(), &by_name);
                }
                Some(Note::Names(names)) => {
                    self.add_named_album(place, title, &names, &by_name);
                }
                Some(Note::Album(Some(album))) => self.albums.push(PlannedAlbum {
                    key: standing.name.clone(),
                    title: if album.title.is_empty() {
                        title
                    } else {
                        album.title
                    },
                    description: album.description,
                    members: Members::Names(album.members),
                }),
                // Months, places and moments follow from what is known anyway.
                Some(Note::Album(None)) => self.left_out += 1,
                _ => self
                    .told
                    .push(ImportNote::new(NoteCode::UnreadableAlbum, standing.path)),
            }
        }
    }

    fn add_details(
        &mut self,
        table: usize,
        standing: &Standing,
        rows: Vec<(String, Vec<u8>)>,
        by_name: &HashMap<String, Vec<usize>>,
    ) {
        let folder = standing
            .path
            .rsplit_once('/')
            .map_or("", |(folder, _)| folder);
        for (name, bytes) in rows {
            let all = by_name.get(&name).map_or(&[][..], Vec::as_slice);
            let beside: Vec<usize> = all
                .iter()
                .copied()
                .filter(|place| {
                    self.standing
                        .get(*place)
                        .is_some_and(|of| of.folder == standing.folder)
                })
                .collect();
            let described = match (beside.as_slice(), all) {
                ([], [only]) => vec![*only],
                ([], _) => {
                    self.alone += 1;
                    self.told
                        .push(ImportNote::new(NoteCode::TabledAbsent, join(folder, &name)));
                    continue;
                }
                (beside, _) => beside.to_vec(),
            };
            let number = self.excerpts.len();
            let path = join(folder, &format!("{name}.csv"));
            self.excerpts.push(Excerpt { table, path, bytes });
            self.sidecars
                .insert(Describing::Excerpt(number), SidecarKind::AppleDetails);
            for place in described {
                self.described
                    .entry(place)
                    .or_default()
                    .push(Describing::Excerpt(number));
            }
        }
    }

    fn add_named_album(
        &mut self,
        table: usize,
        title: String,
        names: &[String],
        by_name: &HashMap<String, Vec<usize>>,
    ) {
        let part = self.survey.entries.get(table).map(|entry| entry.part);
        let mut members = Vec::new();
        for name in names {
            let all = by_name.get(name).map_or(&[][..], Vec::as_slice);
            let of_part: Vec<usize> = all
                .iter()
                .copied()
                .filter(|place| self.survey.entries.get(*place).map(|entry| entry.part) == part)
                .collect();
            match (of_part.as_slice(), all) {
                ([only], _) | ([], [only]) => members.push(*only),
                ([], []) => {
                    let code = NoteCode::MemberAbsent;
                    self.told.push(ImportNote::of_album(code, name, &title));
                }
                _ => {
                    let code = NoteCode::MemberAmbiguous;
                    self.told.push(ImportNote::of_album(code, name, &title));
                }
            }
        }
        match self.albums.iter_mut().find(|album| album.key == title) {
            Some(PlannedAlbum {
                members: Members::Originals(known),
                ..
            }) => known.extend(members),
            _ => self.albums.push(PlannedAlbum {
                key: title.clone(),
                title,
                description: String::new(),
                members: Members::Originals(members),
            }),
        }
    }

    /// Names the originals that nothing describes, where the program describes each.
    fn tell_undescribed(&mut self) {
        let describes_each = match self.source {
            Source::Takeout | Source::PhotoPrism => true,
            Source::Apple | Source::Immich => !self.excerpts.is_empty(),
            _ => false,
        };
        if !describes_each {
            return;
        }
        // A copy in an album is described where the original is.
        let like = |place: &usize| {
            let name = self
                .standing
                .get(*place)
                .map(|standing| standing.name.as_str());
            Some((name?, self.survey.entries.get(*place)?.size_bytes))
        };
        let described: HashSet<(&str, u64)> = self.described.keys().filter_map(like).collect();
        let is_alone = |place: &&usize| like(place).is_some_and(|like| !described.contains(&like));
        let alone = self.originals.iter().filter(is_alone);
        let paths: Vec<String> = alone
            .filter_map(|place| Some(self.standing.get(*place)?.path.clone()))
            .collect();
        self.undescribed = paths.len() as u64;
        let told = paths
            .into_iter()
            .map(|path| ImportNote::new(NoteCode::Undescribed, path));
        self.told.extend(told);
    }
}

/// Whether PhotoPrism counts a file to the picture of a stem: `a.jpg`, `a.raw.jpg`, `a (2).jpg` of `a`.
fn is_of_stem(name: &str, stem: &str) -> bool {
    let Some(rest) = name.strip_prefix(stem) else {
        return false;
    };
    let rest = match rest
        .strip_prefix(" (")
        .and_then(|rest| rest.split_once(')'))
    {
        Some((number, rest)) if number.bytes().all(|byte| byte.is_ascii_digit()) => rest,
        _ => rest,
    };
    rest.starts_with('.')
}
