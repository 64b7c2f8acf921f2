//! Where the blobs of a library lie: in its data folder, in a bucket, or in several places.
//!
//! The configuration says where they are kept; the file `store` in the data folder says where they are. What the second
//! has and the first does not is still read, and left as soon as nothing is there any more.

mod known;

use std::{path::PathBuf, sync::Arc};

use futures_util::TryStreamExt as _;
use heirloom_blobs::{
    BlobError, BlobStore, Cache, FolderStore, Remote, RemoteError, RemoteLocation, S3Location,
    S3Settings, S3Store, Sealing, Tier, Tiers,
};
use heirloom_core::tier::Rule;
use heirloom_db::clock;
use heirloom_pipeline::{
    Context,
    tier::{Keeping, Kept},
};

use self::known::{FOLDER, Known, State};
use crate::{
    data_folder::DataFolder,
    encryption::MasterSource,
    problem::{Code, Problem},
};

/// Where blobs are kept, and what has to be known of S3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreConfig {
    /// The bucket that what is new goes to; without one that is the data folder.
    pub bucket: Option<S3Location>,
    /// Whether somebody said where, so that what lies elsewhere is to be moved there.
    pub is_chosen: bool,
    /// More places.
    pub places: Vec<PlaceConfig>,
    /// What is kept where, the first that fits; each names the folder, the bucket or one of the places.
    pub rules: Vec<Rule>,
    /// How many bytes a second are moved at most to where they are kept; 0 where nobody moves anything by himself.
    pub move_rate: u64,
    /// What the names of buckets do not say; for backups too.
    pub s3: S3Settings,
    /// What the copies of blobs in a bucket take at most in the data folder.
    pub cache_bytes: u64,
    /// Whether browsers are sent to the bucket for bytes, with an address that is good for a few minutes.
    pub is_redirecting: bool,
    /// What opens the keys of blobs that are encrypted.
    pub master: Option<MasterSource>,
}

/// A place besides the one that what is new goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceConfig {
    /// What rules call it.
    pub name: String,
    /// Where it is.
    pub location: S3Location,
    /// The storage class of what is written there.
    pub class: Option<String>,
}

/// What the data folder is called in rules.
pub const FOLDER_PLACE: &str = FOLDER;
/// What the bucket that what is new goes to is called in rules.
pub const BUCKET_PLACE: &str = "bucket";
/// What the cache takes if nobody says otherwise.
pub const CACHE_BYTES: u64 = 10_000_000_000;
/// What is moved each second if nobody says otherwise: a terabyte in a day.
pub const MOVE_BYTES_PER_SECOND: u64 = 12_000_000;

impl Default for StoreConfig {
    fn default() -> Self {
        Self {
            bucket: None,
            is_chosen: false,
            places: Vec::new(),
            rules: Vec::new(),
            move_rate: MOVE_BYTES_PER_SECOND,
            s3: S3Settings::default(),
            cache_bytes: CACHE_BYTES,
            is_redirecting: false,
            master: None,
        }
    }
}

impl StoreConfig {
    /// Every bucket that is configured.
    pub(crate) fn buckets(&self) -> Vec<S3Location> {
        let places = self.places.iter().map(|place| &place.location);
        self.bucket.iter().chain(places).cloned().collect()
    }

    /// The places that blobs are kept in, the one of what is new first.
    fn wanted(&self) -> Vec<Wanted> {
        let folder = Wanted {
            name: FOLDER.to_owned(),
            bucket: None,
            class: None,
        };
        let mut wanted = Vec::new();
        match &self.bucket {
            None => wanted.push(folder),
            Some(bucket) => {
                wanted.push(Wanted {
                    name: BUCKET_PLACE.to_owned(),
                    bucket: Some(bucket.clone()),
                    class: None,
                });
                if self.rules.iter().any(|rule| rule.place == FOLDER) {
                    wanted.push(folder);
                }
            }
        }
        wanted.extend(self.places.iter().map(|place| Wanted {
            name: place.name.clone(),
            bucket: Some(place.location.clone()),
            class: place.class.clone(),
        }));
        wanted
    }
}

/// A place that blobs are kept in.
struct Wanted {
    name: String,
    bucket: Option<S3Location>,
    class: Option<String>,
}

impl Wanted {
    fn location(&self) -> String {
        match &self.bucket {
            Some(bucket) => bucket.to_string(),
            None => FOLDER.to_owned(),
        }
    }
}

/// The open places of a library.
#[derive(Debug)]
pub(crate) struct Store {
    /// All blobs, wherever they are.
    pub(crate) blobs: Arc<dyn BlobStore>,
    /// The places, in the order in which they are looked through.
    pub(crate) places: Vec<Place>,
    /// What is kept in which, where there is more than one.
    pub(crate) keeping: Option<Keeping>,
}

/// A place that is open.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) name: String,
    /// `folder`, or the name of a bucket with its prefix.
    pub(crate) location: String,
    pub(crate) class: Option<String>,
    /// Whether what is new goes there.
    pub(crate) is_first: bool,
    /// Whether nothing is kept there any more.
    pub(crate) is_leaving: bool,
}

