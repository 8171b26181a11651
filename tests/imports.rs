//! How the files of the crate import each other: by the rooms of ARCHITECTURE.md, and never in a circle.
//!
//! Reads the source as rustfmt leaves it, line by line: `use` items, and paths in code. A name leads to the file that
//! defines it, through all modules that hand it on; a glob to the module that it names. What is `#[cfg(test)]` is skipped.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

/// A path from the root of the crate. Those of the command line begin with `cli`.
type Path = Vec<String>;

/// A file, another that it imports, and the names that it takes from there.
type Imports = BTreeMap<(String, String), BTreeSet<String>>;

#[test]
fn rooms_import_only_rooms_below_them() {
    let (text, imports) = (text("ARCHITECTURE.md"), Source::new().imports());
    let list = text.split_once("```rooms\n").and_then(|(_, rest)| rest.split_once("```")).expect("a list of rooms").0;
    // From the top to the bottom.
    let floors: Vec<Vec<&str>> = list.lines().map(|line| line.split(", ").collect()).collect();
    let floor = |room: &str| floors.iter().position(|rooms| rooms.contains(&room));
    let gone = |room: &&str| !is_file(&format!("src/{room}.rs")) && !is_file(&format!("src/{room}/mod.rs"));
    let gone = floors.iter().flatten().copied().filter(gone);
    let mut broken: BTreeSet<String> = gone.map(|room| format!("ARCHITECTURE.md has {room}, src/ has not")).collect();
    for ((file, other), names) in &imports {
        let (Some(own), Some(room)) = (room(file), room(other)) else { continue };
        broken.extend(match (floor(own), floor(room)) {
            (None, _) => Some(format!("src/ has {own}, ARCHITECTURE.md has not")),
            (_, None) => Some(format!("src/ has {room}, ARCHITECTURE.md has not")),
            (at, of) if of < at => Some(format!("{file} imports {room}, which is above it: {}", listed(names))),
            (at, of) if of == at && own != room => {
                Some(format!("{file} imports {room}, which is beside it: {}", listed(names)))
            }
            _ => None,
        });
    }
    assert!(broken.is_empty(), "\n{}\n", Vec::from_iter(broken).join("\n"));
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let imports = Source::new().imports();
    let reached: BTreeMap<_, _> = imports.keys().map(|(file, _)| (file, reached(&imports, file))).collect();
    let reaches = |file: &String, other: &String| reached.get(file).is_some_and(|found| found.contains(other));
    let tied = |file: &String, other: &String| reaches(file, other) && reaches(other, file);
    let mut circles = BTreeMap::<&String, String>::new();
    for ((file, other), names) in imports.iter().filter(|((file, other), _)| tied(file, other)) {
        // A circle goes by the first of its files.
        let first = reached[file].iter().find(|first| tied(file, first)).unwrap();
        *circles.entry(first).or_default() += &format!("  {file} imports {other}: {}\n", listed(names));
    }
    assert!(circles.is_empty(), "circles of files:\n{}", circles.into_values().collect::<Vec<_>>().join("\n"));
}

#[test]
fn a_long_file_says_why() {
    let mut files = vec!["build.rs".to_owned()];
    ["src", "tests", "examples", "benches", "build", "cli"].iter().for_each(|folder| rust_files(folder, &mut files));
    files.retain(|file| {
        let text = text(file);
        let mut head = text.lines().take(40).map(|line| line.trim_start_matches(['/', '!', ' ']));
        let reason = head.find_map(|line| line.strip_prefix("Longer than 400 lines")).unwrap_or_default();
        text.lines().count() > 400 && !reason.contains(char::is_alphabetic)
    });
    assert!(files.is_empty(), "these have no line `Longer than 400 lines: ...` that says why: {files:#?}");
}

#[test]
fn every_asynchronous_method_says_what_dropping_it_leaves_behind() {
    let (mut files, mut methods) = (Vec::new(), 0);
    rust_files("src", &mut files);
    // The sandbox is no call to a service.
    files.retain(|file| !file.starts_with("src/sandbox/"));
    for file in files {
        let text = text(&file);
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        for (at, line) in lines.iter().enumerate().filter(|(_, line)| line.starts_with("pub async fn ")) {
            let mut docs =
                lines[..at].iter().rev().take_while(|line| line.starts_with("///") || line.starts_with("#["));
            assert!(docs.any(|line| *line == "/// # Cancel safety"), "{file}: {line}");
            methods += 1;
        }
    }
    assert!(methods > 30, "only {methods} methods");
}

