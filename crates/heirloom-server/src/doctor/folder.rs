//! The data folder: who may look into it, and what kind of disk it is on.

use std::{
    fs, io,
    os::unix::{ffi::OsStringExt as _, fs::MetadataExt as _},
    path::{Path, PathBuf},
};

use heirloom_db::Engine;

use super::{amiss, well};
use crate::{library::Library, problem::Problem, wire::Check};

const RIGHTS: &str = "rights";
const DISK: &str = "disk";

/// What others may do with a file: its last three bits.
const OTHERS: u32 = 0o007;

/// Something in the data folder, or the folder itself.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    name: String,
    owner: u32,
    mode: u32,
}

/// Whether the data folder is this user's alone: everything private is in it, and whoever may open its
/// socket is the operator.
pub(super) async fn check_rights(library: &Library) -> Result<Check, Problem> {
    let folder = library.folder().to_owned();
    let shown = folder.display().to_string();
    let looking = tokio::task::spawn_blocking(move || list(&folder));
    let user = rustix::process::geteuid().as_raw();
    Ok(match looking.await.map_err(Problem::internal)? {
        Ok((itself, entries)) => judge_rights(&shown, user, &itself, &entries),
        Err(error) => amiss(
            RIGHTS,
            format!("{shown} cannot be looked into: {error}"),
            "Run Heirloom as the user who owns it.",
        ),
    })
}

/// The folder itself and what is directly in it.
fn list(folder: &Path) -> io::Result<(Entry, Vec<Entry>)> {
    let entry = |name: String, path: &Path| {
        // A configuration that is a link is judged by what it leads to.
        fs::metadata(path).map(|known| Entry {
            name,
            owner: known.uid(),
            mode: known.mode(),
        })
    };
    let itself = entry(String::new(), folder)?;
    let mut entries = Vec::new();
    for found in fs::read_dir(folder)? {
        let found = found?;
        let name = found.file_name().to_string_lossy().into_owned();
        // What is there only while something is under way may be gone by now.
        if let Ok(entry) = entry(name, &found.path()) {
            entries.push(entry);
        }
    }
    entries.sort_by(|one, other| one.name.cmp(&other.name));
    Ok((itself, entries))
}

/// What the operator puts there, and may own.
const OPERATORS_OWN: [&str; 2] = ["config.toml", "lost+found"];

fn judge_rights(shown: &str, user: u32, itself: &Entry, entries: &[Entry]) -> Check {
    if itself.mode & OTHERS != 0 {
        return amiss(
            RIGHTS,
            format!("everybody on this machine can look into {shown}"),
            &format!("Keep others out: chmod 700 {shown}"),
        );
    }
    let is_operators = |entry: &Entry| OPERATORS_OWN.contains(&entry.name.as_str());
    if itself.owner != user {
        return amiss(
            RIGHTS,
            format!("{shown} is another user's, who may not be able to read what is made here"),
            "Run Heirloom as the user who owns it, for instance with `sudo -u heirloom`.",
        );
    }
    let foreign: Vec<&str> = entries
        .iter()
        .filter(|entry| entry.owner != user && !is_operators(entry))
        .map(|entry| entry.name.as_str())
        .collect();
    if !foreign.is_empty() {
        return amiss(
            RIGHTS,
            format!(
                "in {shown} these are another user's: {}",
                foreign.join(", ")
            ),
            &format!(
                "Give them back to the user who owns the folder: chown -R --reference={shown} {shown}"
            ),
        );
    }
    if entries
        .iter()
        .any(|entry| entry.name == "config.toml" && entry.mode & OTHERS != 0)
    {
        return amiss(
            RIGHTS,
            "everybody on this machine can read config.toml, which may hold a password",
            &format!("Keep others out of it: chmod o= {shown}/config.toml"),
        );
    }
    well(RIGHTS, "nobody else can look into the data folder")
}

/// What is mounted where the data folder is.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mount {
    point: PathBuf,
    kind: String,
}

/// Whether the data folder is on a disk that keeps what is written, and that SQLite can work on.
pub(super) async fn check_disk(library: &Library) -> Result<Check, Problem> {
    let folder = library.folder().to_owned();
    let finding = tokio::task::spawn_blocking(move || {
        let mounts = fs::read("/proc/self/mountinfo").unwrap_or_default();
        find_mount(&mounts, &folder)
    });
    let mount = finding.await.map_err(Problem::internal)?;
    Ok(judge_disk(mount.as_ref(), library.db().engine()))
}

/// File systems whose files are another machine's. SQLite shares memory between those who have a
/// database open, which these cannot.
const REMOTE: [&str; 14] = [
    "9p",
    "afs",
    "ceph",
    "cifs",
    "fuse.glusterfs",
    "fuse.rclone",
    "fuse.s3fs",
    "fuse.sshfs",
    "lustre",
    "ncpfs",
    "nfs",
    "nfs4",
    "smb3",
    "smbfs",
];

/// File systems that are gone when the machine or the container stops.
const FLEETING: [&str; 3] = ["overlay", "ramfs", "tmpfs"];

