//! Services elsewhere that do what models on this machine do, and in which order all of them are tried.
//!
//! Unless somebody chose otherwise it is the models of this machine alone, and nothing leaves the house. A service is asked over
//! HTTP: again where that may help, and not at all for a while when it fails too often.

mod ask;
mod settings;
pub(crate) mod vision;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use heirloom_core::breaker::Breaker;

pub(crate) use ask::insist;
pub use settings::{Key, Kind, LOCAL, METADATA, Method, Reach, ServiceSettings, Task, WaySettings};

/// Who is tried, in which order. Cloning is cheap; clones share what is known of services that do not answer.
#[derive(Debug, Clone)]
pub struct Ways {
    order: Arc<[Way]>,
    services: Arc<[Arc<Service>]>,
}

/// One of those who are tried.
#[derive(Debug, Clone)]
pub enum Way {
    /// The models of this machine.
    Local,
    /// A service.
    Service(Arc<Service>),
    /// Nobody: what is known of it is noted.
    Metadata,
}

impl Way {
    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Local => LOCAL,
            Self::Service(service) => &service.settings().name,
            Self::Metadata => METADATA,
        }
    }

    /// What it is called in the keys of artifacts; `local` is the key of the model of this machine.
    #[must_use]
    pub fn key(&self, local: &str) -> String {
        match self {
            Self::Local => local.to_owned(),
            Self::Service(service) => service.key(),
            Self::Metadata => METADATA.to_owned(),
        }
    }

    /// Whether an artifact with that key is of its making, with whatever model.
    fn has_made(&self, key: &str) -> bool {
        match self {
            Self::Local => key != METADATA && !key.contains(':'),
            Self::Service(service) => {
                let name = key.split_once(':').map(|(name, _)| name);
                name == Some(service.settings().name.as_str())
            }
            Self::Metadata => key == METADATA,
        }
    }
}

impl Default for Ways {
    /// The models of this machine alone.
    fn default() -> Self {
        Self {
            order: Arc::new([Way::Local]),
            services: Arc::new([]),
        }
    }
}

impl Ways {
    /// As configured.
    ///
    /// # Errors
    /// What cannot be, in words for whoever wrote it.
    pub fn new(settings: &WaySettings, task: &Task) -> Result<Self, String> {
        settings.check(task)?;
        let services = settings.services.iter();
        let all = Self {
            order: Arc::new([]),
            services: services
                .map(|service| Arc::new(Service::new(service)))
                .collect(),
        };
        let order = settings.order.iter();
        let order = order.filter_map(|method| all.find(method.as_str()));
        Ok(Self {
            order: order.collect(),
            ..all
        })
    }

    /// In which order they are tried.
    #[must_use]
    pub fn order(&self) -> &[Way] {
        &self.order
    }

    /// All services that are configured, those included that are used only where somebody asks for them.
    #[must_use]
    pub fn services(&self) -> &[Arc<Service>] {
        &self.services
    }

    /// The one of this name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<Way> {
        let service = || {
            let mut services = self.services.iter();
            services.find(|service| service.settings().name == name)
        };
        match name {
            LOCAL => Some(Way::Local),
            METADATA => Some(Way::Metadata),
            _ => service().map(|service| Way::Service(Arc::clone(service))),
        }
    }

    /// Whose turn it is first, where the models of this machine are here or not.
    #[must_use]
    pub fn first(&self, has_models: bool) -> Option<&Way> {
        let mut order = self.order.iter();
        order.find(|way| has_models || !matches!(way, Way::Local))
    }

    /// Those who may make again what has an artifact with this key: none of those who come after whoever made it.
    #[must_use]
    pub(crate) fn no_worse_than(&self, made: Option<&str>) -> &[Way] {
        let Some(made) = made else {
            return &self.order;
        };
        match self.order.iter().position(|way| way.has_made(made)) {
            Some(at) => &self.order[..=at],
            // Whoever made it is not asked any more; it is better than nothing all the same.
            None => match self.order.split_last() {
                Some((Way::Metadata, others)) => others,
                _ => &self.order,
            },
        }
    }
}

/// A service, and whether it answers at present.
#[derive(Debug)]
pub struct Service {
    settings: ServiceSettings,
    breaker: Mutex<Breaker>,
    /// What the breaker's times are counted from.
    since: Instant,
}

