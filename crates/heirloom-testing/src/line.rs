//! A line to a server that goes dead in the middle of something.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

/// A line: what is sent to [`address`](Self::address) reaches a server, until it is dead.
#[derive(Debug)]
pub struct Line {
    /// Where it begins.
    pub address: SocketAddr,
    /// Bytes that go through before it is dead.
    left: Arc<AtomicU64>,
}

impl Line {
    /// A line to a server that is dead after so many bytes were sent there.
    ///
    /// # Panics
    /// When there is no port for it.
    #[must_use]
    pub fn to(server: SocketAddr, bytes: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let left = Arc::new(AtomicU64::new(bytes));
        let counted = Arc::clone(&left);
        // They end with the process: a test has one of its own.
        thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let Ok(far) = TcpStream::connect(server) else {
                    continue;
                };
                let (back_from, back_to) = (far.try_clone().unwrap(), near.try_clone().unwrap());
                let there = Arc::clone(&counted);
                thread::spawn(move || carry(near, far, Some(&there)));
                thread::spawn(move || carry(back_from, back_to, None));
            }
        });
        Self { address, left }
    }

    /// Whether it is dead.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.left.load(Ordering::SeqCst) == 0
    }

    /// Makes it dead, for who uses it now and for who comes.
    pub fn cut(&self) {
        self.left.store(0, Ordering::SeqCst);
    }

    /// Makes it live again, for as long as anybody wants.
    pub fn mend(&self) {
        self.left.store(u64::MAX, Ordering::SeqCst);
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream, left: Option<&AtomicU64>) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        if let Some(left) = left {
            let take = |left: u64| Some(left.saturating_sub(length as u64));
            let before = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take);
            if before.unwrap_or_default() <= length as u64 {
                break;
            }
        }
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}
