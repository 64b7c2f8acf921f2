//! Voiceprints that sound alike become voices.

use super::{LENGTHS, MOST_SPEAKERS, Window, product};
use crate::speech::voiceprint::unit;

/// From this likeness on, on average, two clusters are one voice.
const ALIKE: f32 = 0.68;
/// The same where more voices are wanted than are found.
const CLOSER: [f32; 6] = [0.7, 0.73, 0.76, 0.79, 0.82, 0.86];
/// The two halves of a window are so alike where one voice speaks in it.
const PURE: f32 = 0.7;
/// Two voices whose means are so alike are one.
const SAME: f32 = 0.8;
/// The mean of fewer windows than these says less: they are as alike as this, and so much more for each of them.
const FEW: f32 = 8.0;
const SAME_OF_FEW: f32 = 0.6;
const SAME_OF_EACH: f32 = 0.02;
/// What is so like a blend of two voices is where both are heard.
const BLEND: f32 = 0.9;
/// A voice has so many windows at least, or this share of all, if that is more, but no more than ten seconds.
const FEWEST: usize = 2;
const SMALLEST: f32 = 0.04;
const ENOUGH: usize = 25;
/// So many windows are compared with one another: five minutes. Their clusters stand for them.
const BLOCK: usize = 800;

/// Windows that sound alike: their sum, and how many they are.
#[derive(Debug, Clone)]
struct Cluster {
    sum: Vec<f32>,
    count: f32,
}

impl Cluster {
    fn add(&mut self, other: &Self) {
        self.count += other.count;
        let both = self.sum.iter_mut().zip(&other.sum);
        both.for_each(|(sum, other)| *sum += other);
    }

    /// The mean likeness of one's windows to the other's.
    fn likeness(&self, other: &Self) -> f32 {
        product(&self.sum, &other.sum) / (self.count * other.count)
    }

    fn voice(&self) -> Vec<f32> {
        unit(self.sum.clone())
    }
}

/// The voices that are heard in windows.
pub(super) fn voices(windows: &[Window], wanted: Option<usize>) -> Vec<Vec<f32>> {
    let whole = LENGTHS.len() - 1;
    let halves = halves(windows);
    let is_good = |(at, window): &(usize, &Window)| {
        window.is_longest && window.kind > 0 && (window.kind < whole || halves[*at] >= PURE)
    };
    let all = windows.iter().enumerate();
    let mut good: Vec<&Window> = all.filter(is_good).map(|(_, window)| window).collect();
    if good.is_empty() {
        good = windows.iter().filter(|window| window.is_longest).collect();
    }
    let single = |window: &&Window| Cluster {
        sum: window.direction(),
        count: 1.0,
    };
    let found = |alike: f32| {
        let blocks = good.chunks(BLOCK);
        let parts = blocks.flat_map(|block| join(block.iter().map(single).collect(), alike));
        decide(join(parts.collect(), alike), good.len(), wanted.is_none())
    };
    let mut kept = found(ALIKE);
    let most = wanted.unwrap_or(MOST_SPEAKERS);
    // Where more are wanted it is listened more closely, for as long as that finds more.
    for closer in CLOSER {
        if wanted.is_some_and(|wanted| kept.len() < wanted) {
            let more = found(closer);
            if more.len() > kept.len() {
                kept = more;
            }
        }
    }
    match wanted {
        Some(_) => while kept.len() > most && merge(&mut kept, |_| -1.0) {},
        None => kept.truncate(most),
    }
    kept.iter().map(Cluster::voice).collect()
}

/// For each window of the longest kind: how alike its halves sound; 0 for others, and where that is not known.
fn halves(windows: &[Window]) -> Vec<f32> {
    let half = LENGTHS.len() - 2;
    let mut likeness = vec![0.0; windows.len()];
    for (at, window) in windows.iter().enumerate() {
        if window.kind <= half {
            continue;
        }
        let find = |begin: usize| {
            let near = windows[at.saturating_sub(8)..].iter().take(24);
            let mut same = near.filter(|other| other.kind == half && other.begin == begin);
            same.next()
        };
        let second = window.begin + LENGTHS[half];
        if let Some((first, second)) = find(window.begin).zip(find(second)) {
            likeness[at] = product(&first.direction(), &second.direction());
        }
    }
    likeness
}

