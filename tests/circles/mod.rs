//! Circles: no file imports one that imports it, be it over others. A file may import the `mod.rs` of its own folders: what stands there is
//! for all below it.
//!
//! Limits: reads text, not syntax: methods that stand in another file than their type are not seen, nor what macros name.

use regex::Regex;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

/// A module's path, without `crate`.
type Module = Vec<String>;

static USE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(pub(?:\([^)]*\))?\s+)?\buse\s+([^;]+);").unwrap());
static PATH: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\b[a-z_]\w*(?:::\w+)+").unwrap());
static NOT_CODE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"//[^\n]*|"(?:[^"\\]|\\.)*""#).unwrap());
static TESTS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?s)#\[cfg\(test\)\]\s*mod \w+ \{.*").unwrap());

/// Returns the paths of a use tree, each with the name that it is used by.
fn flat(tree: &str) -> Vec<(Vec<String>, String)> {
    let Some((before, rest)) = tree.split_once('{') else {
        let (path, name) = tree.split_once(" as ").unwrap_or((tree, ""));
        let mut path: Vec<String> = path.split("::").map(|s| s.trim().to_owned()).collect();
        if path.last().is_some_and(|last| last == "self") {
            path.pop();
        }
        let last = path.last().cloned().unwrap_or_default();
        let name = if name.is_empty() {
            last
        } else {
            name.trim().to_owned()
        };
        return vec![(path, name)];
    };
    let inside = rest.rsplit_once('}').map_or(rest, |(inside, _)| inside);
    let mut depth = 0;
    let parts = inside.split(|c| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        c == ',' && depth == 0
    });
    let parts = parts.filter(|part| !part.trim().is_empty());
    parts
        .flat_map(|part| flat(&format!("{}{}", before.trim(), part.trim())))
        .collect()
}

/// What one file says of others.
#[derive(Default)]
struct File {
    /// Paths from the crate's root.
    uses: Vec<Module>,
    /// Names that it hands on.
    hands_on: BTreeMap<String, Module>,
}

/// Returns the path from the crate's root; none when it leads elsewhere.
fn absolute(of: &[String], path: &[String], known: &BTreeSet<Module>) -> Option<Module> {
    let mut base = of.to_vec();
    let mut rest = path;
    match path.first()?.as_str() {
        "crate" => return Some(path[1..].to_vec()),
        "self" => rest = &path[1..],
        "super" => {
            while rest.first().is_some_and(|first| first == "super") {
                base.pop();
                rest = &rest[1..];
            }
        }
        child => {
            let child = [of, &[child.to_owned()]].concat();
            known.contains(&child).then_some(())?;
        }
    }
    Some([base.as_slice(), rest].concat())
}

fn read(of: &[String], text: &str, known: &BTreeSet<Module>) -> File {
    let text = TESTS.replace(text, "");
    let text = NOT_CODE.replace_all(&text, "");
    let mut file = File::default();
    let mut modules = BTreeMap::new();
    for found in USE.captures_iter(&text) {
        for (path, name) in flat(&found[2]) {
            let Some(path) = absolute(of, &path, known) else {
                continue;
            };
            if known.contains(&path) {
                modules.insert(name.clone(), path.clone());
            }
            if found.get(1).is_some() {
                file.hands_on.insert(name, path);
            } else {
                file.uses.push(path);
            }
        }
    }
    for found in PATH.find_iter(&USE.replace_all(&text, "")) {
        let path: Vec<String> = found.as_str().split("::").map(str::to_owned).collect();
        let by_name = modules.get(&path[0]);
        let path = by_name.map(|module| [module, &path[1..]].concat());
        let path = path.or_else(|| {
            let path: Vec<String> = found.as_str().split("::").map(str::to_owned).collect();
            absolute(of, &path, known)
        });
        file.uses.extend(path);
    }
    file
}

/// Returns the file that has what a path names; none when it names a file as a whole, or nothing of ours.
fn holder(path: &[String], files: &BTreeMap<Module, File>) -> Option<Module> {
    let mut path = path.to_vec();
    for _ in 0..8 {
        let end = (1..path.len())
            .rev()
            .find(|end| files.contains_key(&path[..*end]))?;
        let Some(further) = files[&path[..end]].hands_on.get(&path[end]) else {
            return (!files.contains_key(&path)).then(|| path[..end].to_vec());
        };
        path = [further, &path[end + 1..]].concat();
    }
    None
}

