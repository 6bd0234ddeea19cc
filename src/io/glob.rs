//! Expands patterns for paths with results, such as `*/target/criterion` or `out/**/*.json`.

use globset::GlobBuilder;
use std::fs;
use std::path::{Path, PathBuf};

/// Maximum depth of directories that are searched below the pattern's fixed part.
const MAX_DEPTH: usize = 24;

/// Why a pattern is not valid.
#[derive(Debug, thiserror::Error)]
#[error("`{pattern}` is not a valid path pattern: {why}")]
pub struct PatternError {
    /// The pattern.
    pattern: String,
    /// What is wrong.
    why: String,
}

/// The files and directories that match a pattern, sorted; directories inside a match are not searched. A pattern without
/// `*`, `?`, `[` and `{`, and one that is an existing path, is returned unchanged.
pub fn expand(pattern: &str) -> Result<Vec<PathBuf>, PatternError> {
    let special = |part: &str| part.contains(['*', '?', '[', '{']);
    if !special(pattern) || Path::new(pattern).exists() {
        return Ok(vec![PathBuf::from(pattern)]);
    }
    let pattern_error =
        |error: globset::Error| PatternError { pattern: pattern.to_owned(), why: error.kind().to_string() };
    let clean = pattern.trim_start_matches("./");
    let glob = GlobBuilder::new(clean).literal_separator(true).build().map_err(pattern_error)?.compile_matcher();
    let fixed: PathBuf =
        Path::new(clean).components().take_while(|part| !special(&part.as_os_str().to_string_lossy())).collect();
    let mut found = Vec::new();
    let mut waiting = vec![(fixed, 0)];
    while let Some((directory, depth)) = waiting.pop() {
        let here = if directory.as_os_str().is_empty() { Path::new(".") } else { &directory };
        let Ok(entries) = fs::read_dir(here) else { continue };
        for entry in entries.flatten() {
            let path = directory.join(entry.file_name());
            if glob.is_match(&path) {
                found.push(path);
            } else if depth < MAX_DEPTH
                && entry.file_name() != ".git"
                && entry.file_type().is_ok_and(|kind| kind.is_dir())
            {
                waiting.push((path, depth + 1));
            }
        }
    }
    found.sort_unstable();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_finds_files_and_directories_below_its_fixed_part() {
        let top = tempfile::tempdir().unwrap();
        for file in
            ["a/target/criterion/x/new.json", "b/target/criterion/y.json", "b/out/1.json", "b/out/deep/2.json", "c.txt"]
        {
            let path = top.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let find = |pattern: &str| -> Vec<String> {
            let paths = expand(&format!("{}/{pattern}", top.path().display())).unwrap();
            let short = |path: &PathBuf| path.strip_prefix(top.path()).unwrap().to_string_lossy().replace('\\', "/");
            paths.iter().map(short).collect()
        };
        assert_eq!(find("*/target/criterion"), ["a/target/criterion", "b/target/criterion"]);
        assert_eq!(find("b/out/*.json"), ["b/out/1.json"], "a star stays within one directory");
        assert_eq!(find("b/out/**/*.json"), ["b/out/1.json", "b/out/deep/2.json"]);
        assert_eq!(find("b/*.csv"), Vec::<String>::new());
        assert_eq!(find("c.txt"), ["c.txt"]);
        assert!(expand("a[").unwrap_err().to_string().contains("not a valid path pattern"));
    }
}
