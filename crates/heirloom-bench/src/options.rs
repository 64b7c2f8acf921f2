//! What was asked for on the command line.

use std::path::PathBuf;

use tempfile::TempDir;

/// Subjects, and how to measure them.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) subjects: Vec<String>,
    pub(crate) files: u64,
    pub(crate) rescanned: u64,
    pub(crate) assets: u64,
    pub(crate) audiences: usize,
    pub(crate) minutes: u64,
    pub(crate) is_postgres: bool,
    pub(crate) only: String,
    pub(crate) data: Option<PathBuf>,
    place: PathBuf,
}

const ALL: [&str; 23] = [
    "hash",
    "metadata",
    "renditions",
    "runs",
    "blobs",
    "rescan",
    "scan",
    "search",
    "timeline",
    "map",
    "serve",
    "backup",
    "reading",
    "faces",
    "people",
    "tags",
    "duplicates",
    "films",
    "like",
    "speakers",
    "voices",
    "transcribe",
    "live",
];

impl Options {
    pub(crate) fn parse(mut args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self {
            subjects: Vec::new(),
            files: 1_000_000,
            rescanned: 100_000,
            assets: 1_000_000,
            audiences: 1,
            minutes: 60,
            is_postgres: false,
            only: String::new(),
            data: None,
            place: std::env::temp_dir(),
        };
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or(format!("{arg} needs a value"));
            let number = |text: String| {
                let digits = text.replace('_', "");
                let number = digits.parse().ok().filter(|number: &u64| *number > 0);
                number.ok_or(format!("{text:?} is no number of things"))
            };
            match arg.as_str() {
                "--files" => options.files = number(value()?)?,
                "--rescanned" => options.rescanned = number(value()?)?,
                "--assets" => options.assets = number(value()?)?,
                "--audiences" => options.audiences = usize::try_from(number(value()?)?).unwrap(),
                "--minutes" => options.minutes = number(value()?)?,
                "--postgres" => options.is_postgres = true,
                "--only" => options.only = value()?,
                "--data" => options.data = Some(value()?.into()),
                "--place" => options.place = value()?.into(),
                flag if flag.starts_with('-') => return Err(format!("there is no option {flag}")),
                _ => options.subjects.push(arg),
            }
        }
        if options.subjects.is_empty() {
            options.subjects = ALL.map(str::to_owned).to_vec();
        }
        Ok(options)
    }

    /// A folder that is removed with what is in it.
    pub(crate) fn folder(&self) -> TempDir {
        tempfile::tempdir_in(&self.place).unwrap()
    }
}
