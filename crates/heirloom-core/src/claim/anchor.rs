//! Claims about a piece of an original: a stretch of a recording, a strip of a page.

use super::{Claim, ClaimKind, ClaimValue, resolve::rank};
use crate::Subject;

/// What is claimed of a piece of an original.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Anchored<'a, P> {
    /// Which piece.
    pub place: P,
    /// What holds for it. A negation says that nothing of the kind does.
    pub claim: &'a Claim,
    /// Since when something of the kind is said of it.
    pub since_ms: i64,
}

/// What holds of each piece of an original that claims of a kind are about, as `place_of` knows it: of the same piece the
/// last word. What was said last comes last.
#[must_use]
pub fn anchored<P: PartialEq>(
    kind: ClaimKind,
    claims: &[Claim],
    place_of: impl Fn(&Subject) -> Option<P>,
) -> Vec<Anchored<'_, P>> {
    let mut standing: Vec<(P, &Claim)> = claims
        .iter()
        .filter(|claim| claim.statement.kind() == kind && claim.undone_at_ms.is_none())
        .filter_map(|claim| Some((place_of(&claim.subject)?, claim)))
        .collect();
    standing.sort_by_key(|(_, claim)| rank(claim));
    let mut all: Vec<Anchored<'_, P>> = Vec::new();
    for (place, claim) in standing {
        let before = all.iter().position(|said| said.place == place);
        let before = before.map(|at| all.remove(at).since_ms);
        all.push(Anchored {
            place,
            claim,
            since_ms: before.map_or(claim.made_at_ms, |before| before.min(claim.made_at_ms)),
        });
    }
    all
}

impl Claim {
    /// The words that it states, on one line.
    #[must_use]
    pub fn words(&self) -> Option<String> {
        match self.statement.value() {
            ClaimValue::Text(text) => Some(text.split_whitespace().collect::<Vec<_>>().join(" ")),
            _ => None,
        }
    }
}
