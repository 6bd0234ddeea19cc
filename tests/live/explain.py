#!/usr/bin/env python3
"""Live measurement of `perfgate explain`: slowdowns planted in published crates, and the rank of the planted function.

Copies the crates from cargo's registry, plants one slowdown at a time, counts the instructions of a criterion benchmark on
both sides with callgrind, as `perfgate explain … -- cargo bench` does it, and compares the profiles. See README.md.
"""
import argparse, json, pathlib, re, shutil, subprocess, sys

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--perfgate", default="perfgate")
parser.add_argument("--directory", default="target/live-explain", help="where the crates are copied and built")
parser.add_argument("--busy", action="store_true", help="keep one core busy while head is counted")
parser.add_argument("--only", default="", help="only plants of this crate")
arguments = parser.parse_args()

CRATES = {"textwrap": "0.16.4", "httparse": "1.10.1", "semver": "1.0.28", "hex": "0.4.3", "indexmap": "2.14.2"}
ALLOCATE = "core::hint::black_box(std::vec![1u8; 40]);"
COPY = lambda text: f"core::hint::black_box(std::borrow::ToOwned::to_owned({text}));"
QUADRATIC = lambda text: f"for end in 0..{text}.len() {{ core::hint::black_box({text}.as_bytes()[..end].iter().fold(0u8, |a, b| a ^ b)); }}"
REPEAT = lambda work: f"for _ in 0..3 {{ core::hint::black_box({work}); }}"
# crate, file, function, what is inserted at its beginning (None: the function is no longer inlined), kind
PLANTS = [
    ("textwrap", "core.rs", "display_width", COPY("text"), "copy"),
    ("textwrap", "core.rs", "display_width", QUADRATIC("text"), "quadratic loop"),
    ("textwrap", "wrap.rs", "wrap_single_line_slow_path", QUADRATIC("line"), "quadratic loop"),
    ("textwrap", "wrap.rs", "wrap_single_line", COPY("line"), "copy"),
    ("textwrap", "core.rs", "ch_width", None, "lost inline"),
    ("httparse", "lib.rs", "parse_version", ALLOCATE, "allocation"),
    ("httparse", "lib.rs", "parse_token", ALLOCATE, "allocation"),
    ("httparse", "lib.rs", "parse_uri", ALLOCATE, "allocation"),
    ("httparse", "lib.rs", "parse_headers_iter_uninit", "core::hint::black_box(std::vec![1u8; 4000].iter().map(|b| *b as u64).sum::<u64>());", "allocation"),
    ("httparse", "lib.rs", "parse_version", None, "lost inline"),
    ("semver", "parse.rs", "numeric_identifier", COPY("input"), "copy"),
    ("semver", "parse.rs", "identifier", QUADRATIC("input"), "quadratic loop"),
    ("semver", "parse.rs", "comparator", ALLOCATE, "allocation"),
    ("semver", "parse.rs", "version_req", COPY("input"), "copy"),
    ("semver", "parse.rs", "dot", None, "lost inline"),
    ("hex", "lib.rs", "val", ALLOCATE, "allocation"),
    ("hex", "lib.rs", "byte2hex", ALLOCATE, "allocation"),
    ("hex", "lib.rs", "val", None, "lost inline"),
    ("indexmap", "map.rs", "hash", REPEAT("{ let mut h = self.hash_builder.build_hasher(); key.hash(&mut h); h.finish() }"), "hash"),
    ("indexmap", "map.rs", "get_index_of", ALLOCATE, "allocation"),
    ("indexmap", "map.rs", "insert_full", ALLOCATE, "allocation"),
]
BENCH = r"""
use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;
fn all(c: &mut Criterion) {
    let text = "The quick brown fox jumps over the lazy dog, and runs through a-hyphenated word. ".repeat(12);
    c.bench_function("textwrap", |b| b.iter(|| (0..20).map(|_| textwrap::wrap(black_box(&text), 60).len()).sum::<usize>()));
    let request = b"GET /a/path?with=query HTTP/1.1\r\nHost: example.org\r\nAccept: text/html\r\nUser-Agent: x/1.0\r\n\r\n";
    c.bench_function("httparse", |b| b.iter(|| for _ in 0..500 {
        let mut headers = [httparse::EMPTY_HEADER; 16];
        black_box(httparse::Request::new(&mut headers).parse(black_box(request)).unwrap());
    }));
    c.bench_function("semver", |b| b.iter(|| for _ in 0..200 {
        black_box(semver::VersionReq::parse(black_box(">=1.2.3-alpha.1, <2.0.0, ^1.4")).unwrap());
        black_box(semver::Version::parse(black_box("1.22.333-beta.4+build.5")).unwrap());
    }));
    let bytes: Vec<u8> = (0..4000u32).map(|n| (n * 7) as u8).collect();
    c.bench_function("hex", |b| b.iter(|| hex::decode(black_box(hex::encode(black_box(&bytes)))).unwrap()));
    c.bench_function("indexmap", |b| b.iter(|| {
        let mut map: indexmap::IndexMap<u64, u64, std::hash::BuildHasherDefault<std::collections::hash_map::DefaultHasher>> = Default::default();
        for n in 0..3000u64 { map.insert(black_box(n * 17), n); }
        (0..3000u64).map(|n| map.get(&black_box(n)).copied().unwrap_or(0)).sum::<u64>()
    }));
}
criterion_group!(benches, all);
criterion_main!(benches);
"""

