//! What was asked for on the command line.

use std::path::PathBuf;

/// Subjects, and how to measure them.
#[derive(Debug, Default)]
pub(crate) struct Options {
    pub(crate) subjects: Vec<String>,
    pub(crate) assets: u64,
    pub(crate) data: Option<PathBuf>,
    pub(crate) is_postgres: bool,
    pub(crate) audiences: usize,
    pub(crate) only: String,
}

impl Options {
    pub(crate) fn parse(mut args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self {
            assets: 1_000_000,
            audiences: 1,
            ..Self::default()
        };
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or(format!("{arg} needs a value"));
            let number = |text: String| text.replace('_', "").parse().map_err(|_| text);
            match arg.as_str() {
                "--assets" => options.assets = number(value()?)?,
                "--audiences" => {
                    options.audiences = usize::try_from(number(value()?)?).unwrap_or(1).max(1);
                }
                "--data" => options.data = Some(value()?.into()),
                "--only" => options.only = value()?,
                "--postgres" => options.is_postgres = true,
                flag if flag.starts_with('-') => return Err(format!("there is no option {flag}")),
                _ => options.subjects.push(arg),
            }
        }
        if options.subjects.is_empty() {
            return Err("nothing was named to be measured".to_owned());
        }
        Ok(options)
    }
}
