//! Distinguishes library code from a program's own. The standard library, the C library and the interpreter are charged to the
//! function that uses them. Packages that a program depends on are not library code in this sense: a new version of one can be
//! the reason for a slowdown.

/// Roots of Rust's standard library.
const RUST: [&str; 3] = ["core", "alloc", "std"];

/// True for a function of the language's or the system's libraries.
pub(super) fn is_library(name: &str, file: Option<&str>, object: Option<&str>) -> bool {
    object.is_some_and(is_system_object) || file.is_some_and(is_library_file) || is_library_name(name)
}

fn is_system_object(object: &str) -> bool {
    ["/lib/", "/lib64/", "/usr/lib/", "/usr/lib64/", "/usr/libexec/valgrind", "[vdso]", "/System/", "/nix/store/"]
        .iter()
        .any(|start| object.starts_with(start))
        && !object.contains("/site-packages/")
}

fn is_library_file(file: &str) -> bool {
    let file = file.replace('\\', "/");
    // Rust: the path of the compiler's own build, or of the rust-src component.
    let rust =
        file.starts_with("/rustc/") || file.contains("/lib/rustlib/src/rust/") || file.starts_with("/rust/deps/");
    // Python: lib/python3.11/json/decoder.py; packages are below site-packages.
    let python = file.contains("/lib/python") && !file.contains("-packages/") || file.starts_with("<frozen ");
    rust || python || is_go_standard_library(&file) || file.starts_with("node:") || file == "~"
}

/// A file below GOROOT: `/usr/local/go/src/fmt/print.go`, also in `/usr/lib/go-1.19` and `…/toolchain@v0.0.1-go1.24.0.linux-amd64`. The
/// packages of others, below `~/go/src`, have a dot in the first part of their path.
fn is_go_standard_library(file: &str) -> bool {
    let Some((root, path)) = file.split_once("/src/") else { return false };
    let directory = root.rsplit('/').next().unwrap_or(root);
    let version = directory.strip_prefix("go").or_else(|| directory.rsplit_once("-go").map(|(_, version)| version));
    let is_root = version
        .is_some_and(|version| version.trim_start_matches('-').chars().next().is_none_or(|c| c.is_ascii_digit()));
    is_root && !path.split('/').next().unwrap_or(path).contains('.')
}

fn is_library_name(name: &str) -> bool {
    // `<alloc::vec::Vec as core::ops::Drop>::drop`, `core::fmt::write`
    let path = name.trim_start_matches(['<', '&', '*']).trim_start_matches("mut ").trim_start_matches("const ");
    let root = path.split("::").next().unwrap_or_default();
    let rust = RUST.contains(&root) && path.contains("::");
    // A trait of the standard library for a type without a path, such as a number or a slice.
    let primitive = name.starts_with('<')
        && path.split_once(" as ").is_some_and(|(of, rest)| {
            !of.contains("::") && RUST.iter().any(|root| rest.starts_with(&format!("{root}::")))
        });
    let cpp = name.starts_with("std::") || name.starts_with("operator new") || name.starts_with("operator delete");
    // Code that runs before main, and code without symbols, whose object is unknown.
    let loader = ["_start", "(below main)", "_dl_runtime_resolve", "[???]"].contains(&name);
    let rust_glue = ["__rust_", "__rg_", "__rdl_", "rust_begin", "__rustc::", "hashbrown::", "<hashbrown::"];
    let builtin = name.starts_with('{') && name.ends_with('}');
    let engine = ["(program)", "(idle)", "(garbage collector)", "(root)"].contains(&name);
    loader
        || rust
        || primitive
        || cpp
        || builtin
        || engine
        || rust_glue.iter().any(|start| name.starts_with(start))
        || is_go_runtime(name)
}

/// Go's runtime and standard library where the profile has no files. A package of a module has a dot in its first element.
fn is_go_runtime(name: &str) -> bool {
    name.starts_with("runtime.") || name.starts_with("internal/") || name.starts_with("syscall.")
}

/// A source file as a reader looks for it: from the top of its project, package or library.
pub fn short_path(file: &str, roots: &[String]) -> String {
    let file = file.replace('\\', "/");
    for root in roots.iter().map(|root| root.trim_end_matches('/')).filter(|root| !root.is_empty()) {
        if let Some(rest) = file.strip_prefix(root).and_then(|rest| rest.strip_prefix('/')) {
            return rest.to_owned();
        }
    }
    for (mark, parts) in [("/registry/src/", 1), ("/git/checkouts/", 2), ("/rustc/", 1), ("/pkg/mod/", 0)] {
        if let Some((_, rest)) = file.split_once(mark) {
            return rest.splitn(parts + 1, '/').last().unwrap_or(rest).to_owned();
        }
    }
    for mark in ["/rustlib/src/rust/", "/site-packages/", "/dist-packages/", "/node_modules/"] {
        if let Some((_, rest)) = file.split_once(mark) {
            return rest.to_owned();
        }
    }
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_start_at_the_project_or_the_package() {
        let roots = ["/tmp/x/base/".to_owned(), "/tmp/x/head".to_owned()];
        let short = |file: &str| short_path(file, &roots);
        assert_eq!(short("/tmp/x/head/src/lib.rs"), "src/lib.rs");
        assert_eq!(short("/tmp/x/header/src/lib.rs"), "/tmp/x/header/src/lib.rs");
        assert_eq!(short("/h/.cargo/registry/src/index.crates.io-19/serde-1.0/src/de.rs"), "serde-1.0/src/de.rs");
        assert_eq!(
            short("/rustc/59807616e1fa2540724bfbac14d7976d7e4a3860/library/core/src/x.rs"),
            "library/core/src/x.rs"
        );
        assert_eq!(short("C:\\venv\\Lib\\site-packages\\a\\b.py"), "a/b.py");
    }

    #[test]
    fn the_standard_library_is_library_code_and_a_dependency_is_not() {
        let toolchain = "/root/.rustup/toolchains/stable/lib/rustlib/src/rust/library/core/src/iter/range.rs";
        assert!(is_library("anything", Some(toolchain), None));
        assert!(is_library("x", Some("/rustc/5980/library/alloc/src/vec/mod.rs"), None));
        assert!(is_library("malloc", None, Some("/usr/lib/x86_64-linux-gnu/libc.so.6")));
        assert!(is_library("<alloc::vec::Vec as core::iter::FromIterator>::from_iter", None, None));
        assert!(is_library("core::ptr::drop_in_place", None, None));
        assert!(is_library("{built-in method time.sleep}", None, None));
        assert!(is_library("loads", Some("/usr/lib/python3.11/json/__init__.py"), None));
        assert!(is_library("runtime.mallocgc", None, None));
        for root in
            ["/usr/local/go", "/usr/lib/go-1.19", "/r/go/pkg/mod/golang.org/toolchain@v0.0.1-go1.24.0.linux-amd64"]
        {
            assert!(is_library("strings.Fields", Some(&format!("{root}/src/strings/strings.go")), None), "{root}");
        }
        for own in ["/r/go/src/example.org/x/a.go", "/r/gopher/src/a.go", "/r/go/pkg/mod/example.org/x@v1.0.0/src/a.go"]
        {
            assert!(!is_library("x.parse", Some(own), None), "{own}");
        }
        for own in ["serde_json::de::parse", "<demo::Key as core::hash::Hash>::hash", "main", "core"] {
            assert!(!is_library(own, Some("/home/u/.cargo/registry/src/x/src/lib.rs"), Some("/w/target/x")), "{own}");
        }
        assert!(!is_library("f", Some("/venv/lib/python3.11/site-packages/x/y.py"), None));
    }
}
