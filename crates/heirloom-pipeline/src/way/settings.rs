//! What is configured: who is tried in which order, and the services that there are.

use std::{fmt, net::IpAddr, sync::Arc, time::Duration};

/// What the models of this machine are called in the order.
pub const LOCAL: &str = "local";
/// What nobody is called in the order: what is known of it is noted, and no word.
pub const METADATA: &str = "metadata";

/// What is configured of a task. By default the models of this machine alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaySettings {
    /// Who is tried, in this order.
    pub order: Vec<Method>,
    /// The services that there are.
    pub services: Vec<ServiceSettings>,
}

impl Default for WaySettings {
    fn default() -> Self {
        Self {
            order: vec![Method::Local],
            services: Vec::new(),
        }
    }
}

/// Something that services may do in the place of models.
#[derive(Debug, Clone, Copy)]
pub struct Task {
    /// The kinds of service that there are; the first is meant where none is named.
    pub kinds: &'static [Kind],
    /// Whether [`METADATA`] may be the last in the order.
    pub may_be_noted: bool,
}

/// A kind of service: how it is spoken with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// What it is called in the configuration.
    pub word: &'static str,
    /// The model that it is asked for where none is named.
    pub model: &'static str,
}

/// One of those who may be tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Method {
    /// The models of this machine.
    Local,
    /// The service of this name.
    Service(String),
    /// Nobody.
    Metadata,
}

impl Method {
    /// What it is called.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Local => LOCAL,
            Self::Service(name) => name,
            Self::Metadata => METADATA,
        }
    }
}

impl From<&str> for Method {
    fn from(name: &str) -> Self {
        match name {
            LOCAL => Self::Local,
            METADATA => Self::Metadata,
            name => Self::Service(name.to_owned()),
        }
    }
}

/// A service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceSettings {
    /// What it is called here.
    pub name: String,
    /// How it is spoken with: the word of a [`Kind`].
    pub kind: String,
    /// Where it is, as `https://api.openai.com/v1`.
    pub address: String,
    /// The model that it is asked for.
    pub model: String,
    /// What it knows us by.
    pub key: Option<Key>,
    /// The languages that it is asked for, by their codes; none for any.
    pub languages: Vec<String>,
    /// The most bytes that it takes at once.
    pub max_bytes: u64,
    /// How long an answer is waited for.
    pub patience: Duration,
    /// How long it is left alone before it is asked again for the first time; then twice as long, and so on.
    pub pause: Duration,
}

impl Default for ServiceSettings {
    fn default() -> Self {
        Self {
            name: String::new(),
            kind: "openai".to_owned(),
            address: String::new(),
            model: String::new(),
            key: None,
            languages: Vec::new(),
            // What OpenAI takes.
            max_bytes: 25 * 1024 * 1024,
            patience: Duration::from_secs(180),
            pause: Duration::from_secs(1),
        }
    }
}

/// What a service knows us by. It is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(Arc<str>);

impl Key {
    /// This one.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    pub(crate) fn text(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

/// How far what a service is sent goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// It stays on this machine.
    Machine,
    /// It stays in this network, as far as its address tells.
    Network,
    /// It leaves the house.
    Outside,
}

impl Reach {
    /// The word for it in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Machine => "machine",
            Self::Network => "network",
            Self::Outside => "outside",
        }
    }

    /// The same in plain words.
    #[must_use]
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Machine => "stays on this machine",
            Self::Network => "stays in this network",
            Self::Outside => "leaves the house",
        }
    }
}

/// The least that a service may take: a few seconds of sound, or a small page.
const LEAST_BYTES: u64 = 256 * 1024;
const MOST_SERVICES: usize = 16;

impl WaySettings {
    /// Whether it can be.
    ///
    /// # Errors
    /// What cannot be, in words for whoever wrote it.
    pub fn check(&self, task: &Task) -> Result<(), String> {
        if self.services.len() > MOST_SERVICES {
            return Err(format!("there are more than {MOST_SERVICES} services"));
        }
        for (at, service) in self.services.iter().enumerate() {
            let name = &service.name;
            service
                .check(task.kinds)
                .map_err(|why| format!("the service {name:?}: {why}"))?;
            if self.services[..at].iter().any(|other| other.name == *name) {
                return Err(format!("two services are called {name:?}"));
            }
        }
        if self.order.is_empty() {
            return Err("nobody is named who does it".to_owned());
        }
        for (at, method) in self.order.iter().enumerate() {
            let name = method.as_str();
            if self.order[..at].contains(method) {
                return Err(format!("{name:?} is named twice"));
            }
            if let Method::Service(name) = method
                && !self.services.iter().any(|service| service.name == *name)
            {
                return Err(format!("no service is called {name:?}"));
            }
            if *method == Method::Metadata && !task.may_be_noted {
                return Err(format!("no service is called {METADATA:?}"));
            }
            if *method == Method::Metadata && at + 1 < self.order.len() {
                return Err(format!("{METADATA:?} comes last: it always succeeds"));
            }
        }
        Ok(())
    }
}

