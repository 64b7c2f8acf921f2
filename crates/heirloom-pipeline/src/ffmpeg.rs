//! FFmpeg, confined: the one place that says how it is called.

use std::{ffi::OsString, fmt::Display, fs::File, ops::ControlFlow, path::PathBuf, time::Duration};

use heirloom_core::unit::FailureCode;
use tokio_util::sync::CancellationToken;

use crate::{
    confinement::{Command, Confinement, ConfinementError, Finished, Limits, plain_lines},
    log::Log,
    probe::Probe,
};

/// Of a file in which nothing is to be heard.
pub(crate) fn no_sound() -> ConfinementError {
    ConfinementError::failed(FailureCode::Empty, "there is no sound in this file")
}

/// What the functions for films and sound work with. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct Ffmpeg {
    confinement: Confinement,
    scratch: PathBuf,
    log: Log,
}

/// What comes through a pipe while it is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Incoming {
    /// Samples of one channel, 16 bits each, the lower byte first.
    Samples {
        /// How many there are in a second.
        per_second: u32,
    },
    /// Opus in Ogg or WebM, WAV, or whatever else begins by saying what it is.
    Packed,
}

/// One call of a program.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) input: &'a File,
    pub(crate) arguments: Vec<String>,
    /// The files that it makes.
    pub(crate) outputs: Vec<String>,
    pub(crate) limits: Limits,
}

impl Ffmpeg {
    /// FFmpeg in confinement; while it works, a folder lies in `scratch`.
    #[must_use]
    pub fn new(confinement: Confinement, scratch: impl Into<PathBuf>) -> Self {
        Self {
            confinement,
            scratch: scratch.into(),
            log: Log::default(),
        }
    }

    /// The same, and what it does and says is noted there.
    #[must_use]
    pub(crate) fn heard_by(&self, log: Log) -> Self {
        Self {
            log,
            ..self.clone()
        }
    }

    /// The version of the program that is installed.
    ///
    /// # Errors
    /// [`ConfinementError::CouldNotStart`] where none is.
    pub async fn version(&self) -> Result<String, ConfinementError> {
        let command = Command {
            program: "ffmpeg".into(),
            arguments: vec!["-version".into()],
            input: None,
            scratch: self.scratch.clone(),
            outputs: Vec::new(),
            limits: Limits::default(),
        };
        let cancelled = CancellationToken::new();
        let said = self.confinement.run(command, &cancelled).await?.stdout;
        let said = String::from_utf8_lossy(&said);
        // "ffmpeg version 5.1.8-0+deb12u1 Copyright …"
        Ok(said.split(' ').nth(2).unwrap_or_default().to_owned())
    }

    pub(crate) async fn ffprobe(
        &self,
        call: Call<'_>,
        cancelled: &CancellationToken,
    ) -> Result<Finished, ConfinementError> {
        let command = self.command("ffprobe", call)?;
        let run = self.confinement.run(command, cancelled).await;
        self.note("ffprobe", run.as_ref());
        plainly(run)
    }

    pub(crate) async fn ffmpeg(
        &self,
        call: Call<'_>,
        cancelled: &CancellationToken,
    ) -> Result<Finished, ConfinementError> {
        let command = self.command("ffmpeg", call)?;
        let run = self.confinement.run(command, cancelled).await;
        self.note("ffmpeg", run.as_ref());
        plainly(run)
    }

