//! Where the master key is that opens encrypted blobs.

use std::path::PathBuf;

use heirloom_server::{Code, MasterKey, MasterSource, Problem};

use super::{File, Origin, Setting, pick, text_variable};

/// Files with a key or a passphrase may be named anywhere; the words themselves are in the environment alone.
const KEY_FILE: &str = "HEIRLOOM_MASTER_KEY_FILE";
const PASSPHRASE_FILE: &str = "HEIRLOOM_MASTER_PASSPHRASE_FILE";
const KEY: &str = "HEIRLOOM_MASTER_KEY";
const PASSPHRASE: &str = "HEIRLOOM_MASTER_PASSPHRASE";

/// What is configured of it: one of four at most. What the environment says goes before `config.toml`.
pub(super) fn load(
    file: &File,
    from_file: impl Fn() -> Origin,
) -> Result<Setting<Option<MasterSource>>, Problem> {
    let path = |name, in_file: &Option<String>| {
        pick(None, name, in_file.clone().map(PathBuf::from), from_file())
    };
    let key_file = path(KEY_FILE, &file.master_key_file)?;
    let passphrase_file = path(PASSPHRASE_FILE, &file.master_passphrase_file)?;
    let mut found = Vec::new();
    if let Some(path) = key_file.value {
        found.push((MasterSource::KeyFile(path), key_file.origin));
    }
    if let Some(path) = passphrase_file.value {
        found.push((MasterSource::PassphraseFile(path), passphrase_file.origin));
    }
    if let Some(text) = text_variable(KEY)? {
        let key = MasterKey::parse_key(&text).ok_or_else(|| {
            let message = format!("environment {KEY} is not a master key");
            Problem::new(Code::InvalidRequest, message).hint(
                "It has to be 52 letters and digits. What people make up is a passphrase: HEIRLOOM_MASTER_PASSPHRASE.",
            )
        })?;
        found.push((MasterSource::Given(key, KEY), Origin::Environment(KEY)));
    }
    if let Some(text) = text_variable(PASSPHRASE)? {
        let words = MasterKey::Passphrase(text.trim().to_owned().into());
        let origin = Origin::Environment(PASSPHRASE);
        found.push((MasterSource::Given(words, PASSPHRASE), origin));
    }
    let is_from_environment =
        |(_, origin): &(MasterSource, Origin)| matches!(origin, Origin::Environment(_));
    if found.iter().any(is_from_environment) {
        found.retain(is_from_environment);
    }
    if found.len() > 1 {
        return Err(Problem::new(
            Code::InvalidRequest,
            format!(
                "two master keys are named: {} and {}",
                found[0].1.in_words(),
                found[1].1.in_words()
            ),
        )
        .hint("Name the one that opens this library, and take the other away."));
    }
    Ok(match found.pop() {
        Some((source, origin)) => Setting {
            value: Some(source),
            origin,
        },
        None => Setting {
            value: None,
            origin: Origin::Default,
        },
    })
}
