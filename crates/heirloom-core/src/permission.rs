//! Who may do what: one table, read as data.

use std::fmt;

use crate::role::Role;

/// An operation that was refused to whoever asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("you may not {action}")]
pub struct Denied {
    /// What was refused.
    pub action: Action,
}

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident: $words:literal => $least:expr;)*) => {
        /// Something that an actor may or may not do.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Action { $($(#[$doc])* $name,)* }

        impl Action {
            /// Every action.
            pub const ALL: [Self; [$(Self::$name),*].len()] = [$(Self::$name),*];
        }

        impl fmt::Display for Action {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$name => $words,)* })
            }
        }

        /// The permission table: the least role that may do each action. `None` is the operator's alone.
        pub const TABLE: [(Action, Option<Role>); Action::ALL.len()] =
            [$((Action::$name, $least)),*];
    };
}

actions! {
    /// Look at an asset, its facts and where it is.
    ViewAsset: "see this" => Some(Role::Viewer);
    /// Find assets.
    Search: "search here" => Some(Role::Viewer);
    /// Propose a claim for somebody else to make.
    SuggestClaim: "suggest this" => Some(Role::Viewer);
    /// Say what something is, or take that back.
    MakeClaim: "say this" => Some(Role::Member);
    /// Make a collection, or change what is in one.
    EditCollection: "change this collection" => Some(Role::Member);
    /// Put new originals into the vault.
    AddAsset: "add to this archive" => Some(Role::Member);
    /// Hide an asset, or bring it back.
    DeleteAsset: "delete this" => Some(Role::Admin);
    /// Decide who may see something.
    ManageAudience: "decide who sees this" => Some(Role::Admin);
    /// Remove everything that is known about an asset, for good.
    PurgeAsset: "remove this for good" => Some(Role::Owner);
    /// Decide who is in the family.
    ManageMembers: "decide who is in the family" => Some(Role::Owner);
    /// Name a folder of this machine as an archive, or scan it.
    ManageArchive: "manage archives of this machine" => None;
    /// Look into the machine: checks, figures, configuration, runs.
    OperateMachine: "operate this machine" => None;
}

/// Whether `role` may do `action` in its own family.
#[must_use]
pub fn allows(role: Role, action: Action) -> bool {
    TABLE
        .iter()
        .find(|(listed, _)| *listed == action)
        .and_then(|(_, least)| *least)
        .is_some_and(|least| role >= least)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The whole table once more, written out by role, so that a slip in the first shows.
    #[test]
    fn each_role_may_do_what_the_table_says_and_no_more() {
        let may = |role| -> Vec<_> {
            Action::ALL
                .into_iter()
                .filter(|action| allows(role, *action))
                .collect()
        };
        use Action::{
            AddAsset, DeleteAsset, EditCollection, MakeClaim, ManageAudience, ManageMembers,
            PurgeAsset, Search, SuggestClaim, ViewAsset,
        };
        let viewer = vec![ViewAsset, Search, SuggestClaim];
        let member = [viewer.clone(), vec![MakeClaim, EditCollection, AddAsset]].concat();
        let admin = [member.clone(), vec![DeleteAsset, ManageAudience]].concat();
        let owner = [admin.clone(), vec![PurgeAsset, ManageMembers]].concat();
        assert_eq!(may(Role::Viewer), viewer);
        assert_eq!(may(Role::Member), member);
        assert_eq!(may(Role::Admin), admin);
        assert_eq!(may(Role::Owner), owner);
    }
}
