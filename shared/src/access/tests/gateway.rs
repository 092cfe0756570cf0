//! What the infrastructure says of a gateway: it counts in the place of the file's word, also after the file has changed.

use std::collections::BTreeSet;

use super::*;
use crate::access::{Access, Callers, Gateway};
use crate::config::InFront;

#[tokio::test]
async fn what_is_known_of_the_gateway_stays_when_the_file_changes() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "").unwrap();
    for (gateway, known) in [
        (Some(InFront::SoleInvoker), Some(Gateway::SoleInvoker)),
        (Some(InFront::Nothing), None),
        (None, Some(Gateway::SoleInvoker)),
    ] {
        std::fs::write(file.path(), "").unwrap();
        let clock = Arc::new(TestClock::new());
        let source = Some(Callers::File(file.path().to_owned()));
        let access =
            Access::open(false, source, gateway, BTreeSet::new(), false, Arc::clone(&clock) as _).unwrap();
        assert_eq!(access.policy().gateway.is_some(), gateway == Some(InFront::SoleInvoker));
        std::fs::write(
            file.path(),
            "[gateway]\nsole_invoker = true\n[limits]\nadmin = { caller = \"7/min\" }",
        )
        .unwrap();
        let before = access.policy();
        for _ in 0..2 {
            clock.advance(5 * SECOND);
            access.look_again().await;
        }
        assert!(!Arc::ptr_eq(&before, &access.policy()), "the file was read again");
        assert_eq!(access.policy().gateway, known, "{gateway:?}");
    }
}
