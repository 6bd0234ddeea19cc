#!/usr/bin/env python3
"""How perfgate scales: the tables of docs/scale.md.

  cargo build --release --bins --examples && cargo install critcmp --version 0.1.8 --root DIR
  benches/scale/run.py compare --critcmp DIR/bin/critcmp          time and memory for 100 ... 100,000 benchmarks
  benches/scale/run.py bytes                                      what a stored run takes
  tests/servers/with-s3 benches/scale/run.py growth               record, push and compare as the history grows
  tests/servers/with-s3 benches/scale/run.py crowd                32 recorders at once

Whole processes, best of several, with a warm page cache: wall time, CPU time of all threads, peak memory. Absolute times
belong to one machine: compare only figures of the same run.
"""
import argparse, json, os, pathlib, random, shutil, signal, socket, statistics, subprocess, sys, tempfile, threading, time

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("what", choices=["compare", "bytes", "growth", "crowd"])
parser.add_argument("--release", default="target/release", help="where cargo put perfgate and its examples")
parser.add_argument("--critcmp", help="compare: the critcmp binary, also measured")
parser.add_argument("--sizes", default="100,1000,10000,100000")
parser.add_argument("--histories", default="1,100,1000,10000", help="growth: stored runs")
parser.add_argument("--stores", default="git,dir,s3")
parser.add_argument("--writers", type=int, default=32)
parser.add_argument("--repeat", type=int, default=5)
parser.add_argument("--work", help="keep generated data in this directory, and reuse it")
parser.add_argument("--prepare", action="store_true", help="only generate the data (with --work)")
arguments = parser.parse_args()

release = pathlib.Path(arguments.release).resolve()
perfgate, examples = release / "perfgate", release / "examples"
ENV = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "NO_COLOR": "1",
       **{f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER")
          for what, value in (("NAME", "A"), ("EMAIL", "a@example.org"))}}


