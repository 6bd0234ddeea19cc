#!/usr/bin/env python3
"""Live measurement of `perfgate explain`: slowdowns planted in published crates, and the rank of the planted function.

Copies the crates from cargo's registry, plants one slowdown at a time in each, counts the instructions of a criterion benchmark on
both sides with callgrind, as `perfgate explain … -- cargo bench` does it, and compares the profiles. Head is counted twice:
alone, and next to a busy loop. docs/explain.md has the figures.

A plant counts if the benchmark executes at least 5% more instructions with it. The others are printed, and left out of the figures.
"""
import argparse, json, pathlib, re, shutil, subprocess, sys

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--perfgate", default="perfgate")
parser.add_argument("--directory", default="target/live-explain", help="where the crates are copied and built")
parser.add_argument("--only", default="", help="only plants of this crate")
parser.add_argument("--keep", help="keep the profiles and binaries of each plant in this directory")
arguments = parser.parse_args()

# The smallest growth of a slowdown.
SLOWDOWN = 0.05
CRATES = {"textwrap": "0.16.4", "httparse": "1.10.1", "semver": "1.0.28", "hex": "0.4.3", "indexmap": "2.14.2",
          "percent-encoding": "2.3.2", "csv-core": "0.1.13", "base64": "0.22.1"}
