//! Listening: on loopback and on the socket.

use std::{
    io::Write as _,
    net::{SocketAddr, TcpStream},
    os::unix::{fs::PermissionsExt as _, net::UnixStream},
    time::Duration,
};

use heirloom_server::{Code, serve};
use tokio_util::sync::CancellationToken;

use crate::harness::Home;

/// Serves a library while `test` talks to it from another thread.
async fn serving<T: Send + 'static>(
    home: &Home,
    test: impl FnOnce(SocketAddr) -> T + Send + 'static,
) -> T {
    let stop = CancellationToken::new();
    let (tell, told) = tokio::sync::oneshot::channel();
    let listen = "127.0.0.1:0".parse().unwrap();
    let serving = serve(&home.library, listen, 0, &stop, |address| {
        tell.send(address).unwrap();
    });
    let testing = async {
        let address = told.await.unwrap();
        let outcome = tokio::task::spawn_blocking(move || test(address)).await;
        stop.cancel();
        outcome.unwrap()
    };
    let (served, outcome) = tokio::join!(serving, testing);
    served.unwrap();
    outcome
}

fn talk(mut stream: impl std::io::Read + std::io::Write, request: &str) -> String {
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn it_answers_on_loopback_and_on_the_socket() {
    let home = Home::on_sqlite().await;
    let socket = home.library.folder().join("socket");
    // As a process leaves it that was killed.
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    let path = socket.clone();
    let (over_tcp, over_socket, mode) = serving(&home, move |address| {
        let get = |host: &str| {
            format!("GET /api/v1/assets HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n")
        };
        let over_tcp = talk(
            TcpStream::connect(address).unwrap(),
            &get(&address.to_string()),
        );
        let over_socket = talk(UnixStream::connect(&path).unwrap(), &get("anything"));
        let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        (over_tcp, over_socket, mode)
    })
    .await;
    assert!(over_tcp.starts_with("HTTP/1.1 200"), "{over_tcp}");
    assert!(over_socket.starts_with("HTTP/1.1 200"), "{over_socket}");
    assert_eq!(mode, 0o600);
    assert!(!socket.exists(), "the socket goes with the server");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_deep_down_is_reached_all_the_same() {
    let home = Home::in_folder(&"d".repeat(120)).await;
    let exists = home.library.folder().join("socket");
    let was_there = serving(&home, move |_| exists.exists()).await;
    assert!(was_there);
}

#[tokio::test]
async fn it_listens_on_loopback_alone() {
    let home = Home::on_sqlite().await;
    let stop = CancellationToken::new();
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:80"] {
        let problem = serve(&home.library, address.parse().unwrap(), 0, &stop, |_| {})
            .await
            .unwrap_err();
        assert_eq!(problem.code(), Code::Refused, "{address}");
        assert!(problem.get_hint().is_some());
    }
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let problem = serve(&home.library, taken.local_addr().unwrap(), 0, &stop, |_| {})
        .await
        .unwrap_err();
    assert_eq!(problem.code(), Code::Unavailable);
    assert!(problem.to_string().contains("in use"), "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_are_under_way_end_when_it_stops() {
    let home = Home::on_sqlite().await;
    let stop = CancellationToken::new();
    let (tell, told) = tokio::sync::oneshot::channel();
    let serving = serve(
        &home.library,
        "127.0.0.1:0".parse().unwrap(),
        0,
        &stop,
        |address| {
            tell.send(address).unwrap();
        },
    );
    let talking = async {
        let address = told.await.unwrap();
        let stopping = stop.clone();
        tokio::task::spawn_blocking(move || {
            // The head has arrived and its body has not: the request is under way.
            let body = r#"{"quick":true}"#;
            let head = format!(
                "POST /api/v1/fsck HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n\
                 content-length: {}\r\n\r\n",
                body.len()
            );
            let mut stream = TcpStream::connect(address).unwrap();
            stream.write_all(head.as_bytes()).unwrap();
            std::thread::sleep(Duration::from_millis(100));
            stopping.cancel();
            std::thread::sleep(Duration::from_millis(100));
            talk(stream, body)
        })
        .await
        .unwrap()
    };
    let (served, answer) = tokio::join!(serving, talking);
    served.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}
