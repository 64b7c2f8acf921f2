//! Reading a document page by page in confinement, so that a book costs no more memory than a letter and one
//! hostile page costs no other.
//!
//! A hand is asked for a few pages at a time. Where it dies of them, they are asked for one by one, and the
//! page that killed it is left out.

use std::{
    fs::File,
    io::{Read as _, Seek as _},
    ops::RangeInclusive,
    time::Duration,
};

use bytes::Bytes;
use heirloom_core::unit::FailureCode;
use heirloom_media::{FileType, document::DocumentError};
use serde_json::json;

use crate::{
    confinement::{Answer, ConfinementError, Failure as JobFailure, JobHeader, JobLimits},
    work::{Failure, Task},
};

/// The largest file that is read into memory.
const FILE_BYTES: u64 = 512 * 1024 * 1024;

/// How many pages may each end a process before no more are tried.
const DEATHS: usize = 3;

/// What is asked of a document.
pub(super) struct Request {
    /// The job that a hand does.
    pub(super) job: &'static str,
    /// How many pages are asked for at once.
    pub(super) at_once: u32,
    /// The most pages that are asked for.
    pub(super) most: u32,
    /// The most bytes of all answers together; when they are there, no more pages are asked for.
    pub(super) bytes: u64,
    /// How long a hand may take for the pages of one turn.
    pub(super) time: Duration,
}

/// What came of it.
#[derive(Default)]
pub(super) struct Pages {
    /// What was said of the whole document.
    pub(super) whole: JobHeader,
    /// How many pages it has.
    pub(super) count: u32,
    /// Up to which page it was gone through.
    pub(super) until: u32,
    /// What was made of pages, in their order: whose header names a `page`.
    pub(super) parts: Vec<(u32, JobHeader, Bytes)>,
    /// What was left out and why.
    pub(super) problems: Vec<String>,
    /// Why the first of these was, as a word.
    pub(super) code: Option<FailureCode>,
}

impl Request {
    /// Goes through a document.
    pub(super) async fn ask(&self, task: &Task<'_>) -> Result<Pages, Failure> {
        let mut input = task.open().await?;
        let mut pages = Pages::default();
        let mut turns = vec![1..=self.at_once.min(self.most)];
        let mut deaths = Vec::new();
        let mut bytes = 0;
        while let Some(turn) = turns.pop() {
            match self.turn(task, &mut input, &turn).await {
                Ok(parts) => {
                    pages.take(parts)?;
                    bytes = pages.parts.iter().map(|part| part.2.len() as u64).sum();
                }
                Err(error) if !is_of_the_pages(&error) => return Err(error.into()),
                Err(_) if turn.start() < turn.end() => {
                    turns.extend(turn.rev().map(|page| page..=page));
                    continue;
                }
                Err(error) => {
                    let page = turn.start();
                    pages
                        .problems
                        .push(format!("Page {page} was left out: {error}"));
                    deaths.push(error);
                }
            }
            pages.until = pages.until.max(*turn.end());
            if deaths.len() >= DEATHS || bytes >= self.bytes {
                break;
            }
            let next = pages.until.saturating_add(1);
            let last = if pages.whole.is_null() {
                next
            } else {
                pages.count
            };
            if turns.is_empty() && next <= last.min(self.most) {
                turns.push(next..=pages.until.saturating_add(self.at_once).min(self.most));
            }
        }
        pages.until = pages.until.min(pages.count);
        match deaths.pop() {
            // Nobody knows whether a later page would be better.
            Some(error) if pages.parts.is_empty() => {
                Err(Failure::Permanent(error.code(), error.to_string()))
            }
            _ => Ok(pages),
        }
    }

    async fn turn(
        &self,
        task: &Task<'_>,
        input: &mut File,
        turn: &RangeInclusive<u32>,
    ) -> Result<Vec<(JobHeader, Bytes)>, ConfinementError> {
        let could_not = |error: std::io::Error| ConfinementError::CouldNotStart {
            program: "heirloom".to_owned(),
            reason: error.to_string(),
        };
        let job = json!({
            "job": self.job,
            "name": task.asset.name,
            "from": turn.start(),
            "until": turn.end(),
        });
        let limits = JobLimits {
            wall: self.time * 2,
            cpu: self.time,
            ..JobLimits::default()
        };
        // The hand reads from where this one stands.
        input.rewind().map_err(could_not)?;
        let input = input.try_clone().map_err(could_not)?;
        task.work(job, input, limits).await
    }
}

impl Pages {
    fn take(&mut self, parts: Vec<(JobHeader, Bytes)>) -> Result<(), Failure> {
        for (header, bytes) in parts {
            if let Some(reason) = header["nothing"].as_str() {
                return Err(Failure::NothingToDo(reason.to_owned()));
            }
            let number = |name: &str| header[name].as_u64().and_then(|n| u32::try_from(n).ok());
            if let Some(count) = number("count") {
                self.count = count;
                self.whole = header;
            } else if let Some(problem) = header["problem"].as_str() {
                self.problems.push(problem.to_owned());
                let code = header["code"].as_str().and_then(FailureCode::from_word);
                self.code = self.code.or(code);
            } else if let Some(page) = number("page") {
                self.parts.push((page, header, bytes));
            }
        }
        Ok(())
    }
}

/// Whether it is a page's fault and others may be better.
const fn is_of_the_pages(error: &ConfinementError) -> bool {
    matches!(
        error,
        ConfinementError::Killed { .. }
            | ConfinementError::OutOfMemory
            | ConfinementError::OutOfTime { .. }
            | ConfinementError::TooMuch(_)
    )
}

/// The pages that a job is asked for.
pub(super) fn wanted(header: &JobHeader) -> RangeInclusive<u32> {
    let number = |name: &str| header[name].as_u64().and_then(|n| u32::try_from(n).ok());
    number("from").unwrap_or(1)..=number("until").unwrap_or(u32::MAX)
}

/// The bytes of a document and what they are, in a hand; `None`, and that is answered, for one that is too large.
pub(super) fn take_in(
    header: &JobHeader,
    input: File,
    answer: &mut Answer<'_>,
) -> Result<Option<(Vec<u8>, FileType)>, JobFailure> {
    let mut bytes = Vec::new();
    input.take(FILE_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_BYTES {
        let nothing = "The file is larger than 512 MiB and is not read.";
        answer.give(&json!({ "nothing": nothing }), &[])?;
        return Ok(None);
    }
    let name = header["name"].as_str().unwrap_or_default();
    let file_type = heirloom_media::sniff(&mut std::io::Cursor::new(&bytes), name)?;
    Ok(Some((bytes, file_type)))
}

/// Answers why nothing of a document can be shown: what is locked or of a type that is not read has
/// nothing wrong with it.
pub(super) fn refuse(error: &DocumentError, answer: &mut Answer<'_>) -> Result<(), JobFailure> {
    let reason = error.to_string();
    match error {
        DocumentError::Locked | DocumentError::Encrypted | DocumentError::NotRead { .. } => {
            Ok(answer.give(&json!({ "nothing": reason }), &[])?)
        }
        DocumentError::Damaged { detail } => {
            Err(JobFailure::new(error.code(), reason).with_detail(detail))
        }
        _ => Err(JobFailure::new(error.code(), reason)),
    }
}
