//! What a confined process may open, by Landlock.

use std::{
    os::fd::{AsFd as _, BorrowedFd},
    path::Path,
};

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible as _, LandlockStatus,
    PathBeneath, PathFd, Ruleset, RulesetAttr as _, RulesetCreated, RulesetCreatedAttr as _,
    RulesetError, RulesetStatus, Scope,
};
use rustix::fs::{FileType, fstat};

/// The newest rights that this asks for. Older kernels know fewer and enforce what they know.
const NEWEST: ABI = ABI::V9;

/// Where programs find their libraries.
const LIBRARIES: [&str; 12] = [
    "/lib",
    "/lib32",
    "/lib64",
    "/usr/lib",
    "/usr/lib32",
    "/usr/lib64",
    "/usr/local/lib",
    "/usr/local/lib64",
    "/usr/share/zoneinfo",
    // What tesseract knows of languages.
    "/usr/share/tesseract-ocr",
    "/usr/share/tessdata",
    "/usr/local/share/tessdata",
];

/// Single things that programs look at when they start, none of them private.
const LOOKED_AT: [&str; 8] = [
    "/etc/ld.so.cache",
    "/etc/ld.so.preload",
    "/etc/localtime",
    "/dev/zero",
    "/dev/urandom",
    "/dev/random",
    "/sys/devices/system/cpu",
    "/sys/devices/system/node",
];

/// What the kernel itself starts when it starts a program.
const LOADERS: [&str; 4] = [
    "/lib64/ld-linux-x86-64.so.2",
    "/lib/ld-linux-aarch64.so.1",
    "/lib/ld-musl-x86_64.so.1",
    "/lib/ld-musl-aarch64.so.1",
];

/// What a process may open beside system libraries.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Openable<'a> {
    /// The program that it becomes.
    pub(super) program: Option<&'a Path>,
    /// Whether the file on its standard input may be opened anew, to seek in it.
    pub(super) is_input: bool,
    /// A folder that it may write to, but not delete from: what it writes can be counted.
    pub(super) scratch: Option<&'a Path>,
    /// A folder that it may read.
    pub(super) folder: Option<&'a Path>,
}

/// Gives up every file but these, and the network as far as Landlock knows it, for good. Gives the
/// version of Landlock that is in force, 0 for none.
pub(super) fn give_up(openable: Openable<'_>) -> Result<i32, RulesetError> {
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(NEWEST))?
        .handle_access(AccessNet::from_all(NEWEST))?
        .scope(Scope::from_all(NEWEST))?
        .create()?;
    for path in LIBRARIES.into_iter().chain(LOOKED_AT) {
        rules = allow(rules, Path::new(path), read)?;
    }
    rules = allow(
        rules,
        Path::new("/dev/null"),
        AccessFs::ReadFile | AccessFs::WriteFile,
    )?;
    if let Some(program) = openable.program {
        let start = AccessFs::ReadFile | AccessFs::Execute;
        for path in LOADERS.iter().map(Path::new).chain([program]) {
            rules = allow(rules, path, start)?;
        }
    }
    if let Some(folder) = openable.folder {
        rules = allow(rules, folder, read)?;
    }
    if let Some(scratch) = openable.scratch {
        let write =
            AccessFs::WriteFile | AccessFs::Truncate | AccessFs::MakeReg | AccessFs::MakeDir | read;
        rules = allow(rules, scratch, write)?;
    }
    let input = std::io::stdin();
    // A pipe has no name by which it could be opened, and the kernel takes no rule for it.
    if openable.is_input && !is_pipe(input.as_fd()) {
        rules = rules.add_rule(PathBeneath::new(input.as_fd(), AccessFs::ReadFile))?;
    }
    let status = rules.restrict_self()?;
    Ok(match (status.ruleset, status.landlock) {
        (RulesetStatus::NotEnforced, _) => 0,
        (_, LandlockStatus::Available { effective_abi, .. }) => effective_abi as i32,
        _ => 0,
    })
}

fn is_pipe(input: BorrowedFd<'_>) -> bool {
    let kind = fstat(input).map(|stat| FileType::from_raw_mode(stat.st_mode));
    matches!(kind, Ok(FileType::Fifo | FileType::Socket))
}

/// Allows something with what is below it; what a machine does not have needs no permission.
fn allow(
    rules: RulesetCreated,
    path: &Path,
    access: BitFlags<AccessFs>,
) -> Result<RulesetCreated, RulesetError> {
    let Ok(handle) = PathFd::new(path) else {
        return Ok(rules);
    };
    let access = if path.is_dir() {
        access
    } else {
        access & AccessFs::from_file(NEWEST)
    };
    rules.add_rule(PathBeneath::new(handle, access))
}
