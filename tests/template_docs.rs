//! The fields in docs/templates.md are generated from the types; this test checks that they match.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that cannot go on has failed

use perfgate::render::template::Context;
use std::collections::BTreeSet;
use std::fmt::Write;

const TYPES: [&str; 2] =
    [include_str!("../src/render/template/context.rs"), include_str!("../src/render/template/change_context.rs")];
const BEGIN: &str = "<!-- fields, made by tests/template_docs.rs -->\n";
const END: &str = "<!-- end of fields -->\n";

struct DocumentedType {
    name: String,
    about: String,
    fields: Vec<(String, String, String)>, // name, type, description
}

/// The structs of the context with their comments.
fn documented_types() -> Vec<DocumentedType> {
    let mut kinds: Vec<DocumentedType> = Vec::new();
    let mut comment = String::new();
    for line in TYPES.iter().flat_map(|types| types.lines()).map(str::trim) {
        if let Some(text) = line.strip_prefix("///") {
            comment.push_str(text);
        } else if let Some(rest) = line.strip_prefix("pub struct ") {
            let name = rest.trim_end_matches(" {").to_owned();
            kinds.push(DocumentedType { name, about: std::mem::take(&mut comment).trim().to_owned(), fields: vec![] });
        } else if let Some((name, kind)) = line.strip_prefix("pub ").and_then(|rest| rest.split_once(": ")) {
            let (name, kind) = (name.to_owned(), kind.trim_end_matches(',').to_owned());
            let field = (name, kind, std::mem::take(&mut comment).trim().to_owned());
            kinds.last_mut().unwrap().fields.push(field);
        }
    }
    kinds
}

/// The type, as the docs name it.
fn plain(kind: &str) -> String {
    let inner = |prefix: &str| kind.strip_prefix(prefix).and_then(|rest| rest.strip_suffix('>'));
    if let Some(kind) = inner("Vec<") {
        return format!("list of {}", plain(kind));
    }
    if let Some(kind) = inner("Option<") {
        return format!("{}, or none", plain(kind));
    }
    match kind {
        "String" => "text".to_owned(),
        "usize" | "u64" | "f64" => "number".to_owned(),
        "bool" => "true or false".to_owned(),
        "BTreeMap<String, String>" => "texts by key".to_owned(),
        kind => format!("[{kind}](#{})", kind.to_lowercase()),
    }
}

fn fields() -> String {
    let mut out = String::from(BEGIN);
    for kind in documented_types() {
        let _ = writeln!(out, "\n### {}\n\n{}\n\n| name | type | what it is |\n|---|---|---|", kind.name, kind.about);
        for (name, kind, about) in kind.fields {
            let about = about.replace('|', "\\|");
            let _ = writeln!(out, "| `{name}` | {} | {about} |", plain(&kind));
        }
    }
    out + "\n" + END
}

#[test]
fn the_documented_fields_are_those_of_the_types() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/templates.md");
    let doc = std::fs::read_to_string(path).unwrap();
    let (before, rest) = doc.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let fresh = format!("{before}{}{after}", fields());
    if std::env::var_os("PERFGATE_BLESS").is_some() {
        std::fs::write(path, &fresh).unwrap();
    }
    let doc = std::fs::read_to_string(path).unwrap();
    assert!(doc == fresh, "docs/templates.md is behind the types; PERFGATE_BLESS=1 cargo test --test template_docs");
}

#[test]
fn the_types_are_parsed_completely() {
    let sample = serde_json::to_value(Context::default()).unwrap();
    let real: BTreeSet<String> = sample.as_object().unwrap().keys().cloned().collect();
    let kinds = documented_types();
    let read: BTreeSet<String> = kinds[0].fields.iter().map(|(name, _, _)| name.clone()).collect();
    assert_eq!(kinds[0].name, "Context");
    assert_eq!(read, real);
    let known: BTreeSet<&str> = kinds.iter().map(|kind| kind.name.as_str()).collect();
    for (name, kind, about) in kinds.iter().flat_map(|kind| &kind.fields) {
        assert!(!about.is_empty(), "{name} has no description");
        if let Some((_, link)) = plain(kind).split_once('[') {
            let target = link.split(']').next().unwrap();
            assert!(known.contains(target), "{name} is of the unknown type {target}");
        }
    }
}
