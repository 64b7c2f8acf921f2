//! What the kernel tells of processes.

use std::{fs, path::Path};

/// The processes that a process started and that live.
pub(crate) fn children_of(parent: u32) -> Vec<u32> {
    let parent = format!("PPid:\t{parent}\n");
    let processes = fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|id: &u32| {
            let status = fs::read_to_string(format!("/proc/{id}/status"));
            status.is_ok_and(|status| status.contains(&parent))
        })
        .collect()
}

/// Whether a child has come as far as what it was told to do: it became a program or took a job.
pub(crate) fn is_hanging(id: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let blocked = status.lines().find_map(|line| line.strip_prefix("SigBlk:"));
    blocked.is_some_and(|mask| mask.trim().starts_with("ff"))
}

/// Whether it is there and has not ended.
pub(crate) fn is_running(id: u32) -> bool {
    let status = fs::read_to_string(Path::new("/proc").join(id.to_string()).join("status"));
    status.is_ok_and(|status| !status.contains("State:\tZ"))
}
