//! Listening: on loopback for browsers and programs, on the socket in the data folder for commands.

mod connections;
mod socket;

use std::{io, net::SocketAddr, time::Duration};

use heirloom_core::Actor;
use heirloom_pipeline::{Tasks, scrub::scrub};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    library::Library,
    problem::{Code, Problem},
    router::{Door, router},
};
use connections::{Connections, Incoming};
use socket::Socket;

/// How long requests that are under way may still take when the server stops. Scans are told to
/// stop at once.
const GRACE: Duration = Duration::from_secs(5);
/// How often it is looked for backups and moves that are due.
const BACKUP_PAUSE: Duration = Duration::from_secs(60);
/// How often it is looked for uploads that nobody goes on with.
const SWEEP_PAUSE: Duration = Duration::from_secs(3600);

/// Serves a library until `stop` is cancelled, then lets requests end and scans stop. Beside that everything is
/// read again at `scrub_rate` bytes a second, to find damage, unless it is 0. `ready` is called with the address
/// as soon as both listen.
///
/// # Errors
/// `refused` for an address that is not loopback, `unavailable` for one that is taken; nothing was
/// served then.
pub async fn serve(
    library: &Library,
    listen: SocketAddr,
    scrub_rate: u64,
    stop: &CancellationToken,
    ready: impl FnOnce(SocketAddr),
) -> Result<(), Problem> {
    check_loopback(listen)?;
    let tcp = TcpListener::bind(listen)
        .await
        .map_err(|error| explain(listen, error))?;
    let address = tcp.local_addr().map_err(Problem::internal)?;
    let socket = Socket::bind(&library.socket())?;
    library.resume().await?;

    let port = address.port();
    let for_tcp = router(library.clone(), Door::Loopback { port });
    let for_socket = router(library.clone(), Door::Known(Actor::Operator));
    tracing::info!(%address, data_folder = %library.folder().display(), "ready");
    ready(address);

    let scrubbing = Tasks::default();
    if scrub_rate > 0 {
        let (ctx, engine) = (library.context(Actor::Operator), library.engine().clone());
        let stop = stop.clone();
        scrubbing.spawn(async move { scrub(&ctx, &engine, scrub_rate, &stop).await });
    }
    library.keep_move_schedule().await;
    let mut connections = Connections::new();
    let mut sweeps = tokio::time::interval(SWEEP_PAUSE);
    sweeps.reset();
    let mut backups = tokio::time::interval(BACKUP_PAUSE);
    backups.reset();
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            () = connections.reap() => {}
            _ = backups.tick() => {
                library.backups().keep_schedule().await;
                library.keep_move_schedule().await;
            }
            _ = sweeps.tick() => library.uploads().sweep_or_warn().await,
            accepted = tcp.accept() => match accepted {
                Ok((stream, _)) => connections.add(Incoming::Tcp(stream), &for_tcp),
                Err(error) => rest_after(&error).await,
            },
            accepted = socket.listener().accept() => match accepted {
                Ok((stream, _)) => connections.add(Incoming::Unix(stream), &for_socket),
                Err(error) => rest_after(&error).await,
            },
        }
    }
    tracing::info!("stopping");
    drop(tcp);
    drop(socket);
    tokio::join!(
        library.stop(),
        scrubbing.stop("the reading that looks for damage"),
        connections.finish(GRACE)
    );
    tracing::info!("stopped");
    Ok(())
}

/// Answers commands at the socket in the data folder while this process does something of its own,
/// until `stop` is cancelled. What would outlive that is not begun: see [`Door::Passing`].
///
/// # Errors
/// Why the socket cannot be listened at; nobody was answered then.
pub async fn serve_socket(library: &Library, stop: &CancellationToken) -> Result<(), Problem> {
    let socket = Socket::bind(&library.socket())?;
    let router = router(library.clone(), Door::Passing);
    let mut connections = Connections::new();
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            () = connections.reap() => {}
            accepted = socket.listener().accept() => match accepted {
                Ok((stream, _)) => connections.add(Incoming::Unix(stream), &router),
                Err(error) => rest_after(&error).await,
            },
        }
    }
    drop(socket);
    connections.finish(GRACE).await;
    Ok(())
}

/// Until there are accounts, whoever can reach the server is the operator.
fn check_loopback(listen: SocketAddr) -> Result<(), Problem> {
    if listen.ip().is_loopback() {
        return Ok(());
    }
    Err(Problem::new(
        Code::Refused,
        format!("{listen} can be reached from other machines, and there are no accounts yet"),
    )
    .hint(
        "Listen on 127.0.0.1 or [::1]. To reach it from elsewhere, forward the port with `ssh -L`.",
    ))
}

fn explain(listen: SocketAddr, error: io::Error) -> Problem {
    match error.kind() {
        io::ErrorKind::AddrInUse => Problem::new(
            Code::Unavailable,
            format!("{listen} is in use by another program"),
        )
        .hint("Stop that program, or choose another address with --listen."),
        io::ErrorKind::PermissionDenied => Problem::new(
            Code::Unavailable,
            format!("this user may not listen on {listen}"),
        )
        .hint("Choose a port above 1023 with --listen."),
        _ => Problem::new(
            Code::Unavailable,
            format!("{listen} cannot be listened on: {error}"),
        ),
    }
    .caused_by(error)
}

/// Out of file handles, most likely: what helps is that others end first.
async fn rest_after(error: &io::Error) {
    tracing::warn!(%error, "a connection was not accepted");
    tokio::time::sleep(Duration::from_millis(200)).await;
}