/// Why a service did nothing. None of it has the key in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ServiceError {
    /// It cannot be reached, or fails.
    #[error("{who} cannot be reached: {why}")]
    Away {
        /// The service.
        who: String,
        /// In its words, or those of the network.
        why: String,
    },
    /// It does not answer in time.
    #[error("{who} does not answer in time")]
    Silent {
        /// The service.
        who: String,
    },
    /// It was asked too much of.
    #[error("{who} has too much to do: {why}")]
    Busy {
        /// The service.
        who: String,
        /// In its words.
        why: String,
    },
    /// It does not take the key.
    #[error("{who} does not accept the key: {why}")]
    Key {
        /// The service.
        who: String,
        /// In its words.
        why: String,
    },
    /// It is not who it says it is.
    #[error("{who} shows a certificate that is not trusted: {why}")]
    Certificate {
        /// The service.
        who: String,
        /// What is wrong with it.
        why: String,
    },
    /// It refuses.
    #[error("{who} refuses: {why}")]
    Refused {
        /// The service.
        who: String,
        /// In its words.
        why: String,
    },
    /// What it answers makes no sense.
    #[error("{who} answers nonsense: {why}")]
    Rubbish {
        /// The service.
        who: String,
        /// What is wrong with it.
        why: String,
    },
    /// It did not answer often enough, and is left alone for a while.
    #[error("{who} failed too often, and is left alone for {seconds} seconds")]
    Resting {
        /// The service.
        who: String,
        /// For how long.
        seconds: u64,
    },
    /// It is not asked for this language.
    #[error("{who} is not asked for the language {language:?}")]
    Language {
        /// The service.
        who: String,
        /// The language.
        language: String,
    },
    /// Nobody wants it any more.
    #[error("it was cancelled")]
    Cancelled,
}

impl ServiceError {
    /// What can be done about it.
    #[must_use]
    pub const fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Key { .. } => {
                "Write the key that the service gave you into the file that `key_file` names."
            }
            Self::Certificate { .. } => {
                "Check its address; the certificate of an own service has to be one that this machine trusts."
            }
            Self::Rubbish { .. } | Self::Refused { .. } => {
                "Check the address, the kind and the model in config.toml: `heirloom config show` has them."
            }
            Self::Away { .. } | Self::Silent { .. } | Self::Busy { .. } | Self::Resting { .. } => {
                "Try again later, or let a model on this machine do it: --provider local."
            }
            Self::Language { .. } => "Its languages are those of `languages` in config.toml.",
            Self::Cancelled => return None,
        })
    }
}

impl Service {
    fn new(settings: &ServiceSettings) -> Self {
        Self {
            settings: settings.clone(),
            breaker: Mutex::default(),
            since: Instant::now(),
        }
    }

    /// What is configured of it.
    #[must_use]
    pub const fn settings(&self) -> &ServiceSettings {
        &self.settings
    }

    /// What it is called in the keys of artifacts.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}:{}", self.settings.name, self.settings.model)
    }

    /// For how long it is left alone, if it is: it failed too often.
    #[must_use]
    pub fn rest_left(&self) -> Option<Duration> {
        let left_ms = self.breaker().rest_left_ms(self.now_ms());
        left_ms.map(Duration::from_millis)
    }

    pub(crate) fn name(&self) -> String {
        self.settings.name.clone()
    }

    pub(crate) fn away(&self, why: String) -> ServiceError {
        ServiceError::Away {
            who: self.name(),
            why,
        }
    }

    pub(crate) fn admit(&self) -> Result<(), ServiceError> {
        let admitted = self.breaker().admit(self.now_ms());
        admitted.map_err(|left_ms| self.resting(Duration::from_millis(left_ms)))
    }

    pub(crate) fn succeed(&self) {
        self.breaker().succeed();
    }

    pub(crate) fn fail(&self) {
        self.breaker().fail(self.now_ms());
    }

    /// Nothing that it is asked would go well.
    pub(crate) fn give_up(&self) {
        let now_ms = self.now_ms();
        self.breaker().give_up(now_ms);
    }

    pub(crate) fn resting(&self, left: Duration) -> ServiceError {
        let seconds = left.as_secs_f64().ceil() as u64;
        ServiceError::Resting {
            who: self.name(),
            seconds,
        }
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ways(order: &[&str]) -> Ways {
        let service = ServiceSettings {
            name: "cloud".to_owned(),
            address: "https://example.org/v1".to_owned(),
            model: "m".to_owned(),
            ..ServiceSettings::default()
        };
        let settings = WaySettings {
            order: order.iter().map(|name| Method::from(*name)).collect(),
            services: vec![service],
        };
        Ways::new(&settings, &crate::transcription::TASK).unwrap()
    }

    fn names(ways: &[Way]) -> Vec<&str> {
        ways.iter().map(Way::name).collect()
    }

    #[test]
    fn what_is_better_is_not_made_again_by_who_comes_later() {
        let all = ways(&["local", "cloud", "metadata"]);
        assert_eq!(names(all.no_worse_than(None)).len(), 3);
        assert_eq!(names(all.no_worse_than(Some("metadata"))).len(), 3);
        let cloud = all.no_worse_than(Some("cloud:an-older-model"));
        assert_eq!(names(cloud), ["local", "cloud"]);
        assert_eq!(names(all.no_worse_than(Some("whisper-base@12"))), ["local"]);
        // Of a service that is not configured any more.
        let gone = all.no_worse_than(Some("groq:whisper"));
        assert_eq!(names(gone), ["local", "cloud"]);
    }

    #[test]
    fn without_models_it_is_the_next_ones_turn() {
        let all = ways(&["local", "cloud", "metadata"]);
        assert_eq!(all.first(true).map(Way::name), Some("local"));
        assert_eq!(all.first(false).map(Way::name), Some("cloud"));
        assert!(Ways::default().first(false).is_none());
    }
}
