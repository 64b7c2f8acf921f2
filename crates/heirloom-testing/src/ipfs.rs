//! A node of IPFS and a pinning service of its own for a test: what they do with blocks is done by the JavaScript
//! implementation of IPFS, on a loopback port. What they have is in their memory, and gone with them.

use std::{
    env, fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    os::unix::fs::symlink,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
};

use serde_json::Value as Json;

use crate::process::PATIENCE;

/// Where `./dev setup` installs what the program is made of, below the cache folder of the user.
const PACKAGES: &str = "heirloom/tools/ipfs-1/node_modules";
const PROGRAM: &str = include_str!("../ipfs/node.mjs");

/// A running node with its pinning service. It stops when this is dropped.
#[derive(Debug)]
pub struct IpfsNode {
    child: Child,
    folder: PathBuf,
    /// Where it listens.
    pub address: SocketAddr,
}

impl IpfsNode {
    /// What the pinning service wants to be told.
    pub const TOKEN: &str = "the token of the tests";

    /// A new one that has nothing.
    ///
    /// # Panics
    /// When it is not installed or does not start.
    #[must_use]
    pub fn start() -> Self {
        let packages = packages();
        assert!(
            packages.is_dir(),
            "{} is missing: `./dev setup` installs it",
            packages.display()
        );
        let folder = env::temp_dir().join(format!("ipfs-{}", uuid::Uuid::new_v4()));
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("node.mjs"), PROGRAM).unwrap();
        symlink(packages, folder.join("node_modules")).unwrap();
        let mut child = Command::new("node")
            .arg(folder.join("node.mjs"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node is installed");
        let (tell, told) = mpsc::channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if let Some(port) = line.strip_prefix("listening on ") {
                    let _ = tell.send(port.parse::<u16>().unwrap());
                }
            }
        });
        let port = told
            .recv_timeout(PATIENCE)
            .expect("the node says where it listens");
        Self {
            child,
            folder,
            address: SocketAddr::from(([127, 0, 0, 1], port)),
        }
    }

    /// The address of its RPC.
    #[must_use]
    pub fn rpc(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The address of its pinning service.
    #[must_use]
    pub fn service(&self) -> String {
        format!("http://{}/psa", self.address)
    }

    /// Asks for something; gives the status and what came.
    ///
    /// # Panics
    /// When it does not answer.
    #[must_use]
    pub fn ask(&self, path: &str, body: &[u8]) -> (u16, Vec<u8>) {
        let mut stream = TcpStream::connect_timeout(&self.address, PATIENCE).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let head = format!(
            "POST {path} HTTP/1.0\r\nhost: {}\r\ncontent-length: {}\r\n\r\n",
            self.address,
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let end = answer.windows(4).position(|it| it == b"\r\n\r\n");
        let body = answer.split_off(end.expect("an answer has a head") + 4);
        let head = String::from_utf8(answer).unwrap();
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
        (status.unwrap(), body)
    }

    /// The same, where JSON comes back and nothing is wrong.
    ///
    /// # Panics
    /// When something is wrong.
    #[must_use]
    pub fn json(&self, path: &str, body: &[u8]) -> Json {
        let (status, body) = self.ask(path, body);
        let text = String::from_utf8_lossy(&body);
        assert_eq!(status, 200, "{path}: {text}");
        serde_json::from_slice(&body).unwrap()
    }

    /// The name that the JavaScript implementation gives a file.
    #[must_use]
    pub fn cid_of(&self, bytes: &[u8], profile: &str) -> String {
        let answer = self.json(&format!("/test/cid?profile={profile}"), bytes);
        answer["cid"].as_str().unwrap().to_owned()
    }

    /// What is pinned, what it was asked for, and what it has.
    #[must_use]
    pub fn state(&self) -> Json {
        self.json("/test/state", b"")
    }

    /// What its RPC wants to be told from now on, as a header.
    pub fn want_login(&self, header: &str) {
        let _ = self.json("/test/login", header.as_bytes());
    }

    /// What is to go wrong from now on: each with `path`, `count` and either `status` or `silent`.
    pub fn fail(&self, faults: &Json) {
        let _ = self.json("/test/faults", faults.to_string().as_bytes());
    }

    /// Stops it, as a line that goes dead.
    pub fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for IpfsNode {
    fn drop(&mut self) {
        self.stop();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test looks where a tool was installed"
)]
fn packages() -> PathBuf {
    let cache = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = || env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    cache.or_else(home).expect("there is a home").join(PACKAGES)
}
