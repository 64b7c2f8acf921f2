//! What is configured. The one place that reads the environment.
//!
//! A value comes from the command line, else from the environment, else from `config.toml` in the
//! data folder, else it is the one that suits most.

mod ipfs;
mod master;
mod models;
mod store;
mod way;

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::ValueEnum;
use heirloom_server::{
    Code, MasterSource, ModelsConfig, Problem, StoreConfig, UploadLimits, WaySettings,
};
use serde::Deserialize;
use toml::Spanned;

use self::{ipfs::IpfsConfig, models::ModelSettings, store::StoreSettings};
use crate::arguments::{Global, LogFormat};

/// Everything that is configured, each with where it comes from.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) data: Setting<PathBuf>,
    pub(crate) database: Setting<Option<String>>,
    pub(crate) listen: Setting<SocketAddr>,
    pub(crate) max_upload: Setting<ByteCount>,
    pub(crate) scrub_rate: Setting<ByteRate>,
    pub(crate) backup_key_file: Setting<Option<PathBuf>>,
    pub(crate) log_format: Setting<LogFormat>,
    pub(crate) log_level: Setting<Option<tracing::Level>>,
    pub(crate) store: StoreSettings,
    pub(crate) master: Setting<Option<MasterSource>>,
    pub(crate) ipfs: IpfsConfig,
    pub(crate) models: ModelSettings,
    pub(crate) transcription: Setting<WaySettings>,
    pub(crate) reading: Setting<WaySettings>,
    pub(crate) tagging: Setting<WaySettings>,
}

/// A value and where it comes from.
#[derive(Debug)]
pub(crate) struct Setting<T> {
    pub(crate) value: T,
    pub(crate) origin: Origin,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    Argument,
    Environment(&'static str),
    File(PathBuf),
    Default,
}

/// What `config.toml` may say.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct File {
    database: Option<String>,
    listen: Option<SocketAddr>,
    max_upload: Option<ByteCount>,
    scrub_rate: Option<ByteRate>,
    backup_key_file: Option<String>,
    log_format: Option<LogFormat>,
    log_level: Option<String>,
    master_key_file: Option<String>,
    master_passphrase_file: Option<String>,
    store: Option<String>,
    store_cache: Option<ByteCount>,
    store_redirect: Option<bool>,
    store_places: Option<BTreeMap<String, Spanned<String>>>,
    store_rules: Option<Vec<Spanned<String>>>,
    store_move_rate: Option<ByteRate>,
    s3_endpoint: Option<String>,
    s3_region: Option<String>,
    s3_path_style: Option<bool>,
    ipfs_node: Option<String>,
    ipfs_node_login_file: Option<String>,
    ipfs_service: Option<String>,
    ipfs_service_token_file: Option<String>,
    ipfs_layout: Option<String>,
    models: Option<String>,
    models_mirror: Option<String>,
    models_memory: Option<ByteCount>,
    models_keep: Option<Span>,
    tesseract: Option<Vec<String>>,
    transcription: Option<Vec<String>>,
    transcription_services: Option<Vec<way::Declared>>,
    reading: Option<Vec<String>>,
    reading_services: Option<Vec<way::Declared>>,
    tagging: Option<Vec<String>>,
    tagging_services: Option<Vec<way::Declared>>,
}

const DATA: &str = "HEIRLOOM_DATA";
const DATABASE: &str = "HEIRLOOM_DATABASE";
const LISTEN: &str = "HEIRLOOM_LISTEN";
const MAX_UPLOAD: &str = "HEIRLOOM_MAX_UPLOAD";
const SCRUB_RATE: &str = "HEIRLOOM_SCRUB_RATE";
const BACKUP_KEY_FILE: &str = "HEIRLOOM_BACKUP_KEY_FILE";
const LOG_FORMAT: &str = "HEIRLOOM_LOG_FORMAT";
const LOG_LEVEL: &str = "HEIRLOOM_LOG_LEVEL";

