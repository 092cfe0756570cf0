//! What every store promises, as one test per promise; each backend runs all of them with `store_contract`.
#![expect(clippy::unwrap_used, reason = "a check fails by panicking")]

pub mod connecting;
pub mod finding;
pub mod health;
pub mod journal;
pub mod keys;
pub mod leasing;
pub mod one_time;
pub mod revoking;
pub mod saving;
pub mod sweeping;
pub mod tenants;

use std::any::Any;
use std::sync::Arc;

use super::{Connect, RevokeStarted, Store};
use crate::domain::{Connection, ConnectionId, Credential, EventKind};
use crate::testing::TestClock;
use crate::testing::build;

/// A store with nothing in it, and what must live as long as it does (a folder, a namespace).
pub type Opened = (Arc<dyn Store>, Box<dyn Any + Send>);

/// What a check works on.
pub struct Subject {
    /// The store under test.
    pub store: Arc<dyn Store>,
    /// The clock it was given.
    pub clock: Arc<TestClock>,
    _keep: Box<dyn Any + Send>,
}

impl Subject {
    /// A subject for one check.
    #[must_use]
    pub fn new((store, keep): Opened, clock: Arc<TestClock>) -> Self {
        Self { store, clock, _keep: keep }
    }

    /// Connects, and reads back.
    async fn connect(&self, connection: &Connection) -> Connection {
        let written = self.try_connect(connection).await;
        assert_eq!(written, Connect::Done);
        self.connection(connection.id).await
    }

    async fn try_connect(&self, connection: &Connection) -> Connect {
        self.store.connect(connection, build::NOW, &[]).await.unwrap()
    }

    async fn connection(&self, id: ConnectionId) -> Connection {
        self.store.connection(id).await.unwrap().unwrap()
    }

    /// Begins to revoke at [`build::NOW`], and says so in an event.
    async fn revoke(&self, connection: &Connection) -> Option<RevokeStarted> {
        let (revoked, event) = (build::revoked(), build::event(EventKind::Revoked, connection));
        self.store.begin_revocation(connection.id, &revoked, &event).await.unwrap()
    }

    /// The default credential of a connection, as stored now.
    async fn credential(&self, connection: &Connection) -> Credential {
        let id = &connection.credentials[0].id;
        self.store.credential(id).await.unwrap().unwrap()
    }
}

/// The same connection one consent later: every credential a version on, with new tokens.
fn again(connection: &Connection) -> Connection {
    let credentials = connection.credentials.iter();
    Connection {
        credentials: credentials.map(|each| build::refreshed(each, build::NOW)).collect(),
        ..connection.clone()
    }
}

