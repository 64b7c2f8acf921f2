//! Pairs that are put together, the commonest first (Sennrich et al., "Neural Machine Translation of Rare Words with
//! Subword Units", 2016).

use std::collections::HashMap;

/// What lies in a model beside its network: which pieces there are, and which of them are put together.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    ids: HashMap<String, u32>,
    /// Two pieces: when they are put together, and what comes of it.
    pairs: HashMap<(u32, u32), (u32, u32)>,
}

impl Pieces {
    pub(super) fn new(ids: HashMap<String, u32>) -> Self {
        Self {
            ids,
            pairs: HashMap::new(),
        }
    }

    pub(super) fn find(&self, piece: &str) -> Option<u32> {
        self.ids.get(piece).copied()
    }

    /// Two pieces are put together after all that were named before.
    pub(super) fn join(&mut self, first: &str, second: &str) -> Result<(), String> {
        let find = |piece: &str| {
            let missing = || format!("its vocabulary has no {piece:?}, which is put together");
            self.find(piece).ok_or_else(missing)
        };
        let pair = (find(first)?, find(second)?);
        let whole = find(&format!("{first}{second}"))?;
        let rank = u32::try_from(self.pairs.len()).unwrap_or(u32::MAX);
        self.pairs.entry(pair).or_insert((rank, whole));
        Ok(())
    }

    /// Puts together what belongs together, until nothing does.
    pub(super) fn merge(&self, mut pieces: Vec<u32>) -> Vec<u32> {
        loop {
            let pairs = pieces.windows(2).enumerate();
            let known = pairs.filter_map(|(at, pair)| {
                let (rank, whole) = self.pairs.get(&(pair[0], pair[1]))?;
                Some((*rank, at, *whole))
            });
            let Some((_, at, whole)) = known.min() else {
                return pieces;
            };
            pieces[at] = whole;
            pieces.remove(at + 1);
        }
    }
}
