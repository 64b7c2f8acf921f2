//! A confined process that does jobs one after another, as its parent sees it.

use std::{
    fs::File,
    io::{self, IoSlice, Read as _, Write as _},
    mem::MaybeUninit,
    os::{
        fd::{AsFd as _, OwnedFd},
        unix::net::UnixStream,
    },
    path::PathBuf,
    process::Stdio,
    sync::{
        Arc,
        mpsc::{self, RecvTimeoutError},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use rustix::{
    net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg},
    process::{Pid, Resource, Rlimit, getrlimit, prlimit},
};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::{
    Confinement, ConfinementError, Excess, JobHeader, JobLimits, Limits,
    child::{Errand, Orders},
    frame::{HEAD_BYTES, Head, JSON_BYTES, Kind},
    job::Failure,
    limits::whole_seconds,
    process::{Bounds, Process, computed},
    room::Desk,
};

/// What a hand's processes may take, and how long each is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandSettings {
    /// How much memory a process may map.
    pub memory_bytes: u64,
    /// After how many jobs a process is replaced by a new one: what a hostile file may have left in it,
    /// or a library has leaked, goes with it.
    pub jobs_per_process: u32,
    /// A folder that a process works in and may read, with models for instance.
    pub folder: Option<PathBuf>,
    /// Whether a process stays however long it waits for the next job; else it ends when it has
    /// [waited](super::RoomSettings) for long, or when memory is needed.
    pub stays: bool,
}

impl Default for HandSettings {
    fn default() -> Self {
        Self {
            memory_bytes: 2 << 30,
            jobs_per_process: 100,
            folder: None,
            stays: false,
        }
    }
}

/// Somebody who does jobs in confinement, one after another. A process that dies, hangs or takes too
/// much is killed, and the next job gets a new one. Dropping the hand ends its process.
#[derive(Debug)]
pub struct Hand {
    orders: mpsc::Sender<Order>,
    desk: Arc<Desk>,
}

/// The parts of an answer, in the order in which they were given.
type Parts = Vec<(JobHeader, Bytes)>;

#[derive(Debug)]
struct Order {
    header: JobHeader,
    input: File,
    limits: JobLimits,
    cancelled: CancellationToken,
    reply: oneshot::Sender<Result<Parts, ConfinementError>>,
}

impl Hand {
    /// Makes a hand; its process starts with the first job.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start(confinement: &Confinement, settings: HandSettings) -> io::Result<Self> {
        let (orders, waiting) = mpsc::channel();
        let desk = confinement.room.desk(settings.stays);
        let keep = match settings.stays {
            true => Duration::MAX,
            false => confinement.room.keep(),
        };
        let hand = Self {
            orders,
            desk: Arc::clone(&desk),
        };
        let confinement = confinement.clone();
        // One thread for as long as the hand lives: the kernel kills the process when the thread that
        // started it ends, and so with the server.
        std::thread::Builder::new()
            .name("hand".to_owned())
            .spawn(move || {
                while let Some(order) = next(&waiting, keep, &desk) {
                    let mut at_work = desk.take();
                    confinement.room.tidy();
                    let outcome = obey(&confinement, &settings, &mut at_work, &order);
                    if !matches!(outcome, Ok(_) | Err(ConfinementError::Failed { .. })) {
                        at_work = None;
                    }
                    desk.leave(at_work);
                    // Whoever asked may be gone.
                    let _ = order.reply.send(outcome);
                    confinement.room.tidy();
                }
                desk.clear();
            })?;
        Ok(hand)
    }

    /// Whether its process is there, with what jobs have loaded into it.
    #[must_use]
    pub fn has_process(&self) -> bool {
        self.desk.is_taken()
    }

    /// Does a job, after those that came before it. Dropping the future cancels it.
    ///
    /// # Errors
    /// [`ConfinementError`] tells how it ended otherwise.
    pub async fn work(
        &self,
        header: JobHeader,
        input: File,
        limits: JobLimits,
        cancelled: &CancellationToken,
    ) -> Result<Vec<(JobHeader, Bytes)>, ConfinementError> {
        let cancelled = cancelled.child_token();
        let _cancel_when_dropped = cancelled.clone().drop_guard();
        let (reply, answer) = oneshot::channel();
        let order = Order {
            header,
            input,
            limits,
            cancelled,
            reply,
        };
        // Neither fails while the thread lives, and it lives as long as this.
        self.orders
            .send(order)
            .map_err(|_| ConfinementError::Cancelled)?;
        answer.await.unwrap_or(Err(ConfinementError::Cancelled))
    }
}