/// Makes one test per check. `$open` is `async fn(Arc<dyn Clock>) -> Option<Opened>`: `None` where the backend's
/// server is not installed, which `$open` says (and in CI fails for).
#[cfg(test)]
macro_rules! store_contract {
    ($open:path) => {
        $crate::store::contract::store_contract! { $open;
            connecting: [
                a_new_connection_is_read_back_as_it_was_written,
                a_connection_is_replaced_when_every_version_is_the_next,
                a_version_that_is_not_the_next_conflicts_and_writes_nothing,
                a_place_that_another_id_holds_conflicts_and_writes_nothing,
                simultaneous_connects_of_one_account_make_one_connection,
                connecting_again_ends_leases_and_intents,
                credentials_that_a_consent_did_not_bring_are_kept_and_the_bot_stays_the_default,
                a_kept_credential_that_is_dead_is_not_the_default,
                a_shared_credential_reactivates_its_connections_but_those_revoked_here,
                the_events_are_written_with_the_connection,
            ]
            finding: [
                an_account_is_found_at_its_place_and_nowhere_else,
                a_selection_is_all_of_a_users_connections_at_a_provider_in_order,
                a_list_fits_its_filter,
                pages_are_full_until_the_end_and_show_everything_once,
                what_expires_soon_is_judged_by_the_default_credential,
                tallies_follow_every_change,
            ]
            health: [
                a_verdict_is_written_and_touches_no_version,
                a_check_that_said_nothing_only_moves_the_next_one,
                a_verdict_on_other_tokens_or_a_revoked_connection_is_refused,
                probes_are_due_by_shard_oldest_first_in_pages,
            ]
            leasing: [
                one_of_fifty_callers_takes_the_lease,
                a_taken_lease_is_the_credential_before_and_records_intent_and_next_look,
                a_running_lease_is_held_for_what_is_left_of_it,
                an_ended_lease_is_taken_by_the_next_who_sees_the_intent,
                a_lease_on_another_version_or_a_dead_credential_has_moved,
                a_lease_on_nothing_is_missing,
                giving_back_writes_what_it_says_and_frees_the_lease,
                giving_back_what_another_holds_does_nothing,
            ]
            saving: [
                new_tokens_end_the_lease_the_intent_and_the_failures,
                saying_the_same_twice_is_done_twice_and_told_once,
                tokens_of_a_version_that_somebody_has_written_are_fenced,
                tokens_that_arrive_after_a_revocation_are_fenced,
                tokens_of_nothing_are_missing,
                tokens_that_arrive_after_a_condemnation_revive,
                condemning_keeps_the_tokens_and_names_the_connections,
                condemning_carries_to_those_of_which_it_is_the_default_but_those_revoked_here,
                the_users_of_a_shared_credential_are_all_connections_of_its_workspace,
                condemning_another_version_does_nothing_and_says_so,
            ]
            sweeping: [
                refreshes_are_due_by_shard_oldest_first_in_pages,
                what_is_dead_or_never_due_is_not_due,
                what_is_due_names_the_lowest_connection_that_uses_it,
            ]
            revoking: [
                a_revoked_connection_has_no_tokens_and_what_is_pending_holds_them,
                a_shared_credential_stays_while_another_connection_uses_it,
                the_last_connection_of_a_shared_credential_takes_it_along,
                of_two_revoked_at_once_one_takes_a_shared_credential_along,
                of_two_revoked_at_once_one_tells_the_provider_of_their_grant,
                a_grant_that_another_tenant_uses_is_shared,
                two_halves_of_one_grant_do_not_keep_each_other_alive,
                revoking_twice_changes_nothing_and_answers_what_is_pending,
                revoking_nothing_is_none,
                settling_deletes_the_tokens_and_keeps_the_result,
                two_sets_of_tokens_of_one_version_are_revoked_apart,
                a_revocation_that_is_put_off_is_due_later,
                tokens_that_came_too_late_are_pending_beside_the_others,
                a_grant_is_in_use_while_an_active_credential_of_any_tenant_has_it,
            ]
            keys: [
                of_two_who_add_a_key_at_once_one_wins_and_both_learn_it,
                a_key_replaces_only_the_one_it_says,
                owners_have_keys_of_their_own,
                uses_are_counted_by_key_newest_first,
                what_old_keys_seal_is_found_and_resealed_only_as_it_was_read,
                destroying_keys_takes_the_pending_revocations_of_that_tenant_only,
            ]
            journal: [
                events_are_newest_first_in_pages,
                an_alarm_is_raised_by_one_of_many_and_stands_for_its_time,
                an_alarm_that_needs_several_counts_different_ones,
                events_fit_their_filter,
                events_of_a_connection_are_those_of_its_credentials_too,
                a_cursor_that_is_none_is_refused,
                served_tokens_add_up_by_day,
                the_last_report_of_a_job_is_kept,
                what_has_ended_is_purged_and_nothing_else,
            ]
            one_time: [
                an_entry_is_taken_once_by_one_of_fifty_callers,
                an_entry_past_its_time_is_not_answered,
                spaces_are_apart,
            ]
            tenants: [
                a_deleted_tenant_is_gone_and_another_is_untouched,
                pending_revocations_and_keys_outlive_their_tenant,
            ]
        }
    };
    ($open:path; $($area:ident: [$($check:ident),+ $(,)?])+) => { $(
        mod $area {
            $(
                #[tokio::test]
                async fn $check() {
                    use $crate::store::contract;
                    let clock = std::sync::Arc::new($crate::testing::TestClock::new());
                    let Some(opened) = $open(clock.clone()).await else { return };
                    contract::$area::$check(contract::Subject::new(opened, clock)).await;
                }
            )+
        }
    )+ };
}
#[cfg(test)]
pub(crate) use store_contract;
