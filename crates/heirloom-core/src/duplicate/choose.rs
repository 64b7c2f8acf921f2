//! Which picture of a group to keep, and why.

use serde::{Deserialize, Serialize};

use super::{Likeness, Quality};
use crate::AssetId;

/// What is known of a picture that may be kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Contender {
    /// The picture.
    pub id: AssetId,
    /// How many pixels it has.
    pub pixels: u64,
    /// How many bytes.
    pub size_bytes: u64,
    /// Whether a camera stands in it, and it is as it came from there as far as anybody knows.
    pub is_from_camera: bool,
    /// Whether it says when it was taken.
    pub is_dated: bool,
    /// Whether it says where.
    pub is_placed: bool,
    /// How good it is, where that was measured.
    pub quality: Option<Quality>,
    /// How people rate it: -1 rejected, 0 not at all, 1 to 5 stars.
    pub rating: i64,
    /// Whether the camera, or whoever held it, chose it to stand for its burst.
    pub is_cover: bool,
}

/// Why a picture is the one to keep: what it has over others of its group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// People like it more.
    Liked,
    /// It was chosen to stand for its burst when that was taken.
    Cover,
    /// It has more pixels.
    Largest,
    /// It is as the camera made it; others have lost what that says.
    FromCamera,
    /// It is sharper.
    Sharpest,
    /// Less of it is nothing but white or black.
    BestExposed,
    /// It is packed less, so that less was lost.
    LeastPacked,
    /// It says when it was taken.
    Dated,
    /// It says where it was taken.
    Placed,
    /// Nothing speaks for another, and it was there first.
    First,
}

impl Reason {
    /// What is asked one after the other until one is left: of copies what is most like what the camera made, of a burst
    /// what was chosen then, or is best to look at. How many bytes one of a burst has says how much there is to see in it, and
    /// not how little it was packed.
    const fn order(why: Likeness) -> &'static [Self] {
        match why {
            Likeness::Burst => &[
                Self::Liked,
                Self::Cover,
                Self::Sharpest,
                Self::BestExposed,
                Self::Largest,
                Self::Dated,
                Self::Placed,
            ],
            Likeness::Copies | Likeness::Exact | Likeness::Near => &[
                Self::Liked,
                Self::Largest,
                Self::FromCamera,
                Self::BestExposed,
                Self::Sharpest,
                Self::LeastPacked,
                Self::Dated,
                Self::Placed,
            ],
        }
    }

    /// Every one of them.
    pub const ALL: [Self; 10] = [
        Self::Liked,
        Self::Cover,
        Self::Largest,
        Self::FromCamera,
        Self::Sharpest,
        Self::BestExposed,
        Self::LeastPacked,
        Self::Dated,
        Self::Placed,
        Self::First,
    ];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Liked => "liked",
            Self::Cover => "cover",
            Self::Largest => "largest",
            Self::FromCamera => "from_camera",
            Self::Sharpest => "sharpest",
            Self::BestExposed => "best_exposed",
            Self::LeastPacked => "least_packed",
            Self::Dated => "dated",
            Self::Placed => "placed",
            Self::First => "first",
        }
    }

    /// How much a picture has of it, and which share of the most is as good as the most. What was not measured of all is
    /// no reason.
    fn weigh(self, one: &Contender) -> Option<(f64, f64)> {
        let flag = |is_so: bool| (f64::from(u8::from(is_so)), 1.0);
        #[expect(
            clippy::cast_precision_loss,
            reason = "of sizes, a share of which is as good"
        )]
        Some(match self {
            Self::Liked => (one.rating as f64 + 1.0, 1.0),
            Self::Cover => flag(one.is_cover),
            Self::Largest => (one.pixels as f64, 0.97),
            Self::FromCamera => flag(one.is_from_camera),
            Self::Sharpest => (f64::from(one.quality?.sharpness), 0.9),
            Self::BestExposed => (1.0 - f64::from(one.quality?.clipped), 0.97),
            Self::LeastPacked => (one.size_bytes as f64, 0.9),
            Self::Dated => flag(one.is_dated),
            Self::Placed => flag(one.is_placed),
            Self::First => flag(true),
        })
    }
}

