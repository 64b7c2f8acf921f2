//! Hostile bytes meet a process that can do no harm, and a parent that stays well.

pub(crate) mod children;

use std::{
    fs::{self, File, Permissions},
    io::{Read as _, Write as _},
    net::TcpListener,
    os::{
        fd::AsRawFd as _,
        unix::{fs::PermissionsExt as _, net::UnixListener},
    },
    path::PathBuf,
    process::{Command as Process, Stdio},
    time::{Duration, Instant},
};

use heirloom_core::unit::FailureCode;
use heirloom_pipeline::confinement::{
    Command, Confinement, ConfinementError, Excess, Hand, HandSettings, JobLimits, Limits, Strength,
};
use heirloom_testing::process::{PATIENCE, as_nobody};
use rustix::io::{FdFlags, fcntl_dupfd_cloexec, fcntl_setfd};
use serde_json::{Value as Json, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use children::{children_of, is_hanging, is_running};

/// A data folder with something to lose, and a hostile program beside it.
struct Place {
    folder: TempDir,
    program: PathBuf,
    confinement: Confinement,
}

/// How hostile bytes come to power.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// As a command tool.
    Tool,
    /// In a decoder that is linked in.
    Linked,
}

const WAYS: [Way; 2] = [Way::Tool, Way::Linked];

/// What keeps something away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Guard {
    Landlock,
    Seccomp,
    /// The kernel's limits or its parent: they are always there.
    Always,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o777)).unwrap();
        let program = folder.path().join("program");
        fs::copy(env!("CARGO_BIN_EXE_confined-for-tests"), &program).unwrap();
        fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
        fs::create_dir(folder.path().join("data")).unwrap();
        for (name, text) in [("data/heirloom.db", "family secrets"), ("input", "picture")] {
            fs::write(folder.path().join(name), text).unwrap();
            fs::set_permissions(folder.path().join(name), Permissions::from_mode(0o666)).unwrap();
        }
        fs::set_permissions(folder.path().join("data"), Permissions::from_mode(0o777)).unwrap();
        Self {
            confinement: Confinement::through(&program),
            folder,
            program,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn secret(&self) -> PathBuf {
        self.path("data/heirloom.db")
    }

    fn scratch(&self) -> PathBuf {
        self.path("scratch")
    }

    fn input(&self) -> File {
        File::open(self.path("input")).unwrap()
    }

    fn command(&self, what: &str, at: &[&str], limits: Limits) -> Command {
        Command {
            program: self.program.clone(),
            arguments: [what].iter().chain(at).map(Into::into).collect(),
            input: Some(self.input()),
            scratch: self.scratch(),
            outputs: Vec::new(),
            limits,
        }
    }

    /// Lets hostile bytes try one thing; gives what they say came of it.
    fn attempt(&self, way: Way, what: &str, at: &[&str]) -> Result<String, ConfinementError> {
        self.attempt_within(way, what, at, Limits::default())
    }

    fn attempt_within(
        &self,
        way: Way,
        what: &str,
        at: &[&str],
        limits: Limits,
    ) -> Result<String, ConfinementError> {
        let never = CancellationToken::new();
        block_on(async {
            match way {
                Way::Tool => {
                    let command = self.command(what, at, limits);
                    let finished = self.confinement.run(command, &never).await?;
                    Ok(String::from_utf8_lossy(&finished.stdout).trim().to_owned())
                }
                Way::Linked => {
                    let settings = HandSettings {
                        memory_bytes: limits.memory_bytes,
                        ..HandSettings::default()
                    };
                    let hand = Hand::start(&self.confinement, settings).unwrap();
                    let header = json!({ "attempt": what, "at": at });
                    let job_limits = JobLimits {
                        wall: limits.wall,
                        cpu: limits.cpu,
                        answer_bytes: limits.stdout_bytes,
                    };
                    let parts = hand.work(header, self.input(), job_limits, &never).await?;
                    Ok(parts[0].0["outcome"].as_str().unwrap().to_owned())
                }
            }
        })
    }

    /// Nothing that was there has changed, and nothing is left over.
    fn assert_unharmed(&self, after: &str) {
        assert_eq!(
            fs::read_to_string(self.secret()).unwrap(),
            "family secrets",
            "{after}"
        );
        let mode = fs::metadata(self.secret()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o666, "{after}");
        assert_eq!(
            fs::read_dir(self.path("data")).unwrap().count(),
            1,
            "{after}"
        );
        let left = fs::read_dir(self.scratch()).map_or(0, Iterator::count);
        assert_eq!(left, 0, "{after}: the scratch folder is not empty");
    }
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(work)
}

