//! What is done with repositories of backups, in words.

/// Declares an enumeration whose values have words.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$about:meta])* $value:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "lowercase")]
        pub enum $name { $($(#[$about])* $value,)* }

        impl $name {
            /// Every one.
            pub const ALL: &[Self] = &[$(Self::$value),*];

            /// The word for it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$value => $word,)* }
            }

            /// The one of that word.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|it| it.as_str() == word)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// What is done with a repository.
    BackupKind {
        /// A snapshot is stored.
        Backup = "backup",
        /// A snapshot is stored between two backups, because something changed.
        Capture = "capture",
        /// It is looked whether the repository is whole.
        Check = "check",
        /// Old snapshots are let go of.
        Prune = "prune",
        /// A snapshot is restored and compared, to prove that it can be.
        Proof = "proof",
    }
}

words! {
    /// How far that is.
    BackupState {
        /// It is under way.
        Running = "running",
        /// It came to its end.
        Done = "done",
        /// It could not be done, or found something that is not as it should be.
        Failed = "failed",
        /// It was told to stop.
        Cancelled = "cancelled",
    }
}
