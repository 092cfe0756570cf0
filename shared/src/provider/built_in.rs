//! The provider files that are part of every build: one line per file of `shared/providers`.

/// Name and text of each file.
pub(super) const FILES: [(&str, &str); 3] = [
    ("gmail.toml", include_str!("../../providers/gmail.toml")),
    ("microsoft.toml", include_str!("../../providers/microsoft.toml")),
    ("slack.toml", include_str!("../../providers/slack.toml")),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_file_of_the_folder_is_forgotten() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/providers");
        let mut there: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        there.sort();
        assert_eq!(there, FILES.map(|(name, _)| name));
    }
}
