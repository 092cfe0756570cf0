//! Which connection a caller means: never a guess.

use crate::cache::Candidate;
use crate::domain::{ConnectionId, Status};

/// What narrows a user's connections at a provider down.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Narrowing {
    /// The workspace.
    pub team_id: Option<String>,
    /// The provider account.
    pub provider_user_id: Option<String>,
    /// The connection itself.
    pub connection_id: Option<ConnectionId>,
}

/// What a selection comes to.
#[derive(Debug, PartialEq, Eq)]
pub enum Selection<'a> {
    /// This one.
    One(&'a Candidate),
    /// None matches.
    None,
    /// All that match are revoked; this is one of them.
    Revoked(&'a Candidate),
    /// These match.
    Several(Vec<&'a Candidate>),
}

/// Selects: an active connection beats others, revoked ones never match, several are named.
#[must_use]
pub fn select<'a>(candidates: &'a [Candidate], narrowing: &Narrowing) -> Selection<'a> {
    let fits = |each: &Candidate| {
        narrowing.connection_id.is_none_or(|id| each.connection_id == id)
            && narrowing.team_id.as_ref().is_none_or(|id| each.team_id.as_ref() == Some(id))
            && narrowing.provider_user_id.as_ref().is_none_or(|id| each.provider_user_id == *id)
    };
    // The usual case first, without building lists: one connection, and it is active.
    if let [only] = candidates
        && only.status == Status::Active
        && fits(only)
    {
        return Selection::One(only);
    }
    let fitting: Vec<_> = candidates.iter().filter(|each| fits(each)).collect();
    let of = |active: bool| -> Vec<&'a Candidate> {
        fitting
            .iter()
            .copied()
            .filter(|each| each.status != Status::Revoked && (each.status == Status::Active) == active)
            .collect()
    };
    let active = of(true);
    let matching = if active.is_empty() { of(false) } else { active };
    match matching.as_slice() {
        [] => fitting.first().map_or(Selection::None, |each| Selection::Revoked(each)),
        [one] => Selection::One(one),
        _ => Selection::Several(matching),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::TokenKind;

    fn candidate(n: u128, team: &str, status: Status) -> Candidate {
        Candidate {
            connection_id: ConnectionId::new(uuid::Uuid::from_u128(n)),
            team_id: Some(team.to_owned()),
            provider_user_id: "U1".to_owned(),
            email: None,
            status,
            status_reason: None,
            kinds: vec![(TokenKind::Bot, Vec::new())],
        }
    }

    fn team(team: &str) -> Narrowing {
        Narrowing { team_id: Some(team.to_owned()), ..Narrowing::default() }
    }

    #[test]
    fn an_active_one_beats_an_expired_one() {
        let list = [candidate(1, "A", Status::Expired), candidate(2, "B", Status::Active)];
        assert_eq!(select(&list, &Narrowing::default()), Selection::One(&list[1]));
        assert_eq!(select(&list, &team("A")), Selection::One(&list[0]));
    }

    #[test]
    fn several_active_ones_are_never_guessed_between() {
        let list = [candidate(1, "A", Status::Active), candidate(2, "B", Status::Active)];
        assert_eq!(select(&list, &Narrowing::default()), Selection::Several(vec![&list[0], &list[1]]));
        assert_eq!(select(&list, &team("B")), Selection::One(&list[1]));
    }

    #[test]
    fn a_revoked_one_never_matches_and_is_named_only_when_alone() {
        let list = [candidate(1, "A", Status::Revoked), candidate(2, "B", Status::Expired)];
        assert_eq!(select(&list, &Narrowing::default()), Selection::One(&list[1]));
        assert_eq!(select(&list, &team("A")), Selection::Revoked(&list[0]));
        assert_eq!(select(&list, &team("C")), Selection::None);
    }
}
