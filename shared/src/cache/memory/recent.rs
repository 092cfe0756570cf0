//! A map of permit keys that a flood of made-up ones can't make grow: what has not been touched for long goes.

use std::collections::HashMap;
use std::mem;

use super::super::PermitKey;

/// Values by key in two generations. When the young one is full it becomes the old one, and what was old is forgotten: a
/// key stays for as long as it is touched before half of the capacity in other keys has been.
pub(crate) struct Recent<V> {
    young: HashMap<PermitKey, V>,
    old: HashMap<PermitKey, V>,
    half: usize,
}

impl<V> Recent<V> {
    /// Holds at most `capacity` values.
    pub(crate) fn new(capacity: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), half: capacity / 2 }
    }

    /// The value of a key, which is touched by that.
    pub(crate) fn get(&mut self, key: PermitKey) -> Option<&mut V> {
        if let Some(value) = self.old.remove(&key) {
            self.put(key, value);
        }
        self.young.get_mut(&key)
    }

    /// Puts a value in its place.
    pub(crate) fn put(&mut self, key: PermitKey, value: V) {
        if let Some(held) = self.young.get_mut(&key) {
            *held = value;
            return;
        }
        if self.young.len() >= self.half {
            self.old = mem::take(&mut self.young);
        }
        self.old.remove(&key);
        self.young.insert(key, value);
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: usize) -> PermitKey {
        PermitKey::new(&[&number.to_string()], "1/s".parse().unwrap())
    }

    #[test]
    fn what_is_touched_stays_and_what_is_not_goes() {
        let mut recent = Recent::new(100);
        for number in 0..10_000 {
            recent.put(key(number), number);
            assert_eq!(recent.get(key(0)), Some(&mut 0), "{number}");
            assert!(recent.len() <= 100);
        }
        assert_eq!(recent.get(key(9_999)), Some(&mut 9_999));
        assert_eq!(recent.get(key(9_000)), None);
    }

    #[test]
    fn a_value_is_replaced_wherever_it_is() {
        let mut recent = Recent::new(2);
        for (number, value) in [(1, 1), (2, 1), (1, 2), (1, 3)] {
            recent.put(key(number), value);
        }
        assert_eq!(recent.get(key(1)), Some(&mut 3));
        assert_eq!(recent.len(), 2);
    }
}
