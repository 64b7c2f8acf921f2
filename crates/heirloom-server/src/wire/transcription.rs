//! Who writes down what is said, on the wire.

use heirloom_pipeline::transcription::{self, Way};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Who writes down what is said, and where the sound goes for that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Transcription {
    /// Who is tried, in this order: `local` is a model on this machine, `metadata` nobody, and all else a service by its name.
    pub order: Vec<String>,
    /// The services that are configured.
    pub services: Vec<TranscriptionService>,
}

/// A service that writes down what is said. Its key is never told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TranscriptionService {
    /// What it is called here.
    pub name: String,
    /// How it is spoken with: `openai` or `whisper.cpp`. There may be more.
    pub kind: String,
    /// Where it is.
    pub address: String,
    /// The model that it is asked for.
    pub model: String,
    /// The languages that it is asked for, by their codes; none for any.
    pub languages: Vec<String>,
    /// How far the sound goes, as its address tells: `machine`, `network` or `outside`, which leaves the house.
    pub reach: String,
    /// Whether nobody can read on the way what is sent.
    pub is_encrypted: bool,
    /// Whether it is sent a key.
    pub has_key: bool,
    /// Whether recordings of the library are sent to it by themselves: it is in the order.
    pub is_used: bool,
    /// For how many seconds it is left alone, because it failed too often.
    pub rest_seconds: Option<u64>,
}

impl Transcription {
    pub(crate) fn of(transcription: &transcription::Transcription) -> Self {
        let order = transcription.order();
        let services = transcription.services().iter().map(|service| {
            let settings = service.settings();
            TranscriptionService {
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
