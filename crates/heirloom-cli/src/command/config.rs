//! `heirloom config show`

use heirloom_server::{MasterSource, PlaceConfig, WaySettings};
use serde_json::json;

use crate::{
    arguments::LogFormat,
    config::{Config, redact},
    output::{Output, size, table},
};

/// Shows what is configured and where it comes from. Secrets are not shown.
pub(crate) fn show(config: &Config, output: &Output) {
    let database = config.database.value.as_deref().map(redact);
    let log_format = match config.log_format.value {
        LogFormat::Text => "text",
        LogFormat::Json => "json",
    };
    let log_level = config
        .log_level
        .value
        .map(|level| level.to_string().to_lowercase());
    let store = &config.store;
    let (places, rules) = (&store.tiers.places, &store.tiers.rules);
    let settings = [
        (
            "data",
            Some(config.data.value.display().to_string()),
            &config.data.origin,
        ),
        ("database", database, &config.database.origin),
        (
            "listen",
            Some(config.listen.value.to_string()),
            &config.listen.origin,
        ),
        (
            "max_upload",
            Some(size(config.max_upload.value.0)),
            &config.max_upload.origin,
        ),
        (
            "scrub_rate",
            Some(size(config.scrub_rate.value.0)),
            &config.scrub_rate.origin,
        ),
        (
            "backup_key_file",
            config
                .backup_key_file
                .value
                .as_ref()
                .map(|file| file.display().to_string()),
            &config.backup_key_file.origin,
        ),
        (
            "log_format",
            Some(log_format.to_owned()),
            &config.log_format.origin,
        ),
        ("log_level", log_level, &config.log_level.origin),
        (
            "master_key",
            config.master.value.as_ref().map(|master| match master {
                MasterSource::KeyFile(file) | MasterSource::PassphraseFile(file) => {
                    file.display().to_string()
                }
                MasterSource::Given(..) => "***".to_owned(),
            }),
            &config.master.origin,
        ),
        (
            "store",
            store.store.value.as_ref().map(ToString::to_string),
            &store.store.origin,
        ),
        (
            "store_cache",
            Some(size(store.cache.value.0)),
            &store.cache.origin,
        ),
        (
            "store_redirect",
            Some(store.redirect.value.to_string()),
            &store.redirect.origin,
        ),
        (
            "store_places",
            (!places.value.is_empty()).then(|| describe_places(&places.value)),
            &places.origin,
        ),
        (
            "store_rules",
            (!rules.value.is_empty()).then(|| {
                let rules: Vec<_> = rules.value.iter().map(ToString::to_string).collect();
                rules.join("; ")
            }),
            &rules.origin,
        ),
        (
            "store_move_rate",
            Some(size(store.move_rate.value.0)),
            &store.move_rate.origin,
        ),
        (
            "s3_endpoint",
            store.endpoint.value.clone(),
            &store.endpoint.origin,
        ),
        (
            "s3_region",
            Some(store.region.value.clone()),
            &store.region.origin,
        ),
        (
            "s3_path_style",
            Some(store.path_style.value.to_string()),
            &store.path_style.origin,
        ),
        (
            "s3_keys",
            store.keys.value.as_ref().map(|_| "***".to_owned()),
            &store.keys.origin,
        ),
        (
            "ipfs_node",
            config.ipfs.node.value.clone(),
            &config.ipfs.node.origin,
        ),
        (
            "ipfs_node_login",
            config.ipfs.login.value.as_ref().map(|_| "***".to_owned()),
            &config.ipfs.login.origin,
        ),
        (
            "ipfs_service",
            config.ipfs.service.value.clone(),
            &config.ipfs.service.origin,
        ),
        (
            "ipfs_service_token",
            config.ipfs.token.value.as_ref().map(|_| "***".to_owned()),
            &config.ipfs.token.origin,
        ),
        (
            "ipfs_layout",
            Some(config.ipfs.layout.value.as_str().to_owned()),
            &config.ipfs.layout.origin,
        ),
        (
            "models",
            config
                .models
                .folder
                .value
                .as_ref()
                .map(|folder| folder.display().to_string()),
            &config.models.folder.origin,
        ),
        (
            "models_mirror",
            config.models.mirror.value.as_ref().map(ToString::to_string),
            &config.models.mirror.origin,
        ),
        (
            "models_memory",
            config.models.memory.value.map(|memory| size(memory.0)),
            &config.models.memory.origin,
        ),
        (
            "models_keep",
            Some(format!("{} s", config.models.keep.value.0.as_secs())),
            &config.models.keep.origin,
        ),
        (
            "transcription",
            Some(describe_order(&config.transcription.value)),
            &config.transcription.origin,
        ),
        (
            "transcription_services",
            describe_services(&config.transcription.value, "the sound"),
            &config.transcription.origin,
        ),
        (
            "reading",
            Some(describe_order(&config.reading.value)),
            &config.reading.origin,
        ),
        (
            "reading_services",
            describe_services(&config.reading.value, "the page"),
            &config.reading.origin,
        ),
        (
            "tagging",
            Some(describe_order(&config.tagging.value)),
            &config.tagging.origin,
        ),
        (
            "tagging_services",
            describe_services(&config.tagging.value, "the picture"),
            &config.tagging.origin,
        ),
        (
            "tesseract",
            Some(config.models.tesseract.value.join(", ")).filter(|it| !it.is_empty()),
            &config.models.tesseract.origin,
        ),
    ];
    let items: Vec<_> = settings
        .iter()
        .map(|(name, value, origin)| {
            json!({ "name": name, "value": value, "from": origin.in_words() })
        })
        .collect();
    output.data(&json!({ "items": items, "next": null }), || {
        let rows: Vec<Vec<String>> = settings
            .iter()
            .map(|(name, value, origin)| {
                let value = value.clone().unwrap_or_else(|| "-".to_owned());
                vec![
                    (*name).to_owned(),
                    value,
                    format!("({})", origin.in_words()),
                ]
            })
            .collect();
        table(&rows)
    });
}

fn describe_order(settings: &WaySettings) -> String {
    let order = settings.order.iter().map(|method| method.as_str());
    order.collect::<Vec<_>>().join(", ")
}

/// Each service with where what it is sent goes. Its key is not shown.
fn describe_services(settings: &WaySettings, sent: &str) -> Option<String> {
    let services = settings.services.iter().map(|service| {
        let key = if service.key.is_some() {
            ", key ***"
        } else {
            ""
        };
        let reach = service.reach().in_words();
        let (name, address) = (&service.name, &service.address);
        format!(
            "{name} = {address}, model {}{key}: {sent} {reach}",
            service.model
        )
    });
    let services: Vec<_> = services.collect();
    (!services.is_empty()).then(|| services.join("; "))
}

fn describe_places(places: &[PlaceConfig]) -> String {
    let places = places.iter().map(|place| {
        let class = place.class.as_deref().unwrap_or_default();
        let text = format!("{} = {} {class}", place.name, place.location);
        text.trim_end().to_owned()
    });
    places.collect::<Vec<_>>().join("; ")
}