/// Returns the circles: of each the files, in the order in which they import.
fn circles(texts: &BTreeMap<Module, String>) -> Vec<Vec<String>> {
    let known: BTreeSet<Module> = texts.keys().cloned().collect();
    let read = |(module, text): (&Module, &String)| (module.clone(), read(module, text, &known));
    let files: BTreeMap<Module, File> = texts.iter().map(read).collect();
    let imports = |of: &Module| -> BTreeSet<Module> {
        let all = files[of]
            .uses
            .iter()
            .filter_map(|path| holder(path, &files));
        all.filter(|other| !of.starts_with(other)).collect()
    };
    let imports: BTreeMap<&Module, BTreeSet<Module>> = files
        .keys()
        .map(|module| (module, imports(module)))
        .collect();
    let mut done = BTreeSet::new();
    let mut circles = Vec::new();
    for module in files.keys() {
        // The shortest way from the file back to itself.
        let mut ways: Vec<Vec<&Module>> = vec![vec![module]];
        let mut seen = BTreeSet::new();
        let mut at = 0;
        while let Some(way) = ways.get(at).cloned() {
            at += 1;
            let Some(last) = way.last() else { continue };
            if imports[*last].contains(module) {
                if way.iter().all(|module| done.insert((*module).clone())) {
                    circles.push(way.iter().map(|module| module.join("/")).collect());
                }
                break;
            }
            for next in &imports[*last] {
                if seen.insert(next.clone()) {
                    ways.push([way.as_slice(), &[next]].concat());
                }
            }
        }
    }
    circles
}

fn collect(folder: &Path, module: &[String], texts: &mut BTreeMap<Module, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let inner = [module, std::slice::from_ref(&stem)].concat();
        if stem == "tests" {
            continue;
        }
        if path.is_dir() {
            collect(&path, &inner, texts);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let is_root = module.is_empty() && ["lib", "main"].contains(&stem.as_str());
            let name = if stem == "mod" {
                module.to_vec()
            } else {
                inner
            };
            if !is_root {
                texts.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
}

#[test]
fn no_files_import_each_other() {
    let mut texts = BTreeMap::new();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    collect(&source, &[], &mut texts);
    assert!(texts.len() > 300, "{} files", texts.len());
    let found = circles(&texts);
    assert!(found.is_empty(), "files import each other: {found:#?}");
}

#[test]
fn a_circle_is_found_however_it_is_written() {
    let texts = |files: &[(&str, &str)]| {
        let module = |path: &str| path.split("::").map(str::to_owned).collect::<Module>();
        let files = files
            .iter()
            .map(|(path, text)| (module(path), (*text).to_owned()));
        circles(&files.collect())
    };
    let none: [Vec<String>; 0] = [];
    assert_eq!(
        texts(&[("a", "use crate::b::B;"), ("b", "struct B;")]),
        none
    );
    let circle = [["a".to_owned(), "b".to_owned()]];
    for back in [
        "use super::a::A;",
        "fn f() { crate::a::f() }",
        "use super::a; fn f() { a::f() }",
    ] {
        assert_eq!(
            texts(&[("a", "use crate::{b::{B, C}, c};"), ("b", back)]),
            circle,
            "{back}"
        );
    }
    // What is handed on stands elsewhere; a comment, a text and a test import nothing.
    let handed = ("m", "mod a; mod b; pub use a::A;");
    let of_b = ("m::b", "use super::A; // crate::m::c::C");
    assert_eq!(
        texts(&[handed, ("m::a", "use super::b::B;"), of_b]).len(),
        1
    );
    let test = "#[cfg(test)]\nmod tests {\n use crate::b::B;\n}";
    assert_eq!(texts(&[("a", test), ("b", "use crate::a::A;")]), none);
    // A file may import what stands above it.
    assert_eq!(
        texts(&[("m", "mod a; fn f() { a::g() }"), ("m::a", "use super::f;")]),
        none
    );
}
