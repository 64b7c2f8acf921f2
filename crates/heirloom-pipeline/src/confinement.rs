//! Hostile bytes are read by a child process that has given up whatever it could do harm with.
//!
//! Heirloom starts itself ([`enter`] comes first thing in `main`), the child gives up files, network,
//! processes, signals, memory and time, and then either becomes a command tool
//! ([`Confinement::run`]) or does jobs one after another in Rust ([`Hand`]). Nothing that such a
//! child says is trusted: every length is bounded, every wait ends, and whoever cancels has it killed.
//!
//! Landlock keeps files away (Linux 5.13 and newer) and a seccomp filter lets only those system calls
//! through that decoders need. Where the kernel has neither, limits of the process remain;
//! [`Confinement::strength`] tells, for the log and for `doctor`. What is left to a child in any case:
//! to ask whether a path exists and how large it is, and to read system libraries.

mod calls;
mod child;
mod command;
mod error;
mod files;
mod frame;
mod hand;
mod job;
mod limits;
mod process;
mod room;
mod scratch;
mod strength;

use std::{
    io::{self, Read as _},
    ops::ControlFlow,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Arc, OnceLock},
};

use tokio_util::sync::CancellationToken;

pub use child::enter;
pub use command::{Command, Finished};
pub(crate) use error::plain_lines;
pub use error::{ConfinementError, Excess};
pub use hand::{Hand, HandSettings};
pub use job::{Answer, Failure, JobHeader, Jobs};
pub use limits::{JobLimits, Limits};
pub use room::RoomSettings;
pub use strength::Strength;

use child::{Errand, Orders};
use room::Room;

/// The program that confined children are started from. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct Confinement {
    program: Arc<Path>,
    strength: Arc<OnceLock<Strength>>,
    room: Room,
}

impl Confinement {
    /// Children are this program itself, whose `main` begins with [`enter`]. It stays the same program
    /// even when its file is replaced by a newer one meanwhile.
    #[must_use]
    pub fn of_this_program() -> Self {
        Self::through("/proc/self/exe")
    }

    /// Children are another program whose `main` begins with [`enter`]: tests have one.
    #[must_use]
    pub fn through(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into().into(),
            strength: Arc::new(OnceLock::new()),
            room: Room::new(RoomSettings::default()),
        }
    }

    /// Processes of [`Hand`]s wait like this between two jobs.
    #[must_use]
    pub fn waiting_as(self, settings: RoomSettings) -> Self {
        Self {
            room: Room::new(settings),
            ..self
        }
    }

    /// Whether a command tool is installed.
    #[must_use]
    pub fn has_program(&self, name: &str) -> bool {
        command::find(Path::new(name)).is_ok()
    }

    /// Runs a command tool over one file. Dropping the future kills it.
    ///
    /// # Errors
    /// [`ConfinementError`] tells how it ended otherwise.
    pub async fn run(
        &self,
        command: Command,
        cancelled: &CancellationToken,
    ) -> Result<Finished, ConfinementError> {
        let most = command.limits.stdout_bytes;
        let run = self.run_reading(command, Vec::new(), cancelled, move |kept, block| {
            if (kept.len() + block.len()) as u64 > most {
                return ControlFlow::Break(());
            }
            kept.extend_from_slice(block);
            ControlFlow::Continue(())
        });
        let (mut finished, stdout) = run.await?;
        finished.stdout = stdout;
        Ok(finished)
    }

    /// Like [`run`](Self::run), but hands what the program writes to `read` as it comes, so that it need
    /// not fit into memory. `read` breaks off what has become too much. Gives `state` back.
    ///
    /// # Errors
    /// [`ConfinementError`] tells how it ended otherwise.
    pub async fn run_reading<T: Send + 'static>(
        &self,
        command: Command,
        mut state: T,
        cancelled: &CancellationToken,
        read: impl Fn(&mut T, &[u8]) -> ControlFlow<()> + Send + 'static,
    ) -> Result<(Finished, T), ConfinementError> {
        let cancelled = cancelled.child_token();
        let _kill_when_dropped = cancelled.clone().drop_guard();
        let confinement = self.clone();
        // The thread that starts a child has to outlive it: its end is what kills the child when the
        // server dies.
        let run = tokio::task::spawn_blocking(move || {
            confinement.strength();
            let mut sink = |block: &[u8]| read(&mut state, block);
            let finished = command::run(&confinement, command, &cancelled, &mut sink)?;
            Ok((finished, state))
        });
        run.await.unwrap_or(Err(ConfinementError::Cancelled))
    }

    /// How well children are confined on this machine, tried with one. Blocks for some milliseconds the
    /// first time, and says in the log what is missing.
    pub fn strength(&self) -> Strength {
        *self.strength.get_or_init(|| {
            let strength = self.try_strength().unwrap_or_else(|error| {
                tracing::warn!(%error, "no confined process can be started");
                Strength::NONE
            });
            for gap in strength.gaps() {
                tracing::warn!("files are read by a process that is less confined: {gap}");
            }
            strength
        })
    }

    fn try_strength(&self) -> io::Result<Strength> {
        let orders = Orders::new(Errand::Probe, &Limits::default());
        let mut child = self.command(&orders)?.stdin(Stdio::null()).spawn()?;
        let mut answer = String::new();
        if let Some(stdout) = child.stdout.take() {
            stdout.take(4096).read_to_string(&mut answer)?;
        }
        child.wait()?;
        serde_json::from_str(&answer).map_err(io::Error::other)
    }

    /// The child before it is started: nothing of this process' environment goes with it.
    fn command(&self, orders: &Orders) -> io::Result<std::process::Command> {
        use std::os::unix::process::CommandExt as _;
        let mut command = std::process::Command::new(&*self.program);
        command
            .arg0("heirloom")
            .arg(child::DOOR)
            .arg(serde_json::to_string(orders)?)
            .env_clear()
            .env("LC_ALL", "C.UTF-8")
            .current_dir("/")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Ok(command)
    }
}
