//! `oms-tool audit-key`: prints the audit key, so that who verifies logs need not hold the attempt key.

use crate::{Told, key};

pub(crate) fn run() -> Told {
    Ok((format!("{}\n", key::text(&key::derived()?)), 0))
}
