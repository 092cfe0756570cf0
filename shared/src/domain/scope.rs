//! Scopes: what was asked for, what was granted, what is missing.

/// A list of scopes in the order they were asked for or granted.
pub type Scopes = Vec<String>;

/// The scopes of `wanted` that `granted` does not have, in their order.
#[must_use]
pub fn missing(wanted: &[String], granted: &[String]) -> Scopes {
    wanted.iter().filter(|scope| !granted.contains(scope)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_what_was_not_granted() {
        let list = |text: &str| text.split(' ').map(str::to_owned).collect::<Scopes>();
        assert_eq!(missing(&list("a b c"), &list("c a")), list("b"));
    }
}
