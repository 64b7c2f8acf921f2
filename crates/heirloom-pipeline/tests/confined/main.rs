//! What the tests start in the place of `heirloom`: confined it takes hostile jobs, and as a command
//! tool it is hostile itself. It tries one thing and says what came of it.
#![expect(
    clippy::print_stdout,
    reason = "what came of an attempt goes to standard output"
)]

use std::{
    fs::{self, File, OpenOptions, Permissions},
    io::{self, Read as _, Write},
    net::{TcpListener, TcpStream, UdpSocket},
    os::unix::{
        fs::PermissionsExt as _,
        net::{UnixDatagram, UnixListener, UnixStream},
        process::CommandExt as _,
    },
    path::Path,
    process::{Command, ExitCode, Stdio},
    time::{Duration, SystemTime},
};

use heirloom_core::unit::FailureCode;
use heirloom_pipeline::confinement::{
    self, Answer, Confinement, Failure, Hand, HandSettings, JobHeader, JobLimits, Limits,
};
use nix::sys::signal::{SigSet, Signal};
use rustix::process::{Pid, Resource, Rlimit, getppid, kill_process, setrlimit};
use serde_json::json;
use tokio_util::sync::CancellationToken;

fn main() -> ExitCode {
    if let Some(code) = confinement::enter(hostile_job) {
        return code;
    }
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["be-a-parent", kind, folder] => be_a_parent(kind, Path::new(folder)),
        [what, at @ ..] => {
            println!("{}", attempt(what, at, &mut io::stdout()));
            ExitCode::SUCCESS
        }
        [] => ExitCode::FAILURE,
    }
}

