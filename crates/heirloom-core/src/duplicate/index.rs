//! Which pictures could show the same, of many.

use std::collections::HashMap;

use super::miniature::{Prints, turned};

/// Fingerprints of two pictures that show the same differ in so many bits at most: measured were 4, and 7 and more of others.
const BITS: u32 = 6;
/// A fingerprint is cut into so many bands, one of which is the same in two that differ in fewer bits; of those that
/// differ in a few more it is so nearly always.
const BANDS: usize = 4;
const BAND_VALUES: usize = 1 << 16;
/// Of more that have the same band, those are looked at that came in at about the same time: so an endless series of one
/// view costs no more than other pictures.
const MOST_AT_ONCE: usize = 256;
/// A picture is compared with so many others at most.
const MOST: usize = 32;

/// Two pictures that could show the same, by their places in the index: `one`, with its part turned so, and `other`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// The first.
    pub one: usize,
    /// The second.
    pub other: usize,
    /// How the first is turned, as [`likeness`](super::likeness) has it.
    pub turn: u8,
    /// The parts of both that are alike.
    pub parts: (usize, usize),
    /// In how many bits they differ.
    distance: u32,
}

/// Fingerprints of many pictures, found by any of their bands.
#[derive(Debug)]
pub struct Index<'a> {
    pictures: &'a [Prints],
    wholes: Bands,
    parts: Bands,
}

/// For each band and each value of it, where in `entries` those begin that have it.
#[derive(Debug)]
struct Bands {
    entries: Vec<u32>,
    begins: Vec<u32>,
    count: usize,
}

impl<'a> Index<'a> {
    /// An index of these.
    #[must_use]
    pub fn new(pictures: &'a [Prints]) -> Self {
        let wholes: Vec<u64> = pictures.iter().map(|prints| prints[0]).collect();
        let parts: Vec<u64> = pictures.iter().flat_map(|it| &it[1..]).copied().collect();
        Self {
            pictures,
            wholes: Bands::new(&wholes),
            parts: Bands::new(&parts),
        }
    }

    /// Those that one of them could show the same as, the likeliest first.
    #[must_use]
    pub fn candidates(&self, one: usize) -> Vec<Candidate> {
        let own = &self.pictures[one];
        let parts_each = own.len() - 1;
        let mut found: HashMap<usize, Candidate> = HashMap::new();
        let mut note = |other: usize, turn: u8, parts: (usize, usize), distance: u32| {
            if other == one || distance > BITS {
                return;
            }
            let candidate = Candidate {
                one,
                other,
                turn,
                parts,
                distance,
            };
            let known = found.entry(other).or_insert(candidate);
            if distance < known.distance {
                *known = candidate;
            }
        };
        for turn in 0..8 {
            for (part, print) in own.iter().enumerate() {
                let print = turned(*print, turn);
                for entry in self.wholes.like(print, one) {
                    let distance = (self.pictures[entry][0] ^ print).count_ones();
                    note(entry, turn, (part, 0), distance);
                }
                // Two parts of two pictures say nothing.
                if part > 0 {
                    continue;
                }
                for entry in self.parts.like(print, one * parts_each) {
                    let (other, crop) = (entry / parts_each, entry % parts_each + 1);
                    let distance = (self.pictures[other][crop] ^ print).count_ones();
                    note(other, turn, (0, crop), distance);
                }
            }
        }
        let mut found: Vec<Candidate> = found.into_values().collect();
        found.sort_by_key(|it| (it.distance, it.other.abs_diff(one), it.other));
        found.truncate(MOST);
        found
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a library has fewer pictures than fit into 32 bits by far, and a band has 16"
)]
const fn band(print: u64, band: usize) -> usize {
    (print >> (band * 16)) as u16 as usize
}

impl Bands {
    fn new(prints: &[u64]) -> Self {
        let mut begins = vec![0_u32; BANDS * (BAND_VALUES + 1)];
        let mut entries = vec![0_u32; BANDS * prints.len()];
        for at in 0..BANDS {
            let begins = &mut begins[at * (BAND_VALUES + 1)..][..=BAND_VALUES];
            let entries = &mut entries[at * prints.len()..][..prints.len()];
            for print in prints {
                begins[band(*print, at) + 1] += 1;
            }
            for value in 0..BAND_VALUES {
                begins[value + 1] += begins[value];
            }
            let mut next = begins.to_vec();
            for (number, print) in (0..).zip(prints) {
                let next = &mut next[band(*print, at)];
                entries[*next as usize] = number;
                *next += 1;
            }
        }
        Self {
            entries,
            begins,
            count: prints.len(),
        }
    }

    /// Those that share a band with a fingerprint; of many those that stand near a place.
    fn like(&self, print: u64, place: usize) -> impl Iterator<Item = usize> {
        (0..BANDS).flat_map(move |at| {
            let begins = &self.begins[at * (BAND_VALUES + 1)..];
            let value = band(print, at);
            let range = begins[value] as usize..begins[value + 1] as usize;
            let mut same = &self.entries[at * self.count..][range];
            if same.len() > MOST_AT_ONCE {
                let near = same.partition_point(|entry| (*entry as usize) < place);
                let from = near
                    .saturating_sub(MOST_AT_ONCE / 2)
                    .min(same.len() - MOST_AT_ONCE);
                same = &same[from..][..MOST_AT_ONCE];
            }
            same.iter().map(|entry| *entry as usize)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::miniature::tests::{plain, scene},
        *,
    };

    #[test]
    fn what_shows_the_same_is_found_among_others_however_it_was_turned_or_cut() {
        let mut pictures: Vec<Prints> = (0..60).map(|seed| plain(seed).prints()).collect();
        let turned = scene(7, |x, y| (1.0 - y, x));
        let cut = scene(7, |x, y| ((x - 0.5) * 0.9 + 0.5, (y - 0.5) * 0.9 + 0.5));
        pictures.extend([turned.prints(), cut.prints()]);
        let index = Index::new(&pictures);
        let found = |one: usize| {
            let mut found: Vec<usize> = index.candidates(one).iter().map(|it| it.other).collect();
            found.sort_unstable();
            found
        };
        assert_eq!(found(7), [60, 61]);
        assert!(found(60).contains(&7) && found(61).contains(&7));
        assert!(found(8).iter().all(|other| *other < 60));
    }

    #[test]
    fn an_endless_series_of_one_view_costs_no_more_than_other_pictures() {
        let pictures = vec![plain(1).prints(); 2_000];
        let index = Index::new(&pictures);
        let found = index.candidates(1_000);
        assert_eq!(found.len(), MOST);
        assert!(found.iter().all(|it| it.other.abs_diff(1_000) <= MOST));
    }
}