/// Which of these to keep, and what speaks for it: each reason leaves some of them, until one is left. `None` of none.
#[must_use]
pub fn choose(why: Likeness, all: &[Contender]) -> Option<(AssetId, Vec<Reason>)> {
    let mut left: Vec<&Contender> = all.iter().collect();
    left.sort_by_key(|one| one.id);
    let mut reasons = Vec::new();
    for reason in Reason::order(why) {
        let weights: Option<Vec<_>> = left.iter().map(|one| reason.weigh(one)).collect();
        let Some(weights) = weights.filter(|_| left.len() > 1) else {
            continue;
        };
        let most = weights
            .iter()
            .map(|(weight, _)| *weight)
            .fold(0.0, f64::max);
        let before = left.len();
        let mut weights = weights.into_iter();
        left.retain(|_| {
            let weight = weights.next();
            weight.is_some_and(|(weight, share)| weight >= most * share)
        });
        if left.len() < before {
            reasons.push(*reason);
        }
    }
    if left.len() > 1 {
        reasons.push(Reason::First);
    }
    Some((left.first()?.id, reasons))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u8) -> AssetId {
        AssetId::from_parts(u64::from(n), [n; 10])
    }

    fn one(n: u8) -> Contender {
        Contender {
            id: id(n),
            pixels: 12_000_000,
            size_bytes: 4_000_000,
            is_from_camera: true,
            is_dated: true,
            is_placed: true,
            quality: Some(Quality {
                sharpness: 0.5,
                clipped: 0.01,
            }),
            rating: 0,
            is_cover: false,
        }
    }

    fn quality(sharpness: f32, clipped: f32) -> Option<Quality> {
        Some(Quality { sharpness, clipped })
    }

    /// What it shows, why they are together, the pictures, and which is kept for what.
    type Case<'a> = (&'a str, Likeness, Vec<Contender>, u8, &'a [Reason]);

    #[test]
    fn one_is_kept_for_what_it_has_over_the_others() {
        use Likeness::{Burst, Exact, Near};
        use Reason::{
            BestExposed, Cover, Dated, First, FromCamera, Largest, LeastPacked, Liked, Placed,
            Sharpest,
        };
        #[rustfmt::skip]
        let cases: Vec<Case<'_>> = vec![
            ("nothing speaks for either", Exact, vec![one(2), one(1)], 1, &[First]),
            ("the whole one before the small one", Near,
                vec![Contender { pixels: 500_000, ..one(1) }, one(2)], 2, &[Largest]),
            ("a few pixels make no difference", Near,
                vec![Contender { pixels: 11_900_000, ..one(1) }, one(2)], 1, &[First]),
            ("what the camera made before what a messenger made of it", Near,
                vec![Contender { is_from_camera: false, ..one(1) }, one(2)], 2, &[FromCamera]),
            ("less packed", Near, vec![Contender { size_bytes: 900_000, ..one(1) }, one(2)], 2, &[LeastPacked]),
            ("each reason leaves some", Near,
                vec![Contender { pixels: 500_000, ..one(1) }, Contender { is_placed: false, ..one(2) }, one(3)],
                3, &[Largest, Placed]),
            ("dated", Exact, vec![Contender { is_dated: false, ..one(1) }, one(2)], 2, &[Dated]),
            ("people's word is first", Near,
                vec![Contender { pixels: 500_000, rating: 3, ..one(1) }, one(2)], 1, &[Liked]),
            ("what was rejected is not kept", Burst, vec![Contender { rating: -1, ..one(1) }, one(2)], 2, &[Liked]),
            ("the sharpest of a burst, however large", Burst,
                vec![one(1), Contender { quality: quality(0.9, 0.01), pixels: 8_000_000, ..one(2) }], 2, &[Sharpest]),
            ("what was chosen when it was taken, however sharp another is", Burst,
                vec![one(1), Contender { is_cover: true, quality: quality(0.3, 0.01), ..one(2) }], 2, &[Cover]),
            ("people's word before what the camera chose", Burst,
                vec![Contender { rating: 3, ..one(1) }, Contender { is_cover: true, ..one(2) }], 1, &[Liked]),
            ("a larger file of a burst is no better", Burst,
                vec![one(1), Contender { size_bytes: 9_000_000, ..one(2) }], 1, &[First]),
            ("of sharp ones the best exposed", Burst,
                vec![Contender { quality: quality(0.5, 0.2), ..one(1) }, one(2)], 2, &[BestExposed]),
            ("what was not measured of all is no reason", Burst,
                vec![Contender { quality: None, ..one(1) }, one(2)], 1, &[First]),
        ];
        for (shows, why, contenders, kept, reasons) in cases {
            let expected = Some((id(kept), reasons.to_vec()));
            assert_eq!(choose(why, &contenders), expected, "{shows}");
            let mut turned = contenders;
            turned.reverse();
            assert_eq!(
                choose(why, &turned),
                expected,
                "{shows}, the other way round"
            );
        }
        assert_eq!(choose(Exact, &[]), None);
        assert_eq!(choose(Exact, &[one(1)]), Some((id(1), Vec::new())));
    }
}
