//! The command line: what can be typed.

mod backup;
mod claim;
mod collection;
mod duplicates;
mod encryption;
mod ipfs;
mod model;
mod people;
mod prepare;
mod run;
mod store;
mod transfer;

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use heirloom_core::{ArchiveId, ArtifactId, AssetId, Bucket};

pub(crate) use backup::{Backup, Restore, Target};
pub(crate) use claim::Claim;
pub(crate) use collection::{Collection, Which};
pub(crate) use duplicates::Duplicates;
pub(crate) use encryption::Encryption;
pub(crate) use ipfs::{Consent, Ipfs};
pub(crate) use model::{AddModel, Models};
pub(crate) use people::{People, WhichFaces};
pub(crate) use prepare::prepare;
pub(crate) use run::{Artifact, Param, Pipeline, Run};
pub(crate) use store::Store;
pub(crate) use transfer::{Export, Import, Program};

/// A home for a family's photographs, films, voices and letters
///
/// Heirloom catalogues folders of originals without ever writing to them, keeps what people and
/// machines say about them, and finds them again. Everything it keeps is in one data folder.
#[derive(Debug, Parser)]
#[command(name = "heirloom", version, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// The data folder [HEIRLOOM_DATA, else ~/.local/share/heirloom]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Everywhere")]
    pub(crate) data: Option<PathBuf>,
    /// A PostgreSQL database for the catalogue, postgres://… [HEIRLOOM_DATABASE, else config.toml]
    #[arg(long, global = true, value_name = "URL", help_heading = "Everywhere")]
    pub(crate) database: Option<String>,
    /// Print one JSON document, for programs
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub(crate) json: bool,
    /// How log lines look [HEIRLOOM_LOG_FORMAT, else config.toml, else text]
    #[arg(
        long,
        global = true,
        value_name = "FORMAT",
        help_heading = "Everywhere"
    )]
    pub(crate) log_format: Option<LogFormat>,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// For people
    Text,
    /// One JSON object on each line
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve the library on this machine until stopped
    Serve {
        /// Where to listen; loopback only [HEIRLOOM_LISTEN, else config.toml, else 127.0.0.1:8480]
        #[arg(long, value_name = "ADDRESS")]
        listen: Option<SocketAddr>,
    },
    /// Catalogue a folder: it is read, and never written to
    Scan(Scan),
    /// Hand files over: their bytes are kept in the vault
    ///
    /// What is there already is not sent again, and what was interrupted goes on where it was.
    Add(Add),
    /// Write everything, or a collection, to a folder that needs no Heirloom
    ///
    /// Originals under readable names, a sidecar beside each, open JSON for everything else, pages that open
    /// from a disk, and a manifest (BagIt). Exporting there again goes on where it was left, and brings what
    /// is there up to date.
    Export(Export),
    /// Bring in what an export wrote, or what Google Photos, Apple Photos, Immich or PhotoPrism hand out
    ///
    /// Originals go into the vault, with what was said of them, albums and favourites. What is here already stays as
    /// it is, and what was brought before is not brought again.
    Import(Import),
    /// The folders in which originals are
    #[command(subcommand)]
    Archive(Archive),
    /// The originals
    #[command(subcommand)]
    Asset(Asset),
    /// Statements about originals
    #[command(subcommand)]
    Claim(Claim),
    /// Albums and saved searches
    #[command(subcommand)]
    Collection(Collection),
    /// Find originals
    ///
    /// Words, "phrases", prefix*, -not, and the fields type: date: person: place: camera: tag:
    /// archive: in: is: — for instance: beach -letter type:image date:1974..1980
    Search {
        /// What to look for
        #[arg(required = true, value_name = "QUERY")]
        query: Vec<String>,
        /// Instead say what could stand at the end of it: fields, and names of people, places, cameras, tags,
        /// archives and albums that begin so; 50 at most
        #[arg(long, conflicts_with = "after")]
        suggest: bool,
        /// The language of the fields that are suggested
        #[arg(long, requires = "suggest", default_value = "en", value_parser = ["en", "de"])]
        language: String,
        #[command(flatten)]
        paging: Paging,
    },
    /// How many originals there are of each time, or those of one
    Timeline {
        /// A month (1974-05), a year (1974), a decade (195X) or `undated`: lists what is there
        bucket: Option<Bucket>,
        /// Only what this finds, as in a search
        #[arg(
            long,
            value_name = "QUERY",
            default_value = "",
            allow_hyphen_values = true
        )]
        query: String,
        /// How many of the bucket to pass over
        #[arg(long, value_name = "N", default_value_t = 0, requires = "bucket")]
        offset: u32,
        /// How many of the bucket at most: 1 to 500
        #[arg(long, value_name = "N", default_value_t = 50, requires = "bucket",
            value_parser = clap::value_parser!(u16).range(1..=500))]
        limit: u16,
    },
    /// Where assets were made
    #[command(subcommand)]
    Place(Place),
    /// What goes on in the background
    #[command(subcommand)]
    Run(Run),
    /// What was derived from originals
    #[command(subcommand)]
    Artifact(Artifact),
    /// Show how an artifact came about, and what came of it
    Lineage {
        /// An artifact, or an original with all that was made of it
        id: ArtifactId,
    },
    /// What runs can execute, and what it can be asked for
    #[command(subcommand)]
    Pipeline(Pipeline),
    /// Make again what can be made again, and say what comes out otherwise
    ///
    /// The search index, and everything that tools made that make the same of the same: what originals,
    /// names and sidecars say, pictures, stills, waveforms, proxies. What comes out the same stays as it
    /// is; what comes out otherwise takes the place of what was there. Nothing is deleted before.
    Rebuild {
        /// Only what was made of these originals
        #[arg(value_name = "ASSET", conflicts_with_all = ["archive", "index"])]
        assets: Vec<AssetId>,
        /// Only what was made of the originals of this archive
        #[arg(long, value_name = "ID", conflicts_with = "index")]
        archive: Option<ArchiveId>,
        /// Only the search index
        #[arg(long)]
        index: bool,
        /// Only say what would be made again, and what of it is stale
        #[arg(long, conflicts_with = "index")]
        dry_run: bool,
        /// Leave the run to the server
        #[arg(long)]
        no_wait: bool,
    },
    /// Check everything that is stored: the catalogue, each blob, the search index, the audit chain
    Fsck {
        /// Look at names and lengths of blobs only: quick, and blind to flipped bits
        #[arg(long)]
        quick: bool,
        /// Read every original again as well, and compare it with what was catalogued
        #[arg(long)]
        originals: bool,
        /// Set damaged blobs aside and make them again, and make an incomplete index anew
        #[arg(long)]
        repair: bool,
        /// Remove blobs that nobody has referred to for a day: not where the catalogue may be an older one, which
        /// knows nothing of newer originals
        #[arg(long)]
        remove_unreferenced: bool,
        /// Before that, take the pages of the catalogue as they are, where another program copied or changed it: it
        /// is kept beside as it was found, and written anew. Nobody can tell afterwards whether a page was damaged
        #[arg(long)]
        take_pages: bool,
    },
    /// Show how far all bytes have been read again to find damage, which `serve` does slowly, and what is
    /// damaged
    Scrub,
    /// See where blobs are kept, and bring them there
    #[command(subcommand)]
    Store(Store),
    /// Keep everything a second time, and look after that
    #[command(subcommand)]
    Backup(Backup),
    /// Make a data folder of a backup; needs the repository and its key, and nothing else
    ///
    /// Everything is compared with its hash. What was interrupted goes on where it was. Originals of folder
    /// archives come into DIR/originals, and their archives are there from then on. With --database or
    /// HEIRLOOM_DATABASE the catalogue comes into that database, which has to be empty.
    Restore(Restore),
    /// Encrypt what is stored: originals in the vault, and all that is derived
    #[command(subcommand)]
    Encryption(Encryption),
    /// Keep a collection on IPFS for good, where you choose that
    #[command(subcommand)]
    Ipfs(Ipfs),
    /// The models that abilities need: see what is here, and fetch what is missing
    #[command(subcommand)]
    Models(Models),
    /// Write down what is said in a film or recording, which need not be in the library
    ///
    /// It is heard on this machine, with the models of `heirloom models`; nothing is kept.
    Transcribe(Transcribe),
    /// Read what stands in a picture, on the pages of a PDF or in a film, which need not be in the library
    ///
    /// It is read on this machine, with the models of `heirloom models`; nothing is kept.
    Read(Read),
    /// Whose faces are in pictures: who they are, who belongs together, and who is left out
    #[command(subcommand)]
    People(People),
    /// Pictures that there are several of: copies, what shows the same, bursts; and which to keep
    ///
    /// Nothing is ever deleted: what is not kept is rated as rejected, and all of it can be taken back.
    #[command(subcommand)]
    Duplicates(Duplicates),
    /// Find the faces in a picture or film, which need not be in the library
    ///
    /// They are found on this machine, with the models of `heirloom models`; nothing is kept.
    Faces(Faces),
    /// Name what a picture or film shows, which need not be in the library
    ///
    /// It is looked at on this machine, with the models of `heirloom models`; nothing is kept.
    Tag(Tag),
    /// Say how Heirloom is doing and what it lacks
    Doctor,
    /// Say whether a server is running and ready, without opening anything: 0 if it is, 1 if not
    Health,
    /// The configuration
    #[command(subcommand)]
    Config(Config),
    /// Print completions for a shell
    Completions {
        /// Which
        shell: Shell,
    },
    /// Write the manual pages, one for each command, into a folder
    Manual {
        /// The folder; pages of the same name there are overwritten
        folder: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Scan {
    /// The folder
    pub(crate) path: PathBuf,
    /// What the archive is called [the folder's name]
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Read every file again, also those that look as they did
    #[arg(long)]
    pub(crate) verify: bool,
    /// Leave the scan to the running server
    #[arg(long, conflicts_with = "report")]
    pub(crate) no_wait: bool,
    /// Make nothing of what is found: no small pictures, nothing to play
    #[arg(long)]
    pub(crate) no_process: bool,
    /// Write a line of JSON for each file; not below an archive or in the data folder
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Take an empty folder for what it is, and not for a disk that is not mounted
    #[arg(long)]
    pub(crate) allow_empty: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Transcribe {
    /// The film or recording; with --live, - is the standard input
    pub(crate) file: PathBuf,
    /// Write down what is said while it comes, with the models of this machine
    #[arg(long, conflicts_with_all = ["vtt", "provider", "speakers"])]
    pub(crate) live: bool,
    /// What comes is plain samples, so many in a second: one channel, 16 bits, the lower byte first [it says itself what it is]
    #[arg(long, value_name = "HZ", requires = "live", value_parser = clap::value_parser!(u32).range(8_000..=192_000))]
    pub(crate) rate: Option<u32>,
    /// The language that is spoken, by its code, such as de [found out]
    #[arg(long, value_name = "CODE")]
    pub(crate) language: Option<String>,
    /// How many people speak [found out]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=8))]
    pub(crate) speakers: Option<u8>,
    /// Who does it: local, or a service of the configuration by its name [in the order that is configured]
    #[arg(long, value_name = "NAME")]
    pub(crate) provider: Option<String>,
    /// Lines of text, which is what comes without --vtt and --json
    #[arg(long, conflicts_with = "vtt")]
    pub(crate) text: bool,
    /// Captions with their times (WebVTT) in place of lines of text
    #[arg(long)]
    pub(crate) vtt: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Read {
    /// The picture, PDF or film
    pub(crate) file: PathBuf,
    /// Who does it: local, or a service of the configuration by its name [in the order that is configured]
    #[arg(long, value_name = "NAME")]
    pub(crate) provider: Option<String>,
    /// Lines of text, which is what comes without --json
    #[arg(long, conflicts_with = "json")]
    pub(crate) text: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Faces {
    /// The picture or film
    pub(crate) file: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Tag {
    /// The picture or film
    pub(crate) file: PathBuf,
    /// Who does it: local, or a service of the configuration by its name [in the order that is configured]
    #[arg(long, value_name = "NAME")]
    pub(crate) provider: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Add {
    /// The files; a folder is catalogued where it is, with `heirloom scan`
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Add them only, and begin nothing with them
    #[arg(long)]
    pub(crate) no_process: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Place {
    /// List the countries in which assets were made, the regions of one, or the places of one
    List {
        /// Of which country: two letters such as DE, or none for what has a place and no known position
        #[arg(long)]
        country: Option<String>,
        /// Of which of its regions
        #[arg(long, requires = "country")]
        region: Option<String>,
        #[command(flatten)]
        paging: Paging,
    },
    /// Find towns and villages of the world by how their names begin, with where they are
    Find {
        /// How the name begins; after a comma, how the region or the country begins: "Paris, Texas"
        name: String,
        /// The most that are named
        #[arg(long, default_value_t = 10)]
        limit: u16,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Archive {
    /// List the archives
    List,
    /// Show one
    Show {
        /// Which
        id: ArchiveId,
    },
    /// Call it something else
    Rename {
        /// Which
        id: ArchiveId,
        /// Its new name
        name: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Asset {
    /// List originals, newest first
    List {
        #[command(flatten)]
        paging: Paging,
    },
    /// Show everything that is known about one
    Show {
        /// Which
        id: AssetId,
    },
    /// Print what is said in a film or recording, as people corrected it
    Transcript {
        /// Which
        id: AssetId,
        /// As captions of browsers (WebVTT)
        #[arg(long, conflicts_with = "json")]
        vtt: bool,
    },
    /// List the voices in a film or recording: who they are, or may be, and in which others they are heard
    Voices {
        /// Which
        id: AssetId,
    },
    /// Print what stands in a picture or on the pages of a document, as people corrected it
    Reading {
        /// Which
        id: AssetId,
        /// Each line with its strip, as `claim make --on` takes it, and how sure it is
        #[arg(long, conflicts_with = "json")]
        lines: bool,
    },
    /// List the faces of a picture
    Faces {
        /// Which
        id: AssetId,
    },
    /// List the tags of an asset: what people, its files and machines call what is in it
    Tags {
        /// Which
        id: AssetId,
    },
    /// Write it to a file as a document that can be searched: the pictures of its pages with what stands on them behind, as
    /// people corrected it (PDF/A-2u). The original is not touched
    Pdf {
        /// Which
        id: AssetId,
        /// The file; one that is there is not overwritten
        file: PathBuf,
    },
    /// Hide some; their files are not touched
    Delete {
        /// Which
        #[arg(required = true, value_name = "ID")]
        ids: Vec<AssetId>,
        /// Only if it is at this version still; for one at a time
        #[arg(long, value_name = "VERSION")]
        if_version: Option<i64>,
    },
    /// Bring hidden ones back
    Restore {
        /// Which
        #[arg(required = true, value_name = "ID")]
        ids: Vec<AssetId>,
        /// Only if it is at this version still; for one at a time
        #[arg(long, value_name = "VERSION")]
        if_version: Option<i64>,
    },
    /// Remove everything that is known about hidden ones, for good, with the copies of the catalogue
    /// that were made before migrating; their files in folders are not touched, those in the vault are
    /// removed
    Purge {
        /// Which
        #[arg(required = true, value_name = "ID")]
        ids: Vec<AssetId>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// Show what is configured, and where each value comes from
    Show,
}

/// Which part of a list.
#[derive(Debug, Clone, Args)]
pub(crate) struct Paging {
    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = parse_limit)]
    pub(crate) limit: usize,
    /// Where to go on: `next` of the list before
    #[arg(long, value_name = "CURSOR")]
    pub(crate) after: Option<String>,
}

fn parse_limit(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| "a whole number from 1 on is needed".to_owned())
}