/// Whether that guard exists here. Where it does not, the test says so and asserts the rest.
fn is_on_guard(guard: Guard, strength: Strength) -> bool {
    match guard {
        Guard::Landlock => strength.landlock > 0,
        Guard::Seccomp => strength.has_seccomp,
        Guard::Always => true,
    }
}

#[expect(
    clippy::print_stderr,
    reason = "what could not be proven is said aloud"
)]
fn warn_of_gaps(strength: Strength) {
    for gap in strength.gaps() {
        eprintln!("NOT PROVEN HERE: {gap}");
    }
}

#[test]
fn hostile_bytes_reach_nothing() {
    assert_hostile_bytes_reach_nothing(&Place::new());
}

#[test]
fn hostile_bytes_reach_nothing_of_an_ordinary_user() {
    // Made by who runs the tests, whose build folder nobody else may be able to enter.
    let place = Place::new();
    as_nobody(|| assert_hostile_bytes_reach_nothing(&place));
}

fn assert_hostile_bytes_reach_nothing(place: &Place) {
    use Guard::{Always, Landlock, Seccomp};
    let strength = place.confinement.strength();
    warn_of_gaps(strength);

    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = tcp.local_addr().unwrap().to_string();
    let socket = place.path("socket");
    let _unix = UnixListener::bind(&socket).unwrap();
    let mut bystander = Process::new("sleep").arg("600").spawn().unwrap();
    // Something that was left open for children by mistake, under a number that no child uses itself.
    let leaked = fcntl_dupfd_cloexec(File::open(place.secret()).unwrap(), 90).unwrap();
    fcntl_setfd(&leaked, FdFlags::empty()).unwrap();

    let secret = place.secret().display().to_string();
    let new = place.path("data/new").display().to_string();
    let data = place.path("data").display().to_string();
    let program = place.program.display().to_string();
    let socket = socket.display().to_string();
    let other = bystander.id().to_string();
    let leaked_number = leaked.as_raw_fd().to_string();
    let attempts: &[(&str, &str, Guard)] = &[
        ("read", &secret, Landlock),
        ("read", "/etc/passwd", Landlock),
        ("read", "/proc/self/environ", Landlock),
        ("list", &data, Landlock),
        ("list", "/", Landlock),
        ("list", "/proc", Landlock),
        ("write", &new, Landlock),
        ("write", &secret, Landlock),
        ("write", "/tmp/heirloom-hostile", Landlock),
        ("append", &secret, Landlock),
        ("delete", &secret, Seccomp),
        ("rename", &secret, Seccomp),
        ("link", &secret, Seccomp),
        ("chmod", &secret, Seccomp),
        ("touch", "", Seccomp),
        ("tcp", &address, Seccomp),
        ("listen", "", Seccomp),
        ("udp", "", Seccomp),
        ("unix", &socket, Seccomp),
        ("unix-listen", "", Seccomp),
        ("unix-datagram", "", Seccomp),
        ("start", "/bin/true", Seccomp),
        ("fork", "", Seccomp),
        ("exec", "/bin/sh", Seccomp),
        ("exec", &program, Seccomp),
        ("kill-parent", "", Seccomp),
        ("kill-all", &other, Seccomp),
        ("read-parent", "", Landlock),
        ("raise-limits", "", Seccomp),
        ("use-descriptor", &leaked_number, Always),
    ];
    for way in WAYS {
        for (what, at, guard) in attempts {
            if !is_on_guard(*guard, strength) {
                continue;
            }
            let outcome = place.attempt(way, what, &[at]).unwrap();
            assert!(
                outcome.starts_with("refused: "),
                "{way:?} {what} {at}: {outcome}"
            );
            place.assert_unharmed(what);
        }
        assert_eq!(
            place.attempt(way, "nothing", &[]).unwrap(),
            "done: nothing",
            "what is not hostile works"
        );
    }
    assert!(
        bystander.try_wait().unwrap().is_none(),
        "another process was killed"
    );
    bystander.kill().unwrap();
    bystander.wait().unwrap();
}