impl ServiceSettings {
    fn check(&self, kinds: &[Kind]) -> Result<(), String> {
        let is_plain = |letter: char| {
            letter.is_ascii_lowercase() || letter.is_ascii_digit() || "-_.".contains(letter)
        };
        if !(1..=40).contains(&self.name.len()) || !self.name.chars().all(is_plain) {
            return Err("a name has small letters, digits, -, _ and .".to_owned());
        }
        if [LOCAL, METADATA].contains(&self.name.as_str()) {
            return Err("this name means something else".to_owned());
        }
        if !kinds.iter().any(|kind| kind.word == self.kind) {
            let words: Vec<_> = kinds.iter().map(|kind| kind.word).collect();
            return Err(format!(
                "{:?} is no kind; there is: {}",
                self.kind,
                words.join(", ")
            ));
        }
        self.host()
            .ok_or("its address is not one such as https://api.openai.com/v1")?;
        let is_word = |text: &str| {
            let is_plain = |letter: char| !letter.is_control() && !letter.is_whitespace();
            text.len() <= 200 && text.chars().all(is_plain)
        };
        if self.model.is_empty() || !is_word(&self.model) {
            return Err("its model is not a name".to_owned());
        }
        if let Some(key) = &self.key
            && (!key.text().is_ascii() || key.text().chars().any(char::is_control))
        {
            return Err("its key is not one line of plain letters".to_owned());
        }
        let is_code = |code: &String| {
            (2..=3).contains(&code.len()) && code.chars().all(|letter| letter.is_ascii_lowercase())
        };
        if let Some(code) = self.languages.iter().find(|code| !is_code(code)) {
            return Err(format!("{code:?} is no code of a language such as de"));
        }
        if self.max_bytes < LEAST_BYTES {
            return Err(format!("it has to take {} kB at least", LEAST_BYTES / 1000));
        }
        if self.patience.is_zero() {
            return Err("an answer takes some time".to_owned());
        }
        Ok(())
    }

    /// The host of its address; `None` of what is none, or has a password in it, which would be shown.
    #[must_use]
    pub fn host(&self) -> Option<String> {
        let url = reqwest::Url::parse(&self.address).ok()?;
        let is_plain = url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        let is_http = matches!(url.scheme(), "http" | "https");
        (is_plain && is_http).then(|| url.host_str().map(str::to_owned))?
    }

    /// Whether others can read on the way what is sent.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.address.starts_with("https://")
    }

    /// How far what it is sent goes, as its address tells. What cannot be told leaves the house.
    #[must_use]
    pub fn reach(&self) -> Reach {
        let host = self.host().unwrap_or_default();
        let host = host.trim_matches(['[', ']']).trim_end_matches('.');
        match host.parse::<IpAddr>() {
            Ok(address) if address.is_loopback() => Reach::Machine,
            Ok(IpAddr::V4(address)) if address.is_private() || address.is_link_local() => {
                Reach::Network
            }
            Ok(IpAddr::V6(address))
                if address.is_unique_local() || address.is_unicast_link_local() =>
            {
                Reach::Network
            }
            Ok(_) => Reach::Outside,
            Err(_) if host == "localhost" || host.ends_with(".localhost") => Reach::Machine,
            Err(_) => {
                let ends = [".local", ".lan", ".home.arpa", ".internal"];
                let is_near = !host.contains('.') || ends.iter().any(|end| host.ends_with(end));
                if is_near {
                    Reach::Network
                } else {
                    Reach::Outside
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(address: &str) -> ServiceSettings {
        ServiceSettings {
            name: "a".to_owned(),
            address: address.to_owned(),
            model: "m".to_owned(),
            ..ServiceSettings::default()
        }
    }

    #[test]
    fn an_address_tells_how_far_the_sound_goes() {
        for (address, reach) in [
            ("http://127.0.0.1:8000/v1", Reach::Machine),
            ("http://localhost:8000/v1", Reach::Machine),
            ("http://[::1]:8000", Reach::Machine),
            ("http://192.168.1.4/v1", Reach::Network),
            ("http://nas:8000/v1", Reach::Network),
            ("http://whisper.local/v1", Reach::Network),
            ("http://[fd00::1]/v1", Reach::Network),
            ("https://api.openai.com/v1", Reach::Outside),
            ("https://8.8.8.8/v1", Reach::Outside),
            ("https://localhost.example.org/v1", Reach::Outside),
        ] {
            assert_eq!(at(address).reach(), reach, "{address}");
        }
    }

    #[test]
    fn what_cannot_be_is_refused_with_why() {
        let check = |order: &[&str], services: Vec<ServiceSettings>| {
            let order = order.iter().map(|name| Method::from(*name)).collect();
            WaySettings { order, services }.check(&crate::transcription::TASK)
        };
        let good = || at("https://example.org/v1");
        assert_eq!(check(&["local", "a", "metadata"], vec![good()]), Ok(()));
        for (order, service, why) in [
            (&["local", "b"][..], good(), "no service is called \"b\""),
            (&["a", "a"], good(), "named twice"),
            (&["metadata", "a"], good(), "comes last"),
            (&[], good(), "nobody"),
            (&["a"], at("https://anna:secret@example.org"), "address"),
            (&["a"], at("ftp://example.org"), "address"),
            (
                &["a"],
                ServiceSettings {
                    kind: "telepathy".to_owned(),
                    ..good()
                },
                "is no kind",
            ),
            (
                &["a"],
                ServiceSettings {
                    languages: vec!["German".to_owned()],
                    ..good()
                },
                "code",
            ),
            (
                &["a"],
                ServiceSettings {
                    max_bytes: 10,
                    ..good()
                },
                "at least",
            ),
            (
                &["a"],
                ServiceSettings {
                    name: "local".to_owned(),
                    ..good()
                },
                "something else",
            ),
        ] {
            let said = check(order, vec![service]).unwrap_err();
            assert!(said.contains(why), "{said}");
            assert!(!said.contains("secret"), "{said}");
        }
        assert!(check(&["a"], vec![good(), good()]).is_err());
    }

    #[test]
    fn a_key_is_never_shown() {
        let mut settings = at("https://example.org");
        settings.key = Some(Key::new("sk-very-secret"));
        assert!(!format!("{settings:?}").contains("secret"));
    }
}
