//! What is configured of S3: where the blobs are, and with which keys.

mod tier;

use std::{fs, path::PathBuf};

use heirloom_server::{
    CACHE_BYTES, Code, FOLDER_PLACE, MOVE_BYTES_PER_SECOND, Problem, RemoteLocation, S3Keys,
    S3Location, S3Settings, StoreConfig,
};

use self::tier::Tiers;
use super::{
    ByteCount, ByteRate, File, Origin, Setting, invalid, pick, pick_parsed, text_variable, variable,
};

const STORE: &str = "HEIRLOOM_STORE";
const STORE_MOVE_RATE: &str = "HEIRLOOM_STORE_MOVE_RATE";
const STORE_CACHE: &str = "HEIRLOOM_STORE_CACHE";
const STORE_REDIRECT: &str = "HEIRLOOM_STORE_REDIRECT";
const S3_ENDPOINT: &str = "HEIRLOOM_S3_ENDPOINT";
const S3_REGION: &str = "HEIRLOOM_S3_REGION";
const S3_PATH_STYLE: &str = "HEIRLOOM_S3_PATH_STYLE";
/// Keys are in the environment or in files that it names, and nowhere else.
const ACCESS_KEY_ID: [&str; 2] = ["AWS_ACCESS_KEY_ID", "HEIRLOOM_S3_ACCESS_KEY_ID_FILE"];
const SECRET_ACCESS_KEY: [&str; 2] = [
    "AWS_SECRET_ACCESS_KEY",
    "HEIRLOOM_S3_SECRET_ACCESS_KEY_FILE",
];

/// What is configured, each with where it comes from.
#[derive(Debug)]
pub(crate) struct StoreSettings {
    /// Where what is new goes, if somebody said so.
    pub(crate) store: Setting<Option<Chosen>>,
    pub(crate) tiers: Tiers,
    pub(crate) move_rate: Setting<ByteRate>,
    pub(crate) cache: Setting<ByteCount>,
    pub(crate) redirect: Setting<bool>,
    pub(crate) endpoint: Setting<Option<String>>,
    pub(crate) region: Setting<String>,
    pub(crate) path_style: Setting<bool>,
    /// Whether there are keys, and where they come from.
    pub(crate) keys: Setting<Option<S3Keys>>,
}

/// Where what is new goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Chosen {
    /// The data folder.
    Folder,
    /// A bucket.
    Bucket(S3Location),
}

impl std::fmt::Display for Chosen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Folder => f.write_str(FOLDER_PLACE),
            Self::Bucket(location) => location.fmt(f),
        }
    }
}

impl Chosen {
    fn bucket(&self) -> Option<&S3Location> {
        match self {
            Self::Folder => None,
            Self::Bucket(location) => Some(location),
        }
    }
}

impl StoreSettings {
    pub(super) fn load(
        file: &File,
        text: &str,
        from_file: impl Fn() -> Origin,
    ) -> Result<Self, Problem> {
        let in_file = |text: &Option<String>, expected| match text {
            Some(text) => parse_store(text)
                .map(Some)
                .map_err(|_| invalid(&from_file(), expected)),
            None => Ok(None),
        };
        let move_rate = pick_parsed(
            None,
            STORE_MOVE_RATE,
            file.store_move_rate,
            from_file(),
            |text| ByteRate::try_from(text.to_owned()),
        )?;
        let store = pick_parsed(
            None,
            STORE,
            in_file(&file.store, A_STORE)?,
            from_file(),
            parse_store,
        )?;
        let cache = pick_parsed(None, STORE_CACHE, file.store_cache, from_file(), |text| {
            ByteCount::try_from(text.to_owned())
        })?;
        let redirect = pick_parsed(
            None,
            STORE_REDIRECT,
            file.store_redirect,
            from_file(),
            parse_bool,
        )?;
        let path_style = pick_parsed(
            None,
            S3_PATH_STYLE,
            file.s3_path_style,
            from_file(),
            parse_bool,
        )?;
        let endpoint = pick(None, S3_ENDPOINT, file.s3_endpoint.clone(), from_file())?;
        if let Some(text) = &endpoint.value
            && !is_endpoint(text)
        {
            return Err(invalid(
                &endpoint.origin,
                "an address such as https://s3.example.org",
            ));
        }
        let region = pick(None, S3_REGION, file.s3_region.clone(), from_file())?;
        let bucket = store.value.as_ref().and_then(Chosen::bucket);
        let tiers = Tiers::load(file, bucket, text, &from_file())?;
        Ok(Self {
            tiers,
            store,
            move_rate: move_rate.or(ByteRate(MOVE_BYTES_PER_SECOND)),
            cache: cache.or(ByteCount(CACHE_BYTES)),
            redirect: redirect.or(false),
            endpoint: Setting {
                value: endpoint
                    .value
                    .map(|text| text.trim_end_matches('/').to_owned()),
                origin: endpoint.origin,
            },
            region: region.or(S3Settings::default().region),
            path_style: path_style.or(true),
            keys: load_keys()?,
        })
    }

