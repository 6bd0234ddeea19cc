//! Tests of `--plots`: both back ends draw the same pictures, hostile names are always text, and all pictures are drawn
//! even if gnuplot is missing, too old or broken. The results are synthetic.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that cannot go on has failed
#![cfg(unix)] // a stand-in for gnuplot is a shell script here

mod common;
use common::Sandbox;
use quick_xml::Reader;
use quick_xml::events::Event;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

const HOSTILE: [&str; 4] = [
    "a\"; system \"touch touched\"; #",
    "`touch touched` $(touch touched) '; !touch touched",
    "../../<b>a_b^c@d{e}~f&amp;g\\h</b>\u{202e}",
    "100 %s of '|touch touched'",
];

/// Runs perfgate with this PATH.
fn perfgate(sandbox: &Sandbox, path: &str, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_perfgate"));
    command.args(args).current_dir(sandbox.path("")).env("PATH", path).env("HOME", sandbox.path("")).output().unwrap()
}

fn without(sandbox: &Sandbox, args: &[&str]) -> Output {
    perfgate(sandbox, sandbox.path("nothing").to_str().unwrap(), args)
}

/// Base and head with hostile names and one slower benchmark.
fn two_sides() -> Sandbox {
    let sandbox = Sandbox::new();
    for (index, name) in HOSTILE.into_iter().chain(["plain", "steady/1", "steady/2", "steady/3"]).enumerate() {
        let level = 100.0 * (index + 1) as f64;
        let slower = if name == "plain" { 1.5 } else { 1.0 };
        sandbox.bench("base", name, level, 1).bench("head", name, level * slower, 2);
    }
    sandbox
}

/// The content of each file, by name.
fn files(directory: &Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap());
    entries.map(|entry| (entry.file_name().into_string().unwrap(), fs::read_to_string(entry.path()).unwrap())).collect()
}

/// The texts of a picture, which must be valid XML.
fn texts(picture: &str) -> BTreeSet<String> {
    let mut reader = Reader::from_str(picture);
    let (mut texts, mut text, mut open) = (BTreeSet::new(), String::new(), Vec::new());
    loop {
        match reader.read_event().unwrap() {
            Event::Start(tag) => {
                open.push(tag.name().as_ref().to_owned());
                if tag.name().as_ref() == "text" {
                    text.clear();
                }
            }
            Event::End(tag) => {
                assert_eq!(open.pop().as_deref(), Some(tag.name().as_ref()));
                if tag.name().as_ref() == "text" {
                    texts.insert(text.trim().to_owned()); // gnuplot's ticks next to names are empty
                }
            }
            Event::Text(part) if open.iter().any(|tag| tag == "text") => text.push_str(&part.xml10_content()),
            Event::GeneralRef(reference) if open.iter().any(|tag| tag == "text") => {
                let name = reference.xml10_content().into_owned();
                let code = reference.resolve_char_ref().unwrap();
                let known = [("amp", '&'), ("lt", '<'), ("gt", '>'), ("quot", '"'), ("apos", '\'')];
                text.push(code.unwrap_or_else(|| known.iter().find(|(known, _)| *known == name).unwrap().1));
            }
            Event::Eof => break,
            _ => {}
        }
    }
    assert!(open.is_empty(), "{open:?}");
    texts.remove("");
    texts
}

#[test]
fn without_gnuplot_all_pictures_are_drawn_with_one_note() {
    let sandbox = two_sides();
    let plain = without(&sandbox, &["compare", "base", "head", "--plots", "p/plain"]);
    assert_eq!(plain.status.code(), Some(1));
    let note = String::from_utf8(plain.stderr).unwrap();
    assert_eq!(note.matches("drawn without gnuplot: gnuplot is not installed").count(), 1, "{note}");
    let ours = files(&sandbox.path("p/plain"));
    // One picture of all changes and one for each of the eight benchmarks.
    assert_eq!(ours.len(), 9);
    let forest = texts(&ours["forest.svg"]);
    let shown = |name: &str| forest.iter().any(|text| text.starts_with(name));
    assert!(shown("plain  +") && shown("a\"; system \"touch touched\"; #  "), "{forest:?}");
    assert!(shown("../../<b>a_b^c@d{e}~f&amp;g\\h</b>\\u{202e}  "), "{forest:?}");
    assert!(
        forest.contains("Changes by outcome, worst first")
            && forest.contains("threshold")
            && forest.contains("1 regressed")
    );
    assert!(forest.contains("faster ←   change from base to head, with 95% CI   → slower"), "{forest:?}");
    let title = "<title>Changes by outcome, worst first</title>";
    assert!(
        ours["forest.svg"].contains(title) && ours["forest.svg"].contains("role=\"img\""),
        "{}",
        ours["forest.svg"]
    );
}

