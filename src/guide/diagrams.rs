//! Tests that the diagrams match their sources.

use std::collections::BTreeSet;

/// The nodes and edges of a source.
fn nodes_of_source(dot: &str) -> BTreeSet<String> {
    let statements = dot.lines().map(str::trim).filter(|line| line.starts_with('"'));
    let names = statements.flat_map(|line| {
        let names: Vec<&str> =
            line.split(" [").next().unwrap().split(" -> ").map(|name| name.trim_matches('"')).collect();
        let arrow = (names.len() == 2).then(|| names.join("->"));
        names.into_iter().map(str::to_owned).chain(arrow).collect::<Vec<_>>()
    });
    names.collect()
}

/// The nodes and edges of a picture, from the titles that graphviz gives them.
fn nodes_of_picture(svg: &str) -> BTreeSet<String> {
    let titles = svg.split("<title>").skip(2).map(|rest| rest.split("</title>").next().unwrap());
    titles.map(|title| title.replace("&#45;", "-").replace("&lt;", "<").replace("&gt;", ">")).collect()
}

#[test]
fn the_diagrams_are_drawn_from_their_sources() {
    for (dot, svg) in [
        (include_str!("diagrams/direct.dot"), include_str!("diagrams/direct.svg")),
        (include_str!("diagrams/portal.dot"), include_str!("diagrams/portal.svg")),
    ] {
        assert_eq!(nodes_of_picture(svg), nodes_of_source(dot), "run src/guide/diagrams/draw");
        assert!(
            !svg.contains("black") && !svg.trim_end().contains("\n\n"),
            "in the page's colors, and one piece of HTML for Markdown"
        );
    }
}
