//! The processes of a deployment: where each listens, and what is done to it.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{Mutex, watch};

use crate::Result;
use crate::process::Process;

/// How long a process may take to finish what it has begun; then platforms kill it.
const STOP_WITHIN: Duration = Duration::from_secs(10);

/// What refreshes: callers' calls, sweeps, and an operator's sweep.
const REFRESHING: [&str; 8] = [
    "token-get",
    "token-get",
    "token-get",
    "token-get",
    "token-get",
    "scheduled-refresh",
    "scheduled-refresh",
    "admin",
];

/// The place of a process: when it is killed, another one takes it.
pub(crate) struct Slot {
    pub(crate) function: &'static str,
    vars: Vec<(String, String)>,
    log: PathBuf,
    process: Mutex<Option<Process>>,
    /// Which process it is that is there: counted from 1, 0 before the first.
    life: AtomicU64,
    /// What a load balancer knows of it.
    state: watch::Sender<State>,
}

/// What a load balancer knows of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    /// Calls go there.
    Up(String),
    /// No new ones do; those under way finish, or end with it.
    Down,
    /// It stands still, and nobody waits for it.
    Frozen,
}

impl Slot {
    pub(crate) fn new(function: &'static str, vars: Vec<(String, String)>, log: PathBuf) -> Self {
        let (process, life) = (Mutex::default(), AtomicU64::new(0));
        Self { function, vars, log, process, life, state: watch::Sender::new(State::Down) }
    }

    /// Starts the first process, or the next.
    ///
    /// # Errors
    /// When it does not start.
    pub(crate) async fn start(&self) -> Result<()> {
        let mut place = self.process.lock().await;
        let process = Process::start(self.function, &self.vars, &self.log).await?;
        self.life.fetch_add(1, Ordering::SeqCst);
        self.state.send_replace(State::Up(process.base.clone()));
        *place = Some(process);
        Ok(())
    }

    /// Which process is there.
    pub(crate) fn life(&self) -> u64 {
        self.life.load(Ordering::SeqCst)
    }

    /// Whether it was stopped and stands still.
    pub(crate) fn is_frozen(&self) -> bool {
        *self.state.borrow() == State::Frozen
    }

    /// How it is, now and from now on.
    pub(crate) fn watch(&self) -> watch::Receiver<State> {
        self.state.subscribe()
    }

    /// Where it answers; waits while there is none.
    ///
    /// # Errors
    /// When there will be none.
    pub(crate) async fn base(&self) -> Result<String> {
        let mut watch = self.watch();
        let state = watch.wait_for(|state| matches!(state, State::Up(_))).await?.clone();
        match state {
            State::Up(base) => Ok(base),
            State::Down | State::Frozen => Err("the process is not there".into()),
        }
    }

    /// `kill -9`, of this process and not of its successor; says whether it was still there.
    pub(crate) async fn kill(&self, life: u64) -> bool {
        let mut place = self.process.lock().await;
        if self.life() != life || place.is_none() {
            return false;
        }
        self.state.send_replace(State::Down);
        if let Some(mut process) = place.take() {
            process.kill();
        }
        true
    }

    /// SIGTERM, then waiting for its end, as a platform does that scales down; says whether it was still there.
    ///
    /// # Errors
    /// When it does not end in time.
    pub(crate) async fn terminate(&self, life: u64) -> Result<bool> {
        if self.is_frozen() {
            // Nobody is there to be told.
            return Ok(false);
        }
        // Taken out, so that whoever comes to kill it does not wait for its end.
        let taken = self.process.lock().await.take_if(|_| self.life() == life);
        let Some(mut process) = taken else { return Ok(false) };
        self.state.send_replace(State::Down);
        process.signal("TERM")?;
        let ended = process.ends(STOP_WITHIN).await;
        if ended { Ok(true) } else { Err(format!("a {} did not stop in time", self.function).into()) }
    }

    /// SIGSTOP, of this process; says whether it was still there.
    ///
    /// # Errors
    /// When the signal can't be sent.
    pub(crate) async fn freeze(&self, life: u64) -> Result<bool> {
        let place = self.process.lock().await;
        let Some(process) = place.as_ref().filter(|_| self.life() == life) else { return Ok(false) };
        self.state.send_replace(State::Frozen);
        process.signal("STOP")?;
        match process.stands_still(STOP_WITHIN).await {
            true => Ok(true),
            false => Err(format!("a {} does not stand still", self.function).into()),
        }
    }

    /// SIGCONT, if it is still there.
    ///
    /// # Errors
    /// When the signal can't be sent.
    pub(crate) async fn thaw(&self, life: u64) -> Result<()> {
        let place = self.process.lock().await;
        let Some(process) = place.as_ref().filter(|_| self.life() == life) else { return Ok(()) };
        process.signal("CONT")?;
        self.state.send_replace(State::Up(process.base.clone()));
        Ok(())
    }
}

/// All of them: first those that refresh, then `authorize` and `callback`.
pub(crate) struct Fleet {
    pub(crate) slots: Vec<Slot>,
}

impl Fleet {
    /// The functions of all places, in their order.
    pub(crate) fn functions() -> impl Iterator<Item = &'static str> {
        REFRESHING.into_iter().chain(["authorize", "callback"])
    }

    /// The places of a function.
    pub(crate) fn of(&self, function: &str) -> Vec<usize> {
        (0..self.slots.len()).filter(|index| self.slots[*index].function == function).collect()
    }

    /// Starts all of them, the first before the others: it makes the store and the keys.
    ///
    /// # Errors
    /// When one does not start.
    pub(crate) async fn start(&self) -> Result<()> {
        let (first, others) = self.slots.split_first().ok_or("there are no processes")?;
        first.start().await?;
        futures_util::future::try_join_all(others.iter().map(Slot::start)).await?;
        Ok(())
    }
}
