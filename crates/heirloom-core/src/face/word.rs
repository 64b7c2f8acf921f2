//! What people say of faces: who each shows, with whom it is put together, and which are left out.

use serde::{Deserialize, Serialize};

use super::SAME_PLACE;
use crate::{
    FaceId, Glimpse,
    claim::{Claim, ClaimKind, weigh},
};

/// Why a face is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aside {
    /// It shows somebody whom nobody in the family knows.
    Stranger,
    /// It is none.
    NoFace,
}

impl Aside {
    /// Its words, as claims have them.
    pub const WORDS: &'static [&'static str] = &["stranger", "no_face"];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stranger => "stranger",
            Self::NoFace => "no_face",
        }
    }

    /// What a word means.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Stranger, Self::NoFace]
            .into_iter()
            .find(|aside| aside.as_str() == word)
    }
}

/// All that people say of a face.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FaceWord {
    /// Who it shows.
    pub name: Option<String>,
    /// Who it does not show.
    pub not_names: Vec<String>,
    /// The group that it is put into.
    pub group: Option<FaceId>,
    /// The groups that it is kept out of.
    pub not_groups: Vec<FaceId>,
    /// Why it is left out, if it is.
    pub aside: Option<Aside>,
}

impl FaceWord {
    /// What people say of each of the faces of a picture or film, by where they are seen, from all claims about it. A claim
    /// is about the face that lies nearest to where it was made.
    #[must_use]
    pub fn list(glimpses: &[Glimpse], claims: &[Claim]) -> Vec<Self> {
        let mut own: Vec<Vec<&Claim>> = vec![Vec::new(); glimpses.len()];
        for claim in claims {
            let Some(place) = claim.subject.as_face() else {
                continue;
            };
            let overlaps = glimpses.iter().map(|it| it.overlap(place));
            let nearest = overlaps
                .enumerate()
                .max_by(|(_, a), (_, b)| a.total_cmp(b))
                .filter(|(_, overlap)| *overlap >= SAME_PLACE);
            if let Some((at, _)) = nearest {
                own[at].push(claim);
            }
        }
        own.iter().map(|claims| Self::of(claims)).collect()
    }

    /// From the claims about one face.
    fn of(claims: &[&Claim]) -> Self {
        if claims.is_empty() {
            return Self::default();
        }
        let (name, aside) = name_or_aside(claims);
        let group = believed(ClaimKind::Group, claims).and_then(Claim::text);
        Self {
            name: name.and_then(Claim::text).map(str::to_owned),
            not_names: denied(ClaimKind::Shown, claims)
                .map(str::to_owned)
                .collect(),
            group: group.and_then(|group| group.parse().ok()),
            not_groups: denied(ClaimKind::Group, claims)
                .filter_map(|group| group.parse().ok())
                .collect(),
            aside: aside.and_then(Claim::text).and_then(Aside::from_word),
        }
    }

    /// Whether it is said that the face does not show somebody of that name.
    #[must_use]
    pub fn denies(&self, name: &str) -> bool {
        let name = crate::text::fold(name);
        self.not_names
            .iter()
            .any(|it| crate::text::fold(it) == name)
    }
}

/// Who a face shows, or why it is left out: whoever names a face that was left out wants it back, and the other way round.
fn name_or_aside<'a>(claims: &[&'a Claim]) -> (Option<&'a Claim>, Option<&'a Claim>) {
    let name = believed(ClaimKind::Shown, claims);
    let aside = believed(ClaimKind::Aside, claims);
    let since = |claim: Option<&Claim>| claim.map(|claim| (claim.made_at_ms, claim.id));
    match since(aside) > since(name) {
        true => (None, aside),
        false => (name, None),
    }
}

fn believed<'a>(kind: ClaimKind, claims: &[&'a Claim]) -> Option<&'a Claim> {
    weigh(kind, claims.iter().copied())
        .believed
        .first()
        .copied()
}

/// Who is shown by any face of a picture, as far as people say so.
pub(crate) fn names_of(claims: &[Claim]) -> Vec<&Claim> {
    let mut faces: Vec<(Glimpse, Vec<&Claim>)> = Vec::new();
    for claim in claims {
        let Some(place) = claim.subject.as_face() else {
            continue;
        };
        let mut known = faces.iter_mut();
        match known.find(|(known, _)| known.overlap(place) >= SAME_PLACE) {
            Some((_, own)) => own.push(claim),
            None => faces.push((place, vec![claim])),
        }
    }
    let faces = faces.iter();
    faces.filter_map(|(_, own)| name_or_aside(own).0).collect()
}

/// What is denied of a face and was not said of it since.
fn denied<'a>(kind: ClaimKind, claims: &'a [&'a Claim]) -> impl Iterator<Item = &'a str> {
    let standing =
        move |claim: &&Claim| claim.statement.kind() == kind && claim.undone_at_ms.is_none();
    let all = claims.iter().copied();
    let denials = all.filter(standing).filter(|it| it.is_negation);
    let holds = move |denial: &&Claim| {
        let mut others = claims.iter().copied().filter(standing);
        !others.any(|other| {
            !other.is_negation
                && other.statement.value() == denial.statement.value()
                && (other.made_at_ms, other.id) > (denial.made_at_ms, denial.id)
        })
    };
    denials.filter(holds).filter_map(Claim::text)
}