impl Config {
    /// Puts together what is configured.
    ///
    /// # Errors
    /// A value that cannot be what it should, with the place that it stands in.
    pub(crate) fn load(global: &Global, listen: Option<SocketAddr>) -> Result<Self, Problem> {
        let data = find_data(global.data.clone())?;
        let path = data.value.join("config.toml");
        let (file, text) = load_file(&path)?;
        let from_file = || Origin::File(path.clone());

        let store = StoreSettings::load(&file, &text, from_file)?;
        let master = master::load(&file, from_file)?;
        let ipfs = IpfsConfig::load(&file, from_file)?;
        let models = ModelSettings::load(&file, &data.value, from_file)?;
        let written = (
            file.transcription.clone(),
            file.transcription_services.as_deref(),
        );
        let transcription = way::TRANSCRIPTION.load(written, &data.value, from_file)?;
        let written = (file.reading.clone(), file.reading_services.as_deref());
        let reading = way::READING.load(written, &data.value, from_file)?;
        let written = (file.tagging.clone(), file.tagging_services.as_deref());
        let tagging = way::TAGGING.load(written, &data.value, from_file)?;
        let database = pick(
            global.database.clone(),
            DATABASE,
            file.database,
            from_file(),
        )?;
        let listen = pick_parsed(listen, LISTEN, file.listen, from_file(), |text| {
            text.parse()
                .map_err(|_| "an address such as 127.0.0.1:8480")
        })?;
        let max_upload = pick_parsed(None, MAX_UPLOAD, file.max_upload, from_file(), |text| {
            ByteCount::try_from(text.to_owned())
        })?;
        let scrub_rate = pick_parsed(None, SCRUB_RATE, file.scrub_rate, from_file(), |text| {
            ByteRate::try_from(text.to_owned())
        })?;
        let backup_key_file = pick(
            None,
            BACKUP_KEY_FILE,
            file.backup_key_file.map(PathBuf::from),
            from_file(),
        )?;
        let log_format = pick_parsed(
            global.log_format,
            LOG_FORMAT,
            file.log_format,
            from_file(),
            |text| LogFormat::from_str(text, true).map_err(|_| "text or json"),
        )?;
        let log_level = pick(None, LOG_LEVEL, file.log_level, from_file())?;
        Ok(Self {
            data,
            database,
            listen: listen.or(SocketAddr::from(([127, 0, 0, 1], 8480))),
            max_upload: max_upload.or(ByteCount(UploadLimits::default().max_bytes)),
            scrub_rate: scrub_rate.or(ByteRate(SCRUB_BYTES_PER_SECOND)),
            backup_key_file,
            log_format: log_format.or(LogFormat::Text),
            log_level: parse_level(log_level)?,
            store,
            master,
            ipfs,
            models,
            transcription,
            reading,
            tagging,
        })
    }
}

impl Config {
    /// Where blobs are kept, and what opens them.
    pub(crate) fn store(&self) -> StoreConfig {
        StoreConfig {
            master: self.master.value.clone(),
            ..self.store.config()
        }
    }

    /// Where models are, and who does in their place what they do.
    pub(crate) fn models(&self) -> ModelsConfig {
        ModelsConfig {
            transcription: self.transcription.value.clone(),
            reading: self.reading.value.clone(),
            tagging: self.tagging.value.clone(),
            ..self.models.settings()
        }
    }

    /// What may be handed over.
    pub(crate) fn upload_limits(&self) -> UploadLimits {
        UploadLimits {
            max_bytes: self.max_upload.value.0,
            ..UploadLimits::default()
        }
    }
}

/// A number of bytes, written as people do: `100 GB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct ByteCount(pub(crate) u64);

impl TryFrom<String> for ByteCount {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        const EXPECTED: &str = "a size such as 100 GB";
        let units = [("TB", 12), ("GB", 9), ("MB", 6), ("kB", 3), ("", 0)];
        let text = text.trim();
        let unit = units.into_iter().find(|(unit, _)| text.ends_with(unit));
        let (unit, zeros) = unit.ok_or(EXPECTED)?;
        let digits = text.strip_suffix(unit).unwrap_or(text).trim_end();
        let number: u64 = digits.parse().map_err(|_| EXPECTED)?;
        let bytes = number.checked_mul(10_u64.pow(zeros)).ok_or(EXPECTED)?;
        // A database counts to a little less.
        Some(Self(bytes))
            .filter(|_| (1..=i64::MAX.unsigned_abs()).contains(&bytes))
            .ok_or(EXPECTED)
    }
}