/// The same attempts as a job, for decoders that are linked in.
fn hostile_job(header: &JobHeader, input: File, answer: &mut Answer<'_>) -> Result<(), Failure> {
    if let Some(job) = header["job"].as_str() {
        return look_at_pages(job, header, input, answer);
    }
    let what = header["attempt"].as_str().unwrap_or_default();
    let at: Vec<&str> = header["at"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(JobHeader::as_str)
        .collect();
    match what {
        "read-input" => {
            let mut text = String::new();
            let mut input = input;
            input.read_to_string(&mut text)?;
            answer.give(&json!({ "outcome": "done" }), text.as_bytes())?;
        }
        "refuse" => {
            let reason = "this picture ends in the middle";
            return Err(Failure::new(FailureCode::Damaged, reason));
        }
        "panic" => panic!("a decoder's invariant does not hold"),
        "answer-without-end" => loop {
            answer.give(&json!({}), &[7; 64 * 1024])?;
        },
        "answer-nonsense" => {
            write_past_the_protocol(&[9; 64]);
            loop {
                std::thread::park();
            }
        }
        _ => {
            let outcome = attempt(what, &at, &mut io::sink());
            answer.give(
                &json!({ "outcome": outcome, "process": std::process::id() }),
                &[],
            )?;
        }
    }
    Ok(())
}

/// In the place of what draws documents. The file says how many pages it has and which of them end the
/// process that looks at them: `%PDF-1.4 pages=12 deadly=3,7`.
fn look_at_pages(
    job: &str,
    header: &JobHeader,
    mut input: File,
    answer: &mut Answer<'_>,
) -> Result<(), Failure> {
    if !matches!(job, "pages" | "read") {
        return Ok(answer.give(&json!({ "nothing": "It is not what this is about." }), &[])?);
    }
    let mut text = String::new();
    input.read_to_string(&mut text)?;
    let numbers = |name: &str| -> Vec<u64> {
        let word = text
            .split_whitespace()
            .find_map(|word| word.strip_prefix(name));
        let numbers = word.unwrap_or_default().split(',');
        numbers.filter_map(|number| number.parse().ok()).collect()
    };
    let (count, deadly) = (numbers("pages=")[0], numbers("deadly="));
    answer.give(&json!({ "count": count }), &[])?;
    let bound = |name: &str| header[name].as_u64().unwrap_or_default();
    if job == "read" {
        // One page in a turn, as each that is looked at.
        let page = bound("from");
        if deadly.contains(&page) {
            std::process::abort();
        }
        let read = json!({ "page": page, "blocks": [] }).to_string();
        return match page <= count {
            true => Ok(answer.give(&json!({ "page": page }), read.as_bytes())?),
            false => Ok(()),
        };
    }
    for page in bound("from")..=bound("until").min(count) {
        if deadly.contains(&page) {
            std::process::abort();
        }
        let look = json!({ "kind": "look", "about": { "said_of": page }, "page": page });
        answer.give(&look, &[])?;
    }
    Ok(())
}

fn write_past_the_protocol(bytes: &[u8]) {
    let _ = rustix::io::write(io::stdin(), bytes);
}

/// Tries one thing; gives what came of it if it came to an end.
fn attempt(what: &str, at: &[&str], out: &mut dyn Write) -> String {
    let path = Path::new(at.first().copied().unwrap_or("/"));
    let outcome = match what {
        "nothing" => Ok("nothing".to_owned()),
        "read" => fs::read(path).map(|bytes| format!("{} bytes", bytes.len())),
        "read-input" => fs::read_to_string("/proc/self/fd/0"),
        "list" => fs::read_dir(path).map(|entries| format!("{} entries", entries.count())),
        "write" => fs::write(path, "harm").map(|()| "written".to_owned()),
        "append" => OpenOptions::new()
            .append(true)
            .open(path)
            .and_then(|mut file| file.write_all(b"harm"))
            .map(|()| "appended".to_owned()),
        "delete" => fs::remove_file(path).map(|()| "deleted".to_owned()),
        "rename" => fs::rename(path, path.with_extension("gone")).map(|()| "renamed".to_owned()),
        "link" => fs::hard_link(path, "linked").map(|()| "linked".to_owned()),
        "chmod" => {
            fs::set_permissions(path, Permissions::from_mode(0o777)).map(|()| "opened".to_owned())
        }
        "touch" => File::open("/proc/self/fd/0")
            .and_then(|file| file.set_modified(SystemTime::UNIX_EPOCH))
            .map(|()| "touched".to_owned()),
        "tcp" => TcpStream::connect(at.first().copied().unwrap_or_default())
            .map(|_| "connected".to_owned()),
        "listen" => TcpListener::bind("127.0.0.1:0").map(|_| "listening".to_owned()),
        "udp" => UdpSocket::bind("127.0.0.1:0").map(|_| "bound".to_owned()),
        "unix" => UnixStream::connect(path).map(|_| "connected".to_owned()),
        "unix-listen" => UnixListener::bind("door").map(|_| "listening".to_owned()),
        "unix-datagram" => UnixDatagram::unbound().map(|_| "made".to_owned()),
        "start" => Command::new(path).status().map(|_| "started".to_owned()),
        "fork" => fork_without_end(),
        "exec" => Err(Command::new(path).arg("nothing").exec()),
        "kill-parent" => getppid()
            .map_or(Ok(()), |parent| {
                kill_process(parent, rustix::process::Signal::KILL)
            })
            .map(|()| "killed".to_owned())
            .map_err(io::Error::from),
        "kill-all" => Pid::from_raw(at.first().and_then(|id| id.parse().ok()).unwrap_or(0))
            .map_or(Ok(()), |other| {
                kill_process(other, rustix::process::Signal::KILL)
            })
            .map(|()| "killed".to_owned())
            .map_err(io::Error::from),
        "read-parent" => {
            let parent = getppid().map_or(0, Pid::as_raw_pid);
            fs::File::open(format!("/proc/{parent}/mem"))
                .or_else(|_| fs::File::open(format!("/proc/{parent}/environ")))
                .or_else(|_| fs::File::open(format!("/proc/{parent}/cmdline")))
                .map(|_| "read".to_owned())
        }
        "raise-limits" => setrlimit(
            Resource::As,
            Rlimit {
                current: None,
                maximum: None,
            },
        )
        .map(|()| "raised".to_owned())
        .map_err(io::Error::from),
        "use-descriptor" => nix::unistd::close(
            at.first()
                .and_then(|number| number.parse::<i32>().ok())
                .unwrap_or(-1),
        )
        .map(|()| "it was open".to_owned())
        .map_err(io::Error::from),
        "eat-memory" => Ok(eat_memory()),
        "eat-threads" => eat_threads(),
        "fill-one-file" => fill(false),
        "fill-many-files" => fill(true),
        "write-without-end" => write_without_end(out),
        "hang" => loop {
            std::thread::sleep(Duration::from_secs(1));
        },
        "hang-deaf" => {
            let _ = SigSet::all().thread_block();
            loop {
                std::thread::sleep(Duration::from_secs(1));
            }
        }
        "hang-silent" => {
            for descriptor in 0..=2 {
                let _ = nix::unistd::close(descriptor);
            }
            loop {
                std::thread::sleep(Duration::from_secs(1));
            }
        }
        "spin" => spin(),
        "spin-deaf" => {
            let _ = SigSet::all().thread_block();
            spin()
        }
        "crash" => {
            let _ = nix::sys::signal::raise(Signal::SIGILL);
            Ok("survived".to_owned())
        }
        "complain" => {
            let _ = writeln!(io::stderr(), "[mov @ 0x55d0] the film has no end");
            std::process::exit(1);
        }
        "make" => fs::write("made.txt", "made here").map(|()| "made".to_owned()),
        "make-nothing" => Ok("nothing".to_owned()),
        _ => Err(io::Error::other("no such attempt")),
    };
    match outcome {
        Ok(what) => format!("done: {what}"),
        Err(error) => format!("refused: {error}"),
    }
}

fn fork_without_end() -> io::Result<String> {
    let mut children = Vec::new();
    for _ in 0..100 {
        let mut command = Command::new("/proc/self/exe");
        command.arg("hang").stdin(Stdio::null());
        // Two ways in which the standard library starts a process.
        if children.len() % 2 == 1 {
            command.current_dir("/").uid(65_534);
        }
        children.push(command.spawn()?);
    }
    Ok(format!("{} processes", children.len()))
}

fn eat_memory() -> String {
    let mut eaten: Vec<Vec<u8>> = Vec::new();
    while eaten.len() < 4096 {
        eaten.push(vec![1; 16 << 20]);
    }
    format!("{} pieces", eaten.len())
}

fn eat_threads() -> io::Result<String> {
    for count in 0..100_000 {
        let started = std::thread::Builder::new().spawn(|| {
            loop {
                std::thread::park();
            }
        });
        if started.is_err() {
            return Err(io::Error::other(format!("after {count} threads")));
        }
    }
    Ok("any number of threads".to_owned())
}

fn fill(into_many: bool) -> io::Result<String> {
    let block = vec![7; 1 << 20];
    let mut file = File::create("filled-0")?;
    for number in 1..1_000_000_u64 {
        if into_many {
            file = File::create(format!("filled-{number}"))?;
        }
        file.write_all(&block)?;
    }
    Ok("a terabyte".to_owned())
}

fn write_without_end(out: &mut dyn Write) -> io::Result<String> {
    let block = [b'x'; 64 * 1024];
    for _ in 0..1_000_000_u64 {
        out.write_all(&block)?;
        io::stderr().write_all(b"and more and more and more\n")?;
    }
    Ok("all of it".to_owned())
}

fn spin() -> ! {
    let mut turns = 0_u64;
    loop {
        turns = std::hint::black_box(turns.wrapping_add(1));
    }
}

/// A server in small, which is killed while its child hangs.
fn be_a_parent(kind: &str, folder: &Path) -> ExitCode {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    else {
        return ExitCode::FAILURE;
    };
    let confinement = Confinement::of_this_program();
    let never = CancellationToken::new();
    let hour = Duration::from_secs(3600);
    let ended = runtime.block_on(async {
        if kind == "hand" {
            let hand = Hand::start(&confinement, HandSettings::default()).ok()?;
            let limits = JobLimits {
                wall: hour,
                ..JobLimits::default()
            };
            let input = File::open("/dev/null").ok()?;
            let header = json!({ "attempt": "hang-deaf" });
            hand.work(header, input, limits, &never)
                .await
                .ok()
                .map(drop)
        } else {
            let command = confinement::Command {
                program: std::env::current_exe().ok()?,
                arguments: vec!["hang-deaf".into()],
                input: None,
                scratch: folder.to_owned(),
                outputs: Vec::new(),
                limits: Limits {
                    wall: hour,
                    ..Limits::default()
                },
            };
            confinement.run(command, &never).await.ok().map(drop)
        }
    });
    ExitCode::from(u8::from(ended.is_none()))
}