    /// Reads the samples of a film or recording: of one channel, so many in a second, 16 bits each.
    ///
    /// # Errors
    /// [`ConfinementError`]; `Failed` when there is no sound in the file.
    pub(crate) async fn read_samples<T: Send + 'static>(
        &self,
        (input, probe): (&File, &Probe),
        per_second: impl Display,
        state: T,
        cancelled: &CancellationToken,
        read: impl Fn(&mut T, &[u8]) -> ControlFlow<()> + Send + 'static,
    ) -> Result<T, ConfinementError> {
        let sound = probe.sound.as_ref().ok_or_else(no_sound)?;
        let mut arguments = words(INPUT);
        arguments.extend(words(["-map", &format!("0:{}", sound.index), "-ac", "1"]));
        arguments.extend(words(["-ar", &per_second.to_string()]));
        arguments.extend(words(["-f", "s16le", "pipe:1"]));
        let call = Call {
            input,
            arguments,
            outputs: Vec::new(),
            limits: lengthy(probe.duration_ms),
        };
        self.ffmpeg_reading(call, state, cancelled, read).await
    }

    /// Reads samples as [`read_samples`](Self::read_samples) does, of what comes through a pipe and has no end yet.
    ///
    /// # Errors
    /// [`ConfinementError`].
    pub(crate) async fn read_live<T: Send + 'static>(
        &self,
        (input, incoming): (&File, Incoming),
        state: T,
        cancelled: &CancellationToken,
        read: impl Fn(&mut T, &[u8]) -> ControlFlow<()> + Send + 'static,
    ) -> Result<T, ConfinementError> {
        // What is looked at before the first sample comes out: what a browser records says at once what it is. Nothing of
        // it is dropped.
        let mut arguments = match incoming {
            Incoming::Samples { per_second } => words([
                "-probesize",
                "32",
                "-f",
                "s16le",
                "-ac",
                "1",
                "-ar",
                &per_second.to_string(),
            ]),
            Incoming::Packed => words(["-probesize", "4096"]),
        };
        arguments.extend(words(["-analyzeduration", "0"]));
        arguments.extend(words(["-protocol_whitelist", "pipe", "-i", "pipe:0"]));
        arguments.extend(words(["-map", "0:a:0", "-ac", "1", "-ar", "16000"]));
        arguments.extend(words(["-flush_packets", "1", "-f", "s16le", "pipe:1"]));
        let call = Call {
            input,
            arguments,
            outputs: Vec::new(),
            limits: lengthy(None),
        };
        self.ffmpeg_reading(call, state, cancelled, read).await
    }

    async fn ffmpeg_reading<T: Send + 'static>(
        &self,
        call: Call<'_>,
        state: T,
        cancelled: &CancellationToken,
        read: impl Fn(&mut T, &[u8]) -> ControlFlow<()> + Send + 'static,
    ) -> Result<T, ConfinementError> {
        let command = self.command("ffmpeg", call)?;
        let run = self
            .confinement
            .run_reading(command, state, cancelled, read)
            .await;
        self.note("ffmpeg", run.as_ref().map(|(finished, _)| finished));
        plainly(run).map(|(_, state)| state)
    }

    /// A file that nobody else sees, to hand from one call to the next.
    pub(crate) fn unnamed_file(&self) -> Result<File, ConfinementError> {
        std::fs::create_dir_all(&self.scratch)
            .and_then(|()| tempfile::tempfile_in(&self.scratch))
            .map_err(|error| ConfinementError::could_not_start("ffmpeg", &error))
    }

    /// Notes how a call ended, and what the program said in its own words.
    fn note(&self, program: &str, ended: Result<&Finished, &ConfinementError>) {
        match ended {
            Ok(finished) => {
                plain_lines(&finished.said).for_each(|line| self.log.say(&line));
                let (wall, cpu) = (finished.wall.as_secs_f32(), finished.cpu.as_secs_f32());
                self.log.say(&format!(
                    "{program}: done in {wall:.1} s, of which it computed {cpu:.1} s"
                ));
            }
            Err(error) => self.log.say(&format!("{program}: {error}")),
        }
    }

    fn command(&self, program: &str, call: Call<'_>) -> Result<Command, ConfinementError> {
        let input = call
            .input
            .try_clone()
            .map_err(|error| ConfinementError::could_not_start(program, &error))?;
        let mut arguments: Vec<OsString> = ["-hide_banner", "-v", "error"].map(Into::into).into();
        if program == "ffmpeg" {
            // Its standard input is the film, not somebody's keyboard.
            arguments.push("-nostdin".into());
        }
        arguments.extend(call.arguments.into_iter().map(Into::into));
        Ok(Command {
            program: program.into(),
            arguments,
            input: Some(input),
            scratch: self.scratch.clone(),
            outputs: call.outputs,
            limits: call.limits,
        })
    }
}

