//! What is configured of IPFS: a node, a pinning service and its token, and how files are cut.

use std::{fs, path::PathBuf};

use heirloom_server::{Code, IpfsSettings, Layout, PinningService, Problem, Token};

use super::{File, Origin, Setting, invalid, pick, pick_parsed, text_variable};

const NODE: &str = "HEIRLOOM_IPFS_NODE";
const SERVICE: &str = "HEIRLOOM_IPFS_SERVICE";
/// The token is in a file that is named, or in the environment, and nowhere else.
const TOKEN: &str = "HEIRLOOM_IPFS_SERVICE_TOKEN";
const TOKEN_FILE: &str = "HEIRLOOM_IPFS_SERVICE_TOKEN_FILE";
const LAYOUT: &str = "HEIRLOOM_IPFS_LAYOUT";
const A_LAYOUT: &str = "kubo or unixfs-v1-2025";

/// What is configured, each with where it comes from.
#[derive(Debug)]
pub(crate) struct IpfsConfig {
    pub(crate) node: Setting<Option<String>>,
    pub(crate) service: Setting<Option<String>>,
    pub(crate) token: Setting<Option<Token>>,
    pub(crate) layout: Setting<Layout>,
}

impl IpfsConfig {
    pub(super) fn load(file: &File, from_file: impl Fn() -> Origin) -> Result<Self, Problem> {
        let node = pick(None, NODE, file.ipfs_node.clone(), from_file())?;
        check_address(&node, "an address such as http://127.0.0.1:5001")?;
        let service = pick(None, SERVICE, file.ipfs_service.clone(), from_file())?;
        check_address(&service, "an address such as https://api.pinata.cloud/psa")?;
        let token = load_token(file, from_file())?;
        if let (Some(_), None) = (&service.value, &token.value) {
            let message = "a pinning service is configured, and no token for it";
            return Err(Problem::new(Code::InvalidRequest, message).hint(
                "Name a file that has it with `ipfs_service_token_file` in config.toml or \
                 HEIRLOOM_IPFS_SERVICE_TOKEN_FILE.",
            ));
        }
        let in_file = match file.ipfs_layout.as_deref() {
            Some(word) => Some(parse_layout(word).map_err(|what| invalid(&from_file(), what))?),
            None => None,
        };
        let layout = pick_parsed(None, LAYOUT, in_file, from_file(), parse_layout)?;
        Ok(Self {
            node,
            service,
            token,
            layout: layout.or(Layout::default()),
        })
    }

    /// The same for a library.
    pub(crate) fn settings(&self) -> IpfsSettings {
        let service = self.service.value.clone().zip(self.token.value.clone());
        IpfsSettings {
            node: self.node.value.clone(),
            service: service.map(|(endpoint, token)| PinningService { endpoint, token }),
            layout: self.layout.value,
            ..IpfsSettings::default()
        }
    }
}

fn parse_layout(word: &str) -> Result<Layout, &'static str> {
    Layout::from_word(word).ok_or(A_LAYOUT)
}

/// Refuses what is no address, and one with a password in it: it would be shown.
fn check_address(setting: &Setting<Option<String>>, expected: &str) -> Result<(), Problem> {
    let Some(text) = &setting.value else {
        return Ok(());
    };
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    let is_address = rest.is_some_and(|rest| {
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-._~:/[]".contains(letter);
        !rest.is_empty() && !rest.starts_with('/') && rest.chars().all(is_plain)
    });
    match is_address {
        true => Ok(()),
        false => Err(invalid(&setting.origin, expected)),
    }
}

fn load_token(file: &File, from_file: Origin) -> Result<Setting<Option<Token>>, Problem> {
    let named = pick(
        None,
        TOKEN_FILE,
        file.ipfs_service_token_file.clone().map(PathBuf::from),
        from_file,
    )?;
    if let Some(text) = text_variable(TOKEN)?
        && !matches!(named.origin, Origin::Environment(_))
    {
        return Ok(Setting {
            value: Some(Token::new(text.trim())),
            origin: Origin::Environment(TOKEN),
        });
    }
    let Some(path) = named.value else {
        return Ok(Setting {
            value: None,
            origin: Origin::Default,
        });
    };
    let refused = |why: String| {
        let message = format!(
            "the token of the pinning service in {}: {why}",
            path.display()
        );
        Problem::new(Code::InvalidRequest, message)
    };
    let text = fs::read_to_string(&path).map_err(|error| refused(error.to_string()))?;
    match text.trim() {
        "" => Err(refused("the file is empty".to_owned())),
        text if text.chars().any(char::is_control) => {
            Err(refused("it has to be one line".to_owned()))
        }
        text => Ok(Setting {
            value: Some(Token::new(text)),
            origin: named.origin,
        }),
    }
}
