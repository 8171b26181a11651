//! What the documentation promises about itself.

/// The code blocks of a Markdown text, each with the words after its fence.
fn blocks(markdown: &str) -> impl Iterator<Item = (&str, &str)> {
    markdown.split("```").skip(1).step_by(2).filter_map(|block| block.split_once('\n'))
}

#[test]
fn the_readme_renders_on_a_repository_page_as_it_is_compiled() {
    let readme = include_str!("../README.md");
    let rust: Vec<_> = blocks(readme).filter(|(words, _)| words.starts_with("rust")).collect();
    assert!(rust.len() >= 2);
    for (words, code) in blocks(readme) {
        // Without a language, the registry would guess one, and rustdoc compiles it.
        assert!(!words.is_empty(), "a block without a language: {code}");
        if words.starts_with("rust") {
            let hidden = code.lines().find(|line| line.trim_start().starts_with("# ") || line.trim() == "#");
            assert_eq!(hidden, None, "only rustdoc hides such a line");
        }
    }
    let lines = rust[0].1.lines().filter(|line| !line.trim().is_empty()).count();
    assert!(lines <= 25, "the first example has {lines} lines");
}
