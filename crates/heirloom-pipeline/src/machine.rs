//! What models compute with on this machine.

use std::{fs, path::Path};

/// How an ability is at work on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Working {
    /// With how many threads a network computes.
    pub threads: usize,
    /// How many processors there are.
    pub processors: usize,
    /// How much memory its process may map.
    pub memory_bytes: u64,
    /// Whether its models are in memory at the moment.
    pub is_loaded: bool,
}

/// How many processors this process may use.
pub(crate) fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The graphics cards that the system shows, by the names of their devices; none of them is used. `root` is `/`.
#[must_use]
pub fn graphics_cards(root: &Path) -> Vec<String> {
    let names = |folder: &str, is_card: fn(&str) -> bool| {
        let entries = fs::read_dir(root.join(folder)).into_iter().flatten();
        let names = entries.flatten().map(|entry| entry.file_name());
        let names = names.map(|name| name.to_string_lossy().into_owned());
        names.filter(|name| is_card(name)).collect::<Vec<_>>()
    };
    let mut cards = names("dev", |name| is_numbered(name, "nvidia"));
    cards.extend(names("dev/dri", |name| is_numbered(name, "renderD")));
    cards.sort();
    cards
}

fn is_numbered(name: &str, prefix: &str) -> bool {
    let number = name.strip_prefix(prefix);
    number.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cards_are_told_from_what_else_there_is() {
        let root = tempfile::tempdir().unwrap();
        assert!(graphics_cards(root.path()).is_empty());
        fs::create_dir_all(root.path().join("dev/dri")).unwrap();
        for name in [
            "nvidia0",
            "nvidiactl",
            "null",
            "dri/renderD128",
            "dri/card0",
        ] {
            fs::write(root.path().join("dev").join(name), "").unwrap();
        }
        assert_eq!(graphics_cards(root.path()), ["nvidia0", "renderD128"]);
    }
}
