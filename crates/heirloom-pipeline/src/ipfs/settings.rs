//! What is configured of IPFS.

use std::{fmt, sync::Arc, time::Duration};

use heirloom_ipfs::Layout;

/// Who is asked, and how files are cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IpfsSettings {
    /// The address of the RPC of a node, without `/api/v0`.
    pub node: Option<String>,
    /// A pinning service.
    pub service: Option<PinningService>,
    /// How files are cut.
    pub layout: Layout,
    /// How long somebody may say nothing.
    pub patience: Duration,
    /// How long is waited before something is tried the second time; then twice as long each time.
    pub pause: Duration,
}

/// A pinning service, by the Pinning Service API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinningService {
    /// Its address, without `/pins`.
    pub endpoint: String,
    /// What it wants to be told.
    pub token: Token,
}

impl Default for IpfsSettings {
    fn default() -> Self {
        Self {
            node: None,
            service: None,
            layout: Layout::default(),
            patience: Duration::from_secs(120),
            pause: Duration::from_millis(500),
        }
    }
}

/// A secret that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(Arc<str>);

impl Token {
    /// This one.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    pub(super) fn text(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}
