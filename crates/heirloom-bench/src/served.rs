//! The program, as people run it: its commands, and its server over HTTP.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use heirloom_testing::process::{Heirloom, Running, free_address};
use http::{Request, header};
use http_body_util::{BodyExt as _, Empty};
use hyper::{
    body::Bytes,
    client::conn::http1::{SendRequest, handshake},
};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{net::TcpStream, task::JoinSet};

/// The program that lies beside this one: `./dev bench` builds both.
pub(crate) fn heirloom(data: &Path) -> Heirloom {
    let here = std::env::current_exe().unwrap();
    let program: PathBuf = here.with_file_name("heirloom");
    assert!(program.exists(), "{} is not built", program.display());
    Heirloom::new(program).data(data)
}

/// A server that runs, and a connection to it.
#[derive(Debug)]
pub(crate) struct Served {
    pub(crate) running: Running,
    address: SocketAddr,
    sender: SendRequest<Empty<Bytes>>,
    _connection: JoinSet<hyper::Result<()>>,
    /// From the start of the process until it said that it is ready.
    pub(crate) ready_after: Duration,
}

impl Served {
    pub(crate) async fn start(heirloom: &Heirloom) -> Self {
        let address = free_address();
        let started = Instant::now();
        let mut running = heirloom.start(["serve", "--listen", &address.to_string()]);
        let mut connection = JoinSet::new();
        let (sender, ready_after) = loop {
            assert!(!running.has_ended(), "{}", running.stderr());
            if let Some(mut sender) = connect(address, &mut connection).await
                && get(&mut sender, address, "/readyz").await.is_some()
            {
                break (sender, started.elapsed());
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        };
        Self {
            running,
            address,
            sender,
            _connection: connection,
            ready_after,
        }
    }

    /// What is answered at a path, as it came over the line.
    pub(crate) async fn get(&mut self, path: &str) -> Bytes {
        get(&mut self.sender, self.address, path)
            .await
            .unwrap_or_else(|| panic!("{path} is not answered"))
    }

    pub(crate) async fn json(&mut self, path: &str) -> Value {
        serde_json::from_slice(&self.get(path).await).unwrap()
    }

    /// The processor time that the server has used so far, all threads together (proc(5), `stat`, in
    /// ticks of 10 ms). Unlike time on the wall it means something on a busy machine.
    pub(crate) fn processor_time(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.running.id())).unwrap();
        let (_, fields) = stat.rsplit_once(") ").unwrap();
        let ticks = fields.split(' ').skip(11).take(2);
        Duration::from_millis(ticks.map(|ticks| ticks.parse::<u64>().unwrap() * 10).sum())
    }
}

async fn connect(
    address: SocketAddr,
    connections: &mut JoinSet<hyper::Result<()>>,
) -> Option<SendRequest<Empty<Bytes>>> {
    let stream = TcpStream::connect(address).await.ok()?;
    stream.set_nodelay(true).ok()?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await.ok()?;
    connections.spawn(connection);
    Some(sender)
}

/// The body, if the answer is a good one.
async fn get(
    sender: &mut SendRequest<Empty<Bytes>>,
    address: SocketAddr,
    path: &str,
) -> Option<Bytes> {
    let request = Request::get(path).header(header::HOST, address.to_string());
    sender.ready().await.ok()?;
    let answer = sender
        .send_request(request.body(Empty::new()).ok()?)
        .await
        .ok()?;
    let is_good = answer.status().is_success();
    let body = answer.into_body().collect().await.ok()?.to_bytes();
    is_good.then_some(body)
}