/// A stretch of time, written as people do: `90 s`, `10 min`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Span(pub(crate) Duration);

impl TryFrom<String> for Span {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        const EXPECTED: &str = "a stretch of time such as 90 s or 10 min";
        let units = [("min", 60), ("s", 1), ("h", 3600)];
        let text = text.trim();
        let unit = units.into_iter().find(|(unit, _)| text.ends_with(unit));
        let (unit, seconds) = unit.ok_or(EXPECTED)?;
        let digits = text.strip_suffix(unit).unwrap_or(text).trim_end();
        let number: u64 = digits.parse().map_err(|_| EXPECTED)?;
        let seconds = number.checked_mul(seconds).ok_or(EXPECTED)?;
        Ok(Self(Duration::from_secs(seconds)))
    }
}

/// How many bytes are read again each second, to find damage: a terabyte in a day and a half.
const SCRUB_BYTES_PER_SECOND: u64 = 8_000_000;

/// A number of bytes a second, written as people do: `8 MB`; `0` for none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct ByteRate(pub(crate) u64);

impl TryFrom<String> for ByteRate {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.trim() == "0" {
            return Ok(Self(0));
        }
        let bytes = ByteCount::try_from(text);
        bytes
            .map(|bytes| Self(bytes.0))
            .map_err(|_| "a size such as 8 MB, for each second, or 0")
    }
}

impl<T> Setting<Option<T>> {
    fn or(self, default: T) -> Setting<T> {
        Setting {
            value: self.value.unwrap_or(default),
            origin: self.origin,
        }
    }
}

impl Origin {
    /// Where that is, for people.
    pub(crate) fn in_words(&self) -> String {
        match self {
            Self::Argument => "command line".to_owned(),
            Self::Environment(name) => format!("environment {name}"),
            Self::File(path) => path.display().to_string(),
            Self::Default => "default".to_owned(),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the place")]
fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

fn text_variable(name: &'static str) -> Result<Option<String>, Problem> {
    variable(name)
        .map(|value| {
            value
                .into_string()
                .map_err(|_| invalid(&Origin::Environment(name), "text in UTF-8"))
        })
        .transpose()
}

fn find_data(argument: Option<PathBuf>) -> Result<Setting<PathBuf>, Problem> {
    let setting = |value, origin| Setting { value, origin };
    if let Some(path) = argument {
        return Ok(setting(path, Origin::Argument));
    }
    if let Some(path) = variable(DATA) {
        return Ok(setting(path.into(), Origin::Environment(DATA)));
    }
    let shared = variable("XDG_DATA_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| variable("HOME").map(|home| PathBuf::from(home).join(".local/share")));
    shared
        .map(|shared| setting(shared.join("heirloom"), Origin::Default))
        .ok_or_else(|| {
            Problem::new(
                Code::InvalidRequest,
                "this user has no home for a data folder",
            )
            .hint("Name a data folder with --data.")
        })
}

/// What the file says, and its text.
fn load_file(path: &Path) -> Result<(File, String), Problem> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            return match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
                    Ok((File::default(), String::new()))
                }
                _ => Err(Problem::new(
                    Code::InvalidRequest,
                    format!("{} cannot be read: {error}", path.display()),
                )),
            };
        }
    };
    let file = toml::from_str(&text).map_err(|error| {
        // Only the line and what is wrong: what stands there may be secret.
        let line = line_of(&text, error.span().map_or(0, |span| span.start));
        Problem::new(
            Code::InvalidRequest,
            format!("{}, line {line}: {}", path.display(), error.message()),
        )
        .hint("It may set database, listen, max_upload, scrub_rate, backup_key_file, log_format, log_level, \
               master_key_file, master_passphrase_file, store, \
               store_cache, store_redirect, store_places, store_rules, store_move_rate, s3_endpoint, s3_region, s3_path_style, \
               ipfs_node, ipfs_node_login_file, ipfs_service, ipfs_service_token_file, ipfs_layout, models, models_mirror, \
               models_memory, models_keep, transcription, transcription_services, reading, reading_services, \
               tagging, tagging_services and tesseract.")
    })?;
    Ok((file, text))
}

