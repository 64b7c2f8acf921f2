//! From all claims of one kind about one subject to what is believed.

use std::cmp::Reverse;

use super::{Cardinality, Claim, ClaimKind, ClaimValue, anchored};
use crate::{Edtf, Subject, SubjectKind, face::names_of, tag, text};

/// What follows from the claims of one kind about one subject.
#[derive(Debug, Clone, PartialEq)]
pub struct Resolution<'a> {
    /// The claims that are believed, the best first: at most one unless the kind is a set.
    pub believed: Vec<&'a Claim>,
    /// For a contested kind: the best claim for each value that disagrees with the believed one.
    pub disagreeing: Vec<&'a Claim>,
}

/// Weighs `claims`, all of `kind` and about one subject, in any order.
///
/// People's claims come before machines'; among people the newest comes first, among machines the
/// surest and then the newest. A person's negation takes the denied value away from every machine,
/// and from people who said so before. A machine's negation only concerns machines.
#[must_use]
pub fn resolve(kind: ClaimKind, claims: &[Claim]) -> Resolution<'_> {
    weigh(kind, claims.iter())
}

/// The same of claims that lie apart.
pub(crate) fn weigh<'a>(
    kind: ClaimKind,
    claims: impl Iterator<Item = &'a Claim>,
) -> Resolution<'a> {
    let mut standing: Vec<&Claim> = claims
        .filter(|claim| claim.statement.kind() == kind && claim.undone_at_ms.is_none())
        .collect();
    standing.sort_by_key(|claim| Reverse(rank(claim)));

    let denials: Vec<&Claim> = standing.iter().copied().filter(|c| c.is_negation).collect();
    let is_denied = |claim: &Claim| {
        denials.iter().any(|denial| {
            rank(denial) > rank(claim)
                && is_same(kind, denial.statement.value(), claim.statement.value())
        })
    };
    // The best claim of each distinct value, the best value first.
    let mut best: Vec<&Claim> = Vec::new();
    for claim in standing
        .into_iter()
        .filter(|c| !c.is_negation && !is_denied(c))
    {
        if !best
            .iter()
            .any(|kept| is_same(kind, kept.statement.value(), claim.statement.value()))
        {
            best.push(claim);
        }
    }
    match kind.cardinality() {
        Cardinality::Set => Resolution {
            believed: best,
            disagreeing: Vec::new(),
        },
        Cardinality::Single => {
            best.truncate(1);
            Resolution {
                believed: best,
                disagreeing: Vec::new(),
            }
        }
        Cardinality::Contested => {
            let mut values = best.into_iter();
            let believed: Vec<&Claim> = values.next().into_iter().collect();
            let disagreeing = values
                .filter(|claim| {
                    !believed
                        .iter()
                        .any(|b| agrees(kind, b.statement.value(), claim.statement.value()))
                })
                .collect();
            Resolution {
                believed,
                disagreeing,
            }
        }
    }
}

/// The texts of a kind that are believed of an asset, or of any piece of it, each once.
#[must_use]
pub fn believed_texts(kind: ClaimKind, claims: &[Claim]) -> Vec<&str> {
    let believed = match kind.subject_kind() {
        SubjectKind::Segment => {
            let anchored = anchored(kind, claims, Subject::as_segment).into_iter();
            let is_so = anchored.filter(|anchored| !anchored.claim.is_negation);
            is_so.map(|anchored| anchored.claim).collect()
        }
        SubjectKind::Face if kind == ClaimKind::Shown => names_of(claims),
        _ => resolve(kind, claims).believed,
    };
    let mut texts = Vec::new();
    for claim in believed {
        if let Some(text) = claim.text().filter(|text| !texts.contains(text)) {
            texts.push(text);
        }
    }
    texts
}

/// A claim's weight; the greater comes first. The id decides last, so that the order is total.
pub(super) fn rank(claim: &Claim) -> (bool, u32, i64, crate::ClaimId) {
    let is_person = claim.author.is_person();
    // Confidence in thousandths: a float has no total order, and a thousandth is finer than any
    // tool knows itself. A newer word of a person replaces an older, however sure they were then.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to 0..=1000"
    )]
    let sureness = if is_person {
        0
    } else {
        (claim.confidence.clamp(0.0, 1.0) * 1000.0).round() as u32
    };
    (is_person, sureness, claim.made_at_ms, claim.id)
}

