//! How places on other machines are named.

use std::fmt;

use super::S3Settings;

/// A place for objects on another machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RemoteLocation {
    /// A part of a bucket.
    S3(S3Location),
    /// A folder that is reached with `ssh`.
    Sftp(SftpLocation),
}

/// A part of a bucket: `s3://BUCKET/PREFIX`, or with its server `s3:https://HOST[:PORT]/BUCKET/PREFIX`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3Location {
    /// The server, `https://HOST[:PORT]`; without one it is the one of the settings.
    pub endpoint: Option<String>,
    /// The bucket.
    pub bucket: String,
    /// What all names begin with: empty, or ending in `/`.
    pub prefix: String,
}

/// A folder on a machine that `ssh` reaches: `sftp://[USER@]HOST[:PORT]/PATH`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SftpLocation {
    /// Who logs in; without one it is who `ssh` says.
    pub user: Option<String>,
    /// The machine, or its name in the configuration of `ssh`.
    pub host: String,
    /// The port; without one it is the one that `ssh` says.
    pub port: Option<u16>,
    /// The folder, from the root: it begins with `/` and ends without.
    pub path: String,
}

impl RemoteLocation {
    /// Reads a name; `None` for what names no place on another machine.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence.
    pub fn parse(text: &str) -> Option<Result<Self, &'static str>> {
        if let Some(rest) = text.strip_prefix("s3:") {
            Some(parse_s3(rest).map(Self::S3))
        } else {
            let rest = text.strip_prefix("sftp:")?;
            Some(parse_sftp(rest).map(Self::Sftp))
        }
    }
}

fn parse_s3(rest: &str) -> Result<S3Location, &'static str> {
    const FORM: &str = "it is s3://BUCKET/PREFIX or s3:https://HOST/BUCKET/PREFIX";
    let (endpoint, path) = match rest.strip_prefix("//") {
        Some(path) => (None, path),
        None => {
            let (scheme, path) = rest.split_once("://").ok_or(FORM)?;
            let (host, path) = path.split_once('/').ok_or(FORM)?;
            let is_plain = |letter: char| letter.is_ascii_graphic() && !"@?#".contains(letter);
            if !matches!(scheme, "http" | "https") || host.is_empty() || !host.chars().all(is_plain)
            {
                return Err(FORM);
            }
            (Some(format!("{scheme}://{host}")), path)
        }
    };
    let (bucket, prefix) = path.split_once('/').unwrap_or((path, ""));
    let is_of_bucket =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-._".contains(&byte);
    if !(3..=63).contains(&bucket.len()) || !bucket.bytes().all(is_of_bucket) {
        return Err("a bucket has 3 to 63 small letters, digits, dots and dashes");
    }
    let prefix = prefix.trim_end_matches('/');
    check_path(prefix)?;
    Ok(S3Location {
        endpoint,
        bucket: bucket.to_owned(),
        prefix: match prefix {
            "" => String::new(),
            prefix => format!("{prefix}/"),
        },
    })
}

fn parse_sftp(rest: &str) -> Result<SftpLocation, &'static str> {
    const FORM: &str = "it is sftp://USER@HOST/PATH, with :PORT behind HOST where it is another";
    let rest = rest.strip_prefix("//").ok_or(FORM)?;
    let (authority, path) = rest.split_once('/').ok_or(FORM)?;
    let (user, machine) = match authority.rsplit_once('@') {
        Some((user, machine)) => (Some(user), machine),
        None => (None, authority),
    };
    if user.is_some_and(|user| user.contains(':')) {
        return Err("it must not have a password in it: `ssh` uses keys");
    }
    let (host, port) = match machine.rsplit_once(':') {
        Some((host, port)) => (host, Some(port.parse().map_err(|_| FORM)?)),
        None => (machine, None),
    };
    // What begins with a dash would be an option of `ssh`.
    let is_name = |name: &str| {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        !name.is_empty() && !name.starts_with('-') && name.bytes().all(is_plain)
    };
    if !is_name(host) || user.is_some_and(|user| !is_name(user)) {
        return Err(FORM);
    }
    let path = path.trim_end_matches('/');
    if path.is_empty() {
        return Err("the root of a machine is no place for it: name a folder");
    }
    check_path(path)?;
    Ok(SftpLocation {
        user: user.map(str::to_owned),
        host: host.to_owned(),
        port,
        path: format!("/{path}"),
    })
}

