//! What a model said of texts that it was asked for lately.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// What is known of some texts. Once it would be of too many, all but the newest are forgotten.
#[derive(Debug)]
pub(crate) struct Remembered<T> {
    known: Mutex<HashMap<String, T>>,
    most: usize,
}

impl<T: Clone> Remembered<T> {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            known: Mutex::default(),
            most,
        }
    }

    pub(crate) fn find(&self, text: &str) -> Option<T> {
        self.known().get(text).cloned()
    }

    pub(crate) fn keep(&self, new: HashMap<String, T>) {
        let mut known = self.known();
        if known.len() + new.len() > self.most {
            known.clear();
        }
        known.extend(new);
    }

    fn known(&self) -> MutexGuard<'_, HashMap<String, T>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_is_known_and_never_too_much() {
        let remembered = Remembered::new(2);
        let keep = |text: &str| remembered.keep(HashMap::from([(text.to_owned(), text.len())]));
        ["a", "bb", "ccc"].into_iter().for_each(keep);
        assert_eq!(
            ["a", "bb", "ccc"].map(|text| remembered.find(text)),
            [None, None, Some(3)]
        );
        keep("a");
        assert_eq!(
            ["a", "ccc"].map(|text| remembered.find(text)),
            [Some(1), Some(3)]
        );
    }
}
