//! The change under test: git's difference between the merge base and the checked-out files.

use super::manifest;
use super::regular;
use super::repository::{Repository, RepositoryError, failed, object_id};
use crate::model::{CodeChange, Commit, FileChange, FileChangeKind};
use git2::{Delta, Diff, DiffFindOptions, DiffOptions, Oid, Patch, Tree};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Maximum number of files that are listed; the rest are counted.
const MAX_FILES: usize = 40;
/// Maximum number of functions that are listed for a file.
const MAX_FUNCTIONS: usize = 8;
/// Maximum number of commits whose trailers are read.
const MAX_COMMITS: usize = 200;
/// Maximum number of index statements and of migrations that are listed.
const MAX_STATEMENTS: usize = 40;

/// The lines and functions that differ between two commits, by file.
#[derive(Debug, Default)]
pub struct ChangedCode(pub BTreeMap<PathBuf, ChangedFile>);

/// What changed in a file.
#[derive(Debug, Default)]
pub struct ChangedFile {
    /// Functions with changed lines.
    pub functions: BTreeSet<String>,
    /// New and changed lines, as numbered in head.
    pub lines: BTreeSet<u32>,
}

impl Repository {
    /// What differs between two commits; with the uncommitted changes of tracked files.
    pub fn changed_code(&self, base: &Commit, head: &Commit) -> Result<ChangedCode, RepositoryError> {
        let dirty = self.is_dirty()? && !self.is_sparse();
        let _watched = self.watched();
        let wrong = failed("compare head with base");
        let tree = |commit: &Commit| self.git().find_commit(object_id(commit)?)?.tree();
        let (old, new) = (tree(base).map_err(&wrong)?, tree(head).map_err(&wrong)?);
        let mut options = DiffOptions::new();
        options.context_lines(12).ignore_submodules(true);
        let diff = match dirty {
            true => self.git().diff_tree_to_workdir_with_index(Some(&old), Some(&mut options)),
            false => self.git().diff_tree_to_tree(Some(&old), Some(&new), Some(&mut options)),
        };
        let diff = diff.map_err(&wrong)?;
        let mut changed = ChangedCode::default();
        for index in 0..diff.deltas().len() {
            let Some(path) = diff.get_delta(index).and_then(|delta| delta.new_file().path().map(Path::to_owned)) else {
                continue;
            };
            if let Ok(Some(patch)) = Patch::from_diff(&diff, index) {
                let functions = changed_functions(&patch, &path);
                let file = changed.0.entry(path).or_default();
                file.functions.extend(functions);
                for hunk in 0..patch.num_hunks() {
                    let lines = patch.num_lines_in_hunk(hunk).unwrap_or(0);
                    let lines = (0..lines).filter_map(|line| patch.line_in_hunk(hunk, line).ok());
                    file.lines.extend(lines.filter(|line| line.origin() == '+').filter_map(|line| line.new_lineno()));
                }
            }
        }
        Ok(changed)
    }

    /// The difference between the merge base and HEAD, with uncommitted changes of tracked files.
    pub fn change(&self) -> Result<CodeChange, RepositoryError> {
        let head = self.head()?;
        let base = self.base_candidates(&head.commit)?.into_iter().next();
        let dirty = self.is_dirty()?;
        let _watched = self.watched();
        let git = self.git();
        let tree = |commit: &Commit| -> Result<Tree<'_>, git2::Error> { git.find_commit(object_id(commit)?)?.tree() };
        let wrong = failed("compare head with its merge base");
        let old = match &base {
            Some(base) => Some(tree(base).map_err(&wrong)?),
            None => None,
        };
        let new = tree(&head.commit).map_err(&wrong)?;
        let mut options = DiffOptions::new();
        options.context_lines(12).ignore_submodules(true);
        // libgit2 would report files that a sparse checkout leaves out as deleted.
        let mut diff = if dirty && !self.is_sparse() {
            git.diff_tree_to_workdir_with_index(old.as_ref(), Some(&mut options))
        } else {
            git.diff_tree_to_tree(old.as_ref(), Some(&new), Some(&mut options))
        }
        .map_err(&wrong)?;
        let _ = diff.find_similar(Some(DiffFindOptions::new().renames(true)));
        let mut change = CodeChange {
            base: base.clone(),
            head: Some(head.commit.clone()),
            branch: head.branch.clone(),
            dirty,
            trailers: self.trailers(&head.commit, base.as_ref()).unwrap_or_default(),
            ..CodeChange::default()
        };
        self.read_files(&diff, &mut change);
        Ok(change)
    }

