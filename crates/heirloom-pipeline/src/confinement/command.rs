//! A command tool over one file.

use std::{
    ffi::OsString,
    fs::File,
    io::{self, Read as _},
    ops::ControlFlow,
    os::fd::AsFd as _,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use heirloom_core::unit::FailureCode;
use tokio_util::sync::CancellationToken;

use super::{
    Confinement, ConfinementError, Excess, Limits,
    child::{Errand, Orders},
    process::{Bounds, Process},
    scratch::Scratch,
};

/// What to run.
#[derive(Debug)]
pub struct Command {
    /// The tool: a name such as `ffmpeg`, which is looked for where systems keep their programs, or a path.
    pub program: PathBuf,
    /// What it is told. The input is called [`Command::INPUT`]; what it makes is a name without a folder.
    pub arguments: Vec<OsString>,
    /// The one file that it may read; without one it reads nothing.
    pub input: Option<File>,
    /// The folder in which the folder that it may write to is made, and removed afterwards.
    pub scratch: PathBuf,
    /// The names of the files that it makes and that are wanted.
    pub outputs: Vec<String>,
    /// What it may take.
    pub limits: Limits,
}

/// What a tool made.
#[derive(Debug)]
pub struct Finished {
    /// What it wrote to its standard output, where that was kept.
    pub stdout: Vec<u8>,
    /// The end of what it wrote to its standard error.
    pub said: String,
    /// The wanted files, in the order in which they were asked for. They have no name any more and are
    /// gone for good once they are closed.
    pub outputs: Vec<File>,
    /// How long it took by the clock on the wall.
    pub wall: Duration,
    /// How long it computed, over all its threads.
    pub cpu: Duration,
}

impl Command {
    /// What the input is called in the arguments: it can be opened again and again, and sought in.
    pub const INPUT: &str = "/proc/self/fd/0";
}

/// Where systems keep their programs. The environment is not asked: what is run here is not chosen by
/// whoever started the server.
const PLACES: [&str; 4] = [
    "/usr/local/bin",
    "/usr/bin",
    "/bin",
    "/run/current-system/sw/bin",
];

/// How often the scratch folder is measured.
const MEASURE_EVERY: Duration = Duration::from_millis(100);

/// Runs a tool to its end and hands on what it writes.
pub(super) fn run(
    confinement: &Confinement,
    command: Command,
    cancelled: &CancellationToken,
    sink: &mut dyn FnMut(&[u8]) -> ControlFlow<()>,
) -> Result<Finished, ConfinementError> {
    let name = command.program.to_string_lossy().into_owned();
    let could_not = |error: io::Error| ConfinementError::could_not_start(&name, &error);
    let program = find(&command.program)?;
    let scratch = Scratch::create_in(&command.scratch).map_err(could_not)?;
    let errand = Errand::Program {
        has_input: command.input.is_some(),
    };
    let limits = command.limits;
    let bounds = Bounds {
        started: Instant::now(),
        wall: limits.wall,
        cpu: limits.cpu,
        cpu_before: Duration::ZERO,
        cancelled,
    };
    bounds.check()?;
    let mut process = confinement
        .command(&Orders::new(errand, &limits))
        .map_err(could_not)?;
    let child = process
        .arg(program)
        .args(&command.arguments)
        .current_dir(scratch.path())
        .stdin(command.input.map_or_else(Stdio::null, Stdio::from))
        .spawn()
        .map_err(could_not)?;
    let mut process = Process::new(short(&command.program), child);
    let ended = watch(&mut process, &bounds, &scratch, limits.scratch_bytes, sink)?;
    if !ended.status.success() {
        return Err(process.explain(ended, &bounds));
    }
    // It may have written more between the last look and its end.
    if scratch.holds_more_than(limits.scratch_bytes) {
        return Err(ConfinementError::TooMuch(Excess::Disk));
    }
    let outputs: Result<Vec<File>, ConfinementError> = command
        .outputs
        .iter()
        .map(|output| {
            scratch.open(output).map_err(|_| {
                ConfinementError::failed(
                    FailureCode::Damaged,
                    format!("{} made nothing of this file", process.name),
                )
            })
        })
        .collect();
    Ok(Finished {
        stdout: Vec::new(),
        said: process.said(),
        outputs: outputs?,
        wall: bounds.started.elapsed(),
        cpu: ended.cpu,
    })
}

fn watch(
    process: &mut Process,
    bounds: &Bounds<'_>,
    scratch: &Scratch,
    scratch_bytes: u64,
    sink: &mut dyn FnMut(&[u8]) -> ControlFlow<()>,
) -> Result<super::process::Ended, ConfinementError> {
    let mut stdout = process.take_stdout();
    let mut block = vec![0; 64 * 1024];
    let mut measured = Instant::now();
    loop {
        let is_ready = process.wait_for(stdout.as_ref().map(|stdout| stdout.as_fd()));
        if let Some(open) = &mut stdout
            && is_ready
        {
            match open.read(&mut block) {
                Ok(0) => stdout = None,
                Ok(length) => {
                    let read = block.get(..length).unwrap_or_default();
                    if sink(read).is_break() {
                        return Err(ConfinementError::TooMuch(Excess::Answer));
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => stdout = None,
            }
        }
        if stdout.is_none()
            && process.is_silent()
            && let Some(ended) = process.ended()
        {
            return Ok(ended);
        }
        bounds.check()?;
        if measured.elapsed() > MEASURE_EVERY {
            if scratch.holds_more_than(scratch_bytes) {
                return Err(ConfinementError::TooMuch(Excess::Disk));
            }
            measured = Instant::now();
        }
    }
}

/// The program itself, without links: that file is what it may start.
pub(super) fn find(program: &Path) -> Result<PathBuf, ConfinementError> {
    let places: Vec<PathBuf> = if program.is_absolute() {
        vec![program.to_owned()]
    } else {
        PLACES
            .iter()
            .map(|place| Path::new(place).join(program))
            .collect()
    };
    places
        .iter()
        .find_map(|path| path.canonicalize().ok().filter(|path| path.is_file()))
        .ok_or_else(|| {
            let name = short(program);
            let reason = match package(&name) {
                Some(package) => {
                    format!("it is not installed; the package that brings it is called {package}")
                }
                None => "it is not installed".to_owned(),
            };
            ConfinementError::CouldNotStart {
                program: name,
                reason,
            }
        })
}

fn short(program: &Path) -> String {
    program
        .file_name()
        .unwrap_or(program.as_os_str())
        .to_string_lossy()
        .into_owned()
}

/// The package that brings a program, on Debian and on most others.
fn package(program: &str) -> Option<&'static str> {
    match program {
        "ffmpeg" | "ffprobe" => Some("ffmpeg"),
        "tesseract" => Some("tesseract-ocr"),
        _ => None,
    }
}
