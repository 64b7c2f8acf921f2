//! Who is asking. Every operation takes an actor; none has a default.

use crate::{
    AccountId, FamilyId,
    audience::Sight,
    permission::{self, Action, Denied},
    role::Role,
};

/// Who is asking for something to be done or shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// Whoever runs the machine. Sees to the whole installation, and acts in every family.
    Operator,
    /// Somebody who is signed in, acting in one family.
    Member {
        /// Whose account this is.
        account_id: AccountId,
        /// The family acted in.
        family_id: FamilyId,
        /// What this person is in that family.
        role: Role,
        /// What this person may see there.
        sight: Sight,
    },
    /// Nobody known: no session, key or link was given.
    Stranger,
}

impl Actor {
    /// Refuses unless this actor may do `action` in `family`.
    ///
    /// # Errors
    /// [`Denied`] names the action; it does not say whether the family exists.
    pub fn require(&self, action: Action, family: FamilyId) -> Result<(), Denied> {
        let allowed = match self {
            Self::Operator => true,
            Self::Member {
                family_id, role, ..
            } => *family_id == family && permission::allows(*role, action),
            Self::Stranger => false,
        };
        if allowed {
            Ok(())
        } else {
            Err(Denied { action })
        }
    }

    /// Refuses unless this is the operator: folder archives, the database's upkeep and the
    /// configuration belong to whoever runs the machine.
    ///
    /// # Errors
    /// [`Denied`] names the action.
    pub fn require_operator(&self, action: Action) -> Result<(), Denied> {
        if *self == Self::Operator {
            Ok(())
        } else {
            Err(Denied { action })
        }
    }

    /// What this actor may see in `family`.
    #[must_use]
    pub fn sight(&self, family: FamilyId) -> Sight {
        match self {
            Self::Operator => Sight::Everything,
            Self::Member {
                family_id, sight, ..
            } if *family_id == family => sight.clone(),
            Self::Member { .. } | Self::Stranger => Sight::nothing(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AudienceId;

    fn family(n: u8) -> FamilyId {
        FamilyId::from_parts(1, [n; 10])
    }

    fn member(role: Role) -> Actor {
        Actor::Member {
            account_id: AccountId::from_parts(1, [1; 10]),
            family_id: family(1),
            role,
            sight: Sight::Audiences(vec![AudienceId::from_parts(1, [2; 10])]),
        }
    }

    #[test]
    fn an_owner_of_one_family_is_nobody_in_another() {
        let owner = member(Role::Owner);
        assert!(owner.require(Action::ViewAsset, family(1)).is_ok());
        assert!(owner.require(Action::ViewAsset, family(2)).is_err());
        assert_eq!(owner.sight(family(2)), Sight::nothing());
    }

    #[test]
    fn a_stranger_may_do_nothing() {
        for action in Action::ALL {
            assert!(
                Actor::Stranger.require(action, family(1)).is_err(),
                "{action}"
            );
        }
        assert_eq!(Actor::Stranger.sight(family(1)), Sight::nothing());
    }

    #[test]
    fn only_the_operator_sees_to_the_machine() {
        assert!(
            Actor::Operator
                .require_operator(Action::ManageArchive)
                .is_ok()
        );
        for role in Role::ALL {
            assert!(
                member(role)
                    .require_operator(Action::ManageArchive)
                    .is_err(),
                "{role}"
            );
        }
    }
}