/// Whether two values say the very same. Texts are compared as they are searched: "Strand" is "strand"; and a tag in
/// whichever language: "Hund" is "dog".
fn is_same(kind: ClaimKind, a: &ClaimValue, b: &ClaimValue) -> bool {
    match (a, b) {
        (ClaimValue::Text(a), ClaimValue::Text(b)) => {
            a == b || text::fold(a) == text::fold(b) || kind == ClaimKind::Tag && tag::is_same(a, b)
        }
        _ => a == b,
    }
}

/// Whether both can be true: an exact date within a vague one, two readings of one GPS.
fn agrees(kind: ClaimKind, a: &ClaimValue, b: &ClaimValue) -> bool {
    match (a, b) {
        (ClaimValue::Date(a), ClaimValue::Date(b)) => dates_agree(a, b),
        (
            ClaimValue::Position {
                latitude: lat_a,
                longitude: lon_a,
                ..
            },
            ClaimValue::Position {
                latitude: lat_b,
                longitude: lon_b,
                ..
            },
        ) => {
            // A hundredth of a degree is at most 1.1 km: the difference between two readings of
            // one place, not between two places.
            let across = (lon_a - lon_b).abs();
            (lat_a - lat_b).abs() <= 0.01 && across.min(360.0 - across) <= 0.01
        }
        _ => is_same(kind, a, b),
    }
}