    fn read_files(&self, diff: &Diff<'_>, change: &mut CodeChange) {
        for index in 0..diff.deltas().len() {
            let Some(delta) = diff.get_delta(index) else { continue };
            let path = |file: git2::DiffFile<'_>| file.path().map(|path| path.to_string_lossy().into_owned());
            let Some(name) = path(delta.new_file()).or_else(|| path(delta.old_file())) else { continue };
            let kind = match delta.status() {
                Delta::Added | Delta::Copied => FileChangeKind::Added,
                Delta::Deleted => FileChangeKind::Removed,
                Delta::Renamed => FileChangeKind::Renamed,
                _ => FileChangeKind::Changed,
            };
            let mut file = FileChange { path: name, kind, added: 0, removed: 0, functions: vec![] };
            if let Ok(Some(patch)) = Patch::from_diff(diff, index) {
                read_patch(&patch, &mut file, &mut change.indexes, MAX_FUNCTIONS);
                file.functions.retain(|name| name != MODULE);
            }
            if is_migration(&file.path) && change.migrations.len() < MAX_STATEMENTS {
                change.migrations.push(file.path.clone());
            }
            if let Some(kind) = manifest::ManifestKind::of(&file.path) {
                let old = self.blob(delta.old_file().id()).unwrap_or_default();
                let new = self.blob(delta.new_file().id()).or_else(|| self.on_disk(&file.path)).unwrap_or_default();
                change.dependencies.extend(manifest::differences(kind, &file.path, &old, &new));
            }
            change.files.push(file);
        }
        change
            .files
            .sort_by(|a, b| (b.added + b.removed).cmp(&(a.added + a.removed)).then_with(|| a.path.cmp(&b.path)));
        change.more_files = change.files.len().saturating_sub(MAX_FILES);
        change.files.truncate(MAX_FILES);
        change.indexes.truncate(MAX_STATEMENTS);
    }

    fn blob(&self, id: Oid) -> Option<String> {
        let blob = self.git().find_blob(id).ok()?;
        String::from_utf8(blob.content().to_vec()).ok()
    }

    fn on_disk(&self, path: &str) -> Option<String> {
        regular::read_to_string(&self.root()?.join(path)).ok()
    }

    /// Trailers of the commits between base and head, without those that name a person.
    fn trailers(&self, head: &Commit, base: Option<&Commit>) -> Result<Vec<(String, String)>, git2::Error> {
        let mut walk = self.git().revwalk()?;
        walk.push(object_id(head)?)?;
        if let Some(base) = base {
            walk.hide(object_id(base)?)?;
        }
        let mut trailers = Vec::new();
        for id in walk.take(MAX_COMMITS).flatten() {
            let commit = self.git().find_commit(id)?;
            let message = String::from_utf8_lossy(commit.message_bytes()).into_owned();
            let Ok(found) = git2::message_trailers_strs(&message) else { continue };
            let found = found.iter().filter(|(_, value)| !value.contains('@'));
            trailers.extend(found.map(|(key, value)| (key.to_owned(), value.to_owned())));
        }
        Ok(trailers)
    }
}

/// The functions with changed lines, whatever their number.
fn changed_functions(patch: &Patch<'_>, path: &Path) -> BTreeSet<String> {
    let path = path.to_string_lossy().into_owned();
    let mut file = FileChange { path, kind: FileChangeKind::Changed, added: 0, removed: 0, functions: vec![] };
    read_patch(patch, &mut file, &mut Vec::new(), usize::MAX);
    file.functions.into_iter().collect()
}

fn read_patch(patch: &Patch<'_>, file: &mut FileChange, indexes: &mut Vec<String>, most: usize) {
    let mut functions = BTreeSet::new();
    let mut order = Vec::new();
    for hunk in 0..patch.num_hunks() {
        let Ok((header, lines)) = patch.hunk(hunk) else { continue };
        let header = String::from_utf8_lossy(header.header()).into_owned();
        let context = header.splitn(3, "@@").nth(2).unwrap_or_default();
        // One space separates it; the others are its indentation.
        let context = context.strip_prefix(' ').unwrap_or(context).trim_end();
        let mut enclosing = FunctionFinder::new(&file.path);
        enclosing.read(context);
        for line in (0..lines).filter_map(|line| patch.line_in_hunk(hunk, line).ok()) {
            let text = String::from_utf8_lossy(line.content()).into_owned();
            let inside = enclosing.read(&text);
            match line.origin() {
                '+' => {
                    file.added += 1;
                    if creates_index(&text) && !is_document(&file.path) {
                        indexes.push(text.trim().to_owned());
                    }
                }
                '-' => file.removed += 1,
                _ => continue,
            }
            if let Some(name) = inside.filter(|name| !text.trim().is_empty() && !functions.contains(name)) {
                functions.insert(name.clone());
                order.push(name);
            }
        }
    }
    order.truncate(most);
    file.functions = order;
}

/// What profilers of Python call the code outside of functions.
const MODULE: &str = "<module>";

/// Finds the function that contains each line of a hunk. The lines are read in order.
struct FunctionFinder {
    is_python: bool,
    /// The open functions, the innermost last, with their indentation. Only Python has more than one.
    open: Vec<(String, usize)>,
}

impl FunctionFinder {
    fn new(path: &str) -> FunctionFinder {
        let extension = Path::new(path).extension().and_then(|extension| extension.to_str());
        FunctionFinder { is_python: matches!(extension, Some("py" | "pyi" | "pyx")), open: Vec::new() }
    }