ALLOCATE = "{ #[allow(unused_extern_crates)] extern crate std; let _ = core::hint::black_box(std::vec![1u8; 40]); }"
COPY = lambda text: f"{{ #[allow(unused_extern_crates)] extern crate std; let _ = core::hint::black_box(std::borrow::ToOwned::to_owned({text})); }}"
QUADRATIC = lambda bytes: f"for end in 0..{bytes}.len() {{ let _ = core::hint::black_box({bytes}[..end].iter().fold(0u8, |a, b| a ^ b)); }}"
NOT_INLINED = None
# crate, file, function (`after this text` > name), code at its beginning, kind, benchmark if it is not named after the crate
PLANTS = [
    ("textwrap", "core.rs", "display_width", COPY("text"), "copy"),
    ("textwrap", "wrap.rs", "wrap_single_line_slow_path", QUADRATIC("line.as_bytes()"), "quadratic loop"),
    ("textwrap", "core.rs", "ch_width", NOT_INLINED, "lost inline", "textwrap-width"),
    ("textwrap", "core.rs", "skip_ansi_escape_sequence", NOT_INLINED, "lost inline", "textwrap-width"),
    ("httparse", "lib.rs", "parse_version", ALLOCATE, "allocation"),
    ("httparse", "lib.rs", "parse_token", ALLOCATE, "allocation"),
    ("httparse", "lib.rs", "parse_uri", ALLOCATE, "allocation"),
    ("httparse", "lib.rs", "parse_headers_iter_uninit", "core::hint::black_box(std::vec![1u8; 4000].iter().map(|b| *b as u64).sum::<u64>());", "allocation"),
    ("httparse", "lib.rs", "is_header_name_token", NOT_INLINED, "lost inline"),
    ("httparse", "simd/swar.rs", "match_header_name_vectored", COPY("bytes.as_ref()"), "copy"),
    ("semver", "parse.rs", "numeric_identifier", COPY("input"), "copy"),
    ("semver", "parse.rs", "identifier", QUADRATIC("input.as_bytes()"), "quadratic loop"),
    ("semver", "parse.rs", "comparator", ALLOCATE, "allocation"),
    ("semver", "parse.rs", "version_req", COPY("input"), "copy"),
    ("semver", "parse.rs", "op", ALLOCATE, "allocation"),
    ("hex", "lib.rs", "val", ALLOCATE, "allocation"),
    ("hex", "lib.rs", "val", NOT_INLINED, "lost inline"),
    ("hex", "lib.rs", "byte2hex", ALLOCATE, "allocation", "hex-slice"),
    ("hex", "lib.rs", "byte2hex", NOT_INLINED, "lost inline", "hex-slice"),
    ("indexmap", "map.rs", "hash", "for _ in 0..3 { core::hint::black_box(self.hash_builder.hash_one(key)); }", "hash"),
    ("indexmap", "map.rs", "hash", "return HashValue((self.hash_builder.hash_one(key) & 0xff) as usize);", "hash, weaker"),
    ("indexmap", "map.rs", "get_index_of", ALLOCATE, "allocation"),
    ("indexmap", "inner.rs", "push_entry", ALLOCATE, "allocation"),
    ("indexmap", "inner.rs", "insert_full", ALLOCATE, "allocation"),
    ("percent-encoding", "ascii_set.rs", "should_percent_encode", NOT_INLINED, "lost inline"),
    ("percent-encoding", "lib.rs", "after_percent_sign", ALLOCATE, "allocation"),
    ("percent-encoding", "lib.rs", "after_percent_sign", NOT_INLINED, "lost inline"),
    ("percent-encoding", "lib.rs", "impl<'a> Iterator for PercentEncode<'a>>next", COPY("self.bytes"), "copy"),
    ("csv-core", "reader.rs", "get_output", NOT_INLINED, "lost inline"),
    ("csv-core", "reader.rs", "read_record_dfa", COPY("input"), "copy"),
    ("csv-core", "writer.rs", "is_special_byte", NOT_INLINED, "lost inline", "csv-write"),
    ("csv-core", "writer.rs", "needs_quotes", QUADRATIC("input"), "quadratic loop", "csv-write"),
    ("csv-core", "writer.rs", "write", ALLOCATE, "allocation", "csv-write"),
    ("base64", "engine/general_purpose/decode.rs", "decode_chunk_8", NOT_INLINED, "lost inline"),
    ("base64", "engine/general_purpose/mod.rs", "internal_encode", QUADRATIC("input"), "quadratic loop"),
]
BENCH = r"""
use base64::Engine;
use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;
fn all(c: &mut Criterion) {
    let text = "The quick brown fox jumps over the lazy dog, and runs through a-hyphenated word. ".repeat(12);
    c.bench_function("textwrap", |b| b.iter(|| (0..20).map(|_| textwrap::wrap(black_box(&text), 60).len()).sum::<usize>()));
    c.bench_function("textwrap-width", |b| b.iter(|| (0..500).map(|_| textwrap::core::display_width(black_box(&text))).sum::<usize>()));
    let request = b"GET /a/path?with=query HTTP/1.1\r\nHost: example.org\r\nAccept: text/html\r\nUser-Agent: x/1.0\r\n\r\n";
    let options = b"OPTIONS / HTTP/1.1\r\nHost: example.org\r\n\r\n";
    c.bench_function("httparse", |b| b.iter(|| for _ in 0..2000 {
        for request in [&request[..], &options[..]] {
            let mut headers = [httparse::EMPTY_HEADER; 16];
            black_box(httparse::Request::new(&mut headers).parse(black_box(request)).unwrap());
        }
    }));
    c.bench_function("semver", |b| b.iter(|| for _ in 0..1000 {
        black_box(semver::VersionReq::parse(black_box(">=1.2.3-alpha.1, <2.0.0, ^1.4")).unwrap());
        black_box(semver::Version::parse(black_box("1.22.333-beta.4+build.5")).unwrap());
    }));
    let bytes: Vec<u8> = (0..4000u32).map(|n| (n * 7) as u8).collect();
    c.bench_function("hex", |b| b.iter(|| (0..10).map(|_| hex::decode(black_box(hex::encode(black_box(&bytes)))).unwrap().len()).sum::<usize>()));
    let mut digits = vec![0; 8000];
    c.bench_function("hex-slice", |b| b.iter(|| for _ in 0..50 { hex::encode_to_slice(black_box(&bytes), black_box(&mut digits)).unwrap() }));
    c.bench_function("indexmap", |b| b.iter(|| {
        let mut map: indexmap::IndexMap<u64, u64, std::hash::BuildHasherDefault<std::collections::hash_map::DefaultHasher>> = Default::default();
        for n in 0..3000u64 { map.insert(black_box(n * 17), n); }
        (0..3000u64).map(|n| map.get(&black_box(n)).copied().unwrap_or(0)).sum::<u64>()
    }));
    c.bench_function("percent-encoding", |b| b.iter(|| for _ in 0..50 {
        let encoded = percent_encoding::utf8_percent_encode(black_box(&text), percent_encoding::NON_ALPHANUMERIC).to_string();
        black_box(percent_encoding::percent_decode_str(black_box(&encoded)).collect::<Vec<u8>>());
    }));
    let table = "name,\"quoted, with a comma\",12.5,some longer field without quotes\n".repeat(200);
    c.bench_function("csv-core", |b| b.iter(|| {
        let (mut reader, mut input, mut fields, mut ends) = (csv_core::Reader::new(), table.as_bytes(), [0; 1024], [0; 32]);
        for _ in 0..200 {
            let (_, read, _, _) = reader.read_record(black_box(input), &mut fields, &mut ends);
            input = &input[read..];
        }
        black_box(fields);
    }));
    c.bench_function("csv-write", |b| b.iter(|| for field in ["name", "quoted, with", "12.5", "a field that is some words long"].repeat(500) {
        let (mut writer, mut out) = (csv_core::Writer::new(), [0; 256]);
        black_box(writer.field(black_box(field.as_bytes()), &mut out));
        black_box(writer.delimiter(&mut out));
    }));
    c.bench_function("base64", |b| b.iter(|| for _ in 0..50 {
        let encoded = base64::engine::general_purpose::STANDARD.encode(black_box(&bytes));
        black_box(base64::engine::general_purpose::STANDARD.decode(black_box(encoded)).unwrap());
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
    after, _, name = function.rpartition(">")
    found = re.compile(rf"^[ \t]*(pub(\([a-z]+\))? )?(const )?(unsafe )?fn {name}\b", re.M).search(source, source.index(after))
    if code is NOT_INLINED:
        before, attributes = source[:found.start()], ""
        while line := re.search(r"^[ \t]*(#\[.*\]|//.*)\n\Z", before, re.M):
            before, attributes = before[:line.start()], line[0] + attributes
        attributes = re.sub(r"^[ \t]*#\[inline(\(always\))?\]\n", "", attributes, flags=re.M)
        return before + attributes + "#[inline(never)]\n" + source[found.start():]
    body = re.compile(r"\{\n").search(source, found.end()).end()
    return source[:body] + "        " + code + "\n" + source[body:]


def run(*words, **options):
    done = subprocess.run(words, text=True, capture_output=True, **options)
    if done.returncode:
        sys.exit(f"{words}\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}")
    return done.stdout


def build(side):
    """Builds the benchmarks; the executable has its own path, which its profiles refer to. All paths are of one length: the path is on the
    stack of the program, whose alignment changes what copying memory takes."""
    built = run("cargo", "bench", "--no-run", "--message-format=json-render-diagnostics", cwd=root / "suite")
    messages = [json.loads(line) for line in built.splitlines() if line.startswith("{")]
    executable = [m["executable"] for m in messages if m.get("executable") and "bench" in m["target"]["kind"]][-1]
    copy = root / f"{side}.bench"
    shutil.copy(executable, copy)
    return copy


def count(executable, name, benchmark, busy=False):
    """Counts the instructions of one iteration of a benchmark."""
    out = root / f"{name}.callgrind"
    loops = set(re.findall(rb"_ZN9criterion7bencher[\w$.]+?4iter17h[0-9a-f]{16}E", executable.read_bytes()))
    options = [f"--{option}={loop.decode()}" for loop in loops for option in ("zero-before", "dump-after")]
    burner = subprocess.Popen(["sh", "-c", "while :; do :; done"]) if busy else None
    try:
        run("valgrind", "--tool=callgrind", "--dump-instr=yes", "--demangle=no", *options, f"--callgrind-out-file={out}",
            executable, "--bench", "--test", f"^{benchmark}$", cwd=root / "suite")
    finally:
        if burner:
            burner.kill(), burner.wait()
    # The first part is the iteration, the rest of the program follows.
    return pathlib.Path(f"{out}.1").rename(out)


def explain(base, head):
    return json.loads(run(arguments.perfgate, "explain", base, head, "--format", "json"))


def is_planted(function, crate, file, name):
    """True for the row of the planted function."""
    found = function["name"]
    return re.search(rf"(^|::){name.rpartition('>')[2]}( \(|$)", found) and (f"{crate}/src/{file}" in (function["file"] or "") or crate.replace("-", "_") in found)


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
write(root / "suite/Cargo.toml", manifest)
write(root / "suite/src/lib.rs", "")
write(root / "suite/benches/suite.rs", BENCH)
lock = pathlib.Path(__file__).resolve().parents[2] / "Cargo.lock"
shutil.copy(lock, root / "suite/Cargo.lock")

chosen = [plant for plant in PLANTS if arguments.only in ("", plant[0])]
benchmark_of = lambda plant: plant[5] if len(plant) > 5 else plant[0]
executable, same = build("base"), build("same")
bases = {}
for benchmark in dict.fromkeys(map(benchmark_of, chosen)):
    bases[benchmark] = count(executable, f"base-{benchmark}", benchmark)
    for busy in (False, True):
        change = explain(bases[benchmark], count(same, "same", benchmark, busy))["change"]
        print(f"{benchmark}: equal builds differ by {100 * change:+.3f}%{' (busy)' if busy else ''}", flush=True)
ranks = {False: [], True: []}
# One planted slowdown of each crate at a time: each crate has its own benchmarks.
left = {crate: [plant for plant in chosen if plant[0] == crate] for crate in CRATES}
while any(left.values()):
    plants, sources = [of.pop(0) for of in left.values() if of], {}
    for crate, file, function, code, *_ in plants:
        path = root / "crates" / crate / "src" / file
        sources[path] = path.read_text()
        path.write_text(planted(sources[path], function, code))
    executable = build("head")
    for path, source in sources.items():
        path.write_text(source)
    for plant in plants:
        crate, file, function, _, kind, *_ = plant
        benchmark = benchmark_of(plant)
        for busy in (False, True):
            answer = explain(bases[benchmark], count(executable, "head", benchmark, busy))
            growth = answer["change"]
            listed = [f for f in answer["functions"] if f["share"] is not None]
            rank = next((at for at, f in enumerate(listed, 1) if is_planted(f, crate, file, function)), None)
            if growth >= SLOWDOWN:
                ranks[busy].append(rank)
            words = f"rank {rank}" if growth >= SLOWDOWN else f"too small ({rank})"
            names = ", ".join(f"{f['name']} {100 * f['share']:.0f}%" for f in listed[:3])
            print(f"{benchmark}, {function} ({kind}){' busy' if busy else ''}: {100 * growth:+.1f}%, {words}: {names}", flush=True)
        if arguments.keep:
            kept = pathlib.Path(arguments.keep) / re.sub(r"\W+", "-", f"{benchmark}-{function}-{kind}")
            kept.mkdir(parents=True, exist_ok=True)
            for name in ("head.bench", "head.callgrind"):
                shutil.copy(root / name, kept / name)
for busy, of in ranks.items():
    grown = [rank for rank in of if rank]
    print(f"{'next to a busy loop' if busy else 'alone'}: first in {grown.count(1)} of {len(of)}; in the first three in {sum(rank <= 3 for rank in grown)}")
