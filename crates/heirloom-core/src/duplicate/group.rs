//! Groups of pictures that hang together.

use std::collections::{BTreeMap, HashMap};

use super::Likeness;
use crate::AssetId;

/// Two pictures that belong together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    /// The one.
    pub one: AssetId,
    /// The other.
    pub other: AssetId,
    /// Why.
    pub why: Likeness,
    /// How alike they are, at most 1.
    pub likeness: f32,
}

/// Pictures of which one is enough.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// What it is called: the member that came first. It stays when others come.
    pub id: AssetId,
    /// Why they are together: in the weakest way in which any of them is.
    pub why: Likeness,
    /// The members, in the order in which they came; at least two.
    pub members: Vec<AssetId>,
}

/// Puts together what hangs together, the most alike first. Of two that people say are not the same, whatever else is
/// like both comes to the one that it is more like.
#[must_use]
pub fn gather(mut pairs: Vec<Pair>, apart: &[(AssetId, AssetId)]) -> Vec<Group> {
    let mut denied: HashMap<AssetId, Vec<AssetId>> = HashMap::new();
    for (one, other) in apart {
        denied.entry(*one).or_default().push(*other);
        denied.entry(*other).or_default().push(*one);
    }
    pairs.sort_by(|a, b| {
        let by_likeness = b.likeness.total_cmp(&a.likeness);
        let ids = |pair: &Pair| (pair.one, pair.other);
        a.why
            .cmp(&b.why)
            .then(by_likeness)
            .then(ids(a).cmp(&ids(b)))
    });
    // Each picture with the number of its group; of two groups that are joined the smaller takes the number of the other.
    let mut group_of: HashMap<AssetId, usize> = HashMap::new();
    let mut groups: Vec<(Vec<AssetId>, Likeness)> = Vec::new();
    for pair in pairs.iter().filter(|pair| pair.one != pair.other) {
        let [mut one, mut other] = [pair.one, pair.other].map(|id| {
            *group_of.entry(id).or_insert_with(|| {
                groups.push((vec![id], Likeness::Copies));
                groups.len() - 1
            })
        });
        if groups[one].0.len() < groups[other].0.len() {
            std::mem::swap(&mut one, &mut other);
        }
        let is_apart = |id: &AssetId| {
            let denied = denied.get(id).into_iter().flatten();
            denied.into_iter().any(|it| group_of.get(it) == Some(&one))
        };
        if one != other && groups[other].0.iter().any(is_apart) {
            continue;
        }
        if one != other {
            let (members, why) = std::mem::replace(&mut groups[other], (Vec::new(), pair.why));
            for id in &members {
                group_of.insert(*id, one);
            }
            groups[one].1 = groups[one].1.max(why);
            groups[one].0.extend(members);
        }
        groups[one].1 = groups[one].1.max(pair.why);
    }
    let groups = groups.into_iter().filter(|(members, _)| members.len() > 1);
    let by_id: BTreeMap<AssetId, Group> = groups
        .filter_map(|(mut members, why)| {
            members.sort_unstable();
            let id = *members.first()?;
            Some((id, Group { id, why, members }))
        })
        .collect();
    by_id.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u8) -> AssetId {
        AssetId::from_parts(u64::from(n), [n; 10])
    }

    fn pair(one: u8, other: u8, why: Likeness, likeness: f32) -> Pair {
        Pair {
            one: id(one),
            other: id(other),
            why,
            likeness,
        }
    }

    /// The members of each group and why they are together.
    fn told(pairs: &[Pair], apart: &[(u8, u8)]) -> Vec<(Vec<u8>, Likeness)> {
        let apart: Vec<_> = apart.iter().map(|(a, b)| (id(*a), id(*b))).collect();
        let number = |wanted: &AssetId| (0..=u8::MAX).find(|n| id(*n) == *wanted).unwrap();
        let groups = gather(pairs.to_vec(), &apart);
        assert!(groups.iter().all(|group| group.members[0] == group.id));
        groups
            .iter()
            .map(|group| (group.members.iter().map(number).collect(), group.why))
            .collect()
    }

    /// What it shows, what is denied, and the groups that are left.
    type Case<'a> = (&'a str, &'a [(u8, u8)], Vec<(Vec<u8>, Likeness)>);

    #[test]
    fn pairs_that_hang_together_are_one_group() {
        use Likeness::{Burst, Exact, Near};
        let all = [
            pair(3, 1, Exact, 1.0),
            pair(2, 3, Near, 0.99),
            pair(7, 5, Exact, 1.0),
            pair(8, 9, Burst, 0.8),
        ];
        #[rustfmt::skip]
        let cases: [Case<'_>; 5] = [
            ("as they are", &[], vec![(vec![1, 2, 3], Near), (vec![5, 7], Exact), (vec![8, 9], Burst)]),
            ("a pair is denied", &[(2, 3)], vec![(vec![1, 3], Exact), (vec![5, 7], Exact), (vec![8, 9], Burst)]),
            ("denied without being a pair", &[(1, 2)], vec![(vec![1, 3], Exact), (vec![5, 7], Exact), (vec![8, 9], Burst)]),
            ("one that alone is left is no group", &[(9, 8), (5, 7)], vec![(vec![1, 2, 3], Near)]),
            ("all of a group", &[(1, 2), (1, 3), (3, 2)], vec![(vec![5, 7], Exact), (vec![8, 9], Burst)]),
        ];
        for (shows, apart, expected) in cases {
            assert_eq!(told(&all, apart), expected, "{shows}");
            let mut turned = all.to_vec();
            turned.reverse();
            assert_eq!(
                told(&turned, apart),
                expected,
                "{shows}, the other way round"
            );
        }
    }

    #[test]
    fn what_is_like_two_that_are_apart_goes_with_the_one_it_is_more_like() {
        let pairs = [
            pair(1, 3, Likeness::Near, 0.986),
            pair(2, 3, Likeness::Near, 0.999),
        ];
        assert_eq!(told(&pairs, &[(1, 2)]), [(vec![2, 3], Likeness::Near)]);
    }
}