impl Store {
    /// What each place has, and what of it is kept elsewhere.
    pub(crate) async fn survey(&self, ctx: &Context) -> Result<Vec<Kept>, Problem> {
        if let Some(keeping) = &self.keeping {
            return Ok(keeping.survey(ctx).await?);
        }
        let mut kept = Kept::default();
        let mut blobs = self.blobs.list(None);
        while let Some(blob) = blobs.try_next().await? {
            kept.blobs += 1;
            kept.bytes += blob.size_bytes;
        }
        Ok(vec![kept])
    }

    /// The origins that browsers are sent to.
    pub(crate) fn origins(&self, settings: &S3Settings) -> Vec<String> {
        let locations = self
            .places
            .iter()
            .map(|place| RemoteLocation::parse(&place.location));
        let mut origins: Vec<String> = locations
            .filter_map(|location| match location {
                Some(Ok(RemoteLocation::S3(location))) => Some(location.origin(settings)),
                _ => None,
            })
            .collect();
        origins.sort();
        origins.dedup();
        origins
    }
}

/// Opens the store of a library, making it where there never was one.
pub(crate) async fn open(
    folder: &DataFolder,
    config: &StoreConfig,
    sealing: Sealing,
) -> Result<Store, Problem> {
    let has_folder = folder.blobs().symlink_metadata().is_ok();
    let mut known = Known::load(&folder.store(), has_folder)?;
    let wanted = config.wanted();
    // What was begun and never had anything.
    let is_wanted = |location: &str| wanted.iter().any(|wanted| wanted.location() == location);
    known
        .places
        .retain(|place| place.state != State::Making || is_wanted(&place.location));
    if !config.is_chosen {
        refuse_to_leave(&known, &wanted)?;
    }
    let mut opening = Opening {
        folder,
        config,
        sealing,
        known,
        wanted: wanted.iter().map(Wanted::location).collect(),
        cache: None,
    };
    let mut open = Vec::new();
    for wanted in &wanted {
        open.push((opening.open(wanted).await?, wanted, false));
    }
    let left = opening.open_left(&wanted).await?;
    open.extend(
        left.iter()
            .map(|(store, wanted)| (Arc::clone(store), wanted, true)),
    );
    // The quickest first.
    let first_name = wanted[0].name.clone();
    open.sort_by_key(|(_, wanted, is_leaving)| (wanted.bucket.is_some(), *is_leaving));
    let places: Vec<Place> = open
        .iter()
        .map(|(_, wanted, is_leaving)| Place {
            name: wanted.name.clone(),
            location: wanted.location(),
            class: wanted.class.clone(),
            is_first: !is_leaving && wanted.name == first_name,
            is_leaving: *is_leaving,
        })
        .collect();
    if let [(only, ..)] = &open[..] {
        return Ok(Store {
            blobs: Arc::clone(only),
            places,
            keeping: None,
        });
    }
    let tiers = open
        .into_iter()
        .zip(&places)
        .map(|((store, ..), place)| Tier {
            name: place.name.clone(),
            store,
        });
    let first = places.iter().position(|place| place.is_first);
    let tiers = Tiers::new(tiers.collect(), first.unwrap_or_default());
    let keeping = Keeping {
        tiers: tiers.clone(),
        rules: config.rules.clone(),
        is_leaving: places.iter().map(|place| place.is_leaving).collect(),
    };
    Ok(Store {
        blobs: Arc::new(tiers),
        places,
        keeping: Some(keeping),
    })
}

/// A configuration that is not there, as in a shell without the variable, is no wish to move a library.
fn refuse_to_leave(known: &Known, wanted: &[Wanted]) -> Result<(), Problem> {
    let mut places = known.places.iter();
    let other = places.find(|place| {
        let is_wanted = wanted
            .iter()
            .any(|wanted| wanted.location() == place.location);
        place.state == State::Made && place.location != FOLDER && !is_wanted
    });
    let Some(other) = other else { return Ok(()) };
    let message = format!("the blobs of this library are in {}", other.location);
    Err(Problem::new(Code::Refused, message).hint(
        "Set `store` in its config.toml, or HEIRLOOM_STORE, to that; or to \"folder\", to have them moved to the \
         data folder.",
    ))
}

struct Opening<'a> {
    folder: &'a DataFolder,
    config: &'a StoreConfig,
    sealing: Sealing,
    known: Known,
    /// The locations of the places that blobs are kept in.
    wanted: Vec<String>,
    /// What is in use of all buckets.
    cache: Option<Cache>,
}

