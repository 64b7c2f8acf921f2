//! What a folder tree looks like from outside: proof that nothing below it was touched.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    fmt, fs,
    io::{self, Read as _},
    os::unix::{
        ffi::OsStrExt as _,
        fs::{FileTypeExt as _, MetadataExt as _},
    },
    path::{Path, PathBuf},
};

/// Every entry below a folder, the folder itself included, as `Path -> Entry`.
///
/// The time of the last access is left out: reading is allowed. The time of the last change of the
/// inode is in, so that touching a file and putting its old time back is seen too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeSnapshot {
    entries: BTreeMap<PathBuf, Entry>,
}

/// One entry of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    kind: &'static str,
    /// BLAKE3 of a file's bytes, a link's target, or nothing for the rest.
    content: String,
    mode: u32,
    owner: (u32, u32),
    size_bytes: u64,
    modified_ns: i128,
    changed_ns: i128,
    inode: u64,
    links: u64,
}

impl TreeSnapshot {
    /// Reads the whole tree, following no link. A file that may not be read counts as
    /// `unreadable`; pipes, sockets and devices are not opened.
    ///
    /// # Panics
    /// When the folder itself or an entry's metadata cannot be read.
    #[must_use]
    pub fn of(root: impl AsRef<Path>) -> Self {
        let mut entries = BTreeMap::new();
        record(root.as_ref(), Path::new("."), &mut entries);
        Self { entries }
    }

    /// How many entries there are, the folder itself included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Never true for a tree that exists: the folder itself is an entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// One line for each difference from this snapshot to the later one; none if they are equal.
    #[must_use]
    pub fn differences(&self, later: &Self) -> Vec<String> {
        let name = |path: &Path| path.display().to_string();
        let mut lines = Vec::new();
        for (path, before) in &self.entries {
            match later.entries.get(path) {
                None => lines.push(format!("{} is gone", name(path))),
                Some(after) => lines.extend(before.changes(after, &name(path))),
            }
        }
        let fresh = later
            .entries
            .keys()
            .filter(|path| !self.entries.contains_key(*path));
        lines.extend(fresh.map(|path| format!("{} is new", name(path))));
        lines
    }

    /// # Panics
    /// When anything differs, with what and how.
    #[track_caller]
    pub fn assert_same(&self, later: &Self) {
        let lines = self.differences(later);
        assert!(
            lines.is_empty(),
            "the tree was touched in {} ways:\n  {}",
            lines.len(),
            lines[..lines.len().min(40)].join("\n  ")
        );
    }
}

impl Entry {
    fn changes(&self, after: &Self, name: &str) -> Vec<String> {
        let mut lines = Vec::new();
        let mut compare = |what: &str, before: &dyn fmt::Display, now: &dyn fmt::Display| {
            let (before, now) = (before.to_string(), now.to_string());
            if before != now {
                lines.push(format!("{name}: {what} was {before}, is {now}"));
            }
        };
        let mode = |entry: &Self| format!("{:o}", entry.mode);
        let owner = |entry: &Self| format!("{}:{}", entry.owner.0, entry.owner.1);
        compare("kind", &self.kind, &after.kind);
        compare("content", &self.content, &after.content);
        compare("mode", &mode(self), &mode(after));
        compare("owner", &owner(self), &owner(after));
        compare("size", &self.size_bytes, &after.size_bytes);
        compare("mtime (ns)", &self.modified_ns, &after.modified_ns);
        compare("ctime (ns)", &self.changed_ns, &after.changed_ns);
        compare("inode", &self.inode, &after.inode);
        compare("number of links", &self.links, &after.links);
        lines
    }
}

/// Copies a tree with the times, modes and links of its entries; `to` must not exist.
///
/// # Panics
/// When an entry cannot be copied, or is a pipe, socket or device.
pub fn copy_tree(from: impl AsRef<Path>, to: impl AsRef<Path>) {
    let (from, to) = (from.as_ref(), to.as_ref());
    let metadata = fs::symlink_metadata(from).unwrap_or_else(|e| panic!("{}: {e}", from.display()));
    if metadata.is_symlink() {
        std::os::unix::fs::symlink(fs::read_link(from).unwrap(), to).unwrap();
        return;
    }
    if metadata.is_dir() {
        fs::create_dir(to).unwrap_or_else(|error| panic!("{}: {error}", to.display()));
        for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
            copy_tree(entry.path(), to.join(entry.file_name()));
        }
        fs::set_permissions(to, metadata.permissions()).unwrap();
    } else {
        assert!(
            metadata.is_file(),
            "{} is neither file, folder nor link",
            from.display()
        );
        fs::copy(from, to).unwrap_or_else(|error| panic!("{}: {error}", to.display()));
    }
    set_modified(to, &metadata);
}

fn set_modified(path: &Path, like: &fs::Metadata) {
    let file = fs::File::open(path).unwrap();
    let times = fs::FileTimes::new()
        .set_modified(like.modified().unwrap())
        .set_accessed(like.accessed().unwrap());
    file.set_times(times).unwrap();
}

fn record(path: &Path, relative: &Path, entries: &mut BTreeMap<PathBuf, Entry>) {
    let metadata = fs::symlink_metadata(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let nanoseconds =
        |seconds: i64, rest: i64| i128::from(seconds) * 1_000_000_000 + i128::from(rest);
    let (kind, content) = content(path, &metadata);
    let entry = Entry {
        kind,
        content,
        mode: metadata.mode(),
        owner: (metadata.uid(), metadata.gid()),
        size_bytes: metadata.size(),
        modified_ns: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
        changed_ns: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
        inode: metadata.ino(),
        links: metadata.nlink(),
    };
    entries.insert(relative.to_owned(), entry);
    if metadata.is_dir() {
        let Ok(children) = fs::read_dir(path) else {
            return;
        };
        let names: Vec<OsString> = children.map(|child| child.unwrap().file_name()).collect();
        for name in names {
            record(&path.join(&name), &below(relative, &name), entries);
        }
    }
}

fn below(folder: &Path, name: &OsStr) -> PathBuf {
    if folder == Path::new(".") {
        PathBuf::from(name)
    } else {
        folder.join(name)
    }
}

fn content(path: &Path, metadata: &fs::Metadata) -> (&'static str, String) {
    let kind = metadata.file_type();
    if kind.is_file() {
        (
            "file",
            hash(path).unwrap_or_else(|_| "unreadable".to_owned()),
        )
    } else if kind.is_dir() {
        ("folder", String::new())
    } else if kind.is_symlink() {
        let target = fs::read_link(path).unwrap();
        (
            "link",
            target.as_os_str().as_bytes().escape_ascii().to_string(),
        )
    } else if kind.is_fifo() {
        ("pipe", String::new())
    } else if kind.is_socket() {
        ("socket", String::new())
    } else {
        ("device", metadata.rdev().to_string())
    }
}

fn hash(path: &Path) -> io::Result<String> {
    let mut file = fs::File::open(path)?;
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hasher.finalize().to_hex().to_string()),
            length => hasher.update(&buffer[..length]),
        };
    }
}

/// Every file below a folder, in order.
#[must_use]
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    found
}
