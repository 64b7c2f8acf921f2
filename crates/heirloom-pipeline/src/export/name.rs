//! Names that every file system takes: exFAT, NTFS, ext4 and what a Mac has.
//!
//! What none of them takes is written `_`; what two of them take for one name is told apart by a number. The true
//! name stands in the metadata.

use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use heirloom_core::path::alike;
use unicode_normalization::UnicodeNormalization as _;

/// The most bytes of one name, so that there is room for `.xmp` and a number in the 255 that file systems take.
const NAME_BYTES: usize = 120;
/// The most bytes of a path: Windows takes 260 characters, those before the export included.
const PATH_BYTES: usize = 200;
/// The most folders on the way to a file.
const DEPTH: usize = 12;

/// Names of devices in Windows, whatever follows the first dot.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];

/// The paths that are taken, at eight bytes each: a hash of what file systems take for the same. Of two paths
/// that share one by chance one gets a number that it did not need.
#[derive(Debug, Default)]
pub(crate) struct Names(HashSet<u64>);

impl Names {
    /// Takes a path for a file, with `.xmp` for what describes it: `wanted`, or that with a number.
    pub(crate) fn take(&mut self, wanted: &str) -> String {
        let mut number = 1_u64;
        loop {
            let path = match number {
                1 => wanted.to_owned(),
                number => numbered(wanted, number),
            };
            let keys = [hash(&alike(&path)), hash(&alike(&format!("{path}.xmp")))];
            if keys.iter().all(|key| !self.0.contains(key)) {
                self.0.extend(keys);
                return path;
            }
            number += 1;
        }
    }
}

/// A hash of a path.
pub(super) fn hash(path: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    path.hash(&mut hasher);
    hasher.finish()
}

/// Where a file of an archive goes below `root`: its own path, with names that every file system takes.
pub(super) fn path_of(root: &str, archive: &str, path: &str) -> String {
    let mut names: Vec<String> = std::iter::once(archive)
        .chain(path.split('/'))
        .filter(|name| !name.is_empty())
        .map(safe)
        .collect();
    let file = names.pop().unwrap_or_else(|| "_".to_owned());
    let mut whole = root.to_owned();
    for (depth, name) in names.into_iter().enumerate() {
        if depth == DEPTH || whole.len() + name.len() + file.len() + 2 > PATH_BYTES {
            break;
        }
        whole = format!("{whole}/{name}");
    }
    format!("{whole}/{file}")
}

/// A name that every file system takes.
pub(crate) fn safe(name: &str) -> String {
    let name: String = name
        .nfc()
        .map(|letter| match letter {
            // `%` is a sign of its own in manifests, and readers of those disagree about it.
            '<' | '>' | ':' | '"' | '/' | '\\' | '|' | '?' | '*' | '%' => '_',
            // Line and paragraph separators, what turns the direction of writing, what is not seen.
            '\u{2028}'
            | '\u{2029}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
            | '\u{feff}' => '_',
            letter if letter.is_control() => '_',
            letter => letter,
        })
        .collect();
    let name = shortened(&name);
    let mut name = name.trim_start_matches(' ').to_owned();
    let kept = name.trim_end_matches(['.', ' ']).len();
    let cut = name.len() - kept;
    name.truncate(kept);
    name.push_str(&"_".repeat(cut.min(3)));
    let stem = name.split('.').next().unwrap_or_default().to_lowercase();
    let is_port = (stem.starts_with("com") || stem.starts_with("lpt"))
        && stem.chars().count() == 4
        && stem.ends_with(|it: char| it.is_ascii_digit() || matches!(it, '¹' | '²' | '³'));
    if name.is_empty() || DEVICES.contains(&stem.trim_end()) || is_port {
        name.insert(0, '_');
    }
    name
}

/// The beginning of a name that is too long, with its ending.
fn shortened(name: &str) -> String {
    if name.len() <= NAME_BYTES {
        return name.to_owned();
    }
    let (stem, ending) = match name.rsplit_once('.') {
        Some((stem, ending)) if !stem.is_empty() && ending.len() <= 16 => (stem, ending),
        _ => (name, ""),
    };
    let room = NAME_BYTES - ending.len() - 1;
    let stem = &stem[..stem.floor_char_boundary(room)];
    match ending {
        "" => stem.to_owned(),
        ending => format!("{stem}.{ending}"),
    }
}

/// `a/b.jpg` as `a/b (2).jpg`.
fn numbered(path: &str, number: u64) -> String {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let name = match name.rsplit_once('.') {
        Some((stem, ending)) if !stem.is_empty() => format!("{stem} ({number}).{ending}"),
        _ => format!("{name} ({number})"),
    };
    heirloom_core::path::join(folder, &name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_one_that_every_file_system_takes() {
        let long = "ä".repeat(200);
        let cases = [
            ("Oma & Opa.jpg", "Oma & Opa.jpg"),
            (
                "what? when: \"then\" <b>|*.jpg",
                "what_ when_ _then_ _b___.jpg",
            ),
            ("a\\\\b\\xfc.jpg", "a__b_xfc.jpg"),
            ("Con.jpg", "_Con.jpg"),
            ("nul", "_nul"),
            ("LPT1.tar.gz", "_LPT1.tar.gz"),
            ("console.jpg", "console.jpg"),
            ("ends.", "ends_"),
            ("ends ", "ends_"),
            (" begins", "begins"),
            ("...", "___"),
            ("100%.jpg", "100_.jpg"),
            ("line\nbreak\u{7f}.jpg", "line_break_.jpg"),
            ("Mu\u{308}ller", "Müller"),
            ("invoice\u{202e}gpj.exe", "invoice_gpj.exe"),
            ("日本.jpg", "日本.jpg"),
        ];
        for (name, expected) in cases {
            assert_eq!(safe(name), expected, "{name:?}");
        }
        let cut = safe(&format!("{long}.jpeg"));
        assert!(cut.len() <= NAME_BYTES && cut.ends_with("ä.jpeg"), "{cut}");
    }

    #[test]
    fn a_deep_path_is_cut_and_keeps_its_file() {
        let deep = format!("{}/b.jpg", vec!["a folder with a name"; 40].join("/"));
        let path = path_of("data/originals", "Photos", &deep);
        assert!(path.len() <= PATH_BYTES, "{path}");
        assert!(path.starts_with("data/originals/Photos/a folder") && path.ends_with("/b.jpg"));
        assert_eq!(
            path_of("data/originals", "../x", "../../etc/passwd"),
            "data/originals/.._x/__/__/etc/passwd"
        );
    }

    #[test]
    fn what_a_file_system_takes_for_one_name_is_told_apart() {
        let mut names = Names::default();
        let cases = [
            ("a/IMG.jpg", "a/IMG.jpg"),
            ("a/img.JPG", "a/img (2).JPG"),
            ("a/IMG.jpg", "a/IMG (3).jpg"),
            ("a/IMG.jpg.xmp", "a/IMG.jpg (2).xmp"),
            ("b/IMG.jpg", "b/IMG.jpg"),
            ("b/Mu\u{308}", "b/Mu\u{308}"),
            ("b/MÜ", "b/MÜ (2)"),
        ];
        for (wanted, expected) in cases {
            assert_eq!(names.take(wanted), expected);
        }
    }
}
