//! The doorway to the wall clock and to fresh ids.

/// Milliseconds since 1970 (UTC), now.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the doorway")]
pub fn now_ms() -> i64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| {
            i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
        })
}

/// A fresh id of the kind that is asked for: UUID version 7, rising within this process.
#[must_use]
pub fn new_id<Id: From<uuid::Uuid>>() -> Id {
    Id::from(uuid::Uuid::now_v7())
}