#[test]
fn names_lead_to_the_files_that_define_them() {
    let imports = Source::new().imports();
    let names =
        |file: &str, other: &str| imports.get(&(file.to_owned(), other.to_owned())).map(listed).unwrap_or_default();
    assert_eq!(names("src/sandbox/visit.rs", "src/sandbox/job.rs"), "Job, SignerAction");
    assert_eq!(names("src/sandbox/signer.rs", "src/direct/signer.rs"), "SignerName", "handed on by direct/mod.rs");
    assert_eq!(
        names("src/sandbox/web/mod.rs", "src/sandbox/web/sign.rs"),
        "act, document, redirected, show",
        "in code"
    );
    assert_eq!(names("src/sandbox/mod.rs", "src/sandbox/running.rs"), "", "a name that is only handed on");
}

/// The room of a file of the library. The root of the crate is in none: it only hands names on.
fn room(file: &str) -> Option<&str> {
    let inside = file.strip_prefix("src/").filter(|inside| *inside != "lib.rs")?;
    Some(inside.split_once('/').map_or(inside.trim_end_matches(".rs"), |(folder, _)| folder))
}

/// All files that a file imports, and that these import, and so on.
fn reached<'i>(imports: &'i Imports, file: &'i String) -> BTreeSet<&'i String> {
    let (mut found, mut waiting) = (BTreeSet::new(), vec![file]);
    while let Some(next) = waiting.pop() {
        let imported = imports.keys().filter(|(file, _)| file == next).map(|(_, other)| other);
        waiting.extend(imported.filter(|other| found.insert(*other)));
    }
    found
}

/// The source of the crate, as far as imports need it.
#[derive(Default)]
struct Source {
    /// Every module, and the file in which it stands.
    modules: BTreeMap<Path, String>,
    /// What `use` items bring into modules: where each name comes from.
    names: BTreeMap<Path, Path>,
    /// Every path that is used: in which file, in which module, and as it is written there.
    used: Vec<(String, Path, Path)>,
}

impl Source {
    fn new() -> Self {
        let mut source = Self::default();
        source.read("src/lib.rs", "src", Path::new());
        source.read("cli/src/main.rs", "cli/src", path("cli"));
        source
    }

    /// Reads a file, and those of the modules that it declares, which stand in a folder.
    fn read(&mut self, file: &str, folder: &str, mut scope: Path) {
        self.modules.insert(scope.clone(), file.to_owned());
        let (mut words, mut handed_on, mut ends) = (BTreeSet::new(), Vec::new(), Vec::new());
        for line in code(&text(file)) {
            if let Some((public, tree)) = item(&line, "use") {
                for leaf in leaves(tree.trim_end_matches(';')) {
                    let (written, name) = leaf.split_once(" as ").unwrap_or((&leaf, leaf.rsplit("::").next().unwrap()));
                    let used = (file.to_owned(), scope.clone(), path(written));
                    let target = self.absolute(&scope, &used.2);
                    match &target {
                        Some(target) if public && target.starts_with(&scope) => handed_on.push((name.to_owned(), used)),
                        _ => self.used.push(used),
                    }
                    self.names.extend(target.map(|target| (below(&scope, name), target)));
                }
            } else if let Some(name) = item(&line, "mod").and_then(|(_, name)| name.strip_suffix(';')) {
                let inside = format!("{folder}/{name}");
                let beside = format!("{inside}.rs");
                let file = if is_file(&beside) { beside } else { format!("{inside}/mod.rs") };
                self.read(&file, &inside, below(&scope, name));
            } else if let Some(name) = item(&line, "mod").and_then(|(_, name)| name.strip_suffix(" {")) {
                scope = below(&scope, name);
                self.modules.insert(scope.clone(), file.to_owned());
                ends.push(format!("{}}}", indent(&line)));
            } else if ends.pop_if(|end| *end == line).is_some() {
                scope.pop();
            } else {
                for word in line.split(|c: char| !c.is_alphanumeric() && c != '_' && c != ':') {
                    let path = path(word.trim_matches(':'));
                    words.insert(path[0].clone());
                    self.used.extend((path.len() > 1).then(|| (file.to_owned(), scope.clone(), path)));
                }
            }
        }
        // What a module hands on from its own children it imports only if its code uses it, too.
        self.used.extend(handed_on.into_iter().filter(|(name, _)| words.contains(name)).map(|(_, used)| used));
    }

