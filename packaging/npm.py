#!/usr/bin/env python3
"""Writes npm packages for the binaries of a release: one for each platform, and `perfgate`, which depends on them by their address in
the release. npm installs the one whose `os` and `cpu` match.

    packaging/npm.py VERSION ADDRESS DIRECTORY

DIRECTORY contains the binaries, `perfgate-TARGET`; the packages are written there. ADDRESS is where the
packages can be downloaded.
"""
import io
import json
import pathlib
import sys
import tarfile

PLATFORMS = {
    "x86_64-unknown-linux-musl": ("linux", "x64"),
    "aarch64-unknown-linux-musl": ("linux", "arm64"),
    "aarch64-apple-darwin": ("darwin", "arm64"),
    "x86_64-apple-darwin": ("darwin", "x64"),
    "x86_64-pc-windows-msvc": ("win32", "x64"),
}

START = """#!/usr/bin/env node
// Starts the binary of this platform.
const {spawnSync} = require("node:child_process");
let binary;
try {
  const extension = process.platform === "win32" ? ".exe" : "";
  binary = require.resolve(`perfgate-${process.platform}-${process.arch}/perfgate${extension}`);
} catch {
  console.error(`perfgate has no binary for ${process.platform} on ${process.arch}; build it with cargo`);
  process.exit(2);
}
const {status, signal, error} = spawnSync(binary, process.argv.slice(2), {stdio: "inherit"});
if (error) console.error(String(error));
if (signal) process.kill(process.pid, signal);
process.exit(status ?? 2);
"""


def package(path, manifest, files):
    """Writes a package: a tar file with everything below `package/`."""
    files = {"package.json": (json.dumps(manifest, indent=2).encode(), 0o644), **files}
    with tarfile.open(path, "w:gz") as archive:
        for name, (content, mode) in files.items():
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size, entry.mode = len(content), mode
            archive.addfile(entry, io.BytesIO(content))


def main(version, address, directory):
    directory = pathlib.Path(directory)
    common = {"version": version, "license": "MIT OR Apache-2.0"}
    of_platforms = {}
    for target, (system, processor) in PLATFORMS.items():
        extension = ".exe" if system == "win32" else ""
        binary = directory / f"perfgate-{target}{extension}"
        if not binary.is_file():
            continue
        name = f"perfgate-{system}-{processor}"
        manifest = {"name": name, **common, "description": f"perfgate for {target}", "os": [system], "cpu": [processor]}
        package(directory / f"npm-{name}.tgz", manifest, {f"perfgate{extension}": (binary.read_bytes(), 0o755)})
        of_platforms[name] = f"{address}/npm-{name}.tgz"
    if not of_platforms:
        sys.exit(f"{directory}: no perfgate-TARGET of a known platform")
    manifest = {
        "name": "perfgate",
        **common,
        "description": "A performance-regression gate for CI",
        "bin": {"perfgate": "perfgate.js"},
        "engines": {"node": ">=18"},
        "optionalDependencies": of_platforms,
    }
    package(directory / "npm-perfgate.tgz", manifest, {"perfgate.js": (START.encode(), 0o755)})


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
