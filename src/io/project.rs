//! Detects from its top-level files whether a repository has a package or a deployed service.

use std::path::Path;

/// Files and directories of a service.
const SERVICE: [&str; 16] = [
    "Dockerfile",
    "docker-compose.yml",
    "docker-compose.yaml",
    "compose.yml",
    "compose.yaml",
    "Procfile",
    "manage.py",
    "alembic.ini",
    "migrations",
    "helm",
    "charts",
    "k8s",
    "terraform",
    "serverless.yml",
    "fly.toml",
    "app.yaml",
];

/// Manifests of packages.
const MANIFESTS: [&str; 13] = [
    "Cargo.toml",
    "pyproject.toml",
    "setup.py",
    "setup.cfg",
    "package.json",
    "go.mod",
    "pom.xml",
    "build.gradle",
    "build.gradle.kts",
    "CMakeLists.txt",
    "meson.build",
    "composer.json",
    "pubspec.yaml",
];

/// True for a package that has nothing of a service.
pub fn is_package(root: &Path) -> bool {
    let has = |name: &&str| root.join(name).exists();
    MANIFESTS.iter().any(has) && !SERVICE.iter().any(has)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_makes_a_package_and_a_dockerfile_a_service() {
        let directory = tempfile::tempdir().unwrap();
        assert!(!is_package(directory.path()));
        std::fs::write(directory.path().join("Cargo.toml"), "").unwrap();
        assert!(is_package(directory.path()));
        std::fs::write(directory.path().join("Dockerfile"), "").unwrap();
        assert!(!is_package(directory.path()));
    }
}
