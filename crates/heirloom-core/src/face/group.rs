//! Which faces are one person's: as machines gather them, and as people say it is.
//!
//! People's word comes first. What they say is never changed here: groups are labels of faces, and who a group shows follows
//! from what is said of its faces.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{Aside, CLEAR, FaceWord, Faceprint, SAME_FACE};
use crate::{AssetId, FaceId, text};

/// A face as it is known before it is told whose it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Gathered {
    /// Its id.
    pub id: FaceId,
    /// The picture or film that it is in.
    pub asset: AssetId,
    /// When it is seen in a film; empty for a picture.
    pub moments: Vec<u64>,
    /// The group that a machine put it into; `None` for a new one.
    pub group: Option<FaceId>,
    /// How well it is seen.
    pub quality: f32,
    /// What people say of it.
    pub word: FaceWord,
}

/// Whose a face is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whose {
    /// The group that it is in: its own id for a face that is in none.
    pub group: FaceId,
    /// Who it shows.
    pub name: Option<String>,
    /// Why it is left out.
    pub aside: Option<Aside>,
    /// Whether people say so of this face; else they say it of others of its group.
    pub is_said: bool,
}

/// A picture, or a film at a moment.
type Picture = (AssetId, Option<u64>);

/// Two faces of one picture are of two people, unless they are so alike: in a mirror, or the same picture twice.
const MIRRORED: f32 = 0.7;

/// Whose each face is, in the order of the faces. What people say of some faces of a group is taken to hold for others of
/// it, unless it is denied of them.
#[must_use]
pub fn whose(faces: &[Gathered]) -> Vec<Whose> {
    let groups: Vec<FaceId> = faces.iter().map(group_of).collect();
    let mut said: HashMap<FaceId, Names<'_>> = HashMap::new();
    let mut strangers: HashSet<FaceId> = HashSet::new();
    for (face, group) in faces.iter().zip(&groups) {
        if let Some(name) = &face.word.name {
            let names = said.entry(*group).or_default();
            *names.entry((text::fold(name), name)).or_default() += 1;
        } else if face.word.aside == Some(Aside::Stranger) {
            strangers.insert(*group);
        }
    }
    let told = faces.iter().zip(groups).map(|(face, group)| {
        let FaceWord { name, aside, .. } = &face.word;
        let is_said = name.is_some() || aside.is_some();
        let names = said.get(&group).filter(|_| !is_said);
        let guess = names.and_then(|names| most_said(names, &face.word));
        let is_stranger = !is_said && names.is_none() && strangers.contains(&group);
        Whose {
            group,
            name: name.clone().or(guess),
            aside: aside.or(is_stranger.then_some(Aside::Stranger)),
            is_said,
        }
    });
    told.collect()
}

/// How often each name is said, by how it is looked for and how it is written.
type Names<'a> = BTreeMap<(String, &'a str), usize>;

/// The name that is said most often and not denied.
fn most_said(names: &Names<'_>, word: &FaceWord) -> Option<String> {
    let possible = names.iter().filter(|((_, name), _)| !word.denies(name));
    // Of several that are said as often, the first in the alphabet.
    let most = possible.rev().max_by_key(|(_, count)| **count);
    most.map(|((_, name), _)| (*name).to_owned())
}

impl Gathered {
    /// The pictures that it is seen in.
    fn pictures(&self) -> impl Iterator<Item = Picture> {
        let picture = self.moments.is_empty().then_some((self.asset, None));
        let moments = self.moments.iter();
        picture
            .into_iter()
            .chain(moments.map(|at_ms| (self.asset, Some(*at_ms))))
    }
}

/// The group that a face is in, by people's word or a machine's.
fn group_of(face: &Gathered) -> FaceId {
    let by_machine = face.group.filter(|it| !face.word.not_groups.contains(it));
    face.word.group.or(by_machine).unwrap_or(face.id)
}

/// Faces that are taken for one person's.
#[derive(Debug, Default)]
struct Cluster {
    /// The group that whoever joins it is put into.
    group: Option<FaceId>,
    groups: HashSet<FaceId>,
    name: Option<String>,
    not_names: HashSet<String>,
    not_groups: HashSet<FaceId>,
    pictures: HashSet<Picture>,
    /// The faces that a machine may put elsewhere.
    members: Vec<FaceId>,
    model: String,
    /// The sum of their directions, and how many these are.
    sum: Vec<f32>,
    count: f32,
    has_changed: bool,
}

