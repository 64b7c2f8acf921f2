//! How a confined process ended when it did not finish.

use std::{io, time::Duration};

use heirloom_core::unit::FailureCode;

/// Why there is no result. The words are for people who never heard of processes.
#[derive(Debug, thiserror::Error)]
pub enum ConfinementError {
    /// The program crashed.
    #[error("the program that reads this file crashed on it ({program}, signal {signal})")]
    Killed {
        /// The program.
        program: String,
        /// The number of the signal that ended it.
        signal: i32,
    },
    /// The memory that it may take did not suffice, or the machine had none left.
    #[error("reading this file takes more memory than is allowed")]
    OutOfMemory,
    /// It took too long.
    #[error("reading this file takes longer than the {} s that are allowed", limit.as_secs_f32())]
    OutOfTime {
        /// The limit that it ran into.
        limit: Duration,
    },
    /// It took more than it may, other than memory and time.
    #[error("{0}")]
    TooMuch(Excess),
    /// The disk is full, whatever the file.
    #[error("no space is left on the disk for what is made of it")]
    NoSpace,
    /// The program says that it cannot: it is broken, cut short or of a kind that it does not know.
    #[error("{reason}")]
    Failed {
        /// The same as a word.
        code: FailureCode,
        /// The program's own last words, in plain form.
        reason: String,
        /// What only its makers understand.
        detail: Option<String>,
    },
    /// It could not be started, whatever the file.
    #[error("{program} could not be started: {reason}")]
    CouldNotStart {
        /// The program.
        program: String,
        /// Why, with what to do about it.
        reason: String,
    },
    /// Somebody no longer wants it.
    #[error("this was cancelled")]
    Cancelled,
}

/// What there was too much of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Excess {
    /// Files.
    #[error("reading this file writes more to the disk than is allowed")]
    Disk,
    /// Its answer.
    #[error("reading this file gives more than is allowed")]
    Answer,
    /// An answer that is none.
    #[error("the program that reads this file answered with nonsense")]
    Nonsense,
}

impl ConfinementError {
    /// The same as a word.
    #[must_use]
    pub const fn code(&self) -> FailureCode {
        match self {
            Self::Killed { .. } | Self::TooMuch(Excess::Nonsense) => FailureCode::Crashed,
            Self::OutOfMemory => FailureCode::OutOfMemory,
            Self::OutOfTime { .. } => FailureCode::TimedOut,
            Self::TooMuch(Excess::Disk | Excess::Answer) => FailureCode::TooLarge,
            Self::NoSpace => FailureCode::NoSpace,
            Self::Failed { code, .. } => *code,
            Self::CouldNotStart { .. } => FailureCode::NoProgram,
            Self::Cancelled => FailureCode::Other,
        }
    }

    /// Whether the file is what is wrong, so that trying it again gives the same.
    #[must_use]
    pub fn is_about_the_file(&self) -> bool {
        !matches!(
            self,
            Self::CouldNotStart { .. } | Self::NoSpace | Self::Cancelled
        )
    }

    /// The program, or what read its answer, says that it cannot.
    pub(crate) fn failed(code: FailureCode, reason: impl Into<String>) -> Self {
        Self::Failed {
            code,
            reason: reason.into(),
            detail: None,
        }
    }

    /// What was needed for it could not be had.
    pub(crate) fn could_not_start(program: &str, error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::NoSpace,
            _ => Self::CouldNotStart {
                program: program.to_owned(),
                reason: error.to_string(),
            },
        }
    }
}

/// The last words of a program, without what only its makers understand.
pub(super) fn plain(said: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in said.lines().rev().map(plain_line) {
        if !line.is_empty() && !lines.contains(&line) {
            lines.push(line);
        }
        if lines.len() == 2 {
            break;
        }
    }
    lines.reverse();
    let words: String = lines.join("; ").chars().take(300).collect();
    if words.is_empty() {
        "the program that reads this file gave up without a reason".to_owned()
    } else {
        words
    }
}

/// What a program said, line by line, without where in the program it was.
pub(crate) fn plain_lines(said: &str) -> impl Iterator<Item = String> {
    said.lines().map(plain_line).filter(|line| !line.is_empty())
}

fn plain_line(line: &str) -> String {
    let mut line = line.trim();
    // "[mov,mp4 @ 0x55d0c8]" says where in the program it was.
    while let Some((inside, rest)) = line.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        if !inside.contains(" @ 0x") {
            break;
        }
        line = rest.trim_start();
    }
    let line = line.strip_prefix("/proc/self/fd/0: ").unwrap_or(line);
    let line = line.replace("/proc/self/fd/0", "the file");
    line.chars()
        .filter(|letter| !letter.is_control())
        .take(200)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_words_of_a_program_become_plain() {
        let cases = [
            (
                "[mov,mp4,m4a @ 0x55d0]  moov atom not found\n/proc/self/fd/0: Invalid data found when processing input\n",
                "moov atom not found; Invalid data found when processing input",
            ),
            ("one\ntwo\ntwo\n\n", "one; two"),
            ("bell \u{7}\u{1b}[0m", "bell [0m"),
            (
                "",
                "the program that reads this file gave up without a reason",
            ),
        ];
        for (said, expected) in cases {
            assert_eq!(plain(said), expected, "{said:?}");
        }
    }
}