/// The next job, until the hand is dropped. A process that waits for it for too long ends.
fn next(waiting: &mpsc::Receiver<Order>, keep: Duration, desk: &Desk) -> Option<Order> {
    match waiting.recv_timeout(keep) {
        Ok(order) => Some(order),
        Err(RecvTimeoutError::Disconnected) => None,
        Err(RecvTimeoutError::Timeout) => {
            desk.clear();
            waiting.recv().ok()
        }
    }
}

/// A process that waits for a job or does one.
#[derive(Debug)]
pub(super) struct AtWork {
    process: Process,
    socket: UnixStream,
    jobs_left: u32,
}

/// Where in an answer something went wrong.
enum Broken {
    /// The process is gone.
    Ended,
    /// It is to be killed.
    Stop(ConfinementError),
}

fn obey(
    confinement: &Confinement,
    settings: &HandSettings,
    kept: &mut Option<AtWork>,
    order: &Order,
) -> Result<Parts, ConfinementError> {
    if order.cancelled.is_cancelled() {
        return Err(ConfinementError::Cancelled);
    }
    // One that died while it waited is nobody's fault.
    let alive = kept.take().and_then(AtWork::if_alive);
    let mut at_work = match alive {
        Some(at_work) => at_work,
        None => AtWork::start(confinement, settings)?,
    };
    let cpu_before = at_work.process.id().and_then(computed).unwrap_or_default();
    at_work.limit_cpu(cpu_before + order.limits.cpu);
    let bounds = Bounds {
        started: Instant::now(),
        wall: order.limits.wall,
        cpu: order.limits.cpu,
        cpu_before,
        cancelled: &order.cancelled,
    };
    let outcome = at_work
        .send(order)
        .and_then(|()| at_work.receive(&bounds, order.limits.answer_bytes));
    match outcome {
        Ok(outcome) => {
            at_work.jobs_left = at_work.jobs_left.saturating_sub(1);
            if at_work.jobs_left > 0 {
                *kept = Some(at_work);
            }
            outcome
        }
        Err(Broken::Stop(error)) => Err(error),
        Err(Broken::Ended) => Err(at_work.explain(&bounds)),
    }
}

impl AtWork {
    fn start(confinement: &Confinement, settings: &HandSettings) -> Result<Self, ConfinementError> {
        confinement.strength();
        let could_not = |error: io::Error| ConfinementError::could_not_start(NAME, &error);
        let (socket, theirs) = UnixStream::pair().map_err(could_not)?;
        // A job is small: a process that does not take it in that time takes none.
        socket
            .set_write_timeout(Some(Duration::from_secs(5)))
            .map_err(could_not)?;
        let limits = Limits {
            memory_bytes: settings.memory_bytes,
            ..Limits::default()
        };
        let mut command = confinement
            .command(&Orders::new(Errand::Hand, &limits))
            .map_err(could_not)?;
        if let Some(folder) = &settings.folder {
            command.arg(folder).current_dir(folder);
        }
        let child = command
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .spawn()
            .map_err(could_not)?;
        Ok(Self {
            process: Process::new(NAME, child),
            socket,
            jobs_left: settings.jobs_per_process.max(1),
        })
    }

    pub(super) fn id(&self) -> Option<Pid> {
        self.process.id()
    }

    fn if_alive(mut self) -> Option<Self> {
        self.process.ended().is_none().then_some(self)
    }

    /// Lets the process compute until then. It cannot raise that itself; the clock on the wall holds
    /// where this fails.
    fn limit_cpu(&self, until: Duration) {
        let limit = Rlimit {
            current: Some(whole_seconds(until)),
            maximum: getrlimit(Resource::Cpu).maximum,
        };
        if let Some(id) = self.process.id() {
            let _ = prlimit(Some(id), Resource::Cpu, limit);
        }
    }

