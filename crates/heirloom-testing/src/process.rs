//! The real program as a child process: started, watched, stopped or killed.

use std::{
    ffi::OsStr,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use rustix::{
    process::{Pid, Signal, Uid, geteuid, kill_process},
    thread::set_thread_res_uid,
};

/// How long anything here waits before the test fails. Generous: it is a guard against hanging,
/// not a claim about speed.
pub const PATIENCE: Duration = Duration::from_secs(240);

/// Does something as somebody whom permissions concern: not as root, if that is who runs the tests.
/// Threads that it starts are that somebody's too.
pub fn as_nobody<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let somebody = scope.spawn(|| {
            if geteuid().is_root() {
                let nobody = Uid::from_raw(65_534);
                set_thread_res_uid(nobody, nobody, nobody).unwrap();
            }
            work()
        });
        somebody.join().unwrap()
    })
}

/// Which program to run and with which data folder.
#[derive(Clone, Debug)]
pub struct Heirloom {
    program: PathBuf,
    before: Vec<String>,
    environment: Vec<(String, String)>,
    data: Option<PathBuf>,
}

/// What a finished process left.
#[derive(Clone, Debug)]
pub struct Finished {
    /// Its exit code; absent when a signal ended it.
    pub code: Option<i32>,
    /// Everything it wrote to standard output.
    pub stdout: String,
    /// Everything it wrote to standard error.
    pub stderr: String,
}

/// A process that runs. Dropping it kills it.
#[derive(Debug)]
pub struct Running {
    child: Child,
    stdout: Captured,
    stderr: Captured,
}

impl Heirloom {
    /// The program at that path: a test gives `env!("CARGO_BIN_EXE_heirloom")`.
    #[must_use]
    pub fn new(program: impl AsRef<Path>) -> Self {
        Self {
            program: program.as_ref().to_owned(),
            before: Vec::new(),
            environment: Vec::new(),
            data: None,
        }
    }

    /// Adds `--data FOLDER` to every command.
    #[must_use]
    pub fn data(mut self, folder: impl AsRef<Path>) -> Self {
        self.data = Some(folder.as_ref().to_owned());
        self
    }

    /// Lets another program start every command: `["prlimit", "--data=268435456"]`.
    #[must_use]
    pub fn behind<S: Into<String>>(mut self, words: impl IntoIterator<Item = S>) -> Self {
        self.before = words.into_iter().map(Into::into).collect();
        self
    }

    /// Sets a variable for every command.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The command without anything inherited that could change its answer: no `HEIRLOOM_*`
    /// variables, English messages, no colours, nothing on standard input.
    #[must_use]
    pub fn command<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Command {
        let program = self.program.as_os_str();
        let mut words = self.before.iter().map(OsStr::new).chain([program]);
        let mut command = Command::new(words.next().unwrap_or(program));
        command.args(words).args(arguments).stdin(Stdio::null());
        if let Some(folder) = &self.data {
            command.arg("--data").arg(folder);
        }
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("HEIRLOOM_") {
                command.env_remove(name);
            }
        }
        command.env("LC_ALL", "C.UTF-8").env("NO_COLOR", "1");
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs a command to its end.
    ///
    /// # Panics
    /// When it cannot be started or takes longer than [`PATIENCE`].
    #[must_use]
    pub fn run<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Finished {
        self.start(arguments).wait()
    }

    /// Starts a command and leaves it running.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn start<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Running {
        let mut child = self
            .command(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("{} cannot be started: {error}", self.program.display())
            });
        let stdout = Captured::reading(child.stdout.take().expect("stdout is piped"));
        let stderr = Captured::reading(child.stderr.take().expect("stderr is piped"));
        Running {
            child,
            stdout,
            stderr,
        }
    }
}

impl Running {
    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it wrote to standard output so far.
    #[must_use]
    pub fn stdout(&self) -> String {
        self.stdout.text()
    }

    /// What it wrote to standard error so far.
    #[must_use]
    pub fn stderr(&self) -> String {
        self.stderr.text()
    }

    /// Whether it has ended.
    ///
    /// # Panics
    /// When the operating system cannot tell.
    #[must_use]
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits until a line that contains `words` stands in either stream, and returns the line.
    ///
    /// # Panics
    /// When the process ends before that or [`PATIENCE`] does.
    pub fn wait_for_line(&mut self, words: &str) -> String {
        self.wait_for(&format!("a line with {words:?}"), |running| {
            let text = running.stdout() + &running.stderr();
            text.lines()
                .find(|line| line.contains(words))
                .map(str::to_owned)
        })
    }

