//! A server of files over HTTP, on this machine, with the bad manners that servers have.

use std::{
    collections::HashMap,
    io::{BufRead as _, BufReader, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard},
    thread,
};

/// A server. It answers until the process ends.
#[derive(Debug, Clone)]
pub struct FileServer {
    address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug, Default)]
struct Shared {
    files: HashMap<String, File>,
    asked: Vec<(String, u64)>,
}

#[derive(Debug, Clone)]
struct File {
    bytes: Vec<u8>,
    manners: Manners,
}

/// How a file is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Manners {
    /// As asked for.
    Good,
    /// From its beginning, whatever is asked for.
    NoRanges,
    /// So many bytes, and then the connection ends.
    BreaksOff(usize),
    /// So many bytes, and then nothing for as long as the other side waits.
    Stalls(usize),
    /// Not before it was asked for so often; until then with that status.
    Late(u16, u32),
    /// Never, with that status.
    Never(u16),
    /// At another path.
    Moved(String),
}

impl FileServer {
    /// Starts a server that has nothing yet.
    ///
    /// # Panics
    /// When this machine has no loopback.
    #[must_use]
    pub fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let server = Self {
            address: listener.local_addr().unwrap(),
            shared: Arc::default(),
        };
        let answering = server.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let server = answering.clone();
                thread::spawn(move || {
                    // Who asks may go away in the middle.
                    let _ = server.answer(stream);
                });
            }
        });
        server
    }

    /// The address of a path.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Has a file at a path from now on, in the place of what it had there.
    pub fn put(&self, path: &str, bytes: &[u8], manners: Manners) {
        let bytes = bytes.to_vec();
        let file = File { bytes, manners };
        self.shared().files.insert(path.to_owned(), file);
    }

    /// What was asked for: each path, and from which byte on.
    #[must_use]
    pub fn asked(&self) -> Vec<(String, u64)> {
        self.shared().asked.clone()
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap()
    }

    fn answer(&self, stream: TcpStream) -> std::io::Result<()> {
        let mut lines = BufReader::new(stream.try_clone()?).lines();
        let first = lines.next().transpose()?.unwrap_or_default();
        let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
        let mut from = 0;
        for line in lines {
            let line = line?.to_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(range) = line.strip_prefix("range: bytes=") {
                from = range.trim_end_matches('-').parse().unwrap_or(0);
            }
        }
        let file = {
            let mut shared = self.shared();
            shared.asked.push((path.clone(), from as u64));
            let file = shared.files.get_mut(&path);
            file.map(|file| {
                let given = file.clone();
                if let Manners::Late(_, times) = &mut file.manners {
                    *times = times.saturating_sub(1);
                }
                given
            })
        };
        respond(stream, file, from)
    }
}

fn respond(mut stream: TcpStream, file: Option<File>, from: usize) -> std::io::Result<()> {
    let say = |mut stream: TcpStream, status: u16, more: &str| {
        let head =
            format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\nconnection: close\r\n{more}\r\n");
        stream.write_all(head.as_bytes())
    };
    let Some(File { bytes, manners }) = file else {
        return say(stream, 404, "");
    };
    match &manners {
        Manners::Never(status) => return say(stream, *status, ""),
        Manners::Late(status, times) if *times > 0 => {
            return say(stream, *status, "retry-after: 0\r\n");
        }
        Manners::Moved(to) => return say(stream, 302, &format!("location: {to}\r\n")),
        _ => {}
    }
    let from = if manners == Manners::NoRanges {
        0
    } else {
        from
    };
    if from > bytes.len() {
        return say(stream, 416, "");
    }
    let rest = &bytes[from..];
    let mut head = match from {
        0 => "HTTP/1.1 200 OK\r\n".to_owned(),
        from => format!(
            "HTTP/1.1 206 Partial Content\r\ncontent-range: bytes {from}-{}/{}\r\n",
            bytes.len() - 1,
            bytes.len()
        ),
    };
    head += &format!(
        "content-length: {}\r\nconnection: close\r\n\r\n",
        rest.len()
    );
    stream.write_all(head.as_bytes())?;
    match manners {
        Manners::BreaksOff(most) => stream.write_all(&rest[..most.min(rest.len())]),
        Manners::Stalls(most) => {
            stream.write_all(&rest[..most.min(rest.len())])?;
            // Until the other side goes away.
            let mut lines = BufReader::new(stream).lines();
            let _ = lines.next();
            Ok(())
        }
        _ => stream.write_all(rest),
    }
}