/// Puts new faces into groups: each into the one whose faces it is most like on average, if that is enough, else into a
/// group of its own. Groups are joined when their faces agree on average, and never against people's word. Gives the faces
/// whose group is another one now, with that. `print` gives what tells a face from others.
#[must_use]
pub fn gather<'a>(
    faces: &[Gathered],
    print: impl Fn(FaceId) -> Option<&'a Faceprint>,
) -> BTreeMap<FaceId, FaceId> {
    let mut clusters: Vec<Cluster> = Vec::new();
    let mut by_key: HashMap<(String, String), usize> = HashMap::new();
    for (face, whose) in faces.iter().zip(whose(faces)) {
        let is_known = face.group.is_some() || face.word != FaceWord::default();
        let is_none = whose.aside == Some(Aside::NoFace);
        let Some(print) = print(face.id).filter(|_| is_known && !is_none) else {
            continue;
        };
        if face.quality < CLEAR && !whose.is_said {
            continue;
        }
        let name = whose.name.as_deref().map(text::fold);
        let key = name.clone().unwrap_or_else(|| format!("\0{}", whose.group));
        let at = *by_key.entry((print.model.clone(), key)).or_insert_with(|| {
            clusters.push(Cluster::of(&print.model));
            clusters.len() - 1
        });
        clusters[at].name = name;
        clusters[at].add(face, whose.group, &print.direction());
    }
    let mut changed = BTreeMap::new();
    let mut new: Vec<&Gathered> = faces.iter().filter(|face| face.group.is_none()).collect();
    // Those that are seen best begin groups.
    new.sort_by(|a, b| b.quality.total_cmp(&a.quality).then(a.id.cmp(&b.id)));
    for face in new {
        let is_said = face.word != FaceWord::default();
        if let Some(group) = face.word.group {
            changed.insert(face.id, group);
            continue;
        }
        let clear = print(face.id).filter(|_| face.quality >= CLEAR && !is_said);
        let Some(print) = clear else {
            changed.insert(face.id, face.id);
            continue;
        };
        let direction = print.direction();
        let best = clusters
            .iter()
            .enumerate()
            .filter(|(_, cluster)| cluster.model == print.model && cluster.may_have(face))
            .map(|(at, cluster)| (at, cluster.likeness(&direction)))
            .filter(|(at, likeness)| {
                let is_twice = clusters[*at].has_one_of(face);
                *likeness >= if is_twice { MIRRORED } else { SAME_FACE }
            })
            .max_by(|(_, a), (_, b)| a.total_cmp(b));
        let at = best.map_or_else(
            || {
                clusters.push(Cluster::of(&print.model));
                clusters.len() - 1
            },
            |(at, _)| at,
        );
        let group = clusters[at].group.unwrap_or(face.id);
        clusters[at].add(face, group, &direction);
        clusters[at].has_changed = true;
        changed.insert(face.id, group);
    }
    join(clusters.into_iter().map(Some).collect(), &mut changed);
    changed
}

/// Joins groups to which faces came with those that they agree with most, on average.
fn join(mut clusters: Vec<Option<Cluster>>, changed: &mut BTreeMap<FaceId, FaceId>) {
    let has_changed = |at: &usize| clusters[*at].as_ref().is_some_and(|it| it.has_changed);
    let mut queue: Vec<usize> = (0..clusters.len()).filter(has_changed).collect();
    while let Some(at) = queue.pop() {
        let Some(own) = clusters[at].take() else {
            continue;
        };
        let likeness = |other: &Cluster| other.likeness(&own.sum) / own.count;
        let others = clusters.iter().enumerate();
        let others = others.filter_map(|(other, cluster)| Some((other, cluster.as_ref()?)));
        let best = others
            .filter(|(_, other)| own.model == other.model && own.may_join(other))
            .map(|(other, cluster)| (other, likeness(cluster)))
            .filter(|(_, likeness)| *likeness >= SAME_FACE)
            .max_by(|(_, a), (_, b)| a.total_cmp(b));
        let Some(other) = best.and_then(|(other, _)| clusters[other].take()) else {
            clusters[at] = Some(own);
            continue;
        };
        // Who has a name stays; else whose group is older.
        let is_first = (own.name.is_none(), own.group) < (other.name.is_none(), other.group);
        let (mut stays, goes) = if is_first { (own, other) } else { (other, own) };
        if let Some(group) = stays.group {
            changed.extend(goes.members.iter().map(|face| (*face, group)));
        }
        stays.take(goes);
        clusters[at] = Some(stays);
        queue.push(at);
    }
}

impl Cluster {
    fn of(model: &str) -> Self {
        Self {
            model: model.to_owned(),
            ..Self::default()
        }
    }