    /// Waits until the server at `address` answers `GET /readyz` with 200.
    ///
    /// # Panics
    /// When the process ends before that or [`PATIENCE`] does.
    pub fn wait_until_ready(&mut self, address: SocketAddr) {
        self.wait_for("an answer from /readyz", |_| {
            is_ready(address).then_some(())
        });
    }

    /// Ends it at once, as a power cut would (SIGKILL), and waits until it is gone.
    ///
    /// # Panics
    /// When it cannot be killed.
    pub fn kill(mut self) -> Finished {
        self.child.kill().unwrap();
        self.finished()
    }

    /// Asks it to stop (SIGTERM) and waits until it has.
    ///
    /// # Panics
    /// When it does not within [`PATIENCE`].
    pub fn stop(self) -> Finished {
        let id = Pid::from_child(&self.child);
        kill_process(id, Signal::TERM).unwrap();
        self.wait()
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When that takes longer than [`PATIENCE`].
    pub fn wait(self) -> Finished {
        self.wait_patiently(1)
    }

    /// Waits for the end of something that takes so many times as long as others.
    ///
    /// # Panics
    /// When that takes longer.
    pub fn wait_patiently(mut self, times: u32) -> Finished {
        let started = Instant::now();
        while self.child.try_wait().unwrap().is_none() {
            if started.elapsed() > PATIENCE * times {
                let said = self.kill();
                panic!(
                    "the process did not end; it said:\n{}{}",
                    said.stdout, said.stderr
                );
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        self.finished()
    }

    fn wait_for<T>(&mut self, what: &str, mut found: impl FnMut(&Self) -> Option<T>) -> T {
        let started = Instant::now();
        loop {
            let ended = self.has_ended();
            if ended {
                self.stdout.finish();
                self.stderr.finish();
            }
            if let Some(found) = found(self) {
                return found;
            }
            if ended || started.elapsed() > PATIENCE {
                panic!(
                    "{what} did not come; it said:\n{}{}",
                    self.stdout(),
                    self.stderr()
                );
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn finished(&mut self) -> Finished {
        let status: ExitStatus = self.child.wait().unwrap();
        self.stdout.finish();
        self.stderr.finish();
        Finished {
            code: status.code(),
            stdout: self.stdout(),
            stderr: self.stderr(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Finished {
    /// The standard output as one JSON document.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| {
            panic!(
                "not JSON ({error}): {:?}\nstandard error: {}",
                self.stdout, self.stderr
            )
        })
    }

    /// This value, if the exit code is `code`.
    ///
    /// # Panics
    /// When it is another one, with what the process said.
    #[must_use]
    #[track_caller]
    pub fn expect_code(self, code: i32) -> Self {
        let Self {
            code: found,
            stdout,
            stderr,
        } = &self;
        assert_eq!(*found, Some(code), "exit code; it said:\n{stdout}{stderr}");
        self
    }
}

/// A loopback address that nobody listened on a moment ago.
///
/// # Panics
/// When the machine has no free port.
#[must_use]
pub fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
}

fn is_ready(address: SocketAddr) -> bool {
    let Ok(mut stream) = TcpStream::connect_timeout(&address, Duration::from_secs(1)) else {
        return false;
    };
    let request = format!("GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    let mut answer = [0; 12];
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    stream.write_all(request.as_bytes()).is_ok()
        && stream.read_exact(&mut answer).is_ok()
        && &answer == b"HTTP/1.1 200"
}

/// What a stream has given so far; a thread reads it so that the process never waits for us.
#[derive(Debug)]
struct Captured {
    text: Arc<Mutex<String>>,
    reader: JoinHandle<()>,
}

impl Captured {
    fn reading(stream: impl std::io::Read + Send + 'static) -> Self {
        let text = Arc::new(Mutex::new(String::new()));
        let shared = Arc::clone(&text);
        let reader = std::thread::spawn(move || {
            let mut lines = BufReader::new(stream);
            let mut line = Vec::new();
            while lines
                .read_until(b'\n', &mut line)
                .is_ok_and(|length| length > 0)
            {
                shared
                    .lock()
                    .unwrap()
                    .push_str(&String::from_utf8_lossy(&line));
                line.clear();
            }
        });
        Self { text, reader }
    }

    fn text(&self) -> String {
        self.text.lock().unwrap().clone()
    }

    /// Waits for the rest of the stream; a grandchild that outlives the process and keeps the
    /// stream open does not hold the test up.
    fn finish(&self) {
        let started = Instant::now();
        while !self.reader.is_finished() && started.elapsed() < Duration::from_secs(2) {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}