fn dates_agree(a: &Edtf, b: &Edtf) -> bool {
    // A camera without a time zone may be up to 14 hours off from one that knows its offset, and two
    // clocks in one family are rarely closer than a minute.
    let slack_s = match (a.offset_minutes(), b.offset_minutes()) {
        (Some(_), None) | (None, Some(_)) => 14 * 3600,
        _ => 60,
    };
    let (a_from, a_until) = a.interval();
    let (b_from, b_until) = b.interval();
    let starts_in_time = |from: Option<i64>, until: Option<i64>| match (from, until) {
        (Some(from), Some(until)) => from <= until.saturating_add(slack_s),
        _ => true,
    };
    starts_in_time(a_from, b_until) && starts_in_time(b_from, a_until)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ArtifactId, AssetId, ClaimId, Subject,
        claim::{Author, Statement},
    };

    /// A claim of the operator, made at `at`.
    fn said(kind: ClaimKind, json: &str, at: i64) -> Claim {
        let n = u8::try_from(at).unwrap();
        Claim {
            id: ClaimId::from_parts(1, [n; 10]),
            subject: Subject::asset(AssetId::from_parts(1, [0; 10])),
            statement: Statement::from_json(kind, &serde_json::from_str(json).unwrap()).unwrap(),
            is_negation: false,
            author: Author::Operator,
            source: String::new(),
            confidence: 1.0,
            made_at_ms: at,
            undone_at_ms: None,
        }
    }

    /// The same, read by a machine that is `confidence` sure.
    fn read(kind: ClaimKind, json: &str, at: i64, confidence: f32) -> Claim {
        let author = Author::Artifact(ArtifactId::from_parts(1, [0; 10]));
        Claim {
            author,
            confidence,
            ..said(kind, json, at)
        }
    }

    fn not(claim: Claim) -> Claim {
        Claim {
            is_negation: true,
            ..claim
        }
    }

    fn undone(claim: Claim) -> Claim {
        Claim {
            undone_at_ms: Some(99),
            ..claim
        }
    }

    /// What it shows, kind, claims, values believed, values shown as disagreeing.
    type Case<'a> = (&'a str, ClaimKind, Vec<Claim>, Vec<&'a str>, Vec<&'a str>);

    #[test]
    fn claims_resolve_as_their_kind_says() {
        use ClaimKind::{Date, Person, Position, Tag, Title};
        let exact = r#""2003-05-01T14:00:00""#;
        let here = r#"{"latitude":52.5,"longitude":179.999}"#;
        let near = r#"{"latitude":52.501,"longitude":-179.999}"#;
        let far = r#"{"latitude":48.1,"longitude":11.5}"#;
        #[rustfmt::skip]
        let cases: Vec<Case<'_>> = vec![
            ("nothing said, nothing believed", Title, vec![], vec![], vec![]),
            ("a person outranks a surer, newer machine", Title,
                vec![said(Title, r#""Oma""#, 1), read(Title, r#""DSC_1""#, 9, 1.0)], vec![r#""Oma""#], vec![]),
            ("the newest person wins", Title,
                vec![said(Title, r#""Oma""#, 1), said(Title, r#""Anna""#, 2)], vec![r#""Anna""#], vec![]),
            ("the surest machine wins over a newer one", Title,
                vec![read(Title, r#""a""#, 1, 0.9), read(Title, r#""b""#, 2, 0.5)], vec![r#""a""#], vec![]),
            ("the newest of equally sure machines wins", Title,
                vec![read(Title, r#""a""#, 1, 0.9), read(Title, r#""b""#, 2, 0.9)], vec![r#""b""#], vec![]),
            ("undoing brings the older back", Title,
                vec![said(Title, r#""Oma""#, 1), undone(said(Title, r#""Anna""#, 2))], vec![r#""Oma""#], vec![]),
            ("a denied title leaves the next best", Title,
                vec![read(Title, r#""a""#, 1, 0.9), read(Title, r#""b""#, 2, 0.5), not(said(Title, r#""a""#, 3))],
                vec![r#""b""#], vec![]),
            ("tags stand beside each other, spelt alike they are one", Tag,
                vec![said(Tag, r#""Strand""#, 1), read(Tag, r#""strand""#, 2, 0.9), read(Tag, r#""Meer""#, 3, 0.9)],
                vec![r#""Strand""#, r#""Meer""#], vec![]),
            ("a tag is the same in every language", Tag,
                vec![said(Tag, r#""Hund""#, 1), read(Tag, r#""dog""#, 2, 0.9), read(Tag, r#""cat""#, 2, 0.8),
                    not(said(Tag, r#""Katze""#, 1)), read(Tag, r#""cat""#, 9, 1.0)], vec![r#""Hund""#], vec![]),
            ("a person's no holds against every later machine", Person,
                vec![not(said(Person, r#""Anna""#, 1)), read(Person, r#""Anna""#, 9, 1.0)], vec![], vec![]),
            ("a person may change their mind", Person,
                vec![not(said(Person, r#""Anna""#, 1)), said(Person, r#""Anna""#, 2)], vec![r#""Anna""#], vec![]),
            ("an undone no counts no more", Person,
                vec![undone(not(said(Person, r#""Anna""#, 2))), said(Person, r#""Anna""#, 1)], vec![r#""Anna""#], vec![]),
            ("a machine's no does not touch a person's word", Person,
                vec![not(read(Person, r#""Anna""#, 9, 1.0)), said(Person, r#""Anna""#, 1)], vec![r#""Anna""#], vec![]),
            ("dates that exclude each other are shown", Date,
                vec![said(Date, r#""1942~""#, 1), read(Date, r#""1950""#, 2, 0.9)], vec![r#""1942~""#], vec![r#""1950""#]),
            ("an exact date agrees with a vague one", Date,
                vec![read(Date, exact, 1, 0.9), read(Date, r#""2003""#, 2, 0.2)], vec![exact], vec![]),
            ("a clock without a zone agrees with one that has it", Date,
                vec![read(Date, exact, 1, 0.9), read(Date, r#""2003-05-01T04:00:00Z""#, 2, 0.2)], vec![exact], vec![]),
            ("two zoned clocks an hour apart do not", Date,
                vec![read(Date, r#""2003-05-01T05:00:00Z""#, 1, 0.9), read(Date, r#""2003-05-01T04:00:00Z""#, 2, 0.2)],
                vec![r#""2003-05-01T05:00:00Z""#], vec![r#""2003-05-01T04:00:00Z""#]),
            ("an open interval agrees with what it reaches", Date,
                vec![said(Date, r#""1940/..""#, 1), read(Date, r#""1950""#, 2, 0.9), read(Date, r#""1930""#, 2, 0.8)],
                vec![r#""1940/..""#], vec![r#""1930""#]),
            ("positions agree across the date line", Position,
                vec![read(Position, here, 1, 0.9), read(Position, near, 2, 0.5), read(Position, far, 2, 0.4)],
                vec![here], vec![far]),
        ];
        for (shows, kind, claims, believed, disagreeing) in cases {
            let mut orders = vec![claims.clone()];
            orders.push(claims.into_iter().rev().collect());
            for claims in orders {
                let resolution = resolve(kind, &claims);
                let values = |list: &[&Claim]| -> Vec<String> {
                    list.iter()
                        .map(|c| c.statement.value().to_json().to_string())
                        .collect()
                };
                assert_eq!(values(&resolution.believed), believed, "{shows}");
                assert_eq!(values(&resolution.disagreeing), disagreeing, "{shows}");
            }
        }
    }
}