    /// Reads the next line; returns the function that it belongs to.
    fn read(&mut self, line: &str) -> Option<String> {
        let text = line.trim();
        if text.is_empty() {
            return self.innermost();
        }
        let indent = line.len() - line.trim_start().len();
        // A parenthesis closes a signature of several lines.
        if self.is_python && !text.starts_with([')', '#']) {
            self.open.retain(|(_, outer)| *outer < indent);
        }
        let Some(name) = function(line) else {
            let is_module = self.is_python && self.open.is_empty() && indent == 0 && !text.starts_with(['@', '#']);
            return if is_module { Some(MODULE.to_owned()) } else { self.innermost() };
        };
        if !self.is_python {
            self.open.clear();
        }
        let braces = |brace| text.matches(brace).count();
        if self.is_python || braces('{') == 0 || braces('{') != braces('}') {
            self.open.push((name.clone(), indent));
        }
        Some(name)
    }

    fn innermost(&self) -> Option<String> {
        self.open.last().map(|(name, _)| name.clone())
    }
}

/// The function that a line begins, in languages with a keyword for it.
fn function(line: &str) -> Option<String> {
    const BEFORE: [&str; 12] = [
        "pub",
        "pub(crate)",
        "pub(super)",
        "async",
        "static",
        "export",
        "default",
        "unsafe",
        "const",
        "public",
        "private",
        "protected",
    ];
    let mut words = line.split_whitespace().skip_while(|word| BEFORE.contains(word));
    if !matches!(words.next()?, "fn" | "def" | "func" | "function" | "function*" | "fun" | "sub") {
        return None;
    }
    let mut rest = words.next()?;
    if rest.starts_with('(') {
        // The receiver of a method of Go: `func (t *T) Load(`.
        rest = std::iter::once(rest).chain(&mut words).find(|word| word.ends_with(')')).and_then(|_| words.next())?;
    }
    let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | ':')).collect();
    let name = name.trim_end_matches(':');
    (!name.is_empty()).then(|| name.to_owned())
}

fn creates_index(line: &str) -> bool {
    let line = line.to_ascii_lowercase();
    let line = line.trim_start();
    let comment = ["--", "#", "//", "*", "<!--"].iter().any(|mark| line.starts_with(mark));
    let behind = ["create index ", "create unique index "].iter().find_map(|words| line.split_once(words));
    let sql = behind.is_some_and(|(_, rest)| rest.contains(" on "));
    let framework =
        ["op.create_index(", "migrations.addindex(", "add_index :"].iter().any(|call| line.starts_with(call));
    !comment && (sql || framework)
}

fn is_migration(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    let inside = |part: &str| path.starts_with(&part[1..]) || path.contains(part);
    ["/migrations/", "/alembic/versions/", "/db/migrate/"].into_iter().any(inside) || path.ends_with(".sql")
}

fn is_document(path: &str) -> bool {
    matches!(Path::new(path).extension().and_then(|e| e.to_str()), Some("md" | "rst" | "txt" | "j2" | "html"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_found_in_several_languages() {
        let named = |line: &str| function(line);
        assert_eq!(named("    async def read_user(self, id):").as_deref(), Some("read_user"));
        assert_eq!(named("pub(crate) fn parse<'a>(text: &'a str)").as_deref(), Some("parse"));
        assert_eq!(named("func Load(path string) error {").as_deref(), Some("Load"));
        assert_eq!(named("func (s *Store) Load(path string) error {").as_deref(), Some("Load"));
        assert_eq!(named("func (Store) Close() {").as_deref(), Some("Close"));
        assert_eq!(named("defined = 1"), None);
    }

    /// The functions that the lines of a file belong to; `-` where there is none.
    fn owners(path: &str, text: &str) -> Vec<String> {
        let mut enclosing = FunctionFinder::new(path);
        text.lines().map(|line| enclosing.read(line).unwrap_or_else(|| "-".to_owned())).collect()
    }

    #[test]
    fn a_function_of_python_ends_where_the_indentation_does() {
        let text = "import os\ndef f(n):\n    def inner():\n        pass\n    return n\n\ndef g(\n    a,\n):\n    f(a)\nf(2)\n\
                    class C:\n    x = 1\n    def m(self):\n        pass\n    y = 2\n";
        let expected =
            [MODULE, "f", "inner", "inner", "f", "f", "g", "g", "g", "g", MODULE, MODULE, "-", "m", "m", "-"];
        assert_eq!(owners("a.py", text), expected);
    }

    #[test]
    fn a_function_on_one_line_ends_there() {
        let text = "function fib(n) { return n; }\nfunction other() { return {}; }\nconsole.log(fib(2));\n\
                    function long() {\n  return 1;\n}\n";
        assert_eq!(owners("a.js", text), ["fib", "other", "-", "long", "long", "long"]);
    }

    #[test]
    fn only_statements_create_an_index() {
        assert!(creates_index("CREATE UNIQUE INDEX a ON b(c);"));
        assert!(creates_index("    op.create_index('ix', 'users', ['id'])"));
        assert!(!creates_index("-- create index later"));
        assert!(is_migration("migrations/0001.py") && is_migration("x/alembic/versions/1.py"));
        assert!(!is_migration("src/migrations.py"));
    }
}
