//! A breadth-first checker: visits every state a model can reach, and keeps the shortest way to each thing worth showing.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};

/// Something with states and steps.
pub trait Model {
    /// Everything that what follows depends on.
    type State: Copy + Eq + Hash;
    /// One step, as it is told.
    type Action: Copy;

    /// Where it begins.
    fn initial(&self) -> Self::State;
    /// Every step that is possible, and where it leads.
    fn steps(&self, state: &Self::State, into: &mut Vec<(Self::Action, Self::State)>);
    /// The one state that stands for all that differ only in names.
    fn canonical(&self, state: Self::State) -> Self::State {
        state
    }
}

/// What is asked of one step: the state before it, and the state after it.
type Holds<M> = fn(&M, &<M as Model>::State, &<M as Model>::State) -> bool;

/// A named claim about steps.
pub struct Property<M: Model> {
    /// Its name.
    pub name: &'static str,
    /// Whether a step is as it claims.
    pub holds: Holds<M>,
}

/// A way from the beginning: each step with the state it leads to.
pub type Path<M> = Vec<(<M as Model>::Action, <M as Model>::State)>;

/// What a check found.
pub struct Report<M: Model> {
    /// How many states there are (up to names).
    pub states: usize,
    /// How many steps lead between them.
    pub steps: usize,
    /// How many steps the furthest is away.
    pub depth: usize,
    /// The claims that do not hold of every step, each with a shortest way to a step that breaks it.
    pub violated: Vec<(&'static str, Path<M>)>,
    /// The things that can happen, each with a shortest way there.
    pub reached: Vec<(&'static str, Path<M>)>,
}

impl<M: Model> Report<M> {
    /// The shortest way to break a claim.
    #[must_use]
    pub fn violation(&self, name: &str) -> Option<&Path<M>> {
        self.violated.iter().find(|(each, _)| *each == name).map(|(_, path)| path)
    }

    /// The shortest way to something that can happen.
    #[must_use]
    pub fn witness(&self, name: &str) -> Option<&Path<M>> {
        self.reached.iter().find(|(each, _)| *each == name).map(|(_, path)| path)
    }
}

/// Visits every state. `always` must hold of every step (and of the initial state, as a step to itself);
/// `sometimes` of at least one. With nothing that must always hold, it stops when everything else is found.
pub fn check<M: Model>(model: &M, always: &[Property<M>], sometimes: &[Property<M>]) -> Report<M> {
    let first = model.canonical(model.initial());
    // In the order in which they are found, each with the one it was found from: a queue that remembers.
    let mut found = vec![(first, 0)];
    let mut known: HashMap<M::State, (), BuildHasherDefault<Mix>> = HashMap::default();
    known.insert(first, ());
    let mut broken: Vec<Option<(usize, M::State)>> = vec![None; always.len()];
    let mut seen: Vec<Option<(usize, M::State)>> = vec![None; sometimes.len()];
    note(model, always, false, &mut broken, 0, (&first, &first));
    note(model, sometimes, true, &mut seen, 0, (&first, &first));
    let (mut next, mut steps, mut level_ends, mut depth) = (0, 0, 1, 0);
    let mut successors = Vec::new();
    while let Some(&(state, _)) = found.get(next) {
        if always.is_empty() && !seen.is_empty() && seen.iter().all(Option::is_some) {
            break;
        }
        model.steps(&state, &mut successors);
        for (_, after) in successors.drain(..) {
            steps += 1;
            note(model, always, false, &mut broken, next, (&state, &after));
            note(model, sometimes, true, &mut seen, next, (&state, &after));
            let after = model.canonical(after);
            if known.insert(after, ()).is_none() {
                found.push((after, next));
            }
        }
        next += 1;
        if next == level_ends && found.len() > level_ends {
            (level_ends, depth) = (found.len(), depth + 1);
        }
    }
    let told = |slots: Vec<Option<(usize, M::State)>>, properties: &[Property<M>]| {
        let told = slots.into_iter().zip(properties);
        told.filter_map(|(slot, property)| {
            slot.map(|(from, to)| (property.name, retrace(model, &found, from, to)))
        })
        .collect()
    };
    Report {
        states: found.len(),
        steps,
        depth,
        violated: told(broken, always),
        reached: told(seen, sometimes),
    }
}

/// Remembers the first step of which a property `holds`, or does not.
fn note<M: Model>(
    model: &M,
    properties: &[Property<M>],
    holds: bool,
    slots: &mut [Option<(usize, M::State)>],
    from: usize,
    (before, after): (&M::State, &M::State),
) {
    for (slot, property) in slots.iter_mut().zip(properties) {
        if slot.is_none() && (property.holds)(model, before, after) == holds {
            *slot = Some((from, *after));
        }
    }
}

/// Walks the way again from the beginning, so that names stay the same all along it.
fn retrace<M: Model>(model: &M, found: &[(M::State, usize)], from: usize, to: M::State) -> Path<M> {
    let mut wanted = vec![model.canonical(to)];
    let mut at = from;
    while at != 0 {
        let (state, parent) = found[at];
        wanted.push(state);
        at = parent;
    }
    let mut state = model.initial();
    let mut path = Vec::new();
    let mut successors = Vec::new();
    while let Some(target) = wanted.pop() {
        model.steps(&state, &mut successors);
        let step = successors.drain(..).find(|(_, after)| model.canonical(*after) == target);
        let Some(step) = step else { break };
        state = step.1;
        path.push(step);
    }
    path
}

/// A quick hash: the states are ours, nobody chooses them to collide.
#[derive(Default)]
struct Mix(u64);

impl Mix {
    const fn add(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
}

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 29)
    }
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            self.add(chunk.iter().fold(0, |word, byte| (word << 8) | u64::from(*byte)));
        }
    }
    fn write_u8(&mut self, word: u8) {
        self.add(u64::from(word));
    }
    fn write_u16(&mut self, word: u16) {
        self.add(u64::from(word));
    }
    fn write_u64(&mut self, word: u64) {
        self.add(word);
    }
    fn write_usize(&mut self, word: usize) {
        self.add(word as u64);
    }
    fn write_isize(&mut self, word: isize) {
        self.add(word.unsigned_abs() as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two counters up to three; a state and its mirror image are one.
    struct Pair;

    impl Model for Pair {
        type State = (u8, u8);
        type Action = &'static str;

        fn initial(&self) -> (u8, u8) {
            (0, 0)
        }
        fn steps(&self, &(left, right): &(u8, u8), into: &mut Vec<(&'static str, (u8, u8))>) {
            if left < 3 {
                into.push(("left", (left + 1, right)));
            }
            if right < 3 {
                into.push(("right", (left, right + 1)));
            }
        }
        fn canonical(&self, (left, right): (u8, u8)) -> (u8, u8) {
            (left.min(right), left.max(right))
        }
    }

    const fn claim(name: &'static str, holds: Holds<Pair>) -> Property<Pair> {
        Property { name, holds }
    }

    #[test]
    fn every_state_is_visited_once_up_to_names() {
        let report = check(&Pair, &[], &[]);
        assert_eq!((report.states, report.depth), (10, 6));
    }

    #[test]
    fn a_broken_claim_is_shown_by_a_shortest_way_and_a_true_one_is_not_reported() {
        let always = [
            claim("small", |_, _, (left, right)| left + right < 3),
            claim("rises", |_, before, after| after.0 + after.1 >= before.0 + before.1),
        ];
        let report = check(&Pair, &always, &[]);
        assert_eq!(report.violation("small").unwrap().len(), 3);
        assert!(report.violation("rises").is_none());
    }

    #[test]
    fn what_never_happens_is_not_reached() {
        let sometimes =
            [claim("full", |_, _, after| *after == (3, 3)), claim("over", |_, _, after| after.0 > 3)];
        let report = check(&Pair, &[], &sometimes);
        assert_eq!(report.witness("full").unwrap().len(), 6);
        assert!(report.witness("over").is_none());
    }
}
