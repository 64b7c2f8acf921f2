//! A real S3 server of its own for a test: moto, on a port of its own. What it has is in its memory, and gone with it.
//! It takes any keys and compares no signatures: the programs that it is for send bodies that they do not sign. The strict
//! one, s3s-fs, compares the signature of each request, and keeps what it has in a folder; it knows no archive classes.

use std::{
    env,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::process::{PATIENCE, free_address};

/// Where `./dev setup` installs it, below the cache folder of the user.
const PROGRAM: &str = "heirloom/tools/moto-5.2.5/bin/moto_server";
/// The strict one.
const STRICT_PROGRAM: &str = "heirloom/tools/s3s-fs-0.14.1/bin/s3s-fs";
/// The only bucket of a new server.
pub const BUCKET: &str = "family";
/// A running server. It stops when this is dropped.
#[derive(Debug)]
pub struct S3Server {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
    /// A key for it.
    pub access_key_id: String,
    /// The key's secret.
    pub secret_access_key: String,
    /// What it has, where that is in a folder.
    _folder: Option<TempDir>,
}

impl S3Server {
    /// A new server with an empty [`BUCKET`].
    ///
    /// # Panics
    /// When it is not installed or does not start.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(None)
    }

    /// A new server with an empty [`BUCKET`] that knows no keys.
    ///
    /// # Panics
    /// When it is not installed or does not start.
    #[must_use]
    pub fn start_refusing() -> Self {
        // Whoever makes the bucket is the only one who need not be known.
        Self::start_with(Some("1"))
    }

    /// A new server with an empty [`BUCKET`] that refuses what is not signed as S3 asks for.
    ///
    /// # Panics
    /// When it is not installed or does not start.
    #[must_use]
    pub fn start_strict() -> Self {
        let program = installed(STRICT_PROGRAM);
        let (folder, address) = (tempfile::tempdir().unwrap(), free_address());
        std::fs::create_dir(folder.path().join(BUCKET)).unwrap();
        let (id, secret) = ("AKIAHEIRLOOMTESTS", "the secret of the tests");
        let mut child = Command::new(&program)
            .args(["--host", "127.0.0.1", "--port", &address.port().to_string()])
            .args(["--access-key", id, "--secret-key", secret])
            .arg(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("{} ({error}): `./dev setup` installs it", program.display())
            });
        let started = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(child.try_wait().unwrap().is_none(), "it ended at once");
            assert!(started.elapsed() < PATIENCE, "it does not listen");
            thread::sleep(Duration::from_millis(20));
        }
        Self {
            child,
            address,
            access_key_id: id.to_owned(),
            secret_access_key: secret.to_owned(),
            _folder: Some(folder),
        }
    }

    fn start_with(open_requests: Option<&str>) -> Self {
        let program = installed(PROGRAM);
        let mut child = Command::new(&program)
            .args(["-H", "127.0.0.1", "-p", "0"])
            .envs(open_requests.map(|count| ("INITIAL_NO_AUTH_ACTION_COUNT", count)))
            .env("PYTHONUNBUFFERED", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("{} ({error}): `./dev setup` installs it", program.display())
            });
        let (tell, told) = mpsc::channel();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        // What it says about each request is read away, or it would wait.
        thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                if let Some((_, address)) = line.split_once("Running on http://") {
                    let _ = tell.send(address.trim().to_owned());
                }
            }
        });
        let address = told
            .recv_timeout(PATIENCE)
            .expect("moto says where it listens");
        let address = address.parse().unwrap();
        make_bucket(address);
        Self {
            child,
            address,
            access_key_id: "AKIAHEIRLOOMTESTS".to_owned(),
            secret_access_key: "the secret of the tests".to_owned(),
            _folder: None,
        }
    }

    /// Where it is: `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The keys, as programs take them from their environment.
    #[must_use]
    pub fn environment(&self) -> [(&'static str, &str); 2] {
        [
            ("AWS_ACCESS_KEY_ID", &self.access_key_id),
            ("AWS_SECRET_ACCESS_KEY", &self.secret_access_key),
        ]
    }

    /// What is asked for in an archive is on its way after it was looked at once.
    ///
    /// # Panics
    /// When the server does not answer.
    pub fn begin_recalls(&self) {
        self.set_recalls("{\"progression\":\"manual\",\"times\":1}");
    }

    /// What is on its way stays so.
    ///
    /// # Panics
    /// When the server does not answer.
    pub fn hold_recalls(&self) {
        self.set_recalls("{\"progression\":\"manual\",\"times\":1000000}");
    }

    /// What was asked for is there at once, and so is what is on its way.
    ///
    /// # Panics
    /// When the server does not answer.
    pub fn end_recalls(&self) {
        self.set_recalls("{\"progression\":\"immediate\"}");
    }

    fn set_recalls(&self, transition: &str) {
        let body = format!("{{\"model_name\":\"s3::keyrestore\",\"transition\":{transition}}}");
        let head = "POST /moto-api/state-manager/set-transition";
        let length = body.len();
        let headers = format!("content-type: application/json\r\ncontent-length: {length}\r\n");
        assert_eq!(ask(self.address, head, &headers, &body), "201");
    }

    /// Stops it, as a line that goes dead.
    pub fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for S3Server {
    fn drop(&mut self) {
        self.stop();
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test looks where a tool was installed"
)]
fn installed(program: &str) -> PathBuf {
    let cache = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = || env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    cache.or_else(home).expect("there is a home").join(program)
}

fn make_bucket(address: SocketAddr) {
    let headers = "content-length: 0\r\n\
         authorization: AWS4-HMAC-SHA256 Credential=nobody/20200101/us-east-1/s3/aws4_request, \
         SignedHeaders=host, Signature=0\r\n";
    assert_eq!(ask(address, &format!("PUT /{BUCKET}"), headers, ""), "200");
}

/// The status of an answer.
fn ask(address: SocketAddr, head: &str, headers: &str, body: &str) -> String {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let request = format!("{head} HTTP/1.0\r\nhost: {address}\r\n{headers}\r\n{body}");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1);
    status
        .unwrap_or_else(|| panic!("no status: {answer}"))
        .to_owned()
}