def once(command, cwd, codes=(0, 1)):
    """Wall seconds, peak MiB and CPU seconds of a process."""
    # The peak of a direct child would include this process's own.
    with tempfile.NamedTemporaryFile("r") as measured:
        words = ["time", "-o", measured.name, "-f", "%M %U %S", *(str(word) for word in command)]
        started = time.perf_counter()
        done = subprocess.run(words, cwd=cwd, env=ENV, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        seconds = time.perf_counter() - started
        if done.returncode not in codes:
            sys.exit(f"{command}: exit code {done.returncode}\n{done.stderr}")
        peak, user, system = measured.read().split()[-3:]
        return seconds, int(peak) / 1024, float(user) + float(system)


def best(command, cwd, repeat=None):
    """The least time, most memory and least CPU time of several runs."""
    seconds, memory, processor = zip(*[once(command, cwd) for _ in range(1 + (repeat or arguments.repeat))][1:])
    return min(seconds), max(memory), min(processor)


def git(cwd, *words, text=None):
    done = subprocess.run(["git", *words], cwd=cwd, env=ENV, input=text, text=True, capture_output=True)
    if done.returncode:
        sys.exit(f"git {words}: {done.stderr}")
    return done.stdout.strip()


def repository(path, count, step=3600):
    """Creates a repository with `count` commits on main, `step` seconds apart, and one on `work`. Returns main's, oldest first."""
    path.mkdir(parents=True)
    git(path, "init", "-q", "-b", "main")
    first = 1_790_000_000 - count * step
    stream = []
    for index in range(count):
        stream += [f"commit refs/heads/main", f"committer A <a@example.org> {first + index * step} +0000", "data 1", "x"]
        if index == 0:
            stream += ["M 100644 inline .gitignore", "data 8", "/target\n"]
        stream += ["M 100644 inline file", f"data {len(str(index))}", str(index), ""]
    git(path, "fast-import", "--quiet", text="\n".join(stream) + "\n")
    git(path, "checkout", "-q", "-f", "main")
    commits = [line for line in git(path, "log", "--reverse", "--format=%H %ct", "main").splitlines()]
    git(path, "switch", "-q", "-c", "work")
    git(path, "commit", "-q", "--allow-empty", "-m", "work")
    return commits


def fill(path, store, count, commits, each=False):
    words = [examples / "make_runs", store, str(count)] + (["each"] if each else [])
    subprocess.run(words, cwd=path, env=ENV, input="\n".join(commits) + "\n", text=True, check=True)


def size(path):
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def of_compare(work):
    rows = []
    for n in map(int, arguments.sizes.split(",")):
        repeat = arguments.repeat if n <= 10_000 else 3
        place = work / f"compare-{n}"
        tree, repo = place / "tree", place / "repo"
        if not place.exists():
            commits = repository(repo, 10)
            subprocess.run([examples / "make_tree", tree, str(n)], check=True)
            (repo / "target").symlink_to(tree)
            head = git(repo, "log", "-1", "--format=%H %ct")
            if n <= 10_000:
                fill(repo, "dir:../runs", n, [*commits, head])
            else:
                # Generating samples is slow, so ten runs share the same ones; they take as long to read and compare.
                for line in [*commits, head]:
                    side = tree / ("criterion@new" if line == head else "criterion@base")
                    once([perfgate, "record", side, "--commit", line.split()[0], "--store", "dir:../runs"], repo, (0,))
        if arguments.prepare:
            continue
        row = {"n": n}
        row["only reading the files"] = best([examples / "read_tree", tree / "criterion"], place, repeat)
        if arguments.critcmp:
            row["critcmp"] = best([arguments.critcmp, "--target-dir", tree, "base", "new"], place, repeat)
        row["perfgate, two trees"] = best([perfgate, "compare", "tree/criterion@base", "tree/criterion@new"], place, repeat)
        store = ["--store", "dir:../runs"]
        row["perfgate, 10 stored runs and a tree"] = best([perfgate, "compare", *store], repo, repeat)
        row["perfgate, 10 stored runs and a stored one"] = best([perfgate, "compare", "--head", "work", *store], repo, repeat)
        row["perfgate, one stored run and another"] = best([perfgate, "compare", "main", "work", *store], repo, repeat)
        rows.append(row)
        print(json.dumps(row), flush=True)
    if not rows:
        return
    names = [name for name in rows[0] if name != "n"]
    print("| " + " | ".join(["", *(f"{row['n']:,}" for row in rows)]) + " |\n" + "|---" * (1 + len(rows)) + "|")
    for name in names:
        print("| " + " | ".join([name, *(f"{row[name][0]:.3f} s, {row[name][2]:.2f} s, {row[name][1]:.0f} MiB" for row in rows)]) + " |")


def of_bytes(work):
    place = work / "bytes"
    if not place.exists():
        commits = repository(place / "repo", 1)
        fill(place / "repo", "dir:../runs", 100, commits)
    print("synthetic, 100 benchmarks of 100 samples:")
    files = [str(file) for file in (place / "runs").rglob("*.pgrun")]
    subprocess.run([examples / "run_size", *files], check=True)
    real = sorted(str(file) for file in pathlib.Path("tests/data/accuracy").glob("run-*.pgrun"))
    print("real, tests/data/accuracy:")
    subprocess.run([examples / "run_size", *real], check=True)


def stores(count):
    """Name, address, and whether it is pushed."""
    known = {"git": ("git:refs/perfgate/baselines", True), "dir": ("dir:../runs", False)}
    if "PERFGATE_TEST_S3" in os.environ:
        known["s3"] = (f"s3://perf-runs/scale-{count}", False)
    return [(name, *known[name]) for name in arguments.stores.split(",") if name in known]


def of_growth(work):
    tree = work / "growth-tree"
    if not tree.exists():
        subprocess.run([examples / "make_tree", tree, "100"], check=True)
    for count in map(int, arguments.histories.split(",")):
        place = work / f"growth-{count}"
        repo = place / "repo"
        if not place.exists():
            commits = repository(repo, count)
            git(place, "init", "-q", "--bare", "hub.git")
            git(repo, "remote", "add", "origin", "../hub.git")
            git(repo, "push", "-q", "origin", "main")
            (repo / "target").symlink_to(tree)
            for name, url, pushed in stores(count):
                # One at a time, as recorders do, where that shows in the size.
                fill(repo, url, 100, commits, each=name == "git" and count <= 1000)
                if pushed:
                    subprocess.run([perfgate, "runs", "push"], cwd=repo, env=ENV, check=True, stdout=subprocess.DEVNULL)
        if arguments.prepare:
            continue
        for name, url, pushed in stores(count):
            row = {"runs": count, "store": name}
            if name == "git":
                row["objects as written"] = f"{size(repo / '.git/objects') / 1e6:.2f} MB"
            elif name == "dir":
                row["size"] = f"{size(place / 'runs') / 1e6:.2f} MB"
            times = {"compare": [], "record": [], "push": []}
            for index in range(1 + arguments.repeat):
                # Each measurement needs a new run: another commit of the branch.
                git(repo, "commit", "-q", "--allow-empty", "-m", "x")
                times["compare"].append(once([perfgate, "compare", "--store", url], repo))
                times["record"].append(once([perfgate, "record", "--store", url], repo, (0,)))
                if pushed:
                    times["push"].append(once([perfgate, "runs", "push"], repo, (0,)))
            for what, runs in times.items():
                if runs:
                    row[what] = f"{1000 * min(seconds for seconds, *_ in runs[1:]):.0f} ms"
            if name == "git":
                git(place / "hub.git", "gc", "-q")
                row["remote after gc"] = f"{size(place / 'hub.git/objects') / 1e6:.2f} MB"
            print(json.dumps(row), flush=True)


NGINX = """
daemon off; worker_processes 1; pid {w}/nginx.pid; error_log {w}/nginx.log;
events {{ worker_connections 256; }}
http {{
  access_log off; client_body_temp_path {w}/body; proxy_temp_path {w}/p; fastcgi_temp_path {w}/f; uwsgi_temp_path {w}/u; scgi_temp_path {w}/s;
  client_max_body_size 0;
  server {{
    listen 127.0.0.1:{port};
    location ~ ^/git(/.*)$ {{
      fastcgi_pass unix:{w}/fcgi.sock;
      fastcgi_param SCRIPT_FILENAME {backend};
      fastcgi_param GIT_PROJECT_ROOT {w};
      fastcgi_param GIT_HTTP_EXPORT_ALL 1;
      fastcgi_param PATH_INFO $1;
      fastcgi_param QUERY_STRING $query_string;
      fastcgi_param REQUEST_METHOD $request_method;
      fastcgi_param CONTENT_TYPE $content_type;
      fastcgi_param CONTENT_LENGTH $content_length;
      fastcgi_param REMOTE_ADDR $remote_addr;
      fastcgi_read_timeout 300;
    }}
  }}
}}
"""


def git_server(place):
    """git over HTTP before the repositories in a directory: nginx, fcgiwrap, git-http-backend. Gives URL and processes."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    backend = pathlib.Path(git(place, "--exec-path")) / "git-http-backend"
    (place / "nginx.conf").write_text(NGINX.format(w=place, port=port, backend=backend))
    # nginx's own worker may be another user, and a temporary directory is closed to others.
    [os.chmod(folder, 0o755) for folder in (place, place.parent)]
    wrap = subprocess.Popen(["fcgiwrap", "-c", "8", "-s", f"unix:{place}/fcgi.sock"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    time.sleep(0.5)
    os.chmod(place / "fcgi.sock", 0o777)
    front = subprocess.Popen(["nginx", "-p", str(place), "-c", str(place / "nginx.conf")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    time.sleep(1)
    return f"http://127.0.0.1:{port}/git/hub.git", [front, wrap]


def of_crowd(work):
    place = pathlib.Path(tempfile.mkdtemp(dir=work))
    subprocess.run([examples / "make_tree", place / "tree", "100"], check=True)
    repository(place / "repo", 1)
    git(place, "clone", "-q", "--bare", "repo", "hub.git")
    git(place / "hub.git", "config", "http.receivepack", "true")
    ways, running = [], []
    if shutil.which("nginx") and shutil.which("fcgiwrap") and "git" in arguments.stores:
        url, running = git_server(place)
        ways.append(("git over HTTP", url, ["record", "--push", "origin"]))
    if "PERFGATE_TEST_S3" in os.environ and "s3" in arguments.stores:
        ways.append(("S3", str(place / "hub.git"), ["record", "--store", f"s3://perf-runs/crowd-{os.getpid()}"]))
    try:
        for name, origin, words in ways:
            clones = []
            for index in range(arguments.writers):
                clone = place / f"{name.split()[0]}-{index}"
                git(place, "clone", "-q", origin, str(clone))
                git(clone, "commit", "-q", "--allow-empty", "-m", f"{index}")
                (clone / "target").symlink_to(place / "tree")
                clones.append(clone)
            waits, barrier = [], threading.Barrier(len(clones))

            def record(clone):
                barrier.wait()
                waits.append(once([perfgate, *words], clone, (0,))[0])

            threads = [threading.Thread(target=record, args=(clone,)) for clone in clones]
            started = time.perf_counter()
            [thread.start() for thread in threads], [thread.join() for thread in threads]
            whole = time.perf_counter() - started
            if name == "S3":
                listed = subprocess.run([perfgate, "runs", "list", "--last", "100", *words[1:]], cwd=clones[0], env=ENV, capture_output=True, text=True)
                there = len(listed.stdout.splitlines()) - 1
            else:
                there = len(git(place / "hub.git", "ls-tree", "-r", "--name-only", "refs/perfgate/baselines").splitlines())
            print(json.dumps({"way": name, "writers": len(clones), "done": len(waits), "runs there": there,
                              "median wait": round(statistics.median(waits), 2), "worst wait": round(max(waits), 2), "all": round(whole, 2)}), flush=True)
    finally:
        for process in running:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait()
        shutil.rmtree(place)


def main():
    made = pathlib.Path(arguments.work or tempfile.mkdtemp()).resolve()
    made.mkdir(parents=True, exist_ok=True)
    try:
        {"compare": of_compare, "bytes": of_bytes, "growth": of_growth, "crowd": of_crowd}[arguments.what](made)
    finally:
        if not arguments.work:
            shutil.rmtree(made)


main()
