//! What has been heard so far of recordings that are being heard.
//!
//! In memory alone: what is half heard is never stored, and a process that is killed hears it from the beginning. Other
//! processes that share the catalogue do not see it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use heirloom_core::{AssetId, RunId, transcript::Word};

use crate::speech::SoFar;

/// The recordings that are being heard here. Clones mean the same.
#[derive(Debug, Clone, Default)]
pub struct Hearings {
    now: Arc<Mutex<HashMap<AssetId, Hearing>>>,
}

/// A recording that is being heard.
#[derive(Debug, Clone, PartialEq)]
pub struct Hearing {
    /// The run that has it heard.
    pub run: RunId,
    /// Up to which millisecond it has been.
    pub until_ms: u64,
    /// How long it is, once that is known.
    pub duration_ms: Option<u64>,
    /// What was said until there.
    pub words: Arc<Vec<Word>>,
}

/// Keeps a recording among those that are being heard until it is dropped.
#[derive(Debug)]
pub(crate) struct Listening {
    hearings: Hearings,
    asset: AssetId,
    run: RunId,
}

impl Hearings {
    /// What has been heard so far of a recording, if it is being heard.
    #[must_use]
    pub fn find(&self, asset: AssetId) -> Option<Hearing> {
        self.now().get(&asset).cloned()
    }

    /// What a run is hearing, in the order of the assets.
    #[must_use]
    pub fn of_run(&self, run: RunId) -> Vec<(AssetId, Hearing)> {
        let now = self.now();
        let own = now.iter().filter(|(_, hearing)| hearing.run == run);
        let mut own: Vec<_> = own
            .map(|(asset, hearing)| (*asset, hearing.clone()))
            .collect();
        own.sort_by_key(|(asset, _)| *asset);
        own
    }

    /// From now on a recording is being heard.
    pub(crate) fn begin(&self, asset: AssetId, run: RunId) -> Listening {
        let hearing = Hearing {
            run,
            until_ms: 0,
            duration_ms: None,
            words: Arc::default(),
        };
        self.now().insert(asset, hearing);
        Listening {
            hearings: self.clone(),
            asset,
            run,
        }
    }

    /// Adds what was heard since the last time.
    pub(crate) fn add(&self, asset: AssetId, heard: &SoFar<'_>) {
        if let Some(hearing) = self.now().get_mut(&asset) {
            hearing.until_ms = heard.until_ms;
            hearing.duration_ms = Some(heard.duration_ms);
            Arc::make_mut(&mut hearing.words).extend_from_slice(heard.words);
        }
    }

    /// Forgets what was heard: somebody else begins anew.
    pub(crate) fn restart(&self, asset: AssetId) {
        if let Some(hearing) = self.now().get_mut(&asset) {
            hearing.until_ms = 0;
            hearing.words = Arc::default();
        }
    }

    fn now(&self) -> MutexGuard<'_, HashMap<AssetId, Hearing>> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let mut now = self.hearings.now();
        if now
            .get(&self.asset)
            .is_some_and(|hearing| hearing.run == self.run)
        {
            now.remove(&self.asset);
        }
    }
}