#[test]
fn what_takes_too_much_is_stopped_and_said() {
    let place = Place::new();
    let long = Duration::from_secs(600);
    let second = Duration::from_secs(1);
    let limits = Limits {
        wall: long,
        cpu: long,
        memory_bytes: 512 << 20,
        scratch_bytes: 20 << 20,
        stdout_bytes: 4 << 20,
    };
    let short = Limits {
        wall: Duration::from_millis(300),
        ..limits
    };
    let lazy = Limits {
        cpu: second,
        ..limits
    };
    let cases: &[(&str, Limits, &[Way], &str)] = &[
        ("eat-memory", limits, &WAYS, "more memory than is allowed"),
        ("fill-one-file", limits, &[Way::Tool], "more to the disk"),
        ("fill-many-files", limits, &[Way::Tool], "more to the disk"),
        ("write-without-end", limits, &[Way::Tool], "gives more than"),
        (
            "answer-without-end",
            limits,
            &[Way::Linked],
            "gives more than",
        ),
        ("answer-nonsense", limits, &[Way::Linked], "nonsense"),
        ("hang", short, &WAYS, "takes longer than the 0.3 s"),
        ("hang-deaf", short, &WAYS, "takes longer than the 0.3 s"),
        ("hang-silent", short, &WAYS, "takes longer than the 0.3 s"),
        ("spin", lazy, &WAYS, "takes longer than the 1 s"),
        ("spin-deaf", lazy, &[Way::Tool], "takes longer than the 1 s"),
        ("crash", limits, &WAYS, "crashed on it ("),
        ("complain", limits, &[Way::Tool], "the film has no end"),
        (
            "refuse",
            limits,
            &[Way::Linked],
            "this picture ends in the middle",
        ),
        ("panic", limits, &[Way::Linked], "failed on it"),
    ];
    for (what, limits, ways, words) in cases {
        for way in *ways {
            let error = place
                .attempt_within(*way, what, &[], *limits)
                .expect_err(what);
            assert!(
                error.to_string().contains(words),
                "{way:?} {what}: {error} ({error:?})"
            );
            assert!(error.is_about_the_file(), "{error:?}");
            place.assert_unharmed(what);
        }
    }
    for way in WAYS {
        let threads = place.attempt_within(way, "eat-threads", &[], limits);
        let is_stopped = match &threads {
            Ok(outcome) => outcome.starts_with("refused: "),
            Err(error) => matches!(
                error,
                ConfinementError::OutOfMemory | ConfinementError::Killed { .. }
            ),
        };
        assert!(is_stopped, "{way:?} {threads:?}");
    }
}

#[test]
fn whoever_cancels_is_heard_while_it_hangs() {
    let place = Place::new();
    for way in WAYS {
        let cancelled = CancellationToken::new();
        let error = block_on(async {
            let soon = async {
                tokio::time::sleep(Duration::from_millis(200)).await;
                cancelled.cancel();
            };
            let header = json!({ "attempt": "hang-deaf" });
            let long = Limits {
                wall: PATIENCE * 10,
                ..Limits::default()
            };
            let work = async {
                match way {
                    Way::Tool => {
                        let command = place.command("hang-deaf", &[], long);
                        place.confinement.run(command, &cancelled).await.map(drop)
                    }
                    Way::Linked => {
                        let limits = JobLimits {
                            wall: PATIENCE * 10,
                            ..JobLimits::default()
                        };
                        let settings = HandSettings::default();
                        let hand = Hand::start(&place.confinement, settings).unwrap();
                        hand.work(header, place.input(), limits, &cancelled)
                            .await
                            .map(drop)
                    }
                }
            };
            let both = async { tokio::join!(soon, work).1 };
            tokio::time::timeout(PATIENCE, both).await.unwrap()
        });
        assert!(
            matches!(error, Err(ConfinementError::Cancelled)),
            "{way:?} {error:?}"
        );
        assert_eq!(
            children_of(std::process::id()),
            Vec::<u32>::new(),
            "{way:?}"
        );
        place.assert_unharmed("cancel");
    }
}

#[test]
fn the_child_of_a_server_that_was_killed_is_gone_too() {
    let place = Place::new();
    for kind in ["tool", "hand"] {
        let mut server = Process::new(&place.program)
            .args(["be-a-parent", kind])
            .arg(place.scratch())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let child = wait_for("a child that hangs", || {
            let children = children_of(server.id());
            children.into_iter().find(|child| is_hanging(*child))
        });
        server.kill().unwrap();
        server.wait().unwrap();
        wait_for("its end", || (!is_running(child)).then_some(()));
        let _ = fs::remove_dir_all(place.scratch());
    }
}

#[test]
fn a_tool_reads_its_input_and_makes_files() {
    let place = Place::new();
    let never = CancellationToken::new();
    block_on(async {
        let read = place.command("read-input", &[], Limits::default());
        let read = place.confinement.run(read, &never).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&read.stdout), "done: picture\n");

        let mut make = place.command("make", &[], Limits::default());
        make.outputs = vec!["made.txt".to_owned()];
        let mut made = place.confinement.run(make, &never).await.unwrap();
        place.assert_unharmed("the folder is gone, the file is not");
        let mut text = String::new();
        made.outputs[0].read_to_string(&mut text).unwrap();
        assert_eq!(text, "made here");

        let mut nothing = place.command("make-nothing", &[], Limits::default());
        nothing.outputs = vec!["made.txt".to_owned()];
        let error = place.confinement.run(nothing, &never).await.unwrap_err();
        assert!(error.to_string().contains("made nothing"), "{error}");
    });
}

