//! The jobs of a hand, as the confined process does them.

use std::{
    fs::File,
    io::{self, IoSliceMut, Read as _, Write as _},
    mem::MaybeUninit,
    os::{
        fd::{AsFd as _, OwnedFd},
        unix::net::UnixStream,
    },
    panic::{AssertUnwindSafe, catch_unwind},
    process::ExitCode,
};

use heirloom_core::unit::FailureCode;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use serde_json::json;

use super::{
    ConfinementError,
    error::plain,
    frame::{HEAD_BYTES, Head, JSON_BYTES, Kind},
};

/// What is to be done, or what a part of an answer is: JSON whose shape both sides agree on.
pub type JobHeader = serde_json::Value;

/// What a hand can do: a job, its input, and where the answer goes, in parts. It runs confined, and may keep
/// something from one job to the next.
pub trait Jobs: FnMut(&JobHeader, File, &mut Answer<'_>) -> Result<(), Failure> {}

impl<T: FnMut(&JobHeader, File, &mut Answer<'_>) -> Result<(), Failure>> Jobs for T {}

/// Where the parts of an answer go.
#[derive(Debug)]
pub struct Answer<'a> {
    socket: &'a UnixStream,
}

/// Why a job could not be done, in plain words: it is the file's fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Failure {
    code: FailureCode,
    reason: String,
    /// What a decoder said, for whoever wants to know exactly.
    detail: Option<String>,
}

impl Failure {
    /// A failure with its reason.
    #[must_use]
    pub fn new(code: FailureCode, reason: impl Into<String>) -> Self {
        Self {
            code,
            reason: reason.into(),
            detail: None,
        }
    }

    /// The same, with what a decoder said.
    #[must_use]
    pub fn with_detail(mut self, detail: &str) -> Self {
        self.detail = Some(detail.to_owned()).filter(|detail| !detail.is_empty());
        self
    }

    fn to_header(&self) -> JobHeader {
        json!({ "code": self.code, "reason": self.reason, "detail": self.detail })
    }

    /// Reads what a process says of its failure; `None` when that is nonsense.
    pub(super) fn read(header: &JobHeader) -> Option<ConfinementError> {
        Some(ConfinementError::Failed {
            code: FailureCode::from_word(header["code"].as_str()?)?,
            reason: plain(header["reason"].as_str()?),
            detail: header["detail"].as_str().map(plain),
        })
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::new(FailureCode::Other, error.to_string())
    }
}

impl Answer<'_> {
    /// Gives a part of the answer: what it is, and its bytes.
    ///
    /// # Errors
    /// When nobody is there to take it.
    pub fn give(&mut self, header: &JobHeader, bytes: &[u8]) -> io::Result<()> {
        self.send(Kind::Part, header, bytes)
    }

    fn send(&mut self, kind: Kind, header: &JobHeader, bytes: &[u8]) -> io::Result<()> {
        let json = serde_json::to_vec(header)?;
        let head = Head {
            kind,
            json_bytes: u32::try_from(json.len())
                .ok()
                .filter(|length| *length as usize <= JSON_BYTES)
                .ok_or_else(|| io::Error::other("the header of an answer is too long"))?,
            bytes: bytes.len() as u64,
        };
        let mut socket = self.socket;
        socket.write_all(&head.to_bytes())?;
        socket.write_all(&json)?;
        socket.write_all(bytes)
    }
}

/// Does jobs until nobody gives any more.
pub(super) fn serve(mut jobs: impl Jobs) -> ExitCode {
    let socket = match std::io::stdin().as_fd().try_clone_to_owned() {
        Ok(socket) => UnixStream::from(socket),
        Err(_) => return ExitCode::FAILURE,
    };
    loop {
        let (header, input) = match take(&socket) {
            Ok(Some(job)) => job,
            Ok(None) => return ExitCode::SUCCESS,
            Err(_) => return ExitCode::FAILURE,
        };
        let mut answer = Answer { socket: &socket };
        let outcome = catch_unwind(AssertUnwindSafe(|| jobs(&header, input, &mut answer)));
        let said = match &outcome {
            Ok(Ok(())) => answer.send(Kind::Done, &JobHeader::Null, &[]),
            Ok(Err(failure)) => answer.send(Kind::Failed, &failure.to_header(), &[]),
            Err(_) => {
                let reason = "the decoder for this kind of file failed on it";
                let failure = Failure::new(FailureCode::Crashed, reason);
                answer.send(Kind::Over, &failure.to_header(), &[])
            }
        };
        // After a panic nobody knows what is left behind; the next job gets a new process.
        if said.is_err() || outcome.is_err() {
            return ExitCode::FAILURE;
        }
    }
}

/// The next job with its input; `None` when there is none any more.
fn take(socket: &UnixStream) -> io::Result<Option<(JobHeader, File)>> {
    let mut head = [0; HEAD_BYTES];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let received = recvmsg(
        socket,
        &mut [IoSliceMut::new(&mut head)],
        &mut control,
        RecvFlags::CMSG_CLOEXEC,
    )?;
    if received.bytes == 0 {
        return Ok(None);
    }
    let mut input: Option<OwnedFd> = None;
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(mut descriptors) = message {
            input = descriptors.next();
        }
    }
    let mut socket = socket;
    if let Some(rest) = head.get_mut(received.bytes..) {
        socket.read_exact(rest)?;
    }
    let (Some(head), Some(input)) = (Head::parse(head), input) else {
        return Err(io::ErrorKind::InvalidData.into());
    };
    let mut json = vec![0; head.json_bytes as usize];
    socket.read_exact(&mut json)?;
    Ok(Some((serde_json::from_slice(&json)?, File::from(input))))
}