    fn add(&mut self, face: &Gathered, group: FaceId, direction: &[f32]) {
        self.group = Some(self.group.map_or(group, |own| own.min(group)));
        self.groups.insert(group);
        self.pictures.extend(face.pictures());
        self.not_names
            .extend(face.word.not_names.iter().map(|name| text::fold(name)));
        self.not_groups.extend(&face.word.not_groups);
        if face.word == FaceWord::default() {
            self.members.push(face.id);
        }
        if self.sum.is_empty() {
            self.sum = vec![0.0; direction.len()];
        }
        for (sum, number) in self.sum.iter_mut().zip(direction) {
            *sum += number;
        }
        self.count += 1.0;
    }

    /// How like its faces are a direction, on average.
    fn likeness(&self, direction: &[f32]) -> f32 {
        let both = self.sum.iter().zip(direction);
        both.map(|(a, b)| a * b).sum::<f32>() / self.count
    }

    /// Whether a face of it is in the same picture as another one.
    fn has_one_of(&self, face: &Gathered) -> bool {
        face.pictures()
            .any(|picture| self.pictures.contains(&picture))
    }

    fn may_have(&self, face: &Gathered) -> bool {
        let denies = self
            .name
            .as_ref()
            .is_some_and(|name| face.word.denies(name));
        !denies
            && !face
                .word
                .not_groups
                .iter()
                .any(|it| self.groups.contains(it))
    }

    fn may_join(&self, other: &Self) -> bool {
        let denies = |a: &Self, b: &Self| {
            b.name
                .as_ref()
                .is_some_and(|name| a.not_names.contains(name))
                || a.not_groups.iter().any(|it| b.groups.contains(it))
        };
        let have_names = self.name.is_some() && other.name.is_some();
        !have_names
            && !denies(self, other)
            && !denies(other, self)
            && self.pictures.is_disjoint(&other.pictures)
    }

    fn take(&mut self, other: Self) {
        self.groups.extend(other.groups);
        self.not_names.extend(other.not_names);
        self.not_groups.extend(other.not_groups);
        self.pictures.extend(other.pictures);
        self.members.extend(other.members);
        for (sum, number) in self.sum.iter_mut().zip(other.sum) {
            *sum += number;
        }
        self.count += other.count;
        self.has_changed = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u8) -> FaceId {
        FaceId::from_parts(u64::from(n), [n; 10])
    }

    /// A face in a picture of its own.
    fn face(n: u8, word: FaceWord) -> Gathered {
        Gathered {
            id: id(n),
            asset: AssetId::from_parts(1, [n; 10]),
            moments: Vec::new(),
            group: None,
            quality: 0.9 - f32::from(n) / 100.0,
            word,
        }
    }

    fn named(name: &str) -> FaceWord {
        FaceWord {
            name: Some(name.to_owned()),
            ..FaceWord::default()
        }
    }

    /// Groups of faces that look in these directions.
    fn gathered(faces: &mut [Gathered], looks: &[[f32; 3]]) -> Vec<FaceId> {
        let prints: HashMap<FaceId, Faceprint> = faces
            .iter()
            .zip(looks)
            .map(|(face, look)| (face.id, Faceprint::of("m", look)))
            .collect();
        let changed = gather(faces, |face| prints.get(&face));
        for face in faces.iter_mut() {
            face.group = changed.get(&face.id).copied().or(face.group);
        }
        whose(faces).into_iter().map(|whose| whose.group).collect()
    }

    const ANNA: [f32; 3] = [1.0, 0.0, 0.0];
    /// No more like her than another picture is like both.
    const SISTER: [f32; 3] = [0.2, 0.98, 0.0];
    const BETWEEN: [f32; 3] = [0.8, 0.6, 0.0];
    /// Alike enough, and not as in a mirror.
    const AGAIN: [f32; 3] = [0.6, 0.8, 0.0];
    const EMIL: [f32; 3] = [0.0, 0.0, 1.0];

    fn plain(n: u8) -> Gathered {
        face(n, FaceWord::default())
    }

    #[test]
    fn faces_that_are_alike_are_one_group_and_keep_it() {
        let mut faces = vec![plain(1), plain(2), plain(3)];
        let groups = gathered(&mut faces, &[ANNA, EMIL, BETWEEN]);
        assert_eq!(groups, [id(1), id(2), id(1)]);
        faces.push(plain(4));
        let again = gathered(&mut faces, &[ANNA, EMIL, BETWEEN, EMIL]);
        assert_eq!(again, [id(1), id(2), id(1), id(2)]);
    }