impl Opening<'_> {
    fn save(&self) -> Result<(), Problem> {
        self.known.save(&self.folder.store())
    }

    /// Opens a place that blobs are kept in, making it where it never was.
    async fn open(&mut self, wanted: &Wanted) -> Result<Arc<dyn BlobStore>, Problem> {
        let location = wanted.location();
        let known = self
            .known
            .find(&location)
            .map(|place| (place.state, place.id.clone()));
        let Some(bucket) = &wanted.bucket else {
            let is_making = known.as_ref().is_none_or(|known| known.0 != State::Made);
            let store = self.open_folder(is_making).await?;
            if is_making {
                self.known.find_or_add(FOLDER).state = State::Made;
                self.save()?;
            }
            return Ok(store);
        };
        let (remote, cache) = self.connect(bucket, wanted.class.as_deref()).await?;
        if let Some((State::Made, id)) = &known {
            return Ok(Arc::new(
                S3Store::open(remote, cache, id, clock::now_ms).await?,
            ));
        }
        if known.is_none() {
            // It may be one that is known, if that one is not asked for by the name that it is known by: no place is
            // taken for two, or moving a blob from one to the other would delete it.
            for at in 0..self.known.places.len() {
                let (place, (remote, cache)) =
                    (&self.known.places[at], (remote.clone(), cache.clone()));
                let is_wanted = self.wanted.contains(&place.location);
                if place.location == FOLDER || place.state != State::Made || is_wanted {
                    continue;
                }
                if let Ok(store) = S3Store::open(remote, cache, &place.id, clock::now_ms).await {
                    self.known.places[at].location = location;
                    self.save()?;
                    return Ok(Arc::new(store));
                }
            }
        }
        // Where it was left it has the name that it had.
        let place = self.known.find_or_add(&location);
        place.state = State::Making;
        let id = place.id.clone();
        self.save()?;
        let made = S3Store::create(remote, cache, &id, clock::now_ms).await;
        if made.is_err() {
            // Nothing is there yet that it could lead to.
            let was_left = known.is_some_and(|known| known.0 == State::Left);
            match was_left {
                true => self.known.find_or_add(&location).state = State::Left,
                false => self.known.places.retain(|place| place.location != location),
            }
            self.save()?;
        }
        let store = made?;
        self.known.find_or_add(&location).state = State::Made;
        self.save()?;
        Ok(Arc::new(store))
    }

    /// Opens the places that have blobs and are not configured any more, and forgets those that have none.
    async fn open_left(
        &mut self,
        wanted: &[Wanted],
    ) -> Result<Vec<(Arc<dyn BlobStore>, Wanted)>, Problem> {
        let mut open = Vec::new();
        for at in 0..self.known.places.len() {
            let place = self.known.places[at].clone();
            let is_wanted = wanted
                .iter()
                .any(|wanted| wanted.location() == place.location);
            if is_wanted || place.state != State::Made {
                continue;
            }
            let (store, bucket): (Arc<dyn BlobStore>, _) = if place.location == FOLDER {
                (self.open_folder(false).await?, None)
            } else {
                let Some(Ok(RemoteLocation::S3(bucket))) = RemoteLocation::parse(&place.location)
                else {
                    let message = format!("{} is no place for blobs", place.location);
                    return Err(Problem::new(Code::Damaged, message));
                };
                let (remote, cache) = self.connect(&bucket, None).await?;
                let store = S3Store::open(remote, cache, &place.id, clock::now_ms).await?;
                (Arc::new(store), Some(bucket))
            };
            let is_empty = match store.list(None).try_next().await {
                // Whether something is there is seen when it can be reached.
                Err(BlobError::Remote(RemoteError::Unreachable { .. })) => false,
                first => first?.is_none(),
            };
            if is_empty {
                self.known.places[at].state = State::Left;
                self.save()?;
                continue;
            }
            let name = match &bucket {
                Some(_) => format!("left-{}", at + 1),
                None => FOLDER.to_owned(),
            };
            let class = None;
            open.push((
                store,
                Wanted {
                    name,
                    bucket,
                    class,
                },
            ));
        }
        Ok(open)
    }

    async fn open_folder(&self, is_making: bool) -> Result<Arc<dyn BlobStore>, Problem> {
        let blobs = self.folder.blobs();
        // Where the file `store` says that something is there, an empty folder is a disk that is away.
        let is_making = is_making || !self.folder.store().exists();
        let sealing = self.sealing.clone();
        let opening = tokio::task::spawn_blocking(move || match is_making {
            true => FolderStore::create_sealed(blobs, sealing),
            false => FolderStore::open_sealed(blobs, sealing),
        });
        Ok(Arc::new(opening.await.map_err(Problem::internal)??))
    }

    async fn connect(
        &mut self,
        bucket: &S3Location,
        class: Option<&str>,
    ) -> Result<(Remote, Cache), Problem> {
        let settings = S3Settings {
            storage_class: class.map(str::to_owned),
            ..self.config.s3.clone()
        };
        let location = RemoteLocation::S3(bucket.clone());
        let remote = Remote::open(&location, &settings).await;
        let remote = remote.map_err(BlobError::from)?;
        if let Some(cache) = &self.cache {
            return Ok((remote, cache.clone()));
        }
        let (path, cap_bytes): (PathBuf, u64) = (self.folder.cache(), self.config.cache_bytes);
        let sealing = self.sealing.clone();
        let opening =
            tokio::task::spawn_blocking(move || Cache::open_sealed(path, cap_bytes, sealing));
        let cache = opening.await.map_err(Problem::internal)??;
        self.cache = Some(cache.clone());
        Ok((remote, cache))
    }
}
