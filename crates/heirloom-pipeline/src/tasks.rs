//! Tasks that are never left alone: whoever starts them stops them.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::task::JoinSet;

/// Tasks that belong to somebody, and end with them at the latest.
#[derive(Debug, Default)]
pub struct Tasks {
    set: Mutex<JoinSet<()>>,
}

/// How long a stop waits for tasks that were told to end. They are told at once and look several times
/// a second, but what came has to get to a disk that may be slow, and service managers kill after ten
/// seconds.
const PATIENCE: Duration = Duration::from_secs(4);

impl Tasks {
    /// Starts a task.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut set = self.set.lock().unwrap_or_else(PoisonError::into_inner);
        while set.try_join_next().is_some() {}
        set.spawn(task);
    }

    /// Waits up to four seconds for all of them, which were told to end; what goes on then is cut off.
    /// `what` names them in the log.
    pub async fn stop(&self, what: &str) {
        let mut set = {
            let mut set = self.set.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *set)
        };
        let ended = async { while set.join_next().await.is_some() {} };
        if tokio::time::timeout(PATIENCE, ended).await.is_err() {
            tracing::warn!("{what} did not stop in time and are cut off");
            set.shutdown().await;
        }
    }
}
