//! What is said about a piece of work while it goes on.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The most characters of what is said that are kept.
const LOG_CHARS: usize = 4096;

/// Lines for whoever looks at a unit later; of too many, the last are kept. Clones write to the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Log {
    text: Arc<Mutex<String>>,
}

impl Log {
    /// Adds what was said, line by line.
    pub(crate) fn say(&self, said: &str) {
        let mut text = self.text();
        for line in said
            .lines()
            .map(str::trim_end)
            .filter(|line| !line.is_empty())
        {
            text.push_str(line);
            text.push('\n');
        }
        let count = text.chars().count();
        if count > LOG_CHARS {
            *text = text.chars().skip(count - LOG_CHARS).collect();
        }
    }

    /// Everything that is kept; `None` where nothing was said.
    pub(crate) fn take(&self) -> Option<String> {
        Some(std::mem::take(&mut *self.text())).filter(|text| !text.is_empty())
    }

    fn text(&self) -> MutexGuard<'_, String> {
        self.text.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_too_much_the_end_is_kept() {
        let log = Log::default();
        assert_eq!(log.take(), None);
        for number in 0..2_000 {
            log.clone().say(&format!("line {number}  \n\n"));
        }
        let text = log.take().unwrap();
        assert_eq!(text.chars().count(), LOG_CHARS);
        assert!(text.ends_with("line 1998\nline 1999\n"), "{text}");
    }
}
