//! Signals that ask a process to end.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Listens for them from the moment it is made.
#[derive(Debug)]
pub(crate) struct Ends {
    interrupt: Option<Signal>,
    terminate: Option<Signal>,
}

impl Ends {
    /// Listens for Ctrl-C and for what a service manager sends.
    pub(crate) fn listen() -> Self {
        Self {
            interrupt: signal(SignalKind::interrupt()).ok(),
            terminate: signal(SignalKind::terminate()).ok(),
        }
    }

    /// Waits until somebody asks this process to end.
    pub(crate) async fn wait(&mut self) {
        tokio::select! {
            () = receive(&mut self.interrupt) => {}
            () = receive(&mut self.terminate) => {}
        }
    }
}

/// Does something to its end. Once this process is asked to end, that is told it, and waited for what becomes of it.
pub(super) async fn stoppable<T>(work: impl Future<Output = T>, stop: &CancellationToken) -> T {
    let mut ends = Ends::listen();
    tokio::pin!(work);
    tokio::select! {
        done = &mut work => done,
        () = ends.wait() => {
            stop.cancel();
            work.await
        }
    }
}

async fn receive(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}
