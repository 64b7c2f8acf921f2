//! The edge of Heirloom: the data folder, the HTTP API, the web app, the plain pages and the command socket.
//!
//! [`Library::open`] takes a data folder for this process; [`router`] is everything that answers,
//! whoever carries the requests: [`serve`] does over TCP and a Unix socket, a command within its own
//! process. A handler gets its actor, calls one operation of the crates below and replies; what goes
//! wrong becomes a [`Problem`] in one place. No SQL, no decoding of media and no rule about claims
//! lives here.

mod actor;
mod archive;
mod artifact;
mod asset;
mod backup;
mod backups;
mod catalogue;
mod claim;
mod collection;
mod cursor;
mod data_folder;
mod description;
mod doctor;
mod duplicate;
mod edge;
mod encryption;
mod event;
mod extract;
mod face;
mod film;
mod folder;
mod fsck;
mod guard;
mod library;
mod live;
mod meaning;
mod media;
mod metrics;
mod model;
mod models;
mod moves;
mod observe;
mod page;
mod person;
mod place;
mod problem;
mod publication;
mod range;
mod reading;
mod router;
mod run;
mod scans;
mod scrub;
mod search;
mod searchable;
mod serve;
mod similar;
mod store;
mod tag;
mod tier;
mod timeline;
mod transcript;
mod transfer;
mod transfers;
mod upload;
mod uploads;
mod voice;
mod way;
mod web;
pub mod wire;
mod words;

pub use axum::{Router, body::Body};
pub use catalogue::take_catalogue;
pub use encryption::MasterSource;
pub use heirloom_blobs::{
    MasterKey, RemoteLocation, S3Keys, S3Location, S3Settings, is_archive_class,
};
pub use heirloom_models::Mirror;
pub use heirloom_pipeline::confinement::RoomSettings;
pub use heirloom_pipeline::ipfs::{IpfsSettings, Layout, NodeLogin, PinningService, Token};
pub use heirloom_pipeline::way::{Key as ServiceKey, Method, Reach, ServiceSettings, WaySettings};
pub use library::{Library, LibraryConfig};
pub use models::ModelsConfig;
pub use problem::{Code, Problem, ProblemDocument};
pub use router::{Door, addresses, openapi, router};
pub use serve::{serve, serve_socket};
pub use store::{
    BUCKET_PLACE, CACHE_BYTES, FOLDER_PLACE, MOVE_BYTES_PER_SECOND, PlaceConfig, StoreConfig,
};
pub use transfer::check_importable;
pub use uploads::UploadLimits;
