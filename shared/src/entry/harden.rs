//! Keeps what is in memory out of files: no core dump of a process, and no other process reads it.

/// Forbids core dumps of this process and makes it undumpable, which also keeps debuggers and other processes of the
/// same user out of its memory (prctl(2), `PR_SET_DUMPABLE`; ptrace(2)). What can't be done is a warning: whoever runs
/// us in a sandbox without these calls has others.
#[cfg(target_os = "linux")]
pub fn harden() {
    use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

    let none = Rlimit { current: Some(0), maximum: Some(0) };
    for (what, done) in [
        ("core dumps can't be switched off", setrlimit(Resource::Core, none)),
        ("the process stays dumpable", set_dumpable_behavior(DumpableBehavior::NotDumpable)),
    ] {
        if let Err(error) = done {
            tracing::warn!(error = &error as &dyn std::error::Error, "{what}");
        }
    }
}

/// Elsewhere there is nothing that the standard way offers.
#[cfg(not(target_os = "linux"))]
pub fn harden() {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustix::process::{DumpableBehavior, Resource, dumpable_behavior, getrlimit};

    use super::*;

    #[test]
    fn a_hardened_process_leaves_no_core_dump_and_lets_nobody_look() {
        harden();
        let limit = getrlimit(Resource::Core);
        assert_eq!((limit.current, limit.maximum), (Some(0), Some(0)));
        assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
    }
}