#[test]
fn a_file_that_only_its_owner_may_read_is_read_for_the_operator() {
    if !rustix::process::geteuid().is_root() {
        // An ordinary user cannot open it in the first place.
        return;
    }
    let place = Place::new();
    let nobody = rustix::process::Uid::from_raw(65_534);
    fs::set_permissions(place.path("input"), Permissions::from_mode(0o600)).unwrap();
    rustix::fs::chown(place.path("input"), Some(nobody), None).unwrap();
    let outcome = place.attempt(Way::Tool, "read-input", &[]).unwrap();
    assert_eq!(outcome, "done: picture");
}

#[test]
fn a_program_that_is_missing_is_named_with_its_package() {
    let place = Place::new();
    let cases = [
        (
            "no-such-program",
            "no-such-program could not be started: it is not installed",
        ),
        (
            "/nowhere/ffmpeg",
            "the package that brings it is called ffmpeg",
        ),
    ];
    for (program, words) in cases {
        let mut command = place.command("nothing", &[], Limits::default());
        command.program = program.into();
        let error = block_on(place.confinement.run(command, &CancellationToken::new()));
        let error = error.unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
        assert!(!error.is_about_the_file());
    }
}

#[test]
fn what_a_tool_writes_can_be_read_as_it_comes() {
    let place = Place::new();
    let never = CancellationToken::new();
    let command = place.command("write-without-end", &[], Limits::default());
    let stop_at = 40_u64 << 20;
    let seen = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
    let counted = std::sync::Arc::clone(&seen);
    let outcome = block_on(place.confinement.run_reading(
        command,
        0_u64,
        &never,
        move |count, block| {
            *count += block.len() as u64;
            counted.store(*count, std::sync::atomic::Ordering::Relaxed);
            if *count > stop_at {
                std::ops::ControlFlow::Break(())
            } else {
                std::ops::ControlFlow::Continue(())
            }
        },
    ));
    assert!(
        matches!(outcome, Err(ConfinementError::TooMuch(Excess::Answer))),
        "{outcome:?}"
    );
    assert!(seen.load(std::sync::atomic::Ordering::Relaxed) > stop_at);
}

#[test]
fn a_hand_does_job_after_job_and_is_renewed() {
    let place = Place::new();
    let never = CancellationToken::new();
    let settings = HandSettings {
        jobs_per_process: 3,
        ..HandSettings::default()
    };
    let hand = Hand::start(&place.confinement, settings).unwrap();
    let work = |what: &'static str| {
        let (hand, never) = (&hand, &never);
        let input = place.input();
        async move {
            let header = json!({ "attempt": what });
            hand.work(header, input, JobLimits::default(), never).await
        }
    };
    block_on(async {
        let parts = work("read-input").await.unwrap();
        assert_eq!(parts.len(), 1);
        assert_eq!(&*parts[0].1, b"picture");

        // That one counted; so do refusals, after which the same process goes on.
        let mut processes = Vec::new();
        for _ in 0..7 {
            let parts = work("nothing").await.unwrap();
            processes.push(parts[0].0["process"].clone());
            assert!(matches!(
                work("refuse").await,
                Err(ConfinementError::Failed {
                    code: FailureCode::Damaged,
                    ..
                })
            ));
        }
        let distinct: std::collections::BTreeSet<String> =
            processes.iter().map(Json::to_string).collect();
        assert!(
            (4..=6).contains(&distinct.len()),
            "15 jobs, three for each process: {processes:?}"
        );

        // Whatever happens to one process, the next job has a new one.
        for fatal in ["crash", "panic", "answer-nonsense"] {
            work(fatal).await.unwrap_err();
            assert_eq!(
                &*work("read-input").await.unwrap()[0].1,
                b"picture",
                "{fatal}"
            );
        }
    });
}

#[test]
fn a_kernel_without_landlock_is_noticed() {
    let place = Place::new();
    // The tracer lets the call fail as an old kernel does.
    let without = place.path("old-kernel");
    let mut script = File::create(&without).unwrap();
    writeln!(
        script,
        "#!/bin/sh\nexec strace -D -f -qq -o /dev/null -e inject=landlock_create_ruleset:error=ENOSYS '{}' \"$@\"",
        place.program.display()
    )
    .unwrap();
    drop(script);
    fs::set_permissions(&without, Permissions::from_mode(0o755)).unwrap();
    let strength = Confinement::through(&without).strength();
    assert_eq!(strength.landlock, 0);
    assert!(
        strength.gaps().iter().any(|gap| gap.contains("Landlock")),
        "{strength:?}"
    );
}

fn wait_for<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(started.elapsed() < PATIENCE, "{what} did not come");
        std::thread::sleep(Duration::from_millis(10));
    }
}
