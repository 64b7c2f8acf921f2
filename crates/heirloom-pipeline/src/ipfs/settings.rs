//! What is configured of IPFS.

use std::{fmt, sync::Arc, time::Duration};

use heirloom_ipfs::Layout;

/// Who is asked, and how files are cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IpfsSettings {
    /// The address of the RPC of a node, without `/api/v0`.
    pub node: Option<String>,
    /// What the node wants to be told, where it wants anything.
    pub node_login: Option<NodeLogin>,
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
            node_login: None,
            service: None,
            layout: Layout::default(),
            patience: Duration::from_secs(120),
            pause: Duration::from_millis(500),
        }
    }
}

/// Who asks a node that does not answer everybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeLogin {
    /// A name and a password.
    Basic(String, Token),
    /// A token.
    Bearer(Token),
}

impl NodeLogin {
    /// Reads `basic:NAME:PASSWORD` or `bearer:TOKEN`, as Kubo writes them.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_plain = |text: &str| !text.is_empty() && !text.chars().any(char::is_control);
        match text.split_once(':')? {
            ("basic", rest) => {
                let (name, password) = rest.split_once(':')?;
                let is_login = is_plain(name) && is_plain(password);
                is_login.then(|| Self::Basic(name.to_owned(), Token::new(password)))
            }
            ("bearer", token) => is_plain(token).then(|| Self::Bearer(Token::new(token))),
            _ => None,
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