#[test]
#[ignore = "needs gnuplot"]
fn both_back_ends_draw_the_same_texts_into_the_same_files() {
    let sandbox = two_sides();
    without(&sandbox, &["compare", "base", "head", "--plots", "p/plain"]);
    let ours = files(&sandbox.path("p/plain"));
    let path = std::env::var("PATH").unwrap();
    let drawn = perfgate(&sandbox, &path, &["compare", "base", "head", "--plots", "p/gnuplot"]);
    let note = String::from_utf8(drawn.stderr).unwrap();
    assert!(!note.contains("without gnuplot"), "{note}");
    let theirs = files(&sandbox.path("p/gnuplot"));
    assert_eq!(ours.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>());
    for (name, picture) in &ours {
        assert_eq!(texts(picture), texts(&theirs[name]), "{name}");
        assert_ne!(picture, &theirs[name]);
        // Both have a background, for dark pages, and one title.
        for picture in [picture, &theirs[name]] {
            let background = ["#ffffff", "#FFFFFF"].iter().any(|white| picture.contains(&format!("fill=\"{white}\"")));
            assert!(background && picture.matches("<title>").count() >= 1 && !picture.contains(">Gnuplot<"), "{name}");
            assert!(!picture.contains("<title>gnuplot_plot_"), "{name}");
        }
    }
    let left: Vec<String> =
        fs::read_dir(sandbox.path("")).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    assert!(!left.iter().any(|name| name.contains("touched")), "{left:?}");
}

#[test]
fn the_same_results_and_a_saved_comparison_give_the_same_pictures() {
    let sandbox = two_sides();
    without(&sandbox, &["compare", "base", "head", "--plots", "first", "--save", "comparison.json"]);
    without(&sandbox, &["compare", "base", "head", "--plots", "second"]);
    let again = without(&sandbox, &["render", "comparison.json", "--plots", "third"]);
    assert_eq!((again.status.code(), again.stdout.as_slice()), (Some(0), &b""[..]));
    let first = files(&sandbox.path("first"));
    assert_eq!(first, files(&sandbox.path("second")));
    assert_eq!(first, files(&sandbox.path("third")));
}

#[test]
fn file_names_are_safe_and_a_symbolic_link_is_replaced() {
    let sandbox = two_sides();
    sandbox.write("precious", "text").write("p/keep.txt", "kept");
    std::os::unix::fs::symlink(sandbox.path("precious"), sandbox.path("p/forest.svg")).unwrap();
    without(&sandbox, &["compare", "base", "head", "--plots", "p"]);
    assert_eq!((sandbox.read("precious"), sandbox.read("p/keep.txt")), ("text".to_owned(), "kept".to_owned()));
    for name in files(&sandbox.path("p")).into_keys().filter(|name| name != "keep.txt") {
        let stem = name.strip_suffix(".svg").unwrap();
        assert!(stem.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'), "{name}");
    }
    sandbox.write("file", "");
    let refused = without(&sandbox, &["compare", "base", "head", "--plots", "file"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8(refused.stderr).unwrap().contains("cannot create the directory"));
}

#[test]
fn an_old_or_failing_gnuplot_is_replaced_with_one_note() {
    let sandbox = two_sides();
    without(&sandbox, &["compare", "base", "head", "--plots", "expected"]);
    let expected = files(&sandbox.path("expected"));
    let half = "echo '<svg><g>one</g></svg><svg><g>'";
    let version = "if [ \"$1\" = --version ]; then echo gnuplot 5.4 patchlevel 4; exit 0; fi";
    for (index, (script, note)) in [
        ("echo gnuplot 4.6 patchlevel 6".to_owned(), "gnuplot 4.6 is too old; version 5 or later is needed"),
        ("echo what".to_owned(), "printed no version"),
        (format!("{version}; {half}; echo 'line 3: no such terminal' >&2; exit 1"), "(line 3: no such terminal)"),
        (format!("{version}; {half}"), "gnuplot drew only 1 of 9 pictures"),
        (format!("{version}; kill -9 $$"), "it printed no reason"),
    ]
    .into_iter()
    .enumerate()
    {
        let bin = format!("bin{index}");
        sandbox.write(&format!("{bin}/gnuplot"), format!("#!/bin/sh\n{script}\n"));
        fs::set_permissions(sandbox.path(&format!("{bin}/gnuplot")), fs::Permissions::from_mode(0o755)).unwrap();
        let path = sandbox.path(&bin);
        let out = format!("out{index}");
        let answer = perfgate(&sandbox, path.to_str().unwrap(), &["compare", "base", "head", "--plots", &out]);
        let stderr = String::from_utf8(answer.stderr).unwrap();
        assert_eq!(answer.status.code(), Some(1), "{stderr}");
        assert!(stderr.contains(note), "{script}: {stderr}");
        assert_eq!(stderr.matches("without gnuplot").count(), 1, "{stderr}");
        assert_eq!(files(&sandbox.path(&out)), expected, "{script}");
    }
}

#[test]
fn only_a_saved_comparison_contains_samples_for_pictures() {
    let sandbox = two_sides();
    let printed = sandbox.perfgate(&["compare", "base", "head", "--format", "json"]);
    printed.exits(1).does_not_print("\"strips\"");
    sandbox.perfgate(&["compare", "base", "head", "--save", "comparison.json"]).exits(1);
    let saved: serde_json::Value = serde_json::from_str(&sandbox.read("comparison.json")).unwrap();
    let plain = saved["benchmarks"].as_array().unwrap().iter().find(|finding| finding["name"] == "plain").unwrap();
    let strip = &plain["strips"][1][0];
    // The 50 samples of one run are reduced to 17 quantiles.
    assert_eq!((&strip["samples"], strip["values"].as_array().unwrap().len()), (&50.into(), 17));
    let middle = strip["values"][8].as_f64().unwrap();
    let value = plain["head"]["value"].as_f64().unwrap();
    assert!((middle / value - 1.0).abs() < 1e-4, "{middle} {value}");
}
