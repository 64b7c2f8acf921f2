//! How well children are confined on this machine.

use serde::{Deserialize, Serialize};

/// What the kernel took from a child.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Strength {
    /// The version of Landlock's interface that keeps files away; 0 where the kernel has none.
    pub landlock: i32,
    /// Whether a seccomp filter keeps system calls away.
    pub has_seccomp: bool,
}

impl Strength {
    /// Nothing was taken.
    pub const NONE: Self = Self {
        landlock: 0,
        has_seccomp: false,
    };

    /// What is missing, each as a sentence for whoever looks after the machine; empty when all is well.
    #[must_use]
    pub fn gaps(self) -> Vec<&'static str> {
        let gaps = [
            (
                self.landlock < 1,
                "this kernel has no Landlock, so a malicious picture or film could make its decoder read whatever this account can read",
            ),
            (
                !self.has_seccomp,
                "this kernel has no seccomp filters, so a malicious picture or film could make its decoder reach the network and start programs",
            ),
        ];
        gaps.into_iter()
            .filter_map(|(is_missing, words)| is_missing.then_some(words))
            .collect()
    }
}
