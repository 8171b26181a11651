//! The guides have one order: that of `index.md`, which the front page and the module show.

use std::collections::BTreeMap;

/// The names of guides in a line: `[`name`]`.
fn names(line: &str) -> impl Iterator<Item = &str> {
    line.split("[`").skip(1).filter_map(|part| part.split_once("`]")).map(|(name, _)| name)
}

#[test]
fn every_guide_is_in_the_index_once_and_leads_to_the_next_one() {
    let (_, lists) = include_str!("index.md").split_once("**Start**").unwrap();
    let is_step = |line: &&str| line.starts_with(|first: char| first.is_ascii_digit());
    let steps: Vec<&str> = lists.lines().filter(is_step).flat_map(|line| names(line).take(1)).collect();
    let others = lists.lines().filter(|line| line.starts_with('*')).flat_map(names);
    let listed: Vec<&str> = steps.iter().copied().chain(others).collect();

    // With all features.
    let (mut next, mut guides) = (None, BTreeMap::new());
    for line in include_str!("mod.rs").lines().filter(|line| !line.contains("not(feature")) {
        if line.contains("\\nNext: ") {
            next = names(line).next();
        }
        if let Some(name) = line.strip_prefix("pub mod ").and_then(|line| line.strip_suffix(" {}")) {
            guides.insert(name, next.take());
        }
    }
    let mut sorted = listed.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, guides.keys().copied().collect::<Vec<_>>());
    for pair in steps.windows(2) {
        assert_eq!(guides[pair[0]], Some(pair[1]), "after {}", pair[0]);
    }
}

/// A text needs an empty line after it: otherwise the next one belongs to its last paragraph.
#[test]
fn definitions_of_links_follow_an_empty_line() {
    let lines: Vec<&str> = include_str!("mod.rs").lines().filter(|line| !line.starts_with("//")).collect();
    let is_links = |line: &str| line.contains("include_str!(\"links/");
    for pair in lines.windows(2).filter(|pair| is_links(pair[1])) {
        assert!(is_links(pair[0]) || pair[0].ends_with("[doc = \"\"]"), "{pair:#?}");
    }
}