/// Joins those that are most alike, again and again, for as long as they are alike.
fn join(mut clusters: Vec<Cluster>, alike: f32) -> Vec<Cluster> {
    let count = clusters.len();
    let mut is_gone = vec![false; count];
    let mut likeness = vec![f32::MIN; count * count];
    for a in 0..count {
        for b in 0..a {
            let both = clusters[a].likeness(&clusters[b]);
            (likeness[a * count + b], likeness[b * count + a]) = (both, both);
        }
    }
    let nearest = |likeness: &[f32], a: usize| {
        let row = likeness[a * count..(a + 1) * count].iter().enumerate();
        row.fold((0, f32::MIN), |best, (b, like)| {
            if *like > best.1 { (b, *like) } else { best }
        })
    };
    let mut best: Vec<(usize, f32)> = (0..count).map(|a| nearest(&likeness, a)).collect();
    loop {
        let alive = (0..count).filter(|a| !is_gone[*a]);
        let first = alive.fold(None, |most: Option<usize>, a| match most {
            Some(most) if best[most].1 >= best[a].1 => Some(most),
            _ => Some(a),
        });
        let Some(a) = first.filter(|a| best[*a].1 >= alike) else {
            break;
        };
        let (a, b) = (a.min(best[a].0), a.max(best[a].0));
        let other = clusters[b].clone();
        clusters[a].add(&other);
        is_gone[b] = true;
        for c in 0..count {
            let both = match is_gone[c] || c == a {
                true => f32::MIN,
                false => clusters[a].likeness(&clusters[c]),
            };
            (likeness[a * count + c], likeness[c * count + a]) = (both, both);
            (likeness[b * count + c], likeness[c * count + b]) = (f32::MIN, f32::MIN);
        }
        for c in (0..count).filter(|c| !is_gone[*c]) {
            if c == a || best[c].0 == a || best[c].0 == b {
                best[c] = nearest(&likeness, c);
            } else if likeness[c * count + a] > best[c].1 {
                best[c] = (a, likeness[c * count + a]);
            }
        }
    }
    let left = clusters.into_iter().zip(is_gone);
    left.filter_map(|(cluster, is_gone)| (!is_gone).then_some(cluster))
        .collect()
}

/// Which clusters are voices, the one that speaks most first.
fn decide(mut clusters: Vec<Cluster>, all: usize, is_open: bool) -> Vec<Cluster> {
    clusters.sort_by(|a, b| b.count.total_cmp(&a.count));
    let share = ((all as f32 * SMALLEST) as usize).min(ENOUGH);
    let fewest = share.max(FEWEST) as f32;
    let mut kept: Vec<Cluster> = Vec::new();
    for cluster in clusters {
        let is_voice = cluster.count >= fewest && !is_blend(&cluster, &kept);
        if kept.is_empty() || is_voice {
            kept.push(cluster);
        }
    }
    let same = |count: f32| match count < FEW {
        true => SAME_OF_FEW + SAME_OF_EACH * count,
        false => SAME,
    };
    while is_open && merge(&mut kept, same) {}
    kept
}

/// Whether it sounds like two of the others at once.
fn is_blend(cluster: &Cluster, voices: &[Cluster]) -> bool {
    let voice = cluster.voice();
    let voices: Vec<_> = voices.iter().map(Cluster::voice).collect();
    let mut pairs = voices
        .iter()
        .enumerate()
        .flat_map(|(at, a)| voices[..at].iter().map(move |b| (a, b)));
    pairs.any(|(a, b)| {
        [0.3, 0.4, 0.5, 0.6, 0.7].into_iter().any(|share| {
            let both = a.iter().zip(b);
            let blend = both.map(|(a, b)| a * share + b * (1.0 - share)).collect();
            product(&voice, &unit(blend)) > BLEND
        })
    })
}

/// Makes the two voices that are most alike one, if they are alike enough for the smaller one's windows.
fn merge(voices: &mut Vec<Cluster>, alike: impl Fn(f32) -> f32) -> bool {
    let mut best: Option<(f32, usize, usize)> = None;
    for a in 0..voices.len() {
        for b in a + 1..voices.len() {
            let like = product(&voices[a].voice(), &voices[b].voice());
            let fewer = voices[a].count.min(voices[b].count);
            if like >= alike(fewer) && best.is_none_or(|best| like > best.0) {
                best = Some((like, a, b));
            }
        }
    }
    let Some((_, a, b)) = best else {
        return false;
    };
    let other = voices.remove(b);
    voices[a].add(&other);
    true
}