    #[test]
    fn sisters_stay_apart_though_a_picture_lies_between_them() {
        let mut faces = vec![plain(1), plain(2), plain(3), plain(4), plain(5)];
        let groups = gathered(&mut faces, &[ANNA, SISTER, ANNA, SISTER, BETWEEN]);
        assert_eq!(groups[0], groups[2]);
        assert_eq!(groups[1], groups[3]);
        assert_ne!(groups[0], groups[1]);
    }

    #[test]
    fn a_group_that_grew_is_joined_with_what_it_agrees_with_by_now() {
        let mut faces = vec![plain(1), plain(2)];
        assert_eq!(gathered(&mut faces, &[ANNA, SISTER]), [id(1), id(2)]);
        let between = (3..8).map(plain);
        faces.extend(between);
        let looks = [&[ANNA, SISTER][..], &[BETWEEN; 5]].concat();
        assert_eq!(gathered(&mut faces, &looks), [id(1); 7]);
    }

    #[test]
    fn two_faces_of_one_picture_are_of_two_people() {
        let mut faces = vec![plain(1), plain(2)];
        faces[1].asset = faces[0].asset;
        assert_eq!(gathered(&mut faces, &[ANNA, AGAIN]), [id(1), id(2)]);
        // In a mirror.
        let mut faces = vec![plain(1), plain(2)];
        faces[1].asset = faces[0].asset;
        assert_eq!(gathered(&mut faces, &[ANNA, ANNA]), [id(1), id(1)]);
    }

    #[test]
    fn two_faces_of_a_film_are_of_two_people_where_they_are_seen_at_once() {
        for (moments, group) in [([2_000, 4_000], id(2)), ([6_000, 8_000], id(1))] {
            let mut faces = vec![plain(1), plain(2)];
            faces[1].asset = faces[0].asset;
            faces[0].moments = vec![0, 2_000];
            faces[1].moments = moments.to_vec();
            assert_eq!(gathered(&mut faces, &[ANNA, AGAIN]), [id(1), group]);
        }
    }

    #[test]
    fn what_people_say_of_some_is_taken_to_hold_for_the_others() {
        let mut faces = vec![face(1, named("Anna")), plain(2), face(3, named("anna"))];
        faces[0].word.group = Some(id(9));
        faces[2].word.group = Some(id(9));
        gathered(&mut faces, &[ANNA, BETWEEN, ANNA]);
        let told = whose(&faces);
        assert_eq!((told[1].group, told[1].is_said), (id(9), false));
        assert_eq!(told[1].name.as_deref(), Some("Anna"));
        faces[1].word.not_names = vec!["ANNA".to_owned()];
        let told = whose(&faces);
        assert_eq!(told[1].name, None);
    }

    #[test]
    fn nobody_is_put_against_peoples_word() {
        let kept_out = FaceWord {
            not_names: vec!["Anna".to_owned()],
            ..FaceWord::default()
        };
        let mut faces = vec![face(1, named("Anna")), face(2, kept_out), plain(3)];
        let groups = gathered(&mut faces, &[ANNA, BETWEEN, EMIL]);
        assert_ne!(groups[0], groups[1]);
        // Two that are called otherwise are never joined, however alike.
        let mut faces = vec![face(1, named("Anna")), face(2, named("Ida")), plain(3)];
        gathered(&mut faces, &[ANNA, ANNA, BETWEEN]);
        let told = whose(&faces);
        assert_ne!(told[0].group, told[1].group);
        let apart = FaceWord {
            not_groups: vec![id(1)],
            group: Some(id(2)),
            ..FaceWord::default()
        };
        let mut faces = vec![plain(1), face(2, apart), plain(3)];
        faces[0].group = Some(id(1));
        let groups = gathered(&mut faces, &[ANNA, ANNA, ANNA]);
        assert_ne!(groups[0], groups[1]);
    }

    #[test]
    fn whoever_is_like_a_stranger_is_left_out_as_well() {
        let stranger = FaceWord {
            aside: Some(Aside::Stranger),
            ..FaceWord::default()
        };
        let mut faces = vec![plain(1), plain(2)];
        gathered(&mut faces, &[ANNA, BETWEEN]);
        faces[0].word = stranger;
        let told = whose(&faces);
        assert_eq!(told[1].aside, Some(Aside::Stranger));
        // What is no face says nothing of others.
        faces[0].word.aside = Some(Aside::NoFace);
        assert_eq!(whose(&faces)[1].aside, None);
    }
}
