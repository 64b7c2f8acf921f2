//! `heirloom claim …`

use clap::Subcommand;
use heirloom_core::{AssetId, ClaimBatchId, ClaimId, Glimpse, Segment, Strip, claim::ClaimKind};

use super::Which;

#[derive(Debug, Subcommand)]
pub(crate) enum Claim {
    /// List what is said about an original, and what is believed
    List {
        /// The original
        asset: AssetId,
    },
    /// Say something about an original; nothing is overwritten
    Make {
        /// The original
        asset: AssetId,
        /// What is said something of
        #[arg(value_parser = parse_claim_kind)]
        kind: ClaimKind,
        /// What is said: words, a date such as 1942~, a number, or latitude,longitude
        #[arg(allow_hyphen_values = true)]
        value: String,
        /// Of which stretch of a recording, in milliseconds: of what is said there, and of who says it
        #[arg(long, value_name = "START-END")]
        at: Option<Segment>,
        /// Of which strip of a page: of what is written there; the page, then its corners, or left, top, width and height, as
        /// shares of the page, such as 1:0.1,0.2,0.8,0.05
        #[arg(long, value_name = "STRIP", conflicts_with = "at")]
        on: Option<Strip>,
        /// Of which face, as shares of its picture, in a film with the milliseconds from its beginning before them, such as
        /// 12000:0.1,0.2,0.2,0.3: who it shows, in which group it is, why it is left out
        #[arg(long, value_name = "LEFT,TOP,WIDTH,HEIGHT", conflicts_with_all = ["at", "on"])]
        area: Option<Glimpse>,
        /// Say that it is not so
        #[arg(long)]
        not: bool,
        /// Where it is known from
        #[arg(long, default_value = "", hide_default_value = true)]
        source: String,
        /// How sure it is, 0 to 1
        #[arg(long, default_value_t = 1.0, value_parser = parse_confidence)]
        confidence: f32,
        /// Asking again with the same key makes the claim once
        #[arg(long, value_name = "KEY")]
        idempotency_key: Option<String>,
    },
    /// Say the same about many originals at once, up to 5,000: about all of them or about none
    MakeMany {
        /// What is said something of
        #[arg(value_parser = parse_claim_kind)]
        kind: ClaimKind,
        /// What is said: words, a date such as 1942~, a number, or latitude,longitude
        #[arg(allow_hyphen_values = true)]
        value: String,
        #[command(flatten)]
        which: Which,
        /// Of a place: take its position with it, as far as none is known. After a comma may stand how the region or the
        /// country begins: "Paris, Texas"
        #[arg(long, conflicts_with = "not")]
        on_map: bool,
        /// Say that it is not so
        #[arg(long)]
        not: bool,
        /// Where it is known from
        #[arg(long, default_value = "", hide_default_value = true)]
        source: String,
        /// How sure it is, 0 to 1
        #[arg(long, default_value_t = 1.0, value_parser = parse_confidence)]
        confidence: f32,
        /// Asking again with the same key says it once
        #[arg(long, value_name = "KEY")]
        idempotency_key: Option<String>,
    },
    /// Take back at once what was said about many
    UndoMany {
        /// What was said at once
        batch: ClaimBatchId,
    },
    /// Hold again to what was taken back at once
    RedoMany {
        /// What was said at once
        batch: ClaimBatchId,
    },
    /// Take a claim back
    Undo {
        /// The original
        asset: AssetId,
        /// The claim
        claim: ClaimId,
    },
    /// Hold to a claim again
    Redo {
        /// The original
        asset: AssetId,
        /// The claim
        claim: ClaimId,
    },
}

fn parse_confidence(text: &str) -> Result<f32, String> {
    let number = text
        .parse()
        .ok()
        .filter(|number| (0.0..=1.0).contains(number));
    number.ok_or_else(|| "a number from 0 to 1 is needed".to_owned())
}

fn parse_claim_kind(word: &str) -> Result<ClaimKind, String> {
    ClaimKind::from_word(word).ok_or_else(|| {
        let kinds = ClaimKind::ALL.map(ClaimKind::as_str);
        format!("kinds are {}", kinds.join(", "))
    })
}