/// Names that programs would understand differently are not accepted.
fn check_path(path: &str) -> Result<(), &'static str> {
    let is_plain = |part: &str| !matches!(part, "" | "." | "..");
    if !path.is_empty() && !path.split('/').all(is_plain) {
        return Err("its path has `.`, `..` or `//` in it");
    }
    if path.chars().any(char::is_control) {
        return Err("its path has control characters in it");
    }
    Ok(())
}

impl S3Location {
    /// The origin of the addresses at which its objects are read, `https://HOST[:PORT]`.
    #[must_use]
    pub fn origin(&self, settings: &S3Settings) -> String {
        let endpoint = self.endpoint.clone().or_else(|| settings.endpoint.clone());
        let endpoint =
            endpoint.unwrap_or_else(|| format!("https://s3.{}.amazonaws.com", settings.region));
        match endpoint.split_once("://") {
            Some((scheme, host)) if !settings.is_path_style => {
                format!("{scheme}://{}.{host}", self.bucket)
            }
            _ => endpoint,
        }
    }

    /// Whether one of the two is in the other, or is the other. An endpoint that is not named could be any.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        let is_same = |a: &Option<String>, b: &Option<String>| a.is_none() || b.is_none() || a == b;
        is_same(&self.endpoint, &other.endpoint)
            && self.bucket == other.bucket
            && (self.prefix.starts_with(&other.prefix) || other.prefix.starts_with(&self.prefix))
    }
}

impl fmt::Display for RemoteLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::S3(location) => location.fmt(f),
            Self::Sftp(location) => location.fmt(f),
        }
    }
}

impl fmt::Display for S3Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = format!("{}/{}", self.bucket, self.prefix);
        let path = path.trim_end_matches('/');
        match &self.endpoint {
            Some(endpoint) => write!(f, "s3:{endpoint}/{path}"),
            None => write!(f, "s3://{path}"),
        }
    }
}

impl fmt::Display for SftpLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sftp://")?;
        if let Some(user) = &self.user {
            write!(f, "{user}@")?;
        }
        f.write_str(&self.host)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        f.write_str(&self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_reads_as_the_same_place_as_it_is_shown() {
        let cases = [
            ("s3://family/heirloom", "s3://family/heirloom"),
            ("s3://family", "s3://family"),
            ("s3://family/a/b/", "s3://family/a/b"),
            (
                "s3:http://127.0.0.1:9000/family/a",
                "s3:http://127.0.0.1:9000/family/a",
            ),
            (
                "s3:https://s3.example/family",
                "s3:https://s3.example/family",
            ),
            ("sftp://anna@nas/backups", "sftp://anna@nas/backups"),
            ("sftp://nas:2222/a/b/", "sftp://nas:2222/a/b"),
        ];
        for (text, shown) in cases {
            let location = RemoteLocation::parse(text).unwrap().unwrap();
            assert_eq!(location.to_string(), shown);
            assert_eq!(RemoteLocation::parse(shown), Some(Ok(location)));
        }
    }

    #[test]
    fn what_could_mean_something_else_is_no_place() {
        let refused = [
            "s3:",
            "s3://",
            "s3://Family/a",
            "s3://family/../other",
            "s3://family//a",
            "s3:ftp://host/family",
            "s3:https:///family",
            "s3:https://key@host/family",
            "sftp://nas",
            "sftp://nas/",
            "sftp:nas:/a",
            "sftp://anna:secret@nas/a",
            "sftp://-oProxyCommand=x/a",
            "sftp://nas:99999/a",
            "sftp://nas/a/../b",
        ];
        for text in refused {
            assert!(
                matches!(RemoteLocation::parse(text), Some(Err(_))),
                "{text}"
            );
        }
        assert_eq!(RemoteLocation::parse("/media/disk"), None);
    }
}