/// Which line of a text a byte is in, counted from one.
fn line_of(text: &str, at: usize) -> usize {
    1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count()
}

fn pick<T: From<String>>(
    argument: Option<T>,
    name: &'static str,
    in_file: Option<T>,
    file: Origin,
) -> Result<Setting<Option<T>>, Problem> {
    let from_environment = text_variable(name)?.map(T::from);
    Ok(first(argument, from_environment, name, in_file, file))
}

fn pick_parsed<T>(
    argument: Option<T>,
    name: &'static str,
    in_file: Option<T>,
    file: Origin,
    parse: impl Fn(&str) -> Result<T, &'static str>,
) -> Result<Setting<Option<T>>, Problem> {
    let from_environment = text_variable(name)?
        .map(|text| parse(&text).map_err(|expected| invalid(&Origin::Environment(name), expected)))
        .transpose()?;
    Ok(first(argument, from_environment, name, in_file, file))
}

fn first<T>(
    argument: Option<T>,
    from_environment: Option<T>,
    name: &'static str,
    in_file: Option<T>,
    file: Origin,
) -> Setting<Option<T>> {
    let (value, origin) = match (argument, from_environment, in_file) {
        (Some(value), ..) => (Some(value), Origin::Argument),
        (None, Some(value), _) => (Some(value), Origin::Environment(name)),
        (None, None, Some(value)) => (Some(value), file),
        (None, None, None) => (None, Origin::Default),
    };
    Setting { value, origin }
}

fn parse_level(text: Setting<Option<String>>) -> Result<Setting<Option<tracing::Level>>, Problem> {
    let level = text.value.map(|word| {
        word.parse()
            .map_err(|_| invalid(&text.origin, "error, warn, info, debug or trace"))
    });
    Ok(Setting {
        value: level.transpose()?,
        origin: text.origin,
    })
}

fn invalid(origin: &Origin, expected: &str) -> Problem {
    Problem::new(
        Code::InvalidRequest,
        format!("{} is not {expected}", origin.in_words()),
    )
}

/// A database's address without its password.
pub(crate) fn redact(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let (authority, tail) = match rest.find(['/', '?']) {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    let authority = match authority.rsplit_once('@') {
        Some((login, host)) => match login.split_once(':') {
            Some((user, _)) => format!("{user}:***@{host}"),
            None => authority.to_owned(),
        },
        None => authority.to_owned(),
    };
    let (path, query) = tail.split_once('?').unwrap_or((tail, ""));
    let query: Vec<String> = query
        .split('&')
        .filter(|part| !part.is_empty())
        .map(|part| match part.split_once('=') {
            Some((name, _)) if name.to_lowercase().contains("pass") => format!("{name}=***"),
            _ => part.to_owned(),
        })
        .collect();
    let mark = if query.is_empty() { "" } else { "?" };
    let separator = if scheme.is_empty() { "" } else { "://" };
    format!(
        "{scheme}{separator}{authority}{path}{mark}{}",
        query.join("&")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_read_as_people_write_it() {
        let cases = [
            ("1", Ok(1)),
            ("100 GB", Ok(100_000_000_000)),
            ("2TB", Ok(2_000_000_000_000)),
            (" 5 kB ", Ok(5_000)),
            ("0", Err(())),
            ("GB", Err(())),
            ("-1 MB", Err(())),
            ("1.5 GB", Err(())),
            ("20000000000 GB", Err(())),
            ("", Err(())),
        ];
        for (text, bytes) in cases {
            let read = ByteCount::try_from(text.to_owned());
            assert_eq!(read.map(|count| count.0).map_err(|_| ()), bytes, "{text}");
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        let cases = [
            ("postgres://anna:se:cr@et@db/x", "postgres://anna:***@db/x"),
            ("postgres://anna@db:5432/x", "postgres://anna@db:5432/x"),
            (
                "postgres://db/x?sslmode=require",
                "postgres://db/x?sslmode=require",
            ),
            (
                "postgres://db/x?sslpassword=y&password=z&host=/run",
                "postgres://db/x?sslpassword=***&password=***&host=/run",
            ),
            ("postgres:///x", "postgres:///x"),
        ];
        for (url, shown) in cases {
            assert_eq!(redact(url), shown);
        }
    }
}
