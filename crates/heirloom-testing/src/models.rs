//! The models that `./dev test` fetches before the tests.

use std::path::PathBuf;

/// The folder that they are in: what `HEIRLOOM_MODELS` names, else the one of `./dev`. It need not have all.
///
/// # Panics
/// Where this user has no home.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "the one place in which tests learn where models are"
)]
pub fn folder() -> PathBuf {
    if let Some(folder) = std::env::var_os("HEIRLOOM_MODELS") {
        return folder.into();
    }
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.unwrap_or_else(|| {
        let home = std::env::var_os("HOME").expect("a user has a home");
        PathBuf::from(home).join(".cache")
    });
    cache.join("heirloom/models")
}
