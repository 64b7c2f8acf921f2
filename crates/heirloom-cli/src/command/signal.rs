//! Signals that ask a process to end.

use tokio::signal::unix::{Signal, SignalKind, signal};

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

async fn receive(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}