/// Arguments that name the input. A playlist that names other files finds none: only files are opened,
/// and of those only this one.
pub(crate) const INPUT: [&str; 4] = ["-protocol_whitelist", "file,pipe", "-i", Command::INPUT];

/// Limits for something that looks at a few moments of a film.
pub(crate) fn brief() -> Limits {
    Limits {
        wall: Duration::from_secs(120),
        cpu: Duration::from_secs(120),
        // Frames of 8K films are large, and threads hold several of them.
        memory_bytes: 4 << 30,
        scratch_bytes: 256 << 20,
        stdout_bytes: 64 << 20,
    }
}

/// Limits for something that goes through all of a film or recording of that length.
pub(crate) fn lengthy(duration_ms: Option<u64>) -> Limits {
    // One that does not say how long it is gets what a long evening takes.
    let seconds = duration_ms.map_or(4 * 3600, |duration_ms| duration_ms / 1000);
    Limits {
        // A small machine is slower than the film.
        wall: Duration::from_secs(300 + seconds.saturating_mul(20).min(7 * 24 * 3600)),
        cpu: Duration::from_secs(300 + seconds.saturating_mul(60).min(28 * 24 * 3600)),
        // More than what 1080p takes at the quality that is asked for.
        scratch_bytes: (256 << 20) + seconds.saturating_mul(4 << 20).min(1 << 40),
        ..brief()
    }
}

pub(crate) fn words<const N: usize>(words: [&str; N]) -> Vec<String> {
    words.map(str::to_owned).into()
}

/// Says in plain words, and as a word, what FFmpeg says in its own.
fn plainly<T>(outcome: Result<T, ConfinementError>) -> Result<T, ConfinementError> {
    outcome.map_err(|error| match error {
        ConfinementError::Failed { code, reason, .. } => {
            let found = PLAIN.iter().find(|(theirs, ..)| reason.contains(theirs));
            let (code, reason) = found.map_or((code, reason), |(_, code, ours)| {
                (*code, (*ours).to_owned())
            });
            ConfinementError::failed(code, reason)
        }
        other => other,
    })
}

const DAMAGED: &str =
    "the contents of this file make no sense: it is damaged, or something else than its name says";

/// What FFmpeg says, and what it means; the first that is found holds.
const PLAIN: &[(&str, FailureCode, &str)] = &[
    (
        "moov atom not found",
        FailureCode::Damaged,
        "the file ends before its table of contents, which comes last: it was cut short",
    ),
    (
        "does not contain any stream",
        FailureCode::Empty,
        "there are neither pictures nor sound in this file",
    ),
    (
        "matches no streams",
        FailureCode::Empty,
        "what was looked for is not in this file",
    ),
    (
        "Unknown encoder",
        FailureCode::NoProgram,
        "the FFmpeg of this machine lacks an encoder that is needed (libx264, aac or libopus)",
    ),
    (
        "No such filter",
        FailureCode::NoProgram,
        "the FFmpeg of this machine lacks a filter that is needed",
    ),
    (
        "no decoder found",
        FailureCode::Unsupported,
        "the FFmpeg of this machine does not know this kind of film or sound",
    ),
    ("Invalid data found", FailureCode::Damaged, DAMAGED),
    (
        "End of file",
        FailureCode::Damaged,
        "the file ends too early: it was cut short",
    ),
    // Nothing came that a filter or an encoder could be made ready for.
    ("Cannot determine format", FailureCode::Damaged, DAMAGED),
    ("Error ", FailureCode::Damaged, DAMAGED),
    ("error ", FailureCode::Damaged, DAMAGED),
];
