//! `heirloom run …`, `heirloom pipeline …` and `heirloom artifact …`: what is derived.

use std::path::PathBuf;

use clap::Subcommand;
use heirloom_core::{ArchiveId, ArtifactId, AssetId, RunId, UnitId, unit::UnitState};

use super::Paging;

#[derive(Debug, Subcommand)]
pub(crate) enum Run {
    /// List runs, newest first
    List {
        #[command(flatten)]
        paging: Paging,
    },
    /// Show how far one is
    Status {
        /// Which
        id: RunId,
    },
    /// Have a pipeline work on originals; what it has made before is not made again
    Start {
        /// Which: see `heirloom pipeline list`
        pipeline: String,
        /// Only the originals of this archive
        #[arg(long, value_name = "ID", conflicts_with = "asset")]
        archive: Option<ArchiveId>,
        /// Only this original; may be given several times
        #[arg(long, value_name = "ID")]
        asset: Vec<AssetId>,
        /// Only so many originals, the newest
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        sample: Option<u32>,
        /// Try again also what failed before and would fail again
        #[arg(long)]
        retry_failed: bool,
        /// Ask the tool of a step for something: playback.short_side_px=720; may be given several times
        #[arg(long, value_name = "STEP.NAME=VALUE")]
        param: Vec<Param>,
        /// Only say what there is to do, and what is stale
        #[arg(long, conflicts_with = "wait")]
        dry_run: bool,
        /// Wait until it has ended, and show how far it is
        #[arg(long)]
        wait: bool,
    },
    /// Watch one until it has ended
    Watch {
        /// Which
        id: RunId,
    },
    /// Have one wait; what is being worked on is finished first
    Pause {
        /// Which
        id: RunId,
    },
    /// Have one that waits go on
    Resume {
        /// Which
        id: RunId,
    },
    /// Stop one; what it has done stays
    Cancel {
        /// Which
        id: RunId,
    },
    /// List the originals that went through the steps of one, with how each ended and how long it took
    Units {
        /// Which
        id: RunId,
        /// Only those in this state: pending, running, done, skipped, failed, cancelled
        #[arg(long, value_parser = parse_unit_state)]
        state: Option<UnitState>,
        #[command(flatten)]
        paging: Paging,
    },
    /// Show one original in one step of a run: how it ended, and what its tool said
    Unit {
        /// Which
        id: UnitId,
    },
    /// List what failed in one, and why
    Failed {
        /// Which
        id: RunId,
        #[command(flatten)]
        paging: Paging,
    },
    /// List what came out otherwise when one made it again
    Changed {
        /// Which
        id: RunId,
        #[command(flatten)]
        paging: Paging,
    },
    /// Try what failed or was cancelled in one again
    Retry {
        /// Which
        id: RunId,
    },
}

fn parse_unit_state(word: &str) -> Result<UnitState, String> {
    UnitState::from_word(word)
        .ok_or_else(|| "it is pending, running, done, skipped, failed or cancelled".to_owned())
}

/// Something that the tool of a step is asked for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Param {
    pub(crate) step: String,
    pub(crate) name: String,
    pub(crate) value: serde_json::Value,
}

impl std::str::FromStr for Param {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (step, rest) = text.split_once('.').unwrap_or_default();
        let (name, value) = rest.split_once('=').unwrap_or_default();
        if step.is_empty() || name.is_empty() {
            return Err(
                "it is written STEP.NAME=VALUE, as in playback.short_side_px=720".to_owned(),
            );
        }
        let words = || serde_json::Value::from(value);
        Ok(Self {
            step: step.to_owned(),
            name: name.to_owned(),
            value: serde_json::from_str(value).unwrap_or_else(|_| words()),
        })
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Pipeline {
    /// List the pipelines
    List,
    /// Show the steps of one, and what their tools can be asked for
    Show {
        /// Which
        name: String,
    },
}

impl Run {
    /// Whether it may go on for long where there is no server, so that others are answered meanwhile.
    pub(crate) const fn may_take_long(&self) -> bool {
        matches!(
            self,
            Self::Start { .. } | Self::Watch { .. } | Self::Resume { .. } | Self::Retry { .. }
        )
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Artifact {
    /// List what was derived from an original
    List {
        /// The original
        asset: AssetId,
    },
    /// Show one
    Show {
        /// Which
        id: ArtifactId,
    },
    /// Write its content to a file
    Export {
        /// Which
        id: ArtifactId,
        /// The file; one that is there is not overwritten
        file: PathBuf,
    },
}
