//! Who does what models do, on the wire: services elsewhere among them.

use heirloom_pipeline::way::{Way, Ways};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Who does something that models do, and where what it is done with goes for that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Services {
    /// Who is tried, in this order: `local` is a model on this machine, `metadata` nobody, and all else a service by its name.
    pub order: Vec<String>,
    /// The services that are configured.
    pub services: Vec<Service>,
}

/// A service elsewhere. Its key is never told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Service {
    /// What it is called here.
    pub name: String,
    /// How it is spoken with: `openai`, `whisper.cpp` or `google-vision`. There may be more.
    pub kind: String,
    /// Where it is.
    pub address: String,
    /// The model that it is asked for.
    pub model: String,
    /// The languages that it is asked for, by their codes; none for any.
    pub languages: Vec<String>,
    /// How far what it is sent goes, as its address tells: `machine`, `network` or `outside`, which leaves the house.
    pub reach: String,
    /// Whether nobody can read on the way what is sent.
    pub is_encrypted: bool,
    /// Whether it is sent a key.
    pub has_key: bool,
    /// Whether what is in the library is sent to it by itself: it is in the order.
    pub is_used: bool,
    /// For how many seconds it is left alone, because it failed too often.
    pub rest_seconds: Option<u64>,
}

impl Services {
    pub(crate) fn of(ways: &Ways) -> Self {
        let order = ways.order();
        let services = ways.services().iter().map(|service| {
            let settings = service.settings();
            Service {
                name: settings.name.clone(),
                kind: settings.kind.clone(),
                address: settings.address.clone(),
                model: settings.model.clone(),
                languages: settings.languages.clone(),
                reach: settings.reach().as_str().to_owned(),
                is_encrypted: settings.is_encrypted(),
                has_key: settings.key.is_some(),
                is_used: order.iter().any(|way| way.name() == settings.name),
                rest_seconds: service.rest_left().map(|left| left.as_secs() + 1),
            }
        });
        Self {
            order: order.iter().map(|way| Way::name(way).to_owned()).collect(),
            services: services.collect(),
        }
    }
}