    /// A path from the root, or `None` if it leads into another crate.
    fn absolute(&self, scope: &[String], written: &[String]) -> Option<Path> {
        let root = usize::from(scope.first().is_some_and(|first| first == "cli"));
        let (mut start, mut rest) = (scope.to_vec(), written);
        while let Some((first, tail)) =
            rest.split_first().filter(|(first, _)| ["crate", "super", "self"].contains(&first.as_str()))
        {
            match first.as_str() {
                "crate" => start.truncate(root),
                "super" => start.truncate(start.len().saturating_sub(1)),
                _ => {}
            }
            rest = tail;
        }
        let known = |path: &Path| self.modules.contains_key(path) || self.names.contains_key(path);
        (rest.len() < written.len() || known(&below(scope, &written[0]))).then(|| [&start, rest].concat())
    }

    /// The file that defines what a path leads to, and its name there. `None` for a module: what is used of it counts.
    fn definition(&self, path: &[String]) -> Option<(&String, String)> {
        let at = (0..path.len()).find(|at| !self.modules.contains_key(&path[..=*at]))?;
        let from = self.names.get(&path[..=at]).map(|target| [target, &path[at + 1..]].concat());
        // A function may have the name of a module that is imported beside it.
        let elsewhere = from.and_then(|from| self.definition(&from));
        elsewhere.or_else(|| Some((self.modules.get(&path[..at])?, path[at].clone())))
    }

    fn imports(&self) -> Imports {
        let mut imports = Imports::new();
        for (file, scope, written) in &self.used {
            let path = self.absolute(scope, written).unwrap_or_default();
            if let Some((other, name)) = self.definition(&path).filter(|(other, _)| *other != file) {
                imports.entry((file.clone(), other.clone())).or_default().insert(name);
            }
        }
        imports
    }
}

/// The lines of a source: without comments, literals and what is `#[cfg(test)]`, and with each `use` item in one.
fn code(text: &str) -> Vec<String> {
    let mut lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let mut code = Vec::new();
    while let Some(line) = lines.next() {
        let mut line = line.split(" // ").next().unwrap().split('"').step_by(2).collect::<Vec<_>>().join(" ");
        if line.trim() == "#[cfg(test)]" {
            lines.find(|end| indent(end) == indent(&line) && (end.ends_with(';') || end.trim().starts_with('}')));
            continue;
        }
        while item(&line, "use").is_some_and(|(_, path)| is_path(path)) && !line.ends_with(';') {
            line += lines.next().expect("the end of a use item").trim();
        }
        code.push(line);
    }
    code
}

/// Whether it begins as a path does, and not as a sentence in a literal of several lines.
fn is_path(text: &str) -> bool {
    let after = text.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_');
    ["::", ";", " as ", "{"].iter().any(|next| after.starts_with(next))
}

fn indent(line: &str) -> &str {
    &line[..line.len() - line.trim_start().len()]
}

/// What follows the keyword that an item begins with, and whether its visibility stands before it.
fn item<'l>(line: &'l str, keyword: &str) -> Option<(bool, &'l str)> {
    let (visibility, rest) = line.trim_start().split_once(&format!("{keyword} "))?;
    let public = visibility == "pub " || visibility.starts_with("pub(") && visibility.ends_with(") ");
    (public || visibility.is_empty()).then_some((public, rest))
}

/// The paths in the tree of a `use` item: `a::{self, b as c}` has `a` and `a::b as c`.
fn leaves(tree: &str) -> Vec<String> {
    let Some((prefix, rest)) = tree.split_once('{') else { return vec![tree.replace("::self", "")] };
    let mut depth = 0;
    let parts = rest[..rest.rfind('}').unwrap()].split(|c| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        c == ',' && depth == 0
    });
    parts.filter(|part| !part.trim().is_empty()).flat_map(|part| leaves(&format!("{prefix}{}", part.trim()))).collect()
}

fn path(text: &str) -> Path {
    text.split("::").map(str::to_owned).collect()
}

fn below(module: &[String], name: &str) -> Path {
    [module, &[name.to_owned()]].concat()
}

fn listed(names: &BTreeSet<String>) -> String {
    names.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

fn place(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn is_file(name: &str) -> bool {
    place(name).is_file()
}

fn text(file: &str) -> String {
    fs::read_to_string(place(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn rust_files(folder: &str, files: &mut Vec<String>) {
    for entry in fs::read_dir(place(folder)).unwrap() {
        let name = format!("{folder}/{}", entry.unwrap().file_name().display());
        match place(&name).is_dir() {
            true => rust_files(&name, files),
            false => files.extend(name.ends_with(".rs").then_some(name)),
        }
    }
}