fn judge_disk(mount: Option<&Mount>, engine: Engine) -> Check {
    let Some(Mount { point, kind }) = mount else {
        return well(DISK, "the system does not say what the data folder is on");
    };
    let point = point.display();
    let detail = format!("the data folder is on {kind} at {point}");
    if REMOTE.contains(&kind.as_str()) && engine == Engine::Sqlite {
        return amiss(
            DISK,
            format!("{detail}: another machine's, where the catalogue can be damaged"),
            "Move the data folder to a disk of this machine, or keep the catalogue in PostgreSQL. Originals may \
             stay on the network.",
        );
    }
    if FLEETING.contains(&kind.as_str()) {
        return Check {
            hint: Some(
                "What is kept there is gone when this machine or container stops. Keep the data folder on a disk \
                 or a volume."
                    .to_owned(),
            ),
            ..well(DISK, detail)
        };
    }
    well(DISK, detail)
}

/// The mount that a path is on, from the text of `/proc/self/mountinfo` (proc(5)).
fn find_mount(mounts: &[u8], path: &Path) -> Option<Mount> {
    let mut found: Option<Mount> = None;
    for line in mounts.split(|byte| *byte == b'\n') {
        let mut fields = line.split(|byte| *byte == b' ');
        let point = fields.nth(4).map(unescape);
        // Any number of optional fields stand before a dash, and the kind behind it.
        let kind = fields.skip_while(|field| *field != b"-").nth(1);
        let (Some(point), Some(kind)) = (point, kind) else {
            continue;
        };
        let length = |path: &Path| path.components().count();
        let is_nearer = found
            .as_ref()
            .is_none_or(|found| length(&point) >= length(&found.point));
        // Of two at the same place the later one covers the other.
        if path.starts_with(&point) && is_nearer {
            let kind = String::from_utf8_lossy(kind).into_owned();
            found = Some(Mount { point, kind });
        }
    }
    found
}

/// A path as the kernel writes it there: a backslash and three octal digits stand for white space.
fn unescape(text: &[u8]) -> PathBuf {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        let digits = after.get(..3).filter(|_| *first == b'\\');
        let byte = digits
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        if let Some(byte) = byte {
            bytes.push(byte);
            rest = after.get(3..).unwrap_or_default();
        } else {
            bytes.push(*first);
        }
    }
    PathBuf::from(std::ffi::OsString::from_vec(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, owner: u32, mode: u32) -> Entry {
        let name = name.to_owned();
        Entry { name, owner, mode }
    }

    #[test]
    fn a_folder_that_others_can_reach_is_told_with_what_to_type() {
        let sound = [
            entry("catalogue.db", 100, 0o100_644),
            entry("config.toml", 0, 0o100_640),
            entry("socket", 100, 0o140_600),
        ];
        let with = |more: Entry| [&sound[..], &[more]].concat();
        let cases = [
            (entry("", 100, 0o40_700), sound.to_vec(), None),
            (entry("", 100, 0o40_750), sound.to_vec(), None),
            (
                entry("", 100, 0o40_755),
                sound.to_vec(),
                Some("chmod 700 /d"),
            ),
            (
                entry("", 100, 0o40_701),
                sound.to_vec(),
                Some("chmod 700 /d"),
            ),
            (entry("", 7, 0o40_700), sound.to_vec(), Some("sudo -u")),
            (
                entry("", 100, 0o40_700),
                with(entry("catalogue.db-wal", 0, 0o100_644)),
                Some("chown -R --reference=/d /d"),
            ),
            (
                entry("", 100, 0o40_700),
                vec![entry("config.toml", 0, 0o100_644)],
                Some("chmod o="),
            ),
        ];
        for (itself, entries, hint) in cases {
            let check = judge_rights("/d", 100, &itself, &entries);
            assert_eq!(check.is_well, hint.is_none(), "{check:?}");
            let said = check.hint.unwrap_or_default();
            assert!(said.contains(hint.unwrap_or_default()), "{said}");
        }
    }

    #[test]
    fn a_network_disk_is_told_where_the_catalogue_is_on_it() {
        let mounts = b"22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n\
            23 22 0:21 / /home/anna\\040s rw - nfs4 host:/homes rw,vers=4.2\n\
            24 22 0:22 / /tmp rw,nosuid shared:2 master:1 - tmpfs tmpfs rw\n\
            25 24 0:23 / /tmp rw - ext4 /dev/vdb rw\n\
            26 22 0:24 / /run rw - tmpfs tmpfs rw\n\
            broken line\n";
        // Path, what it is on, well on SQLite, well on PostgreSQL, with a word of advice.
        let cases = [
            ("/var/lib/heirloom", "ext4", true, true, false),
            ("/home/anna's", "ext4", true, true, false),
            ("/home/anna s/data", "nfs4", false, true, true),
            ("/tmp/data", "ext4", true, true, false),
            ("/runner", "ext4", true, true, false),
            ("/run/data", "tmpfs", true, true, true),
        ];
        for (path, kind, on_sqlite, on_postgres, has_hint) in cases {
            let mount = find_mount(mounts, Path::new(path)).unwrap();
            assert_eq!(mount.kind, kind, "{path}");
            let check = judge_disk(Some(&mount), Engine::Sqlite);
            assert_eq!(check.is_well, on_sqlite, "{check:?}");
            assert_eq!(check.hint.is_some(), has_hint, "{check:?}");
            let check = judge_disk(Some(&mount), Engine::Postgres);
            assert_eq!(check.is_well, on_postgres, "{check:?}");
        }
        assert_eq!(find_mount(b"", Path::new("/x")), None);
        assert!(judge_disk(None, Engine::Sqlite).is_well);
    }
}
