//! What is configured of IPFS: a node, a pinning service and its token, and how files are cut.

use std::{fs, path::PathBuf};

use heirloom_server::{Code, IpfsSettings, Layout, NodeLogin, PinningService, Problem, Token};

use super::{File, Origin, Setting, invalid, pick, pick_parsed, text_variable};

const NODE: &str = "HEIRLOOM_IPFS_NODE";
/// The login is in a file that is named, or in the environment, and nowhere else.
const LOGIN: &str = "HEIRLOOM_IPFS_NODE_LOGIN";
const LOGIN_FILE: &str = "HEIRLOOM_IPFS_NODE_LOGIN_FILE";
const SERVICE: &str = "HEIRLOOM_IPFS_SERVICE";
/// So is the token.
const TOKEN: &str = "HEIRLOOM_IPFS_SERVICE_TOKEN";
const TOKEN_FILE: &str = "HEIRLOOM_IPFS_SERVICE_TOKEN_FILE";
const LAYOUT: &str = "HEIRLOOM_IPFS_LAYOUT";
const A_LAYOUT: &str = "kubo or unixfs-v1-2025";

/// What is configured, each with where it comes from.
#[derive(Debug)]
pub(crate) struct IpfsConfig {
    pub(crate) node: Setting<Option<String>>,
    pub(crate) login: Setting<Option<NodeLogin>>,
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
        let login = load_login(file.ipfs_node_login_file.as_ref(), from_file())?;
        let token = TOKEN_SECRET.load(file.ipfs_service_token_file.as_ref(), from_file())?;
        let token = Setting {
            value: token.value.map(|text| Token::new(&text)),
            origin: token.origin,
        };
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
            login,
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
            node_login: self.login.value.clone(),
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

/// A secret that a file or a variable has.
struct Secret {
    name: &'static str,
    file_name: &'static str,
    /// What it is, in a sentence.
    what: &'static str,
}

const TOKEN_SECRET: Secret = Secret {
    name: TOKEN,
    file_name: TOKEN_FILE,
    what: "the token of the pinning service",
};
const LOGIN_SECRET: Secret = Secret {
    name: LOGIN,
    file_name: LOGIN_FILE,
    what: "the login of the IPFS node",
};

impl Secret {
    fn load(
        &self,
        in_file: Option<&String>,
        from_file: Origin,
    ) -> Result<Setting<Option<String>>, Problem> {
        let in_file = in_file.map(PathBuf::from);
        let named: Setting<Option<PathBuf>> = pick(None, self.file_name, in_file, from_file)?;
        if let Some(text) = text_variable(self.name)?
            && !matches!(named.origin, Origin::Environment(_))
        {
            return Ok(Setting {
                value: Some(text.trim().to_owned()),
                origin: Origin::Environment(self.name),
            });
        }
        let Some(path) = named.value else {
            return Ok(Setting {
                value: None,
                origin: Origin::Default,
            });
        };
        let refused = |why: String| {
            let message = format!("{} in {}: {why}", self.what, path.display());
            Problem::new(Code::InvalidRequest, message)
        };
        let text = fs::read_to_string(&path).map_err(|error| refused(error.to_string()))?;
        match text.trim() {
            "" => Err(refused("the file is empty".to_owned())),
            text if text.chars().any(char::is_control) => {
                Err(refused("it has to be one line".to_owned()))
            }
            text => Ok(Setting {
                value: Some(text.to_owned()),
                origin: named.origin,
            }),
        }
    }
}

fn load_login(
    in_file: Option<&String>,
    from_file: Origin,
) -> Result<Setting<Option<NodeLogin>>, Problem> {
    let Setting { value, origin } = LOGIN_SECRET.load(in_file, from_file)?;
    let value = match value {
        None => None,
        Some(text) => Some(NodeLogin::parse(&text).ok_or_else(|| {
            // What stands there is secret.
            let message = format!("{} ({}) cannot be read", LOGIN_SECRET.what, origin.in_words());
            Problem::new(Code::InvalidRequest, message)
                .hint("It is basic:NAME:PASSWORD or bearer:TOKEN, as the node's API.Authorizations has it.")
        })?),
    };
    Ok(Setting { value, origin })
}
