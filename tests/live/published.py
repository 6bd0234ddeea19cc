"""The source of a published crate, from the registry."""
import subprocess


def source_of(room, crate, version):
    """The directory with the source of the crate, ready to become a repository. Cargo fetches it into `room`."""
    fetch = room / "fetch"
    fetch.mkdir()
    (fetch / "Cargo.toml").write_text(
        f'[package]\nname = "fetch"\nversion = "0.0.0"\nedition = "2021"\n[lib]\npath = "lib.rs"\n'
        f'[dependencies]\n{crate} = "={version}"\n'
    )
    (fetch / "lib.rs").write_text("")
    subprocess.run(["cargo", "vendor", "--quiet", "vendor"], cwd=fetch, check=True, stdout=subprocess.DEVNULL)
    source = room / "source"
    (fetch / "vendor" / crate).rename(source)
    (source / ".cargo-checksum.json").unlink()
    (source / ".gitignore").write_text("/target\n")
    return source