    fn send(&mut self, order: &Order) -> Result<(), Broken> {
        let json = serde_json::to_vec(&order.header).unwrap_or_default();
        let json_bytes = u32::try_from(json.len()).unwrap_or(u32::MAX);
        if json.len() > JSON_BYTES {
            return Err(Broken::Stop(ConfinementError::TooMuch(Excess::Answer)));
        }
        let head = Head {
            kind: Kind::Job,
            json_bytes,
            bytes: 0,
        };
        let descriptors = [order.input.as_fd()];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        control.push(SendAncillaryMessage::ScmRights(&descriptors));
        let head = head.to_bytes();
        let sent = sendmsg(
            &self.socket,
            &[IoSlice::new(&head)],
            &mut control,
            SendFlags::NOSIGNAL,
        );
        // What a stream takes at all of so few bytes it takes at once.
        if sent != Ok(HEAD_BYTES) || self.socket.write_all(&json).is_err() {
            return Err(Broken::Ended);
        }
        Ok(())
    }

    /// The answer; or an error for which the process has to go.
    fn receive(
        &mut self,
        bounds: &Bounds<'_>,
        most_bytes: u64,
    ) -> Result<Result<Parts, ConfinementError>, Broken> {
        let nonsense = || Broken::Stop(ConfinementError::TooMuch(Excess::Nonsense));
        let mut left = most_bytes;
        let mut parts = Parts::new();
        loop {
            let head = self.read(bounds, HEAD_BYTES)?;
            let head = <[u8; HEAD_BYTES]>::try_from(head.as_slice())
                .ok()
                .and_then(Head::parse)
                .ok_or_else(nonsense)?;
            // The header counts too: a flood of empty parts is one.
            let cost = head
                .bytes
                .saturating_add(HEAD_BYTES as u64 + u64::from(head.json_bytes));
            left = left
                .checked_sub(cost)
                .ok_or(Broken::Stop(ConfinementError::TooMuch(Excess::Answer)))?;
            let json = self.read(bounds, head.json_bytes as usize)?;
            let json: JobHeader = serde_json::from_slice(&json).map_err(|_| nonsense())?;
            let bytes = self.read(bounds, usize::try_from(head.bytes).map_err(|_| nonsense())?)?;
            match (head.kind, json) {
                (Kind::Part, json) => parts.push((json, bytes.into())),
                (Kind::Done, _) => return Ok(Ok(parts)),
                (Kind::Failed, json) => return Failure::read(&json).map(Err).ok_or_else(nonsense),
                (Kind::Over, json) => {
                    return Err(Failure::read(&json).map_or_else(nonsense, Broken::Stop));
                }
                _ => return Err(nonsense()),
            }
        }
    }

    /// So many bytes from the socket; memory grows as they come and not as they are announced.
    fn read(&mut self, bounds: &Bounds<'_>, length: usize) -> Result<Vec<u8>, Broken> {
        let mut read = Vec::with_capacity(length.min(BLOCK_BYTES));
        let mut block = vec![0; length.min(BLOCK_BYTES)];
        while read.len() < length {
            bounds.check().map_err(Broken::Stop)?;
            if !self.process.wait_for(Some(self.socket.as_fd())) {
                continue;
            }
            let wanted = (length - read.len()).min(BLOCK_BYTES);
            let Some(room) = block.get_mut(..wanted) else {
                return Err(Broken::Ended);
            };
            match self.socket.read(room) {
                Ok(0) => return Err(Broken::Ended),
                Ok(count) => read.extend(room.iter().take(count)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Err(Broken::Ended),
            }
        }
        Ok(read)
    }

    /// Why the process closed its socket.
    fn explain(&mut self, bounds: &Bounds<'_>) -> ConfinementError {
        // Its end follows at once, unless it only pretends: then it is killed like one that hangs.
        for _ in 0..LOOKS_AT_THE_END {
            if let Some(ended) = self.process.ended() {
                while !self.process.is_silent() {
                    self.process.wait_for(None);
                }
                return self.process.explain(ended, bounds);
            }
            if let Err(error) = bounds.check() {
                return error;
            }
            self.process.wait_for(None);
        }
        ConfinementError::TooMuch(Excess::Nonsense)
    }
}

/// What a hand is called where something is wrong with it.
const NAME: &str = "the decoder";
const BLOCK_BYTES: usize = 256 * 1024;
const LOOKS_AT_THE_END: u32 = 200;