    /// The same for a library.
    pub(crate) fn config(&self) -> StoreConfig {
        StoreConfig {
            bucket: self.store.value.as_ref().and_then(Chosen::bucket).cloned(),
            is_chosen: self.store.value.is_some(),
            places: self.tiers.places.value.clone(),
            rules: self.tiers.rules.value.clone(),
            move_rate: self.move_rate.value.0,
            s3: S3Settings {
                endpoint: self.endpoint.value.clone(),
                region: self.region.value.clone(),
                is_path_style: self.path_style.value,
                keys: self.keys.value.clone(),
                storage_class: None,
            },
            cache_bytes: self.cache.value.0,
            is_redirecting: self.redirect.value,
            master: None,
        }
    }
}

const A_STORE: &str = "a store such as s3://BUCKET/PREFIX, or folder";

fn parse_store(text: &str) -> Result<Chosen, &'static str> {
    if text == FOLDER_PLACE {
        return Ok(Chosen::Folder);
    }
    match RemoteLocation::parse(text) {
        Some(Ok(RemoteLocation::S3(location))) => Ok(Chosen::Bucket(location)),
        _ => Err(A_STORE),
    }
}

fn parse_bool(text: &str) -> Result<bool, &'static str> {
    text.parse().map_err(|_| "true or false")
}

fn is_endpoint(text: &str) -> bool {
    let host = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    host.map(|host| host.trim_end_matches('/'))
        .is_some_and(|host| {
            !host.is_empty()
                && host
                    .chars()
                    .all(|letter| letter.is_ascii_alphanumeric() || ".-:[]".contains(letter))
        })
}

fn load_keys() -> Result<Setting<Option<S3Keys>>, Problem> {
    let access_key_id = load_key(ACCESS_KEY_ID)?;
    let secret_access_key = load_key(SECRET_ACCESS_KEY)?;
    match (access_key_id, secret_access_key) {
        (Some((access_key_id, name)), Some((secret_access_key, _))) => Ok(Setting {
            value: Some(S3Keys {
                access_key_id,
                secret_access_key,
            }),
            origin: Origin::Environment(name),
        }),
        (None, None) => Ok(Setting {
            value: None,
            origin: Origin::Default,
        }),
        (Some(_), None) => Err(lacking(SECRET_ACCESS_KEY, ACCESS_KEY_ID)),
        (None, Some(_)) => Err(lacking(ACCESS_KEY_ID, SECRET_ACCESS_KEY)),
    }
}

fn lacking(missing: [&str; 2], there: [&str; 2]) -> Problem {
    Problem::new(
        Code::InvalidRequest,
        format!("{} is set, and {} is not", there[0], missing[0]),
    )
    .hint("Both are needed for S3, or the files that have them.")
}

/// A key and the variable that it comes from.
fn load_key(
    [name, file_name]: [&'static str; 2],
) -> Result<Option<(String, &'static str)>, Problem> {
    if let Some(path) = variable(file_name) {
        let path = PathBuf::from(path);
        let text = fs::read_to_string(&path).map_err(|error| {
            let message = format!("{file_name}: {} cannot be read: {error}", path.display());
            Problem::new(Code::InvalidRequest, message)
        })?;
        let key = text.trim().to_owned();
        if key.is_empty() {
            let message = format!("{file_name}: {} is empty", path.display());
            return Err(Problem::new(Code::InvalidRequest, message));
        }
        return Ok(Some((key, file_name)));
    }
    Ok(text_variable(name)?.map(|key| (key, name)))
}