root = pathlib.Path(arguments.directory).resolve()
registry = pathlib.Path.home() / ".cargo/registry/src"


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def planted(source, function, code):
    """The source with code at the beginning of a function's body, or the function not inlined."""
    found = re.search(rf"^[ \t]*(pub(\([a-z]+\))? )?(const )?fn {function}\b", source, re.M)
    if code is None:
        before = source[:found.start()].removesuffix("\n")
        before = re.sub(r"#\[inline(\(always\))?\]\s*\Z", "", before)
        return before + "\n#[inline(never)]\n" + source[found.start():].replace("const fn", "fn", 1)
    body = re.compile(r"\{\n").search(source, found.end()).end()
    return source[:body] + "        " + code + "\n" + source[body:]


def run(*words, **options):
    done = subprocess.run(words, text=True, capture_output=True, **options)
    if done.returncode:
        sys.exit(f"{words}\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}")
    return done.stdout


def profiles(side, crate):
    """Builds the benchmarks and counts the instructions of one."""
    built = run("cargo", "bench", "--no-run", "--message-format=json", cwd=root / "suite")
    messages = [json.loads(line) for line in built.splitlines() if line.startswith("{")]
    executable = [m["executable"] for m in messages if m.get("executable") and "bench" in m["target"]["kind"]][-1]
    copy = root / f"{side}.bench"  # its own path: the profile refers to it
    shutil.copy(executable, copy)
    out = root / f"{side}.callgrind"
    run("valgrind", "--tool=callgrind", "--dump-instr=yes", "--demangle=no", f"--callgrind-out-file={out}",
        copy, "--bench", "--test", f"^{crate}$", cwd=root / "suite")
    return out


def explain(base, head):
    return json.loads(run(arguments.perfgate, "explain", base, head, "--format", "json"))


manifest = '[package]\nname = "suite"\nversion = "0.1.0"\nedition = "2021"\n\n[dev-dependencies]\n' \
    'criterion = { version = "0.8", default-features = false, features = ["cargo_bench_support"] }\n'
for crate, version in CRATES.items():
    found = next(registry.glob(f"*/{crate}-{version}"), None)
    if found is None:
        sys.exit(f"{crate} {version} is not in cargo's registry; run `cargo fetch` in a project that depends on it")
    shutil.rmtree(root / "crates" / crate, ignore_errors=True)
    shutil.copytree(found, root / "crates" / crate)
    manifest += f'{crate} = {{ path = "../crates/{crate}" }}\n'
manifest += '\n[[bench]]\nname = "suite"\nharness = false\n\n[workspace]\n\n[profile.bench]\ndebug = "limited"\n'
# Dependencies as in a build with line tables, which can be taken over with CARGO_TARGET_DIR.
manifest += '[profile.bench.package."*"]\ndebug = "line-tables-only"\n'
manifest += "".join(f'[profile.bench.package.{crate}]\ndebug = "limited"\n' for crate in CRATES)
write(root / "suite/Cargo.toml", manifest)
write(root / "suite/src/lib.rs", "")
write(root / "suite/benches/suite.rs", BENCH)
lock = pathlib.Path(__file__).resolve().parents[2] / "Cargo.lock"
shutil.copy(lock, root / "suite/Cargo.lock")

bases, ranks = {}, []
for crate in CRATES:
    if arguments.only in ("", crate):
        bases[crate] = profiles(f"base-{crate}", crate)
        again = explain(bases[crate], profiles(f"again-{crate}", crate))
        print(f"{crate} {CRATES[crate]}: equal builds differ by {100 * again['change']:+.3f}%", flush=True)
for crate, file, function, code, kind in PLANTS:
    if arguments.only not in ("", crate):
        continue
    path = root / "crates" / crate / "src" / file
    source = path.read_text()
    path.write_text(planted(source, function, code))
    burner = subprocess.Popen(["sh", "-c", "while :; do :; done"]) if arguments.busy else None
    try:
        answer = explain(bases[crate], profiles("head", crate))
    finally:
        path.write_text(source)
        if burner:
            burner.kill(), burner.wait()
    names = [f["name"] for f in answer["functions"] if f["share"] is not None]
    rank = next((at for at, name in enumerate(names, 1) if re.search(rf"(^|::){function}$", name)), None)
    ranks.append(rank)
    print(f"{crate} {function} ({kind}): rank {rank}; {answer['summary']}; {names[:3]}", flush=True)
grown = [rank for rank in ranks if rank]
print(f"first: {grown.count(1)} of {len(ranks)}; in the first three: {sum(rank <= 3 for rank in grown)} of {len(ranks)}")
