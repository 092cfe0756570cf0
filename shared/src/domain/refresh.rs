//! What a refresh does next: the decisions of the protocol, without I/O, so that every interleaving of them can be checked.

use serde::Deserialize;

/// What a refresh does to the refresh token (the rotation class of a provider).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rotation {
    /// It stays.
    None,
    /// A new one comes, and the old one goes on.
    Sliding,
    /// A new one comes, and the old one dies at once.
    SingleUse,
    /// A new one comes, and the old one can be used again for a moment.
    SingleUseWithGrace,
}

/// What the holder of a lease does before it sends anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum First {
    /// Looks for tokens that were parked, and saves those.
    Adopt,
    /// Sends the refresh token.
    Send,
    /// Nothing, until the access token is dead: the one retry of a token that may be spent is made when nothing
    /// can be lost by it.
    Wait,
}

/// Decides how a lease is begun. `ambiguous`: a refresh of this version may have been sent, and nobody knows what
/// became of it; `parked`: tokens of the next version are parked; `live`: the access token can still be used.
#[must_use]
pub const fn first(rotation: Rotation, ambiguous: bool, parked: bool, live: bool) -> First {
    match rotation {
        _ if ambiguous && parked => First::Adopt,
        Rotation::SingleUse if ambiguous && live => First::Wait,
        Rotation::None | Rotation::Sliding | Rotation::SingleUse | Rotation::SingleUseWithGrace => {
            First::Send
        }
    }
}

/// What follows an answer without tokens that does not refuse the refresh token itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Then {
    /// Ask once more at once, under the same lease.
    Retry,
    /// Give the lease back.
    PutOff {
        /// Whether the intent stays: what was sent may yet turn out to have spent the token.
        intent: bool,
        /// Whether to leave it until the access token is dead.
        until_dead: bool,
    },
}

/// Decides what follows. `ambiguous` as in [`first`]; `retried`: this was the second call under one lease; `unknown`:
/// the provider may have acted on the call. What is unknown stays so until the provider answers with tokens or
/// with a refusal of the token.
#[must_use]
pub const fn then(rotation: Rotation, ambiguous: bool, retried: bool, unknown: bool) -> Then {
    match rotation {
        Rotation::SingleUseWithGrace if unknown && !retried => Then::Retry,
        Rotation::None | Rotation::Sliding | Rotation::SingleUse | Rotation::SingleUseWithGrace => {
            let intent = unknown || ambiguous || retried;
            Then::PutOff { intent, until_dead: intent && matches!(rotation, Rotation::SingleUse) }
        }
    }
}

/// Whether a refresh token that the provider refuses was lost by us: an earlier call of ours may have spent it, and
/// the answer did not arrive. Arguments as in [`then`].
#[must_use]
pub const fn is_lost(rotation: Rotation, ambiguous: bool, retried: bool) -> bool {
    match rotation {
        Rotation::None | Rotation::Sliding => false,
        Rotation::SingleUse | Rotation::SingleUseWithGrace => ambiguous || retried,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Rotation; 4] =
        [Rotation::None, Rotation::Sliding, Rotation::SingleUse, Rotation::SingleUseWithGrace];

    #[test]
    fn a_token_that_may_be_spent_is_sent_again_at_once_only_where_the_provider_allows_it() {
        for rotation in ALL {
            let strict = rotation == Rotation::SingleUse;
            assert_eq!(first(rotation, true, false, true), if strict { First::Wait } else { First::Send });
            assert_eq!(first(rotation, true, false, false), First::Send);
            let grace = rotation == Rotation::SingleUseWithGrace;
            assert_eq!(then(rotation, false, false, true) == Then::Retry, grace);
            assert_ne!(then(rotation, false, true, true), Then::Retry, "no third call");
        }
    }

    #[test]
    fn what_is_parked_comes_before_everything() {
        for rotation in ALL {
            for live in [false, true] {
                assert_eq!(first(rotation, true, true, live), First::Adopt);
                assert_eq!(first(rotation, false, false, live), First::Send);
            }
        }
    }

    #[test]
    fn an_unknown_outcome_is_remembered_until_the_provider_has_spoken_about_the_token() {
        for rotation in ALL {
            for (ambiguous, retried) in [(true, false), (false, true), (true, true)] {
                let Then::PutOff { intent, .. } = then(rotation, ambiguous, retried, false) else {
                    panic!("{rotation:?}");
                };
                assert!(intent, "{rotation:?}");
            }
            let unused = Then::PutOff { intent: false, until_dead: false };
            assert_eq!(then(rotation, false, false, false), unused);
        }
    }

    #[test]
    fn a_dead_token_is_called_lost_only_where_our_own_call_can_have_spent_it() {
        for rotation in ALL {
            let spends = matches!(rotation, Rotation::SingleUse | Rotation::SingleUseWithGrace);
            for (ambiguous, retried) in [(false, false), (true, false), (false, true), (true, true)] {
                let may_be_spent = ambiguous || retried;
                assert_eq!(is_lost(rotation, ambiguous, retried), spends && may_be_spent, "{rotation:?}");
            }
        }
    }
}
