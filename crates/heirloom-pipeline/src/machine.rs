//! What models compute with on this machine.

use std::{
    fs,
    path::{Path, PathBuf},
};

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

/// How much memory this process may take: what the machine has, or less where somebody limits it. `root` is `/`.
pub(crate) fn memory_bytes(root: &Path) -> Option<u64> {
    let memory = fs::read_to_string(root.join("proc/meminfo")).ok();
    let memory = memory.and_then(|lines| kilobytes(&lines, "MemTotal:"));
    memory.into_iter().chain(memory_limit_bytes(root)).min()
}

/// The bytes that such a line of a file below `/proc` tells of.
pub(crate) fn kilobytes(lines: &str, name: &str) -> Option<u64> {
    let value = lines.lines().find_map(|line| line.strip_prefix(name))?;
    let kilobytes = value.trim().strip_suffix("kB")?.trim().parse::<u64>();
    Some(kilobytes.ok()? * 1024)
}

/// The least that this process' control group and those around it may take (cgroup v2); `None` where
/// nothing is limited, or the system does not tell. `root` is `/`.
#[must_use]
pub fn memory_limit_bytes(root: &Path) -> Option<u64> {
    let groups = fs::read_to_string(root.join("proc/self/cgroup")).ok()?;
    let own = groups.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let top = root.join("sys/fs/cgroup");
    let limit = |group: PathBuf| {
        let text = fs::read_to_string(group.join("memory.max")).ok()?;
        text.trim().parse().ok()
    };
    let around = Path::new(own).ancestors();
    around.filter_map(|group| limit(top.join(group))).min()
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

    #[test]
    fn the_tightest_group_around_a_process_counts() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        assert_eq!(memory_limit_bytes(root.path()), None);
        write("proc/self/cgroup", "0::/system.slice/one.service\n");
        assert_eq!(memory_limit_bytes(root.path()), None);
        let service = "sys/fs/cgroup/system.slice/one.service/memory.max";
        write(service, "max\n");
        assert_eq!(memory_limit_bytes(root.path()), None);
        write(service, "4294967296\n");
        write("sys/fs/cgroup/system.slice/memory.max", "1073741824\n");
        assert_eq!(memory_limit_bytes(root.path()), Some(1 << 30));
    }
}
